//! What those see who watch a shop: numbers, health, traces and a log, and no secret in any of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod common;

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use common::http::{Http, Reply};
use common::process::Process;
use common::recorder::{Manner, Recorder};
use common::shop::{Engine, Shop, text, unique};
use common::{gateway, until};
use serde_json::{Value, json};
use store::testing::{Directory, postgres_database};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const SOON: Duration = Duration::from_secs(30);

/// An address where nobody listens at this moment.
async fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("its address")
}

/// The value of a series, by its name and labels as they are written.
fn value(metrics: &str, series: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

/// The sum of a family's series that have all of these labels.
fn sum(metrics: &str, family: &str, labels: &[&str]) -> f64 {
    let series = metrics.lines().filter(|line| line.strip_prefix(family).is_some_and(|rest| rest.starts_with('{')));
    let fitting = series.filter(|line| labels.iter().all(|label| line.contains(label)));
    fitting.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_a_sale_is_seen_in_the_numbers() {
    a_sale_is_seen_in_the_numbers(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_a_sale_is_seen_in_the_numbers() {
    a_sale_is_seen_in_the_numbers(Engine::Postgres).await;
}

async fn a_sale_is_seen_in_the_numbers(engine: Engine) {
    let address = free_address().await;
    let shop = Shop::open_within(engine, &format!("metrics_listen = \"{address}\"")).await;
    let order = shop.door().buy(&shop.gateway, "license", 2).await;
    let key = text(&order["licenses"][0]["key"]);
    let validate = format!("{}/v1/licenses/validate", shop.url);
    for _ in 0..3 {
        shop.http.post_json(&validate, &[], &json!({ "key": key })).await.expect("an answer");
    }
    let forged = gateway::deliver_signed(&shop.http, &shop.hook_url(), "t=1,v1=00", "{}").await.expect("an answer");
    assert_eq!(forged.status, 401);
    shop.gateway.flush().await;

    let url = format!("http://{address}/metrics");
    let metrics = until("the mail is counted", SOON, async || {
        let reply = shop.http.get(&url, &[]).await?;
        let done = sum(&reply.body, "latchkey_jobs_total", &["kind=\"send_mail\",outcome=\"done\""]);
        if done > 0.0 { Ok(reply.body) } else { Err(reply.body) }
    })
    .await;
    let storage = if engine == Engine::Sqlite { "sqlite" } else { "postgres" };
    let build = format!("latchkey_build_info{{version=\"{}\",storage=\"{storage}\"}}", env!("CARGO_PKG_VERSION"));
    let account = format!("account=\"{}\"", shop.account);
    let found_by_asking = format!("latchkey_notices_total{{{account},source=\"list\",outcome=\"applied\"}}");
    let rows = [
        (value(&metrics, &build), 1.0, 1.0),
        (value(&metrics, "latchkey_up"), 1.0, 1.0),
        (value(&metrics, "latchkey_licenses_issued_total"), 2.0, 2.0),
        (value(&metrics, "latchkey_validations_total{code=\"valid\"}"), 3.0, 3.0),
        (
            value(
                &metrics,
                "latchkey_http_requests_total{route=\"/v1/licenses/validate\",method=\"POST\",status=\"200\"}",
            ),
            3.0,
            3.0,
        ),
        (
            value(
                &metrics,
                "latchkey_http_request_duration_seconds_count{route=\"/v1/licenses/validate\",method=\"POST\"}",
            ),
            3.0,
            3.0,
        ),
        (Some(sum(&metrics, "latchkey_notices_total", &[&account, "source=\"webhook\""])), 1.0, 99.0),
        (Some(sum(&metrics, "latchkey_webhooks_refused_total", &[&account])), 1.0, 1.0),
        (
            Some(sum(&metrics, "latchkey_gateway_calls_total", &["call=\"open_payment\",outcome=\"answered\""])),
            1.0,
            1.0,
        ),
        (Some(sum(&metrics, "latchkey_jobs_total", &["kind=\"send_mail\",outcome=\"done\""])), 1.0, 1.0),
        (value(&metrics, "latchkey_store_commits_total{outcome=\"committed\"}"), 5.0, 10_000.0),
        (value(&metrics, "latchkey_store_commits_total{outcome=\"unknown\"}"), 0.0, 0.0),
        (value(&metrics, &found_by_asking), 0.0, 99.0),
        (value(&metrics, "latchkey_store_sync_duration_seconds_count"), 5.0, 10_000.0),
        (value(&metrics, "latchkey_inbox_depth"), 0.0, 0.0),
        (value(&metrics, "latchkey_notices_parked"), 0.0, 0.0),
        (value(&metrics, "latchkey_jobs"), 0.0, 10.0),
        (Some(sum(&metrics, "latchkey_webhook_age_seconds", &[&account])), 0.0, 30.0),
    ];
    for (place, (found, least, most)) in rows.into_iter().enumerate() {
        assert!(found.is_some_and(|found| (least..=most).contains(&found)), "row {place}: {found:?}\n{metrics}");
    }
    for line in metrics.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap_or_default();
        assert!(name.starts_with("latchkey_"), "{line}");
        assert!(!line.contains('@') && !line.contains(&key), "{line}");
    }
    // The world reaches the shop and not the numbers.
    let outside = shop.http.get(&format!("{}/metrics", shop.url), &[]).await.expect("an answer");
    assert_eq!(outside.status, 404);
}

/// Asks whether the server is ready until it says what is expected.
async fn says(http: &Http, url: &str, status: u16) -> Reply {
    until(&format!("/readyz answers {status}"), SOON, async || {
        let reply = http.get(&format!("{url}/readyz"), &[]).await?;
        if reply.status == status { Ok(reply) } else { Err(format!("{} {}", reply.status, reply.body)) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readiness_ends_while_another_holds_the_database_and_comes_back_by_itself() {
    let shop = Shop::open(Engine::Sqlite).await;
    says(&shop.http, &shop.url, 200).await;
    let holder = rusqlite::Connection::open(shop.folder.path().join("data/latchkey.sqlite")).expect("the database");
    holder.execute_batch("begin immediate").expect("the only writer");
    let refused = says(&shop.http, &shop.url, 503).await;
    assert_eq!(refused.json()["status"], "not_ready");
    let live = shop.http.get(&format!("{}/livez", shop.url), &[]).await.expect("an answer");
    assert_eq!(live.status, 200, "the process lives all the same");
    holder.execute_batch("rollback").expect("the end of it");
    says(&shop.http, &shop.url, 200).await;
}

/// A small disk, where this machine lets a test have one.
struct Disk(Directory);

impl Disk {
    fn mount(megabytes: u32) -> Option<Self> {
        let folder = Directory::new();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"])
            .arg(folder.path())
            .status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(folder))
    }

    /// Fills what is left of it.
    fn fill(&self) -> std::path::PathBuf {
        let path = self.0.path().join("filler");
        let mut file = fs::File::create(&path).expect("a file");
        for size in [1 << 16, 1 << 12, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readiness_ends_when_the_disk_is_full_and_comes_back_with_the_space() {
    let Some(disk) = Disk::mount(32) else {
        eprintln!("no disk of its own for this test: mounting one is not allowed here");
        return;
    };
    let data = disk.0.path().join("data");
    let folder = Directory::new();
    let data = data.to_str().expect("a path in UTF-8");
    let (server, said) = Process::start(folder.path(), &["serve", "--json", "--listen", "127.0.0.1:0", "--data", data]);
    let (http, url) = (Http::new(), text(&said["url"]));
    says(&http, &url, 200).await;
    let filler = disk.fill();
    says(&http, &url, 503).await;
    fs::remove_file(filler).expect("space again");
    says(&http, &url, 200).await;
    drop(server);
}

/// A line to the database that can be cut.
async fn line_to(database: &str) -> (String, watch::Sender<bool>) {
    let (before, rest) = database.split_once("127.0.0.1:").expect("an address on this machine");
    let (port, after) = rest.split_once('/').expect("a database");
    let to: SocketAddr = format!("127.0.0.1:{port}").parse().expect("an address");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let through = format!("{before}{}/{after}", listener.local_addr().expect("its address"));
    let (cut, is_cut) = watch::channel(false);
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut is_cut = is_cut.clone();
            tokio::spawn(async move {
                if *is_cut.borrow() {
                    return;
                }
                let Ok(mut far) = TcpStream::connect(to).await else { return };
                tokio::select! {
                    _ = copy_bidirectional(&mut near, &mut far) => {}
                    _ = is_cut.wait_for(|cut| *cut) => {}
                }
            });
        }
    });
    (through, cut)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readiness_ends_when_postgres_is_gone_and_comes_back_with_it() {
    let (database, cut) = line_to(&postgres_database().await).await;
    let folder = Directory::new();
    let data = folder.path().join("data");
    let data = data.to_str().expect("a path in UTF-8");
    let arguments = ["serve", "--json", "--listen", "127.0.0.1:0", "--data", data, "--database", &database];
    let (_server, said) = Process::start(folder.path(), &arguments);
    let (http, url) = (Http::new(), text(&said["url"]));
    says(&http, &url, 200).await;
    cut.send_replace(true);
    says(&http, &url, 503).await;
    cut.send_replace(false);
    says(&http, &url, 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_leads_from_who_asks_through_us_to_the_gateway() {
    let collector = Recorder::start(Manner::Polite).await;
    let gateway = Recorder::start(Manner::Polite).await;
    let shop = Shop::open_within(Engine::Sqlite, &format!("otlp_endpoint = \"{}\"", collector.url)).await;
    // Another account of the same shop, at a gateway that writes down what it is sent.
    let credentials =
        json!({ "secret_key": "sk_test_traced", "webhook_secret": "whsec_traced", "base_url": gateway.url });
    let path = shop.folder.path().join("data/latchkey.sqlite");
    let rows = rusqlite::Connection::open(path).expect("the database");
    rows.execute("update gateway_accounts set is_active = 0, version = version + 1", [])
        .expect("the first account rests");
    shop.run(&["gateways", "connect", "stripe", "--unchecked"], &credentials.to_string()).result();

    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let email = "ada@example.org";
    let pressed = until("the gateway is called", SOON, async || {
        let opened = shop.door().open_checkout(&unique(), "license", 1, email).await?;
        let page = shop.http.get(&opened.till, &[]).await?;
        let form = page.form_to(&["/checkout/"]).ok_or("no form on the till")?;
        let fields = form.filled(&[("email", email), ("country", "DE"), ("consent", "yes"), ("press", "pay")]);
        let address = format!("{}{}", shop.url, form.action);
        let reply = shop.http.post_form(&address, &[("traceparent", &parent)], &fields).await?;
        if gateway.requests().is_empty() { Err(format!("{} {}", reply.status, reply.body)) } else { Ok(reply) }
    })
    .await;
    let request_id = pressed.header("request-id").expect("an id").to_owned();
    let spans = until("the spans arrive", SOON, async || {
        let spans = spans_of(&collector, trace);
        let is_told = ours(&spans, &request_id).is_some() && spans.iter().any(|span| span["kind"] == 3);
        if is_told { Ok(spans) } else { Err(format!("{spans:?}")) }
    })
    .await;
    let server = ours(&spans, &request_id).expect("our span");
    let client = spans.iter().find(|span| span["kind"] == 3).expect("the gateway's span");
    assert_eq!(server["parentSpanId"], "00f067aa0ba902b7");
    assert_eq!(server["name"], "POST /checkout/{checkout}");
    let attributes = server["attributes"].to_string();
    assert!(attributes.contains("\"intValue\":\"303\""), "{attributes}");
    assert_eq!(client["name"], "stripe open_payment");
    // Between the two stands the job that makes the call.
    let job = spans.iter().find(|span| span["spanId"] == client["parentSpanId"]).expect("what made the call");
    assert_eq!(job["name"], "outbox open_payment");
    assert_eq!(job["parentSpanId"], server["spanId"]);
    let sent = gateway.requests();
    let named = sent.iter().filter_map(|request| request.header("traceparent"));
    let expected = format!("00-{trace}-{}-01", text(&client["spanId"]));
    assert!(named.into_iter().any(|header| header == expected), "{sent:?}");
    for request in collector.requests() {
        assert_eq!(request.head.lines().next(), Some("POST /v1/traces HTTP/1.1"));
        assert!(!request.body.contains(email) && !request.body.contains("sk_test_"), "{}", request.body);
    }
}

/// The span of the request with this id.
fn ours<'a>(spans: &'a [Value], request_id: &str) -> Option<&'a Value> {
    spans.iter().find(|span| span["kind"] == 2 && span["attributes"].to_string().contains(request_id))
}

fn spans_of(collector: &Recorder, trace: &str) -> Vec<Value> {
    let documents = collector.requests().into_iter().map(|request| serde_json::from_str(&request.body).expect("JSON"));
    let spans = documents.flat_map(|document: Value| {
        document["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().cloned().unwrap_or_default()
    });
    spans.filter(|span| span["traceId"] == trace).collect()
}

/// Numbers that the networks publish for tests.
const CARDS: &[&str] = &[
    "4242424242424242",
    "5555555555554444",
    "378282246310005",
    "6011111111111117",
    "3056930009020004",
    "3566002020360505",
    "6200000000000005",
    "4000056655665556",
    "2223003122003222",
    "4000002500003155",
];

/// Where a planted text stands.
fn found_in<'a>(needle: &[u8], places: &'a [(&'static str, Vec<u8>)]) -> Vec<&'a str> {
    let holds = |hay: &[u8]| hay.windows(needle.len()).any(|window| window == needle);
    places.iter().filter(|(_, hay)| holds(hay)).map(|(name, _)| *name).collect()
}

/// What stands around it where it was found first.
fn around(needle: &str, places: &[(&'static str, Vec<u8>)]) -> String {
    let hay = places.iter().find_map(|(_, hay)| {
        let at = hay.windows(needle.len()).position(|window| window == needle.as_bytes())?;
        Some(&hay[at.saturating_sub(200)..(at + 100).min(hay.len())])
    });
    String::from_utf8_lossy(hay.unwrap_or_default()).into_owned()
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_in_the_log_the_answers_the_numbers_or_the_database() {
    let address = free_address().await;
    let settings = format!("metrics_listen = \"{address}\"\nlog = \"trace\"\nlog_format = \"json\"");
    let shop = Shop::open_within(Engine::Sqlite, &settings).await;
    let order = shop.door().buy(&shop.gateway, "license", 1).await;
    shop.gateway.flush().await;
    let key = text(&order["licenses"][0]["key"]);
    let cookie = shop.console().await;
    let session = cookie.rsplit('=').next().expect("a token").to_owned();
    shop.http.get(&format!("{}/console", shop.url), &[("cookie", &cookie)]).await.expect("the console");

    // Everything that can be said no to, with what must not be repeated in it.
    let mut answers = String::new();
    for card in CARDS {
        for body in [
            json!({ "plan": card, "customer": { "email": "ada@example.org", "country": "DE" } }),
            json!({ "plan": "license", "customer": { "email": format!("{card}@example.org"), "country": card } }),
            json!({ "plan": "license", "customer": { "email": "a@example.org", "country": "DE", "name": card } }),
            json!({ "plan": "license", "customer": { "email": "a@example.org", "country": "DE" }, "metadata": { "note": card } }),
            json!({ card.to_string(): 1 }),
        ] {
            let reply = shop.door().api_post("/v1/checkouts", &unique(), &body).await.expect("an answer");
            answers.push_str(&reply.body);
        }
        let body = json!({ "key": key, "fingerprint": "device", "name": card });
        let url = format!("{}/v1/licenses/activate", shop.url);
        answers.push_str(&shop.http.post_json(&url, &[], &body).await.expect("an answer").body);
        // Of what nobody signed nothing is kept. What a gateway signs is kept as it came, and gateways send no numbers.
        let event = json!({ "id": "evt_1", "object": "event", "type": card, "data": { "object": { "note": card } } });
        let event = event.to_string();
        let reply = gateway::deliver(&shop.http, &shop.hook_url(), "whsec_other", 0, &event).await.expect("an answer");
        answers.push_str(&reply.body);
    }
    for (name, value) in [("authorization", format!("Bearer {}x", shop.api_key)), ("cookie", format!("{cookie}x"))] {
        for path in ["/v1/orders", "/console", "/v1/licenses/validate", "/portal"] {
            let url = format!("{}{path}", shop.url);
            answers.push_str(&shop.http.get(&url, &[(name, &value)]).await.expect("an answer").body);
        }
    }
    let metrics = shop.http.get(&format!("http://{address}/metrics"), &[]).await.expect("the numbers").body;
    let data = shop.folder.path().join("data");
    let places = [
        ("log", shop.server.told().into_bytes()),
        ("answers", answers.into_bytes()),
        ("numbers", metrics.into_bytes()),
        ("database", read(&data.join("latchkey.sqlite"))),
        ("journal", read(&data.join("latchkey.sqlite-wal"))),
    ];
    // The search finds what is there.
    let id = text(&order["id"]);
    let found = found_in(id.as_bytes(), &places);
    assert!(found.contains(&"database") || found.contains(&"journal"), "{found:?}");
    assert!(!found_in(b"a gateway was called", &places).is_empty(), "nothing was logged");
    assert!(!found_in(b"\"request_id\":\"req_", &places).is_empty(), "no line carries the id of its request");
    assert!(!found_in(b"\"request_id\":\"job_", &places).is_empty(), "no line carries the id of its job");

    let bare = key.replace('-', "");
    let master_key = read(&data.join("master.key"));
    assert!(!master_key.is_empty());
    let master_key = String::from_utf8_lossy(&master_key).trim().to_owned();
    let secrets = [
        ("API key", shop.api_key.as_str()),
        ("license key", &key),
        ("license key without dashes", &bare),
        ("webhook secret", &shop.hook_secret),
        ("gateway's key", gateway::SECRET_KEY),
        ("session", &session),
        ("master key", &master_key),
    ];
    for (what, secret) in secrets {
        let found = found_in(secret.as_bytes(), &places);
        assert!(found.is_empty(), "the {what} stands in {found:?}");
    }
    for card in CARDS {
        let found = found_in(card.as_bytes(), &places);
        assert!(found.is_empty(), "the card number {card} stands in {found:?}: {}", around(card, &places));
    }
    for address in ["ada@example.org", "buyer@example.org"] {
        let found = found_in(address.as_bytes(), &places);
        assert!(found.iter().all(|place| matches!(*place, "database" | "journal")), "{address} stands in {found:?}");
    }
}
