//! Answers that say no, for people: what went wrong, in their language, and where to go from here.
//!
//! Handlers answer with a [`Problem`], as for programs. [`as_page`] stands
//! before every page and turns whatever is not a page into one.

use askama::Template;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::Web;
use crate::api;
use crate::problem::Problem;
use crate::public::frame::{Frame, page};
use crate::visit::Visit;

/// The title of everything that speaks against a download.
const DOWNLOAD_TITLE: &str = "failure-download-title";

#[derive(Template)]
#[template(path = "public/failure.html")]
struct FailurePage<'a> {
    frame: &'a Frame,
    text: String,
    /// The stable code, where a person may be asked for it.
    code: Option<&'static str>,
    /// For the support, where we are at fault.
    request_id: Option<String>,
}

/// Nothing has this address.
pub(crate) async fn not_found(State(web): State<Web>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let problem = Problem::not_found("address");
    let is_for_programs = ["/v1/", "/hooks/", "/.well-known/"].iter().any(|root| parts.uri.path().starts_with(root));
    // Programs follow links of files as well, and say what they want.
    let is_for_programs =
        is_for_programs || (parts.uri.path().starts_with("/downloads/") && !takes_pages(&parts.headers));
    if is_for_programs {
        return problem.into_response();
    }
    failure_page(&web, &mut parts, problem.into_response()).await
}

/// Shows refusals of pages as pages.
pub(crate) async fn as_page(State(web): State<Web>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let asked = Request::from_parts(parts.clone(), body);
    let response = next.run(asked).await;
    let is_page =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_page || !(response.status().is_client_error() || response.status().is_server_error()) {
        return response;
    }
    failure_page(&web, &mut parts, response).await
}

/// Shows refusals as pages to browsers, and as problems to programs, which follow links of files as well.
pub(crate) async fn as_either(state: State<Web>, request: Request, next: Next) -> Response {
    if takes_pages(request.headers()) {
        as_page(state, request, next).await
    } else {
        api::as_problem(next.run(request).await)
    }
}

fn takes_pages(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("text/html"))
}

/// The refusal as a page; as it is, where not even the shop is known.
async fn failure_page(web: &Web, parts: &mut Parts, refused: Response) -> Response {
    let Ok(visit) = Visit::from_request_parts(parts, web).await else { return refused };
    let status = refused.status();
    let code = refused.extensions().get::<Problem>().map_or("", |problem| problem.code);
    let (title, text) = messages(status, code);
    let shown_code = Some(code).filter(|_| title == DOWNLOAD_TITLE);
    let frame = Frame::new(web, &visit, String::new());
    let title = frame.say(title);
    let frame = Frame { title, ..frame }.private().returning_to("/");
    let request_id = status.is_server_error().then(app::trace::request_id).flatten();
    let template = FailurePage { text: frame.say(text), code: shown_code, frame: &frame, request_id };
    let Ok(mut response) = page(status, &frame, &template) else { return refused };
    for name in [header::RETRY_AFTER, header::ALLOW, header::CONTENT_RANGE, header::ETAG] {
        if let Some(value) = refused.headers().get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

/// The ids of title and text. Codes first: they say more than the status.
fn messages(status: StatusCode, code: &str) -> (&'static str, &'static str) {
    match code {
        "foreign_form" => return ("failure-foreign_form-title", "failure-foreign_form"),
        "not_configured" => return ("failure-not_configured-title", "failure-not_configured"),
        "download_link_invalid" => return (DOWNLOAD_TITLE, "failure-download-link-invalid"),
        "download_link_ended" => return (DOWNLOAD_TITLE, "failure-download-link-ended"),
        "release_not_out" => return (DOWNLOAD_TITLE, "failure-download-not-out"),
        "too_many_downloads" => return (DOWNLOAD_TITLE, "failure-download-many"),
        "release_withdrawn" => return (DOWNLOAD_TITLE, "failure-download-withdrawn"),
        "release_file_missing" => return (DOWNLOAD_TITLE, "failure-download-missing"),
        "license_suspended" => return (DOWNLOAD_TITLE, "page-downloads-suspended"),
        "license_expired" => return (DOWNLOAD_TITLE, "page-downloads-expired"),
        "license_revoked" => return (DOWNLOAD_TITLE, "page-downloads-revoked"),
        "license_update_not_covered" => return (DOWNLOAD_TITLE, "page-downloads-not-covered"),
        "plan_not_on_sale" | "no_price_in_currency" => return ("failure-not_on_sale-title", "failure-not_on_sale"),
        _ => {}
    }
    match status {
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => ("failure-not_found-title", "failure-not_found"),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
            ("failure-unavailable-title", "failure-unavailable")
        }
        status if status.is_client_error() => ("failure-refused-title", "failure-refused"),
        _ => ("failure-broken-title", "failure-broken"),
    }
}
