//! The certificate: what the shop says about a license, signed, to be checked without asking. A JWT (RFC 7519)
//! with one algorithm, EdDSA over Ed25519 (RFC 8037), and one type.
//!
//! Relies on the key set for trust and on the caller for the time. The header of a token chooses nothing but
//! which of our keys is tried: algorithm confusion, `none` and keys inside the token have nowhere to happen.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{SIGNATURE_LENGTH, Signature};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::key_set::KeySet;

const ALGORITHM: &str = "EdDSA";
const TYPE: &str = "license+jwt";

/// The longest certificate that is looked at, in bytes.
pub const MAX_CERTIFICATE_BYTES: usize = 64 * 1024;

/// The part of the header that differs from one certificate to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The name of the key that signs, from [`PublicKey::kid`](crate::PublicKey::kid).
    pub kid: String,
}

impl Header {
    /// The header of a certificate that this key signs.
    #[must_use]
    pub fn new(kid: impl Into<String>) -> Self {
        Self { kid: kid.into() }
    }
}

/// What a certificate says. Times are seconds since 1970 in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Claims {
    /// Who says so: the shop's public address.
    pub iss: String,
    /// Which license it is about.
    pub sub: String,
    /// Which product it is for.
    pub aud: String,
    /// When it was signed.
    pub iat: i64,
    /// When it begins to count, if not at once.
    pub nbf: Option<i64>,
    /// When it stops counting and the shop has to be asked again. Usually sooner than the license ends.
    pub exp: i64,
    /// The certificate's own id, if it has one.
    pub jti: Option<String>,
    /// What was bought.
    pub license: LicenseClaims,
    /// The device that it is bound to, if it is.
    pub fingerprint: Option<String>,
    /// Which seat it was given to, if it was given to one.
    pub activation: Option<String>,
    /// The nonce of the request that it answers, if it answers one. Chosen by the app, so that it knows the answer for
    /// its own and for a new one.
    pub nonce: Option<String>,
}

/// What was bought, as of the moment of signing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LicenseClaims {
    /// How the license stood: `active` works, anything else does not. Open, so that a program that is out in the
    /// world can read the certificates of a newer shop.
    pub state: String,
    /// Which plan of the product it is.
    pub plan: String,
    /// When the license itself ends, in seconds since 1970; not at all if absent.
    pub expires_at: Option<i64>,
    /// The features that it switches on.
    #[serde(default)]
    pub features: Vec<String>,
    /// Until when versions of the product come out that it covers, in seconds since 1970; every version if absent.
    /// A program compares the day of its own release, offline as well.
    pub updates_until: Option<i64>,
    /// Whether it is for trying out.
    #[serde(default)]
    pub trial: bool,
    /// What it sets to a value: `true` or `false`, a whole number, a text.
    #[serde(default)]
    pub feature_values: Map<String, Value>,
}

/// A part of a token between its dots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenPart {
    /// The first part.
    Header,
    /// The second part.
    Claims,
    /// The third part.
    Signature,
}

/// Why a certificate was refused. Only [`Expired`](Self::Expired), [`NotYetValid`](Self::NotYetValid) and the
/// checks of product and device concern a certificate that the shop really signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateError {
    /// Longer than [`MAX_CERTIFICATE_BYTES`], or than a revocation list may be.
    TooLong,
    /// Not three parts with dots between them.
    NotAToken,
    /// A part is not unpadded base64url, or the signature not 64 bytes of it.
    BadEncoding(TokenPart),
    /// The header is not a JSON object with an algorithm.
    BadHeader,
    /// Any algorithm but EdDSA, `none` among them.
    WrongAlgorithm,
    /// A signed token of another type, made for another purpose.
    WrongType,
    /// The header demands an extension (`crit`) that is not understood.
    UnknownExtension,
    /// The header does not name its key.
    MissingKeyId,
    /// No key of that name is in the set. The set may be older than the certificate.
    UnknownKey,
    /// The signature is not of this text by this key.
    BadSignature,
    /// It is signed, but does not say what a certificate says.
    BadClaims,
    /// It does not count yet.
    NotYetValid {
        /// From when, in seconds since 1970.
        from: i64,
    },
    /// It has stopped counting.
    Expired {
        /// Since when, in seconds since 1970.
        at: i64,
    },
    /// It is for another product.
    WrongProduct,
    /// It is bound to another device.
    WrongDevice,
}

impl CertificateError {
    /// The stable word for it, the same in every language that a client library is written in.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::NotAToken => "not_a_token",
            Self::BadEncoding(_) => "bad_encoding",
            Self::BadHeader => "bad_header",
            Self::WrongAlgorithm => "wrong_algorithm",
            Self::WrongType => "wrong_type",
            Self::UnknownExtension => "unknown_extension",
            Self::MissingKeyId => "missing_key_id",
            Self::UnknownKey => "unknown_key",
            Self::BadSignature => "bad_signature",
            Self::BadClaims => "bad_claims",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::Expired { .. } => "expired",
            Self::WrongProduct => "wrong_product",
            Self::WrongDevice => "wrong_device",
        }
    }
}

/// The text that has to be signed with Ed25519 for these claims.
#[must_use]
pub fn signing_input(header: &Header, claims: &Claims) -> String {
    token_input(TYPE, header, &claims.to_json())
}

/// What is signed of a token of this type (RFC 7515, section 5.1).
pub(crate) fn token_input(kind: &str, header: &Header, claims: &str) -> String {
    let mut named = Object::default();
    named.text("alg", Some(ALGORITHM));
    named.text("kid", Some(&header.kid));
    named.text("typ", Some(kind));
    let header = named.end();
    // Four letters for three bytes, and room for the signature.
    let mut input = String::with_capacity((header.len() + claims.len() + SIGNATURE_LENGTH) / 3 * 4 + 16);
    BASE64URL_NOPAD.encode_append(header.as_bytes(), &mut input);
    input.push('.');
    BASE64URL_NOPAD.encode_append(claims.as_bytes(), &mut input);
    input
}

/// The certificate of a [`signing_input`] and its signature.
#[must_use]
pub fn assemble(signing_input: impl Into<String>, signature: [u8; SIGNATURE_LENGTH]) -> String {
    let mut certificate = signing_input.into();
    certificate.reserve_exact(1 + BASE64URL_NOPAD.encode_len(SIGNATURE_LENGTH));
    certificate.push('.');
    BASE64URL_NOPAD.encode_append(&signature, &mut certificate);
    certificate
}

/// What a certificate says, if one of these keys signed it and it counts at this time. `leeway_seconds` is how
/// far the clock of the device may be off in either direction. Product and device are the caller's to compare,
/// with [`Claims::require_product`] and [`Claims::require_device`].
///
/// # Errors
/// See [`CertificateError`]. Nothing inside the token is read as claims before its signature has been checked.
pub fn verify(
    certificate: &str,
    keys: &KeySet,
    now_seconds: i64,
    leeway_seconds: u32,
) -> Result<Claims, CertificateError> {
    if certificate.len() > MAX_CERTIFICATE_BYTES {
        return Err(CertificateError::TooLong);
    }
    let claims: Claims =
        serde_json::from_slice(&signed_claims(certificate, TYPE, keys)?).map_err(|_| CertificateError::BadClaims)?;
    claims.require_time(now_seconds, leeway_seconds)?;
    Ok(claims)
}

/// The claims of a token of this type, as they were signed by one of these keys.
pub(crate) fn signed_claims(token: &str, kind: &str, keys: &KeySet) -> Result<Vec<u8>, CertificateError> {
    let Parts { signed, header, claims, signature } = split(token)?;
    let kid = read_header(&decode(header, TokenPart::Header)?, kind)?;
    let key = keys.find(&kid).ok_or(CertificateError::UnknownKey)?;
    let signature: [u8; SIGNATURE_LENGTH] = decode(signature, TokenPart::Signature)?
        .try_into()
        .map_err(|_| CertificateError::BadEncoding(TokenPart::Signature))?;
    if !key.has_signed(signed.as_bytes(), &Signature::from_bytes(&signature)) {
        return Err(CertificateError::BadSignature);
    }
    decode(claims, TokenPart::Claims)
}

/// The name of the key that a certificate says it is signed with. Nothing is proven by it: it tells whether the
/// key set has to be fetched again before the certificate can be verified.
///
/// # Errors
/// When the certificate is not a token, or its header not one of a certificate.
pub fn key_id(certificate: &str) -> Result<String, CertificateError> {
    key_id_of(certificate, TYPE, MAX_CERTIFICATE_BYTES)
}

/// The name of the key that a token of this type says it is signed with.
pub(crate) fn key_id_of(token: &str, kind: &str, longest: usize) -> Result<String, CertificateError> {
    if token.len() > longest {
        return Err(CertificateError::TooLong);
    }
    read_header(&decode(split(token)?.header, TokenPart::Header)?, kind)
}

struct Parts<'a> {
    /// Header and claims with their dot, as they were signed.
    signed: &'a str,
    header: &'a str,
    claims: &'a str,
    signature: &'a str,
}

fn split(certificate: &str) -> Result<Parts<'_>, CertificateError> {
    let (signed, signature) = certificate.rsplit_once('.').ok_or(CertificateError::NotAToken)?;
    let (header, claims) = signed.split_once('.').ok_or(CertificateError::NotAToken)?;
    if claims.contains('.') {
        return Err(CertificateError::NotAToken);
    }
    Ok(Parts { signed, header, claims, signature })
}

impl Claims {
    /// Refuses a certificate for another product.
    ///
    /// # Errors
    /// [`CertificateError::WrongProduct`].
    pub fn require_product(&self, product: &str) -> Result<(), CertificateError> {
        if self.aud == product { Ok(()) } else { Err(CertificateError::WrongProduct) }
    }

    /// Refuses a certificate that is bound to another device. One that is bound to none counts on any.
    ///
    /// # Errors
    /// [`CertificateError::WrongDevice`].
    pub fn require_device(&self, fingerprint: &str) -> Result<(), CertificateError> {
        if self.fingerprint.as_deref().is_none_or(|bound| bound == fingerprint) {
            Ok(())
        } else {
            Err(CertificateError::WrongDevice)
        }
    }

    fn require_time(&self, now: i64, leeway_seconds: u32) -> Result<(), CertificateError> {
        let leeway = i64::from(leeway_seconds);
        if let Some(from) = self.nbf.filter(|&from| from > now.saturating_add(leeway)) {
            return Err(CertificateError::NotYetValid { from });
        }
        if self.exp.saturating_add(leeway) <= now {
            return Err(CertificateError::Expired { at: self.exp });
        }
        Ok(())
    }

    fn to_json(&self) -> String {
        let mut claims = Object::default();
        claims.text("activation", self.activation.as_deref());
        claims.text("aud", Some(&self.aud));
        claims.number("exp", Some(self.exp));
        claims.text("fingerprint", self.fingerprint.as_deref());
        claims.number("iat", Some(self.iat));
        claims.text("iss", Some(&self.iss));
        claims.text("jti", self.jti.as_deref());
        claims.object("license", |license| self.license.write(license));
        claims.number("nbf", self.nbf);
        claims.text("nonce", self.nonce.as_deref());
        claims.text("sub", Some(&self.sub));
        claims.end()
    }
}

impl LicenseClaims {
    fn write(&self, license: &mut Object) {
        license.number("expires_at", self.expires_at);
        license.values("feature_values", &self.feature_values);
        license.texts("features", &self.features);
        license.text("plan", Some(&self.plan));
        license.text("state", Some(&self.state));
        license.flag("trial", self.trial);
        license.number("updates_until", self.updates_until);
    }
}

/// A JSON object as it is written, name by name. By hand, because this cannot fail, and because a server writes one for
/// every answer; a test reads back every field.
pub(crate) struct Object(String);

impl Default for Object {
    fn default() -> Self {
        // Room for what most licenses have to say, so that it need not grow.
        let mut json = String::with_capacity(512);
        json.push('{');
        Self(json)
    }
}

impl Object {
    /// `name` is one of ours: nothing in it has to be escaped.
    fn name(&mut self, name: &'static str) {
        if !self.0.ends_with('{') {
            self.0.push(',');
        }
        self.0.push('"');
        self.0.push_str(name);
        self.0.push_str("\":");
    }

    fn object(&mut self, name: &'static str, write: impl FnOnce(&mut Self)) {
        self.name(name);
        self.0.push('{');
        write(self);
        self.0.push('}');
    }

    pub(crate) fn text(&mut self, name: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.name(name);
            quote(&mut self.0, text);
        }
    }

    pub(crate) fn number(&mut self, name: &'static str, number: Option<i64>) {
        if let Some(number) = number {
            self.name(name);
            // A text takes whatever is written to it.
            let _ = write!(self.0, "{number}");
        }
    }

    pub(crate) fn texts(&mut self, name: &'static str, texts: &[String]) {
        self.name(name);
        self.0.push('[');
        for (at, text) in texts.iter().enumerate() {
            if at > 0 {
                self.0.push(',');
            }
            quote(&mut self.0, text);
        }
        self.0.push(']');
    }

    /// Nothing where there is none.
    pub(crate) fn values(&mut self, name: &'static str, values: &Map<String, Value>) {
        if !values.is_empty() {
            self.name(name);
            for (at, (name, value)) in values.iter().enumerate() {
                self.0.push(if at == 0 { '{' } else { ',' });
                quote(&mut self.0, name);
                // A text takes whatever is written to it.
                let _ = write!(self.0, ":{value}");
            }
            self.0.push('}');
        }
    }

    /// Nothing where it is not so.
    pub(crate) fn flag(&mut self, name: &'static str, is_so: bool) {
        if is_so {
            self.name(name);
            self.0.push_str("true");
        }
    }

    pub(crate) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// A text between quotation marks, with what must not stand there escaped (RFC 8259, section 7).
fn quote(json: &mut String, text: &str) {
    json.push('"');
    if text.bytes().any(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
        text.chars().for_each(|char| push_escaped(json, char));
    } else {
        json.push_str(text);
    }
    json.push('"');
}

fn push_escaped(json: &mut String, char: char) {
    let short = match char {
        '"' | '\\' => char,
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\0'..='\u{1f}' => {
            let digit = |value: u32| char::from_digit(value & 15, 16).unwrap_or('0');
            json.push_str("\\u00");
            json.extend([digit(u32::from(char) >> 4), digit(u32::from(char))]);
            return;
        }
        _ => return json.push(char),
    };
    json.extend(['\\', short]);
}

fn decode(text: &str, part: TokenPart) -> Result<Vec<u8>, CertificateError> {
    BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| CertificateError::BadEncoding(part))
}

fn read_header(json: &[u8], kind: &str) -> Result<String, CertificateError> {
    #[derive(Deserialize)]
    struct Received {
        alg: String,
        typ: Option<String>,
        kid: Option<String>,
        crit: Option<Value>,
    }

    let header: Received = serde_json::from_slice(json).map_err(|_| CertificateError::BadHeader)?;
    if header.alg != ALGORITHM {
        return Err(CertificateError::WrongAlgorithm);
    }
    if !header.typ.is_some_and(|typ| typ.eq_ignore_ascii_case(kind)) {
        return Err(CertificateError::WrongType);
    }
    if header.crit.is_some() {
        return Err(CertificateError::UnknownExtension);
    }
    header.kid.ok_or(CertificateError::MissingKeyId)
}

impl fmt::Display for TokenPart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Header => "header",
            Self::Claims => "claims",
            Self::Signature => "signature",
        })
    }
}

impl fmt::Display for CertificateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => formatter.write_str("the token is longer than one of its kind may be"),
            Self::NotAToken => formatter.write_str("a certificate is three parts with dots between them"),
            Self::BadEncoding(part) => {
                write!(formatter, "the {part} of the certificate is damaged")
            }
            Self::BadHeader => formatter.write_str("the header of the certificate cannot be read"),
            Self::WrongAlgorithm => {
                write!(formatter, "the certificate is not signed with {ALGORITHM}")
            }
            Self::WrongType => formatter.write_str("the token was signed for another purpose"),
            Self::UnknownExtension => formatter.write_str("the certificate demands an extension that is not known"),
            Self::MissingKeyId => formatter.write_str("the certificate does not name the key that signed it"),
            Self::UnknownKey => formatter.write_str("the certificate is signed with a key that is not known"),
            Self::BadSignature => formatter.write_str("the certificate was not signed by the shop, or was changed"),
            Self::BadClaims => formatter.write_str("the certificate is signed, but its claims cannot be read"),
            Self::NotYetValid { from } => {
                write!(formatter, "the certificate counts only from {from} on")
            }
            Self::Expired { at } => write!(formatter, "the certificate stopped counting at {at}"),
            Self::WrongProduct => formatter.write_str("the certificate is for another product"),
            Self::WrongDevice => formatter.write_str("the certificate is for another device"),
        }
    }
}

impl core::error::Error for CertificateError {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::borrow::ToOwned as _;
    use std::format;
    use std::string::ToString as _;
    use std::vec;

    use ed25519_dalek::{Signer, SigningKey};
    use proptest::prelude::*;

    use super::*;
    use crate::PublicKey;

    const NOW: i64 = 1_800_000_000;

    /// The key pair of RFC 8037, appendix A.1.
    fn signer() -> SigningKey {
        let seed = BASE64URL_NOPAD.decode(b"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        SigningKey::from_bytes(&seed.try_into().unwrap())
    }

    fn keys() -> KeySet {
        KeySet::from_iter([public_key(&signer())])
    }

    fn public_key(signer: &SigningKey) -> PublicKey {
        PublicKey::from_bytes(*signer.verifying_key().as_bytes()).unwrap()
    }

    fn header() -> Header {
        Header::new(public_key(&signer()).kid())
    }

    fn claims() -> Claims {
        Claims {
            iss: "https://shop.example".to_owned(),
            sub: "lic_01".to_owned(),
            aud: "prod_01".to_owned(),
            iat: NOW - 60,
            nbf: Some(NOW - 60),
            exp: NOW + 60,
            jti: Some("cert_01".to_owned()),
            license: LicenseClaims {
                state: "active".to_owned(),
                plan: "plan_01".to_owned(),
                expires_at: Some(NOW + 3_600),
                features: vec!["export".to_owned(), "کلید \"quoted\"".to_owned()],
                updates_until: Some(NOW + 1_800),
                trial: true,
                feature_values: Map::from_iter([
                    ("pages".to_owned(), 500.into()),
                    ("edition".to_owned(), "gold".into()),
                ]),
            },
            fingerprint: Some("device 7".to_owned()),
            activation: Some("act_01".to_owned()),
            nonce: Some("AAECAwQFBgcICQoLDA0ODw".to_owned()),
        }
    }

    fn sign(signing_input: &str) -> String {
        assemble(signing_input, signer().sign(signing_input.as_bytes()).to_bytes())
    }

    fn encode(text: &str) -> String {
        BASE64URL_NOPAD.encode(text.as_bytes())
    }

    /// A token that is signed as it stands, whatever its header says.
    fn forge(header: &str, claims: &str) -> String {
        sign(&format!("{}.{}", encode(header), encode(claims)))
    }

    #[test]
    fn signatures_are_those_of_rfc_8037_appendix_a_4() {
        let signed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let expected = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        assert_eq!(sign(signed), format!("{signed}.{expected}"));
        let key = keys().find(&header().kid).copied().unwrap();
        let signature = BASE64URL_NOPAD.decode(expected.as_bytes()).unwrap();
        assert!(key.has_signed(signed.as_bytes(), &Signature::from_slice(&signature).unwrap()));
        // Genuine, and still no certificate.
        assert_eq!(verify(&sign(signed), &keys(), NOW, 0), Err(CertificateError::WrongType));
    }

    #[test]
    fn a_certificate_says_what_was_signed() {
        let bare = Claims {
            nbf: None,
            jti: None,
            fingerprint: None,
            activation: None,
            nonce: None,
            license: LicenseClaims {
                expires_at: None,
                features: Vec::new(),
                updates_until: None,
                trial: false,
                feature_values: Map::new(),
                ..claims().license
            },
            ..claims()
        };
        let strange = "device\\7 \u{1f511} \"\0\t\n\u{1f}\u{7f}/";
        let strange = Claims { fingerprint: Some(strange.to_owned()), ..claims() };
        for claims in [claims(), bare, strange] {
            let certificate = sign(&signing_input(&header(), &claims));
            assert_eq!(verify(&certificate, &keys(), NOW, 0), Ok(claims));
        }
    }

    #[test]
    fn either_of_two_keys_is_accepted_while_keys_change() {
        let mut keys = KeySet::from_iter([public_key(&SigningKey::from_bytes(&[7; 32]))]);
        let certificate = sign(&signing_input(&header(), &claims()));
        assert_eq!(verify(&certificate, &keys, NOW, 0), Err(CertificateError::UnknownKey));
        keys.add(public_key(&signer()));
        assert_eq!(verify(&certificate, &keys, NOW, 0), Ok(claims()));
    }

    #[test]
    fn a_certificate_counts_between_its_times_give_or_take_the_leeway() {
        let certificate = sign(&signing_input(&header(), &claims()));
        #[rustfmt::skip]
        let table = [
            (NOW - 61,  0, Err(CertificateError::NotYetValid { from: NOW - 60 })),
            (NOW - 60,  0, Ok(())),
            (NOW + 59,  0, Ok(())),
            (NOW + 60,  0, Err(CertificateError::Expired { at: NOW + 60 })),
            (NOW - 90, 30, Ok(())),
            (NOW - 91, 30, Err(CertificateError::NotYetValid { from: NOW - 60 })),
            (NOW + 89, 30, Ok(())),
            (NOW + 90, 30, Err(CertificateError::Expired { at: NOW + 60 })),
            (i64::MAX, u32::MAX, Err(CertificateError::Expired { at: NOW + 60 })),
            (i64::MIN, u32::MAX, Err(CertificateError::NotYetValid { from: NOW - 60 })),
        ];
        for (now, leeway, expected) in table {
            assert_eq!(verify(&certificate, &keys(), now, leeway).map(drop), expected, "{now} {leeway}");
        }
        let endless = sign(&signing_input(&header(), &Claims { exp: i64::MAX, nbf: Some(i64::MIN), ..claims() }));
        assert!(verify(&endless, &keys(), i64::MAX - 1, u32::MAX).is_ok());
    }

    #[test]
    fn product_and_device_are_compared() {
        assert_eq!(claims().require_product("prod_01"), Ok(()));
        assert_eq!(claims().require_product("prod_02"), Err(CertificateError::WrongProduct));
        assert_eq!(claims().require_device("device 7"), Ok(()));
        assert_eq!(claims().require_device("device 8"), Err(CertificateError::WrongDevice));
        assert_eq!(Claims { fingerprint: None, ..claims() }.require_device("device 8"), Ok(()));
    }

    /// Apps and client libraries compare these words.
    #[test]
    fn every_reason_has_its_word() {
        use CertificateError as Why;
        for (why, word) in [
            (Why::TooLong, "too_long"),
            (Why::NotAToken, "not_a_token"),
            (Why::BadEncoding(TokenPart::Claims), "bad_encoding"),
            (Why::BadHeader, "bad_header"),
            (Why::WrongAlgorithm, "wrong_algorithm"),
            (Why::WrongType, "wrong_type"),
            (Why::UnknownExtension, "unknown_extension"),
            (Why::MissingKeyId, "missing_key_id"),
            (Why::UnknownKey, "unknown_key"),
            (Why::BadSignature, "bad_signature"),
            (Why::BadClaims, "bad_claims"),
            (Why::NotYetValid { from: 1 }, "not_yet_valid"),
            (Why::Expired { at: 1 }, "expired"),
            (Why::WrongProduct, "wrong_product"),
            (Why::WrongDevice, "wrong_device"),
        ] {
            assert_eq!(why.code(), word);
        }
        let told = Why::BadEncoding(TokenPart::Claims).to_string();
        assert!(told.contains("claims"), "{told}");
    }

    #[test]
    fn there_is_room_for_the_signature_behind_what_is_signed() {
        for claims in [claims(), Claims { fingerprint: Some("d".repeat(200)), ..claims() }] {
            let input = signing_input(&header(), &claims);
            assert!(input.capacity() > input.len() + BASE64URL_NOPAD.encode_len(SIGNATURE_LENGTH));
            assert_eq!(assemble(input.as_str(), [7; 64]), assemble(input, [7; 64]));
        }
    }

    #[test]
    fn the_longest_certificate_is_read_and_no_longer_one() {
        assert_eq!(MAX_CERTIFICATE_BYTES, 65_536, "which the client libraries say as well");
        for (length, why) in [
            (MAX_CERTIFICATE_BYTES, CertificateError::NotAToken),
            (MAX_CERTIFICATE_BYTES + 1, CertificateError::TooLong),
        ] {
            assert_eq!(key_id(&"a".repeat(length)), Err(why));
            assert_eq!(verify(&"a".repeat(length), &keys(), NOW, 0), Err(why));
        }
        assert_eq!(key_id(&sign(&signing_input(&header(), &claims()))), Ok(header().kid));
    }

    #[test]
    fn every_forgery_is_refused_for_its_own_reason() {
        let kid = header().kid;
        let good = sign(&signing_input(&header(), &claims()));
        let [head, body, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
        let content = String::from_utf8(BASE64URL_NOPAD.decode(body.as_bytes()).unwrap()).unwrap();
        let other_body = encode(&content.replace("plan_01", "plan_02"));
        let stranger = SigningKey::from_bytes(&[9; 32]).sign(format!("{head}.{body}").as_bytes());
        let with = |header: String| forge(&header, &content);
        #[rustfmt::skip]
        let table = [
            (String::new(), CertificateError::NotAToken),
            (format!("{head}.{body}"), CertificateError::NotAToken),
            (format!("{good}.{signature}"), CertificateError::NotAToken),
            (format!("{}.{body}.{signature}", "a".repeat(MAX_CERTIFICATE_BYTES)), CertificateError::TooLong),
            (format!("{head}=.{body}.{signature}"), CertificateError::BadEncoding(TokenPart::Header)),
            (format!("{head}.{body}.{signature}=="), CertificateError::BadEncoding(TokenPart::Signature)),
            (format!("{head}.{body}."), CertificateError::BadEncoding(TokenPart::Signature)),
            (format!("{head}.{body}.AAAA"), CertificateError::BadEncoding(TokenPart::Signature)),
            (format!("{head}.{body}. {signature}"), CertificateError::BadEncoding(TokenPart::Signature)),
            (sign(&format!("{head}.{body}=")), CertificateError::BadEncoding(TokenPart::Claims)),
            (format!("{}.{body}.{signature}", encode("[]")), CertificateError::BadHeader),
            (with(format!(r#"{{"typ":"license+jwt","kid":"{kid}"}}"#)), CertificateError::BadHeader),
            (with(format!(r#"{{"alg":"EdDSA","alg":"EdDSA","typ":"license+jwt","kid":"{kid}"}}"#)), CertificateError::BadHeader),
            (with(format!(r#"{{"alg":"none","typ":"license+jwt","kid":"{kid}"}}"#)), CertificateError::WrongAlgorithm),
            (with(format!(r#"{{"alg":"HS256","typ":"license+jwt","kid":"{kid}"}}"#)), CertificateError::WrongAlgorithm),
            (with(format!(r#"{{"alg":"eddsa","typ":"license+jwt","kid":"{kid}"}}"#)), CertificateError::WrongAlgorithm),
            (format!("{}.{body}.", encode(&format!(r#"{{"alg":"none","typ":"license+jwt","kid":"{kid}"}}"#))), CertificateError::WrongAlgorithm),
            (with(format!(r#"{{"alg":"EdDSA","typ":"JWT","kid":"{kid}"}}"#)), CertificateError::WrongType),
            (with(format!(r#"{{"alg":"EdDSA","kid":"{kid}"}}"#)), CertificateError::WrongType),
            (with(format!(r#"{{"alg":"EdDSA","typ":"license+jwt","kid":"{kid}","crit":["b64"],"b64":false}}"#)), CertificateError::UnknownExtension),
            (with(r#"{"alg":"EdDSA","typ":"license+jwt"}"#.to_owned()), CertificateError::MissingKeyId),
            (with(r#"{"alg":"EdDSA","typ":"license+jwt","kid":"../key"}"#.to_owned()), CertificateError::UnknownKey),
            (format!("{head}.{other_body}.{signature}"), CertificateError::BadSignature),
            (assemble(format!("{head}.{body}"), stranger.to_bytes()), CertificateError::BadSignature),
            (assemble(format!("{head}.{body}"), [0; 64]), CertificateError::BadSignature),
            (assemble(format!("{head}.{body}"), malleate(signature)), CertificateError::BadSignature),
            (forge(&String::from_utf8(BASE64URL_NOPAD.decode(head.as_bytes()).unwrap()).unwrap(), "{}"), CertificateError::BadClaims),
        ];
        for (certificate, expected) in table {
            assert_eq!(verify(&certificate, &keys(), NOW, 0), Err(expected), "{certificate:.120}");
            assert!(!expected.to_string().is_empty());
        }
    }

    /// The other encoding of the same signature: the order of the group added to its scalar.
    fn malleate(signature: &str) -> [u8; 64] {
        const ORDER: [u8; 32] = [
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ];
        let mut bytes: [u8; 64] = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap().try_into().unwrap();
        let mut carry = 0;
        for (byte, order) in bytes[32..].iter_mut().zip(ORDER) {
            let sum = u16::from(*byte) + u16::from(order) + carry;
            [*byte, _] = sum.to_le_bytes();
            carry = sum >> 8;
        }
        bytes
    }

    proptest! {
        #[test]
        fn a_text_is_quoted_as_it_always_was(text in "[\\x00-\\x7f]{0,40}|\\PC{0,20}") {
            let mut quoted = String::new();
            quote(&mut quoted, &text);
            prop_assert_eq!(quoted, Value::from(text).to_string());
        }

        #[test]
        fn no_changed_byte_leaves_a_certificate_valid(at in 0_usize..1_000, change in 1_u8..=127) {
            let mut bytes = sign(&signing_input(&header(), &claims())).into_bytes();
            let at = at % bytes.len();
            bytes[at] = (bytes[at] ^ change) & 0x7f;
            let changed = String::from_utf8(bytes).unwrap();
            prop_assert!(verify(&changed, &keys(), NOW, 0).is_err());
        }

        #[test]
        fn no_text_makes_the_verifier_panic(text in "\\PC*") {
            let _ = verify(&text, &keys(), NOW, 0);
        }
    }
}
