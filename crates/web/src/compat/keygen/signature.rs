//! Every answer signed, errors and empty ones too: apps that carry the account's public key believe nothing else. What
//! an old system signed goes out as it came.
//!
//! The text that is signed is that of draft-cavage-http-signatures-08 §2.3:
//! method and target, host, date and the digest of the body.

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{OriginalUri, Request, State};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use data_encoding::BASE64;

use super::JSON_API;
use super::fault::{Fault, missing_endpoint};
use crate::Web;
use crate::api::cross_origin::KEYGEN;
use crate::compat::host::Unmoved;
use crate::compat::shadow::Theirs;
use crate::problem::Problem;
use crate::visit;

/// No answer is larger: a hundred machines, each with its notes.
const LARGEST_ANSWER: usize = 8 << 20;

/// What our addresses have before those of Keygen.
const PREFIX: &str = "/compat/keygen";

/// The version of Keygen's API that is answered, where none is asked for.
const VERSION: &str = "1.8";

/// What was asked, as it is signed.
struct Asked {
    method: String,
    target: String,
    host: String,
    /// Who signs, as the app calls it; `None`: it does not say.
    account: Option<String>,
    wants_plain_json: bool,
    version: Option<HeaderValue>,
}

/// Answers in Keygen's words, also where no handler was reached.
pub(crate) async fn word(request: Request, next: Next) -> Response {
    match refusal(request.headers()) {
        Some(fault) => fault.into_response(),
        None => as_keygen(next.run(request).await),
    }
}

/// Answers in Keygen's words, and signs.
pub(crate) async fn sign(State(web): State<Web>, request: Request, next: Next) -> Response {
    if request.method() == Method::OPTIONS {
        return KEYGEN.preflight();
    }
    let asked = Asked::read(&request);
    let (parts, body) = request.into_parts();
    let shop = visit::shop_of(&web.app, &parts).await.ok();
    let response = next.run(Request::from_parts(parts, body)).await;
    if response.extensions().get::<Theirs>().is_some() {
        return KEYGEN.open(response);
    }
    let response = as_keygen(response);
    let (mut parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_ANSWER).await else {
        return Problem::unavailable("an answer is too large to be signed").into_response();
    };
    let name = asked.account.clone().or_else(|| shop.map(|shop| shop.id.uuid())).unwrap_or_default();
    asked.add_headers(&web, &name, &body, &mut parts.headers);
    KEYGEN.open(Response::from_parts(parts, Body::from(body)))
}

impl Asked {
    fn read(request: &Request) -> Self {
        let uri = request.extensions().get::<OriginalUri>().map_or_else(|| request.uri(), |original| &original.0);
        let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let unmoved = request.extensions().get::<Unmoved>().and_then(|unmoved| unmoved.0.path_and_query());
        let authority = uri.authority().map(|authority| authority.as_str().to_owned());
        let accept = text("accept").unwrap_or_default();
        Self {
            method: request.method().as_str().to_ascii_lowercase(),
            target: target(uri, unmoved.map(PathAndQuery::as_str).or(text("x-forwarded-uri"))),
            host: text("host").map(str::to_owned).or(authority).unwrap_or_default(),
            account: account_in(uri.path()),
            wants_plain_json: accept.contains("application/json") && !accept.contains(JSON_API),
            version: request.headers().get("keygen-version").cloned(),
        }
    }

    fn add_headers(self, web: &Web, account: &str, body: &Bytes, headers: &mut HeaderMap) {
        let now = web.app.clock.now();
        let date = now.http_date();
        let digest = format!("sha-256={}", BASE64.encode(digest(&SHA256, body).as_ref()));
        let Self { method, target, host, .. } = &self;
        let text = format!("(request-target): {method} {target}\nhost: {host}\ndate: {date}\ndigest: {digest}");
        let signature = BASE64.encode(&web.app.signer().sign_bytes(text.as_bytes(), now));
        let signature = format!(
            "keyid=\"{account}\", algorithm=\"ed25519\", signature=\"{signature}\", \
             headers=\"(request-target) host date digest\""
        );
        // Proxies put their own `Date` in, so it is told twice, as Keygen does.
        for (name, value) in [
            ("date", &date),
            ("keygen-date", &date),
            ("digest", &digest),
            ("keygen-digest", &digest),
            ("keygen-signature", &signature),
        ] {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let version = self.version.unwrap_or(HeaderValue::from_static(VERSION));
        headers.insert(HeaderName::from_static("keygen-version"), version);
        let is_json_api = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes() == JSON_API.as_bytes());
        if self.wants_plain_json && is_json_api {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
    }
}

/// The target as the app asked for it. Where a proxy, or a host name that was taken over, gives our addresses another
/// beginning, for apps that were built for a domain of their own, it says so; it is believed where nothing but that beginning is another.
fn target(uri: &Uri, forwarded: Option<&str>) -> String {
    let ours = uri.path_and_query().map_or("/", |target| target.as_str());
    match (forwarded, ours.strip_prefix(PREFIX)) {
        (Some(theirs), Some(rest)) if theirs == rest => theirs.to_owned(),
        (Some(_) | None, Some(_) | None) => ours.to_owned(),
    }
}

/// The account in an address that names one.
pub(super) fn account_in(path: &str) -> Option<String> {
    let rest = path.split_once("/v1/accounts/")?.1;
    let name = rest.split('/').next().filter(|name| !name.is_empty())?;
    // It goes into a header, between quotation marks.
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)).then(|| name.to_owned())
}

/// Why a call is not heard: it asks for what is not spoken here.
fn refusal(headers: &HeaderMap) -> Option<Fault> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let is_version =
        |text: &str| text.strip_prefix("1.").is_some_and(|minor| matches!(minor.as_bytes(), [b'0'..=b'8']));
    if text("keygen-version").is_some_and(|version| !is_version(version)) {
        return Some(Fault::bad("unsupported API version requested").coded("INVALID_API_VERSION"));
    }
    let wanted = text("keygen-accept-signature")?;
    (!wanted.contains("algorithm=\"ed25519\""))
        .then(|| Fault::bad("invalid accept-signature header (unsupported algorithm)"))
}

/// What the layers before a handler refuse, in Keygen's words.
fn as_keygen(response: Response) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE).map_or(&b""[..], |kind| kind.as_bytes());
    let is_failure = response.status().is_client_error() || response.status().is_server_error();
    if !is_failure || kind == JSON_API.as_bytes() {
        return response;
    }
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        return missing_endpoint().into_response();
    }
    let told = response.extensions().get::<Problem>().cloned();
    let problem = told.unwrap_or_else(|| {
        let detail = "The request could not be completed";
        Problem::new(response.status(), "request_malformed", detail)
    });
    // Its internal half is in the log already.
    Fault::from(Problem { internal: None, ..problem }).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_believed_about_the_beginning_of_an_address_alone() {
        let uri = Uri::from_static("/compat/keygen/v1/me?a=b");
        for (forwarded, signed) in [
            (None, "/compat/keygen/v1/me?a=b"),
            (Some("/v1/me?a=b"), "/v1/me?a=b"),
            (Some("/v1/me"), "/compat/keygen/v1/me?a=b"),
            (Some("/v1/other?a=b"), "/compat/keygen/v1/me?a=b"),
        ] {
            assert_eq!(target(&uri, forwarded), signed);
        }
    }

    #[test]
    fn an_account_that_is_none_is_not_told_again() {
        for (path, account) in [
            ("/compat/keygen/v1/accounts/demo-1/me", Some("demo-1")),
            ("/compat/keygen/v1/accounts/a%22b/me", None),
            ("/compat/keygen/v1/me", None),
        ] {
            assert_eq!(account_in(path).as_deref(), account, "{path}");
        }
    }
}
