//! A new key for a license whose key is in the wrong hands. The license stays the same one, with its history and its
//! time; the old key is retired, and says so to whoever still shows it.

use latchkey_license::KeyCode;
use serde_json::json;

use crate::{Actor, Changes, Event, EventId, EventKind, Lapse, License, LicenseId, Rng, Timestamp};

/// A license with the new key that it gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reissue {
    /// The license at the version that was read; its `key_tail` is the new one.
    pub license: License,
    /// The new key, which the store seals.
    pub key: KeyCode,
    /// When the old one was retired.
    pub at: Timestamp,
}

/// A key that worked once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetiredKey {
    /// The license that it was of.
    pub license: LicenseId,
    /// The last four symbols of the key that works now.
    pub new_tail: String,
    /// When it was retired.
    pub retired_at: Timestamp,
}

/// Gives a license a new key. With `frees_seats` every device must activate with it again, so that who has the old
/// key holds no seat.
#[must_use]
pub fn reissue(
    license: &License,
    key: KeyCode,
    frees_seats: bool,
    reason: &str,
    actor: Actor,
    now: Timestamp,
    rng: &mut Rng,
) -> (Changes, License) {
    let mut after = License { key_tail: key.tail(), ..license.clone() };
    let mut changes = Changes::default();
    if frees_seats && license.seats_used > 0 {
        // Whatever was heard of them: all of them, and the commit fails when one was taken or freed meanwhile.
        let ever = Timestamp::from_microseconds(i64::MAX);
        let seats = license.seats_used;
        changes.lapses.push(Lapse { shop: license.shop, license: license.id, last_seen_by: ever, seats });
        after.seats_used = 0;
    }
    let data = json!({
        "reason": reason, "key_tail": after.key_tail, "old_key_tail": license.key_tail,
        "seats_freed": license.seats_used.saturating_sub(after.seats_used),
    });
    changes.events.push(Event {
        id: EventId::mint(now, rng),
        shop: license.shop,
        kind: EventKind::LicenseReissued,
        actor,
        order: Some(license.order),
        license: Some(license.id),
        customer: license.customer,
        data,
        at: now,
    });
    changes.reissued.push(Reissue { license: after.clone(), key, at: now });
    (changes, after)
}
