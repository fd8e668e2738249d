//! Buyers: one per mailbox and shop.

use domain::{Country, Customer, CustomerId, Email, Locale, ShopId};

use crate::column::Columns;
use crate::page::{Lists, all, lists};
use crate::statement::{read, texts, values, write};
use crate::{Listing, Page, ReadError, Row, RowError, Statement, Store};

const WHAT: &str = "customer";

macro_rules! columns {
    () => {
        "shop_id, id, version, email, name, country, locale, created_at"
    };
}

const BY_ID: &str = concat!("select ", columns!(), " from customers where shop_id = $1 and id = $2");
const BY_EMAIL: &str = concat!("select ", columns!(), " from customers where shop_id = $1 and email_key = $2");
const BY_EMAIL_START: &str = concat!(
    "select ",
    columns!(),
    " from customers where shop_id = $1 and email_key >= $2 and email_key < $3 order by email_key limit $4"
);
const LIST: Lists = lists!("select ", columns!(), " from customers where shop_id = $1");
const INSERT: &str =
    concat!("insert into customers (", columns!(), ", email_key) values ($1, $2, 1, $3, $4, $5, $6, $7, $8)");
const UPDATE: &str = "update customers set version = version + 1, email = $4, name = $5, country = $6, locale = $7, \
    email_key = $8 where shop_id = $1 and id = $2 and version = $3";

texts![BY_ID, BY_EMAIL, BY_EMAIL_START, LIST.older, LIST.newer, INSERT, UPDATE];

pub(crate) fn row(row: &mut Row) -> Result<Customer, RowError> {
    let mut columns = Columns::of(row);
    Ok(Customer {
        shop: columns.id()?,
        id: columns.id()?,
        version: columns.integer()?,
        email: columns.email()?,
        name: columns.optional_text()?,
        country: columns.word("a country", Country::parse)?,
        locale: columns.word("a language tag", Locale::parse)?,
        created_at: columns.time()?,
    })
}

pub(crate) fn by_id(shop: ShopId, customer: CustomerId) -> Statement {
    read(WHAT, BY_ID, values![shop, customer])
}

/// Asks for some customers whose mailbox begins like this, in any spelling.
pub(crate) fn by_email_start(shop: ShopId, start: &str, limit: u32) -> Statement {
    let start = start.to_lowercase();
    let end = format!("{start}{}", char::MAX);
    read(WHAT, BY_EMAIL_START, values![shop, start, end, limit])
}

pub(crate) fn statement(customer: &Customer) -> Statement {
    match customer.version {
        0 => write(
            WHAT,
            INSERT,
            values![
                customer.shop,
                customer.id,
                customer.email.as_str(),
                customer.name.as_deref(),
                customer.country.code(),
                customer.locale.as_str(),
                customer.created_at,
                customer.email.key(),
            ],
        ),
        version => write(
            WHAT,
            UPDATE,
            values![
                customer.shop,
                customer.id,
                version,
                customer.email.as_str(),
                customer.name.as_deref(),
                customer.country.code(),
                customer.locale.as_str(),
                customer.email.key(),
            ],
        ),
    }
}

impl Store {
    /// The customer with this id.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn customer(&self, shop: ShopId, customer: CustomerId) -> Result<Option<Customer>, ReadError> {
        self.one(by_id(shop, customer), row).await
    }

    /// The customer with this mailbox, however it is spelt.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn customer_by_email(&self, shop: ShopId, email: &Email) -> Result<Option<Customer>, ReadError> {
        self.one(read(WHAT, BY_EMAIL, values![shop, email.key()]), row).await
    }

    /// The customers with these mailboxes, in one round trip.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn customers_by_email(&self, shop: ShopId, emails: &[Email]) -> Result<Vec<Customer>, ReadError> {
        let statements = emails.iter().map(|email| read(WHAT, BY_EMAIL, values![shop, email.key()])).collect();
        let mut found = Vec::new();
        for rows in self.engine.query(statements).await? {
            found.extend(all(WHAT, rows, row)?);
        }
        Ok(found)
    }

    /// The shop's customers, newest first.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn customers(&self, shop: ShopId, page: Page<CustomerId>) -> Result<Listing<Customer>, ReadError> {
        self.page(WHAT, &LIST, shop, &page, values![], row).await
    }
}
