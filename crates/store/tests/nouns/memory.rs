//! What apps ask all day is answered from memory; nobody must be able to tell.

use std::collections::BTreeMap;

use domain::{
    ActivationRequest, Actor, Changes, Duration, Fingerprint, License, LicenseState, UsageRequest, activate,
    change_usage, deactivate, heartbeat, reissue,
};
use latchkey_license::KeyCode;
use metrics::Exposition;
use store::sqlite::{Sqlite, SqliteOptions};
use store::testing::{Directory, sqlite_store};
use store::{SeatView, Store};

use crate::World;

/// How long a condition is waited for that must come by itself.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// A change of a license that was read.
type Change = fn(&SeatView, &mut World) -> Changes;

/// Each in turn, to the license as the one before has left it, seen by a device that comes and goes.
const CHANGES: &[(&str, Change)] = &[
    ("nothing", |_, _| Changes::default()),
    ("the device takes a seat", take),
    ("a heartbeat", |view, world| {
        heartbeat(&view.license, view.activation.as_ref().unwrap(), world.now.after(Duration::hours(1))).unwrap().0
    }),
    ("the device goes on under another name", |view, _| {
        let mut seat = view.activation.clone().unwrap();
        seat.components = BTreeMap::from([("disk".to_owned(), "1".to_owned())]);
        Changes { devices: vec![seat], ..Changes::default() }
    }),
    ("it is suspended", |view, _| with(view, |license| license.state = LicenseState::SuspendedByPerson)),
    ("it is reinstated", |view, _| with(view, |license| license.state = LicenseState::Active)),
    ("it is extended", |view, world| {
        with(view, |license| license.expires_at = Some(world.now.after(Duration::days(9))))
    }),
    ("it is put into a group", |view, world| {
        let group = crate::groups::group(world, None, None);
        Changes { groups: vec![group.clone()], ..with(view, |license| license.group = Some(group.id)) }
    }),
    ("the seat is given back", |view, world| {
        let seat = view.activation.clone().unwrap();
        deactivate(&view.license, &seat, Actor::App, world.now, &mut world.rng).unwrap().0
    }),
    ("the seat is taken again", take),
    ("it gets another key", |view, world| {
        let key = KeyCode::from_random_bytes([9; 16]);
        reissue(&view.license, key, true, "lost", Actor::App, world.now, &mut world.rng).0
    }),
];

fn take(view: &SeatView, world: &mut World) -> Changes {
    let request = ActivationRequest::of(device());
    activate(&view.license, view.activation.as_ref(), view.lapsed, None, &request, world.now, &mut world.rng).unwrap().0
}

fn with(view: &SeatView, change: impl FnOnce(&mut License)) -> Changes {
    let mut license = view.license.clone();
    change(&mut license);
    Changes { licenses: vec![license], ..Changes::default() }
}

fn device() -> Fingerprint {
    Fingerprint::parse("device-1").unwrap()
}

async fn licensed(store: &Store) -> (World, KeyCode) {
    let mut world = World::new();
    world.stock(store).await;
    let mut sale = world.open(store, 1).await;
    world.submit(store, &mut sale).await;
    world.captured(store, &mut sale, "pi_1").await;
    let (_, key) = store.license_keys(world.shop.id, sale.order.id).await.unwrap().remove(0);
    (world, key)
}

/// Asks until answers come from memory, where they ever do: from here on they do.
async fn warm(store: &Store, world: &World, key: &KeyCode) {
    let asking = async {
        while store.engine().name() == "sqlite" && !is_from_memory(store) {
            store.remembered_seat(world.shop.id, key, None, world.now).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.expect("an answer from memory");
}

fn is_from_memory(store: &Store) -> bool {
    let mut told = Exposition::default();
    store.write_metrics(&mut told);
    told.into_text().contains("latchkey_store_seat_reads_total{from=\"memory\"}")
}

/// A device whose parts were exchanged keeps its seat under a fingerprint that had none when it was asked about.
pub(crate) async fn a_seat_is_found_under_its_new_fingerprint_at_once(store: Store) {
    let (mut world, key) = licensed(&store).await;
    let shop = world.shop.id;
    warm(&store, &world, &key).await;
    let (old, new) = (device(), Fingerprint::parse("device-2").unwrap());
    let view = store.seat(shop, &key, Some(&old), world.now).await.unwrap().unwrap();
    store.commit(&take(&view, &mut world)).await.unwrap();
    let seat = async |device: &Fingerprint| {
        let view = store.remembered_seat(shop, &key, Some(device), world.now).await.unwrap().unwrap();
        view.activation.as_ref().map(|seat| seat.fingerprint.clone())
    };
    assert_eq!((seat(&old).await, seat(&new).await), (Some(old.clone()), None));
    let mut row = store.seat(shop, &key, Some(&old), world.now).await.unwrap().unwrap().activation.unwrap();
    row.fingerprint = new.clone();
    store.commit(&Changes { devices: vec![row], ..Changes::default() }).await.unwrap();
    assert_eq!((seat(&old).await, seat(&new).await), (None, Some(new.clone())));
}

pub(crate) async fn what_is_remembered_is_what_is_stored(store: Store) {
    let (mut world, key) = licensed(&store).await;
    let shop = world.shop.id;
    warm(&store, &world, &key).await;
    for (name, change) in CHANGES {
        let view = store.seat(shop, &key, Some(&device()), world.now).await.unwrap().unwrap();
        store.commit(&change(&view, &mut world)).await.unwrap();
        for asking in [None, Some(device()), Some(Fingerprint::parse("device-2").unwrap())] {
            let stored = store.seat(shop, &key, asking.as_ref(), world.now).await.unwrap();
            for time in ["first", "second"] {
                let remembered = store.remembered_seat(shop, &key, asking.as_ref(), world.now).await.unwrap();
                assert_eq!(remembered.as_deref(), stored.as_ref(), "{name}, {asking:?}, asked a {time} time");
            }
        }
    }
    assert_eq!(store.seat(shop, &key, None, world.now).await.unwrap(), None, "the old key opens nothing");
}

/// Uses are written as differences, beside the version of the row.
#[tokio::test]
async fn what_is_used_up_is_seen_at_once() {
    let (store, _directory) = sqlite_store().await;
    let (mut world, key) = licensed(&store).await;
    let shop = world.shop.id;
    let view = store.seat(shop, &key, None, world.now).await.unwrap().unwrap();
    let metered = with(&view, |license| {
        license.policy.usage = Some(domain::Metering { limit: Some(10), reset_days: None });
    });
    store.commit(&metered).await.unwrap();
    warm(&store, &world, &key).await;
    for used in 1..=3 {
        let before = store.remembered_seat(shop, &key, None, world.now).await.unwrap().unwrap();
        let name = domain::EventId::mint(world.now, &mut world.rng);
        let (changes, _) =
            change_usage(&before.license, None, UsageRequest::Add(1), Actor::App, name, world.now).unwrap();
        store.commit(&changes).await.unwrap();
        let after = store.remembered_seat(shop, &key, None, world.now).await.unwrap().unwrap();
        assert_eq!(after.license.uses, used);
    }
}

#[tokio::test]
async fn an_answer_comes_from_memory_until_somebody_writes_from_another_process() {
    let directory = Directory::new();
    let path = directory.path().join("shop.db");
    let open = async || {
        let engine = std::sync::Arc::new(Sqlite::open(&path, SqliteOptions::default()).unwrap());
        store::migrate(engine.as_ref()).await.unwrap();
        Store::new(engine, std::sync::Arc::new(store::Vault::from_master_key([1; 32]).unwrap()))
    };
    let (store, other) = (open().await, open().await);
    let (world, key) = licensed(&store).await;
    let shop = world.shop.id;
    let state = async || store.remembered_seat(shop, &key, None, world.now).await.unwrap().unwrap().license.state;
    warm(&store, &world, &key).await;
    assert_eq!(state().await, LicenseState::Active);
    let view = other.seat(shop, &key, None, world.now).await.unwrap().unwrap();
    other.commit(&with(&view, |license| license.state = LicenseState::RevokedByPerson)).await.unwrap();
    // The writer looks from time to time; nobody is told when.
    let asking = async {
        while state().await == LicenseState::Active {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.expect("what another process wrote is seen");
}

/// Many ask while one changes: who asks after a change was answered never hears of what was before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_hears_of_what_was_before_a_change_that_was_answered() {
    let (store, _directory) = sqlite_store().await;
    let (world, key) = licensed(&store).await;
    let shop = world.shop.id;
    warm(&store, &world, &key).await;
    let committed = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(1));
    let is_over = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let asking: Vec<_> = (0..4)
        .map(|_| {
            let (store, key, now) = (store.clone(), key.clone(), world.now);
            let (committed, is_over) = (committed.clone(), is_over.clone());
            tokio::spawn(async move {
                while !is_over.load(std::sync::atomic::Ordering::SeqCst) {
                    let least = committed.load(std::sync::atomic::Ordering::SeqCst);
                    let view = store.remembered_seat(shop, &key, None, now).await.unwrap().unwrap();
                    assert!(view.license.version >= least, "{} after {least}", view.license.version);
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for _ in 0..500 {
        let view = store.seat(shop, &key, None, world.now).await.unwrap().unwrap();
        store.commit(&with(&view, |license| license.expires_at = Some(world.now))).await.unwrap();
        committed.store(view.license.version + 1, std::sync::atomic::Ordering::SeqCst);
    }
    is_over.store(true, std::sync::atomic::Ordering::SeqCst);
    for asked in asking {
        asked.await.unwrap();
    }
}
