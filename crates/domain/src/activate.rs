//! Taking and freeing seats.
//!
//! The count of taken seats is in the license row, so its version makes two
//! devices that reach for the last seat at once come one after the other.

use std::collections::BTreeMap;

use serde_json::json;

use crate::{
    Activation, ActivationId, ActivationState, Actor, Changes, Event, EventId, EventKind, Fingerprint, License,
    Refusal, Rng, Standing, Timestamp,
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
}

/// Gives the device a seat. `seat` is the activation that the fingerprint has
/// on this license, taken or released. A device that has its seat keeps it;
/// then only the name and the notes are renewed.
///
/// # Errors
/// When the license does not work, or no seat is free.
pub fn activate(
    license: &License,
    seat: Option<&Activation>,
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
    if let Some(taken) = seat.filter(|seat| seat.state == ActivationState::Active) {
        let mut taken = taken.clone();
        taken.last_seen_at = now;
        taken.name = request.name.clone().or(taken.name);
        if !request.metadata.is_empty() {
            taken.metadata.clone_from(&request.metadata);
        }
        return Ok((Changes { activations: vec![taken.clone()], ..Changes::default() }, taken));
    }
    if let Some(seats) = license.policy.seats.filter(|seats| license.seats_used >= *seats) {
        return Err(Refusal::SeatLimitReached { seats });
    }
    let mut license = license.clone();
    license.seats_used = license.seats_used.saturating_add(1);
    let activation = Activation {
        id: ActivationId::mint(now, rng),
        shop: license.shop,
        version: 0,
        license: license.id,
        fingerprint: request.fingerprint.clone(),
        name: request.name.clone(),
        metadata: request.metadata.clone(),
        state: ActivationState::Active,
        created_at: now,
        last_seen_at: now,
    };
    let event = event(&license, &activation, EventKind::ActivationCreated, Actor::App, now, rng);
    let changes = Changes {
        licenses: vec![license],
        activations: vec![activation.clone()],
        events: vec![event],
        ..Changes::default()
    };
    Ok((changes, activation))
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

/// Notes that the app on the seat is alive.
///
/// # Errors
/// When the seat is not taken.
pub fn heartbeat(seat: &Activation, now: Timestamp) -> Result<(Changes, Activation), Refusal> {
    match seat.state {
        ActivationState::Active => {}
        ActivationState::Released => return Err(Refusal::NotActivated),
    }
    let mut seat = seat.clone();
    seat.last_seen_at = seat.last_seen_at.max(now);
    Ok((Changes { activations: vec![seat.clone()], ..Changes::default() }, seat))
}

fn event(license: &License, seat: &Activation, kind: EventKind, actor: Actor, now: Timestamp, rng: &mut Rng) -> Event {
    Event {
        id: EventId::mint(now, rng),
        shop: license.shop,
        kind,
        actor,
        order: Some(license.order),
        license: Some(license.id),
        customer: license.customer,
        data: json!({ "activation": seat.id, "name": seat.name, "seats_used": license.seats_used }),
        at: now,
    }
}

#[cfg(test)]
mod tests;
