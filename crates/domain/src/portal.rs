//! What owners do by themselves with their licenses: free a device, name it, take a new key.
//!
//! What could be abused, so that one license serves many, is bounded by a
//! quota. When it was done stands in the row of the license, whose version
//! makes those who come at once come one after the other.

use latchkey_license::KeyCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    Activation, ActivationState, Actor, Changes, Customer, Delivery, Duration, Event, EventId, EventKind, License,
    MailKind, Refusal, Rng, Standing, Timestamp, deactivate, reissue,
};

/// How often an owner may take a new key: enough for every accident, and too little to hand one around.
pub const ROTATIONS: Quota = Quota { count: 3, days: 30 };

/// How often something may be done: so many times in so many days, wherever these days begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// How many times.
    pub count: u32,
    /// In how many days.
    pub days: u32,
}

impl Quota {
    /// How many times are left at this moment.
    #[must_use]
    pub fn left(self, done: &[Timestamp], now: Timestamp) -> u32 {
        self.count.saturating_sub(u32::try_from(self.counted(done, now).count()).unwrap_or(u32::MAX))
    }

    /// When it may be done next; `None`: now. Never, where nothing is allowed at all, is a long time away.
    #[must_use]
    pub fn next_at(self, done: &[Timestamp], now: Timestamp) -> Option<Timestamp> {
        if self.left(done, now) > 0 {
            return None;
        }
        let mut counted: Vec<Timestamp> = self.counted(done, now).collect();
        counted.sort_unstable();
        // With the oldest of the newest so many, one is free again.
        let oldest = usize::try_from(self.count).ok().and_then(|count| counted.len().checked_sub(count));
        let first = oldest.and_then(|place| counted.get(place)).copied().unwrap_or(now);
        Some(first.after(self.window()))
    }

    /// What was done with this done now, without what counts no more.
    fn and(self, done: &[Timestamp], now: Timestamp) -> Vec<Timestamp> {
        self.counted(done, now).chain([now]).collect()
    }

    fn counted(self, done: &[Timestamp], now: Timestamp) -> impl Iterator<Item = Timestamp> {
        done.iter().copied().filter(move |at| at.after(self.window()) > now)
    }

    fn window(self) -> Duration {
        Duration::days(i64::from(self.days))
    }
}

/// When owners did what is bounded; only what still counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OwnActs {
    /// Seats that were freed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub releases: Vec<Timestamp>,
    /// New keys.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rotations: Vec<Timestamp>,
}

impl OwnActs {
    /// Whether nothing of it was done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Frees a seat for its owner, as often as the policy lets owners do so.
///
/// # Errors
/// When the seat is free already, or the quota is used up.
pub fn release(license: &License, seat: &Activation, now: Timestamp, rng: &mut Rng) -> Result<Changes, Refusal> {
    let (mut changes, _) = deactivate(license, seat, Actor::Buyer, now, rng)?;
    let Some(quota) = license.policy.seating.releases else { return Ok(changes) };
    let done = &license.own_acts.releases;
    if let Some(next_at) = quota.next_at(done, now) {
        return Err(Refusal::ReleaseQuotaReached { next_at });
    }
    for row in &mut changes.licenses {
        row.own_acts.releases = quota.and(done, now);
    }
    Ok(changes)
}

/// Gives the device on a seat the name that its owner knows it by; without one it is called as its app does.
///
/// # Errors
/// When the seat is free.
pub fn rename(
    license: &License,
    seat: &Activation,
    label: Option<String>,
    actor: Actor,
    now: Timestamp,
    rng: &mut Rng,
) -> Result<Changes, Refusal> {
    match seat.state {
        ActivationState::Active => {}
        ActivationState::Released => return Err(Refusal::NotActivated),
    }
    if seat.label == label {
        return Ok(Changes::default());
    }
    let renamed = Activation { label, ..seat.clone() };
    let event = Event {
        id: EventId::mint(now, rng),
        shop: license.shop,
        kind: EventKind::ActivationRenamed,
        actor,
        order: Some(license.order),
        license: Some(license.id),
        customer: license.customer,
        data: json!({ "activation": seat.id, "before": seat.shown_name(), "name": renamed.shown_name() }),
        at: now,
    };
    Ok(Changes { devices: vec![renamed], events: vec![event], ..Changes::default() })
}

/// Gives an owner a new key for a license, and mails it. The old one is retired at once.
///
/// # Errors
/// When the license does not belong to anybody who could use the key, or the quota is used up.
pub fn rotate(
    license: &License,
    owner: &Customer,
    key: KeyCode,
    frees_seats: bool,
    now: Timestamp,
    rng: &mut Rng,
) -> Result<(Changes, License), Refusal> {
    match license.standing(now) {
        Standing::Active | Standing::Expired => {}
        standing @ (Standing::Suspended | Standing::Revoked) => return Err(Refusal::LicenseNotUsable(standing)),
    }
    let done = &license.own_acts.rotations;
    if let Some(next_at) = ROTATIONS.next_at(done, now) {
        return Err(Refusal::RotationQuotaReached { next_at });
    }
    let mut license = license.clone();
    license.own_acts.rotations = ROTATIONS.and(done, now);
    let (mut changes, after) = reissue(&license, key, frees_seats, "", Actor::Buyer, now, rng);
    tell_of_key(&mut changes, MailKind::KeyReplaced { license: after.id }, &after, owner, now, rng);
    Ok((changes, after))
}

/// Queues a mail with the key of a license to its owner.
pub fn tell_of_key(
    changes: &mut Changes,
    mail: MailKind,
    license: &License,
    owner: &Customer,
    now: Timestamp,
    rng: &mut Rng,
) {
    let (mut delivery, job) = Delivery::queued(license.shop, mail, &owner.email, &owner.locale, now, rng);
    delivery.order = Some(license.order);
    delivery.customer = Some(owner.id);
    changes.deliveries.push(delivery);
    changes.jobs.push(job);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::fixture::{Reporter, START, World, activation_request, owner, rng};
    use crate::{ActivationRequest, LicenseState, PaymentStatus, activate};

    fn sold() -> World {
        let mut world = World::submitted();
        let captured = world.sale.order.total;
        let reporter = Reporter::of(&world.sale, 0);
        world.meet(&reporter.payment(PaymentStatus::Succeeded { captured })).unwrap();
        world
    }

    fn seated(license: &License) -> (License, Activation) {
        let request = ActivationRequest { name: Some("MACHINE-07".to_owned()), ..activation_request("device") };
        let (mut changes, seat) = activate(license, None, 0, None, &request, START, &mut rng(4)).unwrap();
        (changes.licenses.remove(0), seat)
    }

    fn day(day: i64) -> Timestamp {
        START.after(Duration::days(day))
    }

    #[test]
    fn a_quota_counts_what_lies_within_its_days() {
        let quota = |count| Quota { count, days: 10 };
        type Case = (u32, &'static [i64], i64, u32, Option<i64>, &'static str);
        #[rustfmt::skip]
        let table: [Case; 8] = [
            (2, &[],           0,  2, None,     "nothing was done"),
            (2, &[0],          0,  1, None,     "once, a moment ago"),
            (2, &[0, 3],       5,  0, Some(10), "used up until the first is ten days old"),
            (2, &[0, 3],       10, 1, None,     "to the moment"),
            (2, &[3, 0],       9,  0, Some(10), "in any order"),
            (1, &[0, 3],       5,  0, Some(13), "made smaller meanwhile: the newest alone counts"),
            (3, &[0, 3],       5,  1, None,     "made larger meanwhile"),
            (0, &[],           5,  0, Some(15), "never is far away"),
        ];
        for (count, done, now, left, next, why) in table {
            let done: Vec<Timestamp> = done.iter().map(|at| day(*at)).collect();
            assert_eq!(quota(count).left(&done, day(now)), left, "{why}");
            assert_eq!(quota(count).next_at(&done, day(now)), next.map(day), "{why}");
        }
    }

    #[test]
    fn an_owner_frees_as_many_devices_as_the_plan_allows() {
        let (mut license, seat) = seated(&sold().sale.licenses[0]);
        let free = release(&license, &seat, START, &mut rng(3)).unwrap();
        assert!(free.licenses[0].own_acts.is_empty(), "where nothing is counted nothing is written");
        license.policy.seating.releases = Some(Quota { count: 1, days: 30 });
        let first = release(&license, &seat, START, &mut rng(3)).unwrap();
        let after = License { seats_used: 1, ..first.licenses[0].clone() };
        assert_eq!((first.licenses[0].seats_used, after.own_acts.releases.clone()), (0, vec![START]));
        assert_eq!(first.events[0].actor, Actor::Buyer);
        assert_eq!(
            release(&after, &seat, day(29), &mut rng(3)),
            Err(Refusal::ReleaseQuotaReached { next_at: day(30) })
        );
        let again = release(&after, &seat, day(30), &mut rng(3)).unwrap();
        assert_eq!(again.licenses[0].own_acts.releases, [day(30)], "what counts no more is forgotten");
        let released = Activation { state: ActivationState::Released, ..seat };
        assert_eq!(release(&after, &released, START, &mut rng(3)), Err(Refusal::NotActivated), "nothing is counted");
    }

    #[test]
    fn a_name_that_the_owner_gave_stays_whatever_the_app_says() {
        let (license, seat) = seated(&sold().sale.licenses[0]);
        let name = |label: Option<&str>| {
            let label = label.map(str::to_owned);
            rename(&license, &seat, label, Actor::Buyer, START, &mut rng(3)).unwrap()
        };
        assert!(name(None).is_empty());
        let mine = name(Some("At home"));
        assert_eq!(mine.events[0].data["before"], "MACHINE-07");
        assert_eq!(mine.events[0].data["name"], "At home");
        let held = &mine.devices[0];
        assert_eq!((held.name.as_deref(), held.shown_name()), (Some("MACHINE-07"), Some("At home")));
        let (license, _) = seated(&license);
        let request = ActivationRequest { name: Some("MACHINE-08".to_owned()), ..activation_request("device") };
        let (_, held) = activate(&license, Some(held), 0, None, &request, START, &mut rng(4)).unwrap();
        assert_eq!((held.name.as_deref(), held.shown_name()), (Some("MACHINE-08"), Some("At home")));
        let released = Activation { state: ActivationState::Released, ..seat.clone() };
        let late = rename(&license, &released, None, Actor::Buyer, START, &mut rng(3));
        assert_eq!(late, Err(Refusal::NotActivated));
    }

    #[test]
    fn an_owner_takes_a_new_key_three_times_a_month_and_is_mailed_each() {
        let mut license = sold().sale.licenses[0].clone();
        let owner = owner(&license);
        for turn in 0..4 {
            let key = KeyCode::from_random_bytes(rng(turn + 10).bytes());
            let rotated = rotate(&license, &owner, key.clone(), false, day(i64::from(turn)), &mut rng(3));
            if turn == 3 {
                assert_eq!(rotated, Err(Refusal::RotationQuotaReached { next_at: day(30) }));
                break;
            }
            let (changes, after) = rotated.unwrap();
            assert_eq!(changes.reissued[0].license.own_acts.rotations.len(), usize::from(turn) + 1);
            assert_eq!(changes.deliveries[0].mail, MailKind::KeyReplaced { license: license.id });
            assert_eq!((&changes.deliveries[0].to, changes.jobs.len()), (&owner.email, 1));
            assert_eq!((after.key_tail.as_str(), changes.events[0].actor), (key.tail().as_str(), Actor::Buyer));
            license = after;
        }
    }

    #[test]
    fn what_was_taken_back_gets_no_new_key() {
        let license = sold().sale.licenses[0].clone();
        for (state, standing) in [
            (LicenseState::SuspendedByDispute, Standing::Suspended),
            (LicenseState::SuspendedByPerson, Standing::Suspended),
            (LicenseState::RevokedByRefund, Standing::Revoked),
        ] {
            let license = License { state, ..license.clone() };
            let key = KeyCode::from_random_bytes(rng(9).bytes());
            let rotated = rotate(&license, &owner(&license), key, true, START, &mut rng(3));
            assert_eq!(rotated, Err(Refusal::LicenseNotUsable(standing)));
        }
    }
}
