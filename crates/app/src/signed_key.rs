//! Keys whose text is signed: signed on their way to the store, and again where the key that signed them was revoked.

use domain::{Changes, KeyToSign, LicenseId, ShopId, SignedText, Timestamp, sign_again, sign_reissued};
use latchkey_license::{KeySet, SignedKey, assemble_signed_key, read_signed_key, signed_key_input};
use store::{CommitError, ReadError, SigningKey, SigningKeyState};

use crate::signer::{Signer, public_key};
use crate::{App, Error};

/// How many are signed again, at least, before the other steps of a round have their turn.
const AT_ONCE: usize = 500;

/// How many are looked up at a time.
const A_PAGE: u32 = 100;

impl Signer {
    /// The key that says this, signed by the signing key whose turn it is.
    fn signed_key(&self, says: &SignedKey, now: Timestamp) -> SignedText {
        let kid = self.kid(now);
        let input = signed_key_input(kid, says);
        let text = assemble_signed_key(&input, self.sign_bytes(input.as_bytes(), now));
        SignedText { kid: kid.to_owned(), text: text.into() }
    }
}

impl App {
    /// The changes with every key signed that is to be; `None` where there is none. The new key of a license is signed if
    /// the old one was.
    pub(crate) async fn with_signed_keys(&self, changes: &Changes) -> Result<Option<Changes>, CommitError> {
        let mut reissued = Vec::new();
        for new in &changes.reissued {
            // A text that cannot be opened is what a new key is taken for.
            let was_signed = self.store.is_key_signed(new.license.shop, new.license.id).await;
            if was_signed.map_err(|error| CommitError::Unavailable(error.to_string()))? {
                reissued.push(sign_reissued(new));
            }
        }
        if reissued.is_empty() && changes.signed_keys.is_empty() {
            return Ok(None);
        }
        let (signer, now) = (self.signer(), self.clock.now());
        let sign = |key: &KeyToSign| KeyToSign { signed: Some(signer.signed_key(&key.says, now)), ..key.clone() };
        let signed_keys = changes.signed_keys.iter().chain(&reissued).map(sign).collect();
        Ok(Some(Changes { signed_keys, ..changes.clone() }))
    }

    /// Signs keys again whose signing key was revoked: their text says the same, and is believed again. Returns how many
    /// that were.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn step_signed_keys(&self) -> Result<usize, Error> {
        let signer = self.signer();
        let mut done = 0;
        for revoked in signer.stored().iter().filter(|key| key.state == SigningKeyState::Revoked) {
            let mut after = None;
            while done < AT_ONCE {
                let page = self.store.licenses_signed_by(&revoked.kid, after, A_PAGE).await?;
                let Some((_, last)) = page.last() else { break };
                after = Some(*last);
                for (shop, license) in page {
                    done += usize::from(self.signs_again(shop, license, revoked).await?);
                }
            }
        }
        Ok(done)
    }

    /// Whether the key of a license was signed again. One that cannot be read is told, and holds up no other.
    async fn signs_again(&self, shop: ShopId, license: LicenseId, revoked: &SigningKey) -> Result<bool, Error> {
        // Read before its text: who gives it a new key meanwhile has a later version.
        let Some(row) = self.store.license(shop, license).await? else { return Ok(false) };
        let signed = match self.store.signed_key(shop, license).await {
            Ok(Some(signed)) => signed,
            Ok(None) => return Ok(false),
            Err(ReadError::Corrupt(error)) => {
                tracing::error!(%license, %error, "a signed key cannot be opened and is not signed again");
                return Ok(false);
            }
            Err(error @ ReadError::Unavailable(_)) => return Err(error.into()),
        };
        if signed.kid != revoked.kid {
            return Ok(false);
        }
        // Kept sealed, so it says what we signed, whoever has the signing key by now.
        let says = match read_signed_key(&signed.text, &KeySet::from_iter([public_key(&revoked.public)?])) {
            Ok(says) => says,
            Err(error) => {
                tracing::error!(%license, %error, "a signed key cannot be read and is not signed again");
                return Ok(false);
            }
        };
        let (owner, now) = (self.owner_of(&row).await?, self.clock.now());
        let changes = sign_again(&row, owner.as_ref(), says, &revoked.kid, now, &mut self.entropy.rng());
        // Whoever was faster, by a new key or by the same act, has done it.
        self.commits(&changes, None).await
    }
}
