//! Listening, with deadlines and caps, and going down without dropping anybody.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use app::App;
use axum::extract::Request;
use axum::response::Response;
use futures::FutureExt as _;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::Service;

use crate::limits::Limits;

/// Whoever answers requests: the whole server, or a router.
pub trait Answers: Clone + Send + Sync + 'static {
    /// Answers one.
    fn answer(self, request: Request<Incoming>) -> impl Future<Output = Result<Response, Infallible>> + Send;
}

impl<S> Answers for S
where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static,
{
    fn answer(mut self, request: Request<Incoming>) -> impl Future<Output = Result<Response, Infallible>> + Send {
        self.call(request)
    }
}

/// Serves until `shutdown` turns true, then takes no more connections and
/// lets what is being answered be answered.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve<S: Answers>(
    listener: TcpListener,
    service: S,
    limits: Limits,
    shutdown: watch::Receiver<bool>,
) -> io::Result<()> {
    serve_counted(listener, service, limits, None, shutdown).await
}

/// Serves as [`serve`] does, and counts connections where the app counts.
///
/// # Errors
/// As [`serve`].
pub async fn serve_counted<S: Answers>(
    listener: TcpListener,
    service: S,
    limits: Limits,
    app: Option<Arc<App>>,
    shutdown: watch::Receiver<bool>,
) -> io::Result<()> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.header_deadline).max_buf_size(64 << 10);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Some(limits.header_deadline))
        .keep_alive_timeout(limits.header_deadline)
        .max_concurrent_streams(100)
        .max_header_list_size(64 << 10);
    let places = Arc::new(Semaphore::new(limits.connections));
    let server = Server {
        builder: Arc::new(builder),
        service,
        addresses: Arc::default(),
        app,
        stop: shutdown.clone(),
        limits: Arc::new(limits),
    };
    let mut stop = shutdown;
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await.ok();
            (place, listener.accept().await)
        };
        tokio::select! {
            (place, accepted) = next => match (place, accepted) {
                (Some(place), Ok((stream, peer))) => server.connect(stream, peer.ip(), place),
                (None, _) => break,
                (Some(_), Err(error)) => {
                    // Out of file descriptors and the like: those that are open must end first.
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            () = async { drop(stop.wait_for(|stop| *stop).await) } => break,
        }
    }
    // Whoever the system has already told that the line stands is answered as well.
    while let Some(Ok((stream, peer))) = listener.accept().now_or_never() {
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { break };
        server.connect(stream, peer.ip(), place);
    }
    drop(listener);
    let all = u32::try_from(server.limits.connections).unwrap_or(u32::MAX);
    tokio::select! {
        _ = places.acquire_many(all) => {}
        () = tokio::time::sleep(server.limits.drain) => tracing::warn!("some requests were still being answered when the server stopped"),
    }
    Ok(())
}

struct Server<S> {
    builder: Arc<Builder<TokioExecutor>>,
    service: S,
    addresses: Arc<Addresses>,
    app: Option<Arc<App>>,
    stop: watch::Receiver<bool>,
    limits: Arc<Limits>,
}

impl<S: Answers> Server<S> {
    fn connect(&self, stream: TcpStream, peer: IpAddr, place: OwnedSemaphorePermit) {
        let is_proxy = self.limits.proxies.iter().any(|network| network.holds(peer));
        let seat = if is_proxy { None } else { Some(Addresses::seat(&self.addresses, peer)) };
        if seat.as_ref().is_some_and(|seat| seat.count > self.limits.connections_per_address) {
            self.closed("address");
            return;
        }
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection without TCP_NODELAY");
        }
        let line = Arc::new(Line::default());
        let answers = self.service.clone();
        let answering = Arc::clone(&line);
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let answered = answers.clone().answer(request);
            let busy = Busy::new(Arc::clone(&answering));
            async move {
                let answer = answered.await;
                drop(busy);
                answer
            }
        });
        let (builder, limits, app, mut stop) =
            (Arc::clone(&self.builder), Arc::clone(&self.limits), self.app.clone(), self.stop.clone());
        if let Some(app) = &app {
            app.metrics.connections.up();
        }
        tokio::spawn(async move {
            let stream = TokioIo::new(Counted { stream, line: Arc::clone(&line) });
            let mut connection = std::pin::pin!(builder.serve_connection(stream, service));
            let mut is_ending = false;
            let why = loop {
                tokio::select! {
                    ended = connection.as_mut() => {
                        if let Err(error) = ended {
                            tracing::debug!(%error, "a connection ended badly");
                        }
                        break None;
                    }
                    () = async { drop(stop.wait_for(|stop| *stop).await) }, if !is_ending => {
                        is_ending = true;
                        connection.as_mut().graceful_shutdown();
                    }
                    () = tokio::time::sleep(line.still_for(line.patience(&limits))) => {
                        if !line.is_still(line.patience(&limits)) {
                            continue;
                        }
                        if !line.has_asked() {
                            // Not a request yet, so the library cannot end it.
                            break Some("silent");
                        }
                        if is_ending {
                            // It was told to end and does not even take that.
                            break Some("stalled");
                        }
                        is_ending = true;
                        line.moved();
                        connection.as_mut().graceful_shutdown();
                    }
                }
            };
            if let Some(app) = app {
                app.metrics.connections.down();
                if let Some(why) = why {
                    app.metrics.connections_closed.with([why]).count();
                }
            }
            drop((seat, place));
        });
    }

    fn closed(&self, reason: &str) {
        if let Some(app) = &self.app {
            app.metrics.connections_closed.with([reason]).count();
        }
    }
}

/// How many connections each address has.
#[derive(Default)]
struct Addresses(Mutex<HashMap<IpAddr, usize>>);

/// One connection of an address.
struct Seat {
    addresses: Arc<Addresses>,
    address: IpAddr,
    /// Which one it is.
    count: usize,
}

impl Addresses {
    fn seat(addresses: &Arc<Self>, peer: IpAddr) -> Seat {
        // One house has a whole /64 of IPv6.
        let address = match peer.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        };
        let mut counts = addresses.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        *count += 1;
        Seat { addresses: Arc::clone(addresses), address, count: *count }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.addresses.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

/// What moves on a connection.
struct Line {
    began: Instant,
    /// When a byte last moved, in milliseconds since it began.
    moved: AtomicU64,
    answering: AtomicUsize,
    /// Requests that arrived so far.
    asked: AtomicUsize,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            moved: AtomicU64::new(0),
            answering: AtomicUsize::new(0),
            asked: AtomicUsize::new(0),
        }
    }
}

impl Line {
    fn has_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed) > 0
    }

    /// How long it may stand: whoever has never asked anything has as long as a header has.
    fn patience(&self, limits: &Limits) -> Duration {
        if self.has_asked() { limits.idle_deadline } else { limits.header_deadline }
    }

    fn moved(&self) {
        self.moved.store(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn stood(&self) -> Duration {
        self.began.elapsed().saturating_sub(Duration::from_millis(self.moved.load(Ordering::Relaxed)))
    }

    /// In how long it will have stood for so long.
    fn still_for(&self, deadline: Duration) -> Duration {
        if self.answering.load(Ordering::Relaxed) > 0 { deadline } else { deadline.saturating_sub(self.stood()) }
            .max(Duration::from_millis(10))
    }

    /// Whether nothing has moved for so long, and nobody is being answered.
    fn is_still(&self, deadline: Duration) -> bool {
        self.answering.load(Ordering::Relaxed) == 0 && self.stood() >= deadline
    }
}

/// Somebody is being answered.
struct Busy(Arc<Line>);

impl Busy {
    fn new(line: Arc<Line>) -> Self {
        line.answering.fetch_add(1, Ordering::Relaxed);
        line.asked.fetch_add(1, Ordering::Relaxed);
        Self(line)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.moved();
        self.0.answering.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A stream that notes when bytes move.
struct Counted {
    stream: TcpStream,
    line: Arc<Line>,
}

impl AsyncRead for Counted {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = ready!(Pin::new(&mut self.stream).poll_read(context, into));
        self.line.moved();
        Poll::Ready(read)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes));
        self.line.moved();
        Poll::Ready(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(context, bytes));
        self.line.moved();
        Poll::Ready(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
