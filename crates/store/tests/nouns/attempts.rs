//! What apps asked: kept, counted on, found again, forgotten.

use domain::{
    Attempt, AttemptId, AttemptKind, AttemptVerdict, Changes, Duration, Fingerprint, LicenseId, Rule, Timestamp,
};
use store::{AttemptFilter, Page, Store};

use crate::world::World;

fn page(limit: u32) -> Page<AttemptId> {
    Page { starting_after: None, ending_before: None, limit }
}

/// A refusal of a device at this moment.
pub(crate) fn refused(world: &mut World, license: Option<LicenseId>, at: Timestamp) -> Attempt {
    Attempt {
        id: AttemptId::mint(at, &mut world.rng),
        shop: world.shop.id,
        license,
        kind: AttemptKind::Activate,
        verdict: if license.is_some() { AttemptVerdict::SeatLimitReached } else { AttemptVerdict::Unknown },
        rule: if license.is_some() { Rule::Seats } else { Rule::KeyKnown },
        key_tail: None,
        key_hash: None,
        fingerprint: Some(Fingerprint::parse("Serial 77-X").unwrap()),
        product: Some("-".to_owned()),
        asked: Some("export".to_owned()),
        app: Some("Lumen/4.2 (Linux)".to_owned()),
        count: 1,
        first_at: at,
        last_at: at,
    }
}

async fn keep(store: &Store, attempts: &[Attempt]) {
    store.commit(&Changes { attempts: attempts.to_vec(), ..Changes::default() }).await.unwrap();
}

async fn found(store: &Store, world: &World, filter: AttemptFilter) -> Vec<Attempt> {
    store.attempts(world.shop.id, &filter, page(100)).await.unwrap().data
}

async fn bought(store: &Store, world: &mut World, quantity: u32, reference: &str) -> domain::Sale {
    let mut sale = world.open(store, quantity).await;
    world.submit(store, &mut sale).await;
    world.captured(store, &mut sale, reference).await;
    sale
}

pub(crate) async fn an_attempt_reads_back_and_is_counted_on(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let license = bought(&store, &mut world, 1, "pi_1").await.licenses[0].id;
    let (now, minute) = (world.now, Duration::minutes(1));
    let first = refused(&mut world, Some(license), now);
    keep(&store, std::slice::from_ref(&first)).await;
    assert_eq!(found(&store, &world, AttemptFilter::License(license)).await, std::slice::from_ref(&first));
    let later = now.after(minute);
    let more = Attempt { count: 4, first_at: now.before(minute), last_at: later, app: None, ..first.clone() };
    keep(&store, std::slice::from_ref(&more)).await;
    let both = Attempt { count: 5, app: first.app.clone(), ..more };
    assert_eq!(found(&store, &world, AttemptFilter::License(license)).await, std::slice::from_ref(&both));
    keep(&store, &[Attempt { last_at: now, ..first }]).await;
    let thrice = Attempt { count: 6, ..both };
    assert_eq!(found(&store, &world, AttemptFilter::License(license)).await, [thrice], "an older report moves nothing");
}

pub(crate) async fn attempts_are_found_by_what_a_person_has_in_hand(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let license = bought(&store, &mut world, 1, "pi_1").await.licenses[0].id;
    let typed = store.typed_key("lumn-0000-1111-2222-3333-4444-o1lk");
    assert_eq!(typed.tail.as_deref(), Some("011K"), "one spelling");
    assert_eq!(store.typed_key("LUMN 0000 1111 2222 3333 4444 OILK"), typed);
    let other = store.typed_key("0000-0000-0000-0000-0000-0000-011K");
    assert_eq!(other.tail, typed.tail);
    assert_ne!(other.hash, typed.hash);
    assert_eq!(store.typed_key("my password").tail, None, "what is short is not told by its end");
    assert_eq!(store.typed_key("4242 4242 4242 4242"), store::TypedKey::default(), "nor a card number by anything");

    let mut kept = Vec::new();
    for (of, key) in [(Some(license), None), (None, Some(&typed)), (None, Some(&other)), (Some(license), None)] {
        let at = world.now.after(Duration::seconds(i64::try_from(kept.len()).unwrap()));
        let (tail, hash) = key.map(|key| (key.tail.clone(), key.hash.clone())).unwrap_or_default();
        kept.push(Attempt { key_tail: tail, key_hash: hash, ..refused(&mut world, of, at) });
    }
    kept[3].fingerprint = None;
    keep(&store, &kept).await;
    let device = AttemptFilter::Device(Fingerprint::parse("Serial 77-X").unwrap());
    let table = [
        (AttemptFilter::License(license), vec![3, 0]),
        (AttemptFilter::Strangers, vec![2, 1]),
        (AttemptFilter::Tail("011K".to_owned()), vec![2, 1]),
        (AttemptFilter::Tail("011J".to_owned()), vec![]),
        (AttemptFilter::Key(typed.hash.clone().unwrap()), vec![1]),
        (device.clone(), vec![2, 1, 0]),
    ];
    for (filter, places) in table {
        let expected: Vec<Attempt> = places.iter().map(|place: &usize| kept[*place].clone()).collect();
        assert_eq!(found(&store, &world, filter.clone()).await, expected, "{filter:?}");
    }
    let first = store.attempts(world.shop.id, &device, page(2)).await.unwrap();
    assert_eq!((first.data.len(), first.has_more), (2, true));
    let older = Page { starting_after: Some(first.data[1].id), ..page(2) };
    let second = store.attempts(world.shop.id, &device, older).await.unwrap();
    assert_eq!((second.data, second.has_more), (vec![kept[0].clone()], false));
    let neighbour = World::from_seed(2).shop.id;
    assert_eq!(store.attempts(neighbour, &device, page(2)).await.unwrap().data, []);
}

pub(crate) async fn the_last_refusal_of_each_license_is_told(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let sale = bought(&store, &mut world, 2, "pi_1").await;
    let other = bought(&store, &mut world, 1, "pi_2").await;
    let [one, two] = [sale.licenses[0].id, sale.licenses[1].id];
    let mut kept = Vec::new();
    for (seconds, license) in [(1, one), (2, two), (3, one), (4, other.licenses[0].id)] {
        let at = world.now.after(Duration::seconds(seconds));
        kept.push(refused(&mut world, Some(license), at));
    }
    let at = world.now.after(Duration::seconds(9));
    let yes = refused(&mut world, Some(one), at);
    keep(
        &store,
        &[kept.clone(), vec![Attempt { verdict: AttemptVerdict::Valid, rule: Rule::AllHold, ..yes }]].concat(),
    )
    .await;
    let (shop, customer) = (world.shop.id, sale.order.customer.unwrap());
    let of_order = store.last_refusals_of_order(shop, sale.order.id).await.unwrap();
    assert_eq!(of_order, [kept[2].clone(), kept[1].clone()]);
    let of_customer = store.last_refusals_of_customer(shop, customer).await.unwrap();
    assert_eq!(of_customer, [kept[3].clone(), kept[2].clone(), kept[1].clone()]);
}

pub(crate) async fn what_is_old_is_forgotten_batch_by_batch(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let license = bought(&store, &mut world, 1, "pi_1").await.licenses[0].id;
    let mut kept = Vec::new();
    for days in 0..10 {
        let at = world.now.before(Duration::days(days));
        kept.push(refused(&mut world, Some(license), at));
        let yes = refused(&mut world, Some(license), at);
        kept.push(Attempt { verdict: AttemptVerdict::Valid, rule: Rule::AllHold, ..yes });
    }
    keep(&store, &kept).await;
    let before = |days: i64| world.now.before(Duration::days(days)).before(Duration::seconds(1));
    let left = async |store: &Store| {
        let found = found(store, &world, AttemptFilter::License(license)).await;
        let yes = found.iter().filter(|attempt| attempt.verdict == AttemptVerdict::Valid).count();
        (found.len() - yes, yes)
    };
    let forget = async || store.forget_attempts(world.shop.id, before(7), before(2), 3).await.unwrap();
    assert!(forget().await, "there are more");
    let (refusals, yeses) = left(&store).await;
    assert_eq!(refusals + yeses, 20 - 3 - 3, "three of each");
    while forget().await {}
    assert_eq!(left(&store).await, (8, 3), "refusals of a week, yeses of two days");
    assert!(!store.forget_attempts(World::from_seed(2).shop.id, before(0), before(0), 3).await.unwrap());
    assert_eq!(left(&store).await, (8, 3), "another shop's");
}
