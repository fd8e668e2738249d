//! The second door: the simulated gateway, its API, its page, its dashboard and its webhooks, and the lines to it.
//!
//! The model of the sandbox is the truth that our rows are compared with. It
//! is called as functions; what a network does to a call is done here.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use app::{Http, HttpFailure};
use gateways::{Headers, HttpRequest, HttpResponse};
use sandbox::model::delivery::{self, Carried, Outgoing, Ripe};
use sandbox::model::moment::Moment;
use sandbox::model::{Context, account, intent, timer, truth};
use sandbox::wire::{Reply, Request};
use sandbox::{World, control, page, wire};
use serde_json::{Value, json};

use crate::universe::{Bell, Universe, hold};

pub(crate) const KEY: &str = "sk_test_sim";
pub(crate) const SECRET: &str = "whsec_sim";
pub(crate) const URL: &str = "http://127.0.0.1:9";

/// The gateway.
pub(crate) struct Gateway {
    world: Mutex<World>,
    universe: Arc<Universe>,
    account: String,
    /// Calls whose caller has gone, and when they arrive after all.
    late: Mutex<Vec<(i64, Request)>>,
    /// Whether something other than an event list was asked since somebody last looked.
    was_asked: AtomicBool,
}

impl Gateway {
    pub(crate) fn new(seed: u64, universe: &Arc<Universe>) -> Self {
        let mut world = World::new(seed, URL);
        let now = Moment::from_milliseconds(universe.now() / 1_000);
        let account = account::open(&mut world, now, KEY).unwrap_or_default();
        let at = Context::internal(now, &account);
        if let Err(error) = delivery::configure(&mut world, &at, "http://shop.test/hooks", &[SECRET.to_owned()]) {
            universe.fail(format!("the gateway takes no endpoint: {error:?}"));
        }
        Self {
            world: Mutex::new(world),
            universe: Arc::clone(universe),
            account,
            late: Mutex::default(),
            was_asked: AtomicBool::new(false),
        }
    }

    fn moment(&self) -> Moment {
        Moment::from_milliseconds(self.universe.now() / 1_000)
    }

    /// What goes wrong inside the gateway from now on.
    pub(crate) fn set_faults(&self, faults: &Value) {
        let request = self.request("POST", "/_control/faults", faults.to_string().into_bytes());
        let _ = self.control(&request);
    }

    fn control(&self, request: &Request) -> Reply {
        let reply = control::answer(&mut hold(&self.world), self.moment(), request);
        self.universe.ring(Bell::Gateway);
        reply
    }

    fn request(&self, method: &str, path: &str, body: Vec<u8>) -> Request {
        let headers = [("authorization".to_owned(), format!("Bearer {KEY}"))].into();
        Request { method: method.to_owned(), path: path.to_owned(), query: String::new(), headers, body }
    }

    /// A call that the seller makes without us, on the gateway's dashboard. `None` when the gateway refuses.
    pub(crate) fn dashboard(&self, path: &str, form: &str) -> Option<Value> {
        let request = self.request("POST", path, form.as_bytes().to_vec());
        let reply = wire::answer(&mut hold(&self.world), self.moment(), &request);
        self.universe.log(|| format!("dashboard: {path} {form}: {}", reply.status));
        self.universe.ring(Bell::Gateway);
        // A fault of the answer does not keep the dashboard's owner from seeing what was done.
        (reply.status == 200).then(|| serde_json::from_str(&reply.body).unwrap_or_default())
    }

    /// Disputes, as the banks open and decide them. `None` when that cannot be.
    pub(crate) fn bank(&self, path: &str, body: &Value) -> Option<Value> {
        let request = self.request("POST", path, body.to_string().into_bytes());
        let reply = self.control(&request);
        self.universe.log(|| format!("bank: {path} {body}: {}", reply.status));
        (reply.status == 200).then(|| serde_json::from_str(&reply.body).unwrap_or_default())
    }

    /// The buyer sends a form of the hosted page.
    pub(crate) fn press(&self, page: &str, form: &str) -> Pressed {
        let request = self.request("POST", &format!("/pay/{page}"), form.as_bytes().to_vec());
        let reply = page::answer(&mut hold(&self.world), self.moment(), &request);
        let pressed = match (reply.status, reply.header("location")) {
            (303, Some(place)) if place.ends_with("/challenge") => Pressed::Challenged,
            (303, Some(place)) if place.starts_with("/pay/") => Pressed::Declined,
            (303, Some(_)) => Pressed::Complete,
            (422, _) => Pressed::Declined,
            (_, _) => Pressed::Closed,
        };
        self.universe.log(|| format!("buyer: /pay/{page}: {} {pressed:?}", reply.status));
        self.universe.ring(Bell::Gateway);
        pressed
    }

    /// The refunds that the gateway knows of a payment, each with the id of ours that it carries.
    pub(crate) fn refunds(&self, intent: &str) -> Vec<Option<String>> {
        let mut request = self.request("GET", "/v1/refunds", Vec::new());
        request.query = format!("payment_intent={intent}&limit=100");
        let reply = wire::answer(&mut hold(&self.world), self.moment(), &request);
        let list: Value = serde_json::from_str(&reply.body).unwrap_or_default();
        let all = list["data"].as_array().cloned().unwrap_or_default();
        all.iter().map(|refund| refund["metadata"]["latchkey_refund"].as_str().map(str::to_owned)).collect()
    }

    /// Lets what the gateway does by itself happen, and what was on its way arrive.
    pub(crate) fn tick(&self) {
        let now = self.universe.now();
        let due: Vec<Request> = {
            let mut late = hold(&self.late);
            let (due, waiting) = std::mem::take(&mut *late).into_iter().partition(|(at, _)| *at <= now);
            *late = waiting;
            let due: Vec<(i64, Request)> = due;
            due.into_iter().map(|(_, request)| request).collect()
        };
        for request in due {
            let reply = wire::answer(&mut hold(&self.world), self.moment(), &request);
            self.universe.log(|| format!("late: {} {}: {}", request.method, request.path, reply.status));
        }
        timer::tick(&mut hold(&self.world), self.moment());
    }

    /// When the gateway wants to do something next, in microseconds.
    pub(crate) fn next_due(&self) -> Option<i64> {
        let world = hold(&self.world);
        let late = hold(&self.late).iter().map(|(at, _)| *at).min();
        let own = [timer::next_due(&world), delivery::next_due(&world)].into_iter().flatten();
        own.map(|moment| (moment.milliseconds() + 1) * 1_000).chain(late).min()
    }

    /// Whether the gateway has nothing more to do or to send.
    pub(crate) fn is_idle(&self) -> bool {
        self.next_due().is_none()
    }

    /// The webhooks that are to be carried now.
    pub(crate) fn claim(&self) -> Vec<Outgoing> {
        let now = self.moment();
        delivery::claim(&mut hold(&self.world), now, now, Ripe::Due, 64)
    }

    /// Tells the gateway how carrying a webhook went.
    pub(crate) fn settle(&self, id: &str, carried: &Carried) {
        delivery::settle(&mut hold(&self.world), self.moment(), id, carried);
        self.universe.ring(Bell::Gateway);
    }

    /// What the gateway would sign this with now.
    pub(crate) fn sign(&self, secret: &str, body: &str) -> String {
        delivery::sign(&[secret], self.moment(), body)
    }

    /// What became of the money, by the gateway's own books.
    pub(crate) fn truth(&self) -> Value {
        truth::show(&hold(&self.world), Some(&self.account))
    }

    /// Every payment of an order of ours that took money, by the gateway's own books, oldest first.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        let truth = self.truth();
        let all = truth["payments"].as_array().cloned().unwrap_or_default();
        let taken = all.iter().filter_map(|payment| {
            let order = payment["metadata"]["latchkey_order"].as_str()?.to_owned();
            let intent = payment["intent"].as_str()?.to_owned();
            let received = payment["captured"].as_i64().filter(|received| *received > 0)?;
            Some(Taken { order, intent, received })
        });
        taken.collect()
    }

    /// How much the gateway has received for this payment, in its own minor units.
    pub(crate) fn received(&self, reference: &str) -> Option<i64> {
        let world = hold(&self.world);
        let at = Context::internal(self.moment(), &self.account);
        intent::retrieve(&world, &at, reference).ok().and_then(|intent| intent["amount_received"].as_i64())
    }

    /// Whether anything but an event list was asked since the last look.
    pub(crate) fn take_was_asked(&self) -> bool {
        self.was_asked.swap(false, Ordering::Relaxed)
    }

    fn answer(&self, request: &Request) -> Result<HttpResponse, HttpFailure> {
        if request.path != "/v1/events" {
            self.was_asked.store(true, Ordering::Relaxed);
        }
        let reply = wire::answer(&mut hold(&self.world), self.moment(), request);
        self.universe.ring(Bell::Gateway);
        if reply.lost {
            return Err(HttpFailure("the connection was closed".to_owned()));
        }
        let headers = Headers::new(reply.headers.into_iter().map(|(name, value)| (name.to_owned(), value)));
        Ok(HttpResponse { status: reply.status, headers, body: reply.body.into_bytes() })
    }
}

/// A payment that took money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Our order, as attached to it.
    pub(crate) order: String,
    /// The gateway's id of it.
    pub(crate) intent: String,
    /// In minor units.
    pub(crate) received: i64,
}

/// Where a form of the hosted page led.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pressed {
    /// The page is done; the money is there, or on its way.
    Complete,
    /// The buyer must prove who they are.
    Challenged,
    /// This did not pay; the page is still open.
    Declined,
    /// The page is closed, or there is none.
    Closed,
}

/// The line from one node to the gateway.
pub(crate) struct Line {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) universe: Arc<Universe>,
    pub(crate) node: usize,
}

impl Line {
    async fn exchange(&self, asked: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        let (universe, node) = (&self.universe, self.node);
        universe.gate().await;
        let request = carried(&asked);
        let what = format!("{} {}", request.method, request.path);
        universe.count(|counts| counts.calls += 1);
        let lost = |why: &str| {
            universe.log(|| format!("node {node} calls {what}: {why}"));
            Err(HttpFailure(format!("simulated: {why}")))
        };
        if request.path == "/v1/events" && hold(&universe.mix).list_is_dead {
            return lost("no answer");
        }
        if universe.fault(|mix| mix.call_slow) {
            universe.sleep(universe.between(100_000, 25_000_000)).await;
        }
        if universe.fault(|mix| mix.crash_before_commit) {
            universe.crash(node, &format!("before it calls {what}")).await;
        }
        if universe.fault(|mix| mix.call_lost) {
            return lost("never arrives");
        }
        if universe.fault(|mix| mix.gateway_busy) {
            universe.log(|| format!("node {node} calls {what}: busy"));
            let body = json!({ "error": { "type": "api_error", "message": "simulated: try again later" } });
            let status = universe.pick(&[429, 500, 502, 503]);
            return Ok(HttpResponse { status, headers: Headers::default(), body: body.to_string().into_bytes() });
        }
        if universe.fault(|mix| mix.call_late) {
            let at = universe.now() + universe.between(1_000_000, 600_000_000);
            hold(&self.gateway.late).push((at, request));
            universe.ring(Bell::Gateway);
            return lost("not listening any more");
        }
        let answered = self.gateway.answer(&request);
        universe.log(|| {
            let status = answered.as_ref().map_or(0, |answer| answer.status);
            format!("node {node} calls {what}: {status}")
        });
        if universe.fault(|mix| mix.crash_after_commit) {
            universe.crash(node, &format!("after it calls {what}")).await;
        }
        if universe.fault(|mix| mix.answer_lost) {
            return lost("the answer is lost");
        }
        universe.gate().await;
        answered
    }
}

fn carried(asked: &HttpRequest) -> Request {
    let target = asked.url.strip_prefix(URL).unwrap_or(&asked.url);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let method = asked.method.as_str();
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: asked.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        body: asked.body.clone(),
    }
}

impl Http for Line {
    fn send(
        &self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpFailure>> + Send + '_>> {
        Box::pin(self.exchange(request))
    }
}
