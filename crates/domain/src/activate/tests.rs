#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::fixture::{Reporter, START, World, activation_request, rng};
use crate::{AtExpiry, Duration, LicenseState, Overage, PaymentStatus, ProductId, ValidationRequest, VerdictCode};

fn license() -> License {
    let mut world = World::submitted();
    let captured = world.sale.order.total;
    let reporter = Reporter::of(&world.sale, 0);
    world.meet(&reporter.payment(PaymentStatus::Succeeded { captured })).unwrap();
    world.sale.licenses[0].clone()
}

fn request(device: &str) -> ActivationRequest {
    ActivationRequest { name: Some(device.to_owned()), ..activation_request(device) }
}

fn seat(license: &License, state: ActivationState) -> Activation {
    let free = License { seats_used: 0, state: LicenseState::Active, ..license.clone() };
    let (_, seat) = activate(&free, None, 0, None, &request("laptop"), START, &mut rng(5)).unwrap();
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
            ["starts", word] => {
                license.policy.term.starts = Starts::parse(word).unwrap();
                (license.started_at, license.expires_at, license.updates_until) = (None, None, None);
            }
            ["grace", days] => license.policy.term.grace_days = days.parse().unwrap(),
            ["end", word] => license.policy.term.at_expiry = AtExpiry::parse(word).unwrap(),
            ["updates", days] => {
                license.policy.term.update_days = Some(days.parse().unwrap());
                license.updates_until = license.started_at.and_then(|start| license.policy.updates_end_at(start));
            }
            ["report", days] => license.policy.term.check_in_days = Some(days.parse().unwrap()),
            ["lease", seconds] => license.policy.seating.lease_seconds = Some(seconds.parse().unwrap()),
            ["overage", word] => license.policy.seating.overage = Overage::parse(word).unwrap(),
            ["second", seconds] => now = START.after(Duration::seconds(seconds.parse().unwrap())),
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
        let found = match activate(&license, held.as_ref(), 0, None, &request("laptop"), now, &mut rng(6)) {
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
    let (_, kept) = activate(&license, Some(&held), 0, None, &renamed, later, &mut rng(6)).unwrap();
    assert_eq!(
        (kept.name.as_deref(), kept.metadata, kept.last_seen_at),
        (Some("the laptop"), held.metadata.clone(), later)
    );
    let unnamed = ActivationRequest { name: None, ..request("laptop") };
    let (_, kept) = activate(&license, Some(&held), 0, None, &unnamed, later, &mut rng(6)).unwrap();
    assert_eq!(kept.name, held.name);
}

#[test]
fn a_seat_goes_on_under_the_fingerprint_that_its_device_has_now() {
    let license = license();
    let held = seat(&license, ActivationState::Active);
    let parts = || BTreeMap::from([("disk".to_owned(), "a hash".to_owned())]);
    // Whoever is known otherwise, is renamed or shows its parts is written as a device; who is as before, as a seat.
    for (device, name, shown, is_device, told) in [
        ("laptop", None, BTreeMap::new(), false, &[][..]),
        ("laptop", Some("laptop"), BTreeMap::new(), false, &[][..]),
        ("laptop", Some("Ada’s laptop"), BTreeMap::new(), true, &[][..]),
        ("laptop", None, parts(), true, &[][..]),
        ("laptop, mended", None, BTreeMap::new(), true, &[EventKind::ActivationChanged][..]),
        ("laptop, mended", Some("Ada’s laptop"), parts(), true, &[EventKind::ActivationChanged][..]),
    ] {
        let name = name.map(str::to_owned);
        let asked = ActivationRequest { name, components: shown.clone(), ..request(device) };
        let (changes, kept) = activate(&license, Some(&held), 0, None, &asked, START, &mut rng(6)).unwrap();
        assert_eq!((kept.id, kept.fingerprint.as_str(), &kept.components), (held.id, device, &shown));
        let (devices, seats) = if is_device { (vec![kept], vec![]) } else { (vec![], vec![kept]) };
        assert_eq!((changes.devices, changes.activations), (devices, seats), "{device} {shown:?}");
        assert_eq!(changes.events.iter().map(|event| event.kind).collect::<Vec<_>>(), told, "{device} {shown:?}");
        assert!(changes.licenses.is_empty(), "no seat more is taken");
    }
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
                assert_eq!((freed.state, freed.last_seen_at), (ActivationState::Released, now));
                assert_eq!(changes.activations, vec![freed]);
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
    let (changes, beaten) = heartbeat(&license, &held, later).unwrap();
    assert_eq!(beaten.last_seen_at, later);
    assert_eq!(changes.activations, vec![beaten]);
    let early = START.before(Duration::minutes(1));
    assert_eq!(heartbeat(&license, &held, early).unwrap().1.last_seen_at, START, "a clock that was set back");
    let released = seat(&license, ActivationState::Released);
    assert_eq!(heartbeat(&license, &released, later), Err(Refusal::NotActivated));
}

#[test]
fn n_devices_at_k_free_seats_give_k_successes() {
    for (seats, devices) in [(0, 3), (1, 1), (1, 5), (3, 2), (5, 40)] {
        let mut license = License { seats_used: 0, ..license() };
        license.policy.seats = Some(seats);
        let mut taken = 0;
        for device in 0..devices {
            match activate(&license, None, 0, None, &request(&format!("device {device}")), START, &mut rng(6)) {
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
            version_released_at: None,
            components: BTreeMap::new(),
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
    assert_eq!(license.certificate_expires_at(None, START), START.after(day));
    let end = license.expires_at.unwrap();
    assert_eq!(license.certificate_expires_at(None, end.before(Duration::hours(1))), end);
    let (for_ever, _) = described("for ever");
    assert_eq!(for_ever.certificate_expires_at(None, end), end.after(day));
}

fn days(count: i64) -> Timestamp {
    START.after(Duration::days(count))
}

#[test]
fn time_decides_by_the_rule_of_the_plan() {
    // `seat` is a seat taken at the start; `version` is the day on which the version that asks came out.
    let table = "
        license                                      | seat  | version | verdict            | told     | new device          | why
        after 364 days                               | taken | -       | valid              | -        | seat                | the last day
        after 365 days                               | taken | -       | expired            | -        | license_expired     | restricted, as every plan that says nothing
        grace 7, after 371 days                      | taken | -       | valid              | in_grace | seat                | the last day of grace is as any other
        grace 7, after 372 days                      | taken | -       | expired            | -        | license_expired     | and then it is over
        end keep, after 365 days                     | taken | -       | valid              | expired  | license_expired     | who is in stays in, who is not stays out
        end keep, after 365 days                     | -     | -       | not_activated      | -        | license_expired     | and is told so
        end keep, after 400 days                     | taken | 364     | valid              | expired  | license_expired     | what was out before the end goes on
        end keep, after 400 days                     | taken | 365     | update_not_covered | -        | license_update_not_covered | what came after does not
        end keep, grace 7, after 371 days            | taken | 370     | valid              | in_grace | seat                | grace comes before
        end allow, after 9000 days                   | taken | 8999    | valid              | expired  | seat                | it works on for everything
        end end, after 364 days                      | taken | -       | valid              | -        | seat                | it works to the end
        end end, after 365 days                      | taken | -       | revoked            | -        | license_revoked     | and is as if taken back
        end end, grace 1, after 365 days             | taken | -       | valid              | in_grace | seat                | after its grace
        end allow, suspended_by_person, after 400 days | taken | -     | suspended          | -        | license_suspended   | a person's word comes first
        for ever, updates 30, after 9000 days        | taken | 29      | valid              | -        | seat                | for ever, for what came out in time
        for ever, updates 30, after 9000 days        | taken | 30      | update_not_covered | -        | license_update_not_covered | the window is over
        for ever, updates 30, after 10 days          | taken | 10      | valid              | -        | seat                | the window is open
        for ever, updates 30, after 9000 days        | taken | -       | valid              | -        | seat                | who does not say is not asked
        updates 30, after 400 days                   | taken | 100     | expired            | -        | license_expired     | an end comes before a window
        for ever, updates 30, after 90 days          | -     | 40      | update_not_covered | -        | license_update_not_covered | a window before a seat
        starts first_activation, after 900 days      | -     | -       | not_activated      | -        | seat, began         | its time has not begun
        starts first_validation, after 900 days      | -     | -       | not_activated      | -        | seat, began         | a seat is a use
        report 7, after 6 days                       | taken | -       | valid              | -        | seat                | it has reported in time
        report 7, after 7 days                       | taken | -       | check_in_overdue   | -        | seat                | it has not
        report 7, after 365 days                     | taken | -       | expired            | -        | license_expired     | an end comes before a report
        report 7, after 8 days                       | -     | -       | not_activated      | -        | seat                | who has no seat cannot report
    ";
    for row in rows(table) {
        let [before, held, version, verdict, warning, newcomer, why] = row[..] else { panic!("{row:?}") };
        let (license, now) = described(before);
        let held = (held == "taken")
            .then(|| seat(&license, ActivationState::Active))
            .map(|held| Activation { last_seen_at: START, ..held });
        let version_released_at = (version != "-").then(|| days(version.parse().unwrap()));
        let asked = ValidationRequest {
            fingerprint: Some(Fingerprint::parse("laptop").unwrap()),
            version_released_at,
            ..ValidationRequest::default()
        };
        let found = license.validate(held.as_ref(), &asked, now);
        let told = found.warnings.iter().map(|warning| warning.as_str()).collect::<Vec<_>>().join(" ");
        assert_eq!((found.code.as_str(), told.as_str()), (verdict, warning.trim_matches('-')), "{before}: {why}");
        let other = ActivationRequest { version_released_at, ..request("desk") };
        let outcome = match activate(&license, None, 0, None, &other, now, &mut rng(6)) {
            Err(refusal) => refusal.code().to_owned(),
            Ok((changes, _)) if changes.licenses[0].started_at == license.started_at => "seat".to_owned(),
            Ok((changes, _)) => {
                let begun = &changes.licenses[0];
                assert_eq!((begun.started_at, begun.expires_at), (Some(now), Some(now.after(Duration::days(365)))));
                assert_eq!(changes.events[0].kind, EventKind::LicenseStarted);
                "seat, began".to_owned()
            }
        };
        assert_eq!(outcome, newcomer, "{before}: {why}");
    }
}

#[test]
fn the_first_yes_begins_the_clock_once_and_only_where_the_plan_says_so() {
    let table = "
        license                                 | begins
        new                                     | no
        starts first_activation                 | no
        starts first_validation                 | yes
    ";
    for row in rows(table) {
        let [before, begins] = row[..] else { panic!("{row:?}") };
        let (mut license, _) = described(before);
        license.policy.term.update_days = Some(30);
        let found = begin(&license, days(40), &mut rng(6));
        assert_eq!(found.is_some(), begins == "yes", "{before}");
        if let Some((changes, begun)) = found {
            let expected = (Some(days(40)), Some(days(405)), Some(days(70)));
            assert_eq!((begun.started_at, begun.expires_at, begun.updates_until), expected);
            assert_eq!(changes.licenses, vec![begun.clone()]);
            let told = changes.events.iter().map(|event| (event.kind, event.license)).collect::<Vec<_>>();
            assert_eq!(told, [(EventKind::LicenseStarted, Some(begun.id))]);
            assert_eq!(begin(&begun, days(50), &mut rng(6)), None, "once");
        }
    }
}

#[test]
fn a_lease_ends_by_time_alone_and_its_seat_goes_to_whoever_comes_next() {
    // Two seats; `own` is when the device that asks was last heard of, `lapsed` how many leases are over.
    let table = "
        license                                      | own | lapsed | activate                   | heartbeat     | verdict       | why
        lease 600, used 1, second 599                | 0   | 0      | kept                       | renewed       | valid         | the last second
        lease 600, used 1, second 600                | 0   | 1      | seat, used 1, lapsed 1     | not_activated | not_activated | over: it asks anew and is the first again
        lease 600, used 2, second 600                | 0   | 2      | seat, used 1, lapsed 2     | not_activated | not_activated | all that are over go at once
        lease 600, used 2, second 600                | -   | 1      | seat, used 2, lapsed 1     | not_activated | not_activated | the seat of another
        lease 600, used 1, second 600                | -   | 0      | seat, used 2               | not_activated | not_activated | one is free, and none is over
        lease 600, used 2, second 600                | -   | 0      | seat_limit_reached         | not_activated | not_activated | both are held
        lease 600, used 2, second 900                | 500 | 0      | kept                       | renewed       | valid         | heard of since
        used 2, second 900                           | 0   | 0      | kept                       | renewed       | valid         | no lease, no end
    ";
    for row in rows(table) {
        let [before, own, lapsed, activated, beat, verdict, why] = row[..] else { panic!("{row:?}") };
        let (license, now) = described(before);
        let held = (own != "-").then(|| Activation {
            last_seen_at: START.after(Duration::seconds(own.parse().unwrap())),
            ..seat(&license, ActivationState::Active)
        });
        let lapsed: u32 = lapsed.parse().unwrap();
        let outcome = match activate(&license, held.as_ref(), lapsed, None, &request("laptop"), now, &mut rng(6)) {
            Err(refusal) => refusal.code().to_owned(),
            Ok((changes, given)) if changes.licenses.is_empty() => {
                assert_eq!(given.last_seen_at, now, "its lease is renewed");
                "kept".to_owned()
            }
            Ok((changes, _)) => {
                let mut told = format!("seat, used {}", changes.licenses[0].seats_used);
                if let Some(lapse) = changes.lapses.first() {
                    assert_eq!(lapse.last_seen_by, now.before(Duration::seconds(600)));
                    assert_eq!(changes.events[0].kind, EventKind::ActivationLapsed);
                    told = format!("{told}, lapsed {}", lapse.seats);
                }
                told
            }
        };
        assert_eq!(outcome, activated, "{before}: {why}");
        let outcome = match held.as_ref().map(|held| heartbeat(&license, held, now)) {
            None => "not_activated",
            Some(Err(refusal)) => refusal.code(),
            Some(Ok((_, renewed))) => {
                assert_eq!(renewed.last_seen_at, now);
                "renewed"
            }
        };
        assert_eq!(outcome, beat, "{before}: {why}");
        let asked = ValidationRequest {
            fingerprint: Some(Fingerprint::parse("laptop").unwrap()),
            ..ValidationRequest::default()
        };
        assert_eq!(license.validate(held.as_ref(), &asked, now).code.as_str(), verdict, "{before}: {why}");
    }
}

#[test]
fn as_many_sit_down_as_the_overage_allows_and_are_told_so() {
    let table = "
        seats | overage | get in | told from
        2     | deny    | 2      | -
        4     | 1.25x   | 5      | 5
        5     | 1.25x   | 6      | 6
        3     | 1.25x   | 3      | -
        3     | 1.5x    | 4      | 4
        3     | 2x      | 6      | 4
        3     | always  | 20     | 4
        0     | 2x      | 0      | -
    ";
    for row in rows(table) {
        let [seats, overage, get_in, told_from] = row[..] else { panic!("{row:?}") };
        let (mut license, now) = described(&format!("seats {seats}, used 0, overage {overage}"));
        let mut first_told = None;
        let mut inside = 0;
        for device in 1..=20 {
            match activate(&license, None, 0, None, &request(&format!("device {device}")), now, &mut rng(6)) {
                Ok((changes, _)) => {
                    inside += 1;
                    license = changes.licenses[0].clone();
                    if license.warnings(now) == [Warning::Overage] {
                        first_told = first_told.or(Some(device));
                        assert_eq!(changes.events[0].data["overage"], true);
                    }
                }
                Err(refusal) => assert_eq!(refusal, Refusal::SeatLimitReached { seats: seats.parse().unwrap() }),
            }
        }
        assert_eq!(inside.to_string(), get_in, "{row:?}");
        assert_eq!(first_told.map_or("-".to_owned(), |device: i32| device.to_string()), told_from, "{row:?}");
        let verdict = license.validate(None, &ValidationRequest::default(), now);
        assert_eq!(verdict.warnings.contains(&Warning::Overage), told_from != "-", "a yes tells it as well");
    }
}

#[test]
fn a_certificate_never_outlives_lease_report_grace_or_end() {
    // How many seconds after the start a certificate ends that is given to a seat which reported at the start.
    let table = "
        license                              | ends
        new                                  | 86400
        after 365 days, grace 7              | 31622400
        end keep, after 500 days             | 43286400
        end allow, after 500 days            | 43286400
        lease 600                            | 600
        report 1, second 80000               | 86400
        report 2                             | 86400
    ";
    for row in rows(table) {
        let [before, ends] = row[..] else { panic!("{row:?}") };
        let (license, now) = described(before);
        let held = Activation { last_seen_at: START, ..seat(&license, ActivationState::Active) };
        let found = license.certificate_expires_at(Some(&held), now).since(START).as_seconds();
        assert_eq!(found.to_string(), ends, "{before}");
    }
}
