//! Keys that other systems issued: found by a keyed hash and stored sealed, as our own are.

use std::collections::BTreeMap;

use domain::{
    ActivationId, AdoptedKey, ForeignId, ForeignKey, ForeignPlan, ForeignSystem, LicenseId, PlanId, ShopId, Timestamp,
};
use latchkey_license::KeyCode;

use crate::column::Columns;
use crate::statement::{any, json, read, texts, values, write};
use crate::{CommitError, Purpose, ReadError, Statement, Store, Vault};

const WHAT: &str = "foreign key";

/// How much of the keyed hash is kept: 128 bits are beyond guessing.
const HASH_BYTES: usize = 16;

/// Another system's key, or a code out of a stock: both were made elsewhere, and open a license of ours.
const LICENSE_OF: &str = "select license_id from foreign_keys where shop_id = $1 and key_hash = $2 \
    union all select license_id from claims where shop_id = $1 and content_hash = $2 limit 1";
/// A key that was replaced opens nothing any more; a code is never replaced.
const OPENED_BY: &str = "select license_id from foreign_keys where shop_id = $1 and key_hash = $2 and retired_at is null \
    union all select license_id from claims where shop_id = $1 and content_hash = $2 limit 1";
const RETIRE: &str =
    "update foreign_keys set retired_at = $3 where shop_id = $1 and license_id = $2 and retired_at is null";
const INSERT: &str = "insert into foreign_keys (shop_id, license_id, system, key_hash, key_sealed, imported_at) \
    values ($1, $2, $3, $4, $5, $6)";
const KEY_OF: &str =
    "select key_sealed from foreign_keys where shop_id = $1 and license_id = $2 and retired_at is null";
const IDENTIFY: &str = "insert into foreign_ids (shop_id, system, foreign_id, license_id, activation_id) \
    values ($1, $2, $3, $4, $5)";
const BEHIND_ID: &str =
    "select license_id, activation_id from foreign_ids where shop_id = $1 and system = $2 and foreign_id = $3";
const IDS_OF: &str =
    "select foreign_id, activation_id from foreign_ids where shop_id = $1 and license_id = $2 and system = $3";
const NAMES: &str = "select names from foreign_plans where shop_id = $1 and system = $2 and plan_id = $3";
const NAME: &str = "insert into foreign_plans (shop_id, system, plan_id, names) values ($1, $2, $3, $4) \
    on conflict (shop_id, system, plan_id) do update set names = excluded.names";

texts![LICENSE_OF, OPENED_BY, RETIRE, INSERT, KEY_OF, IDENTIFY, BEHIND_ID, IDS_OF, NAMES, NAME];

/// The label keeps this apart from the hash that a key of our own with the same text would have.
pub(crate) fn text_hash(vault: &Vault, text: &str) -> Vec<u8> {
    let labelled = zeroize::Zeroizing::new(format!("foreign/{text}"));
    vault.hash(Purpose::LicenseKey, labelled.as_bytes())[..HASH_BYTES].to_vec()
}

pub(crate) fn key_hash(vault: &Vault, key: &ForeignKey) -> Vec<u8> {
    text_hash(vault, key.as_str())
}

pub(crate) fn adopt(adopted: &AdoptedKey, vault: &Vault) -> Result<Statement, CommitError> {
    let row = format!("foreign/{}", adopted.license);
    let sealed = vault.seal(Purpose::LicenseKey, &row, adopted.key.as_str().as_bytes())?;
    let hash = key_hash(vault, &adopted.key);
    let values = values![adopted.shop, adopted.license, adopted.system.as_str(), hash, sealed, adopted.at];
    Ok(write(WHAT, INSERT, values))
}

/// The key that another system issued for a license, if any, is replaced as ours is.
pub(crate) fn retire(shop: ShopId, license: LicenseId, at: Timestamp) -> Statement {
    any(write(WHAT, RETIRE, values![shop, license, at]))
}

pub(crate) fn name(id: &ForeignId) -> Statement {
    write(WHAT, IDENTIFY, values![id.shop, id.system.as_str(), id.id.as_str(), id.license, id.activation])
}

pub(crate) fn name_plan(plan: &ForeignPlan) -> Result<Statement, CommitError> {
    Ok(write(WHAT, NAME, values![plan.shop, plan.system.as_str(), plan.plan, json(&plan.names)?]))
}

impl Store {
    /// The license of a key that was made elsewhere: by another system, also where it was replaced since, or for a
    /// stock of codes.
    ///
    /// # Errors
    /// When the database does not answer: that is never "no such key".
    pub async fn license_of_foreign_key(&self, shop: ShopId, key: &ForeignKey) -> Result<Option<LicenseId>, ReadError> {
        self.one(read(WHAT, LICENSE_OF, values![shop, key_hash(&self.vault, key)]), |row| Columns::of(row).id()).await
    }

    /// The key of ours that stands behind a key that was made elsewhere. What has the form of one of ours, as what another
    /// shop like this one sold, is found as it is printed as well: people write it in many ways.
    ///
    /// # Errors
    /// When the database does not answer, or the key was sealed with another master key.
    pub async fn key_behind(&self, shop: ShopId, key: &ForeignKey) -> Result<Option<KeyCode>, ReadError> {
        let printed = KeyCode::parse(key.as_str()).ok().map(|printed| printed.to_string());
        let mut opened = self.opened_by(shop, key.as_str()).await?;
        if let (None, Some(printed)) = (opened, printed.filter(|printed| printed != key.as_str())) {
            opened = self.opened_by(shop, &printed).await?;
        }
        match opened {
            Some(license) => self.license_key(shop, license).await,
            None => Ok(None),
        }
    }

    async fn opened_by(&self, shop: ShopId, text: &str) -> Result<Option<LicenseId>, ReadError> {
        let hash = text_hash(&self.vault, text);
        self.one(read(WHAT, OPENED_BY, values![shop, hash]), |row| Columns::of(row).id()).await
    }

    /// The key of another system that opens a license, opened to be shown; `None` when it has none, or it was replaced.
    ///
    /// # Errors
    /// When the database does not answer, or the key was sealed with another master key.
    pub async fn foreign_key_of(&self, shop: ShopId, license: LicenseId) -> Result<Option<ForeignKey>, ReadError> {
        let sealed = self.one(read(WHAT, KEY_OF, values![shop, license]), |row| Columns::of(row).bytes()).await?;
        let Some(sealed) = sealed else { return Ok(None) };
        let row = format!("foreign/{license}");
        let corrupt = |why: &dyn std::fmt::Display| ReadError::Corrupt(format!("the key of {row}: {why}"));
        let opened = self.vault.open(Purpose::LicenseKey, &row, &sealed).map_err(|error| corrupt(&error))?;
        let text = str::from_utf8(&opened).map_err(|error| corrupt(&error))?;
        ForeignKey::parse(text).map(Some).map_err(|error| corrupt(&error))
    }

    /// What another system's id names: a license, or a device of it.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn behind_foreign_id(
        &self,
        shop: ShopId,
        system: ForeignSystem,
        id: &str,
    ) -> Result<Option<(LicenseId, Option<ActivationId>)>, ReadError> {
        self.one(read(WHAT, BEHIND_ID, values![shop, system.as_str(), id]), |row| {
            let mut columns = Columns::of(row);
            Ok((columns.id()?, columns.optional_id()?))
        })
        .await
    }

    /// The ids that another system gave a license and its devices; `None` stands for the license itself.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn foreign_ids(
        &self,
        shop: ShopId,
        system: ForeignSystem,
        license: LicenseId,
    ) -> Result<BTreeMap<Option<ActivationId>, String>, ReadError> {
        let rows = self.every(read(WHAT, IDS_OF, values![shop, license, system.as_str()]), |row| {
            let mut columns = Columns::of(row);
            let id = columns.text()?;
            Ok((columns.optional_id()?, id))
        });
        Ok(rows.await?.into_iter().collect())
    }

    /// What another system calls a plan; nothing when nobody said.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn foreign_names(
        &self,
        shop: ShopId,
        system: ForeignSystem,
        plan: PlanId,
    ) -> Result<BTreeMap<String, String>, ReadError> {
        let names = self.one(read(WHAT, NAMES, values![shop, system.as_str(), plan]), |row| {
            Columns::of(row).json("names of a plan")
        });
        Ok(names.await?.unwrap_or_default())
    }
}
