//! A shop with one plan of five seats, in a real database, and sales in it.

use std::collections::BTreeMap;

use domain::{
    Actor, BuyerDetails, Changes, CheckoutId, CheckoutRequest, Country, Customer, Duration, Email, Fact, Fulfilment,
    GatewayAccount, GatewayAccountId, Locale, Mode, Notice, NoticeId, NoticeState, Occurrence, OrderId, PaymentId,
    PaymentLocator, PaymentReport, PaymentStatus, Plan, PlanId, Policy, Posting, Price, PriceTier, Product, ProductId, Rng,
    Sale, Seller, Shop, ShopId, Timestamp, decide, open_checkout, submit_checkout,
};
use money::Currency;
use store::testing::{Directory, postgres_store, sqlite_store};
use store::{CommitError, Store};

pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_764_000_000);

pub(crate) struct Place {
    pub(crate) store: Store,
    pub(crate) shop: Shop,
    pub(crate) product: Product,
    pub(crate) plan: Plan,
    pub(crate) account: GatewayAccount,
    pub(crate) directory: Option<Directory>,
}

impl Place {
    pub(crate) async fn sqlite() -> Self {
        let (store, directory) = sqlite_store().await;
        Self::furnished(store, Some(directory)).await
    }

    pub(crate) async fn postgres() -> Self {
        Self::furnished(postgres_store().await, None).await
    }

    async fn furnished(store: Store, directory: Option<Directory>) -> Self {
        let mut rng = Rng::from_seed([1; 32]);
        let shop = Shop {
            id: ShopId::mint(NOW, &mut rng),
            version: 0,
            name: "Northlight".to_owned(),
            mode: Mode::Sandbox,
            host: Some("northlight.example".to_owned()),
            seller: Seller { legal_name: "Northlight GmbH".to_owned(), ..Seller::default() },
            default_locale: Locale::english(),
            default_currency: Currency::EUR,
            default_country: Country::DE,
            terms: "Terms".to_owned(),
            terms_version: "2026-01".to_owned(),
            refund_policy: "14 days".to_owned(),
            created_at: NOW,
        };
        let product = Product {
            id: ProductId::mint(NOW, &mut rng),
            shop: shop.id,
            version: 0,
            slug: "northlight".to_owned(),
            name: "Northlight".to_owned(),
            tagline: "Sees in the dark".to_owned(),
            description: "A **long** text".to_owned(),
            setup_guides: BTreeMap::from([("en".to_owned(), "Start it".to_owned())]),
            fulfilment: Fulfilment::GeneratedKey,
            is_active: true,
            created_at: NOW,
        };
        let plan = Plan {
            id: PlanId::mint(NOW, &mut rng),
            shop: shop.id,
            version: 0,
            product: product.id,
            slug: "pro".to_owned(),
            name: "Pro".to_owned(),
            highlights: vec!["Everything".to_owned()],
            prices: vec![Price { currency: Currency::EUR, tiers: vec![PriceTier { from_quantity: 1, unit_minor: 4_900 }] }],
            policy: Policy { seats: Some(5), valid_days: Some(365), features: vec!["export".to_owned()], certificate_seconds: 86_400 },
            max_quantity: 20,
            position: 1,
            is_active: true,
            created_at: NOW,
        };
        let account = GatewayAccount {
            id: GatewayAccountId::mint(NOW, &mut rng),
            shop: shop.id,
            version: 0,
            adapter: "simulated".to_owned(),
            mode: Mode::Sandbox,
            credentials: r#"{"secret":"sk_canary_never_in_the_clear"}"#.to_owned(),
            is_active: true,
            events_read_to: NOW,
            created_at: NOW,
        };
        let changes = Changes {
            shops: vec![shop.clone()],
            products: vec![product.clone()],
            plans: vec![plan.clone()],
            gateway_accounts: vec![account.clone()],
            ..Changes::default()
        };
        store.commit(&changes).await.unwrap();
        Self { store, shop, product, plan, account, directory }
    }

    /// Somebody is at the till for so many units.
    pub(crate) async fn open(&self, quantity: u32, seed: u8) -> OrderId {
        let mut rng = Rng::from_seed([seed; 32]);
        let request = CheckoutRequest {
            id: CheckoutId::mint(NOW, &mut rng),
            quantity,
            currency: None,
            coupon: None,
            email: None,
            country: Country::DE,
            locale: Locale::english(),
            success_url: Some("https://northlight.example/thanks".to_owned()),
            cancel_url: None,
            metadata: BTreeMap::from([("campaign".to_owned(), "spring".to_owned())]),
        };
        let changes =
            open_checkout(&self.shop, &self.product, &self.plan, &request, Actor::Buyer, NOW, &mut rng).unwrap();
        self.store.commit(&changes).await.unwrap();
        changes.orders[0].id
    }

    /// They pressed pay.
    pub(crate) async fn submit(&self, order: OrderId, seed: u8) -> PaymentId {
        let sale = self.sale(order).await;
        let email = Email::parse(&format!("buyer{seed}@example.com")).unwrap();
        let known: Option<Customer> = self.store.customer_by_email(self.shop.id, &email).await.unwrap();
        let buyer = BuyerDetails {
            email,
            name: Some("Mina".to_owned()),
            country: Country::DE,
            locale: Locale::english(),
            immediate_supply: true,
        };
        let mut rng = Rng::from_seed([seed; 32]);
        let later = NOW.after(Duration::seconds(1));
        let (changes, payment) =
            submit_checkout(&sale, &self.shop, known.as_ref(), &buyer, &self.account, later, &mut rng).unwrap();
        self.store.commit(&changes).await.unwrap();
        payment
    }

    pub(crate) async fn sale(&self, order: OrderId) -> Sale {
        self.store.sale(self.shop.id, order).await.unwrap().expect("the order is there")
    }

    /// What a webhook about the captured money leads to: read, decide, commit with the notice.
    pub(crate) async fn captured(&self, order: OrderId, payment: PaymentId, event_id: &str, seed: u8) -> Result<Changes, CommitError> {
        let mut rng = Rng::from_seed([seed; 32]);
        let sale = self.sale(order).await;
        let report = PaymentReport {
            locator: PaymentLocator { payment: Some(payment), reference: Some(format!("ref {payment}")), ..Default::default() },
            mode: Mode::Sandbox,
            status: PaymentStatus::Succeeded { captured: sale.order.total },
            method: None,
        };
        let occurrence = Occurrence::Reported { account: self.account.id, fact: Fact::Payment(report) };
        let later = NOW.after(Duration::seconds(2));
        let mut changes = decide(&sale, &occurrence, Actor::Gateway, later, &mut rng).unwrap();
        changes.notices.push(self.notice(event_id, Some(order), &mut rng));
        self.store.commit(&changes).await.map(|()| changes)
    }

    pub(crate) fn notice(&self, event_id: &str, order: Option<OrderId>, rng: &mut Rng) -> Notice {
        Notice {
            id: NoticeId::mint(NOW, rng),
            shop: self.shop.id,
            version: 0,
            gateway_account: self.account.id,
            event_id: event_id.to_owned(),
            kind: "payment.captured".to_owned(),
            body: b"{\"raw\":\"\0\xff\"}".to_vec(),
            state: if order.is_some() { NoticeState::Applied } else { NoticeState::Received },
            order,
            received_at: NOW,
            settled_at: order.map(|_| NOW),
        }
    }

    /// An order that is paid, with its licenses.
    pub(crate) async fn sold(&self, quantity: u32, seed: u8) -> OrderId {
        let order = self.open(quantity, seed).await;
        let payment = self.submit(order, seed).await;
        self.captured(order, payment, &format!("evt {seed}"), seed).await.unwrap();
        order
    }
}

/// What happened to a sale, kept in memory beside the database.
pub(crate) fn applied(sale: &mut Sale, postings: &mut Vec<Posting>, changes: &Changes) {
    domain::testing::apply(sale, postings, changes).unwrap();
}
