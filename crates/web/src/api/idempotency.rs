//! `Idempotency-Key`: a call that is sent twice is done once and answered twice.
//!
//! The key is claimed in the store before the work and answered after it. The
//! work goes on when the caller hangs up. When the node dies in between, the
//! next call with the key does the work again, and the ids that it makes are
//! derived from the key, so it finds what the first one left.

use std::future::Future;

use axum::body::{Bytes, to_bytes};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::{Duration, Rng, ShopId, Timestamp};
use latchkey_license::KeyCode;
use store::{Claim, Claimed, Purpose};

use super::Manager;
use crate::Web;
use crate::problem::Problem;

/// How long an answer is kept.
const KEPT: Duration = Duration::days(30);

/// How long a call may take before another takes it over: longer than any answer may take.
const HELD: Duration = Duration::seconds(90);

/// No answer to a call that changes something is larger.
const LARGEST_ANSWER: usize = 4 << 20;

static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
static IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The key that a call carries, if it carries one, and the address that it is for.
pub(crate) struct Once {
    key: Option<String>,
    path: String,
}

impl FromRequestParts<Web> for Once {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, Problem> {
        let path = parts.uri.path().to_owned();
        let mut values = parts.headers.get_all(&IDEMPOTENCY_KEY).iter();
        let Some(value) = values.next() else { return Ok(Self { key: None, path }) };
        let is_visible =
            |text: &&str| (1..=255).contains(&text.len()) && text.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
        match (value.to_str().ok().filter(is_visible), values.next()) {
            (Some(key), None) => Ok(Self { key: Some(key.to_owned()), path }),
            (None | Some(_), _) => {
                let detail = "`Idempotency-Key` must be sent once, with 1 to 255 visible ASCII characters.";
                Err(Problem::invalid("Idempotency-Key", "idempotency_key_invalid", detail))
            }
        }
    }
}

/// Gives a call that is repeated the ids that it had the first time.
pub(crate) struct Names {
    began_at: Timestamp,
    rng: Rng,
}

impl Names {
    /// An id as `mint` makes it.
    pub(crate) fn mint<Id>(&mut self, mint: impl FnOnce(Timestamp, &mut Rng) -> Id) -> Id {
        mint(self.began_at, &mut self.rng)
    }
}

/// Whose key it is: the same key of another caller is another key.
pub(crate) struct Caller {
    shop: ShopId,
    name: String,
}

impl Caller {
    /// Whoever knows this license key.
    pub(crate) fn with_license(shop: ShopId, key: &KeyCode) -> Self {
        Self { shop, name: format!("license:{key}") }
    }
}

impl From<&Manager> for Caller {
    fn from(manager: &Manager) -> Self {
        Self { shop: manager.shop.id, name: manager.key.id.to_string() }
    }
}

impl Once {
    /// Does the work, unless it was done or is being done under the same key.
    pub(crate) async fn answer<Work>(
        self,
        web: &Web,
        caller: impl Into<Caller>,
        body: &Bytes,
        work: impl FnOnce(Names) -> Work,
    ) -> Response
    where
        Work: Future<Output = Result<Response, Problem>> + Send + 'static,
    {
        let caller: Caller = caller.into();
        let now = web.app.clock.now();
        let Some(key) = self.key else {
            return work(Names { began_at: now, rng: web.app.entropy.rng() }).await.into_response();
        };
        let vault = web.app.store.vault();
        let call = format!("idempotency:{}\n{}\n{key}", caller.name, self.path);
        let claim = Claim {
            shop: caller.shop,
            id: vault.hash(Purpose::ApiKey, call.as_bytes()).to_vec(),
            request_digest: vault.hash(Purpose::ApiKey, &[b"idempotency:body\n", body.as_ref()].concat()).to_vec(),
            holder: web.app.entropy.rng().bytes::<16>().to_vec(),
        };
        let began_at = match web.app.store.claim(&claim, now, now.after(HELD), now.before(KEPT)).await {
            Ok(Claimed::Ours { began_at }) => began_at,
            Ok(Claimed::Answered { status, body }) => return replay(status, body),
            Ok(Claimed::InFlight) => return in_flight().into_response(),
            Ok(Claimed::OtherRequest) => {
                let detail = "This `Idempotency-Key` was used for another body. Use a new key for a new request.";
                return Problem::invalid("Idempotency-Key", "idempotency_key_reused", detail).into_response();
            }
            Err(error) => return Problem::unavailable(error.to_string()).into_response(),
        };
        let seed = vault.hash(Purpose::ApiKey, format!("{call}\n{began_at}").as_bytes());
        let work = work(Names { began_at, rng: Rng::from_seed(seed) });
        let web = web.clone();
        // A task of its own: it ends, and is answered for the next call, even when this caller hangs up.
        let task = tokio::spawn(app::trace::carried(async move {
            let response = work.await.into_response();
            settle(&web, &claim, response).await
        }));
        task.await.unwrap_or_else(|error| Problem::unavailable(error.to_string()).into_response())
    }
}

/// Keeps a final answer, and lets go of a key whose call may work next time.
async fn settle(web: &Web, claim: &Claim, response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let body = match to_bytes(body, LARGEST_ANSWER).await {
        Ok(body) => body,
        Err(error) => return Problem::unavailable(error.to_string()).into_response(),
    };
    let kept = match str::from_utf8(&body) {
        Ok(text) if !parts.status.is_server_error() => {
            web.app.store.answer_claim(claim, parts.status.as_u16(), text).await
        }
        Ok(_) | Err(_) => web.app.store.release_claim(claim).await,
    };
    if let Err(error) = kept {
        // The work is done all the same; repeated, it finds what it made.
        tracing::warn!(%error, "the answer to a call with an idempotency key could not be kept");
    }
    Response::from_parts(parts, body.into())
}

fn replay(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let kind = if status.is_client_error() { "application/problem+json" } else { "application/json" };
    let headers = [(header::CONTENT_TYPE, kind)];
    let mut response = (status, headers, body).into_response();
    response.headers_mut().insert(IDEMPOTENT_REPLAYED.clone(), HeaderValue::from_static("true"));
    response
}

fn in_flight() -> Problem {
    Problem {
        retryable: true,
        retry_after_seconds: Some(1),
        ..Problem::new(
            StatusCode::CONFLICT,
            "idempotency_in_flight",
            "A request with this `Idempotency-Key` is being worked on.",
        )
    }
}
