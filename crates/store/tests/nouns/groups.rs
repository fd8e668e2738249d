//! Groups of licenses: what they hold is counted, and nobody gets past a limit, however many reach for it at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use domain::{
    ActivationRequest, Actor, Changes, Duration, Fingerprint, Group, GroupChange, GroupId, GroupSeats, GroupUse,
    License, LicenseId, LicenseState, Refusal, Rng, Seating, ShopId, Timestamp, activate, change_group, deactivate,
    heartbeat, regroup,
};
use futures::future::join_all;
use latchkey_license::KeyCode;
use store::{CommitError, LicenseFilter, Page, Store, report};

use super::world::World;

/// A group that is to be written.
pub(crate) fn group(world: &mut World, max_licenses: Option<u32>, max_seats: Option<u32>) -> Group {
    Group {
        id: GroupId::mint(world.now, &mut world.rng),
        shop: world.shop.id,
        version: 0,
        name: "Studio North".to_owned(),
        max_licenses,
        max_seats,
        created_at: world.now,
    }
}

/// Chance that nobody else has: two decisions that mint the same ids are a conflict that does not end.
fn chance() -> Rng {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let mut seed = [0; 32];
    seed[..4].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    Rng::from_seed(seed)
}

fn request(device: &str) -> ActivationRequest {
    ActivationRequest::of(Fingerprint::parse(device).unwrap())
}

fn page<Id>() -> Page<Id> {
    Page { starting_after: None, ending_before: None, limit: 10 }
}

async fn held(store: &Store, group: &Group, now: Timestamp) -> GroupUse {
    store.group(group.shop, group.id, now).await.unwrap().unwrap()
}

/// A shop where somebody has bought so many licenses of a hundred seats each, and a group.
async fn sold(
    store: &Store,
    licenses: u32,
    seating: Seating,
    new: (Option<u32>, Option<u32>),
) -> (World, Group, Vec<(LicenseId, KeyCode)>) {
    let mut world = World::new();
    world.plan.policy.seats = Some(100);
    world.plan.policy.seating = seating;
    world.stock(store).await;
    let mut sale = world.open(store, licenses).await;
    world.submit(store, &mut sale).await;
    world.captured(store, &mut sale, "pi_1").await;
    let new = group(&mut world, new.0, new.1);
    store.commit(&Changes { groups: vec![new.clone()], ..Changes::default() }).await.unwrap();
    let keys = store.license_keys(world.shop.id, sale.order.id).await.unwrap();
    let group = held(store, &new, world.now).await.group;
    (world, group, keys)
}

/// Puts a license into the group, deciding again as often as somebody was faster.
async fn put(store: &Store, shop: ShopId, license: LicenseId, group: GroupId, now: Timestamp) -> Result<(), Refusal> {
    loop {
        let row = store.license(shop, license).await.unwrap().unwrap();
        let used = store.group(shop, group, now).await.unwrap().unwrap();
        let lapsed = store.lapsed_seats(shop, license, now).await.unwrap();
        let changes = regroup(&row, lapsed, Some(&used), "one company", Actor::Api, now, &mut chance())?;
        match store.commit(&changes).await {
            Ok(()) => return Ok(()),
            Err(error) => assert!(matches!(error, CommitError::Conflict { .. }), "{error}"),
        }
    }
}

/// Whether this device gets a seat, deciding again as often as somebody was faster.
async fn reach(store: &Store, shop: ShopId, key: &KeyCode, number: u32, now: Timestamp) -> Result<(), Refusal> {
    let asked = request(&format!("device {number}"));
    loop {
        let seat = store.seat(shop, key, Some(&asked.fingerprint), now).await.unwrap().unwrap();
        let group = match seat.license.group {
            Some(group) => store.group_seats(shop, group, now).await.unwrap(),
            None => None,
        };
        let mut rng = chance();
        let (changes, _) =
            activate(&seat.license, seat.activation.as_ref(), seat.lapsed, group.as_ref(), &asked, now, &mut rng)?;
        match store.commit(&changes).await {
            Ok(()) => return Ok(()),
            Err(error) => assert!(matches!(error, CommitError::Conflict { .. }), "{error}"),
        }
    }
}

pub(crate) async fn a_group_reads_back_with_what_it_holds(store: Store) {
    let (mut world, group, keys) = sold(&store, 3, Seating::default(), (Some(3), Some(9))).await;
    let (shop, now) = (world.shop.id, world.now);
    let empty = GroupUse { group: group.clone(), members: 0, licenses: 0, taken: 0, lapsed: 0 };
    assert_eq!(held(&store, &group, now).await, empty);
    for (license, key) in &keys {
        put(&store, shop, *license, group.id, now).await.unwrap();
        reach(&store, shop, key, 1, now).await.unwrap();
        reach(&store, shop, key, 2, now).await.unwrap();
    }
    let used = held(&store, &group, now).await;
    assert_eq!((used.members, used.licenses, used.seats()), (3, 3, 6));
    let filter = LicenseFilter { group: Some(group.id), ..LicenseFilter::default() };
    assert_eq!(store.licenses(shop, &filter, page()).await.unwrap().data.len(), 3);
    let tail = store.license(shop, keys[1].0).await.unwrap().unwrap().key_tail;
    let one = LicenseFilter { key_tail: Some(tail), ..filter.clone() };
    assert_eq!(store.licenses(shop, &one, page()).await.unwrap().data.len(), 1);

    // Each state counts in the rows as it does in the rules.
    let row = async || store.license(shop, keys[0].0).await.unwrap().unwrap();
    for state in LicenseState::ALL {
        let changed = License { state, ..row().await };
        store.commit(&Changes { licenses: vec![changed], ..Changes::default() }).await.unwrap();
        let used = held(&store, &group, now).await;
        let counts = if state.counts_in_group() { (3, 3, 6) } else { (3, 2, 4) };
        assert_eq!((used.members, used.licenses, used.seats()), counts, "{state:?}");
    }

    // A seat that is given back counts no more; a license that leaves neither.
    let seats = store.activations(shop, keys[1].0).await.unwrap();
    let license = store.license(shop, keys[1].0).await.unwrap().unwrap();
    let (freed, _) = deactivate(&license, &seats[0], Actor::App, now, &mut world.rng).unwrap();
    store.commit(&freed).await.unwrap();
    assert_eq!(held(&store, &group, now).await.seats(), 3);
    let license = store.license(shop, keys[2].0).await.unwrap().unwrap();
    let out = regroup(&license, 0, None, "sold off", Actor::Api, now, &mut world.rng).unwrap();
    store.commit(&out).await.unwrap();
    assert_eq!((held(&store, &group, now).await.members, held(&store, &group, now).await.seats()), (2, 1));

    let second = self::group(&mut world, None, None);
    store.commit(&Changes { groups: vec![second.clone()], ..Changes::default() }).await.unwrap();
    let listed = store.groups(shop, page(), now).await.unwrap().data;
    let mut ids: Vec<GroupId> = listed.iter().map(|used| used.group.id).collect();
    ids.sort_unstable();
    let mut expected = [group.id, second.id];
    expected.sort_unstable();
    assert_eq!(ids, expected);
    assert!(listed.contains(&held(&store, &group, now).await), "a list tells the same");
    assert_eq!(store.group_names(shop, 10).await.unwrap().len(), 2);
}

/// Ten licenses, one group of seven seats, and two hundred devices that reach for all of them at once.
pub(crate) async fn a_crowd_that_reaches_for_many_licenses_gets_what_their_group_may_hold(store: Store) {
    let (world, group, keys) = sold(&store, 10, Seating::default(), (None, Some(7))).await;
    let (shop, now) = (world.shop.id, world.now);
    for (license, _) in &keys {
        put(&store, shop, *license, group.id, now).await.unwrap();
    }
    let keys = Arc::new(keys);
    let outcomes = join_all((0..200).map(|number| {
        let (store, keys) = (store.clone(), Arc::clone(&keys));
        tokio::spawn(async move {
            let (_, key) = &keys[usize::try_from(number).unwrap() % keys.len()];
            reach(&store, shop, key, number, now).await
        })
    }))
    .await;
    let mut given = 0;
    for outcome in outcomes {
        match outcome.unwrap() {
            Ok(()) => given += 1,
            Err(refusal) => assert_eq!(refusal, Refusal::GroupFull { seats: 7 }),
        }
    }
    assert_eq!((given, held(&store, &group, now).await.seats()), (7, 7));
    let mut devices = 0;
    for (license, _) in keys.iter() {
        devices += store.activations(shop, *license).await.unwrap().len();
    }
    assert_eq!(devices, 7);
    assert_eq!(report::broken_laws(&store).await, Ok(vec![]));
}

/// Twenty licenses that come in side by side, with two devices each, while a third reaches for each of them.
pub(crate) async fn licenses_that_come_in_at_once_bring_no_more_than_the_group_may_hold(store: Store) {
    let (world, group, keys) = sold(&store, 10, Seating::default(), (Some(4), Some(9))).await;
    let (shop, now) = (world.shop.id, world.now);
    for (_, key) in &keys {
        reach(&store, shop, key, 1, now).await.unwrap();
        reach(&store, shop, key, 2, now).await.unwrap();
    }
    let work = keys.iter().cloned().map(|(license, key)| {
        let (store, id) = (store.clone(), group.id);
        tokio::spawn(async move {
            let came_in = put(&store, shop, license, id, now).await;
            let third = reach(&store, shop, &key, 3, now).await;
            (came_in.is_ok(), third)
        })
    });
    let outcomes: Vec<_> = join_all(work).await.into_iter().map(Result::unwrap).collect();
    let inside = outcomes.iter().filter(|(came_in, _)| *came_in).count();
    let used = held(&store, &group, now).await;
    assert_eq!(usize::try_from(used.licenses).unwrap(), inside);
    // Each brought two devices and has at most three, and every license outside has its third.
    assert!(inside >= 3 && used.licenses <= 4 && used.seats() <= 9, "{used:?}");
    for (came_in, third) in outcomes {
        assert!(came_in || third == Ok(()), "{third:?}");
    }
    assert_eq!(report::broken_laws(&store).await, Ok(vec![]));
}

/// A group without a limit, a device that sits down by way of its license, and somebody who sets a limit: both decide
/// from what was read before either commits, and whoever comes second decides again.
pub(crate) async fn a_limit_that_is_set_while_somebody_sits_down_holds_for_one_of_them(store: Store) {
    let (world, group, keys) = sold(&store, 1, Seating::default(), (None, None)).await;
    let (shop, now) = (world.shop.id, world.now);
    let (license, key) = &keys[0];
    put(&store, shop, *license, group.id, now).await.unwrap();
    let taking = async |number: u32| {
        let device = request(&format!("device {number}"));
        let view = store.seat(shop, key, Some(&device.fingerprint), now).await.unwrap().unwrap();
        let seats = store.group_seats(shop, group.id, now).await.unwrap();
        activate(&view.license, None, 0, seats.as_ref(), &device, now, &mut chance()).map(|(changes, _)| changes)
    };
    let limiting = async |most: u32| {
        let wanted = GroupChange { max_seats: Some(Some(most)), ..GroupChange::default() };
        let used = held(&store, &group, now).await;
        change_group(&used, &wanted, "renegotiated", Actor::Api, now, &mut chance())
    };
    let moved_on = Err(CommitError::Conflict { what: "group" });

    // The device is faster: the limit was fit for a group that held one less.
    let (limited, taken) = (limiting(0).await.unwrap(), taking(1).await.unwrap());
    store.commit(&taken).await.unwrap();
    assert_eq!(store.commit(&limited).await, moved_on);
    assert_eq!(limiting(0).await, Err(Refusal::GroupBelowUsed { licenses: 1, seats: 1 }));

    // The limit is faster.
    let (limited, taken) = (limiting(1).await.unwrap(), taking(2).await.unwrap());
    store.commit(&limited).await.unwrap();
    assert_eq!(store.commit(&taken).await, moved_on);
    assert_eq!(taking(2).await, Err(Refusal::GroupFull { seats: 1 }));
    assert_eq!(held(&store, &group, now).await.seats(), 1);
}

/// Leases are over by the time alone; who takes a seat of the group takes them from every license that has any.
pub(crate) async fn leases_that_are_over_are_given_back_by_whoever_takes_a_seat_of_the_group(store: Store) {
    let leased = Seating { lease_seconds: Some(600), ..Seating::default() };
    let (world, group, keys) = sold(&store, 2, leased, (None, Some(3))).await;
    let (shop, early) = (world.shop.id, world.now);
    let ((first, first_key), (second, second_key)) = (&keys[0], &keys[1]);
    for license in [first, second] {
        put(&store, shop, *license, group.id, early).await.unwrap();
    }
    for number in 1..=3 {
        reach(&store, shop, first_key, number, early).await.unwrap();
    }
    assert_eq!(reach(&store, shop, second_key, 4, early).await, Err(Refusal::GroupFull { seats: 3 }));
    let late = early.after(Duration::seconds(600));
    assert_eq!((held(&store, &group, late).await.taken, held(&store, &group, late).await.seats()), (3, 0));

    // One node's clock says that the lease still runs, the other's that it is over; whoever commits first has the seat.
    let device = request("device 4");
    let view = store.seat(shop, second_key, Some(&device.fingerprint), late).await.unwrap().unwrap();
    let seats: GroupSeats = store.group_seats(shop, group.id, late).await.unwrap().unwrap();
    assert_eq!(seats.lapsed.iter().map(|(license, lapsed)| (license.id, *lapsed)).collect::<Vec<_>>(), [(*first, 3)]);
    let (taking, _) = activate(&view.license, None, 0, Some(&seats), &device, late, &mut chance()).unwrap();
    let known = request("device 1");
    let renewed = store.seat(shop, first_key, Some(&known.fingerprint), early).await.unwrap().unwrap();
    let almost = early.after(Duration::seconds(599));
    let (renewal, _) = heartbeat(&renewed.license, renewed.activation.as_ref().unwrap(), almost).unwrap();
    store.commit(&renewal).await.unwrap();
    assert_eq!(store.commit(&taking).await, Err(CommitError::Conflict { what: "activation" }));

    assert_eq!(reach(&store, shop, second_key, 4, late).await, Ok(()));
    assert_eq!(store.license(shop, *first).await.unwrap().unwrap().seats_used, 1, "two were over and are given back");
    assert_eq!((held(&store, &group, late).await.taken, held(&store, &group, late).await.lapsed), (2, 0));
    assert_eq!(reach(&store, shop, second_key, 5, late).await, Ok(()));
    assert_eq!(reach(&store, shop, second_key, 6, late).await, Err(Refusal::GroupFull { seats: 3 }));
    assert_eq!(store.license(shop, *second).await.unwrap().unwrap().seats_used, 2);
    assert_eq!(report::broken_laws(&store).await, Ok(vec![]));
}

pub(crate) async fn leases_that_are_over_stay_while_the_group_has_room(store: Store) {
    let leased = Seating { lease_seconds: Some(600), ..Seating::default() };
    let (world, group, keys) = sold(&store, 4, leased, (None, Some(7))).await;
    let (shop, early) = (world.shop.id, world.now);
    for (license, key) in &keys {
        put(&store, shop, *license, group.id, early).await.unwrap();
        if *license != keys[3].0 {
            reach(&store, shop, key, 1, early).await.unwrap();
            reach(&store, shop, key, 2, early).await.unwrap();
        }
    }
    let late = early.after(Duration::seconds(600));
    let used = async || {
        let used = held(&store, &group, late).await;
        (used.taken, used.lapsed)
    };
    assert_eq!(used().await, (6, 6));
    let seats = store.group_seats(shop, group.id, late).await.unwrap().unwrap();
    assert_eq!((seats.used.taken, seats.used.lapsed, seats.lapsed), (6, 0, vec![]), "who finds room counts no leases");
    let newcomers = &keys[3].1;
    reach(&store, shop, newcomers, 3, late).await.unwrap();
    assert_eq!(used().await, (7, 6), "there was room");
    // One seat is missing. Two licenses are told, since the one that is asked for may be among them.
    let seats = store.group_seats(shop, group.id, late).await.unwrap().unwrap();
    assert_eq!((seats.used.missing(), seats.lapsed.len()), (1, 2));
    reach(&store, shop, newcomers, 4, late).await.unwrap();
    assert_eq!(used().await, (4, 2), "two licenses gave back two seats each");
    for number in 5..=9 {
        reach(&store, shop, newcomers, number, late).await.unwrap();
    }
    assert_eq!(used().await, (7, 0));
    assert_eq!(reach(&store, shop, newcomers, 10, late).await, Err(Refusal::GroupFull { seats: 7 }));
    assert_eq!(report::broken_laws(&store).await, Ok(vec![]));
}

pub(crate) async fn a_group_is_not_ended_while_a_license_comes_in(store: Store) {
    let (world, group, keys) = sold(&store, 1, Seating::default(), (None, None)).await;
    let (shop, now) = (world.shop.id, world.now);
    let end = Changes { ended_groups: vec![group.clone()], ..Changes::default() };
    put(&store, shop, keys[0].0, group.id, now).await.unwrap();
    assert_eq!(store.commit(&end).await, Err(CommitError::Conflict { what: "group" }));
    let row = store.license(shop, keys[0].0).await.unwrap().unwrap();
    let out = regroup(&row, 0, None, "sold off", Actor::Api, now, &mut chance()).unwrap();
    store.commit(&out).await.unwrap();
    let used = held(&store, &group, now).await;
    let back = regroup(
        &License { group: None, version: row.version + 1, ..row },
        0,
        Some(&used),
        "-",
        Actor::Api,
        now,
        &mut chance(),
    )
    .unwrap();
    store.commit(&Changes { ended_groups: vec![used.group], ..Changes::default() }).await.unwrap();
    assert_eq!(store.commit(&back).await, Err(CommitError::Conflict { what: "group" }), "there is none any more");
    assert_eq!(store.group(shop, group.id, now).await.unwrap(), None);
}
