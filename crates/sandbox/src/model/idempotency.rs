//! Answers kept by idempotency key for 24 hours of the sandbox's time.

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::World;
use super::error::{ApiError, ErrorKind};
use super::moment::Moment;

const KEPT_SECONDS: i64 = 24 * 60 * 60;
const LONGEST_KEY: usize = 255;

/// An answer, and the request that it was for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    at: Moment,
    fingerprint: String,
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Value,
    /// The id of the first request.
    pub request: String,
}

/// What tells two requests apart. Digits of a card number are left out of it: not
/// even their hash is kept.
#[must_use]
pub fn fingerprint(method: &str, path: &str, pairs: &[(String, String)]) -> String {
    let mut lines: Vec<String> = pairs
        .iter()
        .map(|(name, value)| {
            let secret = name.ends_with("[number]") || name.ends_with("[cvc]") || name.ends_with("[iban]");
            let value = if secret { super::card::last_four(value) } else { value.clone() };
            format!("{name}={value}")
        })
        .collect();
    lines.sort();
    let text = format!("{method} {path}\n{}", lines.join("\n"));
    HEXLOWER.encode(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

/// The answer that this key already has.
///
/// # Errors
/// When the key is too long, or was used for another request.
pub fn find(
    world: &mut World,
    now: Moment,
    account: &str,
    key: &str,
    fingerprint: &str,
) -> Result<Option<Answered>, ApiError> {
    forget_old(world, now);
    if key.chars().count() > LONGEST_KEY {
        return Err(ApiError::invalid("Idempotency keys have at most 255 characters."));
    }
    let Some(answered) = world.answered.get(&row_id(account, key)) else {
        return Ok(None);
    };
    if answered.fingerprint == fingerprint {
        return Ok(Some(answered.clone()));
    }
    let message = format!(
        "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a \
         key other than '{key}' if you meant to execute a different request."
    );
    Err(ApiError::new(400, ErrorKind::Idempotency, message))
}

/// Keeps an answer. What was refused before anything was done is not kept, so
/// that a mended request may use the same key.
pub fn keep(
    world: &mut World,
    now: Moment,
    account: &str,
    key: &str,
    fingerprint: String,
    answer: (u16, Value, String),
) {
    let (status, body, request) = answer;
    if matches!(status, 400 | 401 | 404 | 409 | 429) {
        return;
    }
    world.answered.insert(&row_id(account, key), Answered { at: now, fingerprint, status, body, request });
}

/// The error that a request with this key is being carried out.
#[must_use]
pub fn in_flight(key: &str) -> ApiError {
    let message = format!(
        "There is currently another in-progress request using this Idempotent Key (that probably means you submitted \
         twice, and the other request is still going through): {key}. Please try again later."
    );
    ApiError::new(409, ErrorKind::Idempotency, message).code("idempotency_key_in_use")
}

fn row_id(account: &str, key: &str) -> String {
    format!("{account} {key}")
}

fn forget_old(world: &mut World, now: Moment) {
    let oldest = now.plus_seconds(-KEPT_SECONDS);
    loop {
        let old = world.answered.oldest_first().next().filter(|(_, _, row)| row.at <= oldest);
        let Some(id) = old.map(|(_, id, _)| id.to_owned()) else { break };
        world.answered.remove(&id);
    }
}
