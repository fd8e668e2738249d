//! Mails that are held since a restore, and the report that anybody can check.

use axum::http::StatusCode;
use domain::{Changes, DeliveryState, Duration, HELD_UNTIL, Job, JobId, JobKind};
use latchkey_license::KeySet;
use store::restore::HELD_BY_RESTORE;

use super::desk;
use crate::support::World;

#[tokio::test]
async fn a_held_mail_stands_there_with_its_reason_and_leaves_when_somebody_says_so() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let (_, order) = world.bought("lumen-pro", "1").await;
    world.settle().await;
    let sale = world.sale(&order).await;
    let all = store::Page { starting_after: None, ending_before: None, limit: 10 };
    let sent = world.app.store.deliveries(world.shop.id, &Default::default(), all).await.unwrap().data.remove(0);
    let now = world.app.clock.now();
    let held = domain::Delivery {
        id: domain::DeliveryId::mint(now, &mut world.app.entropy.rng()),
        version: 0,
        state: DeliveryState::Queued,
        last_error: Some(HELD_BY_RESTORE.to_owned()),
        sent_at: None,
        without_keys: false,
        ..sent
    };
    let job = Job {
        id: JobId::mint(now, &mut world.app.entropy.rng()),
        shop: world.shop.id,
        kind: JobKind::SendMail { delivery: held.id },
        run_at: HELD_UNTIL,
        attempts: 0,
        last_error: None,
        created_at: now,
    };
    let changes = Changes { deliveries: vec![held.clone()], jobs: vec![job], ..Changes::default() };
    world.app.write(&changes).await.unwrap();
    world.settle().await;

    let home = staff.get("/console").await.is(StatusCode::OK);
    assert!(home.has("1 mail is held since a restore"));
    let button = format!("action=\"/console/mails/{}/send\"", held.id);
    for page in ["/console/mails?state=queued".to_owned(), desk(&sale)] {
        let page = staff.get(&page).await.is(StatusCode::OK);
        assert!(page.has(&button) && page.has("held: the shop was restored from a backup"), "{}", page.text);
    }
    let send = format!("/console/mails/{}/send", held.id);
    let told = staff.post(&send, &[]).await.is(StatusCode::SEE_OTHER).location();
    assert!(staff.get(&told).await.has("It is on its way"));
    world.settle().await;
    let state = world.app.store.delivery(world.shop.id, held.id).await.unwrap().unwrap().state;
    assert_eq!(state, DeliveryState::Sent);
    staff.post(&send, &[]).await.is(StatusCode::NOT_FOUND);
    assert!(!staff.get("/console/mails").await.has("/send\""));
}

#[tokio::test]
async fn the_report_is_a_file_that_goes_on_where_the_last_one_ended() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    world.bought("lumen-pro", "2").await;
    world.settle().await;
    assert!(staff.get("/console").await.is(StatusCode::OK).has("action=\"/console/report\""));
    // A report ends before what may still be under way.
    world.app.clock.advance(Duration::minutes(16));
    let keys = KeySet::parse(&world.app.signer().jwks()).unwrap();
    let mut previous = None;
    for (sales, licenses) in [(1, 2), (0, 0)] {
        let file = staff.post("/console/report", &[]).await.is(StatusCode::OK);
        assert!(file.header("content-disposition").contains("exactly-once-"));
        let verified = app::verify_report(&file.text, &keys).unwrap();
        assert_eq!((verified.sales, verified.licenses, &verified.faults), (sales, licenses, &vec![]));
        assert_eq!(verified.previous, previous);
        previous = Some(verified.sha256);
    }
}
