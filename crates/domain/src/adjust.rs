//! Changing what a license allows after it was issued: for one customer by
//! hand, or because the plan says something else now.
//!
//! A license keeps the policy that it was sold with until somebody changes it
//! by one of these acts, with a reason; each leaves a line in the journal that
//! says what was and what is. What was changed by hand stays when the plan's
//! policy is taken on later.

use serde_json::json;

use crate::by_hand::undo_data;
use crate::{
    Actor, Changes, Event, EventId, EventKind, FeatureValue, License, Metering, Policy, Refusal, Rng, Timestamp,
};

/// What somebody wants to be different about one license; `None` leaves a part as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Adjustment {
    /// How many devices at once; `Some(None)`: any number.
    pub seats: Option<Option<u32>>,
    /// How much may be used in a period; `Some(None)`: any number.
    pub usage_limit: Option<Option<u64>>,
    /// When it ends; `Some(None)`: never.
    pub expires_at: Option<Option<Timestamp>>,
    /// Until when versions come out that it covers; `Some(None)`: every version.
    pub updates_until: Option<Option<Timestamp>>,
    /// What is switched on, all of it.
    pub features: Option<Vec<String>>,
}

/// What was changed by hand, and is not the plan's to say any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct ByHand {
    /// How many devices at once.
    pub seats: bool,
    /// How much may be used in a period.
    pub usage_limit: bool,
    /// When it ends.
    pub expires_at: bool,
    /// Until when versions come out that it covers.
    pub updates_until: bool,
    /// What is switched on.
    pub features: bool,
}

/// One thing that is different, in the words of the shop file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// What.
    pub what: &'static str,
    /// What it was; `–` where nothing was said.
    pub before: String,
    /// What it is.
    pub after: String,
}

/// A license that was changed, with what is different. Without a difference there is nothing to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjusted {
    /// What to commit.
    pub changes: Changes,
    /// The license as it is then.
    pub license: License,
    /// What is different.
    pub differences: Vec<Difference>,
}

/// Changes one license by hand.
///
/// # Errors
/// When more devices hold a seat than there would be seats, or a limit is set where nothing is counted.
pub fn adjust(
    license: &License,
    wanted: &Adjustment,
    reason: &str,
    actor: Actor,
    now: Timestamp,
    rng: &mut Rng,
) -> Result<Adjusted, Refusal> {
    let mut after = license.clone();
    let Adjustment { seats, usage_limit, expires_at, updates_until, features } = wanted.clone();
    let by_hand = &mut after.policy.by_hand;
    by_hand.seats |= seats.is_some();
    by_hand.usage_limit |= usage_limit.is_some();
    by_hand.expires_at |= expires_at.is_some();
    by_hand.updates_until |= updates_until.is_some();
    by_hand.features |= features.is_some();
    if let Some(seats) = seats {
        after.policy.seats = seats;
    }
    if let Some(limit) = usage_limit {
        after.policy.usage.as_mut().ok_or(Refusal::UsageNotCounted)?.limit = limit;
    }
    if let Some(end) = expires_at {
        after.expires_at = end;
        // A clock that is set by hand has begun, and the updates that were bought with it.
        if after.started_at.is_none() {
            after.started_at = Some(now);
            if !after.policy.by_hand.updates_until {
                after.updates_until = after.policy.updates_end_at(now);
            }
        }
    }
    if let Some(end) = updates_until {
        after.updates_until = end;
    }
    if let Some(features) = features {
        after.policy.features = features;
    }
    told(license, after, reason, actor, now, rng)
}

/// Takes on what the plan says now. What was changed by hand stays, and so does what began the clock.
///
/// # Errors
/// When more devices hold a seat than there would be seats.
pub fn adopt(
    license: &License,
    plan: &Policy,
    reason: &str,
    actor: Actor,
    now: Timestamp,
    rng: &mut Rng,
) -> Result<Adjusted, Refusal> {
    let own = &license.policy;
    let mut policy = plan.clone();
    // A license that was made of several units stays one of so many, whatever buying several makes by now.
    policy.seats = plan.seats.map(|seats| seats.saturating_mul(own.seating.times.max(1)));
    policy.seating.units = own.seating.units;
    policy.seating.times = own.seating.times;
    policy.term.starts = own.term.starts;
    policy.by_hand = own.by_hand;
    if own.by_hand.seats {
        policy.seats = own.seats;
    }
    if own.by_hand.features {
        policy.features.clone_from(&own.features);
    }
    if let Some(kept) = own.usage.as_ref().filter(|_| own.by_hand.usage_limit) {
        // A limit that was given by hand goes on being counted where the plan counts no more.
        policy.usage = Some(Metering { limit: kept.limit, ..policy.usage.unwrap_or_else(|| kept.clone()) });
    }
    // What was signed under the policy that ends here goes on counting: whoever lists what was taken back must know.
    policy.offline.carried_until = match own.longest_certificate() > policy.longest_certificate() {
        true => own.offline.carried_until.max(Some(now.after(own.longest_certificate()))),
        false => own.offline.carried_until,
    };
    let mut after = license.clone();
    if let Some(start) = license.started_at {
        if !own.by_hand.expires_at {
            after.expires_at = policy.ends_at(start);
        }
        if !own.by_hand.updates_until {
            after.updates_until = policy.updates_end_at(start);
        }
    }
    after.policy = policy;
    told(license, after, reason, actor, now, rng)
}

fn told(
    before: &License,
    after: License,
    reason: &str,
    actor: Actor,
    now: Timestamp,
    rng: &mut Rng,
) -> Result<Adjusted, Refusal> {
    if after.policy.seat_cap().is_some_and(|cap| cap < before.seats_used) {
        return Err(Refusal::SeatsBelowUsed { used: before.seats_used });
    }
    let differences = differences(before, &after);
    if differences.is_empty() {
        return Ok(Adjusted { changes: Changes::default(), license: before.clone(), differences });
    }
    let event = Event {
        id: EventId::mint(now, rng),
        shop: after.shop,
        kind: EventKind::LicenseChanged,
        actor,
        order: Some(after.order),
        license: Some(after.id),
        customer: after.customer,
        data: json!({ "reason": reason, "changes": differences, "undo": undo_data(before, &after) }),
        at: now,
    };
    let changes = Changes { licenses: vec![after.clone()], events: vec![event], ..Changes::default() };
    Ok(Adjusted { changes, license: after, differences })
}

/// What is different, in the words of the shop file.
pub(crate) fn differences(before: &License, after: &License) -> Vec<Difference> {
    between(facts(before), facts(after))
}

/// What is different of facts that are told in the same order.
pub(crate) fn between(
    before: impl IntoIterator<Item = (&'static str, String)>,
    after: impl IntoIterator<Item = (&'static str, String)>,
) -> Vec<Difference> {
    let pairs = before.into_iter().zip(after).filter(|(was, is)| was != is);
    pairs.map(|((what, before), (_, after))| Difference { what, before, after }).collect()
}

/// Everything that can be different, always in the same order.
fn facts(license: &License) -> Vec<(&'static str, String)> {
    // Named one by one: what is added to a policy does not compile before it is told here.
    let Policy {
        seats,
        valid_days,
        features,
        feature_values,
        certificate_seconds,
        term,
        seating,
        usage,
        offline,
        by_hand: _,
    } = &license.policy;
    let values = feature_values.iter().map(|(name, value)| match value {
        FeatureValue::Flag(flag) => format!("{name} = {flag}"),
        FeatureValue::Number(number) => format!("{name} = {number}"),
        FeatureValue::Text(text) => format!("{name} = {text}"),
    });
    vec![
        ("seats", shown(seats.as_ref())),
        ("valid_days", shown(valid_days.as_ref())),
        ("expires_at", shown(license.expires_at.as_ref())),
        ("features", features.join(", ")),
        ("feature_values", values.collect::<Vec<_>>().join(", ")),
        ("offline_seconds", certificate_seconds.to_string()),
        ("file_days", shown(offline.file_days.as_ref())),
        ("update_days", shown(term.update_days.as_ref())),
        ("updates_until", shown(license.updates_until.as_ref())),
        ("grace_days", term.grace_days.to_string()),
        ("at_expiry", term.at_expiry.as_str().to_owned()),
        ("trial", term.is_trial.to_string()),
        ("check_in_days", shown(term.check_in_days.as_ref())),
        ("seats_for", seating.holder.as_str().to_owned()),
        ("lease_seconds", shown(seating.lease_seconds.as_ref())),
        ("overage", seating.overage.as_str().to_owned()),
        ("match_components", shown(seating.matching.map(crate::Matching::as_str).as_ref())),
        ("releases", shown(seating.releases.map(|quota| quota.count).as_ref())),
        ("release_days", shown(seating.releases.map(|quota| quota.days).as_ref())),
        ("metered", usage.is_some().to_string()),
        ("usage_limit", shown(usage.as_ref().and_then(|usage| usage.limit.as_ref()))),
        ("usage_reset_days", shown(usage.as_ref().and_then(|usage| usage.reset_days.as_ref()))),
    ]
}

fn shown(value: Option<&impl ToString>) -> String {
    value.map_or_else(|| "–".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::fixture::{Reporter, START, World, rng};
    use crate::{Duration, PaymentStatus, Starts, Units};

    fn license() -> License {
        let mut world = World::submitted();
        let captured = world.sale.order.total;
        let reporter = Reporter::of(&world.sale, 0);
        world.meet(&reporter.payment(PaymentStatus::Succeeded { captured })).unwrap();
        world.sale.licenses[0].clone()
    }

    fn told(adjusted: &Adjusted) -> String {
        let each = |change: &Difference| format!("{} {} → {}", change.what, change.before, change.after);
        adjusted.differences.iter().map(each).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn what_is_changed_by_hand_is_told_with_its_reason() {
        let license = license();
        let end = START.after(Duration::days(730));
        let wanted = Adjustment { seats: Some(Some(7)), expires_at: Some(Some(end)), ..Adjustment::default() };
        let adjusted = adjust(&license, &wanted, "paid by invoice", Actor::Api, START, &mut rng(3)).unwrap();
        let was = license.expires_at.unwrap();
        assert_eq!(told(&adjusted), format!("seats 2 → 7; expires_at {was} → {end}"));
        let event = &adjusted.changes.events[0];
        assert_eq!((event.kind, &event.data["reason"]), (EventKind::LicenseChanged, &json!("paid by invoice")));
        assert_eq!(event.data["changes"][0], json!({ "what": "seats", "before": "2", "after": "7" }));
        assert_eq!(adjusted.changes.licenses, std::slice::from_ref(&adjusted.license));
        let again = adjust(&adjusted.license, &wanted, "again", Actor::Api, START, &mut rng(3)).unwrap();
        assert!(again.changes.is_empty() && again.differences.is_empty(), "what is so already is not written");
        let any = Adjustment { seats: Some(None), ..Adjustment::default() };
        assert_eq!(told(&adjust(&license, &any, "-", Actor::Api, START, &mut rng(3)).unwrap()), "seats 2 → –");
    }

    #[test]
    fn nobody_is_left_without_a_seat_and_nothing_uncounted_gets_a_limit() {
        let license = License { seats_used: 2, ..license() };
        let adjusted = |wanted: Adjustment| adjust(&license, &wanted, "-", Actor::Api, START, &mut rng(3)).map(|_| ());
        let seats = |seats| Adjustment { seats: Some(Some(seats)), ..Adjustment::default() };
        assert_eq!(adjusted(seats(1)), Err(Refusal::SeatsBelowUsed { used: 2 }));
        assert_eq!(adjusted(seats(2)), Ok(()));
        let limit = Adjustment { usage_limit: Some(Some(9)), ..Adjustment::default() };
        assert_eq!(adjusted(limit), Err(Refusal::UsageNotCounted));
        let fewer = Policy { seats: Some(1), ..license.policy.clone() };
        assert_eq!(
            adopt(&license, &fewer, "-", Actor::Api, START, &mut rng(3)),
            Err(Refusal::SeatsBelowUsed { used: 2 })
        );
    }

    #[test]
    fn a_plan_is_taken_on_but_for_what_was_changed_by_hand() {
        let mut license = license();
        license.policy.usage = Some(Metering { limit: Some(10), reset_days: None });
        let mut plan = license.policy.clone();
        assert!(adopt(&license, &plan, "-", Actor::Api, START, &mut rng(3)).unwrap().differences.is_empty());
        plan.seats = Some(3);
        plan.valid_days = Some(400);
        plan.features.push("import".to_owned());
        plan.usage = Some(Metering { limit: Some(20), reset_days: None });
        let adopted = adopt(&license, &plan, "-", Actor::Api, START, &mut rng(3)).unwrap();
        let end = |days| START.after(Duration::days(days));
        let all = format!(
            "seats 2 → 3; valid_days 365 → 400; expires_at {} → {}; features export → export, import; usage_limit 10 → 20",
            end(365),
            end(400)
        );
        assert_eq!(told(&adopted), all);

        let wanted = Adjustment {
            seats: Some(Some(9)),
            usage_limit: Some(Some(99)),
            expires_at: Some(None),
            features: Some(vec!["mine".to_owned()]),
            ..Adjustment::default()
        };
        let mine = adjust(&license, &wanted, "-", Actor::Api, START, &mut rng(3)).unwrap().license;
        let adopted = adopt(&mine, &plan, "-", Actor::Api, START, &mut rng(3)).unwrap();
        assert_eq!(told(&adopted), "valid_days 365 → 400");
    }

    #[test]
    fn seats_of_several_units_grow_with_their_plan_and_a_clock_that_waits_goes_on_waiting() {
        let mut license = license();
        let mut plan = license.policy.clone();
        plan.seating.units = Units::Seats;
        license.policy = plan.for_quantity(4);
        (license.started_at, license.expires_at) = (None, None);
        plan.seats = Some(3);
        plan.valid_days = Some(10);
        let adopted = adopt(&license, &plan, "-", Actor::Api, START, &mut rng(3)).unwrap();
        assert_eq!(told(&adopted), "seats 8 → 12; valid_days 365 → 10");
    }

    #[test]
    fn updates_that_were_given_by_hand_stay() {
        let license = license();
        let end = START.after(Duration::days(30));
        let wanted = Adjustment { updates_until: Some(Some(end)), ..Adjustment::default() };
        let mine = adjust(&license, &wanted, "-", Actor::Api, START, &mut rng(3)).unwrap();
        assert_eq!(told(&mine), format!("updates_until – → {end}"));
        let mut plan = license.policy.clone();
        plan.term.update_days = Some(10);
        let adopted = adopt(&mine.license, &plan, "-", Actor::Api, START, &mut rng(3)).unwrap();
        assert_eq!(told(&adopted), "update_days – → 10");
        assert_eq!(adopted.license.updates_until, Some(end));
        let other = adopt(&license, &plan, "-", Actor::Api, START, &mut rng(3)).unwrap();
        assert_eq!(other.license.updates_until, Some(START.after(Duration::days(10))), "nobody gave it more");
    }

    /// A license that waits for its first device, with the updates of a year.
    fn waiting() -> License {
        let mut license = license();
        license.policy.term.starts = Starts::FirstActivation;
        license.policy.term.update_days = Some(365);
        License { started_at: None, expires_at: None, updates_until: None, ..license }
    }

    #[test]
    fn an_end_by_hand_begins_the_clock_and_the_updates_with_it() {
        let later = START.after(Duration::days(5));
        let end = START.after(Duration::days(90));
        let wanted = Adjustment { expires_at: Some(Some(end)), ..Adjustment::default() };
        let set = adjust(&waiting(), &wanted, "-", Actor::Api, later, &mut rng(3)).unwrap().license;
        let updates = Some(later.after(Duration::days(365)));
        assert_eq!((set.started_at, set.expires_at, set.updates_until), (Some(later), Some(end), updates));
        assert_eq!(set.started(Starts::FirstActivation, later), None, "the first device begins it no more");
        let running = license();
        let set = adjust(&running, &wanted, "-", Actor::Api, later, &mut rng(3)).unwrap().license;
        assert_eq!((set.started_at, set.updates_until), (running.started_at, running.updates_until));
    }

    #[test]
    fn what_was_given_by_hand_before_the_clock_began_outlives_its_beginning() {
        let end = START.after(Duration::days(30));
        let wanted = Adjustment { updates_until: Some(Some(end)), ..Adjustment::default() };
        let given = adjust(&waiting(), &wanted, "-", Actor::Api, START, &mut rng(3)).unwrap().license;
        assert_eq!((given.started_at, given.updates_until), (None, Some(end)), "the clock waits on");
        let begun = given.started(Starts::FirstActivation, START).unwrap();
        assert_eq!((begun.expires_at, begun.updates_until), (given.policy.ends_at(START), Some(end)));
    }

    #[test]
    fn what_is_counted_follows_the_plan_but_for_a_limit_by_hand() {
        let metering = |limit, reset_days| Some(Metering { limit, reset_days });
        let table = [
            // The license's, by hand, the plan's, and then.
            (None, false, metering(Some(5), None), metering(Some(5), None), "the plan counts from now on"),
            (metering(Some(9), None), false, None, None, "the plan counts no more"),
            (metering(Some(9), Some(30)), false, metering(Some(5), None), metering(Some(5), None), "the plan's"),
            (metering(Some(9), Some(30)), true, metering(Some(5), None), metering(Some(9), None), "the limit is kept"),
            (metering(Some(9), Some(30)), true, None, metering(Some(9), Some(30)), "and counted on"),
            (
                metering(None, Some(30)),
                true,
                metering(Some(5), Some(7)),
                metering(None, Some(7)),
                "no limit is one too",
            ),
        ];
        for (own, by_hand, planned, expected, why) in table {
            let mut license = license();
            license.policy.usage = own;
            license.policy.by_hand.usage_limit = by_hand;
            let plan = Policy { usage: planned, by_hand: ByHand::default(), ..license.policy.clone() };
            let adopted = adopt(&license, &plan, "-", Actor::Api, START, &mut rng(3)).unwrap();
            assert_eq!(adopted.license.policy.usage, expected, "{why}");
        }
    }

    #[test]
    fn a_license_of_several_units_keeps_them_when_its_plan_makes_licenses() {
        let mut license = license();
        let mut plan = license.policy.clone();
        plan.seating.units = Units::Seats;
        license.policy = plan.for_quantity(4);
        plan.seating.units = Units::Licenses;
        assert!(adopt(&license, &plan, "-", Actor::Api, START, &mut rng(3)).unwrap().differences.is_empty());
        plan.seats = Some(3);
        let adopted = adopt(&license, &plan, "-", Actor::Api, START, &mut rng(3)).unwrap();
        assert_eq!(told(&adopted), "seats 8 → 12");
    }
}
