//! Records as another system gives them: read leniently where they only describe, strictly where it counts.
//!
//! A field may go by several names, the first that says something is taken.

use std::collections::BTreeMap;

use domain::{Email, Fingerprint, ForeignKey, ImportedSeat, Timestamp, plain_text};
use serde_json::Value;

use super::table;

/// The longest note that is kept.
const LONGEST_NOTE: usize = 200;

/// Reads the documents of a file, one after another: JSON, or the rows of a table.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Value>, String> {
    let first = bytes.iter().copied().find(|byte| !byte.is_ascii_whitespace());
    if !matches!(first, Some(b'{' | b'[')) {
        return table::read(bytes);
    }
    serde_json::Deserializer::from_slice(bytes)
        .into_iter::<Value>()
        .collect::<Result<_, _>>()
        .map_err(|error| format!("the file is not JSON: line {}, column {}", error.line(), error.column()))
}

/// The records of the documents: those of a page under `list`, those of a list, or each document itself.
pub(super) fn records<'a>(documents: &'a [Value], list: &'a str) -> impl Iterator<Item = &'a Value> {
    documents.iter().flat_map(move |document| match (document.get(list), document) {
        (Some(Value::Array(several)), _) | (None, Value::Array(several)) => several.iter().collect(),
        (Some(_) | None, _) => vec![document],
    })
}

/// The text of a field, numbers and flags included; nothing when it is empty.
pub(super) fn text(of: &Value, fields: &[&str]) -> Option<String> {
    fields.iter().find_map(|field| match of.get(field)? {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    })
}

/// The pieces of a field: the entries of a list, or a text cut at any of these.
pub(super) fn pieces(of: &Value, fields: &[&str], cuts: &[&str]) -> Vec<String> {
    let listed = fields.iter().find_map(|field| of.get(field)?.as_array());
    let whole = match listed {
        Some(entries) => entries.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        None => text(of, fields).into_iter().collect::<Vec<_>>(),
    };
    let cut = |pieces: Vec<String>, at: &str| -> Vec<String> {
        pieces.iter().flat_map(|piece| piece.split(at)).map(|piece| piece.trim().to_owned()).collect()
    };
    let cuts = if listed.is_some() { &[] } else { cuts };
    cuts.iter().fold(whole, |pieces, at| cut(pieces, at)).into_iter().filter(|piece| !piece.is_empty()).collect()
}

/// Whether a flag is set: `true`, `1` or `"true"`.
pub(super) fn flag(of: &Value, field: &str) -> bool {
    text(of, &[field]).is_some_and(|text| matches!(text.as_str(), "true" | "1"))
}

/// A count; `None` where nothing is said, or that there is no limit.
pub(super) fn count(of: &Value, fields: &[&str]) -> Result<Option<u64>, String> {
    let Some(text) = text(of, fields).filter(|text| !text.eq_ignore_ascii_case("unlimited")) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| format!("`{}` is not a count: {text}.", named(of, fields)))
}

/// The devices of a license, each known by the field `id`, as many as its `instances_count` says. Without their ids the
/// apps on those devices would be told that they are unknown, so an export that leaves some out is refused, with the
/// name of the `list` that is missing.
pub(super) fn instances_of(
    of: &Value,
    instances: &[&Value],
    id: &str,
    list: &str,
    sold_at: Timestamp,
) -> Result<Vec<ImportedSeat>, String> {
    let seat = |instance: &&Value| {
        Ok(ImportedSeat {
            fingerprint: fingerprint(instance, id)?,
            id: None,
            name: label(instance, &["name"]),
            metadata: BTreeMap::new(),
            components: BTreeMap::new(),
            created_at: time(instance, &["created_at"])?.unwrap_or(sold_at),
        })
    };
    let seated = instances.iter().map(seat).collect::<Result<Vec<_>, String>>()?;
    let counted = count(of, &["instances_count"])?.unwrap_or_default();
    if u64::try_from(seated.len()) != Ok(counted) {
        let held = seated.len();
        return Err(format!("It has {counted} instances, and the file holds {held} of them: export {list} as well."));
    }
    Ok(seated)
}

/// A moment; `None` where nothing is said, or that it never comes. A day is its first moment in UTC, a time without a
/// zone is in UTC, a whole number counts seconds since 1970.
pub(super) fn time(of: &Value, fields: &[&str]) -> Result<Option<Timestamp>, String> {
    let Some(text) = text(of, fields) else { return Ok(None) };
    if matches!(text.to_lowercase().as_str(), "lifetime" | "never" | "0000-00-00 00:00:00") {
        return Ok(None);
    }
    // More seconds than any calendar has years for are none.
    let is_written = |at: &Timestamp| Timestamp::parse(&at.to_string()) == Some(*at);
    let seconds =
        || text.parse::<i64>().ok()?.checked_mul(1_000_000).map(Timestamp::from_microseconds).filter(is_written);
    let moment = || Timestamp::parse(&text).or_else(|| Timestamp::parse(&format!("{}Z", text.replacen(' ', "T", 1))));
    let day = || Timestamp::parse(&format!("{text}T00:00:00Z"));
    let read = seconds().or_else(moment).or_else(day);
    read.map(Some).ok_or_else(|| format!("`{}` is not a time, as 2025-01-31: {text}.", named(of, fields)))
}

/// When the license was sold.
pub(super) fn sold_at(of: &Value, fields: &[&str]) -> Result<Timestamp, String> {
    time(of, fields)?.ok_or_else(|| format!("There is no `{}`.", fields[0]))
}

pub(super) fn key(of: &Value, fields: &[&str]) -> Result<ForeignKey, String> {
    let text = text(of, fields).ok_or_else(|| format!("There is no `{}`.", fields[0]))?;
    // Not told with the key in it: reports are mailed around.
    ForeignKey::parse(&text).map_err(|error| format!("`{}` {error}.", named(of, fields)))
}

pub(super) fn email(of: &Value, fields: &[&str]) -> Result<Email, String> {
    let text = text(of, fields).ok_or_else(|| format!("There is no `{}`.", fields[0]))?;
    Email::parse(&text).map_err(|error| format!("`{}` cannot be read: {error}.", named(of, fields)))
}

pub(super) fn fingerprint(of: &Value, field: &str) -> Result<Fingerprint, String> {
    let text = text(of, &[field]).ok_or_else(|| format!("A device has no `{field}`."))?;
    Fingerprint::parse(&text).map_err(|error| format!("`{field}` of a device {error}."))
}

/// What a device is known by, where there is nothing but that.
pub(super) fn fingerprint_of(text: &str) -> Result<Fingerprint, String> {
    Fingerprint::parse(text).map_err(|error| format!("A device {error}."))
}

/// A short text for people; what cannot be shown is left out.
pub(super) fn label(of: &Value, fields: &[&str]) -> Option<String> {
    plain_text(&text(of, fields)?, 100).ok()
}

/// The id of the one resource that a JSON:API relationship names.
pub(super) fn related(of: &Value, name: &str) -> Option<String> {
    text(of.pointer(&format!("/relationships/{name}/data"))?, &["id"])
}

/// The fields that are kept as they are.
pub(super) fn notes(of: &Value, fields: &[(&str, &str)]) -> BTreeMap<String, String> {
    fields.iter().flat_map(|(field, name)| notes_of(of, &[field], name)).collect()
}

/// One field that is kept as it is.
pub(super) fn notes_of(of: &Value, fields: &[&str], name: &str) -> Option<(String, String)> {
    Some((name.to_owned(), plain_text(&text(of, fields)?, LONGEST_NOTE).ok()?))
}

/// The name that the field goes by here.
fn named<'a>(of: &Value, fields: &[&'a str]) -> &'a str {
    fields.iter().find(|field| text(of, &[field]).is_some()).or(fields.first()).copied().unwrap_or_default()
}
