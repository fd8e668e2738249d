//! The keys that sign certificates.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use data_encoding::BASE64URL_NOPAD;
use domain::{Activation, FeatureValue, License, Rng, Timestamp};
use latchkey_license::{Claims, Header, KeySet, LicenseClaims, PublicKey, assemble, signing_input};
use store::{SigningKey, SigningKeyState, Store};
use zeroize::Zeroizing;

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
            store.add_signing_key(&new_key(rng.bytes(), now)?).await?;
            stored = store.signing_keys().await?;
        }
        let newest = stored
            .iter()
            .filter(|key| key.state == SigningKeyState::Active)
            .max_by_key(|key| (key.created_at, key.kid.as_str()))
            .ok_or_else(broken)?;
        let pair = pair_of(&newest.seed)?;
        let kid = newest.kid.clone();
        let keys = stored
            .iter()
            .filter(|key| key.state != SigningKeyState::Revoked)
            .map(|key| public_key(&key.public))
            .collect::<Result<KeySet, Error>>()?;
        Ok(Self { pair, kid, keys })
    }

    /// The public keys as a JWKS document (RFC 7517).
    #[must_use]
    pub fn jwks(&self) -> String {
        self.keys.to_jwks()
    }

    /// A certificate that speaks for the license on this device until it expires, or until its seat ends.
    #[must_use]
    pub fn certificate(
        &self,
        license: &License,
        seat: Option<&Activation>,
        fingerprint: Option<&str>,
        issuer: &str,
        now: Timestamp,
    ) -> String {
        let claims = Claims {
            iss: issuer.to_owned(),
            sub: license.id.to_string(),
            aud: license.product.to_string(),
            iat: now.as_seconds(),
            nbf: None,
            exp: license.certificate_expires_at(seat, now).as_seconds(),
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
                    .map(|(name, value)| (name.clone(), feature_value(value)))
                    .collect(),
            },
            fingerprint: fingerprint.map(str::to_owned),
        };
        let input = signing_input(&Header::new(&self.kid), &claims);
        let mut signature = [0; 64];
        signature.copy_from_slice(self.pair.sign(input.as_bytes()).as_ref());
        assemble(&input, signature)
    }

    /// Signs something else than a certificate: a JWS (RFC 7515) of this type, which no certificate has.
    #[must_use]
    pub(crate) fn jws(&self, kind: &str, claims: &serde_json::Value) -> String {
        let header = serde_json::json!({ "alg": "EdDSA", "typ": kind, "kid": self.kid });
        let input = format!("{}.{}", url_text(header.to_string().as_bytes()), url_text(claims.to_string().as_bytes()));
        let signature = url_text(self.pair.sign(input.as_bytes()).as_ref());
        format!("{input}.{signature}")
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

fn feature_value(value: &FeatureValue) -> serde_json::Value {
    match value {
        FeatureValue::Flag(flag) => (*flag).into(),
        FeatureValue::Number(number) => (*number).into(),
        FeatureValue::Text(text) => text.as_str().into(),
    }
}

fn broken() -> Error {
    Error::Configuration("a signing key cannot be used".to_owned())
}

fn pair_of(seed: &[u8]) -> Result<Ed25519KeyPair, Error> {
    Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| broken())
}

fn public_key(bytes: &[u8]) -> Result<PublicKey, Error> {
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| broken())?;
    PublicKey::from_bytes(bytes).map_err(|_| broken())
}

fn new_key(seed: [u8; 32], now: Timestamp) -> Result<SigningKey, Error> {
    let public = pair_of(&seed)?.public_key().as_ref().to_vec();
    let kid = public_key(&public)?.kid();
    Ok(SigningKey { kid, public, seed: Zeroizing::new(seed.to_vec()), state: SigningKeyState::Active, created_at: now })
}

/// Bytes as they stand in URLs and tokens.
pub(crate) fn url_text(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}
