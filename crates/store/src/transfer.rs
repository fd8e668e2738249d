//! Offers of licenses to other people.

use domain::{LicenseId, ShopId, Transfer, TransferId, TransferState};

use crate::column::Columns;
use crate::statement::{read, texts, values, write};
use crate::{ReadError, Row, RowError, Statement, Store};

const WHAT: &str = "transfer";

/// More than a license is offered in a long time.
const MOST: u32 = 50;

macro_rules! columns {
    () => {
        "shop_id, id, version, license_id, from_customer_id, recipient, frees_seats, state, created_at, expires_at, \
         settled_at"
    };
}

const BY_ID: &str = concat!("select ", columns!(), " from transfers where shop_id = $1 and id = $2");
const OF_LICENSE: &str =
    concat!("select ", columns!(), " from transfers where shop_id = $1 and license_id = $2 order by id desc limit $3");
const INSERT: &str =
    concat!("insert into transfers (", columns!(), ") values ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10)");
const UPDATE: &str = "update transfers set version = version + 1, state = $4, settled_at = $5 \
    where shop_id = $1 and id = $2 and version = $3";

texts![BY_ID, OF_LICENSE, INSERT, UPDATE];

fn row(row: &mut Row) -> Result<Transfer, RowError> {
    let mut columns = Columns::of(row);
    Ok(Transfer {
        shop: columns.id()?,
        id: columns.id()?,
        version: columns.integer()?,
        license: columns.id()?,
        from: columns.id()?,
        to: columns.email()?,
        frees_seats: columns.flag()?,
        state: columns.word("a state of a transfer", TransferState::parse)?,
        created_at: columns.time()?,
        expires_at: columns.time()?,
        settled_at: columns.optional_time()?,
    })
}

pub(crate) fn statement(transfer: &Transfer) -> Statement {
    match transfer.version {
        0 => write(
            WHAT,
            INSERT,
            values![
                transfer.shop,
                transfer.id,
                transfer.license,
                transfer.from,
                transfer.to.as_str(),
                transfer.frees_seats,
                transfer.state.as_str(),
                transfer.created_at,
                transfer.expires_at,
                transfer.settled_at,
            ],
        ),
        version => write(
            WHAT,
            UPDATE,
            values![transfer.shop, transfer.id, version, transfer.state.as_str(), transfer.settled_at],
        ),
    }
}

impl Store {
    /// The offer with this id.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn transfer(&self, shop: ShopId, transfer: TransferId) -> Result<Option<Transfer>, ReadError> {
        self.one(read(WHAT, BY_ID, values![shop, transfer]), row).await
    }

    /// The offers of a license, newest first; the last fifty.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn transfers(&self, shop: ShopId, license: LicenseId) -> Result<Vec<Transfer>, ReadError> {
        self.every(read(WHAT, OF_LICENSE, values![shop, license, MOST]), row).await
    }
}
