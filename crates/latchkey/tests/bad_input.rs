//! What strangers send: prices of their own, numbers that do not fit, bodies
//! without end, a thousand connections that say nothing. Each gets a clear 4xx
//! or a closed connection; honest traffic does not notice, and memory stays.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod common;

use std::time::{Duration, Instant};

use common::alone;
use common::http::{Http, Sent};
use common::shop::{Engine, Shop, text, unique};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// How much more memory an attack may cost the server: what a thousand connections may buffer at 64 KiB each.
const MEMORY_MARGIN_KIB: u64 = 64 << 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_names_prices_or_quantities_of_its_own_is_refused_by_name() {
    let shop = Shop::open(Engine::Sqlite).await;
    let door = shop.door();
    let good = json!({ "plan": "license", "quantity": 1, "customer": { "email": "ada@example.org", "country": "DE" } });
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body.to_string()
    };
    let big = |quantity: &str| with("quantity", json!("Q")).replace("\"Q\"", quantity);
    #[rustfmt::skip]
    let rows: Vec<(String, u16, Option<&str>)> = vec![
        (with("amount", json!(1)), 422, Some("amount")),
        (with("price", json!({ "amount": 1, "currency": "EUR" })), 422, Some("price")),
        (with("total", json!(0)), 422, Some("total")),
        (with("discount", json!(100)), 422, Some("discount")),
        (with("unit_amount", json!(1)), 422, Some("unit_amount")),
        (with("customer", json!({ "email": "ada@example.org", "country": "DE", "discount": 5 })), 422, Some("customer.discount")),
        (with("quantity", json!(0)), 422, Some("quantity")),
        (with("quantity", json!(-1)), 422, Some("quantity")),
        (big("9223372036854775808"), 422, Some("quantity")),
        (big("18446744073709551616"), 422, Some("quantity")),
        (big("4294967297"), 422, Some("quantity")),
        (big("1e400"), 400, None),
        (with("quantity", json!(1.5)), 422, Some("quantity")),
        (with("quantity", json!(101)), 422, Some("quantity")),
        (with("plan", json!("no-such-plan")), 422, Some("plan")),
        (with("currency", json!("XXQ")), 422, Some("currency")),
        (with("coupon", json!("FREE")), 422, Some("coupon")),
        (with("success_url", json!("javascript:alert(1)")), 422, Some("success_url")),
        ("{".to_owned(), 400, None),
        (String::new(), 400, None),
        (format!("{}{}", "[".repeat(20_000), "]".repeat(20_000)), 422, None),
    ];
    for (body, status, param) in rows {
        let reply = post(&shop, "/v1/checkouts", &body).await.expect("an answer");
        let problem = reply.json();
        let shown = &body[..body.len().min(200)];
        assert_eq!((reply.status, problem["param"].as_str()), (status, param), "{shown}: {problem}");
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{shown}");
        assert!(problem["request_id"].is_string() && !text(&problem["detail"]).is_empty(), "{shown}: {problem}");
    }
    assert_eq!(door.orders().await.expect("a list").len(), 0, "something that was refused left an order");

    // A number in words is refused as well, by the field or by the whole body.
    let reply = post(&shop, "/v1/checkouts", &with("quantity", json!("1"))).await.expect("an answer");
    assert_eq!(reply.status, 422, "{}", reply.body);

    // A page takes what it knows and no price.
    let page = shop.http.get(&format!("{}/buy/license?country=DE", shop.url), &[]).await.expect("the till");
    let form = page.form_to(&["/buy/"]).expect("a form");
    for quantity in ["0", "-1", "9223372036854775808", "1.5", "101", "x"] {
        let fields = form.filled(&[
            ("email", "ada@example.org"),
            ("country", "DE"),
            ("consent", "yes"),
            ("press", "pay"),
            ("quantity", quantity),
        ]);
        let reply =
            shop.http.post_form(&format!("{}{}", shop.url, form.action), &[], &fields).await.expect("an answer");
        assert_eq!(reply.status, 422, "a quantity of {quantity}");
    }
    let priced = [("amount", "1"), ("price", "1"), ("unit_amount", "1"), ("total", "1")];
    let mine =
        [("email", "ada@example.org"), ("country", "DE"), ("consent", "yes"), ("press", "pay"), ("quantity", "2")];
    let page = shop.http.get(&format!("{}/buy/license?country=DE&quantity=2", shop.url), &[]).await.expect("the till");
    let form = page.form_to(&["/buy/"]).expect("a form");
    let fields = [form.filled(&mine), priced.to_vec()].concat();
    let reply = shop.http.post_form(&format!("{}{}", shop.url, form.action), &[], &fields).await.expect("an answer");
    assert!(reply.location().is_some_and(|to| to.starts_with(&shop.gateway.url)), "{} {}", reply.status, reply.body);
    let orders = door.orders().await.expect("a list");
    assert_eq!((orders.len(), orders[0]["total"]["amount"].as_i64()), (1, Some(9_800)), "{orders:?}");
}

async fn post(shop: &Shop, path: &str, body: &str) -> Sent {
    let bearer = format!("Bearer {}", shop.api_key);
    let key = unique();
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", &key), ("content-type", "application/json")];
    shop.http.send(Method::POST, &format!("{}{path}", shop.url), &headers, body.as_bytes().to_vec()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_of_64_megabytes_is_refused_unread_wherever_it_is_sent() {
    const SIZE: usize = 64 << 20;
    let _alone = alone();
    let shop = Shop::open(Engine::Sqlite).await;
    let order = shop.door().buy(&shop.gateway, "license", 1).await;
    let before = shop.server.most_memory_kib();
    let hook = format!("/hooks/{}", shop.account);
    let paths = [
        "/v1/checkouts",
        "/v1/licenses/validate",
        "/v1/licenses/activate",
        &hook,
        "/buy/license",
        "/portal/key",
        "/console/enter",
        "/no/such/page",
    ];
    for path in paths {
        for declared in [true, false] {
            let status = send_endless(&shop, path, SIZE, declared).await;
            // Nothing lives at the last address, and it is not read to find that out.
            let expected: &[u16] = if path == "/no/such/page" { &[404, 413] } else { &[413] };
            assert!(
                status.is_none_or(|status| expected.contains(&status)),
                "{path} (length declared: {declared}) answers {status:?}"
            );
        }
    }
    let grown = shop.server.most_memory_kib().saturating_sub(before);
    eprintln!("{} bodies of 64 MB cost {grown} KiB", paths.len() * 2);
    assert!(grown < MEMORY_MARGIN_KIB, "the server grew by {grown} KiB");
    assert_eq!(validate(&shop.http, &shop.url, &text(&order["licenses"][0]["key"])).await, Ok(true));
}

/// Sends so much, unless the server closes or answers before; the status it answered with.
async fn send_endless(shop: &Shop, path: &str, size: usize, is_declared: bool) -> Option<u16> {
    let address = shop.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let framing = if is_declared { format!("content-length: {size}") } else { "transfer-encoding: chunked".to_owned() };
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\nidempotency-key: {}\r\ncontent-type: {}\r\nstripe-signature: t=1,v1=00\r\n{framing}\r\n\r\n",
        shop.api_key,
        unique(),
        if path.starts_with("/v1") || path.starts_with("/hooks") {
            "application/json"
        } else {
            "application/x-www-form-urlencoded"
        },
    );
    stream.write_all(head.as_bytes()).await.expect("the head is sent");
    let (mut reader, mut writer) = stream.into_split();
    let sending = tokio::spawn(async move {
        let piece = vec![b'x'; 1 << 16];
        let mut sent = 0;
        while sent < size {
            let framed = if is_declared {
                piece.clone()
            } else {
                [format!("{:x}\r\n", piece.len()).as_bytes(), &piece, b"\r\n"].concat()
            };
            if writer.write_all(&framed).await.is_err() {
                break;
            }
            sent += piece.len();
        }
    });
    let mut answer = vec![0; 64];
    let read = tokio::time::timeout(Duration::from_secs(30), reader.read(&mut answer))
        .await
        .expect("an answer or an end in time");
    sending.abort();
    let read = read.unwrap_or(0);
    status_of(&answer[..read])
}

fn status_of(answer: &[u8]) -> Option<u16> {
    String::from_utf8_lossy(answer).split_whitespace().nth(1).and_then(|status| status.parse().ok())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_http_is_refused_or_closed() {
    let shop = Shop::open(Engine::Sqlite).await;
    let address = shop.url.trim_start_matches("http://");
    let many = (0..2_000).map(|number| format!("x-{number}: y\r\n")).collect::<String>();
    #[rustfmt::skip]
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("noise", vec![0, 255, 13, 10, 13, 10]),
        ("another protocol", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec()),
        ("a line without end", [b"GET /".as_slice(), &[b'a'; 200_000]].concat()),
        ("a header without end", [b"GET / HTTP/1.1\r\nhost: x\r\nx: ".as_slice(), &[b'a'; 200_000]].concat()),
        ("two thousand headers", format!("GET / HTTP/1.1\r\nhost: x\r\n{many}\r\n").into_bytes()),
        ("two lengths", b"POST /v1/licenses/validate HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}x".to_vec()),
        ("length and chunks", b"POST /v1/licenses/validate HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /".to_vec()),
        ("a length below zero", b"POST /v1/licenses/validate HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n".to_vec()),
        ("a broken chunk", b"POST /v1/licenses/validate HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_vec()),
        ("bytes that are no text", b"POST /v1/licenses/validate HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 4\r\n\r\n\xff\xfe\x00\x00".to_vec()),
        ("a path upwards", b"GET /assets/../../../../etc/passwd HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_vec()),
        ("a path upwards, encoded", b"GET /assets/..%2f..%2fetc%2fpasswd HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_vec()),
        ("an id that is none", b"GET /orders/%00%ff HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_vec()),
        ("a method that is none", b"STEAL / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_vec()),
        ("a packed webhook", format!("POST /hooks/{} HTTP/1.1\r\nhost: x\r\ncontent-encoding: gzip\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{{}}", shop.account).into_bytes()),
    ];
    for (what, bytes) in rows {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        // It may be closed before all of it is sent.
        let _ = stream.write_all(&bytes).await;
        let mut answer = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
        assert!(ended.is_ok(), "{what}: the connection stays open");
        let status = status_of(&answer);
        assert!(
            answer.is_empty() || status.is_some_and(|status| (400..500).contains(&status)),
            "{what}: {status:?} {}",
            String::from_utf8_lossy(&answer)
        );
    }
    let live = shop.http.get(&format!("{}/livez", shop.url), &[]).await.expect("an answer");
    assert_eq!(live.status, 200);
}

/// How long honest requests may take while strangers hold connections: this many times what they take in peace.
const SLOWER_AT_MOST: u32 = 5;
/// And below this nobody measures: one turn of the scheduler on a busy machine.
const NOT_SLOWER_THAN: Duration = Duration::from_millis(50);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_slow_connections_do_not_slow_honest_requests_and_are_closed() {
    let _alone = alone();
    let shop = Shop::open(Engine::Sqlite).await;
    let order = shop.door().buy(&shop.gateway, "license", 1).await;
    let key = text(&order["licenses"][0]["key"]);
    let peace = honest_p99(&shop, &key).await;
    let before = shop.server.most_memory_kib();
    let began = Instant::now();
    let mut attackers = JoinSet::new();
    for number in 0..1_000 {
        let address = shop.url.trim_start_matches("http://").to_owned();
        attackers.spawn(async move { (number % 3, hold(&address, number % 3).await) });
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let attacked = honest_p99(&shop, &key).await;
    let grown = shop.server.most_memory_kib().saturating_sub(before);
    eprintln!("validate p99: {peace:?} in peace, {attacked:?} beside 1,000 slow connections, which cost {grown} KiB");
    assert!(attacked < (peace * SLOWER_AT_MOST).max(NOT_SLOWER_THAN), "{attacked:?} instead of {peace:?}");
    assert!(grown < MEMORY_MARGIN_KIB, "the server grew by {grown} KiB");
    let ends = tokio::time::timeout(Duration::from_secs(90), attackers.join_all())
        .await
        .expect("every slow connection is closed");
    for (kind, end) in ends {
        let answered = end.status;
        assert!(answered.is_none_or(|status| (400..500).contains(&status)), "kind {kind}: {answered:?}");
        let patience = Duration::from_secs(if kind == 2 { 75 } else { 25 });
        assert!(end.after < patience, "kind {kind} was held for {:?}", end.after);
    }
    eprintln!("all of them were closed within {:?}", began.elapsed());
    assert_eq!(validate(&shop.http, &shop.url, &key).await, Ok(true));
}

struct End {
    status: Option<u16>,
    after: Duration,
}

/// 0: says nothing; 1: a letter of a header now and then; 2: a letter of the body now and then.
async fn hold(address: &str, kind: u32) -> End {
    let began = Instant::now();
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let begin = match kind {
        0 => String::new(),
        1 => format!("POST /v1/licenses/validate HTTP/1.1\r\nhost: {address}\r\nx-slow: "),
        _ => format!(
            "POST /v1/licenses/validate HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: 60000\r\n\r\n{{\"key\":\""
        ),
    };
    let _ = stream.write_all(begin.as_bytes()).await;
    let mut answer = [0; 64];
    loop {
        match tokio::time::timeout(Duration::from_secs(1), stream.read(&mut answer)).await {
            Ok(Ok(0) | Err(_)) => return End { status: None, after: began.elapsed() },
            Ok(Ok(read)) => return End { status: status_of(&answer[..read]), after: began.elapsed() },
            Err(_) if kind == 0 => {}
            // A write to a closed connection is told by the next read.
            Err(_) => drop(stream.write_all(b"a").await),
        }
    }
}

/// The slowest but one in a hundred, of eight apps that ask one after the other.
async fn honest_p99(shop: &Shop, key: &str) -> Duration {
    let mut apps = JoinSet::new();
    for _ in 0..8 {
        let (http, url, key) = (shop.http.clone(), shop.url.clone(), key.to_owned());
        apps.spawn(async move {
            let mut took = Vec::new();
            for _ in 0..150 {
                let began = Instant::now();
                assert_eq!(validate(&http, &url, &key).await, Ok(true));
                took.push(began.elapsed());
            }
            took
        });
    }
    let mut took: Vec<Duration> = apps.join_all().await.into_iter().flatten().collect();
    took.sort_unstable();
    took[took.len() * 99 / 100]
}

async fn validate(http: &Http, url: &str, key: &str) -> Result<bool, String> {
    let reply = http.post_json(&format!("{url}/v1/licenses/validate"), &[], &json!({ "key": key })).await?;
    if reply.status != 200 {
        return Err(format!("{} {}", reply.status, reply.body));
    }
    Ok(reply.json()["valid"] == true)
}
