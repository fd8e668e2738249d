//! A shop that no webhook ever reaches delivers all the same, and a gateway
//! that does not answer is looked up before it is asked again.

use domain::{
    Actor, BuyerDetails, Changes, Country, Duration, GatewayAccount, LicenseState, Locale, PaymentState, RefundReason,
};
use serde_json::json;

use app::{App, RefundInput};

use crate::house::{CARD, House, KEY, On, email};

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
    assert_eq!(house.app.step_events().await.unwrap(), 0, "whoever has just not answered is left alone");
    house.advance(Duration::minutes(1));
    assert!(house.app.step_events().await.unwrap() > 0);
    house.work().await;
    assert_eq!(house.standing(bought.order).await, "paid 0 | succeeded | - | - | active");
    assert_eq!(house.app.catch_up().await.unwrap(), 0, "what was read is known");
}

/// New buyers go elsewhere; the money of the old ones still goes back.
async fn the_event_list_of_an_account_that_rests_is_read_to_its_end(on: On) {
    let house = House::open(on).await;
    let bought = house.buy_and_pay(1).await;
    let intent = house.intent(bought.order).await;
    let account = house.app.gateway_accounts().await.remove(0);
    house.app.use_gateway(&account, false).await.unwrap();
    house.gateway.dashboard("/v1/refunds", &format!("payment_intent={intent}"));
    house.advance(Duration::minutes(6));
    assert!(house.app.step_events().await.unwrap() > 0);
    assert_eq!(house.license_states(bought.order).await, [LicenseState::RevokedByRefund]);
    // It may be closed for good: it is tried seldom then.
    house.gateway.set_down(true);
    house.advance(Duration::minutes(6));
    let calls = house.gateway.calls();
    for _ in 0..10 {
        house.app.step_events().await.unwrap();
        house.advance(Duration::minutes(5));
    }
    assert_eq!(house.gateway.calls() - calls, 1);
}

/// A server whose clock was an hour ahead has noted until when it read.
async fn a_clock_that_was_ahead_hides_no_event(on: On) {
    let house = House::open(on).await;
    let bought = house.buy(1).await;
    house.gateway.pay(&bought.session, CARD);
    let account = house.app.gateway_accounts().await.remove(0);
    let ahead = GatewayAccount {
        events_read_to: house.app.clock.now().after(Duration::hours(1)),
        ..GatewayAccount::clone(&account)
    };
    house.app.write(&Changes { gateway_accounts: vec![ahead], ..Changes::default() }).await.unwrap();
    let node = house.other_node().await;
    assert!(node.step_events().await.unwrap() > 0);
    house.work().await;
    assert_eq!(house.standing(bought.order).await, "paid 0 | succeeded | - | - | active");
}

/// One such shop is asked for before this one and one behind it: who stands first in a round must not matter.
async fn a_gateway_that_never_answers_keeps_its_own_shop_alone(on: On) {
    let before = House::open(on).await;
    let house = before.neighbour("sk_test_between").await;
    let behind = before.neighbour("sk_test_behind").await;
    before.buy(1).await;
    behind.buy(1).await;
    for key in [KEY, "sk_test_behind"] {
        house.gateway.set_silent(key);
    }
    delivers_beside_silence(&house, Duration::minutes(6), App::step_events).await;
    delivers_beside_silence(&house, Duration::minutes(10), App::step_payments).await;
}

/// Somebody pays, and the next round delivers it while it waits for those that never answer.
async fn delivers_beside_silence(
    house: &House,
    next: Duration,
    round: impl AsyncFnOnce(&App) -> Result<usize, app::Error>,
) {
    let bought = house.buy(1).await;
    house.gateway.pay(&bought.session, CARD);
    house.advance(next);
    let paid = async {
        while house.standing(bought.order).await != "paid 0 | succeeded | - | - | active" {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        told = round(&house.app) => panic!("{told:?}, although two never answer"),
        waited = tokio::time::timeout(std::time::Duration::from_secs(30), paid) => waited.expect("nobody asks about it"),
    }
}

on_both_engines![
    the_event_list_of_an_account_that_rests_is_read_to_its_end,
    a_clock_that_was_ahead_hides_no_event,
    a_gateway_that_never_answers_keeps_its_own_shop_alone,
];

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

/// The answer to the first call is lost, and the buyer corrects what was typed and presses pay again.
async fn a_page_is_opened_as_it_was_asked_for_first(on: On) {
    let house = House::open(on).await;
    house.gateway.faults(&json!({ "no_answer": 100 }));
    let sale = house.submit(1).await;
    let buyer = BuyerDetails {
        email: email("corrected@shop.test"),
        name: Some("Ada Byron".to_owned()),
        country: Country::US,
        locale: Locale::parse("de").unwrap(),
        immediate_supply: true,
        accepts_later: true,
        answers: std::collections::BTreeMap::new(),
    };
    let again = house.app.submit_checkout(&house.shop, sale.checkout.id, &buyer).await.unwrap();
    assert_eq!(again.payment.id, sale.payments[0].id, "it is still open, so it is gone on with");
    house.gateway.faults(&json!({}));
    house.advance(Duration::minutes(10));
    house.work().await;
    let corrected = house.sale(sale.order.id).await;
    assert_eq!((corrected.payments.len(), corrected.payments[0].state), (1, PaymentState::Sent));
    assert_eq!(corrected.payments[0].opening, None, "what was asked is kept no longer than it is needed");
    let session = corrected.payments[0].page_reference.clone().expect("the page of the first call was found");
    house.gateway.pay(&session, CARD);
    house.deliver_all().await;
    house.work().await;
    assert_eq!(house.standing(sale.order.id).await, "paid 0 | succeeded | - | - | active");
    assert_eq!(house.deliveries(sale.order.id).await[0].to, buyer.email, "the mail goes to the corrected address");
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

/// Somebody who has not paid opens the page to which the gateway sends buyers back, again and again.
async fn a_visitor_asks_rarely(on: On) {
    for (is_down, reloads, seconds_between, calls) in [(false, 20, 0, 1), (false, 20, 1, 4), (true, 20, 1, 4)] {
        let house = House::open(on).await;
        let bought = house.buy(1).await;
        let before = house.sale(bought.order).await.payments.remove(0);
        house.gateway.set_down(is_down);
        let calls_before = house.gateway.calls();
        for _ in 0..reloads {
            let returns = || house.app.return_from_gateway(house.shop.id, bought.order);
            let (one, other) = futures::join!(returns(), returns());
            one.unwrap();
            other.unwrap();
            house.advance(Duration::seconds(seconds_between));
        }
        let row = (is_down, reloads, seconds_between);
        assert_eq!(house.gateway.calls() - calls_before, calls, "{row:?}");
        let after = house.sale(bought.order).await.payments.remove(0);
        assert_eq!((after.checks, after.check_at), (before.checks, before.check_at), "{row:?}");

        // The sweep still asks when it would have asked, and counts.
        house.gateway.set_down(false);
        house.advance(Duration::minutes(6));
        house.app.step_payments().await.unwrap();
        let swept = house.sale(bought.order).await.payments.remove(0);
        assert_eq!((swept.checks, swept.check_at > before.check_at), (1, true), "{row:?}");
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

#[tokio::test]
async fn a_visitor_who_reloads_neither_floods_the_gateway_nor_slows_the_sweep_on_sqlite() {
    a_visitor_asks_rarely(On::Sqlite).await;
}

#[tokio::test]
async fn a_visitor_who_reloads_neither_floods_the_gateway_nor_slows_the_sweep_on_postgres() {
    a_visitor_asks_rarely(On::Postgres).await;
}

#[tokio::test]
async fn a_page_is_opened_as_it_was_asked_for_first_whatever_is_corrected_on_sqlite() {
    a_page_is_opened_as_it_was_asked_for_first(On::Sqlite).await;
}

#[tokio::test]
async fn a_page_is_opened_as_it_was_asked_for_first_whatever_is_corrected_on_postgres() {
    a_page_is_opened_as_it_was_asked_for_first(On::Postgres).await;
}
