//! Keys whose text is signed: signed on their way to the store, and again where the key that signed them was revoked.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, PoisonError};

use domain::{Changes, KeyToSign, LicenseId, ShopId, SignedText, Timestamp, sign_again, sign_reissued};
use latchkey_license::{KeySet, SignedKey, assemble_signed_key, read_signed_key, signed_key_input};
use store::{CommitError, ReadError, SigningKey, SigningKeyState};

use crate::signer::{Signer, public_key};
use crate::{App, Error};

/// How many licenses of a revoked key are looked at before the other steps of a round have their turn.
const PAGES_AT_ONCE: usize = 5;

/// How many are looked up at a time.
const A_PAGE: u32 = 100;

/// How far the keys of each revoked key are signed again, from round to round.
#[derive(Default)]
pub(crate) struct SigningAgain(Mutex<BTreeMap<String, Place>>);

/// Where the next round goes on, and which texts are known to be unreadable: those are tried again with each pass, for
/// what they need may have been brought back, and told once.
#[derive(Default)]
struct Place {
    after: Option<LicenseId>,
    unreadable: BTreeSet<LicenseId>,
}

impl SigningAgain {
    fn with<T>(&self, kid: &str, act: impl FnOnce(&mut Place) -> T) -> T {
        act(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(kid.to_owned()).or_default())
    }

    /// Whether nobody has been told of it.
    fn is_news(&self, license: LicenseId, kid: &str) -> bool {
        self.with(kid, |place| place.unreadable.insert(license))
    }

    fn cannot_be_read(&self, license: LicenseId, kid: &str, error: &dyn fmt::Display) {
        if self.is_news(license, kid) {
            tracing::error!(%license, %error, "a signed key cannot be read and is not signed again");
        }
    }
}

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

    /// Signs keys again whose signing key was revoked: their text says the same, and is believed again. Each round looks at
    /// some of them and the next one goes on from there, so that what cannot be read holds up no other. Returns how many
    /// were signed.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn step_signed_keys(&self) -> Result<usize, Error> {
        let signer = self.signer();
        let mut done = 0;
        for revoked in signer.stored().iter().filter(|key| key.state == SigningKeyState::Revoked) {
            for _ in 0..PAGES_AT_ONCE {
                let after = self.signing_again.with(&revoked.kid, |place| place.after);
                let page = self.store.licenses_signed_by(&revoked.kid, after, A_PAGE).await?;
                let last = page.last().map(|(_, license)| *license);
                for (shop, license) in page {
                    done += usize::from(self.signs_again(shop, license, revoked).await?);
                }
                self.signing_again.with(&revoked.kid, |place| place.after = last);
                if last.is_none() {
                    break;
                }
            }
        }
        Ok(done)
    }

    /// Whether the key of a license was signed again. One that cannot be read is told.
    async fn signs_again(&self, shop: ShopId, license: LicenseId, revoked: &SigningKey) -> Result<bool, Error> {
        // Read before its text: who gives it a new key meanwhile has a later version.
        let Some(row) = self.store.license(shop, license).await? else { return Ok(false) };
        let signed = match self.store.signed_key(shop, license).await {
            Ok(Some(signed)) => signed,
            Ok(None) => return Ok(false),
            Err(ReadError::Corrupt(error)) => {
                self.signing_again.cannot_be_read(license, &revoked.kid, &error);
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
                self.signing_again.cannot_be_read(license, &revoked.kid, &error);
                return Ok(false);
            }
        };
        let (owner, now) = (self.owner_of(&row).await?, self.clock.now());
        let changes = sign_again(&row, owner.as_ref(), says, &revoked.kid, now, &mut self.entropy.rng());
        // Whoever was faster, by a new key or by the same act, has done it.
        self.commits(&changes, None).await
    }
}

#[cfg(test)]
mod tests {
    use domain::Rng;

    use super::*;

    #[test]
    fn a_text_that_cannot_be_read_is_told_once() {
        let again = SigningAgain::default();
        let mut rng = Rng::from_seed([1; 32]);
        let [one, other] = [(); 2].map(|()| LicenseId::mint(Timestamp::from_seconds(1_800_000_000), &mut rng));
        let told = [one, one, other, one, other].map(|license| again.is_news(license, "first"));
        assert_eq!(told, [true, false, true, false, false]);
        assert!(again.is_news(one, "second"), "by another signing key it is another text");
    }
}
