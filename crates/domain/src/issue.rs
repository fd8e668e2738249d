//! Turning paid lines into licenses.

use latchkey_license::KeyCode;

use crate::{Duration, License, LicenseId, LicenseState, Order, Rng, Timestamp};

/// One license for each unit of each line, each with a new key.
pub(crate) fn issue(order: &Order, now: Timestamp, rng: &mut Rng) -> Vec<(License, KeyCode)> {
    let lines = order.lines.iter().zip(0u32..);
    lines
        .flat_map(|(line, index)| (0..line.quantity).map(move |unit| (line, index, unit)))
        .map(|(line, index, unit)| {
            let key = KeyCode::from_random_bytes(rng.bytes());
            let license = License {
                id: LicenseId::mint(now, rng),
                shop: order.shop,
                version: 0,
                order: order.id,
                line: index,
                unit,
                product: line.product,
                plan: line.plan,
                customer: order.customer,
                key_tail: key.tail(),
                policy: line.policy.clone(),
                state: LicenseState::Active,
                seats_used: 0,
                expires_at: line.policy.valid_days.map(|days| now.after(Duration::days(i64::from(days)))),
                created_at: now,
            };
            (license, key)
        })
        .collect()
}
