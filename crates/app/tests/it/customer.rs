//! An address that was mistyped at the till is corrected: what comes after goes to the right one.

use domain::{Actor, EventKind, Refusal};

use crate::house::{CARD, House, On, Says, email};

async fn an_address_is_corrected(on: On) {
    let house = House::open(on).await;
    let (shop, right) = (house.shop.id, email("right@shop.test"));
    let bought = house.buy(1).await;
    house.gateway.pay(&bought.session, CARD);
    house.deliver_all().await;
    let customer = house.sale(bought.order).await.order.customer.unwrap();
    let wrong = house.sale(bought.order).await.order.email.unwrap();
    let correct = || house.app.correct_email(shop, customer, &right, "a typo", Actor::Api);

    // The mail waits, for its server would not take it yet.
    house.post.will_say(&[Says::Later]);
    house.work().await;
    let corrected = correct().await.unwrap();
    assert_eq!(corrected.email, right);
    assert_eq!(correct().await.unwrap(), corrected, "asked for twice, done once");
    house.advance(domain::Duration::hours(1));
    house.work().await;
    let to: Vec<_> = house.post.arrived().into_iter().map(|mail| mail.to).collect();
    assert_eq!(to, std::slice::from_ref(&right), "a mail that had not left goes to the right address");
    assert_eq!(house.sale(bought.order).await.order.email.as_ref(), Some(&right));
    let events = house.app.store.order_events(shop, bought.order).await.unwrap();
    let told: Vec<_> = events.iter().filter(|event| event.kind == EventKind::CustomerChanged).collect();
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0].data["reason"], told[0].actor), (&serde_json::json!("a typo"), Actor::Api));
    assert_eq!(told[0].data["before"], serde_json::json!(wrong.masked()), "the journal keeps no address");

    assert_eq!(house.app.resend_to_customer(shop, customer, Actor::Api).await.unwrap(), 1);
    house.work().await;
    assert_eq!(house.post.arrived().len(), 2);

    // What the gateway tells later goes there as well.
    let intent = house.intent(bought.order).await;
    house.gateway.dashboard("/v1/refunds", &format!("payment_intent={intent}"));
    house.deliver_all().await;
    house.work().await;
    assert!(house.post.arrived().iter().all(|mail| mail.to == right));
    assert_eq!(house.post.arrived().len(), 3);

    let other = house.buy(1).await;
    let other = house.sale(other.order).await.order.customer.unwrap();
    let taken = house.app.correct_email(shop, other, &email("RIGHT@shop.test"), "a typo", Actor::Api).await;
    assert_eq!(taken, Err(Refusal::EmailTaken.into()));
    house.assert_lawful(&[bought.order]).await;
}

#[tokio::test]
async fn a_mistyped_address_is_corrected_on_sqlite() {
    an_address_is_corrected(On::Sqlite).await;
}

#[tokio::test]
async fn a_mistyped_address_is_corrected_on_postgres() {
    an_address_is_corrected(On::Postgres).await;
}
