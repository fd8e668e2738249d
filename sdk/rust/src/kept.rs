//! What is kept between two runs of the program, as one text in a place of the program's choice.

use latchkey_license::KeySet;
use serde::Deserialize;
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

    /// What is left when the seat is given back: the times and the shop's keys.
    pub(crate) fn released(self) -> Self {
        Self { key: None, certificate: None, refused: None, ..self }
    }
}
