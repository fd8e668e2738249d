//! More than the server takes on: who is too slow, too many or too greedy is told so and leaves the others alone; and
//! a server that goes down finishes what it has accepted.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use common::http::Http;
use common::recorder::{Manner, Recorder};
use common::shop::{Engine, Shop, text, unique};
use common::{alone, figure, gateway, until};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

const SOON: Duration = Duration::from_secs(30);

/// Opens a connection from this address of the loopback.
async fn connect_from(from: &str, to: &str) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(format!("{from}:0").parse().expect("an address"))?;
    socket.connect(to.parse().expect("an address")).await
}

/// Whatever comes until the connection ends, and how long that took.
async fn to_the_end(stream: &mut TcpStream) -> (String, Duration) {
    let began = Instant::now();
    let mut answer = Vec::new();
    let ended = tokio::time::timeout(SOON, stream.read_to_end(&mut answer)).await;
    assert!(ended.is_ok(), "the connection stays open");
    (String::from_utf8_lossy(&answer).into_owned(), began.elapsed())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_too_slow_with_headers_or_a_body_or_stands_still_is_let_go() {
    let settings = "header_seconds = 2\nbody_seconds = 2\nidle_seconds = 3";
    let shop = Shop::open_within(Engine::Sqlite, settings).await;
    let address = shop.url.trim_start_matches("http://").to_owned();
    let begun = "POST /v1/licenses/validate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    let form = "POST /portal/key HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 100\r\n\r\nk";
    let whole = "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";
    #[rustfmt::skip]
    let rows = [
        ("says nothing", "", None, 2),
        ("half a header", "GET / HTTP/1.1\r\nhost: x\r\nx-slow: ", None, 2),
        ("half a body for a program", begun, Some(("HTTP/1.1 408", "application/problem+json")), 2),
        ("half a form for a page", form, Some(("HTTP/1.1 408", "text/html")), 2),
        ("an answer, and then silence", whole, Some(("HTTP/1.1 200", "application/json")), 2),
    ];
    for (what, bytes, expected, seconds) in rows {
        let mut stream = TcpStream::connect(&address).await.expect("a connection");
        stream.write_all(bytes.as_bytes()).await.expect("the bytes are sent");
        let (answer, after) = to_the_end(&mut stream).await;
        assert!(after >= Duration::from_secs(seconds) / 2, "{what}: let go after {after:?} already");
        assert!(after < Duration::from_secs(10), "{what}: let go only after {after:?}");
        if let Some((status, kind)) = expected {
            assert!(answer.starts_with(status) && answer.contains(kind), "{what}: {answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_has_so_many_connections_and_another_is_none_the_worse() {
    let settings = "proxies = \"\"\nmax_connections_per_address = 5\nheader_seconds = 30";
    let shop = Shop::open_within(Engine::Sqlite, settings).await;
    let address = shop.url.trim_start_matches("http://").to_owned();
    let mut held = Vec::new();
    for _ in 0..5 {
        let mut stream = connect_from("127.0.0.2", &address).await.expect("a connection");
        // Answered: so the server has taken it.
        stream.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 200");
        held.push(stream);
    }
    let mut one_more = connect_from("127.0.0.2", &address).await.expect("a connection");
    let mut nothing = Vec::new();
    // Closed without a word, with or without a reset.
    let _ = one_more.read_to_end(&mut nothing).await;
    assert!(nothing.is_empty());
    let other = shop.http.get(&format!("{}/livez", shop.url), &[]).await.expect("an answer from 127.0.0.1");
    assert_eq!(other.status, 200);
    held.pop();
    until("a place is free again", SOON, async || {
        let mut stream = connect_from("127.0.0.2", &address).await.map_err(|error| error.to_string())?;
        stream.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await.map_err(|error| error.to_string())?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.map(drop).map_err(|error| error.to_string())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_finds_no_place_is_told_when_to_come_again_and_what_was_accepted_goes_on() {
    let shop = Shop::open_within(Engine::Sqlite, "budgets = \"api=1/0, pages=1/0, validate=1/0\"").await;
    let (opened, _) = paid(&shop).await;
    // A request that holds its place for as long as the test wants: its answer is a commit, and the writer is held.
    let holder = rusqlite::Connection::open(shop.folder.path().join("data/latchkey.sqlite")).expect("the database");
    holder.execute_batch("begin immediate").expect("the only writer");
    let (door, key) = (shop.door(), unique());
    // Whoever asks whether the place is taken may have it just then: turned away, this one comes again.
    let waiting = tokio::spawn(async move {
        loop {
            match door.open_checkout(&key, "license", 1, "ada@example.org").await {
                Err(refused) if refused.contains("503") => {}
                answered => break answered,
            }
        }
    });
    let refused = until("the place is taken", SOON, async || {
        let reply = shop.door().api_get("/v1/orders").await?;
        if reply.status == 503 { Ok(reply) } else { Err(format!("{} {}", reply.status, reply.body)) }
    })
    .await;
    let problem = refused.json();
    assert_eq!(problem["code"], "overloaded", "{problem}");
    assert_eq!((&problem["retryable"], problem["status"].as_u64()), (&json!(true), Some(503)));
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));
    assert!(refused.header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().is_ok()), "{refused:?}");
    assert!(problem["request_id"].is_string(), "{problem}");
    // Another class has its own places.
    let validated = validate(&shop.http, &shop.url, "no key").await;
    assert_eq!(validated.as_ref().map(|reply| *reply), Ok(200), "{validated:?}");
    holder.execute_batch("rollback").expect("the end of it");
    waiting.await.expect("a task").expect("the request that had the place is answered");

    // The payment that was made meanwhile is applied, whatever was turned away.
    until("the order is paid", SOON, async || {
        let order = shop.door().order(&opened).await?;
        if order["state"] == "paid" { Ok(()) } else { Err(order.to_string()) }
    })
    .await;
}

/// Pays for an order, whose webhook is on its way; the order.
async fn paid(shop: &Shop) -> (String, String) {
    let (opened, submitted) = shop.door().pay(&shop.gateway, "license", 1).await;
    (opened.order, submitted.page)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_without_a_place_is_a_page_that_says_so() {
    let shop = Shop::open_within(Engine::Sqlite, "budgets = \"pages=1/0\"\nbody_seconds = 20").await;
    let holder = rusqlite::Connection::open(shop.folder.path().join("data/latchkey.sqlite")).expect("the database");
    let page = shop.http.get(&format!("{}/buy/license?country=DE", shop.url), &[]).await.expect("the till");
    let form = page.form_to(&["/buy/"]).expect("a form");
    holder.execute_batch("begin immediate").expect("the only writer");
    let (http, url) = (shop.http.clone(), format!("{}{}", shop.url, form.action));
    // Whoever looks whether the place is taken may have it just then: turned away, this one comes again.
    let pressed = tokio::spawn(async move {
        let fields =
            form.filled(&[("email", "ada@example.org"), ("country", "DE"), ("consent", "yes"), ("press", "pay")]);
        loop {
            match http.post_form(&url, &[], &fields).await {
                Ok(reply) if reply.status == 503 => {}
                answered => break answered,
            }
        }
    });
    let refused = until("the place is taken", SOON, async || {
        let reply = shop.http.get(&format!("{}/", shop.url), &[("accept-language", "de")]).await?;
        if reply.status == 503 { Ok(reply) } else { Err(reply.status.to_string()) }
    })
    .await;
    assert!(refused.header("content-type").is_some_and(|kind| kind.starts_with("text/html")), "{refused:?}");
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    assert!(refused.body.contains("Es ist nichts verloren gegangen"), "{}", refused.body);
    holder.execute_batch("rollback").expect("the end of it");
    pressed.await.expect("a task").expect("an answer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_has_made_its_calls_is_told_how_long_to_wait_and_another_key_is_not() {
    let shop = Shop::open_within(Engine::Sqlite, "api_calls_per_minute = 4").await;
    for left in [3, 2, 1, 0] {
        let reply = shop.door().api_get("/v1/orders").await.expect("an answer");
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert_eq!(reply.header("ratelimit-policy"), Some("\"key\";q=4;w=60"));
        let told = reply.header("ratelimit").expect("what is left");
        assert!(told.starts_with(&format!("\"key\";r={left};t=")), "{told}");
    }
    let reply = shop.door().api_get("/v1/orders").await.expect("an answer");
    assert_eq!((reply.status, text(&reply.json()["code"]).as_str()), (429, "rate_limited"), "{}", reply.body);
    let seconds: u64 = reply.header("retry-after").expect("a time").parse().expect("seconds");
    assert!((1..=15).contains(&seconds), "{seconds}");
    // Keys that are none are not counted: anybody can make them up, and nobody is to find a place taken by them.
    for made_up in 0..6 {
        let shown = format!("Bearer lk_test_{made_up:032}");
        let headers = [("authorization", shown.as_str())];
        let reply = shop.http.get(&format!("{}/v1/orders", shop.url), &headers).await.expect("an answer");
        assert_eq!((reply.status, reply.header("ratelimit")), (401, None), "{}", reply.body);
    }
    let other = text(&shop.run(&["api-key", "other"], "").result()["api_key"]);
    let headers = [("authorization", format!("Bearer {other}"))];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let reply = shop.http.get(&format!("{}/v1/orders", shop.url), &headers).await.expect("an answer");
    assert_eq!(reply.status, 200, "{}", reply.body);
}

/// How much slower validation may be in a storm: twice, as long as the machine does nothing else, and what a busy one
/// adds to that.
const SLOWER_AT_MOST: u32 = 4;
/// Below this nobody measures: one turn of the scheduler on a busy machine.
const NOT_SLOWER_THAN: Duration = Duration::from_millis(50);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_webhooks_and_pages_leaves_validation_as_fast_as_it_was() {
    let _alone = alone();
    let shop = Arc::new(Shop::open(Engine::Sqlite).await);
    let order = shop.door().buy(&shop.gateway, "license", 1).await;
    let key = text(&order["licenses"][0]["key"]);
    validation_p99(&shop, &key).await;
    let (mut quiet, mut stormy) = (Vec::new(), Vec::new());
    let stored = Arc::new(AtomicU64::new(0));
    for _ in 0..5 {
        quiet.push(validation_p99(&shop, &key).await);
        let is_over = Arc::new(AtomicBool::new(false));
        let storm = rage(Arc::clone(&shop), Arc::clone(&is_over), Arc::clone(&stored));
        stormy.push(validation_p99(&shop, &key).await);
        is_over.store(true, Ordering::Relaxed);
        storm.join().expect("the storm ends");
    }
    // The quickest round of each: what else runs on the machine slows some of them.
    let (quiet, stormy) = (quiet.into_iter().min().expect("rounds"), stormy.into_iter().min().expect("rounds"));
    let stored = stored.load(Ordering::Relaxed);
    eprintln!("validate p99: {quiet:?} in peace, {stormy:?} beside a storm in which {stored} webhooks were stored");
    assert!(stored > 50, "that was no storm: {stored}");
    assert!(stormy < (quiet * SLOWER_AT_MOST).max(NOT_SLOWER_THAN), "{stormy:?} instead of {quiet:?}");
}

/// Dozens of mails wait for a mail server that takes connections and says nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mails_that_nobody_takes_hold_up_neither_validation_nor_sales_nor_refunds() {
    let _alone = alone();
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let settings = format!("smtp_url = \"smtp://{}\"", silent.local_addr().expect("an address"));
    let connections = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((connection, _)) = silent.accept().await {
            held.push(connection);
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    let shop = Shop::open_within(Engine::Sqlite, &settings).await;
    let door = shop.door();
    let mut orders = vec![door.buy(&shop.gateway, "license", 1).await];
    let key = text(&orders[0]["licenses"][0]["key"]);
    validation_p99(&shop, &key).await;
    let quiet = validation_p99(&shop, &key).await;
    for _ in 0..24 {
        orders.push(door.buy(&shop.gateway, "license", 1).await);
    }
    assert!(orders.iter().all(|order| order["state"] == "paid"), "{orders:?}");
    until("mails are under way", SOON, async || match connections.load(Ordering::Relaxed) {
        4.. => Ok(()),
        few => Err(format!("{few} connections")),
    })
    .await;
    let beside = validation_p99(&shop, &key).await;
    assert!(beside < (quiet * SLOWER_AT_MOST).max(NOT_SLOWER_THAN), "{beside:?} instead of {quiet:?}");
    let refunds = format!("/v1/orders/{}/refunds", text(&orders[0]["id"]));
    let refund = door.api_post(&refunds, &unique(), &json!({})).await.expect("an answer");
    assert_eq!(refund.status, 201, "{}", refund.body);
    until("the money has gone back", SOON, async || {
        let order = door.order(&text(&orders[0]["id"])).await?;
        if order["state"] == "refunded" { Ok(()) } else { Err(order["state"].to_string()) }
    })
    .await;
}

/// A storm on a thread of its own: whoever measures must not stand in its line on this side.
fn rage(shop: Arc<Shop>, is_over: Arc<AtomicBool>, stored: Arc<AtomicU64>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let http = Http::new();
        runtime.block_on(async {
            let mut storm = JoinSet::new();
            for number in 0..16 {
                storm.spawn(blow(Arc::clone(&shop), http.clone(), number, Arc::clone(&is_over), Arc::clone(&stored)));
            }
            storm.join_all().await;
        });
    })
}

/// Webhooks that are stored, each a commit of its own, or pages, until it is over.
async fn blow(shop: Arc<Shop>, http: Http, number: u32, is_over: Arc<AtomicBool>, stored: Arc<AtomicU64>) {
    while !is_over.load(Ordering::Relaxed) {
        // Both sides of the storm share this machine: it is to fill the server's places, not to eat every core.
        tokio::time::sleep(Duration::from_millis(20)).await;
        if number.is_multiple_of(3) {
            let _ = http.get(&format!("{}/buy/license", shop.url), &[]).await;
            continue;
        }
        let event = json!({ "id": format!("evt_{}", unique()), "object": "event", "type": "customer.created", "created": 1, "livemode": false, "data": { "object": {} } });
        let reply = gateway::deliver(&http, &shop.hook_url(), &shop.hook_secret, 0, &event.to_string())
            .await
            .expect("an answer");
        assert!(matches!(reply.status, 200 | 503), "{} {}", reply.status, reply.body);
        stored.fetch_add(u64::from(reply.status == 200), Ordering::Relaxed);
    }
}

async fn validation_p99(shop: &Shop, key: &str) -> Duration {
    let mut took = Vec::new();
    for _ in 0..200 {
        let began = Instant::now();
        assert_eq!(validate(&shop.http, &shop.url, key).await, Ok(200));
        took.push(began.elapsed());
    }
    took.sort_unstable();
    took[took.len() * 99 / 100]
}

async fn validate(http: &Http, url: &str, key: &str) -> Result<u16, String> {
    let reply = http.post_json(&format!("{url}/v1/licenses/validate"), &[], &json!({ "key": key })).await?;
    Ok(reply.status)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_down_says_so_first_finishes_what_it_has_accepted_and_ends_well() {
    let mut shop = Shop::open(Engine::Sqlite).await;
    let ready = format!("{}/readyz", shop.url);
    assert_eq!(shop.http.get(&ready, &[]).await.expect("an answer").status, 200);
    let address = shop.url.trim_start_matches("http://").to_owned();
    let mut begun = TcpStream::connect(&address).await.expect("a connection");
    let body = "{\"key\":\"no key\"}";
    let head = format!("POST /v1/licenses/validate HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
    begun.write_all(head.as_bytes()).await.expect("sent");
    begun.write_all(&body.as_bytes()[..5]).await.expect("sent");

    let began = Instant::now();
    shop.server.tell_to_stop();
    let draining = until("not ready, and still there", SOON, async || {
        let reply = shop.http.get(&ready, &[]).await?;
        if reply.status == 503 { Ok(reply) } else { Err(reply.status.to_string()) }
    })
    .await;
    assert_eq!(draining.json()["status"], "draining");
    assert_eq!(draining.header("connection"), Some("close"), "{draining:?}");
    // Who comes before the listening ends is served as ever.
    assert_eq!(validate(&shop.http, &shop.url, "no key").await, Ok(200));
    until("nobody listens", SOON, async || match TcpStream::connect(&address).await {
        Ok(_) => Err("somebody does".to_owned()),
        Err(_) => Ok(()),
    })
    .await;
    begun.write_all(&body.as_bytes()[5..]).await.expect("the rest of it");
    let (answer, _) = to_the_end(&mut begun).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"unknown\""), "{answer}");
    // To be told twice is to be told.
    assert_eq!(shop.server.terminate(), Some(0), "{}", shop.server.told());
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    figure(
        "drain",
        &format!("a request that was half sent was answered, and all was over in {} ms", began.elapsed().as_millis()),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_the_gateway_does_not_answer_is_given_back_when_the_server_goes_down() {
    let silent = Recorder::start(Manner::Silent).await;
    let mut shop = Shop::open_within(Engine::Sqlite, "drain_seconds = 2").await;
    let rows = rusqlite::Connection::open(shop.folder.path().join("data/latchkey.sqlite")).expect("the database");
    rows.execute("update gateway_accounts set is_active = 0, version = version + 1", [])
        .expect("the first account rests");
    let credentials =
        json!({ "secret_key": "sk_test_silent", "webhook_secret": "whsec_silent", "base_url": silent.url });
    shop.run(&["gateways", "connect", "stripe", "--unchecked"], &credentials.to_string()).result();
    let (door, email) = (shop.door(), "ada@example.org");
    until("the new account is known", SOON, async || {
        let opened = door.open_checkout(&unique(), "license", 1, email).await?;
        let pressing = door.clone();
        tokio::spawn(async move { pressing.submit(&opened, email).await });
        tokio::time::sleep(Duration::from_millis(300)).await;
        if silent.requests().is_empty() { Err("the gateway was not called".to_owned()) } else { Ok(()) }
    })
    .await;
    let leased = "select count(*) from jobs where kind = 'open_payment' and run_at > cast(strftime('%s', 'now') as integer) * 1000000 + 30000000";
    let count = |sql: &str| rows.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a number");
    assert!(count(leased) > 0, "somebody is at it");
    let began = Instant::now();
    assert_eq!(shop.server.terminate(), Some(0), "{}", shop.server.told());
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert!(count("select count(*) from jobs where kind = 'open_payment'") > 0);
    assert_eq!(count(leased), 0, "nobody may be kept waiting by a server that is gone");
}
