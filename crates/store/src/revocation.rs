//! What was taken back though certificates of it may still count. A row is there as long as something can count that
//! was signed before, and no longer: whoever adds one clears those away that are over.

use domain::{Revocation, RevocationChange, RevocationSubject, ShopId, Timestamp};

use crate::column::Columns;
use crate::statement::{any, read, texts, values, write};
use crate::{ReadError, Row, RowError, Statement, Store};

const WHAT: &str = "revocation";

/// More than this are in no list, so that reading one has a bound; those are left out that end first.
const MOST: u32 = 10_000;

const LIST: &str = "insert into revocations (shop_id, subject_id, code, revoked_at, listed_until) \
    values ($1, $2, $3, $4, $5) on conflict (shop_id, subject_id, code) \
    do update set revoked_at = excluded.revoked_at, listed_until = excluded.listed_until";
const CLEAR: &str = "delete from revocations where shop_id = $1 and listed_until <= $2";
const WITHDRAW: &str =
    "delete from revocations where shop_id = $1 and subject_id = $2 and code in ('revoked', 'suspended')";
const LISTED: &str = "select subject_id, code, revoked_at from revocations \
    where shop_id = $1 and listed_until > $2 order by listed_until desc limit $3";

texts![LIST, CLEAR, WITHDRAW, LISTED];

/// An entry as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRevocation {
    /// The id of the license, or of the activation.
    pub subject: String,
    /// The verdict since.
    pub code: String,
    /// Since when.
    pub at: Timestamp,
}

fn row(row: &mut Row) -> Result<ListedRevocation, RowError> {
    let mut columns = Columns::of(row);
    Ok(ListedRevocation { subject: columns.text()?, code: columns.text()?, at: columns.time()? })
}

/// The entry, and the end of those that are over.
pub(crate) fn statements(change: &RevocationChange) -> Vec<Statement> {
    match change {
        RevocationChange::Listed(Revocation { shop, subject, code, at, listed_until }) => {
            let subject = match subject {
                RevocationSubject::License(license) => license.to_string(),
                RevocationSubject::Activation(activation) => activation.to_string(),
            };
            vec![
                any(write(WHAT, CLEAR, values![*shop, *at])),
                write(WHAT, LIST, values![*shop, subject, code.as_str(), *at, *listed_until]),
            ]
        }
        RevocationChange::Withdrawn { shop, license } => {
            vec![any(write(WHAT, WITHDRAW, values![*shop, *license]))]
        }
    }
}

impl Store {
    /// What was taken back and may be in certificates that count at `now`, ten thousand entries at most.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn revocations(&self, shop: ShopId, now: Timestamp) -> Result<Vec<ListedRevocation>, ReadError> {
        self.every(read(WHAT, LISTED, values![shop, now, MOST]), row).await
    }
}
