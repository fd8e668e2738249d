//! Attempts to collect money, and the gateway's names for them.

use domain::{GatewayAccountId, Mode, OrderId, Payment, PaymentId, PaymentState, ShopId, Timestamp};

use crate::column::Columns;
use crate::statement::{optional_json, read, texts, values, write};
use crate::{CommitError, ReadError, Row, RowError, Statement, Store};

const WHAT: &str = "payment";

macro_rules! columns {
    () => {
        "shop_id, id, version, currency, order_id, gateway_account_id, amount_minor, mode, state, page_reference, page_url, \
         reference, method, decline, check_at, checks, created_at, opening"
    };
}

const BY_ID: &str = concat!("select ", columns!(), " from payments where shop_id = $1 and id = $2");
const OF_ORDER: &str =
    concat!("select ", columns!(), " from payments where shop_id = $1 and order_id = $2 order by id");
const ORDER_BY_ID: &str = "select order_id from payments where shop_id = $1 and id = $2";
const ORDER_BY_REFERENCE: &str =
    "select order_id from payments where shop_id = $1 and reference = $2 and gateway_account_id = $3";
const ORDER_BY_PAGE_REFERENCE: &str =
    "select order_id from payments where shop_id = $1 and page_reference = $2 and gateway_account_id = $3";
const WITH_REFERENCE: &str = concat!("select ", columns!(), " from payments where shop_id = $1 and reference = $2");
const WITH_PAGE_REFERENCE: &str =
    concat!("select ", columns!(), " from payments where shop_id = $1 and page_reference = $2");
const DUE: &str = "select shop_id, id, order_id from payments where check_at <= $1 order by check_at limit $2";
const INSERT: &str = concat!(
    "insert into payments (",
    columns!(),
    ") values ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
);
const UPDATE: &str = "update payments set version = version + 1, state = $4, page_reference = $5, page_url = $6, \
    reference = $7, method = $8, decline = $9, check_at = $10, checks = $11, opening = $12 \
    where shop_id = $1 and id = $2 and version = $3";

texts![
    BY_ID,
    OF_ORDER,
    ORDER_BY_ID,
    ORDER_BY_REFERENCE,
    ORDER_BY_PAGE_REFERENCE,
    WITH_REFERENCE,
    WITH_PAGE_REFERENCE,
    DUE,
    INSERT,
    UPDATE
];

pub(crate) fn row(row: &mut Row) -> Result<Payment, RowError> {
    let mut columns = Columns::of(row);
    let (shop, id, version) = (columns.id()?, columns.id()?, columns.integer()?);
    let currency = columns.currency()?;
    Ok(Payment {
        shop,
        id,
        version,
        order: columns.id()?,
        gateway_account: columns.id()?,
        amount: columns.money(currency)?,
        mode: columns.word("a mode", Mode::parse)?,
        state: columns.word("a state of a payment", PaymentState::parse)?,
        page_reference: columns.optional_text()?,
        page_url: columns.optional_text()?,
        reference: columns.optional_text()?,
        method: columns.optional_json("a payment method")?,
        decline: columns.optional_json("a decline")?,
        check_at: columns.optional_time()?,
        checks: columns.count()?,
        created_at: columns.time()?,
        opening: columns.optional_text()?,
    })
}

pub(crate) fn by_id(shop: ShopId, payment: PaymentId) -> Statement {
    read(WHAT, BY_ID, values![shop, payment])
}

pub(crate) fn of_order(shop: ShopId, order: OrderId) -> Statement {
    read(WHAT, OF_ORDER, values![shop, order])
}

/// Asks for the order of the payment with this id.
pub(crate) fn order_by_id(shop: ShopId, payment: PaymentId) -> Statement {
    read(WHAT, ORDER_BY_ID, values![shop, payment])
}

/// Asks for the order of what the gateway calls so.
pub(crate) fn order_by_reference(shop: ShopId, account: GatewayAccountId, reference: &str) -> Statement {
    read(WHAT, ORDER_BY_REFERENCE, values![shop, reference, account])
}

/// Asks for the order of the page that the gateway calls so.
pub(crate) fn order_by_page_reference(shop: ShopId, account: GatewayAccountId, reference: &str) -> Statement {
    read(WHAT, ORDER_BY_PAGE_REFERENCE, values![shop, reference, account])
}

/// Asks for what a gateway calls so: the money, or the page.
pub(crate) fn with_reference(shop: ShopId, reference: &str) -> [Statement; 2] {
    [WITH_REFERENCE, WITH_PAGE_REFERENCE].map(|sql| read(WHAT, sql, values![shop, reference]))
}

pub(crate) fn statement(payment: &Payment) -> Result<Statement, CommitError> {
    let method = optional_json(payment.method.as_ref())?;
    let decline = optional_json(payment.decline.as_ref())?;
    Ok(match payment.version {
        0 => write(
            WHAT,
            INSERT,
            values![
                payment.shop,
                payment.id,
                payment.amount.currency().code(),
                payment.order,
                payment.gateway_account,
                payment.amount.minor(),
                payment.mode.as_str(),
                payment.state.as_str(),
                payment.page_reference.as_deref(),
                payment.page_url.as_deref(),
                payment.reference.as_deref(),
                method,
                decline,
                payment.check_at,
                payment.checks,
                payment.created_at,
                payment.opening.as_deref(),
            ],
        ),
        version => write(
            WHAT,
            UPDATE,
            values![
                payment.shop,
                payment.id,
                version,
                payment.state.as_str(),
                payment.page_reference.as_deref(),
                payment.page_url.as_deref(),
                payment.reference.as_deref(),
                method,
                decline,
                payment.check_at,
                payment.checks,
                payment.opening.as_deref(),
            ],
        ),
    })
}

impl Store {
    /// The payment with this id.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn payment(&self, shop: ShopId, payment: PaymentId) -> Result<Option<Payment>, ReadError> {
        self.one(by_id(shop, payment), row).await
    }

    /// Payments about which the gateway is to be asked, the longest overdue first, of every shop.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn payments_due(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(ShopId, PaymentId, OrderId)>, ReadError> {
        self.every(read(WHAT, DUE, values![now, limit]), |row| {
            let mut columns = Columns::of(row);
            Ok((columns.id()?, columns.id()?, columns.id()?))
        })
        .await
    }
}
