//! A shop with one product, a buyer, and a sale that lives in memory: what the tests of this crate begin with.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;

use money::{Currency, Money};

use crate::*;

/// When every test begins.
pub(crate) const START: Timestamp = Timestamp::from_seconds(1_764_000_000);

pub(crate) fn rng(seed: u8) -> Rng {
    Rng::from_seed([seed; 32])
}

pub(crate) fn euro(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

/// What stands in the catalog.
#[derive(Debug, Clone)]
pub(crate) struct Catalog {
    pub(crate) shop: Shop,
    pub(crate) product: Product,
    /// 49.00 EUR, from ten on 39.00 EUR; 52.00 USD. Two seats, a year.
    pub(crate) plan: Plan,
    pub(crate) account: GatewayAccount,
    pub(crate) other_account: GatewayAccount,
}

impl Catalog {
    pub(crate) fn offer(&self) -> Offer<'_> {
        Offer { shop: &self.shop, product: &self.product, plan: &self.plan, parts: &[] }
    }
}

pub(crate) fn catalog() -> Catalog {
    let mut rng = rng(1);
    let shop_id = ShopId::mint(START, &mut rng);
    let product_id = ProductId::mint(START, &mut rng);
    let mut account = || GatewayAccount {
        id: GatewayAccountId::mint(START, &mut rng),
        shop: shop_id,
        version: 1,
        adapter: "simulated".to_owned(),
        mode: Mode::Sandbox,
        credentials: "{}".to_owned(),
        is_active: true,
        events_read_to: START,
        created_at: START,
    };
    let (account, other_account) = (account(), account());
    let tier = |from_quantity, unit_minor| PriceTier { from_quantity, unit_minor };
    Catalog {
        shop: Shop {
            id: shop_id,
            version: 1,
            name: "Northlight".to_owned(),
            mode: Mode::Sandbox,
            host: None,
            seller: Seller { legal_name: "Northlight GmbH".to_owned(), ..Seller::default() },
            default_locale: Locale::english(),
            default_currency: Currency::EUR,
            default_country: Country::DE,
            terms: "Terms".to_owned(),
            terms_version: "2026-01".to_owned(),
            refund_policy: "14 days".to_owned(),
            compat: Compat::default(),
            created_at: START,
        },
        product: Product {
            id: product_id,
            shop: shop_id,
            version: 1,
            slug: "northlight".to_owned(),
            name: "Northlight".to_owned(),
            tagline: String::new(),
            description: String::new(),
            setup_guides: BTreeMap::new(),
            is_active: true,
            created_at: START,
        },
        plan: Plan {
            id: PlanId::mint(START, &mut rng),
            shop: shop_id,
            version: 1,
            product: product_id,
            slug: "pro".to_owned(),
            name: "Pro".to_owned(),
            highlights: Vec::new(),
            prices: vec![
                Price { currency: Currency::EUR, tiers: vec![tier(1, 4_900), tier(10, 3_900)] },
                Price { currency: Currency::USD, tiers: vec![tier(1, 5_200)] },
            ],
            policy: Policy {
                seats: Some(2),
                valid_days: Some(365),
                features: vec!["export".to_owned()],
                certificate_seconds: 86_400,
                ..Policy::default()
            },
            fulfilment: Fulfilment::GeneratedKey,
            bundle: Vec::new(),
            questions: Vec::new(),
            max_quantity: 20,
            position: 0,
            is_active: true,
            created_at: START,
        },
        account,
        other_account,
    }
}

pub(crate) fn request(quantity: u32) -> CheckoutRequest {
    CheckoutRequest {
        id: CheckoutId::mint(START, &mut rng(2)),
        quantity,
        currency: Some(Currency::EUR),
        coupon: None,
        email: None,
        country: Country::DE,
        locale: Locale::english(),
        success_url: None,
        cancel_url: None,
        metadata: BTreeMap::new(),
        answers: BTreeMap::new(),
    }
}

/// What an app says that wants a seat for this device, and nothing else.
pub(crate) fn activation_request(device: &str) -> ActivationRequest {
    ActivationRequest::of(Fingerprint::parse(device).unwrap())
}

pub(crate) fn buyer() -> BuyerDetails {
    BuyerDetails {
        email: Email::parse("mina@example.com").unwrap(),
        name: None,
        country: Country::DE,
        locale: Locale::english(),
        immediate_supply: true,
        accepts_later: false,
        answers: BTreeMap::new(),
    }
}

/// Whose license it is.
pub(crate) fn owner(license: &License) -> Customer {
    Customer {
        id: license.customer.unwrap(),
        shop: license.shop,
        version: 1,
        email: Email::parse("ada@shop.test").unwrap(),
        name: None,
        country: Country::DE,
        locale: Locale::english(),
        created_at: START,
    }
}

/// A checkout that has just been opened.
pub(crate) fn opened(catalog: &Catalog, quantity: u32) -> Sale {
    let changes = open_checkout(&catalog.offer(), &request(quantity), Actor::Buyer, START, &mut rng(3)).unwrap();
    let [mut order] = <[Order; 1]>::try_from(changes.orders).unwrap();
    let [mut checkout] = <[Checkout; 1]>::try_from(changes.checkouts).unwrap();
    order.version = 1;
    checkout.version = 1;
    Sale { order, checkout, payments: vec![], refunds: vec![], disputes: vec![], licenses: vec![], keys_mailed: false }
}

/// A sale with its books, its clock and what was said about it, all in memory.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) catalog: Catalog,
    pub(crate) sale: Sale,
    pub(crate) postings: Vec<Posting>,
    pub(crate) events: Vec<EventKind>,
    pub(crate) mails: Vec<MailKind>,
    pub(crate) jobs: Vec<JobKind>,
    pub(crate) now: Timestamp,
    pub(crate) rng: Rng,
}

impl World {
    /// A buyer has pressed pay for two units at 49.00 EUR; the gateway has not been told yet.
    pub(crate) fn submitted() -> Self {
        let catalog = catalog();
        let sale = opened(&catalog, 2);
        let mut world = Self {
            catalog,
            sale,
            postings: vec![],
            events: vec![],
            mails: vec![],
            jobs: vec![],
            now: START,
            rng: rng(4),
        };
        let Catalog { shop, account, .. } = world.catalog.clone();
        let (changes, _) =
            submit_checkout(&world.sale, &shop, None, &buyer(), &account, START, &mut world.rng).unwrap();
        world.write(&changes);
        world.jobs.clear();
        world.events.clear();
        world
    }

    /// Decides and writes. A refusal writes nothing.
    pub(crate) fn meet(&mut self, occurrence: &Occurrence) -> Result<Changes, Refusal> {
        let changes = decide(&self.sale, occurrence, Actor::Gateway, self.now, &mut self.rng)?;
        self.write(&changes);
        Ok(changes)
    }

    /// Writes as the store does, and holds every law of a sale against what is there then.
    pub(crate) fn write(&mut self, changes: &Changes) {
        if let Err(conflict) = testing::apply(&mut self.sale, &mut self.postings, changes) {
            panic!("the store would refuse: {conflict}\n{changes:#?}");
        }
        self.events.extend(changes.events.iter().map(|event| event.kind));
        self.mails.extend(changes.deliveries.iter().map(|delivery| delivery.mail));
        self.jobs.extend(changes.jobs.iter().map(|job| job.kind));
        let broken = invariant::broken(&self.sale, &self.postings);
        assert!(broken.is_empty(), "{broken:#?}\nafter {changes:#?}");
    }

    /// A second attempt, at the other account or the same.
    pub(crate) fn retry(&mut self, account: &GatewayAccount) -> Result<PaymentId, Refusal> {
        let (changes, payment) = retry_payment(&self.sale, account, self.now, &mut self.rng)?;
        self.write(&changes);
        Ok(payment)
    }

    pub(crate) fn count(&self, mail: &str) -> usize {
        self.mails.iter().filter(|kind| kind.as_str() == mail).count()
    }
}

/// Shorthand for what a gateway reports about one payment of a sale.
#[derive(Debug, Clone)]
pub(crate) struct Reporter {
    pub(crate) account: GatewayAccountId,
    pub(crate) locator: PaymentLocator,
}

impl Reporter {
    /// The gateway of the payment, which knows it as `page_<n>` and `money_<n>`.
    pub(crate) fn of(sale: &Sale, index: usize) -> Self {
        let payment = &sale.payments[index];
        Self {
            account: payment.gateway_account,
            locator: PaymentLocator {
                shop: Some(sale.order.shop),
                order: Some(sale.order.id),
                payment: Some(payment.id),
                page_reference: Some(format!("page_{index}")),
                reference: Some(format!("money_{index}")),
            },
        }
    }

    fn reported(&self, fact: Fact) -> Occurrence {
        Occurrence::Reported { account: self.account, fact }
    }

    pub(crate) fn payment(&self, status: PaymentStatus) -> Occurrence {
        let report = PaymentReport { locator: self.locator.clone(), mode: Mode::Sandbox, status, method: None };
        self.reported(Fact::Payment(report))
    }

    pub(crate) fn refund(
        &self,
        refund: Option<RefundId>,
        reference: &str,
        minor: i64,
        status: RefundStatus,
    ) -> Occurrence {
        self.reported(Fact::Refund(RefundReport {
            locator: self.locator.clone(),
            mode: Mode::Sandbox,
            refund,
            reference: reference.to_owned(),
            amount: euro(minor),
            status,
        }))
    }

    pub(crate) fn dispute(&self, reference: &str, minor: i64, state: DisputeState) -> Occurrence {
        self.reported(Fact::Dispute(DisputeReport {
            locator: self.locator.clone(),
            mode: Mode::Sandbox,
            reference: reference.to_owned(),
            // One after the other, as a case goes that is decided once.
            as_of: Some(START.after(Duration::seconds(i64::from(state.rank())))),
            amount: euro(minor),
            reason: "fraudulent".to_owned(),
            state,
            evidence_due_at: None,
        }))
    }

    pub(crate) fn page(&self) -> Occurrence {
        let PaymentLocator { payment, page_reference, .. } = self.locator.clone();
        Occurrence::PageOpened {
            payment: payment.unwrap(),
            page_reference: page_reference.unwrap(),
            url: "https://pay.example/1".to_owned(),
            reference: None,
        }
    }
}

pub(crate) fn decline(code: &str) -> Decline {
    Decline { class: DeclineClass::Soft, code: code.to_owned() }
}
