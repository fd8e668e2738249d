//! A shop with one product, and sales made by the decisions of `domain`, committed and read back step by step.

use std::collections::BTreeMap;

use domain::{
    Activation, ActivationRequest, Actor, BuyerDetails, Changes, CheckoutId, CheckoutRequest, Country, Customer,
    CustomerId, Decline, DeclineClass, Delivery, DeliveryId, DeliveryState, DisputeReport, DisputeState, Duration,
    Email, Fact, Fingerprint, Fulfilment, GatewayAccount, GatewayAccountId, Job, JobId, JobKind, License, Locale,
    LoginLink, LoginLinkId, MethodSummary, Mode, NewCode, Notice, NoticeId, NoticeState, Occurrence, Offer,
    PaymentLocator, PaymentReport, PaymentStatus, Plan, PlanId, Policy, Pool, PoolCode, PoolId, Price, PriceTier,
    Product, ProductId, Question, RefundReason, RefundReport, RefundStatus, Rng, Sale, Seller, SessionHolder, Shop,
    ShopId, Timestamp, User, UserId, WhenOut, Wording, activate, decide, open_checkout, submit_checkout,
};
use money::{Currency, Money};
use store::Store;

pub(crate) struct World {
    pub(crate) rng: Rng,
    pub(crate) now: Timestamp,
    pub(crate) shop: Shop,
    pub(crate) product: Product,
    pub(crate) plan: Plan,
    pub(crate) account: GatewayAccount,
}

pub(crate) fn euro(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

pub(crate) fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

impl World {
    pub(crate) fn new() -> Self {
        Self::from_seed(1)
    }

    pub(crate) fn from_seed(seed: u8) -> Self {
        let mut rng = Rng::from_seed([seed; 32]);
        let now = Timestamp::parse("2026-11-24T09:00:00.123456Z").unwrap();
        let shop = Shop {
            id: ShopId::mint(now, &mut rng),
            version: 0,
            name: "Lumen".to_owned(),
            mode: Mode::Sandbox,
            host: Some(format!("lumen-{seed}.example")),
            seller: Seller {
                legal_name: "Lumen GmbH".to_owned(),
                address: vec!["Weg 1".to_owned(), "Köln".to_owned()],
                email: "hello@lumen.example".to_owned(),
                tax_id: Some("DE123".to_owned()),
            },
            default_locale: Locale::english(),
            default_currency: Currency::EUR,
            default_country: Country::DE,
            terms: "# Terms\n\nBe kind.".to_owned(),
            terms_version: "2026-01".to_owned(),
            refund_policy: "30 days".to_owned(),
            compat: domain::Compat {
                hosts: [("licenses.lumen.example".to_owned(), domain::ForeignSystem::Edd)].into(),
                local_sites_are_free: true,
                shadow: [(domain::ForeignSystem::Edd, "https://old.lumen.example".to_owned())].into(),
            },
            created_at: now,
        };
        let product = Product {
            id: ProductId::mint(now, &mut rng),
            shop: shop.id,
            version: 0,
            slug: "lumen".to_owned(),
            name: "Lumen".to_owned(),
            tagline: "Light for photographs".to_owned(),
            description: "*All* of it".to_owned(),
            setup_guides: map(&[("en", "Open it."), ("de", "Öffnen.")]),
            is_active: true,
            created_at: now,
        };
        let plan = Plan {
            id: PlanId::mint(now, &mut rng),
            shop: shop.id,
            version: 0,
            product: product.id,
            slug: "studio".to_owned(),
            name: "Studio".to_owned(),
            highlights: vec!["Two devices".to_owned()],
            prices: vec![Price {
                currency: Currency::EUR,
                tiers: vec![PriceTier { from_quantity: 1, unit_minor: 4_900 }],
            }],
            policy: Policy {
                seats: Some(2),
                valid_days: Some(365),
                features: vec!["raw".to_owned()],
                certificate_seconds: 86_400,
                ..Policy::default()
            },
            fulfilment: Fulfilment::GeneratedKey,
            bundle: Vec::new(),
            questions: vec![Question {
                name: "host".to_owned(),
                label: Wording(map(&[("en", "Host"), ("de", "Rechner")])),
                is_required: false,
                choices: vec!["eu".to_owned(), "us".to_owned()],
                help: Some(Wording(map(&[("en", "Where it runs")]))),
            }],
            max_quantity: 10,
            position: 1,
            is_active: true,
            created_at: now,
        };
        let account = GatewayAccount {
            id: GatewayAccountId::mint(now, &mut rng),
            shop: shop.id,
            version: 0,
            adapter: "stripe".to_owned(),
            mode: Mode::Sandbox,
            credentials: r#"{"secret_key":"sk_test_secret"}"#.to_owned(),
            is_active: true,
            events_read_to: now,
            created_at: now,
        };
        Self { rng, now, shop, product, plan, account }
    }

    /// Writes shop, product, plan and account.
    pub(crate) async fn stock(&mut self, store: &Store) {
        let changes = Changes {
            shops: vec![self.shop.clone()],
            products: vec![self.product.clone()],
            plans: vec![self.plan.clone()],
            gateway_accounts: vec![self.account.clone()],
            ..Changes::default()
        };
        store.commit(&changes).await.unwrap();
    }

    /// Makes the plan sell from a stock of these codes; what is to be written once the shop is.
    pub(crate) fn sell_from_a_pool(&mut self, codes: &[&str]) -> Changes {
        let pool = Pool {
            id: PoolId::mint(self.now, &mut self.rng),
            shop: self.shop.id,
            version: 0,
            slug: "codes".to_owned(),
            name: "Codes".to_owned(),
            when_out: WhenOut::BackOrder,
            low_at: 2,
            alerted_at: None,
            held_at: None,
            created_at: self.now,
        };
        self.plan.fulfilment = Fulfilment::Pool { pool: pool.id };
        let code = |text: &&str| NewCode {
            shop: self.shop.id,
            pool: pool.id,
            code: PoolCode::parse(text).unwrap(),
            at: self.now,
        };
        let codes = codes.iter().map(code).collect();
        Changes { pools: vec![pool], codes, ..Changes::default() }
    }

    /// Time passes, so that what comes later sorts later.
    fn tick(&mut self) -> Timestamp {
        self.now = self.now.after(Duration::seconds(1));
        self.now
    }

    pub(crate) async fn open(&mut self, store: &Store, quantity: u32) -> Sale {
        let now = self.tick();
        let request = CheckoutRequest {
            id: CheckoutId::mint(now, &mut self.rng),
            quantity,
            currency: None,
            coupon: None,
            email: None,
            country: Country::DE,
            locale: Locale::parse("de-DE").unwrap(),
            success_url: Some("https://lumen.example/thanks".to_owned()),
            cancel_url: None,
            metadata: map(&[("campaign", "frühling")]),
            answers: BTreeMap::new(),
        };
        let offer = Offer { shop: &self.shop, product: &self.product, plan: &self.plan, parts: &[] };
        let changes = open_checkout(&offer, &request, Actor::Buyer, now, &mut self.rng).unwrap();
        store.commit(&changes).await.unwrap();
        let order = changes.orders[0].id;
        store.sale(self.shop.id, order).await.unwrap().unwrap()
    }

    /// Commits changes of a sale, and reads back exactly what they make of it in memory.
    async fn write(&mut self, store: &Store, sale: &mut Sale, changes: &Changes) {
        let mut postings = store.postings(self.shop.id, sale.order.id).await.unwrap();
        store.commit(changes).await.unwrap();
        domain::testing::apply(sale, &mut postings, changes).unwrap();
        let read = store.sale(self.shop.id, sale.order.id).await.unwrap().unwrap();
        assert_eq!(read, *sale);
        let mut books = store.postings(self.shop.id, sale.order.id).await.unwrap();
        books.sort_by(|one, other| one.cause.cmp(&other.cause));
        postings.sort_by(|one, other| one.cause.cmp(&other.cause));
        assert_eq!(books, postings);
        assert_eq!(store::report::broken_laws(store).await.unwrap(), []);
    }

    async fn decide(&mut self, store: &Store, sale: &mut Sale, occurrence: &Occurrence) {
        let now = self.tick();
        let changes = decide(sale, occurrence, Actor::System, now, &mut self.rng).unwrap();
        self.write(store, sale, &changes).await;
    }

    async fn report(&mut self, store: &Store, sale: &mut Sale, fact: Fact) {
        let account = self.account.id;
        self.decide(store, sale, &Occurrence::Reported { account, fact }).await;
    }

    pub(crate) async fn submit(&mut self, store: &Store, sale: &mut Sale) {
        let now = self.tick();
        let buyer = BuyerDetails {
            email: Email::parse("Ada@Example.com").unwrap(),
            name: Some("Ada".to_owned()),
            country: Country::DE,
            locale: Locale::parse("de").unwrap(),
            immediate_supply: true,
            accepts_later: true,
            answers: map(&[("host", "eu")]),
        };
        let known = store.customer_by_email(self.shop.id, &buyer.email).await.unwrap();
        let (changes, _) =
            submit_checkout(sale, &self.shop, known.as_ref(), &buyer, &self.account, now, &mut self.rng).unwrap();
        self.write(store, sale, &changes).await;
    }

    fn locator(sale: &Sale) -> PaymentLocator {
        PaymentLocator { payment: Some(sale.payments[0].id), ..PaymentLocator::default() }
    }

    pub(crate) async fn page_opened(&mut self, store: &Store, sale: &mut Sale, page: &str) {
        let occurrence = Occurrence::PageOpened {
            payment: sale.payments[0].id,
            page_reference: page.to_owned(),
            url: "https://pay.example/1".to_owned(),
            reference: None,
        };
        self.decide(store, sale, &occurrence).await;
    }

    async fn payment_is(&mut self, store: &Store, sale: &mut Sale, reference: Option<&str>, status: PaymentStatus) {
        let report = PaymentReport {
            locator: PaymentLocator { reference: reference.map(str::to_owned), ..Self::locator(sale) },
            mode: Mode::Sandbox,
            status,
            method: Some(MethodSummary { kind: "card".to_owned(), brand: None, last4: Some("4242".to_owned()) }),
        };
        self.report(store, sale, Fact::Payment(report)).await;
    }

    pub(crate) async fn declined(&mut self, store: &Store, sale: &mut Sale) {
        let declined = Decline { class: DeclineClass::Soft, code: "insufficient_funds".to_owned() };
        self.payment_is(store, sale, None, PaymentStatus::Open { declined: Some(declined) }).await;
    }

    pub(crate) async fn captured(&mut self, store: &Store, sale: &mut Sale, reference: &str) {
        let captured = sale.order.total;
        self.payment_is(store, sale, Some(reference), PaymentStatus::Succeeded { captured }).await;
    }

    pub(crate) async fn refund_requested(
        &mut self,
        store: &Store,
        sale: &mut Sale,
        amount: Option<Money>,
        reason: RefundReason,
    ) {
        let asked = Occurrence::RefundRequested { refund: None, amount, reason, revoke: Some(false) };
        self.decide(store, sale, &asked).await;
    }

    pub(crate) async fn refunded(&mut self, store: &Store, sale: &mut Sale, reference: &str) {
        let refund = sale.refunds.last().unwrap();
        let report = RefundReport {
            locator: Self::locator(sale),
            mode: Mode::Sandbox,
            refund: Some(refund.id),
            reference: reference.to_owned(),
            amount: refund.amount,
            status: RefundStatus::Succeeded,
        };
        self.report(store, sale, Fact::Refund(report)).await;
    }

    pub(crate) async fn disputed(&mut self, store: &Store, sale: &mut Sale, state: DisputeState) {
        let report = DisputeReport {
            locator: Self::locator(sale),
            mode: Mode::Sandbox,
            reference: "dp_gateway_1".to_owned(),
            as_of: Some(self.now),
            amount: euro(4_800),
            reason: "fraudulent".to_owned(),
            state,
            evidence_due_at: Some(self.now.after(Duration::days(7))),
        };
        self.report(store, sale, Fact::Dispute(report)).await;
    }

    /// Puts a device on a seat of a license, and gives the seat as it is stored.
    pub(crate) async fn seat(&mut self, store: &Store, license: &License, device: &str) -> Activation {
        let request = ActivationRequest::of(Fingerprint::parse(device).unwrap());
        let now = self.tick();
        let (changes, _) = activate(license, None, 0, None, &request, now, &mut self.rng).unwrap();
        store.commit(&changes).await.unwrap();
        store.activations(self.shop.id, license.id).await.unwrap().remove(0)
    }

    pub(crate) fn notice(&mut self, event_id: &str, state: NoticeState) -> Notice {
        let now = self.now;
        Notice {
            id: NoticeId::mint(now, &mut self.rng),
            shop: self.shop.id,
            version: 0,
            gateway_account: self.account.id,
            event_id: event_id.to_owned(),
            kind: "payment_intent.succeeded".to_owned(),
            body: vec![b'{', 0, 255, b'}'],
            settled_at: (state != NoticeState::Received).then_some(now),
            state,
            order: None,
            received_at: now,
        }
    }

    pub(crate) fn job(&mut self, kind: JobKind, run_at: Timestamp) -> Job {
        Job {
            id: JobId::mint(self.now, &mut self.rng),
            shop: self.shop.id,
            kind,
            run_at,
            attempts: 0,
            last_error: None,
            created_at: self.now,
        }
    }

    pub(crate) fn mail_job(&mut self, run_at: Timestamp) -> Job {
        let delivery = DeliveryId::mint(self.now, &mut self.rng);
        self.job(JobKind::SendMail { delivery }, run_at)
    }

    pub(crate) fn customer(&mut self, email: &str) -> Customer {
        Customer {
            id: CustomerId::mint(self.now, &mut self.rng),
            shop: self.shop.id,
            version: 0,
            email: Email::parse(email).unwrap(),
            name: None,
            country: Country::US,
            locale: Locale::english(),
            created_at: self.now,
        }
    }

    pub(crate) fn delivery(&mut self, sale: &Sale, state: DeliveryState) -> Delivery {
        let now = self.tick();
        Delivery {
            id: DeliveryId::mint(now, &mut self.rng),
            shop: self.shop.id,
            version: 0,
            mail: crate::mail_about(sale.order.id),
            to: Email::parse("ada@example.com").unwrap(),
            locale: Locale::english(),
            order: Some(sale.order.id),
            customer: sale.order.customer,
            state,
            attempts: 1,
            last_error: Some("451 try again".to_owned()),
            created_at: now,
            sent_at: (state == DeliveryState::Sent).then_some(now),
            without_keys: false,
        }
    }

    pub(crate) fn link(&mut self) -> LoginLink {
        LoginLink {
            id: LoginLinkId::mint(self.now, &mut self.rng),
            shop: self.shop.id,
            version: 0,
            holder: SessionHolder::Customer { customer: CustomerId::mint(self.now, &mut self.rng) },
            expires_at: self.now,
            used_at: None,
            failures: 0,
            created_at: self.now,
        }
    }

    pub(crate) fn user(&mut self) -> User {
        User {
            id: UserId::mint(self.now, &mut self.rng),
            shop: self.shop.id,
            version: 0,
            email: None,
            name: "Mira".to_owned(),
            created_at: self.now,
        }
    }
}
