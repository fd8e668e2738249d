//! Taking a license that somebody hands on: the page behind the link in the mail, and its button.

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Refusal, TransferId};

use crate::Web;
use crate::problem::Problem;
use crate::public::fields::Fields;
use crate::public::frame::{Frame, page};
use crate::visit::Visit;

#[derive(Template)]
#[template(path = "public/transfer.html")]
struct TransferPage<'a> {
    frame: &'a Frame,
    stage: Stage,
}

enum Stage {
    /// It can be taken.
    Open { offer: String, token: String, lead: String, devices: String, until: String },
    /// It was taken a moment ago, by this button.
    Taken,
    /// The link is wrong, used, withdrawn or too old.
    Over,
}

/// What is offered. Looking does nothing, so that a mail scanner cannot take a license.
pub(crate) async fn show(
    State(web): State<Web>,
    visit: Visit,
    Query(fields): Query<Fields>,
) -> Result<Response, Problem> {
    let frame = Frame::new(&web, &visit, String::new()).private().returning_to("/portal");
    let words = &frame.words;
    let open = match TransferId::parse(fields.get("offer")) {
        Ok(offer) => web.app.open_transfer(visit.shop.id, offer, fields.get("token")).await?,
        Err(_) => None,
    };
    let stage = match open {
        Some(open) => {
            let until = words.date(open.transfer.expires_at);
            let names = [("name", (&open.name).into()), ("email", open.owner.email.as_str().into())];
            let devices = if open.transfer.frees_seats { "page-transfer-free" } else { "page-transfer-keep" };
            Stage::Open {
                offer: open.transfer.id.to_string(),
                token: fields.get("token").to_owned(),
                lead: words.fill("page-transfer-lead", &names),
                devices: words.say(devices),
                until: words.fill("page-transfer-until", &[("date", (&until).into())]),
            }
        }
        None => Stage::Over,
    };
    answer(frame, stage)
}

/// Takes it.
pub(crate) async fn accept(
    State(web): State<Web>,
    visit: Visit,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let frame = Frame::new(&web, &visit, String::new()).private().returning_to("/portal");
    let Ok(offer) = TransferId::parse(fields.get("offer")) else { return answer(frame, Stage::Over) };
    match web.app.accept_transfer(&visit.shop, offer, fields.get("token"), &visit.locale).await {
        Ok(()) => answer(frame, Stage::Taken),
        Err(app::Error::Refused(Refusal::TransferOver | Refusal::LicenseNotUsable(_))) => answer(frame, Stage::Over),
        Err(error) => Err(error.into()),
    }
}

fn answer(frame: Frame, stage: Stage) -> Result<Response, Problem> {
    let (status, title) = match stage {
        Stage::Open { .. } => (StatusCode::OK, "page-transfer-title"),
        Stage::Taken => (StatusCode::OK, "page-transfer-taken-title"),
        Stage::Over => (StatusCode::NOT_FOUND, "page-transfer-over-title"),
    };
    let frame = Frame { title: frame.say(title), ..frame };
    page(status, &frame, &TransferPage { frame: &frame, stage })
}
