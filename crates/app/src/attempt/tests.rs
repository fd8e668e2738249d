#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

const START: Timestamp = Timestamp::from_seconds(1_800_000_000 / 86_400 * 86_400);

fn rng() -> Rng {
    Rng::from_seed([4; 32])
}

fn shop() -> ShopId {
    ShopId::mint(START, &mut rng())
}

fn license(number: u8) -> LicenseId {
    LicenseId::mint(START, &mut Rng::from_seed([number; 32]))
}

fn refusal(rng: &mut Rng, license: Option<LicenseId>, at: Timestamp) -> Attempt {
    Attempt {
        id: AttemptId::mint(at, rng),
        shop: shop(),
        license,
        kind: AttemptKind::Validate,
        verdict: AttemptVerdict::Unknown,
        rule: Rule::KeyKnown,
        key_tail: Some("0000".to_owned()),
        key_hash: Some(vec![1]),
        fingerprint: None,
        product: None,
        asked: None,
        app: None,
        count: 1,
        first_at: at,
        last_at: at,
    }
}

fn seconds(count: i64) -> Timestamp {
    START.after(Duration::seconds(count))
}

#[test]
fn ordinary_yeses_are_counted_by_license_and_day_and_written_once_an_hour() {
    let attempts = Attempts::default();
    for second in 0..100 {
        attempts.yes(shop(), license(1), AttemptKind::Validate, seconds(second));
    }
    attempts.yes(shop(), license(1), AttemptKind::Heartbeat, seconds(7));
    attempts.yes(shop(), license(2), AttemptKind::Validate, seconds(8));
    assert_eq!(attempts.due(seconds(3_599), false), [], "not yet");
    let due = attempts.due(seconds(3_607), false);
    let told: Vec<_> = due.iter().map(|one| (one.license, one.kind, one.count, one.first_at, one.last_at)).collect();
    assert_eq!(due.len(), 2, "the third began a second later: {due:?}");
    assert!(told.contains(&(Some(license(1)), AttemptKind::Validate, 100, seconds(0), seconds(99))));
    attempts.yes(shop(), license(1), AttemptKind::Validate, seconds(4_000));
    attempts.yes(shop(), license(1), AttemptKind::Validate, seconds(86_400));
    let more = attempts.due(seconds(4_000), true);
    let same = due.iter().find(|one| one.count == 100).unwrap();
    assert_eq!(more.iter().filter(|one| one.id == same.id).count(), 1, "the day goes on in its row");
    assert_eq!(more.iter().filter(|one| one.license == same.license).count(), 2, "the next day has one of its own");
}

#[test]
fn refusals_are_kept_one_by_one_until_there_are_many_and_then_counted() {
    let mut rng = rng();
    // Whose, how many within one hour, and how many rows come of it.
    for (owner, asked, single) in [(Some(license(1)), 20, 20), (Some(license(1)), 500, 20), (None, 5_000, 200)] {
        let attempts = Attempts::default();
        for second in 0..asked {
            attempts.keep(refusal(&mut rng, owner, seconds(second % 3_600)));
        }
        let due = attempts.due(seconds(3_600), true);
        let counted: u32 = due.iter().map(|one| one.count).sum();
        assert_eq!(i64::from(counted), asked, "none is forgotten");
        let alike = usize::from(asked > single);
        assert_eq!(due.len(), usize::try_from(single).unwrap() + alike);
        let many = due.iter().filter(|one| one.count > 1);
        assert!(many.clone().count() == alike && many.clone().all(|one| owner.is_some() || one.key_tail.is_none()));
        // Another node, or this one after a restart, counts on in the same row; the next hour has one of its own.
        let other = Attempts::default();
        for second in 0..asked {
            other.keep(refusal(&mut rng, owner, seconds(second % 3_600)));
        }
        let there: Vec<_> =
            other.due(seconds(3_600), true).iter().filter(|one| one.count > 1).map(|one| one.id).collect();
        assert_eq!(there, many.map(|one| one.id).collect::<Vec<_>>());
        attempts.keep(refusal(&mut rng, owner, seconds(3_600)));
        assert_eq!(attempts.due(seconds(3_600), false).len(), 1, "the next hour begins anew");
    }
}

#[test]
fn whoever_asks_without_end_fills_no_memory() {
    let mut chance = rng();
    let attempts = Attempts::default();
    for number in 0..200_000_u32 {
        let at = seconds(i64::from(number) / 100);
        let license = LicenseId::mint(at, &mut chance);
        attempts.yes(shop(), license, AttemptKind::Validate, at);
        if number % 4 == 0 {
            attempts.keep(refusal(&mut chance, Some(license), at));
            attempts.keep(refusal(&mut chance, None, at));
        }
    }
    let due = attempts.due(seconds(2_000), true);
    assert!(due.len() <= SHARDS * (MOST_COUNTED + 2 * MOST_WAITING), "{} rows", due.len());
    let counted: u64 = due.iter().map(|one| u64::from(one.count)).sum();
    assert_eq!(counted + attempts.lost.get(), 300_000, "what found no room is told");
    assert_eq!(attempts.due(seconds(2_000), true), []);
}

#[test]
fn what_was_not_written_waits_on() {
    let mut rng = rng();
    let attempts = Attempts::default();
    attempts.keep(refusal(&mut rng, Some(license(1)), START));
    attempts.keep(refusal(&mut rng, None, START));
    let due = attempts.due(START, false);
    attempts.put_back(due.clone());
    assert_eq!(attempts.due(START, false), due);
}

#[test]
fn what_a_program_calls_itself_is_short_and_plain() {
    assert_eq!(short("Lumen/4.2 (Linux)").as_deref(), Some("Lumen/4.2 (Linux)"));
    assert_eq!(short(" \r\n\0 "), None);
    assert_eq!(short(&"x".repeat(9_999)).map(|text| text.len()), Some(LONGEST));
    assert!(!short("4242 4242 4242 4242").unwrap().contains("4242 4242 4242 4242"));
}
