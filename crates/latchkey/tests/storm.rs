//! The promise under fire: whatever is killed, lost, doubled, reordered or
//! forged on the way, every captured payment has its licenses, none has them
//! twice, and the gateway's books and ours say the same.
//!
//! Server and gateway are processes of their own. The server is killed with
//! SIGKILL at random moments and started again on what it left. The gateway is
//! never killed: its books are the truth that ours are compared with.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::float_arithmetic,
    clippy::cast_precision_loss
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use common::chance::{Chance, seed};
use common::gateway::{
    CHALLENGED_CARD, DECLINED_CARD, DISPUTED_CARD, GOOD_CARD, Gateway, RETURNED_DEBIT, SLOW_DEBIT, body_of, deliver,
    deliver_signed, is_paid, list, signature,
};
use common::shop::{Door, Engine, Shop, Submitted, text, unique};
use common::{alone, figure, until};
use serde_json::{Value, json};

/// Where nothing else is asked for by `LATCHKEY_STORM_KILLS`.
const KILLS: u64 = 15;
const BUYERS: u64 = 24;
const FORGERS: u64 = 2;

/// How long the server lives between two kills, in milliseconds.
const LIFE: (u64, u64) = (100, 1_100);

/// By when it is over, on the slowest machine.
const STORM_WITHIN: Duration = Duration::from_secs(600);

/// By when everything is made good: the lease of a job that a killed server held is two minutes.
const SETTLED_WITHIN: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_captured_payment_has_its_licenses_after_many_kills_on_sqlite() {
    storm(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_captured_payment_has_its_licenses_after_many_kills_on_postgres() {
    storm(Engine::Postgres).await;
}

/// What buyers and forgers share.
struct Scene {
    door: Door,
    gateway: Arc<Gateway>,
    hook_url: String,
    hook_secret: String,
    is_over: AtomicBool,
    counts: Counts,
    /// What was answered with 201: the order, and how much went back of it.
    refunds: std::sync::Mutex<BTreeMap<String, i64>>,
}

#[derive(Default)]
struct Counts {
    paid: AtomicU64,
    abandoned: AtomicU64,
    stuck: AtomicU64,
    forged: AtomicU64,
    refused: AtomicU64,
    replayed: AtomicU64,
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

async fn storm(engine: Engine) {
    let alone = alone();
    let seed = seed("LATCHKEY_STORM_SEED");
    // Whoever compares the books reads every order many times a minute.
    let mut shop = Shop::open_within(engine, "api_calls_per_minute = 1000000").await;
    let faults = json!({
        "seed": seed % 1_000_000, "duplicate": 30, "reorder": 20, "drop": 3, "delay": 10, "delay_ms": [0, 2_000],
        "wrong_signature": 5, "error_after_doing": 2, "no_answer": 2,
    });
    shop.gateway.faults(&faults).await;
    let scene = Arc::new(Scene {
        door: shop.door(),
        gateway: Arc::clone(&shop.gateway),
        hook_url: shop.hook_url(),
        hook_secret: shop.hook_secret.clone(),
        is_over: AtomicBool::new(false),
        counts: Counts::default(),
        refunds: std::sync::Mutex::default(),
    });
    let began = Instant::now();
    let mut crowd = tokio::task::JoinSet::new();
    for buyer in 0..BUYERS {
        let scene = Arc::clone(&scene);
        crowd.spawn(async move { scene.buy_on(Chance::new(seed, 1 + buyer)).await });
    }
    for forger in 0..FORGERS {
        let scene = Arc::clone(&scene);
        crowd.spawn(async move { scene.forge_on(Chance::new(seed, 1_000 + forger)).await });
    }
    let mut when = Chance::new(seed, 0);
    let kills = std::env::var("LATCHKEY_STORM_KILLS").map_or(KILLS, |text| text.parse().expect("a number of kills"));
    for kill in 0..kills {
        tokio::time::sleep(Duration::from_millis(when.between(LIFE.0, LIFE.1))).await;
        // A machine that is slow to start a server is given what it needs: a kill before anything is sold proves nothing.
        while scene.counts.paid.load(Ordering::Relaxed) <= kill {
            assert!(began.elapsed() < STORM_WITHIN, "after {kill} kills nothing is sold any more");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        shop.server.kill();
        shop.start().expect("the server starts on what a killed one left");
    }
    let storm = began.elapsed();
    let (attempts, acknowledged) = shop.gateway.attempts().await;
    scene.is_over.store(true, Ordering::Relaxed);
    crowd.join_all().await;
    let counts = &scene.counts;
    let forged = counts.forged.load(Ordering::Relaxed);
    let all = attempts as u64 + forged + counts.replayed.load(Ordering::Relaxed);
    eprintln!(
        "{engine:?}: {kills} kills in {:.0} s; {:.0} deliveries/s ({attempts} by the gateway, {acknowledged} acknowledged, {forged} forged); \
         {} paid, {} abandoned, {} left with an open page",
        storm.as_secs_f64(),
        all as f64 / storm.as_secs_f64(),
        counts.paid.load(Ordering::Relaxed),
        counts.abandoned.load(Ordering::Relaxed),
        counts.stuck.load(Ordering::Relaxed),
    );
    assert_eq!(
        counts.refused.load(Ordering::Relaxed),
        forged,
        "a forged message was answered with something else than 401"
    );
    assert!(counts.paid.load(Ordering::Relaxed) >= kills, "too little was bought to prove anything");

    // From here on it is waited for leases of two minutes, and nothing is disturbed by others.
    drop(alone);
    settle(&mut shop, &scene).await;
    figure(
        &format!("storm.{}", format!("{engine:?}").to_lowercase()),
        &format!(
            "{engine:?}: {kills} kills, {} paid, {all} deliveries of which {forged} forged: no difference in the end",
            counts.paid.load(Ordering::Relaxed)
        ),
    );
}

/// Lets the gateway finish what it began, and waits until the shop has made everything good.
async fn settle(shop: &mut Shop, scene: &Scene) {
    let began = Instant::now();
    shop.gateway.faults(&json!({})).await;
    // Pages that nobody paid end, debits arrive or come back, and what was refused a while ago is sent again.
    shop.gateway.advance(26 * 3_600).await;
    shop.gateway.flush().await;
    // What was dropped is never sent again: whoever starts reads the gateway's list of events.
    assert_eq!(shop.server.terminate(), Some(0), "{}", shop.server.told());
    shop.start().expect("the server starts");
    let door = shop.door();
    let (truth, orders) = until("the gateway's truth equals ours", SETTLED_WITHIN, || async {
        let truth = shop.gateway.truth().await;
        let orders = whole_orders(&door).await?;
        match differences(&truth, &orders).as_slice() {
            [] => Ok((truth, orders)),
            some => Err(format!("{} differences, as {}", some.len(), some[..some.len().min(5)].join("; "))),
        }
    })
    .await;
    let money = began.elapsed();
    let promised = scene.refunds.lock().unwrap().clone();
    // The job of a refund may have died with the server that had it; its lease ends first.
    until("what went back is what was asked for", SETTLED_WITHIN, || async {
        let orders = whole_orders(&door).await?;
        let is_open = |(order, amount): &(&String, &i64)| {
            let order = &orders[*order];
            // A dispute was faster, and the gateway keeps the money until it is decided.
            let is_disputed = list(&order["refunds"])
                .iter()
                .any(|refund| refund["state"] == "failed" && text(&refund["failure"]).starts_with("charge_disputed"));
            order["refunded"]["amount"] != **amount && !is_disputed
        };
        match promised.iter().find(is_open) {
            None => Ok(()),
            Some((order, amount)) => Err(format!("{amount} of {order}: {}", orders[order])),
        }
    })
    .await;
    let mailbox = shop.folder.path().join("data/mailbox");
    until("every key that works is in a mail", SETTLED_WITHIN, || async {
        let (mails, orders) = (all_mails(&mailbox), whole_orders(&door).await?);
        let licenses = orders.values().flat_map(|order| list(&order["licenses"]).iter());
        // What was revoked, or disputed before it was known to be paid, is not sent before it works.
        let unsent = licenses.filter(|license| license["state"] == "active" && !mails.contains(&text(&license["key"])));
        match unsent.map(|license| license.to_string()).collect::<Vec<_>>().as_slice() {
            [] => Ok(()),
            some => Err(format!("{} keys are in no mail, as {}", some.len(), some[0])),
        }
    })
    .await;
    let (code, found) = shop.doctor();
    assert_eq!((code, &found["healthy"]), (Some(0), &json!(true)), "{found:#}");
    let parked = list(&found["findings"]).iter().find(|finding| finding["check"] == "notices");
    assert_eq!(parked, None, "genuine messages of the gateway are parked");

    let licenses: usize = orders.values().map(|order| list(&order["licenses"]).len()).sum();
    let captured = list(&truth["payments"]).iter().filter(|payment| payment["captured"] != 0).count();
    eprintln!(
        "  {} orders, {captured} captured payments, {licenses} licenses, {} refunds by the shop; the money agreed after {:.0} s, the mails after {:.0} s",
        orders.len(),
        scene.refunds.lock().unwrap().len(),
        money.as_secs_f64(),
        began.elapsed().as_secs_f64(),
    );
    a_difference_would_be_seen(&truth, &orders);
}

impl Scene {
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    async fn buy_on(&self, mut chance: Chance) {
        while !self.is_over() {
            self.buy(&mut chance).await;
        }
    }

    /// One visit. A server that is down is tried again, as a person reloads; when the storm is over nobody waits.
    async fn buy(&self, chance: &mut Chance) -> Option<()> {
        let key = unique();
        let email = format!("{key}@example.org");
        let quantity = chance.between(1, 3);
        let opened = self.patiently(|| self.door.open_checkout(&key, "license", quantity, &email)).await?;
        let submitted = if chance.percent(10) {
            // Both fingers on the button.
            let both = || async {
                let (one, other) = tokio::join!(self.door.submit(&opened, &email), self.door.submit(&opened, &email));
                one.or(other)
            };
            self.patiently(both).await?
        } else {
            self.patiently(|| self.door.submit(&opened, &email)).await?
        };
        let Some(page) = self.payment_page(&opened, &email, submitted).await else {
            count(&self.counts.stuck);
            return None;
        };
        let gateway = &self.gateway;
        match chance.below(100) {
            0..10 => {
                count(&self.counts.abandoned);
                return None;
            }
            10..25 => {
                gateway.pay_by_card(&page, DECLINED_CARD).await.expect("the gateway");
                self.pay_by_card(&page, GOOD_CARD).await;
            }
            25..32 => {
                gateway.pay_by_card(&page, CHALLENGED_CARD).await.expect("the gateway");
                let passed = gateway.answer_challenge(&page).await.expect("the gateway");
                assert!(passed.location().is_some(), "{} {}", passed.status, passed.body);
                count(&self.counts.paid);
            }
            32..36 => self.pay_by_card(&page, DISPUTED_CARD).await,
            36..44 => {
                gateway.pay_by_debit(&page, SLOW_DEBIT).await.expect("the gateway");
            }
            44..48 => {
                gateway.pay_by_debit(&page, RETURNED_DEBIT).await.expect("the gateway");
            }
            _ => self.pay_by_card(&page, GOOD_CARD).await,
        }
        if chance.percent(50) {
            // The other half closes the window on the gateway's page.
            let back = format!("{}/orders/{}/return", self.door.url, opened.order);
            self.patiently(|| self.door.http.get(&back, &[])).await?;
        }
        if chance.percent(15) {
            let amount = if chance.percent(50) { json!({}) } else { json!({ "amount": 1_000 }) };
            self.refund(&opened.order, &amount).await?;
        }
        Some(())
    }

    async fn pay_by_card(&self, page: &str, number: &str) {
        let paid = self.gateway.pay_by_card(page, number).await.expect("the gateway");
        assert!(is_paid(&paid), "{} {}", paid.status, paid.body);
        count(&self.counts.paid);
    }

    /// The gateway's page. When the gateway did not answer in time the shop asks it again in some seconds, and the
    /// buyer looks at the till now and then.
    async fn payment_page(&self, opened: &common::shop::Opened, email: &str, submitted: Submitted) -> Option<String> {
        let mut page = submitted.page;
        for _ in 0..60 {
            if page.starts_with(&self.gateway.url) {
                return Some(page);
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
            page = self.patiently(|| self.door.submit(opened, email)).await?.page;
        }
        None
    }

    /// Gives money back, where the order is paid already.
    async fn refund(&self, order: &str, amount: &Value) -> Option<()> {
        let stored = self.patiently(|| self.door.order(order)).await?;
        if stored["state"] != "paid" {
            return None;
        }
        let (key, path) = (unique(), format!("/v1/orders/{order}/refunds"));
        let answered = self
            .patiently(|| async {
                let reply = self.door.api_post(&path, &key, amount).await?;
                // In flight: the first of the same two requests is still being answered.
                if reply.status >= 500 || reply.status == 409 { Err(reply.body) } else { Ok(reply) }
            })
            .await?;
        if answered.status == 201 {
            let refund = answered.json();
            self.refunds
                .lock()
                .unwrap()
                .insert(order.to_owned(), refund["amount"]["amount"].as_i64().expect("an amount"));
        }
        Some(())
    }

    async fn patiently<T, F: Future<Output = Result<T, String>>>(&self, mut attempt: impl FnMut() -> F) -> Option<T> {
        loop {
            match attempt().await {
                Ok(value) => return Some(value),
                Err(_) if self.is_over() => return None,
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Sends what nobody but the gateway may send, and what it sent before.
    async fn forge_on(&self, mut chance: Chance) {
        while !self.is_over() {
            for event in self.gateway.newest_events(10).await {
                let body = body_of(&event);
                self.forge(&mut chance, &body).await;
                if chance.percent(20)
                    && deliver(&self.door.http, &self.hook_url, &self.hook_secret, 0, &body).await.is_ok()
                {
                    count(&self.counts.replayed);
                }
                tokio::time::sleep(Duration::from_millis(chance.between(20, 120))).await;
            }
        }
    }

    async fn forge(&self, chance: &mut Chance, body: &str) {
        let (http, url, secret) = (&self.door.http, &self.hook_url, &self.hook_secret);
        let sent = match chance.below(4) {
            0 => deliver(http, url, "whsec_of_a_stranger", 0, body).await,
            1 => deliver(http, url, secret, 3_600, body).await,
            2 => {
                let altered = body.replacen("4900", "1", 1).replacen("\"livemode\"", "\"livemode\" ", 1);
                deliver_signed(http, url, &signature(secret, 0, body), &altered).await
            }
            _ => deliver_signed(http, url, "t=1,v1=00", body).await,
        };
        if let Ok(reply) = sent {
            count(&self.counts.forged);
            if reply.status == 401 {
                count(&self.counts.refused);
            } else {
                eprintln!("a forged message was answered with {}: {}", reply.status, reply.body);
            }
        }
    }
}

/// Every order with its payments, refunds and licenses.
async fn whole_orders(door: &Door) -> Result<BTreeMap<String, Value>, String> {
    let mut whole = BTreeMap::new();
    let ids: Vec<String> = door.orders().await?.iter().map(|order| text(&order["id"])).collect();
    for id in ids {
        let order = door.order(&id).await?;
        whole.insert(id, order);
    }
    Ok(whole)
}

fn all_mails(folder: &std::path::Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder).expect("the mailbox") {
        let path = entry.expect("a file").path();
        if path.extension().is_some_and(|extension| extension == "json") {
            all.push_str(&std::fs::read_to_string(path).expect("a mail"));
        }
    }
    all
}

/// Where the gateway's books and ours differ. Empty is the promise kept.
fn differences(truth: &Value, orders: &BTreeMap<String, Value>) -> Vec<String> {
    let mut found = Vec::new();
    let mut captured = BTreeMap::new();
    for payment in list(&truth["payments"]) {
        let metadata = &payment["metadata"];
        let (order, id) = (text(&metadata["latchkey_order"]), text(&metadata["latchkey_payment"]));
        let Some(order) = orders.get(&order) else {
            found.push(format!("{order} is known to the gateway alone"));
            continue;
        };
        let Some(ours) = list(&order["payments"]).iter().find(|ours| ours["id"] == id) else {
            found.push(format!("{id} is known to the gateway alone"));
            continue;
        };
        let took = number(&payment["captured"]);
        if (took > 0) != (ours["state"] == "succeeded") {
            found.push(format!("{id}: the gateway took {took}, and it is {} here", ours["state"]));
        }
        if took > 0 {
            captured.insert(id.clone(), payment);
            if took != number(&ours["amount"]["amount"]) {
                found.push(format!("{id}: the gateway took {took} of {}", ours["amount"]));
            }
        }
        let returned = number(&payment["refunded"]) + number(&payment["refund_pending"]);
        let refunds = list(&order["refunds"]).iter().filter(|refund| refund["payment"] == id);
        let said: i64 = refunds
            .filter(|refund| refund["state"] == "succeeded" || refund["state"] == "pending")
            .map(|refund| number(&refund["amount"]["amount"]))
            .sum();
        if returned != said {
            found.push(format!("{id}: the gateway gave {returned} back, and {said} here"));
        }
    }
    let mut keys = BTreeSet::new();
    for (id, order) in orders {
        let quantity: i64 = list(&order["lines"]).iter().map(|line| number(&line["quantity"])).sum();
        let payments = list(&order["payments"]);
        for payment in payments {
            if payment["state"] == "succeeded" && !captured.contains_key(&text(&payment["id"])) {
                found.push(format!("{id} is paid here alone"));
            }
        }
        let kept: Vec<&&Value> = payments.iter().filter_map(|payment| captured.get(payment["id"].as_str()?)).collect();
        let licenses = list(&order["licenses"]);
        let due = if kept.is_empty() { 0 } else { quantity };
        if i64::try_from(licenses.len()) != Ok(due) {
            found.push(format!("{id} has {} licenses, and {due} are due", licenses.len()));
        }
        for license in licenses {
            if !keys.insert(text(&license["key"])) {
                found.push(format!("{id} has a key that another has"));
            }
        }
        if let [payment] = kept.as_slice() {
            let (took, returned) =
                (number(&payment["captured"]), number(&payment["refunded"]) + number(&payment["refund_pending"]));
            let expected: &[&str] = match (number(&payment["disputed"]) > 0, returned) {
                (true, _) => &["disputed", "lost"],
                (false, 0) => &["paid"],
                (false, part) if part < took => &["partially_refunded"],
                (false, _) => &["refunded"],
            };
            if !expected.contains(&order["state"].as_str().unwrap_or_default()) {
                found.push(format!("{id} is {}, and {expected:?} by the gateway's books", order["state"]));
            }
        }
        if list(&order["refunds"]).iter().any(|refund| refund["state"] == "created") {
            found.push(format!("{id} has a refund that was not sent yet"));
        }
    }
    found
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("a whole number, not {value}"))
}

/// A comparison that cannot fail proves nothing: one license fewer, one more, one twice, one refund
/// unknown, one payment forgotten are each seen.
fn a_difference_would_be_seen(truth: &Value, orders: &BTreeMap<String, Value>) {
    type Harm = fn(&mut Value);
    let harms: [(&str, Harm); 5] = [
        ("a license is missing", |order| drop(order["licenses"].as_array_mut().unwrap().pop())),
        ("a license too many", |order| {
            let mut another = order["licenses"][0].clone();
            another["key"] = json!("ANOTHER");
            order["licenses"].as_array_mut().unwrap().push(another);
        }),
        ("a key is there twice", |order| order["licenses"][0]["key"] = json!("SAME")),
        ("the payment is still open here", |order| order["payments"][0]["state"] = json!("sent")),
        ("a refund is known here alone", |order| {
            let payment = order["payments"][0]["id"].clone();
            order["refunds"]
                .as_array_mut()
                .unwrap()
                .push(json!({ "payment": payment, "state": "succeeded", "amount": { "amount": 1 } }));
        }),
    ];
    let paid: Vec<&String> =
        orders.iter().filter(|(_, order)| order["state"] == "paid").map(|(id, _)| id).take(2).collect();
    assert_eq!(differences(truth, orders), Vec::<String>::new());
    let harms_seen = harms.len();
    for (what, harm) in harms {
        let mut harmed = orders.clone();
        for id in &paid {
            harm(harmed.get_mut(*id).unwrap());
        }
        assert_ne!(differences(truth, &harmed), Vec::<String>::new(), "{what}, and nobody sees it");
    }
    figure("storm.control", &format!("{harms_seen} differences that were made for the purpose were each seen"));
}
