//! Lists, filters and the search box.

use domain::{
    Activation, AdoptedKey, Attempt, AttemptId, AttemptKind, AttemptVerdict, Changes, Delivery, DeliveryState,
    Fingerprint, ForeignKey, ForeignSystem, LicenseState, NoticeState, Order, OrderId, OrderState, RefundReason, Rule,
    Sale,
};
use latchkey_license::KeyCode;
use store::{DeliveryFilter, LicenseFilter, NoticeFilter, OrderFilter, Page, SearchHit, Store, TypedKey};

use crate::world::{World, euro};

fn page<Id>(limit: u32) -> Page<Id> {
    Page { starting_after: None, ending_before: None, limit }
}

fn ids(orders: &[Order]) -> Vec<OrderId> {
    orders.iter().map(|order| order.id).collect()
}

pub(crate) async fn a_list_goes_from_page_to_page_and_back(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let shop = world.shop.id;
    let mut newest_first = Vec::new();
    for _ in 0..7 {
        newest_first.insert(0, world.open(&store, 1).await.order.id);
    }
    let all = OrderFilter::default();
    let first = store.orders(shop, &all, page(3)).await.unwrap();
    assert_eq!((ids(&first.data), first.has_more), (newest_first[..3].to_vec(), true));
    let second = store.orders(shop, &all, Page { starting_after: Some(newest_first[2]), ..page(3) }).await.unwrap();
    assert_eq!((ids(&second.data), second.has_more), (newest_first[3..6].to_vec(), true));
    let third = store.orders(shop, &all, Page { starting_after: Some(newest_first[5]), ..page(3) }).await.unwrap();
    assert_eq!((ids(&third.data), third.has_more), (newest_first[6..].to_vec(), false));
    let back = store.orders(shop, &all, Page { ending_before: Some(newest_first[6]), ..page(3) }).await.unwrap();
    assert_eq!((ids(&back.data), back.has_more), (newest_first[3..6].to_vec(), true));
    let start = store.orders(shop, &all, Page { ending_before: Some(newest_first[3]), ..page(3) }).await.unwrap();
    assert_eq!((ids(&start.data), start.has_more), (newest_first[..3].to_vec(), false));
    assert_eq!(store.orders(shop, &all, page(0)).await.unwrap().data.len(), 1, "a page holds at least one");
    assert_eq!(store.orders(shop, &all, page(u32::MAX)).await.unwrap().data.len(), 7);

    let checkouts = store.checkouts(shop, page(3)).await.unwrap();
    let prepared: Vec<OrderId> = checkouts.data.iter().map(|listed| listed.checkout.order).collect();
    assert_eq!((prepared, checkouts.has_more), (newest_first[..3].to_vec(), true));
    assert_eq!(checkouts.data[0].total, euro(4_900));
    let older = Page { starting_after: Some(checkouts.data[2].checkout.id), ..page(100) };
    assert_eq!(store.checkouts(shop, older).await.unwrap().data.len(), 4);

    for name in ["b", "a", "c"] {
        let customer = world.customer(&format!("{name}@example.com"));
        store.commit(&Changes { customers: vec![customer], ..Changes::default() }).await.unwrap();
    }
    assert_eq!(store.customers(shop, page(2)).await.unwrap().data.len(), 2);
    assert!(store.events(shop, None, page(3)).await.unwrap().has_more);
}

pub(crate) async fn a_filter_shows_what_it_names_and_nothing_else(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let shop = world.shop.id;
    let pending = world.open(&store, 1).await;
    let mut paid = world.open(&store, 2).await;
    world.submit(&store, &mut paid).await;
    world.captured(&store, &mut paid, "pi_1").await;
    let mut refunded = world.open(&store, 1).await;
    world.submit(&store, &mut refunded).await;
    world.captured(&store, &mut refunded, "pi_2").await;
    world.refund_requested(&store, &mut refunded, Some(euro(1)), RefundReason::Duplicate).await;
    world.refunded(&store, &mut refunded, "re_1").await;
    let customer = paid.order.customer;
    assert_eq!(customer, refunded.order.customer);

    let (p, q, r) = (pending.order.id, paid.order.id, refunded.order.id);
    let state = |state| OrderFilter { state: Some(state), ..OrderFilter::default() };
    #[rustfmt::skip]
    let orders = [
        (OrderFilter::default(),                                               vec![r, q, p]),
        (state(OrderState::Pending),                                           vec![p]),
        (state(OrderState::Paid),                                              vec![q]),
        (state(OrderState::PartiallyRefunded),                                 vec![r]),
        (state(OrderState::Lost),                                              vec![]),
        (OrderFilter { customer, state: None },                                vec![r, q]),
        (OrderFilter { customer, state: Some(OrderState::Paid) },              vec![q]),
        (OrderFilter { customer, state: Some(OrderState::Expired) },           vec![]),
    ];
    for (filter, expected) in orders {
        assert_eq!(ids(&store.orders(shop, &filter, page(10)).await.unwrap().data), expected, "{filter:?}");
    }
    licenses_are_filtered(&store, &world, &paid, &refunded).await;
    events_are_filtered(&store, shop, &paid).await;
    deliveries_are_filtered(&store, &mut world, &paid).await;
    notices_are_filtered(&store, &mut world, &paid).await;
}

async fn licenses_are_filtered(store: &Store, world: &World, paid: &Sale, other: &Sale) {
    let suspended = domain::License { state: LicenseState::SuspendedByPerson, ..paid.licenses[0].clone() };
    store.commit(&Changes { licenses: vec![suspended], ..Changes::default() }).await.unwrap();
    let (a, b, c) = (paid.licenses[0].id, paid.licenses[1].id, other.licenses[0].id);
    let tail = |place: usize| Some(paid.licenses[place].key_tail.clone());
    let (order, customer) = (Some(paid.order.id), paid.order.customer);
    let any = LicenseFilter::default;
    #[rustfmt::skip]
    let table = [
        (any(),                                                                      vec![a, b, c]),
        (LicenseFilter { state: Some(LicenseState::Active), ..any() },               vec![b, c]),
        (LicenseFilter { state: Some(LicenseState::SuspendedByPerson), ..any() },    vec![a]),
        (LicenseFilter { order, ..any() },                                           vec![a, b]),
        (LicenseFilter { order, state: Some(LicenseState::Active), ..any() },        vec![b]),
        (LicenseFilter { customer, ..any() },                                        vec![a, b, c]),
        (LicenseFilter { customer, key_tail: tail(1), ..any() },                     vec![b]),
        (LicenseFilter { order: Some(other.order.id), key_tail: tail(1), ..any() },  vec![]),
        (LicenseFilter { key_tail: tail(0), ..any() },                               vec![a]),
        (LicenseFilter { key_tail: tail(0), state: Some(LicenseState::Active), ..any() }, vec![]),
    ];
    for (filter, mut expected) in table {
        let listed = store.licenses(world.shop.id, &filter, page(10)).await.unwrap().data;
        let mut listed: Vec<_> = listed.iter().map(|license| license.id).collect();
        expected.sort();
        listed.sort();
        assert_eq!(listed, expected, "{filter:?}");
    }
}

async fn events_are_filtered(store: &Store, shop: domain::ShopId, paid: &Sale) {
    let all = store.events(shop, None, page(100)).await.unwrap().data;
    for license in paid.licenses.iter().map(|license| license.id) {
        let expected: Vec<_> = all.iter().filter(|event| event.license == Some(license)).cloned().collect();
        assert!(!expected.is_empty() && expected.len() < all.len());
        assert_eq!(store.events(shop, Some(license), page(100)).await.unwrap().data, expected);
        let first = expected.first().map(|event| event.id);
        let rest = Page { starting_after: first, ..page(100) };
        assert_eq!(store.events(shop, Some(license), rest).await.unwrap().data, expected[1..]);
        let none = Page { ending_before: first, ..page(100) };
        assert_eq!(store.events(shop, Some(license), none).await.unwrap().data, []);
    }
    let unknown = domain::LicenseId::mint(domain::Timestamp::from_seconds(0), &mut domain::Rng::from_seed([1; 32]));
    assert_eq!(store.events(shop, Some(unknown), page(100)).await.unwrap().data, []);
}

async fn deliveries_are_filtered(store: &Store, world: &mut World, sale: &Sale) {
    let (order, customer) = (Some(sale.order.id), sale.order.customer);
    let of_order = DeliveryFilter { order, ..DeliveryFilter::default() };
    let before = store.deliveries(world.shop.id, &of_order, page(10)).await.unwrap().data;
    let sent = world.delivery(sale, DeliveryState::Sent);
    let refused = Delivery { order: None, ..world.delivery(sale, DeliveryState::Refused) };
    store.commit(&Changes { deliveries: vec![sent.clone(), refused.clone()], ..Changes::default() }).await.unwrap();
    let (s, r) = (sent.id, refused.id);
    let any = DeliveryFilter::default;
    let with =
        |ids: &[domain::DeliveryId]| ids.iter().copied().chain(before.iter().map(|row| row.id)).collect::<Vec<_>>();
    #[rustfmt::skip]
    let table = [
        (DeliveryFilter { state: Some(DeliveryState::Sent), ..any() },                 vec![s]),
        (DeliveryFilter { state: Some(DeliveryState::Refused), ..any() },              vec![r]),
        (DeliveryFilter { state: Some(DeliveryState::Bounced), ..any() },              vec![]),
        (DeliveryFilter { order, ..any() },                                            with(&[s])),
        (DeliveryFilter { order, customer, state: Some(DeliveryState::Sent) },         vec![s]),
        (DeliveryFilter { customer, state: Some(DeliveryState::Refused), ..any() },    vec![r]),
    ];
    for (filter, expected) in table {
        let listed = store.deliveries(world.shop.id, &filter, page(10)).await.unwrap().data;
        assert_eq!(listed.iter().map(|row| row.id).collect::<Vec<_>>(), expected, "{filter:?}");
    }
    assert_eq!(store.mailbox(world.shop.id, page(10)).await.unwrap().data, [Delivery { version: 1, ..sent.clone() }]);
    assert_eq!(store.delivery(world.shop.id, r).await.unwrap(), Some(Delivery { version: 1, ..refused }));
    for (state, count) in [(DeliveryState::Sent, 1), (DeliveryState::Refused, 1), (DeliveryState::Bounced, 0)] {
        assert_eq!(store.count_deliveries(world.shop.id, state).await.unwrap(), count);
    }
    let changed = Delivery { version: 1, state: DeliveryState::Bounced, attempts: 2, last_error: None, ..sent };
    store.commit(&Changes { deliveries: vec![changed.clone()], ..Changes::default() }).await.unwrap();
    assert_eq!(store.delivery(world.shop.id, s).await.unwrap(), Some(Delivery { version: 2, ..changed }));
}

async fn notices_are_filtered(store: &Store, world: &mut World, sale: &Sale) {
    let parked = NoticeState::Parked { reason: "amount_mismatch".to_owned(), detail: String::new() };
    let states = [NoticeState::Received, NoticeState::Applied, parked];
    let mut notices = Vec::new();
    for (state, event) in states.into_iter().zip(["evt_a", "evt_b", "evt_c"]) {
        notices.push(world.notice(event, state));
    }
    notices[1].order = Some(sale.order.id);
    store.commit(&Changes { notices: notices.clone(), ..Changes::default() }).await.unwrap();
    let state = |state: &str| NoticeFilter { state: Some(state.to_owned()), order: None };
    let order = Some(sale.order.id);
    #[rustfmt::skip]
    let table = [
        (NoticeFilter::default(),                                         vec![0, 1, 2]),
        (state("received"),                                               vec![0]),
        (state("applied"),                                                vec![1]),
        (state("parked"),                                                 vec![2]),
        (state("ignored"),                                                vec![]),
        (state("no such state"),                                          vec![]),
        (NoticeFilter { state: None, order },                             vec![1]),
        (NoticeFilter { state: Some("parked".to_owned()), order },        vec![]),
    ];
    for (filter, expected) in table {
        let mut listed: Vec<_> =
            store.notices(world.shop.id, &filter, page(10)).await.unwrap().data.iter().map(|row| row.id).collect();
        let mut expected: Vec<_> = expected.into_iter().map(|place: usize| notices[place].id).collect();
        listed.sort();
        expected.sort();
        assert_eq!(listed, expected, "{filter:?}");
    }
}

pub(crate) async fn whatever_a_person_has_in_hand_is_found(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let mut sale = world.open(&store, 1).await;
    world.submit(&store, &mut sale).await;
    world.page_opened(&store, &mut sale, "cs_test_1").await;
    world.captured(&store, &mut sale, "pi_Test_1").await;
    world.refund_requested(&store, &mut sale, Some(euro(100)), RefundReason::Duplicate).await;
    world.refunded(&store, &mut sale, "re_gateway_1").await;
    world.disputed(&store, &mut sale, domain::DisputeState::Warning).await;
    let seat = world.seat(&store, &sale.licenses[0].clone(), "Serial 77-X").await;
    let shop = world.shop.id;
    let (_, replaced) = store.license_keys(shop, sale.order.id).await.unwrap().remove(0);
    let stranger = of_nobody(&mut world, &store.typed_key("nobody-knows-this-key-0000"));
    let license = store.license(shop, sale.licenses[0].id).await.unwrap().unwrap();
    let new_key = KeyCode::from_random_bytes([7; 16]);
    let (changes, _) = domain::reissue(&license, new_key, false, "", domain::Actor::Api, world.now, &mut world.rng);
    let adopted = AdoptedKey {
        shop,
        license: license.id,
        system: ForeignSystem::Gumroad,
        key: ForeignKey::parse("FOREIGN-KEY-OF-ELSEWHERE").unwrap(),
        at: world.now,
    };
    let named = Activation { name: Some("Lab 7 Laptop".to_owned()), ..seat };
    let (foreign_keys, devices, attempts) = (vec![adopted], vec![named], vec![stranger.clone()]);
    store.commit(&Changes { foreign_keys, devices, attempts, ..changes }).await.unwrap();
    let seat = store.activations(shop, license.id).await.unwrap().remove(0);
    let (_, key) = store.license_keys(shop, sale.order.id).await.unwrap().remove(0);
    let license = store.license(shop, sale.licenses[0].id).await.unwrap().unwrap();
    let number = sale.order.number.to_string();
    let customer = sale.order.customer.unwrap();
    let table = [
        (sale.order.id.to_string(), "order"),
        (format!("  {} ", sale.order.id.to_string().to_uppercase()), "order"),
        (number.clone(), "order"),
        (format!("#{}", number.to_lowercase().replace('-', "")), "order"),
        (customer.to_string(), "customer"),
        ("ada@example.com".to_owned(), "customer"),
        ("ADA@".to_owned(), "customer"),
        ("ada".to_owned(), "customer"),
        (license.id.to_string(), "license"),
        (key.to_string(), "license"),
        (key.to_string().to_lowercase().replace('-', " "), "license"),
        (key.tail(), "license"),
        (key.tail().to_lowercase(), "license"),
        (seat.id.to_string(), "activation"),
        ("Serial 77-X".to_owned(), "activation"),
        ("Lab 7 Laptop".to_owned(), "activation"),
        ("lab 7 LAP".to_owned(), "activation"),
        (format!("0000-1111-{}", key.tail()), "license"),
        (replaced.to_string(), "license"),
        ("FOREIGN-KEY-OF-ELSEWHERE".to_owned(), "license"),
        ("nobody-knows-this-key-0000".to_owned(), "stranger"),
        ("NOBODY KNOWS THIS KEY oooo".to_owned(), "stranger"),
        ("…oooo".to_owned(), "stranger"),
        ("device of nobody".to_owned(), "asked by"),
        (sale.payments[0].id.to_string(), "payment"),
        ("pi_Test_1".to_owned(), "payment"),
        ("cs_test_1".to_owned(), "payment"),
        (sale.refunds[0].id.to_string(), "refund"),
        ("re_gateway_1".to_owned(), "refund"),
        (sale.disputes[0].id.to_string(), "dispute"),
        ("dp_gateway_1".to_owned(), "dispute"),
    ];
    for (typed, expected) in table {
        let hits = store.search(shop, &typed).await.unwrap();
        let kinds: Vec<&str> = hits.iter().map(kind).collect();
        assert_eq!(kinds, [expected], "{typed:?}");
        for hit in hits {
            match hit {
                SearchHit::Order(order) => assert_eq!(*order, sale.order),
                SearchHit::Customer(found) => assert_eq!(found.id, customer),
                SearchHit::License(found) => assert_eq!(*found, license),
                SearchHit::Activation(found) => assert_eq!(found, seat),
                SearchHit::Stranger(found) | SearchHit::AskedBy(found) => assert_eq!(found.id, stranger.id),
                SearchHit::Payment(found) => assert_eq!(*found, sale.payments[0]),
                SearchHit::Refund(found) => assert_eq!(found, sale.refunds[0]),
                SearchHit::Dispute(found) => assert_eq!(found, sale.disputes[0]),
            }
        }
    }
    for nothing in
        ["", "  ", "x", "nobody@example.com", "4242 4242 4242 4242", "%", "'; drop table orders", "_da@example.com"]
    {
        assert_eq!(store.search(shop, nothing).await.unwrap(), [], "{nothing:?}");
    }
}

/// What an app asked with this key, which opens nothing.
fn of_nobody(world: &mut World, key: &TypedKey) -> Attempt {
    Attempt {
        id: AttemptId::mint(world.now, &mut world.rng),
        shop: world.shop.id,
        license: None,
        kind: AttemptKind::Validate,
        verdict: AttemptVerdict::Unknown,
        rule: Rule::KeyForm,
        key_tail: key.tail.clone(),
        key_hash: key.hash.clone(),
        fingerprint: Some(Fingerprint::parse("device of nobody").unwrap()),
        product: None,
        asked: None,
        app: None,
        count: 1,
        first_at: world.now,
        last_at: world.now,
    }
}

fn kind(hit: &SearchHit) -> &'static str {
    match hit {
        SearchHit::Order(_) => "order",
        SearchHit::Customer(_) => "customer",
        SearchHit::License(_) => "license",
        SearchHit::Activation(_) => "activation",
        SearchHit::Stranger(_) => "stranger",
        SearchHit::AskedBy(_) => "asked by",
        SearchHit::Payment(_) => "payment",
        SearchHit::Refund(_) => "refund",
        SearchHit::Dispute(_) => "dispute",
    }
}

pub(crate) async fn a_shop_never_sees_another(store: Store) {
    let mut world = World::from_seed(1);
    world.stock(&store).await;
    let mut neighbour = World::from_seed(2);
    neighbour.stock(&store).await;
    let mut sale = world.open(&store, 1).await;
    world.submit(&store, &mut sale).await;
    world.page_opened(&store, &mut sale, "cs_1").await;
    world.captured(&store, &mut sale, "pi_1").await;
    let (_, key) = store.license_keys(world.shop.id, sale.order.id).await.unwrap().remove(0);
    let shop = neighbour.shop.id;
    let locator = domain::PaymentLocator { reference: Some("pi_1".to_owned()), ..domain::PaymentLocator::default() };

    assert_eq!(store.sale(shop, sale.order.id).await.unwrap(), None);
    assert_eq!(store.sale_for_notice(shop, world.account.id, &locator, "evt_1").await.unwrap().1, None);
    assert_eq!(store.seat(shop, &key, None, world.now).await.unwrap(), None);
    assert_eq!(store.seat(shop, &key, Some(&Fingerprint::parse("device").unwrap()), world.now).await.unwrap(), None);
    assert_eq!(store.license_key(shop, sale.licenses[0].id).await.unwrap(), None);
    assert_eq!(store.order_by_number(shop, &sale.order.number).await.unwrap(), None);
    assert_eq!(store.orders(shop, &OrderFilter::default(), page(10)).await.unwrap().data, []);
    assert_eq!(store.licenses(shop, &LicenseFilter::default(), page(10)).await.unwrap().data, []);
    assert_eq!(store.events(shop, None, page(10)).await.unwrap().data, []);
    assert_eq!(store.events(shop, Some(sale.licenses[0].id), page(10)).await.unwrap().data, []);
    assert_eq!(store.products(shop).await.unwrap().len(), 1);
    for typed in [key.to_string(), sale.order.id.to_string(), "ada@example.com".to_owned(), "pi_1".to_owned()] {
        assert_eq!(store.search(shop, &typed).await.unwrap(), [], "{typed:?}");
    }
    // The same reference at another shop is another thing.
    let mut other = neighbour.open(&store, 1).await;
    neighbour.submit(&store, &mut other).await;
    neighbour.captured(&store, &mut other, "pi_1").await;
}
