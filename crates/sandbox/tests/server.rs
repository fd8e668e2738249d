//! The gateway over real sockets: webhooks, faults of the line, restarts.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use sandbox::model::delivery::sign;
use sandbox::model::moment::Moment;
use sandbox::{Config, Endpoint, Handle, Sandbox};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const KEY: &str = "sk_test_server";
const SECRET: &str = "whsec_of_the_test";

/// What a shop received, and what it answers.
#[derive(Clone)]
struct Shop {
    received: Arc<Mutex<Vec<(String, String)>>>,
    answers: Arc<Mutex<Vec<u16>>>,
    url: String,
}

impl Shop {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let shop = Self { received: Arc::default(), answers: Arc::default(), url };
        let router = Router::new().route("/hook", post(receive)).with_state(shop.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        shop
    }

    /// The statuses to answer with, in order; 200 afterwards.
    fn answers(&self, statuses: &[u16]) {
        *self.answers.lock().unwrap() = statuses.to_vec();
    }

    fn kinds(&self) -> Vec<String> {
        let received = self.received.lock().unwrap();
        let kind = |body: &str| serde_json::from_str::<Value>(body).unwrap()["type"].as_str().unwrap().to_owned();
        received.iter().map(|(_, body)| kind(body)).collect()
    }
}

async fn receive(State(shop): State<Shop>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers["stripe-signature"].to_str().unwrap().to_owned();
    shop.received.lock().unwrap().push((signature, String::from_utf8(body.to_vec()).unwrap()));
    let mut answers = shop.answers.lock().unwrap();
    let status = if answers.is_empty() { 200 } else { answers.remove(0) };
    StatusCode::from_u16(status).unwrap()
}

struct Client {
    handle: Option<Handle>,
    base_url: String,
    http: reqwest::Client,
}

impl Client {
    async fn start(config: Config) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let handle = Sandbox::start(listener, config).unwrap();
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { base_url: handle.base_url.clone(), handle: Some(handle), http }
    }

    async fn of(shop: &Shop) -> Self {
        let endpoint = Endpoint { secret_key: KEY.to_owned(), url: shop.url.clone(), secrets: vec![SECRET.to_owned()] };
        Self::start(Config { seed: Some(1), endpoints: vec![endpoint], ..Config::default() }).await
    }

    async fn post(&self, path: &str, form: &str) -> reqwest::Result<reqwest::Response> {
        self.post_with_key(path, form, None).await
    }

    async fn post_with_key(&self, path: &str, form: &str, key: Option<&str>) -> reqwest::Result<reqwest::Response> {
        let request = self.http.post(format!("{}{path}", self.base_url)).bearer_auth(KEY);
        let request = key.iter().fold(request, |request, key| request.header("idempotency-key", *key));
        request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned()).send().await
    }

    async fn control(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}/_control/{path}", self.base_url);
        let answer = self.http.post(url).body(body.to_string()).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path} {body}");
        read(answer).await
    }

    async fn look(&self, path: &str) -> Value {
        read(self.http.get(format!("{}{path}", self.base_url)).bearer_auth(KEY).send().await.unwrap()).await
    }
}

async fn read(answer: reqwest::Response) -> Value {
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

fn directory(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("sandbox-server-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    path
}

#[tokio::test]
async fn every_event_arrives_signed_with_the_secret() {
    let shop = Shop::open().await;
    let client = Client::of(&shop).await;
    client
        .post("/v1/payment_intents", "amount=900&currency=eur&payment_method=pm_card_visa&confirm=true")
        .await
        .unwrap();
    let flushed = client.control("flush", &json!({})).await;
    assert_eq!((&flushed["waiting"], &flushed["delivered"]), (&0.into(), &3.into()));
    let received = shop.received.lock().unwrap().clone();
    for (signature, body) in &received {
        let signed_at = signature.split([',', '=']).nth(1).unwrap().parse().unwrap();
        assert_eq!(*signature, sign(&[SECRET], Moment::from_seconds(signed_at), body));
    }
    assert_eq!(received.len(), 3);
    let counted = client.look("/_control/deliveries").await["deliveries"].as_array().unwrap().len();
    assert_eq!(counted, 3);
}

#[tokio::test]
async fn a_refused_webhook_comes_again_until_it_is_taken() {
    let shop = Shop::open().await;
    shop.answers(&[500, 302]);
    let client = Client::of(&shop).await;
    client.post("/v1/customers", "name=Ada").await.unwrap();
    let flushed = client.control("flush", &json!({})).await;
    assert_eq!((&flushed["waiting"], &flushed["delivered"]), (&1.into(), &0.into()), "a redirect is no 2xx either");
    client.control("clock", &json!({ "advance_seconds": 5 })).await;
    client.control("flush", &json!({})).await;
    client.control("clock", &json!({ "advance_seconds": 15 })).await;
    let flushed = client.control("flush", &json!({})).await;
    assert_eq!((&flushed["waiting"], &flushed["delivered"]), (&0.into(), &1.into()));
    let statuses: Vec<Value> = client.look("/_control/deliveries").await["deliveries"][0]["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| attempt["status"].clone())
        .collect();
    assert_eq!(statuses, [json!(500), json!(302), json!(200)]);
    let received = shop.received.lock().unwrap();
    let ids: Vec<Value> =
        received.iter().map(|(_, body)| serde_json::from_str::<Value>(body).unwrap()["id"].clone()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "the same event every time");
}

#[tokio::test]
async fn nobody_tries_for_longer_than_three_days() {
    let shop = Shop::open().await;
    shop.answers(&[500; 40]);
    let client = Client::of(&shop).await;
    client.post("/v1/customers", "name=Ada").await.unwrap();
    for _ in 0..30 {
        client.control("flush", &json!({})).await;
        client.control("clock", &json!({ "advance_seconds": 43_200 })).await;
    }
    let delivery = client.look("/_control/deliveries").await["deliveries"][0].clone();
    assert_eq!(delivery["state"], "gave_up");
    let pending = client.look("/v1/events?delivery_success=false").await["data"].as_array().unwrap().len();
    assert_eq!(pending, 1, "it can still be found");
}

#[tokio::test]
async fn faults_of_the_line_are_what_was_asked_for() {
    let shop = Shop::open().await;
    let client = Client::of(&shop).await;
    client.control("faults", &json!({ "seed": 4, "drop": 100 })).await;
    client.post("/v1/customers", "name=Ada").await.unwrap();
    assert_eq!(client.control("flush", &json!({})).await["dropped"], 1);
    assert!(shop.kinds().is_empty());

    client.control("faults", &json!({ "seed": 4, "duplicate": 100 })).await;
    client.post("/v1/customers", "name=Ada").await.unwrap();
    client.control("flush", &json!({})).await;
    assert_eq!(shop.kinds(), ["customer.created", "customer.created"]);

    client.control("faults", &json!({ "seed": 4, "wrong_signature": 100 })).await;
    client.post("/v1/customers", "name=Ada").await.unwrap();
    client.control("flush", &json!({})).await;
    let (signature, body) = shop.received.lock().unwrap().last().unwrap().clone();
    let signed_at = signature.split([',', '=']).nth(1).unwrap().parse().unwrap();
    assert_ne!(signature, sign(&[SECRET], Moment::from_seconds(signed_at), &body));
}

#[tokio::test]
async fn reordered_webhooks_arrive_all_and_in_another_order() {
    let shop = Shop::open().await;
    let client = Client::of(&shop).await;
    client.control("faults", &json!({ "seed": 1, "reorder": 50 })).await;
    for number in 0..10 {
        client.post("/v1/customers", &format!("name={number}")).await.unwrap();
    }
    client.control("flush", &json!({})).await;
    let received = shop.received.lock().unwrap();
    let names: Vec<String> = received
        .iter()
        .map(|(_, body)| serde_json::from_str::<Value>(body).unwrap()["data"]["object"]["name"].to_string())
        .collect();
    let mut sorted = names.clone();
    sorted.sort();
    assert_eq!(sorted.len(), 10);
    assert_ne!(names, sorted, "at this seed some are overtaken");
}

#[tokio::test]
async fn a_call_without_an_answer_ends_with_the_connection_and_is_found_by_its_key() {
    let shop = Shop::open().await;
    let client = Client::of(&shop).await;
    client.control("faults", &json!({ "no_answer": 100 })).await;
    let lost = client.post_with_key("/v1/customers", "name=Ada", Some("job_1")).await;
    assert!(lost.is_err(), "{lost:?}");
    client.control("faults", &json!({})).await;
    let found = client.post_with_key("/v1/customers", "name=Ada", Some("job_1")).await.unwrap();
    assert_eq!(found.headers()["idempotent-replayed"], "true");
    assert_eq!(client.look("/v1/customers").await["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn of_two_calls_with_one_key_at_once_one_is_told_to_wait() {
    let shop = Shop::open().await;
    let client = Client::of(&shop).await;
    // Whichever comes first holds its key for so long that the other meets it.
    client.control("faults", &json!({ "answer_delay_ms": 1_500 })).await;
    let (left, right) = tokio::join!(
        client.post_with_key("/v1/customers", "name=Ada", Some("job_1")),
        client.post_with_key("/v1/customers", "name=Ada", Some("job_1")),
    );
    let mut statuses = [left.unwrap().status().as_u16(), right.unwrap().status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
}

#[tokio::test]
async fn a_rolled_secret_signs_beside_the_old_one_and_then_alone() {
    let shop = Shop::open().await;
    let client = Client::start(Config { seed: Some(1), ..Config::default() }).await;
    let form = format!("url={}&enabled_events[]=*", shop.url);
    let made = read(client.post("/v1/webhook_endpoints", &form).await.unwrap()).await;
    let (id, old) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    assert!(client.look(&format!("/v1/webhook_endpoints/{id}")).await.get("secret").is_none(), "shown once");
    let rolled = client.control(&format!("webhook_endpoints/{id}/roll"), &json!({ "overlap_seconds": 60 })).await;
    let new = rolled["secret"].as_str().unwrap();
    for (advance, secrets) in [(0, vec![new, old]), (61, vec![new])] {
        client.control("clock", &json!({ "advance_seconds": advance })).await;
        client.post("/v1/customers", "name=Ada").await.unwrap();
        client.control("flush", &json!({})).await;
        let (signature, body) = shop.received.lock().unwrap().last().unwrap().clone();
        let signed_at = signature.split([',', '=']).nth(1).unwrap().parse().unwrap();
        assert_eq!(signature, sign(&secrets, Moment::from_seconds(signed_at), &body));
    }
}

#[tokio::test]
async fn a_restart_finds_money_timers_and_undelivered_webhooks() {
    let directory = directory("restart");
    let shop = Shop::open().await;
    shop.answers(&[500; 100]);
    let config = Config { data_dir: Some(directory.clone()), ..Config::default() };
    let mut client = Client::start(config.clone()).await;
    let form = format!("url={}&enabled_events[]=*", shop.url);
    client.post("/v1/webhook_endpoints", &form).await.unwrap();
    let form = "amount=900&currency=eur&confirm=true&payment_method_data[type]=sepa_debit\
        &payment_method_data[sepa_debit][iban]=AT321904300235473204&payment_method_data[billing_details][name]=Ada\
        &payment_method_data[billing_details][email]=ada@shop.test";
    client.post_with_key("/v1/payment_intents", form, Some("job_1")).await.unwrap();
    client.control("flush", &json!({})).await;
    let before = client.look("/_control/truth").await;
    assert_eq!(before["payments"][0]["status"], "processing");
    client.handle.take().unwrap().stop().await.unwrap();

    shop.answers(&[]);
    let client = Client::start(config).await;
    assert_eq!(client.look("/_control/truth").await, before);
    let replayed = client.post_with_key("/v1/payment_intents", form, Some("job_1")).await.unwrap();
    assert_eq!(replayed.headers()["idempotent-replayed"], "true");
    client.control("clock", &json!({ "advance_seconds": 180 })).await;
    let flushed = client.control("flush", &json!({})).await;
    assert_eq!(flushed["waiting"], 0);
    assert_eq!(client.look("/_control/truth").await["payments"][0]["captured"], 900);
    std::fs::remove_dir_all(&directory).unwrap();
}

#[tokio::test]
async fn a_page_is_protected_by_its_headers_and_leads_back_to_the_shop() {
    let shop = Shop::open().await;
    let client = Client::of(&shop).await;
    let form = "mode=payment&line_items[0][quantity]=2&line_items[0][price_data][currency]=eur\
        &line_items[0][price_data][unit_amount]=1200&line_items[0][price_data][product_data][name]=%3Cb%3ELumen\
        &success_url=https://shop.test/thanks&cancel_url=https://shop.test/back&locale=de";
    let session = read(client.post("/v1/checkout/sessions", form).await.unwrap()).await;
    let page = client.http.get(session["url"].as_str().unwrap()).send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(
        policy.contains("default-src 'none'") && policy.contains("form-action 'self' https://shop.test"),
        "{policy}"
    );
    let body = page.text().await.unwrap();
    assert!(body.contains("&#60;b&#62;Lumen") && !body.contains("<b>Lumen"), "names are escaped");
    assert!(body.contains("24,00\u{a0}€") && body.contains("Simuliertes Gateway"), "{body}");
    assert!(!body.contains("<script"), "no script");
    let missing = client.http.get(format!("{}/pay/cs_test_none", client.base_url)).send().await.unwrap();
    assert_eq!(missing.status(), 404);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let shop = Shop::open().await;
    let client = Client::of(&shop).await;
    let answer = client.post("/v1/customers", &format!("name={}", "a".repeat(300_000))).await.unwrap();
    assert_eq!(answer.status(), 413);
}
