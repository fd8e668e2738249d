//! Many at once: devices that reach for the last seats, and a gateway that says the same a thousand times. Asked over
//! the site, on both databases, with the simulated gateway over loopback.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::Arc;

use app::{App, Catalog, Clock, Entropy, Mailbox, Mailer, NewShop, ReqwestHttp, Settings};
use aws_lc_rs::hmac;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use data_encoding::HEXLOWER;
use domain::{BuyerDetails, CheckoutId, Country, Email, GatewayAccountId, Locale, Mode, Scope, Seller, Shop};
use serde_json::{Value, json};
use store::testing::{Directory, postgres_store, sqlite_store};
use store::{DeliveryFilter, NoticeFilter, Page, Store};
use tokio::net::TcpListener;
use tower::ServiceExt as _;
use web::{Site, Web};

const SECRET_KEY: &str = "sk_test_crowd";
const HOOK_SECRET: &str = "whsec_crowd";

macro_rules! sentences {
    ($($sentence:ident)*) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $sentence() {
                let (store, _directory) = super::sqlite_store().await;
                super::$sentence(store).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $sentence() {
                super::$sentence(super::postgres_store().await).await;
            })*
        }
    };
}

sentences! {
    five_hundred_devices_at_once_get_five_seats
    an_event_that_is_delivered_a_thousand_times_at_once_issues_one_license
    a_hundred_events_that_say_the_same_at_once_issue_one_license
}

struct World {
    app: Arc<App>,
    shop: Shop,
    account: GatewayAccountId,
    api_key: String,
    site: Site,
    _gateway: sandbox::Handle,
    _mails: Directory,
}

impl World {
    async fn new(store: Store) -> Self {
        let mails = Directory::new();
        let mailbox = Arc::new(Mailbox::open(mails.path()).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gateway =
            sandbox::Sandbox::start(listener, sandbox::Config { seed: Some(7), ..Default::default() }).unwrap();
        let app = App::start(
            store,
            Arc::new(ReqwestHttp::new().unwrap()),
            Arc::clone(&mailbox) as Arc<dyn Mailer>,
            Clock::System,
            Entropy::System,
            Catalog::new(None).unwrap(),
            Settings {
                public_url: "http://shop.test".to_owned(),
                mail_from: Email::parse("shop@lumen.example").unwrap(),
            },
        )
        .await
        .unwrap();
        let new = NewShop {
            name: "Lumen".to_owned(),
            mode: Mode::Sandbox,
            seller: Seller::default(),
            terms: "Be kind.".to_owned(),
            refund_policy: "30 days.".to_owned(),
        };
        let shop = app.create_shop(new).await.unwrap();
        app.create_sample_catalog(&shop).await.unwrap();
        let credentials =
            json!({ "secret_key": SECRET_KEY, "webhook_secret": HOOK_SECRET, "base_url": gateway.base_url });
        let account = app.connect_gateway(&shop, "stripe", credentials.to_string()).await.unwrap().id;
        // The gateway opens pages for a key that it knows; its own webhooks go nowhere here.
        let endpoint = sandbox::Endpoint {
            secret_key: SECRET_KEY.to_owned(),
            url: "http://127.0.0.1:9/".to_owned(),
            secrets: vec![HOOK_SECRET.to_owned()],
        };
        gateway.add_endpoint(endpoint).await.unwrap();
        let api_key = app.create_api_key(&shop, "crowd", Scope::Manage).await.unwrap().key;
        let site = web::site(Web { app: Arc::clone(&app), mailbox: None });
        Self { app, shop, account, api_key, site, _gateway: gateway, _mails: mails }
    }

    async fn ask(&self, request: Request<Body>) -> (StatusCode, Value) {
        let response = self.site.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = to_bytes(body, 4 << 20).await.unwrap();
        (parts.status, serde_json::from_slice(&text).unwrap())
    }

    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "shop.test")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.api_key));
        self.ask(request.body(body.map_or_else(Body::empty, |body| Body::from(body.to_string()))).unwrap()).await
    }

    /// A buyer at the gateway's page: the ids of order and payment.
    async fn submitted(&self, plan: &str) -> (String, String) {
        let input =
            json!({ "plan": plan, "currency": "EUR", "customer": { "email": "ada@example.com", "country": "DE" } });
        let (status, checkout) = self.call("POST", "/v1/checkouts", Some(input)).await;
        assert_eq!(status, StatusCode::CREATED, "{checkout}");
        let id = CheckoutId::parse(checkout["id"].as_str().unwrap()).unwrap();
        let buyer = BuyerDetails {
            email: Email::parse("ada@example.com").unwrap(),
            name: None,
            country: Country::DE,
            locale: Locale::english(),
            immediate_supply: true,
            accepts_later: true,
            answers: BTreeMap::new(),
        };
        let submitted = self.app.submit_checkout(&self.shop, id, &buyer).await.unwrap();
        (submitted.order.to_string(), submitted.payment.id.to_string())
    }

    /// The gateway's word, signed, that the money of the payment has come.
    fn captured(&self, event: &str, order: &str, payment: &str) -> Request<Body> {
        let intent = json!({
            "id": "pi_crowd", "object": "payment_intent", "livemode": false, "status": "succeeded",
            "amount": 9_900, "amount_received": 9_900, "currency": "eur", "payment_method_types": ["card"],
            "metadata": { "latchkey_shop": self.shop.id, "latchkey_order": order, "latchkey_payment": payment },
        });
        let body = json!({
            "id": event, "object": "event", "type": "payment_intent.succeeded", "livemode": false,
            "created": self.app.clock.now().as_seconds(), "data": { "object": intent },
        })
        .to_string();
        let time = self.app.clock.now().as_seconds();
        let key = hmac::Key::new(hmac::HMAC_SHA256, HOOK_SECRET.as_bytes());
        let signature = HEXLOWER.encode(hmac::sign(&key, format!("{time}.{body}").as_bytes()).as_ref());
        Request::builder()
            .method("POST")
            .uri(format!("/hooks/{}", self.account))
            .header("stripe-signature", format!("t={time},v1={signature}"))
            .body(Body::from(body))
            .unwrap()
    }

    /// All of these at once, and how often each answer came.
    async fn crowd(self: &Arc<Self>, requests: Vec<Request<Body>>) -> BTreeMap<String, usize> {
        let asked: Vec<_> = requests
            .into_iter()
            .map(|request| {
                let world = Arc::clone(self);
                tokio::spawn(async move { world.ask(request).await })
            })
            .collect();
        let mut answers = BTreeMap::new();
        for answer in asked {
            let (status, body) = answer.await.unwrap();
            let word = body["code"].as_str().or(body["events"][0].as_str()).unwrap_or_default();
            *answers.entry(format!("{} {word}", status.as_u16()).trim().to_owned()).or_default() += 1;
        }
        answers
    }

    /// The licenses of the order, with their keys, and how many mails carry them.
    async fn issued(&self, order: &str) -> (Vec<Value>, usize) {
        let (_, order) = self.call("GET", &format!("/v1/orders/{order}"), None).await;
        assert_eq!(order["state"], "paid", "{order}");
        let page = Page { starting_after: None, ending_before: None, limit: 100 };
        let deliveries = self.app.store.deliveries(self.shop.id, &DeliveryFilter::default(), page).await.unwrap();
        (order["licenses"].as_array().unwrap().clone(), deliveries.data.len())
    }
}

fn answers<const N: usize>(expected: [(&str, usize); N]) -> BTreeMap<String, usize> {
    expected.into_iter().map(|(answer, count)| (answer.to_owned(), count)).collect()
}

async fn five_hundred_devices_at_once_get_five_seats(store: Store) {
    let world = Arc::new(World::new(store).await);
    let (order, payment) = world.submitted("lumen-pro").await;
    assert_eq!(world.ask(world.captured("evt_1", &order, &payment)).await.0, StatusCode::OK);
    let (licenses, _) = world.issued(&order).await;
    let devices = (0..500)
        .map(|device| {
            let ask = json!({ "key": licenses[0]["key"], "fingerprint": format!("device-{device}") });
            let request =
                Request::builder().method("POST").uri("/v1/licenses/activate").header(header::HOST, "shop.test");
            request.body(Body::from(ask.to_string())).unwrap()
        })
        .collect();
    assert_eq!(world.crowd(devices).await, answers([("201", 5), ("409 seat_limit_reached", 495)]));
    let (_, license) = world.call("GET", &format!("/v1/licenses/{}", licenses[0]["id"].as_str().unwrap()), None).await;
    assert_eq!(license["seats_used"], 5);
    assert_eq!(license["activations"].as_array().unwrap().len(), 5);
}

async fn an_event_that_is_delivered_a_thousand_times_at_once_issues_one_license(store: Store) {
    let world = Arc::new(World::new(store).await);
    let (order, payment) = world.submitted("lumen-pro").await;
    let mut told = BTreeMap::new();
    let mut missing = 1_000;
    while missing > 0 {
        let deliveries = (0..missing).map(|_| world.captured("evt_1", &order, &payment)).collect();
        let mut answers = world.crowd(deliveries).await;
        // What a busy database could not take in time was not stored: the gateway comes again.
        missing = answers.remove("503 unavailable").unwrap_or(0);
        for (answer, count) in answers {
            *told.entry(answer).or_default() += count;
        }
    }
    assert_eq!(told, answers([("200 applied", 1), ("200 duplicate", 999)]));
    let (licenses, mails) = world.issued(&order).await;
    assert_eq!((licenses.len(), mails), (1, 1));
}

async fn a_hundred_events_that_say_the_same_at_once_issue_one_license(store: Store) {
    let world = Arc::new(World::new(store).await);
    let (order, payment) = world.submitted("lumen-pro").await;
    let deliveries = (0..100).map(|number| world.captured(&format!("evt_{number}"), &order, &payment)).collect();
    let told = world.crowd(deliveries).await;
    // What collided too often is stored, and a worker applies it.
    assert_eq!(told.values().sum::<usize>(), 100);
    assert!(told.keys().all(|answer| ["200 applied", "200 stored"].contains(&answer.as_str())), "{told:?}");
    let (licenses, mails) = world.issued(&order).await;
    assert_eq!((licenses.len(), mails), (1, 1));
    let page = Page { starting_after: None, ending_before: None, limit: 100 };
    let notices = world.app.store.notices(world.shop.id, &NoticeFilter::default(), page).await.unwrap();
    assert_eq!(notices.data.len(), 100, "every one of them is kept");
}
