//! New keys for licenses whose keys are in the wrong hands.

use domain::{Actor, License, LicenseId, Refusal, RetiredKey, ShopId, reissue, tell_of_key};
use latchkey_license::KeyCode;

use crate::{App, Error};

/// How often it is decided again when devices take seats of the license at the same time.
const TRIES: u32 = 100;

/// What is to be done besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReissueInput {
    /// The new key. Asking again with the same one gives it once, and never again when it was replaced since.
    pub key: KeyCode,
    /// Whether every device must activate with the new key.
    pub frees_seats: bool,
    /// Whether the owner is mailed the new key.
    pub tells_owner: bool,
    /// Why, for the journal.
    pub reason: String,
}

impl App {
    /// Gives a license a new key and retires the old one. The license stays the same.
    ///
    /// # Errors
    /// When there is no such license, its code was made elsewhere, the key was given before and is retired, or the store
    /// does not answer.
    pub async fn reissue_license(
        &self,
        shop: ShopId,
        license: LicenseId,
        input: &ReissueInput,
        actor: Actor,
    ) -> Result<License, Error> {
        for _ in 0..TRIES {
            let now = self.clock.now();
            let row = self.store.license(shop, license).await?.ok_or(Error::NotFound { what: "license" })?;
            if self.store.claim_of_license(shop, license).await?.is_some() {
                return Err(Refusal::CodeMadeElsewhere.into());
            }
            // Whoever asks again, because the first answer was lost, has the key already.
            if self.store.license_key(shop, license).await?.as_ref() == Some(&input.key) {
                return Ok(row);
            }
            // And whoever asks again after somebody else replaced that key too: a key that is retired stays retired.
            if let Some(RetiredKey { new_tail, .. }) = self.store.retired_key(shop, &input.key).await? {
                return Err(Refusal::KeyRetired { new_tail }.into());
            }
            let owner = if input.tells_owner { self.owner_of(&row).await? } else { None };
            let ReissueInput { key, frees_seats, tells_owner: _, reason } = input.clone();
            let mut rng = self.entropy.rng();
            let (mut changes, after) = reissue(&row, key, frees_seats, &reason, actor, now, &mut rng);
            if let Some(owner) = &owner {
                tell_of_key(&mut changes, &after, owner, now, &mut rng);
            }
            if self.commits(&changes, None).await? {
                return Ok(after);
            }
        }
        Err(Error::Conflict { what: "license" })
    }
}
