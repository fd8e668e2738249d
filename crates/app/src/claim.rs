//! Handing over what paid units wait for: one way for a person in the console, a call of the API, and what the seller's
//! program answers.

use domain::{Actor, ClaimState, LicenseId, PoolCode, Refusal, ShopId, hand_over};
use store::ClaimedJob;

use crate::fulfil::TRIES;
use crate::{App, Error};

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
            if self.commits(&changes, job).await? {
                return Ok(());
            }
        }
        Err(Error::Conflict { what: "claim" })
    }
}
