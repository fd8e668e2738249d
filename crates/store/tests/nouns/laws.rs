//! Every law, broken by hand where no commit would: a check that cannot fail proves nothing.

use domain::{Changes, DeliveryState, Duration, Group, NoticeState, RefundReason};
use store::report::broken_laws;
use store::{Claim, Expect, Statement, Store, Value};

use crate::groups::group;
use crate::world::{World, euro};

/// A law, what breaks it, and what mends it again.
#[rustfmt::skip]
const TABLE: &[(&str, &str, &str)] = &[
    ("at_most_one_capture", "update payments set state = 'succeeded', check_at = null where state = 'created'",
                            "update payments set state = 'created', check_at = 1 where reference is null"),
    ("paid_means_captured", "update orders set state = 'paid' where state = 'expired'",
                            "update orders set state = 'expired' where state = 'paid'"),
    ("paid_means_captured", "update orders set state = 'pending' where state = 'partially_refunded'",
                            "update orders set state = 'partially_refunded' where state = 'pending'"),
    ("paid_means_issued", "update orders set units = 4 where units = 3", "update orders set units = 3 where units = 4"),
    ("paid_means_claimed", "update orders set claims = 2 where claims = 3", "update orders set claims = 3 where claims = 2"),
    ("a_claim_has_its_license", "update claims set license_id = 'lic_none' where unit = 2",
                                "update claims set license_id = (select id from licenses where unit = 2) where unit = 2"),
    ("a_claim_sleeps_with_its_license", "update claims set is_dormant = 1 where unit = 2",
                                        "update claims set is_dormant = 0 where unit = 2"),
    ("what_left_the_stock_is_with_a_buyer", "update pool_codes set unit = 9 where unit = 0",
                                            "update pool_codes set unit = 0 where unit = 9"),
    ("what_left_the_stock_is_with_a_buyer",
        "update pool_codes set state = 'free', order_id = null where unit = 0",
        "update pool_codes set state = 'taken', order_id = (select id from orders where units = 3) where unit = 0"),
    ("issued_means_captured", "update licenses set order_id = 'ord_none' where unit = 2",
                              "update licenses set order_id = (select id from orders where units = 3) where unit = 2"),
    ("paid_means_completed", "update checkouts set state = 'submitted' where state = 'completed'",
                             "update checkouts set state = 'completed' where state = 'submitted'"),
    ("captured_what_was_asked", "update orders set total_minor = total_minor + 1", "update orders set total_minor = total_minor - 1"),
    ("captured_what_was_asked", "update orders set currency = 'USD'", "update orders set currency = 'EUR'"),
    ("refunds_within_payment", "update refunds set amount_minor = 20000 where state = 'succeeded'",
                               "update refunds set amount_minor = 100 where state = 'succeeded'"),
    ("order_follows_money", "update orders set state = 'refunded' where state = 'partially_refunded'",
                            "update orders set state = 'partially_refunded' where state = 'refunded'"),
    ("refunded_is_the_sum", "update orders set refunded_minor = 99 where refunded_minor = 100",
                            "update orders set refunded_minor = 100 where refunded_minor = 99"),
    ("open_means_asked", "update payments set check_at = 5 where state = 'succeeded'",
                         "update payments set check_at = null where state = 'succeeded'"),
    ("a_payment_has_a_buyer", "update orders set email = null where units = 3",
                              "update orders set email = 'ada@example.com' where units = 3"),
    ("books_match", "update postings set amount_minor = amount_minor + 1 where cause like 'refund:%'",
                    "update postings set amount_minor = amount_minor - 1 where cause like 'refund:%'"),
    ("books_match", "update postings set credit = 'disputes' where cause like 'capture:%'",
                    "update postings set credit = 'sales' where cause like 'capture:%'"),
    ("a_seat_is_a_seat", "update licenses set seats_used = 1 where seats_used = 2",
                         "update licenses set seats_used = 2 where seats_used = 1"),
    ("a_seat_is_a_seat", "update activations set state = 'released'", "update activations set state = 'active'"),
    ("seats_within_license", "update licenses set seats = 0", "update licenses set seats = 2"),
    ("a_license_has_its_group", "update licenses set group_id = 'grp_none' where unit = 1",
                                "update licenses set group_id = (select id from license_groups where name = 'Studio North') where unit = 1"),
    ("a_license_has_its_group",
        "update licenses set group_id = (select id from license_groups where name = 'Of another shop') where unit = 1",
        "update licenses set group_id = null where unit = 1"),
    ("queued_mail_has_a_job", "update jobs set kind = 'send_nothing' where kind = 'send_mail'",
                              "update jobs set kind = 'send_mail' where kind = 'send_nothing'"),
    ("requested_refund_has_a_job", "update jobs set kind = 'send_nothing' where kind = 'send_refund'",
                                   "update jobs set kind = 'send_refund' where kind = 'send_nothing'"),
    ("issued_is_in_the_journal", "update events set kind = 'license.revoked' where kind = 'license.issued'",
                                 "update events set kind = 'license.issued' where kind = 'license.revoked'"),
    ("books_in_one_currency", "update postings set currency = 'USD'", "update postings set currency = 'EUR'"),
    ("what_is_kept_says_why", "update notices set reason = null where state = 'ignored'",
                              "update notices set reason = 'not_ours' where state = 'ignored'"),
    ("what_is_kept_says_why", "update notices set state = 'parked', reason = '' where state = 'ignored'",
                              "update notices set state = 'ignored', reason = 'not_ours' where state = 'parked'"),
    ("what_is_kept_says_why", "update deliveries set state = 'refused', last_error = null where state = 'sent'",
                              "update deliveries set state = 'sent' where state = 'refused'"),
    ("never_a_card_number", "update customers set name = 'Ada 4242 4242 4242 4242'", "update customers set name = 'Ada'"),
    ("never_a_card_number", "update orders set metadata = '{\"note\":\"5555555555554444\"}'",
                            "update orders set metadata = '{}'"),
    ("never_a_card_number", "update activations set name = '378282246310005'", "update activations set name = null"),
    ("never_a_card_number", "update deliveries set last_error = 'for 4242424242424242' where state = 'sent'",
                            "update deliveries set last_error = null where state = 'sent'"),
];

/// Laws that an index keeps as well: it must be gone before they can be broken. Nothing is mended afterwards.
const BEHIND_AN_INDEX: &[(&str, &[&str])] = &[
    ("one_license_a_unit", &["drop index licenses_unit", "update licenses set unit = 0 where unit = 1"]),
    ("a_notice_counts_once", &["drop index notices_event", "update notices set event_id = 'evt_1'"]),
    ("one_seat_a_device", &["drop index activations_seat", "update activations set fingerprint = 'device'"]),
    (
        "a_code_is_handed_out_once",
        &[
            "drop index claims_content",
            "update claims set content_hash = (select content_hash from claims where unit = 0) where unit = 1",
        ],
    ),
    ("books_balance", &["update postings set credit = debit where cause like 'refund:%'"]),
];

/// A secret that stands in the clear, in each table that holds one.
const IN_THE_CLEAR: &[&str] = &[
    "update licenses set key_sealed = $1",
    "update gateway_accounts set credentials_sealed = $1",
    "update pool_codes set code_sealed = $1",
    "update claims set content_sealed = $1 where state = 'fulfilled'",
    "update signed_keys set text_sealed = $1",
    "update signing_keys set seed_sealed = $1",
];

async fn run(store: &Store, sql: &'static str) {
    run_with(store, sql, vec![]).await;
}

async fn run_with(store: &Store, sql: &'static str, values: Vec<Value>) {
    let statement = Statement { sql, values, expect: Expect::Any, what: "test" };
    store.engine().commit(vec![statement]).await.unwrap_or_else(|error| panic!("{error}\n{sql}"));
}

pub(crate) async fn every_law_is_seen_broken(store: Store) {
    let mut world = World::new();
    let pool = world.sell_from_a_pool(&["A-1", "A-2"]);
    world.stock(&store).await;
    store.commit(&pool).await.unwrap();
    // One sale with everything: three units, a device, a refund that went back and one that is asked for.
    let mut sale = world.open(&store, 3).await;
    world.submit(&store, &mut sale).await;
    world.captured(&store, &mut sale, "pi_1").await;
    world.refund_requested(&store, &mut sale, Some(euro(100)), RefundReason::RequestedByCustomer).await;
    world.refunded(&store, &mut sale, "re_1").await;
    world.refund_requested(&store, &mut sale, Some(euro(200)), RefundReason::RequestedByCustomer).await;
    world.seat(&store, &sale.licenses[0].clone(), "device").await;
    let second = domain::Payment {
        id: domain::PaymentId::mint(world.now, &mut world.rng),
        version: 0,
        state: domain::PaymentState::Created,
        reference: None,
        check_at: Some(world.now),
        ..sale.payments[0].clone()
    };
    let sent = world.delivery(&sale, DeliveryState::Sent);
    let other = NoticeState::Ignored { reason: "not_ours".to_owned() };
    let notices = vec![world.notice("evt_1", NoticeState::Applied), world.notice("evt_2", other)];
    let changes = Changes { payments: vec![second], deliveries: vec![sent], notices, ..Changes::default() };
    store.commit(&changes).await.unwrap();
    let license = store.license(world.shop.id, sale.licenses[0].id).await.unwrap().unwrap();
    world.seat(&store, &license, "second-device").await;
    // A group of the shop, and one of another.
    let own = group(&mut world, None, None);
    let mut elsewhere = World::from_seed(9);
    elsewhere.stock(&store).await;
    let other = Group { name: "Of another shop".to_owned(), ..group(&mut elsewhere, None, None) };
    store.commit(&Changes { groups: vec![own, other], ..Changes::default() }).await.unwrap();
    // One that nobody paid.
    let unpaid = world.open(&store, 1).await;
    let late = unpaid.checkout.expires_at;
    let expired = domain::expire_checkout(&unpaid, late, &mut world.rng);
    store.commit(&expired).await.unwrap();
    assert_eq!(broken_laws(&store).await.unwrap(), []);

    for (law, breaks, mends) in TABLE {
        run(&store, breaks).await;
        let findings = broken_laws(&store).await.unwrap();
        let found = findings.iter().find(|finding| finding.law == *law);
        assert!(found.is_some_and(|found| !found.detail.is_empty()), "{law} is not seen: {breaks}\n{findings:?}");
        run(&store, mends).await;
        assert_eq!(broken_laws(&store).await.unwrap(), [], "{law}: {mends}");
    }
    for (law, breaks) in BEHIND_AN_INDEX {
        for sql in *breaks {
            run(&store, sql).await;
        }
        let findings = broken_laws(&store).await.unwrap();
        assert!(findings.iter().any(|finding| finding.law == *law), "{law} is not seen: {findings:?}");
    }
    let key = store::SigningKey {
        kid: "kid".to_owned(),
        public: vec![1; 32],
        seed: vec![2; 32].into(),
        state: store::SigningKeyState::Active,
        created_at: world.now,
        signs_from: world.now,
    };
    store.add_signing_key(&key).await.unwrap();
    let signed = crate::signed_keys::signed(&sale.licenses[0], "key/a", "kid", None, world.now);
    store.commit(&Changes { signed_keys: vec![signed], ..Changes::default() }).await.unwrap();
    let unsealed = async || {
        let findings = broken_laws(&store).await.unwrap();
        findings.iter().filter(|finding| finding.law == "sealed_at_rest").count()
    };
    let mut seen = unsealed().await;
    assert_eq!(seen, 0);
    for sql in IN_THE_CLEAR {
        run_with(&store, sql, vec![Value::Bytes(b"LK7Q2-9XWMT-4HJPN-8CVRB-5DKFG".to_vec())]).await;
        let now = unsealed().await;
        assert!(now > seen, "{sql}");
        seen = now;
    }
    let call = Claim { shop: world.shop.id, id: vec![1; 32], request_digest: vec![2; 32], holder: vec![3; 16] };
    store.claim(&call, world.now, world.now, world.now.before(Duration::days(30))).await.unwrap();
    store.answer_claim(&call, 200, "{}").await.unwrap();
    assert_eq!(unsealed().await, seen, "an answer is sealed");
    run(&store, "update idempotency_keys set body = '{\"key\":\"LK7Q2-9XWMT-4HJPN-8CVRB-5DKFG\"}'").await;
    assert!(unsealed().await > seen, "an answer in the clear");
}

pub(crate) async fn a_law_is_named_the_same_wherever_it_is_checked(_: Store) {
    // What a reader of a finding looks up: each name stands in the page of laws.
    let page = include_str!("../../../../docs/laws.md");
    for law in store::report::law_names() {
        assert!(page.contains(&format!("`{law}`")), "docs/laws.md does not name {law}");
    }
}
