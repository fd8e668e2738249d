//! What people of the shop do to one license by hand, besides changing what it allows: switch it off and on, take it
//! back, move it to another customer. And how what was done by hand is undone.
//!
//! Each act says why, and keeps in the journal what it changed. To undo it is an
//! act of its own, which needs the license to be in those parts as the act left it.

use serde_json::{Map, Value, json};

use crate::{
    Activation, Actor, Changes, Customer, CustomerId, Event, EventId, EventKind, License, LicenseState, Policy,
    Refusal, Rng, Timestamp, deactivate,
};

/// What a person does to a license.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManualAct<'a> {
    /// Switches it off for now.
    Suspend,
    /// Lets it work again.
    Reinstate,
    /// Takes it back.
    Revoke,
    /// Gives it to another customer.
    Move(&'a Customer),
}

/// Does it. `money` is what the payments, refunds and disputes of its order make of a license; `name` is the name of
/// the event that tells of it.
///
/// # Errors
/// When the license is so already, or its state does not allow it.
pub fn act_by_hand(
    license: &License,
    act: ManualAct<'_>,
    money: Option<LicenseState>,
    reason: &str,
    actor: Actor,
    now: Timestamp,
    name: EventId,
) -> Result<Changes, Refusal> {
    let unfit = || Refusal::LicenseStateUnfit { state: license.state };
    let after = match (act, license.state) {
        (ManualAct::Suspend, LicenseState::Active | LicenseState::SuspendedByDispute) => {
            License { state: LicenseState::SuspendedByPerson, ..license.clone() }
        }
        (
            ManualAct::Suspend,
            LicenseState::SuspendedByPerson
            | LicenseState::RevokedByRefund
            | LicenseState::RevokedByDispute
            | LicenseState::RevokedByPerson,
        ) => return Err(unfit()),
        // What money decided meanwhile holds once the person lets go.
        (ManualAct::Reinstate, LicenseState::SuspendedByPerson) => {
            License { state: money.unwrap_or(LicenseState::Active), ..license.clone() }
        }
        (
            ManualAct::Reinstate,
            LicenseState::RevokedByRefund | LicenseState::RevokedByDispute | LicenseState::RevokedByPerson,
        ) => License { state: LicenseState::Active, ..license.clone() },
        // While the bank looks into the payment, it is the bank's to say.
        (ManualAct::Reinstate, LicenseState::Active | LicenseState::SuspendedByDispute) => return Err(unfit()),
        (ManualAct::Revoke, LicenseState::RevokedByPerson) => return Err(unfit()),
        (
            ManualAct::Revoke,
            LicenseState::Active
            | LicenseState::SuspendedByDispute
            | LicenseState::SuspendedByPerson
            | LicenseState::RevokedByRefund
            | LicenseState::RevokedByDispute,
        ) => License { state: LicenseState::RevokedByPerson, ..license.clone() },
        (ManualAct::Move(customer), _) if license.customer == Some(customer.id) => {
            return Err(Refusal::TransferToOwner);
        }
        (ManualAct::Move(customer), _) => License { customer: Some(customer.id), ..license.clone() },
    };
    let mut data = json!({ "reason": reason });
    if let ManualAct::Move(customer) = act {
        data["to"] = customer.email.masked().into();
    }
    Ok(told(license, after, data, actor, now, name))
}

/// Frees a seat by hand. That is not undone: the device takes one again when it is wanted.
///
/// # Errors
/// When the seat is free already.
pub fn release_by_hand(
    license: &License,
    seat: &Activation,
    reason: &str,
    actor: Actor,
    now: Timestamp,
    rng: &mut Rng,
) -> Result<Changes, Refusal> {
    let (mut changes, _) = deactivate(license, seat, actor, now, rng)?;
    for event in &mut changes.events {
        event.data["reason"] = reason.into();
    }
    Ok(changes)
}

/// What an act by hand changed, for the journal: enough to undo it.
pub(crate) fn undo_data(before: &License, after: &License) -> Value {
    let (before, after) = (parts(before), parts(after));
    let differ = before.keys().chain(after.keys()).filter(|name| before.get(*name) != after.get(*name));
    let (mut was, mut is) = (Map::new(), Map::new());
    for name in differ {
        was.insert(name.clone(), before.get(name).cloned().unwrap_or_default());
        is.insert(name.clone(), after.get(name).cloned().unwrap_or_default());
    }
    json!({ "was": was, "is": is })
}

/// Whether an event tells of an act by hand that can be undone.
#[must_use]
pub fn is_undoable(event: &Event) -> bool {
    undo_of(event).is_some()
}

/// Undoes what an event of this license tells of: every part that it changed is again as it was before. `name` is the
/// name of the event that tells of the undoing.
///
/// # Errors
/// When the event tells of nothing that can be undone, or one of those parts was changed since; also when the license
/// would be again what the money made of it, and the money says something else by now.
pub fn undo(
    license: &License,
    event: &Event,
    money: Option<LicenseState>,
    reason: &str,
    actor: Actor,
    now: Timestamp,
    name: EventId,
) -> Result<Changes, Refusal> {
    let (was, is) = undo_of(event).filter(|_| event.license == Some(license.id)).ok_or(Refusal::NotUndoable)?;
    let (mut was, mut is, mut parts) = (each_flag(was), each_flag(is), parts(license));
    // An event of an earlier version tells of flags that it left as they were.
    let all = was.clone();
    was.retain(|name, value| is.get(name) != Some(value));
    is.retain(|name, value| all.get(name) != Some(value));
    if is.iter().any(|(name, value)| parts.get(name).unwrap_or(&Value::Null) != value) {
        return Err(Refusal::ChangedSince);
    }
    parts.retain(|name, _| !is.contains_key(name));
    parts.extend(was.into_iter().filter(|(_, value)| !value.is_null()));
    let after = with_parts(license, &parts).ok_or(Refusal::NotUndoable)?;
    // What money decided then it may decide otherwise by now, and nobody would look at it again.
    let is_moneys_again = after.state != license.state && !after.state.is_by_person();
    if is_moneys_again && money.is_some_and(|state| state != after.state) {
        return Err(Refusal::ChangedSince);
    }
    if after.policy.seat_cap().is_some_and(|cap| cap < after.seats_used) {
        return Err(Refusal::SeatsBelowUsed { used: after.seats_used });
    }
    Ok(told(license, after, json!({ "reason": reason, "undoes": event.id }), actor, now, name))
}

/// The parts of a license, by name.
type Parts = Map<String, Value>;

/// What tells which parts were changed by hand.
const BY_HAND: &str = "policy.by_hand";

fn undo_of(event: &Event) -> Option<(&Parts, &Parts)> {
    let undo = event.data.get("undo")?;
    let (was, is) = (undo.get("was")?.as_object()?, undo.get("is")?.as_object()?);
    (!is.is_empty()).then_some((was, is))
}

fn told(before: &License, after: License, mut data: Value, actor: Actor, now: Timestamp, name: EventId) -> Changes {
    let kind = if before.state != after.state {
        match after.state {
            LicenseState::Active => EventKind::LicenseReinstated,
            LicenseState::SuspendedByDispute | LicenseState::SuspendedByPerson => EventKind::LicenseSuspended,
            LicenseState::RevokedByRefund | LicenseState::RevokedByDispute | LicenseState::RevokedByPerson => {
                EventKind::LicenseRevoked
            }
        }
    } else if before.customer != after.customer {
        EventKind::LicenseTransferred
    } else {
        EventKind::LicenseChanged
    };
    data["undo"] = undo_data(before, &after);
    if kind == EventKind::LicenseChanged {
        data["changes"] = json!(crate::adjust::differences(before, &after));
    } else {
        data["key_tail"] = after.key_tail.clone().into();
    }
    let event = Event {
        id: name,
        shop: after.shop,
        kind,
        actor,
        order: Some(after.order),
        license: Some(after.id),
        customer: after.customer,
        data,
        at: now,
    };
    Changes { licenses: vec![after], events: vec![event], ..Changes::default() }
}

/// Everything that is changed by hand, each part by its name. A part that rests is left out, as in a policy.
fn parts(license: &License) -> Map<String, Value> {
    let mut parts = Map::new();
    if let Ok(Value::Object(policy)) = serde_json::to_value(&license.policy) {
        parts.extend(policy.into_iter().map(|(name, value)| (format!("policy.{name}"), value)));
    }
    parts = each_flag(&parts);
    parts.insert("state".to_owned(), license.state.as_str().into());
    parts.insert("customer".to_owned(), json!(license.customer));
    parts.insert("started_at".to_owned(), json!(license.started_at));
    parts.insert("expires_at".to_owned(), json!(license.expires_at));
    parts.insert("updates_until".to_owned(), json!(license.updates_until));
    parts.retain(|_, value| !value.is_null());
    parts
}

/// The parts with each thing that was changed by hand as one of its own: who changed the seats has nothing to do with who
/// changed the end. An event of an earlier version tells of all of them as one.
fn each_flag(parts: &Parts) -> Parts {
    let mut each = Map::new();
    for (name, value) in parts {
        if name == BY_HAND {
            let set = value.as_object().into_iter().flatten().filter(|(_, value)| **value == Value::Bool(true));
            each.extend(set.map(|(flag, value)| (format!("{BY_HAND}.{flag}"), value.clone())));
        } else {
            each.insert(name.clone(), value.clone());
        }
    }
    each
}

fn with_parts(license: &License, parts: &Map<String, Value>) -> Option<License> {
    let of_policy = parts.iter().filter_map(|(name, value)| Some((name.strip_prefix("policy.")?, value)));
    let (mut policy, mut by_hand) = (Map::new(), Map::new());
    for (name, value) in of_policy {
        match name.strip_prefix("by_hand.") {
            Some(flag) => by_hand.insert(flag.to_owned(), value.clone()),
            None => policy.insert(name.to_owned(), value.clone()),
        };
    }
    policy.insert("by_hand".to_owned(), by_hand.into());
    let part = |name: &str| parts.get(name).cloned().unwrap_or_default();
    let time = |name: &str| serde_json::from_value::<Option<Timestamp>>(part(name)).ok();
    Some(License {
        policy: serde_json::from_value::<Policy>(Value::Object(policy)).ok()?,
        state: LicenseState::parse(parts.get("state")?.as_str()?)?,
        customer: serde_json::from_value::<Option<CustomerId>>(part("customer")).ok()?,
        started_at: time("started_at")?,
        expires_at: time("expires_at")?,
        updates_until: time("updates_until")?,
        ..license.clone()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::fixture::{Reporter, START, World, rng};
    use crate::{Adjustment, Country, Duration, Email, Locale, PaymentStatus, adjust};

    fn license() -> License {
        let mut world = World::submitted();
        let captured = world.sale.order.total;
        let reporter = Reporter::of(&world.sale, 0);
        world.meet(&reporter.payment(PaymentStatus::Succeeded { captured })).unwrap();
        world.sale.licenses[0].clone()
    }

    fn name(seed: u8) -> EventId {
        EventId::mint(START, &mut rng(seed))
    }

    fn other(license: &License) -> Customer {
        Customer {
            id: CustomerId::mint(START, &mut rng(8)),
            shop: license.shop,
            version: 1,
            email: Email::parse("bob@shop.test").unwrap(),
            name: None,
            country: Country::DE,
            locale: Locale::english(),
            created_at: START,
        }
    }

    fn act(license: &License, act: ManualAct<'_>, money: LicenseState) -> Result<(License, Event), Refusal> {
        let user = Actor::User(crate::UserId::mint(START, &mut rng(1)));
        let mut changes = act_by_hand(license, act, Some(money), "why", user, START, name(3))?;
        Ok((changes.licenses.remove(0), changes.events.remove(0)))
    }

    fn undone(license: &License, event: &Event) -> Result<License, Refusal> {
        let changes = undo(license, event, Some(LicenseState::Active), "oops", Actor::Api, START, name(5))?;
        assert_eq!(changes.events[0].data["undoes"], json!(event.id));
        Ok(changes.licenses[0].clone())
    }

    #[test]
    fn a_person_switches_off_and_on_what_the_state_allows() {
        use LicenseState::{
            Active, RevokedByDispute, RevokedByPerson, RevokedByRefund, SuspendedByDispute, SuspendedByPerson,
        };
        #[rustfmt::skip]
        let table = [
            // From, what money says, then: suspend, reinstate, revoke.
            (Active,             Active,          Some(SuspendedByPerson), None,                  Some(RevokedByPerson)),
            (SuspendedByDispute, SuspendedByDispute, Some(SuspendedByPerson), None,               Some(RevokedByPerson)),
            (SuspendedByPerson,  Active,          None,                    Some(Active),          Some(RevokedByPerson)),
            (SuspendedByPerson,  RevokedByRefund, None,                    Some(RevokedByRefund), Some(RevokedByPerson)),
            (RevokedByRefund,    RevokedByRefund, None,                    Some(Active),          Some(RevokedByPerson)),
            (RevokedByDispute,   RevokedByDispute, None,                   Some(Active),          Some(RevokedByPerson)),
            (RevokedByPerson,    Active,          None,                    Some(Active),          None),
        ];
        for (from, money, suspended, reinstated, revoked) in table {
            let license = License { state: from, ..license() };
            for (what, expected) in
                [(ManualAct::Suspend, suspended), (ManualAct::Reinstate, reinstated), (ManualAct::Revoke, revoked)]
            {
                let state = act(&license, what, money).map(|(license, event)| {
                    assert_eq!(event.data["reason"], "why");
                    license.state
                });
                assert_eq!(state, expected.ok_or(Refusal::LicenseStateUnfit { state: from }), "{from:?} {what:?}");
            }
        }
    }

    #[test]
    fn a_license_moves_to_another_customer_and_back() {
        let license = license();
        let other = other(&license);
        let (moved, event) = act(&license, ManualAct::Move(&other), LicenseState::Active).unwrap();
        assert_eq!((moved.customer, event.kind), (Some(other.id), EventKind::LicenseTransferred));
        assert_eq!((moved.order, event.data["to"].as_str()), (license.order, Some("b…@shop.test")));
        assert_eq!(act(&moved, ManualAct::Move(&other), LicenseState::Active), Err(Refusal::TransferToOwner));
        assert_eq!(undone(&moved, &event), Ok(license));
    }

    #[test]
    fn what_was_done_by_hand_is_undone_while_it_stands() {
        let license = license();
        let wanted = Adjustment {
            seats: Some(Some(9)),
            expires_at: Some(None),
            features: Some(vec!["all".to_owned()]),
            ..Adjustment::default()
        };
        let adjusted = adjust(&license, &wanted, "paid", Actor::Api, START, &mut rng(3)).unwrap();
        let (event, after) = (&adjusted.changes.events[0], &adjusted.license);
        assert!(is_undoable(event));
        // What has nothing to do with it may have changed.
        let used = License { seats_used: 2, version: 7, ..after.clone() };
        assert_eq!(undone(&used, event), Ok(License { seats_used: 2, version: 7, ..license.clone() }));
        let mut twice = after.clone();
        twice.policy.seats = Some(10);
        assert_eq!(undone(&twice, event), Err(Refusal::ChangedSince), "somebody raised it further");
        assert_eq!(undone(&license, event), Err(Refusal::ChangedSince), "it is undone already");
        let full = License { seats_used: 3, ..after.clone() };
        assert_eq!(undone(&full, event), Err(Refusal::SeatsBelowUsed { used: 3 }), "who sits is not thrown out");
        let elsewhere = License { id: crate::LicenseId::mint(START, &mut rng(8)), ..after.clone() };
        assert_eq!(undone(&elsewhere, event), Err(Refusal::NotUndoable));
        let issued = Event { data: json!({ "key_tail": "ABCD" }), ..event.clone() };
        assert!(!is_undoable(&issued));
        assert_eq!(undone(after, &issued), Err(Refusal::NotUndoable));
    }

    #[test]
    fn what_was_changed_by_hand_is_undone_part_by_part() {
        let license = license();
        let adjusted = |license: &License, wanted: Adjustment| {
            let mut adjusted = adjust(license, &wanted, "paid", Actor::Api, START, &mut rng(3)).unwrap();
            (adjusted.license, adjusted.changes.events.remove(0))
        };
        let end = START.after(Duration::days(900));
        let (more, seats) = adjusted(&license, Adjustment { seats: Some(Some(9)), ..Adjustment::default() });
        let (longer, end_changed) =
            adjusted(&more, Adjustment { expires_at: Some(Some(end)), ..Adjustment::default() });
        let back = undone(&longer, &seats).unwrap();
        assert_eq!((back.policy.seats, back.expires_at), (license.policy.seats, Some(end)));
        assert!(back.policy.by_hand.expires_at && !back.policy.by_hand.seats, "{:?}", back.policy.by_hand);
        // An event of an earlier version tells of everything that was changed by hand as of one part.
        let earlier = |event: &Event, was: Value, is: Value| {
            let mut event = event.clone();
            for (side, flags) in [("was", was), ("is", is)] {
                let parts = event.data["undo"][side].as_object_mut().unwrap();
                parts.retain(|name, _| !name.starts_with(BY_HAND));
                parts.insert(BY_HAND.to_owned(), flags);
            }
            event
        };
        let set = |end: bool| json!({ "seats": true, "usage_limit": false, "expires_at": end });
        let end_changed = earlier(&end_changed, set(false), set(true));
        let earlier = earlier(&seats, Value::Null, set(false));
        assert_eq!(undone(&longer, &earlier), Ok(back));
        assert_eq!(undone(&more, &earlier), Ok(license.clone()));
        // Then the end, told by an event of that time, after the seats were undone.
        let without_seats = undone(&longer, &seats).unwrap();
        assert_eq!(undone(&without_seats, &end_changed), Ok(license));
    }

    #[test]
    fn an_undoing_can_be_undone_and_money_has_the_last_word() {
        let license = license();
        let (suspended, event) = act(&license, ManualAct::Suspend, LicenseState::Active).unwrap();
        let undo = |license: &License, event: &Event, money| {
            undo(license, event, Some(money), "oops", Actor::Api, START.after(Duration::days(1)), name(5))
        };
        let back = undo(&suspended, &event, LicenseState::Active).unwrap();
        assert_eq!((&back.licenses[0], back.events[0].kind), (&license, EventKind::LicenseReinstated));
        let again = undo(&back.licenses[0], &back.events[0], LicenseState::Active).unwrap();
        assert_eq!((&again.licenses[0], again.events[0].kind), (&suspended, EventKind::LicenseSuspended));
        let refunded = undo(&suspended, &event, LicenseState::RevokedByRefund);
        assert_eq!(refunded, Err(Refusal::ChangedSince), "the money went back meanwhile");
        let disputed = License { state: LicenseState::SuspendedByDispute, ..license.clone() };
        let (suspended, event) = act(&disputed, ManualAct::Suspend, LicenseState::SuspendedByDispute).unwrap();
        let open = undo(&suspended, &event, LicenseState::SuspendedByDispute).unwrap();
        assert_eq!(open.licenses, [disputed]);
        for money in [LicenseState::Active, LicenseState::RevokedByDispute] {
            assert_eq!(undo(&suspended, &event, money), Err(Refusal::ChangedSince), "the bank has decided: {money:?}");
        }
    }
}
