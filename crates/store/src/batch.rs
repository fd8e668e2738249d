//! Licenses that were issued together without a payment, and their keys for whoever hands them out.

use domain::{Actor, Batch, BatchId, Email, LicenseId, OrderNumber, ShopId, SignedText, Timestamp};
use latchkey_license::KeyCode;

use crate::column::Columns;
use crate::page::{Lists, lists};
use crate::signed_key::SealedText;
use crate::statement::{read, texts, values, write};
use crate::{Listing, Page, ReadError, Row, RowError, Statement, Store, license};

const WHAT: &str = "batch";

/// How many keys are opened at a time.
const KEYS_A_PAGE: u32 = 500;

macro_rules! columns {
    () => {
        "shop_id, id, version, plan_id, reason, actor, licenses, created_at"
    };
}

const BY_ID: &str = concat!("select ", columns!(), " from batches where shop_id = $1 and id = $2");
const LIST: Lists = lists!("select ", columns!(), " from batches where shop_id = $1");
const INSERT: &str = concat!("insert into batches (", columns!(), ") values ($1, $2, 1, $3, $4, $5, $6, $7)");
const ISSUED: &str = "select count(*) from licenses where shop_id = $1 and batch_id = $2";
const KEYS: &str = "select licenses.id, key_sealed, kid, text_sealed, orders.number, orders.email, licenses.expires_at \
    from licenses join orders on orders.shop_id = licenses.shop_id and orders.id = licenses.order_id \
    left join signed_keys on signed_keys.shop_id = licenses.shop_id and signed_keys.license_id = licenses.id \
    where licenses.shop_id = $1 and licenses.batch_id = $2 and licenses.id > $3 order by licenses.id limit $4";

texts![BY_ID, LIST.older, LIST.newer, INSERT, ISSUED, KEYS];

/// A key of a batch, opened to be handed out. It cannot be printed for debugging.
pub struct BatchKey {
    /// The license.
    pub license: LicenseId,
    /// The key.
    pub key: KeyCode,
    /// The key with what it says, where it is signed.
    pub signed: Option<SignedText>,
    /// The order that it was issued with.
    pub number: OrderNumber,
    /// To whom it went, where it was addressed.
    pub email: Option<Email>,
    /// When it ends; `None`: never, or its clock has not begun.
    pub expires_at: Option<Timestamp>,
}

impl BatchKey {
    /// What whoever gets it is given.
    #[must_use]
    pub fn text(&self) -> String {
        self.signed.as_ref().map_or_else(|| self.key.to_string(), |signed| signed.text.to_string())
    }
}

fn row(row: &mut Row) -> Result<Batch, RowError> {
    let mut columns = Columns::of(row);
    Ok(Batch {
        shop: columns.id()?,
        id: columns.id()?,
        version: columns.integer()?,
        plan: columns.id()?,
        reason: columns.text()?,
        actor: columns.word("an actor", Actor::parse)?,
        licenses: columns.count()?,
        created_at: columns.time()?,
    })
}

pub(crate) fn statement(batch: &Batch) -> Statement {
    write(
        WHAT,
        INSERT,
        values![
            batch.shop,
            batch.id,
            batch.plan,
            batch.reason.as_str(),
            batch.actor.to_text(),
            batch.licenses,
            batch.created_at,
        ],
    )
}

impl Store {
    /// The batch with this id.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn batch(&self, shop: ShopId, batch: BatchId) -> Result<Option<Batch>, ReadError> {
        self.one(read(WHAT, BY_ID, values![shop, batch]), row).await
    }

    /// The batches of a shop, newest first.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn batches(&self, shop: ShopId, page: Page<BatchId>) -> Result<Listing<Batch>, ReadError> {
        self.page(WHAT, &LIST, shop, &page, values![], row).await
    }

    /// How many licenses of a batch are issued.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn batch_issued(&self, shop: ShopId, batch: BatchId) -> Result<u64, ReadError> {
        self.counted(read(WHAT, ISSUED, values![shop, batch])).await
    }

    /// The next keys of a batch behind a license, oldest first: some hundreds at a time, and none when those were all.
    ///
    /// # Errors
    /// When the database does not answer, or a key was sealed with another master key.
    pub async fn batch_keys(
        &self,
        shop: ShopId,
        batch: BatchId,
        after: Option<LicenseId>,
    ) -> Result<Vec<BatchKey>, ReadError> {
        let after = after.map(|license| license.to_string()).unwrap_or_default();
        let sealed = self
            .every(read(WHAT, KEYS, values![shop, batch, after, KEYS_A_PAGE]), |row| {
                let mut columns = Columns::of(row);
                let key = license::sealed_key(&mut columns)?;
                let signed = SealedText::of(&mut columns, key.license)?;
                let number = columns.word("an order number", OrderNumber::parse)?;
                Ok((key, signed, number, columns.optional_email()?, columns.optional_time()?))
            })
            .await?;
        let open = |(sealed, signed, number, email, expires_at): (license::SealedKey, Option<SealedText>, _, _, _)| {
            let (license, key) = sealed.opened(&self.vault)?;
            let signed = signed.map(|signed| signed.open(&self.vault)).transpose()?;
            Ok(BatchKey { license, key, signed, number, email, expires_at })
        };
        sealed.into_iter().map(open).collect()
    }
}
