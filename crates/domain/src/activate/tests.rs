#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::fixture::{Reporter, START, World, rng};
use crate::{Duration, LicenseState, PaymentStatus, ProductId, ValidationRequest, VerdictCode};

fn license() -> License {
    let mut world = World::submitted();
    let captured = world.sale.order.total;
    let reporter = Reporter::of(&world.sale, 0);
    world.meet(&reporter.payment(PaymentStatus::Succeeded { captured })).unwrap();
    world.sale.licenses[0].clone()
}

fn request(device: &str) -> ActivationRequest {
    ActivationRequest {
        fingerprint: Fingerprint::parse(device).unwrap(),
        name: Some(device.to_owned()),
        metadata: BTreeMap::new(),
    }
}

fn seat(license: &License, state: ActivationState) -> Activation {
    let free = License { seats_used: 0, state: LicenseState::Active, ..license.clone() };
    let (_, seat) = activate(&free, None, &request("laptop"), START, &mut rng(5)).unwrap();
    Activation { version: 1, state, ..seat }
}

/// Reads `seats 2, used 1, after 365 days, suspended_by_person`: a license by what differs from a new one of two seats.
fn described(text: &str) -> (License, Timestamp) {
    let mut license = license();
    let mut now = START;
    for part in text.split(", ").filter(|part| *part != "new") {
        match part.split(' ').collect::<Vec<_>>()[..] {
            ["seats", "any"] => license.policy.seats = None,
            ["seats", seats] => license.policy.seats = Some(seats.parse().unwrap()),
            ["used", seats] => license.seats_used = seats.parse().unwrap(),
            ["after", days, "days"] => now = START.after(Duration::days(days.parse().unwrap())),
            ["for", "ever"] => license.expires_at = None,
            [state] => license.state = LicenseState::parse(state).unwrap(),
            _ => panic!("{part}"),
        }
    }
    (license, now)
}

fn rows(table: &str) -> Vec<Vec<&str>> {
    let lines = table.trim().lines().skip(1).filter(|line| !line.trim().is_empty());
    lines.map(|line| line.split('|').map(str::trim).collect()).collect()
}

#[test]
fn a_device_gets_a_seat_when_the_license_works_and_one_is_free() {
    let table = "
        license                          | its seat | outcome                    | why
        new                              | -        | seat, used 1               | the first of two
        used 1                           | -        | seat, used 2               | the last one
        used 2                           | -        | refused seat_limit_reached | both are taken
        used 2                           | taken    | kept, used 2               | a device keeps its seat when all are taken
        used 2                           | released | refused seat_limit_reached | what was given back is gone
        used 1                           | released | seat, used 2               | and can be taken again
        seats any, used 900              | -        | seat, used 901             | no limit
        seats any, used 4294967295       | -        | seat, used 4294967295      | the count never wraps
        seats 0                          | -        | refused seat_limit_reached | a policy without seats
        after 364 days                   | -        | seat, used 1               | the last day
        after 365 days                   | -        | refused license_expired    | a year is over
        after 365 days                   | taken    | refused license_expired    | for a seated device as well
        for ever, after 9999 days        | -        | seat, used 1               | no end
        suspended_by_dispute             | -        | refused license_suspended  | the bank holds the money
        suspended_by_person              | -        | refused license_suspended  | somebody switched it off
        revoked_by_refund                | -        | refused license_revoked    | the money went back
        revoked_by_dispute               | -        | refused license_revoked    | the bank took it
        revoked_by_person                | -        | refused license_revoked    | somebody took it back
        revoked_by_refund, after 365 days | -       | refused license_revoked    | taken back says more than expired
    ";
    for row in rows(table) {
        let [before, held, outcome, why] = row[..] else { panic!("{row:?}") };
        let (license, now) = described(before);
        let held = match held {
            "-" => None,
            "taken" => Some(seat(&license, ActivationState::Active)),
            "released" => Some(seat(&license, ActivationState::Released)),
            other => panic!("{other}"),
        };
        let found = match activate(&license, held.as_ref(), &request("laptop"), now, &mut rng(6)) {
            Err(refusal) => format!("refused {}", refusal.code()),
            Ok((changes, given)) => {
                assert_eq!(changes.activations, vec![given.clone()]);
                assert_eq!((given.license, given.state), (license.id, ActivationState::Active));
                if let Some(after) = changes.licenses.first() {
                    assert_eq!(after.version, license.version, "the license's version guards its seats");
                    assert_eq!(given.version, 0);
                    format!("seat, used {}", after.seats_used)
                } else {
                    assert_eq!(Some(given.id), held.map(|held| held.id));
                    assert!(changes.events.is_empty());
                    format!("kept, used {}", license.seats_used)
                }
            }
        };
        assert_eq!(found, outcome, "{before}: {why}");
    }
}

#[test]
fn a_seat_that_is_kept_takes_the_new_name_and_forgets_nothing_else() {
    let license = license();
    let mut held = seat(&license, ActivationState::Active);
    held.metadata.insert("os".to_owned(), "linux".to_owned());
    let later = START.after(Duration::hours(1));
    let renamed = ActivationRequest { name: Some("the laptop".to_owned()), ..request("laptop") };
    let (_, kept) = activate(&license, Some(&held), &renamed, later, &mut rng(6)).unwrap();
    assert_eq!(
        (kept.name.as_deref(), kept.metadata, kept.last_seen_at),
        (Some("the laptop"), held.metadata.clone(), later)
    );
    let unnamed = ActivationRequest { name: None, ..request("laptop") };
    let (_, kept) = activate(&license, Some(&held), &unnamed, later, &mut rng(6)).unwrap();
    assert_eq!(kept.name, held.name);
}

#[test]
fn a_seat_is_freed_once_and_whatever_the_license_is() {
    let table = "
        license              | seat     | outcome               | why
        used 2               | taken    | freed, used 1         | one is free again
        used 1               | released | refused not_activated | a second time frees nothing
        used 0               | taken    | freed, used 0         | the count never goes below zero
        used 1, revoked_by_refund | taken | freed, used 0       | a device may leave a license that is gone
    ";
    for row in rows(table) {
        let [before, held, outcome, why] = row[..] else { panic!("{row:?}") };
        let (license, now) = described(before);
        let state = ActivationState::parse(if held == "taken" { "active" } else { held }).unwrap();
        let found = match deactivate(&license, &seat(&license, state), Actor::App, now, &mut rng(6)) {
            Err(refusal) => format!("refused {}", refusal.code()),
            Ok((changes, freed)) => {
                assert_eq!(freed.state, ActivationState::Released);
                assert_eq!(changes.events[0].kind, EventKind::ActivationReleased);
                format!("freed, used {}", changes.licenses[0].seats_used)
            }
        };
        assert_eq!(found, outcome, "{before}: {why}");
    }
}

#[test]
fn a_heartbeat_is_noted_on_a_taken_seat_and_never_backwards() {
    let license = license();
    let held = seat(&license, ActivationState::Active);
    let later = START.after(Duration::minutes(1));
    assert_eq!(heartbeat(&held, later).unwrap().1.last_seen_at, later);
    let early = START.before(Duration::minutes(1));
    assert_eq!(heartbeat(&held, early).unwrap().1.last_seen_at, START, "a clock that was set back");
    let released = seat(&license, ActivationState::Released);
    assert_eq!(heartbeat(&released, later), Err(Refusal::NotActivated));
}

#[test]
fn n_devices_at_k_free_seats_give_k_successes() {
    for (seats, devices) in [(0, 3), (1, 1), (1, 5), (3, 2), (5, 40)] {
        let mut license = License { seats_used: 0, ..license() };
        license.policy.seats = Some(seats);
        let mut taken = 0;
        for device in 0..devices {
            match activate(&license, None, &request(&format!("device {device}")), START, &mut rng(6)) {
                Ok((changes, _)) => {
                    taken += 1;
                    license = changes.licenses[0].clone();
                }
                Err(refusal) => assert_eq!(refusal, Refusal::SeatLimitReached { seats }),
            }
        }
        assert_eq!(taken, seats.min(devices));
        assert_eq!(license.seats_used, taken);
    }
}

#[test]
fn the_first_rule_that_does_not_hold_gives_the_verdict() {
    let table = "
        license                           | device   | product | features      | verdict          | why
        new                               | -        | -       | -             | valid            | works, and nothing more was asked
        new                               | taken    | its own | export        | valid            | everything holds
        new                               | other    | its own | export        | not_activated    | no seat yet
        new                               | released | its own | export        | not_activated    | no seat any more
        seats any                         | other    | its own | export        | valid            | no seats to be had
        new                               | -        | its own | export        | valid            | without a device no seat is looked for
        new                               | taken    | its own | import        | missing_feature  | the plan lacks it
        new                               | taken    | its own | export,import | missing_feature  | one of two
        new                               | other    | its own | import        | not_activated    | the seat comes before the feature
        after 365 days                    | other    | its own | import        | expired          | expiry comes before the seat
        suspended_by_dispute, after 365 days | other | its own | import        | suspended        | suspension comes before expiry
        suspended_by_person               | taken    | its own | export        | suspended        | a seat does not help
        revoked_by_refund                 | other    | its own | import        | revoked          | taken back comes before all but one
        revoked_by_dispute, after 365 days | taken   | -       | -             | revoked          | and before expiry
        revoked_by_person                 | taken    | another | import        | wrong_product    | a key for another product tells nothing about it
        new                               | taken    | another | export        | wrong_product    | works, but not here
        new                               | taken    | none    | export        | wrong_product    | an app that takes no product takes none
    ";
    for row in rows(table) {
        let [before, device, product, features, verdict, why] = row[..] else { panic!("{row:?}") };
        let (license, now) = described(before);
        let held = match device {
            "-" | "other" => None,
            "taken" => Some(seat(&license, ActivationState::Active)),
            "released" => Some(seat(&license, ActivationState::Released)),
            other => panic!("{other}"),
        };
        let request = ValidationRequest {
            fingerprint: (device != "-").then(|| Fingerprint::parse("laptop").unwrap()),
            product: match product {
                "-" => None,
                "its own" => Some(vec![ProductId::mint(START, &mut rng(8)), license.product]),
                "another" => Some(vec![ProductId::mint(START, &mut rng(8))]),
                "none" => Some(vec![]),
                other => panic!("{other}"),
            },
            features: features.split(',').filter(|feature| *feature != "-").map(str::to_owned).collect(),
        };
        let found = license.validate(held.as_ref(), &request, now);
        assert_eq!(found.code.as_str(), verdict, "{before}: {why}");
        assert_eq!(found.is_valid(), verdict == "valid");
        let lacks = (verdict == "missing_feature").then_some("import");
        assert_eq!(found.missing_feature.as_deref(), lacks, "{why}");
    }
    assert_eq!(crate::Verdict::unknown().code, VerdictCode::Unknown);
}

#[test]
fn a_certificate_never_outlives_its_license() {
    let (license, _) = described("new");
    let day = Duration::days(1);
    assert_eq!(license.certificate_expires_at(START), START.after(day));
    let end = license.expires_at.unwrap();
    assert_eq!(license.certificate_expires_at(end.before(Duration::hours(1))), end);
    let (for_ever, _) = described("for ever");
    assert_eq!(for_ever.certificate_expires_at(end), end.after(day));
}
