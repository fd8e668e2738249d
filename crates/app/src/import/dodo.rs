//! Dodo Payments: the answers of `GET /license_keys`, `GET /license_key_instances` and `GET /customers`, every page of
//! all three in one file (<https://docs.dodopayments.com/api-reference/licenses>).

use std::collections::BTreeMap;

use domain::{ForeignSystem, ImportRecord, LicenseState, SeatsThere};
use serde_json::Value;

use super::ImportLine;
use super::document::{count, email, instances_of, key, label, notes, records, sold_at, text, time};

/// What is true of the plan, and not of one license alone.
pub(super) const PLAN_WORDS: &[&str] = &["business_id", "product_id"];

pub(super) fn lines(documents: &[Value]) -> Vec<ImportLine> {
    let mut instances: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    let mut customers: BTreeMap<String, &Value> = BTreeMap::new();
    let mut keys = Vec::new();
    for object in records(documents, "items") {
        if object.get("key").is_some() {
            keys.push(object);
        } else if let Some(key) = text(object, &["license_key_id"]) {
            instances.entry(key).or_default().push(object);
        } else if let Some(customer) = text(object, &["customer_id"]) {
            customers.insert(customer, object);
        }
    }
    keys.into_iter()
        .zip(1..)
        .map(|(object, number)| {
            let id = text(object, &["id"]);
            let seats = id.as_ref().and_then(|id| instances.get(id)).map(Vec::as_slice).unwrap_or_default();
            let place = id.map_or_else(|| format!("license key {number}"), |id| format!("license_keys/{id}"));
            let customer = text(object, &["customer_id"]).and_then(|id| customers.get(&id).copied());
            ImportLine { place, record: record(object, seats, customer) }
        })
        .collect()
}

fn record(object: &Value, instances: &[&Value], customer: Option<&Value>) -> Result<ImportRecord, String> {
    let created_at = sold_at(object, &["created_at"])?;
    let customer = customer.ok_or("Its customer is not in the file: export /customers as well.")?;
    let seated = instances_of(object, instances, "id", "/license_key_instances", created_at)?;
    let expires_at = time(object, &["expires_at"])?;
    let state = match text(object, &["status"]).as_deref() {
        Some("active") | None => LicenseState::Active,
        Some("disabled") => LicenseState::SuspendedByPerson,
        // A key that ends with its subscription has no day of its own.
        Some("expired") if expires_at.is_none() => LicenseState::RevokedByPerson,
        Some("expired") => LicenseState::Active,
        Some(other) => return Err(format!("`status` is none of theirs: {other}.")),
    };
    Ok(ImportRecord {
        system: ForeignSystem::Dodo,
        key: key(object, &["key"])?,
        id: None,
        email: Some(email(customer, &["email"])?),
        name: label(customer, &["name"]),
        country: None,
        state,
        seats: SeatsThere::up_to(count(object, &["activations_limit"])?),
        features: Vec::new(),
        created_at,
        expires_at,
        uses: 0,
        usage_limit: None,
        seated,
        group: None,
        notes: notes(
            object,
            &[
                ("id", "license_key_id"),
                ("business_id", "business_id"),
                ("customer_id", "customer_id"),
                ("product_id", "product_id"),
                ("payment_id", "payment_id"),
                ("subscription_id", "subscription_id"),
            ],
        ),
    })
}
