//! What a request passes before it is begun: its body arrives whole, within bounds; its caller has calls left; its
//! class of work has a place.
//!
//! Whoever is turned away here has left nothing behind, and is told when to
//! come again. Work that was accepted (a stored notice, an open payment) never
//! comes by here: workers see to it.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts as _, Path, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use bytes::{Bytes, BytesMut};
use domain::{GatewayAccountId, LicenseId};
use futures::FutureExt as _;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Frame};
use tokio::runtime::Handle;

use crate::Web;
use crate::api::{self, cross_origin};
use crate::bodies::{Bodies, Held};
use crate::limits::{Class, Limits};
use crate::places::{Load, Place, Places, Sharer};
use crate::problem::Problem;
use crate::rate::{Allowance, Rate};
use crate::visit::host;

/// How many bytes of bodies one class holds in memory at once.
const BODIES: usize = 32 << 20;

/// In how many seconds whoever was turned away may come again.
const COME_AGAIN: u32 = 2;

/// How many downloads of one license run at once: a few people, each with a download manager that opens several.
const DOWNLOADS_OF_A_LICENSE: usize = 32;

/// The place of a download. Its handler keeps it for as long as the answer lasts.
#[derive(Clone)]
pub(crate) struct Stay {
    _place: Arc<Place>,
    under_way: Arc<UnderWay>,
    _counted: Option<Arc<Counted>>,
    /// How long somebody who is sent something may take nothing of it.
    pub(crate) patience: Duration,
}

impl Stay {
    /// The same, counted as one of a license that is known to be who asks; `None`: it has as many as it may.
    pub(crate) fn of(self, license: LicenseId) -> Option<Self> {
        let counted = self.under_way.count(license)?;
        Some(Self { _counted: Some(Arc::new(counted)), ..self })
    }
}

/// Whether the key that a program showed was found to be one. Until then it is one of the many that anybody can make up.
#[derive(Clone, Default)]
pub(crate) struct Shown(Arc<AtomicBool>);

impl Shown {
    /// It is a key of a shop's.
    pub(crate) fn is_known(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// How many downloads of each license are under way.
#[derive(Default)]
struct UnderWay(Mutex<HashMap<LicenseId, usize>>);

impl UnderWay {
    fn count(self: &Arc<Self>, license: LicenseId) -> Option<Counted> {
        let mut of_licenses = self.lock();
        let own = of_licenses.entry(license).or_default();
        if *own >= DOWNLOADS_OF_A_LICENSE {
            return None;
        }
        *own += 1;
        drop(of_licenses);
        Some(Counted { under_way: Arc::clone(self), license })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<LicenseId, usize>> {
        // Nothing in here can be left half done by a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One download that is under way.
struct Counted {
    under_way: Arc<UnderWay>,
    license: LicenseId,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut of_licenses = self.under_way.lock();
        if let Some(own) = of_licenses.get_mut(&self.license) {
            *own -= 1;
            if *own == 0 {
                of_licenses.remove(&self.license);
            }
        }
    }
}

/// What stands before one class of work.
pub(crate) struct Door {
    web: Web,
    class: Class,
    places: Arc<Places>,
    under_way: Arc<UnderWay>,
    rate: Option<Rate>,
    /// The keys that were found to be some. Those that were not share what one of them has.
    known: Mutex<HashSet<Sharer>>,
    body_limit: usize,
    body_deadline: Duration,
    idle_deadline: Duration,
    bodies: Arc<Bodies>,
    workers: Option<Handle>,
}

impl Door {
    pub(crate) fn new(web: &Web, class: Class, body_limit: usize, limits: &Limits, workers: Option<&Handle>) -> Self {
        let is_called_by_key = class == Class::Api;
        // Validation stays on the threads that read from the network: it is short, and must not stand behind the rest.
        let stays = class == Class::Validate;
        let load = Load {
            busy: web.app.metrics.busy.with([class.as_str()]),
            waiting: web.app.metrics.waiting.with([class.as_str()]),
        };
        Self {
            web: web.clone(),
            class,
            places: Places::new(limits.budgets.of(class), limits.place_deadline, load),
            under_way: Arc::default(),
            rate: is_called_by_key.then(|| Rate::new(limits.api_rate)),
            known: Mutex::default(),
            body_limit,
            body_deadline: limits.body_deadline,
            idle_deadline: limits.idle_deadline,
            bodies: Bodies::new(BODIES),
            workers: workers.filter(|_| !stays).cloned(),
        }
    }

    /// Who shares the places: the shop that is asked, or the key that asks.
    async fn sharer(&self, request: &mut axum::http::request::Parts) -> Sharer {
        match self.class {
            Class::Validate | Class::Activate | Class::Pages | Class::Console | Class::Downloads => {
                self.web.app.shop_at_hand(host(request)).map_or(0, |shop| hashed(&shop))
            }
            Class::Hooks => {
                let path = Path::<String>::from_request_parts(request, &()).await;
                let account = path.ok().and_then(|Path(id)| GatewayAccountId::parse(&id).ok());
                account.and_then(|account| self.web.app.shop_of_account(account)).map_or(0, |shop| hashed(&shop))
            }
            Class::Api => shown(request).filter(|sharer| self.known().contains(sharer)).unwrap_or(0),
        }
    }

    /// Turned away: with a reason for whoever watches, and a time for whoever asked.
    fn turn_away(&self, reason: &str) -> Response {
        self.web.app.metrics.shed.with([self.class.as_str(), reason]).count();
        let detail = "More was asked at once than is taken on here. Nothing was begun; please come again in a moment.";
        let problem = Problem {
            retry_after_seconds: Some(COME_AGAIN),
            ..Problem::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail)
        };
        problem.into_response()
    }
}

/// Whose key this is, if it is one.
fn shown(request: &axum::http::request::Parts) -> Option<Sharer> {
    request.headers.get(header::AUTHORIZATION).map(|shown| hashed(&shown.as_bytes()))
}

fn hashed(value: &impl Hash) -> Sharer {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    u128::from(hasher.finish()) + 1
}

/// Lets a request in when there is room for it, and sees to it that the answer is one for whoever asked.
pub(crate) async fn admit(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let_pass(&door, request, |request| next.run(request)).await
}

/// The same before whoever answers.
pub(crate) async fn let_pass<A>(door: &Door, request: Request, next: impl FnOnce(Request) -> A) -> Response
where
    A: Future<Output = Response> + Send + 'static,
{
    match door.class {
        Class::Validate | Class::Activate if request.method() == Method::OPTIONS => cross_origin::ORDINARY.preflight(),
        Class::Validate | Class::Activate => {
            let answered = let_in(door, request, next).await;
            cross_origin::ORDINARY.open(api::as_problem(answered))
        }
        Class::Hooks | Class::Api => api::as_problem(let_in(door, request, next).await),
        Class::Pages | Class::Console | Class::Downloads => let_in(door, request, next).await,
    }
}

async fn let_in<A>(door: &Door, request: Request, next: impl FnOnce(Request) -> A) -> Response
where
    A: Future<Output = Response> + Send + 'static,
{
    let (mut parts, body) = request.into_parts();
    let sharer = door.sharer(&mut parts).await;
    // Strangers hear that their key is none, and have no calls that others could use up.
    let allowance = door.rate.as_ref().filter(|_| sharer != 0).map(|rate| (rate, rate.call(sharer, door.now())));
    let is_stranger = door.class == Class::Api && sharer == 0;
    let newcomer = if is_stranger { shown(&parts).map(|sharer| (sharer, Shown::default())) } else { None };
    if let Some((rate, allowance)) = allowance
        && !allowance.is_allowed
    {
        door.web.app.metrics.shed.with([door.class.as_str(), "rate"]).count();
        let detail = format!("This key has made its {} calls of a minute. Please wait.", rate.per_minute);
        let problem = Problem {
            retry_after_seconds: Some(u32::try_from(allowance.seconds.max(1)).unwrap_or(60)),
            ..Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail)
        };
        return with_allowance(problem.into_response(), Some((rate, allowance)));
    }
    let is_http1 = parts.version < axum::http::Version::HTTP_2;
    let (body, bytes) = match door.whole_body(&parts, body).await {
        Ok(whole) => whole,
        Err(mut refused) => {
            if is_http1 {
                // What is still to come of the body is not waited for.
                refused.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            return refused;
        }
    };
    let place = match door.places.take(sharer).await {
        Ok(place) => place,
        Err(reason) => return with_allowance(door.turn_away(reason.as_str()), allowance),
    };
    let mut request = Request::from_parts(parts, body);
    let place = match door.class {
        Class::Downloads => {
            request.extensions_mut().insert(Stay {
                _place: Arc::new(place),
                under_way: Arc::clone(&door.under_way),
                _counted: None,
                patience: door.idle_deadline,
            });
            None
        }
        Class::Validate | Class::Activate | Class::Hooks | Class::Pages | Class::Api | Class::Console => Some(place),
    };
    if let Some((_, shown)) = &newcomer {
        request.extensions_mut().insert(shown.clone());
    }
    let may_be_left = request.method().is_safe();
    let taken_up = (place, bytes);
    let response = match &door.workers {
        None => {
            let response = next(request).await;
            drop(taken_up);
            response
        }
        Some(workers) => {
            let work = app::trace::carried(next(request));
            let task = workers.spawn(async move {
                let response = work.await;
                drop(taken_up);
                response
            });
            // Whoever presses a button twice hangs up on the first press: what it has begun is ended all the same, or
            // the second would find it half done and nobody at it.
            let ends_with_us = may_be_left.then(|| AbortOnDrop(task.abort_handle()));
            let ended = task.await;
            drop(ends_with_us);
            match ended {
                Ok(response) => response,
                Err(error) => Problem::unavailable(format!("a handler ended: {error}")).into_response(),
            }
        }
    };
    let known = newcomer.filter(|(_, shown)| shown.0.load(Ordering::Relaxed));
    let begun = known.and_then(|(sharer, _)| {
        door.known().insert(sharer);
        door.rate.as_ref().map(|rate| (rate, rate.call(sharer, door.now())))
    });
    with_allowance(response, begun.or(allowance))
}

/// A handler that only reads ends when its caller is gone or out of time, as it would have where the caller is.
struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Door {
    fn known(&self) -> MutexGuard<'_, HashSet<Sharer>> {
        // Nothing in here can be left half done by a panic.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        self.web.app.clock.now().as_microseconds().unsigned_abs()
    }

    /// The body, all of it, before a place is taken: who sends slowly holds up nobody.
    async fn whole_body(
        &self,
        parts: &axum::http::request::Parts,
        mut body: Body,
    ) -> Result<(Body, Option<Held>), Response> {
        if matches!(parts.method, Method::GET | Method::HEAD) {
            return Ok((body, None));
        }
        let too_large = || {
            let detail = "The body is larger than this address takes.";
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail).into_response()
        };
        let declared = parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if declared.is_some_and(|length: usize| length > self.body_limit) {
            return Err(too_large());
        }
        // What came with the head is there already, and needs no copy.
        let mut early = body.frame().now_or_never().flatten();
        if body.is_end_stream()
            && let Some(Ok(frame)) = early.take_if(|frame| frame.is_ok())
        {
            let whole = frame.into_data().unwrap_or_default();
            if whole.len() > self.body_limit {
                return Err(too_large());
            }
            let held = self.bodies.whole(whole.len()).ok_or_else(|| self.turn_away("memory"))?;
            return Ok((Body::from(whole), Some(held)));
        }
        let (mut held, sent_away) = self.bodies.begin();
        let mut whole = BytesMut::with_capacity(declared.unwrap_or(0).min(16 << 10));
        let arrives = async {
            while let Some(frame) = next_frame(&mut early, &mut body).await {
                let Ok(frame) = frame else {
                    let detail = "The body did not arrive whole.";
                    return Err(Problem::new(StatusCode::BAD_REQUEST, "body_incomplete", detail).into_response());
                };
                let Ok(data) = frame.into_data() else { continue };
                if whole.len() + data.len() > self.body_limit {
                    return Err(too_large());
                }
                if !held.grow(data.len()) {
                    return Err(self.turn_away("memory"));
                }
                whole.extend_from_slice(&data);
            }
            Ok(())
        };
        let arrives = async {
            tokio::select! {
                biased;
                arrived = arrives => arrived,
                _ = sent_away => Err(self.turn_away("memory")),
            }
        };
        match tokio::time::timeout(self.body_deadline, arrives).await {
            Ok(Ok(())) if held.complete() => Ok((Body::from(whole.freeze()), Some(held))),
            Ok(Ok(())) => Err(self.turn_away("memory")),
            Ok(Err(refused)) => Err(refused),
            Err(_) => {
                self.web.app.metrics.shed.with([self.class.as_str(), "slow_body"]).count();
                let detail = "The request took too long to arrive or to answer.";
                Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", detail).into_response())
            }
        }
    }
}

async fn next_frame(
    early: &mut Option<Result<Frame<Bytes>, axum::Error>>,
    body: &mut Body,
) -> Option<Result<Frame<Bytes>, axum::Error>> {
    match early.take() {
        Some(frame) => Some(frame),
        None => body.frame().await,
    }
}

/// Tells a caller what is left (draft-ietf-httpapi-ratelimit-headers).
fn with_allowance(mut response: Response, allowance: Option<(&Rate, Allowance)>) -> Response {
    if let Some((rate, allowance)) = allowance {
        let policy = format!("\"key\";q={};w=60", rate.per_minute);
        let left = format!("\"key\";r={};t={}", allowance.remaining, allowance.seconds);
        for (name, value) in [("ratelimit-policy", policy), ("ratelimit", left)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
    }
    response
}
