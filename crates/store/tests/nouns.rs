//! What the nouns make of the engines: sales, seats, claims, lists and secrets, on SQLite and on PostgreSQL alike.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "nouns/shop.rs"]
mod shop;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::{
    ActivationRequest, Changes, Duration, Fingerprint, LicenseId, NoticeState, OrderState, PaymentLocator, Refusal,
    Rng, activate,
};
use futures::future::join_all;
use store::{
    CommitError, DeliveryFilter, LicenseFilter, MasterKeyError, NoticeFilter, OrderFilter, Page, ReadError, SearchHit, SigningKey,
    SigningKeyState, Store, Vault, report,
};

use self::shop::{NOW, Place};

macro_rules! sentences {
    ($($sentence:ident)*) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $sentence() {
                super::$sentence(super::Place::sqlite().await).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $sentence() {
                super::$sentence(super::Place::postgres().await).await;
            })*
        }
    };
}

sentences! {
    a_catalog_reads_back_as_it_was_written
    a_sale_reads_back_as_the_decisions_made_it
    a_paid_order_has_its_licenses_its_mail_its_books_and_breaks_no_law
    an_event_that_comes_two_hundred_times_at_once_counts_once
    events_that_say_the_same_thing_at_once_issue_once
    the_index_alone_keeps_a_second_license_from_a_unit
    five_hundred_devices_that_reach_for_five_seats_get_five
    a_job_is_claimed_by_one_worker_and_comes_back_when_the_lease_ends
    a_notice_is_claimed_by_one_worker_and_settled_once
    a_decision_that_changes_nothing_still_fails_when_the_order_has_moved_on
    pages_show_every_order_once_in_both_directions
    what_a_person_has_in_hand_finds_the_sale
    a_broken_law_is_found_and_named
    a_store_is_not_used_with_another_master_key
    a_signing_key_is_kept_sealed_and_can_be_retired
}

async fn a_catalog_reads_back_as_it_was_written(place: Place) {
    let Place { store, shop, product, plan, account, .. } = &place;
    let stored = |version: i64| version + 1;
    let mut written = shop.clone();
    written.version = stored(shop.version);
    assert_eq!(store.shop(shop.id).await, Ok(Some(written)));
    let mut written = product.clone();
    written.version = stored(product.version);
    assert_eq!(store.product(shop.id, product.id).await, Ok(Some(written.clone())));
    assert_eq!(store.product_by_slug(shop.id, "northlight").await, Ok(Some(written)));
    let mut written = plan.clone();
    written.version = stored(plan.version);
    assert_eq!(store.plan(shop.id, plan.id).await, Ok(Some(written.clone())));
    assert_eq!(store.plans(shop.id, product.id).await, Ok(vec![written]));
    let mut written = account.clone();
    written.version = stored(account.version);
    assert_eq!(store.gateway_account(account.id).await, Ok(Some(written)));
}

async fn a_sale_reads_back_as_the_decisions_made_it(place: Place) {
    let order = place.open(3, 7).await;
    let mut sale = place.sale(order).await;
    assert_eq!((sale.order.version, sale.order.units()), (1, 3));
    let mut postings = Vec::new();
    let payment = place.submit(order, 7).await;
    let submitted = place.sale(order).await;
    assert_eq!(submitted.payments[0].id, payment);
    sale = submitted;
    let changes = place.captured(order, payment, "evt 1", 7).await.unwrap();
    shop::applied(&mut sale, &mut postings, &changes);
    assert_eq!(place.sale(order).await, sale);
    assert_eq!(sale.order.state, OrderState::Paid);

    let shop = place.shop.id;
    let by_payment = PaymentLocator { payment: Some(payment), ..PaymentLocator::default() };
    let by_reference = PaymentLocator { reference: Some(format!("ref {payment}")), ..PaymentLocator::default() };
    let by_order = PaymentLocator { order: Some(order), ..PaymentLocator::default() };
    for locator in [by_payment, by_reference, by_order] {
        let found = place.store.sale_for_notice(shop, place.account.id, &locator, "evt 1").await.unwrap();
        assert_eq!(found, (Some(NoticeState::Applied), Some(sale.clone())), "{locator:?}");
    }
    let nothing = PaymentLocator { reference: Some("somebody else's".to_owned()), ..PaymentLocator::default() };
    assert_eq!(place.store.sale_for_notice(shop, place.account.id, &nothing, "evt 2").await, Ok((None, None)));
}

async fn a_paid_order_has_its_licenses_its_mail_its_books_and_breaks_no_law(place: Place) {
    let order = place.sold(2, 7).await;
    let (store, shop) = (&place.store, place.shop.id);
    let keys = store.license_keys(shop, order).await.unwrap();
    assert_eq!(keys.len(), 2);
    for (license, key) in &keys {
        assert_eq!(store.license_key(shop, *license).await.unwrap().as_ref(), Some(key));
        let seat = store.seat(shop, key, None).await.unwrap().unwrap();
        assert_eq!((seat.license.id, seat.activation), (*license, None));
    }
    let events: Vec<&str> = store.order_events(shop, order).await.unwrap().iter().map(|event| event.kind.as_str()).collect();
    assert!(events.contains(&"order.paid") && events.contains(&"license.issued"), "{events:?}");
    let mails = store.deliveries(shop, &DeliveryFilter::default(), page()).await.unwrap().data;
    assert_eq!(mails.iter().map(|mail| mail.mail.as_str()).collect::<Vec<_>>(), ["order_paid"]);
    assert_eq!(report::broken_laws(store).await, Ok(vec![]));
}

async fn an_event_that_comes_two_hundred_times_at_once_counts_once(place: Place) {
    let order = place.open(2, 7).await;
    let payment = place.submit(order, 7).await;
    let place = Arc::new(place);
    let outcomes = join_all((0..200u8).map(|seed| {
        let place = Arc::clone(&place);
        tokio::spawn(async move { place.captured(order, payment, "evt 1", seed).await })
    }))
    .await;
    let stand = outcomes.into_iter().map(Result::unwrap).filter(|outcome| match outcome {
        Ok(_) => true,
        Err(CommitError::Conflict { what }) => {
            assert!(["notice", "order", "payment"].contains(what), "{what}");
            false
        }
        Err(error) => panic!("{error}"),
    });
    assert_eq!(stand.count(), 1);
    assert_eq!(place.sale(order).await.licenses.len(), 2);
    assert_eq!(report::broken_laws(&place.store).await, Ok(vec![]));
}

async fn events_that_say_the_same_thing_at_once_issue_once(place: Place) {
    let order = place.open(2, 7).await;
    let payment = place.submit(order, 7).await;
    let place = Arc::new(place);
    let deliveries = (0..50u8).map(|seed| {
        let place = Arc::clone(&place);
        tokio::spawn(async move {
            // A conflict means to read and decide again; each of these events is a different one and must end applied.
            while let Err(error) = place.captured(order, payment, &format!("evt {seed}"), seed).await {
                assert!(matches!(error, CommitError::Conflict { .. }), "{error}");
            }
        })
    });
    join_all(deliveries).await.into_iter().for_each(Result::unwrap);
    assert_eq!(place.sale(order).await.licenses.len(), 2);
    let applied = NoticeFilter { state: Some("applied".to_owned()), order: None };
    assert_eq!(place.store.notices(place.shop.id, &applied, page()).await.unwrap().data.len(), 50);
    assert_eq!(report::broken_laws(&place.store).await, Ok(vec![]));
}

async fn the_index_alone_keeps_a_second_license_from_a_unit(place: Place) {
    let order = place.sold(1, 7).await;
    let (known, key) = {
        let sale = place.sale(order).await;
        let keys = place.store.license_keys(place.shop.id, order).await.unwrap();
        (sale.licenses[0].clone(), keys[0].1.clone())
    };
    let other_order = place.sold(1, 8).await;
    let other_key = place.store.license_keys(place.shop.id, other_order).await.unwrap()[0].1.clone();
    let mut second = known.clone();
    second.id = LicenseId::mint(NOW, &mut Rng::from_seed([9; 32]));
    second.version = 0;
    for (license, key) in [(second.clone(), other_key), (domain::License { unit: 1, ..second }, key)] {
        let changes = Changes { issued: vec![(license, key)], ..Changes::default() };
        assert_eq!(place.store.commit(&changes).await, Err(CommitError::Conflict { what: "license" }));
    }
}

async fn five_hundred_devices_that_reach_for_five_seats_get_five(place: Place) {
    let order = place.sold(1, 7).await;
    let key = place.store.license_keys(place.shop.id, order).await.unwrap()[0].1.clone();
    let place = Arc::new(place);
    let outcomes = join_all((0..500).map(|number: u32| {
        let (place, key) = (Arc::clone(&place), key.clone());
        tokio::spawn(async move {
            let fingerprint = Fingerprint::parse(&format!("device {number}")).unwrap();
            let request = ActivationRequest { fingerprint: fingerprint.clone(), name: None, metadata: BTreeMap::new() };
            let mut seed = [0; 32];
            seed[..4].copy_from_slice(&number.to_be_bytes());
            let mut rng = Rng::from_seed(seed);
            loop {
                let seat = place.store.seat(place.shop.id, &key, Some(&fingerprint)).await.unwrap().unwrap();
                match activate(&seat.license, seat.activation.as_ref(), &request, NOW, &mut rng) {
                    Err(Refusal::SeatLimitReached { seats: 5 }) => return false,
                    Err(refusal) => panic!("{refusal}"),
                    Ok((changes, _)) => match place.store.commit(&changes).await {
                        Ok(()) => return true,
                        Err(CommitError::Conflict { what }) => assert_eq!(what, "license"),
                        Err(error) => panic!("{error}"),
                    },
                }
            }
        })
    }))
    .await;
    assert_eq!(outcomes.into_iter().filter(|outcome| *outcome.as_ref().unwrap()).count(), 5);
    let license = place.store.seat(place.shop.id, &key, None).await.unwrap().unwrap().license;
    assert_eq!(license.seats_used, 5);
    assert_eq!(place.store.activations(place.shop.id, license.id).await.unwrap().len(), 5);
    assert_eq!(report::broken_laws(&place.store).await, Ok(vec![]));
}

async fn a_job_is_claimed_by_one_worker_and_comes_back_when_the_lease_ends(place: Place) {
    for seed in 1..=20 {
        let order = place.open(1, seed).await;
        place.submit(order, seed).await;
    }
    let (now, lease) = (NOW.after(Duration::minutes(1)), NOW.after(Duration::minutes(2)));
    let store = &place.store;
    let claims = join_all((0..8).map(|_| store.claim_jobs(now, lease, 5))).await;
    let jobs: Vec<_> = claims.into_iter().flat_map(Result::unwrap).collect();
    let distinct: BTreeSet<String> = jobs.iter().map(|claimed| claimed.job.id.to_string()).collect();
    assert_eq!(jobs.len(), distinct.len(), "no job twice");
    let rest = store.claim_jobs(now, lease, 100).await.unwrap();
    assert_eq!(jobs.len() + rest.len(), 20, "no job lost");
    assert!(store.claim_jobs(now, lease, 100).await.unwrap().is_empty());

    let first = &jobs[0];
    let later = lease.after(Duration::seconds(1));
    let again = store.claim_job(place.shop.id, first.job.kind, later, later.after(Duration::minutes(1))).await.unwrap().unwrap();
    assert_eq!((again.job.id, again.job.attempts), (first.job.id, 1));
    assert_eq!(store.finish_job(first).await, Err(CommitError::Conflict { what: "job" }), "the lease went to somebody else");
    store.retry_job(&again, later, "no answer").await.unwrap();
    let third = store.claim_job(place.shop.id, first.job.kind, later, later.after(Duration::minutes(1))).await.unwrap().unwrap();
    assert_eq!(third.job.last_error.as_deref(), Some("no answer"));
    store.commit_job(&Changes::default(), Some(&third)).await.unwrap();
    assert_eq!(store.finish_job(&third).await, Err(CommitError::Conflict { what: "job" }), "done is done");
}

async fn a_notice_is_claimed_by_one_worker_and_settled_once(place: Place) {
    let mut rng = Rng::from_seed([5; 32]);
    let notices = (0..10).map(|number| place.notice(&format!("evt {number}"), None, &mut rng)).collect();
    place.store.commit(&Changes { notices, ..Changes::default() }).await.unwrap();
    let (now, lease) = (NOW.after(Duration::minutes(1)), NOW.after(Duration::minutes(2)));
    let claims = join_all((0..4).map(|_| place.store.claim_notices(now, lease, 3))).await;
    let mut claimed: Vec<_> = claims.into_iter().flat_map(Result::unwrap).collect();
    claimed.extend(place.store.claim_notices(now, lease, 100).await.unwrap());
    assert_eq!(claimed.len(), 10);
    let mut notice = claimed.remove(0).notice;
    assert_eq!(notice.body, b"{\"raw\":\"\0\xff\"}");
    notice.state = NoticeState::Parked { reason: "unknown_payment".to_owned(), detail: "nobody knows it".to_owned() };
    notice.settled_at = Some(now);
    let settled = Changes { notices: vec![notice.clone()], ..Changes::default() };
    place.store.commit(&settled).await.unwrap();
    assert_eq!(place.store.commit(&settled).await, Err(CommitError::Conflict { what: "notice" }));
    assert_eq!(place.store.parked_notices(place.shop.id).await, Ok(1));
    notice.version += 1;
    assert_eq!(place.store.notice(place.shop.id, notice.id).await, Ok(Some(notice)));
}

async fn a_decision_that_changes_nothing_still_fails_when_the_order_has_moved_on(place: Place) {
    let order = place.open(1, 7).await;
    let before = place.sale(order).await.check();
    let nothing = Changes { checks: vec![before], ..Changes::default() };
    place.store.commit(&nothing).await.unwrap();
    place.submit(order, 7).await;
    assert_eq!(place.store.commit(&nothing).await, Err(CommitError::Conflict { what: "order" }));
}

fn page<Id>() -> Page<Id> {
    Page { starting_after: None, ending_before: None, limit: 100 }
}

async fn pages_show_every_order_once_in_both_directions(place: Place) {
    let mut written = Vec::new();
    for seed in 1..=7 {
        written.push(place.open(1, seed).await);
    }
    written.sort();
    let newest_first: Vec<_> = written.iter().rev().copied().collect();
    let filter = OrderFilter { state: Some(OrderState::Pending), ..OrderFilter::default() };
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = Page { starting_after: after, ending_before: None, limit: 3 };
        let listing = place.store.orders(place.shop.id, &filter, page).await.unwrap();
        seen.extend(listing.data.iter().map(|order| order.id));
        after = seen.last().copied();
        if !listing.has_more {
            break;
        }
    }
    assert_eq!(seen, newest_first);
    let back = Page { starting_after: None, ending_before: Some(newest_first[5]), limit: 3 };
    let listing = place.store.orders(place.shop.id, &filter, back).await.unwrap();
    assert_eq!(listing.data.iter().map(|order| order.id).collect::<Vec<_>>(), newest_first[2..5]);
    assert!(listing.has_more);
}

async fn what_a_person_has_in_hand_finds_the_sale(place: Place) {
    let order = place.sold(1, 7).await;
    place.sold(1, 8).await;
    let (store, shop) = (&place.store, place.shop.id);
    let sale = place.sale(order).await;
    let (license, key) = store.license_keys(shop, order).await.unwrap().remove(0);
    for typed in [
        order.to_string(),
        sale.order.number.to_string(),
        "buyer7@example.com".to_owned(),
        key.to_string(),
        license.to_string(),
        format!("ref {}", sale.payments[0].id),
        sale.payments[0].id.to_string(),
    ] {
        let hits = store.search(shop, &typed).await.unwrap();
        let is_about_it = hits.iter().any(|hit| match hit {
            SearchHit::Order(found) => found.id == order,
            SearchHit::License(found) => found.order == order,
            SearchHit::Payment(found) => found.order == order,
            SearchHit::Customer(found) => found.email.as_str() == "buyer7@example.com",
            SearchHit::Activation(_) | SearchHit::Refund(_) | SearchHit::Dispute(_) => false,
        });
        assert!(is_about_it, "{typed}: {hits:?}");
    }
    assert_eq!(store.search(shop, "nothing of ours").await, Ok(vec![]));
    let tail = LicenseFilter { key_tail: Some(sale.licenses[0].key_tail.clone()), ..LicenseFilter::default() };
    let found = store.licenses(shop, &tail, page()).await.unwrap().data;
    assert!(found.iter().any(|found| found.id == license));
}

async fn a_broken_law_is_found_and_named(place: Place) {
    let order = place.sold(2, 7).await;
    // What no code path does: somebody's hand in the database.
    let by_hand = |sql| store::Statement { sql, values: vec![], expect: store::Expect::Any, what: "hand" };
    let engine = place.store.engine();
    engine.commit(vec![by_hand("delete from licenses where unit = 1")]).await.unwrap();
    let findings = report::broken_laws(&place.store).await.unwrap();
    assert!(findings.iter().any(|finding| finding.subject == order.to_string()), "{findings:?}");
    engine.commit(vec![by_hand("update licenses set seats_used = 3")]).await.unwrap();
    let more = report::broken_laws(&place.store).await.unwrap();
    assert!(more.len() > findings.len(), "{more:?}");
}

async fn a_store_is_not_used_with_another_master_key(place: Place) {
    let order = place.sold(1, 7).await;
    place.store.confirm_master_key().await.unwrap();
    place.store.confirm_master_key().await.unwrap();
    let other = Store::new(Arc::clone(place.store.engine()), Arc::new(Vault::from_master_key([43; 32]).unwrap()));
    assert_eq!(other.confirm_master_key().await, Err(MasterKeyError::Other));
    // And should somebody go on all the same, nothing opens.
    assert!(matches!(other.license_keys(place.shop.id, order).await, Err(ReadError::Corrupt(_))));
    assert!(matches!(other.gateway_account(place.account.id).await, Err(ReadError::Corrupt(_))));
}

async fn a_signing_key_is_kept_sealed_and_can_be_retired(place: Place) {
    let key = SigningKey {
        kid: "2026-11".to_owned(),
        public: vec![1; 32],
        seed: vec![2; 32].into(),
        state: SigningKeyState::Active,
        created_at: NOW,
    };
    let store = &place.store;
    store.add_signing_key(&key).await.unwrap();
    assert_eq!(store.signing_keys().await, Ok(vec![key.clone()]));
    assert_eq!(store.add_signing_key(&key).await, Err(CommitError::Conflict { what: "signing_key" }));
    store.set_signing_key_state("2026-11", SigningKeyState::Revoked).await.unwrap();
    assert_eq!(store.signing_keys().await.unwrap()[0].state, SigningKeyState::Revoked);
    let nobody = store.set_signing_key_state("2025-01", SigningKeyState::Revoked).await;
    assert_eq!(nobody, Err(CommitError::Conflict { what: "signing_key" }));
}

#[tokio::test]
async fn no_secret_is_in_the_file_or_its_log() {
    let place = Place::sqlite().await;
    let order = place.sold(1, 7).await;
    let key = place.store.license_keys(place.shop.id, order).await.unwrap()[0].1.to_string();
    let signing = SigningKey {
        kid: "2026-11".to_owned(),
        public: vec![1; 32],
        seed: b"a seed that nobody may ever see!".to_vec().into(),
        state: SigningKeyState::Active,
        created_at: NOW,
    };
    place.store.add_signing_key(&signing).await.unwrap();
    let mut bytes = Vec::new();
    for name in ["shop.db", "shop.db-wal"] {
        bytes.extend(std::fs::read(place.directory.as_ref().unwrap().path().join(name)).unwrap());
    }
    let holds = |secret: &str| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
    assert!(holds("buyer7@example.com"), "the search finds what is there");
    let without_dashes = key.replace('-', "");
    for secret in [key.as_str(), without_dashes.as_str(), "sk_canary_never_in_the_clear", "a seed that nobody may ever see!"] {
        assert!(!holds(secret), "{secret}");
    }
}
