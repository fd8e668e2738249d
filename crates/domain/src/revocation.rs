//! What was taken back though certificates of it may still count: the entries of the revocation list.
//!
//! Read off the changes of a decision, whichever it was, so that nothing that is taken back by a new way is forgotten.
//! An entry ends when nothing that was signed before it can count any more.

use crate::{
    ActivationId, ActivationState, Changes, Duration, Event, EventKind, License, LicenseId, ShopId, Timestamp,
};

/// How far beyond its end a certificate may be taken, as the clocks of devices differ.
const LEEWAY: Duration = Duration::minutes(5);

/// What was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevocationSubject {
    /// A license, with all of its devices.
    License(LicenseId),
    /// One device.
    Activation(ActivationId),
}

/// How it stands since: the verdict that the app would be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevocationCode {
    /// The license was taken back.
    Revoked,
    /// The license is switched off for now.
    Suspended,
    /// The seat was given back.
    NotActivated,
    /// The key was replaced, and every device must activate with the new one.
    KeyRetired,
}

impl RevocationCode {
    /// The word in rows and in the list.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Suspended => "suspended",
            Self::NotActivated => "not_activated",
            Self::KeyRetired => "key_retired",
        }
    }
}

/// An entry of the revocation list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revocation {
    /// The shop.
    pub shop: ShopId,
    /// What was taken back.
    pub subject: RevocationSubject,
    /// How it stands since.
    pub code: RevocationCode,
    /// Since when. What was signed later stands.
    pub at: Timestamp,
    /// Until when something may count that was signed before.
    pub listed_until: Timestamp,
}

/// What a decision does to the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevocationChange {
    /// Something was taken back.
    Listed(Revocation),
    /// A license works again, and what was signed for it before with it.
    Withdrawn {
        /// The shop.
        shop: ShopId,
        /// The license.
        license: LicenseId,
    },
}

/// What these changes do to the list. Nothing in the ordinary course: no purchase, no activation, no heartbeat.
#[must_use]
pub fn revocation_changes(changes: &Changes) -> Vec<RevocationChange> {
    let of_events = changes.events.iter().filter_map(|event| of_event(changes, event));
    let released = changes.activations.iter().filter(|seat| match seat.state {
        ActivationState::Released => true,
        ActivationState::Active => false,
    });
    let of_seats = released.filter_map(|seat| {
        let license = changes.licenses.iter().find(|license| license.id == seat.license)?;
        Some(listed(license, RevocationSubject::Activation(seat.id), RevocationCode::NotActivated, seat.last_seen_at))
    });
    of_events.chain(of_seats).collect()
}

fn of_event(changes: &Changes, event: &Event) -> Option<RevocationChange> {
    let id = event.license?;
    // One that was issued as taken back is in no certificate, and is not among these.
    let changed = || changes.licenses.iter().find(|license| license.id == id);
    let entry = |license: &License, code| listed(license, RevocationSubject::License(id), code, event.at);
    if event.kind == EventKind::LicenseRevoked {
        return changed().map(|license| entry(license, RevocationCode::Revoked));
    }
    if event.kind == EventKind::LicenseSuspended {
        return changed().map(|license| entry(license, RevocationCode::Suspended));
    }
    if event.kind == EventKind::LicenseReinstated {
        return Some(RevocationChange::Withdrawn { shop: event.shop, license: id });
    }
    if event.kind == EventKind::LicenseReissued && changes.lapses.iter().any(|lapse| lapse.license == id) {
        let new = changes.reissued.iter().find(|new| new.license.id == id)?;
        return Some(entry(&new.license, RevocationCode::KeyRetired));
    }
    None
}

fn listed(license: &License, subject: RevocationSubject, code: RevocationCode, at: Timestamp) -> RevocationChange {
    let last = at.after(license.policy.longest_certificate());
    let listed_until = license.policy.offline.carried_until.map_or(last, |until| until.max(last)).after(LEEWAY);
    RevocationChange::Listed(Revocation { shop: license.shop, subject, code, at, listed_until })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::fixture::{Reporter, START, World, activation_request, rng};
    use crate::{Actor, Policy, activate, adopt, deactivate, heartbeat, reissue};
    use crate::{DisputeState, PaymentStatus};

    fn told(changes: &Changes) -> Vec<String> {
        let days = |at: Timestamp| at.since(START).as_seconds() / 86_400;
        let told = |change: RevocationChange| match change {
            RevocationChange::Listed(entry) => {
                let subject = match entry.subject {
                    RevocationSubject::License(_) => "license",
                    RevocationSubject::Activation(_) => "activation",
                };
                assert_eq!(entry.listed_until.since(START).as_seconds() % 86_400, LEEWAY.as_seconds());
                format!("{subject} {} until day {}", entry.code.as_str(), days(entry.listed_until))
            }
            RevocationChange::Withdrawn { .. } => "withdrawn".to_owned(),
        };
        let mut told: Vec<String> = revocation_changes(changes).into_iter().map(told).collect();
        // An order of two licenses says everything twice.
        told.dedup();
        told
    }

    fn license() -> License {
        let mut world = World::submitted();
        let captured = world.sale.order.total;
        let reporter = Reporter::of(&world.sale, 0);
        world.meet(&reporter.payment(PaymentStatus::Succeeded { captured })).unwrap();
        world.sale.licenses[0].clone()
    }

    #[test]
    fn a_dispute_lists_the_license_and_its_end_says_what_becomes_of_the_entry() {
        for (end, expected) in [(DisputeState::Lost, "license revoked until day 1"), (DisputeState::Won, "withdrawn")] {
            let mut world = World::submitted();
            let captured = world.sale.order.total;
            let reporter = Reporter::of(&world.sale, 0);
            let issued = world.meet(&reporter.payment(PaymentStatus::Succeeded { captured })).unwrap();
            assert_eq!(told(&issued), Vec::<String>::new(), "a purchase lists nothing");
            let minor = captured.minor();
            let opened = world.meet(&reporter.dispute("dp_1", minor, DisputeState::Opened)).unwrap();
            assert_eq!(told(&opened), ["license suspended until day 1"]);
            assert_eq!(told(&world.meet(&reporter.dispute("dp_1", minor, end)).unwrap()), [expected]);
        }
    }

    #[test]
    fn a_seat_is_listed_when_it_is_given_back_and_not_while_it_is_held() {
        let mut license = license();
        license.policy.offline.file_days = Some(90);
        let (taken, seat) = activate(&license, None, 0, None, &activation_request("lap"), START, &mut rng(1)).unwrap();
        assert_eq!(told(&taken), Vec::<String>::new());
        assert_eq!(told(&heartbeat(&license, &seat, START).unwrap().0), Vec::<String>::new());
        let (freed, _) = deactivate(&license, &seat, Actor::Buyer, START, &mut rng(2)).unwrap();
        assert_eq!(told(&freed), ["activation not_activated until day 90"]);
        let key = |seed| latchkey_license::KeyCode::from_random_bytes(rng(seed).bytes());
        let with_seat = License { seats_used: 1, ..license.clone() };
        let (kept, _) = reissue(&with_seat, key(3), false, "-", Actor::Api, START, &mut rng(4));
        assert_eq!(told(&kept), Vec::<String>::new(), "devices go on");
        let (emptied, _) = reissue(&with_seat, key(3), true, "-", Actor::Api, START, &mut rng(4));
        assert_eq!(told(&emptied), ["license key_retired until day 90"]);
    }

    #[test]
    fn what_was_signed_under_an_earlier_policy_is_listed_as_long_as_it_counts() {
        let mut license = license();
        license.policy.offline.file_days = Some(365);
        let mut plan = Policy { offline: crate::Offline::default(), ..license.policy.clone() };
        let shorter = adopt(&license, &plan, "-", Actor::Api, START, &mut rng(1)).unwrap().license;
        let (_, seat) = activate(&shorter, None, 0, None, &activation_request("lap"), START, &mut rng(1)).unwrap();
        let (freed, _) = deactivate(&shorter, &seat, Actor::Buyer, START, &mut rng(2)).unwrap();
        assert_eq!(told(&freed), ["activation not_activated until day 365"]);
        // A longer one later takes nothing off.
        plan.offline.file_days = Some(30);
        let later = START.after(Duration::days(10));
        let again = adopt(&shorter, &plan, "-", Actor::Api, later, &mut rng(1)).unwrap().license;
        assert_eq!(again.policy.offline.carried_until, shorter.policy.offline.carried_until);
    }
}
