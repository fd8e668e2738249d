//! Counted use of a license: told by apps with the key alone, corrected by the seller's programs.
//!
//! An app only ever adds: whoever holds a key could give itself more otherwise.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Actor, AttemptKind, EventId, Fingerprint, License, LicenseId, Timestamp, UsageRequest};
use latchkey_license::KeyCode;
use serde::{Deserialize, Serialize};

use super::license::{Asker, PublicLicense, fingerprint, public};
use super::{Caller, Id, Json, Manager, Names, Once, answer};
use crate::Web;
use crate::problem::Problem;

/// What is counted of a metered license.
#[derive(Serialize)]
pub(super) struct UsageView {
    used: u64,
    limit: Option<u64>,
    left: Option<u64>,
    resets_at: Option<Timestamp>,
}

pub(super) fn usage_view(license: &License, now: Timestamp) -> Option<UsageView> {
    let metering = license.policy.usage.as_ref()?;
    let used = license.used(now);
    Some(UsageView {
        used,
        limit: metering.limit,
        left: metering.limit.map(|limit| limit.saturating_sub(used)),
        resets_at: license.usage_resets_at(now),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UseInput {
    key: String,
    fingerprint: Option<String>,
    add: Option<u64>,
}

#[derive(Serialize)]
struct UseAnswer<'a> {
    usage: Option<UsageView>,
    license: PublicLicense<'a>,
}

/// An app has used so much.
pub(crate) async fn count(State(web): State<Web>, asker: Asker, once: Once, sent: Json) -> Result<Response, Problem> {
    let input: UseInput = sent.read()?;
    let device = input.fingerprint.as_deref().map(fingerprint).transpose();
    let named = device.as_ref().ok().and_then(Option::as_ref);
    let key = asker.key(&web, AttemptKind::Usage, &input.key, named).await?;
    let device = device?;
    let amount = positive("add", input.add.unwrap_or(1))?;
    let (task, caller) = (web.clone(), Caller::with_license(asker.shop.id, &key));
    let work = |names: Names| add(task, asker, key, device, amount, names);
    Ok(once.answer(&web, caller, &sent.0, work).await)
}

async fn add(
    web: Web,
    asker: Asker,
    key: KeyCode,
    device: Option<Fingerprint>,
    amount: u64,
    mut names: Names,
) -> Result<Response, Problem> {
    let name = names.mint(EventId::mint);
    let (license, now) = web
        .app
        .use_license(asker.shop.id, &key, device.as_ref(), amount, name)
        .await
        .map_err(|error| asker.refused(&web, error))?;
    Ok(answer(StatusCode::OK, &UseAnswer { usage: usage_view(&license, now), license: public(&license, now) }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CorrectInput {
    add: Option<u64>,
    subtract: Option<u64>,
    reset: Option<bool>,
}

impl CorrectInput {
    fn request(&self) -> Result<UsageRequest, Problem> {
        match (self.add, self.subtract, self.reset) {
            (Some(amount), None, None) => Ok(UsageRequest::Add(positive("add", amount)?)),
            (None, Some(amount), None) => Ok(UsageRequest::Subtract(positive("subtract", amount)?)),
            (None, None, Some(true)) => Ok(UsageRequest::Reset),
            (Some(_) | None, Some(_) | None, Some(_) | None) => {
                let detail = "Send one of `add`, `subtract` and `reset: true`.";
                Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "parameter_invalid", detail))
            }
        }
    }
}

/// The most that one call counts: what a JSON number carries without loss.
const MOST: u64 = (1 << 53) - 1;

fn positive(param: &str, amount: u64) -> Result<u64, Problem> {
    if (1..=MOST).contains(&amount) {
        return Ok(amount);
    }
    Err(Problem::invalid(param, "parameter_invalid", format!("`{param}` must be from 1 to {MOST}.")))
}

/// The seller corrects the count, or counts for itself.
pub(crate) async fn correct(
    State(web): State<Web>,
    manager: Manager,
    Id(license): Id<LicenseId>,
    once: Once,
    sent: Json,
) -> Result<Response, Problem> {
    manager.may_manage()?;
    let request = sent.read::<CorrectInput>()?.request()?;
    let (task, shop) = (web.clone(), manager.shop.id);
    let work = async move |mut names: Names| {
        let name = names.mint(EventId::mint);
        let (license, now) = task.app.correct_usage(shop, license, request, Actor::Api, name).await?;
        Ok(answer(StatusCode::OK, &super::license::view(&license, None, now)))
    };
    Ok(once.answer(&web, &manager, &sent.0, work).await)
}
