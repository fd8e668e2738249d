//! Gumroad: the answers of `GET /v2/sales`, every page in one file (<https://gumroad.com/api#sales>).

use domain::{ForeignSystem, ImportRecord, LicenseState, SeatsThere};
use serde_json::Value;

use super::ImportLine;
use super::document::{count, email, flag, key, label, notes, sold_at, text, time};

/// What is true of the plan, and not of one license alone.
pub(super) const PLAN_WORDS: &[&str] = &["seller_id", "product_id", "product_permalink", "product_name", "permalink"];

pub(super) fn lines(documents: &[Value]) -> Vec<ImportLine> {
    documents
        .iter()
        .flat_map(|document| match document.get("sales") {
            Some(Value::Array(several)) => several.iter().collect(),
            Some(_) | None => vec![document.get("sale").unwrap_or(document)],
        })
        .zip(1..)
        .map(|(sale, number)| {
            let place = text(sale, &["id"]).map_or_else(|| format!("sale {number}"), |id| format!("sales/{id}"));
            ImportLine { place, record: record(sale) }
        })
        .collect()
}

fn record(sale: &Value) -> Result<ImportRecord, String> {
    let created_at = sold_at(sale, &["created_at"])?;
    // The key of a refunded sale is answered with the flag, and apps decide by it; see `web::compat::gumroad`.
    let is_taken_back = flag(sale, "refunded") || flag(sale, "chargedback");
    let state = if is_taken_back {
        LicenseState::RevokedByPerson
    } else if flag(sale, "license_disabled") {
        LicenseState::SuspendedByPerson
    } else {
        LicenseState::Active
    };
    Ok(ImportRecord {
        system: ForeignSystem::Gumroad,
        key: key(sale, &["license_key"])?,
        id: None,
        email: Some(email(sale, &["email"])?),
        name: label(sale, &["full_name"]),
        country: None,
        state,
        seats: SeatsThere::AsPlan,
        features: Vec::new(),
        created_at,
        expires_at: time(sale, &["subscription_ended_at"])?,
        uses: count(sale, &["license_uses"])?.unwrap_or_default(),
        usage_limit: None,
        seated: Vec::new(),
        group: None,
        notes: notes(
            sale,
            &[
                ("id", "sale_id"),
                ("seller_id", "seller_id"),
                ("product_id", "product_id"),
                ("product_name", "product_name"),
                ("product_permalink", "product_permalink"),
                ("permalink", "permalink"),
                ("price", "price"),
                ("gumroad_fee", "gumroad_fee"),
                ("currency", "currency"),
                ("quantity", "quantity"),
                ("order_id", "order_number"),
                ("refunded", "refunded"),
                ("chargedback", "chargebacked"),
                ("disputed", "disputed"),
                ("dispute_won", "dispute_won"),
                ("subscription_id", "subscription_id"),
                ("recurrence", "recurrence"),
            ],
        ),
    })
}
