//! Handing over what paid units wait for: one way for a person in the console, a call of the API, and what the seller's
//! program answers.

use domain::{
    Actor, Changes, ClaimState, Fulfilment, JobKind, LicenseId, LicenseState, PoolCode, Refusal, ShopId, ask_endpoint,
    hand_over,
};
use store::{ClaimedJob, CommitError};

use crate::fulfil::{LEASE, TRIES};
use crate::{App, Error};

/// What came of asking the seller's program because somebody wants to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// A request went out, and was answered or not.
    Now,
    /// None went out: somebody is asking at this moment, or is about to.
    Underway,
    /// None went out: the buyer has it.
    Fulfilled,
}

impl App {
    /// Hands over content to the unit of a license, and mails its buyer. The same content again changes nothing.
    ///
    /// # Errors
    /// When there is no such license, nothing is owed for it, it has other content already, the content is somebody
    /// else's, or the store does not answer.
    pub async fn hand_over(
        &self,
        shop: ShopId,
        license: LicenseId,
        content: &PoolCode,
        actor: Actor,
    ) -> Result<(), Error> {
        self.hand_over_for(shop, license, content, actor, None).await
    }

    /// As [`App::hand_over`]; the same commit ends `job`.
    pub(crate) async fn hand_over_for(
        &self,
        shop: ShopId,
        license: LicenseId,
        content: &PoolCode,
        actor: Actor,
        job: Option<&ClaimedJob>,
    ) -> Result<(), Error> {
        for _ in 0..TRIES {
            let row = self.store.license(shop, license).await?.ok_or(Error::NotFound { what: "license" })?;
            let waiting = self.store.claim_with_buyer(shop, license).await?.ok_or(Refusal::NothingOwed)?;
            if waiting.claim.state == ClaimState::Fulfilled {
                // Whoever asks again, because the first answer was lost.
                let held = self.store.claim_of_license(shop, license).await?;
                return match held.and_then(|opened| opened.content) {
                    Some(held) if held == *content => Ok(()),
                    Some(_) | None => Err(Refusal::FulfilledOtherwise.into()),
                };
            }
            let now = self.clock.now();
            let mut changes = hand_over(&waiting, &row, content, actor, now, &mut self.entropy.rng())?;
            let opens = changes.hand_overs.iter().any(|handed| handed.opens);
            if opens && self.store.known_codes(shop, std::slice::from_ref(content)).await?.iter().any(Option::is_some) {
                return Err(Refusal::ContentTaken.into());
            }
            self.recovery.hold_mails(&mut changes);
            match self.commit(&changes, job).await {
                Ok(()) => return Ok(()),
                // The lease ended, and another node has the job: it asks again, and the program answers the same.
                Err(CommitError::Conflict { what: what @ LEASE }) if job.is_some() => {
                    return Err(Error::Conflict { what });
                }
                Err(CommitError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Conflict { what: "claim" })
    }

    /// Asks the seller's program for the unit of a license at once, whatever its next time would be, and though it did
    /// not answer a moment ago. What came of it stands in the rows.
    ///
    /// # Errors
    /// When the unit waits for no program, its license does not work, or the store does not answer.
    pub async fn ask_endpoint_now(&self, shop: ShopId, license: LicenseId) -> Result<Asked, Error> {
        let row = self.store.license(shop, license).await?.ok_or(Error::NotFound { what: "license" })?;
        let claim = self.store.claim_with_buyer(shop, license).await?.ok_or(Refusal::NothingOwed)?.claim;
        let endpoint = match claim.fulfilment {
            Fulfilment::Webhook { endpoint } => endpoint,
            Fulfilment::GeneratedKey
            | Fulfilment::Download
            | Fulfilment::SignedKey
            | Fulfilment::Manual { .. }
            | Fulfilment::Pool { .. } => return Err(Refusal::NothingOwed.into()),
        };
        match claim.state {
            ClaimState::Waiting => {}
            ClaimState::Fulfilled => return Ok(Asked::Fulfilled),
        }
        if row.state != LicenseState::Active {
            return Err(Refusal::LicenseStateUnfit { state: row.state }.into());
        }
        let kind = JobKind::AskEndpoint { license };
        let mut taken = self.take_now(shop, kind).await?;
        if taken.is_none() {
            // It was given up when the license did not work; or somebody is at it, and has the one job that there is.
            let job = ask_endpoint(shop, license, self.clock.now());
            if self.commits(&Changes { jobs: vec![job], ..Changes::default() }, None).await? {
                taken = self.take_now(shop, kind).await?;
            }
        }
        let Some(job) = taken else { return Ok(Asked::Underway) };
        self.resting.wake(endpoint);
        let ran = self.run_or_give_back(job).await;
        Ok(if ran { Asked::Now } else { Asked::Underway })
    }
}
