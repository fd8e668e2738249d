//! The journal. It is written and read, never changed.

use domain::{Actor, Event, EventId, EventKind, LicenseId, OrderId, ShopId};

use crate::column::Columns;
use crate::page::{Lists, lists};
use crate::statement::{json, read, texts, values, write};
use crate::{CommitError, Listing, Page, ReadError, Row, RowError, Statement, Store};

const WHAT: &str = "event";

/// More than a timeline shows.
const MOST: u32 = 1_000;

macro_rules! columns {
    () => {
        "shop_id, id, kind, actor, order_id, license_id, customer_id, data, at"
    };
}

const LIST: Lists = lists!("select ", columns!(), " from events where shop_id = $1");
const LIST_OF_LICENSE: Lists = lists!("select ", columns!(), " from events where shop_id = $1 and license_id = $4");
const BY_ID: &str = concat!("select ", columns!(), " from events where shop_id = $1 and id = $2");
const OF_ORDER: &str = concat!(
    "select ",
    columns!(),
    " from events where shop_id = $1 and order_id = $2 order by at desc, place desc limit $3"
);
const INSERT: &str =
    concat!("insert into events (", columns!(), ", place) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");

texts![LIST.older, LIST.newer, LIST_OF_LICENSE.older, LIST_OF_LICENSE.newer, BY_ID, OF_ORDER, INSERT];

fn row(row: &mut Row) -> Result<Event, RowError> {
    let mut columns = Columns::of(row);
    Ok(Event {
        shop: columns.id()?,
        id: columns.id()?,
        kind: columns.word("a kind of event", EventKind::parse)?,
        actor: columns.word("an actor", Actor::parse)?,
        order: columns.optional_id()?,
        license: columns.optional_id()?,
        customer: columns.optional_id()?,
        data: columns.json("data")?,
        at: columns.time()?,
    })
}

/// `place` keeps the events of one decision in the order in which they were told: they share their moment, and ids say
/// nothing within a millisecond.
pub(crate) fn statement(event: &Event, place: i64) -> Result<Statement, CommitError> {
    Ok(write(
        WHAT,
        INSERT,
        values![
            event.shop,
            event.id,
            event.kind.as_str(),
            event.actor.to_text(),
            event.order,
            event.license,
            event.customer,
            json(&event.data)?,
            event.at,
            place,
        ],
    ))
}

impl Store {
    /// The event with this id.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn event(&self, shop: ShopId, event: EventId) -> Result<Option<Event>, ReadError> {
        self.one(read(WHAT, BY_ID, values![shop, event]), row).await
    }

    /// The shop's journal, newest first; of one license where that is given.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn events(
        &self,
        shop: ShopId,
        license: Option<LicenseId>,
        page: Page<EventId>,
    ) -> Result<Listing<Event>, ReadError> {
        match license {
            Some(license) => self.page(WHAT, &LIST_OF_LICENSE, shop, &page, values![license], row).await,
            None => self.page(WHAT, &LIST, shop, &page, values![], row).await,
        }
    }

    /// The timeline of an order: what happened to it, oldest first; the last thousand events.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn order_events(&self, shop: ShopId, order: OrderId) -> Result<Vec<Event>, ReadError> {
        let mut events = self.every(read(WHAT, OF_ORDER, values![shop, order, MOST]), row).await?;
        events.reverse();
        Ok(events)
    }
}
