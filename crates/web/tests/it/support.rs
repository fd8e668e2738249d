//! A shop with everything around it, and a browser without JavaScript.

use std::sync::Arc;

use app::{App, Catalog, Clock, Entropy, Files, Mailbox, Mailer, NewShop, ReleaseInput, ReqwestHttp, Settings};
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use domain::{
    Actor, Changes, Email, FileName, Fulfilment, Mode, Order, OrderId, Payment, PaymentId, Plan, PlanId, Policy,
    Publishing, Question, Refund, RefundId, RefundReason, RefundState, Seller, Shop, Timestamp, Wording,
};
use gateways::{HttpRequest, Method as GatewayMethod};
use store::testing::{Directory, sqlite_store};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower::ServiceExt as _;
use web::{Limits, Site, Web};

const SECRET_KEY: &str = "sk_test_pages";
const HOOK_SECRET: &str = "whsec_pages";

/// A card that pays, and one whose bank says that there are no funds.
pub(crate) const GOOD_CARD: &str = "4242424242424242";
pub(crate) const POOR_CARD: &str = "4000000000009995";

pub(crate) struct World {
    pub(crate) app: Arc<App>,
    pub(crate) shop: Shop,
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) gateway: String,
    site: Site,
    _gateway: sandbox::Handle,
    _stop: watch::Sender<bool>,
    _directory: Directory,
}

impl World {
    /// A shop that sells Lumen in three tiers, connected to a gateway whose webhooks arrive when they are told to.
    pub(crate) async fn new() -> Self {
        let (store, directory) = sqlite_store().await;
        let mailbox = Arc::new(Mailbox::open(directory.path()).unwrap());
        let hooks = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let public_url = format!("http://{}", hooks.local_addr().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gateway =
            sandbox::Sandbox::start(listener, sandbox::Config { seed: Some(7), ..Default::default() }).unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let clock = Clock::simulated(Timestamp::from_seconds(i64::try_from(now.as_secs()).unwrap()));
        let app = App::start(
            store,
            Arc::new(ReqwestHttp::new().unwrap()),
            Arc::clone(&mailbox) as Arc<dyn Mailer>,
            clock,
            Entropy::System,
            Catalog::new(None).unwrap(),
            Settings { public_url, mail_from: Email::parse("shop@lumen.example").unwrap() },
        )
        .await
        .unwrap();
        app.keep_files(Files::at(&directory.path().join("files")));
        let shop = app
            .create_shop(NewShop {
                name: "Lumen".to_owned(),
                mode: Mode::Sandbox,
                seller: Seller {
                    legal_name: "Lumen Software GmbH".to_owned(),
                    address: vec!["Beispielweg 1".to_owned(), "10115 Berlin".to_owned()],
                    email: "hello@lumen.example".to_owned(),
                    tax_id: None,
                },
                terms: "1. **What you buy.** A license.".to_owned(),
                refund_policy: "Money back within 30 days.".to_owned(),
            })
            .await
            .unwrap();
        app.create_sample_catalog(&shop).await.unwrap();
        let account = app.connect_gateway(&shop, "stripe", credentials(&gateway.base_url)).await.unwrap();
        gateway
            .add_endpoint(sandbox::Endpoint {
                secret_key: SECRET_KEY.to_owned(),
                url: format!("{}/hooks/{}", app.settings.public_url, account.id),
                secrets: vec![HOOK_SECRET.to_owned()],
            })
            .await
            .unwrap();
        let site = web::site(Web { app: Arc::clone(&app), mailbox: Some(Arc::clone(&mailbox)) });
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(web::serve(hooks, site.clone(), Limits::default(), stopped));
        Self {
            app,
            shop,
            mailbox,
            gateway: gateway.base_url.clone(),
            site,
            _gateway: gateway,
            _stop: stop,
            _directory: directory,
        }
    }

    /// The same shop as a live one would be, without a mailbox page.
    pub(crate) fn without_mailbox(&self) -> Browser {
        Browser::new(web::site(Web { app: Arc::clone(&self.app), mailbox: None }))
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.site.clone())
    }

    /// As the server has it: who hangs up is not there any more.
    pub(crate) fn browser_that_may_hang_up(&self) -> Browser {
        let web = Web { app: Arc::clone(&self.app), mailbox: None };
        Browser::new(web::site_within(web, &Limits::default(), Some(&tokio::runtime::Handle::current())))
    }

    /// From now on the gateway is reached through here, where each call has to be let through.
    pub(crate) async fn hold_gateway(&self) -> TcpListener {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let account = self.app.gateway_accounts().await.remove(0);
        let reached_at = format!("http://{}", listener.local_addr().unwrap());
        self.app.set_credentials(&account, credentials(&reached_at)).await.unwrap();
        listener
    }

    /// Lets a call through that was held.
    pub(crate) async fn let_through(&self, mut call: TcpStream) {
        let mut gateway = TcpStream::connect(self.gateway.strip_prefix("http://").unwrap()).await.unwrap();
        tokio::spawn(async move { tokio::io::copy_bidirectional(&mut call, &mut gateway).await });
    }

    /// Cuts the line to the gateway.
    pub(crate) async fn cut_gateway(&self) {
        // A port that was just free, and where nobody listens.
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let account = self.app.gateway_accounts().await.remove(0);
        self.app.set_credentials(&account, credentials(&format!("http://127.0.0.1:{port}"))).await.unwrap();
    }

    /// Every webhook arrives, every worker has nothing left to do.
    pub(crate) async fn settle(&self) {
        self.control("flush", "").await;
        while !self.app.step().await.unwrap().is_idle() {}
    }

    pub(crate) async fn control(&self, what: &str, body: &str) -> String {
        let answer = self
            .outside(GatewayMethod::Post, &format!("{}/_control/{what}", self.gateway), "application/json", body)
            .await;
        assert!(answer.status.is_success(), "{what}: {}", answer.text);
        answer.text
    }

    /// Fills the gateway's form.
    pub(crate) async fn pay(&self, page: &str, card: &str) -> Page {
        let form = format!("email=ada%40example.com&method=card&card_number={card}&exp=12%2F40&cvc=123");
        self.outside(GatewayMethod::Post, page, "application/x-www-form-urlencoded", &form).await
    }

    pub(crate) async fn debit(&self, page: &str, iban: &str) -> Page {
        let form = format!("email=ada%40example.com&method=sepa_debit&name=Ada+Buyer&iban={iban}");
        self.outside(GatewayMethod::Post, page, "application/x-www-form-urlencoded", &form).await
    }

    async fn outside(&self, method: GatewayMethod, url: &str, kind: &str, body: &str) -> Page {
        let request = HttpRequest {
            method,
            url: url.to_owned(),
            headers: vec![("content-type", kind.to_owned())],
            body: body.as_bytes().to_vec(),
        };
        let response = self.app.http.send(request).await.unwrap();
        let mut headers = HeaderMap::new();
        if let Some(location) = response.headers.get("location") {
            headers.insert(header::LOCATION, location.parse().unwrap());
        }
        Page {
            status: StatusCode::from_u16(response.status).unwrap(),
            headers,
            text: String::from_utf8(response.body).unwrap(),
        }
    }

    /// Buys with a card that pays and comes back. Gives the browser and the order's address.
    pub(crate) async fn bought(&self, plan: &str, quantity: &str) -> (Browser, String) {
        let mut browser = self.browser();
        let gateway_page = browser.press_pay(plan, &[("quantity", quantity)]).await.location();
        let paid = self.pay(&gateway_page, GOOD_CARD).await;
        let order = browser.get(&self.own(&paid.location())).await.location();
        (browser, order)
    }

    /// An order that was paid twice, and whose second payment could not go back. Gives its address.
    pub(crate) async fn paid_twice(&self) -> String {
        let (_, order) = self.bought("lumen-pro", "1").await;
        self.control("faults", r#"{"drop": 100}"#).await;
        let gateway_page = self.browser().press_pay("lumen-pro", &[]).await.location();
        self.pay(&gateway_page, GOOD_CARD).await;
        let request = HttpRequest {
            method: GatewayMethod::Get,
            url: format!("{}/v1/checkout/sessions/{}", self.gateway, gateway_page.rsplit('/').next().unwrap()),
            headers: vec![("authorization", format!("Bearer {SECRET_KEY}"))],
            body: Vec::new(),
        };
        let session = self.app.http.send(request).await.unwrap().body;
        let session: serde_json::Value = serde_json::from_slice(&session).unwrap();
        let id = OrderId::parse(order.rsplit('/').next().unwrap()).unwrap();
        let sale = self.app.sale(self.shop.id, id).await.unwrap();
        let (now, mut rng) = (self.app.clock.now(), Entropy::System.rng());
        let payment = Payment {
            id: PaymentId::mint(now, &mut rng),
            version: 0,
            page_reference: None,
            reference: Some(session["payment_intent"].as_str().unwrap().to_owned()),
            ..sale.payments[0].clone()
        };
        let refund = Refund {
            id: RefundId::mint(now, &mut rng),
            shop: self.shop.id,
            version: 0,
            payment: payment.id,
            order: id,
            amount: payment.amount,
            reason: RefundReason::SurpriseCapture,
            revoke: Some(false),
            state: RefundState::Failed,
            reference: Some("re_failed".to_owned()),
            requested_by: Actor::System,
            failure: Some("lost_or_stolen_card".to_owned()),
            created_at: now,
        };
        let changes =
            Changes { orders: vec![sale.order], payments: vec![payment], refunds: vec![refund], ..Changes::default() };
        self.app.write(&changes).await.unwrap();
        order
    }

    /// Puts a tier on sale that is as Lumen Pro but for what it allows.
    pub(crate) async fn sells(&self, slug: &str, policy: Policy) {
        let pro = self.app.store.plan_by_slug(self.shop.id, "lumen-pro").await.unwrap().unwrap();
        let id = PlanId::mint(self.app.clock.now(), &mut Entropy::System.rng());
        let plan = Plan { id, version: 0, slug: slug.to_owned(), policy, ..pro };
        self.app.write(&Changes { plans: vec![plan], ..Changes::default() }).await.unwrap();
    }

    /// Puts a tier on sale whose key says what was bought, and is signed.
    pub(crate) async fn signs(&self, slug: &str, policy: Policy) {
        self.sells(slug, policy).await;
        let plan = self.app.store.plan_by_slug(self.shop.id, slug).await.unwrap().unwrap();
        let plan = Plan { fulfilment: Fulfilment::SignedKey, ..plan };
        self.app.write(&Changes { plans: vec![plan], ..Changes::default() }).await.unwrap();
    }

    /// Puts a tier on sale that is as Lumen Pro but asks for a host, and perhaps for a region.
    pub(crate) async fn asks(&self, slug: &str) {
        let pro = self.app.store.plan_by_slug(self.shop.id, "lumen-pro").await.unwrap().unwrap();
        let id = PlanId::mint(self.app.clock.now(), &mut Entropy::System.rng());
        let wording = |texts: &[(&str, &str)]| {
            Wording(texts.iter().map(|(language, text)| ((*language).to_owned(), (*text).to_owned())).collect())
        };
        let host = Question {
            name: "host".to_owned(),
            label: wording(&[("en", "Host name"), ("de", "Name des Hosts")]),
            is_required: true,
            choices: Vec::new(),
            help: Some(wording(&[("en", "As ada.example")])),
        };
        let region = Question {
            name: "region".to_owned(),
            label: wording(&[("en", "Region")]),
            is_required: false,
            choices: vec!["eu-west".to_owned(), "us-east".to_owned()],
            help: None,
        };
        let plan = Plan { id, version: 0, slug: slug.to_owned(), questions: vec![host, region], ..pro };
        self.app.write(&Changes { plans: vec![plan], ..Changes::default() }).await.unwrap();
    }

    /// Publishes a version of Lumen with these files, under today's date.
    pub(crate) async fn publishes(&self, number: &str, files: &[(&str, &[u8])]) -> Publishing {
        let product = self.app.store.product_by_slug(self.shop.id, "lumen").await.unwrap().unwrap();
        let input = ReleaseInput {
            number: number.to_owned(),
            notes: Some("Opens **faster**".to_owned()),
            published_at: None,
            platform: Some("Any <system>".to_owned()),
        };
        let receive = |(name, content): &(&str, &[u8])| {
            let chance = Entropy::System.rng().next_u128();
            (FileName::parse(name).unwrap(), self.app.files().unwrap().receive(*content, chance).unwrap())
        };
        let received: Vec<_> = files.iter().map(receive).collect();
        self.app.publish(&product, &input, &received, Actor::System).await.unwrap()
    }

    /// The path of one of our own addresses.
    pub(crate) fn own(&self, url: &str) -> String {
        url.strip_prefix(&self.app.settings.public_url).unwrap_or_else(|| panic!("{url} is not ours")).to_owned()
    }

    pub(crate) async fn keys(&self, order: &str) -> Vec<String> {
        let id = OrderId::parse(order.rsplit('/').next().unwrap()).unwrap();
        self.app
            .store
            .license_keys(self.shop.id, id)
            .await
            .unwrap()
            .into_iter()
            .map(|(_, key)| key.to_string())
            .collect()
    }

    /// Every order, the newest first.
    pub(crate) async fn orders(&self) -> Vec<Order> {
        let page = store::Page { starting_after: None, ending_before: None, limit: 100 };
        self.app.store.orders(self.shop.id, &store::OrderFilter::default(), page).await.unwrap().data
    }
}

fn credentials(base_url: &str) -> String {
    serde_json::json!({ "secret_key": SECRET_KEY, "webhook_secret": HOOK_SECRET, "base_url": base_url }).to_string()
}

/// A page as it came.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Page {
    pub(crate) fn location(&self) -> String {
        let location = self.headers.get(header::LOCATION);
        location.unwrap_or_else(|| panic!("{} leads nowhere: {}", self.status, self.text)).to_str().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn has(&self, text: &str) -> bool {
        self.text.contains(text)
    }

    /// What stands between the first `from` and the next `to`.
    pub(crate) fn between(&self, from: &str, to: &str) -> &str {
        let (_, rest) = self.text.split_once(from).unwrap_or_else(|| panic!("no {from} in {}", self.text));
        rest.split_once(to).unwrap_or_else(|| panic!("no {to} after {from}")).0
    }

    pub(crate) fn hidden(&self, name: &str) -> String {
        self.between(&format!("type=\"hidden\" name=\"{name}\" value=\""), "\"").to_owned()
    }

    pub(crate) fn title(&self) -> &str {
        self.between("<title>", "</title>")
    }

    #[track_caller]
    pub(crate) fn is(self, status: StatusCode) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }
}

/// A browser without JavaScript: follows nothing by itself, keeps cookies by their path.
#[derive(Clone)]
pub(crate) struct Browser {
    site: Site,
    cookies: Vec<(String, String, String)>,
    pub(crate) languages: &'static str,
}

impl Browser {
    fn new(site: Site) -> Self {
        Self { site, cookies: Vec::new(), languages: "en" }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Page {
        self.send(Method::GET, path, &[], String::new()).await
    }

    /// How many bytes a page has on its way to a browser that takes gzip.
    pub(crate) async fn get_compressed(&mut self, path: &str) -> usize {
        let request = Request::get(path).header(header::HOST, "shop.test").header(header::ACCEPT_ENCODING, "gzip");
        let response = self.site.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.headers()[header::CONTENT_ENCODING], "gzip");
        to_bytes(response.into_body(), 1 << 20).await.unwrap().len()
    }

    pub(crate) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Page {
        let body = serde_urlencoded::to_string(form).unwrap();
        self.send(Method::POST, path, &[("sec-fetch-site", "same-origin")], body).await
    }

    /// A form that another site sends.
    pub(crate) async fn post_from_elsewhere(&mut self, path: &str) -> Page {
        self.send(Method::POST, path, &[("origin", "https://evil.example")], String::new()).await
    }

    /// Fills the till like a buyer in Germany and presses pay; `changes` replace what is typed.
    pub(crate) async fn press_pay(&mut self, plan: &str, changes: &[(&str, &str)]) -> Page {
        let quantity = changes.iter().find(|(name, _)| *name == "quantity").map_or("1", |(_, value)| value);
        let till = self.get(&format!("/buy/{plan}?country=DE&quantity={quantity}")).await.is(StatusCode::OK);
        self.press(&till, plan, changes).await
    }

    /// Presses pay on a till that is shown already.
    pub(crate) async fn press(&mut self, till: &Page, plan: &str, changes: &[(&str, &str)]) -> Page {
        let (visit, shown) = (till.hidden("visit"), till.hidden("shown"));
        let mut form = vec![
            ("visit", visit.as_str()),
            ("shown", shown.as_str()),
            ("currency", ""),
            ("quantity", "1"),
            ("email", "ada@example.com"),
            ("country", "DE"),
            ("consent", "yes"),
            ("press", "pay"),
        ];
        for (name, value) in changes {
            form.retain(|(known, _)| known != name);
            form.push((name, value));
        }
        self.post(&format!("/buy/{plan}"), &form).await
    }

    async fn send(&mut self, method: Method, path: &str, headers: &[(&str, &str)], body: String) -> Page {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .filter(|(_, _, root)| path.split('?').next().unwrap().starts_with(root.as_str()))
            .map(|(name, value, _)| format!("{name}={value}"))
            .collect();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "shop.test")
            .header(header::ACCEPT_LANGUAGE, self.languages)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::COOKIE, cookies.join("; "));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.site.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            self.keep(cookie.to_str().unwrap());
        }
        let text = String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().to_vec()).unwrap();
        Page { status: parts.status, headers: parts.headers, text }
    }

    fn keep(&mut self, cookie: &str) {
        let mut parts = cookie.split("; ");
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let path = parts.find_map(|part| part.strip_prefix("Path=")).unwrap_or("/");
        self.cookies.retain(|(known, _, root)| !(known == name && root == path));
        if !cookie.contains("Max-Age=0") {
            self.cookies.push((name.to_owned(), value.to_owned(), path.to_owned()));
        }
    }
}
