//! Any other system: a table with a row for each license; docs/migrations/csv.md lists the columns.

use std::collections::BTreeMap;

use domain::{ForeignSystem, ImportRecord, ImportedSeat, LicenseState, SeatsThere};
use serde_json::Value;

use super::ImportLine;
use super::document::{count, email, fingerprint_of, key, label, notes_of, pieces, records, sold_at, text, time};

/// What is true of the plan, and not of one license alone: nothing asks in these words.
pub(super) const PLAN_WORDS: &[&str] = &[];

pub(super) fn lines(documents: &[Value]) -> Vec<ImportLine> {
    records(documents, "licenses")
        .zip(1..)
        .map(|(row, number)| ImportLine { place: format!("license {number}"), record: record(row) })
        .collect()
}

fn record(row: &Value) -> Result<ImportRecord, String> {
    let created_at = sold_at(row, &["created_at", "purchased_at", "purchase_date", "date", "created"])?;
    let seated = pieces(row, &["activations", "devices", "machines"], &["|", ";", "\n", " "])
        .iter()
        .map(|device| {
            let fingerprint = fingerprint_of(device)?;
            Ok(ImportedSeat {
                fingerprint,
                id: None,
                name: None,
                metadata: BTreeMap::new(),
                components: BTreeMap::new(),
                created_at,
            })
        })
        .collect::<Result<Vec<_>, String>>()?;
    let state = match text(row, &["status", "state"]).map(|word| word.to_lowercase()).as_deref() {
        None | Some("active" | "valid" | "expired" | "inactive") => LicenseState::Active,
        Some("suspended" | "disabled") => LicenseState::SuspendedByPerson,
        Some("revoked" | "refunded") => LicenseState::RevokedByPerson,
        Some(other) => {
            return Err(format!("`status` must be active, expired, suspended or revoked, not {other}."));
        }
    };
    const SEATS: &[&str] = &["seats", "activation_limit", "max_activations", "limit"];
    let seats = match text(row, SEATS) {
        None => SeatsThere::AsPlan,
        Some(_) => SeatsThere::up_to(count(row, SEATS)?),
    };
    Ok(ImportRecord {
        system: ForeignSystem::Csv,
        key: key(row, &["license_key", "key", "license"])?,
        id: None,
        email: Some(email(row, &["email", "customer_email", "e_mail"])?),
        name: label(row, &["name", "customer_name", "customer"]),
        country: None,
        state,
        seats,
        features: Vec::new(),
        created_at,
        expires_at: time(row, &["expires_at", "expires", "expiry", "expiration_date"])?,
        uses: count(row, &["uses", "usage"])?.unwrap_or_default(),
        usage_limit: None,
        seated,
        group: None,
        notes: notes_of(row, &["product_id", "product"], "product_id")
            .into_iter()
            .chain(notes_of(row, &["order_id", "order"], "order_id"))
            .collect(),
    })
}
