//! Changing what licenses allow after they were issued: one by hand, or all of a plan to what the plan says now,
//! after a look at what that would do.

use app::{Adoption, Adoptions};
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Actor, Adjustment, Difference, LicenseId, PlanId, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use store::Page;

use super::license::{LicenseView, text, view};
use super::{Id, Json, Manager, Names, Once, Query, answer};
use crate::Web;
use crate::problem::Problem;

/// A field that may be left out, and may be null: what is left out stays as it is.
pub(super) fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdjustInput {
    reason: String,
    #[serde(default, deserialize_with = "said")]
    seats: Option<Option<u32>>,
    #[serde(default, deserialize_with = "said")]
    usage_limit: Option<Option<u64>>,
    #[serde(default, deserialize_with = "said")]
    expires_at: Option<Option<Timestamp>>,
    #[serde(default, deserialize_with = "said")]
    updates_until: Option<Option<Timestamp>>,
    features: Option<Vec<String>>,
}

#[derive(Serialize)]
struct AdjustAnswer {
    changes: Vec<Difference>,
    license: LicenseView,
}

pub(crate) async fn license(
    State(web): State<Web>,
    manager: Manager,
    Id(license): Id<LicenseId>,
    once: Once,
    sent: Json,
) -> Result<Response, Problem> {
    manager.may_manage()?;
    let input: AdjustInput = sent.read()?;
    let reason = text("reason", &input.reason, 500)?;
    let AdjustInput { reason: _, seats, usage_limit, expires_at, updates_until, features } = input;
    let features = features
        .map(|features| features.iter().map(|feature| text("features", feature, 100)).collect::<Result<Vec<_>, _>>())
        .transpose()?;
    let wanted = Adjustment { seats, usage_limit, expires_at, updates_until, features };
    let (task, shop) = (web.clone(), manager.shop.id);
    let work = async move |_: Names| {
        let adjusted = task.app.adjust_license(shop, license, &wanted, &reason, Actor::Api).await?;
        let shown = view(&adjusted.license, None, task.app.clock.now());
        Ok(answer(StatusCode::OK, &AdjustAnswer { changes: adjusted.differences, license: shown }))
    };
    Ok(once.answer(&web, &manager, &sent.0, work).await)
}

#[derive(Serialize)]
struct AdoptionView {
    license: LicenseId,
    key_tail: String,
    changes: Vec<Difference>,
    refused: Option<&'static str>,
}

#[derive(Serialize)]
struct AdoptionList {
    data: Vec<AdoptionView>,
    has_more: bool,
    next: Option<LicenseId>,
}

fn adoptions(told: Adoptions) -> Response {
    let each = |Adoption { license, outcome }: Adoption| {
        let (changes, refused) = match outcome {
            Ok(changes) => (changes, None),
            Err(refusal) => (Vec::new(), Some(refusal.code())),
        };
        AdoptionView { license: license.id, key_tail: license.key_tail, changes, refused }
    };
    let data = told.licenses.into_iter().map(each).collect();
    answer(StatusCode::OK, &AdoptionList { data, has_more: told.next.is_some(), next: told.next })
}

/// What taking on the plan's policy would do.
pub(crate) async fn preview(
    State(web): State<Web>,
    manager: Manager,
    Id(plan): Id<PlanId>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    manager.may_read()?;
    let mut query = Query::read(query.as_deref())?;
    let page = query.page()?;
    query.done()?;
    Ok(adoptions(web.app.preview_adoption(manager.shop.id, plan, page).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdoptInput {
    reason: String,
    starting_after: Option<LicenseId>,
    limit: Option<u32>,
}

/// Takes it on, for as many licenses as one batch has.
pub(crate) async fn adopt(
    State(web): State<Web>,
    manager: Manager,
    Id(plan): Id<PlanId>,
    once: Once,
    sent: Json,
) -> Result<Response, Problem> {
    manager.may_manage()?;
    let input: AdoptInput = sent.read()?;
    let reason = text("reason", &input.reason, 500)?;
    let limit = input.limit.unwrap_or(100);
    if !(1..=100).contains(&limit) {
        return Err(Problem::invalid("limit", "parameter_invalid", "`limit` must be a whole number from 1 to 100."));
    }
    let page = Page { starting_after: input.starting_after, ending_before: None, limit };
    let (task, shop) = (web.clone(), manager.shop.id);
    let work = async move |_: Names| Ok(adoptions(task.app.adopt_policy(shop, plan, page, &reason, Actor::Api).await?));
    Ok(once.answer(&web, &manager, &sent.0, work).await)
}
