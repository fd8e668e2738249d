//! However often and however close together a payment is told of, each unit
//! is issued once and one mail carries the keys.

use domain::{Actor, Duration};
use futures::future::join_all;

use crate::house::{CARD, House, On, Webhook};

const DELIVERIES: usize = 200;

const PAID: &str = "paid 0 | succeeded | - | - | active active";

async fn one_event_at_once(on: On) {
    let house = House::open(on).await;
    let bought = house.buy(2).await;
    house.gateway.pay(&bought.session, CARD);
    let event = told_of_payment(&house.gateway.webhooks());
    join_all((0..DELIVERIES).map(|_| house.receive(&event))).await;
    house.work().await;
    assert_eq!(house.standing(bought.order).await, PAID);
    assert_eq!(house.deliveries(bought.order).await.len(), 1);
    assert_eq!(house.notices("applied").await.len(), 1);
    house.assert_lawful(&[bought.order]).await;
}

async fn every_way_at_once(on: On) {
    let house = House::open(on).await;
    let bought = house.buy(2).await;
    // By then the sweep and the event list are due as well.
    house.advance(Duration::minutes(10));
    house.gateway.pay(&bought.session, CARD);
    let webhooks = house.gateway.webhooks();
    let (shop, order, payment) = (house.shop.id, bought.order, bought.payment);
    let deliveries = join_all((0..3).flat_map(|_| &webhooks).map(|webhook| house.receive(webhook)));
    let (_, returned, asked, swept, listed) = futures::join!(
        deliveries,
        house.app.return_from_gateway(shop, order),
        house.app.ask_payment(shop, payment, Actor::System),
        house.app.step_payments(),
        house.app.step_events(),
    );
    // Who loses too many races is told so, and whatever was left is a notice or a job.
    let failed = [returned.err(), asked.err(), swept.err(), listed.err()].into_iter().flatten();
    assert!(failed.map(|error| error.to_string()).all(|error| error.contains("too many changes")));
    house.work().await;
    assert_eq!(house.standing(order).await, PAID);
    assert_eq!(house.deliveries(order).await.len(), 1);
    house.assert_lawful(&[order]).await;
}

/// The event that the page was paid.
pub(crate) fn told_of_payment(webhooks: &[Webhook]) -> Webhook {
    webhooks.iter().find(|webhook| webhook.kind == "checkout.session.completed").expect("the page was paid").clone()
}

#[tokio::test]
async fn one_event_delivered_many_times_at_once_issues_once_on_sqlite() {
    one_event_at_once(On::Sqlite).await;
}

#[tokio::test]
async fn one_event_delivered_many_times_at_once_issues_once_on_postgres() {
    one_event_at_once(On::Postgres).await;
}

#[tokio::test]
async fn webhooks_return_sweep_list_and_support_button_together_issue_once_on_sqlite() {
    every_way_at_once(On::Sqlite).await;
}

#[tokio::test]
async fn webhooks_return_sweep_list_and_support_button_together_issue_once_on_postgres() {
    every_way_at_once(On::Postgres).await;
}
