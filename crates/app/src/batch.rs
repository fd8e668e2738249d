//! Issuing licenses together that nobody pays for, in commits of some hundred, and going on where it was cut off.
//!
//! The ids of the orders are derived from that of the batch, so an order that
//! is there already conflicts with itself and is left alone: the same batch may
//! be asked for again as often as it takes.

use std::collections::BTreeSet;

use domain::{
    Actor, Batch, BatchId, BatchTarget, Changes, Customer, Email, Grant, OrderId, Rng, Shop, Timestamp, grant, shares,
};
use store::{CommitError, Purpose};

use crate::{App, Error, ImportTarget};

/// How many addressed licenses one commit carries.
const AT_ONCE: usize = 50;

/// How often a part is decided again when something else of the shop comes between.
const TRIES: u32 = 100;

/// What is to be issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchInput {
    /// The id of the batch: the same one goes on.
    pub id: BatchId,
    /// When it was first asked for.
    pub created_at: Timestamp,
    /// How many, where they are not addressed.
    pub licenses: u32,
    /// To whom, one license each. Where there are some, they say how many.
    pub emails: Vec<Email>,
    /// Whether each of them is mailed the key.
    pub is_mailed: bool,
    /// Why nobody pays, for the journal.
    pub reason: String,
    /// Who wants it.
    pub actor: Actor,
}

/// How far a batch is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchProgress {
    /// The batch.
    pub batch: Batch,
    /// How many of its licenses are issued.
    pub issued: u64,
}

impl App {
    /// Issues the licenses and tells how many are done as it goes. Asked again with the same id it goes on.
    ///
    /// # Errors
    /// `Conflict` when the batch was begun with another plan or number; when the store does not answer, what was
    /// issued before stays, and the same call goes on from there.
    pub async fn issue_batch(
        &self,
        target: &ImportTarget,
        input: &BatchInput,
        mut tell: impl FnMut(u32),
    ) -> Result<BatchProgress, Error> {
        let shop = &target.shop;
        let emails = each_once(&input.emails);
        let licenses = match emails.len() {
            0 => input.licenses,
            count => u32::try_from(count).unwrap_or(u32::MAX),
        };
        let batch = self.begin_batch(target, input, licenses).await?;
        let grants: Vec<Grant> = match emails.len() {
            0 => shares(&target.plan, licenses).into_iter().map(|licenses| (licenses, None)).collect::<Vec<_>>(),
            _ => emails.into_iter().map(|email| (1, Some(email))).collect(),
        }
        .into_iter()
        .zip(0_u32..)
        .map(|((licenses, to), place)| Grant { order: self.order_of_batch(&batch, place), licenses, to })
        .collect();
        let mut done = 0;
        let at_once = if input.emails.is_empty() { 1 } else { AT_ONCE };
        for part in grants.chunks(at_once) {
            self.issue_part(target, &batch, part, input.is_mailed).await?;
            done += part.iter().map(|grant| grant.licenses).sum::<u32>();
            tell(done);
        }
        self.batch_progress(shop, batch.id).await?.ok_or(Error::NotFound { what: "batch" })
    }

    /// A batch, and how far it is.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn batch_progress(&self, shop: &Shop, batch: BatchId) -> Result<Option<BatchProgress>, Error> {
        let Some(batch) = self.store.batch(shop.id, batch).await? else { return Ok(None) };
        let issued = self.store.batch_issued(shop.id, batch.id).await?;
        Ok(Some(BatchProgress { batch, issued }))
    }

    async fn begin_batch(&self, target: &ImportTarget, input: &BatchInput, licenses: u32) -> Result<Batch, Error> {
        let wanted = Batch {
            id: input.id,
            shop: target.shop.id,
            version: 0,
            plan: target.plan.id,
            reason: input.reason.clone(),
            actor: input.actor,
            licenses,
            created_at: input.created_at,
        };
        for _ in 0..TRIES {
            match self.store.batch(target.shop.id, input.id).await? {
                Some(known) if known.plan == wanted.plan && known.licenses == wanted.licenses => return Ok(known),
                Some(_) => return Err(domain::Refusal::BatchDiffers.into()),
                None => {}
            }
            match self.commit(&Changes { batches: vec![wanted.clone()], ..Changes::default() }, None).await {
                Ok(()) | Err(CommitError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Conflict { what: "batch" })
    }

    /// The orders that are not there yet, in one commit.
    async fn issue_part(
        &self,
        target: &ImportTarget,
        batch: &Batch,
        part: &[Grant],
        is_mailed: bool,
    ) -> Result<(), Error> {
        let shop = target.shop.id;
        let ids: Vec<OrderId> = part.iter().map(|grant| grant.order).collect();
        let emails: Vec<Email> = part.iter().filter_map(|grant| grant.to.clone()).collect();
        for _ in 0..TRIES {
            let there = self.store.orders_among(shop, &ids).await?;
            let known = self.store.customers_by_email(shop, &emails).await?;
            let target =
                BatchTarget { shop: &target.shop, product: &target.product, plan: &target.plan, batch, is_mailed };
            let (now, mut rng) = (self.clock.now(), self.entropy.rng());
            let mut changes = Changes::default();
            for wanted in part.iter().filter(|grant| !there.contains(&grant.order)) {
                let is_theirs =
                    |customer: &&Customer| wanted.to.as_ref().is_some_and(|email| customer.email.key() == email.key());
                grant(target, wanted, known.iter().find(is_theirs), now, &mut rng, &mut changes);
            }
            if changes.is_empty() {
                return Ok(());
            }
            if self.commits(&changes, None).await? {
                return Ok(());
            }
        }
        Err(Error::Conflict { what: "batch" })
    }

    /// The id of an order of a batch: the same whenever it is asked for.
    fn order_of_batch(&self, batch: &Batch, place: u32) -> OrderId {
        let seed = self.store.vault().hash(Purpose::ApiKey, format!("batch:{}\n{place}", batch.id).as_bytes());
        OrderId::mint(batch.created_at, &mut Rng::from_seed(seed))
    }
}

/// Each address once, in the order in which they were given.
fn each_once(emails: &[Email]) -> Vec<Email> {
    let mut seen = BTreeSet::new();
    emails.iter().filter(|email| seen.insert(email.key().to_owned())).cloned().collect()
}
