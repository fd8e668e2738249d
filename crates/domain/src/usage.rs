//! Counted use of a license: prints, renders, calls, whatever the seller sells by the piece.
//!
//! A change is a difference, never a new total, and the store adds it where the
//! count stands and only within the cap: so many apps at once need no retries,
//! and no two of them get the last piece. A period ends by time alone: what was
//! counted in an earlier one is nothing in this one.

use serde_json::json;

use crate::{
    Activation, Actor, Changes, Duration, Event, EventId, EventKind, License, LicenseId, Refusal, ShopId, Standing,
    Starts, Timestamp,
};

/// What a plan says of counted use.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Metering {
    /// How much may be used in a period; `None`: it is only counted.
    pub limit: Option<u64>,
    /// How many days a period has, counted from the start of the license; `None`: one period for ever.
    pub reset_days: Option<u32>,
}

/// A difference to the count of a license, as the store adds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UseChange {
    /// The shop.
    pub shop: ShopId,
    /// The license.
    pub license: LicenseId,
    /// When the period began that it counts in; a later one begins at nothing.
    pub period: Timestamp,
    /// What is added, or taken away.
    pub difference: i64,
    /// The most that may be counted then; `None`: any number.
    pub cap: Option<u64>,
}

/// What somebody wants to do to the count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageRequest {
    /// So much was used.
    Add(u64),
    /// So much was counted wrongly, or given back. The count stops at nothing.
    Subtract(u64),
    /// Begin again at nothing.
    Reset,
}

impl License {
    /// When the period began that this moment is in.
    #[must_use]
    pub fn usage_period(&self, now: Timestamp) -> Timestamp {
        let start = self.started_at.unwrap_or(self.created_at);
        let days = self.policy.usage.as_ref().and_then(|usage| usage.reset_days).filter(|days| *days > 0);
        let begun = days.map_or(start, |days| {
            let length = Duration::days(i64::from(days)).as_microseconds();
            let periods = now.since(start).as_microseconds().div_euclid(length).max(0);
            Timestamp::from_microseconds(start.as_microseconds().saturating_add(periods.saturating_mul(length)))
        });
        // Another node's clock may be a moment ahead; a count never goes back to an earlier period.
        self.uses_since.map_or(begun, |since| begun.max(since))
    }

    /// How much of it is used in the period that this moment is in.
    #[must_use]
    pub fn used(&self, now: Timestamp) -> u64 {
        if self.uses_since == Some(self.usage_period(now)) { self.uses } else { 0 }
    }

    /// When the count begins again at nothing; `None`: never.
    #[must_use]
    pub fn usage_resets_at(&self, now: Timestamp) -> Option<Timestamp> {
        let days = self.policy.usage.as_ref()?.reset_days.filter(|days| *days > 0)?;
        Some(self.usage_period(now).after(Duration::days(i64::from(days))))
    }

    /// Whether nothing is left to use.
    #[must_use]
    pub fn is_exhausted(&self, now: Timestamp) -> bool {
        let limit = self.policy.usage.as_ref().and_then(|usage| usage.limit);
        limit.is_some_and(|limit| self.used(now) >= limit)
    }
}

/// Counts use of a license, and begins its clock where a first use does. `seat` is the seat of the device that uses
/// it; `None` when no device is named. `event` names the line in the journal, so that the same call cannot count twice.
///
/// # Errors
/// When nothing is counted, the license does not work, the device holds no seat, or too little is left. Nothing is
/// counted then.
pub fn change_usage(
    license: &License,
    seat: Option<Option<&Activation>>,
    request: UsageRequest,
    actor: Actor,
    event: EventId,
    now: Timestamp,
) -> Result<(Changes, License), Refusal> {
    let Some(metering) = &license.policy.usage else { return Err(Refusal::UsageNotCounted) };
    let used = license.used(now);
    let (after, cap) = match request {
        UsageRequest::Add(amount) => {
            match license.standing(now) {
                Standing::Active => {}
                standing @ (Standing::Suspended | Standing::Expired | Standing::Revoked) => {
                    return Err(Refusal::LicenseNotUsable(standing));
                }
            }
            let is_seated = |seat: Option<&Activation>| seat.is_some_and(|seat| license.is_seated(seat, now));
            if license.policy.seats.is_some() && seat.is_some_and(|seat| !is_seated(seat)) {
                return Err(Refusal::NotActivated);
            }
            let after = used.saturating_add(amount);
            if let Some(limit) = metering.limit.filter(|limit| after > *limit) {
                return Err(Refusal::UsageExhausted { limit, left: limit.saturating_sub(used) });
            }
            (after, metering.limit)
        }
        UsageRequest::Subtract(amount) => (used.saturating_sub(amount), None),
        UsageRequest::Reset => (0, None),
    };
    let started = match request {
        UsageRequest::Add(_) => license.started(Starts::FirstValidation, now),
        UsageRequest::Subtract(_) | UsageRequest::Reset => None,
    };
    let begun = started.clone();
    let mut license = started.unwrap_or_else(|| license.clone());
    let period = license.usage_period(now);
    let count = |amount: u64| i64::try_from(amount).unwrap_or(i64::MAX);
    let difference = count(after).saturating_sub(count(used));
    let change = UseChange { shop: license.shop, license: license.id, period, difference, cap };
    (license.uses, license.uses_since) = (after, Some(period));
    let told = Event {
        id: event,
        shop: license.shop,
        kind: EventKind::LicenseUsed,
        actor,
        order: Some(license.order),
        license: Some(license.id),
        customer: license.customer,
        data: json!({ "difference": difference }),
        at: now,
    };
    // The row of a clock that begins is written before the count, which it does not touch.
    let changes =
        Changes { licenses: begun.into_iter().collect(), uses: vec![change], events: vec![told], ..Changes::default() };
    Ok((changes, license))
}

/// Counts that an app asked, or takes that back, for systems that tell how often that was, or that count use without a
/// limit: `difference` is added, and the count stops at nothing. Where the plan sells use by the piece nothing is
/// counted: asking uses nothing up.
/// `event` names the line in the journal.
#[must_use]
pub fn count_verification(license: &License, difference: i64, actor: Actor, event: EventId, now: Timestamp) -> Changes {
    let difference = difference.max(-i64::try_from(license.used(now)).unwrap_or(i64::MAX));
    if license.policy.usage.is_some() || difference == 0 {
        return Changes::default();
    }
    let period = license.usage_period(now);
    let change = UseChange { shop: license.shop, license: license.id, period, difference, cap: None };
    let told = Event {
        id: event,
        shop: license.shop,
        kind: EventKind::LicenseUsed,
        actor,
        order: Some(license.order),
        license: Some(license.id),
        customer: license.customer,
        data: json!({ "difference": difference }),
        at: now,
    };
    Changes { uses: vec![change], events: vec![told], ..Changes::default() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::fixture::{Reporter, START, World, activation_request, rng};
    use crate::{LicenseState, PaymentStatus, ValidationRequest, activate};

    fn license() -> License {
        let mut world = World::submitted();
        let captured = world.sale.order.total;
        let reporter = Reporter::of(&world.sale, 0);
        world.meet(&reporter.payment(PaymentStatus::Succeeded { captured })).unwrap();
        world.sale.licenses[0].clone()
    }

    #[test]
    fn use_is_counted_up_to_the_limit_of_each_period() {
        // A limit of 100 in periods of 30 days; `used` was counted in the period that began on that day.
        let table = "
            used   | day | request       | outcome                    | verdict         | why
            0      | 0   | add 1         | used 1 of 0                | valid           | the first
            99 @0  | 29  | add 1         | used 100 of 0              | valid           | the last one
            100 @0 | 29  | add 1         | usage_exhausted, 0 left    | usage_exhausted | nothing is left
            98 @0  | 29  | add 3         | usage_exhausted, 2 left    | valid           | all of it or none
            100 @0 | 30  | add 7         | used 7 of 30               | valid           | a new period begins at nothing
            100 @0 | 95  | add 7         | used 7 of 90               | valid           | however many have passed
            5 @30  | 29  | add 1         | used 6 of 30               | valid           | a clock that is behind does not go back
            10 @0  | 5   | subtract 4    | used 6 of 0                | valid           | counted wrongly
            3 @0   | 5   | subtract 4    | used 0 of 0                | valid           | it stops at nothing
            100 @0 | 5   | reset         | used 0 of 0                | usage_exhausted | begins again
            0      | 366 | add 1         | license_expired            | expired         | what does not work is not used
            9 @0   | 366 | subtract 1    | used 0 of 360              | expired         | a correction is always taken
            0      | 0   | add 99999999999999999999 | usage_exhausted, 100 left | valid | more than can be counted
        ";
        for row in table.trim().lines().skip(1).filter(|line| !line.trim().is_empty()) {
            let row: Vec<&str> = row.split('|').map(str::trim).collect();
            let [used, day, request, outcome, verdict, why] = row[..] else { panic!("{row:?}") };
            let mut license = license();
            license.policy.usage = Some(Metering { limit: Some(100), reset_days: Some(30) });
            let day_of = |days: &str| START.after(Duration::days(days.parse().unwrap()));
            if let Some((used, since)) = used.split_once(" @") {
                (license.uses, license.uses_since) = (used.parse().unwrap(), Some(day_of(since)));
            }
            let now = day_of(day);
            let request = match request.split(' ').collect::<Vec<_>>()[..] {
                ["add", amount] => UsageRequest::Add(amount.parse().unwrap_or(u64::MAX)),
                ["subtract", amount] => UsageRequest::Subtract(amount.parse().unwrap()),
                ["reset"] => UsageRequest::Reset,
                _ => panic!("{request}"),
            };
            assert_eq!(license.validate(None, &ValidationRequest::default(), now).code.as_str(), verdict, "{why}");
            let event = EventId::mint(now, &mut rng(7));
            let found = match change_usage(&license, None, request, Actor::App, event, now) {
                Err(Refusal::UsageExhausted { left, .. }) => format!("usage_exhausted, {left} left"),
                Err(refusal) => refusal.code().to_owned(),
                Ok((changes, after)) => {
                    let change = changes.uses[0];
                    let before = i64::try_from(license.used(now)).unwrap();
                    assert_eq!(before + change.difference, i64::try_from(after.used(now)).unwrap());
                    assert_eq!(changes.events[0].id, event);
                    let period = change.period.since(START).as_seconds() / 86_400;
                    format!("used {} of {period}", after.used(now))
                }
            };
            assert_eq!(found, outcome, "{why}");
        }
    }

    #[test]
    fn only_what_is_metered_is_counted_and_only_on_a_seat() {
        let mut license = license();
        let event = EventId::mint(START, &mut rng(7));
        let add = |license: &License, seat: Option<Option<&Activation>>| {
            change_usage(license, seat, UsageRequest::Add(1), Actor::App, event, START).map(|(_, after)| after.uses)
        };
        assert_eq!(add(&license, None), Err(Refusal::UsageNotCounted));
        license.policy.usage = Some(Metering::default());
        assert_eq!(add(&license, None), Ok(1), "without a limit it is only counted");
        assert_eq!(add(&license, Some(None)), Err(Refusal::NotActivated));
        let request = activation_request("laptop");
        let (_, seat) = activate(&license, None, 0, None, &request, START, &mut rng(5)).unwrap();
        assert_eq!(add(&license, Some(Some(&seat))), Ok(1));
        license.policy.seats = None;
        assert_eq!(add(&license, Some(None)), Ok(1), "where there are no seats none is asked for");
        license.state = LicenseState::SuspendedByPerson;
        assert_eq!(add(&license, None), Err(Refusal::LicenseNotUsable(Standing::Suspended)));
    }
}
