//! A gateway in-process: the same functions that the server calls, without a socket.

#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "each test binary uses its part")]

use sandbox::model::moment::Moment;
use sandbox::wire::{Reply, Request};
use sandbox::{World, control, page, wire};
use serde_json::Value;

pub(crate) const START: i64 = 1_800_000_000;
pub(crate) const KEY: &str = "sk_test_tables";

pub(crate) struct Gateway {
    pub(crate) world: World,
    pub(crate) now: i64,
}

impl Gateway {
    pub(crate) fn new() -> Self {
        Self { world: World::new(7, "http://gateway.test"), now: START }
    }

    pub(crate) fn real(&self) -> Moment {
        Moment::from_seconds(self.now)
    }

    pub(crate) fn call(&mut self, method: &str, path: &str, form: &str) -> Reply {
        self.call_with(method, path, form, &[])
    }

    pub(crate) fn call_with(&mut self, method: &str, path: &str, form: &str, headers: &[(&str, &str)]) -> Reply {
        let now = self.world.now(self.real());
        wire::answer(&mut self.world, now, &request(method, path, form, headers))
    }

    /// A call that succeeds.
    pub(crate) fn ok(&mut self, method: &str, path: &str, form: &str) -> Value {
        let reply = self.call(method, path, form);
        assert_eq!(reply.status, 200, "{method} {path} {form}: {}", reply.body);
        serde_json::from_str(&reply.body).unwrap()
    }

    /// A call that is refused: the status and the error.
    pub(crate) fn refused(&mut self, method: &str, path: &str, form: &str) -> (u16, Value) {
        let reply = self.call(method, path, form);
        assert_ne!(reply.status, 200, "{method} {path} {form}: {}", reply.body);
        let body: Value = serde_json::from_str(&reply.body).unwrap();
        (reply.status, body["error"].clone())
    }

    pub(crate) fn session(&mut self, more: &str) -> String {
        let form = format!("{SESSION}&{more}");
        self.ok("POST", "/v1/checkout/sessions", form.trim_end_matches('&'))["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn page(&mut self, method: &str, path: &str, form: &str) -> Reply {
        let now = self.world.now(self.real());
        page::answer(&mut self.world, now, &request(method, path, form, &[]))
    }

    pub(crate) fn control(&mut self, method: &str, path: &str, body: &str) -> Value {
        let reply = self.control_reply(method, path, body);
        assert_eq!(reply.status, 200, "{method} {path} {body}: {}", reply.body);
        serde_json::from_str(&reply.body).unwrap()
    }

    pub(crate) fn control_reply(&mut self, method: &str, path: &str, body: &str) -> Reply {
        let real = self.real();
        control::answer(&mut self.world, real, &request(method, path, body, &[]))
    }

    /// Everything that happened, oldest first.
    pub(crate) fn events(&mut self) -> Vec<String> {
        let list = self.ok("GET", "/v1/events?limit=100", "");
        let mut kinds: Vec<String> =
            list["data"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect();
        kinds.reverse();
        kinds
    }

    /// The only payment, as the truth has it.
    pub(crate) fn payment(&mut self) -> Value {
        self.control("GET", "/_control/truth", "")["payments"][0].clone()
    }
}

pub(crate) const SESSION: &str = "mode=payment&line_items[0][quantity]=1&line_items[0][price_data][currency]=eur\
    &line_items[0][price_data][unit_amount]=4900&line_items[0][price_data][product_data][name]=Lumen\
    &success_url=https://shop.test/thanks?session={CHECKOUT_SESSION_ID}&cancel_url=https://shop.test/back\
    &client_reference_id=ord_1&payment_intent_data[metadata][order]=ord_1";

pub(crate) fn request(method: &str, target: &str, form: &str, headers: &[(&str, &str)]) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut all = vec![("authorization".to_owned(), format!("Bearer {KEY}"))];
    all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: all.into_iter().collect(),
        body: form.as_bytes().to_vec(),
    }
}

pub(crate) fn card(number: &str) -> String {
    format!("email=buyer@shop.test&method=card&card_number={number}&exp=12/34&cvc=123")
}

pub(crate) fn debit(iban: &str) -> String {
    format!("email=buyer@shop.test&method=sepa_debit&name=Ada+Buyer&iban={iban}")
}
