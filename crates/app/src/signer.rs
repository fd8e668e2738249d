//! What signs certificates: of the signing keys the one whose turn it is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use data_encoding::BASE64URL_NOPAD;
use domain::{ActivationId, License, Rng, Timestamp};
use latchkey_license::{Claims, Header, KeySet, LicenseClaims, PublicKey, RevocationList, assemble, signing_input};
use store::{SigningKey, SigningKeyState, Store};
use zeroize::Zeroizing;

use crate::Error;

/// A key that signs, or will.
struct Signing {
    from: Timestamp,
    kid: String,
    pair: Ed25519KeyPair,
}

/// For whom a certificate is, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CertificateTerms<'a> {
    /// The device that it is bound to; `None`: it counts on any.
    pub fingerprint: Option<&'a str>,
    /// The seat of the device, where it holds one.
    pub activation: Option<ActivationId>,
    /// The nonce of the request that it answers.
    pub nonce: Option<&'a str>,
    /// When it stops counting.
    pub expires_at: Timestamp,
}

/// The signer of the signing keys as they were read last, however many read them at once.
pub(crate) struct Signers {
    /// How many readings have begun.
    begun: AtomicU64,
    /// The newest reading that has landed, and its signer.
    landed: RwLock<(u64, Arc<Signer>)>,
}

impl Signers {
    pub(crate) fn new(signer: Signer) -> Self {
        Self { begun: AtomicU64::new(0), landed: RwLock::new((0, Arc::new(signer))) }
    }

    pub(crate) fn get(&self) -> Arc<Signer> {
        Arc::clone(&self.landed.read().unwrap_or_else(PoisonError::into_inner).1)
    }

    /// The name of a reading, before its first row is read.
    pub(crate) fn begin(&self) -> u64 {
        self.begun.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Takes what was read; whether that are other keys than before. What a reading saw that began before another one that
    /// has landed is older, and a key may have been revoked between the two.
    ///
    /// # Errors
    /// When no key is left that signs, or one cannot be used; the old ones stay in use then.
    pub(crate) fn land(&self, reading: u64, stored: Vec<SigningKey>) -> Result<bool, Error> {
        let mut landed = self.landed.write().unwrap_or_else(PoisonError::into_inner);
        if reading < landed.0 {
            return Ok(false);
        }
        landed.0 = reading;
        if stored == landed.1.stored {
            return Ok(false);
        }
        landed.1 = Arc::new(Signer::of(stored)?);
        Ok(true)
    }
}

/// Signs with the key whose turn it is; every key that was not revoked still verifies, and so does one whose turn comes.
pub struct Signer {
    /// By turn; never empty.
    signing: Vec<Signing>,
    keys: KeySet,
    stored: Vec<SigningKey>,
}

impl Signer {
    /// Reads the signing keys, and makes the first one. Two nodes that start
    /// at once may make one each: both are kept, and both verify.
    ///
    /// # Errors
    /// When the store does not answer or a stored key cannot be opened.
    pub async fn load(store: &Store, now: Timestamp, rng: &mut Rng) -> Result<Self, Error> {
        let mut stored = store.signing_keys().await?;
        if stored.is_empty() {
            store.add_signing_key(&key_of_seed(&rng.bytes::<32>(), now, now)?).await?;
            stored = store.signing_keys().await?;
        }
        Self::of(stored)
    }

    fn of(stored: Vec<SigningKey>) -> Result<Self, Error> {
        let mut active: Vec<&SigningKey> = stored.iter().filter(|key| key.state == SigningKeyState::Active).collect();
        active.sort_by_key(|key| (key.signs_from, key.created_at, key.kid.as_str()));
        let signing = active
            .into_iter()
            .map(|key| Ok(Signing { from: key.signs_from, kid: key.kid.clone(), pair: pair_of(&key.seed)? }))
            .collect::<Result<Vec<_>, Error>>()?;
        if signing.is_empty() {
            return Err(broken());
        }
        let keys = stored
            .iter()
            .filter(|key| key.state != SigningKeyState::Revoked)
            .map(|key| public_key(&key.public))
            .collect::<Result<KeySet, Error>>()?;
        Ok(Self { signing, keys, stored })
    }

    /// The key whose turn it is. Before the first one's time it is the first one's all the same: clocks differ.
    fn at(&self, now: Timestamp) -> &Signing {
        let begun = self.signing.partition_point(|key| key.from <= now);
        &self.signing[begun.saturating_sub(1)]
    }

    /// Every key that ever signed, or will, oldest first.
    pub(crate) fn stored(&self) -> &[SigningKey] {
        &self.stored
    }

    /// The public keys of every signing key that was not revoked.
    pub(crate) fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// The public keys as a JWKS document (RFC 7517).
    #[must_use]
    pub fn jwks(&self) -> String {
        self.keys.to_jwks()
    }

    /// A certificate that speaks for the license, as it stands now.
    #[must_use]
    pub fn certificate(&self, license: &License, terms: &CertificateTerms<'_>, issuer: &str, now: Timestamp) -> String {
        let claims = Claims {
            iss: issuer.to_owned(),
            sub: license.id.to_string(),
            aud: license.product.to_string(),
            iat: now.as_seconds(),
            nbf: None,
            exp: terms.expires_at.as_seconds(),
            jti: None,
            license: LicenseClaims {
                state: license.standing(now).as_str().to_owned(),
                plan: license.plan.to_string(),
                expires_at: license.expires_at.map(Timestamp::as_seconds),
                features: license.policy.features.clone(),
                updates_until: license.updates_until.map(Timestamp::as_seconds),
                trial: license.policy.term.is_trial,
                feature_values: license
                    .policy
                    .feature_values
                    .iter()
                    .map(|(name, value)| (name.clone(), value.to_json()))
                    .collect(),
            },
            fingerprint: terms.fingerprint.map(str::to_owned),
            activation: terms.activation.map(|activation| activation.to_string()),
            nonce: terms.nonce.map(str::to_owned),
        };
        self.sign(now, |header| signing_input(header, &claims))
    }

    /// A revocation list.
    #[must_use]
    pub(crate) fn revocations(&self, list: &RevocationList, now: Timestamp) -> String {
        self.sign(now, |header| list.signing_input(header))
    }

    fn sign(&self, now: Timestamp, input: impl FnOnce(&Header) -> String) -> String {
        let input = input(&Header::new(&self.at(now).kid));
        let signature = self.sign_bytes(input.as_bytes(), now);
        assemble(input, signature)
    }

    /// Signs something else than a certificate: a JWS (RFC 7515) of this type, which no certificate has.
    #[must_use]
    pub(crate) fn jws(&self, kind: &str, claims: &serde_json::Value, now: Timestamp) -> String {
        let key = self.at(now);
        let header = serde_json::json!({ "alg": "EdDSA", "typ": kind, "kid": key.kid });
        let input = format!("{}.{}", url_text(header.to_string().as_bytes()), url_text(claims.to_string().as_bytes()));
        let signature = url_text(key.pair.sign(input.as_bytes()).as_ref());
        format!("{input}.{signature}")
    }

    /// Signs bytes as they are, Ed25519 (RFC 8032): for the formats of other systems, whose texts no certificate is.
    #[must_use]
    pub fn sign_bytes(&self, message: &[u8], now: Timestamp) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.at(now).pair.sign(message).as_ref());
        signature
    }

    /// The name of the key that signs at `now`.
    #[must_use]
    pub fn kid(&self, now: Timestamp) -> &str {
        &self.at(now).kid
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Signer({} keys)", self.signing.len())
    }
}

fn broken() -> Error {
    Error::Configuration("a signing key cannot be used".to_owned())
}

fn pair_of(seed: &[u8]) -> Result<Ed25519KeyPair, Error> {
    Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| broken())
}

pub(crate) fn public_key(bytes: &[u8]) -> Result<PublicKey, Error> {
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| broken())?;
    PublicKey::from_bytes(bytes).map_err(|_| broken())
}

/// The key of a seed, the 32 bytes that are the private half (RFC 8032).
pub(crate) fn key_of_seed(seed: &[u8], now: Timestamp, signs_from: Timestamp) -> Result<SigningKey, Error> {
    let public = pair_of(seed)?.public_key().as_ref().to_vec();
    let kid = public_key(&public)?.kid();
    let seed = Zeroizing::new(seed.to_vec());
    Ok(SigningKey { kid, public, seed, state: SigningKeyState::Active, created_at: now, signs_from })
}

/// Bytes as they stand in URLs and tokens.
pub(crate) fn url_text(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn key(seed: u8, state: SigningKeyState) -> SigningKey {
        let at = Timestamp::from_seconds(1_800_000_000);
        SigningKey { state, ..key_of_seed(&[seed; 32], at, at).unwrap() }
    }

    #[test]
    fn what_was_read_before_a_key_was_revoked_never_brings_it_back() {
        use SigningKeyState::{Active, Revoked};
        let before = vec![key(1, Active), key(2, Active)];
        let after = vec![key(1, Active), key(2, Revoked)];
        let signers = Signers::new(Signer::of(before.clone()).unwrap());
        let (slow, quick) = (signers.begin(), signers.begin());
        assert_eq!(signers.land(quick, after.clone()), Ok(true));
        assert_eq!(signers.land(slow, before.clone()), Ok(false), "it is older");
        assert!(signers.get().keys().find(&before[1].kid).is_none());

        // A reading that found nothing new is the newest all the same.
        let (slow, quick) = (signers.begin(), signers.begin());
        assert_eq!(signers.land(quick, after), Ok(false));
        assert_eq!(signers.land(slow, before.clone()), Ok(false));
        assert!(signers.get().keys().find(&before[1].kid).is_none());

        let next = signers.begin();
        assert!(signers.land(next, vec![key(1, Revoked)]).is_err(), "nothing would sign");
        assert!(signers.get().keys().find(&before[0].kid).is_some());
        let last = signers.begin();
        assert_eq!(signers.land(last, before.clone()), Ok(true));
        assert!(signers.get().keys().find(&before[1].kid).is_some(), "as where it was given back");
    }
}
