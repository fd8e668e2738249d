//! What is sold without a license key is not spoken of as one, from the till to the portal.

use axum::http::StatusCode;
use domain::{
    Changes, Endpoint, EndpointId, Fulfilment, NewCode, Plan, PlanId, Pool, PoolCode, PoolId, Product, WhenOut,
};

use crate::support::{GOOD_CARD, Page, World};

/// How a page says in each language that there is a license key, and that there could be another.
const OF_KEYS: [(&str, &str, &str); 2] = [("en", "icense key", "new key"), ("de", "izenzschlüssel", "euen Schlüssel")];

const DEBIT: &str = "AT321904300235473204";

/// A plan of each kind, by the name of its kind.
async fn furnish(world: &World) -> Vec<(String, Fulfilment)> {
    let (app, shop, now) = (&world.app, world.shop.id, world.app.clock.now());
    let mut rng = app.entropy.rng();
    let pool = Pool {
        id: PoolId::mint(now, &mut rng),
        shop,
        version: 0,
        slug: "codes".to_owned(),
        name: "Codes".to_owned(),
        when_out: WhenOut::BackOrder,
        low_at: 0,
        alerted_at: None,
        held_at: None,
        created_at: now,
    };
    let endpoint = Endpoint {
        id: EndpointId::mint(now, &mut rng),
        shop,
        version: 0,
        slug: "mine".to_owned(),
        url: "http://127.0.0.1:9/fulfil".to_owned(),
        secrets: 1,
        created_at: now,
    };
    let kinds = [
        Fulfilment::GeneratedKey,
        Fulfilment::SignedKey,
        Fulfilment::Pool { pool: pool.id },
        Fulfilment::Manual { within_hours: 24 },
        Fulfilment::Webhook { endpoint: endpoint.id },
        Fulfilment::Download,
    ];
    let code = |number| NewCode { shop, pool: pool.id, code: PoolCode::sample(number), at: now };
    let pro = app.store.plan_by_slug(shop, "lumen-pro").await.unwrap().unwrap();
    let product = app.store.product(shop, pro.product).await.unwrap().unwrap();
    let plans = kinds.map(|fulfilment| Plan {
        id: PlanId::mint(now, &mut rng),
        version: 0,
        slug: fulfilment.as_str().replace('_', "-"),
        fulfilment,
        ..pro.clone()
    });
    let named = plans.iter().map(|plan| (plan.slug.clone(), plan.fulfilment)).collect();
    let changes = Changes {
        codes: (1..9).map(code).collect(),
        pools: vec![pool],
        endpoints: vec![endpoint],
        // What the seller says of how to start is the seller's.
        products: vec![Product { setup_guides: Default::default(), ..product }],
        plans: plans.into(),
        ..Changes::default()
    };
    app.write(&changes).await.unwrap();
    named
}

#[tokio::test]
async fn a_license_key_is_promised_shown_and_replaced_only_where_there_is_one() {
    let world = World::new().await;
    let mut owner = None;
    for (plan, fulfilment) in furnish(&world).await {
        let has_key = fulfilment.is_key();
        let can_be_new = matches!(fulfilment, Fulfilment::GeneratedKey | Fulfilment::SignedKey);
        for (language, of_key, of_new) in OF_KEYS {
            let says = |page: &Page, stage: &str, is_told: bool, is_new_offered: bool| {
                let case = format!("{plan}, {language}, {stage}");
                assert_eq!(page.has(of_key), is_told, "{case}: {}", page.text);
                assert_eq!(page.has(of_new), is_new_offered, "{case}: {}", page.text);
            };
            let mut browser = world.browser();
            browser.languages = language;
            let till = browser.get(&format!("/buy/{plan}?country=DE")).await.is(StatusCode::OK);
            says(&till, "at the till", has_key, false);
            let pressed = browser.press(&till, &plan, &[]).await.is(StatusCode::SEE_OTHER).location();
            let order = world.own(&world.debit(&pressed, DEBIT).await.location());
            let order = browser.get(&order).await.location();
            world.settle().await;
            let page = browser.get(&order).await.is(StatusCode::OK);
            assert!(page.has("data-stage=\"processing\""), "{}", page.text);
            says(&page, "while the bank collects", has_key, false);

            let till = browser.get(&format!("/buy/{plan}?country=DE")).await.is(StatusCode::OK);
            let pressed = browser.press(&till, &plan, &[]).await.is(StatusCode::SEE_OTHER).location();
            let order = world.own(&world.pay(&pressed, GOOD_CARD).await.location());
            let order = browser.get(&order).await.location();
            world.settle().await;
            let page = browser.get(&order).await.is(StatusCode::OK);
            assert!(page.has("data-stage=\"paid\""), "{}", page.text);
            says(&page, "paid", has_key, can_be_new);
            let license = world.license_of(&order).await;
            if owner.is_none() {
                owner = Some(world.signed_in("ada@example.com").await);
            }
            let owner = owner.as_mut().unwrap();
            owner.languages = language;
            let page = owner.get(&format!("/portal/licenses/{}", license.id)).await.is(StatusCode::OK);
            says(&page, "its own page", has_key, can_be_new);
        }
    }
}
