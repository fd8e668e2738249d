//! A whole shop into another database and back: nothing is lost, nothing is invented, and nobody else is at it.

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;

use domain::{
    Actor, AdoptedKey, ApiKey, ApiKeyId, Changes, DeliveryState, Duration, Endpoint, EndpointId, Event, EventId,
    EventKind, ForeignId, ForeignKey, ForeignPlan, ForeignSystem, HELD_UNTIL, JobKind, Mode, NoticeState, RefundReason,
    Scope, Session, SessionHolder, SessionId, Timestamp,
};
use futures::FutureExt as _;
use store::copy::{Fence, Progress, fence, set_fence};
use store::moving::{Backup, MoveError, back_up, give_up, move_rows, restore, verify};
use store::place::Place;
use store::testing::{Directory, MASTER_KEY, postgres_database};
use store::{
    Access, CommitError, Engine, Expect, OpenError, Page, Queue, SigningKey, SigningKeyState, Statement, Store,
    TableSum, Value, Vault, migrate,
};

use crate::world::{World, euro};

fn sqlite(directory: &Directory, name: &str) -> Place {
    Place::Sqlite(directory.path().join(name))
}

async fn postgres() -> Place {
    Place::Postgres(postgres_database().await)
}

async fn open(place: &Place) -> Store {
    let engine = place.open(Access::Shared).await.unwrap();
    migrate(engine.as_ref()).await.unwrap();
    Store::new(engine, Arc::new(Vault::from_master_key(MASTER_KEY).unwrap()))
}

fn silent() -> impl FnMut(Progress) {
    |_| {}
}

/// A shop with rows in every table, more than one page in some.
async fn furnish(place: &Place) -> World {
    let store = open(place).await;
    store.confirm_master_key().await.unwrap();
    let mut world = World::new();
    let pool = world.sell_from_a_pool(&["A-1", "A-2"]);
    world.stock(&store).await;
    store.commit(&pool).await.unwrap();
    let file = domain::NewFile {
        name: domain::FileName::parse("lumen.zip").unwrap(),
        platform: None,
        size: 3,
        digest: domain::ContentDigest([7; 32]),
    };
    let now = world.now;
    let release = crate::releases::publishing(&mut world, None, "1.0", now, vec![file]);
    store.commit(&release).await.unwrap();
    let mut sale = world.open(&store, 3).await;
    world.submit(&store, &mut sale).await;
    world.captured(&store, &mut sale, "pi_1").await;
    world.refund_requested(&store, &mut sale, Some(euro(100)), RefundReason::RequestedByCustomer).await;
    world.disputed(&store, &mut sale, domain::DisputeState::Warning).await;
    world.seat(&store, &sale.licenses[0].clone(), "device").await;
    let mut waiting = world.open(&store, 1).await;
    world.submit(&store, &mut waiting).await;
    let now = world.now;
    let user = world.user();
    let session = Session {
        id: SessionId::mint(now, &mut world.rng),
        shop: world.shop.id,
        token_hash: vec![0, 1, 255],
        holder: SessionHolder::User { user: user.id },
        expires_at: now.after(Duration::days(30)),
        created_at: now,
    };
    let api_key = ApiKey {
        id: ApiKeyId::mint(now, &mut world.rng),
        shop: world.shop.id,
        token_hash: vec![9; 32],
        name: "shop floor".to_owned(),
        mode: Mode::Sandbox,
        scope: Scope::Checkout,
        created_at: now,
        revoked_at: None,
    };
    let sent = world.delivery(&sale, DeliveryState::Sent);
    let notices = (0..450).map(|number| world.notice(&format!("evt_{number}"), NoticeState::Applied)).collect();
    let link = world.link();
    let attempt = crate::attempts::refused(&mut world, Some(sale.licenses[0].id), now);
    let endpoint = Endpoint {
        id: EndpointId::mint(now, &mut world.rng),
        shop: world.shop.id,
        version: 0,
        slug: "mine".to_owned(),
        url: "https://seller.example/fulfil".to_owned(),
        secrets: 2,
        created_at: now,
    };
    let message = domain::Message {
        id: domain::MessageId::mint(now, &mut world.rng),
        shop: world.shop.id,
        order: sale.order.id,
        place: 0,
        author: domain::Author::Buyer,
        body: domain::MessageBody::parse("Which version runs on my machine?").unwrap(),
        at: now,
    };
    let group = crate::groups::group(&mut world, None, Some(9));
    let changes = Changes {
        messages: vec![message],
        groups: vec![group],
        endpoints: vec![endpoint],
        attempts: vec![attempt],
        shadow_differences: vec![crate::shadow::difference(&world, "/valid")],
        shadow_counts: vec![crate::shadow::count(&world, domain::ShadowOutcome::Different)],
        users: vec![user],
        sessions: vec![session],
        api_keys: vec![api_key],
        login_links: vec![link],
        deliveries: vec![sent],
        notices,
        signed_keys: vec![crate::signed_keys::signed(&sale.licenses[0], "key/a", "2026-11", None, now)],
        foreign_keys: vec![AdoptedKey {
            shop: world.shop.id,
            license: sale.licenses[0].id,
            system: ForeignSystem::Gumroad,
            key: ForeignKey::parse("F44E09B4-01234567").unwrap(),
            at: now,
        }],
        foreign_ids: vec![ForeignId {
            shop: world.shop.id,
            system: ForeignSystem::Keygen,
            id: "10000000-0000-4000-8000-000000000001".to_owned(),
            license: sale.licenses[0].id,
            activation: None,
        }],
        foreign_plans: vec![ForeignPlan {
            shop: world.shop.id,
            system: ForeignSystem::Gumroad,
            plan: sale.licenses[0].plan,
            names: [("product_id".to_owned(), "product==".to_owned())].into(),
        }],
        ..Changes::default()
    };
    store.commit(&changes).await.unwrap();
    let key = SigningKey {
        kid: "2026-11".to_owned(),
        public: vec![1; 32],
        seed: vec![2; 32].into(),
        state: SigningKeyState::Active,
        created_at: now,
        signs_from: now,
    };
    store.add_signing_key(&key).await.unwrap();
    let claimed = "insert into idempotency_keys (shop_id, id, request_digest, holder, held_until, created_at) \
        values ($1, $2, $2, $2, 5, 5)";
    run(store.engine().as_ref(), claimed, vec![Value::Text(world.shop.id.to_string()), Value::Bytes(vec![0, 200])])
        .await;
    let retired =
        "insert into retired_keys (shop_id, license_id, key_hash, key_tail, retired_at) values ($1, $2, $3, 'ABCD', 5)";
    let revoked = "insert into revocations (shop_id, subject_id, code, revoked_at, listed_until) \
        values ($1, $2, 'not_activated', 5, 6)";
    run(
        store.engine().as_ref(),
        revoked,
        vec![Value::Text(world.shop.id.to_string()), Value::Text("act_1".to_owned())],
    )
    .await;
    let license = sale.licenses[0].id.to_string();
    run(
        store.engine().as_ref(),
        retired,
        vec![Value::Text(world.shop.id.to_string()), Value::Text(license), Value::Bytes(vec![7; 32])],
    )
    .await;
    let shop = || vec![Value::Text(world.shop.id.to_string())];
    let offered = "insert into transfers (shop_id, id, version, license_id, from_customer_id, recipient, frees_seats, \
        state, created_at, expires_at) values ($1, 'trf_1', 1, 'lic_1', 'cus_1', 'bob@example.com', 1, 'offered', 5, 6)";
    run(store.engine().as_ref(), offered, shop()).await;
    let batch = "insert into batches (shop_id, id, version, plan_id, reason, actor, licenses, created_at) \
        values ($1, 'batch_1', 1, 'plan_1', 'a class', 'api', 3, 5)";
    run(store.engine().as_ref(), batch, shop()).await;
    assert_eq!(store::report::broken_laws(&store).await.unwrap(), []);
    world
}

async fn run(engine: &dyn Engine, sql: &'static str, values: Vec<Value>) {
    engine.commit(vec![Statement { sql, values, expect: Expect::Any, what: "test" }]).await.unwrap();
}

async fn count(engine: &dyn Engine, sql: &'static str) -> i64 {
    let statement = Statement { sql, values: vec![], expect: Expect::Any, what: "test" };
    engine.query(vec![statement]).await.unwrap()[0][0].integer(0).unwrap()
}

async fn sums(place: &Place) -> Vec<TableSum> {
    place.moment().await.unwrap().sums().await.unwrap()
}

/// What becomes of it; nothing when it is killed: it ends in the middle, and its connections with it.
async fn until_killed<T>(work: impl Future<Output = T>) -> Option<T> {
    AssertUnwindSafe(work).catch_unwind().await.ok()
}

/// Both ways between the engines, and each to its own kind.
async fn ways(directory: &Directory) -> Vec<(Place, Place)> {
    vec![
        (sqlite(directory, "a.db"), postgres().await),
        (postgres().await, sqlite(directory, "b.db")),
        (sqlite(directory, "c.db"), sqlite(directory, "d.db")),
        (postgres().await, postgres().await),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_moves_with_every_row_and_every_secret() {
    let directory = Directory::new();
    for (from, to) in ways(&directory).await {
        let world = furnish(&from).await;
        let before = sums(&from).await;
        assert!(before.iter().all(|sum| sum.rows > 0), "a table without a row proves nothing: {before:?}");
        let mut told = Vec::new();
        let moved = move_rows(&from, &to, "m".to_owned(), &mut |progress| told.push(progress)).await.unwrap();
        assert_eq!((&moved, &sums(&to).await), (&before, &before));
        assert_eq!(told.last().map(|last| (last.place, last.is_done)), Some((before.len(), true)));

        // It lives on there, with the same master key; and not here.
        let store = open(&to).await;
        store.confirm_master_key().await.unwrap();
        assert_eq!(fence(store.engine().as_ref()).await.unwrap(), None);
        let order = &store
            .orders(world.shop.id, &Default::default(), Page { starting_after: None, ending_before: None, limit: 10 })
            .await
            .unwrap()
            .data[1];
        assert_eq!(store.license_keys(world.shop.id, order.id).await.unwrap().len(), 3);
        assert_eq!(store::report::broken_laws(&store).await.unwrap(), []);
        drop(store);
        let left = open(&from).await;
        let fenced = fence(left.engine().as_ref()).await.unwrap();
        assert_eq!(fenced, Some(Fence::Left { id: "m".to_owned(), to: to.to_string() }));
        drop(left);
        let again = move_rows(&from, &to, "n".to_owned(), &mut silent()).await;
        assert_eq!(again, Err(MoveError::Moved(to.clone())));
        assert!(matches!(give_up(&from).await, Err(MoveError::SourceFenced(_, Fence::Left { .. }))));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_that_is_killed_at_any_page_goes_on_and_ends_the_same() {
    let directory = Directory::new();
    for (from, to) in [(sqlite(&directory, "a.db"), postgres().await), (postgres().await, sqlite(&directory, "b.db"))] {
        furnish(&from).await;
        let before = sums(&from).await;
        let mut kills = 0;
        loop {
            let page = 1 + kills * 5;
            let mut pages = 0;
            let mut dies = |_| {
                pages += 1;
                assert!(pages < page, "killed");
            };
            let moved = until_killed(move_rows(&from, &to, format!("m{page}"), &mut dies)).await;
            match moved {
                Some(moved) => break assert_eq!(moved.unwrap(), before),
                None => kills += 1,
            }
            let left = open(&from).await;
            let fenced = fence(left.engine().as_ref()).await.unwrap();
            assert!(matches!(fenced, Some(Fence::Leaving { id, .. }) if id == "m1"), "it stays one move");
            let arriving = open(&to).await;
            assert!(matches!(fence(arriving.engine().as_ref()).await.unwrap(), Some(Fence::Arriving { .. })));
        }
        assert!(kills > 4, "{kills}");
        assert_eq!(sums(&to).await, before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_else_may_be_there_while_rows_move() {
    let directory = Directory::new();
    for (from, to) in ways(&directory).await.into_iter().take(2) {
        furnish(&from).await;
        let in_use =
            |moved: Result<Vec<TableSum>, MoveError>| matches!(moved, Err(MoveError::Open(OpenError::InUse(..))));
        let server = open(&from).await;
        assert!(in_use(move_rows(&from, &to, "m".to_owned(), &mut silent()).await), "a server on the source");
        assert_eq!(fence(server.engine().as_ref()).await.unwrap(), None);
        drop(server);
        let server = open(&to).await;
        assert!(in_use(move_rows(&from, &to, "m".to_owned(), &mut silent()).await), "a server on the target");
        drop(server);
        // And who comes in the middle stays out.
        let alone = from.open(Access::Alone).await.unwrap();
        assert!(matches!(from.open(Access::Shared).await.err(), Some(OpenError::InUse(..))));
        drop(alone);
        move_rows(&from, &to, "m".to_owned(), &mut silent()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_written_over_and_nothing_is_mixed() {
    let directory = Directory::new();
    for (from, to) in ways(&directory).await {
        furnish(&from).await;
        furnish(&to).await;
        let theirs = sums(&to).await;
        assert_eq!(
            move_rows(&from, &to, "m".to_owned(), &mut silent()).await,
            Err(MoveError::NotEmpty(to.clone())),
            "a shop is there"
        );
        assert_eq!(sums(&to).await, theirs);
        assert_eq!(fence(open(&from).await.engine().as_ref()).await.unwrap(), None, "and the source stays in use");
        assert_eq!(move_rows(&from, &from, "m".to_owned(), &mut silent()).await, Err(MoveError::Same(from.clone())));
    }
    let (nowhere, to) = (sqlite(&directory, "nowhere.db"), sqlite(&directory, "e.db"));
    let missing = move_rows(&nowhere, &to, "m".to_owned(), &mut silent()).await;
    assert_eq!(missing, Err(MoveError::Missing(nowhere.clone())));
    assert!(!nowhere.exists(), "and nothing is made by asking");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_that_is_given_up_leaves_the_shop_as_it_was() {
    let directory = Directory::new();
    let (from, to) = (sqlite(&directory, "a.db"), postgres().await);
    furnish(&from).await;
    let before = sums(&from).await;
    assert_eq!(give_up(&from).await, Err(MoveError::NotMoving(from.clone())));
    let mut dies = |progress: Progress| assert!(progress.place < 5, "killed");
    assert_eq!(until_killed(move_rows(&from, &to, "m".to_owned(), &mut dies)).await, None);
    let elsewhere = sqlite(&directory, "z.db");
    let other = move_rows(&from, &elsewhere, "n".to_owned(), &mut silent()).await;
    assert!(matches!(other, Err(MoveError::SourceFenced(..))), "{other:?}");
    give_up(&from).await.unwrap();
    assert_eq!(fence(open(&from).await.engine().as_ref()).await.unwrap(), None);
    assert_eq!(sums(&from).await, before);
    // The half that went over belongs to a move that is over.
    let mixed = move_rows(&from, &to, "n".to_owned(), &mut silent()).await;
    assert!(matches!(mixed, Err(MoveError::TargetFenced(..))), "{mixed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_was_changed_on_the_way_is_noticed() {
    let directory = Directory::new();
    for (from, to) in [(sqlite(&directory, "a.db"), postgres().await), (postgres().await, sqlite(&directory, "b.db"))] {
        furnish(&from).await;
        let mut dies = |progress: Progress| assert!(progress.table != "jobs", "killed");
        assert_eq!(until_killed(move_rows(&from, &to, "m".to_owned(), &mut dies)).await, None);
        let meddler = open(&to).await;
        run(meddler.engine().as_ref(), "update orders set email = 'eve@example.com' where units = 3", vec![]).await;
        drop(meddler);
        let moved = move_rows(&from, &to, "m".to_owned(), &mut silent()).await;
        assert_eq!(moved, Err(MoveError::Different { place: to.clone(), tables: vec!["orders".to_owned()] }));
        assert!(fence(open(&to).await.engine().as_ref()).await.unwrap().is_some(), "no server starts on it");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_of_one_moment_while_others_write() {
    let directory = Directory::new();
    for (name, from) in [("a", sqlite(&directory, "a.db")), ("b", postgres().await)] {
        let mut world = furnish(&from).await;
        let store = open(&from).await;
        let file = directory.path().join(format!("{name}.backup"));
        let before = sums(&from).await;
        // A sale at every page: the first goes in after the moment is held.
        let mut sales = Vec::new();
        for _ in 0..3 {
            let mut sale = world.open(&store, 1).await;
            sales.push(sale.order.id);
            world.submit(&store, &mut sale).await;
        }
        let with_sales = sums(&from).await;
        assert_ne!(before, with_sales);
        let (writing, shop) = (store.clone(), world.shop.id);
        let (ended, stop) = tokio::sync::oneshot::channel::<()>();
        let mut rng = domain::Rng::from_seed([9; 32]);
        let writer = tokio::spawn(async move {
            let (mut written, mut stop) = (0, stop);
            while stop.try_recv().is_err() {
                let at = Timestamp::from_seconds(2_000_000_000 + written);
                let event = Event {
                    id: EventId::mint(at, &mut rng),
                    shop,
                    kind: EventKind::SessionStarted,
                    actor: Actor::System,
                    order: None,
                    license: None,
                    customer: None,
                    data: serde_json::Value::Null,
                    at,
                };
                writing.commit(&Changes { events: vec![event], ..Changes::default() }).await.unwrap();
                written += 1;
            }
            written
        });
        let mut tables = 0;
        let backed_up = back_up(&from, &file, &mut |progress| tables += usize::from(progress.is_done)).await.unwrap();
        ended.send(()).unwrap();
        let written = writer.await.unwrap();
        assert!(written > 0, "the writer was never held up");
        assert_eq!((tables, &backed_up.broken), (backed_up.sums.len(), &vec![]));
        for (sum, expected) in backed_up.sums.iter().zip(&with_sales) {
            assert!(sum.table == "events" || sum == expected, "{sum:?}");
        }
        verify(&file, &backed_up.sums).await.unwrap();
        let left: Vec<_> = std::fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|file| file.starts_with(&format!("{name}.backup")))
            .collect();
        assert_eq!(left, [format!("{name}.backup")], "one file and nothing beside it");
        assert!(matches!(back_up(&from, &file, &mut silent()).await, Err(MoveError::NotEmpty(_))));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_was_damaged_is_never_restored() {
    let directory = Directory::new();
    let from = sqlite(&directory, "a.db");
    furnish(&from).await;
    let file = directory.path().join("backup");
    let backed_up = back_up(&from, &file, &mut silent()).await.unwrap();
    let whole = std::fs::read(&file).unwrap();
    let to = sqlite(&directory, "b.db");
    for place in (0..whole.len()).step_by(whole.len() / 40) {
        let mut damaged = whole.clone();
        for byte in &mut damaged[place..(place + 64).min(whole.len())] {
            *byte = !*byte;
        }
        std::fs::write(&file, &damaged).unwrap();
        // Free space within a page is nobody's.
        if verify(&file, &backed_up.sums).await.is_ok() {
            continue;
        }
        let backup = Backup { file: &file, id: "b", taken_at: Timestamp::from_seconds(1), sums: &backed_up.sums };
        assert!(restore(&backup, &to, Timestamp::from_seconds(2), &mut silent()).await.is_err(), "byte {place}");
        assert!(!to.exists(), "and nothing was begun");
    }
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    assert!(verify(&file, &backed_up.sums).await.is_err());
}

/// The sums of what was restored, without what a restore changes.
fn untouched(sums: &[TableSum]) -> Vec<&TableSum> {
    let touched = [
        "gateway_accounts",
        "payments",
        "deliveries",
        "jobs",
        "sessions",
        "login_links",
        "settings",
        "refunds",
        "pools",
    ];
    sums.iter().filter(|sum| !touched.contains(&sum.table.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_restored_sends_no_mail_and_asks_about_all_that_was_open() {
    let directory = Directory::new();
    for (number, (from, to)) in ways(&directory).await.into_iter().enumerate() {
        let world = furnish(&from).await;
        let file = directory.path().join(format!("backup-{number}"));
        let backed_up = back_up(&from, &file, &mut silent()).await.unwrap();
        let taken_at = world.now.after(Duration::minutes(1));
        let now = world.now.after(Duration::days(3));
        let backup = Backup { file: &file, id: "b", taken_at, sums: &backed_up.sums };
        // Killed in the middle, it goes on.
        let mut dies = |progress: Progress| assert!(progress.place < 9, "killed");
        assert_eq!(until_killed(restore(&backup, &to, now, &mut dies)).await, None);
        assert!(matches!(
            fence(open(&to).await.engine().as_ref()).await.unwrap(),
            Some(Fence::Arriving { id, .. }) if id == "b"
        ));
        let held = restore(&backup, &to, now, &mut silent()).await.unwrap();
        assert!(held > 0, "the sale's mail waited when the backup was taken");
        assert_eq!(restore(&backup, &to, now, &mut silent()).await, Err(MoveError::NotEmpty(to.clone())));
        assert_eq!(untouched(&sums(&to).await), untouched(&backed_up.sums));

        let store = open(&to).await;
        let engine = store.engine().as_ref();
        assert_eq!(fence(engine).await.unwrap(), None);
        assert_eq!(store::report::broken_laws(&store).await.unwrap(), []);
        let due = store
            .claim_jobs(Queue::Mails, now.after(Duration::days(3_650)), now.after(Duration::days(4_000)), 100)
            .await;
        assert_eq!(due.unwrap(), [], "not in ten years");
        let mails = store.held_mails(world.shop.id, 100).await.unwrap();
        assert_eq!(u64::try_from(mails.len()).unwrap(), held);
        assert!(mails.iter().all(|mail| mail.last_error.as_deref() == Some(store::restore::HELD_BY_RESTORE)));
        assert_eq!(store.held_jobs().await.unwrap(), held);
        // A person lets one go; it is due then, once.
        let kind = JobKind::SendMail { delivery: mails[0].id };
        store.release_job(world.shop.id, kind, now).await.unwrap();
        assert_eq!(store.release_job(world.shop.id, kind, now).await, Err(CommitError::Conflict { what: "job" }));
        assert_eq!(store.claim_jobs(Queue::Mails, now, HELD_UNTIL, 100).await.unwrap().len(), 1);

        assert_eq!(store.payments_due(now, 10).await.unwrap().len(), 1, "the open payment is asked about at once");
        let account = store.gateway_account(world.account.id).await.unwrap().unwrap();
        assert!(
            account.events_read_to <= taken_at.before(Duration::hours(1)),
            "events since the backup are read again"
        );
        assert_eq!(count(engine, "select count(*) from sessions").await, 0);
        assert_eq!(count(engine, "select count(*) from login_links where used_at is null").await, 0);
        let doubted = "select count(*) from jobs where kind = 'send_refund' and attempts = 0";
        assert_eq!(count(engine, doubted).await, 0, "a refund is looked up before it is sent");
        let restored = store.restored().await.unwrap().unwrap();
        assert_eq!((restored.taken_at, restored.restored_at, restored.is_caught_up), (taken_at, now, false));
        store.caught_up(restored).await.unwrap();
        assert!(store.restored().await.unwrap().unwrap().is_caught_up);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fence_is_never_copied() {
    let directory = Directory::new();
    let from = sqlite(&directory, "a.db");
    furnish(&from).await;
    let store = open(&from).await;
    let put = Fence::Leaving { id: "m".to_owned(), to: "elsewhere".to_owned() };
    set_fence(store.engine().as_ref(), Some(&put)).await.unwrap();
    let file = directory.path().join("backup");
    back_up(&from, &file, &mut silent()).await.unwrap();
    assert_eq!(fenced_rows(&file), 0);
    let half = Fence::Arriving { id: "m".to_owned(), from: "elsewhere".to_owned() };
    set_fence(store.engine().as_ref(), Some(&half)).await.unwrap();
    let refused = back_up(&from, &directory.path().join("half"), &mut silent()).await;
    assert!(matches!(refused, Err(MoveError::SourceFenced(..))), "half a shop is no shop: {refused:?}");
}

fn fenced_rows(file: &Path) -> i64 {
    let connection = rusqlite::Connection::open(file).unwrap();
    connection.query_row("select count(*) from settings where key = 'fence'", [], |row| row.get(0)).unwrap()
}
