//! What was taken back, and for how long that is told.

use domain::{Actor, DisputeState, Duration, Timestamp, deactivate};
use store::Store;

use crate::world::World;

pub(crate) async fn what_was_taken_back_is_listed_until_nothing_that_was_signed_before_can_count(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let mut sale = world.open(&store, 1).await;
    world.submit(&store, &mut sale).await;
    world.captured(&store, &mut sale, "pi_1").await;
    let shop = world.shop.id;
    let listed = async |at: Timestamp| -> Vec<(String, String)> {
        let entries = store.revocations(shop, at).await.unwrap();
        entries.into_iter().map(|entry| (entry.subject, entry.code)).collect()
    };
    let license = sale.licenses[0].clone();
    let seat = world.seat(&store, &license, "device").await;
    assert_eq!(listed(world.now).await, [], "buying and activating take nothing back");

    let stored = store.license(shop, license.id).await.unwrap().unwrap();
    let (changes, _) = deactivate(&stored, &seat, Actor::Buyer, world.now, &mut world.rng).unwrap();
    store.commit(&changes).await.unwrap();
    let released = (seat.id.to_string(), "not_activated".to_owned());
    assert_eq!(listed(world.now).await, std::slice::from_ref(&released));
    let longest = Duration::seconds(i64::from(license.policy.certificate_seconds));
    let last = world.now.after(longest).after(Duration::minutes(5));
    assert_eq!(listed(last.before(Duration::seconds(1))).await, std::slice::from_ref(&released));
    assert_eq!(listed(last).await, []);

    let mut sale = store.sale(shop, sale.order.id).await.unwrap().unwrap();
    world.disputed(&store, &mut sale, DisputeState::Opened).await;
    let suspended = (license.id.to_string(), "suspended".to_owned());
    assert_eq!(listed(world.now).await, [suspended.clone(), released.clone()], "the one that is listed longer first");
    let opened = world.now;
    world.disputed(&store, &mut sale, DisputeState::Won).await;
    assert_eq!(listed(world.now).await, std::slice::from_ref(&released), "what works again is not named any more");

    // Whoever adds an entry clears away what is over.
    world.now = opened.after(longest).after(Duration::days(1));
    let stored = store.license(shop, license.id).await.unwrap().unwrap();
    let seat = world.seat(&store, &stored, "device").await;
    let stored = store.license(shop, license.id).await.unwrap().unwrap();
    let (changes, _) = deactivate(&stored, &seat, Actor::Buyer, world.now, &mut world.rng).unwrap();
    store.commit(&changes).await.unwrap();
    let first = Timestamp::from_seconds(0);
    assert_eq!(listed(first).await, [(seat.id.to_string(), "not_activated".to_owned())]);
}
