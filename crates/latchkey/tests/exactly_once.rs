//! Exactly once, at the door of the real server: a thousand deliveries of one
//! event, every way of learning of a payment at the same moment, five hundred
//! devices for five seats. And messages that are genuine and wrong: parked
//! where the shop sees them, with nothing issued.
//!
//! The gateway delivers nothing by itself here: the test does, so that it
//! decides what comes when.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::gateway::{body_of, deliver, list};
use common::http::Sent;
use common::shop::{Engine, Shop, text};
use common::{alone, at_once, tally, until};
use serde_json::{Value, json};
use store::testing::run_on;

/// A row for each engine: the same sentence holds on both.
macro_rules! on_both_engines {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(super::Engine::Sqlite).await; })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(super::Engine::Postgres).await; })*
        }
    };
}

on_both_engines![
    one_event_delivered_a_thousand_times_at_once_is_one_license,
    return_webhook_sweep_and_support_button_together_are_one_license,
    a_genuine_message_that_contradicts_the_order_is_parked_and_issues_nothing,
    a_test_payment_to_a_live_shop_is_parked_and_issues_nothing,
    five_hundred_activations_at_once_on_five_seats_are_exactly_five,
];

/// A shop whose gateway's deliveries are all lost.
async fn silent_shop(engine: Engine) -> Shop {
    let shop = Shop::open(engine).await;
    shop.gateway.faults(&json!({ "drop": 100 })).await;
    shop
}

async fn one_event_delivered_a_thousand_times_at_once_is_one_license(engine: Engine) {
    let _alone = alone();
    let shop = silent_shop(engine).await;
    let door = shop.door();
    let (opened, _) = door.pay(&shop.gateway, "license", 1).await;
    let body = body_of(&shop.gateway.event("checkout.session.completed", &opened.order).await);
    let requests = (0..1_000).map(|_| {
        let (http, url, secret, body) = (shop.http.clone(), shop.hook_url(), shop.hook_secret.clone(), body.clone());
        async move { deliver(&http, &url, &secret, 0, &body).await }
    });
    let replies = at_once(requests.collect()).await;
    assert_eq!(tally(replies.iter().map(|reply| reply.status)), BTreeMap::from([(200, 1_000)]));
    let outcomes = tally(replies.iter().map(|reply| text(&reply.json()["events"][0])));
    assert_eq!(outcomes, BTreeMap::from([("applied".to_owned(), 1), ("duplicate".to_owned(), 999)]));
    let order = door.order(&opened.order).await.expect("the order");
    assert_eq!((order["state"].as_str(), list(&order["licenses"]).len()), (Some("paid"), 1), "{order:#}");
    assert_healthy(&shop);
}

async fn return_webhook_sweep_and_support_button_together_are_one_license(engine: Engine) {
    const ORDERS: usize = 8;
    let _alone = alone();
    let mut shop = silent_shop(engine).await;
    let door = shop.door();
    let console = shop.console().await;
    let mut bodies = Vec::new();
    let mut orders = Vec::new();
    for _ in 0..ORDERS {
        let (opened, _) = door.pay(&shop.gateway, "license", 2).await;
        for kind in ["checkout.session.completed", "payment_intent.succeeded"] {
            bodies.push(body_of(&shop.gateway.event(kind, &opened.order).await));
        }
        orders.push(opened.order);
    }
    let mut payments = Vec::new();
    for order in &orders {
        payments.push(text(&door.order(order).await.expect("the order")["payments"][0]["id"]));
    }
    // A server that starts sweeps; everybody else comes in the same moment.
    shop.server.kill();
    shop.start().expect("the server starts");
    type Request = std::pin::Pin<Box<dyn Future<Output = Sent> + Send>>;
    let mut requests: Vec<Request> = Vec::new();
    for body in bodies {
        let (http, url, secret) = (shop.http.clone(), shop.hook_url(), shop.hook_secret.clone());
        requests.push(Box::pin(async move { deliver(&http, &url, &secret, 0, &body).await }));
    }
    for (order, payment) in orders.iter().zip(payments) {
        let (http, url) = (shop.http.clone(), format!("{}/orders/{order}/return", shop.url));
        requests.push(Box::pin(async move { http.get(&url, &[]).await }));
        let (http, url, console) =
            (shop.http.clone(), format!("{}/console/orders/{order}/check", shop.url), console.clone());
        requests.push(Box::pin(async move {
            http.post_form(&url, &[("cookie", &console)], &[("payment", &payment)]).await
        }));
    }
    let replies = at_once(requests).await;
    assert!(replies.iter().all(|reply| reply.status < 400), "{:?}", tally(replies.iter().map(|reply| reply.status)));
    for order in &orders {
        let order = until("the order is paid", Duration::from_secs(30), || async {
            let order = door.order(order).await?;
            if order["state"] == "paid" { Ok(order) } else { Err(order["state"].to_string()) }
        })
        .await;
        assert_eq!(list(&order["licenses"]).len(), 2, "{order:#}");
    }
    assert_healthy(&shop);
}

async fn a_genuine_message_that_contradicts_the_order_is_parked_and_issues_nothing(engine: Engine) {
    type Harm = fn(&mut Value);
    let rows: [(&str, Harm); 4] = [
        ("amount_mismatch", |event| {
            event["data"]["object"]["amount_total"] = json!(100);
            event["data"]["object"]["amount_subtotal"] = json!(100);
        }),
        ("amount_mismatch", |event| event["data"]["object"]["amount_total"] = json!(200_001)),
        ("currency_mismatch", |event| event["data"]["object"]["currency"] = json!("usd")),
        ("mode_mismatch", |event| {
            event["livemode"] = json!(true);
            event["data"]["object"]["livemode"] = json!(true);
        }),
    ];
    let _alone = alone();
    let shop = silent_shop(engine).await;
    let door = shop.door();
    let (opened, _) = door.pay(&shop.gateway, "enterprise", 1).await;
    let genuine = shop.gateway.event("checkout.session.completed", &opened.order).await;
    assert_eq!(genuine["data"]["object"]["amount_total"], 200_000, "{genuine:#}");
    for (number, (reason, harm)) in rows.iter().enumerate() {
        let mut event = genuine.clone();
        event["id"] = json!(format!("evt_contradiction{number}"));
        harm(&mut event);
        let reply =
            deliver(&shop.http, &shop.hook_url(), &shop.hook_secret, 0, &body_of(&event)).await.expect("an answer");
        assert_eq!((reply.status, &reply.json()["events"]), (200, &json!(["parked"])), "{reason}: {}", reply.body);
        let order = door.order(&opened.order).await.expect("the order");
        assert_eq!(
            (order["state"].as_str(), list(&order["licenses"]).len()),
            (Some("pending"), 0),
            "{reason}: {order:#}"
        );
    }
    let notices = parked_notices(&shop).await;
    for (number, (reason, _)) in rows.iter().enumerate() {
        let row = notices
            .split("<tr")
            .find(|row| row.contains(&format!("evt_contradiction{number}")))
            .expect("a row of the notice");
        assert!(row.contains(reason), "{reason} in {row}");
    }
    let (code, found) = shop.doctor();
    assert_eq!(code, Some(0), "parked is a warning: {found:#}");
    assert!(found.to_string().contains("4 parked notices"), "{found:#}");
    // The true message is taken all the same.
    let reply =
        deliver(&shop.http, &shop.hook_url(), &shop.hook_secret, 0, &body_of(&genuine)).await.expect("an answer");
    assert_eq!(reply.json()["events"], json!(["applied"]));
    let order = door.order(&opened.order).await.expect("the order");
    assert_eq!((order["state"].as_str(), list(&order["licenses"]).len()), (Some("paid"), 1), "{order:#}");
}

async fn a_test_payment_to_a_live_shop_is_parked_and_issues_nothing(engine: Engine) {
    let _alone = alone();
    let mut shop = Shop::open(engine).await;
    shop.gateway.faults(&json!({ "drop": 100 })).await;
    // A live shop takes no test key; this one has it all the same.
    assert_eq!(shop.server.terminate(), Some(0), "{}", shop.server.told());
    let live = ["shops", "gateway_accounts", "api_keys"].map(|table| format!("update {table} set mode = 'live'"));
    match &shop.database {
        Some(url) => run_on(url, &live.each_ref().map(String::as_str)).await,
        None => {
            let file = shop.folder.path().join("data/latchkey.sqlite");
            rusqlite::Connection::open(file).and_then(|rows| rows.execute_batch(&live.join(";"))).expect("the rows");
        }
    }
    shop.start().expect("the server starts as a live one");
    let door = shop.door();
    let (opened, _) = door.pay(&shop.gateway, "license", 1).await;
    for kind in ["checkout.session.completed", "payment_intent.succeeded"] {
        let event = shop.gateway.event(kind, &opened.order).await;
        assert_eq!(event["livemode"], false);
        let reply =
            deliver(&shop.http, &shop.hook_url(), &shop.hook_secret, 0, &body_of(&event)).await.expect("an answer");
        assert_eq!((reply.status, &reply.json()["events"]), (200, &json!(["parked"])), "{kind}");
    }
    // Nor does the buyer's return bring it in, where the gateway itself is asked.
    shop.http.get(&format!("{}/orders/{}/return", shop.url, opened.order), &[]).await.expect("the return");
    let order = door.order(&opened.order).await.expect("the order");
    assert_eq!((order["state"].as_str(), list(&order["licenses"]).len()), (Some("pending"), 0), "{order:#}");
    assert!(parked_notices(&shop).await.contains("mode_mismatch"));
    let (code, found) = shop.doctor();
    assert_eq!(code, Some(1), "{found:#}");
    let account = list(&found["findings"])
        .iter()
        .find(|finding| finding["check"] == format!("gateway:{}", shop.account))
        .expect("the account");
    assert_eq!(account["severity"], "broken", "a test key on a live account: {account}");
}

async fn five_hundred_activations_at_once_on_five_seats_are_exactly_five(engine: Engine) {
    let _alone = alone();
    let shop = Shop::open(engine).await;
    let order = shop.door().buy(&shop.gateway, "license", 1).await;
    let license = &list(&order["licenses"])[0];
    let key = text(&license["key"]);
    let activate = |fingerprint: String| {
        let (http, url, key) = (shop.http.clone(), format!("{}/v1/licenses/activate", shop.url), key.clone());
        async move { http.post_json(&url, &[], &json!({ "key": key, "fingerprint": fingerprint })).await }
    };
    let replies = at_once((0..500).map(|number| activate(format!("device-{number}"))).collect()).await;
    let answers = tally(replies.iter().map(|reply| (reply.status, reply.json()["code"].as_str().map(str::to_owned))));
    let expected = BTreeMap::from([((201, None), 5), ((409, Some("seat_limit_reached".to_owned())), 495)]);
    assert_eq!(answers, expected);
    let seen =
        shop.door().api_get(&format!("/v1/licenses/{}", text(&license["id"]))).await.expect("the license").json();
    assert_eq!(seen["seats_used"], 5);

    // One device that asks a hundred times at once has one seat: free one, and let it ask.
    let holder = replies.iter().find(|reply| reply.status == 201).expect("a seat").json();
    let fingerprint = text(&holder["activation"]["fingerprint"]);
    let body = json!({ "key": key, "fingerprint": fingerprint });
    let freed =
        shop.http.post_json(&format!("{}/v1/licenses/deactivate", shop.url), &[], &body).await.expect("an answer");
    assert_eq!(freed.status, 200, "{}", freed.body);
    let replies = at_once((0..100).map(|_| activate("one-device".to_owned())).collect()).await;
    assert_eq!(tally(replies.iter().map(|reply| reply.status)), BTreeMap::from([(200, 99), (201, 1)]));
    assert_healthy(&shop);
}

/// The console's list of parked notices, as the shop sees it.
async fn parked_notices(shop: &Shop) -> String {
    let console = shop.console().await;
    let page = shop
        .http
        .get(&format!("{}/console/notices?state=parked", shop.url), &[("cookie", &console)])
        .await
        .expect("the console");
    assert_eq!(page.status, 200, "{}", page.body);
    page.body
}

fn assert_healthy(shop: &Shop) {
    let (code, found) = shop.doctor();
    assert_eq!((code, &found["healthy"]), (Some(0), &json!(true)), "{found:#}");
}
