//! Messages to receivers, and how far they have come.

use domain::{CustomerId, Delivery, DeliveryId, DeliveryState, HELD_UNTIL, Locale, MailKind, OrderId, ShopId};

use crate::column::Columns;
use crate::page::{Lists, lists};
use crate::statement::{read, texts, values, write};
use crate::{Listing, Page, ReadError, Row, RowError, Statement, Store};

const WHAT: &str = "delivery";

macro_rules! columns {
    () => {
        "shop_id, id, version, mail, subject, recipient, locale, order_id, customer_id, state, attempts, last_error, \
         created_at, sent_at, without_keys"
    };
}

macro_rules! select {
    () => {
        concat!("select ", columns!(), " from deliveries where shop_id = $1")
    };
}

const BY_ID: &str = concat!(select!(), " and id = $2");
const LIST: Lists = lists!(select!());
/// The state here is `sent`, which the index of states leaves out.
const LIST_SENT: Lists = lists!(select!(), " and state = $4");
const LIST_IN_STATE: Lists = lists!(select!(), " and state = $4 and state <> 'sent'");
const LIST_OF_ORDER: Lists =
    lists!(select!(), " and order_id = $4 and (customer_id = $5 or $5 is null) and (state = $6 or $6 is null)");
const LIST_OF_CUSTOMER: Lists = lists!(select!(), " and customer_id = $4 and (state = $5 or $5 is null)");
/// Jobs that wait for a person are few, and found by their time; ids need no shop to be told apart.
const HELD: &str = concat!(
    select!(),
    " and id in (select subject from jobs where run_at >= $2 and kind = 'send_mail') order by id limit $3"
);
const COUNT_SENT: &str = "select count(*) from deliveries where shop_id = $1 and state = $2";
const COUNT_IN_STATE: &str = "select count(*) from deliveries where shop_id = $1 and state = $2 and state <> 'sent'";
/// Whether the keys of an order have left, or wait to leave: one row, or none.
const KEYS_MAILED: &str = "select 1 from deliveries where shop_id = $1 and order_id = $2 and mail = 'order_paid' \
    and state in ('queued', 'sent') and without_keys = 0 limit 1";
const INSERT: &str = concat!(
    "insert into deliveries (",
    columns!(),
    ") values ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
);
const UPDATE: &str = "update deliveries set version = version + 1, recipient = $4, locale = $5, state = $6, \
    attempts = $7, last_error = $8, sent_at = $9, without_keys = $10 where shop_id = $1 and id = $2 and version = $3";

texts![
    BY_ID,
    LIST.older,
    LIST.newer,
    LIST_SENT.older,
    LIST_SENT.newer,
    LIST_IN_STATE.older,
    LIST_IN_STATE.newer,
    LIST_OF_ORDER.older,
    LIST_OF_ORDER.newer,
    LIST_OF_CUSTOMER.older,
    LIST_OF_CUSTOMER.newer,
    HELD,
    COUNT_SENT,
    COUNT_IN_STATE,
    KEYS_MAILED,
    INSERT,
    UPDATE
];

/// Which deliveries a list shows; everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// In this state.
    pub state: Option<DeliveryState>,
    /// About this order.
    pub order: Option<OrderId>,
    /// To this customer.
    pub customer: Option<CustomerId>,
}

fn row(row: &mut Row) -> Result<Delivery, RowError> {
    let mut columns = Columns::of(row);
    let (shop, id, version) = (columns.id()?, columns.id()?, columns.integer()?);
    let kind = columns.text()?;
    Ok(Delivery {
        shop,
        id,
        version,
        mail: columns.word("what a mail is about", |subject| MailKind::from_parts(&kind, subject))?,
        to: columns.email()?,
        locale: columns.word("a language tag", Locale::parse)?,
        order: columns.optional_id()?,
        customer: columns.optional_id()?,
        state: columns.word("a state of a delivery", DeliveryState::parse)?,
        attempts: columns.count()?,
        last_error: columns.optional_text()?,
        created_at: columns.time()?,
        sent_at: columns.optional_time()?,
        without_keys: columns.flag()?,
    })
}

pub(crate) fn keys_mailed(shop: ShopId, order: OrderId) -> Statement {
    read(WHAT, KEYS_MAILED, values![shop, order])
}

pub(crate) fn statement(delivery: &Delivery) -> Statement {
    match delivery.version {
        0 => write(
            WHAT,
            INSERT,
            values![
                delivery.shop,
                delivery.id,
                delivery.mail.as_str(),
                delivery.mail.subject(),
                delivery.to.as_str(),
                delivery.locale.as_str(),
                delivery.order,
                delivery.customer,
                delivery.state.as_str(),
                delivery.attempts,
                delivery.last_error.as_deref(),
                delivery.created_at,
                delivery.sent_at,
                delivery.without_keys,
            ],
        ),
        version => write(
            WHAT,
            UPDATE,
            values![
                delivery.shop,
                delivery.id,
                version,
                delivery.to.as_str(),
                delivery.locale.as_str(),
                delivery.state.as_str(),
                delivery.attempts,
                delivery.last_error.as_deref(),
                delivery.sent_at,
                delivery.without_keys,
            ],
        ),
    }
}

impl Store {
    /// The delivery with this id.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn delivery(&self, shop: ShopId, delivery: DeliveryId) -> Result<Option<Delivery>, ReadError> {
        self.one(read(WHAT, BY_ID, values![shop, delivery]), row).await
    }

    /// The shop's deliveries, newest first.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn deliveries(
        &self,
        shop: ShopId,
        filter: &DeliveryFilter,
        page: Page<DeliveryId>,
    ) -> Result<Listing<Delivery>, ReadError> {
        let state = filter.state.map(DeliveryState::as_str);
        let (lists, conditions) = match (filter.order, filter.customer, filter.state) {
            (Some(order), customer, _) => (&LIST_OF_ORDER, values![order, customer, state]),
            (None, Some(customer), _) => (&LIST_OF_CUSTOMER, values![customer, state]),
            (None, None, Some(DeliveryState::Sent)) => (&LIST_SENT, values![state]),
            (None, None, Some(_)) => (&LIST_IN_STATE, values![state]),
            (None, None, None) => (&LIST, values![]),
        };
        self.page(WHAT, lists, shop, &page, conditions, row).await
    }

    /// What the mail server took, newest first: the mailbox of a sandbox.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn mailbox(&self, shop: ShopId, page: Page<DeliveryId>) -> Result<Listing<Delivery>, ReadError> {
        let filter = DeliveryFilter { state: Some(DeliveryState::Sent), ..DeliveryFilter::default() };
        self.deliveries(shop, &filter, page).await
    }

    /// Mails that wait for a person to say that they are to be sent, oldest first, up to so many.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn held_mails(&self, shop: ShopId, limit: u32) -> Result<Vec<Delivery>, ReadError> {
        self.every(read(WHAT, HELD, values![shop, HELD_UNTIL, limit]), row).await
    }

    /// How many of the shop's deliveries are in a state.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_deliveries(&self, shop: ShopId, state: DeliveryState) -> Result<u64, ReadError> {
        let sql = match state {
            DeliveryState::Sent => COUNT_SENT,
            DeliveryState::Queued | DeliveryState::Refused | DeliveryState::Bounced => COUNT_IN_STATE,
        };
        self.counted(read(WHAT, sql, values![shop, state.as_str()])).await
    }
}
