//! What a paid unit waits for, from the seller's program.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Actor, Claim, ClaimState, LicenseId, OrderId, PoolCode, Timestamp};
use serde::{Deserialize, Serialize};

use super::license::view;
use super::{Id, Json, Manager, Names, Once, Query, answer, list as listing};
use crate::Web;
use crate::problem::Problem;

#[derive(Serialize)]
struct ClaimView {
    license: LicenseId,
    order: OrderId,
    kind: &'static str,
    state: &'static str,
    due_at: Option<Timestamp>,
    fulfilled_at: Option<Timestamp>,
    created_at: Timestamp,
}

fn claim_view(claim: &Claim) -> ClaimView {
    ClaimView {
        license: claim.license,
        order: claim.order,
        kind: claim.fulfilment.as_str(),
        state: claim.state.as_str(),
        due_at: claim.due_at(),
        fulfilled_at: claim.fulfilled_at,
        created_at: claim.created_at,
    }
}

pub(crate) async fn list(
    State(web): State<Web>,
    manager: Manager,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    manager.may_read()?;
    let mut query = Query::read(query.as_deref())?;
    let asked = query.page()?;
    let state = query.take("state", "a state of a claim", ClaimState::parse)?;
    query.done()?;
    let claims = web.app.store.claims_page(manager.shop.id, state, asked).await.map_err(app::Error::from)?;
    Ok(listing(claims, claim_view))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    content: String,
}

/// Hands over what the buyer waits for, and shows the license with it.
pub(crate) async fn fulfil(
    State(web): State<Web>,
    manager: Manager,
    Id(license): Id<LicenseId>,
    once: Once,
    sent: Json,
) -> Result<Response, Problem> {
    manager.may_manage()?;
    let input: Input = sent.read()?;
    let content = PoolCode::parse(&input.content)
        .map_err(|error| Problem::invalid("content", "code_invalid", format!("`content` {error}.")))?;
    let (task, shop) = (web.clone(), manager.shop.id);
    let work = async move |_: Names| {
        task.app.hand_over(shop, license, &content, Actor::Api).await?;
        let row = task.app.store.license(shop, license).await.map_err(app::Error::from)?;
        let row = row.ok_or_else(|| Problem::not_found("license"))?;
        let held = task.app.held_of_license(&row).await?;
        Ok(answer(StatusCode::OK, &view(&row, held.as_ref(), task.app.clock.now())))
    };
    Ok(once.answer(&web, &manager, &sent.0, work).await)
}
