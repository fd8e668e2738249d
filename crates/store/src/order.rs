//! What was bought.

use domain::{Country, CustomerId, Email, Locale, Order, OrderId, OrderNumber, OrderState, ShopId, Timestamp, Version};

use crate::column::Columns;
use crate::page::{Backlog, Lists, all, cut, lists};
use crate::statement::{json, read, texts, values, write};
use crate::{CommitError, Listing, Page, ReadError, Row, RowError, Statement, Store};

const WHAT: &str = "order";

macro_rules! columns {
    () => {
        "shop_id, id, version, currency, number, checkout_id, customer_id, email, country, locale, lines, total_minor, \
         refunded_minor, state, seller, consent, metadata, created_at, paid_at, unanswered_since"
    };
}

macro_rules! select {
    () => {
        concat!("select ", columns!(), " from orders where shop_id = $1")
    };
}

const BY_ID: &str = concat!(select!(), " and id = $2");
const BY_NUMBER: &str = concat!(select!(), " and number = $2");
const LIST: Lists = lists!(select!());
/// The state here is `paid`, which the index of states leaves out.
const LIST_PAID: Lists = lists!(select!(), " and state = $4");
const LIST_IN_STATE: Lists = lists!(select!(), " and state = $4 and state <> 'paid'");
const LIST_OF_CUSTOMER: Lists = lists!(select!(), " and customer_id = $4 and (state = $5 or $5 is null)");
/// Whose buyers wait for an answer, the longest waiting first.
const UNANSWERED: &str = concat!(
    select!(),
    " and unanswered_since is not null and (unanswered_since, id) > ($2, $3) order by unanswered_since, id limit $4"
);
const COUNT_UNANSWERED: &str = "select count(*), min(unanswered_since) from (select unanswered_since from orders \
    where shop_id = $1 and unanswered_since <= $2 order by unanswered_since limit 1000) as counted";
const INSERT: &str = concat!(
    "insert into orders (",
    columns!(),
    ", units, claims) values ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, \
     $19, $20, $21)"
);
const UPDATE: &str = "update orders set version = version + 1, customer_id = $4, email = $5, country = $6, locale = $7, \
    refunded_minor = $8, state = $9, consent = $10, metadata = $11, paid_at = $12, lines = $13, unanswered_since = $14 \
    where shop_id = $1 and id = $2 and version = $3";
const CHECK: &str = "update orders set version = version where shop_id = $1 and id = $2 and version = $3";

texts![
    BY_ID,
    BY_NUMBER,
    LIST.older,
    LIST.newer,
    LIST_PAID.older,
    LIST_PAID.newer,
    LIST_IN_STATE.older,
    LIST_IN_STATE.newer,
    LIST_OF_CUSTOMER.older,
    LIST_OF_CUSTOMER.newer,
    UNANSWERED,
    COUNT_UNANSWERED,
    INSERT,
    UPDATE,
    CHECK
];

/// Which orders a list shows; everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// In this state.
    pub state: Option<OrderState>,
    /// Of this customer.
    pub customer: Option<CustomerId>,
}

pub(crate) fn row(row: &mut Row) -> Result<Order, RowError> {
    let mut columns = Columns::of(row);
    let (shop, id, version) = (columns.id()?, columns.id()?, columns.integer()?);
    let currency = columns.currency()?;
    Ok(Order {
        shop,
        id,
        version,
        number: columns.word("an order number", OrderNumber::parse)?,
        checkout: columns.id()?,
        customer: columns.optional_id()?,
        email: columns.optional_email()?,
        country: columns.word("a country", Country::parse)?,
        locale: columns.word("a language tag", Locale::parse)?,
        lines: columns.json("the lines of an order")?,
        total: columns.money(currency)?,
        refunded: columns.money(currency)?,
        state: columns.word("a state of an order", OrderState::parse)?,
        seller: columns.json("a seller")?,
        consent: columns.json("a consent")?,
        metadata: columns.json("metadata")?,
        created_at: columns.time()?,
        paid_at: columns.optional_time()?,
        unanswered_since: columns.optional_time()?,
    })
}

pub(crate) fn by_id(shop: ShopId, order: OrderId) -> Statement {
    read(WHAT, BY_ID, values![shop, order])
}

pub(crate) fn by_number(shop: ShopId, number: &OrderNumber) -> Statement {
    read(WHAT, BY_NUMBER, values![shop, number.as_str()])
}

pub(crate) fn statement(order: &Order) -> Result<Statement, CommitError> {
    let email = order.email.as_ref().map(Email::as_str);
    let consent = json(&order.consent)?;
    let metadata = json(&order.metadata)?;
    let lines = json(&order.lines)?;
    Ok(match order.version {
        0 => write(
            WHAT,
            INSERT,
            values![
                order.shop,
                order.id,
                order.total.currency().code(),
                order.number.as_str(),
                order.checkout,
                order.customer,
                email,
                order.country.code(),
                order.locale.as_str(),
                lines,
                order.total.minor(),
                order.refunded.minor(),
                order.state.as_str(),
                json(&order.seller)?,
                consent,
                metadata,
                order.created_at,
                order.paid_at,
                order.unanswered_since,
                i64::try_from(order.units()).unwrap_or(i64::MAX),
                i64::try_from(order.claimed_units()).unwrap_or(i64::MAX),
            ],
        ),
        version => write(
            WHAT,
            UPDATE,
            values![
                order.shop,
                order.id,
                version,
                order.customer,
                email,
                order.country.code(),
                order.locale.as_str(),
                order.refunded.minor(),
                order.state.as_str(),
                consent,
                metadata,
                order.paid_at,
                lines,
                order.unanswered_since,
            ],
        ),
    })
}

/// Fails the commit when the order has moved on.
pub(crate) fn check(shop: ShopId, order: OrderId, version: Version) -> Statement {
    write(WHAT, CHECK, values![shop, order, version])
}

impl Store {
    /// Which of these orders there are, in one round trip.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn orders_among(&self, shop: ShopId, orders: &[OrderId]) -> Result<Vec<OrderId>, ReadError> {
        let statements = orders.iter().map(|order| by_id(shop, *order)).collect();
        let mut there = Vec::new();
        for rows in self.engine.query(statements).await? {
            there.extend(all(WHAT, rows, row)?.into_iter().map(|order| order.id));
        }
        Ok(there)
    }

    /// The order with this id.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn order(&self, shop: ShopId, order: OrderId) -> Result<Option<Order>, ReadError> {
        self.one(by_id(shop, order), row).await
    }

    /// The order with this number.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn order_by_number(&self, shop: ShopId, number: &OrderNumber) -> Result<Option<Order>, ReadError> {
        self.one(by_number(shop, number), row).await
    }

    /// The shop's orders, newest first.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn orders(
        &self,
        shop: ShopId,
        filter: &OrderFilter,
        page: Page<OrderId>,
    ) -> Result<Listing<Order>, ReadError> {
        let state = filter.state.map(OrderState::as_str);
        let (lists, conditions) = match (filter.customer, filter.state) {
            (Some(customer), _) => (&LIST_OF_CUSTOMER, values![customer, state]),
            (None, Some(OrderState::Paid)) => (&LIST_PAID, values![state]),
            (None, Some(_)) => (&LIST_IN_STATE, values![state]),
            (None, None) => (&LIST, values![]),
        };
        self.page(WHAT, lists, shop, &page, conditions, row).await
    }

    /// Orders whose buyers wait for an answer to a message, the longest waiting first, from the one after `after` on.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn unanswered_orders(
        &self,
        shop: ShopId,
        after: Option<OrderId>,
        limit: u32,
    ) -> Result<Listing<Order>, ReadError> {
        let after = match after {
            Some(order) => self.order(shop, order).await?,
            None => None,
        };
        // Whoever was answered meanwhile is in the list no more, and has no place in it to go on from.
        let since =
            after.as_ref().and_then(|order| order.unanswered_since).map_or(i64::MIN, Timestamp::as_microseconds);
        let id = after.filter(|order| order.unanswered_since.is_some()).map(|order| order.id.to_string());
        let values = values![shop, since, id.unwrap_or_default(), limit + 1];
        Ok(cut(self.every(read(WHAT, UNANSWERED, values), row).await?, limit))
    }

    /// How many buyers wait for an answer, counted up to a thousand, and since when the first of them does.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn unanswered(&self, shop: ShopId, now: Timestamp) -> Result<Backlog, ReadError> {
        self.backlog(read(WHAT, COUNT_UNANSWERED, values![shop, now])).await
    }
}
