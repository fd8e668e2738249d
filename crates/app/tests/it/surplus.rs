//! An order that is paid twice: the second payment goes back by itself, and where that fails a person is told and can
//! send it again.

use app::{RefundInput, Severity};
use domain::{Actor, Duration, RefundReason, RefundState, Refusal};

use crate::house::{Bought, CARD, CARD_WHOSE_REFUND_FAILS, House, On};

/// A second page for an order whose first is thought to be closed, and can still be paid.
async fn two_pages(house: &House) -> [Bought; 2] {
    let first = house.buy(2).await;
    let other = house.buy(2).await;
    house.gateway.dashboard(&format!("/v1/checkout/sessions/{}/expire", other.session), "");
    let now = house.app.clock.now();
    let closed = house.gateway.webhooks().into_iter().find(|webhook| webhook.kind == "checkout.session.expired");
    let closed = closed
        .expect("the page was closed")
        .altered(&other.session, &first.session, now)
        .altered(&other.order.to_string(), &first.order.to_string(), now)
        .altered(&other.payment.to_string(), &first.payment.to_string(), now);
    house.receive(&closed).await;
    let again = house.app.retry_payment(&house.shop, first.order).await.unwrap().payment;
    let session = again.page_reference.expect("the page is open");
    let second = Bought { order: first.order, payment: again.id, session };
    [first, second]
}

async fn what_could_not_go_back_is_named(on: On) {
    let house = House::open(on).await;
    let named = async || {
        let findings = house.app.examine().await.unwrap();
        findings.into_iter().filter(|finding| finding.check == "surplus").collect::<Vec<_>>()
    };
    let give_back = |amount| {
        let input = RefundInput { id: None, amount, reason: RefundReason::SurpriseCapture, revoke: Some(true) };
        let (app, shop) = (&house.app, house.shop.id);
        async move |order| app.refund_order(shop, order, input, Actor::Api).await
    };
    let [first, second] = two_pages(&house).await;
    let order = first.order;
    house.gateway.pay(&first.session, CARD);
    house.deliver_all().await;
    house.gateway.pay(&second.session, CARD_WHOSE_REFUND_FAILS);
    house.deliver_all().await;
    house.work().await;
    let end = "paid 0 | succeeded succeeded | 9800 surprise_capture succeeded | - | active active";
    assert_eq!(house.standing(order).await, end);
    assert_eq!(named().await, [], "it goes back by itself");
    let refused = give_back(None)(order).await.map(|_| ());
    assert_eq!(refused, Err(Refusal::NoSurplus.into()));

    // Days later the bank sends it back.
    house.advance(Duration::hours(1));
    house.gateway.truth();
    house.deliver_all().await;
    let end = "paid 0 | succeeded succeeded | 9800 surprise_capture failed | - | active active";
    assert_eq!(house.standing(order).await, end);
    let findings = named().await;
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].severity, Severity::Warning);
    assert!(findings[0].found.contains(&order.to_string()) && findings[0].found.contains("98.00"), "{findings:?}");

    // A part, then the rest; the licenses were paid by the other payment.
    let total = house.sale(order).await.order.total;
    let part = money::Money::new(100, total.currency());
    give_back(Some(part))(order).await.unwrap();
    let findings = named().await;
    assert!(findings.len() == 1 && findings[0].found.contains("97.00"), "{findings:?}");
    give_back(None)(order).await.unwrap();
    assert_eq!(named().await, []);
    let sale = house.sale(order).await;
    let back: i64 = sale
        .refunds
        .iter()
        .filter(|refund| refund.payment == second.payment && refund.state == RefundState::Succeeded)
        .map(|refund| refund.amount.minor())
        .sum();
    assert_eq!((back, sale.order.refunded.minor()), (total.minor(), 0));
    assert!(sale.licenses.iter().all(|license| license.state == domain::LicenseState::Active));
    house.assert_lawful(&[order]).await;
}

#[tokio::test]
async fn a_surplus_that_could_not_go_back_is_named_and_can_be_sent_again_on_sqlite() {
    what_could_not_go_back_is_named(On::Sqlite).await;
}

#[tokio::test]
async fn a_surplus_that_could_not_go_back_is_named_and_can_be_sent_again_on_postgres() {
    what_could_not_go_back_is_named(On::Postgres).await;
}
