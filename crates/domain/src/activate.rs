//! Taking and freeing seats.
//!
//! The count of taken seats is in the license row, so its version makes two
//! devices that reach for the last seat at once come one after the other. A
//! lease that is over frees its seat by the time alone: whoever next takes a
//! seat of the license gives all of those back in the same commit, and the
//! commit fails when one of them was renewed meanwhile.

use std::collections::BTreeMap;

use serde_json::json;

use crate::{
    Activation, ActivationId, ActivationState, Actor, Changes, Event, EventId, EventKind, Fingerprint, GroupSeats,
    Lapse, License, Refusal, Rng, Standing, Starts, Timestamp, Warning,
};

/// What an app says when it wants a seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivationRequest {
    /// The device.
    pub fingerprint: Fingerprint,
    /// What its owner calls it.
    pub name: Option<String>,
    /// The app's own notes.
    pub metadata: BTreeMap<String, String>,
    /// When the version that asks came out; `None`: it is not looked at.
    pub version_released_at: Option<Timestamp>,
    /// What the device is made of, so that it is known under another fingerprint later.
    pub components: BTreeMap<String, String>,
}

impl ActivationRequest {
    /// For this device, with nothing else to say.
    #[must_use]
    pub const fn of(fingerprint: Fingerprint) -> Self {
        Self {
            fingerprint,
            name: None,
            metadata: BTreeMap::new(),
            version_released_at: None,
            components: BTreeMap::new(),
        }
    }
}

/// Gives the device a seat. `seat` is the activation that the fingerprint has
/// on this license, taken or released, or the one that its components are known
/// by: then the seat goes on under the new fingerprint; `lapsed` is how many taken seats have
/// leases that are over at this moment; `group` is what the license belongs to. A device that holds its seat keeps it;
/// then only its lease, the name and the notes are renewed, and the group is not looked at.
///
/// # Errors
/// When the license does not work, covers another version, takes nobody new, or no seat is free, of its own or of the
/// group.
pub fn activate(
    license: &License,
    seat: Option<&Activation>,
    lapsed: u32,
    group: Option<&GroupSeats>,
    request: &ActivationRequest,
    now: Timestamp,
    rng: &mut Rng,
) -> Result<(Changes, Activation), Refusal> {
    match license.standing(now) {
        Standing::Active => {}
        standing @ (Standing::Suspended | Standing::Expired | Standing::Revoked) => {
            return Err(Refusal::LicenseNotUsable(standing));
        }
    }
    if !license.covers(request.version_released_at, now) {
        return Err(Refusal::UpdateNotCovered);
    }
    if let Some(held) = seat.filter(|seat| license.is_seated(seat, now)) {
        let mut held = held.clone();
        held.last_seen_at = now.max(held.last_seen_at);
        let is_renamed = request.name.is_some() && held.name != request.name;
        held.name = request.name.clone().or(held.name);
        if !request.metadata.is_empty() {
            held.metadata.clone_from(&request.metadata);
        }
        if !request.components.is_empty() {
            held.components.clone_from(&request.components);
        }
        let is_known_otherwise = held.fingerprint != request.fingerprint;
        held.fingerprint = request.fingerprint.clone();
        let mut changes = Changes::default();
        if is_known_otherwise || is_renamed || !request.components.is_empty() {
            changes.devices.push(held.clone());
        } else {
            changes.activations.push(held.clone());
        }
        if is_known_otherwise {
            changes.events.push(event(license, &held, EventKind::ActivationChanged, Actor::App, now, rng));
        }
        return Ok((changes, held));
    }
    if license.is_closed(now) {
        return Err(Refusal::LicenseNotUsable(Standing::Expired));
    }
    let held = license.seats_used.saturating_sub(lapsed);
    if license.policy.seat_cap().is_some_and(|cap| held >= cap) {
        return Err(Refusal::SeatLimitReached { seats: license.policy.seats.unwrap_or_default() });
    }
    let mut changes = Changes::default();
    if let Some(group) = group {
        group.admit(license, lapsed, &mut changes)?;
    }
    let started = license.started(Starts::FirstActivation, now);
    let begins = started.is_some();
    let mut license = started.unwrap_or_else(|| license.clone());
    license.seats_used = held.saturating_add(1);
    let activation = Activation {
        id: ActivationId::mint(now, rng),
        shop: license.shop,
        version: 0,
        license: license.id,
        fingerprint: request.fingerprint.clone(),
        name: request.name.clone(),
        label: None,
        metadata: request.metadata.clone(),
        components: request.components.clone(),
        state: ActivationState::Active,
        created_at: now,
        last_seen_at: now,
    };
    if begins {
        changes.events.push(started_event(&license, now, rng));
    }
    give_back(&license, held, lapsed, &mut changes, now, rng);
    changes.events.push(event(&license, &activation, EventKind::ActivationCreated, Actor::App, now, rng));
    changes.licenses.push(license.clone());
    changes.activations.push(activation.clone());
    for (other, lapsed) in group.iter().flat_map(|group| group.others(&license)) {
        let held = other.seats_used.saturating_sub(*lapsed);
        give_back(other, held, *lapsed, &mut changes, now, rng);
        changes.licenses.push(License { seats_used: held, ..other.clone() });
    }
    Ok((changes, activation))
}

/// Gives back the seats of a license whose leases are over; `held` are left.
pub(crate) fn give_back(
    license: &License,
    held: u32,
    lapsed: u32,
    changes: &mut Changes,
    now: Timestamp,
    rng: &mut Rng,
) {
    let Some(lease) = license.policy.lease().filter(|_| lapsed > 0) else { return };
    let lapse = Lapse { shop: license.shop, license: license.id, last_seen_by: now.before(lease), seats: lapsed };
    let data = json!({ "seats": lapsed, "seats_used": held });
    changes.events.push(told(license, EventKind::ActivationLapsed, Actor::System, data, now, rng));
    changes.lapses.push(lapse);
}

/// Begins the clock of a license that an app was told "yes" about for the first
/// time; `None` when it runs already, or waits for something else.
#[must_use]
pub fn begin(license: &License, now: Timestamp, rng: &mut Rng) -> Option<(Changes, License)> {
    let started = license.started(Starts::FirstValidation, now)?;
    let event = started_event(&started, now, rng);
    Some((Changes { licenses: vec![started.clone()], events: vec![event], ..Changes::default() }, started))
}

/// Frees the seat.
///
/// # Errors
/// When the seat was free already.
pub fn deactivate(
    license: &License,
    seat: &Activation,
    actor: Actor,
    now: Timestamp,
    rng: &mut Rng,
) -> Result<(Changes, Activation), Refusal> {
    match seat.state {
        ActivationState::Active => {}
        ActivationState::Released => return Err(Refusal::NotActivated),
    }
    let mut license = license.clone();
    license.seats_used = license.seats_used.saturating_sub(1);
    let mut seat = seat.clone();
    seat.state = ActivationState::Released;
    seat.last_seen_at = now;
    let event = event(&license, &seat, EventKind::ActivationReleased, actor, now, rng);
    let changes =
        Changes { licenses: vec![license], activations: vec![seat.clone()], events: vec![event], ..Changes::default() };
    Ok((changes, seat))
}

/// Notes that the app on the seat is alive, and renews its lease. A lease that is over is not renewed: the seat may
/// be another's by now, and is asked for anew.
///
/// # Errors
/// When the seat is not held.
pub fn heartbeat(license: &License, seat: &Activation, now: Timestamp) -> Result<(Changes, Activation), Refusal> {
    if !license.is_seated(seat, now) {
        return Err(Refusal::NotActivated);
    }
    let mut seat = seat.clone();
    seat.last_seen_at = seat.last_seen_at.max(now);
    Ok((Changes { activations: vec![seat.clone()], ..Changes::default() }, seat))
}

fn event(license: &License, seat: &Activation, kind: EventKind, actor: Actor, now: Timestamp, rng: &mut Rng) -> Event {
    let mut data = json!({ "activation": seat.id, "name": seat.shown_name(), "seats_used": license.seats_used });
    if license.warnings(now).contains(&Warning::Overage) {
        data["overage"] = true.into();
    }
    told(license, kind, actor, data, now, rng)
}

fn started_event(license: &License, now: Timestamp, rng: &mut Rng) -> Event {
    let data = json!({ "expires_at": license.expires_at, "updates_until": license.updates_until });
    told(license, EventKind::LicenseStarted, Actor::App, data, now, rng)
}

fn told(
    license: &License,
    kind: EventKind,
    actor: Actor,
    data: serde_json::Value,
    now: Timestamp,
    rng: &mut Rng,
) -> Event {
    Event {
        id: EventId::mint(now, rng),
        shop: license.shop,
        kind,
        actor,
        order: Some(license.order),
        license: Some(license.id),
        customer: license.customer,
        data,
        at: now,
    }
}

#[cfg(test)]
mod tests;
