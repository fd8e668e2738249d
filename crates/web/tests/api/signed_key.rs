//! Keys whose text is signed, as buyers, programs and apps meet them.

use axum::http::StatusCode;
use domain::{FeatureValue, Policy, Scope};
use latchkey_license::{KeySet, SignedKey, verify_signed_key};
use serde_json::{Value, json};

use crate::caller::Caller;
use crate::support::World;

fn policy() -> Policy {
    Policy {
        seats: Some(2),
        valid_days: Some(365),
        features: vec!["export".to_owned()],
        feature_values: [("pages".to_owned(), FeatureValue::Number(500))].into(),
        certificate_seconds: 86_400,
        ..Policy::default()
    }
}

fn says(world: &World, text: &str) -> SignedKey {
    let keys = KeySet::parse(&world.app.signer().jwks()).unwrap();
    verify_signed_key(text, &keys, world.app.clock.now().as_seconds()).unwrap()
}

/// A shop that sells signed keys, and somebody who has bought: the path of the order, and the texts of its keys.
async fn sold(quantity: &str) -> (World, String, Vec<String>) {
    let world = World::new().await;
    world.signs("studio", policy()).await;
    let (_, order) = world.bought("studio", quantity).await;
    world.settle().await;
    let texts = keys_of(&world, &order).await;
    (world, order, texts)
}

async fn keys_of(world: &World, order: &str) -> Vec<String> {
    let id = order.rsplit('/').next().unwrap();
    let told = Caller::manager(world).await.get(&format!("/v1/orders/{id}")).await.is(200).json();
    told["licenses"].as_array().unwrap().iter().map(|license| license["key"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_signed_key_is_the_same_text_on_the_page_in_the_mail_and_in_the_api() {
    let world = World::new().await;
    world.signs("studio", policy()).await;
    let (mut browser, order) = world.bought("studio", "2").await;
    world.settle().await;
    let texts = keys_of(&world, &order).await;
    let short = world.keys(&order).await;
    let page = browser.get(&order).await.is(StatusCode::OK);
    let mail = world.mailbox.newest(1).await.unwrap().remove(0);
    let manager = Caller::manager(&world).await;
    assert_eq!((texts.len(), short.len()), (2, 2));
    for (text, short) in texts.iter().zip(&short) {
        let told = says(&world, text);
        assert_eq!((&told.key.to_string(), told.seats, told.features.len()), (short, Some(2), 1));
        assert_eq!((told.feature_values["pages"].clone(), told.expires_at.is_some()), (json!(500), true));
        let path = format!("/v1/licenses/{}", told.license);
        let shown = page.between(&format!("id=\"key-{}\"", told.license), "</code>");
        assert_eq!(shown.rsplit('>').next(), Some(text.as_str()));
        assert!(page.has(&format!("data-copy=\"key-{}\"", told.license)), "it can be copied");
        assert!(mail.text.lines().any(|line| line == text) && mail.html.contains(text.as_str()), "{}", mail.text);
        assert!(!page.has(short) && !mail.text.contains(short.as_str()), "the short one is in it, and nowhere else");
        assert_eq!(manager.get(&path).await.is(200).json()["key"], json!(text));
        let reader = Caller::with(&world, Scope::Read).await;
        assert!(!reader.get(&path).await.is(200).text.contains("key/"), "for who may see keys");
    }
    assert_eq!(browser.get(&order).await.text.matches("class=\"key long\"").count(), 2);
    let ends = page.text.matches("key/").count();
    assert_eq!(browser.get(&order).await.text.matches("key/").count(), ends, "shown again it is the same");
    assert_eq!(keys_of(&world, &order).await, texts);
    assert_eq!(store::report::broken_laws(&world.app.store).await, Ok(vec![]));
    assert!(
        !format!(
            "{:?}",
            world.app.store.signed_keys(world.shop.id, order.rsplit('/').next().unwrap().parse().unwrap()).await
        )
        .contains("key/")
    );
}

#[tokio::test]
async fn a_signed_key_is_taken_wherever_a_key_is() {
    let (world, order, texts) = sold("1").await;
    let app = Caller::stranger(&world.app);
    let key = &texts[0];
    let id = says(&world, key).license;
    let seat = json!({ "key": key, "fingerprint": "desk" });
    let checked = app.post("/v1/licenses/validate", &json!({ "key": key })).await.is(200).json();
    assert_eq!((&checked["code"], &checked["license"]["id"]), (&json!("valid"), &json!(id)));
    let taken = app.post("/v1/licenses/activate", &seat).await.is(201).json();
    assert_eq!(taken["license"]["id"], json!(id));
    app.post("/v1/licenses/heartbeat", &seat).await.is(200);
    app.post("/v1/licenses/token", &seat).await.is(200);
    app.post("/v1/licenses/downloads", &json!({ "key": key })).await.is(200);
    app.post("/v1/licenses/usage", &json!({ "key": key, "add": 1 })).await.refused(409, "usage_not_counted");
    // As a mail program broke it.
    let (start, end) = key.split_at(100);
    let broken = json!({ "key": format!(" {start}\r\n {end}\n"), "fingerprint": "desk" });
    app.post("/v1/licenses/deactivate", &broken).await.is(200);
    assert_eq!(
        world.app.sale(world.shop.id, order.rsplit('/').next().unwrap().parse().unwrap()).await.unwrap().licenses[0]
            .seats_used,
        0
    );

    // Apps of other systems, which are told the key that they have.
    let lemon = json!({ "license_key": key, "instance_name": "desk" });
    let told = app.post("/compat/lemon_squeezy/v1/licenses/activate", &lemon).await.is(200).json();
    assert_eq!((&told["activated"], &told["license_key"]["key"]), (&json!(true), &json!(key)));
    let keygen = json!({ "meta": { "key": key } });
    let told = app.post("/compat/keygen/v1/licenses/actions/validate-key", &keygen).await.is(200).json();
    assert_eq!(told["meta"]["code"], "VALID");
    let attributes = &told["data"]["attributes"];
    assert_eq!((&attributes["key"], &attributes["scheme"]), (&json!(key), &json!("ED25519_SIGN")));
}

#[tokio::test]
async fn a_key_that_was_changed_is_refused_by_a_code_of_its_own() {
    let (world, _, texts) = sold("2").await;
    let app = Caller::stranger(&world.app);
    let [one, other] = [&texts[0], &texts[1]].map(|text| text.split_once('.').unwrap());
    let changed = format!("{}.{}", one.0, other.1);
    let cut = &texts[0][..texts[0].len() - 6];
    let stranger = {
        let text = texts[0].split_once('.').unwrap().0.to_owned();
        let kid = world.app.signer().kid(world.app.clock.now()).to_owned();
        let content = data_encoding::BASE64URL.decode(text.strip_prefix("key/").unwrap().as_bytes()).unwrap();
        let content = String::from_utf8(content).unwrap().replace(&kid, &"A".repeat(kid.len()));
        format!("key/{}.{}", data_encoding::BASE64URL.encode(content.as_bytes()), one.1)
    };
    for (text, word, slip) in [
        (changed.as_str(), "was changed", "bad_signature"),
        (cut, "is missing", "bad_encoding"),
        (stranger.as_str(), "does not use, or no longer", "unknown_key"),
    ] {
        let asked = json!({ "key": text });
        let told = app.post("/v1/licenses/validate", &asked).await.is(200).json();
        assert_eq!((&told["valid"], &told["code"]), (&json!(false), &json!("key_not_genuine")), "{told}");
        assert_eq!((&told["license"], &told["doc_url"]), (&Value::Null, &json!("/docs/errors#key_not_genuine")));
        assert!(told["detail"].as_str().unwrap().contains(word), "{told}");
        for call in ["activate", "heartbeat", "deactivate", "token", "downloads"] {
            let mut asked = asked.clone();
            if call != "downloads" {
                asked["fingerprint"] = json!("desk");
            }
            let refused = app.post(&format!("/v1/licenses/{call}"), &asked).await;
            let refused = refused.refused(403, "license_key_not_genuine").json();
            assert_eq!(refused["param"], "key");
            assert!(refused["detail"].as_str().unwrap().contains(word), "{refused}");
        }
        app.post("/compat/lemon_squeezy/v1/licenses/validate", &json!({ "license_key": text })).await.is(404);
        world.app.write_attempts(true).await.unwrap();
        let page = store::Page { starting_after: None, ending_before: None, limit: 100 };
        let filter = store::AttemptFilter::Strangers;
        let kept = world.app.store.attempts(world.shop.id, &filter, page).await.unwrap().data;
        let of_it = kept.iter().filter(|attempt| attempt.asked.as_deref() == Some(slip)).count();
        assert!(of_it >= 4, "{slip}: {kept:?}");
        let rule = domain::Rule::KeySignature;
        assert!(kept.iter().all(|attempt| attempt.rule == rule && attempt.license.is_none()), "{kept:?}");
    }
}

/// As an app asks that still has a key of a system that was left behind.
#[tokio::test]
async fn a_signed_key_of_another_system_that_nobody_took_over_is_unknown() {
    let (world, _, _) = sold("1").await;
    let app = Caller::stranger(&world.app);
    let theirs = format!("key/YUBiLnRlc3Q=.{}", data_encoding::BASE64URL.encode(&[7; 64]));
    let told = app.post("/v1/licenses/validate", &json!({ "key": theirs })).await.is(200).json();
    assert_eq!((&told["code"], &told["doc_url"]), (&json!("unknown"), &json!("/docs/errors#unknown")));
    assert!(told["detail"].as_str().unwrap().contains("no license with this key"), "{told}");
    for call in ["activate", "heartbeat", "deactivate", "token", "downloads"] {
        let mut asked = json!({ "key": theirs });
        if call != "downloads" {
            asked["fingerprint"] = json!("desk");
        }
        app.post(&format!("/v1/licenses/{call}"), &asked).await.refused(404, "license_unknown");
    }
    world.app.write_attempts(true).await.unwrap();
    let page = store::Page { starting_after: None, ending_before: None, limit: 100 };
    let kept = world.app.store.attempts(world.shop.id, &store::AttemptFilter::Strangers, page).await.unwrap().data;
    let is_unknown = |attempt: &domain::Attempt| attempt.rule == domain::Rule::KeyKnown;
    assert!(kept.len() >= 4 && kept.iter().all(is_unknown), "{kept:?}");
}

#[tokio::test]
async fn what_is_too_long_to_be_a_key_is_not_told_to_be_cut_off() {
    let (world, _, texts) = sold("1").await;
    let long = format!("{}{}", texts[0], "A".repeat(latchkey_license::MAX_SIGNED_KEY_BYTES));
    let told = Caller::stranger(&world.app).post("/v1/licenses/validate", &json!({ "key": long })).await.is(200).json();
    assert!(told["detail"].as_str().unwrap().contains("too long"), "{told}");
}

#[tokio::test]
async fn a_new_key_is_a_new_text_and_the_old_one_says_that_it_was_replaced() {
    let (world, order, texts) = sold("1").await;
    let (manager, app) = (Caller::manager(&world).await, Caller::stranger(&world.app));
    let path = format!("/v1/licenses/{}/key", says(&world, &texts[0]).license);
    let asked = json!({ "reason": "leaked" });
    let first = manager.post_once(&path, "leak", &asked).await.is(200).json();
    assert_eq!(first, manager.post_once(&path, "leak", &asked).await.is(200).json(), "asked twice it is one");
    let new = first["key"].as_str().unwrap();
    assert_eq!(keys_of(&world, &order).await, [new]);
    assert_ne!(new, texts[0]);
    assert_eq!(says(&world, new).key.to_string(), world.keys(&order).await[0]);
    let code = async |key: &str| {
        app.post("/v1/licenses/validate", &json!({ "key": key })).await.is(200).json()["code"].clone()
    };
    assert_eq!((code(&texts[0]).await, code(new).await), (json!("key_retired"), json!("valid")));
}

#[tokio::test]
async fn the_keys_of_a_batch_are_signed_as_those_that_are_paid() {
    let world = World::new().await;
    world.signs("studio", policy()).await;
    let manager = Caller::manager(&world).await;
    let wanted = json!({ "plan": "studio", "licenses": 3, "reason": "A class" });
    let batch = manager.post("/v1/licenses/batches", &wanted).await.is(201).json();
    let csv = manager.get(&format!("/v1/licenses/batches/{}/keys", batch["id"].as_str().unwrap())).await.is(200);
    let keys: Vec<&str> = csv.text.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(keys.len(), 3);
    for (key, line) in keys.iter().zip(csv.text.lines().skip(1)) {
        assert!(line.contains(&says(&world, key).license), "{line}");
        let told = Caller::stranger(&world.app).post("/v1/licenses/validate", &json!({ "key": key })).await.is(200);
        assert_eq!(told.json()["code"], "valid");
    }
}
