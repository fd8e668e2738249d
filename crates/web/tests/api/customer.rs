//! A customer's address.

use serde_json::json;

use crate::caller::Caller;
use crate::support::World;

#[tokio::test]
async fn an_address_is_corrected_and_a_wrong_one_is_told() {
    let world = World::new().await;
    let manager = Caller::manager(&world).await;
    world.bought("lumen-pro", "1").await;
    let listed = manager.get("/v1/customers").await.is(200).json();
    let id = listed["data"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/customers/{id}");
    let body = json!({ "email": "grace@example.com", "reason": "Mistyped at checkout", "resend": true });
    let shown = manager.post(&path, &body).await.is(200).json();
    assert_eq!((&shown["id"], &shown["email"]), (&json!(id), &json!("grace@example.com")));
    assert_eq!(manager.get(&path).await.is(200).json()["email"], "grace@example.com");
    world.settle().await;
    assert_eq!(world.orders().await[0].email.as_ref().unwrap().as_str(), "grace@example.com");
    let events = manager.get("/v1/events?limit=100").await.is(200).json();
    assert!(events["data"].as_array().unwrap().iter().any(|event| event["type"] == "customer.changed"));

    let mut other = world.browser();
    other.press_pay("lumen-pro", &[("email", "other@example.com")]).await;
    let taken = json!({ "email": "other@example.com", "reason": "-" });
    manager.post(&path, &taken).await.refused(409, "email_taken");
    #[rustfmt::skip]
    let rows = [
        (json!({ "email": "grace@", "reason": "-" }),                       422, "email_invalid"),
        (json!({ "email": "grace@example.com", "reason": "" }),             422, "text_invalid"),
        (json!({ "email": "grace@example.com" }),                           422, "parameter_missing"),
        (json!({ "email": "grace@example.com", "reason": "-", "name": "" }), 422, "parameter_unknown"),
    ];
    for (body, status, code) in rows {
        manager.post(&path, &body).await.refused(status, code);
    }
    let nobody = "/v1/customers/cus_00000000000000000000000000";
    manager.post(nobody, &json!({ "email": "a@example.com", "reason": "-" })).await.refused(404, "not_found");
}
