//! EDD Software Licensing: its own table of licenses, or JSON with the ids as docs/migrations/edd.md has it written
//! (<https://easydigitaldownloads.com/docs/software-licensing-api/>).

use domain::{ForeignSystem, ImportRecord, ImportedSeat, LicenseState, SeatsThere, edd_site};
use serde_json::Value;

use super::ImportLine;
use super::document::{
    count, email, fingerprint_of, key, label, notes, notes_of, pieces, records, sold_at, text, time,
};

/// What is true of the plan, and not of one license alone.
pub(super) const PLAN_WORDS: &[&str] = &["item_id", "item_name", "price_id"];

const KEY: &[&str] = &["license_key", "license"];
const EXPIRES: &[&str] = &["expires", "expiration_date", "expiration"];
const LIMIT: &[&str] = &["license_limit", "activation_limit"];
const SITES: &[&str] = &["sites", "activated_urls"];
const COUNT: &[&str] = &["site_count", "activation_count"];

pub(super) fn lines(documents: &[Value]) -> Vec<ImportLine> {
    let place = |object: &Value, number: usize| {
        text(object, &["id"]).map_or_else(|| format!("license {number}"), |id| format!("license {id}"))
    };
    records(documents, "licenses")
        .zip(1..)
        .map(|(object, number)| ImportLine { place: place(object, number), record: record(object) })
        .collect()
}

fn record(object: &Value) -> Result<ImportRecord, String> {
    let created_at = sold_at(object, &["created_at", "date_created", "purchase_date"])?;
    let sites: Vec<String> = pieces(object, SITES, &[" - ", "\n", ","]).iter().map(|site| edd_site(site)).collect();
    let seated = sites
        .iter()
        .map(|site| {
            Ok(ImportedSeat {
                fingerprint: fingerprint_of(site)?,
                id: None,
                name: None,
                metadata: [].into(),
                components: [].into(),
                created_at,
            })
        })
        .collect::<Result<Vec<_>, String>>()?;
    let counted = count(object, COUNT)?.unwrap_or_default();
    // Local sites are listed and not counted; one that is counted and not listed would be told that it is unknown.
    if u64::try_from(seated.len()).is_ok_and(|listed| listed < counted) {
        return Err(format!("It counts {counted} sites, and the file lists {} of them.", seated.len()));
    }
    let state = match text(object, &["status", "license_status"]).as_deref() {
        Some("disabled" | "revoked" | "draft") => LicenseState::SuspendedByPerson,
        Some("active" | "inactive" | "expired") | None => LicenseState::Active,
        Some(other) => return Err(format!("`status` is none of theirs: {other}.")),
    };
    // A license for life is written as the year 1970 by their older tables.
    let expires_at = time(object, EXPIRES)?.filter(|end| end.as_microseconds() > DAY);
    let seats = count(object, LIMIT)?.filter(|limit| *limit > 0);
    let mut kept = notes(
        object,
        &[
            ("id", "license_id"),
            ("item_id", "item_id"),
            ("download_id", "item_id"),
            ("price_id", "price_id"),
            ("payment_id", "payment_id"),
            ("customer_name", "customer_name"),
        ],
    );
    kept.extend(notes_of(object, &["item_name", "product_name"], "item_name"));
    Ok(ImportRecord {
        system: ForeignSystem::Edd,
        key: key(object, KEY)?,
        id: None,
        email: Some(email(object, &["customer_email", "email"])?),
        name: label(object, &["customer_name"]),
        country: None,
        state,
        seats: SeatsThere::up_to(seats),
        features: Vec::new(),
        created_at,
        expires_at,
        uses: 0,
        usage_limit: None,
        seated,
        group: None,
        notes: kept,
    })
}

const DAY: i64 = 86_400_000_000;
