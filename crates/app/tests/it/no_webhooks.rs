//! A shop that no webhook ever reaches delivers all the same, and a gateway
//! that does not answer is looked up before it is asked again.

use domain::{Actor, Duration, PaymentState, RefundReason};
use serde_json::json;

use app::RefundInput;

use crate::house::{CARD, House, On};

async fn the_sweep_delivers(on: On) {
    let house = House::open(on).await;
    let bought = house.buy(1).await;
    house.gateway.pay(&bought.session, CARD);
    house.gateway.set_down(true);
    house.advance(Duration::minutes(10));
    house.app.step_payments().await.unwrap();
    assert_eq!(house.standing(bought.order).await, "pending 0 | sent | - | - | -");
    house.gateway.set_down(false);
    house.advance(Duration::hours(2));
    house.app.step_payments().await.unwrap();
    assert_eq!(house.standing(bought.order).await, "paid 0 | succeeded | - | - | active");
    house.assert_lawful(&[bought.order]).await;
}

async fn the_event_list_delivers(on: On) {
    let house = House::open(on).await;
    let bought = house.buy(1).await;
    house.gateway.pay(&bought.session, CARD);
    house.gateway.set_down(true);
    house.advance(Duration::minutes(6));
    assert_eq!(house.app.step_events().await.unwrap(), 0);
    house.gateway.set_down(false);
    assert!(house.app.step_events().await.unwrap() > 0);
    house.work().await;
    assert_eq!(house.standing(bought.order).await, "paid 0 | succeeded | - | - | active");
    assert_eq!(house.app.catch_up().await.unwrap(), 0, "what was read is known");
}

/// The gateway opens the page, and its answer is lost on the way.
async fn a_page_is_opened_once(on: On) {
    let house = House::open(on).await;
    house.gateway.faults(&json!({ "no_answer": 100 }));
    let sale = house.submit(1).await;
    assert_eq!((sale.payments[0].state, &sale.payments[0].page_reference), (PaymentState::Unknown, &None));
    house.gateway.faults(&json!({}));
    house.advance(Duration::minutes(10));
    house.work().await;
    let payment = house.sale(sale.order.id).await.payments.remove(0);
    let session = payment.page_reference.expect("the page of the first call was found");
    house.gateway.pay(&session, CARD);
    house.deliver_all().await;
    assert_eq!(house.standing(sale.order.id).await, "paid 0 | succeeded | - | - | active");
    assert_eq!(house.gateway.truth()["payments"].as_array().unwrap().len(), 1);
}

/// The gateway gives the money back, and its answer is lost or wrong.
async fn a_refund_goes_back_once(on: On) {
    for fault in ["no_answer", "error_after_doing"] {
        let house = House::open(on).await;
        let bought = house.buy_and_pay(1).await;
        let intent = house.intent(bought.order).await;
        house.gateway.faults(&json!({ fault: 100 }));
        let input = RefundInput { id: None, amount: None, reason: RefundReason::RequestedByCustomer, revoke: None };
        house.app.refund_order(house.shop.id, bought.order, input, Actor::System).await.unwrap();
        house.gateway.faults(&json!({}));
        for _ in 0..5 {
            house.advance(Duration::hours(1));
            house.work().await;
        }
        let end = "refunded 4900 | succeeded | 4900 requested_by_customer succeeded | - | revoked_by_refund";
        assert_eq!(house.standing(bought.order).await, end, "{fault}");
        let truth = house.gateway.truth();
        let row = truth["payments"].as_array().unwrap().iter().find(|row| row["intent"] == intent.as_str()).unwrap();
        assert_eq!((&row["captured"], &row["refunded"]), (&json!(4_900), &json!(4_900)), "{fault}");
        house.assert_lawful(&[bought.order]).await;
    }
}

#[tokio::test]
async fn without_webhooks_the_sweep_delivers_on_sqlite() {
    the_sweep_delivers(On::Sqlite).await;
}

#[tokio::test]
async fn without_webhooks_the_sweep_delivers_on_postgres() {
    the_sweep_delivers(On::Postgres).await;
}

#[tokio::test]
async fn without_webhooks_the_event_list_delivers_on_sqlite() {
    the_event_list_delivers(On::Sqlite).await;
}

#[tokio::test]
async fn without_webhooks_the_event_list_delivers_on_postgres() {
    the_event_list_delivers(On::Postgres).await;
}

#[tokio::test]
async fn a_page_whose_opening_was_never_answered_is_opened_once_on_sqlite() {
    a_page_is_opened_once(On::Sqlite).await;
}

#[tokio::test]
async fn a_page_whose_opening_was_never_answered_is_opened_once_on_postgres() {
    a_page_is_opened_once(On::Postgres).await;
}

#[tokio::test]
async fn a_refund_that_was_never_answered_goes_back_once_on_sqlite() {
    a_refund_goes_back_once(On::Sqlite).await;
}

#[tokio::test]
async fn a_refund_that_was_never_answered_goes_back_once_on_postgres() {
    a_refund_goes_back_once(On::Postgres).await;
}
