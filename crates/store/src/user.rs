//! People who work in the console.

use domain::{Email, ShopId, User, UserId};

use crate::column::Columns;
use crate::statement::{read, texts, values, write};
use crate::{ReadError, Row, RowError, Statement, Store};

const WHAT: &str = "user";

macro_rules! columns {
    () => {
        "shop_id, id, version, email, name, created_at"
    };
}

const OF_SHOP: &str = concat!("select ", columns!(), " from users where shop_id = $1 order by id");
const BY_ID: &str = concat!("select ", columns!(), " from users where shop_id = $1 and id = $2");
const BY_EMAIL: &str = concat!("select ", columns!(), " from users where shop_id = $1 and email_key = $2");
const INSERT: &str = concat!("insert into users (", columns!(), ", email_key) values ($1, $2, 1, $3, $4, $5, $6)");
const UPDATE: &str = "update users set version = version + 1, email = $4, name = $5, email_key = $6 \
    where shop_id = $1 and id = $2 and version = $3";

texts![OF_SHOP, BY_ID, BY_EMAIL, INSERT, UPDATE];

fn row(row: &mut Row) -> Result<User, RowError> {
    let mut columns = Columns::of(row);
    Ok(User {
        shop: columns.id()?,
        id: columns.id()?,
        version: columns.integer()?,
        email: columns.optional_email()?,
        name: columns.text()?,
        created_at: columns.time()?,
    })
}

pub(crate) fn statement(user: &User) -> Statement {
    let email = user.email.as_ref().map(Email::as_str);
    let email_key = user.email.as_ref().map(Email::key);
    match user.version {
        0 => write(WHAT, INSERT, values![user.shop, user.id, email, user.name.as_str(), user.created_at, email_key]),
        version => write(WHAT, UPDATE, values![user.shop, user.id, version, email, user.name.as_str(), email_key]),
    }
}

impl Store {
    /// Everybody who works in the shop's console, oldest first.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn users(&self, shop: ShopId) -> Result<Vec<User>, ReadError> {
        self.every(read(WHAT, OF_SHOP, values![shop]), row).await
    }

    /// The user with this id.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn user(&self, shop: ShopId, user: UserId) -> Result<Option<User>, ReadError> {
        self.one(read(WHAT, BY_ID, values![shop, user]), row).await
    }

    /// The user with this mailbox, however it is spelt.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn user_by_email(&self, shop: ShopId, email: &Email) -> Result<Option<User>, ReadError> {
        self.one(read(WHAT, BY_EMAIL, values![shop, email.key()]), row).await
    }
}
