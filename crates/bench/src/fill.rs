//! Databases of a given size: a thousand sales that the product itself made,
//! multiplied in SQL, and orders that wait for their webhook.
//!
//! What is multiplied keeps the shape, the size and the indexes of the real
//! rows; only what must be unique differs, and old webhooks have lost their bodies.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use app::App;
use domain::{
    Actor, BuyerDetails, Changes, Checkout, CheckoutId, CheckoutRequest, Country, Customer, Email, GatewayAccount,
    Locale, Mode, Occurrence, Offer, Order, Payment, Plan, Posting, Product, Rng, Sale, Seller, Shop, Timestamp,
    decide, open_checkout, submit_checkout, testing,
};
use gateways::Headers;
use latchkey_license::KeyCode;
use rusqlite::Connection;
use store::{Expect, Purpose, Statement, Value};

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

/// How many sales the product makes itself before they are multiplied.
const REAL: u64 = 1_000;

/// How many sales are written in one commit.
const AT_ONCE: usize = 500;

/// Of how many licenses the key is known.
const KNOWN_KEYS: u64 = 100_000;

/// How many copies of the real sales one statement makes.
const COPIES: usize = 20;

/// What a sale writes.
const TABLES: &[&str] =
    &["customers", "checkouts", "orders", "payments", "licenses", "postings", "notices", "events", "deliveries"];

/// What a validation reads. On PostgreSQL these rows alone are multiplied.
const LICENSES: &[&str] = &["licenses"];

/// Fills the SQLite file at `place` with `paid` orders of one license each, and `waiting` ones.
pub(crate) async fn sqlite(place: &Path, paid: u64, waiting: u64) -> anyhow::Result<Filled> {
    let url = place.to_str().context("a path that is text")?;
    let app = server::app(server::open(url).await?).await?;
    let catalog = catalog(&app).await?;
    sell(&app, &catalog).await?;
    {
        let connection = Connection::open(place)?;
        connection.pragma_update(None, "cache_size", -500_000)?;
        for table in TABLES {
            let columns: Vec<String> = connection
                .prepare("select name from pragma_table_info(?1)")?
                .query_map([table], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            let sql = multiplied(table, &columns, "temp.real_rows", "randomblob(16)", "x''").replace('$', "?");
            connection.execute_batch(&format!("create temp table real_rows as select * from main.{table}"))?;
            connection.execute(&sql, [1, i64::try_from(paid / REAL)? - 1])?;
            connection.execute_batch("drop table temp.real_rows")?;
        }
        connection.execute_batch("pragma wal_checkpoint(truncate)")?;
    }
    finish(&app, &catalog, paid, waiting).await
}

/// Fills the PostgreSQL database at `url` with `paid` licenses, and `waiting` orders.
pub(crate) async fn postgres(url: &str, paid: u64, waiting: u64) -> anyhow::Result<Filled> {
    let app = server::app(server::open(url).await?).await?;
    let catalog = catalog(&app).await?;
    sell(&app, &catalog).await?;
    for table in LICENSES {
        let columns = app
            .store
            .engine()
            .query(vec![read(
                "select column_name::text from information_schema.columns where table_schema = current_schema() and cast(table_name as text) = $1",
                vec![Value::Text((*table).to_owned())],
            )])
            .await?;
        let columns =
            columns.iter().flatten().map(|row| Ok(row.text(0)?.to_owned())).collect::<anyhow::Result<Vec<String>>>()?;
        // An engine takes texts that live as long as the program; this one is made once a run and table.
        let real = format!("(select * from {table} where substr(id, length(id) - 25, 2) <> '00') as real_rows");
        let sql: &'static str = multiplied(table, &columns, &real, "uuid_send(gen_random_uuid())", "''::bytea").leak();
        let copies = i64::try_from(paid / REAL)? - 1;
        for first in (1..=copies).step_by(COPIES) {
            let last = copies.min(first + i64::try_from(COPIES)? - 1);
            app.store.engine().commit(vec![read(sql, vec![Value::Integer(first), Value::Integer(last)])]).await?;
        }
    }
    let filled = finish(&app, &catalog, paid, waiting).await?;
    // What the filling left to do is done before anything is measured, and not beside it.
    store::testing::run_on(url, &["vacuum analyze", "checkpoint"]).await;
    Ok(filled)
}

/// The statement that copies all real rows of a table, the copies numbered from `$1` to `$2`.
fn multiplied(table: &str, columns: &[String], real: &str, random: &str, empty: &str) -> String {
    let values: Vec<String> = columns
        .iter()
        .map(|column| match column.as_str() {
            "shop_id" | "product_id" | "plan_id" | "gateway_account_id" => column.clone(),
            "id" => marked(column),
            name if name.ends_with("_id") && name != "event_id" => marked(column),
            "event_id" | "number" | "email" | "email_key" | "page_reference" | "reference" | "cause" => {
                format!("{column} || '-' || copy")
            }
            "key_hash" => random.to_owned(),
            "body" => empty.to_owned(),
            _ => column.clone(),
        })
        .collect();
    format!(
        "insert into {table} ({}) with recursive copies(copy) as (select cast($1 as bigint) union all select copy + 1 from copies where copy < $2) \
         select {} from copies cross join {real} where copy <= $2",
        columns.join(", "),
        values.join(", ")
    )
}

/// An id with the number of the copy where the oldest time would stand: older than every real one, in order.
fn marked(column: &str) -> String {
    format!(
        "substr({column}, 1, length({column}) - 26) || '00' || cast(10000000 + copy as text) || substr({column}, length({column}) - 15)"
    )
}

fn read(sql: &'static str, values: Vec<Value>) -> Statement {
    Statement { sql, values, expect: Expect::Any, what: "filling" }
}

/// Gives some licenses, spread over all, keys that are known here, and opens the orders that wait.
async fn finish(app: &Arc<App>, catalog: &Catalog, paid: u64, waiting: u64) -> anyhow::Result<Filled> {
    let mut rng = Rng::from_seed([2; 32]);
    let engine = app.store.engine();
    let every = i64::try_from((paid / KNOWN_KEYS).max(1))?;
    let spread = "select id from (select id, row_number() over (order by id) as place from licenses) as numbered where place % $1 = 0";
    let found = engine.query(vec![read(spread, vec![Value::Integer(every)])]).await?;
    let mut keys = Vec::new();
    let mut named = Vec::new();
    for row in found.iter().flatten() {
        let key = KeyCode::from_random_bytes(rng.bytes());
        let hash = app.store.vault().hash(Purpose::LicenseKey, key.to_string().as_bytes());
        named.push(read(
            "update licenses set key_hash = $3 where shop_id = $1 and id = $2",
            vec![
                Value::Text(catalog.shop.id.to_string()),
                Value::Text(row.text(0)?.to_owned()),
                Value::Bytes(hash[..16].to_vec()),
            ],
        ));
        keys.push(key.to_string());
    }
    for group in named.chunks(AT_ONCE) {
        engine.commit(group.to_vec()).await?;
    }
    // In the order of the table, neighbours would be asked for together.
    for place in (1..keys.len()).rev() {
        keys.swap(place, usize::try_from(rng.below(place as u64 + 1))?);
    }
    let waiting = wait_for_money(app, catalog, 10_000_000, waiting).await?;
    Ok(Filled { account: catalog.account.id.to_string(), plan: catalog.plan.slug.clone(), keys, waiting })
}

/// The real sales: opened, then paid by their webhooks.
async fn sell(app: &Arc<App>, catalog: &Catalog) -> anyhow::Result<()> {
    let orders = wait_for_money(app, catalog, 0, REAL).await?;
    let mut sold = tokio::task::JoinSet::new();
    for (signature, body) in webhooks(&orders, app.clock.now())? {
        let (app, account) = (Arc::clone(app), catalog.account.id);
        sold.spawn(async move {
            app.receive(account, &Headers::new([("stripe-signature".to_owned(), signature)]), body.as_bytes()).await
        });
    }
    while let Some(outcome) = sold.join_next().await {
        let outcomes = outcome??;
        anyhow::ensure!(outcomes == [app::NoticeOutcome::Applied], "a webhook was not applied: {outcomes:?}");
    }
    Ok(())
}

/// Adds `count` orders that wait for money, with buyers numbered from `first` on.
async fn wait_for_money(app: &App, catalog: &Catalog, first: u64, count: u64) -> anyhow::Result<Vec<Waiting>> {
    let mut made = Vec::new();
    let mut rng = Rng::from_seed([u8::from(first > 0); 32]);
    let mut changes = Changes::default();
    for number in first..first + count {
        let rows = sent_sale(catalog, number, app.clock.now(), &mut rng)?;
        let payment = rows.sale.payments.first().context("a payment")?;
        made.push(Waiting {
            shop: catalog.shop.id.to_string(),
            order: rows.sale.order.id.to_string(),
            payment: payment.id.to_string(),
            page: payment.page_reference.clone().unwrap_or_default(),
            amount: payment.amount.minor(),
        });
        append(&mut changes, rows);
        if changes.orders.len() >= AT_ONCE {
            app.store.commit(&std::mem::take(&mut changes)).await?;
        }
    }
    app.store.commit(&changes).await?;
    Ok(made)
}

struct Catalog {
    shop: Shop,
    product: Product,
    plan: Plan,
    account: GatewayAccount,
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
    let credentials =
        format!(r#"{{"secret_key":"sk_test_bench","webhook_secret":"{SECRET}","base_url":"http://127.0.0.1:9"}}"#);
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
        answers: std::collections::BTreeMap::new(),
    };
    let offer = Offer { shop: &catalog.shop, product: &catalog.product, plan: &catalog.plan, parts: &[] };
    let opened = open_checkout(&offer, &request, Actor::Buyer, at, rng)?;
    let order: Order = opened.orders.into_iter().next().context("an order")?;
    let checkout: Checkout = opened.checkouts.into_iter().next().context("a checkout")?;
    let mut sale = Sale {
        order,
        checkout,
        payments: Vec::new(),
        refunds: Vec::new(),
        disputes: Vec::new(),
        licenses: Vec::new(),
        keys_mailed: false,
    };
    stored(&mut sale);
    let buyer = BuyerDetails {
        email: Email::parse(&format!("buyer{number}@example.com"))?,
        name: None,
        country: Country::US,
        locale: Locale::english(),
        immediate_supply: false,
        accepts_later: true,
        answers: std::collections::BTreeMap::new(),
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

/// Adds the rows of a sale as new rows.
fn append(changes: &mut Changes, rows: Rows) {
    let Rows { sale, customer, postings } = rows;
    changes.customers.push(Customer { version: 0, ..customer });
    changes.orders.push(Order { version: 0, ..sale.order });
    changes.checkouts.push(Checkout { version: 0, ..sale.checkout });
    changes.payments.extend(sale.payments.into_iter().map(|payment| Payment { version: 0, ..payment }));
    changes.postings.extend(postings);
}

/// The webhook that tells that an order was paid, as its gateway writes it, with its signature.
pub(crate) fn webhooks(waiting: &[Waiting], now: Timestamp) -> anyhow::Result<Vec<(String, String)>> {
    let template = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../gateways/src/stripe/fixtures/events/checkout.session.completed.paid.json");
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
