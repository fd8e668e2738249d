//! The signed key: a license key whose text says what was bought, so that a program can read it and never has to ask.
//! The format is that of Keygen's scheme `ED25519_SIGN`, so that their libraries verify it as well.
//!
//! `key/<dataset>.<signature>`: the dataset is JSON, and both are base64url with padding; the signature is Ed25519
//! (RFC 8032) over all that stands before the dot, `key/` included. The dataset holds the short key, by which the shop
//! is asked where somebody wants to, and chooses nothing but which of the shop's keys is tried. What happened after the
//! key was issued, a refund for one, is not in it.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use data_encoding::BASE64URL;
use ed25519_dalek::{SIGNATURE_LENGTH, Signature};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::certificate::Object;
use crate::key_code::{KeyCode, is_decoration};
use crate::key_set::KeySet;

const PREFIX: &str = "key/";

/// The longest signed key that is looked at, in bytes. It bounds every field that one is pasted into.
pub const MAX_SIGNED_KEY_BYTES: usize = 8 * 1024;

/// What a signed key says, as of the moment when it was issued. Times are seconds since 1970 in UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedKey {
    /// The short key: what the shop knows the license by.
    pub key: KeyCode,
    /// Which license it is.
    pub license: String,
    /// Which product it is for.
    pub product: String,
    /// Which plan of the product it is.
    pub plan: String,
    /// When it was issued.
    pub issued_at: i64,
    /// When it stops counting, if that was fixed when it was issued.
    pub expires_at: Option<i64>,
    /// The features that it switches on.
    pub features: Vec<String>,
    /// What it sets to a value: `true` or `false`, a whole number, a text.
    pub feature_values: Map<String, Value>,
    /// For how many devices it is; any number if absent.
    pub seats: Option<u32>,
    /// Until when versions of the product come out that it covers; every version if absent.
    pub updates_until: Option<i64>,
    /// Whether it is for trying out.
    pub trial: bool,
}

/// Why a signed key was refused. Only [`Expired`](Self::Expired) and [`WrongProduct`](Self::WrongProduct) concern one that
/// the shop really signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedKeyError {
    /// Longer than [`MAX_SIGNED_KEY_BYTES`].
    TooLong,
    /// It does not begin with `key/`, or has no dot.
    NotASignedKey,
    /// A part is not base64url with its padding, or the signature not 64 bytes of it: a part of it may be missing.
    BadEncoding,
    /// The dataset does not name the key that signed it, as that of a key of another system.
    MissingKeyId,
    /// No key of that name is in the set. The set may be older than the key.
    UnknownKey,
    /// The signature is not of this text by this key.
    BadSignature,
    /// It is signed, but does not say what a signed key says.
    BadClaims,
    /// It has stopped counting.
    Expired {
        /// Since when, in seconds since 1970.
        at: i64,
    },
    /// It is for another product.
    WrongProduct,
}

impl SignedKeyError {
    /// The stable word for it, the same in every language that a client library is written in.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::NotASignedKey => "not_a_signed_key",
            Self::BadEncoding => "bad_encoding",
            Self::MissingKeyId => "missing_key_id",
            Self::UnknownKey => "unknown_key",
            Self::BadSignature => "bad_signature",
            Self::BadClaims => "bad_claims",
            Self::Expired { .. } => "expired",
            Self::WrongProduct => "wrong_product",
        }
    }
}

#[derive(Deserialize)]
struct Named {
    kid: Option<String>,
}

#[derive(Deserialize)]
struct Dataset {
    key: String,
    license: String,
    product: String,
    plan: String,
    issued_at: i64,
    expires_at: Option<i64>,
    #[serde(default)]
    features: Vec<String>,
    #[serde(default)]
    feature_values: Map<String, Value>,
    seats: Option<u32>,
    updates_until: Option<i64>,
    #[serde(default)]
    trial: bool,
}

/// The text that has to be signed with Ed25519, by the key of this name ([`PublicKey::kid`](crate::PublicKey::kid)).
#[must_use]
pub fn signed_key_input(kid: &str, says: &SignedKey) -> String {
    let SignedKey {
        key,
        license,
        product,
        plan,
        issued_at,
        expires_at,
        features,
        feature_values,
        seats,
        updates_until,
        trial,
    } = says;
    // By name, and what there is nothing to say of makes the text no longer.
    let mut dataset = Object::default();
    dataset.number("expires_at", *expires_at);
    dataset.values("feature_values", feature_values);
    dataset.texts("features", features);
    dataset.number("issued_at", Some(*issued_at));
    dataset.text("key", Some(&key.to_string()));
    dataset.text("kid", Some(kid));
    dataset.text("license", Some(license));
    dataset.text("plan", Some(plan));
    dataset.text("product", Some(product));
    dataset.number("seats", seats.map(i64::from));
    dataset.flag("trial", *trial);
    dataset.number("updates_until", *updates_until);
    format!("{PREFIX}{}", BASE64URL.encode(dataset.end().as_bytes()))
}

/// The signed key of a [`signed_key_input`] and its signature.
#[must_use]
pub fn assemble_signed_key(signed_key_input: &str, signature: [u8; SIGNATURE_LENGTH]) -> String {
    format!("{signed_key_input}.{}", BASE64URL.encode(&signature))
}

/// Whether a text means to be a signed key, by how it begins. Nothing is proven by it.
#[must_use]
pub fn is_signed_key(text: &str) -> bool {
    text.trim_start_matches(is_decoration).starts_with(PREFIX)
}

/// What a signed key says, if one of these keys signed it and it counts at this time. Whether it is for the program's
/// product is the caller's to compare, with [`SignedKey::require_product`].
///
/// # Errors
/// See [`SignedKeyError`]. Nothing inside is believed before its signature has been checked.
pub fn verify_signed_key(text: &str, keys: &KeySet, now_seconds: i64) -> Result<SignedKey, SignedKeyError> {
    let says = read_signed_key(text, keys)?;
    match says.expires_at {
        Some(at) if at <= now_seconds => Err(SignedKeyError::Expired { at }),
        Some(_) | None => Ok(says),
    }
}

/// As [`verify_signed_key`], whatever time it is: for whoever knows from elsewhere whether the license still works.
/// Spaces, line breaks, printed hyphens and marks that nobody sees, as mail programs and pages put them in, are passed
/// over.
///
/// # Errors
/// As [`verify_signed_key`], but never [`SignedKeyError::Expired`].
pub fn read_signed_key(text: &str, keys: &KeySet) -> Result<SignedKey, SignedKeyError> {
    let text = whole(text)?;
    let (signed, dataset, signature) = split(&text)?;
    let dataset = decode(dataset)?;
    let signature: [u8; SIGNATURE_LENGTH] = decode(signature)?.try_into().map_err(|_| SignedKeyError::BadEncoding)?;
    let named = serde_json::from_slice::<Named>(&dataset).ok().and_then(|named| named.kid);
    let key = keys.find(&named.ok_or(SignedKeyError::MissingKeyId)?).ok_or(SignedKeyError::UnknownKey)?;
    if !key.has_signed(signed.as_bytes(), &Signature::from_bytes(&signature)) {
        return Err(SignedKeyError::BadSignature);
    }
    says(&dataset).ok_or(SignedKeyError::BadClaims)
}

/// The short key in a text that means to be a signed key of ours. Nothing is proven by it: it is for whoever asks the
/// shop about it next, or looks it up.
#[must_use]
pub fn signed_key_code(text: &str) -> Option<KeyCode> {
    let text = whole(text).ok()?;
    let (_, dataset, _) = split(&text).ok()?;
    says(&decode(dataset).ok()?).map(|says| says.key)
}

/// The text without what stands between its letters; it is looked at only if it is not too long.
fn whole(text: &str) -> Result<String, SignedKeyError> {
    if text.len() > MAX_SIGNED_KEY_BYTES {
        return Err(SignedKeyError::TooLong);
    }
    Ok(text.chars().filter(|&char| !is_decoration(char)).collect())
}

/// What is signed, the dataset in it, and the signature.
fn split(text: &str) -> Result<(&str, &str, &str), SignedKeyError> {
    let (signed, signature) = text.split_once('.').ok_or(SignedKeyError::NotASignedKey)?;
    let dataset = signed.strip_prefix(PREFIX).ok_or(SignedKeyError::NotASignedKey)?;
    Ok((signed, dataset, signature))
}

/// The bytes of a part: one text for the same bytes, so padding stands at the end alone.
fn decode(part: &str) -> Result<Vec<u8>, SignedKeyError> {
    let bytes = BASE64URL.decode(part.as_bytes()).map_err(|_| SignedKeyError::BadEncoding)?;
    if BASE64URL.encode(&bytes) == part { Ok(bytes) } else { Err(SignedKeyError::BadEncoding) }
}

fn says(dataset: &[u8]) -> Option<SignedKey> {
    let read: Dataset = serde_json::from_slice(dataset).ok()?;
    let key = KeyCode::parse(&read.key).ok().filter(|key| key.to_string() == read.key)?;
    Some(SignedKey {
        key,
        license: read.license,
        product: read.product,
        plan: read.plan,
        issued_at: read.issued_at,
        expires_at: read.expires_at,
        features: read.features,
        feature_values: read.feature_values,
        seats: read.seats,
        updates_until: read.updates_until,
        trial: read.trial,
    })
}

impl SignedKey {
    /// Refuses a key for another product.
    ///
    /// # Errors
    /// [`SignedKeyError::WrongProduct`].
    pub fn require_product(&self, product: &str) -> Result<(), SignedKeyError> {
        if self.product == product { Ok(()) } else { Err(SignedKeyError::WrongProduct) }
    }
}

impl fmt::Display for SignedKeyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(formatter, "a signed key is at most {MAX_SIGNED_KEY_BYTES} bytes long"),
            Self::NotASignedKey => write!(formatter, "a signed key begins with {PREFIX} and has a dot in it"),
            Self::BadEncoding => formatter.write_str("the key is damaged, or a part of it is missing"),
            Self::MissingKeyId => formatter.write_str("the key does not name the key that signed it"),
            Self::UnknownKey => formatter.write_str("the key is signed with a key that is not known"),
            Self::BadSignature => formatter.write_str("the key was not signed by the shop, or was changed"),
            Self::BadClaims => formatter.write_str("the key is signed, but what it says cannot be read"),
            Self::Expired { at } => write!(formatter, "the key stopped counting at {at}"),
            Self::WrongProduct => formatter.write_str("the key is for another product"),
        }
    }
}

impl core::error::Error for SignedKeyError {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::borrow::ToOwned;
    use std::vec;

    use ed25519_dalek::{Signer, SigningKey};
    use proptest::prelude::*;

    use super::*;
    use crate::PublicKey;

    const NOW: i64 = 1_800_000_000;

    fn signer() -> SigningKey {
        SigningKey::from_bytes(&[7; 32])
    }

    fn public_key(signer: &SigningKey) -> PublicKey {
        PublicKey::from_bytes(*signer.verifying_key().as_bytes()).unwrap()
    }

    fn keys() -> KeySet {
        KeySet::from_iter([public_key(&signer())])
    }

    fn says() -> SignedKey {
        SignedKey {
            key: KeyCode::from_random_bytes([7; 16]),
            license: "lic_01".to_owned(),
            product: "prod_01".to_owned(),
            plan: "plan_01".to_owned(),
            issued_at: NOW - 60,
            expires_at: Some(NOW + 60),
            features: vec!["export".to_owned(), "کلید \"quoted\"".to_owned()],
            feature_values: Map::from_iter([("pages".to_owned(), 500.into())]),
            seats: Some(3),
            updates_until: Some(NOW + 30),
            trial: true,
        }
    }

    fn sign(input: &str) -> String {
        assemble_signed_key(input, signer().sign(input.as_bytes()).to_bytes())
    }

    fn good() -> String {
        sign(&signed_key_input(&public_key(&signer()).kid(), &says()))
    }

    /// Signed as it stands, whatever it says.
    fn forge(dataset: &str) -> String {
        sign(&format!("{PREFIX}{}", BASE64URL.encode(dataset.as_bytes())))
    }

    #[test]
    fn a_signed_key_says_what_was_signed() {
        let bare = SignedKey {
            expires_at: None,
            features: Vec::new(),
            feature_values: Map::new(),
            seats: None,
            updates_until: None,
            trial: false,
            ..says()
        };
        for says in [says(), bare] {
            let text = sign(&signed_key_input(&public_key(&signer()).kid(), &says));
            assert!(is_signed_key(&text));
            assert_eq!(signed_key_code(&text), Some(says.key.clone()));
            assert_eq!(verify_signed_key(&text, &keys(), NOW), Ok(says));
        }
    }

    /// As Keygen documents it (<https://keygen.sh/docs/api/cryptography/#cryptographic-keys-signing>), and as a key stays
    /// for whoever has bought it.
    #[test]
    fn the_text_is_the_same_for_ever() {
        let kid = public_key(&signer()).kid();
        let bare = SignedKey { features: Vec::new(), feature_values: Map::new(), trial: false, ..says() };
        let input = signed_key_input(&kid, &bare);
        let dataset = BASE64URL.decode(input.strip_prefix("key/").unwrap().as_bytes()).unwrap();
        let expected = format!(
            r#"{{"expires_at":1800000060,"features":[],"issued_at":1799999940,"key":"{}","kid":"{kid}","license":"lic_01","plan":"plan_01","product":"prod_01","seats":3,"updates_until":1800000030}}"#,
            says().key,
        );
        assert_eq!(String::from_utf8(dataset).unwrap(), expected);
        assert_eq!(sign(&input), sign(&input), "a signature takes no chance");
        assert!(sign(&input).ends_with("=="), "64 bytes have a padding of two");
    }

    #[test]
    fn what_mail_programs_put_in_between_is_passed_over() {
        let good = good();
        let (first, rest) = good.split_at(70);
        for text in [
            format!("  {good}\r\n"),
            format!("\u{feff}{first}\r\n\t{rest}"),
            format!("k\ney/{}", &good[4..]),
            format!("\u{a0}{first}\u{200b}{rest}\u{2060}"),
            format!("\u{202a}{first}\u{ad}\u{2010}\r\n{rest}\u{202c}\u{3000}"),
        ] {
            assert!(is_signed_key(&text) || text.starts_with("k\n"), "{text:?}");
            assert_eq!(read_signed_key(&text, &keys()), Ok(says()), "{text:?}");
            assert_eq!(signed_key_code(&text), Some(says().key), "{text:?}");
        }
        assert!(is_signed_key(" \nkey/") && !is_signed_key("KEY/a.b") && !is_signed_key("7ZZZ-KEY"));
    }

    #[test]
    fn a_signed_key_counts_until_its_end() {
        let good = good();
        for (now, expected) in [
            (i64::MIN, Ok(())),
            (NOW + 59, Ok(())),
            (NOW + 60, Err(SignedKeyError::Expired { at: NOW + 60 })),
            (i64::MAX, Err(SignedKeyError::Expired { at: NOW + 60 })),
        ] {
            assert_eq!(verify_signed_key(&good, &keys(), now).map(drop), expected, "{now}");
            assert_eq!(read_signed_key(&good, &keys()), Ok(says()), "what it says is known at every time");
        }
        assert_eq!(says().require_product("prod_01"), Ok(()));
        assert_eq!(says().require_product("prod_02"), Err(SignedKeyError::WrongProduct));
    }

    #[test]
    fn either_of_two_keys_is_accepted_while_keys_change() {
        let mut keys = KeySet::from_iter([public_key(&SigningKey::from_bytes(&[8; 32]))]);
        assert_eq!(read_signed_key(&good(), &keys), Err(SignedKeyError::UnknownKey));
        keys.add(public_key(&signer()));
        assert_eq!(read_signed_key(&good(), &keys), Ok(says()));
    }

    #[test]
    fn every_forgery_is_refused_for_its_own_reason() {
        use SignedKeyError as Why;
        let (kid, good) = (public_key(&signer()).kid(), good());
        let (signed, signature) = good.split_once('.').unwrap();
        let content = BASE64URL.decode(signed.strip_prefix(PREFIX).unwrap().as_bytes()).unwrap();
        let content = String::from_utf8(content).unwrap();
        let changed = |from: &str, to: &str| {
            assert!(content.contains(from), "{from}");
            content.replace(from, to)
        };
        let unsigned = |dataset: &str| format!("{PREFIX}{}.{signature}", BASE64URL.encode(dataset.as_bytes()));
        let stranger = SigningKey::from_bytes(&[9; 32]).sign(signed.as_bytes()).to_bytes();
        let other_prefix = format!("lic/{}", signed.strip_prefix(PREFIX).unwrap());
        #[rustfmt::skip]
        let table = [
            (String::new(), Why::NotASignedKey),
            ("key/".to_owned(), Why::NotASignedKey),
            (signed.to_owned(), Why::NotASignedKey),
            (sign(&other_prefix), Why::NotASignedKey),
            (good.replacen("key/", "Key/", 1), Why::NotASignedKey),
            ("a".repeat(MAX_SIGNED_KEY_BYTES), Why::NotASignedKey),
            ("a".repeat(MAX_SIGNED_KEY_BYTES + 1), Why::TooLong),
            (format!("{signed}."), Why::BadEncoding),
            (format!("{signed}.{}", signature.trim_end_matches('=')), Why::BadEncoding),
            (format!("{signed}.{signature}.{signature}"), Why::BadEncoding),
            (format!("{signed}.AAAA"), Why::BadEncoding),
            (format!("{}.{signature}", &signed[..signed.len() - 1]), Why::BadEncoding),
            (format!("{signed}-.{signature}"), Why::BadEncoding),
            (format!("{signed}.{}", padded_within(signature)), Why::BadEncoding),
            (good.replacen("key/", "key/é", 1), Why::BadEncoding),
            (forge("[]"), Why::MissingKeyId),
            (forge("no JSON"), Why::MissingKeyId),
            (forge(r#"{"license":"lic_01"}"#), Why::MissingKeyId),
            (forge(&changed(&format!(r#""kid":"{kid}""#), r#""kid":7"#)), Why::MissingKeyId),
            (forge(&changed(&kid, "../key")), Why::UnknownKey),
            (unsigned(&changed("plan_01", "plan_02")), Why::BadSignature),
            (unsigned(&changed(r#""seats":3"#, r#""seats":9"#)), Why::BadSignature),
            (assemble_signed_key(signed, stranger), Why::BadSignature),
            (assemble_signed_key(signed, [0; 64]), Why::BadSignature),
            (forge(&format!(r#"{{"kid":"{kid}"}}"#)), Why::BadClaims),
            (forge(&changed(&says().key.to_string(), "7ZZZ")), Why::BadClaims),
            (forge(&changed(&says().key.to_string(), &says().key.to_string().to_lowercase())), Why::BadClaims),
            (forge(&changed(r#""seats":3"#, r#""seats":-3"#)), Why::BadClaims),
        ];
        for (text, expected) in table {
            assert_eq!(read_signed_key(&text, &keys()), Err(expected), "{text:.120}");
            assert_eq!(verify_signed_key(&text, &keys(), NOW), Err(expected), "{text:.120}");
            assert!(!expected.to_string().is_empty());
        }
        assert_eq!(signed_key_code(&forge("{}")), None);
    }

    /// The same bytes with padding after the first of them.
    fn padded_within(signature: &str) -> String {
        let bytes = BASE64URL.decode(signature.as_bytes()).unwrap();
        format!("{}{}", BASE64URL.encode(&bytes[..1]), BASE64URL.encode(&bytes[1..]))
    }

    /// Apps and client libraries compare these words.
    #[test]
    fn every_reason_has_its_word_and_its_sentence() {
        use SignedKeyError as Why;
        for (why, word, told) in [
            (Why::TooLong, "too_long", "8192"),
            (Why::NotASignedKey, "not_a_signed_key", "key/"),
            (Why::BadEncoding, "bad_encoding", "missing"),
            (Why::MissingKeyId, "missing_key_id", "name"),
            (Why::UnknownKey, "unknown_key", "not known"),
            (Why::BadSignature, "bad_signature", "changed"),
            (Why::BadClaims, "bad_claims", "read"),
            (Why::Expired { at: 7 }, "expired", "7"),
            (Why::WrongProduct, "wrong_product", "product"),
        ] {
            assert_eq!(why.code(), word);
            assert!(why.to_string().contains(told), "{why}");
        }
    }

    proptest! {
        #[test]
        fn no_changed_byte_leaves_a_key_valid(at in 0_usize..1_000, change in 1_u8..=127) {
            let mut bytes = good().into_bytes();
            let at = at % bytes.len();
            bytes[at] = (bytes[at] ^ change) & 0x7f;
            let changed = String::from_utf8(bytes).unwrap();
            prop_assert!(read_signed_key(&changed, &keys()).is_err());
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC*") {
            let _ = (read_signed_key(&text, &keys()), signed_key_code(&text), is_signed_key(&text));
        }
    }
}
