//! Stocks of codes: each code is handed out once, whoever reaches for it, and who finds none waits.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::{
    Actor, BuyerDetails, Changes, CheckoutId, CheckoutRequest, Claim, ClaimState, Country, Duration, Email, EventId,
    Fact, ForeignKey, LicenseState, Locale, ManualAct, Mode, NewCode, Occurrence, Offer, PaymentLocator, PaymentReport,
    PaymentStatus, Pool, PoolCode, PoolId, RefundReason, Refusal, Rng, Sale, Supply, act_by_hand, decide,
    fulfil_claims, open_checkout, release_pool, reserve, submit_checkout,
};
use futures::future::join_all;
use store::{CommitError, KnownCode, OpenedClaim, Store, report};

use super::world::World;

fn code(text: &str) -> PoolCode {
    PoolCode::parse(text).unwrap()
}

/// Brings so many codes into stock, `CODE-0` and so on from this number.
async fn stock(store: &Store, world: &World, pool: PoolId, from: usize, count: usize) {
    let numbers: Vec<usize> = (from..from + count).collect();
    for batch in numbers.chunks(500) {
        let codes = batch.iter().map(|number| NewCode {
            shop: world.shop.id,
            pool,
            code: code(&format!("CODE-{number}")),
            at: world.now,
        });
        store.commit(&Changes { codes: codes.collect(), ..Changes::default() }).await.unwrap();
    }
}

/// A shop whose plan sells from a stock of so many codes.
async fn furnish(store: &Store, codes: usize) -> (World, Pool) {
    let mut world = World::new();
    let changes = world.sell_from_a_pool(&[]);
    world.stock(store).await;
    store.commit(&changes).await.unwrap();
    let pool = changes.pools[0].clone();
    stock(store, &world, pool.id, 0, codes).await;
    (world, Pool { version: 1, ..pool })
}

async fn paid(store: &Store, world: &mut World, quantity: u32, reference: &str) -> Sale {
    let mut sale = world.open(store, quantity).await;
    world.submit(store, &mut sale).await;
    world.captured(store, &mut sale, reference).await;
    sale
}

fn contents(claims: &[OpenedClaim]) -> Vec<Option<String>> {
    claims.iter().map(|opened| opened.content.as_ref().map(|code| code.as_str().to_owned())).collect()
}

async fn held(store: &Store, sale: &Sale) -> Vec<Option<String>> {
    contents(&store.claims(sale.order.shop, sale.order.id).await.unwrap())
}

/// What the worker does: hands out codes to who waits.
async fn serve(store: &Store, world: &mut World, pool: &Pool) -> usize {
    let waiting = store.waiting_claims(world.shop.id, pool.id, 100).await.unwrap();
    let supply = supply(store, world, pool, 100).await;
    let served: Vec<_> = waiting.into_iter().take(usize::try_from(supply.free).unwrap()).collect();
    let changes = fulfil_claims(&served, world.now, &mut world.rng);
    store.commit(&changes).await.unwrap();
    served.len()
}

async fn supply(store: &Store, world: &World, pool: &Pool, units: u32) -> Supply {
    store.supply(world.shop.id, pool.id, None, units, world.now).await.unwrap().unwrap()
}

pub(crate) async fn a_paid_unit_gets_a_code_and_the_code_opens_its_license(store: Store) {
    let (mut world, pool) = furnish(&store, 3).await;
    let sale = paid(&store, &mut world, 2, "pi_1").await;
    let claims = store.claims(world.shop.id, sale.order.id).await.unwrap();
    let held = contents(&claims);
    assert!(held.iter().flatten().collect::<BTreeSet<_>>().len() == 2, "{held:?}");
    for (opened, license) in claims.iter().zip(&sale.licenses) {
        let expected = Claim {
            shop: world.shop.id,
            order: sale.order.id,
            line: license.line,
            unit: license.unit,
            license: license.id,
            fulfilment: world.plan.fulfilment,
            state: ClaimState::Fulfilled,
            is_dormant: false,
            created_at: world.now,
            fulfilled_at: Some(world.now),
        };
        assert_eq!(opened.claim, expected);
        let key = ForeignKey::parse(opened.content.as_ref().unwrap().as_str()).unwrap();
        assert_eq!(store.license_of_foreign_key(world.shop.id, &key).await.unwrap(), Some(license.id));
        assert_eq!(store.claim_of_license(world.shop.id, license.id).await.unwrap().as_ref(), Some(opened));
        let behind = store.key_behind(world.shop.id, &key).await.unwrap();
        assert!(behind.is_some() && behind == store.license_key(world.shop.id, license.id).await.unwrap());
        let found = store.search(world.shop.id, key.as_str()).await.unwrap();
        assert!(found.iter().any(|hit| matches!(hit, store::SearchHit::License(found) if found.id == license.id)));
    }
    let owner = sale.order.customer.unwrap();
    for (licenses, expected) in [(10, 2), (1, 1), (0, 0)] {
        let owned = store.claims_of_customer(world.shop.id, owner, licenses).await.unwrap();
        assert_eq!(owned.len(), expected);
        assert!(owned.iter().all(|opened| claims.contains(opened)));
    }
    // A code that is still in stock opens nothing.
    let left: Vec<String> =
        (0..3).map(|number| format!("CODE-{number}")).filter(|code| !held.contains(&Some(code.clone()))).collect();
    let key = ForeignKey::parse(&left[0]).unwrap();
    assert_eq!(store.license_of_foreign_key(world.shop.id, &key).await.unwrap(), None);
    let stock = store.stock(world.shop.id, pool.id, world.now).await.unwrap();
    assert_eq!((stock.free, stock.taken, stock.waiting), (1, 2, 0));
    let known = store.known_codes(world.shop.id, &[code(&left[0]), code("CODE-9")]).await.unwrap();
    assert_eq!(known, [Some(KnownCode { pool: Some(pool.id), is_free: true }), None]);
    // The same code again, into whatever stock: it is known.
    let again = NewCode { shop: world.shop.id, pool: pool.id, code: code(&left[0]), at: world.now };
    let refused = store.commit(&Changes { codes: vec![again], ..Changes::default() }).await;
    assert_eq!(refused, Err(CommitError::Conflict { what: "pool code" }));
}

pub(crate) async fn who_finds_the_stock_empty_waits_and_is_served_in_the_order_of_paying(store: Store) {
    let (mut world, pool) = furnish(&store, 1).await;
    let first = paid(&store, &mut world, 2, "pi_1").await;
    let second = paid(&store, &mut world, 1, "pi_2").await;
    assert_eq!(held(&store, &first).await.iter().flatten().count(), 1, "one of two");
    assert_eq!(held(&store, &second).await, [None]);
    assert_eq!(serve(&store, &mut world, &pool).await, 0);

    // A sale does not go past those who wait, even when it comes first after new stock.
    stock(&store, &world, pool.id, 1, 3).await;
    let third = paid(&store, &mut world, 1, "pi_3").await;
    assert_eq!(held(&store, &third).await, [None], "others have waited for longer");
    assert_eq!(serve(&store, &mut world, &pool).await, 3);
    for sale in [&first, &second, &third] {
        assert!(held(&store, sale).await.iter().all(Option::is_some));
    }
    let kinds: Vec<&str> = store
        .order_events(world.shop.id, first.order.id)
        .await
        .unwrap()
        .iter()
        .map(|event| event.kind.as_str())
        .filter(|kind| kind.starts_with("claim."))
        .collect();
    assert_eq!(kinds, ["claim.fulfilled", "claim.waiting", "claim.fulfilled"], "newest first");
    assert_eq!(report::broken_laws(&store).await, Ok(vec![]));
}

pub(crate) async fn a_code_that_was_handed_out_never_comes_back(store: Store) {
    let (mut world, pool) = furnish(&store, 1).await;
    let mut sale = paid(&store, &mut world, 1, "pi_1").await;
    let waiting = paid(&store, &mut world, 1, "pi_2").await;
    world.refund_requested(&store, &mut sale, None, RefundReason::RequestedByCustomer).await;
    world.refunded(&store, &mut sale, "re_1").await;
    let revoked = domain::License { state: LicenseState::RevokedByPerson, ..sale.licenses[0].clone() };
    store.commit(&Changes { licenses: vec![revoked], ..Changes::default() }).await.unwrap();

    assert_eq!(serve(&store, &mut world, &pool).await, 0);
    assert_eq!(held(&store, &waiting).await, [None]);
    let stock = store.stock(world.shop.id, pool.id, world.now).await.unwrap();
    assert_eq!((stock.free, stock.taken, stock.waiting), (0, 1, 1));
    let gone = store.known_codes(world.shop.id, &[code("CODE-0")]).await.unwrap();
    assert_eq!(gone, [Some(KnownCode { pool: Some(pool.id), is_free: false })]);
}

pub(crate) async fn what_was_given_back_while_it_waited_gets_no_code(store: Store) {
    let (mut world, pool) = furnish(&store, 0).await;
    let given_back = paid(&store, &mut world, 1, "pi_1").await;
    let waiting = paid(&store, &mut world, 1, "pi_2").await;
    let act = async |license: &domain::License, act: ManualAct<'_>, world: &mut World| {
        let name = EventId::mint(world.now, &mut world.rng);
        let changes = act_by_hand(license, act, None, "asked", Actor::System, world.now, name).unwrap();
        store.commit(&changes).await.unwrap();
        let after = changes.licenses[0].clone();
        domain::License { version: after.version + 1, ..after }
    };
    let revoked = act(&given_back.licenses[0], ManualAct::Revoke, &mut world).await;
    let counted = store.stock(world.shop.id, pool.id, world.now).await.unwrap().waiting;
    assert_eq!(counted, 1, "one waits, and may have a code");
    stock(&store, &world, pool.id, 0, 3).await;
    assert_eq!(serve(&store, &mut world, &pool).await, 1);
    assert!(held(&store, &given_back).await == [None] && held(&store, &waiting).await[0].is_some());
    // Whoever comes now is not held up by it, and it is served when its license works again.
    let next = paid(&store, &mut world, 1, "pi_3").await;
    assert!(held(&store, &next).await[0].is_some());
    let is_waited_for =
        async |world: &World| store.pools_in_need(world.now).await.unwrap().iter().any(|need| need.is_waited_for);
    assert!(!is_waited_for(&world).await, "a code is free, and nobody who waits may have it");
    act(&revoked, ManualAct::Reinstate, &mut world).await;
    assert!(is_waited_for(&world).await);
    assert_eq!(serve(&store, &mut world, &pool).await, 1);
    assert!(held(&store, &given_back).await[0].is_some());
}

pub(crate) async fn a_code_is_kept_for_who_pays_until_the_time_is_over(store: Store) {
    let (mut world, pool) = furnish(&store, 1).await;
    let mut first = world.open(&store, 1).await;
    world.submit(&store, &mut first).await;
    let keep = async |sale: &Sale, world: &World| {
        let found = store.supply(world.shop.id, pool.id, Some(&sale.order), 1, world.now).await.unwrap().unwrap();
        let kept = reserve(world.shop.id, sale.order.id, &found, 1, false, world.now)?.unwrap();
        store.commit(&Changes { reservations: vec![kept], ..Changes::default() }).await.unwrap();
        Ok::<u32, Refusal>(kept.more)
    };
    assert_eq!(keep(&first, &world).await, Ok(1));
    assert_eq!(keep(&first, &world).await, Ok(0), "pressed twice");

    // The buyer of the last code is told the truth while it is kept for another.
    let mut second = world.open(&store, 1).await;
    world.submit(&store, &mut second).await;
    assert_eq!(keep(&second, &world).await, Err(Refusal::OnBackOrder));
    world.captured(&store, &mut second, "pi_2").await;
    assert_eq!(held(&store, &second).await, [None], "it is kept for the first");

    // Whoever pays late still gets it when nobody else has it, and the waiting one is served before anybody new.
    world.now = world.now.after(Duration::hours(1));
    assert_eq!(supply(&store, &world, &pool, 1).await.free, 1);
    world.captured(&store, &mut first, "pi_1").await;
    assert!(held(&store, &first).await[0].is_some());
    assert_eq!(serve(&store, &mut world, &pool).await, 0);
    let stock = store.stock(world.shop.id, pool.id, world.now).await.unwrap();
    assert_eq!((stock.free, stock.reserved, stock.taken, stock.waiting), (0, 0, 1, 1));
    assert_eq!(report::broken_laws(&store).await, Ok(vec![]));
}

pub(crate) async fn a_code_that_is_wanted_by_more_than_there_are_is_reserved_for_one(store: Store) {
    let (mut world, pool) = furnish(&store, 5).await;
    let mut sales = Vec::new();
    for _ in 0..12 {
        sales.push(world.open(&store, 1).await);
    }
    let reached = join_all(sales.iter().map(async |sale| {
        loop {
            let found = store.supply(world.shop.id, pool.id, Some(&sale.order), 1, world.now).await.unwrap().unwrap();
            let Ok(kept) = reserve(world.shop.id, sale.order.id, &found, 1, false, world.now) else { return false };
            let changes = Changes { reservations: kept.into_iter().collect(), ..Changes::default() };
            match store.commit(&changes).await {
                Ok(()) => return true,
                Err(error) => assert_eq!(error, CommitError::Conflict { what: "pool code" }),
            }
        }
    }))
    .await;
    assert_eq!(reached.into_iter().filter(|has| *has).count(), 5);
}

pub(crate) async fn a_stock_that_is_held_hands_out_nothing_until_it_is_let_go(store: Store) {
    let (mut world, pool) = furnish(&store, 2).await;
    let mut kept = world.open(&store, 1).await;
    world.submit(&store, &mut kept).await;
    let found = supply(&store, &world, &pool, 1).await;
    let reservation = reserve(world.shop.id, kept.order.id, &found, 1, false, world.now).unwrap();
    store.commit(&Changes { reservations: reservation.into_iter().collect(), ..Changes::default() }).await.unwrap();
    let held_pool = Pool { held_at: Some(world.now), ..pool.clone() };
    store.commit(&Changes { pools: vec![held_pool.clone()], ..Changes::default() }).await.unwrap();
    world.captured(&store, &mut kept, "pi_1").await;
    let sale = paid(&store, &mut world, 1, "pi_2").await;
    assert_eq!((held(&store, &kept).await, held(&store, &sale).await), (vec![None], vec![None]));
    assert_eq!(supply(&store, &world, &pool, 1).await.free, 0);
    let is_waited_for =
        async |world: &World| store.pools_in_need(world.now).await.unwrap().iter().any(|need| need.is_waited_for);
    assert!(!is_waited_for(&world).await, "there is nothing to do but for a person");

    let held_pool = Pool { version: held_pool.version + 1, ..held_pool };
    store.commit(&release_pool(&held_pool, Actor::System, world.now, &mut world.rng)).await.unwrap();
    assert!(is_waited_for(&world).await);
    assert_eq!(serve(&store, &mut world, &pool).await, 1, "one is kept for the first for some time yet");
    world.now = world.now.after(Duration::hours(1));
    assert_eq!(serve(&store, &mut world, &pool).await, 1);
    assert_eq!(report::broken_laws(&store).await, Ok(vec![]));
}

pub(crate) async fn codes_are_withdrawn_while_they_are_free(store: Store) {
    let (mut world, pool) = furnish(&store, 2).await;
    let sale = paid(&store, &mut world, 1, "pi_1").await;
    let gone = held(&store, &sale).await[0].clone().unwrap();
    let codes = [code("CODE-0"), code("CODE-1"), code("CODE-7")];
    let taken = store.withdraw_codes(world.shop.id, pool.id, &codes, &Changes::default()).await.unwrap();
    assert_eq!(taken, 1, "{gone} is with its buyer, and CODE-7 was never here");
    let stock = store.stock(world.shop.id, pool.id, world.now).await.unwrap();
    assert_eq!((stock.free, stock.taken, stock.withdrawn), (0, 1, 1));
    assert!(store.known_codes(world.shop.id, &codes[..2]).await.unwrap().iter().flatten().all(|known| !known.is_free));
}

/// Orders of so many buyers who have pressed pay, one unit each, written many at a time.
async fn at_the_till(store: &Store, world: &mut World, buyers: usize) -> Vec<Sale> {
    let mut sales = Vec::with_capacity(buyers);
    let (mut opened, mut submitted) = (Changes::default(), Changes::default());
    for number in 0..buyers {
        let request = CheckoutRequest {
            id: CheckoutId::mint(world.now, &mut world.rng),
            quantity: 1,
            currency: None,
            coupon: None,
            email: None,
            country: Country::DE,
            locale: Locale::english(),
            success_url: None,
            cancel_url: None,
            metadata: std::collections::BTreeMap::new(),
            answers: std::collections::BTreeMap::new(),
        };
        let rng = &mut world.rng;
        let offer = Offer { shop: &world.shop, product: &world.product, plan: &world.plan, parts: &[] };
        let mut changes = open_checkout(&offer, &request, Actor::Buyer, world.now, rng).unwrap();
        let mut sale = Sale {
            order: domain::Order { version: 1, ..changes.orders[0].clone() },
            checkout: domain::Checkout { version: 1, ..changes.checkouts[0].clone() },
            payments: vec![],
            refunds: vec![],
            disputes: vec![],
            licenses: vec![],
            keys_mailed: false,
        };
        opened.orders.append(&mut changes.orders);
        opened.checkouts.append(&mut changes.checkouts);
        let buyer = BuyerDetails {
            email: Email::parse(&format!("buyer-{number}@example.com")).unwrap(),
            name: None,
            country: Country::DE,
            locale: Locale::english(),
            immediate_supply: true,
            accepts_later: true,
            answers: std::collections::BTreeMap::new(),
        };
        let (mut changes, _) =
            submit_checkout(&sale, &world.shop, None, &buyer, &world.account, world.now, rng).unwrap();
        domain::testing::apply(&mut sale, &mut Vec::new(), &changes).unwrap();
        submitted.orders.append(&mut changes.orders);
        submitted.checkouts.append(&mut changes.checkouts);
        submitted.payments.append(&mut changes.payments);
        submitted.customers.append(&mut changes.customers);
        sales.push(sale);
        if sales.len() % 100 == 0 || sales.len() == buyers {
            store.commit(&std::mem::take(&mut opened)).await.unwrap();
            store.commit(&std::mem::take(&mut submitted)).await.unwrap();
        }
    }
    sales
}

pub(crate) async fn two_thousand_who_reach_for_a_thousand_codes_get_a_thousand(store: Store) {
    const CODES: usize = 1_000;
    const BUYERS: usize = 2_000;
    let (mut world, pool) = furnish(&store, CODES).await;
    let sales = at_the_till(&store, &mut world, BUYERS).await;
    let (account, now, shop) = (world.account.id, world.now, world.shop.id);
    let orders: Vec<_> = sales.iter().map(|sale| sale.order.id).collect();
    let permits = Arc::new(tokio::sync::Semaphore::new(200));
    join_all(sales.into_iter().zip(0_u32..).map(|(sale, number)| {
        let (store, permits) = (store.clone(), Arc::clone(&permits));
        tokio::spawn(async move {
            let _permit = permits.acquire_owned().await.unwrap();
            let mut seed = [7; 32];
            seed[..4].copy_from_slice(&number.to_be_bytes());
            let report = PaymentReport {
                locator: PaymentLocator {
                    payment: Some(sale.payments[0].id),
                    reference: Some(format!("pi_{number}")),
                    ..PaymentLocator::default()
                },
                mode: Mode::Sandbox,
                status: PaymentStatus::Succeeded { captured: sale.order.total },
                method: None,
            };
            let occurrence = Occurrence::Reported { account, fact: Fact::Payment(report) };
            let changes = decide(&sale, &occurrence, Actor::Gateway, now, &mut Rng::from_seed(seed)).unwrap();
            // A deadlock is a conflict: nothing stands, and it is tried again.
            while let Err(error) = store.commit(&changes).await {
                assert!(matches!(error, CommitError::Conflict { .. }), "{error}");
            }
        })
    }))
    .await
    .into_iter()
    .for_each(Result::unwrap);

    // Whoever looked while the last codes were being taken by others may have found none that was free then.
    while serve(&store, &mut world, &pool).await > 0 {}
    let mut codes = BTreeSet::new();
    let mut waiting = 0;
    for order in orders {
        match contents(&store.claims(shop, order).await.unwrap()).as_slice() {
            [Some(code)] => assert!(codes.insert(code.clone()), "{code} was handed out twice"),
            [None] => waiting += 1,
            other => panic!("{} claims", other.len()),
        }
    }
    assert_eq!((codes.len(), waiting), (CODES, BUYERS - CODES));
    let stock = store.stock(shop, pool.id, now).await.unwrap();
    assert_eq!((stock.free, stock.taken, stock.waiting), (0, 1_000, 1_000));
    assert_eq!(report::broken_laws(&store).await, Ok(vec![]));
}
