#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use super::*;
use crate::fixture::{Reporter, START, World, activation_request, rng};
use crate::{
    ActivationRequest, Actor, AtExpiry, Duration, EventId, Group, GroupId, GroupSeats, GroupUse, Metering,
    PaymentStatus, ProductId, Refusal, UsageRequest, ValidationRequest, activate, change_usage, deactivate, heartbeat,
};

/// A working license of two seats for a year, the seat of a laptop on it, and an app there that asks for what it has.
struct Case {
    license: License,
    seat: Option<Activation>,
    asks: ValidationRequest,
    now: Timestamp,
}

fn laptop() -> Fingerprint {
    Fingerprint::parse("laptop").unwrap()
}

fn activation(version_released_at: Option<Timestamp>) -> ActivationRequest {
    ActivationRequest { version_released_at, ..activation_request("laptop") }
}

/// A group whose licenses hold every seat that they may hold together.
fn full_group(license: &License) -> GroupSeats {
    let group = Group {
        id: GroupId::mint(START, &mut rng(9)),
        shop: license.shop,
        version: 1,
        name: "Studio North".to_owned(),
        max_licenses: None,
        max_seats: Some(1),
        created_at: START,
    };
    let used = GroupUse { group, members: 1, licenses: 1, taken: 1, lapsed: 0 };
    GroupSeats { used, lapsed: Vec::new() }
}

/// When every case is looked at, and when its version came out, by the days since the license began.
const LOOKED_AT: i64 = 400;
const RELEASED_ON: i64 = 100;

fn day(count: i64) -> Timestamp {
    START.after(Duration::days(count))
}

impl Case {
    fn new() -> Self {
        let mut world = World::submitted();
        let captured = world.sale.order.total;
        let reporter = Reporter::of(&world.sale, 0);
        world.meet(&reporter.payment(PaymentStatus::Succeeded { captured })).unwrap();
        let mut license = world.sale.licenses[0].clone();
        license.expires_at = None;
        let (changes, seat) = activate(&license, None, 0, None, &activation(None), START, &mut rng(5)).unwrap();
        let license = changes.licenses[0].clone();
        let seat = Activation { version: 1, last_seen_at: day(LOOKED_AT), ..seat };
        let asks = ValidationRequest {
            fingerprint: Some(laptop()),
            product: Some(vec![license.product]),
            features: vec!["export".to_owned()],
            version_released_at: Some(day(RELEASED_ON)),
            components: BTreeMap::new(),
        };
        Self { license, seat: Some(seat), asks, now: day(LOOKED_AT) }
    }

    /// Makes one reason hold, and nothing else.
    fn give(&mut self, reason: &str) {
        match reason {
            "wrong_product" => self.asks.product = Some(vec![ProductId::mint(START, &mut rng(8))]),
            "revoked" => self.license.state = LicenseState::RevokedByRefund,
            "suspended" => self.license.state = LicenseState::SuspendedByPerson,
            "expired" => self.license.expires_at = Some(day(365)),
            "closed" => {
                self.license.expires_at = Some(day(365));
                self.license.policy.term.at_expiry = AtExpiry::Keep;
            }
            "update_not_covered" => self.license.updates_until = Some(day(30)),
            "not_activated" => self.seat = None,
            "check_in_overdue" => {
                self.license.policy.term.check_in_days = Some(7);
                self.seat = self.seat.take().map(|seat| Activation { last_seen_at: START, ..seat });
            }
            "seat_limit_reached" => self.license.seats_used = 2,
            "license_group_full" => self.license.group = Some(full_group(&self.license).used.group.id),
            "missing_feature" => self.asks.features.push("import".to_owned()),
            "usage_exhausted" => {
                self.license.policy.usage = Some(Metering { limit: Some(0), reset_days: None });
            }
            "usage_not_counted" => self.license.policy.usage = None,
            other => panic!("{other}"),
        }
    }

    fn with(reasons: &[&str]) -> Self {
        let mut case = Self::new();
        for reason in reasons {
            case.give(reason);
        }
        case
    }

    fn validated(&self) -> &'static str {
        self.license.validate(self.seat.as_ref(), &self.asks, self.now).code.as_str()
    }
}

fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines = table.trim().lines().skip(1).filter(|line| !line.trim().is_empty());
    lines.map(|line| line.split('|').map(str::trim).collect())
}

/// The order in which a validation looks at its reasons.
const ORDER: [&str; 9] = [
    "wrong_product",
    "revoked",
    "suspended",
    "expired",
    "update_not_covered",
    "not_activated",
    "check_in_overdue",
    "missing_feature",
    "usage_exhausted",
];

/// A license has one state, and a device without a seat cannot be late with its report.
fn exclude_each_other(one: &str, other: &str) -> bool {
    matches!((one, other), ("revoked", "suspended") | ("not_activated", "check_in_overdue"))
}

#[test]
fn of_two_reasons_the_table_says_which_a_validation_tells() {
    let table = "
        one                | other              | told
        wrong_product      | revoked            | wrong_product
        wrong_product      | suspended          | wrong_product
        wrong_product      | expired            | wrong_product
        wrong_product      | update_not_covered | wrong_product
        wrong_product      | not_activated      | wrong_product
        wrong_product      | check_in_overdue   | wrong_product
        wrong_product      | missing_feature    | wrong_product
        wrong_product      | usage_exhausted    | wrong_product
        revoked            | suspended          | -
        revoked            | expired            | revoked
        revoked            | update_not_covered | revoked
        revoked            | not_activated      | revoked
        revoked            | check_in_overdue   | revoked
        revoked            | missing_feature    | revoked
        revoked            | usage_exhausted    | revoked
        suspended          | expired            | suspended
        suspended          | update_not_covered | suspended
        suspended          | not_activated      | suspended
        suspended          | check_in_overdue   | suspended
        suspended          | missing_feature    | suspended
        suspended          | usage_exhausted    | suspended
        expired            | update_not_covered | expired
        expired            | not_activated      | expired
        expired            | check_in_overdue   | expired
        expired            | missing_feature    | expired
        expired            | usage_exhausted    | expired
        update_not_covered | not_activated      | update_not_covered
        update_not_covered | check_in_overdue   | update_not_covered
        update_not_covered | missing_feature    | update_not_covered
        update_not_covered | usage_exhausted    | update_not_covered
        not_activated      | check_in_overdue   | -
        not_activated      | missing_feature    | not_activated
        not_activated      | usage_exhausted    | not_activated
        check_in_overdue   | missing_feature    | check_in_overdue
        check_in_overdue   | usage_exhausted    | check_in_overdue
        missing_feature    | usage_exhausted    | missing_feature
    ";
    assert_eq!(Case::new().validated(), "valid");
    let mut told = Vec::new();
    for row in rows(table) {
        let [one, other, winner] = row[..] else { panic!("{row:?}") };
        told.push((one, other));
        assert_eq!(Case::with(&[one]).validated(), one, "alone");
        assert_eq!(Case::with(&[other]).validated(), other, "alone");
        assert_eq!(exclude_each_other(one, other), winner == "-", "{one}, {other}");
        if winner != "-" {
            assert_eq!(Case::with(&[one, other]).validated(), winner, "{one} and {other}");
        }
    }
    let every_pair: Vec<(&str, &str)> =
        (0..ORDER.len()).flat_map(|one| (one + 1..ORDER.len()).map(move |other| (ORDER[one], ORDER[other]))).collect();
    assert_eq!(told, every_pair, "no pair is left out");
}

#[test]
fn of_however_many_reasons_the_first_in_the_order_is_told() {
    for chosen in 1..1_u32 << ORDER.len() {
        let reasons: Vec<&str> =
            ORDER.iter().enumerate().filter(|(place, _)| chosen >> place & 1 == 1).map(|(_, reason)| *reason).collect();
        let excluded = |one: &&str| reasons.iter().any(|other| exclude_each_other(one, other));
        if !reasons.iter().any(excluded) {
            assert_eq!(Case::with(&reasons).validated(), reasons[0], "{reasons:?}");
        }
    }
}

#[test]
fn of_two_reasons_the_table_says_for_which_a_seat_or_a_use_is_refused() {
    let table = "
        asked      | one                | other              | refused
        activate   | suspended          | expired            | license_suspended
        activate   | suspended          | update_not_covered | license_suspended
        activate   | suspended          | seat_limit_reached | license_suspended
        activate   | revoked            | expired            | license_revoked
        activate   | revoked            | update_not_covered | license_revoked
        activate   | revoked            | seat_limit_reached | license_revoked
        activate   | expired            | update_not_covered | license_expired
        activate   | expired            | seat_limit_reached | license_expired
        activate   | update_not_covered | closed             | license_update_not_covered
        activate   | update_not_covered | seat_limit_reached | license_update_not_covered
        activate   | closed             | seat_limit_reached | license_expired
        activate   | suspended          | license_group_full | license_suspended
        activate   | revoked            | license_group_full | license_revoked
        activate   | expired            | license_group_full | license_expired
        activate   | update_not_covered | license_group_full | license_update_not_covered
        activate   | closed             | license_group_full | license_expired
        activate   | seat_limit_reached | license_group_full | seat_limit_reached
        use        | usage_not_counted  | revoked            | usage_not_counted
        use        | usage_not_counted  | suspended          | usage_not_counted
        use        | usage_not_counted  | expired            | usage_not_counted
        use        | usage_not_counted  | not_activated      | usage_not_counted
        use        | revoked            | not_activated      | license_revoked
        use        | revoked            | usage_exhausted    | license_revoked
        use        | suspended          | not_activated      | license_suspended
        use        | suspended          | usage_exhausted    | license_suspended
        use        | expired            | not_activated      | license_expired
        use        | expired            | usage_exhausted    | license_expired
        use        | not_activated      | usage_exhausted    | not_activated
        deactivate | revoked            | not_activated      | not_activated
        deactivate | revoked            | expired            | -
        heartbeat  | revoked            | not_activated      | not_activated
        heartbeat  | revoked            | expired            | -
    ";
    for row in rows(table) {
        let [asked, one, other, expected] = row[..] else { panic!("{row:?}") };
        let mut case = Case::new();
        if asked == "use" {
            case.license.policy.usage = Some(Metering::default());
        }
        case.give(one);
        case.give(other);
        let refusal = match asked {
            "activate" => {
                let asks = activation(case.asks.version_released_at);
                let group = case.license.group.map(|_| full_group(&case.license));
                activate(&case.license, None, 0, group.as_ref(), &asks, case.now, &mut rng(6)).err()
            }
            "use" => {
                let event = EventId::mint(case.now, &mut rng(7));
                let seat = Some(case.seat.as_ref());
                change_usage(&case.license, seat, UsageRequest::Add(1), Actor::App, event, case.now).err()
            }
            // Without a seat there is nothing to give back or to keep, and the shell says so.
            "deactivate" => case.seat.as_ref().map_or(Some(Refusal::NotActivated), |seat| {
                deactivate(&case.license, seat, Actor::App, case.now, &mut rng(6)).err()
            }),
            "heartbeat" => case
                .seat
                .as_ref()
                .map_or(Some(Refusal::NotActivated), |seat| heartbeat(&case.license, seat, case.now).err()),
            other => panic!("{other}"),
        };
        assert_eq!(refusal.map_or("-", |refusal| refusal.code()), expected, "{asked}: {one} and {other}");
    }
}

#[test]
fn the_rule_says_which_of_several_gave_the_verdict() {
    let table = "
        verdict            | license                                     | seat     | rule
        valid              | -                                           | taken    | all_hold
        unknown            | -                                           | taken    | key_known
        key_not_genuine    | -                                           | taken    | key_signature
        key_retired        | -                                           | taken    | key_replaced
        wrong_product      | -                                           | taken    | product
        revoked            | revoked_by_refund                           | taken    | revoked_by_refund
        revoked            | revoked_by_dispute                          | taken    | revoked_by_dispute
        revoked            | revoked_by_person                           | taken    | revoked_by_person
        revoked            | ended, end                                  | taken    | at_expiry_end
        suspended          | suspended_by_dispute                        | taken    | suspended_by_dispute
        suspended          | suspended_by_person                         | taken    | suspended_by_person
        expired            | ended, restrict                             | taken    | expires_at
        expired            | ended, keep                                 | taken    | at_expiry_keep
        update_not_covered | updates 30                                  | taken    | updates_until
        update_not_covered | ended, keep                                 | taken    | at_expiry_keep
        update_not_covered | ended, keep, updates 30                     | taken    | updates_until
        update_not_covered | ended, keep, updates 380                    | taken    | at_expiry_keep
        not_activated      | -                                           | -        | seat
        not_activated      | -                                           | released | seat_released
        not_activated      | -                                           | taken    | lease_seconds
        check_in_overdue   | -                                           | taken    | check_in_days
        seat_limit_reached | -                                           | -        | seats
        license_group_full | -                                           | -        | group_max_seats
        missing_feature    | -                                           | taken    | features
        usage_exhausted    | -                                           | taken    | usage_limit
        usage_not_counted  | -                                           | taken    | metered
    ";
    let mut told = Vec::new();
    for row in rows(table) {
        let [verdict, before, seat, rule] = row[..] else { panic!("{row:?}") };
        let mut case = Case::new();
        for part in before.split(", ").filter(|part| *part != "-") {
            match (part, part.split_once(' ')) {
                ("ended", _) => case.license.expires_at = Some(day(365)),
                (_, Some(("updates", days))) => case.license.updates_until = Some(day(days.parse().unwrap())),
                (word, _) => match (AtExpiry::parse(word), LicenseState::parse(word)) {
                    (Some(rule), _) => case.license.policy.term.at_expiry = rule,
                    (None, state) => case.license.state = state.unwrap(),
                },
            }
        }
        let held = case.seat.filter(|_| seat != "-").map(|held| match seat {
            "released" => Activation { state: ActivationState::Released, ..held },
            _ => held,
        });
        let verdict = AttemptVerdict::parse(verdict).unwrap();
        let found = case.license.deciding_rule(verdict, held.as_ref(), case.now);
        assert_eq!(found.as_str(), rule, "{verdict:?}: {before}");
        told.push(found);
    }
    // What is said before there is a license is not found by looking at one.
    let never = |rule: &&Rule| !told.contains(rule) && **rule != Rule::KeyForm;
    assert_eq!(Rule::ALL.iter().filter(never).collect::<Vec<_>>(), Vec::<&Rule>::new());
}

#[test]
fn what_was_mended_is_not_told_any_more() {
    let table = "
        verdict            | reason             | before | mended
        revoked            | revoked            | yes    | no
        suspended          | suspended          | yes    | no
        expired            | expired            | yes    | no
        expired            | closed             | yes    | no
        seat_limit_reached | seat_limit_reached | yes    | no
        license_group_full | license_group_full | yes    | no
        usage_exhausted    | usage_exhausted    | yes    | no
        wrong_product      | wrong_product      | yes    | yes
        not_activated      | not_activated      | yes    | yes
        valid              | revoked            | no     | no
    ";
    for row in rows(table) {
        let [verdict, reason, before, mended] = row[..] else { panic!("{row:?}") };
        let verdict = AttemptVerdict::parse(verdict).unwrap();
        let word = |refuses: bool| if refuses { "yes" } else { "no" };
        let case = Case::with(&[reason]);
        assert_eq!(word(case.license.still_refuses(verdict, case.now)), before, "{verdict:?}");
        assert_eq!(word(Case::new().license.still_refuses(verdict, case.now)), mended, "{verdict:?}");
    }
}

#[test]
fn words_read_back() {
    for kind in AttemptKind::ALL {
        assert_eq!(AttemptKind::parse(kind.as_str()), Some(kind));
    }
    for verdict in AttemptVerdict::ALL {
        assert_eq!(AttemptVerdict::parse(verdict.as_str()), Some(verdict));
    }
    for rule in Rule::ALL {
        assert_eq!(Rule::parse(rule.as_str()), Some(rule));
    }
    assert_eq!(AttemptVerdict::of(&Refusal::CheckoutExpired), None);
    assert_eq!(AttemptVerdict::of(&Refusal::NotActivated), Some(AttemptVerdict::NotActivated));
}
