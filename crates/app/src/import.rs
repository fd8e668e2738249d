//! Licenses of other systems, taken over from their exports with keys, buyers and devices.
//!
//! A file is read into records by a pure function of its system; each record is
//! one commit, and a key that is here already is left alone: a run that was cut
//! off is simply run again.

mod csv;
mod document;
mod dodo;
mod edd;
mod gumroad;
mod keygen;
mod lemon_squeezy;
mod polar;
mod table;

use std::collections::BTreeMap;

use domain::{
    Changes, ForeignPlan, ForeignSystem, Group, GroupId, ImportPlace, ImportRecord, PlanId, Product, Refusal, Rng,
    Shop, ShopId, import_license,
};
use futures::{StreamExt as _, stream};
use store::Purpose;

use crate::{App, Error};

/// How many records are under way at once: so many commits share the disk's one flush.
const AT_ONCE: usize = 32;

/// How often a record is decided again when another of the same buyer comes between.
const TRIES: u32 = 100;

/// The record is read and can be taken over, or here is why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportLine {
    /// Where it stands: the id that the other system gave it, or its place in the file.
    pub place: String,
    /// The record, or what is wrong with it, in one sentence.
    pub record: Result<ImportRecord, String>,
}

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Imported {
    /// It is a license here from now on; on a dry run it would be.
    New,
    /// Its key is here already.
    Known,
    /// It was left out, for this reason.
    Refused(String),
}

/// Reads an export: JSON documents as the other system's API gives them, one after another in one file, or a table.
///
/// # Errors
/// When the file is neither; the place is told.
pub fn read_export(system: ForeignSystem, bytes: &[u8]) -> Result<Vec<ImportLine>, String> {
    let documents = document::read(bytes)?;
    let mut lines = match system {
        ForeignSystem::LemonSqueezy => lemon_squeezy::lines(&documents),
        ForeignSystem::Gumroad => gumroad::lines(&documents),
        ForeignSystem::Edd => edd::lines(&documents),
        ForeignSystem::Polar => polar::lines(&documents),
        ForeignSystem::Dodo => dodo::lines(&documents),
        ForeignSystem::Csv => csv::lines(&documents),
        ForeignSystem::Keygen => keygen::lines(&documents),
    };
    let mut seen = BTreeMap::new();
    for line in &mut lines {
        let Ok(record) = &line.record else { continue };
        if let Some(first) = seen.insert(record.key.as_str().to_owned(), line.place.clone()) {
            line.record = Err(format!("The same key stands at {first}."));
        }
    }
    Ok(lines)
}

/// What the records say that the other system calls their plan.
#[must_use]
pub fn foreign_names(system: ForeignSystem, lines: &[ImportLine]) -> BTreeMap<String, String> {
    let words = match system {
        ForeignSystem::LemonSqueezy => lemon_squeezy::PLAN_WORDS,
        ForeignSystem::Gumroad => gumroad::PLAN_WORDS,
        ForeignSystem::Edd => edd::PLAN_WORDS,
        ForeignSystem::Polar => polar::PLAN_WORDS,
        ForeignSystem::Dodo => dodo::PLAN_WORDS,
        ForeignSystem::Csv => csv::PLAN_WORDS,
        ForeignSystem::Keygen => keygen::PLAN_WORDS,
    };
    let newest = lines.iter().filter_map(|line| line.record.as_ref().ok()).max_by_key(|record| record.created_at);
    let notes = newest.map(|record| &record.notes);
    words.iter().filter_map(|word| Some(((*word).to_owned(), notes?.get(*word)?.clone()))).collect()
}

/// Where the records go.
pub struct ImportTarget {
    /// The shop.
    pub shop: Shop,
    /// The product of the plan.
    pub product: Product,
    /// The plan that the licenses are of.
    pub plan: domain::Plan,
}

impl App {
    /// Where licenses of a plan go, by the name of the plan in addresses.
    ///
    /// # Errors
    /// When the shop has no such plan, it is a bundle, or the store does not answer.
    pub async fn import_target(&self, shop: &Shop, plan: &str) -> Result<ImportTarget, Error> {
        let plan = match PlanId::parse(plan) {
            Ok(id) => self.store.plan(shop.id, id).await?,
            Err(_) => self.store.plan_by_slug(shop.id, plan).await?,
        };
        let plan = plan.ok_or(Error::NotFound { what: "plan" })?;
        if !plan.bundle.is_empty() {
            return Err(Refusal::PlanIsBundle.into());
        }
        let product = self.store.product(shop.id, plan.product).await?.ok_or(Error::NotFound { what: "product" })?;
        Ok(ImportTarget { shop: shop.clone(), product, plan })
    }

    /// Takes the records over and tells what became of each as it goes, in the order of the file.
    ///
    /// # Errors
    /// When the store does not answer; what was told before is done, and the same file goes on from there.
    pub async fn import(
        &self,
        target: &ImportTarget,
        lines: &[ImportLine],
        is_dry_run: bool,
        mut tell: impl FnMut(&ImportLine, &Imported),
    ) -> Result<(), Error> {
        let mut outcomes = stream::iter(lines)
            .map(|line| async move { (line, self.import_line(target, line, is_dry_run).await) })
            .buffered(AT_ONCE);
        while let Some((line, outcome)) = outcomes.next().await {
            tell(line, &outcome?);
        }
        Ok(())
    }

    /// Keeps what the other system calls the plan, for its apps to be told of licenses that are sold here.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn name_plan(
        &self,
        target: &ImportTarget,
        system: ForeignSystem,
        names: BTreeMap<String, String>,
    ) -> Result<(), Error> {
        let named = ForeignPlan { shop: target.shop.id, system, plan: target.plan.id, names };
        self.write(&Changes { foreign_plans: vec![named], ..Changes::default() }).await
    }

    async fn import_line(&self, target: &ImportTarget, line: &ImportLine, is_dry_run: bool) -> Result<Imported, Error> {
        let record = match &line.record {
            Ok(record) => record,
            Err(reason) => return Ok(Imported::Refused(reason.clone())),
        };
        let shop = target.shop.id;
        for _ in 0..TRIES {
            if self.store.license_of_foreign_key(shop, &record.key).await?.is_some() {
                return Ok(Imported::Known);
            }
            // Its key may have been replaced there since it was taken over.
            if let Some(id) = &record.id
                && self.store.behind_foreign_id(shop, record.system, id).await?.is_some()
            {
                return Ok(Imported::Known);
            }
            if is_dry_run {
                return Ok(Imported::New);
            }
            let known = match &record.email {
                Some(email) => self.store.customer_by_email(shop, email).await?,
                None => None,
            };
            let group = self.imported_group(shop, record).await?;
            let place = ImportPlace {
                shop: &target.shop,
                product: &target.product,
                plan: &target.plan,
                known: known.as_ref(),
                group: group.as_ref(),
            };
            let changes = import_license(place, record, self.clock.now(), &mut self.entropy.rng());
            if self.commits(&changes, None).await? {
                return Ok(Imported::New);
            }
        }
        Err(Error::Unavailable("too many changes at once".to_owned()))
    }

    /// The group of a record: as it is here since one of its licenses came, or as it is there.
    async fn imported_group(&self, shop: ShopId, record: &ImportRecord) -> Result<Option<Group>, Error> {
        let Some(there) = &record.group else { return Ok(None) };
        // The same whenever it is asked for, so that it comes over once.
        let named = format!("group:{shop}\n{}\n{}", record.system.as_str(), there.id);
        let seed = self.store.vault().hash(Purpose::Import, named.as_bytes());
        let id = GroupId::mint(there.created_at, &mut Rng::from_seed(seed));
        let here = self.store.group(shop, id, self.clock.now()).await?.map(|used| used.group);
        Ok(Some(here.unwrap_or_else(|| Group {
            id,
            shop,
            version: 0,
            name: there.name.clone(),
            max_licenses: there.max_licenses,
            max_seats: there.max_seats,
            created_at: there.created_at,
        })))
    }
}

#[cfg(test)]
mod tests;
