//! Turning paid lines into licenses.

use latchkey_license::KeyCode;

use crate::{License, LicenseId, LicenseState, Order, OwnActs, Rng, Starts, Timestamp};

/// The licenses of each line, each with a new key: one for each unit, or one for all, as the policy says.
pub(crate) fn issue(order: &Order, now: Timestamp, rng: &mut Rng) -> Vec<(License, KeyCode)> {
    let lines = order.lines.iter().zip(0u32..);
    lines
        .flat_map(|(line, index)| (0..line.policy.licenses_of(line.quantity)).map(move |unit| (line, index, unit)))
        .map(|(line, index, unit)| {
            let policy = line.policy.for_quantity(line.quantity);
            let started_at = match policy.term.starts {
                Starts::Issue => Some(now),
                Starts::FirstActivation | Starts::FirstValidation => None,
            };
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
                state: LicenseState::Active,
                seats_used: 0,
                started_at,
                expires_at: started_at.and_then(|start| policy.ends_at(start)),
                updates_until: started_at.and_then(|start| policy.updates_end_at(start)),
                policy,
                uses: 0,
                uses_since: None,
                own_acts: OwnActs::default(),
                batch: None,
                group: None,
                created_at: now,
            };
            (license, key)
        })
        .collect()
}
