//! JSON as another system's API gives it: read leniently where it only describes, strictly where it counts.

use std::collections::BTreeMap;

use domain::{Email, Fingerprint, ForeignKey, Timestamp, plain_text};
use serde_json::Value;

/// The longest note that is kept.
const LONGEST_NOTE: usize = 200;

/// Reads the documents of a file, one after another.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Value>, String> {
    serde_json::Deserializer::from_slice(bytes)
        .into_iter::<Value>()
        .collect::<Result<_, _>>()
        .map_err(|error| format!("the file is not JSON: line {}, column {}", error.line(), error.column()))
}

/// The text of a field, numbers and flags included; nothing when it is empty.
pub(super) fn text(of: &Value, field: &str) -> Option<String> {
    match of.get(field)? {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether a flag is set: `true`, `1` or `"true"`.
pub(super) fn flag(of: &Value, field: &str) -> bool {
    text(of, field).is_some_and(|text| matches!(text.as_str(), "true" | "1"))
}

pub(super) fn count(of: &Value, field: &str) -> Result<Option<u64>, String> {
    text(of, field).map(|text| text.parse().map_err(|_| format!("`{field}` is not a count: {text}."))).transpose()
}

pub(super) fn time(of: &Value, field: &str) -> Result<Option<Timestamp>, String> {
    text(of, field)
        .map(|text| Timestamp::parse(&text).ok_or_else(|| format!("`{field}` is not a time: {text}.")))
        .transpose()
}

pub(super) fn key(of: &Value, field: &str) -> Result<ForeignKey, String> {
    let text = text(of, field).ok_or_else(|| format!("There is no `{field}`."))?;
    // Not told with the key in it: reports are mailed around.
    ForeignKey::parse(&text).map_err(|error| format!("`{field}` {error}."))
}

pub(super) fn email(of: &Value, field: &str) -> Result<Email, String> {
    let text = text(of, field).ok_or_else(|| format!("There is no `{field}`."))?;
    Email::parse(&text).map_err(|error| format!("`{field}` cannot be read: {error}."))
}

pub(super) fn fingerprint(of: &Value, field: &str) -> Result<Fingerprint, String> {
    let text = text(of, field).ok_or_else(|| format!("A device has no `{field}`."))?;
    Fingerprint::parse(&text).map_err(|error| format!("`{field}` of a device {error}."))
}

/// A short text for people; what cannot be shown is left out.
pub(super) fn label(of: &Value, field: &str) -> Option<String> {
    plain_text(&text(of, field)?, 100).ok()
}

/// The fields that are kept as they are.
pub(super) fn notes(of: &Value, fields: &[(&str, &str)]) -> BTreeMap<String, String> {
    fields
        .iter()
        .filter_map(|(field, name)| Some(((*name).to_owned(), plain_text(&text(of, field)?, LONGEST_NOTE).ok()?)))
        .collect()
}
