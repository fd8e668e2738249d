//! Many nodes on one PostgreSQL, none of them special: they share every event, are restarted one after another with
//! buyers at the till, stand still in the middle of things, lose the answer to COMMIT, and lose the database's machine.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::balancer::Balancer;
use common::gateway::{Gateway, SECRET_KEY, body_of, deliver, is_paid, list};
use common::http::{Http, Reply};
use common::line::{Act, COMMIT, Line};
use common::shop::{Door, Engine, Node, SHOP_FILE, Shop, not_sold, text, unique};
use common::{Effort, alone, at_once, figure, tally, until};
use futures::{StreamExt as _, stream};
use serde_json::{Value, json};
use store::testing::{PostgresServer, ask_on, postgres_database, run_on};

const NODES: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_event_delivered_a_thousand_times_across_four_nodes_is_one_license() {
    let _alone = alone();
    let shop = Shop::open(Engine::Postgres).await;
    shop.gateway.faults(&json!({ "drop": 100 })).await;
    let others: Vec<Node> = (1..NODES).map(|_| shop.node("127.0.0.1:0", &[])).collect();
    let urls: Vec<&str> = others.iter().map(|node| node.url.as_str()).chain([shop.url.as_str()]).collect();
    let rounds = Effort::asked().of(1, 10);
    for _ in 0..rounds {
        let (opened, _) = shop.door().pay(&shop.gateway, "license", 1).await;
        let body = body_of(&shop.gateway.event("checkout.session.completed", &opened.order).await);
        let requests = (0..1_000).map(|number| {
            let url = format!("{}/hooks/{}", urls[number % NODES], shop.account);
            let (http, secret, body) = (shop.http.clone(), shop.hook_secret.clone(), body.clone());
            async move { deliver(&http, &url, &secret, 0, &body).await }
        });
        let replies = at_once(requests.collect()).await;
        assert_eq!(tally(replies.iter().map(|reply| reply.status)), BTreeMap::from([(200, 1_000)]));
        let outcomes = tally(replies.iter().map(|reply| text(&reply.json()["events"][0])));
        assert_eq!(outcomes, BTreeMap::from([("applied".to_owned(), 1), ("duplicate".to_owned(), 999)]));
        for url in &urls {
            let door = Door { url: (*url).to_owned(), ..shop.door() };
            let order = door.order(&opened.order).await.expect("the order");
            assert_eq!((order["state"].as_str(), list(&order["licenses"]).len()), (Some("paid"), 1), "{order:#}");
        }
    }
    assert_healthy(&shop);
    figure("nodes.thousand", &format!("{rounds} events, 1,000 deliveries each over {NODES} nodes, {rounds} licenses"));
}

/// Twice as many have paid as there are codes, and all of it is told at once, to every node.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stock_of_codes_gives_each_code_to_one_buyer_across_four_nodes() {
    let _alone = alone();
    let codes: usize = Effort::asked().of(30, 1_000);
    let shop = Shop::open_selling_codes(Engine::Postgres).await;
    shop.gateway.faults(&json!({ "drop": 100 })).await;
    let others: Vec<Node> = (1..NODES).map(|_| shop.node("127.0.0.1:0", &[])).collect();
    let urls: Vec<&str> = others.iter().map(|node| node.url.as_str()).chain([shop.url.as_str()]).collect();

    let door = shop.door();
    let pay = async |_| {
        let (opened, _) = door.pay(&shop.gateway, "license", 1).await;
        let body = body_of(&shop.gateway.event("checkout.session.completed", &opened.order).await);
        (opened.order, body)
    };
    let paid: Vec<(String, String)> = stream::iter(0..2 * codes).map(pay).buffer_unordered(8).collect().await;
    // Nothing was kept for anybody: they come in when everybody has paid.
    let stock: Vec<String> = (0..codes).map(|number| format!("GAME-{number:06}-XYZ")).collect();
    std::fs::write(shop.folder.path().join("codes.txt"), stock.join("\n")).expect("the list");
    shop.run(&["pools", "import", "codes.txt", "--pool", "codes"], "").result();
    // A node that is asked for too much at once says so, and a gateway comes again.
    let mut untold: Vec<&String> = paid.iter().map(|(_, body)| body).collect();
    while !untold.is_empty() {
        let requests = untold.iter().enumerate().map(|(number, body)| {
            let url = format!("{}/hooks/{}", urls[number % NODES], shop.account);
            let (http, secret, body) = (shop.http.clone(), shop.hook_secret.clone(), (*body).clone());
            async move { deliver(&http, &url, &secret, 0, &body).await }
        });
        let replies = at_once(requests.collect()).await;
        assert!(replies.iter().all(|reply| matches!(reply.status, 200 | 503)), "{replies:?}");
        let refused = untold.into_iter().zip(&replies).filter(|(_, reply)| reply.status == 503);
        untold = refused.map(|(body, _)| body).collect();
    }
    nothing_is_left(&shop, Duration::from_secs(120)).await;
    let (mut handed_over, mut waiting) = (Vec::new(), 0);
    for (order, _) in &paid {
        let order = door.order(order).await.expect("the order");
        match &list(&order["licenses"])[..] {
            [license] if license["key"].is_string() => handed_over.push(text(&license["key"])),
            _ => waiting += 1,
        }
    }
    handed_over.sort();
    assert_eq!(handed_over, stock, "each code once");
    assert_eq!(waiting, codes, "and everybody else waits for one");
    assert_healthy(&shop);
    figure(
        "nodes.pool",
        &format!("{codes} codes, {} buyers at once over {NODES} nodes: each code is one buyer's", 2 * codes),
    );
}

/// What the load has seen.
#[derive(Default)]
struct Seen {
    is_over: AtomicBool,
    answered: AtomicU64,
    sold: AtomicU64,
    failed: Mutex<Vec<String>>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_under_load_fails_no_request() {
    let _alone = alone();
    let rounds = Effort::asked().of(1, 10);
    let mut balancer = Balancer::listen().await;
    let mut shop = Shop::open(Engine::Postgres).await;
    let order = shop.door().buy(&shop.gateway, "license", 1).await;
    shop.reached_at(&balancer.url).await;
    assert_eq!(shop.server.terminate(), Some(0), "{}", shop.server.told());
    let flags = ["--public-url", &balancer.url.clone(), "--drain-notice-seconds", "1"];
    let mut nodes: Vec<Node> = (0..NODES).map(|_| shop.node("127.0.0.1:0", &flags)).collect();
    balancer.serve(&nodes.iter().map(|node| node.url.clone()).collect::<Vec<_>>());
    for place in 0..NODES {
        takes_requests(&balancer, place).await;
    }
    let body = body_of(&shop.gateway.event("checkout.session.completed", &text(&order["id"])).await);
    let seen = Arc::new(Seen::default());
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (seen, door, hook, secret, body, order) = (
            Arc::clone(&seen),
            // A client of one's own, so that no connection is left alone while a node goes down.
            Door { http: Http::new(), ..shop.door() },
            shop.hook_url(),
            shop.hook_secret.clone(),
            body.clone(),
            order.clone(),
        );
        crowd.spawn(async move { seen.ask_on(&door, &hook, &secret, &body, &order).await });
    }
    for _ in 0..2 {
        let (seen, gateway) = (Arc::clone(&seen), Arc::clone(&shop.gateway));
        let door = Door { http: Http::new(), ..shop.door() };
        crowd.spawn(async move { seen.buy_on(&door, &gateway).await });
    }
    let began = Instant::now();
    let mut longest = Duration::ZERO;
    for _ in 0..rounds {
        for (place, node) in nodes.iter_mut().enumerate() {
            let before = seen.answered.load(Ordering::SeqCst);
            let told = Instant::now();
            assert_eq!(node.process.terminate(), Some(0), "{}", node.process.told());
            longest = longest.max(told.elapsed());
            *node = shop.node(node.url.clone().trim_start_matches("http://"), &flags);
            takes_requests(&balancer, place).await;
            assert!(seen.answered.load(Ordering::SeqCst) > before, "nobody asked while the node was down");
        }
    }
    seen.is_over.store(true, Ordering::SeqCst);
    crowd.join_all().await;
    let (answered, sold) = (seen.answered.load(Ordering::SeqCst), seen.sold.load(Ordering::SeqCst));
    let failed = seen.failed.lock().unwrap().clone();
    assert_eq!(failed, Vec::<String>::new(), "{} of {answered} requests failed", failed.len());
    assert!(sold > 0, "nothing was sold while nodes were restarted");
    nothing_is_left(&shop, Duration::from_secs(60)).await;
    assert!(longest < Duration::from_secs(10), "a node took {longest:?} to go down");
    assert_healthy(&shop);
    let restarts = rounds * NODES;
    figure(
        "nodes.rolling",
        &format!(
            "{restarts} restarts of {NODES} nodes in {} s, {answered} requests answered, {sold} sales, 0 failed; \
             the longest drain took {} ms",
            began.elapsed().as_secs(),
            longest.as_millis(),
        ),
    );
}

/// Waits until every job is done.
async fn nothing_is_left(shop: &Shop, patience: Duration) {
    until("nothing is left to do", patience, || async {
        match ask_on(shop.database.as_ref().unwrap(), "select count(*)::text from jobs").await.as_str() {
            "0" => Ok(()),
            left => Err(format!("{left} jobs")),
        }
    })
    .await;
}

async fn takes_requests(balancer: &Balancer, place: usize) {
    let ready = || async { if balancer.is_ready(place) { Ok(()) } else { Err("not ready".to_owned()) } };
    until("a node takes requests", Duration::from_secs(30), ready).await;
}

impl Seen {
    fn note(&self, what: &str, reply: Result<Reply, String>, expected: &[u16]) -> Option<Reply> {
        match reply {
            Ok(reply) if expected.contains(&reply.status) => {
                self.answered.fetch_add(1, Ordering::SeqCst);
                Some(reply)
            }
            Ok(reply) => {
                self.failed.lock().unwrap().push(format!("{what}: {} {}", reply.status, reply.body));
                None
            }
            Err(error) => {
                self.failed.lock().unwrap().push(format!("{what}: {error}"));
                None
            }
        }
    }

    async fn ask_on(&self, door: &Door, hook: &str, secret: &str, body: &str, order: &Value) {
        let key = text(&list(&order["licenses"])[0]["key"]);
        let path = format!("/v1/orders/{}", text(&order["id"]));
        while !self.is_over.load(Ordering::SeqCst) {
            self.note("webhook", deliver(&door.http, hook, secret, 0, body).await, &[200]);
            self.note("order", door.api_get(&path).await, &[200]);
            let asked = json!({ "key": key });
            let validated = door.http.post_json(&format!("{}/v1/licenses/validate", door.url), &[], &asked).await;
            self.note("license", validated, &[200]);
            self.note("page", door.http.get(&format!("{}/livez", door.url), &[]).await, &[200]);
            // The machine is to be used, not filled: what is measured is a restart, not an overload.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn buy_on(&self, door: &Door, gateway: &Gateway) {
        while !self.is_over.load(Ordering::SeqCst) {
            if let Err(error) = self.buy(door, gateway).await {
                self.failed.lock().unwrap().push(error);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn buy(&self, door: &Door, gateway: &Gateway) -> Result<(), String> {
        let email = "ada@example.org";
        let opened = door.open_checkout(&unique(), "license", 1, email).await?;
        let submitted = door.submit(&opened, email).await?;
        if !submitted.page.starts_with(&gateway.url) {
            return Err(format!("the till led to {}", submitted.page));
        }
        let paid = gateway.pay_by_card(&submitted.page, common::gateway::GOOD_CARD).await?;
        assert!(is_paid(&paid), "{} {}", paid.status, paid.body);
        let back = format!("{}/orders/{}/return", door.url, opened.order);
        self.note("return", door.http.get(&back, &[]).await, &[200, 303]);
        let order = door.order(&opened.order).await?;
        if order["state"] != "paid" || list(&order["licenses"]).len() != 1 {
            return Err(format!("paid, and not delivered: {order}"));
        }
        self.answered.fetch_add(4, Ordering::SeqCst);
        self.sold.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// The words with which a refund begins at the gateway.
const REFUND: &[u8] = b"POST /v1/refunds";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_of_a_node_that_stands_still_is_done_by_another_and_not_twice() {
    let _alone = alone();
    let effort = Effort::asked();
    let gateway = Arc::new(Gateway::start());
    let line = Line::to(gateway.url.trim_start_matches("http://")).await;
    let database = postgres_database().await;
    let reached_at = format!("http://{}", line.address);
    let shop = Shop::found(Arc::clone(&gateway), &reached_at, Some(database.clone()), SHOP_FILE, SECRET_KEY).await;
    let order = shop.door().buy(&gateway, "license", 1).await;
    let id = text(&order["id"]);

    // The first node has the job, has asked the gateway, and stands still before the gateway hears of it.
    line.arm(REFUND, 1, Act::Hold);
    let (door, path) = (shop.door(), format!("/v1/orders/{id}/refunds"));
    let asked = tokio::spawn(async move { door.api_post(&path, &unique(), &json!({ "amount": 1_000 })).await });
    let held = || async { if line.has_fired() { Ok(()) } else { Err("not yet".to_owned()) } };
    until("the job is under way", Duration::from_secs(30), held).await;
    shop.server.stand_still();

    let other = shop.node("127.0.0.1:0", &[]);
    let door = Door { url: other.url.clone(), ..shop.door() };
    if effort == Effort::Slice {
        // The end of the lease comes two minutes early; the whole proof waits for it.
        let sooner = "update jobs set run_at = created_at where kind = 'send_refund'";
        run_on(&database, &[sooner]).await;
    }
    let began = Instant::now();
    until("another node has done it", Duration::from_secs(180), || async { refunded(&door, &id).await }).await;
    let taken = began.elapsed();

    // The first goes on where it stood: the gateway hears the same call, under the same name.
    shop.server.go_on();
    line.release();
    let answered = asked.await.expect("the request").expect("an answer");
    assert_eq!(answered.status, 201, "{}", answered.body);
    until("the first node is done with it", Duration::from_secs(60), || async {
        let jobs = ask_on(&database, "select count(*)::text from jobs where kind = 'send_refund'").await;
        if jobs == "0" { Ok(()) } else { Err(format!("{jobs} jobs")) }
    })
    .await;
    let truth = gateway.truth().await;
    let payment = list(&truth["payments"]).iter().find(|payment| payment["metadata"]["latchkey_order"] == *id).unwrap();
    assert_eq!(payment["refunded"], 1_000, "{payment:#}");
    let order = shop.door().order(&id).await.expect("the order");
    assert_eq!((list(&order["refunds"]).len(), &order["refunded"]["amount"]), (1, &json!(1_000)), "{order:#}");
    let told = "select count(*)::text from events where kind = 'refund.succeeded'";
    assert_eq!(ask_on(&database, told).await, "1");
    assert_healthy(&shop);
    figure(
        "nodes.still",
        &format!("the job was taken over {} ms after its lease was out or shortened", taken.as_millis()),
    );
}

async fn refunded(door: &Door, id: &str) -> Result<(), String> {
    let order = door.order(id).await?;
    if order["refunded"]["amount"] == 1_000 { Ok(()) } else { Err(order["refunds"].to_string()) }
}

/// The line to the database breaks at one COMMIT after another of a sale, before the database hears it or before we
/// hear the database: whoever was answered with success finds it kept, and whoever asks again gets it once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost_is_neither_taken_for_success_nor_done_twice() {
    let _alone = alone();
    let database = postgres_database().await;
    let server = database.split(['@', '/']).nth(3).unwrap().to_owned();
    let line = Line::to(&server).await;
    let gateway = Arc::new(Gateway::start());
    let through = database.replace(&server, &line.address);
    let reached_at = gateway.url.clone();
    let shop = Shop::found(Arc::clone(&gateway), &reached_at, Some(through), SHOP_FILE, SECRET_KEY).await;
    gateway.faults(&json!({ "drop": 100 })).await;
    let door = shop.door();
    line.arm(COMMIT, u32::MAX, Act::Hold);
    sell(&door, &shop, &database).await;
    let commits = line.heard();
    assert!(commits >= 4, "a sale is {commits} commits");
    let mut cut = 0;
    for act in [Act::CutBefore, Act::CutAfter] {
        for nth in 1..=commits {
            line.arm(COMMIT, nth, act);
            sell(&door, &shop, &database).await;
            cut += u32::from(line.has_fired());
        }
    }
    assert!(cut > commits, "only {cut} lines were cut");
    // The last cut may still be waiting for its COMMIT, and doctor comes by the same line.
    line.arm(COMMIT, u32::MAX, Act::Hold);
    assert_healthy(&shop);
    figure(
        "nodes.commit",
        &format!("{cut} COMMITs cut off, before or after the database heard them, in {commits} places of a sale"),
    );
}

/// A buyer and a gateway that try again until each is answered with success.
async fn sell(door: &Door, shop: &Shop, database: &str) {
    let within = Duration::from_secs(60);
    let (key, email) = (unique(), "ada@example.org");
    // Whoever claimed a key or a job may have lost the answer; the end of what it holds comes early.
    let sooner = [
        "update idempotency_keys set held_until = created_at where status is null",
        "update jobs set run_at = created_at where kind = 'open_payment'",
    ];
    let opened = until("a checkout", within, || async {
        run_on(database, &sooner).await;
        door.open_checkout(&key, "license", 1, email).await
    })
    .await;
    let page = until("a page to pay on", within, || async {
        run_on(database, &sooner).await;
        let submitted = door.submit(&opened, email).await?;
        if submitted.page.starts_with(&shop.gateway.url) { Ok(submitted.page) } else { Err(submitted.page) }
    })
    .await;
    let paid = shop.gateway.pay_by_card(&page, common::gateway::GOOD_CARD).await.expect("the gateway");
    assert!(is_paid(&paid), "{} {}", paid.status, paid.body);
    for kind in ["checkout.session.completed", "payment_intent.succeeded"] {
        let event = shop.gateway.event(kind, &opened.order).await;
        let body = body_of(&event);
        until("the webhook is taken", within, || async {
            let reply = deliver(&shop.http, &shop.hook_url(), &shop.hook_secret, 0, &body).await?;
            if reply.status == 200 { Ok(()) } else { Err(format!("{} {}", reply.status, reply.body)) }
        })
        .await;
        let stored = format!("select count(*)::text from notices where event_id = '{}'", text(&event["id"]));
        assert_eq!(ask_on(database, &stored).await, "1", "acknowledged, and not stored");
    }
    let order = until("the order is paid", within, || async {
        let order = door.order(&opened.order).await?;
        if order["state"] == "paid" { Ok(order) } else { Err(order.to_string()) }
    })
    .await;
    assert_eq!(list(&order["licenses"]).len(), 1, "{order:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_stands_still_in_a_transaction_keeps_no_sale_waiting() {
    let _alone = alone();
    let database = postgres_database().await;
    let server = database.split(['@', '/']).nth(3).unwrap().to_owned();
    let line = Line::to(&server).await;
    let gateway = Arc::new(Gateway::start());
    let through = database.replace(&server, &line.address);
    let reached_at = gateway.url.clone();
    let mut shop = Shop::found(Arc::clone(&gateway), &reached_at, Some(through), SHOP_FILE, SECRET_KEY).await;
    gateway.faults(&json!({ "drop": 100 })).await;
    // Started before there is a sale: whoever starts reads the gateway's list of events, and would find it there.
    shop.database = Some(database);
    let other = shop.node("127.0.0.1:0", &[]);
    let (opened, _) = shop.door().pay(&gateway, "license", 1).await;
    let [completed, succeeded] = [
        body_of(&gateway.event("checkout.session.completed", &opened.order).await),
        body_of(&gateway.event("payment_intent.succeeded", &opened.order).await),
    ];
    // One node has written the rows of the sale and stands still before its COMMIT. The kind of an event travels with
    // the row of its notice alone.
    line.arm_after(b"checkout.session.completed", COMMIT, 1, Act::Hold);
    let (http, hook, secret) = (shop.http.clone(), shop.hook_url(), shop.hook_secret.clone());
    tokio::spawn(async move { deliver(&http, &hook, &secret, 0, &completed).await });
    let held = || async { if line.has_fired() { Ok(()) } else { Err("not yet".to_owned()) } };
    until("the rows are held", Duration::from_secs(30), held).await;
    shop.server.stand_still();
    // Another node is told of the same sale.
    let began = Instant::now();
    let hook = format!("{}/hooks/{}", other.url, shop.account);
    let reply = deliver(&shop.http, &hook, &shop.hook_secret, 0, &succeeded).await.expect("an answer");
    let waited = began.elapsed();
    assert_eq!((reply.status, &reply.json()["events"]), (200, &json!(["applied"])), "{}", reply.body);
    assert!(waited > Duration::from_secs(1), "the rows were not held: {waited:?}");
    assert!(waited < Duration::from_secs(10), "a node that stands still held a sale up for {waited:?}");
    shop.server.go_on();
    line.release();
    let door = Door { url: other.url.clone(), ..shop.door() };
    let order = door.order(&opened.order).await.expect("the order");
    assert_eq!((order["state"].as_str(), list(&order["licenses"]).len()), (Some("paid"), 1), "{order:#}");
    assert_healthy(&shop);
    figure("nodes.held", &format!("a sale whose rows a stopped node held was taken after {} ms", waited.as_millis()));
}

/// Sales that were acknowledged, while the machine of the database is lost.
struct Failover {
    primary: PostgresServer,
    standby: PostgresServer,
    shop: Shop,
    name: String,
}

impl Failover {
    async fn begin() -> Self {
        let primary = PostgresServer::start("");
        let database = primary.database().await;
        let (address, name) = database.rsplit_once('/').unwrap();
        let standby = primary.standby("second");
        let both = format!("{address},{}/{name}", standby.url().split_once('@').unwrap().1);
        let shop = Shop::open_on(Some(both), SHOP_FILE, SECRET_KEY).await;
        Self { primary, standby, shop, name: name.to_owned() }
    }

    /// From now on a commit waits for the standby.
    async fn wait_for_standby(&self) {
        let set = "alter system set synchronous_standby_names = 'second'";
        let url = format!("{}/postgres", self.primary.url());
        run_on(&url, &[set, "select pg_reload_conf()"]).await;
        let state = "select coalesce((select sync_state from pg_stat_replication), 'none')";
        until("the standby is synchronous", Duration::from_secs(30), || async {
            match ask_on(&url, state).await.as_str() {
                "sync" => Ok(()),
                other => Err(other.to_owned()),
            }
        })
        .await;
    }

    /// The machine of the database is lost, and the other takes its place.
    async fn fail_over(&self) {
        self.primary.kill();
        run_on(&format!("{}/postgres", self.standby.url()), &["select pg_promote()"]).await;
    }

    /// Which of these orders are not there, or not paid.
    async fn lost(&self, acknowledged: &BTreeSet<String>) -> Vec<String> {
        not_sold(&format!("{}/{}", self.standby.url(), self.name), acknowledged).await
    }

    /// Which of these events of the gateway are not there.
    async fn lost_events(&self, acknowledged: &BTreeSet<String>) -> Vec<String> {
        let url = format!("{}/{}", self.standby.url(), self.name);
        let known = ask_on(&url, "select coalesce(string_agg(event_id, ','), '') from notices").await;
        let known: BTreeSet<&str> = known.split(',').collect();
        acknowledged.iter().filter(|event| !known.contains(event.as_str())).cloned().collect()
    }

    fn word(&self) -> (String, String) {
        let (_, found) = self.shop.doctor();
        let finding = list(&found["findings"]).iter().find(|finding| finding["check"] == "replication").cloned();
        let finding = finding.unwrap_or_else(|| panic!("nothing about replication: {found:#}"));
        (text(&finding["severity"]), text(&finding["found"]))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_to_a_synchronous_standby_loses_no_acknowledged_sale() {
    let _alone = alone();
    let rounds = Effort::asked().of(1, 5);
    let (mut acknowledged_in_all, mut events, mut gaps) = (0, 0, Vec::new());
    for _ in 0..rounds {
        let failover = Failover::begin().await;
        failover.wait_for_standby().await;
        assert_eq!(failover.word(), ("good".to_owned(), "synchronous: a commit waits for second".to_owned()));
        let other = failover.shop.node("127.0.0.1:0", &[]);
        let acknowledged = Arc::new(Mutex::new(BTreeSet::new()));
        let is_over = Arc::new(AtomicBool::new(false));
        let mut crowd = tokio::task::JoinSet::new();
        for buyer in 0..4 {
            let url = if buyer % 2 == 0 { failover.shop.url.clone() } else { other.url.clone() };
            let door = Door { url, ..failover.shop.door() };
            let (gateway, acknowledged) = (Arc::clone(&failover.shop.gateway), Arc::clone(&acknowledged));
            let is_over = Arc::clone(&is_over);
            crowd.spawn(async move {
                while !is_over.load(Ordering::SeqCst) {
                    let seen = Seen::default();
                    match buy_patiently(&seen, &door, &gateway).await {
                        Some(order) => drop(acknowledged.lock().unwrap().insert(order)),
                        // A buyer reloads; nobody was promised anything.
                        None => tokio::time::sleep(Duration::from_millis(50)).await,
                    }
                }
            });
        }
        let enough = |than: usize| {
            let acknowledged = Arc::clone(&acknowledged);
            move || {
                let count = acknowledged.lock().unwrap().len();
                async move { if count > than { Ok(count) } else { Err(format!("{count} sales")) } }
            }
        };
        until("there are sales to lose", Duration::from_secs(60), enough(20)).await;
        let taken = failover.shop.gateway.acknowledged().await;
        let lost_at = Instant::now();
        failover.fail_over().await;
        let before = acknowledged.lock().unwrap().clone();
        until("sales go on", Duration::from_secs(60), enough(before.len())).await;
        gaps.push(lost_at.elapsed());
        until("many of them", Duration::from_secs(60), enough(before.len() + 10)).await;
        is_over.store(true, Ordering::SeqCst);
        crowd.join_all().await;
        let acknowledged = acknowledged.lock().unwrap().clone();
        assert_eq!(failover.lost(&acknowledged).await, Vec::<String>::new(), "of {}", acknowledged.len());
        assert_eq!(failover.lost_events(&taken).await, Vec::<String>::new(), "of {}", taken.len());
        events += taken.len();
        acknowledged_in_all += acknowledged.len();
        assert_eq!(failover.word().0, "good");
        assert_healthy(&failover.shop);
    }
    let longest = gaps.iter().max().unwrap();
    figure(
        "nodes.failover",
        &format!(
            "{rounds} times kill -9 of the primary under load: {acknowledged_in_all} acknowledged sales and {events} \
             acknowledged events, 0 lost; \
             the next sale {} ms after the kill at most",
            longest.as_millis()
        ),
    );
}

/// One whole sale; its order once the shop has said that it is paid.
async fn buy_patiently(seen: &Seen, door: &Door, gateway: &Gateway) -> Option<String> {
    let email = "ada@example.org";
    let opened = door.open_checkout(&unique(), "license", 1, email).await.ok()?;
    let submitted = door.submit(&opened, email).await.ok()?;
    if !submitted.page.starts_with(&gateway.url) {
        return None;
    }
    gateway.pay_by_card(&submitted.page, common::gateway::GOOD_CARD).await.expect("the gateway");
    let back = format!("{}/orders/{}/return", door.url, opened.order);
    seen.note("return", door.http.get(&back, &[]).await, &[200, 303])?;
    let order = door.order(&opened.order).await.ok()?;
    (order["state"] == "paid").then_some(opened.order)
}

/// The control: without a synchronous standby, what was acknowledged is lost, it is seen to be lost, and doctor had
/// said so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_to_an_asynchronous_standby_is_seen_to_lose_sales_and_doctor_said_so() {
    let _alone = alone();
    let failover = Failover::begin().await;
    let (severity, told) = failover.word();
    assert_eq!(severity, "warning", "{told}");
    assert!(told.contains("asynchronous") && told.contains("lose"), "{told}");
    // The line between the two is down for a moment, and nobody has to wait for it.
    let cut = ["alter system set primary_conninfo = ''", "select pg_reload_conf()"];
    run_on(&format!("{}/postgres", failover.standby.url()), &cut).await;
    let url = format!("{}/postgres", failover.primary.url());
    until("the standby hears nothing", Duration::from_secs(30), || async {
        let standbys = ask_on(&url, "select count(*)::text from pg_stat_replication").await;
        if standbys == "0" { Ok(()) } else { Err(standbys) }
    })
    .await;
    let mut acknowledged = BTreeSet::new();
    for _ in 0..3 {
        let order = failover.shop.door().buy(&failover.shop.gateway, "license", 1).await;
        assert_eq!(order["state"], "paid");
        acknowledged.insert(text(&order["id"]));
    }
    failover.fail_over().await;
    assert_eq!(failover.lost(&acknowledged).await.len(), 3, "the loss of acknowledged sales is not seen");
    figure(
        "nodes.failover.control",
        "asynchronous standby behind by 3 sales: 3 acknowledged sales lost, and seen to be",
    );
}

fn assert_healthy(shop: &Shop) {
    let (code, found) = shop.doctor();
    assert_eq!((code, &found["healthy"]), (Some(0), &json!(true)), "{found:#}");
}
