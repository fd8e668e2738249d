//! Chargebacks, and early warnings of them.

use domain::{Dispute, DisputeId, DisputeState, OrderId, ShopId, Timestamp};

use crate::column::Columns;
use crate::statement::{read, texts, values, write};
use crate::{ReadError, Row, RowError, Statement, Store};

const WHAT: &str = "dispute";

macro_rules! columns {
    () => {
        "shop_id, id, version, currency, payment_id, order_id, reference, amount_minor, reason, state, evidence_due_at, \
         created_at, told_at"
    };
}

const BY_ID: &str = concat!("select ", columns!(), " from disputes where shop_id = $1 and id = $2");
const OF_ORDER: &str =
    concat!("select ", columns!(), " from disputes where shop_id = $1 and order_id = $2 order by id");
const WITH_REFERENCE: &str = concat!("select ", columns!(), " from disputes where shop_id = $1 and reference = $2");
const INSERT: &str =
    concat!("insert into disputes (", columns!(), ") values ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)");
const UPDATE: &str = "update disputes set version = version + 1, amount_minor = $4, reason = $5, state = $6, \
    evidence_due_at = $7, told_at = $8 where shop_id = $1 and id = $2 and version = $3";

texts![BY_ID, OF_ORDER, WITH_REFERENCE, INSERT, UPDATE];

pub(crate) fn row(row: &mut Row) -> Result<Dispute, RowError> {
    let mut columns = Columns::of(row);
    let (shop, id, version) = (columns.id()?, columns.id()?, columns.integer()?);
    let currency = columns.currency()?;
    let mut dispute = Dispute {
        shop,
        id,
        version,
        payment: columns.id()?,
        order: columns.id()?,
        reference: columns.text()?,
        amount: columns.money(currency)?,
        reason: columns.text()?,
        state: columns.word("a state of a dispute", DisputeState::parse)?,
        evidence_due_at: columns.optional_time()?,
        created_at: columns.time()?,
        told_at: Timestamp::from_seconds(0),
    };
    // From before it was noted: when it was first heard of.
    dispute.told_at = columns.optional_time()?.unwrap_or(dispute.created_at);
    Ok(dispute)
}

pub(crate) fn by_id(shop: ShopId, dispute: DisputeId) -> Statement {
    read(WHAT, BY_ID, values![shop, dispute])
}

pub(crate) fn of_order(shop: ShopId, order: OrderId) -> Statement {
    read(WHAT, OF_ORDER, values![shop, order])
}

/// Asks for what a gateway calls so.
pub(crate) fn with_reference(shop: ShopId, reference: &str) -> Statement {
    read(WHAT, WITH_REFERENCE, values![shop, reference])
}

pub(crate) fn statement(dispute: &Dispute) -> Statement {
    match dispute.version {
        0 => write(
            WHAT,
            INSERT,
            values![
                dispute.shop,
                dispute.id,
                dispute.amount.currency().code(),
                dispute.payment,
                dispute.order,
                dispute.reference.as_str(),
                dispute.amount.minor(),
                dispute.reason.as_str(),
                dispute.state.as_str(),
                dispute.evidence_due_at,
                dispute.created_at,
                dispute.told_at,
            ],
        ),
        version => write(
            WHAT,
            UPDATE,
            values![
                dispute.shop,
                dispute.id,
                version,
                dispute.amount.minor(),
                dispute.reason.as_str(),
                dispute.state.as_str(),
                dispute.evidence_due_at,
                dispute.told_at,
            ],
        ),
    }
}

impl Store {
    /// The dispute with this id.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn dispute(&self, shop: ShopId, dispute: DisputeId) -> Result<Option<Dispute>, ReadError> {
        self.one(by_id(shop, dispute), row).await
    }
}
