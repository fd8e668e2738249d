//! After a restore: gateways are asked until all of them have told, and no mail about an old order leaves meanwhile.

use std::sync::Arc;

use domain::{DeliveryState, Duration, RefundReason};

use app::{App, RefundInput};

use crate::house::{CARD, House, On};

impl House {
    /// The same rows and doors, as if they came from a backup of just now.
    async fn restore(&mut self) {
        let now = self.app.clock.now();
        let engine = Arc::clone(self.app.store.engine());
        store::restore::settle_restored(engine.as_ref(), now, now).await.unwrap();
        self.start_again().await;
    }

    /// What was known in memory alone is gone.
    async fn start_again(&mut self) {
        let old = &self.app;
        self.app = App::start(
            old.store.clone(),
            Arc::clone(&old.http),
            Arc::clone(&old.mailer),
            old.clock.clone(),
            old.entropy.clone(),
            app::Catalog::new(None).unwrap(),
            old.settings.clone(),
        )
        .await
        .unwrap();
    }
}

async fn mails_are_held_until_every_gateway_has_told(on: On) {
    let mut house = House::open(on).await;
    let refunded = house.buy_and_pay(1).await;
    house.work().await;
    let open = house.buy(1).await;
    house.advance(Duration::minutes(1));
    house.restore().await;
    let sent = house.post.arrived().len();
    assert_eq!(sent, 1);

    // The gateway is down: nothing is known, and it is not asked in a circle.
    house.gateway.set_down(true);
    assert!(!house.app.recover().await.unwrap());
    assert!(!house.app.recover().await.unwrap());
    // One that is paid meanwhile is paid, and its buyer may have a mail from the other life.
    house.gateway.set_down(false);
    house.gateway.pay(&open.session, CARD);
    house.deliver_all().await;
    assert_eq!(house.standing(open.order).await, "paid 0 | succeeded | - | - | active");
    let refund = RefundInput { id: None, amount: None, reason: RefundReason::RequestedByCustomer, revoke: None };
    house.app.refund_order(house.shop.id, refunded.order, refund, domain::Actor::System).await.unwrap();
    house.work().await;
    assert_eq!(house.post.arrived().len(), sent, "nothing has left");
    let held = house.app.held_mails(house.shop.id).await.unwrap();
    assert!(held.iter().any(|mail| mail.order == Some(open.order)));
    // An order from now on is nobody's from before.
    house.advance(Duration::seconds(1));
    let new = house.buy_and_pay(1).await;
    house.work().await;
    assert_eq!(house.post.arrived().len(), sent + 1);
    assert_eq!(house.deliveries(new.order).await[0].state, DeliveryState::Sent);

    house.start_again().await;
    assert!(house.app.is_recovering(), "it is not forgotten by a start");
    house.advance(Duration::minutes(2));
    assert!(house.app.recover().await.unwrap());
    assert!(!house.app.is_recovering());
    house.work().await;
    assert_eq!(house.post.arrived().len(), sent + 1, "what was held stays held");
    // Let go, each leaves once.
    for mail in &held {
        house.app.send_held_mail(house.shop.id, mail.id).await.unwrap();
        assert!(house.app.send_held_mail(house.shop.id, mail.id).await.is_err());
    }
    house.work().await;
    house.work().await;
    assert_eq!(house.post.arrived().len(), sent + 1 + held.len());
    house.assert_lawful(&[refunded.order, open.order, new.order]).await;
}

#[tokio::test]
async fn after_a_restore_mails_are_held_until_every_gateway_has_told_on_sqlite() {
    mails_are_held_until_every_gateway_has_told(On::Sqlite).await;
}

#[tokio::test]
async fn after_a_restore_mails_are_held_until_every_gateway_has_told_on_postgres() {
    mails_are_held_until_every_gateway_has_told(On::Postgres).await;
}
