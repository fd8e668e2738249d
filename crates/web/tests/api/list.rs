//! Lists, page by page.

use domain::{Changes, Fulfilment, Plan, PlanId, Product, ProductId};
use serde_json::Value;

use crate::caller::{Caller, order_of};
use crate::support::World;

/// One more product, without plans.
async fn another_product(world: &World) {
    let product = world.app.store.products(world.shop.id).await.unwrap().remove(0);
    let id = ProductId::mint(world.app.clock.now(), &mut world.app.entropy.rng());
    let product = Product { id, version: 0, slug: format!("{}-{id}", product.slug).replace('_', "-"), ..product };
    world.app.write(&Changes { products: vec![product], ..Changes::default() }).await.unwrap();
}

fn ids(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_list_is_walked_from_the_newest_to_the_oldest_and_back() {
    let world = World::new().await;
    let manager = Caller::manager(&world).await;
    for _ in 0..5 {
        world.app.clock.advance(domain::Duration::seconds(1));
        manager.post("/v1/checkouts", &order_of("lumen-pro")).await.is(201);
    }
    for _ in 0..4 {
        world.app.clock.advance(domain::Duration::seconds(1));
        another_product(&world).await;
    }
    for noun in ["checkouts", "orders", "events", "products"] {
        let all = manager.get(&format!("/v1/{noun}?limit=100")).await.is(200).json();
        let all_ids = ids(&all);
        assert!(all_ids.len() >= 5 && all["has_more"] == false, "{noun}");
        assert!(all_ids.windows(2).all(|pair| pair[0] > pair[1]), "{noun}: newest first");

        let mut walked = Vec::new();
        let mut path = format!("/v1/{noun}?limit=2");
        loop {
            let page = manager.get(&path).await.is(200).json();
            let found = ids(&page);
            path = format!("/v1/{noun}?limit=2&starting_after={}", found.last().unwrap());
            walked.extend(found);
            if page["has_more"] == false {
                break;
            }
        }
        assert_eq!(walked, all_ids, "{noun}");

        let last = all_ids.last().unwrap();
        let before = manager.get(&format!("/v1/{noun}?limit=2&ending_before={last}")).await.is(200).json();
        assert_eq!(ids(&before), all_ids[all_ids.len() - 3..all_ids.len() - 1], "{noun}: the two before the last");
        assert_eq!(before["has_more"], true, "{noun}");
        let none = manager.get(&format!("/v1/{noun}?ending_before={}", all_ids[0])).await.is(200).json();
        assert!(ids(&none).is_empty() && none["has_more"] == false, "{noun}");
    }
}

/// Sells a plan like Lumen Pro that a person fulfils, so many times.
async fn promised(world: &World, units: &str) -> String {
    let pro = world.app.store.plan_by_slug(world.shop.id, "lumen-pro").await.unwrap().unwrap();
    let id = PlanId::mint(world.app.clock.now(), &mut world.app.entropy.rng());
    let fulfilment = Fulfilment::Manual { within_hours: 24 };
    let plan = Plan { id, version: 0, slug: "by-hand".to_owned(), fulfilment, ..pro };
    world.app.write(&Changes { plans: vec![plan], ..Changes::default() }).await.unwrap();
    world.bought("by-hand", units).await.1
}

#[tokio::test]
async fn claims_are_walked_in_both_directions_and_nobody_elses_are_among_them() {
    let world = World::new().await;
    let other = World::new().await;
    let manager = Caller::manager(&world).await;
    promised(&world, "5").await;
    promised(&other, "1").await;
    let licenses = |page: &Value| -> Vec<String> {
        page["data"].as_array().unwrap().iter().map(|row| row["license"].as_str().unwrap().to_owned()).collect()
    };
    for condition in ["", "state=waiting&"] {
        let all = licenses(&manager.get(&format!("/v1/claims?{condition}limit=100")).await.is(200).json());
        assert!(all.len() == 5 && all.windows(2).all(|pair| pair[0] > pair[1]), "newest first: {all:?}");
        let mut walked = Vec::new();
        let mut path = format!("/v1/claims?{condition}limit=2");
        loop {
            let page = manager.get(&path).await.is(200).json();
            let found = licenses(&page);
            path = format!("/v1/claims?{condition}limit=2&starting_after={}", found.last().unwrap());
            walked.extend(found);
            if page["has_more"] == false {
                break;
            }
        }
        assert_eq!(walked, all);
        let before = format!("/v1/claims?{condition}limit=2&ending_before={}", all[4]);
        let before = manager.get(&before).await.is(200).json();
        assert_eq!((licenses(&before), &before["has_more"]), (all[2..4].to_vec(), &Value::Bool(true)));
    }
    let suspended = manager.get("/v1/claims?limit=1").await.is(200).json()["data"][0]["license"].clone();
    let suspended = domain::LicenseId::parse(suspended.as_str().unwrap()).unwrap();
    let act = app::HandAct::Suspend;
    let name = domain::EventId::mint(world.app.clock.now(), &mut world.app.entropy.rng());
    world.app.act_by_hand(world.shop.id, suspended, &act, "odd", domain::Actor::System, name).await.unwrap();
    for (state, count) in [("waiting", 4), ("fulfilled", 0)] {
        let listed = manager.get(&format!("/v1/claims?state={state}")).await.is(200).json();
        assert_eq!(listed["data"].as_array().unwrap().len(), count, "what does not work waits for nothing: {state}");
    }
    let refused = manager.get("/v1/claims?state=rubbish").await.refused(422, "parameter_invalid").json();
    assert_eq!(refused["param"], "state");
}

#[tokio::test]
async fn the_journal_of_one_license_is_walked_in_both_directions() {
    let world = World::new().await;
    let manager = Caller::manager(&world).await;
    world.bought("lumen-pro", "2").await;
    let licenses = ids(&manager.get("/v1/licenses").await.is(200).json());
    for license in &licenses {
        for act in ["suspend", "reinstate"].repeat(3) {
            world.app.clock.advance(domain::Duration::seconds(1));
            let because = serde_json::json!({ "reason": "invoice 17" });
            manager.post(&format!("/v1/licenses/{license}/{act}"), &because).await.is(200);
        }
    }
    let everything = manager.get("/v1/events?limit=100").await.is(200).json();
    for license in &licenses {
        let expected: Vec<Value> = everything["data"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|event| event["license"] == license.as_str())
            .cloned()
            .collect();
        assert!(expected.len() > 6, "{everything}");
        let all = manager.get(&format!("/v1/events?license={license}&limit=100")).await.is(200).json();
        assert_eq!((&all["data"], &all["has_more"]), (&Value::Array(expected), &Value::Bool(false)));
        let all = ids(&all);
        let page = format!("/v1/events?limit=3&license={license}");
        let first = manager.get(&page).await.is(200).json();
        assert_eq!((ids(&first), &first["has_more"]), (all[..3].to_vec(), &Value::Bool(true)));
        let second = manager.get(&format!("{page}&starting_after={}", all[2])).await.is(200).json();
        assert_eq!(ids(&second), all[3..6]);
        let back = manager.get(&format!("{page}&ending_before={}", all[6])).await.is(200).json();
        assert_eq!(ids(&back), all[3..6]);
    }
    let none = manager.get("/v1/events?license=lic_01m85zgtares9t6zwxdxctb26c").await.is(200).json();
    assert!(ids(&none).is_empty());
    let refused = manager.get("/v1/events?license=ord_1").await.refused(422, "parameter_invalid").json();
    assert_eq!(refused["param"], "license");
}

#[tokio::test]
async fn lists_of_licenses_and_customers_show_no_key() {
    let world = World::new().await;
    let manager = Caller::manager(&world).await;
    let (_, order) = world.bought("lumen-pro", "3").await;
    let listed = manager.get("/v1/licenses").await.is(200);
    let licenses = listed.json();
    assert_eq!(licenses["data"].as_array().unwrap().len(), 3);
    for key in world.keys(&order).await {
        assert!(!listed.text.contains(&key));
    }
    assert!(licenses["data"][0].get("key").is_none());
    let id = licenses["data"][0]["id"].as_str().unwrap();
    let shown = manager.get(&format!("/v1/licenses/{id}")).await.is(200).json();
    assert!(world.keys(&order).await.iter().any(|key| shown["key"] == *key));
    let reader = Caller::with(&world, domain::Scope::Read).await;
    let read = reader.get(&format!("/v1/licenses/{id}")).await.is(200).json();
    assert!(read.get("key").is_none(), "a key that may only read sees no license key");
    let order_id = order.rsplit('/').next().unwrap();
    for (caller, shows_keys) in [(&manager, true), (&reader, false)] {
        let whole = caller.get(&format!("/v1/orders/{order_id}")).await.is(200).json();
        assert_eq!(whole["licenses"].as_array().unwrap().len(), 3);
        assert_eq!(whole["licenses"][0].get("key").is_some(), shows_keys);
        assert_eq!(whole["payments"][0]["state"], "succeeded");
        assert_eq!(whole["total"], serde_json::json!({ "amount": 29_700, "currency": "EUR" }));
    }
    let customers = manager.get("/v1/customers").await.is(200).json();
    assert_eq!(customers["data"][0]["email"], "ada@example.com");
}
