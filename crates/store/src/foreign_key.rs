//! Keys that other systems issued: found by a keyed hash and stored sealed, as our own are.

use std::collections::BTreeMap;

use domain::{AdoptedKey, ForeignKey, ForeignPlan, ForeignSystem, LicenseId, PlanId, ShopId, Timestamp};
use latchkey_license::KeyCode;

use crate::column::Columns;
use crate::statement::{any, json, read, texts, values, write};
use crate::{CommitError, Purpose, ReadError, Statement, Store, Vault};

const WHAT: &str = "foreign key";

/// How much of the keyed hash is kept: 128 bits are beyond guessing.
const HASH_BYTES: usize = 16;

const LICENSE_OF: &str = "select license_id from foreign_keys where shop_id = $1 and key_hash = $2";
/// A key that was replaced opens nothing any more.
const OPENED_BY: &str =
    "select license_id from foreign_keys where shop_id = $1 and key_hash = $2 and retired_at is null";
const RETIRE: &str =
    "update foreign_keys set retired_at = $3 where shop_id = $1 and license_id = $2 and retired_at is null";
const INSERT: &str = "insert into foreign_keys (shop_id, license_id, system, key_hash, key_sealed, imported_at) \
    values ($1, $2, $3, $4, $5, $6)";
const NAMES: &str = "select names from foreign_plans where shop_id = $1 and system = $2 and plan_id = $3";
const NAME: &str = "insert into foreign_plans (shop_id, system, plan_id, names) values ($1, $2, $3, $4) \
    on conflict (shop_id, system, plan_id) do update set names = excluded.names";

texts![LICENSE_OF, OPENED_BY, RETIRE, INSERT, NAMES, NAME];

/// The label keeps this apart from the hash that a key of our own with the same text would have.
pub(crate) fn key_hash(vault: &Vault, key: &ForeignKey) -> Vec<u8> {
    let labelled = zeroize::Zeroizing::new(format!("foreign/{}", key.as_str()));
    vault.hash(Purpose::LicenseKey, labelled.as_bytes())[..HASH_BYTES].to_vec()
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

pub(crate) fn name_plan(plan: &ForeignPlan) -> Result<Statement, CommitError> {
    Ok(write(WHAT, NAME, values![plan.shop, plan.system.as_str(), plan.plan, json(&plan.names)?]))
}

impl Store {
    /// The license that a key of another system was taken over for, also where it was replaced since.
    ///
    /// # Errors
    /// When the database does not answer: that is never "no such key".
    pub async fn license_of_foreign_key(&self, shop: ShopId, key: &ForeignKey) -> Result<Option<LicenseId>, ReadError> {
        self.one(read(WHAT, LICENSE_OF, values![shop, key_hash(&self.vault, key)]), |row| Columns::of(row).id()).await
    }

    /// The key of ours that stands behind a key of another system.
    ///
    /// # Errors
    /// When the database does not answer, or the key was sealed with another master key.
    pub async fn key_behind(&self, shop: ShopId, key: &ForeignKey) -> Result<Option<KeyCode>, ReadError> {
        let hash = key_hash(&self.vault, key);
        let opened = self.one(read(WHAT, OPENED_BY, values![shop, hash]), |row| Columns::of(row).id()).await?;
        match opened {
            Some(license) => self.license_key(shop, license).await,
            None => Ok(None),
        }
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
