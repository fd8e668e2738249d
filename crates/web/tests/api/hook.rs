//! What gateways, and those who pretend to be one, send.

use std::sync::Arc;

use aws_lc_rs::hmac;
use axum::http::Method;
use data_encoding::HEXLOWER;
use domain::GatewayAccount;
use serde_json::json;
use store::{NoticeFilter, Page};

use crate::caller::{Answer, Caller};
use crate::support::World;

pub(crate) const SECRET: &str = "whsec_pages";
const JSON: (&str, &str) = ("content-type", "application/json");

pub(crate) fn signature(secret: &str, time: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, &[time.to_string().as_bytes(), b".", body].concat());
    format!("t={time},v1={}", HEXLOWER.encode(tag.as_ref()))
}

pub(crate) fn event(id: &str) -> Vec<u8> {
    json!({ "id": id, "object": "event", "type": "balance.available", "livemode": false, "created": 1, "data": { "object": {} } })
        .to_string()
        .into_bytes()
}

async fn account(world: &World) -> Arc<GatewayAccount> {
    world.app.gateway_accounts().await.remove(0)
}

async fn send(world: &World, account: &GatewayAccount, signed: Option<&str>, body: &[u8]) -> Answer {
    let mut headers = vec![JSON];
    headers.extend(signed.map(|signed| ("stripe-signature", signed)));
    Caller::stranger(&world.app).send(Method::POST, &format!("/hooks/{}", account.id), &headers, body.to_vec()).await
}

async fn notices(world: &World) -> usize {
    let page = Page { starting_after: None, ending_before: None, limit: 100 };
    world.app.store.notices(world.shop.id, &NoticeFilter::default(), page).await.unwrap().data.len()
}

#[tokio::test]
async fn a_message_that_is_not_proven_stores_nothing() {
    let world = World::new().await;
    let account = account(&world).await;
    let now = world.app.clock.now().as_seconds();
    let body = event("evt_1");
    let good = signature(SECRET, now, &body);
    let cut = &body[..body.len() - 1];
    #[rustfmt::skip]
    let table = [
        ("unsigned",                None,                                         &body[..], "signature_missing"),
        ("not a signature",         Some("v1".to_owned()),                        &body[..], "signature_malformed"),
        ("another secret",          Some(signature("whsec_other", now, &body)),   &body[..], "signature_mismatch"),
        ("an empty secret",         Some(signature("", now, &body)),              &body[..], "signature_mismatch"),
        ("truncated on the way",    Some(good.clone()),                           cut,       "signature_mismatch"),
        ("signed ten minutes ago",  Some(signature(SECRET, now - 600, &body)),    &body[..], "signature_outside_tolerance"),
        ("signed in ten minutes",   Some(signature(SECRET, now + 600, &body)),    &body[..], "signature_outside_tolerance"),
        ("signed, and no event",    Some(signature(SECRET, now, b"{}")),          b"{}",     "body_malformed"),
        ("signed, and cut before",  Some(signature(SECRET, now, cut)),            cut,       "body_malformed"),
    ];
    for (what, signed, body, code) in table {
        let refused = send(&world, &account, signed.as_deref(), body).await;
        assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (401, &json!(code)), "{what}: {}", refused.text);
        assert_eq!(notices(&world).await, 0, "{what}");
    }

    let other = json!({ "secret_key": "sk_test_other", "webhook_secret": "whsec_other", "base_url": world.gateway })
        .to_string();
    let other = world.app.connect_gateway(&world.shop, "stripe", other).await.unwrap();
    send(&world, &other, Some(&good), &body).await.refused(401, "signature_mismatch");
    assert_eq!(notices(&world).await, 0, "another account's signature");

    let taken = send(&world, &account, Some(&good), &body).await.is(200).json();
    assert_eq!(taken["events"], json!(["ignored"]));
    let again = send(&world, &account, Some(&good), &body).await.is(200).json();
    assert_eq!(again["events"], json!(["duplicate"]));
    assert_eq!(notices(&world).await, 1);
}

#[tokio::test]
async fn what_cannot_be_a_gateways_message_is_refused_by_its_outside() {
    let world = World::new().await;
    let stranger = Caller::stranger(&world.app);
    let path = format!("/hooks/{}", account(&world).await.id);
    let large = vec![b'x'; (1 << 20) + 1];
    stranger.send(Method::POST, &path, &[JSON], large).await.refused(413, "body_too_large");
    let body = event("evt_1");
    let good = signature(SECRET, world.app.clock.now().as_seconds(), &body);
    let encoded = [JSON, ("content-encoding", "gzip"), ("stripe-signature", &good)];
    stranger.send(Method::POST, &path, &encoded, body.clone()).await.refused(415, "content_encoding_refused");
    for unknown in ["gw_00000000000000000000000000", "nothing"] {
        let signed = [JSON, ("stripe-signature", good.as_str())];
        stranger
            .send(Method::POST, &format!("/hooks/{unknown}"), &signed, body.clone())
            .await
            .refused(404, "not_found");
    }
    stranger.get(&path).await.refused(405, "method_not_allowed");
    assert_eq!(notices(&world).await, 0);
}

#[tokio::test]
async fn a_message_that_arrives_a_thousand_times_at_once_is_stored_once() {
    let world = World::new().await;
    let body = event("evt_1");
    let signed = signature(SECRET, world.app.clock.now().as_seconds(), &body);
    let caller = Caller::stranger(&world.app);
    let path = format!("/hooks/{}", account(&world).await.id);
    let deliveries: Vec<_> = (0..1_000)
        .map(|_| {
            let (caller, path, signed, body) = (caller.clone(), path.clone(), signed.clone(), body.clone());
            tokio::spawn(async move {
                caller.send(Method::POST, &path, &[JSON, ("stripe-signature", &signed)], body).await.is(200).json()
                        ["events"][0]
                        .clone()
            })
        })
        .collect();
    let mut first = 0;
    for delivery in deliveries {
        first += usize::from(delivery.await.unwrap() != "duplicate");
    }
    assert_eq!((first, notices(&world).await), (1, 1));
}
