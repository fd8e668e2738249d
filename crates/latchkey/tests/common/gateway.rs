//! The simulated gateway as a process of its own, and the buyer in front of its page.

use std::collections::BTreeSet;

use sandbox::model::delivery::sign;
use sandbox::model::moment::Moment;
use serde_json::{Value, json};
use store::testing::Directory;

use super::http::{Http, Reply, Sent};
use super::process::Process;

pub const SECRET_KEY: &str = "sk_test_storm";

/// What a buyer types on the gateway's page.
pub const GOOD_CARD: &str = "4242424242424242";
pub const DECLINED_CARD: &str = "4000000000009995";
pub const CHALLENGED_CARD: &str = "4000002760003184";
pub const DISPUTED_CARD: &str = "4000000000000259";
pub const SLOW_DEBIT: &str = "DE08370400440532013003";
pub const RETURNED_DEBIT: &str = "DE78370400440532013004";

/// A running gateway with its folder.
pub struct Gateway {
    _process: Process,
    _folder: Directory,
    http: Http,
    pub url: String,
}

impl Gateway {
    pub fn start() -> Self {
        let folder = Directory::new();
        let data = folder.path().join("sandbox");
        let data = data.to_str().expect("a path in UTF-8");
        let (process, said) =
            Process::start(folder.path(), &["sandbox", "--json", "--listen", "127.0.0.1:0", "--data", data]);
        let url = said["url"].as_str().expect("its address").to_owned();
        Self { _process: process, _folder: folder, http: Http::new(), url }
    }

    /// A call of the merchant's own API.
    pub async fn call(&self, path: &str, fields: &[(&str, &str)]) -> Value {
        let key = format!("Bearer {SECRET_KEY}");
        let headers = [("authorization", key.as_str())];
        let url = format!("{}{path}", self.url);
        let reply = if fields.is_empty() {
            self.http.get(&url, &headers).await
        } else {
            self.http.post_form(&url, &headers, fields).await
        };
        well(reply, path)
    }

    pub async fn control(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}/_control/{path}", self.url);
        well(self.http.post_json(&url, &[], body).await, path)
    }

    pub async fn faults(&self, faults: &Value) {
        self.control("faults", faults).await;
    }

    pub async fn advance(&self, seconds: i64) {
        self.control("clock", &json!({ "advance_seconds": seconds })).await;
    }

    /// Sends everything that is due, until nothing is left and nothing is under way.
    pub async fn flush(&self) -> Value {
        self.control("flush", &json!({})).await
    }

    pub async fn truth(&self) -> Value {
        well(self.http.get(&format!("{}/_control/truth", self.url), &[]).await, "truth")
    }

    /// The attempts to deliver: how many, and how many were acknowledged.
    pub async fn attempts(&self) -> (usize, usize) {
        let deliveries = self.deliveries().await;
        let all: Vec<&Value> = deliveries.iter().flat_map(|delivery| list(&delivery["attempts"])).collect();
        (all.len(), all.iter().filter(|attempt| was_taken(attempt)).count())
    }

    /// The events that were acknowledged with 2xx, by id.
    pub async fn acknowledged(&self) -> BTreeSet<String> {
        let deliveries = self.deliveries().await;
        let taken = deliveries.iter().filter(|delivery| list(&delivery["attempts"]).iter().any(was_taken));
        taken.map(|delivery| delivery["event"].as_str().expect("an event").to_owned()).collect()
    }

    async fn deliveries(&self) -> Vec<Value> {
        let shown = well(self.http.get(&format!("{}/_control/deliveries", self.url), &[]).await, "deliveries");
        list(&shown["deliveries"]).clone()
    }

    /// The newest events, as the gateway would send them.
    pub async fn newest_events(&self, limit: u32) -> Vec<Value> {
        list(&self.call(&format!("/v1/events?limit={limit}"), &[]).await["data"]).clone()
    }

    /// The event of this kind that is about this order.
    pub async fn event(&self, kind: &str, order: &str) -> Value {
        let mut after = String::new();
        loop {
            let page = self.call(&format!("/v1/events?limit=100&type={kind}{after}"), &[]).await;
            let events = list(&page["data"]);
            let found = events.iter().find(|event| event["data"]["object"]["metadata"]["latchkey_order"] == order);
            if let Some(found) = found {
                return found.clone();
            }
            let last = events.last().unwrap_or_else(|| panic!("no {kind} about {order}"));
            after = format!("&starting_after={}", last["id"].as_str().expect("an id"));
        }
    }

    /// Fills the hosted page in and sends it; where the buyer is sent then.
    pub async fn pay(&self, page: &str, means: &[(&str, &str)]) -> Sent {
        let fields: Vec<_> = [("email", "buyer@example.org")].into_iter().chain(means.iter().copied()).collect();
        self.http.post_form(page, &[], &fields).await
    }

    pub async fn pay_by_card(&self, page: &str, number: &str) -> Sent {
        self.pay(page, &[("method", "card"), ("card_number", number), ("exp", "12/34"), ("cvc", "123")]).await
    }

    pub async fn pay_by_debit(&self, page: &str, iban: &str) -> Sent {
        self.pay(page, &[("method", "sepa_debit"), ("name", "Ada Buyer"), ("iban", iban)]).await
    }

    pub async fn answer_challenge(&self, page: &str) -> Sent {
        self.http.post_form(&format!("{page}/challenge"), &[], &[("outcome", "complete")]).await
    }
}

fn well(reply: Sent, what: &str) -> Value {
    let reply = reply.unwrap_or_else(|error| panic!("the gateway does not answer {what}: {error}"));
    assert!(reply.is_success(), "the gateway answers {what} with {}: {}", reply.status, reply.body);
    reply.json()
}

/// The items of a JSON list.
fn was_taken(attempt: &Value) -> bool {
    attempt["status"].as_u64().is_some_and(|status| (200..300).contains(&status))
}

pub fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("a list, not {value}"))
}

/// Delivers a body with a signature of this secret, made so many seconds ago.
pub async fn deliver(http: &Http, hook_url: &str, secret: &str, seconds_ago: i64, body: &str) -> Sent {
    let signature = signature(secret, seconds_ago, body);
    deliver_signed(http, hook_url, &signature, body).await
}

pub async fn deliver_signed(http: &Http, hook_url: &str, signature: &str, body: &str) -> Sent {
    let headers = [("stripe-signature", signature), ("content-type", "application/json")];
    http.send(reqwest::Method::POST, hook_url, &headers, body.as_bytes().to_vec()).await
}

pub fn signature(secret: &str, seconds_ago: i64, body: &str) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock after 1970").as_secs();
    let now = i64::try_from(now).expect("a time that fits");
    sign(&[secret], Moment::from_seconds(now - seconds_ago), body)
}

/// An event as the gateway writes it into a delivery.
pub fn body_of(event: &Value) -> String {
    format!("{event:#}")
}

/// Whether the gateway's page sent the buyer on.
pub fn is_paid(reply: &Reply) -> bool {
    reply.location().is_some_and(|to| !to.contains("/pay/"))
}
