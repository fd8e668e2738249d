//! Visits to the till.

use domain::{Checkout, CheckoutId, CheckoutState, OrderId, ShopId, Timestamp};
use money::Money;

use crate::column::Columns;
use crate::page::{Lists, lists};
use crate::statement::{read, texts, values, write};
use crate::{Listing, Page, ReadError, Row, RowError, Statement, Store};

const WHAT: &str = "checkout";

macro_rules! columns {
    () => {
        "shop_id, id, version, order_id, state, success_url, cancel_url, expires_at, created_at"
    };
}

const BY_ID: &str = concat!("select ", columns!(), " from checkouts where shop_id = $1 and id = $2");
const OF_ORDER: &str = concat!("select ", columns!(), " from checkouts where shop_id = $1 and order_id = $2");
/// A list of visits is of no use without what they are about, and asking for it one by one would be worse than this.
const LIST: Lists = lists!(
    "select ",
    columns!(),
    ", (select currency from orders where orders.shop_id = checkouts.shop_id and orders.id = checkouts.order_id), \
     (select total_minor from orders where orders.shop_id = checkouts.shop_id and orders.id = checkouts.order_id) \
     from checkouts where shop_id = $1"
);
const EXPIRED: &str = "select shop_id, order_id from checkouts \
    where expires_at <= $1 and state <> 'completed' and state <> 'expired' order by expires_at limit $2";
const INSERT: &str = concat!("insert into checkouts (", columns!(), ") values ($1, $2, 1, $3, $4, $5, $6, $7, $8)");
const UPDATE: &str = "update checkouts set version = version + 1, state = $4, success_url = $5, cancel_url = $6, \
    expires_at = $7 where shop_id = $1 and id = $2 and version = $3";

texts![BY_ID, OF_ORDER, LIST.older, LIST.newer, EXPIRED, INSERT, UPDATE];

/// A checkout as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedCheckout {
    /// The visit.
    pub checkout: Checkout,
    /// What the order that it prepares costs.
    pub total: Money,
}

fn columns(columns: &mut Columns<'_>) -> Result<Checkout, RowError> {
    Ok(Checkout {
        shop: columns.id()?,
        id: columns.id()?,
        version: columns.integer()?,
        order: columns.id()?,
        state: columns.word("a state of a checkout", CheckoutState::parse)?,
        success_url: columns.optional_text()?,
        cancel_url: columns.optional_text()?,
        expires_at: columns.time()?,
        created_at: columns.time()?,
    })
}

pub(crate) fn row(row: &mut Row) -> Result<Checkout, RowError> {
    columns(&mut Columns::of(row))
}

fn listed(row: &mut Row) -> Result<ListedCheckout, RowError> {
    let mut found = Columns::of(row);
    let checkout = columns(&mut found)?;
    let currency = found.currency()?;
    Ok(ListedCheckout { checkout, total: found.money(currency)? })
}

pub(crate) fn of_order(shop: ShopId, order: OrderId) -> Statement {
    read(WHAT, OF_ORDER, values![shop, order])
}

pub(crate) fn statement(checkout: &Checkout) -> Statement {
    match checkout.version {
        0 => write(
            WHAT,
            INSERT,
            values![
                checkout.shop,
                checkout.id,
                checkout.order,
                checkout.state.as_str(),
                checkout.success_url.as_deref(),
                checkout.cancel_url.as_deref(),
                checkout.expires_at,
                checkout.created_at,
            ],
        ),
        version => write(
            WHAT,
            UPDATE,
            values![
                checkout.shop,
                checkout.id,
                version,
                checkout.state.as_str(),
                checkout.success_url.as_deref(),
                checkout.cancel_url.as_deref(),
                checkout.expires_at,
            ],
        ),
    }
}

impl Store {
    /// The checkout with this id.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn checkout(&self, shop: ShopId, checkout: CheckoutId) -> Result<Option<Checkout>, ReadError> {
        self.one(read(WHAT, BY_ID, values![shop, checkout]), row).await
    }

    /// The shop's checkouts, newest first.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn checkouts(&self, shop: ShopId, page: Page<CheckoutId>) -> Result<Listing<ListedCheckout>, ReadError> {
        self.page(WHAT, &LIST, shop, &page, values![], listed).await
    }

    /// The orders of checkouts whose time is over and that have neither been paid nor ended, the longest overdue
    /// first, of every shop.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn expired_checkouts(&self, now: Timestamp, limit: u32) -> Result<Vec<(ShopId, OrderId)>, ReadError> {
        self.every(read(WHAT, EXPIRED, values![now, limit]), |row| {
            let mut columns = Columns::of(row);
            Ok((columns.id()?, columns.id()?))
        })
        .await
    }
}
