//! What apps ask.

use axum::http::Method;
use serde_json::{Value, json};

use crate::caller::{Caller, key_of_nobody};
use crate::support::World;

#[tokio::test]
async fn the_first_rule_that_does_not_hold_gives_the_verdict() {
    let world = World::new().await;
    let manager = Caller::manager(&world).await;
    let app = Caller::stranger(&world.app);
    let (_, order) = world.bought("lumen-pro", "1").await;
    let key = world.keys(&order).await.remove(0);
    app.post("/v1/licenses/activate", &json!({ "key": key, "fingerprint": "desk" })).await.is(201);

    let check = async |question: Value, code: &str| {
        let verdict = app.post("/v1/licenses/validate", &question).await.is(200).json();
        assert_eq!(verdict["code"], code, "{question}: {verdict}");
        assert_eq!(verdict["valid"], code == "valid", "{verdict}");
        assert_eq!(verdict["license"].is_null(), code == "unknown", "{verdict}");
        assert_eq!(
            verdict["certificate"].is_string(),
            code == "valid" && question.get("fingerprint").is_some(),
            "{verdict}"
        );
        assert!(verdict["detail"].as_str().unwrap().ends_with('.'), "{verdict}");
        assert!(verdict["license"].get("key").is_none() && verdict["license"].get("order").is_none(), "{verdict}");
    };
    check(json!({ "key": key_of_nobody() }), "unknown").await;
    check(json!({ "key": "what is this" }), "unknown").await;
    check(json!({ "key": key }), "valid").await;
    check(json!({ "key": key.to_lowercase().replace('-', " ") }), "valid").await;
    check(json!({ "key": key, "fingerprint": "desk", "product": "lumen", "features": ["batch"] }), "valid").await;
    check(json!({ "key": key, "fingerprint": "lap" }), "not_activated").await;
    check(json!({ "key": key, "fingerprint": "lap", "features": ["render"] }), "not_activated").await;
    check(json!({ "key": key, "fingerprint": "desk", "features": ["render"] }), "missing_feature").await;
    check(json!({ "key": key, "fingerprint": "lap", "product": "other" }), "wrong_product").await;

    let order = order.rsplit('/').next().unwrap();
    manager.post(&format!("/v1/orders/{order}/refunds"), &json!({})).await.is(201);
    check(json!({ "key": key, "fingerprint": "desk" }), "revoked").await;
    check(json!({ "key": key, "fingerprint": "desk", "features": ["render"] }), "revoked").await;
    check(json!({ "key": key, "product": "other" }), "wrong_product").await;
    let ask = json!({ "key": key, "fingerprint": "lap" });
    app.post("/v1/licenses/activate", &ask).await.refused(403, "license_revoked");
}

#[tokio::test]
async fn a_device_takes_keeps_and_gives_back_its_seat() {
    let world = World::new().await;
    let app = Caller::stranger(&world.app);
    let (_, order) = world.bought("lumen-personal", "1").await;
    let key = world.keys(&order).await.remove(0);
    let seat = |fingerprint: &str| json!({ "key": key, "fingerprint": fingerprint });

    let first = app.post("/v1/licenses/activate", &seat("desk")).await.is(201).json();
    assert_eq!((&first["license"]["seats"], &first["license"]["seats_used"]), (&json!(2), &json!(1)));
    let again = app.post("/v1/licenses/activate", &seat("desk")).await.is(200).json();
    assert_eq!(again["activation"]["id"], first["activation"]["id"]);
    let named = json!({ "key": key, "fingerprint": "lap", "name": "Ada's laptop", "metadata": { "os": "Linux" } });
    let second = app.post("/v1/licenses/activate", &named).await.is(201).json();
    assert_eq!(
        (&second["activation"]["name"], &second["activation"]["metadata"]["os"]),
        (&json!("Ada's laptop"), &json!("Linux"))
    );
    app.post("/v1/licenses/activate", &seat("phone")).await.refused(409, "seat_limit_reached");

    let alive = app.post("/v1/licenses/heartbeat", &seat("desk")).await.is(200).json();
    assert!(alive["certificate"].is_string());
    let freed = app.post("/v1/licenses/deactivate", &seat("desk")).await.is(200).json();
    assert_eq!((&freed["activation"]["state"], &freed["license"]["seats_used"]), (&json!("released"), &json!(1)));
    assert!(freed["certificate"].is_null());
    app.post("/v1/licenses/deactivate", &seat("desk")).await.refused(409, "not_activated");
    app.post("/v1/licenses/heartbeat", &seat("desk")).await.refused(409, "not_activated");
    app.post("/v1/licenses/activate", &seat("phone")).await.is(201);

    for call in ["activate", "deactivate", "heartbeat"] {
        for of_nobody in [key_of_nobody().as_str(), "nonsense"] {
            let ask = json!({ "key": of_nobody, "fingerprint": "desk" });
            let refused = app.post(&format!("/v1/licenses/{call}"), &ask).await.refused(404, "license_unknown");
            assert_eq!(refused.json()["param"], "key");
        }
    }
}

#[tokio::test]
async fn of_five_hundred_devices_at_once_exactly_as_many_as_there_are_seats_are_activated() {
    let world = World::new().await;
    let app = Caller::stranger(&world.app);
    let (_, order) = world.bought("lumen-pro", "1").await;
    let key = world.keys(&order).await.remove(0);
    let devices = (0..500).map(|number| {
        let (app, ask) = (app.clone(), json!({ "key": key, "fingerprint": format!("device-{number}") }));
        tokio::spawn(async move { app.post("/v1/licenses/activate", &ask).await.status.as_u16() })
    });
    let mut statuses = Vec::new();
    for device in devices.collect::<Vec<_>>() {
        statuses.push(device.await.unwrap());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 5);
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 495, "{statuses:?}");
    let verdict = app.post("/v1/licenses/validate", &json!({ "key": key })).await.is(200).json();
    assert_eq!(verdict["license"]["seats_used"], 5);
}

#[tokio::test]
async fn an_app_that_is_a_page_of_another_site_may_ask_about_licenses_and_nothing_else() {
    let world = World::new().await;
    let app = Caller::stranger(&world.app);
    let origin = ("origin", "https://app.example");
    let asking =
        [origin, ("access-control-request-method", "POST"), ("access-control-request-headers", "content-type")];
    for call in ["validate", "activate", "deactivate", "heartbeat"] {
        let path = format!("/v1/licenses/{call}");
        let allowed = app.send(Method::OPTIONS, &path, &asking, Vec::new()).await.is(204);
        assert_eq!(allowed.header("access-control-allow-origin"), "*", "{call}");
        assert!(allowed.header("access-control-allow-methods").contains("POST"), "{call}");
        assert!(allowed.header("access-control-allow-headers").contains("content-type"), "{call}");
        assert!(allowed.header("access-control-allow-credentials").is_empty(), "{call}");
        // A refusal has to be read as well.
        let refused = app.send(Method::POST, &path, &[origin], b"{".to_vec()).await;
        assert!(refused.status.is_client_error(), "{call}: {}", refused.text);
        assert_eq!(refused.header("access-control-allow-origin"), "*", "{call}");
    }
    let keys = app.send(Method::GET, "/.well-known/jwks.json", &[origin], Vec::new()).await.is(200);
    assert_eq!(keys.header("access-control-allow-origin"), "*");
    for path in ["/v1/orders", "/v1/licenses", "/v1/checkouts", "/", "/portal"] {
        for method in [Method::OPTIONS, Method::GET] {
            let answer = app.send(method, path, &asking, Vec::new()).await;
            assert!(answer.header("access-control-allow-origin").is_empty(), "{path}");
        }
    }
}
