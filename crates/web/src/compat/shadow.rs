//! Shadow mode: the old system is asked what an app asks, the app gets its answer, and ours is held against it.
//!
//! A layer over the routes of `compat`, inside the door, so that bodies are
//! whole and places are kept. Our answer is made once, by the same handlers as
//! always, after the old system's: what that gave a device, ours is given under
//! the same id, and what that refused is not kept here either. What changes
//! something is compared before the app hears, so that its next question finds
//! both in step; what only reads, behind the answer. The whole of it goes on
//! when the app hangs up, for then the old system has done its part already.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use app::ActivateAnswer;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use domain::{Actor, Fingerprint, ForeignSystem, ShadowAnswer, Shop, ShopId, contrast};
use gateways::{HttpRequest, HttpResponse};
use latchkey_license::KeyCode;
use serde_json::Value;
use tokio::sync::{Semaphore, oneshot};

use super::form;
use super::host::Unmoved;
use crate::Web;
use crate::problem::Problem;
use crate::visit::{host, shop_of};

/// What an app sends that the old system needs.
const SENT: [&str; 9] = [
    "content-type",
    "accept",
    "authorization",
    "user-agent",
    "polar-version",
    "keygen-version",
    "keygen-environment",
    "keygen-accept-signature",
    "idempotency-key",
];

/// What the old system tells that its app reads; besides, what begins as one of [`TOLD_PREFIXES`]. No cookies and no
/// policies: those would be ours.
const TOLD: [&str; 16] = [
    "content-type",
    "content-encoding",
    "content-language",
    "content-disposition",
    "cache-control",
    "etag",
    "date",
    "location",
    "link",
    "retry-after",
    "www-authenticate",
    "digest",
    "content-digest",
    "signature",
    "signature-input",
    "vary",
];
const TOLD_PREFIXES: [&str; 3] = ["keygen-", "ratelimit", "x-ratelimit"];

/// Says to whom it comes back that it was here already (RFC 9110 §7.6.3).
const VIA: &str = "1.1 latchkey-shadow";

/// No answer of ours is larger; as those that are signed.
const LARGEST_ANSWER: usize = 8 << 20;

/// No body is larger; the door has seen to that where there is one.
const LARGEST_BODY: usize = 64 << 10;

/// How many comparisons go on behind their answers. One more is made before its answer, as long as it has a place.
const BEHIND: usize = 64;

/// An answer of the old system's, which goes out as it is.
#[derive(Clone)]
pub(crate) struct Theirs;

/// The layer.
#[derive(Clone)]
pub(crate) struct Shadow {
    web: Web,
    patience: Duration,
    behind: Arc<Semaphore>,
}

impl Shadow {
    /// `patience` is how long the old system may take.
    pub(crate) fn new(web: &Web, patience: Duration) -> Self {
        Self { web: web.clone(), patience, behind: Arc::new(Semaphore::new(BEHIND)) }
    }
}

/// What the old system did, for the handlers that do the same here.
#[derive(Clone, Default)]
pub(super) struct Alongside {
    /// The id that it gave a device.
    id: Option<String>,
    /// A seat that was not held here before.
    taken: Arc<OnceLock<(ShopId, KeyCode, Fingerprint)>>,
}

impl Alongside {
    /// What the old system did, where it was asked.
    pub(super) fn of(request: &axum::http::request::Parts) -> Self {
        request.extensions.get::<Self>().cloned().unwrap_or_default()
    }

    /// The id that the old system gave the device.
    pub(super) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Notes that a seat was taken, so that it can be given back.
    pub(super) fn took(&self, shop: ShopId, key: &KeyCode, answer: &ActivateAnswer) {
        if answer.is_new {
            // Taken once: a handler takes one seat.
            let _ = self.taken.set((shop, key.clone(), answer.activation.fingerprint.clone()));
        }
    }
}

/// Answers with what the old system says, where the shop has one.
pub(crate) async fn beside(State(shadow): State<Shadow>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Some((shop, system, base)) = old_system(&shadow.web, &parts).await else {
        return next.run(Request::from_parts(parts, body)).await;
    };
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        let detail = "The body is larger than this address takes.";
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail).into_response();
    };
    let Some(asked) = Asked::read(&parts, system, &base, &body) else {
        return next.run(Request::from_parts(parts, Body::from(body))).await;
    };
    let talk = Talk { shadow: shadow.clone(), shop: shop.id, asked, parts, body, next };
    let (tell, told) = oneshot::channel();
    shadow.web.app.behind(talk.run(tell));
    told.await.unwrap_or_else(|_| Problem::unavailable("a comparison ended").into_response())
}

/// The old system that is to be asked: of which shop, which one, and where.
async fn old_system(web: &Web, parts: &axum::http::request::Parts) -> Option<(Arc<Shop>, ForeignSystem, String)> {
    let came_back = parts.headers.get_all(header::VIA).iter().any(|via| via.as_bytes() == VIA.as_bytes());
    if came_back || matches!(parts.method, Method::OPTIONS | Method::HEAD) {
        return None;
    }
    let system = ForeignSystem::parse(parts.uri.path().strip_prefix("/compat/")?.split('/').next()?)?;
    // Where it cannot be told whose it is, our handler says so.
    let shop = shop_of(&web.app, parts).await.ok()?;
    let base = shop.compat.shadow.get(&system)?.clone();
    Some((shop, system, base))
}

/// What is asked of both.
struct Asked {
    system: ForeignSystem,
    /// Method and path without ids.
    call: String,
    request: HttpRequest,
    changes: bool,
    /// Where the old system tells the id that it gave a device.
    seat: Option<&'static str>,
}

impl Asked {
    fn read(parts: &axum::http::request::Parts, system: ForeignSystem, base: &str, body: &Bytes) -> Option<Self> {
        let method = match parts.method {
            Method::GET => gateways::Method::Get,
            Method::POST => gateways::Method::Post,
            Method::PUT => gateways::Method::Put,
            Method::PATCH => gateways::Method::Patch,
            Method::DELETE => gateways::Method::Delete,
            _ => return None,
        };
        let prefix = format!("/compat/{}", system.as_str());
        // Not the original address: under a name that was taken over it has no prefix.
        let target = parts.uri.path_and_query()?.as_str().strip_prefix(&prefix)?;
        let slash = if target.starts_with('/') { "" } else { "/" };
        let matched = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        let path = matched.strip_prefix(&prefix).unwrap_or("/{id}");
        let action = (system == ForeignSystem::Edd).then(|| edd_action(parts.uri.query(), body));
        let call = match action {
            Some(action) => format!("{} / {action}", method.as_str()),
            None => format!("{} {}", method.as_str(), without_names(path)),
        };
        let changes = match action {
            Some(action) => ["activate_license", "deactivate_license"].contains(&action),
            None => method != gateways::Method::Get && !READS.iter().any(|end| path.ends_with(end)),
        };
        let mut headers: Vec<(&'static str, String)> = SENT
            .into_iter()
            .filter_map(|name| Some((name, parts.headers.get(name)?.to_str().ok()?.to_owned())))
            .collect();
        headers.push(("via", VIA.to_owned()));
        if system == ForeignSystem::Keygen && parts.extensions.get::<Unmoved>().is_some() {
            // What Keygen signs names the host that the app asked; one that the seller hosts reads it here.
            headers.push(("x-forwarded-host", host(parts).to_owned()));
        }
        let url = format!("{base}{slash}{target}");
        let request = HttpRequest { method, url, headers, body: body.to_vec() };
        Some(Self { system, call, request, changes, seat: seat_pointer(system, &parts.method, path) })
    }

    /// What the app said: of that nothing is told.
    fn said(&self) -> String {
        format!("{} {}", self.request.url, String::from_utf8_lossy(&self.request.body))
    }

    /// Whether the old system did what it was asked. EDD says so in its body alone.
    fn is_done(&self, theirs: &HttpResponse) -> bool {
        let is_success = || {
            let told = serde_json::from_slice::<Value>(&theirs.body).ok();
            told.and_then(|told| told.get("success")?.as_bool()).unwrap_or(false)
        };
        (200..300).contains(&theirs.status) && (self.system != ForeignSystem::Edd || is_success())
    }
}

/// Calls that change nothing though they are posted, by how they end.
const READS: [&str; 4] = ["/validate", "/validate-key", "/verify", "/check-out"];

/// What is asked of EDD; any other word is not told.
fn edd_action(query: Option<&str>, body: &[u8]) -> &'static str {
    let mut fields = form(query.unwrap_or_default().as_bytes());
    fields.extend(super::object(body).as_ref().map_or_else(|| form(body), super::plain));
    let action = fields.remove("edd_action").unwrap_or_default();
    let known = ["activate_license", "deactivate_license", "check_license", "get_version"];
    known.into_iter().find(|known| *known == action.trim()).unwrap_or("")
}

/// A route as it is told: whatever is named there is an id.
fn without_names(path: &str) -> String {
    let told = |part: &str| if part.starts_with('{') { "{id}".to_owned() } else { part.to_owned() };
    path.split('/').map(told).collect::<Vec<_>>().join("/")
}

fn seat_pointer(system: ForeignSystem, method: &Method, path: &str) -> Option<&'static str> {
    match system {
        ForeignSystem::LemonSqueezy => path.ends_with("/activate").then_some("/instance/id"),
        ForeignSystem::Polar | ForeignSystem::Dodo => path.ends_with("/activate").then_some("/id"),
        ForeignSystem::Keygen => (method == Method::POST && path.ends_with("/machines")).then_some("/data/id"),
        // A site is its own id; Gumroad has none.
        ForeignSystem::Edd | ForeignSystem::Gumroad | ForeignSystem::Csv => None,
    }
}

/// Both are asked, one after the other.
struct Talk {
    shadow: Shadow,
    shop: ShopId,
    asked: Asked,
    parts: axum::http::request::Parts,
    body: Bytes,
    next: Next,
}

impl Talk {
    async fn run(self, tell: oneshot::Sender<Response>) {
        let app = Arc::clone(&self.shadow.web.app);
        let (shop, system, patience) = (self.shop, self.asked.system, self.shadow.patience);
        let theirs = app.ask_old_system(shop, system, self.asked.request.clone(), patience).await;
        let Some(theirs) = theirs else {
            app.note_shadow(shop, system, &self.asked.call, None);
            // An app that is gone hears nothing.
            let _ = tell.send(self.next.run(Request::from_parts(self.parts, Body::from(self.body))).await);
            return;
        };
        let answer = as_it_came(&theirs);
        let place = if self.asked.changes { None } else { Arc::clone(&self.shadow.behind).try_acquire_owned().ok() };
        match place {
            Some(place) => {
                let _ = tell.send(answer);
                self.compare(&theirs).await;
                drop(place);
            }
            None => {
                self.compare(&theirs).await;
                let _ = tell.send(answer);
            }
        }
    }

    /// Makes our answer, and holds it against theirs.
    async fn compare(self, theirs: &HttpResponse) {
        let Self { shadow, shop, asked, mut parts, body, next } = self;
        let app = &shadow.web.app;
        let is_done = asked.is_done(theirs);
        let document = || serde_json::from_slice::<Value>(&theirs.body).ok();
        let id = asked.seat.filter(|_| is_done).and_then(|seat| document()?.pointer(seat)?.as_str().map(str::to_owned));
        let alongside = Alongside { id, taken: Arc::default() };
        parts.extensions.insert(alongside.clone());
        let ours = next.run(Request::from_parts(parts, Body::from(body))).await;
        let status = ours.status().as_u16();
        let Ok(ours) = to_bytes(ours.into_body(), LARGEST_ANSWER).await else {
            tracing::warn!(call = asked.call, "an answer is too large to be compared");
            return;
        };
        let (ours, theirs) =
            (ShadowAnswer { status, body: &ours }, ShadowAnswer { status: theirs.status, body: &theirs.body });
        app.note_shadow(shop, asked.system, &asked.call, Some(contrast(asked.system, ours, theirs, &asked.said())));
        if !is_done && let Some((shop, key, fingerprint)) = alongside.taken.get() {
            // The app was told that it has no seat.
            if let Err(error) = app.deactivate_license(*shop, key, fingerprint, Actor::System).await {
                tracing::warn!(%error, "a seat that the old system refused stays taken here");
            }
        }
    }
}

/// The old system's answer with its status, its bytes, and the headers that its app reads.
fn as_it_came(theirs: &HttpResponse) -> Response {
    let mut response = Response::new(Body::from(theirs.body.clone()));
    *response.status_mut() = StatusCode::from_u16(theirs.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut headers = HeaderMap::new();
    for (name, value) in theirs.headers.iter() {
        let is_told = TOLD.contains(&name) || TOLD_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        if is_told && let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    }
    *response.headers_mut() = headers;
    response.extensions_mut().insert(Theirs);
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_call_is_told_without_what_it_names() {
        assert_eq!(without_names("/v1/accounts/{account}/licenses/{id}/actions/validate"), {
            "/v1/accounts/{id}/licenses/{id}/actions/validate"
        });
        for (query, body, action) in [
            (Some("edd_action=check_license&license=a"), "", "check_license"),
            (None, "license=a&edd_action=activate_license", "activate_license"),
            (None, r#"{"edd_action":"get_version"}"#, "get_version"),
            (None, "edd_action=a-secret", ""),
        ] {
            assert_eq!(edd_action(query, body.as_bytes()), action);
        }
    }

    #[test]
    fn an_answer_goes_out_as_it_came_but_for_what_would_be_ours() {
        let headers = [
            ("Keygen-Signature", "keyid=\"a\""),
            ("Date", "Sun, 24 Jan 2021 14:15:07 GMT"),
            ("Set-Cookie", "console=stolen"),
            ("Content-Security-Policy", "default-src *"),
            ("X-RateLimit-Remaining", "9"),
        ];
        let headers = gateways::Headers::new(headers.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let response = as_it_came(&HttpResponse { status: 422, headers, body: b"{ }".to_vec() });
        assert_eq!(response.status(), 422);
        let names: Vec<&str> = response.headers().keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["keygen-signature", "date", "x-ratelimit-remaining"]);
        assert!(response.extensions().get::<Theirs>().is_some());
    }
}
