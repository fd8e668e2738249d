//! What stands before every handler: the request's id, security headers,
//! deadlines, and the check that a form was sent from our own page.

use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use domain::EventId;

use crate::Web;
use crate::problem::{Problem, REQUEST_ID};

/// How long a handler may take, body and all.
const DEADLINE: Duration = Duration::from_secs(60);

/// Pages load nothing but our own style sheet, images and script, and post nowhere but here and to the gateway's page.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; \
     form-action *; base-uri 'none'; frame-ancestors 'none'";

static REQUEST_ID_HEADER: HeaderName = HeaderName::from_static("request-id");

/// Gives the request an id, bounds its time, and puts the same headers on every answer.
pub(crate) async fn every_answer(State(web): State<Web>, request: Request, next: Next) -> Response {
    let id = request_id(&web);
    let method = request.method().clone();
    let uri = request.uri().clone();
    let began = Instant::now();
    let answered = REQUEST_ID.scope(id.clone(), tokio::time::timeout(DEADLINE, next.run(request))).await;
    let mut response = answered.unwrap_or_else(|_| {
        Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", "The request took too long to arrive or to answer.")
            .into_response()
    });
    let headers = response.headers_mut();
    headers.reserve(8);
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID_HEADER.clone(), value);
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CONTENT_SECURITY_POLICY, PAGE_POLICY),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=()"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if web.app.settings.public_url.starts_with("https://") {
        headers
            .insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains"));
    }
    let status = response.status().as_u16();
    let elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(request_id = id, %method, path = uri.path(), status, elapsed_ms, "answered");
    response
}

/// A name for the request, to be found again in the log.
fn request_id(web: &Web) -> String {
    let id = EventId::mint(web.app.clock.now(), &mut web.app.entropy.rng()).to_string();
    format!("req_{}", id.trim_start_matches("evt_"))
}

/// Refuses a form that another site sent: cookies alone must not move anything.
pub(crate) async fn own_forms_only(State(web): State<Web>, request: Request, next: Next) -> Response {
    if request.method() == Method::POST {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let foreign_site = header("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
        let own = |origin: &str| {
            let host = origin.split_once("://").map_or("", |(_, host)| host);
            origin == web.app.settings.public_url || Some(host) == header("host")
        };
        if foreign_site || header("origin").is_some_and(|origin| !own(origin)) {
            return Problem::new(StatusCode::FORBIDDEN, "foreign_form", "This form was sent from another site.")
                .into_response();
        }
    }
    next.run(request).await
}
