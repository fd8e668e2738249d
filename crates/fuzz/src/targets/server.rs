//! The whole door: method, path, query, headers and body of a request, through the site to a shop on a real store.
//!
//! Forms, JSON bodies, cursors and ids are read by private functions of the pages and of the API; whatever they are
//! sent, nothing is an error of ours, and what a program is told it can read.

use std::sync::Arc;

use app::{App, Catalog, Clock, Entropy, Http, HttpFailure, Mailbox, Mailer, NewShop, Settings};
use axum::body::{Body, to_bytes};
use axum::http::{Request, Uri, header};
use domain::{Email, Mode, Scope, Seller, Timestamp};
use gateways::{HttpRequest, HttpResponse};
use serde_json::Value;
use store::testing::{Directory, sqlite_store};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;
use web::{Site, Web};

use crate::Target;

/// A gateway that nobody reaches.
struct NoGateway;

impl Http for NoGateway {
    fn send(
        &self,
        _request: HttpRequest,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<HttpResponse, HttpFailure>> + Send + '_>> {
        Box::pin(async { Err(HttpFailure("there is no gateway".to_owned())) })
    }
}

struct Server {
    runtime: Runtime,
    site: Site,
    api_key: String,
    _directory: Directory,
}

const WORDS: &[&str] = &[
    "GET ",
    "POST ",
    "/v1/orders",
    "/v1/checkouts",
    "/v1/licenses/validate",
    "/v1/licenses/activate",
    "/v1/events",
    "/console/search?q=",
    "/checkout/",
    "/buy/",
    "/portal/key",
    "/portal/code",
    "/portal/enter",
    "/language",
    "/hooks/",
    "?limit=",
    "&starting_after=",
    "&ending_before=",
    "&state=",
    "&order=",
    "ord_01hf7yat00e9jb3m7q2v8xk4wn",
    "evt_01hf7yat00e9jb3m7q2v8xk4wn",
    "cus_",
    "gw_",
    "\n\n",
    "content-type: application/json",
    "idempotency-key: a",
    "content-type: application/x-www-form-urlencoded",
    "accept-language: fa-IR",
    "cookie: ",
    "\"plan\":",
    "\"quantity\":",
    "\"currency\":\"EUR\"",
    "\"customer\":{",
    "\"email\":",
    "\"country\":\"DE\"",
    "email=",
    "country=DE",
    "quantity=",
    "consent=yes",
    "press=pay",
    "key=",
    "code=",
    "locale=fa",
];

/// `METHOD path`, headers, an empty line, the body.
pub(super) fn requests() -> Target {
    let server = Server::open();
    let json = "content-type: application/json";
    let form = "content-type: application/x-www-form-urlencoded";
    let seeds = [
        "GET /\n\n".to_owned(),
        "GET /?lang=fa\naccept-language: fa-IR, en;q=0.5\n\n".to_owned(),
        "GET /v1/orders?limit=10&starting_after=ord_01hf7yat00e9jb3m7q2v8xk4wn\n\n".to_owned(),
        "GET /v1/events?limit=1&ending_before=evt_01hf7yat00e9jb3m7q2v8xk4wn&type=order.paid\n\n".to_owned(),
        "GET /v1/licenses/lic_01hf7yat00e9jb3m7q2v8xk4wn\n\n".to_owned(),
        "GET /console/search?q=ada%40example.org\n\n".to_owned(),
        "GET /p/lumen\n\n".to_owned(),
        "GET /buy/pro?quantity=2&currency=EUR\n\n".to_owned(),
        format!(
            "POST /v1/checkouts\n{json}\nidempotency-key: one\n\n{}",
            r#"{"plan":"pro","quantity":2,"currency":"EUR","customer":{"email":"ada@example.org","country":"DE"}}"#
        ),
        format!("POST /v1/licenses/validate\n{json}\n\n{}", r#"{"key":"000G-40R4-0M30-E209-185G-R38E-1WEC"}"#),
        format!(
            "POST /v1/licenses/activate\n{json}\n\n{}",
            r#"{"key":"000G-40R4-0M30-E209-185G-R38E-1WEC","fingerprint":"device-1","name":"Ada's"}"#
        ),
        format!(
            "POST /v1/orders/ord_01hf7yat00e9jb3m7q2v8xk4wn/refunds\n{json}\nidempotency-key: two\n\n{{\"amount\":1}}"
        ),
        format!("POST /buy/pro\n{form}\n\nemail=ada%40example.org&country=DE&quantity=1&consent=yes&press=pay"),
        format!("POST /portal/key\n{form}\n\nkey=000G-40R4-0M30-E209-185G-R38E-1WEC&order=1"),
        format!("POST /portal/code\n{form}\n\nemail=ada%40example.org"),
        format!("POST /language\n{form}\n\nlocale=de&back=%2F"),
        format!("POST /hooks/gw_01hf7yat00e9jb3m7q2v8xk4wn\nstripe-signature: t=1,v1=00\n{json}\n\n{{}}"),
    ];
    let seeds = seeds.map(String::into_bytes).to_vec();
    Target { name: "requests", words: WORDS, seeds, share: 50, read: Box::new(move |input| server.read(input)) }
}

impl Server {
    fn open() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (site, api_key, directory) = runtime.block_on(async {
            let (store, directory) = sqlite_store().await;
            let mailbox = Arc::new(Mailbox::open(directory.path()).unwrap());
            let app = App::start(
                store,
                Arc::new(NoGateway),
                mailbox as Arc<dyn Mailer>,
                Clock::simulated(Timestamp::from_seconds(super::NOW)),
                Entropy::System,
                Catalog::new(None).unwrap(),
                Settings {
                    public_url: "http://shop.test".to_owned(),
                    mail_from: Email::parse("shop@shop.test").unwrap(),
                },
            )
            .await
            .unwrap();
            let new = NewShop {
                name: "Fuzz".to_owned(),
                mode: Mode::Sandbox,
                seller: Seller::default(),
                terms: "Terms.".to_owned(),
                refund_policy: "None.".to_owned(),
            };
            let shop = app.create_shop(new).await.unwrap();
            app.create_sample_catalog(&shop).await.unwrap();
            let api_key = app.create_api_key(&shop, "fuzz", Scope::Manage).await.unwrap().key;
            (web::site(Web { app: Arc::clone(&app), mailbox: None }), api_key, directory)
        });
        Self { runtime, site, api_key, _directory: directory }
    }

    fn read(&self, input: &[u8]) -> String {
        let (head, body) = match input.windows(2).position(|pair| pair == b"\n\n") {
            Some(end) => (&input[..end], &input[end + 2..]),
            None => (input, &[][..]),
        };
        let head = String::from_utf8_lossy(head);
        let mut lines = head.lines();
        let (method, path) = lines.next().and_then(|line| line.split_once(' ')).unwrap_or(("GET", "/"));
        // What is no address and no header is refused before it reaches us.
        let Ok(uri) = path.parse::<Uri>() else { return "no address".to_owned() };
        let is_for_programs = uri.path().starts_with("/v1/");
        let mut request = Request::builder().method(method).uri(uri).header(header::HOST, "shop.test");
        if is_for_programs {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.api_key));
        }
        for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
            request = request.header(name, value.as_bytes());
        }
        let Ok(request) = request.body(Body::from(body.to_vec())) else { return "no request".to_owned() };
        let path = request.uri().path().split('/').take(3).collect::<Vec<_>>().join("/");
        self.runtime.block_on(async {
            let response = self.site.clone().oneshot(request).await.unwrap();
            let status = response.status();
            let body = to_bytes(response.into_body(), 16 << 20).await.expect("a whole answer");
            assert!(
                status.as_u16() < 500 || status.as_u16() == 503,
                "{status}: {}",
                String::from_utf8_lossy(&body[..body.len().min(2_000)])
            );
            let mut code = String::new();
            if is_for_programs && !body.is_empty() && method != "HEAD" {
                let told: Value = serde_json::from_slice(&body).expect("JSON for a program");
                code = told["code"].as_str().unwrap_or_default().to_owned();
            }
            // Names in addresses make no behaviour of their own.
            let known = ["/v1/", "/console/", "/portal/", "/buy", "/checkout", "/orders", "/language", "/hooks", "/p"];
            let known = known.iter().find(|known| path.starts_with(**known)).copied().unwrap_or("other");
            format!("{method} {known} {} {code}", status.as_u16())
        })
    }
}
