//! Lemon Squeezy: the answers of `GET /v1/license-keys` and `GET /v1/license-key-instances`, every page of both in
//! one file (<https://docs.lemonsqueezy.com/api/license-keys>).

use std::collections::BTreeMap;

use domain::{ForeignSystem, ImportRecord, LicenseState, SeatsThere};
use serde_json::Value;

use super::ImportLine;
use super::document::{count, email, flag, instances_of, key, label, notes, sold_at, text, time};

/// What is true of the plan, and not of one license alone.
pub(super) const PLAN_WORDS: &[&str] = &["store_id", "product_id", "variant_id"];

pub(super) fn lines(documents: &[Value]) -> Vec<ImportLine> {
    let objects = || {
        documents.iter().flat_map(|document| match document.get("data") {
            Some(Value::Array(several)) => several.iter().collect(),
            Some(one @ Value::Object(_)) => vec![one],
            Some(_) | None => vec![document],
        })
    };
    let of_kind = |kind: &'static str| objects().filter(move |object| text(object, &["type"]).as_deref() == Some(kind));
    let mut instances: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for instance in of_kind("license-key-instances") {
        let attributes = instance.get("attributes").unwrap_or(instance);
        instances.entry(text(attributes, &["license_key_id"]).unwrap_or_default()).or_default().push(attributes);
    }
    of_kind("license-keys")
        .zip(1..)
        .map(|(object, number)| {
            let id = text(object, &["id"]);
            let seats = id.as_ref().and_then(|id| instances.get(id)).map(Vec::as_slice).unwrap_or_default();
            let place = id.map_or_else(|| format!("license key {number}"), |id| format!("license-keys/{id}"));
            ImportLine { place, record: record(object, seats) }
        })
        .collect()
}

fn record(object: &Value, instances: &[&Value]) -> Result<ImportRecord, String> {
    let attributes = object.get("attributes").ok_or("It has no `attributes`.")?;
    let created_at = sold_at(attributes, &["created_at"])?;
    let seated = instances_of(attributes, instances, "identifier", "license-key-instances", created_at)?;
    let seats = count(attributes, &["activation_limit"])?;
    let mut kept = notes(
        attributes,
        &[
            ("store_id", "store_id"),
            ("customer_id", "customer_id"),
            ("order_id", "order_id"),
            ("order_item_id", "order_item_id"),
            ("product_id", "product_id"),
            ("variant_id", "variant_id"),
            ("user_name", "customer_name"),
        ],
    );
    kept.extend(notes(object, &[("id", "license_key_id")]));
    Ok(ImportRecord {
        system: ForeignSystem::LemonSqueezy,
        key: key(attributes, &["key"])?,
        id: None,
        email: Some(email(attributes, &["user_email"])?),
        name: label(attributes, &["user_name"]),
        country: None,
        state: if flag(attributes, "disabled") { LicenseState::SuspendedByPerson } else { LicenseState::Active },
        seats: SeatsThere::up_to(seats),
        features: Vec::new(),
        created_at,
        expires_at: time(attributes, &["expires_at"])?,
        uses: 0,
        usage_limit: None,
        seated,
        group: None,
        notes: kept,
    })
}
