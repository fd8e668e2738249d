//! The public keys that certificates are checked against, as the shop publishes them: a JWK set (RFC 7517) of
//! Ed25519 keys (RFC 8037), each named by its thumbprint (RFC 7638). Several at once, so that keys can change
//! while certificates of the older one are still in use. Never holds a private key, and refuses a set with one.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{PUBLIC_KEY_LENGTH, Signature, VerifyingKey};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Public keys by name. A program embeds the set as it was published when it was built, or keeps the last one
/// that it fetched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeySet {
    keys: Vec<(String, PublicKey)>,
}

/// A public key: a point of the curve, and not one of the weak ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// Why a key, or a set of keys as a whole, was refused. A set that is half understood would refuse good
/// certificates later, where nobody can see why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySetError {
    /// The text is not a JWK set: an object with an array of `keys`.
    NotAKeySet,
    /// An Ed25519 key is not 32 bytes of unpadded base64url, or no point of the curve.
    BadKey,
    /// The key belongs to a group so small that signatures can be forged without the private one.
    WeakKey,
    /// The name of a key is not its thumbprint.
    WrongKeyId {
        /// The name that the set gives it.
        kid: String,
    },
    /// The set contains a private key. It must be considered stolen.
    PrivateKey,
}

impl KeySetError {
    /// The stable word for it, the same in every language that a client library is written in.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotAKeySet => "not_a_key_set",
            Self::BadKey => "bad_key",
            Self::WeakKey => "weak_key",
            Self::WrongKeyId { .. } => "wrong_key_id",
            Self::PrivateKey => "private_key",
        }
    }
}

#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
    d: Option<Value>,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
}

impl KeySet {
    /// A set without keys, which refuses every certificate.
    #[must_use]
    pub const fn new() -> Self {
        Self { keys: Vec::new() }
    }

    /// Adds a public key. One that is already there is not added again.
    pub fn add(&mut self, key: PublicKey) {
        let kid = key.kid();
        if self.find(&kid).is_none() {
            self.keys.push((kid, key));
        }
    }

    /// Reads a JWK set. Keys of other kinds or for other purposes are passed over, as RFC 7517 asks.
    ///
    /// # Errors
    /// See [`KeySetError`].
    pub fn parse(json: &str) -> Result<Self, KeySetError> {
        let published: JwkSet = serde_json::from_str(json).map_err(|_| KeySetError::NotAKeySet)?;
        let mut set = Self::new();
        for jwk in published.keys {
            if jwk.d.is_some() {
                return Err(KeySetError::PrivateKey);
            }
            let for_signatures = jwk.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
                && jwk.alg.as_deref().is_none_or(|alg| alg == "EdDSA" || alg == "Ed25519");
            if jwk.kty != "OKP" || jwk.crv.as_deref() != Some("Ed25519") || !for_signatures {
                continue;
            }
            let key: [u8; PUBLIC_KEY_LENGTH] = jwk
                .x
                .and_then(|x| BASE64URL_NOPAD.decode(x.as_bytes()).ok())
                .and_then(|bytes| bytes.try_into().ok())
                .ok_or(KeySetError::BadKey)?;
            let key = PublicKey::from_bytes(key)?;
            if let Some(kid) = jwk.kid.filter(|kid| *kid != key.kid()) {
                return Err(KeySetError::WrongKeyId { kid });
            }
            set.add(key);
        }
        Ok(set)
    }

    /// The set as JSON, as it is published under `/.well-known/jwks.json`.
    #[must_use]
    pub fn to_jwks(&self) -> String {
        let keys: Vec<Value> = self
            .keys
            .iter()
            .map(|(kid, key)| {
                json!({
                    "kty": "OKP",
                    "crv": "Ed25519",
                    "x": BASE64URL_NOPAD.encode(key.as_bytes()),
                    "kid": kid.as_str(),
                    "use": "sig",
                    "alg": "EdDSA",
                })
            })
            .collect();
        json!({ "keys": keys }).to_string()
    }

    /// The names of the keys, oldest first.
    pub fn kids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|(kid, _)| kid.as_str())
    }

    /// Whether there is no key at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key of this name.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&PublicKey> {
        self.keys.iter().find(|(named, _)| named == kid).map(|(_, key)| key)
    }
}

impl FromIterator<PublicKey> for KeySet {
    fn from_iter<I: IntoIterator<Item = PublicKey>>(keys: I) -> Self {
        let mut set = Self::new();
        for key in keys {
            set.add(key);
        }
        set
    }
}

impl PublicKey {
    /// The key of these bytes (RFC 8032).
    ///
    /// # Errors
    /// [`KeySetError::BadKey`], [`KeySetError::WeakKey`].
    pub fn from_bytes(bytes: [u8; PUBLIC_KEY_LENGTH]) -> Result<Self, KeySetError> {
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| KeySetError::BadKey)?;
        if key.is_weak() { Err(KeySetError::WeakKey) } else { Ok(Self(key)) }
    }

    /// The bytes of the key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; PUBLIC_KEY_LENGTH] {
        self.0.as_bytes()
    }

    /// The name of the key, its thumbprint: the SHA-256 of its required members in their order, in base64url
    /// (RFC 7638).
    #[must_use]
    pub fn kid(&self) -> String {
        let x = BASE64URL_NOPAD.encode(self.as_bytes());
        BASE64URL_NOPAD.encode(&Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#)))
    }

    /// Whether this key signed exactly this. Strict: one signature has one encoding.
    pub(crate) fn has_signed(&self, message: &[u8], signature: &Signature) -> bool {
        self.0.verify_strict(message, signature).is_ok()
    }
}

impl fmt::Display for KeySetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAKeySet => formatter.write_str("this is not a JWK set"),
            Self::BadKey => formatter.write_str("the set contains an Ed25519 key that is not one"),
            Self::WeakKey => formatter.write_str("the set contains a key whose signatures anybody can forge"),
            Self::WrongKeyId { kid } => write!(formatter, "the key id {kid:?} is not the thumbprint of its key"),
            Self::PrivateKey => formatter.write_str("the set contains a private key, which is no longer secret"),
        }
    }
}

impl core::error::Error for KeySetError {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::borrow::ToOwned;
    use std::string::ToString;

    use super::*;

    // RFC 8037, appendix A.2 and A.3.
    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    const KID: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

    fn rfc_key() -> PublicKey {
        PublicKey::from_bytes(BASE64URL_NOPAD.decode(X.as_bytes()).unwrap().try_into().unwrap()).unwrap()
    }

    /// Apps and client libraries compare these words; the sentences are for people.
    #[test]
    fn every_reason_has_its_word_and_its_sentence() {
        use KeySetError as Why;
        for (why, word, told) in [
            (Why::NotAKeySet, "not_a_key_set", "JWK set"),
            (Why::BadKey, "bad_key", "Ed25519"),
            (Why::WeakKey, "weak_key", "forge"),
            (Why::WrongKeyId { kid: "main".to_owned() }, "wrong_key_id", "\"main\""),
            (Why::PrivateKey, "private_key", "private key"),
        ] {
            assert_eq!(why.code(), word);
            assert!(why.to_string().contains(told), "{why}");
        }
    }

    #[test]
    fn a_key_is_named_by_its_thumbprint_as_in_rfc_8037_appendix_a_3() {
        assert_eq!(rfc_key().kid(), KID);
    }

    #[test]
    fn a_set_reads_back_as_it_was_published() {
        let other = *ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key().as_bytes();
        let other = PublicKey::from_bytes(other).unwrap();
        let set = KeySet::from_iter([rfc_key(), other, rfc_key()]);
        assert_eq!(set.kids().collect::<Vec<_>>(), [KID, &other.kid()]);
        assert!(KeySet::new().is_empty() && !set.is_empty());
        assert_eq!(KeySet::parse(&set.to_jwks()), Ok(set));
        assert_eq!(KeySet::parse(r#"{"keys":[]}"#), Ok(KeySet::new()));
    }

    #[test]
    fn a_set_is_taken_whole_or_refused_with_the_reason() {
        let key = format!(r#""kty":"OKP","crv":"Ed25519","x":"{X}""#);
        let zeros = BASE64URL_NOPAD.encode(&[0; 32]);
        let no_point = BASE64URL_NOPAD.encode(&[&[2][..], &[0; 31]].concat());
        #[rustfmt::skip]
        let table = [
            (format!("{{{key}}}"), Ok(1)),
            (format!(r#"{{{key},"kid":"{KID}","use":"sig","alg":"EdDSA","nbf":1,"x5c":[]}}"#), Ok(1)),
            (format!(r#"{{{key},"use":"enc"}}"#), Ok(0)),
            (format!(r#"{{{key},"alg":"HS256"}}"#), Ok(0)),
            (r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#.to_owned(), Ok(0)),
            (r#"{"kty":"OKP","crv":"X25519","x":"AAAA"}"#.to_owned(), Ok(0)),
            (format!(r#"{{{key},"d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}}"#), Err(KeySetError::PrivateKey)),
            (format!(r#"{{{key},"kid":"main"}}"#), Err(KeySetError::WrongKeyId { kid: "main".to_owned() })),
            (r#"{"kty":"OKP","crv":"Ed25519"}"#.to_owned(), Err(KeySetError::BadKey)),
            (r#"{"kty":"OKP","crv":"Ed25519","x":"AAAA"}"#.to_owned(), Err(KeySetError::BadKey)),
            (format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}="}}"#), Err(KeySetError::BadKey)),
            (format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{no_point}"}}"#), Err(KeySetError::BadKey)),
            (format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{zeros}"}}"#), Err(KeySetError::WeakKey)),
            (r#"{"crv":"Ed25519"}"#.to_owned(), Err(KeySetError::NotAKeySet)),
        ];
        for (jwk, expected) in table {
            let read = KeySet::parse(&format!(r#"{{"keys":[{jwk}]}}"#));
            assert_eq!(read.map(|set| set.kids().count()), expected, "{jwk}");
        }
        for text in ["", "[]", "{}", "null", r#"{"keys":{}}"#] {
            assert_eq!(KeySet::parse(text), Err(KeySetError::NotAKeySet), "{text:?}");
        }
    }
}
