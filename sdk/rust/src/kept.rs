//! What is kept between two runs of the program, as one text in a place of the program's choice.

use latchkey_license::KeySet;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::NOTICE_SECONDS;

const VERSION: u64 = 1;

/// What is kept. Holds the license key, so its text belongs where only the user reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// The license key, once it was activated.
    pub key: Option<String>,
    /// The newest certificate.
    pub certificate: Option<String>,
    /// The code of the shop's last "no", until it says yes again.
    pub refused: Option<String>,
    /// The shop's public keys, where the program brought none.
    pub keys: Option<KeySet>,
    /// When the newest certificate was signed, in seconds since 1970; outlives it.
    pub issued_at: i64,
    /// The highest time ever seen, in seconds since 1970.
    pub highest_time: i64,
    /// The license and the seat that the newest certificate named; they outlive it.
    pub license: Option<String>,
    /// See [`license`](Self::license).
    pub activation: Option<String>,
    /// Since when the "no" holds, in seconds since 1970: what was signed before does not lift it.
    pub refused_at: Option<i64>,
    /// The request for a seat whose answer is awaited.
    pub request: Option<Pending>,
    /// The seat that was given back last.
    pub released: Option<String>,
    /// The request that gives it back, to be carried to the shop.
    pub release_request: Option<String>,
}

/// A request for a seat that somebody carries to the shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The license key in it.
    pub key: String,
    /// The name of the device in it.
    pub name: Option<String>,
    /// What the answer must repeat.
    pub nonce: String,
    /// The request.
    pub text: String,
}

#[derive(Deserialize)]
struct Stored {
    version: u64,
    key: Option<String>,
    certificate: Option<String>,
    refused: Option<String>,
    jwks: Option<Value>,
    issued_at: i64,
    highest_time: i64,
    license: Option<String>,
    activation: Option<String>,
    refused_at: Option<i64>,
    request: Option<Pending>,
    released: Option<String>,
    release_request: Option<String>,
}

impl Kept {
    /// Reads what [`to_text`](Self::to_text) wrote. A text that cannot be read is as good as none.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        match serde_json::from_str::<Stored>(text) {
            Ok(stored) if stored.version == VERSION => Self {
                key: stored.key,
                certificate: stored.certificate,
                refused: stored.refused,
                keys: stored.jwks.and_then(|jwks| KeySet::parse(&jwks.to_string()).ok()),
                issued_at: stored.issued_at,
                highest_time: stored.highest_time,
                license: stored.license,
                activation: stored.activation,
                refused_at: stored.refused_at,
                request: stored.request,
                released: stored.released,
                release_request: stored.release_request,
            },
            Ok(_) | Err(_) => Self::default(),
        }
    }

    /// The text to keep: JSON, the same in every language.
    #[must_use]
    pub fn to_text(&self) -> String {
        let jwks = self.keys.as_ref().and_then(|keys| serde_json::from_str::<Value>(&keys.to_jwks()).ok());
        json!({
            "version": VERSION,
            "key": self.key,
            "certificate": self.certificate,
            "refused": self.refused,
            "jwks": jwks,
            "issued_at": self.issued_at,
            "highest_time": self.highest_time,
            "license": self.license,
            "activation": self.activation,
            "refused_at": self.refused_at,
            "request": self.request,
            "released": self.released,
            "release_request": self.release_request,
        })
        .to_string()
    }

    /// The same after this time was seen. Moves in steps, so that a look does not always write.
    pub(crate) fn seen(mut self, now: i64) -> Self {
        if now >= self.highest_time.saturating_add(NOTICE_SECONDS) {
            self.highest_time = now;
        }
        self
    }

    /// What is left when the seat is given back: the times, the shop's keys, and which seat it was.
    pub(crate) fn released(self) -> Self {
        Self {
            key: None,
            certificate: None,
            refused: None,
            refused_at: None,
            license: None,
            request: None,
            release_request: None,
            released: self.activation.or(self.released),
            activation: None,
            ..self
        }
    }
}
