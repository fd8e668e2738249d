//! What apps asked is kept: with the verdict, the rule that decided, and what to do.

use axum::http::Method;
use domain::{AtExpiry, Duration, Metering, Policy, Term};
use serde_json::{Value, json};

use crate::caller::{Caller, key_of_nobody};
use crate::support::World;

const PROGRAM: (&str, &str) = ("user-agent", "Lumen/4.2 (Linux)");

/// What stands in a list, oldest first, a line each.
fn told(list: &Value) -> Vec<String> {
    let mut rows = list["data"].as_array().unwrap().clone();
    rows.reverse();
    let line = |row: &Value| {
        let word = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
        format!("{} {} {} ×{} {}", word("kind"), word("verdict"), word("rule"), row["count"], word("asked"))
    };
    rows.iter().map(line).collect()
}

async fn only_license(manager: &Caller) -> String {
    let licenses = manager.get("/v1/licenses").await.is(200).json();
    licenses["data"][0]["id"].as_str().unwrap().to_owned()
}

async fn ask(app: &Caller, what: &str, question: &Value) {
    let headers = [("content-type", "application/json"), PROGRAM];
    app.send(Method::POST, &format!("/v1/licenses/{what}"), &headers, question.to_string().into_bytes()).await;
}

#[tokio::test]
async fn every_question_is_kept_with_its_verdict_and_the_rule_that_decided() {
    let world = World::new().await;
    let manager = Caller::manager(&world).await;
    let app = Caller::stranger(&world.app);
    let (_, order) = world.bought("lumen-personal", "1").await;
    let key = world.keys(&order).await.remove(0);
    let license = only_license(&manager).await;
    let seat = |device: &str| json!({ "key": key, "fingerprint": device });
    let questions = [
        ("activate", seat("desk")),
        ("activate", seat("lap")),
        ("activate", seat("phone")),
        ("validate", seat("phone")),
        ("validate", json!({ "key": key, "product": "other" })),
        ("validate", json!({ "key": key, "fingerprint": "desk", "features": ["render"] })),
        ("deactivate", seat("lap")),
        ("heartbeat", seat("lap")),
        ("usage", json!({ "key": key, "add": 3 })),
    ];
    for (what, question) in &questions {
        ask(&app, what, question).await;
        world.app.clock.advance(Duration::seconds(1));
    }
    for _ in 0..3 {
        ask(&app, "validate", &seat("desk")).await;
        ask(&app, "heartbeat", &seat("desk")).await;
    }
    let path = format!("/v1/licenses/{license}/attempts");
    assert_eq!(told(&manager.get(&path).await.is(200).json()), Vec::<String>::new(), "nothing is written on the way");
    world.app.write_attempts(true).await.unwrap();
    let list = manager.get(&format!("{path}?limit=100")).await.is(200).json();
    let mut found = told(&list);
    let ordinary = ["validate valid all_hold ×3 -", "heartbeat valid all_hold ×3 -"];
    found.retain(|line| !ordinary.contains(&line.as_str()));
    assert_eq!(list["data"].as_array().unwrap().len(), found.len() + 2, "{list}");
    assert_eq!(
        found,
        [
            "activate valid all_hold ×1 -",
            "activate valid all_hold ×1 -",
            "activate seat_limit_reached seats ×1 -",
            "validate not_activated seat ×1 -",
            "validate wrong_product product ×1 -",
            "validate missing_feature features ×1 render",
            "deactivate valid all_hold ×1 -",
            "heartbeat not_activated seat ×1 -",
            "usage usage_not_counted metered ×1 3",
        ]
    );
    let full = list["data"].as_array().unwrap().iter().find(|row| row["verdict"] == "seat_limit_reached").unwrap();
    assert_eq!((&full["fingerprint"], &full["app"]), (&json!("phone"), &json!("Lumen/4.2 (Linux)")));
    assert_eq!(full["doc_url"], "/docs/errors#seat_limit_reached");
    assert!(full["fix"]["buyer"].as_str().unwrap().contains("portal"), "{full}");
    let german = manager.send(Method::GET, &path, &[("accept-language", "de")], Vec::new()).await.is(200).json();
    assert!(german.to_string().contains("Alle Plätze der Lizenz sind von anderen Geräten belegt."), "{german}");
    assert!(!list.to_string().contains(&key), "no key is kept");

    let first = manager.get(&format!("{path}?limit=4")).await.is(200).json();
    assert_eq!((told(&first).len(), &first["has_more"]), (4, &json!(true)));
    let after = format!("{path}?limit=100&starting_after={}", first["data"][3]["id"].as_str().unwrap());
    assert_eq!(told(&manager.get(&after).await.is(200).json()).len(), 7);
    manager.get("/v1/licenses/lic_00000000000000000000000000/attempts").await.refused(404, "not_found");
    manager.get(&format!("{path}?state=x")).await.refused(422, "parameter_unknown");
    app.get(&path).await.refused(401, "api_key_invalid");
}

#[tokio::test]
async fn the_rule_tells_apart_what_one_verdict_has_in_common() {
    let world = World::new().await;
    let manager = Caller::manager(&world).await;
    let app = Caller::stranger(&world.app);
    let policy = Policy {
        seats: Some(1),
        valid_days: Some(30),
        certificate_seconds: 86_400,
        term: Term { at_expiry: AtExpiry::Keep, ..Term::default() },
        usage: Some(Metering { limit: Some(2), reset_days: None }),
        ..Policy::default()
    };
    world.sells("kept", policy).await;
    let (_, order) = world.bought("kept", "1").await;
    let key = world.keys(&order).await.remove(0);
    let license = only_license(&manager).await;
    ask(&app, "usage", &json!({ "key": key, "add": 3 })).await;
    world.app.clock.advance(Duration::days(31));
    let version = json!({ "key": key, "version_released_at": world.app.clock.now().to_string() });
    ask(&app, "validate", &version).await;
    world.app.clock.advance(Duration::seconds(1));
    ask(&app, "activate", &json!({ "key": key, "fingerprint": "desk" })).await;
    world.app.clock.advance(Duration::seconds(1));
    let order = order.rsplit('/').next().unwrap();
    manager.post(&format!("/v1/orders/{order}/refunds"), &json!({})).await.is(201);
    ask(&app, "validate", &json!({ "key": key })).await;
    world.app.write_attempts(true).await.unwrap();
    let list = manager.get(&format!("/v1/licenses/{license}/attempts")).await.is(200).json();
    let found: Vec<String> =
        told(&list).iter().map(|line| line.split(' ').take(3).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        found,
        [
            "usage usage_exhausted usage_limit",
            "validate update_not_covered at_expiry_keep",
            "activate expired at_expiry_keep",
            "validate revoked revoked_by_refund",
        ]
    );
}

#[tokio::test]
async fn what_a_refusal_means_is_where_its_address_leads() {
    let world = World::new().await;
    let app = Caller::stranger(&world.app);
    let refused = app.post("/v1/licenses/validate", &json!({ "key": key_of_nobody() })).await.is(200).json();
    assert_eq!(refused["doc_url"], "/docs/errors#unknown");
    let (_, order) = world.bought("lumen-pro", "1").await;
    let key = world.keys(&order).await.remove(0);
    let valid = app.post("/v1/licenses/validate", &json!({ "key": key })).await.is(200).json();
    assert!(valid.get("doc_url").is_none(), "what is asked all day stays short: {valid}");
    for language in ["en", "de"] {
        let page =
            app.send(Method::GET, "/docs/errors", &[("accept-language", language)], Vec::new()).await.is(200).text;
        for word in app::explained() {
            assert!(page.contains(&format!("id=\"{word}\"")), "{word}: {page}");
        }
        let buyer = if language == "de" { "Deaktivieren Sie ein Gerät" } else { "Deactivate a device" };
        assert!(page.contains(buyer), "{language}: {page}");
    }
}
