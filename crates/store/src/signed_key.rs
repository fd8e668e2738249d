//! The texts of signed keys, sealed: what a buyer has is kept as it is, and never made anew.

use std::borrow::Cow;

use domain::{CustomerId, KeyToSign, LicenseId, OrderId, ShopId, SignedText};

use crate::column::Columns;
use crate::statement::{any, read, texts, values, write};
use crate::{CommitError, Purpose, ReadError, Row, RowError, Statement, Store, Vault};

const WHAT: &str = "signed key";

const INSERT: &str =
    "insert into signed_keys (shop_id, license_id, kid, text_sealed, signed_at) values ($1, $2, $3, $4, $5)";
/// Another node may have been faster.
const REPLACE: &str = "update signed_keys set kid = $3, text_sealed = $4, signed_at = $5 \
    where shop_id = $1 and license_id = $2 and kid = $6";
const REMOVE: &str = "delete from signed_keys where shop_id = $1 and license_id = $2";
const OF_LICENSE: &str = "select license_id, kid, text_sealed from signed_keys where shop_id = $1 and license_id = $2";
const IS_SIGNED: &str = "select count(*) from signed_keys where shop_id = $1 and license_id = $2";
const OF_ORDER: &str = "select license_id, kid, text_sealed from signed_keys where shop_id = $1 \
    and license_id in (select id from licenses where shop_id = $1 and order_id = $2)";
const OF_CUSTOMER: &str = "select license_id, kid, text_sealed from signed_keys where shop_id = $1 \
    and license_id in (select id from licenses where shop_id = $1 and customer_id = $2 order by id desc limit $3)";
const SIGNED_BY: &str =
    "select shop_id, license_id from signed_keys where kid = $1 and license_id > $2 order by license_id limit $3";

texts![INSERT, REPLACE, REMOVE, OF_LICENSE, IS_SIGNED, OF_ORDER, OF_CUSTOMER, SIGNED_BY];

/// A text that is still sealed.
pub(crate) struct SealedText {
    license: LicenseId,
    kid: String,
    sealed: Vec<u8>,
}

fn row(row: &mut Row) -> Result<SealedText, RowError> {
    let mut columns = Columns::of(row);
    Ok(SealedText { license: columns.id()?, kid: columns.text()?, sealed: columns.bytes()? })
}

impl SealedText {
    /// The text in the next two columns, of this license, where it has one.
    pub(crate) fn of(columns: &mut Columns<'_>, license: LicenseId) -> Result<Option<Self>, RowError> {
        let (kid, sealed) = (columns.optional_text()?, columns.optional_bytes()?);
        Ok(kid.zip(sealed).map(|(kid, sealed)| Self { license, kid, sealed }))
    }

    pub(crate) fn open(self, vault: &Vault) -> Result<SignedText, ReadError> {
        let corrupt = |why: Cow<'_, str>| ReadError::Corrupt(format!("the signed key of {}: {why}", self.license));
        let opened = vault
            .open(Purpose::LicenseKey, &sealed_into(self.license), &self.sealed)
            .map_err(|error| corrupt(error.to_string().into()))?;
        let text = str::from_utf8(&opened).map_err(|error| corrupt(error.to_string().into()))?;
        Ok(SignedText { text: text.into(), kid: self.kid })
    }
}

fn sealed_into(license: LicenseId) -> String {
    format!("signed/{license}")
}

/// A key that was signed. One that was not is no key yet, and its commit fails.
pub(crate) fn statement(new: &KeyToSign, vault: &Vault) -> Result<Statement, CommitError> {
    let KeyToSign { shop, license, says: _, at, replaces, signed } = new;
    let Some(SignedText { kid, text }) = signed else {
        return Err(CommitError::Unavailable(format!("the key of {license} was not signed")));
    };
    let sealed = vault.seal(Purpose::LicenseKey, &sealed_into(*license), text.as_bytes())?;
    Ok(match replaces {
        None => write(WHAT, INSERT, values![*shop, *license, kid.as_str(), sealed, *at]),
        Some(old) => write(WHAT, REPLACE, values![*shop, *license, kid.as_str(), sealed, *at, old.as_str()]),
    })
}

/// A license that gets a new key has the text of the old one no more.
pub(crate) fn remove(shop: ShopId, license: LicenseId) -> Statement {
    any(write(WHAT, REMOVE, values![shop, license]))
}

impl Store {
    /// The signed key of a license, opened to be shown; `None`: its key is not signed.
    ///
    /// # Errors
    /// When the database does not answer, or the text was sealed with another master key.
    pub async fn signed_key(&self, shop: ShopId, license: LicenseId) -> Result<Option<SignedText>, ReadError> {
        let sealed = self.one(read(WHAT, OF_LICENSE, values![shop, license]), row).await?;
        sealed.map(|sealed| sealed.open(&self.vault)).transpose()
    }

    /// Whether the key of a license is signed. Its text stays closed: one that cannot be opened is there all the same.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn is_key_signed(&self, shop: ShopId, license: LicenseId) -> Result<bool, ReadError> {
        Ok(self.counted(read(WHAT, IS_SIGNED, values![shop, license])).await? > 0)
    }

    /// The signed keys of an order, opened to be shown.
    ///
    /// # Errors
    /// As [`Self::signed_key`].
    pub async fn signed_keys(&self, shop: ShopId, order: OrderId) -> Result<Vec<(LicenseId, SignedText)>, ReadError> {
        self.opened_texts(read(WHAT, OF_ORDER, values![shop, order])).await
    }

    /// The signed keys among a customer's newest licenses, opened to be shown.
    ///
    /// # Errors
    /// As [`Self::signed_key`].
    pub async fn signed_keys_of_customer(
        &self,
        shop: ShopId,
        customer: CustomerId,
        limit: u32,
    ) -> Result<Vec<(LicenseId, SignedText)>, ReadError> {
        self.opened_texts(read(WHAT, OF_CUSTOMER, values![shop, customer, limit])).await
    }

    /// The next licenses behind a license whose keys were signed by this signing key, whosever they are.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn licenses_signed_by(
        &self,
        kid: &str,
        after: Option<LicenseId>,
        limit: u32,
    ) -> Result<Vec<(ShopId, LicenseId)>, ReadError> {
        let after = after.map(|license| license.to_string()).unwrap_or_default();
        self.every(read(WHAT, SIGNED_BY, values![kid, after, limit]), |row| {
            let mut columns = Columns::of(row);
            Ok((columns.id()?, columns.id()?))
        })
        .await
    }

    async fn opened_texts(&self, statement: Statement) -> Result<Vec<(LicenseId, SignedText)>, ReadError> {
        let sealed = self.every(statement, row).await?;
        sealed.into_iter().map(|sealed| Ok((sealed.license, sealed.open(&self.vault)?))).collect()
    }
}
