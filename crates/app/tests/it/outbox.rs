//! Mail leaves after the commit that needs it: tried again with the same
//! content, refusals shown, and never lost when the server dies in between.

use app::RefundInput;
use domain::{Actor, DeliveryState, Duration, LicenseState, RefundId, RefundReason, RefundState};
use futures::future::{Either, select};

use crate::house::{CARD, CARD_WHOSE_REFUND_FAILS, House, On, Says, email};

async fn a_refused_mail_is_shown(on: On) {
    let house = House::open(on).await;
    house.post.will_say(&[Says::Never]);
    let bought = house.buy_and_pay(1).await;
    let delivery = house.deliveries(bought.order).await.remove(0);
    assert_eq!((delivery.state, delivery.last_error.as_deref()), (DeliveryState::Refused, Some("550 no such mailbox")));
    assert_eq!(house.license_states(bought.order).await, [LicenseState::Active]);
    assert_eq!(house.post.arrived().len(), 0);
}

async fn a_mail_is_tried_again(on: On) {
    let house = House::open(on).await;
    house.post.will_say(&[Says::Later, Says::Later]);
    let bought = house.buy_and_pay(1).await;
    let waiting = house.deliveries(bought.order).await.remove(0);
    assert_eq!((waiting.state, waiting.attempts), (DeliveryState::Queued, 1));
    assert_eq!(waiting.last_error.as_deref(), Some("greylisted"));
    for _ in 0..2 {
        house.advance(Duration::hours(2));
        house.work().await;
    }
    let sent = house.deliveries(bought.order).await.remove(0);
    assert_eq!((sent.state, sent.attempts), (DeliveryState::Sent, 3));
    let arrived = house.post.arrived();
    assert_eq!(arrived.len(), 1);
    let key = house.app.store.license_keys(house.shop.id, bought.order).await.unwrap().remove(0).1;
    assert!(arrived[0].text.contains(&key.to_string()), "the mail carries the key");
}

/// The server dies after the mail server took the mail, before that is written down.
async fn a_mail_of_a_dying_server_is_sent_again(on: On) {
    let house = House::open(on).await;
    let bought = house.buy(1).await;
    house.gateway.pay(&bought.session, CARD);
    house.deliver_all().await;
    house.post.will_say(&[Says::Nothing]);
    let taken = async {
        while house.post.arrived().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    match select(Box::pin(house.app.step_outbox()), Box::pin(taken)).await {
        Either::Left((step, _)) => panic!("the mail server never answered, and the step ended with {step:?}"),
        // What is dropped here is the server's work, in the middle.
        Either::Right(((), step)) => drop(step),
    }
    assert_eq!(house.deliveries(bought.order).await[0].state, DeliveryState::Queued);
    house.work().await;
    assert_eq!(house.post.arrived().len(), 1, "the lease of the dead still holds");
    house.advance(Duration::minutes(10));
    house.work().await;
    let arrived = house.post.arrived();
    assert_eq!(arrived.len(), 2);
    assert_eq!((&arrived[0].delivery, &arrived[0].text), (&arrived[1].delivery, &arrived[1].text));
    assert_eq!(house.deliveries(bought.order).await[0].state, DeliveryState::Sent);
    house.assert_lawful(&[bought.order]).await;
}

async fn a_refund_that_is_asked_for_twice_goes_back_once(on: On) {
    let house = House::open(on).await;
    let bought = house.buy_and_pay(1).await;
    let id = RefundId::mint(house.app.clock.now(), &mut house.app.entropy.rng());
    let input = RefundInput { id: Some(id), amount: None, reason: RefundReason::Duplicate, revoke: None };
    let ask = || house.app.refund_order(house.shop.id, bought.order, input, Actor::System);
    let (first, second) = futures::join!(ask(), ask());
    first.unwrap();
    second.unwrap();
    ask().await.unwrap();
    house.deliver_all().await;
    house.work().await;
    let end = "refunded 4900 | succeeded | 4900 duplicate succeeded | - | revoked_by_refund";
    assert_eq!(house.standing(bought.order).await, end);
    house.assert_lawful(&[bought.order]).await;
}

/// The mail server takes its time: what was not begun is anybody's, and money goes back meanwhile.
async fn a_slow_mail_server_holds_up_neither_other_nodes_nor_refunds(on: On) {
    let house = House::open(on).await;
    let paid = house.buy_and_pay(1).await;
    let mails = 40;
    for _ in 0..mails {
        let bought = house.buy(1).await;
        house.gateway.pay(&bought.session, CARD);
    }
    house.deliver_all().await;
    let input = RefundInput { id: None, amount: None, reason: RefundReason::RequestedByCustomer, revoke: None };
    house.gateway.set_down(true);
    house.app.refund_order(house.shop.id, paid.order, input, Actor::System).await.unwrap();
    house.gateway.set_down(false);
    house.advance(Duration::seconds(10));
    let before = house.post.arrived().len();
    house.post.will_say(&[Says::Slowly; 100]);
    // A mail is begun, or anybody may take it; and the refund has one of its own.
    let is_shared = async || {
        let begun = u64::try_from(house.post.arrived().len() - before).unwrap();
        begun + house.app.store.waiting_jobs(house.app.clock.now()).await.unwrap().count == mails + 1
    };
    let meanwhile = async {
        while house.sale(paid.order).await.refunds[0].state == RefundState::Created || !is_shared().await {
            tokio::task::yield_now().await;
        }
    };
    match select(Box::pin(house.app.step_outbox()), Box::pin(meanwhile)).await {
        Either::Left((step, _)) => panic!("nobody waited for the mail server: {step:?}"),
        Either::Right(((), step)) => {
            house.post.hurry();
            step.await.unwrap();
        }
    }
    house.deliver_all().await;
    house.work().await;
    assert_eq!(house.post.arrived().len() - before, 41, "each mail once, and the one about the refund");
}

/// A mistake of ours in one job costs neither the job nor the others.
async fn a_job_that_ends_in_a_mistake_waits_and_the_others_go_on(on: On) {
    let house = House::open(on).await;
    house.post.will_say(&[Says::Nonsense]);
    let bought = [house.buy(1).await, house.buy(1).await];
    for bought in &bought {
        house.gateway.pay(&bought.session, CARD);
    }
    house.deliver_all().await;
    house.work().await;
    assert_eq!(house.post.arrived().len(), 1);
    house.advance(Duration::minutes(1));
    house.work().await;
    assert_eq!(house.post.arrived().len(), 2);
    house.assert_lawful(&bought.map(|bought| bought.order)).await;
}

on_both_engines![
    a_slow_mail_server_holds_up_neither_other_nodes_nor_refunds,
    a_job_that_ends_in_a_mistake_waits_and_the_others_go_on,
];

/// Somebody changes what a mail is about while the mail server takes it: that is no reason to wait.
async fn a_job_that_collides_is_done_again_at_once(on: On) {
    let house = House::open(on).await;
    let bought = house.buy(1).await;
    house.gateway.pay(&bought.session, CARD);
    house.deliver_all().await;
    house.post.will_say(&[Says::Slowly]);
    let right = email("right@shop.test");
    let correct = async {
        while house.post.arrived().is_empty() {
            tokio::task::yield_now().await;
        }
        let customer = house.sale(bought.order).await.order.customer.unwrap();
        house.app.correct_email(house.shop.id, customer, &right, "a typo", Actor::Api).await.unwrap();
        house.post.hurry();
    };
    let (worked, ()) = futures::join!(house.app.step_outbox(), correct);
    worked.unwrap();
    let delivery = house.deliveries(bought.order).await.remove(0);
    assert_eq!((delivery.state, &delivery.to), (DeliveryState::Sent, &right), "and no time has passed");
    let to: Vec<_> = house.post.arrived().into_iter().map(|mail| mail.to).collect();
    assert_eq!((to.len(), to.last()), (2, Some(&right)));
    house.assert_lawful(&[bought.order]).await;
}

#[tokio::test]
async fn a_job_that_collides_is_done_again_at_once_on_sqlite() {
    a_job_that_collides_is_done_again_at_once(On::Sqlite).await;
}

#[tokio::test]
async fn a_job_that_collides_is_done_again_at_once_on_postgres() {
    a_job_that_collides_is_done_again_at_once(On::Postgres).await;
}

/// All of the money goes back before the mail has left, and the refund bounces: before the mail leaves, or after.
async fn keys_that_work_again_are_mailed(on: On) {
    for bounces_first in [true, false] {
        let house = House::open(on).await;
        let bought = house.buy(1).await;
        house.gateway.pay(&bought.session, CARD_WHOSE_REFUND_FAILS);
        house.deliver_all().await;
        let intent = house.intent(bought.order).await;
        house.gateway.dashboard("/v1/refunds", &format!("payment_intent={intent}"));
        house.deliver_all().await;
        assert_eq!(house.license_states(bought.order).await, [LicenseState::RevokedByRefund], "{bounces_first}");
        let key = house.app.store.license_keys(house.shop.id, bought.order).await.unwrap().remove(0).1.to_string();
        let with_key = || house.post.arrived().iter().filter(|mail| mail.text.contains(&key)).count();
        if !bounces_first {
            house.work().await;
            assert!(!house.post.arrived().is_empty());
            assert_eq!(with_key(), 0, "a key that does not work is not mailed");
        }
        house.advance(Duration::hours(1));
        house.gateway.truth();
        house.deliver_all().await;
        assert_eq!(house.license_states(bought.order).await, [LicenseState::Active], "{bounces_first}");
        house.work().await;
        assert_eq!(with_key(), 1, "{bounces_first}");
        house.assert_lawful(&[bought.order]).await;
    }
}

#[tokio::test]
async fn keys_that_work_again_and_were_never_mailed_are_mailed_on_sqlite() {
    keys_that_work_again_are_mailed(On::Sqlite).await;
}

#[tokio::test]
async fn keys_that_work_again_and_were_never_mailed_are_mailed_on_postgres() {
    keys_that_work_again_are_mailed(On::Postgres).await;
}

#[tokio::test]
async fn a_mail_that_is_refused_is_shown_on_sqlite() {
    a_refused_mail_is_shown(On::Sqlite).await;
}

#[tokio::test]
async fn a_mail_that_is_refused_is_shown_on_postgres() {
    a_refused_mail_is_shown(On::Postgres).await;
}

#[tokio::test]
async fn a_mail_that_is_put_off_is_sent_later_on_sqlite() {
    a_mail_is_tried_again(On::Sqlite).await;
}

#[tokio::test]
async fn a_mail_that_is_put_off_is_sent_later_on_postgres() {
    a_mail_is_tried_again(On::Postgres).await;
}

#[tokio::test]
async fn a_mail_whose_server_died_is_sent_again_as_it_was_on_sqlite() {
    a_mail_of_a_dying_server_is_sent_again(On::Sqlite).await;
}

#[tokio::test]
async fn a_mail_whose_server_died_is_sent_again_as_it_was_on_postgres() {
    a_mail_of_a_dying_server_is_sent_again(On::Postgres).await;
}

#[tokio::test]
async fn a_refund_asked_for_twice_by_its_name_goes_back_once_on_sqlite() {
    a_refund_that_is_asked_for_twice_goes_back_once(On::Sqlite).await;
}

#[tokio::test]
async fn a_refund_asked_for_twice_by_its_name_goes_back_once_on_postgres() {
    a_refund_that_is_asked_for_twice_goes_back_once(On::Postgres).await;
}
