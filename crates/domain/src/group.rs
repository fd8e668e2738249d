//! Licenses that belong together, and what they may hold together: a company that buys ten licenses over a year, and
//! wants at most fifty devices in all.
//!
//! How much a group holds is counted when somebody asks, and stands in no row:
//! whoever makes it more writes the group's row in the same commit, so that
//! its version makes two who reach for the last place come one after the
//! other. Leases that are over free their seats by the time alone; whoever
//! takes a seat that is free only because of them gives as many back with it,
//! of whichever license, so that none is renewed at the same moment.
//!
//! What was taken back counts for nothing; when it works again it is counted
//! again, and nobody who sits is thrown out.

use serde_json::json;

use crate::activate::give_back;
use crate::adjust::between;
use crate::{
    Actor, Changes, Difference, Event, EventId, EventKind, GroupId, License, LicenseState, Refusal, Rng, ShopId,
    Timestamp, Version,
};

/// Licenses that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// The shop.
    pub shop: ShopId,
    /// How often the row was written.
    pub version: Version,
    /// Its name, as the seller writes it.
    pub name: String,
    /// How many licenses may be in it; `None`: any number.
    pub max_licenses: Option<u32>,
    /// How many seats its licenses may hold together; `None`: as many as each of them allows.
    pub max_seats: Option<u32>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A group with what it holds at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupUse {
    /// The group.
    pub group: Group,
    /// Every license in it, those that were taken back among them.
    pub members: u32,
    /// The licenses that count.
    pub licenses: u32,
    /// The seats of those that are taken.
    pub taken: u32,
    /// The taken ones whose leases are over. Where a device wants a seat and there is room without them, they are not
    /// counted.
    pub lapsed: u32,
}

impl GroupUse {
    /// The seats that are held at that moment.
    #[must_use]
    pub fn seats(&self) -> u32 {
        self.taken.saturating_sub(self.lapsed)
    }

    /// How many seats must be given back before one more device finds room: those whose leases are over are taken until
    /// somebody gives them back. None where there is room, and none where nothing that is over makes any.
    #[must_use]
    pub fn missing(&self) -> u32 {
        match self.group.max_seats {
            Some(most) if self.seats() < most => self.taken.saturating_add(1).saturating_sub(most),
            Some(_) | None => 0,
        }
    }
}

/// What stands in the way of a device that wants a seat of one license of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSeats {
    /// The group.
    pub used: GroupUse,
    /// Licenses that count and have seats whose leases are over, each with how many: enough of them to make room. What
    /// is not named here counts as held.
    pub lapsed: Vec<(License, u32)>,
}

/// What is to be different about a group; `None` leaves a part as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupChange {
    /// Its name.
    pub name: Option<String>,
    /// How many licenses; `Some(None)`: any number.
    pub max_licenses: Option<Option<u32>>,
    /// How many seats; `Some(None)`: as many as each of its licenses allows.
    pub max_seats: Option<Option<u32>>,
}

impl LicenseState {
    /// Whether a license in this state, and its seats, count in its group.
    #[must_use]
    pub fn counts_in_group(self) -> bool {
        match self {
            Self::Active | Self::SuspendedByDispute | Self::SuspendedByPerson => true,
            Self::RevokedByRefund | Self::RevokedByDispute | Self::RevokedByPerson => false,
        }
    }
}

impl GroupSeats {
    /// Lets one more device take a seat of this license, as far as the group is concerned. `lapsed` is how many seats of
    /// the license itself are given back along with it.
    ///
    /// # Errors
    /// When its licenses hold as many together as they may.
    pub(crate) fn admit(&self, license: &License, lapsed: u32, changes: &mut Changes) -> Result<(), Refusal> {
        let GroupUse { group, taken, .. } = &self.used;
        let over = self.others(license).fold(lapsed, |sum, (_, lapsed)| sum.saturating_add(*lapsed));
        if let Some(most) = group.max_seats.filter(|most| taken.saturating_sub(over) >= *most) {
            return Err(Refusal::GroupFull { seats: most });
        }
        // Without a limit too: whoever sets one at the same moment has counted without this device.
        changes.groups.push(group.clone());
        Ok(())
    }

    /// The other licenses whose seats are given back to make room.
    pub(crate) fn others(&self, license: &License) -> impl Iterator<Item = &(License, u32)> {
        let id = license.id;
        self.lapsed.iter().filter(move |(other, _)| other.id != id)
    }
}

impl Group {
    fn event(&self, kind: EventKind, data: serde_json::Value, actor: Actor, now: Timestamp, rng: &mut Rng) -> Event {
        Event {
            id: EventId::mint(now, rng),
            shop: self.shop,
            kind,
            actor,
            order: None,
            license: None,
            customer: None,
            data,
            at: now,
        }
    }
}

/// Makes a group, which is empty.
#[must_use]
pub fn create_group(group: Group, actor: Actor, now: Timestamp, rng: &mut Rng) -> Changes {
    let data = json!({
        "group": group.id, "name": group.name, "max_licenses": group.max_licenses, "max_seats": group.max_seats,
    });
    let event = group.event(EventKind::GroupCreated, data, actor, now, rng);
    Changes { groups: vec![group], events: vec![event], ..Changes::default() }
}

/// Changes its name and its limits. What is so already is not written.
///
/// # Errors
/// When it holds more than it would be allowed.
pub fn change_group(
    used: &GroupUse,
    wanted: &GroupChange,
    reason: &str,
    actor: Actor,
    now: Timestamp,
    rng: &mut Rng,
) -> Result<Changes, Refusal> {
    let before = &used.group;
    let after = Group {
        name: wanted.name.clone().unwrap_or_else(|| before.name.clone()),
        max_licenses: wanted.max_licenses.unwrap_or(before.max_licenses),
        max_seats: wanted.max_seats.unwrap_or(before.max_seats),
        ..before.clone()
    };
    // A limit that is lowered, or set; one that is as it was may be exceeded by what works again.
    let is_below = |was: Option<u32>, is: Option<u32>, held: u32| is != was && is.is_some_and(|most| most < held);
    if is_below(before.max_licenses, after.max_licenses, used.licenses)
        || is_below(before.max_seats, after.max_seats, used.seats())
    {
        return Err(Refusal::GroupBelowUsed { licenses: used.licenses, seats: used.seats() });
    }
    let changes = between(facts(before), facts(&after));
    if changes.is_empty() {
        return Ok(Changes::default());
    }
    let data = json!({ "group": after.id, "name": after.name, "reason": reason, "changes": changes });
    let event = after.event(EventKind::GroupChanged, data, actor, now, rng);
    Ok(Changes { groups: vec![after], events: vec![event], ..Changes::default() })
}

/// Ends a group that no license is in.
///
/// # Errors
/// When there is a license in it.
pub fn delete_group(used: &GroupUse, actor: Actor, now: Timestamp, rng: &mut Rng) -> Result<Changes, Refusal> {
    if used.members > 0 {
        return Err(Refusal::GroupNotEmpty);
    }
    let group = &used.group;
    let data = json!({ "group": group.id, "name": group.name });
    let event = group.event(EventKind::GroupDeleted, data, actor, now, rng);
    Ok(Changes { ended_groups: vec![group.clone()], events: vec![event], ..Changes::default() })
}

/// Puts a license into a group, and out of the one that it is in; `None`: into none. `lapsed` is how many of its taken
/// seats have leases that are over at this moment; where seats are counted they are given back along with it, so that
/// none of them is renewed inside. What is so already is not written.
///
/// # Errors
/// When the group takes no more licenses, or not the devices of this one.
pub fn regroup(
    license: &License,
    lapsed: u32,
    into: Option<&GroupUse>,
    reason: &str,
    actor: Actor,
    now: Timestamp,
    rng: &mut Rng,
) -> Result<Changes, Refusal> {
    let group = into.map(|used| used.group.id);
    if license.group == group {
        return Ok(Changes::default());
    }
    let mut changes = Changes::default();
    let mut after = License { group, ..license.clone() };
    if let Some(used) = into {
        if license.state.counts_in_group() {
            if let Some(most) = used.group.max_licenses.filter(|most| used.licenses >= *most) {
                return Err(Refusal::GroupLicensesReached { licenses: most });
            }
            let seats = used.seats().saturating_add(license.seats_used.saturating_sub(lapsed));
            if let Some(most) = used.group.max_seats.filter(|most| seats > *most) {
                return Err(Refusal::GroupFull { seats: most });
            }
        }
        if used.group.max_seats.is_some() {
            after.seats_used = license.seats_used.saturating_sub(lapsed);
            give_back(license, after.seats_used, lapsed, &mut changes, now, rng);
        }
        changes.groups.push(used.group.clone());
    }
    let difference = Difference { what: "group", before: shown(license.group), after: shown(group) };
    let mut data = json!({ "reason": reason, "changes": [difference] });
    if let Some(used) = into {
        data["to"] = used.group.name.clone().into();
    }
    changes.events.push(Event {
        id: EventId::mint(now, rng),
        shop: license.shop,
        kind: EventKind::LicenseChanged,
        actor,
        order: Some(license.order),
        license: Some(license.id),
        customer: license.customer,
        data,
        at: now,
    });
    changes.licenses.push(after);
    Ok(changes)
}

/// Everything that can be different about a group.
fn facts(group: &Group) -> [(&'static str, String); 3] {
    [("name", group.name.clone()), ("max_licenses", shown(group.max_licenses)), ("max_seats", shown(group.max_seats))]
}

fn shown(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;
    use crate::fixture::{Reporter, START, World, activation_request, rng};
    use crate::{LicenseId, PaymentStatus, activate};

    fn license() -> License {
        let mut world = World::submitted();
        let captured = world.sale.order.total;
        let reporter = Reporter::of(&world.sale, 0);
        world.meet(&reporter.payment(PaymentStatus::Succeeded { captured })).unwrap();
        world.sale.licenses[0].clone()
    }

    /// One whose seats are leased.
    fn leased() -> License {
        let mut license = license();
        license.policy.seating.lease_seconds = Some(600);
        license
    }

    fn used(max_licenses: Option<u32>, max_seats: Option<u32>, licenses: u32, seats: u32) -> GroupUse {
        let group = Group {
            id: GroupId::mint(START, &mut rng(4)),
            shop: license().shop,
            version: 3,
            name: "Studio North".to_owned(),
            max_licenses,
            max_seats,
            created_at: START,
        };
        GroupUse { group, members: licenses, licenses, taken: seats, lapsed: 0 }
    }

    #[test]
    fn a_seat_is_given_while_the_group_holds_fewer_than_it_may() {
        let (own, other) = (license(), License { id: LicenseId::mint(START, &mut rng(8)), ..license() });
        #[rustfmt::skip]
        let table = [
            // May hold, taken, of them over: of the license itself, of another; whether there is a seat.
            (Some(2), 1, 0, 0, true),
            (Some(2), 2, 0, 0, false),
            (Some(2), 3, 0, 0, false),
            (Some(0), 0, 0, 0, false),
            (Some(2), 2, 1, 0, true),
            (Some(2), 2, 0, 1, true),
            (Some(2), 3, 0, 1, false),
            (Some(2), 4, 1, 2, true),
        ];
        for (most, taken, lapsed, of_other, is_given) in table {
            // What the license itself gives back is told beside it, and counts once.
            let seats = GroupSeats {
                used: used(None, most, 2, taken),
                lapsed: [(&own, lapsed), (&other, of_other)]
                    .into_iter()
                    .filter(|(_, lapsed)| *lapsed > 0)
                    .map(|(license, lapsed)| (license.clone(), lapsed))
                    .collect(),
            };
            let mut changes = Changes::default();
            let given = seats.admit(&own, lapsed, &mut changes);
            assert_eq!(given.is_ok(), is_given, "{taken} of {most:?}, {lapsed} and {of_other} are over");
            assert_eq!(changes.groups.len(), usize::from(is_given), "who takes one writes the group");
            assert!(is_given || given == Err(Refusal::GroupFull { seats: most.unwrap() }));
        }
        let seats = GroupSeats { used: used(None, None, 1, 900), lapsed: Vec::new() };
        let mut changes = Changes::default();
        assert_eq!(seats.admit(&own, 0, &mut changes), Ok(()));
        assert_eq!(changes.groups.len(), 1, "a limit may be set at the same moment");
    }

    #[test]
    fn what_others_no_longer_use_makes_room_and_is_given_back() {
        let own = leased();
        let other = License { id: LicenseId::mint(START, &mut rng(8)), seats_used: 5, ..leased() };
        let seats = GroupSeats { used: used(None, Some(5), 2, 5), lapsed: vec![(other.clone(), 3)] };
        let request = activation_request("laptop");
        let (changes, _) = activate(&own, None, 0, Some(&seats), &request, START, &mut rng(5)).unwrap();
        let after = [License { seats_used: 1, ..own }, License { seats_used: 2, ..other.clone() }];
        assert_eq!(changes.licenses, after);
        let lapses: Vec<(LicenseId, u32)> = changes.lapses.iter().map(|lapse| (lapse.license, lapse.seats)).collect();
        assert_eq!(lapses, [(other.id, 3)]);
    }

    #[test]
    fn what_is_missing_is_what_must_be_given_back_before_one_more_sits_down() {
        #[rustfmt::skip]
        let table = [
            // May hold, taken, of them over; how many must go first.
            (None,     9, 9, 0),
            (Some(5),  4, 4, 0),
            (Some(5),  5, 0, 0),
            (Some(5),  5, 1, 1),
            (Some(5),  5, 5, 1),
            (Some(5),  9, 4, 0),
            (Some(5),  9, 5, 5),
            (Some(0),  3, 3, 0),
        ];
        for (most, taken, lapsed, missing) in table {
            let used = GroupUse { lapsed, ..used(None, most, 2, taken) };
            assert_eq!(used.missing(), missing, "{taken} of {most:?}, {lapsed} are over");
        }
    }

    #[test]
    fn a_license_comes_in_with_its_devices_or_not_at_all() {
        let full = |seats| Err(Refusal::GroupFull { seats });
        #[rustfmt::skip]
        let table = [
            // May hold, holds, and the license: seats taken, of them over, state; then what becomes of it.
            (None,    None,     9, 90, 2, 0, LicenseState::Active,            Ok(())),
            (Some(2), None,     1, 0,  0, 0, LicenseState::Active,            Ok(())),
            (Some(2), None,     2, 0,  0, 0, LicenseState::Active,            Err(Refusal::GroupLicensesReached { licenses: 2 })),
            (None,    Some(5),  1, 3,  2, 0, LicenseState::Active,            Ok(())),
            (None,    Some(5),  1, 4,  2, 0, LicenseState::Active,            full(5)),
            (None,    Some(5),  1, 4,  2, 1, LicenseState::Active,            Ok(())),
            (None,    None,     1, 4,  2, 1, LicenseState::Active,            Ok(())),
            (None,    Some(5),  1, 4,  2, 0, LicenseState::SuspendedByPerson, full(5)),
            (Some(1), Some(5),  1, 5,  2, 0, LicenseState::RevokedByRefund,   Ok(())),
        ];
        for (max_licenses, max_seats, licenses, seats, taken, lapsed, state, expected) in table {
            let used = used(max_licenses, max_seats, licenses, seats);
            let license = License { seats_used: taken, state, ..leased() };
            let told = regroup(&license, lapsed, Some(&used), "one company", Actor::Api, START, &mut rng(5));
            let case = format!("{used:?}: {taken} seats, {lapsed} of them over, {state:?}");
            assert_eq!(told.as_ref().map(|_| ()).map_err(Clone::clone), expected, "{case}");
            let Ok(changes) = told else { continue };
            let given_back = if max_seats.is_some() { lapsed } else { 0 };
            let seats_used = taken - given_back;
            assert_eq!(changes.licenses, [License { group: Some(used.group.id), seats_used, ..license.clone() }]);
            assert_eq!(changes.groups, vec![used.group.clone()], "so that nobody else comes in at the same moment");
            assert_eq!(changes.events.last().unwrap().data["to"], "Studio North");
            let lapses: Vec<u32> = changes.lapses.iter().map(|lapse| lapse.seats).collect();
            assert_eq!(lapses, Vec::from_iter((given_back > 0).then_some(given_back)), "{case}");
        }
    }

    #[test]
    fn a_license_is_in_one_group_and_leaves_it_without_asking() {
        let crowded = used(Some(1), Some(1), 7, 70);
        let inside = License { group: Some(crowded.group.id), ..license() };
        let again = regroup(&inside, 0, Some(&crowded), "again", Actor::Api, START, &mut rng(5)).unwrap();
        assert!(again.is_empty(), "it is in it already");
        let out = regroup(&inside, 0, None, "sold off", Actor::Api, START, &mut rng(5)).unwrap();
        assert_eq!((out.licenses[0].group, out.groups.len()), (None, 0));
        assert_eq!(out.events[0].data["reason"], "sold off");
        assert!(regroup(&out.licenses[0], 0, None, "again", Actor::Api, START, &mut rng(5)).unwrap().is_empty());
    }

    #[test]
    fn limits_are_not_set_below_what_is_held_and_a_group_ends_empty() {
        let change = |used: &GroupUse, wanted: &GroupChange| {
            change_group(used, wanted, "renegotiated", Actor::Api, START, &mut rng(5))
        };
        let seats = |most| GroupChange { max_seats: Some(most), ..GroupChange::default() };
        let licenses = |most| GroupChange { max_licenses: Some(most), ..GroupChange::default() };
        let used = used(Some(3), Some(20), 3, 12);
        let below = Err(Refusal::GroupBelowUsed { licenses: 3, seats: 12 });
        assert_eq!(change(&used, &seats(Some(11))), below);
        assert_eq!(change(&used, &licenses(Some(2))), below);
        let changes = change(&used, &seats(Some(12))).unwrap();
        assert_eq!((changes.groups[0].max_seats, changes.groups[0].max_licenses), (Some(12), Some(3)));
        assert_eq!(changes.events[0].data["changes"], json!([{ "what": "max_seats", "before": "20", "after": "12" }]));
        assert_eq!(change(&used, &seats(None)).unwrap().groups[0].max_seats, None);
        assert!(change(&used, &seats(Some(20))).unwrap().is_empty());
        // Something works again, and the group holds more than it may: it can be renamed all the same.
        let over = GroupUse { taken: 25, ..used.clone() };
        let name = GroupChange { name: Some("Studio".to_owned()), ..GroupChange::default() };
        assert_eq!(change(&over, &name).unwrap().groups[0].name, "Studio");
        assert_eq!(change(&over, &seats(Some(24))), Err(Refusal::GroupBelowUsed { licenses: 3, seats: 25 }));

        let end = |used: &GroupUse| delete_group(used, Actor::Api, START, &mut rng(5));
        assert_eq!(end(&used), Err(Refusal::GroupNotEmpty));
        let taken_back = GroupUse { members: 1, licenses: 0, taken: 0, ..used.clone() };
        assert_eq!(end(&taken_back), Err(Refusal::GroupNotEmpty), "what was taken back is in it too");
        let empty = GroupUse { members: 0, ..taken_back };
        assert_eq!(end(&empty).unwrap().ended_groups, [used.group]);
    }
}
