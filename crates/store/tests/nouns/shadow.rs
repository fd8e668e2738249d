//! What differs from an old system: kept, counted on, listed, cleared.

use domain::{Changes, DifferenceKind, Duration, ForeignSystem, ShadowCount, ShadowDifference, ShadowOutcome};
use store::Store;

use crate::world::World;

/// A place where answers of Lemon Squeezy differ.
pub(crate) fn difference(world: &World, pointer: &str) -> ShadowDifference {
    ShadowDifference {
        shop: world.shop.id,
        system: ForeignSystem::LemonSqueezy,
        call: "POST /v1/licenses/validate".to_owned(),
        pointer: pointer.to_owned(),
        kind: DifferenceKind::OtherValue,
        ours: Some("5".to_owned()),
        theirs: None,
        times: 3,
        first_at: world.now,
        last_at: world.now,
    }
}

/// How many answers of Lemon Squeezy ended so.
pub(crate) fn count(world: &World, outcome: ShadowOutcome) -> ShadowCount {
    let (first_at, last_at) = (world.now, world.now);
    ShadowCount { shop: world.shop.id, system: ForeignSystem::LemonSqueezy, outcome, times: 2, first_at, last_at }
}

pub(crate) async fn what_differs_is_counted_on_and_listed_until_it_is_cleared(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let neighbour = World::from_seed(2);
    let limit = difference(&world, "/license_key/activation_limit");
    let other = ShadowDifference { kind: DifferenceKind::MissingHere, times: 1, ..limit.clone() };
    let polar = ShadowDifference { system: ForeignSystem::Polar, times: 9, ..limit.clone() };
    let theirs = ShadowDifference { shop: neighbour.shop.id, ..limit.clone() };
    let equal = count(&world, ShadowOutcome::Equal);
    let keep = async |differences: &[ShadowDifference], counts: &[ShadowCount]| {
        let (shadow_differences, shadow_counts) = (differences.to_vec(), counts.to_vec());
        store.commit(&Changes { shadow_differences, shadow_counts, ..Changes::default() }).await.unwrap();
    };
    keep(&[limit.clone(), other.clone(), polar.clone(), theirs], std::slice::from_ref(&equal)).await;
    let listed = store.shadow_differences(world.shop.id, 10).await.unwrap();
    assert_eq!(listed, [polar.clone(), limit.clone(), other.clone()], "the most frequent first");
    assert_eq!(store.shadow_differences(world.shop.id, 1).await.unwrap(), std::slice::from_ref(&polar));

    let (before, later) = (world.now.before(Duration::minutes(1)), world.now.after(Duration::minutes(1)));
    let again = ShadowDifference {
        ours: None,
        theirs: Some("null".to_owned()),
        times: 7,
        first_at: before,
        last_at: later,
        ..limit.clone()
    };
    keep(std::slice::from_ref(&again), &[ShadowCount { times: 5, first_at: before, last_at: later, ..equal.clone() }])
        .await;
    let both = ShadowDifference { times: 10, ..again };
    assert_eq!(store.shadow_differences(world.shop.id, 1).await.unwrap(), std::slice::from_ref(&both));
    let counted = ShadowCount { times: 7, first_at: before, last_at: later, ..equal.clone() };
    assert_eq!(store.shadow_counts(world.shop.id).await.unwrap(), std::slice::from_ref(&counted));
    keep(&[ShadowDifference { times: 1, ..limit }], &[]).await;
    let moved = &store.shadow_differences(world.shop.id, 1).await.unwrap()[0];
    assert_eq!((moved.times, moved.first_at, moved.last_at), (11, before, later), "an older report moves no time");

    store.clear_shadow(world.shop.id, ForeignSystem::LemonSqueezy).await.unwrap();
    assert_eq!(store.shadow_differences(world.shop.id, 10).await.unwrap(), [polar]);
    assert_eq!(store.shadow_counts(world.shop.id).await.unwrap(), []);
    assert_eq!(store.shadow_differences(neighbour.shop.id, 10).await.unwrap().len(), 1);
}
