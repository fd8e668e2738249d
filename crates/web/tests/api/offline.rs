//! What devices without a network are given, and what is told of what was taken back.

use axum::http::Method;
use domain::{Duration, Offline, Policy, Seating, Term};
use latchkey_license::{Claims, KeySet, RevocationList, read_file, verify};
use serde_json::{Value, json};

use crate::caller::{Caller, key_of_nobody};
use crate::support::World;

const DAY: i64 = 86_400;

fn policy(seats: Option<u32>) -> Policy {
    Policy {
        seats,
        features: vec!["edit".to_owned()],
        certificate_seconds: 86_400,
        offline: Offline { file_days: Some(90), carried_until: None },
        term: Term::default(),
        seating: Seating::default(),
        ..Policy::default()
    }
}

async fn keys(app: &Caller) -> KeySet {
    let published = app.get("/.well-known/jwks.json").await.is(200);
    KeySet::parse(&published.json().to_string()).unwrap()
}

/// The claims of the file in an answer, verified as an app does.
async fn claims(app: &Caller, answer: &Value, at: i64) -> Claims {
    let certificate = read_file(answer["file"].as_str().unwrap()).unwrap();
    assert_eq!(answer["certificate"], certificate);
    verify(&certificate, &keys(app).await, at, 300).unwrap()
}

#[tokio::test]
async fn a_license_is_given_as_a_file_within_what_its_policy_allows() {
    let world = World::new().await;
    world.sells("desk", policy(Some(2))).await;
    world.sells("site", policy(None)).await;
    let (manager, app) = (Caller::manager(&world).await, Caller::stranger(&world.app));
    let now = world.app.clock.now().as_seconds();
    let (_, order) = world.bought("desk", "1").await;
    let key = world.keys(&order).await.remove(0);
    let ask = |more: Value| {
        let mut ask = json!({ "key": key });
        ask.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ask
    };

    // A device takes its seat first, and gets a file of its own then.
    app.post("/v1/licenses/file", &ask(json!({ "fingerprint": "lap" }))).await.refused(409, "not_activated");
    let seat = app.post("/v1/licenses/activate", &ask(json!({ "fingerprint": "lap" }))).await.is(201).json();
    let file = app.post("/v1/licenses/file", &ask(json!({ "fingerprint": "lap" }))).await.is(200).json();
    let found = claims(&app, &file, now + 89 * DAY).await;
    assert_eq!(found.fingerprint.as_deref(), Some("lap"));
    assert_eq!(json!(found.activation), seat["activation"]["id"]);
    assert_eq!((found.nonce, found.exp - now), (None, 90 * DAY));
    assert!(file["file"].as_str().unwrap().contains("\nKey-Id: "), "{file}");
    let shorter = app.post("/v1/licenses/file", &ask(json!({ "fingerprint": "lap", "ttl_seconds": 3_600 }))).await;
    assert_eq!(claims(&app, &shorter.is(200).json(), now).await.exp - now, 3_600);
    for ttl_seconds in [0, 59, 90 * DAY + 1] {
        let asked = ask(json!({ "fingerprint": "lap", "ttl_seconds": ttl_seconds }));
        let refused = app.post("/v1/licenses/file", &asked).await.refused(422, "ttl_out_of_range").json();
        assert_eq!(
            (&refused["param"], refused["detail"].as_str().unwrap().contains("7,776,000")),
            (&json!("ttl_seconds"), true)
        );
    }
    let refused = app.post("/v1/licenses/file", &ask(json!({}))).await.refused(422, "fingerprint_required").json();
    assert_eq!(refused["param"], "fingerprint");
    let nobody = json!({ "key": key_of_nobody() });
    app.post("/v1/licenses/file", &nobody).await.refused(404, "license_unknown");

    // The seller gives one that counts everywhere, and it is written down.
    let id = file["license"].as_str().unwrap();
    let path = format!("/v1/licenses/{id}/file");
    let given = manager.post_once(&path, "usb-1", &json!({ "ttl_seconds": 7 * DAY })).await.is(200).json();
    let found = claims(&app, &given, now).await;
    assert_eq!((found.fingerprint, found.activation, found.exp - now), (None, None, 7 * DAY));
    let given = manager.post(&path, &json!({ "activation": seat["activation"]["id"] })).await.is(200).json();
    assert_eq!(claims(&app, &given, now).await.fingerprint.as_deref(), Some("lap"));
    manager.post(&path, &json!({ "activation": "act_01m85zgtares9t6zwxdxctb26c" })).await.refused(404, "not_found");
    manager.post(&path, &json!({ "ttl_seconds": 91 * DAY })).await.refused(422, "ttl_out_of_range");
    app.post(&path, &json!({})).await.refused(401, "api_key_invalid");
    let events = manager.get("/v1/events?limit=20").await.is(200).json();
    let kinds = events["data"].as_array().unwrap().iter().filter(|event| event["type"] == "license.file_given");
    assert_eq!(kinds.count(), 2, "{events}");

    // Where no seats are counted it is for whoever has the key.
    let (_, order) = world.bought("site", "1").await;
    let key = world.keys(&order).await.remove(0);
    let file = app.post("/v1/licenses/file", &json!({ "key": key })).await.is(200).json();
    assert_eq!(claims(&app, &file, now).await.fingerprint, None);
    manager.post(&format!("/v1/orders/{}/refunds", order.rsplit('/').next().unwrap()), &json!({})).await.is(201);
    app.post("/v1/licenses/file", &json!({ "key": key })).await.refused(403, "license_revoked");
}

#[tokio::test]
async fn the_revocation_list_names_what_was_taken_back_until_it_cannot_count_any_more() {
    let world = World::new().await;
    world.sells("desk", policy(Some(2))).await;
    let (manager, app) = (Caller::manager(&world).await, Caller::stranger(&world.app));
    let (_, order) = world.bought("desk", "1").await;
    let key = world.keys(&order).await.remove(0);
    let device = |name: &str| json!({ "key": key, "fingerprint": name });
    let list = async || {
        // What is kept for a minute is over.
        world.app.clock.advance(Duration::seconds(61));
        let answer = app.get("/v1/licenses/revocations").await.is(200);
        assert_eq!(answer.header("content-type"), "application/jwt");
        assert_eq!(answer.header("cache-control"), "public, max-age=300");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        let tag = answer.header("etag").to_owned();
        (RevocationList::verify(&answer.text, &keys(&app).await).unwrap(), tag)
    };
    let (empty, first_tag) = list().await;
    assert_eq!(empty.revoked, []);

    let lap = app.post("/v1/licenses/activate", &device("lap")).await.is(201).json();
    let desk = app.post("/v1/licenses/activate", &device("desk")).await.is(201).json();
    let certified = async |answer: &Value| {
        let keys = keys(&app).await;
        verify(answer["certificate"].as_str().unwrap(), &keys, world.app.clock.now().as_seconds(), 300).unwrap()
    };
    let (lap, desk) = (certified(&lap).await, certified(&desk).await);
    let (same, tag) = list().await;
    assert_eq!((same.revoked.len(), &tag), (0, &first_tag), "the same entries are the same list");
    let known = [("if-none-match", tag.as_str())];
    app.send(Method::GET, "/v1/licenses/revocations", &known, Vec::new()).await.is(304);

    app.post("/v1/licenses/deactivate", &device("lap")).await.is(200);
    let (one, tag) = list().await;
    assert_ne!(tag, first_tag);
    app.send(Method::GET, "/v1/licenses/revocations", &[("if-none-match", first_tag.as_str())], Vec::new())
        .await
        .is(200);
    assert_eq!(one.names(&lap).map(|entry| entry.code.as_str()), Some("not_activated"));
    assert_eq!(one.names(&desk), None, "the other device goes on");

    let order = order.rsplit('/').next().unwrap().to_owned();
    manager.post(&format!("/v1/orders/{order}/refunds"), &json!({})).await.is(201);
    let (both, _) = list().await;
    assert_eq!(both.names(&desk).map(|entry| entry.code.as_str()), Some("revoked"));
    assert_eq!(both.iss, world.app.settings.public_url);

    world.app.clock.advance(Duration::days(91));
    assert_eq!(list().await.0.revoked, [], "nothing that was signed then counts now");
}
