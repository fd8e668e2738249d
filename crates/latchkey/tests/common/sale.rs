//! A sale on SQLite that nothing stops: buyer, gateway and supervisor try again until all of it is done, and remember
//! what they were promised on the way.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OpenFlags};
use serde_json::json;

use super::gateway::{GOOD_CARD, Gateway, body_of, deliver, is_paid, list};
use super::shop::{Door, Shop, text, unique};
use super::until;

/// By when a sale is done, whatever happens to the server.
const WITHIN: Duration = Duration::from_secs(90);

/// Something that the shop has said, and when the answer was here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    pub what: What,
    /// Since 1970.
    pub at: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// A webhook of this event was answered with 2xx.
    Event(String),
    /// This order was shown as paid, with its license.
    Paid(String),
}

/// Who buys, and who tells the shop about it: the gateway's own deliveries are lost, so that each is tried here and
/// its answer is known.
#[derive(Clone)]
pub struct Customer {
    door: Door,
    gateway: Arc<Gateway>,
    hook_url: String,
    hook_secret: String,
    file: PathBuf,
    promises: Arc<Mutex<Vec<Promise>>>,
}

impl Customer {
    pub async fn of(shop: &Shop) -> Self {
        shop.gateway.faults(&json!({ "drop": 100 })).await;
        Self {
            door: shop.door(),
            gateway: Arc::clone(&shop.gateway),
            hook_url: shop.hook_url(),
            hook_secret: shop.hook_secret.clone(),
            file: shop.folder.path().join("data/latchkey.sqlite"),
            promises: Arc::default(),
        }
    }

    /// Everything that was promised so far.
    pub fn promises(&self) -> Vec<Promise> {
        self.promises.lock().expect("the promises").clone()
    }

    fn promised(&self, what: What) {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
        self.promises.lock().expect("the promises").push(Promise { what, at });
    }

    /// Buys one license and sees everything through; the order.
    pub async fn buy(&self) -> String {
        let (key, email) = (unique(), "ada@example.org");
        let began = Instant::now();
        let opened = until("a checkout", WITHIN, || async {
            let opened = self.door.open_checkout(&key, "license", 1, email).await;
            if opened.is_err() {
                self.end_leases(began).await;
            }
            opened
        })
        .await;
        let began = Instant::now();
        let page = until("a page to pay on", WITHIN, || async {
            let submitted = self.door.submit(&opened, email).await?;
            if submitted.page.starts_with(&self.gateway.url) {
                return Ok(submitted.page);
            }
            self.end_leases(began).await;
            Err(submitted.page)
        })
        .await;
        let paid = self.gateway.pay_by_card(&page, GOOD_CARD).await.expect("the gateway");
        assert!(is_paid(&paid), "{} {}", paid.status, paid.body);
        for kind in ["checkout.session.completed", "payment_intent.succeeded"] {
            let event = self.gateway.event(kind, &opened.order).await;
            let body = body_of(&event);
            until("a webhook is taken", WITHIN, || async {
                let reply = deliver(&self.door.http, &self.hook_url, &self.hook_secret, 0, &body).await?;
                if !reply.is_success() {
                    return Err(format!("{} {}", reply.status, reply.body));
                }
                Ok(())
            })
            .await;
            self.promised(What::Event(text(&event["id"])));
        }
        until("the order is paid", WITHIN, || async {
            let order = self.door.order(&opened.order).await?;
            match (order["state"].as_str(), list(&order["licenses"]).len()) {
                (Some("paid"), 1) => Ok(()),
                _ => Err(order.to_string()),
            }
        })
        .await;
        self.promised(What::Paid(opened.order.clone()));
        let began = Instant::now();
        until("nothing is left to do", WITHIN, || async {
            self.end_leases(began).await;
            match self.rows().map_err(|error| error.to_string())?.jobs {
                0 => Ok(()),
                left => Err(format!("{left} jobs")),
            }
        })
        .await;
        opened.order
    }

    /// A server that was killed holds its jobs for two minutes more, and the keys of calls for a minute and a half.
    /// What is waited for longer than a second comes to the end of its lease early.
    async fn end_leases(&self, since: Instant) {
        let alive = self.door.http.get(&format!("{}/livez", self.door.url), &[]).await;
        if since.elapsed() < Duration::from_secs(1) || !alive.is_ok_and(|reply| reply.status == 200) {
            return;
        }
        let ended = Connection::open_with_flags(&self.file, OpenFlags::SQLITE_OPEN_READ_WRITE).and_then(|rows| {
            rows.busy_timeout(Duration::from_secs(5))?;
            rows.pragma_update(None, "synchronous", "full")?;
            rows.execute("update idempotency_keys set held_until = created_at where status is null", [])?;
            rows.execute("update jobs set run_at = created_at where run_at > created_at", [])
        });
        // The disk may be the thing that fails just now.
        drop(ended);
    }

    /// Waits until the shop answers.
    pub async fn finds_it_open(&self) {
        let alive = format!("{}/livez", self.door.url);
        until("the shop is open", WITHIN, || async {
            match self.door.http.get(&alive, &[]).await {
                Ok(reply) if reply.status == 200 => Ok(()),
                Ok(reply) => Err(format!("{} {}", reply.status, reply.body)),
                Err(error) => Err(error),
            }
        })
        .await;
    }

    /// What is stored, by the file and not by the server's word.
    pub fn rows(&self) -> rusqlite::Result<Kept> {
        Kept::read(&self.file)
    }

    /// What was promised and is not there.
    pub fn broken(&self, kept: &Kept) -> Vec<What> {
        self.promises().into_iter().map(|promise| promise.what).filter(|what| !kept.keeps(what)).collect()
    }
}

/// What the rows say.
#[derive(Debug, Default)]
pub struct Kept {
    pub events: BTreeSet<String>,
    /// Orders that are paid and have one license.
    pub paid: BTreeSet<String>,
    pub jobs: i64,
}

impl Kept {
    pub fn read(file: &std::path::Path) -> rusqlite::Result<Self> {
        let rows = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        rows.busy_timeout(Duration::from_secs(5))?;
        let list = |sql: &str| -> rusqlite::Result<BTreeSet<String>> {
            rows.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
        };
        Ok(Self {
            events: list("select event_id from notices")?,
            paid: list(
                "select id from orders where state = 'paid' and \
                 (select count(*) from licenses where licenses.order_id = orders.id) = 1",
            )?,
            jobs: rows.query_row("select count(*) from jobs", [], |row| row.get(0))?,
        })
    }

    pub fn keeps(&self, what: &What) -> bool {
        match what {
            What::Event(event) => self.events.contains(event),
            What::Paid(order) => self.paid.contains(order),
        }
    }
}

/// Starts the server again whenever it dies, until the work is done; what came of the work, and how often it died. What
/// was promised must be in the file before that: a server that starts asks the gateway what it has missed, and would make
/// good what it had lost.
pub async fn supervised<T>(shop: &mut Shop, customer: &Customer, work: impl Future<Output = T>) -> (T, u32) {
    let mut work = pin!(work);
    let mut deaths = 0;
    loop {
        tokio::select! {
            done = &mut work => return (done, deaths),
            () = tokio::time::sleep(Duration::from_millis(20)) => {
                if shop.server.has_ended() {
                    deaths += 1;
                    assert_eq!(customer.broken(&customer.rows().expect("a file that can be read")), []);
                    shop.start().expect("the server starts on what a killed one left");
                }
            }
        }
    }
}
