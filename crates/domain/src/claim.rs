//! What a paid unit is owed whose content is not made here: it waits until the content is there.
//!
//! A claim is opened in the commit that makes its order paid, one for each
//! unit. The same commit fulfils it where there is something to fulfil it
//! with; otherwise it waits, for everybody to see, and is fulfilled later,
//! the oldest first.

use serde_json::json;

use crate::{
    Actor, Changes, Check, CustomerId, Delivery, Email, Event, EventId, EventKind, Fulfilment, Job, JobId, JobKind,
    License, LicenseId, LicenseState, Locale, MailKind, Order, OrderId, PoolCode, PoolId, Refusal, Rng, ShopId,
    Timestamp,
};

/// How far a claim has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClaimState {
    /// Nothing was handed out yet.
    Waiting,
    /// The content is with the buyer, and stays there.
    Fulfilled,
}

impl ClaimState {
    /// Every state.
    pub const ALL: [Self; 2] = [Self::Waiting, Self::Fulfilled];

    /// The word in rows and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Fulfilled => "fulfilled",
        }
    }

    /// Reads the word in rows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// Whom a claim waits for, in the order in which people look after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClaimKind {
    /// A person of the shop, who has promised a time.
    Manual,
    /// The seller's own program.
    Webhook,
    /// A stock of codes.
    Pool,
}

impl ClaimKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Manual, Self::Webhook, Self::Pool];

    /// The word in rows and on the wire: that of the [`Fulfilment`].
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Webhook => "webhook",
            Self::Pool => "pool",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whom a unit waits for; `None`: nobody, its key is made here.
    #[must_use]
    pub fn of(fulfilment: Fulfilment) -> Option<Self> {
        match fulfilment {
            Fulfilment::GeneratedKey | Fulfilment::Download | Fulfilment::SignedKey => None,
            Fulfilment::Manual { .. } => Some(Self::Manual),
            Fulfilment::Webhook { .. } => Some(Self::Webhook),
            Fulfilment::Pool { .. } => Some(Self::Pool),
        }
    }
}

/// What one unit of a paid line is owed. Order, line and unit are unique together, and so is the license. The content is
/// not in it: the store seals it, and opens it only to show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The shop.
    pub shop: ShopId,
    /// The order.
    pub order: OrderId,
    /// Which line of the order, from 0.
    pub line: u32,
    /// Which unit of the line, from 0.
    pub unit: u32,
    /// The license of the unit: while it does not work, nothing is handed out.
    pub license: LicenseId,
    /// Where the content comes from.
    pub fulfilment: Fulfilment,
    /// How far it has come.
    pub state: ClaimState,
    /// Whether its license does not work: what was given back, or is in dispute, gets nothing now.
    pub is_dormant: bool,
    /// When the unit was paid.
    pub created_at: Timestamp,
    /// When the content was handed out.
    pub fulfilled_at: Option<Timestamp>,
}

impl Claim {
    /// When a person is to be done with it.
    #[must_use]
    pub fn due_at(&self) -> Option<Timestamp> {
        self.fulfilment.due_at(self.created_at)
    }

    /// Whether a person should have been done with it by now.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.state == ClaimState::Waiting && self.due_at().is_some_and(|due_at| due_at <= now)
    }
}

/// A claim that waits, with whom to write to once it is fulfilled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingClaim {
    /// The claim.
    pub claim: Claim,
    /// Whose it is.
    pub customer: Option<CustomerId>,
    /// Where the mail goes.
    pub email: Option<Email>,
    /// In which language.
    pub locale: Locale,
}

/// Codes for the new claims of an order, as far as the stock has any for them: those that are kept for the order, then
/// free ones, unless somebody has waited for longer. What became of each unit goes into the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draw {
    /// The shop.
    pub shop: ShopId,
    /// The order.
    pub order: OrderId,
    /// The stock.
    pub pool: PoolId,
    /// When.
    pub at: Timestamp,
    /// What the journal is told of each unit. The kind of the event is what became of the claim.
    pub units: Vec<DrawnUnit>,
}

/// One unit of a [`Draw`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawnUnit {
    /// The line.
    pub line: u32,
    /// The unit.
    pub unit: u32,
    /// The line of the journal, as it is when the claim waits.
    pub event: Event,
}

/// A code for a claim that has waited. The commit fails when there is none, or the claim does not wait any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fill {
    /// The shop.
    pub shop: ShopId,
    /// The order.
    pub order: OrderId,
    /// The line.
    pub line: u32,
    /// The unit.
    pub unit: u32,
    /// The stock.
    pub pool: PoolId,
    /// When.
    pub at: Timestamp,
}

/// Content for a claim that has waited, which the store seals. The commit fails when the claim does not wait any more,
/// or the content was handed out before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandOver {
    /// The shop.
    pub shop: ShopId,
    /// The order.
    pub order: OrderId,
    /// The line.
    pub line: u32,
    /// The unit.
    pub unit: u32,
    /// What the buyer gets.
    pub content: PoolCode,
    /// Whether it is a code that opens the license, and so one unit's alone. What a person says of work that is done
    /// may be said to many.
    pub opens: bool,
    /// When.
    pub at: Timestamp,
}

/// That the license of a claim works from now on, or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dormancy {
    /// The shop.
    pub shop: ShopId,
    /// The license.
    pub license: LicenseId,
    /// Whether nothing is handed out for it.
    pub is_dormant: bool,
}

/// The licenses that begin or end to work by these changes. Read off the changes of a decision, whichever it was, so that
/// no claim is forgotten by a new way to take a license back.
#[must_use]
pub fn dormancies(changes: &Changes) -> Vec<Dormancy> {
    let told = [EventKind::LicenseRevoked, EventKind::LicenseSuspended, EventKind::LicenseReinstated];
    let licenses = changes.licenses.iter().filter(|license| {
        changes.events.iter().any(|event| event.license == Some(license.id) && told.contains(&event.kind))
    });
    let dormancy = |license: &License| Dormancy {
        shop: license.shop,
        license: license.id,
        is_dormant: license.state != LicenseState::Active,
    };
    licenses.map(dormancy).collect()
}

/// Opens the claims of an order that has just been paid.
pub(crate) fn open_claims(
    order: &Order,
    issued: &[License],
    actor: Actor,
    now: Timestamp,
    rng: &mut Rng,
    changes: &mut Changes,
) {
    for license in issued {
        let Some(fulfilment) =
            order.line(license.line).map(|line| line.fulfilment).filter(|fulfilment| fulfilment.is_claimed())
        else {
            continue;
        };
        changes.claims.push(Claim {
            shop: order.shop,
            order: order.id,
            line: license.line,
            unit: license.unit,
            license: license.id,
            fulfilment,
            state: ClaimState::Waiting,
            is_dormant: license.state != LicenseState::Active,
            created_at: now,
            fulfilled_at: None,
        });
        let event = Event {
            id: EventId::mint(now, rng),
            shop: order.shop,
            kind: EventKind::ClaimWaiting,
            actor,
            order: Some(order.id),
            license: Some(license.id),
            customer: order.customer,
            data: json!({ "license": license.id, "fulfilment": fulfilment }),
            at: now,
        };
        // Money that went back before it was known to have come buys no code.
        let works = license.state == LicenseState::Active;
        if works && matches!(fulfilment, Fulfilment::Webhook { .. }) {
            changes.jobs.push(ask_endpoint(order.shop, license.id, now));
        }
        let Some(pool) = fulfilment.pool().filter(|_| works) else {
            changes.events.push(event);
            continue;
        };
        let unit = DrawnUnit { line: license.line, unit: license.unit, event };
        match changes.draws.iter_mut().find(|draw| (draw.order, draw.pool) == (order.id, pool)) {
            Some(draw) => draw.units.push(unit),
            None => changes.draws.push(Draw { shop: order.shop, order: order.id, pool, at: now, units: vec![unit] }),
        }
    }
}

/// Hands out codes to claims that have waited, and writes to their buyers: one mail for each order.
#[must_use]
pub fn fulfil_claims(waiting: &[WaitingClaim], now: Timestamp, rng: &mut Rng) -> Changes {
    let mut changes = Changes::default();
    for waiting in waiting {
        let claim = &waiting.claim;
        let Some(pool) = claim.fulfilment.pool() else { continue };
        changes.fills.push(Fill {
            shop: claim.shop,
            order: claim.order,
            line: claim.line,
            unit: claim.unit,
            pool,
            at: now,
        });
        tell_fulfilled(waiting, Actor::System, now, rng, &mut changes);
    }
    changes
}

/// Hands over what a person or the seller's program has for a claim, and writes to its buyer. The license that was read
/// is checked by the commit, so that nothing goes out for money that went back meanwhile.
///
/// # Errors
/// When the claim is fulfilled, its content comes out of a stock, or its license does not work.
pub fn hand_over(
    waiting: &WaitingClaim,
    license: &License,
    content: &PoolCode,
    actor: Actor,
    now: Timestamp,
    rng: &mut Rng,
) -> Result<Changes, Refusal> {
    let claim = &waiting.claim;
    let opens = match claim.fulfilment {
        Fulfilment::GeneratedKey | Fulfilment::Download | Fulfilment::SignedKey => return Err(Refusal::NothingOwed),
        Fulfilment::Pool { .. } => return Err(Refusal::CodeFromStock),
        Fulfilment::Manual { .. } => false,
        Fulfilment::Webhook { .. } => true,
    };
    match claim.state {
        ClaimState::Waiting => {}
        ClaimState::Fulfilled => return Err(Refusal::FulfilledOtherwise),
    }
    if license.state != LicenseState::Active {
        return Err(Refusal::LicenseStateUnfit { state: license.state });
    }
    let mut changes = Changes {
        checks: vec![Check::License { shop: license.shop, id: license.id, version: license.version }],
        hand_overs: vec![HandOver {
            shop: claim.shop,
            order: claim.order,
            line: claim.line,
            unit: claim.unit,
            content: content.clone(),
            opens,
            at: now,
        }],
        ..Changes::default()
    };
    tell_fulfilled(waiting, actor, now, rng, &mut changes);
    Ok(changes)
}

/// The job that asks the seller's program for a unit. There is one at most: a second has the same id, and is a conflict.
#[must_use]
pub fn ask_endpoint(shop: ShopId, license: LicenseId, now: Timestamp) -> Job {
    Job {
        id: JobId::of_license(license),
        shop,
        kind: JobKind::AskEndpoint { license },
        run_at: now,
        attempts: 0,
        last_error: None,
        created_at: now,
    }
}

/// A line of the journal, and a mail where this commit has none for the order yet.
fn tell_fulfilled(waiting: &WaitingClaim, actor: Actor, now: Timestamp, rng: &mut Rng, changes: &mut Changes) {
    let WaitingClaim { claim, customer, email, locale } = waiting;
    changes.events.push(Event {
        id: EventId::mint(now, rng),
        shop: claim.shop,
        kind: EventKind::ClaimFulfilled,
        actor,
        order: Some(claim.order),
        license: Some(claim.license),
        customer: *customer,
        data: json!({ "license": claim.license, "fulfilment": claim.fulfilment }),
        at: now,
    });
    let is_told = changes.deliveries.iter().any(|delivery| delivery.order == Some(claim.order));
    let Some(to) = email.as_ref().filter(|_| !is_told) else { return };
    let mail = MailKind::OrderFulfilled { order: claim.order };
    let (mut delivery, job) = Delivery::queued(claim.shop, mail, to, locale, now, rng);
    delivery.order = Some(claim.order);
    delivery.customer = *customer;
    changes.jobs.push(job);
    changes.deliveries.push(delivery);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fixture::{Reporter, START, World, rng};
    use crate::{PaymentStatus, RefundStatus};

    fn world() -> World {
        let mut world = World::submitted();
        let pool = PoolId::mint(START, &mut rng(9));
        world.sale.order.lines[0].fulfilment = Fulfilment::Pool { pool };
        world
    }

    #[test]
    fn each_paid_unit_has_a_claim_and_the_stock_is_drawn_on_in_the_same_commit() {
        let mut world = world();
        let reporter = Reporter::of(&world.sale, 0);
        let captured = world.sale.order.total;
        let changes = world.meet(&reporter.payment(PaymentStatus::Succeeded { captured })).unwrap();
        let issued: Vec<_> =
            changes.issued.iter().map(|(license, _)| (license.line, license.unit, license.id)).collect();
        let claimed: Vec<_> = changes.claims.iter().map(|claim| (claim.line, claim.unit, claim.license)).collect();
        assert!(issued.len() > 1 && issued == claimed);
        assert_eq!(u64::try_from(claimed.len()).unwrap(), world.sale.order.claimed_units());
        let drawn: Vec<usize> = changes.draws.iter().map(|draw| draw.units.len()).collect();
        assert_eq!(drawn, [claimed.len()], "one draw for all of them");
        // The same report again: nothing more.
        let again = world.meet(&reporter.payment(PaymentStatus::Succeeded { captured })).unwrap();
        assert!(again.claims.is_empty() && again.draws.is_empty());
    }

    #[test]
    fn money_that_went_back_before_it_was_known_to_have_come_buys_no_code() {
        let mut world = world();
        let reporter = Reporter::of(&world.sale, 0);
        let captured = world.sale.order.total;
        world.meet(&reporter.refund(None, "re", captured.minor(), RefundStatus::Succeeded)).unwrap();
        let changes = world.meet(&reporter.payment(PaymentStatus::Succeeded { captured })).unwrap();
        assert!(!changes.claims.is_empty() && changes.draws.is_empty());
        assert!(changes.claims.iter().all(|claim| claim.is_dormant), "they stand in no queue");
        assert!(changes.events.iter().any(|event| event.kind == EventKind::ClaimWaiting));
    }

    fn paid(fulfilment: Fulfilment) -> (World, Changes) {
        let mut world = World::submitted();
        world.sale.order.lines[0].fulfilment = fulfilment;
        let reporter = Reporter::of(&world.sale, 0);
        let captured = world.sale.order.total;
        let changes = world.meet(&reporter.payment(PaymentStatus::Succeeded { captured })).unwrap();
        (world, changes)
    }

    #[test]
    fn each_paid_unit_is_asked_for_at_the_sellers_program_and_at_no_other() {
        let endpoint = crate::EndpointId::mint(START, &mut rng(9));
        for (fulfilment, asks) in [
            (Fulfilment::Webhook { endpoint }, true),
            (Fulfilment::Manual { within_hours: 24 }, false),
            (Fulfilment::GeneratedKey, false),
            (Fulfilment::Download, false),
        ] {
            let (_, changes) = paid(fulfilment);
            let asked: Vec<_> =
                changes.jobs.iter().filter(|job| matches!(job.kind, JobKind::AskEndpoint { .. })).collect();
            assert_eq!(asked.len(), if asks { changes.issued.len() } else { 0 }, "{fulfilment:?}");
        }
    }

    #[test]
    fn content_is_handed_over_to_who_waits_for_it_and_whose_license_works() {
        let endpoint = crate::EndpointId::mint(START, &mut rng(9));
        let pool = PoolId::mint(START, &mut rng(9));
        let (manual, webhook) = (Fulfilment::Manual { within_hours: 24 }, Fulfilment::Webhook { endpoint });
        let suspended = Err(Refusal::LicenseStateUnfit { state: LicenseState::SuspendedByPerson });
        #[rustfmt::skip]
        let table = [
            (manual,                      ClaimState::Waiting,   LicenseState::Active,    Ok(false)),
            (webhook,                     ClaimState::Waiting,   LicenseState::Active,    Ok(true)),
            (webhook,                     ClaimState::Fulfilled, LicenseState::Active,    Err(Refusal::FulfilledOtherwise)),
            (manual,                      ClaimState::Waiting,   LicenseState::SuspendedByPerson, suspended),
            (Fulfilment::Pool { pool },   ClaimState::Waiting,   LicenseState::Active,    Err(Refusal::CodeFromStock)),
            (Fulfilment::GeneratedKey,    ClaimState::Waiting,   LicenseState::Active,    Err(Refusal::NothingOwed)),
            (Fulfilment::Download,        ClaimState::Waiting,   LicenseState::Active,    Err(Refusal::NothingOwed)),
        ];
        let (world, changes) = paid(manual);
        let order = &world.sale.order;
        let content = PoolCode::sample(1);
        for (fulfilment, state, standing, expected) in table {
            let license = License { state: standing, ..changes.issued[0].0.clone() };
            let waiting = WaitingClaim {
                claim: Claim { fulfilment, state, ..changes.claims[0].clone() },
                customer: order.customer,
                email: order.email.clone(),
                locale: order.locale.clone(),
            };
            let handed = hand_over(&waiting, &license, &content, Actor::Api, START, &mut rng(5));
            assert_eq!(handed.as_ref().map(|changes| changes.hand_overs[0].opens).map_err(Clone::clone), expected);
            let Ok(handed) = handed else { continue };
            assert_eq!(
                (handed.events.len(), handed.deliveries.len(), handed.jobs.len(), handed.checks.len()),
                (1, 1, 1, 1)
            );
        }
    }

    #[test]
    fn who_waited_for_several_codes_gets_one_mail() {
        let mut world = world();
        let reporter = Reporter::of(&world.sale, 0);
        let captured = world.sale.order.total;
        let changes = world.meet(&reporter.payment(PaymentStatus::Succeeded { captured })).unwrap();
        let order = &world.sale.order;
        let waiting: Vec<WaitingClaim> = changes
            .claims
            .into_iter()
            .map(|claim| WaitingClaim {
                claim,
                customer: order.customer,
                email: order.email.clone(),
                locale: order.locale.clone(),
            })
            .collect();
        let changes = fulfil_claims(&waiting, START, &mut rng(5));
        assert_eq!(
            (changes.fills.len(), changes.events.len(), changes.deliveries.len(), changes.jobs.len()),
            (waiting.len(), waiting.len(), 1, 1)
        );
    }
}
