//! Calls that are sent twice are done once.

use domain::{Duration, Scope};
use serde_json::json;

use crate::caller::{Caller, order_of, orders};
use crate::support::World;

#[tokio::test]
async fn a_repeated_call_gives_the_first_answer_and_says_so() {
    let world = World::new().await;
    let manager = Caller::manager(&world).await;
    let first = manager.post_once("/v1/checkouts", "cart-1", &order_of("lumen-pro")).await.is(201);
    assert_eq!(first.header("idempotent-replayed"), "");
    let again = manager.post_once("/v1/checkouts", "cart-1", &order_of("lumen-pro")).await.is(201);
    assert_eq!((again.header("idempotent-replayed"), &again.text), ("true", &first.text));
    assert_eq!(again.header("content-type"), "application/json");
    manager
        .post_once("/v1/checkouts", "cart-1", &order_of("lumen-studio"))
        .await
        .refused(422, "idempotency_key_reused");
    assert_eq!(orders(&world).await, 1);

    // The same name in another program's mouth is another call, and so is another name.
    Caller::manager(&world).await.post_once("/v1/checkouts", "cart-1", &order_of("lumen-pro")).await.is(201);
    manager.post_once("/v1/checkouts", "cart-2", &order_of("lumen-pro")).await.is(201);
    assert_eq!(orders(&world).await, 3);

    // What does not fit is no call yet: mended, it is one.
    let misfit = json!({ "plan": "lumen-pro" });
    manager.post_once("/v1/checkouts", "cart-3", &misfit).await.refused(422, "parameter_missing");
    manager.post_once("/v1/checkouts", "cart-3", &order_of("lumen-pro")).await.is(201);
    assert_eq!(orders(&world).await, 4);

    // What was refused by the shop stays refused.
    let refunds = format!("/v1/orders/{}/refunds", first.json()["order"].as_str().unwrap());
    let refused = manager.post_once(&refunds, "refund-1", &json!({})).await.refused(409, "order_not_paid");
    let again = manager.post_once(&refunds, "refund-1", &json!({})).await.is(409);
    assert_eq!((again.header("idempotent-replayed"), &again.text), ("true", &refused.text));
    assert_eq!(again.header("content-type"), "application/problem+json");

    world.app.clock.advance(Duration::days(31));
    let later = manager.post_once("/v1/checkouts", "cart-1", &order_of("lumen-pro")).await.is(201);
    assert_eq!(later.header("idempotent-replayed"), "", "after 30 days a key is forgotten");
    assert_eq!(orders(&world).await, 5);
}

#[tokio::test]
async fn a_refund_that_is_asked_for_twice_goes_back_once() {
    let world = World::new().await;
    let manager = Caller::manager(&world).await;
    let (_, order) = world.bought("lumen-pro", "1").await;
    let refunds = format!("/v1/orders/{}/refunds", order.rsplit('/').next().unwrap());
    let first = manager.post_once(&refunds, "refund-1", &json!({ "amount": 1_000 })).await.is(201).json();
    let again = manager.post_once(&refunds, "refund-1", &json!({ "amount": 1_000 })).await.is(201).json();
    assert_eq!(first["id"], again["id"]);
    assert_eq!(manager.get(&refunds).await.json()["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn of_many_calls_at_once_with_one_key_one_does_the_work() {
    let world = World::new().await;
    let manager = Caller::with(&world, Scope::Checkout).await;
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let manager = manager.clone();
            tokio::spawn(async move { manager.post_once("/v1/checkouts", "cart-1", &order_of("lumen-pro")).await })
        })
        .collect();
    for call in calls {
        let answer = call.await.unwrap();
        assert!([201, 409].contains(&answer.status.as_u16()), "{}", answer.text);
    }
    manager.post_once("/v1/checkouts", "cart-1", &order_of("lumen-pro")).await.is(201);
    assert_eq!(orders(&world).await, 1);
}

#[tokio::test]
async fn a_key_that_cannot_be_one_is_refused() {
    let world = World::new().await;
    let manager = Caller::manager(&world).await;
    for key in ["", "two words", &"x".repeat(256)] {
        let refused = manager
            .post_once("/v1/checkouts", key, &order_of("lumen-pro"))
            .await
            .refused(422, "idempotency_key_invalid");
        assert_eq!(refused.json()["param"], "Idempotency-Key");
    }
    assert_eq!(orders(&world).await, 0);
}
