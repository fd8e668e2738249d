//! The terms of sale and the refund policy, as the seller wrote them.

use app::mail::markdown;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::Web;
use crate::problem::Problem;
use crate::public::frame::{Frame, page};
use crate::visit::Visit;

#[derive(Template)]
#[template(path = "public/terms.html")]
struct Terms<'a> {
    frame: &'a Frame,
    version: String,
    /// Safe HTML.
    terms: String,
    /// Safe HTML.
    refund_policy: String,
}

pub(crate) async fn show(State(web): State<Web>, visit: Visit) -> Result<Response, Problem> {
    let frame = Frame::new(&web, &visit, String::new());
    let frame = Frame { title: frame.say("page-terms"), ..frame };
    let shop = &visit.shop;
    let template = Terms {
        version: frame.words.fill("terms-version", &[("version", (&shop.terms_version).into())]),
        terms: markdown::to_html(&shop.terms),
        refund_policy: markdown::to_html(&shop.refund_policy),
        frame: &frame,
    };
    page(StatusCode::OK, &frame, &template)
}
