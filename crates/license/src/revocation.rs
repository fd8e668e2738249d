//! The revocation list: what the shop took back although certificates of it may still count, signed, so that a
//! program that is rarely online can carry it. A JWT as a certificate is, of another type, so that neither can stand
//! for the other.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use serde::Deserialize;
use serde_json::json;

use crate::certificate::{CertificateError, Claims, Header, key_id_of, signed_claims, token_input};
use crate::key_set::KeySet;

const TYPE: &str = "license-revocations+jwt";

/// The longest revocation list that is looked at, in bytes.
pub const MAX_REVOCATIONS_BYTES: usize = 1024 * 1024;

/// What the shop took back, and may have signed certificates for that still count.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RevocationList {
    /// Who says so: the shop's public address.
    pub iss: String,
    /// When it was signed, in seconds since 1970.
    pub iat: i64,
    /// What was taken back, the newest first.
    pub revoked: Vec<Revoked>,
}

/// One thing that was taken back: on the wire a list of the three.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "(String, String, i64)")]
pub struct Revoked {
    /// The license, or the activation.
    pub id: String,
    /// How it stands since, as a verdict: `revoked`, `suspended`, `not_activated`, `key_retired`.
    pub code: String,
    /// When, in seconds since 1970. A certificate that was signed later stands.
    pub at: i64,
}

impl From<(String, String, i64)> for Revoked {
    fn from((id, code, at): (String, String, i64)) -> Self {
        Self { id, code, at }
    }
}

impl RevocationList {
    /// What a list says, if one of these keys signed it.
    ///
    /// # Errors
    /// See [`CertificateError`].
    pub fn verify(text: &str, keys: &KeySet) -> Result<Self, CertificateError> {
        let text = text.trim();
        if text.len() > MAX_REVOCATIONS_BYTES {
            return Err(CertificateError::TooLong);
        }
        serde_json::from_slice(&signed_claims(text, TYPE, keys)?).map_err(|_| CertificateError::BadClaims)
    }

    /// The text that has to be signed with Ed25519 for this list; [`assemble`](crate::assemble) makes the list of it.
    #[must_use]
    pub fn signing_input(&self, header: &Header) -> String {
        let revoked: Vec<_> = self.revoked.iter().map(|entry| json!([entry.id, entry.code, entry.at])).collect();
        let claims = json!({ "iss": self.iss, "iat": self.iat, "revoked": revoked }).to_string();
        token_input(TYPE, header, &claims)
    }

    /// How the list says a license stands that this certificate is of, if it names it or its seat.
    #[must_use]
    pub fn names(&self, claims: &Claims) -> Option<&Revoked> {
        let is_of = |entry: &&Revoked| {
            (entry.id == claims.sub || Some(&entry.id) == claims.activation.as_ref()) && claims.iat <= entry.at
        };
        self.revoked.iter().find(is_of)
    }
}

/// The name of the key that a list says it is signed with. Nothing is proven by it.
///
/// # Errors
/// When it is not a revocation list.
pub fn revocations_key_id(text: &str) -> Result<String, CertificateError> {
    key_id_of(text.trim(), TYPE, MAX_REVOCATIONS_BYTES)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::borrow::ToOwned;
    use std::vec;

    use ed25519_dalek::{Signer, SigningKey};

    use super::*;
    use crate::certificate::{LicenseClaims, signing_input, verify};
    use crate::{PublicKey, assemble};

    fn signer() -> SigningKey {
        SigningKey::from_bytes(&[7; 32])
    }

    fn public() -> PublicKey {
        PublicKey::from_bytes(*signer().verifying_key().as_bytes()).unwrap()
    }

    fn sign(input: &str) -> String {
        assemble(input, signer().sign(input.as_bytes()).to_bytes())
    }

    fn claims(iat: i64) -> Claims {
        Claims {
            iss: "https://shop.example".to_owned(),
            sub: "lic_1".to_owned(),
            aud: "prod_1".to_owned(),
            iat,
            nbf: None,
            exp: iat + 60,
            jti: None,
            license: LicenseClaims {
                state: "active".to_owned(),
                plan: "plan_1".to_owned(),
                expires_at: None,
                features: Vec::new(),
                updates_until: None,
                trial: false,
                feature_values: serde_json::Map::new(),
            },
            fingerprint: None,
            activation: Some("act_1".to_owned()),
            nonce: None,
        }
    }

    #[test]
    fn a_list_names_what_was_signed_before_it_was_taken_back() {
        let revoked = |id: &str, at| Revoked { id: id.to_owned(), code: "revoked".to_owned(), at };
        let list = RevocationList {
            iss: "https://shop.example".to_owned(),
            iat: 100,
            revoked: vec![revoked("act_1", 50), revoked("lic_1", 40), revoked("lic_2", 90)],
        };
        let header = Header::new(public().kid());
        let keys = KeySet::from_iter([public()]);
        let text = sign(&list.signing_input(&header));
        let read = RevocationList::verify(&std::format!("{text}\n"), &keys).unwrap();
        assert_eq!(read, list);
        assert_eq!(revocations_key_id(&text), Ok(public().kid()));
        for (iat, found) in [(40, Some("act_1")), (50, Some("act_1")), (51, None)] {
            assert_eq!(read.names(&claims(iat)).map(|entry| entry.id.as_str()), found, "{iat}");
        }
        let floating = Claims { activation: None, ..claims(40) };
        assert_eq!(read.names(&floating).map(|entry| entry.id.as_str()), Some("lic_1"));

        // Neither stands for the other, and nothing is believed that is not signed.
        assert_eq!(verify(&text, &keys, 100, 0), Err(CertificateError::WrongType));
        let certificate = sign(&signing_input(&header, &claims(40)));
        assert_eq!(RevocationList::verify(&certificate, &keys), Err(CertificateError::WrongType));
        assert_eq!(RevocationList::verify(&text, &KeySet::new()), Err(CertificateError::UnknownKey));
        let (signed, _) = text.rsplit_once('.').unwrap();
        assert_eq!(RevocationList::verify(&assemble(signed, [0; 64]), &keys), Err(CertificateError::BadSignature));
        let longest = "a".repeat(1_048_576);
        assert!(!matches!(RevocationList::verify(&longest, &keys), Err(CertificateError::TooLong)));
        let long = "a".repeat(1_048_577);
        assert_eq!(RevocationList::verify(&long, &keys), Err(CertificateError::TooLong));
    }
}
