//! Every way of learning of a payment ends in the same rows.

use domain::{Actor, Duration};

use crate::house::{Bought, CARD, House, On};

#[derive(Debug, Clone, Copy)]
enum Way {
    Webhook,
    Return,
    Sweep,
    List,
    SupportButton,
}

const WAYS: [Way; 5] = [Way::Webhook, Way::Return, Way::Sweep, Way::List, Way::SupportButton];

async fn learn(house: &House, bought: &Bought, way: Way) {
    let shop = house.shop.id;
    match way {
        Way::Webhook => house.deliver_all().await,
        Way::Return => {
            house.app.return_from_gateway(shop, bought.order).await.unwrap();
        }
        Way::Sweep => {
            house.advance(Duration::minutes(10));
            house.app.step_payments().await.unwrap();
        }
        Way::List => {
            house.app.catch_up().await.unwrap();
        }
        Way::SupportButton => {
            house.app.ask_payment(shop, bought.payment, Actor::System).await.unwrap();
        }
    }
}

async fn every_way_ends_the_same(on: On) {
    for first in WAYS {
        let house = House::open(on).await;
        let bought = house.buy(2).await;
        house.gateway.pay(&bought.session, CARD);
        learn(&house, &bought, first).await;
        let issued = house.sale(bought.order).await.licenses;
        assert_eq!(issued.len(), 2, "{first:?}");
        // And whatever comes after it finds nothing to do.
        for next in WAYS {
            learn(&house, &bought, next).await;
        }
        house.work().await;
        assert_eq!(house.standing(bought.order).await, "paid 0 | succeeded | - | - | active active", "{first:?}");
        let licenses = house.sale(bought.order).await.licenses;
        assert!(licenses.iter().map(|license| license.id).eq(issued.iter().map(|license| license.id)), "{first:?}");
        assert_eq!(house.deliveries(bought.order).await.len(), 1, "{first:?}");
        house.assert_lawful(&[bought.order]).await;
    }
}

#[tokio::test]
async fn every_way_of_learning_of_a_payment_ends_the_same_on_sqlite() {
    every_way_ends_the_same(On::Sqlite).await;
}

#[tokio::test]
async fn every_way_of_learning_of_a_payment_ends_the_same_on_postgres() {
    every_way_ends_the_same(On::Postgres).await;
}
