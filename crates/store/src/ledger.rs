//! Movements of money. The cause is the key, so that one cause moves money once.

use domain::{Account, OrderId, Posting, ShopId};

use crate::column::Columns;
use crate::statement::{read, texts, values, write};
use crate::{ReadError, Row, RowError, Statement, Store};

const WHAT: &str = "posting";

macro_rules! columns {
    () => {
        "shop_id, cause, order_id, debit, credit, currency, amount_minor, at"
    };
}

const OF_ORDER: &str =
    concat!("select ", columns!(), " from postings where shop_id = $1 and order_id = $2 order by at, cause");
const INSERT: &str = concat!("insert into postings (", columns!(), ") values ($1, $2, $3, $4, $5, $6, $7, $8)");

texts![OF_ORDER, INSERT];

fn row(row: &mut Row) -> Result<Posting, RowError> {
    let mut columns = Columns::of(row);
    let (shop, cause, order) = (columns.id()?, columns.text()?, columns.id()?);
    let (debit, credit) = (columns.word("an account", Account::parse)?, columns.word("an account", Account::parse)?);
    let currency = columns.currency()?;
    Ok(Posting { shop, cause, order, debit, credit, amount: columns.money(currency)?, at: columns.time()? })
}

pub(crate) fn statement(posting: &Posting) -> Statement {
    write(
        WHAT,
        INSERT,
        values![
            posting.shop,
            posting.cause.as_str(),
            posting.order,
            posting.debit.to_text(),
            posting.credit.to_text(),
            posting.amount.currency().code(),
            posting.amount.minor(),
            posting.at,
        ],
    )
}

impl Store {
    /// Every movement of money of an order, oldest first.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn postings(&self, shop: ShopId, order: OrderId) -> Result<Vec<Posting>, ReadError> {
        self.every(read(WHAT, OF_ORDER, values![shop, order]), row).await
    }
}
