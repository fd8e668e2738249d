//! Groups of licenses: made, filled, limited and ended by the seller's program, and felt by apps.

use axum::http::Method;
use domain::{Policy, Scope, Seating};
use serde_json::{Value, json};

use crate::caller::Caller;
use crate::support::World;

/// A policy of three seats for each license.
fn policy(seating: Seating) -> Policy {
    Policy { seats: Some(3), certificate_seconds: 86_400, seating, ..Policy::default() }
}

/// Licenses that somebody bought: ids and keys.
async fn bought(world: &World, plan: &str, quantity: &str) -> Vec<(String, String)> {
    let (_, order) = world.bought(plan, quantity).await;
    let order = order.rsplit('/').next().unwrap().to_owned();
    let order = Caller::manager(world).await.get(&format!("/v1/orders/{order}")).await.is(200).json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    order["licenses"].as_array().unwrap().iter().map(|row| (text(&row["id"]), text(&row["key"]))).collect()
}

async fn delete(caller: &Caller, path: &str) -> crate::caller::Answer {
    caller.send(Method::DELETE, path, &[], Vec::new()).await
}

fn seat(key: &str, device: &str) -> Value {
    json!({ "key": key, "fingerprint": device })
}

#[tokio::test]
async fn the_licenses_of_a_company_hold_together_what_their_group_allows() {
    let world = World::new().await;
    world.sells("team", policy(Seating::default())).await;
    let (manager, app) = (Caller::manager(&world).await, Caller::stranger(&world.app));
    let licenses = bought(&world, "team", "2").await;
    let ((first, first_key), (second, second_key)) = (&licenses[0], &licenses[1]);
    let made = manager.post("/v1/groups", &json!({ "name": "Studio North", "max_licenses": 2, "max_seats": 4 })).await;
    let made = made.is(201).json();
    let path = format!("/v1/groups/{}", made["id"].as_str().unwrap());
    assert_eq!((&made["licenses"], &made["seats_used"], &made["max_seats"]), (&json!(0), &json!(0), &json!(4)));
    assert_eq!(manager.get(&path).await.is(200).json(), made);

    app.post("/v1/licenses/activate", &seat(first_key, "early")).await.is(201);
    let put = json!({ "group": made["id"], "reason": "bought for the studio" });
    for license in [first, second] {
        let told = manager.post(&format!("/v1/licenses/{license}/group"), &put).await.is(200).json();
        assert_eq!((&told["group"], &told["id"]), (&made["id"], &json!(license)));
        assert_eq!(told, manager.get(&format!("/v1/licenses/{license}")).await.is(200).json());
    }
    for device in ["a", "b"] {
        app.post("/v1/licenses/activate", &seat(first_key, device)).await.is(201);
    }
    // Its own seats are what is told first.
    app.post("/v1/licenses/activate", &seat(first_key, "c")).await.refused(409, "seat_limit_reached");
    app.post("/v1/licenses/activate", &seat(second_key, "a")).await.is(201);
    let full = app.post("/v1/licenses/activate", &seat(second_key, "b")).await.refused(409, "license_group_full");
    assert!(full.json()["detail"].as_str().unwrap().contains("all 4 seats of the group"), "{}", full.text);
    assert_eq!(manager.get(&path).await.is(200).json()["seats_used"], 4);
    // Whoever sits is not asked.
    app.post("/v1/licenses/activate", &seat(second_key, "a")).await.is(200);
    app.post("/v1/licenses/heartbeat", &seat(second_key, "a")).await.is(200);
    assert_eq!(app.post("/v1/licenses/validate", &seat(second_key, "a")).await.is(200).json()["code"], "valid");

    // Support sees which rule it was.
    world.app.write_attempts(true).await.unwrap();
    let attempts = manager.get(&format!("/v1/licenses/{second}/attempts")).await.is(200).json();
    let told = attempts["data"].as_array().unwrap().iter().find(|row| row["verdict"] == "license_group_full").unwrap();
    assert_eq!(
        (&told["rule"], &told["doc_url"]),
        (&json!("group_max_seats"), &json!("/docs/errors#license_group_full"))
    );
    assert!(told["fix"]["support"].as_str().unwrap().contains("page of the group"), "{told}");

    // A device that goes makes room for one of the other license, and so does a license that is taken back.
    app.post("/v1/licenses/deactivate", &seat(first_key, "early")).await.is(200);
    app.post("/v1/licenses/activate", &seat(second_key, "b")).await.is(201);
    app.post("/v1/licenses/activate", &seat(second_key, "c")).await.refused(409, "license_group_full");
    manager.post(&format!("/v1/licenses/{first}/revoke"), &json!({ "reason": "unpaid" })).await.is(200);
    app.post("/v1/licenses/activate", &seat(second_key, "c")).await.is(201);
    let now = manager.get(&path).await.is(200).json();
    assert_eq!((&now["licenses"], &now["seats_used"]), (&json!(1), &json!(3)));
    assert_eq!(store::report::broken_laws(&world.app.store).await, Ok(vec![]));
}

#[tokio::test]
async fn a_group_is_changed_within_what_it_holds_and_ends_empty() {
    let world = World::new().await;
    world.sells("team", policy(Seating::default())).await;
    let (manager, app) = (Caller::manager(&world).await, Caller::stranger(&world.app));
    let licenses = bought(&world, "team", "3").await;
    let first = manager.post_once("/v1/groups", "studio", &json!({ "name": "Studio North" })).await.is(201).json();
    let again = manager.post_once("/v1/groups", "studio", &json!({ "name": "Studio North" })).await.is(201).json();
    assert_eq!(first, again, "asked twice it is made once");
    let path = format!("/v1/groups/{}", first["id"].as_str().unwrap());
    let put = |group: &Value| json!({ "group": group, "reason": "one company" });
    let of = |license: &str| format!("/v1/licenses/{license}/group");
    for (license, key) in &licenses[..2] {
        for device in ["a", "b"] {
            app.post("/v1/licenses/activate", &seat(key, device)).await.is(201);
        }
        manager.post(&of(license), &put(&first["id"])).await.is(200);
    }
    let change = |limits: Value| {
        let mut body = json!({ "reason": "renegotiated" });
        body.as_object_mut().unwrap().extend(limits.as_object().unwrap().clone());
        body
    };
    manager.post(&path, &change(json!({ "max_seats": 3 }))).await.refused(409, "group_below_used");
    manager.post(&path, &change(json!({ "max_licenses": 1 }))).await.refused(409, "group_below_used");
    let changed = manager.post(&path, &change(json!({ "max_licenses": 2, "max_seats": 5 }))).await.is(200).json();
    assert_eq!((&changed["max_licenses"], &changed["max_seats"]), (&json!(2), &json!(5)));
    manager.post(&of(&licenses[2].0), &put(&first["id"])).await.refused(409, "group_licenses_reached");
    manager.post(&path, &change(json!({ "max_licenses": null }))).await.is(200);
    for device in ["a", "b"] {
        app.post("/v1/licenses/activate", &seat(&licenses[2].1, device)).await.is(201);
    }
    manager.post(&of(&licenses[2].0), &put(&first["id"])).await.refused(409, "license_group_full");
    manager.post(&path, &change(json!({ "name": "Studio South", "max_seats": 6 }))).await.is(200);
    manager.post(&of(&licenses[2].0), &put(&first["id"])).await.is(200);

    // What is in it is found by it, and the journal says why.
    let listed = manager.get(&format!("/v1/licenses?group={}", first["id"].as_str().unwrap())).await.is(200).json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 3);
    let events = manager.get("/v1/events?limit=100").await.is(200).json();
    let reasons = |kind: &str| {
        let of_kind = events["data"].as_array().unwrap().iter().filter(|event| event["type"] == kind);
        of_kind.map(|event| event["data"]["reason"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(reasons("group.changed"), vec![json!("renegotiated"); 3]);
    assert_eq!(reasons("license.changed"), vec![json!("one company"); 3]);

    delete(&manager, &path).await.refused(409, "group_not_empty");
    for (license, _) in &licenses {
        let told = manager.post(&of(license), &put(&Value::Null)).await.is(200).json();
        assert_eq!(told["group"], Value::Null);
        manager.post(&of(license), &put(&Value::Null)).await.is(200);
    }
    assert_eq!(delete(&manager, &path).await.is(200).json(), json!({ "id": first["id"], "deleted": true }));
    delete(&manager, &path).await.refused(404, "not_found");
    manager.get(&path).await.refused(404, "not_found");
    assert_eq!(manager.get("/v1/groups").await.is(200).json()["data"], json!([]));
}

#[tokio::test]
async fn a_group_is_the_shops_own_and_changed_only_by_a_key_that_may() {
    let world = World::new().await;
    let other = World::new().await;
    let manager = Caller::manager(&world).await;
    let stranger = Caller::manager(&other).await;
    let licenses = bought(&world, "lumen-pro", "1").await;
    let made = manager.post("/v1/groups", &json!({ "name": "Studio North" })).await.is(201).json();
    let id = made["id"].as_str().unwrap();
    let path = format!("/v1/groups/{id}");
    let regroup = format!("/v1/licenses/{}/group", licenses[0].0);
    let because = json!({ "reason": "x" });
    for (scope, reads) in [(Scope::Read, 200), (Scope::Checkout, 403)] {
        let caller = Caller::with(&world, scope).await;
        caller.get("/v1/groups").await.is(reads);
        caller.get(&path).await.is(reads);
        caller.post("/v1/groups", &json!({ "name": "Mine" })).await.refused(403, "scope_missing");
        caller.post(&path, &because).await.refused(403, "scope_missing");
        caller.post(&regroup, &json!({ "group": id, "reason": "x" })).await.refused(403, "scope_missing");
        delete(&caller, &path).await.refused(403, "scope_missing");
    }
    stranger.get(&path).await.refused(404, "not_found");
    stranger.post(&path, &because).await.refused(404, "not_found");
    delete(&stranger, &path).await.refused(404, "not_found");
    stranger.post(&regroup, &json!({ "group": null, "reason": "x" })).await.refused(404, "not_found");
    let theirs = stranger.post("/v1/groups", &json!({ "name": "Theirs" })).await.is(201).json();
    #[rustfmt::skip]
    let refused = [
        (json!({ "group": theirs["id"], "reason": "x" }), "group_unknown",     "group"),
        (json!({ "group": "studio", "reason": "x" }),     "parameter_invalid", "group"),
        (json!({ "reason": "x" }),                        "parameter_missing", "group"),
        (json!({ "group": id }),                          "parameter_missing", "reason"),
    ];
    for (body, code, param) in refused {
        let told = manager.post(&regroup, &body).await.refused(422, code).json();
        assert_eq!(told["param"], param, "{body}");
    }
    for body in
        [json!({}), json!({ "name": "" }), json!({ "name": "x", "max_seats": -1 }), json!({ "name": "x", "seats": 1 })]
    {
        manager.post("/v1/groups", &body).await.is(422);
    }
    assert_eq!(manager.get("/v1/groups").await.is(200).json()["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn devices_that_reach_at_once_for_licenses_of_one_group_get_what_it_may_hold() {
    let world = World::new().await;
    let seating = Seating { lease_seconds: Some(600), ..Seating::default() };
    world.sells("team", policy(seating)).await;
    let (manager, app) = (Caller::manager(&world).await, Caller::stranger(&world.app));
    let licenses = bought(&world, "team", "5").await;
    let made = manager.post("/v1/groups", &json!({ "name": "Studio North", "max_seats": 6 })).await.is(201).json();
    for (license, _) in &licenses {
        let put = json!({ "group": made["id"], "reason": "one company" });
        manager.post(&format!("/v1/licenses/{license}/group"), &put).await.is(200);
    }
    for round in 0..2 {
        let calls = (0..60_usize).map(|number| {
            let (app, key) = (app.clone(), licenses[number % 5].1.clone());
            let ask = seat(&key, &format!("device-{round}-{number}"));
            tokio::spawn(async move { app.post("/v1/licenses/activate", &ask).await.status.as_u16() })
        });
        let mut given = 0;
        for call in calls.collect::<Vec<_>>() {
            given += usize::from(call.await.unwrap() == 201);
        }
        let path = format!("/v1/groups/{}", made["id"].as_str().unwrap());
        let used = manager.get(&path).await.is(200).json()["seats_used"].clone();
        assert_eq!((given, used), (6, json!(6)), "round {round}");
        // Every lease is over, and the next round finds all of them.
        world.app.clock.advance(domain::Duration::seconds(600));
        assert_eq!(manager.get(&path).await.is(200).json()["seats_used"], 0);
    }
    assert_eq!(store::report::broken_laws(&world.app.store).await, Ok(vec![]));
}
