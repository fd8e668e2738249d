//! What stands before every handler: the request's id, security headers,
//! deadlines, and the check that a form was sent from our own page.

use std::sync::Arc;
use std::time::{Duration, Instant};

use app::trace::{Begin, SpanContext, SpanKind};
use axum::extract::{MatchedPath, Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use domain::EventId;

use crate::Web;
use crate::problem::Problem;

/// Pages load nothing but our own style sheet, images and script, and post nowhere but here and to the gateway's page.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; \
     form-action *; base-uri 'none'; frame-ancestors 'none'";

/// What is no page must not become one in a browser.
const DATA_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

static REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
static OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
static PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// What stands around every handler.
pub(crate) async fn every_answer(
    State((web, deadline)): State<(Web, Duration)>,
    request: Request,
    next: Next,
) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    answered(&web, deadline, route, request, |request| next.run(request)).await
}

/// Gives the request an id, bounds its time, and puts the same headers on every answer. `next`: who answers.
pub(crate) async fn answered<A: Future<Output = Response>>(
    web: &Web,
    deadline: Duration,
    route: &str,
    request: Request,
    next: impl FnOnce(Request) -> A,
) -> Response {
    let id = request_id(web);
    let method = method_word(request.method());
    let is_http1 = request.version() < Version::HTTP_2;
    let began = Instant::now();
    let parent = request.headers().get("traceparent").and_then(|header| SpanContext::parse(header.to_str().ok()?));
    let program = request.headers().get(header::USER_AGENT).and_then(|header| header.to_str().ok()).map(Arc::from);
    let begin = Begin { id: Some(id.clone()), parent, kind: SpanKind::Server, program };
    let work = async {
        let answered = tokio::time::timeout(deadline, next(request)).await;
        let response = answered.unwrap_or_else(|_| {
            Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", "The request took too long to arrive or to answer.")
                .into_response()
        });
        let status = response.status();
        let elapsed = began.elapsed();
        web.app.metrics.requests.at([route, method, status.as_str()], metrics::Counter::count);
        web.app.metrics.request_duration.at([route, method], |taken| taken.took(elapsed));
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(method, route, status = status.as_u16(), elapsed_ms, "answered");
        response
    };
    let mut response = web
        .app
        .in_span(begin, work, |response, span| {
            span.name = format!("{method} {route}");
            span.attributes = vec![
                ("http.request.method", method.into()),
                ("http.route", route.into()),
                ("http.response.status_code", response.status().as_u16().into()),
                ("latchkey.request_id", id.clone().into()),
            ];
            span.has_failed = response.status().is_server_error();
        })
        .await;
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID.clone(), value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let is_page = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let policies: &[(&HeaderName, &'static str)] = match is_page {
        true => &[
            (&header::CONTENT_SECURITY_POLICY, PAGE_POLICY),
            (&header::REFERRER_POLICY, "same-origin"),
            (&OPENER_POLICY, "same-origin"),
            (&PERMISSIONS_POLICY, "camera=(), geolocation=(), microphone=(), payment=()"),
        ],
        false => &[(&header::CONTENT_SECURITY_POLICY, DATA_POLICY)],
    };
    for (name, value) in policies {
        headers.entry(*name).or_insert(HeaderValue::from_static(value));
    }
    if web.app.settings.public_url.starts_with("https://") {
        headers
            .insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains"));
    }
    if is_http1 && web.app.is_draining() {
        // Whoever keeps the connection would find it closed at their next request.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// The method in a few words: anybody can make up more.
fn method_word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// A name for the request, to be found again in the log.
fn request_id(web: &Web) -> String {
    let mut id = web.app.entropy.name(|rng| EventId::mint(web.app.clock.now(), rng)).to_string();
    id.replace_range(.."evt".len(), "req");
    id
}

/// Refuses a form that another site sent: cookies alone must not move anything.
pub(crate) async fn own_forms_only(State(web): State<Web>, request: Request, next: Next) -> Response {
    if request.method() == Method::POST {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let foreign_site = header("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
        // HTTP/2 names the host in the address of the request (RFC 9113 §8.3.1).
        let asked = request.uri().authority().map(Authority::as_str).or_else(|| header("host"));
        let own = |origin: &str| {
            let host = origin.split_once("://").map_or("", |(_, host)| host);
            origin == web.app.settings.public_url || Some(host) == asked
        };
        if foreign_site || header("origin").is_some_and(|origin| !own(origin)) {
            return Problem::new(StatusCode::FORBIDDEN, "foreign_form", "This form was sent from another site.")
                .into_response();
        }
    }
    next.run(request).await
}
