//! The keys that sign certificates.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use data_encoding::BASE64URL_NOPAD;
use domain::{License, Rng, Timestamp};
use latchkey_license::{Claims, Header, KeySet, LicenseClaims, PublicKey, assemble, signing_input};
use store::Store;

use crate::Error;

/// Signs with the newest key; every key that was ever used here still verifies.
pub struct Signer {
    pair: Ed25519KeyPair,
    kid: String,
    keys: KeySet,
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
            store.add_signing_key(rng.bytes(), now).await?;
            stored = store.signing_keys().await?;
        }
        let broken = || Error::Configuration("a signing key cannot be opened".to_owned());
        let newest = stored.iter().max_by_key(|key| (key.created_at, key.kid.clone())).ok_or_else(broken)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(newest.seed.as_ref()).map_err(|_| broken())?;
        let mut keys = KeySet::default();
        for key in &stored {
            let pair = Ed25519KeyPair::from_seed_unchecked(key.seed.as_ref()).map_err(|_| broken())?;
            let public: [u8; 32] = pair.public_key().as_ref().try_into().map_err(|_| broken())?;
            keys.add(PublicKey::from_bytes(public).map_err(|_| broken())?);
        }
        let public: [u8; 32] = pair.public_key().as_ref().try_into().map_err(|_| broken())?;
        let kid = PublicKey::from_bytes(public).map_err(|_| broken())?.kid();
        Ok(Self { pair, kid, keys })
    }

    /// The public keys as a JWKS document (RFC 7517).
    #[must_use]
    pub fn jwks(&self) -> String {
        self.keys.to_jwks()
    }

    /// A certificate that speaks for the license on this device until it expires.
    #[must_use]
    pub fn certificate(&self, license: &License, fingerprint: Option<&str>, issuer: &str, now: Timestamp) -> String {
        let claims = Claims {
            iss: issuer.to_owned(),
            sub: license.id.to_string(),
            aud: license.product.to_string(),
            iat: now.as_seconds(),
            nbf: None,
            exp: license.certificate_expires_at(now).as_seconds(),
            jti: None,
            license: LicenseClaims {
                state: license.standing(now).as_str().to_owned(),
                plan: license.plan.to_string(),
                expires_at: license.expires_at.map(Timestamp::as_seconds),
                features: license.policy.features.clone(),
            },
            fingerprint: fingerprint.map(str::to_owned),
        };
        let input = signing_input(&Header::new(&self.kid), &claims);
        let mut signature = [0; 64];
        signature.copy_from_slice(self.pair.sign(input.as_bytes()).as_ref());
        assemble(&input, &signature)
    }

    /// The name of the key that signs now.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Signer({})", self.kid)
    }
}

/// Bytes as they stand in URLs and tokens.
pub(crate) fn url_text(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}
