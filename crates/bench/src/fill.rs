//! Databases of a given size: so many orders that were paid, so many that wait.

use std::path::Path;

use anyhow::Context as _;
use app::App;
use domain::{
    Actor, BuyerDetails, Changes, Checkout, CheckoutId, CheckoutRequest, Country, Customer, Email, Fact, GatewayAccount, License,
    Locale, Mode, Occurrence, Order, Payment, PaymentLocator, PaymentReport, PaymentStatus, Plan, Posting, Product, Rng, Sale, Seller,
    Shop, Timestamp, decide, open_checkout, submit_checkout, testing,
};
use latchkey_license::KeyCode;

use crate::server;

/// What a filled database holds that the load needs to know.
pub(crate) struct Filled {
    pub(crate) account: String,
    pub(crate) plan: String,
    /// Some of the keys, spread over the whole.
    pub(crate) keys: Vec<String>,
    /// Orders that wait for their webhook.
    pub(crate) waiting: Vec<Waiting>,
}

/// An order that waits for money.
#[derive(Clone)]
pub(crate) struct Waiting {
    pub(crate) shop: String,
    pub(crate) order: String,
    pub(crate) payment: String,
    pub(crate) page: String,
    pub(crate) amount: i64,
}

/// The secret that webhooks are signed with.
pub(crate) const SECRET: &str = "whsec_bench";

/// How many sales go into one commit while filling.
const AT_ONCE: u64 = 500;

struct Catalog {
    shop: Shop,
    product: Product,
    plan: Plan,
    account: GatewayAccount,
}

/// Fills the database at `place` with `paid` orders of one license each, and `waiting` ones.
pub(crate) async fn fill(place: &str, paid: u64, waiting: u64) -> anyhow::Result<Filled> {
    let app = server::app(server::open(place).await?).await?;
    let catalog = catalog(&app).await?;
    let mut rng = Rng::from_seed([1; 32]);
    let every = (paid / 10_000).max(1);
    let mut keys = Vec::new();
    let mut done = 0;
    while done < paid {
        let mut changes = Changes::default();
        for number in done..paid.min(done + AT_ONCE) {
            let at = Timestamp::from_seconds(1_700_000_000 + i64::try_from(number)?);
            let (rows, key) = paid_sale(&catalog, number, at, &mut rng)?;
            if number % every == 0 {
                keys.push(key.to_string());
            }
            append(&mut changes, rows, Some(key));
        }
        done += AT_ONCE;
        app.store.commit(&changes).await?;
    }
    let waiting = wait_for_money(&app, &catalog, waiting, &mut rng).await?;
    Ok(Filled { account: catalog.account.id.to_string(), plan: catalog.plan.slug.clone(), keys, waiting })
}

/// Adds `count` orders that wait for money.
async fn wait_for_money(app: &App, catalog: &Catalog, count: u64, rng: &mut Rng) -> anyhow::Result<Vec<Waiting>> {
    let mut made = Vec::new();
    let now = app.clock.now();
    let mut changes = Changes::default();
    for number in 0..count {
        let rows = sent_sale(catalog, 10_000_000 + number, now, rng)?;
        let payment = rows.sale.payments.first().context("a payment")?;
        made.push(Waiting {
            shop: catalog.shop.id.to_string(),
            order: rows.sale.order.id.to_string(),
            payment: payment.id.to_string(),
            page: payment.page_reference.clone().unwrap_or_default(),
            amount: payment.amount.minor(),
        });
        append(&mut changes, rows, None);
        if changes.orders.len() >= 500 {
            app.store.commit(&std::mem::take(&mut changes)).await?;
        }
    }
    app.store.commit(&changes).await?;
    Ok(made)
}

async fn catalog(app: &App) -> anyhow::Result<Catalog> {
    let shop = app
        .create_shop(app::NewShop {
            name: "Bench".to_owned(),
            mode: Mode::Sandbox,
            seller: Seller { legal_name: "Bench".to_owned(), ..Seller::default() },
            terms: String::new(),
            refund_policy: String::new(),
        })
        .await?;
    let sample = app.create_sample_catalog(&shop).await?;
    let credentials = format!(r#"{{"secret_key":"sk_test_bench","webhook_secret":"{SECRET}","base_url":"http://127.0.0.1:9"}}"#);
    let account = app.connect_gateway(&shop, "stripe", credentials).await?;
    let plan = app.store.plan(shop.id, *sample.plans.get(1).context("a plan")?).await?.context("the plan")?;
    let product = app.store.product(shop.id, sample.product).await?.context("the product")?;
    Ok(Catalog { shop, product, plan, account })
}

struct Rows {
    sale: Sale,
    customer: Customer,
    postings: Vec<Posting>,
}

/// A sale whose payment page is open: the rules of the product, applied in memory.
fn sent_sale(catalog: &Catalog, number: u64, at: Timestamp, rng: &mut Rng) -> anyhow::Result<Rows> {
    let request = CheckoutRequest {
        id: CheckoutId::mint(at, rng),
        quantity: 1,
        currency: None,
        coupon: None,
        email: None,
        country: Country::US,
        locale: Locale::english(),
        success_url: None,
        cancel_url: None,
        metadata: std::collections::BTreeMap::new(),
    };
    let opened = open_checkout(&catalog.shop, &catalog.product, &catalog.plan, &request, Actor::Buyer, at, rng)?;
    let order: Order = opened.orders.into_iter().next().context("an order")?;
    let checkout: Checkout = opened.checkouts.into_iter().next().context("a checkout")?;
    let mut sale = Sale { order, checkout, payments: Vec::new(), refunds: Vec::new(), disputes: Vec::new(), licenses: Vec::new() };
    stored(&mut sale);
    let buyer = BuyerDetails {
        email: Email::parse(&format!("buyer{number}@example.com"))?,
        name: None,
        country: Country::US,
        locale: Locale::english(),
        immediate_supply: false,
    };
    let (submitted, payment) = submit_checkout(&sale, &catalog.shop, None, &buyer, &catalog.account, at, rng)?;
    let customer = submitted.customers.first().context("a customer")?.clone();
    let mut postings = Vec::new();
    let apply = |sale: &mut Sale, postings: &mut Vec<Posting>, changes: &Changes| {
        testing::apply(sale, postings, changes).map_err(anyhow::Error::msg)
    };
    apply(&mut sale, &mut postings, &submitted)?;
    let page = Occurrence::PageOpened {
        payment,
        page_reference: format!("cs_test_bench{number}"),
        url: "https://gateway.example/pay".to_owned(),
        reference: None,
    };
    let sent = decide(&sale, &page, Actor::System, at, rng)?;
    apply(&mut sale, &mut postings, &sent)?;
    Ok(Rows { sale, customer, postings })
}

/// The rows as the store would give them back, so that the next decision can be applied.
fn stored(sale: &mut Sale) {
    sale.order.version = 1;
    sale.checkout.version = 1;
}

fn paid_sale(catalog: &Catalog, number: u64, at: Timestamp, rng: &mut Rng) -> anyhow::Result<(Rows, KeyCode)> {
    let mut rows = sent_sale(catalog, number, at, rng)?;
    let payment: Payment = rows.sale.payments.first().context("a payment")?.clone();
    let fact = Fact::Payment(PaymentReport {
        locator: PaymentLocator {
            order: Some(rows.sale.order.id),
            payment: Some(payment.id),
            page_reference: payment.page_reference.clone(),
            reference: Some(format!("pi_bench{number}")),
        },
        mode: Mode::Sandbox,
        status: PaymentStatus::Succeeded { captured: payment.amount },
        method: None,
    });
    let occurrence = Occurrence::Reported { account: catalog.account.id, fact };
    let paid = decide(&rows.sale, &occurrence, Actor::Gateway, at, rng)?;
    let key = paid.issued.first().context("a license")?.1.clone();
    testing::apply(&mut rows.sale, &mut rows.postings, &paid).map_err(anyhow::Error::msg)?;
    Ok((rows, key))
}

/// Adds the rows of a sale as new rows.
fn append(changes: &mut Changes, rows: Rows, key: Option<KeyCode>) {
    let Rows { sale, customer, postings } = rows;
    changes.customers.push(Customer { version: 0, ..customer });
    changes.orders.push(Order { version: 0, ..sale.order });
    changes.checkouts.push(Checkout { version: 0, ..sale.checkout });
    changes.payments.extend(sale.payments.into_iter().map(|payment| Payment { version: 0, ..payment }));
    changes.postings.extend(postings);
    let licenses = sale.licenses.into_iter().map(|license| License { version: 0, ..license });
    changes.issued.extend(licenses.zip(key));
}

/// The webhook that tells that an order was paid, as its gateway writes it, with its signature.
pub(crate) fn webhooks(waiting: &[Waiting], now: Timestamp) -> anyhow::Result<Vec<(String, String)>> {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gateways/src/stripe/fixtures/events/checkout.session.completed.paid.json");
    let template: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(template)?)?;
    let seconds = now.as_seconds();
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, SECRET.as_bytes());
    waiting
        .iter()
        .map(|order| {
            let mut event = template.clone();
            event["id"] = format!("evt_{}", order.payment).into();
            let session = &mut event["data"]["object"];
            session["id"] = order.page.as_str().into();
            session["client_reference_id"] = order.order.as_str().into();
            session["amount_total"] = order.amount.into();
            session["amount_subtotal"] = order.amount.into();
            session["currency"] = "usd".into();
            session["payment_intent"] = format!("pi_{}", order.payment).into();
            session["metadata"]["latchkey_shop"] = order.shop.as_str().into();
            session["metadata"]["latchkey_order"] = order.order.as_str().into();
            session["metadata"]["latchkey_payment"] = order.payment.as_str().into();
            let body = event.to_string();
            let tag = aws_lc_rs::hmac::sign(&key, format!("{seconds}.{body}").as_bytes());
            let digits: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
            Ok((format!("t={seconds},v1={digits}"), body))
        })
        .collect()
}
