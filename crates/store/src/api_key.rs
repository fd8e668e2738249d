//! Keys for the management API, found by their keyed hash.

use domain::{ApiKey, Mode, Scope, ShopId};

use crate::column::Columns;
use crate::statement::{read, texts, values, write};
use crate::{ReadError, Row, RowError, Statement, Store};

const WHAT: &str = "api_key";

macro_rules! columns {
    () => {
        "shop_id, id, token_hash, name, mode, scope, created_at, revoked_at"
    };
}

const OF_SHOP: &str = concat!("select ", columns!(), " from api_keys where shop_id = $1 order by id");
const BY_TOKEN: &str = concat!("select ", columns!(), " from api_keys where token_hash = $1");
const INSERT: &str = concat!("insert into api_keys (", columns!(), ") values ($1, $2, $3, $4, $5, $6, $7, null)");
const REVOKE: &str = "update api_keys set revoked_at = $3 where shop_id = $1 and id = $2 and revoked_at is null";

texts![OF_SHOP, BY_TOKEN, INSERT, REVOKE];

fn row(row: &mut Row) -> Result<ApiKey, RowError> {
    let mut columns = Columns::of(row);
    Ok(ApiKey {
        shop: columns.id()?,
        id: columns.id()?,
        token_hash: columns.bytes()?,
        name: columns.text()?,
        mode: columns.word("a mode", Mode::parse)?,
        scope: columns.word("a scope", Scope::parse)?,
        created_at: columns.time()?,
        revoked_at: columns.optional_time()?,
    })
}

/// A key that is not withdrawn is new: nothing else about one ever changes.
pub(crate) fn statement(key: &ApiKey) -> Statement {
    match key.revoked_at {
        None => write(
            WHAT,
            INSERT,
            values![
                key.shop,
                key.id,
                key.token_hash.as_slice(),
                key.name.as_str(),
                key.mode.as_str(),
                key.scope.as_str(),
                key.created_at,
            ],
        ),
        Some(revoked_at) => write(WHAT, REVOKE, values![key.shop, key.id, revoked_at]),
    }
}

impl Store {
    /// Every key of the shop, withdrawn or not, oldest first.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn api_keys(&self, shop: ShopId) -> Result<Vec<ApiKey>, ReadError> {
        self.every(read(WHAT, OF_SHOP, values![shop]), row).await
    }

    /// The key with this keyed hash, withdrawn or not, of whichever shop.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn api_key(&self, token_hash: &[u8]) -> Result<Option<ApiKey>, ReadError> {
        self.one(read(WHAT, BY_TOKEN, values![token_hash]), row).await
    }
}
