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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::PaymentStatus;
    use crate::fixture::{Reporter, START, World, rng};

    fn license() -> License {
        let mut world = World::submitted();
        let captured = world.sale.order.total;
        let reporter = Reporter::of(&world.sale, 0);
        world.meet(&reporter.payment(PaymentStatus::Succeeded { captured })).unwrap();
        world.sale.licenses[0].clone()
    }

    #[test]
    fn a_license_with_a_new_key_is_the_same_license() {
        let license = License { seats_used: 2, uses: 3, ..license() };
        let key = KeyCode::from_random_bytes(rng(9).bytes());
        let (changes, after) = reissue(&license, key.clone(), false, "leaked", Actor::Api, START, &mut rng(3));
        assert_eq!(after, License { key_tail: key.tail(), ..license.clone() });
        assert_eq!(changes.reissued, [Reissue { license: after, key: key.clone(), at: START }]);
        assert!(changes.lapses.is_empty() && changes.licenses.is_empty(), "one statement writes the row, not two");
        let event = &changes.events[0];
        let data = json!({
            "reason": "leaked", "key_tail": key.tail(), "old_key_tail": license.key_tail, "seats_freed": 0,
        });
        assert_eq!((event.kind, event.license, &event.data), (EventKind::LicenseReissued, Some(license.id), &data));
        assert!(!event.data.to_string().contains(&key.to_string()), "the journal holds no key");
    }

    #[test]
    fn whoever_has_the_old_key_holds_no_seat_where_that_is_wanted() {
        for (taken, frees, freed) in [(2, true, 2), (2, false, 0), (0, true, 0)] {
            let license = License { seats_used: taken, ..license() };
            let key = KeyCode::from_random_bytes(rng(9).bytes());
            let (changes, after) = reissue(&license, key, frees, "-", Actor::System, START, &mut rng(3));
            assert_eq!(after.seats_used, taken - freed);
            let lapsed: Vec<u32> = changes.lapses.iter().map(|lapse| lapse.seats).collect();
            assert_eq!(lapsed, if freed > 0 { vec![freed] } else { vec![] }, "exactly those that are counted");
            assert_eq!(changes.events[0].data["seats_freed"], freed);
            assert_eq!(changes.reissued[0].license.seats_used, after.seats_used);
        }
    }
}
