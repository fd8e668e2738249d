//! A shop with a gateway, a mail server and a clock, and what a buyer and a
//! seller do with them.

use std::collections::{BTreeSet, VecDeque};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use app::mail::Mail;
use app::{
    App, Catalog, CheckoutInput, Clock, Entropy, HandAct, Http, HttpFailure, MailError, Mailer, NewShop, NoticeOutcome,
    ReceiveError, Settings,
};
use domain::{
    Actor, BuyerDetails, Changes, Country, Delivery, Duration, Email, EventId, Fulfilment, GatewayAccount, LicenseId,
    LicenseState, Locale, Mode, Notice, OrderId, PaymentId, Plan, PlanId, Pool, PoolId, Sale, Seller, Shop, Timestamp,
    WhenOut,
};
use gateways::{Headers, HttpRequest, HttpResponse};
use sandbox::model::delivery::{self, Carried, Ripe};
use sandbox::model::moment::Moment;
use sandbox::model::{Context, account};
use sandbox::wire::{Reply, Request};
use sandbox::{World, control, page, wire};
use serde_json::{Value, json};
use store::testing::{Directory, postgres_store, postgres_store_at, sqlite_store};
use store::{DeliveryFilter, NoticeFilter, Page, Store};

pub(crate) const CARD: &str = "method=card&card_number=4242424242424242&exp=12/34&cvc=123";
pub(crate) const CARD_WITHOUT_FUNDS: &str = "method=card&card_number=4000000000009995&exp=12/34&cvc=123";
pub(crate) const CARD_WHOSE_REFUND_FAILS: &str = "method=card&card_number=4000000000005126&exp=12/34&cvc=123";
pub(crate) const DEBIT_THAT_ARRIVES_LATER: &str = "method=sepa_debit&name=Ada+Buyer&iban=AT321904300235473204";
pub(crate) const DEBIT_THAT_FAILS_LATER: &str = "method=sepa_debit&name=Ada+Buyer&iban=AT051904300235473205";

pub(crate) const KEY: &str = "sk_test_house";
const SECRET: &str = "whsec_house";
const GATEWAY_URL: &str = "http://127.0.0.1:9";

/// Where the seller's own program listens.
pub(crate) const PROGRAM_URL: &str = "http://127.0.0.1:10/fulfil";

/// The simulated gateway, seen from all sides: its API, its pages, its dashboard, its webhooks.
pub(crate) struct Gateway {
    world: Mutex<World>,
    clock: Clock,
    is_down: AtomicBool,
    /// Whose calls are never answered, nor refused.
    silent_to: Mutex<BTreeSet<String>>,
    calls: AtomicU32,
    program: Program,
}

/// The seller's own program, which shares the line: what it will answer, and what it was asked.
#[derive(Default)]
pub(crate) struct Program {
    answers: Mutex<VecDeque<Option<(u16, String)>>>,
    asked: Mutex<Vec<HttpRequest>>,
}

impl Program {
    /// What it says next, and for the last of them from then on; `None`: nothing at all.
    pub(crate) fn will_answer(&self, answers: &[Option<(u16, &str)>]) {
        let answers = answers.iter().map(|answer| answer.map(|(status, body)| (status, body.to_owned())));
        *self.answers.lock().unwrap() = answers.collect();
    }

    /// What it was asked, oldest first.
    pub(crate) fn asked(&self) -> Vec<HttpRequest> {
        self.asked.lock().unwrap().clone()
    }

    fn answer(&self, asked: &HttpRequest) -> Result<HttpResponse, HttpFailure> {
        self.asked.lock().unwrap().push(asked.clone());
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        match answer.flatten() {
            Some((status, body)) => Ok(HttpResponse { status, headers: Headers::default(), body: body.into_bytes() }),
            None => Err(HttpFailure("nobody listens".to_owned())),
        }
    }
}

/// One webhook as it would go over the wire.
#[derive(Debug, Clone)]
pub(crate) struct Webhook {
    pub(crate) kind: String,
    pub(crate) signature: String,
    pub(crate) body: String,
}

impl Webhook {
    /// The same event with another text in it, signed as the gateway signs.
    pub(crate) fn altered(&self, from: &str, to: &str, now: Timestamp) -> Self {
        assert!(self.body.contains(from), "{from} is not in {}", self.body);
        let body = self.body.replace(from, to);
        let signature = delivery::sign(&[SECRET], Moment::from_seconds(now.as_seconds()), &body);
        Self { kind: self.kind.clone(), signature, body }
    }

    pub(crate) fn is_about(&self, reference: &str) -> bool {
        self.body.contains(reference)
    }
}

impl Gateway {
    fn new(clock: Clock) -> Self {
        let world = Mutex::new(World::new(7, GATEWAY_URL));
        let gateway = Self {
            world,
            clock,
            is_down: AtomicBool::new(false),
            silent_to: Mutex::default(),
            calls: AtomicU32::new(0),
            program: Program::default(),
        };
        gateway.open_account(KEY);
        gateway
    }

    fn open_account(&self, key: &str) {
        let now = self.real();
        let mut world = self.world();
        let account = account::open(&mut world, now, key).expect("a test key");
        let at = Context::internal(now, &account);
        delivery::configure(&mut world, &at, "http://shop.test/hooks", &[SECRET.to_owned()]).expect("an endpoint");
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    fn real(&self) -> Moment {
        Moment::from_milliseconds(self.clock.now().as_microseconds() / 1_000)
    }

    /// The seller's own program.
    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    /// Cuts the line to the gateway, or mends it.
    pub(crate) fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    /// From now on the account of this key waits for an answer for ever.
    pub(crate) fn set_silent(&self, key: &str) {
        self.silent_to.lock().unwrap().insert(format!("Bearer {key}"));
    }

    fn is_silent(&self, asked: &HttpRequest) -> bool {
        let silent_to = self.silent_to.lock().unwrap();
        asked
            .headers
            .iter()
            .any(|(name, value)| name.eq_ignore_ascii_case("authorization") && silent_to.contains(value))
    }

    /// How many calls were made to it, answered or not.
    pub(crate) fn calls(&self) -> u32 {
        self.calls.load(Ordering::SeqCst)
    }

    /// What goes wrong from now on; nothing else does.
    pub(crate) fn faults(&self, faults: &Value) {
        self.control("POST", "/_control/faults", faults);
    }

    pub(crate) fn control(&self, method: &str, path: &str, body: &Value) -> Value {
        let reply =
            control::answer(&mut self.world(), self.real(), &request(method, path, body.to_string().into_bytes()));
        assert_eq!(reply.status, 200, "{method} {path}: {}", reply.body);
        serde_json::from_str(&reply.body).unwrap()
    }

    /// A call that the seller makes without us, as on the gateway's dashboard.
    pub(crate) fn dashboard(&self, path: &str, form: &str) -> Value {
        let real = self.real();
        let mut world = self.world();
        let now = world.now(real);
        let reply = wire::answer(&mut world, now, &request("POST", path, form.as_bytes().to_vec()));
        assert_eq!(reply.status, 200, "{path} {form}: {}", reply.body);
        serde_json::from_str(&reply.body).unwrap()
    }

    /// The buyer sends the form of the hosted page.
    pub(crate) fn pay(&self, session: &str, method: &str) -> Reply {
        let form = format!("email=buyer@shop.test&{method}");
        let real = self.real();
        let mut world = self.world();
        let now = world.now(real);
        page::answer(&mut world, now, &request("POST", &format!("/pay/{session}"), form.into_bytes()))
    }

    /// Everything that the gateway wants to send by now. It believes that all of it arrives.
    pub(crate) fn webhooks(&self) -> Vec<Webhook> {
        let real = self.real();
        let mut world = self.world();
        let now = world.now(real);
        let claimed = delivery::claim(&mut world, now, real, Ripe::DueOrHeldBack, usize::MAX);
        claimed
            .into_iter()
            .map(|outgoing| {
                delivery::settle(&mut world, now, &outgoing.delivery, &Carried::Answered(200));
                let event: Value = serde_json::from_str(&outgoing.body).unwrap();
                let kind = event["type"].as_str().unwrap().to_owned();
                Webhook { kind, signature: outgoing.signature, body: outgoing.body }
            })
            .collect()
    }

    /// What became of the money, by the gateway's own books.
    pub(crate) fn truth(&self) -> Value {
        self.control("GET", "/_control/truth", &json!({}))
    }

    fn answer(&self, asked: &HttpRequest) -> Result<HttpResponse, HttpFailure> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(HttpFailure("the line is cut".to_owned()));
        }
        let target = asked.url.strip_prefix(GATEWAY_URL).expect("a call to the gateway");
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let method = asked.method.as_str();
        let headers = asked.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: asked.body.clone(),
        };
        let real = self.real();
        let mut world = self.world();
        let now = world.now(real);
        let reply = wire::answer(&mut world, now, &request);
        if reply.lost {
            return Err(HttpFailure("the connection was closed".to_owned()));
        }
        let headers = Headers::new(reply.headers.into_iter().map(|(name, value)| (name.to_owned(), value)));
        Ok(HttpResponse { status: reply.status, headers, body: reply.body.into_bytes() })
    }
}

fn request(method: &str, path: &str, body: Vec<u8>) -> Request {
    let headers = [("authorization".to_owned(), format!("Bearer {KEY}"))].into();
    Request { method: method.to_owned(), path: path.to_owned(), query: String::new(), headers, body }
}

impl Http for Gateway {
    fn send(
        &self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpFailure>> + Send + '_>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            if request.url == PROGRAM_URL {
                return self.program.answer(&request);
            }
            self.calls.fetch_add(1, Ordering::SeqCst);
            if self.is_silent(&request) {
                return std::future::pending().await;
            }
            self.answer(&request)
        })
    }
}

/// What the mail server says to one mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    Taken,
    Never,
    Later,
    /// It takes the mail, and its word is lost.
    Nothing,
    /// What we have to do with its word ends in a mistake of ours.
    Nonsense,
    /// It takes the mail, and says so when the test lets it.
    Slowly,
}

/// A mail server that says what the test wants; without a word of the test's it takes everything.
#[derive(Default)]
pub(crate) struct PostOffice {
    script: Mutex<VecDeque<Says>>,
    arrived: Mutex<Vec<Mail>>,
    is_slow: AtomicBool,
}

impl PostOffice {
    pub(crate) fn will_say(&self, script: &[Says]) {
        self.script.lock().unwrap().extend(script);
        self.is_slow.store(script.contains(&Says::Slowly), Ordering::SeqCst);
    }

    /// Lets it say what it says slowly.
    pub(crate) fn hurry(&self) {
        self.is_slow.store(false, Ordering::SeqCst);
    }

    /// The mails that arrived, oldest first.
    pub(crate) fn arrived(&self) -> Vec<Mail> {
        self.arrived.lock().unwrap().clone()
    }
}

impl Mailer for PostOffice {
    fn send(&self, mail: Mail) -> Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + '_>> {
        Box::pin(async move {
            let says = self.script.lock().unwrap().pop_front().unwrap_or(Says::Taken);
            match says {
                Says::Taken => {
                    self.arrived.lock().unwrap().push(mail);
                    Ok(())
                }
                Says::Never => {
                    Err(MailError::Refused { code: "550".to_owned(), message: "no such mailbox".to_owned() })
                }
                Says::Later => Err(MailError::Later { message: "greylisted".to_owned() }),
                Says::Slowly => {
                    self.arrived.lock().unwrap().push(mail);
                    while self.is_slow.load(Ordering::SeqCst) {
                        tokio::task::yield_now().await;
                    }
                    Ok(())
                }
                Says::Nonsense => panic!("a mistake of the program"),
                Says::Nothing => {
                    self.arrived.lock().unwrap().push(mail);
                    std::future::pending().await
                }
            }
        })
    }

    fn name(&self) -> &'static str {
        "post office"
    }
}

/// A shop with everything around it.
pub(crate) struct House {
    pub(crate) app: Arc<App>,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) post: Arc<PostOffice>,
    pub(crate) shop: Shop,
    pub(crate) account: GatewayAccount,
    pub(crate) plan: PlanId,
    buyers: AtomicU32,
    /// What its buyers say to what is asked.
    pub(crate) answers: std::collections::BTreeMap<String, String>,
    _directory: Option<Directory>,
}

/// An order whose page is open at the gateway.
#[derive(Debug, Clone)]
pub(crate) struct Bought {
    pub(crate) order: OrderId,
    pub(crate) payment: PaymentId,
    pub(crate) session: String,
}

/// On which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    Sqlite,
    Postgres,
}

fn settings() -> Settings {
    Settings { public_url: "http://127.0.0.1:4242".to_owned(), mail_from: email("shop@shop.test") }
}

impl House {
    /// What is sold is made so from now on.
    pub(crate) async fn sells(&self, fulfilment: Fulfilment) {
        let plan = self.app.store.plan(self.shop.id, self.plan).await.unwrap().unwrap();
        self.app.write(&Changes { plans: vec![Plan { fulfilment, ..plan }], ..Changes::default() }).await.unwrap();
    }

    /// An empty stock of codes, `codes`.
    pub(crate) async fn pool(&self, when_out: WhenOut, low_at: u32) -> Pool {
        let now = self.app.clock.now();
        let pool = Pool {
            id: PoolId::mint(now, &mut self.app.entropy.rng()),
            shop: self.shop.id,
            version: 0,
            slug: "codes".to_owned(),
            name: "House codes".to_owned(),
            when_out,
            low_at,
            alerted_at: None,
            held_at: None,
            created_at: now,
        };
        self.app.write(&Changes { pools: vec![pool], ..Changes::default() }).await.unwrap();
        self.app.pool(self.shop.id, "codes").await.unwrap()
    }

    pub(crate) async fn open(on: On) -> Self {
        match on {
            On::Sqlite => {
                let (store, directory) = sqlite_store().await;
                Self::over(store, Some(directory)).await
            }
            On::Postgres => Self::over(postgres_store().await, None).await,
        }
    }

    /// On the database at this address.
    pub(crate) async fn on_database(url: &str) -> Self {
        Self::over(postgres_store_at(url).await, None).await
    }

    async fn over(store: Store, directory: Option<Directory>) -> Self {
        let clock = Clock::simulated(Timestamp::from_seconds(1_800_000_000));
        let gateway = Arc::new(Gateway::new(clock.clone()));
        let post = Arc::new(PostOffice::default());
        let app = App::start(
            store,
            Arc::clone(&gateway) as Arc<dyn Http>,
            Arc::clone(&post) as Arc<dyn Mailer>,
            clock,
            Entropy::seeded([7; 32]),
            Catalog::new(None).unwrap(),
            settings(),
        )
        .await
        .unwrap();
        Self::keep_shop(app, gateway, post, directory, KEY).await
    }

    /// Another shop on the same server, with an account of this key at the same gateway. In lists of shops and accounts
    /// it stands behind those that were there.
    pub(crate) async fn neighbour(&self, key: &str) -> Self {
        self.advance(Duration::seconds(1));
        self.gateway.open_account(key);
        let (app, gateway, post) = (Arc::clone(&self.app), Arc::clone(&self.gateway), Arc::clone(&self.post));
        Self::keep_shop(app, gateway, post, None, key).await
    }

    async fn keep_shop(
        app: Arc<App>,
        gateway: Arc<Gateway>,
        post: Arc<PostOffice>,
        directory: Option<Directory>,
        key: &str,
    ) -> Self {
        let new = NewShop {
            name: "House".to_owned(),
            mode: Mode::Sandbox,
            seller: Seller {
                legal_name: "House GmbH".to_owned(),
                address: vec!["Weg 1".to_owned(), "1010 Wien".to_owned()],
                email: "owner@shop.test".to_owned(),
                tax_id: None,
            },
            terms: "Terms".to_owned(),
            refund_policy: "14 days".to_owned(),
        };
        let shop = app.create_shop(new).await.unwrap();
        let credentials = json!({ "secret_key": key, "webhook_secret": SECRET, "base_url": GATEWAY_URL });
        let account = app.connect_gateway(&shop, "stripe", credentials.to_string()).await.unwrap();
        let plan = app.create_sample_catalog(&shop).await.unwrap().plans[0];
        Self {
            app,
            gateway,
            post,
            shop,
            account,
            plan,
            buyers: AtomicU32::new(0),
            answers: std::collections::BTreeMap::new(),
            _directory: directory,
        }
    }

    /// Another node of the same shop.
    pub(crate) async fn other_node(&self) -> Arc<App> {
        App::start(
            self.app.store.clone(),
            Arc::clone(&self.gateway) as Arc<dyn Http>,
            Arc::clone(&self.post) as Arc<dyn Mailer>,
            self.app.clock.clone(),
            Entropy::seeded([8; 32]),
            Catalog::new(None).unwrap(),
            settings(),
        )
        .await
        .unwrap()
    }

    pub(crate) fn advance(&self, span: Duration) {
        self.app.clock.advance(span);
    }

    /// An open checkout, before anybody has said who they are.
    pub(crate) async fn checkout(&self, quantity: u32) -> Sale {
        let input = CheckoutInput {
            plan: self.plan,
            id: None,
            quantity,
            currency: None,
            coupon: None,
            email: None,
            country: Country::DE,
            locale: Locale::english(),
            success_url: None,
            cancel_url: None,
            metadata: std::collections::BTreeMap::new(),
            answers: std::collections::BTreeMap::new(),
        };
        self.app.open_checkout(&self.shop, input, Actor::Buyer).await.unwrap()
    }

    /// Somebody new presses pay.
    pub(crate) async fn submit(&self, quantity: u32) -> Sale {
        let sale = self.checkout(quantity).await;
        let number = self.buyers.fetch_add(1, Ordering::SeqCst);
        let buyer = BuyerDetails {
            email: email(&format!("buyer{number}@shop.test")),
            name: None,
            country: Country::DE,
            locale: Locale::english(),
            immediate_supply: true,
            accepts_later: true,
            answers: self.answers.clone(),
        };
        let submitted = self.app.submit_checkout(&self.shop, sale.checkout.id, &buyer).await.unwrap();
        self.sale(submitted.order).await
    }

    /// Somebody new presses pay and is on the gateway's page.
    pub(crate) async fn buy(&self, quantity: u32) -> Bought {
        let sale = self.submit(quantity).await;
        let payment = &sale.payments[0];
        let session = payment.page_reference.clone().expect("the page is open");
        Bought { order: sale.order.id, payment: payment.id, session }
    }

    /// A paid order whose notices have all come, and every job is done.
    pub(crate) async fn buy_and_pay(&self, quantity: u32) -> Bought {
        let bought = self.buy(quantity).await;
        self.gateway.pay(&bought.session, CARD);
        self.deliver_all().await;
        self.work().await;
        assert_eq!(self.sale(bought.order).await.order.state.as_str(), "paid");
        bought
    }

    /// Somebody of the shop does this to a license.
    pub(crate) async fn act_by_hand(&self, license: LicenseId, act: &HandAct, reason: &str) {
        let name = EventId::mint(self.app.clock.now(), &mut self.app.entropy.rng());
        self.app.act_by_hand(self.shop.id, license, act, reason, Actor::System, name).await.unwrap();
    }

    pub(crate) async fn sale(&self, order: OrderId) -> Sale {
        self.app.sale(self.shop.id, order).await.unwrap()
    }

    /// The gateway's id of the money of a paid order.
    pub(crate) async fn intent(&self, order: OrderId) -> String {
        let sale = self.sale(order).await;
        sale.payments.iter().find_map(|payment| payment.reference.clone()).expect("the gateway has named it")
    }

    pub(crate) async fn receive(&self, webhook: &Webhook) -> NoticeOutcome {
        let outcomes = self.try_to_receive(webhook).await.unwrap();
        assert_eq!(outcomes.len(), 1);
        outcomes[0]
    }

    pub(crate) async fn try_to_receive(&self, webhook: &Webhook) -> Result<Vec<NoticeOutcome>, ReceiveError> {
        let headers = Headers::new([("Stripe-Signature".to_owned(), webhook.signature.clone())]);
        self.app.receive(self.account.id, &headers, webhook.body.as_bytes()).await
    }

    /// Everything that the gateway wants to send arrives, in order.
    pub(crate) async fn deliver_all(&self) {
        for webhook in self.gateway.webhooks() {
            self.receive(&webhook).await;
        }
    }

    /// Does what is due until nothing is.
    pub(crate) async fn work(&self) {
        while self.app.step_inbox().await.unwrap() + self.app.step_outbox().await.unwrap() > 0 {}
    }

    pub(crate) async fn deliveries(&self, order: OrderId) -> Vec<Delivery> {
        let filter = DeliveryFilter { order: Some(order), ..DeliveryFilter::default() };
        self.app.store.deliveries(self.shop.id, &filter, first_page()).await.unwrap().data
    }

    pub(crate) async fn notices(&self, state: &str) -> Vec<Notice> {
        let filter = NoticeFilter { state: Some(state.to_owned()), order: None };
        self.app.store.notices(self.shop.id, &filter, first_page()).await.unwrap().data
    }

    /// Every law, on every stored row and on each of these sales.
    pub(crate) async fn assert_lawful(&self, orders: &[OrderId]) {
        assert_eq!(store::report::broken_laws(&self.app.store).await.unwrap(), vec![]);
        for order in orders {
            let sale = self.sale(*order).await;
            let postings = self.app.store.postings(self.shop.id, *order).await.unwrap();
            assert_eq!(domain::invariant::broken(&sale, &postings), vec![], "{order}");
        }
    }

    /// How a sale stands, in one line: the money and the licenses. Not what differs from sale to sale, and not
    /// card and decline code, which an answer of the gateway tells and some of its notices do not.
    pub(crate) async fn standing(&self, order: OrderId) -> String {
        let sale = self.sale(order).await;
        let join = |words: Vec<String>| if words.is_empty() { "-".to_owned() } else { words.join(" ") };
        let payments = sale.payments.iter().map(|row| row.state.as_str().to_owned()).collect();
        let mut refunds: Vec<String> = sale
            .refunds
            .iter()
            .map(|row| format!("{} {} {}", row.amount.minor(), row.reason.as_str(), row.state.as_str()))
            .collect();
        refunds.sort();
        let disputes =
            sale.disputes.iter().map(|row| format!("{} {}", row.amount.minor(), row.state.as_str())).collect();
        let licenses = sale.licenses.iter().map(|row| row.state.as_str().to_owned()).collect();
        format!(
            "{} {} | {} | {} | {} | {}",
            sale.order.state.as_str(),
            sale.order.refunded.minor(),
            join(payments),
            join(refunds),
            join(disputes),
            join(licenses)
        )
    }

    pub(crate) async fn license_states(&self, order: OrderId) -> Vec<LicenseState> {
        self.sale(order).await.licenses.iter().map(|license| license.state).collect()
    }
}

pub(crate) fn email(text: &str) -> Email {
    Email::parse(text).unwrap()
}

pub(crate) fn first_page<Id>() -> Page<Id> {
    Page { starting_after: None, ending_before: None, limit: 100 }
}
