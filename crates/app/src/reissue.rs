//! New keys for licenses whose keys are in the wrong hands.

use domain::{Actor, License, LicenseId, MailKind, Refusal, RetiredKey, ShopId, SignedText, reissue, tell_of_key};
use latchkey_license::KeyCode;
use store::CommitError;

use crate::{App, Error, Held};

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

/// A license with its new key.
#[derive(Clone, PartialEq, Eq)]
pub struct Reissued {
    /// The license, as it is with the key.
    pub license: License,
    /// The key as its buyer holds it.
    pub held: Held,
}

impl Reissued {
    fn new(license: License, signed: Option<SignedText>, key: &KeyCode) -> Self {
        Self { license, held: signed.map_or_else(|| Held::Key(key.clone()), Held::Signed) }
    }
}

impl std::fmt::Debug for Reissued {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Reissued({})", self.license.id)
    }
}

impl App {
    /// Gives a license a new key and retires the old one. The license stays the same. What is returned is what was
    /// committed: nothing is read for it that could fail once the key is another.
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
    ) -> Result<Reissued, Error> {
        for _ in 0..TRIES {
            let now = self.clock.now();
            let row = self.store.license(shop, license).await?.ok_or(Error::NotFound { what: "license" })?;
            if self.store.claim_of_license(shop, license).await?.is_some() {
                return Err(Refusal::CodeMadeElsewhere.into());
            }
            // Whoever asks again, because the first answer was lost, has the key already.
            if self.store.license_key(shop, license).await?.as_ref() == Some(&input.key) {
                let signed = self.store.signed_key(shop, license).await?;
                return Ok(Reissued::new(row, signed, &input.key));
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
                let mail = MailKind::KeyReplaced { license: after.id };
                tell_of_key(&mut changes, mail, &after, owner, now, &mut rng);
            }
            let changes = self.with_signed_keys(&changes).await?.unwrap_or(changes);
            match self.commit_signed(&changes, None).await {
                Ok(()) => {
                    let signed = changes.signed_keys.into_iter().find_map(|key| key.signed);
                    return Ok(Reissued::new(after, signed, &input.key));
                }
                Err(CommitError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Conflict { what: "license" })
    }
}
