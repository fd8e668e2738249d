//! A balancer as it stands in front of several nodes: it sends each new connection to the next node that says that
//! it is ready, and it tries nothing again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use super::http::Http;

struct Backend {
    address: String,
    is_ready: AtomicBool,
}

struct Backends {
    all: Vec<Backend>,
    next: AtomicUsize,
}

/// The balancer. It ends with the test.
pub struct Balancer {
    pub url: String,
    listener: Option<TcpListener>,
    backends: Arc<Backends>,
}

impl Balancer {
    /// Takes an address; nobody is behind it yet.
    pub async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let none = Backends { all: Vec::new(), next: AtomicUsize::new(0) };
        Self { url, listener: Some(listener), backends: Arc::new(none) }
    }

    /// Sends connections to the nodes at these URLs.
    pub fn serve(&mut self, urls: &[String]) {
        let backend = |url: &String| Backend {
            address: url.trim_start_matches("http://").to_owned(),
            is_ready: AtomicBool::new(false),
        };
        let backends = Arc::new(Backends { all: urls.iter().map(backend).collect(), next: AtomicUsize::new(0) });
        self.backends = Arc::clone(&backends);
        for place in 0..urls.len() {
            tokio::spawn(watch(Arc::clone(&backends), place));
        }
        let listener = self.listener.take().expect("a balancer serves once");
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, Arc::clone(&backends)));
            }
        });
    }

    /// Whether the node at this place is sent connections.
    pub fn is_ready(&self, place: usize) -> bool {
        self.backends.all[place].is_ready.load(Ordering::SeqCst)
    }
}

/// Asks the node again and again, each time on a connection of its own.
async fn watch(backends: Arc<Backends>, place: usize) {
    let backend = &backends.all[place];
    let url = format!("http://{}/readyz", backend.address);
    loop {
        let asked = Http::new().get(&url, &[("connection", "close")]).await;
        backend.is_ready.store(asked.is_ok_and(|reply| reply.status == 200), Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn carry(mut client: TcpStream, backends: Arc<Backends>) {
    let count = backends.all.len();
    let first = backends.next.fetch_add(1, Ordering::SeqCst);
    let ready = (0..count)
        .map(|step| &backends.all[(first + step) % count])
        .find(|backend| backend.is_ready.load(Ordering::SeqCst));
    if let Some(backend) = ready
        && let Ok(mut server) = TcpStream::connect(&backend.address).await
    {
        // However it ends, both ends of the line see it.
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }
}
