//! What many do at the same moment: one event, one payment, one license, and a crowd that reaches for it.

use std::ops::Range;
use std::sync::Arc;

use domain::{
    ActivationRequest, Actor, Changes, Duration, EventId, Fact, Fingerprint, Metering, Mode, NoticeId, NoticeState,
    Occurrence, Overage, PaymentLocator, PaymentReport, PaymentStatus, Quota, Refusal, Rng, Sale, Seating, Starts,
    Timestamp, Units, UsageRequest, activate, begin, change_usage, decide, heartbeat, release,
};
use futures::future::join_all;
use latchkey_license::KeyCode;
use store::{CommitError, NoticeFilter, Page, Store, report};

use super::world::World;

/// A shop where somebody has pressed pay for two units of five seats each.
async fn at_the_till(store: &Store) -> (Arc<World>, Sale) {
    at_the_till_of(store, Seating::default()).await
}

/// The same, with five seats of another kind.
async fn at_the_till_of(store: &Store, seating: Seating) -> (Arc<World>, Sale) {
    let mut world = World::new();
    world.plan.policy.seats = Some(5);
    world.plan.policy.seating = seating;
    world.stock(store).await;
    let mut sale = world.open(store, 2).await;
    world.submit(store, &mut sale).await;
    (Arc::new(world), sale)
}

fn chance(number: u32) -> Rng {
    let mut seed = [0; 32];
    seed[..4].copy_from_slice(&number.to_be_bytes());
    Rng::from_seed(seed)
}

/// What a webhook about the captured money leads to: read, decide, commit with the notice.
async fn captured(store: &Store, world: &World, sale: &Sale, event_id: &str, number: u32) -> Result<(), CommitError> {
    let mut rng = chance(number);
    let sale = store.sale(world.shop.id, sale.order.id).await.unwrap().unwrap();
    let payment = sale.payments[0].id;
    let report = PaymentReport {
        locator: PaymentLocator {
            shop: None,
            payment: Some(payment),
            reference: Some("pi_1".to_owned()),
            ..PaymentLocator::default()
        },
        mode: Mode::Sandbox,
        status: PaymentStatus::Succeeded { captured: sale.order.total },
        method: None,
    };
    let occurrence = Occurrence::Reported { account: world.account.id, fact: Fact::Payment(report) };
    let mut changes = decide(&sale, &occurrence, Actor::Gateway, world.now, &mut rng).unwrap();
    changes.notices.push(domain::Notice {
        id: NoticeId::mint(world.now, &mut rng),
        shop: world.shop.id,
        version: 0,
        gateway_account: world.account.id,
        event_id: event_id.to_owned(),
        kind: "payment_intent.succeeded".to_owned(),
        body: b"{}".to_vec(),
        state: NoticeState::Applied,
        order: Some(sale.order.id),
        received_at: world.now,
        settled_at: Some(world.now),
    });
    store.commit(&changes).await
}

pub(crate) async fn an_event_that_comes_two_hundred_times_at_once_counts_once(store: Store) {
    let (world, sale) = at_the_till(&store).await;
    let outcomes = join_all((0..200).map(|number| {
        let (store, world, sale) = (store.clone(), Arc::clone(&world), sale.clone());
        tokio::spawn(async move { captured(&store, &world, &sale, "evt_1", number).await })
    }))
    .await;
    let stand = outcomes.into_iter().map(Result::unwrap).filter(|outcome| match outcome {
        Ok(()) => true,
        Err(CommitError::Conflict { what }) => {
            assert!(["notice", "order"].contains(what), "{what}");
            false
        }
        Err(error) => panic!("{error}"),
    });
    assert_eq!(stand.count(), 1);
    assert_eq!(store.sale(world.shop.id, sale.order.id).await.unwrap().unwrap().licenses.len(), 2);
    assert_eq!(report::broken_laws(&store).await, Ok(vec![]));
}

pub(crate) async fn of_many_that_free_devices_at_once_as_many_do_as_the_plan_allows(store: Store) {
    let seating = Seating { releases: Some(Quota { count: 2, days: 30 }), ..Seating::default() };
    let (world, sale) = at_the_till_of(&store, seating).await;
    captured(&store, &world, &sale, "evt_1", 1).await.unwrap();
    let shop = world.shop.id;
    let sale = store.sale(shop, sale.order.id).await.unwrap().unwrap();
    let license = sale.licenses[0].id;
    let (_, key) = store.license_keys(shop, sale.order.id).await.unwrap().remove(0);
    assert_eq!(reach(&store, &world, &key, 0..5, world.now).await.len(), 5);
    let seats = store.activations(shop, license).await.unwrap();
    let outcomes = join_all(seats.into_iter().zip(0..).map(|(seat, number)| {
        let (store, now) = (store.clone(), world.now);
        tokio::spawn(async move {
            loop {
                let row = store.license(shop, license).await.unwrap().unwrap();
                match release(&row, &seat, now, &mut chance(100 + number)) {
                    Ok(changes) => match store.commit(&changes).await {
                        Ok(()) => return true,
                        Err(CommitError::Conflict { .. }) => {}
                        Err(error) => panic!("{error}"),
                    },
                    Err(Refusal::ReleaseQuotaReached { next_at }) => {
                        assert_eq!(next_at, now.after(Duration::days(30)));
                        return false;
                    }
                    Err(refusal) => panic!("{refusal}"),
                }
            }
        })
    }))
    .await;
    assert_eq!(outcomes.into_iter().filter(|outcome| *outcome.as_ref().unwrap()).count(), 2);
    let row = store.license(shop, license).await.unwrap().unwrap();
    assert_eq!((row.seats_used, row.own_acts.releases.len()), (3, 2));
    assert_eq!(report::broken_laws(&store).await, Ok(vec![]));
}

pub(crate) async fn fifty_events_that_say_the_same_at_once_issue_once(store: Store) {
    let (world, sale) = at_the_till(&store).await;
    let events = (0..50).map(|number| {
        let (store, world, sale) = (store.clone(), Arc::clone(&world), sale.clone());
        tokio::spawn(async move {
            // Each is a different event and must end applied; a conflict means to read and decide again.
            while let Err(error) = captured(&store, &world, &sale, &format!("evt_{number}"), number).await {
                assert!(matches!(error, CommitError::Conflict { .. }), "{error}");
            }
        })
    });
    join_all(events).await.into_iter().for_each(Result::unwrap);
    assert_eq!(store.sale(world.shop.id, sale.order.id).await.unwrap().unwrap().licenses.len(), 2);
    let applied = NoticeFilter { state: Some("applied".to_owned()), order: None };
    let page = Page { starting_after: None, ending_before: None, limit: 100 };
    assert_eq!(store.notices(world.shop.id, &applied, page).await.unwrap().data.len(), 50);
    assert_eq!(report::broken_laws(&store).await, Ok(vec![]));
}

/// Each of these devices reaches for a seat at this moment, all at once; who has one then.
async fn reach(store: &Store, world: &World, key: &KeyCode, devices: Range<u32>, now: Timestamp) -> Vec<u32> {
    let outcomes = join_all(devices.map(|number| {
        let (store, shop, key) = (store.clone(), world.shop.id, key.clone());
        tokio::spawn(async move {
            let fingerprint = Fingerprint::parse(&format!("device {number}")).unwrap();
            let request = ActivationRequest::of(fingerprint.clone());
            let mut rng = chance(number);
            loop {
                let seat = store.seat(shop, &key, Some(&fingerprint), now).await.unwrap().unwrap();
                let changes: Changes =
                    match activate(&seat.license, seat.activation.as_ref(), seat.lapsed, None, &request, now, &mut rng)
                    {
                        Ok((changes, _)) => changes,
                        Err(refusal) => {
                            assert_eq!(refusal, Refusal::SeatLimitReached { seats: 5 });
                            return None;
                        }
                    };
                match store.commit(&changes).await {
                    Ok(()) => return Some(number),
                    Err(error) => assert!(matches!(error, CommitError::Conflict { .. }), "{error}"),
                }
            }
        })
    }))
    .await;
    outcomes.into_iter().filter_map(Result::unwrap).collect()
}

pub(crate) async fn five_hundred_devices_that_reach_for_five_seats_get_five(store: Store) {
    let (world, sale) = at_the_till(&store).await;
    captured(&store, &world, &sale, "evt_1", 0).await.unwrap();
    let key = store.license_keys(world.shop.id, sale.order.id).await.unwrap().remove(0).1;
    assert_eq!(reach(&store, &world, &key, 0..500, world.now).await.len(), 5);
    let license = store.seat(world.shop.id, &key, None, world.now).await.unwrap().unwrap().license;
    assert_eq!(license.seats_used, 5);
    assert_eq!(store.activations(world.shop.id, license.id).await.unwrap().len(), 5);
    assert_eq!(report::broken_laws(&store).await, Ok(vec![]));
}

pub(crate) async fn devices_that_reach_for_more_than_there_is_get_what_the_overage_allows(store: Store) {
    let (world, sale) = at_the_till_of(&store, Seating { overage: Overage::Half, ..Seating::default() }).await;
    captured(&store, &world, &sale, "evt_1", 0).await.unwrap();
    let key = store.license_keys(world.shop.id, sale.order.id).await.unwrap().remove(0).1;
    assert_eq!(reach(&store, &world, &key, 0..100, world.now).await.len(), 7);
    assert_eq!(report::broken_laws(&store).await, Ok(vec![]));
}

pub(crate) async fn a_crowd_that_reaches_for_leases_that_are_over_gets_those_and_no_more(store: Store) {
    let leased = Seating { lease_seconds: Some(600), ..Seating::default() };
    let (world, sale) = at_the_till_of(&store, leased).await;
    captured(&store, &world, &sale, "evt_1", 0).await.unwrap();
    let (license, key) = store.license_keys(world.shop.id, sale.order.id).await.unwrap().remove(0);
    let shop = world.shop.id;
    let after = |seconds| world.now.after(Duration::seconds(seconds));

    let first = reach(&store, &world, &key, 0..50, world.now).await;
    assert_eq!(first.len(), 5);
    // Two of them are heard of again in time; the leases of three end.
    for number in &first[..2] {
        let fingerprint = Fingerprint::parse(&format!("device {number}")).unwrap();
        let view = store.seat(shop, &key, Some(&fingerprint), after(599)).await.unwrap().unwrap();
        let (changes, _) = heartbeat(&view.license, view.activation.as_ref().unwrap(), after(599)).unwrap();
        store.commit(&changes).await.unwrap();
    }
    assert_eq!(store.seat(shop, &key, None, after(599)).await.unwrap().unwrap().lapsed, 0);
    assert_eq!(store.seat(shop, &key, None, after(600)).await.unwrap().unwrap().lapsed, 3);

    let second = reach(&store, &world, &key, 50..150, after(600)).await;
    assert_eq!(second.len(), 3, "what was over, and no more");
    let row = store.license(shop, license).await.unwrap().unwrap();
    assert_eq!(row.seats_used, 5);
    let seats = store.activations(shop, license).await.unwrap();
    assert_eq!(seats.iter().filter(|seat| row.is_seated(seat, after(600))).count(), 5);
    assert_eq!(seats.len(), 8);
    assert_eq!(report::broken_laws(&store).await, Ok(vec![]));
}

pub(crate) async fn a_lease_that_is_renewed_while_another_takes_it_stays_with_one_of_them(store: Store) {
    let leased = Seating { lease_seconds: Some(600), ..Seating::default() };
    let (world, sale) = at_the_till_of(&store, leased).await;
    captured(&store, &world, &sale, "evt_1", 0).await.unwrap();
    let (license, key) = store.license_keys(world.shop.id, sale.order.id).await.unwrap().remove(0);
    let shop = world.shop.id;
    let held = reach(&store, &world, &key, 0..5, world.now).await;
    assert_eq!(held.len(), 5);
    // One node's clock says that the lease still runs, the other's that it is over; whoever commits first has the seat.
    let (early, late) = (world.now.after(Duration::seconds(599)), world.now.after(Duration::seconds(600)));
    let own = Fingerprint::parse("device 0").unwrap();
    let own_view = store.seat(shop, &key, Some(&own), early).await.unwrap().unwrap();
    let other = Fingerprint::parse("device 9").unwrap();
    let other_view = store.seat(shop, &key, Some(&other), late).await.unwrap().unwrap();
    let request = ActivationRequest::of(other);
    let (renewal, _) = heartbeat(&own_view.license, own_view.activation.as_ref().unwrap(), early).unwrap();
    let (taking, _) =
        activate(&other_view.license, None, other_view.lapsed, None, &request, late, &mut chance(9)).unwrap();
    store.commit(&renewal).await.unwrap();
    assert_eq!(store.commit(&taking).await, Err(CommitError::Conflict { what: "activation" }));
    assert_eq!(store.license(shop, license).await.unwrap().unwrap().seats_used, 5, "nothing was written");
    // Asked again it takes one of the four that are really over.
    assert_eq!(reach(&store, &world, &key, 9..10, late).await, [9]);
    let row = store.license(shop, license).await.unwrap().unwrap();
    let seats = store.activations(shop, license).await.unwrap();
    assert_eq!(seats.iter().filter(|seat| row.is_seated(seat, late)).count(), 2);
    assert_eq!(row.seats_used, 2);
    assert_eq!(report::broken_laws(&store).await, Ok(vec![]));
}

pub(crate) async fn the_clock_of_a_license_begins_once_however_many_ask(store: Store) {
    let mut world = World::new();
    world.plan.policy.term.starts = Starts::FirstValidation;
    world.stock(&store).await;
    let mut sale = world.open(&store, 1).await;
    world.submit(&store, &mut sale).await;
    let world = Arc::new(world);
    captured(&store, &world, &sale, "evt_1", 0).await.unwrap();
    let (license, key) = store.license_keys(world.shop.id, sale.order.id).await.unwrap().remove(0);
    let shop = world.shop.id;
    assert_eq!(store.license(shop, license).await.unwrap().unwrap().expires_at, None);
    let outcomes = join_all((0..50).map(|number| {
        let (store, key, now) = (store.clone(), key.clone(), world.now.after(Duration::seconds(i64::from(number))));
        tokio::spawn(async move {
            let view = store.seat(shop, &key, None, now).await.unwrap().unwrap();
            match begin(&view.license, now, &mut chance(number)) {
                Some((changes, _)) => store.commit(&changes).await.is_ok(),
                None => false,
            }
        })
    }))
    .await;
    assert_eq!(outcomes.into_iter().map(Result::unwrap).filter(|began| *began).count(), 1);
    let row = store.license(shop, license).await.unwrap().unwrap();
    assert_eq!(row.expires_at, row.started_at.map(|start| start.after(Duration::days(365))));
    assert!(row.started_at.is_some());
}

pub(crate) async fn several_units_that_make_seats_make_one_license_with_all_of_them(store: Store) {
    let (world, sale) = at_the_till_of(&store, Seating { units: Units::Seats, ..Seating::default() }).await;
    captured(&store, &world, &sale, "evt_1", 0).await.unwrap();
    let licenses = store.sale(world.shop.id, sale.order.id).await.unwrap().unwrap().licenses;
    assert_eq!(licenses.iter().map(|license| license.policy.seats).collect::<Vec<_>>(), [Some(10)]);
    assert_eq!(report::broken_laws(&store).await, Ok(vec![]));
}

pub(crate) async fn of_many_that_use_a_license_at_once_exactly_what_is_left_is_counted(store: Store) {
    let mut world = World::new();
    world.plan.policy.usage = Some(Metering { limit: Some(100), reset_days: Some(30) });
    world.stock(&store).await;
    let mut sale = world.open(&store, 1).await;
    world.submit(&store, &mut sale).await;
    let world = Arc::new(world);
    captured(&store, &world, &sale, "evt_1", 0).await.unwrap();
    let (license, _) = store.license_keys(world.shop.id, sale.order.id).await.unwrap().remove(0);
    let shop = world.shop.id;
    let count = async |callers: Range<u32>, request: UsageRequest, now: Timestamp| {
        let outcomes = join_all(callers.map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let event = EventId::mint(now, &mut chance(number));
                loop {
                    let row = store.license(shop, license).await.unwrap().unwrap();
                    let changes = match change_usage(&row, None, request, Actor::App, event, now) {
                        Ok((changes, _)) => changes,
                        Err(refusal) => {
                            assert_eq!(refusal.code(), "usage_exhausted");
                            return false;
                        }
                    };
                    match store.commit(&changes).await {
                        Ok(()) => return true,
                        Err(error) => assert_eq!(error, CommitError::Conflict { what: "license" }),
                    }
                }
            })
        }))
        .await;
        outcomes.into_iter().filter(|outcome| *outcome.as_ref().unwrap()).count()
    };
    let used = async |now: Timestamp| store.license(shop, license).await.unwrap().unwrap().used(now);
    // Fourteen times seven fit into a hundred, and one more does not.
    assert_eq!(count(0..40, UsageRequest::Add(7), world.now).await, 14);
    assert_eq!(used(world.now).await, 98);
    assert_eq!(count(40..80, UsageRequest::Add(1), world.now).await, 2);
    assert_eq!(count(80..90, UsageRequest::Subtract(3), world.now).await, 10);
    assert_eq!(used(world.now).await, 70);
    // The next period begins at nothing, whoever is first in it.
    let later = world.now.after(Duration::days(30));
    assert_eq!(used(later).await, 0);
    assert_eq!(count(100..160, UsageRequest::Add(2), later).await, 50);
    assert_eq!(used(later).await, 100);
    // The same call again is known by its name, and nothing of it is written. All of those ten were done.
    let event = EventId::mint(world.now, &mut chance(80));
    let row = store.license(shop, license).await.unwrap().unwrap();
    let much_later = later.after(Duration::days(30));
    let (changes, _) = change_usage(&row, None, UsageRequest::Add(1), Actor::App, event, much_later).unwrap();
    assert_eq!(store.commit(&changes).await, Err(CommitError::Conflict { what: "event" }));
    assert_eq!(used(later).await, 100);
    assert_eq!(report::broken_laws(&store).await, Ok(vec![]));
}
