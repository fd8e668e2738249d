//! What many do at the same moment: one event, one payment, one license, and a crowd that reaches for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{
    ActivationRequest, Actor, Changes, Fact, Fingerprint, Mode, NoticeId, NoticeState, Occurrence, PaymentLocator,
    PaymentReport, PaymentStatus, Refusal, Rng, Sale, activate, decide,
};
use futures::future::join_all;
use store::{CommitError, NoticeFilter, Page, Store, report};

use super::world::World;

/// A shop where somebody has pressed pay for two units of five seats each.
async fn at_the_till(store: &Store) -> (Arc<World>, Sale) {
    let mut world = World::new();
    world.plan.policy.seats = Some(5);
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

pub(crate) async fn five_hundred_devices_that_reach_for_five_seats_get_five(store: Store) {
    let (world, sale) = at_the_till(&store).await;
    captured(&store, &world, &sale, "evt_1", 0).await.unwrap();
    let key = store.license_keys(world.shop.id, sale.order.id).await.unwrap().remove(0).1;
    let outcomes = join_all((0..500).map(|number| {
        let (store, world, key) = (store.clone(), Arc::clone(&world), key.clone());
        tokio::spawn(async move {
            let fingerprint = Fingerprint::parse(&format!("device {number}")).unwrap();
            let request = ActivationRequest { fingerprint: fingerprint.clone(), name: None, metadata: BTreeMap::new() };
            let mut rng = chance(number);
            loop {
                let seat = store.seat(world.shop.id, &key, Some(&fingerprint)).await.unwrap().unwrap();
                let changes: Changes =
                    match activate(&seat.license, seat.activation.as_ref(), &request, world.now, &mut rng) {
                        Ok((changes, _)) => changes,
                        Err(refusal) => {
                            assert_eq!(refusal, Refusal::SeatLimitReached { seats: 5 });
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
    assert_eq!(outcomes.into_iter().map(Result::unwrap).filter(|has_seat| *has_seat).count(), 5);
    let license = store.seat(world.shop.id, &key, None).await.unwrap().unwrap().license;
    assert_eq!(license.seats_used, 5);
    assert_eq!(store.activations(world.shop.id, license.id).await.unwrap().len(), 5);
    assert_eq!(report::broken_laws(&store).await, Ok(vec![]));
}
