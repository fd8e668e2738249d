//! Licenses as files, for devices without a network: for an app with the key, and for the seller's programs.

use app::LicenseFile;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{ActivationId, Actor, AttemptKind, Duration, FileGiver, LicenseId, Refusal, Timestamp};
use serde::{Deserialize, Serialize};

use super::license::{Asker, fingerprint};
use super::{Id, Json, Manager, Names, Once, answer};
use crate::Web;
use crate::problem::Problem;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HolderInput {
    key: String,
    fingerprint: Option<String>,
    ttl_seconds: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SellerInput {
    activation: Option<ActivationId>,
    ttl_seconds: Option<u32>,
}

#[derive(Serialize)]
struct FileView<'a> {
    license: LicenseId,
    activation: Option<ActivationId>,
    expires_at: Timestamp,
    certificate: &'a str,
    name: String,
    file: &'a str,
}

fn shown(file: &LicenseFile) -> Response {
    let view = FileView {
        license: file.license.id,
        activation: file.activation.as_ref().map(|seat| seat.id),
        expires_at: Timestamp::from_seconds(file.expires_at.as_seconds()),
        certificate: &file.certificate,
        name: file.name(),
        file: &file.text,
    };
    answer(StatusCode::OK, &view)
}

fn seconds(ttl_seconds: Option<u32>) -> Option<Duration> {
    ttl_seconds.map(|seconds| Duration::seconds(i64::from(seconds)))
}

/// Which field a refusal is about.
fn named(problem: Problem, error: Option<&Refusal>) -> Problem {
    let param = match error {
        Some(Refusal::FileTimeOutOfRange { .. }) => Some("ttl_seconds"),
        Some(Refusal::DeviceMissing) => Some("fingerprint"),
        Some(_) | None => None,
    };
    Problem { param: param.map(str::to_owned).or(problem.param), ..problem }
}

fn refusal(error: &app::Error) -> Option<Refusal> {
    match error {
        app::Error::Refused(refusal) => Some(refusal.clone()),
        app::Error::NotFound { .. }
        | app::Error::Unavailable(_)
        | app::Error::Conflict { .. }
        | app::Error::Configuration(_) => None,
    }
}

/// For an app with the key. Changes nothing that is not changed by a validation.
pub(crate) async fn fetch(State(web): State<Web>, asker: Asker, sent: Json) -> Result<Response, Problem> {
    let input: HolderInput = sent.read()?;
    let device = input.fingerprint.as_deref().map(fingerprint).transpose()?;
    let key = asker.key(&web, AttemptKind::Validate, &input.key, device.as_ref()).await?;
    let file = web.app.license_file(asker.shop.id, &key, device.as_ref(), seconds(input.ttl_seconds)).await;
    let file = file.map_err(|error| {
        let about = refusal(&error);
        named(asker.refused(&web, error), about.as_ref())
    })?;
    Ok(shown(&file))
}

/// For the seller: bound to the device of an activation, or to none.
pub(crate) async fn create(
    State(web): State<Web>,
    manager: Manager,
    Id(license): Id<LicenseId>,
    once: Once,
    sent: Json,
) -> Result<Response, Problem> {
    manager.may_manage()?;
    let SellerInput { activation, ttl_seconds } = sent.read()?;
    let (task, shop) = (web.clone(), manager.shop.id);
    let work = async move |_: Names| {
        let wanted = seconds(ttl_seconds);
        let made = task.app.give_license_file(shop, license, activation, wanted, FileGiver::Seller, Actor::Api).await;
        let file = made.map_err(|error| {
            let about = refusal(&error);
            named(error.into(), about.as_ref())
        })?;
        Ok(shown(&file))
    };
    Ok(once.answer(&web, &manager, &sent.0, work).await)
}
