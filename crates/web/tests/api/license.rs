//! What apps ask.

use axum::http::Method;
use domain::{
    AtExpiry, Duration, FeatureValue, Matching, Metering, Overage, Policy, SeatHolder, Seating, Starts, Term, Units,
};
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

/// Three seats for a year, and then whatever the test is about.
fn yearly(term: Term, seating: Seating) -> Policy {
    Policy {
        seats: Some(3),
        valid_days: Some(365),
        features: vec!["edit".to_owned()],
        certificate_seconds: 86_400,
        term,
        seating,
        ..Policy::default()
    }
}

#[tokio::test]
async fn a_license_begins_with_its_first_use_covers_a_window_and_lives_through_grace() {
    let world = World::new().await;
    let term = Term {
        starts: Starts::FirstValidation,
        update_days: Some(30),
        grace_days: 7,
        at_expiry: AtExpiry::Keep,
        is_trial: true,
        check_in_days: None,
    };
    world.sells("window", yearly(term, Seating::default())).await;
    let (manager, app) = (Caller::manager(&world).await, Caller::stranger(&world.app));
    let (_, order) = world.bought("window", "1").await;
    let key = world.keys(&order).await.remove(0);
    let day = |count: i64| world.app.clock.advance(Duration::days(count));

    day(10);
    let refused =
        app.post("/v1/licenses/validate", &json!({ "key": key, "features": ["render"] })).await.is(200).json();
    assert_eq!((&refused["code"], &refused["license"]["waits_for_start"]), (&json!("missing_feature"), &json!(true)));
    let began = world.app.clock.now();
    let first = app.post("/v1/licenses/validate", &json!({ "key": key })).await.is(200).json();
    assert_eq!(first["license"]["expires_at"], json!(began.after(Duration::days(365))));
    assert_eq!(first["license"]["updates_until"], json!(began.after(Duration::days(30))));
    assert_eq!((&first["license"]["trial"], first["license"].get("waits_for_start")), (&json!(true), None));
    day(1);
    let again = app.post("/v1/licenses/validate", &json!({ "key": key })).await.is(200).json();
    assert_eq!(again["license"]["expires_at"], first["license"]["expires_at"], "once");
    let started = manager.get("/v1/events").await.is(200).json();
    let kinds = started["data"].as_array().unwrap().iter().filter(|event| event["type"] == "license.started");
    assert_eq!(kinds.count(), 1);

    let seat = json!({ "key": key, "fingerprint": "desk" });
    app.post("/v1/licenses/activate", &seat).await.is(201);
    let asks = |released: i64| {
        let released = began.after(Duration::days(released));
        json!({ "key": key, "fingerprint": "desk", "version_released_at": released })
    };
    let verdict = async |released: i64| {
        let told = app.post("/v1/licenses/validate", &asks(released)).await.is(200).json();
        (told["code"].as_str().unwrap().to_owned(), told["warnings"].clone())
    };
    assert_eq!(verdict(29).await.0, "valid");
    assert_eq!(verdict(30).await.0, "update_not_covered");
    let newer = json!({ "key": key, "fingerprint": "lap", "version_released_at": began.after(Duration::days(31)) });
    app.post("/v1/licenses/activate", &newer).await.refused(403, "license_update_not_covered");

    day(365);
    assert_eq!(verdict(29).await, ("valid".to_owned(), json!(["in_grace"])));
    day(7);
    assert_eq!(verdict(29).await, ("valid".to_owned(), json!(["expired"])), "who is in stays in");
    app.post("/v1/licenses/activate", &json!({ "key": key, "fingerprint": "lap" }))
        .await
        .refused(403, "license_expired");
    let kept = app.post("/v1/licenses/activate", &seat).await.is(200).json();
    assert_eq!(kept["warnings"], json!(["expired"]));
}

#[tokio::test]
async fn a_leased_seat_ends_without_a_heartbeat_and_says_when() {
    let world = World::new().await;
    let seating = Seating { lease_seconds: Some(600), holder: SeatHolder::User, ..Seating::default() };
    let policy = Policy { seats: Some(1), ..yearly(Term::default(), seating) };
    world.sells("floating", policy).await;
    let (manager, app) = (Caller::manager(&world).await, Caller::stranger(&world.app));
    let (_, order) = world.bought("floating", "1").await;
    let key = world.keys(&order).await.remove(0);
    let seat = |fingerprint: &str| json!({ "key": key, "fingerprint": fingerprint });
    let second = |count: i64| world.app.clock.advance(Duration::seconds(count));

    let taken = app.post("/v1/licenses/activate", &seat("ada")).await.is(201).json();
    let ends = json!(world.app.clock.now().after(Duration::seconds(600)));
    assert_eq!(taken["activation"]["lease_ends_at"], ends);
    assert_eq!((&taken["license"]["seats_for"], &taken["license"]["lease_seconds"]), (&json!("user"), &json!(600)));
    let claims = taken["certificate"].as_str().unwrap().split('.').nth(1).unwrap();
    let claims: Value =
        serde_json::from_slice(&data_encoding::BASE64URL_NOPAD.decode(claims.as_bytes()).unwrap()).unwrap();
    assert_eq!(claims["exp"], world.app.clock.now().as_seconds() + 600, "no certificate outlives its lease");
    app.post("/v1/licenses/activate", &seat("bob")).await.refused(409, "seat_limit_reached");
    second(400);
    app.post("/v1/licenses/heartbeat", &seat("ada")).await.is(200);
    second(599);
    app.post("/v1/licenses/activate", &seat("bob")).await.refused(409, "seat_limit_reached");
    second(1);
    let over = app.post("/v1/licenses/validate", &seat("ada")).await.is(200).json();
    assert_eq!((&over["code"], &over["license"]["seats_used"]), (&json!("not_activated"), &json!(0)));
    app.post("/v1/licenses/heartbeat", &seat("ada")).await.refused(409, "not_activated");
    let next = app.post("/v1/licenses/activate", &seat("bob")).await.is(201).json();
    assert_eq!(next["license"]["seats_used"], 1);
    app.post("/v1/licenses/activate", &seat("ada")).await.refused(409, "seat_limit_reached");
    let id = next["license"]["id"].as_str().unwrap();
    second(600);
    let shown = manager.get(&format!("/v1/licenses/{id}")).await.is(200).json();
    assert_eq!((&shown["seats_used"], &shown["activations"]), (&json!(0), &json!([])));
    assert_eq!(shown["policy"]["lease_seconds"], 600);
}

#[tokio::test]
async fn seats_of_several_units_are_in_one_license_and_overage_is_told() {
    let world = World::new().await;
    let seating = Seating { overage: Overage::Half, units: Units::Seats, ..Seating::default() };
    let policy = Policy { seats: Some(1), ..yearly(Term::default(), seating) };
    world.sells("team", policy).await;
    let app = Caller::stranger(&world.app);
    let (_, order) = world.bought("team", "2").await;
    let keys = world.keys(&order).await;
    assert_eq!(keys.len(), 1);
    let seat = |number: u32| json!({ "key": keys[0], "fingerprint": format!("device-{number}") });
    for number in 1..=2 {
        let taken = app.post("/v1/licenses/activate", &seat(number)).await.is(201).json();
        assert_eq!(taken.get("warnings"), None);
    }
    let third = app.post("/v1/licenses/activate", &seat(3)).await.is(201).json();
    assert_eq!((&third["warnings"], &third["license"]["seats"]), (&json!(["overage"]), &json!(2)));
    app.post("/v1/licenses/activate", &seat(4)).await.refused(409, "seat_limit_reached");
    let verdict = app.post("/v1/licenses/validate", &seat(1)).await.is(200).json();
    assert_eq!((&verdict["code"], &verdict["warnings"]), (&json!("valid"), &json!(["overage"])));
}

#[tokio::test]
async fn use_is_counted_once_a_call_up_to_the_limit_and_corrected_by_the_seller_alone() {
    let world = World::new().await;
    let usage = Some(Metering { limit: Some(10), reset_days: Some(30) });
    world.sells("metered", Policy { usage, ..yearly(Term::default(), Seating::default()) }).await;
    let (manager, app) = (Caller::manager(&world).await, Caller::stranger(&world.app));
    let (_, order) = world.bought("metered", "1").await;
    let key = world.keys(&order).await.remove(0);
    let (_, order) = world.bought("lumen-pro", "1").await;
    let other = world.keys(&order).await.remove(0);
    app.post("/v1/licenses/usage", &json!({ "key": other })).await.refused(409, "usage_not_counted");
    let used = async |ask: Value| {
        let told = app.post("/v1/licenses/usage", &ask).await.is(200).json();
        (told["usage"]["used"].as_u64().unwrap(), told["usage"]["left"].as_u64().unwrap())
    };
    assert_eq!(used(json!({ "key": key })).await, (1, 9));
    assert_eq!(used(json!({ "key": key, "add": 5 })).await, (6, 4));
    let ask = json!({ "key": key, "add": 3 });
    let first = app.post_once("/v1/licenses/usage", "render-17", &ask).await.is(200);
    let again = app.post_once("/v1/licenses/usage", "render-17", &ask).await.is(200);
    assert_eq!((first.text, again.header("idempotent-replayed")), (again.text.clone(), "true"));
    let refused =
        app.post("/v1/licenses/usage", &json!({ "key": key, "add": 2 })).await.refused(409, "usage_exhausted");
    assert!(refused.json()["detail"].as_str().unwrap().contains("1 of 10"), "{}", refused.text);
    assert_eq!(used(json!({ "key": key })).await, (10, 0));
    let verdict = app.post("/v1/licenses/validate", &json!({ "key": key })).await.is(200).json();
    assert_eq!((&verdict["code"], &verdict["license"]["usage"]["left"]), (&json!("usage_exhausted"), &json!(0)));
    app.post("/v1/licenses/usage", &json!({ "key": key, "add": 1, "fingerprint": "desk" }))
        .await
        .refused(409, "not_activated");
    app.post("/v1/licenses/usage", &json!({ "key": key, "add": 0 })).await.refused(422, "parameter_invalid");
    app.post("/v1/licenses/usage", &json!({ "key": key, "add": -1 })).await.refused(422, "parameter_invalid");
    app.post("/v1/licenses/usage", &json!({ "key": key, "subtract": 1 })).await.refused(422, "parameter_unknown");

    let id = verdict["license"]["id"].as_str().unwrap();
    let path = format!("/v1/licenses/{id}/usage");
    app.post(&path, &json!({ "reset": true })).await.refused(401, "api_key_invalid");
    let told = manager.post(&path, &json!({ "subtract": 4 })).await.is(200).json();
    assert_eq!(told["usage"]["used"], 6);
    manager.post(&path, &json!({ "subtract": 4, "reset": true })).await.refused(422, "parameter_invalid");
    manager.post(&path, &json!({})).await.refused(422, "parameter_invalid");
    let told = manager.post(&path, &json!({ "reset": true })).await.is(200).json();
    assert_eq!(told["usage"]["used"], 0);
    assert_eq!(used(json!({ "key": key, "add": 10 })).await, (10, 0));
    world.app.clock.advance(Duration::days(30));
    assert_eq!(used(json!({ "key": key, "add": 2 })).await, (2, 8), "a new period begins at nothing");
}

#[tokio::test]
async fn of_a_hundred_apps_that_use_at_once_exactly_as_much_is_counted_as_there_is() {
    let world = World::new().await;
    let usage = Some(Metering { limit: Some(30), reset_days: None });
    world.sells("metered", Policy { usage, ..yearly(Term::default(), Seating::default()) }).await;
    let app = Caller::stranger(&world.app);
    let (_, order) = world.bought("metered", "1").await;
    let key = world.keys(&order).await.remove(0);
    let calls = (0..100).map(|_| {
        let (app, ask) = (app.clone(), json!({ "key": key }));
        tokio::spawn(async move { app.post("/v1/licenses/usage", &ask).await.status.as_u16() })
    });
    let mut statuses = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        statuses.push(call.await.unwrap());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 30, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 70, "{statuses:?}");
}

#[tokio::test]
async fn a_device_with_another_disk_keeps_its_seat_and_another_device_takes_none() {
    let world = World::new().await;
    let seating = Seating { matching: Some(Matching::Most), ..Seating::default() };
    let policy = Policy { seats: Some(1), ..yearly(Term::default(), seating) };
    world.sells("fuzzy", policy).await;
    let (manager, app) = (Caller::manager(&world).await, Caller::stranger(&world.app));
    let (_, order) = world.bought("fuzzy", "1").await;
    let key = world.keys(&order).await.remove(0);
    let device = |fingerprint: &str, disk: &str, board: &str| {
        let components = json!({ "disk": disk, "board": board, "cpu": "c1" });
        json!({ "key": key, "fingerprint": fingerprint, "components": components })
    };
    let taken = app.post("/v1/licenses/activate", &device("one", "d1", "b1")).await.is(201).json();
    // Another disk: the app computes another fingerprint, and is known all the same.
    let changed = device("two", "d2", "b1");
    let verdict = app.post("/v1/licenses/validate", &changed).await.is(200).json();
    assert_eq!((&verdict["code"], &verdict["activation"]["id"]), (&json!("valid"), &taken["activation"]["id"]));
    let plain = json!({ "key": key, "fingerprint": "two" });
    assert_eq!(app.post("/v1/licenses/validate", &plain).await.is(200).json()["code"], "not_activated");
    let kept = app.post("/v1/licenses/activate", &changed).await.is(200).json();
    assert_eq!(
        (&kept["activation"]["id"], &kept["activation"]["fingerprint"], &kept["license"]["seats_used"]),
        (&taken["activation"]["id"], &json!("two"), &json!(1))
    );
    assert_eq!(
        app.post("/v1/licenses/validate", &plain).await.is(200).json()["code"],
        "valid",
        "from now on by itself"
    );
    app.post("/v1/licenses/heartbeat", &plain).await.is(200);
    // What it is made of now counts, and not what it was made of.
    let other = device("three", "d1", "b9");
    assert_eq!(app.post("/v1/licenses/validate", &other).await.is(200).json()["code"], "not_activated");
    app.post("/v1/licenses/activate", &other).await.refused(409, "seat_limit_reached");
    let events = manager.get("/v1/events").await.is(200).json();
    let changes = events["data"].as_array().unwrap().iter().filter(|event| event["type"] == "activation.changed");
    assert_eq!(changes.count(), 1);
}

#[tokio::test]
async fn a_feature_that_has_a_value_is_told_asked_for_and_certified() {
    let world = World::new().await;
    let feature_values = [
        ("pages".to_owned(), FeatureValue::Number(500)),
        ("edition".to_owned(), FeatureValue::Text("gold".to_owned())),
        ("beta".to_owned(), FeatureValue::Flag(false)),
    ];
    let policy = Policy { feature_values: feature_values.into(), ..yearly(Term::default(), Seating::default()) };
    world.sells("values", policy).await;
    let app = Caller::stranger(&world.app);
    let (_, order) = world.bought("values", "1").await;
    let key = world.keys(&order).await.remove(0);
    let taken = app.post("/v1/licenses/activate", &json!({ "key": key, "fingerprint": "desk" })).await.is(201).json();
    let told = json!({ "beta": false, "edition": "gold", "pages": 500 });
    assert_eq!(taken["license"]["feature_values"], told);
    let claims = taken["certificate"].as_str().unwrap().split('.').nth(1).unwrap();
    let claims: Value =
        serde_json::from_slice(&data_encoding::BASE64URL_NOPAD.decode(claims.as_bytes()).unwrap()).unwrap();
    assert_eq!(claims["license"]["feature_values"], told);
    for (feature, code) in
        [("pages", "valid"), ("edit", "valid"), ("beta", "missing_feature"), ("x", "missing_feature")]
    {
        let ask = json!({ "key": key, "features": [feature] });
        assert_eq!(app.post("/v1/licenses/validate", &ask).await.is(200).json()["code"], code, "{feature}");
    }
}

#[tokio::test]
async fn one_customer_gets_more_by_hand_and_a_plan_is_taken_on_after_a_look() {
    let world = World::new().await;
    world.sells("frozen", yearly(Term::default(), Seating::default())).await;
    let (manager, app) = (Caller::manager(&world).await, Caller::stranger(&world.app));
    let mut ids = Vec::new();
    for quantity in ["2", "1"] {
        let (_, order) = world.bought("frozen", quantity).await;
        let order = manager.get(&format!("/v1/orders/{}", order.rsplit('/').next().unwrap())).await.is(200).json();
        let of_order = order["licenses"].as_array().unwrap().iter();
        ids.extend(of_order.map(|license| (license["id"].as_str().unwrap().to_owned(), license["key"].clone())));
    }
    let (by_hand, crowded) = (&ids[0], &ids[1]);

    // One customer gets more, with a reason; the plan says nothing of it.
    let path = format!("/v1/licenses/{}/policy", by_hand.0);
    let ask = json!({ "seats": 9, "reason": "paid by invoice 17" });
    app.post(&path, &ask).await.refused(401, "api_key_invalid");
    manager.post(&path, &json!({ "seats": 9 })).await.refused(422, "parameter_missing");
    let told = manager.post(&path, &ask).await.is(200).json();
    assert_eq!(told["changes"], json!([{ "what": "seats", "before": "3", "after": "9" }]));
    assert_eq!(told["license"]["seats"], 9);
    let endless = manager.post(&path, &json!({ "expires_at": null, "reason": "for ever" })).await.is(200).json();
    assert_eq!((&endless["changes"][0]["what"], &endless["changes"][0]["after"]), (&json!("expires_at"), &json!("–")));
    assert_eq!(manager.post(&path, &json!({ "reason": "nothing" })).await.is(200).json()["changes"], json!([]));

    for number in 1..=2 {
        let ask = json!({ "key": crowded.1, "fingerprint": format!("device-{number}") });
        app.post("/v1/licenses/activate", &ask).await.is(201);
    }
    let plan = world.app.store.plan_by_slug(world.shop.id, "frozen").await.unwrap().unwrap();
    let policy =
        Policy { seats: Some(1), features: vec!["edit".to_owned(), "batch".to_owned()], ..plan.policy.clone() };
    let changed = domain::Plan { policy, ..plan.clone() };
    world.app.write(&domain::Changes { plans: vec![changed], ..domain::Changes::default() }).await.unwrap();
    let shown = manager.get(&format!("/v1/licenses/{}", ids[2].0)).await.is(200).json();
    assert_eq!((&shown["seats"], &shown["features"]), (&json!(3), &json!(["edit"])), "a policy is frozen");

    let path = format!("/v1/plans/{}/policy-changes", plan.id);
    let preview = manager.get(&path).await.is(200).json();
    let of = |list: &Value, id: &str| {
        list["data"].as_array().unwrap().iter().find(|row| row["license"] == id).cloned().unwrap_or_default()
    };
    let features = json!({ "what": "features", "before": "edit", "after": "edit, batch" });
    assert_eq!(of(&preview, &by_hand.0)["changes"], json!([features]), "what was done by hand stays");
    let fewer = json!({ "what": "seats", "before": "3", "after": "1" });
    assert_eq!(of(&preview, &ids[2].0)["changes"], json!([fewer, features]));
    assert_eq!(of(&preview, &crowded.0)["refused"], "seats_below_used");
    let shown = manager.get(&format!("/v1/licenses/{}", ids[2].0)).await.is(200).json();
    assert_eq!(shown["seats"], 3, "a look changes nothing");

    // In batches, each with a line in the journal.
    let first = manager.post(&path, &json!({ "reason": "terms of 2027", "limit": 2 })).await.is(200).json();
    assert_eq!((first["data"].as_array().unwrap().len(), &first["has_more"]), (2, &json!(true)));
    let go_on = json!({ "reason": "terms of 2027", "starting_after": first["next"] });
    let second = manager.post(&path, &go_on).await.is(200).json();
    assert_eq!((second["data"].as_array().unwrap().len(), &second["next"]), (1, &Value::Null));
    for (id, seats, features) in [
        (&by_hand.0, 9, json!(["edit", "batch"])),
        (&crowded.0, 3, json!(["edit"])),
        (&ids[2].0, 1, json!(["edit", "batch"])),
    ] {
        let shown = manager.get(&format!("/v1/licenses/{id}")).await.is(200).json();
        assert_eq!((&shown["seats"], &shown["features"]), (&json!(seats), &features), "{id}");
    }
    let events = manager.get("/v1/events?limit=100").await.is(200).json();
    let reasons = events["data"].as_array().unwrap().iter().filter(|event| event["data"]["reason"] == "terms of 2027");
    assert_eq!(reasons.count(), 2, "one line for each license that changed");
    let again = manager.post(&path, &json!({ "reason": "again" })).await.is(200).json();
    assert!(again["data"].as_array().unwrap().iter().all(|row| row["changes"] == json!([])), "{again}");
}

#[tokio::test]
async fn a_new_key_leaves_the_license_and_the_old_one_says_where_it_went() {
    let world = World::new().await;
    let (manager, app) = (Caller::manager(&world).await, Caller::stranger(&world.app));
    let (_, order) = world.bought("lumen-pro", "1").await;
    let old = world.keys(&order).await.remove(0);
    let taken = app.post("/v1/licenses/activate", &json!({ "key": old, "fingerprint": "desk" })).await.is(201).json();
    let id = taken["license"]["id"].as_str().unwrap();
    let path = format!("/v1/licenses/{id}/key");
    app.post(&path, &json!({ "reason": "leaked" })).await.refused(401, "api_key_invalid");
    manager.post(&path, &json!({})).await.refused(422, "parameter_missing");
    let first = manager.post_once(&path, "leak-1", &json!({ "reason": "leaked" })).await.is(200).json();
    let again = manager.post_once(&path, "leak-1", &json!({ "reason": "leaked" })).await.is(200).json();
    assert_eq!(first, again, "asked twice it is replaced once");
    let new = first["key"].as_str().unwrap().to_owned();
    assert_eq!((&world.keys(&order).await, &first["id"]), (&vec![new.clone()], &json!(id)));

    let verdict = app.post("/v1/licenses/validate", &json!({ "key": old })).await.is(200).json();
    assert_eq!((&verdict["code"], &verdict["valid"]), (&json!("key_retired"), &json!(false)));
    assert!(verdict["license"].is_null(), "{verdict}");
    assert!(verdict["detail"].as_str().unwrap().contains(&new[new.len() - 4..]), "{verdict}");
    assert!(!verdict.to_string().contains(&new), "the end, and not the key");
    for call in ["activate", "heartbeat", "deactivate"] {
        let ask = json!({ "key": old, "fingerprint": "desk" });
        app.post(&format!("/v1/licenses/{call}"), &ask).await.refused(403, "license_key_retired");
    }
    let seat = json!({ "key": new, "fingerprint": "desk" });
    let verdict = app.post("/v1/licenses/validate", &seat).await.is(200).json();
    assert_eq!((&verdict["code"], &verdict["activation"]["id"]), (&json!("valid"), &taken["activation"]["id"]));

    // A second time, and every device must come again.
    let ask = json!({ "reason": "leaked again", "release_seats": true });
    let second = manager.post(&path, &ask).await.is(200).json();
    assert_eq!(second["seats_used"], 0);
    for key in [&old, &new] {
        let told = app.post("/v1/licenses/validate", &json!({ "key": key })).await.is(200).json();
        assert_eq!(told["code"], "key_retired");
    }
    let seat = json!({ "key": second["key"], "fingerprint": "desk" });
    assert_eq!(app.post("/v1/licenses/validate", &seat).await.is(200).json()["code"], "not_activated");
    app.post("/v1/licenses/activate", &seat).await.is(201);
    assert_eq!(store::report::broken_laws(&world.app.store).await, Ok(vec![]));

    // A refund ends the license, whatever its key.
    let order = order.rsplit('/').next().unwrap();
    manager.post(&format!("/v1/orders/{order}/refunds"), &json!({})).await.is(201);
    assert_eq!(app.post("/v1/licenses/validate", &seat).await.is(200).json()["code"], "revoked");
}
