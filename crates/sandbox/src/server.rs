//! The simulated gateway as a server: sockets, the real clock, the journal, and
//! the worker that carries webhooks. Everything that is decided is decided in
//! `model`, `wire`, `page` and `control`.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, anyhow};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tower::ServiceExt as _;

use crate::journal::Journal;
use crate::model::delivery::{self, Carried, Outgoing, Ripe};
use crate::model::error::{ApiError, ErrorKind};
use crate::model::moment::Moment;
use crate::model::{Context, World, account, fault, timer};
use crate::wire::{self, LONGEST_BODY, Reply, Request};
use crate::{control, page};

/// How many webhooks are carried at once.
const CARRIED_AT_ONCE: usize = 8;
/// How long an endpoint may take to answer.
const ENDPOINT_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a client may take to send its headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may take to send its body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// How long open connections may take to end at shutdown.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);
/// The worker looks at the clock at least so often.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// How the simulated gateway is set up.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Decides ids and secrets. Without it the operating system does, so that two
    /// gateways never give the same id to different things. What a data directory
    /// holds wins over it.
    pub seed: Option<u64>,
    /// Where the state is kept; without it, in memory.
    pub data_dir: Option<PathBuf>,
    /// Under which address buyers reach the hosted pages; by default the listener's.
    pub base_url: Option<String>,
    /// The seller's name on the hosted pages.
    pub seller_name: Option<String>,
    /// Webhook endpoints that exist from the start. What an earlier start
    /// configured and this one does not is taken away.
    pub endpoints: Vec<Endpoint>,
}

/// A webhook endpoint that exists from the start. It gets every event.
#[derive(Debug, Clone, Default)]
pub struct Endpoint {
    /// The account's `sk_test_…`.
    pub secret_key: String,
    /// Where events are sent.
    pub url: String,
    /// What they are signed with; during a rotation, with each of several.
    pub secrets: Vec<String>,
}

/// The simulated gateway, to be started within a process.
#[derive(Debug)]
pub struct Sandbox;

/// A running gateway. It stops when this is dropped, or told to.
pub struct Handle {
    /// Where it listens, and where the API's base address points.
    pub base_url: String,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<()>>,
}

impl Sandbox {
    /// Starts the gateway on this listener, in the background.
    ///
    /// # Errors
    /// When the data directory cannot be read, or an account is malformed.
    pub fn start(listener: TcpListener, config: Config) -> Result<Handle> {
        let shared = open(&listener, config)?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            // A dropped handle stops the gateway as well.
            let _ = stopped.await;
        };
        let task = tokio::spawn(run(listener, Arc::clone(&shared), shutdown));
        Ok(Handle { base_url, shared, stop: Some(stop), task })
    }
}

impl Handle {
    /// Adds a webhook endpoint, or gives the one of that URL other secrets.
    ///
    /// # Errors
    /// When the key or the URL is malformed, or the journal cannot be written.
    pub async fn add_endpoint(&self, endpoint: Endpoint) -> Result<()> {
        let configured = self.shared.with(move |world, real| configure(world, world.now(real), &endpoint)).await?;
        configured.map(|_| ()).map_err(|refused| anyhow!("{}", refused.message()))
    }

    /// Ends it, letting calls finish.
    ///
    /// # Errors
    /// When it had already failed.
    pub async fn stop(mut self) -> Result<()> {
        if let Some(stop) = self.stop.take() {
            // It may have ended by itself, which the join below tells.
            let _ = stop.send(());
        }
        self.task.await.context("the simulated gateway panicked")?
    }
}

/// Serves until `shutdown` is over.
///
/// # Errors
/// When the data directory cannot be read, an account is malformed, or the listener fails.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let shared = open(&listener, config)?;
    run(listener, shared, shutdown).await
}

struct Core {
    world: World,
    record: Record,
    /// Webhooks that are being carried.
    carrying: usize,
}

/// Where changes are written down.
enum Record {
    Memory,
    Disk(Journal),
    /// The server has stopped: the directory is free for another, and whoever is
    /// still under way here is told that nothing was done.
    Closed,
}

struct Shared {
    core: Mutex<Core>,
    durable: bool,
    /// Keys whose calls are being carried out.
    in_flight: Mutex<HashSet<(String, String)>>,
    /// Something may be due.
    wake: Notify,
    /// A webhook was carried.
    carried: Notify,
    client: reqwest::Client,
}

/// Marks a reply that is never sent.
#[derive(Clone, Copy)]
struct Lost;

/// Why a connection is closed without a reply.
#[derive(Debug, thiserror::Error)]
#[error("a fault swallowed the reply")]
struct Swallowed;

/// Takes an idempotency key out of flight again, whatever happens.
struct InFlight<'shared> {
    shared: &'shared Shared,
    key: (String, String),
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        lock(&self.shared.in_flight).remove(&self.key);
    }
}

impl Shared {
    /// Runs a call against the world and writes what it changed.
    async fn with<T: Send + 'static>(
        self: &Arc<Self>,
        call: impl FnOnce(&mut World, Moment) -> T + Send + 'static,
    ) -> Result<T> {
        let shared = Arc::clone(self);
        let run = move || {
            let mut core = lock(&shared.core);
            let result = call(&mut core.world, real_now());
            write_down(&mut core)?;
            Ok(result)
        };
        let result =
            if self.durable { tokio::task::spawn_blocking(run).await.context("a call panicked")? } else { run() };
        self.wake.notify_one();
        result
    }

    /// Takes what is ripe, and counts it as being carried.
    async fn claim(self: &Arc<Self>, ripe: Ripe, limit: usize) -> Result<Vec<Outgoing>> {
        let shared = Arc::clone(self);
        let run = move || {
            let mut core = lock(&shared.core);
            let real = real_now();
            let now = core.world.now(real);
            timer::tick(&mut core.world, now);
            let claimed = delivery::claim(&mut core.world, now, real, ripe, limit);
            if let Err(error) = write_down(&mut core) {
                let put_back = Carried::Failed("not sent: the attempt could not be written down".to_owned());
                for outgoing in &claimed {
                    delivery::settle(&mut core.world, now, &outgoing.delivery, &put_back);
                }
                return Err(error);
            }
            core.carrying = core.carrying.saturating_add(claimed.len());
            Ok(claimed)
        };
        if self.durable { tokio::task::spawn_blocking(run).await.context("a call panicked")? } else { run() }
    }

    /// Carries one webhook and writes down how it went; true when it was acknowledged.
    async fn carry(self: &Arc<Self>, outgoing: Outgoing) -> bool {
        let sent = self
            .client
            .post(&outgoing.url)
            .header("content-type", "application/json; charset=utf-8")
            .header("stripe-signature", &outgoing.signature)
            .header("user-agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
            .body(outgoing.body)
            .send()
            .await;
        let carried = match sent {
            Ok(response) => Carried::Answered(response.status().as_u16()),
            Err(error) if error.is_timeout() => Carried::Failed("no answer in time".to_owned()),
            Err(error) if error.is_connect() => Carried::Failed("cannot connect".to_owned()),
            Err(_) => Carried::Failed("the connection broke".to_owned()),
        };
        let acknowledged = matches!(carried, Carried::Answered(status) if (200..300).contains(&status));
        tracing::debug!(delivery = outgoing.delivery, url = outgoing.url, ?carried, "webhook carried");
        let id = outgoing.delivery;
        let settled = self.with(move |world, real| delivery::settle(world, world.now(real), &id, &carried)).await;
        if let Err(error) = settled {
            tracing::error!(error = format!("{error:#}"), "cannot write down a delivery; it will be sent again");
        }
        let mut core = lock(&self.core);
        core.carrying = core.carrying.saturating_sub(1);
        drop(core);
        self.carried.notify_waiters();
        acknowledged
    }

    /// How long nothing will be due.
    fn idle_for(&self) -> Duration {
        let core = lock(&self.core);
        let now = core.world.now(real_now());
        let next = [timer::next_due(&core.world), delivery::next_due(&core.world)].into_iter().flatten().min();
        next.map_or(LONGEST_SLEEP, |due| {
            let wait = due.milliseconds().saturating_sub(now.milliseconds()).max(0);
            Duration::from_millis(u64::try_from(wait).unwrap_or(0)).min(LONGEST_SLEEP)
        })
    }
}

fn open(listener: &TcpListener, config: Config) -> Result<Arc<Shared>> {
    let address = listener.local_addr().context("the listener has no address")?;
    let base_url = config.base_url.unwrap_or_else(|| format!("http://{address}"));
    let seed = match config.seed {
        Some(seed) => seed,
        None => random_seed()?,
    };
    let mut world = World::new(seed, &base_url);
    let journal = config.data_dir.as_deref().map(|directory| Journal::open(directory, &mut world)).transpose()?;
    if let Some(name) = config.seller_name {
        world.seller_name = name;
    }
    let now = world.now(real_now());
    let mut configured = Vec::new();
    for endpoint in &config.endpoints {
        let id = configure(&mut world, now, endpoint)
            .map_err(|refused| anyhow!("webhook endpoint {}: {}", endpoint.url, refused.message()))?;
        configured.push(id);
    }
    delivery::forget_configured(&mut world, &configured);
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(ENDPOINT_TIMEOUT)
        .build()
        .context("cannot make the client that carries webhooks")?;
    let durable = journal.is_some();
    let mut core = Core { world, record: journal.map_or(Record::Memory, Record::Disk), carrying: 0 };
    write_down(&mut core)?;
    Ok(Arc::new(Shared {
        core: Mutex::new(core),
        durable,
        in_flight: Mutex::new(HashSet::new()),
        wake: Notify::new(),
        carried: Notify::new(),
        client,
    }))
}

fn configure(world: &mut World, now: Moment, endpoint: &Endpoint) -> Result<String, ApiError> {
    let account = account::open(world, now, &endpoint.secret_key)?;
    delivery::configure(world, &Context::internal(now, &account), &endpoint.url, &endpoint.secrets)
}

fn random_seed() -> Result<u64> {
    let mut bytes = [0; 8];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| anyhow!("the operating system gives no random numbers"))?;
    Ok(u64::from_le_bytes(bytes))
}

async fn run(listener: TcpListener, shared: Arc<Shared>, shutdown: impl Future<Output = ()> + Send) -> Result<()> {
    let worker = tokio::spawn(work(Arc::clone(&shared)));
    let router = router(Arc::clone(&shared));
    let graceful = GracefulShutdown::new();
    tokio::pin!(shutdown);
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of file descriptors, or the peer is gone: neither ends the server.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = &mut shutdown => break,
        };
        let router = router.clone();
        let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            let router = router.clone();
            async move {
                let response = router.oneshot(request.map(Body::new)).await.unwrap_or_else(|never| match never {});
                if response.extensions().get::<Lost>().is_some() { Err(Swallowed) } else { Ok(response) }
            }
        });
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error, "a connection ended early");
            }
        });
    }
    worker.abort();
    // Clients that keep a connection open without using it do not hold the server up.
    let _ = tokio::time::timeout(SHUTDOWN_TIMEOUT, graceful.shutdown()).await;
    // Not left to the last holder of the state: a connection or a webhook under way would keep the directory locked.
    lock(&shared.core).record = Record::Closed;
    Ok(())
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(front))
        .route("/v1/{*path}", any(api))
        .route("/pay/{*path}", any(hosted))
        .route("/_control/flush", post(flush))
        .route("/_control/{*path}", any(controls))
        .with_state(shared)
}

async fn front() -> Response {
    let body = json!({ "object": "simulated_gateway", "livemode": false, "api": "/v1", "control": "/_control" });
    to_response(Reply::json(200, &body))
}

async fn api(State(shared): State<Arc<Shared>>, request: axum::extract::Request) -> Response {
    let request = match read(request).await {
        Ok(request) => request,
        Err(response) => return response,
    };
    let key = wire::in_flight_key(&request);
    let guard = match &key {
        None => None,
        Some(key) if lock(&shared.in_flight).insert(key.clone()) => {
            Some(InFlight { shared: &shared, key: key.clone() })
        }
        Some(key) => {
            let (key, request) = (key.1.clone(), request.clone());
            let refused = shared.with(move |world, _| wire::refuse_in_flight(world, &request, &key)).await;
            return refused.map_or_else(|error| broken(&error), to_response);
        }
    };
    let (method, path) = (request.method.clone(), request.path.clone());
    let answered = shared
        .with(move |world, real| {
            let reply = wire::answer(world, world.now(real), &request);
            (reply, fault::answer_delay(world))
        })
        .await;
    let (reply, delay) = match answered {
        Ok(answered) => answered,
        Err(error) => return broken(&error),
    };
    tracing::debug!(method, path, status = reply.status, lost = reply.lost, "answered");
    if delay > 0 {
        tokio::time::sleep(Duration::from_millis(u64::from(delay))).await;
    }
    drop(guard);
    to_response(reply)
}

async fn hosted(State(shared): State<Arc<Shared>>, request: axum::extract::Request) -> Response {
    let request = match read(request).await {
        Ok(request) => request,
        Err(response) => return response,
    };
    let answered = shared.with(move |world, real| page::answer(world, world.now(real), &request)).await;
    answered.map_or_else(|error| broken(&error), to_response)
}

async fn controls(State(shared): State<Arc<Shared>>, request: axum::extract::Request) -> Response {
    let request = match read(request).await {
        Ok(request) => request,
        Err(response) => return response,
    };
    let answered = shared.with(move |world, real| control::answer(world, real, &request)).await;
    answered.map_or_else(|error| broken(&error), to_response)
}

/// Sends everything that is due, and what only a fault holds back, one after the
/// other, until nothing is left and nothing is under way. What waits to be tried
/// again is left waiting.
async fn flush(State(shared): State<Arc<Shared>>) -> Response {
    let (mut attempted, mut acknowledged) = (0_u64, 0_u64);
    loop {
        let carried = shared.carried.notified();
        tokio::pin!(carried);
        // Listens from here on, so that an end between the look and the wait is not missed.
        carried.as_mut().enable();
        let claimed = match shared.claim(Ripe::DueOrHeldBack, CARRIED_AT_ONCE).await {
            Ok(claimed) => claimed,
            Err(error) => return broken(&error),
        };
        if claimed.is_empty() {
            if lock(&shared.core).carrying == 0 {
                break;
            }
            carried.await;
            continue;
        }
        for outgoing in claimed {
            attempted += 1;
            acknowledged += u64::from(shared.carry(outgoing).await);
        }
    }
    let mut counts = delivery::count(&lock(&shared.core).world);
    counts["attempted"] = json!(attempted);
    counts["acknowledged"] = json!(acknowledged);
    to_response(Reply::json(200, &counts))
}

/// Fires timers and carries webhooks, for ever.
async fn work(shared: Arc<Shared>) {
    let mut under_way = JoinSet::new();
    loop {
        let free = CARRIED_AT_ONCE.saturating_sub(under_way.len());
        let claimed = match shared.claim(Ripe::Due, free).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "cannot write down what is due");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        let nothing_claimed = claimed.is_empty();
        for outgoing in claimed {
            let shared = Arc::clone(&shared);
            under_way.spawn(async move { shared.carry(outgoing).await });
        }
        if under_way.len() >= CARRIED_AT_ONCE {
            under_way.join_next().await;
        } else if nothing_claimed {
            let idle = shared.idle_for();
            tokio::select! {
                () = shared.wake.notified() => {}
                () = tokio::time::sleep(idle) => {}
                Some(_) = under_way.join_next() => {}
            }
        }
    }
}

async fn read(request: axum::extract::Request) -> Result<Request, Response> {
    let (parts, body) = request.into_parts();
    let read = tokio::time::timeout(BODY_TIMEOUT, axum::body::to_bytes(body, LONGEST_BODY)).await;
    let body = match read {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => {
            let refused = ApiError::new(413, ErrorKind::InvalidRequest, "The request is too large, or broke off.");
            return Err(to_response(Reply::json(413, &refused.body())));
        }
        Err(_) => {
            let refused = ApiError::new(408, ErrorKind::InvalidRequest, "The request did not arrive in time.");
            return Err(to_response(Reply::json(408, &refused.body())));
        }
    };
    let mut headers = BTreeMap::new();
    for (name, value) in &parts.headers {
        if let Ok(value) = value.to_str() {
            headers.insert(name.as_str().to_owned(), value.to_owned());
        }
    }
    Ok(Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers,
        body: body.to_vec(),
    })
}

fn to_response(reply: Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, reply.body).into_response();
    response.headers_mut().remove(header::CONTENT_TYPE);
    for (name, value) in reply.headers {
        // A value that a header cannot carry came from a client's own header; it is left out.
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    if reply.lost {
        response.extensions_mut().insert(Lost);
    }
    response
}

fn broken(error: &anyhow::Error) -> Response {
    tracing::error!(error = format!("{error:#}"), "cannot write down a call");
    let refused = ApiError::new(500, ErrorKind::Api, "The simulated gateway could not write its journal.");
    to_response(Reply::json(500, &refused.body()))
}

fn write_down(core: &mut Core) -> Result<()> {
    let changes = core.world.take_changes().context("cannot write a row as JSON")?;
    match &mut core.record {
        Record::Memory => Ok(()),
        Record::Disk(journal) => journal.append(changes),
        Record::Closed => Err(anyhow!("the simulated gateway has stopped")),
    }
}

fn real_now() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment::from_milliseconds(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A call that panicked left the world as it was written last, row by row; the
/// next one goes on with it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
