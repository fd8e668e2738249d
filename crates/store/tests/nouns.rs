//! What the store promises about nouns, as sentences that hold on SQLite and on PostgreSQL alike.
//!
//! Sales here are made by the decisions of `domain`, never by hand, so that
//! what is read back is what a shop would have.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "nouns/attempts.rs"]
mod attempts;
#[path = "nouns/crowd.rs"]
mod crowd;
#[path = "nouns/groups.rs"]
mod groups;
#[path = "nouns/idempotency.rs"]
mod idempotency;
#[path = "nouns/installation.rs"]
mod installation;
#[path = "nouns/laws.rs"]
mod laws;
#[path = "nouns/lists.rs"]
mod lists;
#[path = "nouns/memory.rs"]
mod memory;
#[path = "nouns/moving.rs"]
mod moving;
#[path = "nouns/pools.rs"]
mod pools;
#[path = "nouns/releases.rs"]
mod releases;
#[path = "nouns/revocation.rs"]
mod revocation;
#[path = "nouns/shadow.rs"]
mod shadow;
#[path = "nouns/signed_keys.rs"]
mod signed_keys;
#[path = "nouns/world.rs"]
mod world;

use domain::{
    Account, Activation, ActivationRequest, ActivationState, Actor, ApiKey, ApiKeyId, Changes, Check, Delivery,
    DeliveryState, Duration, Email, Event, EventId, EventKind, Fingerprint, GatewayAccount, GatewayAccountId, Job,
    JobId, JobKind, Locale, LoginLink, LoginLinkId, MailKind, Mode, Notice, NoticeId, NoticeState, PaymentLocator,
    PaymentState, Posting, Product, RefundReason, Scope, Session, SessionHolder, SessionId, Shop, ShopId, User, UserId,
    activate, adopt, deactivate, heartbeat,
};
use latchkey_license::KeyCode;
use money::{Currency, Money};
use store::testing::{postgres_store, sqlite_store};
use store::{CommitError, Expect, Page, Queue, Statement, Store, Value};

use attempts::{
    an_attempt_reads_back_and_is_counted_on, attempts_are_found_by_what_a_person_has_in_hand,
    the_last_refusal_of_each_license_is_told, what_is_old_is_forgotten_batch_by_batch,
};
use crowd::{
    a_crowd_that_reaches_for_leases_that_are_over_gets_those_and_no_more,
    a_lease_that_is_renewed_while_another_takes_it_stays_with_one_of_them,
    an_event_that_comes_two_hundred_times_at_once_counts_once,
    devices_that_reach_for_more_than_there_is_get_what_the_overage_allows,
    fifty_events_that_say_the_same_at_once_issue_once, five_hundred_devices_that_reach_for_five_seats_get_five,
    of_many_that_free_devices_at_once_as_many_do_as_the_plan_allows,
    of_many_that_use_a_license_at_once_exactly_what_is_left_is_counted,
    several_units_that_make_seats_make_one_license_with_all_of_them,
    the_clock_of_a_license_begins_once_however_many_ask,
};
use groups::{
    a_crowd_that_reaches_for_many_licenses_gets_what_their_group_may_hold,
    a_group_is_not_ended_while_a_license_comes_in, a_group_reads_back_with_what_it_holds,
    a_limit_that_is_set_while_somebody_sits_down_holds_for_one_of_them,
    leases_that_are_over_are_given_back_by_whoever_takes_a_seat_of_the_group,
    leases_that_are_over_stay_while_the_group_has_room,
    licenses_that_come_in_at_once_bring_no_more_than_the_group_may_hold,
};
use idempotency::{
    a_call_is_done_once_and_answered_again, a_call_that_was_let_go_can_be_made_again,
    a_call_whose_node_died_is_taken_over_from_where_it_began, an_answer_is_forgotten_after_thirty_days,
    an_answer_is_kept_sealed_and_is_that_of_no_other_call, of_many_that_claim_a_call_at_once_one_gets_it,
};
use installation::{
    a_setting_is_set_once_or_again, a_signing_key_is_kept_sealed_and_can_be_retired,
    a_store_is_not_used_with_another_master_key,
};
use laws::{a_law_is_named_the_same_wherever_it_is_checked, every_law_is_seen_broken};
use lists::{
    a_filter_shows_what_it_names_and_nothing_else, a_list_goes_from_page_to_page_and_back, a_shop_never_sees_another,
    whatever_a_person_has_in_hand_is_found,
};
use memory::{a_seat_is_found_under_its_new_fingerprint_at_once, what_is_remembered_is_what_is_stored};
use pools::{
    a_code_is_kept_for_who_pays_until_the_time_is_over,
    a_code_that_is_wanted_by_more_than_there_are_is_reserved_for_one, a_code_that_was_handed_out_never_comes_back,
    a_paid_unit_gets_a_code_and_the_code_opens_its_license, a_stock_that_is_held_hands_out_nothing_until_it_is_let_go,
    codes_are_withdrawn_while_they_are_free, two_thousand_who_reach_for_a_thousand_codes_get_a_thousand,
    what_was_given_back_while_it_waited_gets_no_code,
    who_finds_the_stock_empty_waits_and_is_served_in_the_order_of_paying,
};
use releases::{
    a_release_reads_back_with_its_files_and_newest_first, a_version_is_published_once_and_its_files_only_grow,
    what_is_out_of_several_products_is_told_in_one_visit_and_in_their_order,
};
use revocation::what_was_taken_back_is_listed_until_nothing_that_was_signed_before_can_count;
use shadow::what_differs_is_counted_on_and_listed_until_it_is_cleared;
use signed_keys::a_signed_key_is_kept_as_it_is_until_the_license_gets_a_new_one;
use world::World;

macro_rules! sentences {
    ($($sentence:ident)*) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $sentence() {
                let (store, _directory) = super::sqlite_store().await;
                super::$sentence(store).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $sentence() {
                super::$sentence(super::postgres_store().await).await;
            })*
        }
    };
}

sentences! {
    a_catalog_reads_back_as_it_was_written
    gateway_credentials_are_sealed_and_read_back
    people_links_sessions_and_keys_read_back
    a_sale_reads_back_whole_after_every_step
    a_timeline_is_in_the_order_of_what_happened
    a_sale_is_found_by_every_name_that_a_gateway_uses
    an_event_of_a_gateway_counts_once
    a_unit_gets_one_license
    a_cause_moves_money_once
    a_row_that_has_moved_on_is_a_conflict_that_names_it
    a_check_holds_only_while_the_row_stands
    a_key_finds_its_license_and_opens_only_to_be_shown
    a_device_is_found_on_its_seat_until_it_gives_it_back
    a_device_takes_one_seat
    a_license_takes_on_what_its_plan_says_now
    a_license_is_handed_on_and_its_first_owner_holds_nothing
    a_device_has_the_name_that_its_owner_gave_it
    of_many_that_free_devices_at_once_as_many_do_as_the_plan_allows
    what_is_remembered_is_what_is_stored
    a_seat_is_found_under_its_new_fingerprint_at_once
    a_job_belongs_to_one_worker_until_its_lease_ends
    a_job_that_was_just_committed_can_be_run_at_once
    a_job_ends_with_the_changes_it_made_or_not_at_all
    workers_side_by_side_claim_each_job_once
    a_stored_notice_is_claimed_until_it_is_settled
    what_is_due_is_told_and_nothing_else
    a_list_goes_from_page_to_page_and_back
    a_filter_shows_what_it_names_and_nothing_else
    whatever_a_person_has_in_hand_is_found
    a_shop_never_sees_another
    a_group_reads_back_with_what_it_holds
    a_crowd_that_reaches_for_many_licenses_gets_what_their_group_may_hold
    licenses_that_come_in_at_once_bring_no_more_than_the_group_may_hold
    a_limit_that_is_set_while_somebody_sits_down_holds_for_one_of_them
    leases_that_are_over_are_given_back_by_whoever_takes_a_seat_of_the_group
    leases_that_are_over_stay_while_the_group_has_room
    a_group_is_not_ended_while_a_license_comes_in
    an_event_that_comes_two_hundred_times_at_once_counts_once
    fifty_events_that_say_the_same_at_once_issue_once
    five_hundred_devices_that_reach_for_five_seats_get_five
    a_crowd_that_reaches_for_leases_that_are_over_gets_those_and_no_more
    a_lease_that_is_renewed_while_another_takes_it_stays_with_one_of_them
    devices_that_reach_for_more_than_there_is_get_what_the_overage_allows
    several_units_that_make_seats_make_one_license_with_all_of_them
    the_clock_of_a_license_begins_once_however_many_ask
    of_many_that_use_a_license_at_once_exactly_what_is_left_is_counted
    a_store_is_not_used_with_another_master_key
    a_setting_is_set_once_or_again
    a_signing_key_is_kept_sealed_and_can_be_retired
    a_call_is_done_once_and_answered_again
    a_call_that_was_let_go_can_be_made_again
    a_call_whose_node_died_is_taken_over_from_where_it_began
    an_answer_is_kept_sealed_and_is_that_of_no_other_call
    an_answer_is_forgotten_after_thirty_days
    of_many_that_claim_a_call_at_once_one_gets_it
    what_was_taken_back_is_listed_until_nothing_that_was_signed_before_can_count
    an_attempt_reads_back_and_is_counted_on
    attempts_are_found_by_what_a_person_has_in_hand
    the_last_refusal_of_each_license_is_told
    what_is_old_is_forgotten_batch_by_batch
    what_differs_is_counted_on_and_listed_until_it_is_cleared
    a_release_reads_back_with_its_files_and_newest_first
    a_version_is_published_once_and_its_files_only_grow
    what_is_out_of_several_products_is_told_in_one_visit_and_in_their_order
    a_paid_unit_gets_a_code_and_the_code_opens_its_license
    who_finds_the_stock_empty_waits_and_is_served_in_the_order_of_paying
    a_code_that_was_handed_out_never_comes_back
    what_was_given_back_while_it_waited_gets_no_code
    a_code_is_kept_for_who_pays_until_the_time_is_over
    a_code_that_is_wanted_by_more_than_there_are_is_reserved_for_one
    a_stock_that_is_held_hands_out_nothing_until_it_is_let_go
    codes_are_withdrawn_while_they_are_free
    two_thousand_who_reach_for_a_thousand_codes_get_a_thousand
    a_signed_key_is_kept_as_it_is_until_the_license_gets_a_new_one
    every_law_is_seen_broken
    a_law_is_named_the_same_wherever_it_is_checked
}

async fn a_catalog_reads_back_as_it_was_written(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let (shop, product, plan) = (world.shop.clone(), world.product.clone(), world.plan.clone());
    assert_eq!(store.shops().await.unwrap(), [Shop { version: 1, ..shop.clone() }]);
    assert_eq!(store.products(shop.id).await.unwrap(), [Product { version: 1, ..product.clone() }]);
    assert_eq!(store.plans(shop.id, product.id).await.unwrap(), [domain::Plan { version: 1, ..plan.clone() }]);

    let shop = Shop {
        version: 1,
        name: "Zum Löwen 🦁".to_owned(),
        host: None,
        terms: String::new(),
        default_locale: Locale::parse("fa-IR").unwrap(),
        ..shop
    };
    let product =
        Product { version: 1, slug: "lumen-2".to_owned(), setup_guides: world::map(&[]), is_active: false, ..product };
    let plan = domain::Plan {
        version: 1,
        prices: vec![],
        highlights: vec![],
        policy: domain::Policy::default(),
        is_active: false,
        ..plan
    };
    let changes = Changes {
        shops: vec![shop.clone()],
        products: vec![product.clone()],
        plans: vec![plan.clone()],
        ..Changes::default()
    };
    store.commit(&changes).await.unwrap();
    assert_eq!(store.shop(shop.id).await.unwrap(), Some(Shop { version: 2, ..shop.clone() }));
    let product = Product { version: 2, ..product };
    assert_eq!(store.product(shop.id, product.id).await.unwrap().as_ref(), Some(&product));
    assert_eq!(store.product_by_slug(shop.id, "lumen-2").await.unwrap(), Some(product));
    let plan = domain::Plan { version: 2, ..plan };
    assert_eq!(store.plan(shop.id, plan.id).await.unwrap().as_ref(), Some(&plan));
    assert_eq!(store.plan_by_slug(shop.id, &plan.slug).await.unwrap(), Some(plan));
    assert_eq!(store.product_by_slug(shop.id, "lumen").await.unwrap(), None);
}

async fn gateway_credentials_are_sealed_and_read_back(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let account = domain::GatewayAccount { version: 1, ..world.account.clone() };
    assert_eq!(store.gateway_account(account.id).await.unwrap().as_ref(), Some(&account));
    assert_eq!(store.gateway_accounts(world.shop.id).await.unwrap(), std::slice::from_ref(&account));
    let sealed = only_bytes(&store, "select credentials_sealed from gateway_accounts").await;
    assert!(!holds(&sealed, b"sk_test_secret"));

    let account = domain::GatewayAccount {
        credentials: r#"{"secret_key":"sk_test_other"}"#.to_owned(),
        is_active: false,
        events_read_to: world.now,
        ..account
    };
    store.commit(&Changes { gateway_accounts: vec![account.clone()], ..Changes::default() }).await.unwrap();
    let changed = domain::GatewayAccount { version: 2, ..account };
    assert_eq!(store.gateway_account(changed.id).await.unwrap(), Some(changed));
    let unknown = GatewayAccountId::mint(world.now, &mut world.rng);
    assert_eq!(store.gateway_account(unknown).await.unwrap(), None);
}

async fn people_links_sessions_and_keys_read_back(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let shop = world.shop.id;
    let user = User {
        id: UserId::mint(world.now, &mut world.rng),
        shop,
        version: 0,
        email: None,
        name: "Mira".to_owned(),
        created_at: world.now,
    };
    let link = LoginLink {
        id: LoginLinkId::mint(world.now, &mut world.rng),
        shop,
        version: 0,
        holder: SessionHolder::User { user: user.id },
        expires_at: world.now.after(Duration::minutes(10)),
        used_at: None,
        failures: 0,
        created_at: world.now,
    };
    let session = Session {
        id: SessionId::mint(world.now, &mut world.rng),
        shop,
        token_hash: vec![0, 1, 255],
        holder: SessionHolder::User { user: user.id },
        expires_at: world.now.after(Duration::days(30)),
        created_at: world.now,
    };
    let key = ApiKey {
        id: ApiKeyId::mint(world.now, &mut world.rng),
        shop,
        token_hash: vec![9; 32],
        name: "shop floor".to_owned(),
        mode: Mode::Sandbox,
        scope: Scope::Checkout,
        created_at: world.now,
        revoked_at: None,
    };
    let changes = Changes {
        users: vec![user.clone()],
        login_links: vec![link.clone()],
        sessions: vec![session.clone()],
        api_keys: vec![key.clone()],
        ..Changes::default()
    };
    store.commit(&changes).await.unwrap();
    assert_eq!(store.users(shop).await.unwrap(), [User { version: 1, ..user.clone() }]);
    assert_eq!(store.login_link(shop, link.id).await.unwrap(), Some(LoginLink { version: 1, ..link.clone() }));
    assert_eq!(store.session(&session.token_hash).await.unwrap(), Some(session.clone()));
    assert_eq!(store.session(b"other").await.unwrap(), None);
    assert_eq!(store.api_key(&key.token_hash).await.unwrap(), Some(key.clone()));

    let user = User { version: 1, email: Some(Email::parse("Mira@Example.com").unwrap()), ..user };
    let link = LoginLink { version: 1, used_at: Some(world.now), failures: 2, ..link };
    let revoked = ApiKey { revoked_at: Some(world.now), ..key };
    let changes = Changes {
        users: vec![user.clone()],
        login_links: vec![link.clone()],
        api_keys: vec![revoked.clone()],
        ..Changes::default()
    };
    store.commit(&changes).await.unwrap();
    let spelt_otherwise = Email::parse("mira@example.COM").unwrap();
    assert_eq!(store.user_by_email(shop, &spelt_otherwise).await.unwrap(), Some(User { version: 2, ..user.clone() }));
    assert_eq!(store.user(shop, user.id).await.unwrap().map(|row| row.version), Some(2));
    assert_eq!(store.login_link(shop, link.id).await.unwrap(), Some(LoginLink { version: 2, ..link.clone() }));
    assert_eq!(store.api_keys(shop).await.unwrap(), std::slice::from_ref(&revoked));
    let twice = store.commit(&Changes { api_keys: vec![revoked], ..Changes::default() }).await;
    assert_eq!(twice, Err(CommitError::Conflict { what: "api_key" }));

    store.forget_expired_logins(world.now.after(Duration::hours(1))).await.unwrap();
    assert_eq!(store.login_link(shop, link.id).await.unwrap(), None);
    assert!(store.session(&session.token_hash).await.unwrap().is_some());
    store.end_session(&session.token_hash).await.unwrap();
    store.end_session(&session.token_hash).await.unwrap();
    assert_eq!(store.session(&session.token_hash).await.unwrap(), None);
}

async fn a_sale_reads_back_whole_after_every_step(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let mut sale = world.open(&store, 3).await;
    world.submit(&store, &mut sale).await;
    world.page_opened(&store, &mut sale, "cs_1").await;
    world.declined(&store, &mut sale).await;
    world.captured(&store, &mut sale, "pi_1").await;
    assert_eq!(sale.licenses.len(), 3);
    world.refund_requested(&store, &mut sale, Some(world::euro(100)), RefundReason::RequestedByCustomer).await;
    world.refunded(&store, &mut sale, "re_1").await;
    world.disputed(&store, &mut sale, domain::DisputeState::Opened).await;
    world.disputed(&store, &mut sale, domain::DisputeState::Won).await;
    world.refund_requested(&store, &mut sale, None, RefundReason::Duplicate).await;
    assert_eq!(store.refund(world.shop.id, sale.refunds[1].id).await.unwrap().as_ref(), Some(&sale.refunds[1]));
    assert_eq!(store.payment(world.shop.id, sale.payments[0].id).await.unwrap().as_ref(), Some(&sale.payments[0]));
    assert_eq!(store.dispute(world.shop.id, sale.disputes[0].id).await.unwrap().as_ref(), Some(&sale.disputes[0]));
    assert_eq!(store.checkout(world.shop.id, sale.checkout.id).await.unwrap().as_ref(), Some(&sale.checkout));
    assert_eq!(store.order_by_number(world.shop.id, &sale.order.number).await.unwrap().as_ref(), Some(&sale.order));
    let customer = store.customer(world.shop.id, sale.order.customer.unwrap()).await.unwrap().unwrap();
    assert_eq!(customer.email, Email::parse("Ada@Example.com").unwrap());
    assert_eq!(
        store.customer_by_email(world.shop.id, &Email::parse("ADA@example.com").unwrap()).await.unwrap(),
        Some(customer)
    );
    let known = sale.refunds[0].clone();
    let corrected = domain::Refund { reason: RefundReason::SurpriseCapture, ..known.clone() };
    store.commit(&Changes { refunds: vec![corrected.clone()], ..Changes::default() }).await.unwrap();
    let written = domain::Refund { version: known.version + 1, ..corrected };
    assert_eq!(store.refund(world.shop.id, known.id).await.unwrap(), Some(written), "a surplus is known late");
}

async fn a_timeline_is_in_the_order_of_what_happened(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let mut sale = world.open(&store, 1).await;
    let events: Vec<Event> = (0..20)
        .map(|step| Event {
            id: EventId::mint(world.now, &mut world.rng),
            shop: world.shop.id,
            kind: EventKind::ALL[step],
            actor: Actor::System,
            order: Some(sale.order.id),
            license: None,
            customer: None,
            data: serde_json::json!({ "step": step }),
            at: world.now,
        })
        .collect();
    store.commit(&Changes { events: events.clone(), ..Changes::default() }).await.unwrap();
    world.submit(&store, &mut sale).await;
    let told = store.order_events(world.shop.id, sale.order.id).await.unwrap();
    assert_eq!(told[0].kind, EventKind::CheckoutOpened);
    assert_eq!(told[1..21], events);
    assert_eq!(told[21].kind, EventKind::CheckoutSubmitted);
    assert_eq!(store.event(world.shop.id, events[7].id).await.unwrap().as_ref(), Some(&events[7]));
}

async fn a_sale_is_found_by_every_name_that_a_gateway_uses(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let mut sale = world.open(&store, 1).await;
    world.submit(&store, &mut sale).await;
    world.page_opened(&store, &mut sale, "cs_1").await;
    world.captured(&store, &mut sale, "pi_1").await;
    let (shop, account) = (world.shop.id, world.account.id);
    let stranger = GatewayAccountId::mint(world.now, &mut world.rng);
    let other_order = domain::OrderId::mint(world.now, &mut world.rng);
    let named = |reference: Option<&str>, page: Option<&str>| PaymentLocator {
        reference: reference.map(str::to_owned),
        page_reference: page.map(str::to_owned),
        ..PaymentLocator::default()
    };
    #[rustfmt::skip]
    let table = [
        ("our order",         account,  PaymentLocator { order: Some(sale.order.id), ..named(None, None) }, true),
        ("our payment",       account,  PaymentLocator { payment: Some(sale.payments[0].id), ..named(None, None) }, true),
        ("the money",         account,  named(Some("pi_1"), None), true),
        ("the page",          account,  named(None, Some("cs_1")), true),
        ("either",            account,  named(Some("pi_other"), Some("cs_1")), true),
        ("another order",     account,  PaymentLocator { order: Some(other_order), ..named(Some("pi_1"), None) }, false),
        ("another's account", stranger, named(Some("pi_1"), Some("cs_1")), false),
        ("unknown",           account,  named(Some("pi_2"), Some("cs_2")), false),
        ("nothing",           account,  named(None, None), false),
    ];
    for (name, account, locator, is_found) in table {
        let (state, found) = store.sale_for_notice(shop, account, &locator, "evt_new").await.unwrap();
        assert_eq!(state, None, "{name}");
        assert_eq!(found, is_found.then(|| sale.clone()), "{name}");
    }
    let notice = world.notice("evt_1", NoticeState::Parked { reason: "why".to_owned(), detail: "what".to_owned() });
    store.commit(&Changes { notices: vec![notice.clone()], ..Changes::default() }).await.unwrap();
    let (state, _) = store.sale_for_notice(shop, account, &PaymentLocator::default(), "evt_1").await.unwrap();
    assert_eq!(state, Some(notice.state));
}

async fn an_event_of_a_gateway_counts_once(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let first = world.notice("evt_1", NoticeState::Applied);
    let again = Notice { id: NoticeId::mint(world.now, &mut world.rng), ..first.clone() };
    store.commit(&Changes { notices: vec![first.clone()], ..Changes::default() }).await.unwrap();
    let customer = world.customer("late@example.com");
    let repeated = Changes { notices: vec![again.clone()], customers: vec![customer.clone()], ..Changes::default() };
    assert_eq!(store.commit(&repeated).await, Err(CommitError::Conflict { what: "notice" }));
    assert_eq!(store.customer(world.shop.id, customer.id).await.unwrap(), None, "nothing else of it was written");
    assert_eq!(store.notice(world.shop.id, again.id).await.unwrap(), None);
    assert_eq!(store.notice(world.shop.id, first.id).await.unwrap(), Some(Notice { version: 1, ..first.clone() }));

    // Gateways number their events each for itself: the same id from another account is another event.
    let mut elsewhere =
        GatewayAccount { id: GatewayAccountId::mint(world.now, &mut world.rng), ..world.account.clone() };
    elsewhere.credentials = r#"{"secret_key":"sk_test_elsewhere"}"#.to_owned();
    let notice = Notice { gateway_account: elsewhere.id, ..again };
    store.commit(&Changes { gateway_accounts: vec![elsewhere.clone()], ..Changes::default() }).await.unwrap();
    let nothing = PaymentLocator::default();
    let (known, _) = store.sale_for_notice(world.shop.id, elsewhere.id, &nothing, "evt_1").await.unwrap();
    assert_eq!(known, None);
    store.commit(&Changes { notices: vec![notice.clone()], ..Changes::default() }).await.unwrap();
    assert_eq!(store.notice(world.shop.id, notice.id).await.unwrap(), Some(Notice { version: 1, ..notice }));
}

async fn a_unit_gets_one_license(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let mut sale = world.open(&store, 1).await;
    world.submit(&store, &mut sale).await;
    world.captured(&store, &mut sale, "pi_1").await;
    // With neither the state machine nor a version in the way, the index alone must hold.
    let second = domain::License {
        id: domain::LicenseId::mint(world.now, &mut world.rng),
        version: 0,
        ..sale.licenses[0].clone()
    };
    let key = KeyCode::from_random_bytes(world.rng.bytes());
    let issued = store.commit(&Changes { issued: vec![(second, key)], ..Changes::default() }).await;
    assert_eq!(issued, Err(CommitError::Conflict { what: "license" }));
    assert_eq!(store.license_keys(world.shop.id, sale.order.id).await.unwrap().len(), 1);
}

async fn a_cause_moves_money_once(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let posting = Posting {
        shop: world.shop.id,
        cause: "capture:pay_1".to_owned(),
        order: domain::OrderId::mint(world.now, &mut world.rng),
        debit: Account::Gateway(world.account.id),
        credit: Account::Sales,
        amount: Money::new(i64::MAX, Currency::JPY),
        at: world.now,
    };
    let changes = Changes { postings: vec![posting.clone()], ..Changes::default() };
    store.commit(&changes).await.unwrap();
    assert_eq!(store.commit(&changes).await, Err(CommitError::Conflict { what: "posting" }));
    assert_eq!(store.postings(world.shop.id, posting.order).await.unwrap(), [posting]);
}

async fn a_row_that_has_moved_on_is_a_conflict_that_names_it(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let mut sale = world.open(&store, 1).await;
    world.submit(&store, &mut sale).await;
    world.page_opened(&store, &mut sale, "cs_1").await;
    world.captured(&store, &mut sale, "pi_1").await;
    world.refund_requested(&store, &mut sale, Some(world::euro(100)), RefundReason::RequestedByCustomer).await;
    world.disputed(&store, &mut sale, domain::DisputeState::Warning).await;
    let seat = world.seat(&store, &sale.licenses[0].clone(), "device").await;
    let license = store.license(world.shop.id, sale.licenses[0].id).await.unwrap().unwrap();
    let customer = store.customer(world.shop.id, sale.order.customer.unwrap()).await.unwrap().unwrap();
    let notice = world.notice("evt_1", NoticeState::Received);
    let delivery = world.delivery(&sale, DeliveryState::Queued);
    let link = world.link();
    let user = world.user();
    let new = Changes {
        notices: vec![notice.clone()],
        deliveries: vec![delivery.clone()],
        login_links: vec![link.clone()],
        users: vec![user.clone()],
        ..Changes::default()
    };
    store.commit(&new).await.unwrap();
    let none = Changes::default;
    let table: [(&str, Changes); 15] = [
        ("shop", Changes { shops: vec![Shop { version: 1, ..world.shop.clone() }], ..none() }),
        ("product", Changes { products: vec![Product { version: 1, ..world.product.clone() }], ..none() }),
        ("plan", Changes { plans: vec![domain::Plan { version: 1, ..world.plan.clone() }], ..none() }),
        (
            "gateway_account",
            Changes {
                gateway_accounts: vec![domain::GatewayAccount { version: 1, ..world.account.clone() }],
                ..none()
            },
        ),
        ("user", Changes { users: vec![User { version: 1, ..user }], ..none() }),
        ("login_link", Changes { login_links: vec![LoginLink { version: 1, ..link }], ..none() }),
        ("customer", Changes { customers: vec![customer], ..none() }),
        ("checkout", Changes { checkouts: vec![sale.checkout.clone()], ..none() }),
        ("order", Changes { orders: vec![sale.order.clone()], ..none() }),
        ("payment", Changes { payments: vec![sale.payments[0].clone()], ..none() }),
        ("refund", Changes { refunds: vec![sale.refunds[0].clone()], ..none() }),
        ("dispute", Changes { disputes: vec![sale.disputes[0].clone()], ..none() }),
        ("license", Changes { licenses: vec![license], ..none() }),
        ("activation", Changes { activations: vec![seat], ..none() }),
        ("delivery", Changes { deliveries: vec![Delivery { version: 1, ..delivery }], ..none() }),
    ];
    for (what, changes) in table {
        store.commit(&changes).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(store.commit(&changes).await, Err(CommitError::Conflict { what }), "the version was written once");
    }
    let settled = Changes { notices: vec![Notice { version: 1, state: NoticeState::Applied, ..notice }], ..none() };
    store.commit(&settled).await.unwrap();
    assert_eq!(store.commit(&settled).await, Err(CommitError::Conflict { what: "notice" }));
}

async fn a_check_holds_only_while_the_row_stands(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let mut sale = world.open(&store, 1).await;
    world.submit(&store, &mut sale).await;
    world.captured(&store, &mut sale, "pi_1").await;
    let license = &sale.licenses[0];
    let of_license = |version| Check::License { shop: license.shop, id: license.id, version };
    let of_order = |version| Check::Order { shop: sale.order.shop, id: sale.order.id, version };
    #[rustfmt::skip]
    let table = [
        (sale.check(),                    Ok(())),
        (of_order(sale.order.version + 1), Err(CommitError::Conflict { what: "order" })),
        (of_order(sale.order.version - 1), Err(CommitError::Conflict { what: "order" })),
        (of_license(license.version),     Ok(())),
        (of_license(license.version + 1), Err(CommitError::Conflict { what: "license" })),
    ];
    for (check, expected) in table {
        assert_eq!(store.commit(&Changes { checks: vec![check], ..Changes::default() }).await, expected, "{check:?}");
    }
    assert_eq!(
        store.sale(world.shop.id, sale.order.id).await.unwrap().as_ref(),
        Some(&sale),
        "a check changes nothing"
    );
}

async fn a_key_finds_its_license_and_opens_only_to_be_shown(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let mut sale = world.open(&store, 2).await;
    world.submit(&store, &mut sale).await;
    world.captured(&store, &mut sale, "pi_1").await;
    let shop = world.shop.id;
    let keys = store.license_keys(shop, sale.order.id).await.unwrap();
    assert_eq!(
        keys.iter().map(|(id, _)| *id).collect::<Vec<_>>(),
        sale.licenses.iter().map(|row| row.id).collect::<Vec<_>>()
    );
    for ((id, key), license) in keys.iter().zip(&sale.licenses) {
        assert_eq!(key.tail(), license.key_tail);
        assert_eq!(store.license_key(shop, *id).await.unwrap().as_ref(), Some(key));
        let view = store.seat(shop, key, None, world.now).await.unwrap().unwrap();
        assert_eq!((&view.license, &view.activation), (license, &None));
        assert_eq!(store.license(shop, *id).await.unwrap().as_ref(), Some(license));
        let sealed = only_bytes_of(&store, "select key_sealed from licenses where id = $1", *id).await;
        assert!(!holds(&sealed, key.to_string().as_bytes()));
    }
    let nobodys = KeyCode::from_random_bytes([7; 16]);
    assert_eq!(store.seat(shop, &nobodys, None, world.now).await.unwrap(), None);
    assert_eq!(store.license_key(shop, domain::LicenseId::mint(world.now, &mut world.rng)).await.unwrap(), None);
}

async fn a_device_is_found_on_its_seat_until_it_gives_it_back(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let mut sale = world.open(&store, 1).await;
    world.submit(&store, &mut sale).await;
    world.captured(&store, &mut sale, "pi_1").await;
    let shop = world.shop.id;
    let (_, key) = store.license_keys(shop, sale.order.id).await.unwrap().remove(0);
    let device = Fingerprint::parse("Gerät-1").unwrap();
    let other = Fingerprint::parse("gerät-1").unwrap();

    let request = ActivationRequest {
        name: Some("Büro".to_owned()),
        metadata: world::map(&[("os", "linux")]),
        ..ActivationRequest::of(device.clone())
    };
    let view = store.seat(shop, &key, Some(&device), world.now).await.unwrap().unwrap();
    assert_eq!(view.activation, None);
    let (changes, seat) = activate(&view.license, None, 0, None, &request, world.now, &mut world.rng).unwrap();
    store.commit(&changes).await.unwrap();

    let view = store.seat(shop, &key, Some(&device), world.now).await.unwrap().unwrap();
    assert_eq!(view.license.seats_used, 1);
    assert_eq!(view.activation, Some(Activation { version: 1, ..seat }));
    assert_eq!(store.seat(shop, &key, Some(&other), world.now).await.unwrap().unwrap().activation, None);

    let later = world.now.after(Duration::minutes(5));
    let (changes, seat) = heartbeat(&view.license, view.activation.as_ref().unwrap(), later).unwrap();
    store.commit(&changes).await.unwrap();
    let view = store.seat(shop, &key, Some(&device), world.now).await.unwrap().unwrap();
    assert_eq!(view.activation, Some(Activation { version: 2, ..seat.clone() }));
    assert_eq!(store.activation(shop, seat.id).await.unwrap(), view.activation);

    let seat = view.activation.unwrap();
    let (changes, released) = deactivate(&view.license, &seat, Actor::App, later, &mut world.rng).unwrap();
    store.commit(&changes).await.unwrap();
    let view = store.seat(shop, &key, Some(&device), world.now).await.unwrap().unwrap();
    assert_eq!((view.license.seats_used, view.activation), (0, None));
    assert_eq!(store.activations(shop, view.license.id).await.unwrap(), [Activation { version: 3, ..released }]);
    assert!(store::report::broken_laws(&store).await.unwrap().is_empty());
}

async fn a_license_takes_on_what_its_plan_says_now(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let mut sale = world.open(&store, 1).await;
    world.submit(&store, &mut sale).await;
    world.captured(&store, &mut sale, "pi_1").await;
    let shop = world.shop.id;
    let seat = world.seat(&store, &sale.licenses[0].clone(), "device").await;
    let license = store.license(shop, seat.license).await.unwrap().unwrap();
    let (_, key) = store.license_keys(shop, sale.order.id).await.unwrap().remove(0);

    let mut plan = world.plan.policy.clone();
    plan.seats = Some(5);
    plan.valid_days = Some(400);
    plan.term.update_days = Some(30);
    plan.term.grace_days = 7;
    plan.seating.lease_seconds = Some(600);
    plan.usage = Some(domain::Metering { limit: Some(10), reset_days: None });
    let adopted = adopt(&license, &plan, "better for everybody", Actor::Api, world.now, &mut world.rng).unwrap();
    store.commit(&adopted.changes).await.unwrap();
    let read = store.license(shop, license.id).await.unwrap().unwrap();
    assert_eq!(read, domain::License { version: license.version + 1, ..adopted.license });
    assert_eq!((read.policy.clone(), read.seats_used), (plan.clone(), 1));
    assert_eq!(store.activation(shop, seat.id).await.unwrap(), Some(seat.clone()), "who sits goes on sitting");
    // What the policy says of leases is also what the row counts by.
    let over = world.now.after(Duration::hours(1));
    assert_eq!(store.seat(shop, &key, None, over).await.unwrap().unwrap().lapsed, 1);

    let late = adopt(&license, &plan, "too late", Actor::Api, world.now, &mut world.rng).unwrap();
    assert_eq!(store.commit(&late.changes).await, Err(CommitError::Conflict { what: "license" }));
    let told = store.order_events(shop, sale.order.id).await.unwrap();
    let changed: Vec<_> = told.iter().filter(|event| event.kind == EventKind::LicenseChanged).collect();
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0].data["reason"], "better for everybody");
    let listed =
        store.licenses_of_plan(shop, world.plan.id, Page { starting_after: None, ending_before: None, limit: 9 });
    assert_eq!(listed.await.unwrap().data, [read]);
    assert!(store::report::broken_laws(&store).await.unwrap().is_empty());
}

async fn a_license_is_handed_on_and_its_first_owner_holds_nothing(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let mut sale = world.open(&store, 1).await;
    world.submit(&store, &mut sale).await;
    world.captured(&store, &mut sale, "pi_1").await;
    let shop = world.shop.id;
    world.seat(&store, &sale.licenses[0].clone(), "device").await;
    let license = store.license(shop, sale.licenses[0].id).await.unwrap().unwrap();
    let (_, old_key) = store.license_keys(shop, sale.order.id).await.unwrap().remove(0);
    let foreign = domain::ForeignKey::parse("38b1460a-5104-4067-a91d-77b872934d51").unwrap();
    let adopted = domain::AdoptedKey {
        shop,
        license: license.id,
        system: domain::ForeignSystem::LemonSqueezy,
        key: foreign.clone(),
        at: world.now,
    };
    store.commit(&Changes { foreign_keys: vec![adopted], ..Changes::default() }).await.unwrap();
    assert_eq!(store.key_behind(shop, &foreign).await.unwrap().as_ref(), Some(&old_key));

    let owner = store.customer(shop, license.customer.unwrap()).await.unwrap().unwrap();
    let (to, locale) = (Email::parse("bob@example.com").unwrap(), Locale::english());
    let request = domain::TransferRequest { to: &to, frees_seats: true, locale: &locale };
    let offered = domain::offer_transfer(&license, &owner, &[], request, world.now, &mut world.rng).unwrap();
    store.commit(&offered).await.unwrap();
    let late = domain::offer_transfer(&license, &owner, &[], request, world.now, &mut world.rng).unwrap();
    assert_eq!(store.commit(&late).await, Err(CommitError::Conflict { what: "license" }), "one offer at a time");
    let offer = store.transfers(shop, license.id).await.unwrap().remove(0);
    assert_eq!(offer, domain::Transfer { version: 1, ..offered.transfers[0].clone() });
    assert_eq!(store.transfer(shop, offer.id).await.unwrap().as_ref(), Some(&offer));

    let license = store.license(shop, license.id).await.unwrap().unwrap();
    let country = world.shop.default_country;
    let sides = domain::TransferSides { owner: &owner, receiver: None, country, locale: &locale };
    let key = KeyCode::from_random_bytes(world.rng.bytes());
    let (accepted, receiver) =
        domain::accept_transfer(&license, &offer, sides, key.clone(), world.now, &mut world.rng).unwrap();
    store.commit(&accepted).await.unwrap();
    let again = domain::accept_transfer(&license, &offer, sides, key.clone(), world.now, &mut world.rng).unwrap().0;
    assert!(matches!(store.commit(&again).await, Err(CommitError::Conflict { .. })), "taken once");

    let moved = store.license(shop, license.id).await.unwrap().unwrap();
    assert_eq!((moved.customer, moved.order, moved.seats_used), (Some(receiver.id), sale.order.id, 0));
    assert_eq!(store.license_key(shop, license.id).await.unwrap(), Some(key));
    assert_eq!(store.retired_key(shop, &old_key).await.unwrap().unwrap().license, license.id);
    assert_eq!(store.key_behind(shop, &foreign).await.unwrap(), None, "the other system's key is retired as well");
    let known = store.license_of_foreign_key(shop, &foreign).await.unwrap();
    assert_eq!(known, Some(license.id), "and known all the same, so that nobody takes it over again");
    assert_eq!(store.licenses_received(shop, receiver.id).await.unwrap(), [moved]);
    assert_eq!(store.licenses_received(shop, owner.id).await.unwrap(), []);
    let keys = async |customer| store.license_keys_of_customer(shop, customer, 10).await.unwrap().len();
    assert_eq!((keys(owner.id).await, keys(receiver.id).await), (0, 1));
    assert_eq!(store.transfer(shop, offer.id).await.unwrap().unwrap().state, domain::TransferState::Accepted);
    assert!(store::report::broken_laws(&store).await.unwrap().is_empty());
}

async fn a_device_has_the_name_that_its_owner_gave_it(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let mut sale = world.open(&store, 1).await;
    world.submit(&store, &mut sale).await;
    world.captured(&store, &mut sale, "pi_1").await;
    let shop = world.shop.id;
    let seat = world.seat(&store, &sale.licenses[0].clone(), "device").await;
    let (_, key) = store.license_keys(shop, sale.order.id).await.unwrap().remove(0);
    let device = Fingerprint::parse("device").unwrap();
    let ask = async || store.remembered_seat(shop, &key, Some(&device), world.now).await.unwrap().unwrap();
    assert_eq!(ask().await.activation.as_ref().unwrap().label, None);
    let license = store.license(shop, seat.license).await.unwrap().unwrap();
    let mut rng = domain::Rng::from_seed([9; 32]);
    let label = Some("Zu Hause".to_owned());
    let renamed = domain::rename(&license, &seat, label.clone(), Actor::Buyer, world.now, &mut rng).unwrap();
    store.commit(&renamed).await.unwrap();
    assert_eq!(ask().await.activation.as_ref().unwrap().label, label, "and who remembered asks again");
    let held = store.activation(shop, seat.id).await.unwrap().unwrap();
    assert_eq!(held, Activation { version: 2, label: label.clone(), ..seat });
    // What a heartbeat writes leaves the name alone.
    let (changes, _) = heartbeat(&license, &held, world.now.after(Duration::minutes(1))).unwrap();
    store.commit(&changes).await.unwrap();
    assert_eq!(store.activation(shop, held.id).await.unwrap().unwrap().label, label);
}

async fn a_device_takes_one_seat(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let mut sale = world.open(&store, 1).await;
    world.submit(&store, &mut sale).await;
    world.captured(&store, &mut sale, "pi_1").await;
    let seat = world.seat(&store, &sale.licenses[0].clone(), "device").await;
    // The index alone, without the version of the license.
    let second = Activation { id: domain::ActivationId::mint(world.now, &mut world.rng), version: 0, ..seat.clone() };
    let taken = store.commit(&Changes { activations: vec![second.clone()], ..Changes::default() }).await;
    assert_eq!(taken, Err(CommitError::Conflict { what: "activation" }));
    let released = Activation { state: ActivationState::Released, ..seat };
    store.commit(&Changes { activations: vec![released], ..Changes::default() }).await.unwrap();
    store.commit(&Changes { activations: vec![second], ..Changes::default() }).await.unwrap();
}

async fn a_job_belongs_to_one_worker_until_its_lease_ends(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let due = world.mail_job(world.now);
    let later = world.mail_job(world.now.after(Duration::hours(1)));
    store.commit(&Changes { jobs: vec![due.clone(), later.clone()], ..Changes::default() }).await.unwrap();

    let lease = world.now.after(Duration::minutes(2));
    let first = store.claim_jobs(Queue::Mails, world.now, lease, 10).await.unwrap();
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].job, Job { run_at: lease, ..due.clone() });
    assert_eq!(store.claim_jobs(Queue::Mails, world.now, lease, 10).await.unwrap(), []);

    // The worker is gone; after the lease another takes over, and the first can settle nothing any more.
    let second = store.claim_jobs(Queue::Mails, lease, lease.after(Duration::minutes(2)), 10).await.unwrap();
    assert_eq!(second[0].job.attempts, 1, "the try that came to nothing was counted");
    assert_eq!(store.finish_job(&first[0]).await, Err(CommitError::Conflict { what: "job" }));
    assert_eq!(store.retry_job(&first[0], world.now, "late").await, Err(CommitError::Conflict { what: "job" }));

    let again = lease.after(Duration::minutes(10));
    store.retry_job(&second[0], again, "mail server says 451").await.unwrap();
    assert_eq!(store.claim_jobs(Queue::Mails, lease, again, 10).await.unwrap(), []);
    let third = store.claim_jobs(Queue::Mails, again, again.after(Duration::minutes(2)), 10).await.unwrap();
    assert_eq!((third[0].job.attempts, third[0].job.last_error.as_deref()), (2, Some("mail server says 451")));
    store.finish_job(&third[0]).await.unwrap();
    assert_eq!(store.finish_job(&third[0]).await, Err(CommitError::Conflict { what: "job" }));

    assert_eq!(store.jobs_overdue(later.run_at).await.unwrap(), 0);
    assert_eq!(store.jobs_overdue(later.run_at.after(Duration::seconds(1))).await.unwrap(), 1);
}

async fn a_job_that_was_just_committed_can_be_run_at_once(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let kind = JobKind::AskPayment { payment: domain::PaymentId::mint(world.now, &mut world.rng) };
    let JobKind::AskPayment { payment } = kind else { unreachable!() };
    let jobs = vec![world.job(kind, world.now), world.job(kind, world.now)];
    store.commit(&Changes { jobs: jobs.clone(), ..Changes::default() }).await.unwrap();
    let (shop, lease) = (world.shop.id, world.now.after(Duration::minutes(2)));
    let other_kind = JobKind::OpenPayment { payment };
    assert_eq!(store.claim_job(shop, other_kind, world.now, lease).await.unwrap(), None);
    let other_shop = ShopId::mint(world.now, &mut world.rng);
    assert_eq!(store.claim_job(other_shop, kind, world.now, lease).await.unwrap(), None);
    let mut claimed = Vec::new();
    while let Some(job) = store.claim_job(shop, kind, world.now, lease).await.unwrap() {
        claimed.push(job.job.id);
    }
    let mut expected: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
    expected.sort();
    assert_eq!(claimed, expected);
}

async fn a_job_ends_with_the_changes_it_made_or_not_at_all(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let job = world.mail_job(world.now);
    store.commit(&Changes { jobs: vec![job], ..Changes::default() }).await.unwrap();
    let lease = world.now.after(Duration::minutes(2));
    let claimed = store.claim_jobs(Queue::Mails, world.now, lease, 10).await.unwrap().remove(0);

    let stale = Changes { shops: vec![Shop { version: 7, ..world.shop.clone() }], ..Changes::default() };
    assert_eq!(store.commit_job(&stale, Some(&claimed)).await, Err(CommitError::Conflict { what: "shop" }));
    let customer = world.customer("once@example.com");
    let changes = Changes { customers: vec![customer.clone()], ..Changes::default() };
    store.commit_job(&changes, Some(&claimed)).await.unwrap();
    assert_eq!(store.customer(world.shop.id, customer.id).await.unwrap().map(|row| row.version), Some(1));
    let other = Changes { customers: vec![world.customer("twice@example.com")], ..Changes::default() };
    assert_eq!(store.commit_job(&other, Some(&claimed)).await, Err(CommitError::Conflict { what: "job" }));
    assert_eq!(store.claim_jobs(Queue::Mails, lease, lease, 10).await.unwrap(), []);
}

async fn workers_side_by_side_claim_each_job_once(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let jobs: Vec<Job> = (0..200).map(|_| world.mail_job(world.now)).collect();
    store.commit(&Changes { jobs: jobs.clone(), ..Changes::default() }).await.unwrap();
    let (now, lease) = (world.now, world.now.after(Duration::minutes(2)));
    let workers = (0..8).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut claimed = Vec::new();
            loop {
                match store.claim_jobs(Queue::Mails, now, lease, 7).await {
                    Ok(jobs) if jobs.is_empty() => return claimed,
                    Ok(jobs) => claimed.extend(jobs.into_iter().map(|job| job.job.id)),
                    Err(CommitError::Conflict { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        })
    });
    let mut claimed: Vec<JobId> =
        futures::future::join_all(workers).await.into_iter().flat_map(Result::unwrap).collect();
    claimed.sort();
    let mut expected: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
    expected.sort();
    assert_eq!(claimed, expected);
}

async fn a_stored_notice_is_claimed_until_it_is_settled(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let notice = world.notice("evt_1", NoticeState::Received);
    let settled = world.notice("evt_2", NoticeState::Ignored { reason: "not_ours".to_owned() });
    store.commit(&Changes { notices: vec![notice.clone(), settled], ..Changes::default() }).await.unwrap();
    let lease = world.now.after(Duration::seconds(30));
    let claimed = store.claim_notices(world.now, lease, 10).await.unwrap();
    assert_eq!(claimed.len(), 1);
    let stored = Notice { version: 1, ..notice };
    assert_eq!(claimed[0].notice, stored);
    assert_eq!(store.claim_notices(world.now, lease, 10).await.unwrap(), []);
    assert_eq!(store.claim_notices(lease, lease.after(Duration::seconds(30)), 10).await.unwrap(), claimed);

    assert_eq!(store.parked_notices(world.shop.id).await.unwrap(), 0);
    let parked = Notice {
        state: NoticeState::Parked { reason: "amount_mismatch".to_owned(), detail: "1 of 2".to_owned() },
        settled_at: Some(lease),
        ..stored
    };
    store.commit(&Changes { notices: vec![parked.clone()], ..Changes::default() }).await.unwrap();
    assert_eq!(store.parked_notices(world.shop.id).await.unwrap(), 1);
    let far = lease.after(Duration::days(1));
    assert_eq!(store.claim_notices(far, far, 10).await.unwrap(), [], "a parked notice waits for a person");
    assert_eq!(store.notice(world.shop.id, parked.id).await.unwrap(), Some(Notice { version: 2, ..parked.clone() }));

    let again = Notice { version: 2, state: NoticeState::Received, settled_at: None, ..parked };
    store.commit(&Changes { notices: vec![again], ..Changes::default() }).await.unwrap();
    assert_eq!(store.claim_notices(far, far, 10).await.unwrap().len(), 1);
}

async fn what_is_due_is_told_and_nothing_else(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let mut paid = world.open(&store, 1).await;
    world.submit(&store, &mut paid).await;
    world.captured(&store, &mut paid, "pi_1").await;
    let opened = world.open(&store, 1).await;
    let mut submitted = world.open(&store, 1).await;
    world.submit(&store, &mut submitted).await;
    let payment = &submitted.payments[0];
    assert_eq!(payment.state, PaymentState::Created);

    assert_eq!(store.payments_due(world.now, 10).await.unwrap(), []);
    let due = (world.shop.id, payment.id, submitted.order.id);
    assert_eq!(store.payments_due(payment.check_at.unwrap(), 10).await.unwrap(), [due]);
    assert_eq!(store.expired_checkouts(world.now, 10).await.unwrap(), []);
    let late = world.now.after(Duration::days(2));
    let mut expired = store.expired_checkouts(late, 10).await.unwrap();
    expired.sort();
    let mut expected = vec![(world.shop.id, opened.order.id), (world.shop.id, submitted.order.id)];
    expected.sort();
    assert_eq!(expired, expected);
    assert_eq!(store.expired_checkouts(late, 1).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_stolen_database_holds_neither_keys_nor_credentials() {
    let (store, directory) = sqlite_store().await;
    let mut world = World::new();
    world.stock(&store).await;
    let mut sale = world.open(&store, 2).await;
    world.submit(&store, &mut sale).await;
    world.captured(&store, &mut sale, "pi_1").await;
    let keys = store.license_keys(world.shop.id, sale.order.id).await.unwrap();
    drop(store);
    let mut stolen = Vec::new();
    for file in std::fs::read_dir(directory.path()).unwrap() {
        stolen.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    assert!(holds(&stolen, b"Ada@example.com"), "the file was read: {} bytes", stolen.len());
    for (_, key) in keys {
        let plain = key.to_string().replace('-', "");
        assert!(!holds(&stolen, key.to_string().as_bytes()) && !holds(&stolen, plain.as_bytes()));
    }
    assert!(!holds(&stolen, b"sk_test_secret"));
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

async fn only_bytes(store: &Store, sql: &'static str) -> Vec<u8> {
    bytes(store, sql, vec![]).await
}

async fn only_bytes_of(store: &Store, sql: &'static str, id: domain::LicenseId) -> Vec<u8> {
    bytes(store, sql, vec![Value::Text(id.to_string())]).await
}

async fn bytes(store: &Store, sql: &'static str, values: Vec<Value>) -> Vec<u8> {
    let statement = Statement { sql, values, expect: Expect::Any, what: "test" };
    store.engine().query(vec![statement]).await.unwrap().remove(0).remove(0).bytes(0).unwrap().to_vec()
}

fn mail_about(order: domain::OrderId) -> MailKind {
    MailKind::OrderPaid { order }
}
