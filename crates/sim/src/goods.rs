//! What must hold of licenses, seats and codes from one step to the next: laws that no row shows by itself, because
//! they are about what a row was before.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Activation, ActivationId, ActivationState, EventKind, License, LicenseId, LicenseState, OrderId, PoolId, Sale,
    Starts, Timestamp,
};

use crate::groups::News;
use crate::sim::Sim;
use crate::stock::Unit;
use crate::universe::at_once;
use crate::{hands, signed};

/// What was seen of goods up to the last step.
#[derive(Default)]
pub(crate) struct Goods {
    licenses: BTreeMap<LicenseId, License>,
    seats: BTreeMap<ActivationId, Activation>,
    /// What each unit got.
    contents: BTreeMap<Unit, String>,
    /// Every unit that has a claim.
    claimed: BTreeSet<Unit>,
    /// How many codes are kept for an order, at most.
    kept: BTreeMap<OrderId, u32>,
    /// What the last step did to licenses that are in groups.
    news: Vec<News>,
}

impl Goods {
    /// What the last step did to licenses that are in groups.
    pub(crate) fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// The license and its seats, after a step that wrote to them.
    pub(crate) fn license_was_written(&mut self, sim: &Sim, id: LicenseId) {
        let (Ok(Some(license)), Ok(seats)) =
            (at_once(sim.rows.license(sim.shop.id, id)), at_once(sim.rows.activations(sim.shop.id, id)))
        else {
            sim.universe.fail(format!("{id} was written and cannot be read"));
            return;
        };
        let taken = seats.iter().filter(|seat| seat.state == ActivationState::Active).count();
        let within = license.policy.seat_cap().is_none_or(|cap| license.seats_used <= cap);
        if u32::try_from(taken) != Ok(license.seats_used) || !within {
            sim.universe.fail(format!(
                "{id}: {taken} seats are taken, {} are counted, {:?} there are",
                license.seats_used, license.policy.seats
            ));
        }
        let before = self.licenses.get(&id);
        time_is_as_sold(sim, before, &license);
        hands::license_was_written(sim, before, &license);
        signed::license_was_written(sim, &license);
        self.news.extend(News::of(before, &license));
        let has_same_key = before.is_none_or(|before| before.key_tail == license.key_tail);
        for seat in seats {
            let was = self.seats.insert(seat.id, seat.clone());
            if was.is_none() && seat.state == ActivationState::Active {
                self.news.push(News::Seated(license.clone(), seat.clone()));
            }
            match was {
                Some(was) if was.state == ActivationState::Active => {
                    seat_went_on_or_was_given_back(sim, &license, &was, &seat, has_same_key);
                }
                Some(_) if seat.state == ActivationState::Active => {
                    sim.universe.fail(format!("the seat {} was given back and is taken again", seat.id));
                }
                Some(_) | None => {}
            }
        }
        self.licenses.insert(id, license);
    }

    /// The claims of an order, after a step that wrote to it.
    pub(crate) fn order_was_written(&mut self, sim: &Sim, sale: &Sale) {
        let order = &sale.order;
        let Some(pool) = order.lines.iter().find_map(|line| line.fulfilment.pool()) else { return };
        let (Ok(claims), Ok(supply)) = (
            at_once(sim.rows.claims(sim.shop.id, order.id)),
            at_once(sim.rows.supply(sim.shop.id, pool, Some(order), 0, sim.universe.timestamp())),
        ) else {
            sim.universe.fail(format!("the claims of {} cannot be read", order.id));
            return;
        };
        let kept_before = self.kept.insert(order.id, supply.map_or(0, |supply| supply.kept)).unwrap_or(0);
        let (mut served_at_once, mut left_waiting) = (0, 0);
        for opened in claims {
            let unit: Unit = (opened.claim.order, opened.claim.line, opened.claim.unit);
            let is_new = self.claimed.insert(unit);
            let known = self.contents.get(&unit);
            let Some(code) = opened.content else {
                if known.is_some() {
                    sim.universe.fail(format!("what {unit:?} got was taken away"));
                }
                left_waiting += u32::from(is_new);
                continue;
            };
            if known.is_some_and(|known| known != code.as_str()) {
                sim.universe.fail(format!("what {unit:?} got was changed"));
            }
            if known.is_some() {
                continue;
            }
            if let Some(wrong) = sim.stockbook.borrow_mut().hand_out(&code, unit) {
                sim.universe.fail(wrong);
            }
            self.contents.insert(unit, code.as_str().to_owned());
            served_at_once += u32::from(is_new);
            if !is_new {
                sim.universe.meet("unit_served", "unit:waiting");
            }
        }
        if served_at_once + left_waiting > 0 {
            sim.universe.meet("unit_sold", sold_from(sim, pool, order.id, kept_before, served_at_once));
        }
        if served_at_once > kept_before
            && let Some(passed_over) = waits_besides(sim, pool, order.id)
        {
            sim.universe.fail(format!("{} got a code at once, and {passed_over} has waited for one", order.id));
        }
    }
}

/// Who waits for a code and may have one, besides this order.
fn waits_besides(sim: &Sim, pool: PoolId, order: OrderId) -> Option<OrderId> {
    let waiting = at_once(sim.rows.waiting_claims(sim.shop.id, pool, 100)).unwrap_or_default();
    waiting.into_iter().map(|waiting| waiting.claim.order).find(|other| *other != order)
}

fn sold_from(sim: &Sim, pool: PoolId, order: OrderId, kept: u32, served: u32) -> &'static str {
    match (served, kept) {
        (0, _) if waits_besides(sim, pool, order).is_some() => "stock:waited_for",
        (0, _) => "stock:empty",
        (_, 0) => "stock:some",
        (_, _) => "stock:kept",
    }
}

/// Its clock began when its plan says, once, and it ends so many days later.
fn time_is_as_sold(sim: &Sim, before: Option<&License>, license: &License) {
    let expected = license.started_at.and_then(|start| license.policy.ends_at(start));
    // What a person has set is held to what they said.
    if license.expires_at != expected && !license.policy.by_hand.expires_at {
        sim.universe.fail(format!("{} ends at {:?}, and was sold until {expected:?}", license.id, license.expires_at));
    }
    if license.policy.term.starts == Starts::Issue && license.started_at.is_none() {
        sim.universe.fail(format!("{} never began", license.id));
    }
    if let Some(began) = before.and_then(|before| before.started_at)
        && license.started_at != Some(began)
        // A person who sets the end has begun the clock, and undoes both.
        && !sim.hands.borrow().is_asked(license.id)
    {
        sim.universe.fail(format!("{} began at {began} and then at {:?}", license.id, license.started_at));
    }
}

/// A seat that was taken is given back by its device or the shop, or its lease was over, by the clock of whoever took
/// it from the device.
fn seat_went_on_or_was_given_back(sim: &Sim, license: &License, was: &Activation, is: &Activation, has_same_key: bool) {
    if is.state == ActivationState::Active {
        if is.last_seen_at < was.last_seen_at {
            sim.universe.fail(format!("{} was seen at {} and then at {}", is.id, was.last_seen_at, is.last_seen_at));
        }
        return;
    }
    // Whoever gets a new key may lose the seats of the old one.
    if !has_same_key || was_given_back(sim, license, is) {
        return;
    }
    let latest = sim.universe.timestamp().after(sim.skew);
    match was.lease_ends_at(license.policy.lease()) {
        Some(end) if end <= latest => sim.universe.meet("seat_passes_on", "seat:lapsed"),
        Some(end) => sim.universe.fail(format!("the seat {} was taken away before {end}", is.id)),
        None => sim.universe.fail(format!("the seat {} was taken away, and has no lease", is.id)),
    }
}

fn was_given_back(sim: &Sim, license: &License, seat: &Activation) -> bool {
    let events = at_once(sim.rows.order_events(sim.shop.id, license.order)).unwrap_or_default();
    events
        .iter()
        .any(|event| event.kind == EventKind::ActivationReleased && event.data["activation"] == seat.id.to_string())
}

/// Who still waits at the end, waits for a reason that everybody can see: there is no code, or the license does not
/// work.
pub(crate) fn waiting_have_a_reason(sim: &Sim, sale: &Sale) {
    let claims = at_once(sim.rows.claims(sim.shop.id, sale.order.id)).unwrap_or_default();
    let waiting: Vec<LicenseId> =
        claims.iter().filter(|opened| opened.content.is_none()).map(|opened| opened.claim.license).collect();
    if waiting.is_empty() {
        return;
    }
    let events = at_once(sim.rows.order_events(sim.shop.id, sale.order.id)).unwrap_or_default();
    let free = free_codes(sim);
    for id in waiting {
        let state = sale.licenses.iter().find(|license| license.id == id).map(|license| license.state);
        if !events.iter().any(|event| event.kind == EventKind::ClaimWaiting && event.license == Some(id)) {
            sim.universe.fail(format!("{id} waits for its code, and the journal does not say so"));
        }
        match state {
            Some(LicenseState::Active) if free > 0 => {
                sim.universe.fail(format!("{id} waits for a code for ever, and {free} are free"));
            }
            Some(LicenseState::Active) => sim.universe.meet("waits_for_ever", "stock:empty"),
            Some(_) => sim.universe.meet("waits_for_ever", "unit:given_back"),
            None => sim.universe.fail(format!("{id} waits for a code and is no license of {}", sale.order.id)),
        }
    }
}

/// How many codes are free, for whomever they are kept.
pub(crate) fn free_codes(sim: &Sim) -> u64 {
    at_once(sim.rows.stock(sim.shop.id, sim.pool, sim.universe.timestamp())).map_or(0, |stock| stock.free)
}

/// How many units wait for a code and may have one.
pub(crate) fn who_may_have_one(sim: &Sim) -> usize {
    at_once(sim.rows.waiting_claims(sim.shop.id, sim.pool, 100)).map_or(0, |waiting| waiting.len())
}

/// The end of a license, after which no app may be told that it works; `None`: it works on, or has none.
pub(crate) fn last_moment(license: &License) -> Option<Timestamp> {
    match license.policy.term.at_expiry {
        domain::AtExpiry::Restrict | domain::AtExpiry::End => license.ends_at(),
        domain::AtExpiry::Keep | domain::AtExpiry::Allow => None,
    }
}

/// The end of a license, after which nobody new may be let in; `None`: it takes anybody, or has none.
pub(crate) fn last_entry(license: &License) -> Option<Timestamp> {
    match license.policy.term.at_expiry {
        domain::AtExpiry::Restrict | domain::AtExpiry::End | domain::AtExpiry::Keep => license.ends_at(),
        domain::AtExpiry::Allow => None,
    }
}
