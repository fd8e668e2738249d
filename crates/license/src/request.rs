//! What an app without a network asks the shop for: a seat, or to give one back. A text that fits into a QR code and
//! that a person carries to a page of the shop.
//!
//! `<payload>.<mac>`: the payload is JSON in base64url; the MAC is HMAC-SHA-256 (RFC 2104) by the license key over
//! the payload as it stands, cut to 16 bytes. A request for a seat carries the key, so its MAC tells that nothing was
//! damaged on the way. A request to give a seat back carries no key: its MAC proves that whoever made it has the key
//! of the license whose seat it names.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

const VERSION: u64 = 1;
const BLOCK_BYTES: usize = 64;
const MAC_BYTES: usize = 16;

/// The longest request that is looked at, in bytes.
pub const MAX_REQUEST_BYTES: usize = 4 * 1024;

/// What an app asks for. Times are seconds since 1970 by the clock of the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfflineRequest {
    /// A seat for this device.
    Activate {
        /// The license key, as it was typed or in its proper form.
        key: String,
        /// The product that the app is.
        product: String,
        /// What tells the device from another.
        fingerprint: String,
        /// What its owner calls it.
        name: Option<String>,
        /// What the answer must repeat: chosen by chance for this request.
        nonce: String,
        /// When it was made.
        at: i64,
    },
    /// A seat is given back.
    Release {
        /// The seat, as its certificate named it.
        activation: String,
        /// Chosen by chance for this request.
        nonce: String,
        /// When it was made.
        at: i64,
    },
}

/// A request as it was read, with what its maker proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRequest {
    /// What is asked for.
    pub request: OfflineRequest,
    payload: String,
    mac: Vec<u8>,
}

/// Why a text is not a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestError {
    /// It is longer than [`MAX_REQUEST_BYTES`].
    TooLong,
    /// It is something else, or only a part of a request.
    NotARequest,
    /// It was made by a newer library than this one knows.
    Newer,
    /// It was a request, and was changed on the way.
    Damaged,
}

impl RequestError {
    /// The stable word for it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::NotARequest => "not_a_request",
            Self::Newer => "newer",
            Self::Damaged => "damaged",
        }
    }
}

#[derive(Deserialize)]
struct Payload {
    v: u64,
    #[serde(rename = "do")]
    errand: Option<String>,
    key: Option<String>,
    product: Option<String>,
    fingerprint: Option<String>,
    name: Option<String>,
    activation: Option<String>,
    nonce: Option<String>,
    at: Option<i64>,
}

impl OfflineRequest {
    /// The request as the text that is carried, with the proof that its maker has this license key.
    #[must_use]
    pub fn to_text(&self, key: &str) -> String {
        let mut payload = Map::new();
        let mut put = |name: &str, value: &str| payload.insert(name.to_string(), Value::from(value));
        let at = match self {
            Self::Activate { key, product, fingerprint, name, nonce, at } => {
                put("do", "activate");
                put("key", key);
                put("product", product);
                put("fingerprint", fingerprint);
                if let Some(name) = name {
                    put("name", name);
                }
                put("nonce", nonce);
                *at
            }
            Self::Release { activation, nonce, at } => {
                put("do", "release");
                put("activation", activation);
                put("nonce", nonce);
                *at
            }
        };
        payload.insert("at".to_string(), at.into());
        payload.insert("v".to_string(), VERSION.into());
        let payload = BASE64URL_NOPAD.encode(Value::Object(payload).to_string().as_bytes());
        let mac = BASE64URL_NOPAD.encode(&mac(key, &payload));
        format!("{payload}.{mac}")
    }
}

/// Reads a request as it was pasted, typed in lines or scanned: alone, or behind the `#` of an address. A request for
/// a seat is known to be whole then; who gives a seat back has to be asked for with [`SignedRequest::is_of_key`].
///
/// # Errors
/// See [`RequestError`].
pub fn read_request(text: &str) -> Result<SignedRequest, RequestError> {
    if text.len() > MAX_REQUEST_BYTES {
        return Err(RequestError::TooLong);
    }
    let text: String = text.chars().filter(|char| !char.is_whitespace() && *char != '\u{feff}').collect();
    let token = text.rsplit_once('#').map_or(text.as_str(), |(_, token)| token);
    let (payload, sent) = token.split_once('.').ok_or(RequestError::NotARequest)?;
    let decode = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| RequestError::NotARequest);
    let (json, sent) = (decode(payload)?, decode(sent)?);
    let read: Payload = serde_json::from_slice(&json).map_err(|_| RequestError::NotARequest)?;
    if read.v != VERSION {
        return Err(RequestError::Newer);
    }
    let request = request_of(read).ok_or(RequestError::NotARequest)?;
    if sent.len() != MAC_BYTES {
        return Err(RequestError::Damaged);
    }
    let signed = SignedRequest { request, payload: payload.to_string(), mac: sent };
    match &signed.request {
        OfflineRequest::Activate { key, .. } if !signed.is_of_key(key) => Err(RequestError::Damaged),
        OfflineRequest::Activate { .. } | OfflineRequest::Release { .. } => Ok(signed),
    }
}

fn request_of(read: Payload) -> Option<OfflineRequest> {
    let (nonce, at) = (read.nonce?, read.at?);
    match read.errand?.as_str() {
        "activate" => Some(OfflineRequest::Activate {
            key: read.key?,
            product: read.product?,
            fingerprint: read.fingerprint?,
            name: read.name,
            nonce,
            at,
        }),
        "release" => Some(OfflineRequest::Release { activation: read.activation?, nonce, at }),
        _ => None,
    }
}

impl SignedRequest {
    /// Whether the one who made it has this license key.
    #[must_use]
    pub fn is_of_key(&self, key: &str) -> bool {
        let expected = mac(key, &self.payload);
        let difference = expected.iter().zip(&self.mac).fold(0, |difference, (one, other)| difference | (one ^ other));
        self.mac.len() == MAC_BYTES && difference == 0
    }
}

/// HMAC-SHA-256 (RFC 2104), cut to its first half.
fn mac(key: &str, message: &str) -> [u8; MAC_BYTES] {
    let mut block = [0; BLOCK_BYTES];
    if key.len() > BLOCK_BYTES {
        block[..32].copy_from_slice(&Sha256::digest(key.as_bytes()));
    } else {
        block[..key.len()].copy_from_slice(key.as_bytes());
    }
    let hash = |pad: u8, message: &[u8]| {
        let mut hasher = Sha256::new();
        hasher.update(block.map(|byte| byte ^ pad));
        hasher.update(message);
        hasher.finalize()
    };
    let outer = hash(0x5c, &hash(0x36, message.as_bytes()));
    let mut cut = [0; MAC_BYTES];
    cut.copy_from_slice(&outer[..MAC_BYTES]);
    cut
}

impl fmt::Display for RequestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(formatter, "a request is at most {MAX_REQUEST_BYTES} bytes long"),
            Self::NotARequest => formatter.write_str("this is not a whole request"),
            Self::Newer => formatter.write_str("the request was made by a newer program"),
            Self::Damaged => formatter.write_str("the request was changed on the way"),
        }
    }
}

impl core::error::Error for RequestError {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::borrow::ToOwned;

    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "000G-40R4-0M30-E209-185G-R38E-1WEC";

    fn activate() -> OfflineRequest {
        OfflineRequest::Activate {
            key: KEY.to_owned(),
            product: "prod_01m85zgtares9t6zwxdxctb26c".to_owned(),
            fingerprint: "device \"7\"".to_owned(),
            name: Some("Ada’s laptop".to_owned()),
            nonce: "AAECAwQFBgcICQoLDA0ODw".to_owned(),
            at: 1_800_000_000,
        }
    }

    fn release() -> OfflineRequest {
        OfflineRequest::Release { activation: "act_01".to_owned(), nonce: "AAEC".to_owned(), at: 1_800_000_000 }
    }

    #[test]
    fn the_mac_is_that_of_rfc_4231_cut_in_half() {
        let hex = |bytes: [u8; 16]| data_encoding::HEXLOWER.encode(&bytes);
        assert_eq!(hex(mac("Jefe", "what do ya want for nothing?")), "5bdcc146bf60754e6a042426089575c7");
        // A key as long as a block is taken as it is, a longer one by its hash.
        assert_eq!(hex(mac(&"k".repeat(64), "a")), "555e931a29d29edf3c51473c75456100");
        assert_eq!(hex(mac(&"k".repeat(65), "a")), "6ba0e27de4fc34c2514dd16705c97902");
    }

    #[test]
    fn a_request_reads_back_however_it_was_carried() {
        for request in [activate(), release()] {
            let text = request.to_text(KEY);
            assert!(text.len() < 500, "{} is much for a QR code", text.len());
            let (start, end) = text.split_at(40);
            for carried in
                [text.clone(), format!("https://shop.example/activate#{text}"), format!(" {start}\r\n  {end}\n")]
            {
                let read = read_request(&carried).unwrap();
                assert_eq!(read.request, request);
                assert!(read.is_of_key(KEY) && !read.is_of_key("ZZZZ-ZZZZ"));
            }
        }
    }

    #[test]
    fn what_is_no_request_is_told_from_one_that_was_damaged() {
        let text = activate().to_text(KEY);
        let (payload, mac) = text.split_once('.').unwrap();
        let encode = |json: &str| BASE64URL_NOPAD.encode(json.as_bytes());
        let json = String::from_utf8(BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap()).unwrap();
        // Two bytes that are wrong by the same bit.
        let mut forged = BASE64URL_NOPAD.decode(mac.as_bytes()).unwrap();
        forged[0] ^= 1;
        forged[15] ^= 1;
        let table = [
            (String::new(), RequestError::NotARequest),
            ("https://shop.example/activate".to_owned(), RequestError::NotARequest),
            (payload.to_owned(), RequestError::NotARequest),
            (text[1..].to_owned(), RequestError::NotARequest),
            (format!("{}.{mac}", encode("{}")), RequestError::NotARequest),
            (format!("{}.{mac}", encode(r#"{"v":1,"do":"dance","nonce":"a","at":1}"#)), RequestError::NotARequest),
            (format!("{}.{mac}", encode(r#"{"v":2}"#)), RequestError::Newer),
            (format!("{payload}."), RequestError::Damaged),
            (format!("{payload}.{}", BASE64URL_NOPAD.encode(&forged)), RequestError::Damaged),
            (format!("{}.{mac}", encode(&json.replace("device", "other"))), RequestError::Damaged),
            (format!("{}.{mac}", encode(&json.replace("1WEC", "1WED"))), RequestError::Damaged),
            ("a".repeat(4_096), RequestError::NotARequest),
            ("a".repeat(4_097), RequestError::TooLong),
        ];
        for (text, expected) in table {
            assert_eq!(read_request(&text), Err(expected), "{text}");
        }
    }

    #[test]
    fn a_request_is_refused_with_a_stable_word_and_a_sentence() {
        for (why, word, sentence) in [
            (RequestError::TooLong, "too_long", "a request is at most 4096 bytes long"),
            (RequestError::NotARequest, "not_a_request", "this is not a whole request"),
            (RequestError::Newer, "newer", "the request was made by a newer program"),
            (RequestError::Damaged, "damaged", "the request was changed on the way"),
        ] {
            assert_eq!((why.code(), why.to_string().as_str()), (word, sentence));
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC*") {
            let _ = read_request(&text);
        }
    }
}
