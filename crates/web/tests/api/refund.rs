//! Money back.

use serde_json::json;

use crate::caller::Caller;
use crate::support::World;

#[tokio::test]
async fn money_goes_back_in_part_then_whole_and_never_more() {
    let world = World::new().await;
    let manager = Caller::manager(&world).await;
    let (_, order) = world.bought("lumen-pro", "1").await;
    let order = order.rsplit('/').next().unwrap();
    let refunds = format!("/v1/orders/{order}/refunds");

    let first = manager.post(&refunds, &json!({ "amount": 1_500, "reason": "duplicate" })).await.is(201).json();
    assert_eq!(first["amount"], json!({ "amount": 1_500, "currency": "EUR" }));
    assert_eq!((&first["reason"], &first["state"]), (&json!("duplicate"), &json!("succeeded")));
    let named = json!({ "amount": { "amount": 1_000, "currency": "EUR" } });
    let second = manager.post(&refunds, &named).await.is(201).json();
    assert_eq!(second["reason"], "requested_by_customer");
    let whole = manager.get(&format!("/v1/orders/{order}")).await.is(200).json();
    assert_eq!((&whole["state"], &whole["refunded"]["amount"]), (&json!("partially_refunded"), &json!(2_500)));
    assert_eq!(whole["licenses"][0]["state"], "active", "the buyer keeps what was paid for");

    manager.post(&refunds, &json!({ "amount": 7_401 })).await.refused(422, "refund_exceeds_payment");
    manager
        .post(&refunds, &json!({ "amount": { "amount": 100, "currency": "USD" } }))
        .await
        .refused(409, "currency_mismatch");

    // Without a body: all that is left.
    let rest = manager.send(axum::http::Method::POST, &refunds, &[], Vec::new()).await.is(201).json();
    assert_eq!(rest["amount"]["amount"], 7_400);
    manager.post(&refunds, &json!({})).await.refused(422, "refund_exceeds_payment");
    let whole = manager.get(&format!("/v1/orders/{order}")).await.is(200).json();
    assert_eq!((&whole["state"], &whole["refunded"]), (&json!("refunded"), &whole["total"]));
    assert_eq!(whole["licenses"][0]["state"], "revoked");

    let listed = manager.get(&refunds).await.is(200).json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 3);
    let id = first["id"].as_str().unwrap();
    let shown = manager.get(&format!("/v1/refunds/{id}")).await.is(200).json();
    assert_eq!(shown["amount"]["amount"], 1_500);
}

#[tokio::test]
async fn a_refund_can_end_the_license_at_once_or_leave_it() {
    for (body, state) in [
        (json!({ "amount": 100, "revoke": true }), "revoked"),
        (json!({ "amount": 100, "revoke": false }), "active"),
        (json!({ "revoke": false }), "active"),
        (json!({ "amount": 100 }), "active"),
        (json!({}), "revoked"),
    ] {
        let world = World::new().await;
        let manager = Caller::manager(&world).await;
        let (_, order) = world.bought("lumen-pro", "1").await;
        let order = order.rsplit('/').next().unwrap();
        manager.post(&format!("/v1/orders/{order}/refunds"), &body).await.is(201);
        let whole = manager.get(&format!("/v1/orders/{order}")).await.is(200).json();
        assert_eq!(whole["licenses"][0]["state"], state, "{body}");
    }
}

#[tokio::test]
async fn a_surplus_that_could_not_go_back_is_given_back_and_the_license_stays() {
    let world = World::new().await;
    let manager = Caller::manager(&world).await;
    let order = world.paid_twice().await;
    let order = order.rsplit('/').next().unwrap();
    let refunds = format!("/v1/orders/{order}/refunds");
    let body = json!({ "reason": "surprise_capture" });
    let made = manager.post(&refunds, &body).await.is(201).json();
    assert_eq!((&made["state"], &made["amount"]["amount"]), (&json!("succeeded"), &json!(9_900)));
    let whole = manager.get(&format!("/v1/orders/{order}")).await.is(200).json();
    assert_eq!((&whole["state"], &whole["licenses"][0]["state"]), (&json!("paid"), &json!("active")));
    manager.post(&refunds, &body).await.refused(409, "no_surplus");
}
