//! Money given back.

use domain::{Actor, OrderId, Refund, RefundId, RefundReason, RefundState, ShopId};

use crate::column::Columns;
use crate::statement::{read, texts, values, write};
use crate::{ReadError, Row, RowError, Statement, Store};

const WHAT: &str = "refund";

macro_rules! columns {
    () => {
        "shop_id, id, version, currency, payment_id, order_id, amount_minor, reason, revokes, state, reference, \
         requested_by, failure, created_at"
    };
}

const BY_ID: &str = concat!("select ", columns!(), " from refunds where shop_id = $1 and id = $2");
const OF_ORDER: &str = concat!("select ", columns!(), " from refunds where shop_id = $1 and order_id = $2 order by id");
const WITH_REFERENCE: &str = concat!("select ", columns!(), " from refunds where shop_id = $1 and reference = $2");
/// Orders with a surplus whose refund failed and that no other refund gives back. What a bank has taken of it is for the
/// rules to say.
const SURPLUS: &str = "select distinct refunds.order_id from refunds join payments \
    on payments.shop_id = refunds.shop_id and payments.id = refunds.payment_id \
    where refunds.shop_id = $1 and refunds.reason = 'surprise_capture' and refunds.state in ('canceled', 'failed') \
    and payments.state = 'succeeded' and payments.amount_minor > (select coalesce(sum(others.amount_minor), 0) \
    from refunds as others where others.shop_id = payments.shop_id and others.order_id = payments.order_id \
    and others.payment_id = payments.id and others.state in ('created', 'pending', 'succeeded')) \
    order by refunds.order_id limit $2";
const INSERT: &str = concat!(
    "insert into refunds (",
    columns!(),
    ") values ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
);
const UPDATE: &str = "update refunds set version = version + 1, reason = $4, revokes = $5, state = $6, reference = $7, \
    failure = $8 where shop_id = $1 and id = $2 and version = $3";

texts![BY_ID, OF_ORDER, WITH_REFERENCE, SURPLUS, INSERT, UPDATE];

pub(crate) fn row(row: &mut Row) -> Result<Refund, RowError> {
    let mut columns = Columns::of(row);
    let (shop, id, version) = (columns.id()?, columns.id()?, columns.integer()?);
    let currency = columns.currency()?;
    Ok(Refund {
        shop,
        id,
        version,
        payment: columns.id()?,
        order: columns.id()?,
        amount: columns.money(currency)?,
        reason: columns.word("a reason of a refund", RefundReason::parse)?,
        revoke: columns.optional_flag()?,
        state: columns.word("a state of a refund", RefundState::parse)?,
        reference: columns.optional_text()?,
        requested_by: columns.word("an actor", Actor::parse)?,
        failure: columns.optional_text()?,
        created_at: columns.time()?,
    })
}

pub(crate) fn by_id(shop: ShopId, refund: RefundId) -> Statement {
    read(WHAT, BY_ID, values![shop, refund])
}

pub(crate) fn of_order(shop: ShopId, order: OrderId) -> Statement {
    read(WHAT, OF_ORDER, values![shop, order])
}

/// Asks for what a gateway calls so.
pub(crate) fn with_reference(shop: ShopId, reference: &str) -> Statement {
    read(WHAT, WITH_REFERENCE, values![shop, reference])
}

pub(crate) fn statement(refund: &Refund) -> Statement {
    match refund.version {
        0 => write(
            WHAT,
            INSERT,
            values![
                refund.shop,
                refund.id,
                refund.amount.currency().code(),
                refund.payment,
                refund.order,
                refund.amount.minor(),
                refund.reason.as_str(),
                refund.revoke,
                refund.state.as_str(),
                refund.reference.as_deref(),
                refund.requested_by.to_text(),
                refund.failure.as_deref(),
                refund.created_at,
            ],
        ),
        version => write(
            WHAT,
            UPDATE,
            values![
                refund.shop,
                refund.id,
                version,
                refund.reason.as_str(),
                refund.revoke,
                refund.state.as_str(),
                refund.reference.as_deref(),
                refund.failure.as_deref(),
            ],
        ),
    }
}

impl Store {
    /// The refund with this id.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn refund(&self, shop: ShopId, refund: RefundId) -> Result<Option<Refund>, ReadError> {
        self.one(by_id(shop, refund), row).await
    }
    /// Orders that were paid twice and whose surplus could not be sent back, the oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn orders_with_surplus(&self, shop: ShopId, limit: u32) -> Result<Vec<OrderId>, ReadError> {
        self.every(read(WHAT, SURPLUS, values![shop, limit]), |row| Columns::of(row).id()).await
    }
}
