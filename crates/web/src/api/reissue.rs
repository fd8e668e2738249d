//! New keys for licenses whose keys are in the wrong hands.

use app::{ReissueInput, Reissued};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Actor, LicenseId};
use latchkey_license::KeyCode;
use serde::Deserialize;

use super::license::{text, view};
use super::{Id, Json, Manager, Names, Once, answer};
use crate::Web;
use crate::problem::Problem;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    reason: String,
    release_seats: Option<bool>,
    mail: Option<bool>,
}

/// Gives the license a new key, and shows it. Its owner is mailed the key, unless it is said that they are not.
pub(crate) async fn create(
    State(web): State<Web>,
    manager: Manager,
    Id(license): Id<LicenseId>,
    once: Once,
    sent: Json,
) -> Result<Response, Problem> {
    manager.may_manage()?;
    let input: Input = sent.read()?;
    let reason = text("reason", &input.reason, 500)?;
    let frees_seats = input.release_seats.unwrap_or(false);
    let tells_owner = input.mail.unwrap_or(true);
    let (task, shop) = (web.clone(), manager.shop.id);
    let work = async move |mut names: Names| {
        let key = names.mint(|_, rng| KeyCode::from_random_bytes(rng.bytes()));
        let input = ReissueInput { key, frees_seats, tells_owner, reason };
        let Reissued { license, held } = task.app.reissue_license(shop, license, &input, Actor::Api).await?;
        Ok(answer(StatusCode::OK, &view(&license, Some(&held), task.app.clock.now())))
    };
    Ok(once.answer(&web, &manager, &sent.0, work).await)
}
