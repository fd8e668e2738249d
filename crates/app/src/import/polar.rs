//! Polar: the answers of `GET /v1/license-keys/{id}`, one for each key (<https://polar.sh/docs/api-reference>).

use std::collections::BTreeMap;

use domain::{ForeignSystem, ImportRecord, ImportedSeat, LicenseState, SeatsThere};
use serde_json::Value;

use super::ImportLine;
use super::document::{count, email, fingerprint, key, label, notes, records, sold_at, text, time};

/// What is true of the plan, and not of one license alone.
pub(super) const PLAN_WORDS: &[&str] = &["organization_id", "benefit_id"];

pub(super) fn lines(documents: &[Value]) -> Vec<ImportLine> {
    records(documents, "items")
        .zip(1..)
        .map(|(object, number)| {
            let id = text(object, &["id"]);
            let place = id.map_or_else(|| format!("license key {number}"), |id| format!("license-keys/{id}"));
            ImportLine { place, record: record(object) }
        })
        .collect()
}

fn record(object: &Value) -> Result<ImportRecord, String> {
    let created_at = sold_at(object, &["created_at"])?;
    let limit = count(object, &["limit_activations"])?;
    let seated = match object.get("activations") {
        Some(Value::Array(activations)) => {
            activations.iter().map(|seat| seated(seat, created_at)).collect::<Result<_, _>>()?
        }
        // Their list of keys leaves them out, and the apps on those devices would be told that they are unknown.
        Some(_) | None if limit.is_some() => {
            return Err("It has no `activations`: save the answer about each key, and not their list.".to_owned());
        }
        Some(_) | None => Vec::new(),
    };
    let state = match text(object, &["status"]).as_deref() {
        Some("granted") | None => LicenseState::Active,
        Some("disabled") => LicenseState::SuspendedByPerson,
        Some("revoked") => LicenseState::RevokedByPerson,
        Some(other) => return Err(format!("`status` is none of theirs: {other}.")),
    };
    let customer = object.get("customer").unwrap_or(&Value::Null);
    let mut kept = notes(
        object,
        &[
            ("id", "license_key_id"),
            ("organization_id", "organization_id"),
            ("customer_id", "customer_id"),
            ("benefit_id", "benefit_id"),
            ("validations", "validations"),
        ],
    );
    kept.extend(notes(customer, &[("external_id", "external_id")]));
    if limit.is_none() {
        kept.insert("activations".to_owned(), "none".to_owned());
    }
    Ok(ImportRecord {
        system: ForeignSystem::Polar,
        key: key(object, &["key"])?,
        id: None,
        email: Some(email(customer, &["email"])?),
        name: label(customer, &["name"]),
        country: None,
        state,
        seats: SeatsThere::up_to(limit),
        features: Vec::new(),
        created_at,
        expires_at: time(object, &["expires_at"])?,
        uses: count(object, &["usage"])?.unwrap_or_default(),
        usage_limit: count(object, &["limit_usage"])?,
        seated,
        group: None,
        notes: kept,
    })
}

fn seated(seat: &Value, since: domain::Timestamp) -> Result<ImportedSeat, String> {
    let kept = |field: &str| match seat.get(field) {
        Some(Value::Object(object)) if !object.is_empty() => Some((field.to_owned(), seat[field].to_string())),
        Some(_) | None => None,
    };
    Ok(ImportedSeat {
        fingerprint: fingerprint(seat, "id")?,
        id: None,
        name: label(seat, &["label"]),
        metadata: ["meta", "conditions"].into_iter().filter_map(kept).collect::<BTreeMap<_, _>>(),
        components: BTreeMap::new(),
        created_at: time(seat, &["created_at"])?.unwrap_or(since),
    })
}
