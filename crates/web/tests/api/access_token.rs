//! Access tokens: given for a key, and looked into by services.

use axum::http::Method;
use domain::{Duration, Scope};
use serde_json::{Value, json};

use crate::caller::{Answer, Caller, key_of_nobody};
use crate::support::World;

struct Service {
    caller: Caller,
}

impl Service {
    async fn ask(&self, token: &str) -> Answer {
        let form = serde_urlencoded::to_string([("token", token), ("token_type_hint", "access_token")]).unwrap();
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        self.caller.send(Method::POST, "/v1/introspect", &kind, form.into_bytes()).await
    }

    /// Whether the token counts; of one that does not, nothing else is told.
    async fn counts(&self, token: &str) -> bool {
        let told = self.ask(token).await.is(200).json();
        let is_active = told["active"] == true;
        assert!(is_active || told == json!({ "active": false }), "{told}");
        is_active
    }
}

fn token_of(answer: &Value) -> &str {
    answer["access_token"].as_str().unwrap()
}

#[tokio::test]
async fn a_token_counts_as_long_as_its_license_works_on_its_seat_with_its_key() {
    let world = World::new().await;
    let manager = Caller::manager(&world).await;
    let service = Service { caller: Caller::with(&world, Scope::Read).await };
    let app = Caller::stranger(&world.app);
    let (_, order) = world.bought("lumen-pro", "1").await;
    let key = world.keys(&order).await.remove(0);
    let seat = json!({ "key": key, "fingerprint": "desk" });

    app.post("/v1/licenses/token", &seat).await.refused(409, "not_activated");
    app.post("/v1/licenses/activate", &seat).await.is(201);
    let told = app.post("/v1/licenses/token", &seat).await.is(200);
    assert_eq!(told.headers["cache-control"], "no-store");
    let seated = told.json();
    assert_eq!((&seated["token_type"], &seated["expires_in"]), (&json!("Bearer"), &json!(600)));
    let anywhere = app.post("/v1/licenses/token", &json!({ "key": key, "product": "lumen" })).await.is(200).json();
    let claims = service.ask(token_of(&seated)).await.is(200).json();
    assert_eq!(claims["sub"], seated["license"]["id"]);
    assert_eq!(claims["aud"], seated["license"]["product"]);
    assert_eq!(claims["scope"], seated["scope"]);
    assert!(claims["scope"].as_str().unwrap().split(' ').any(|name| name == "batch"), "{claims}");
    assert!(service.counts(token_of(&anywhere)).await);

    app.post("/v1/licenses/deactivate", &seat).await.is(200);
    assert!(!service.counts(token_of(&seated)).await, "the seat is gone");
    assert!(service.counts(token_of(&anywhere)).await, "that one was given to no seat");

    let license = seated["license"]["id"].as_str().unwrap();
    let reissued = manager.post(&format!("/v1/licenses/{license}/key"), &json!({ "reason": "leaked" })).await.is(200);
    let new_key = reissued.json()["key"].as_str().unwrap().to_owned();
    assert!(!service.counts(token_of(&anywhere)).await, "its key was replaced");
    app.post("/v1/licenses/token", &json!({ "key": key })).await.refused(403, "license_key_retired");
    let anew = app.post("/v1/licenses/token", &json!({ "key": new_key })).await.is(200).json();
    assert!(service.counts(token_of(&anew)).await);
    world.app.clock.advance(Duration::minutes(10));
    assert!(!service.counts(token_of(&anew)).await, "its time is over");

    let last = app.post("/v1/licenses/token", &json!({ "key": new_key })).await.is(200).json();
    let order = order.rsplit('/').next().unwrap();
    manager.post(&format!("/v1/orders/{order}/refunds"), &json!({})).await.is(201);
    assert!(!service.counts(token_of(&last)).await, "the license was revoked");
    app.post("/v1/licenses/token", &json!({ "key": new_key })).await.refused(403, "license_revoked");
}

#[tokio::test]
async fn what_we_did_not_sign_as_a_token_does_not_count() {
    let world = World::new().await;
    let service = Service { caller: Caller::with(&world, Scope::Read).await };
    let app = Caller::stranger(&world.app);
    let (_, order) = world.bought("lumen-pro", "1").await;
    let key = world.keys(&order).await.remove(0);
    let seat = json!({ "key": key, "fingerprint": "desk" });
    let activated = app.post("/v1/licenses/activate", &seat).await.is(201).json();
    let told = app.post("/v1/licenses/token", &seat).await.is(200).json();
    let token = token_of(&told);
    assert!(service.counts(token).await);

    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let mut other = claims.to_owned();
    let flipped = if other.ends_with('A') { "B" } else { "A" };
    other.replace_range(other.len() - 1.., flipped);
    let none = data_encoding::BASE64URL_NOPAD.encode(br#"{"alg":"none","typ":"at+jwt"}"#);
    let cases = [
        ("nothing of the kind", "token".to_owned()),
        ("a certificate is no token", activated["certificate"].as_str().unwrap().to_owned()),
        ("other claims", format!("{header}.{other}.{signature}")),
        ("no signature", format!("{signed}.")),
        ("no algorithm", format!("{none}.{claims}.")),
        ("a part too many", format!("{token}.{signature}")),
        ("endless", token.repeat(100)),
    ];
    for (name, forged) in cases {
        assert!(!service.counts(&forged).await, "{name}");
    }
    service.ask("").await.refused(422, "parameter_missing");
    Service { caller: Caller::with(&world, Scope::Checkout).await }.ask(token).await.refused(403, "scope_missing");
    Service { caller: app.clone() }.ask(token).await.refused(401, "api_key_invalid");
    let verify = json!({ "key": key, "fingerprint": "desk", "features": ["render"] });
    app.post("/v1/licenses/token", &verify).await.refused(403, "missing_feature");
    app.post("/v1/licenses/token", &json!({ "key": key, "product": "other" }))
        .await
        .refused(403, "license_wrong_product");
    app.post("/v1/licenses/token", &json!({ "key": key_of_nobody() })).await.refused(404, "license_unknown");
}
