//! Giving money back from the console, from the form to the gateway's truth.

use axum::http::StatusCode;
use domain::{LicenseState, OrderState, RefundReason, RefundState, Sale};

use super::desk;
use crate::support::{Browser, Page, World};

/// Types an amount and says yes on the page that asks to confirm.
async fn give_back(staff: &mut Browser, sale: &Sale, amount: &str, revoke: &str) -> Page {
    let path = format!("{}/refund", desk(sale));
    let form = [("amount", amount), ("reason", "requested_by_customer"), ("revoke", revoke)];
    let asked = staff.post(&path, &form).await.is(StatusCode::OK);
    confirm(staff, &path, &asked).await
}

async fn confirm(staff: &mut Browser, path: &str, asked: &Page) -> Page {
    let names = ["refund", "amount", "reason", "revoke"];
    let fields: Vec<(&str, String)> = names.iter().map(|name| (*name, asked.hidden(name))).collect();
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    staff.post(path, &fields).await.is(StatusCode::SEE_OTHER)
}

#[tokio::test]
async fn a_refund_is_asked_back_before_money_moves_and_moves_once() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let (_, order) = world.bought("lumen-pro", "1").await;
    let sale = world.sale(&order).await;
    let path = format!("{}/refund", desk(&sale));

    // With a comma, as half of Europe types it.
    let form = [("amount", "10,50"), ("reason", "duplicate"), ("revoke", "")];
    let asked = staff.post(&path, &form).await.is(StatusCode::OK);
    for text in [
        "Give back €10.50?",
        "€88.50",
        "Paid twice",
        "ada@example.com",
        sale.order.number.as_str(),
        "End them when everything has been given back",
    ] {
        assert!(asked.has(text), "{text} is not on {}", asked.text);
    }
    assert!(world.sale(&order).await.refunds.is_empty(), "asking moves nothing");

    for _ in 0..3 {
        let done = confirm(&mut staff, &path, &asked).await;
        assert_eq!(done.location(), format!("{}?told=refunded", desk(&sale)));
    }
    world.settle().await;
    let after = world.sale(&order).await;
    assert_eq!(after.refunds.len(), 1, "one page to confirm is one refund");
    let refund = &after.refunds[0];
    assert_eq!(
        (refund.amount.minor(), refund.state, refund.reason),
        (1_050, RefundState::Succeeded, RefundReason::Duplicate)
    );
    assert_eq!(after.order.state, OrderState::PartiallyRefunded);
    assert_eq!(after.licenses[0].state, LicenseState::Active);
    let page = staff.get(&format!("{}?told=refunded", desk(&sale))).await;
    assert!(
        page.has("The refund is on its way.") && page.has("€10.50 given back") && page.has("value=\"88.50\""),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn the_rest_given_back_ends_the_licenses_unless_somebody_keeps_them() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    #[rustfmt::skip]
    let rows = [
        // typed,   licenses,  order afterwards,               license afterwards
        ("99.00",   "",        OrderState::Refunded,           LicenseState::RevokedByRefund),
        ("99",      "keep",    OrderState::Refunded,           LicenseState::Active),
        ("1",       "revoke",  OrderState::PartiallyRefunded,  LicenseState::RevokedByRefund),
        (" 98.99 ", "",        OrderState::PartiallyRefunded,  LicenseState::Active),
    ];
    for (amount, revoke, state, license) in rows {
        let (_, order) = world.bought("lumen-pro", "1").await;
        let sale = world.sale(&order).await;
        give_back(&mut staff, &sale, amount, revoke).await;
        world.settle().await;
        let after = world.sale(&order).await;
        assert_eq!((after.order.state, after.licenses[0].state), (state, license), "{amount} {revoke}");
        let page = staff.get(&desk(&sale)).await.is(StatusCode::OK);
        assert_eq!(page.has("Give money back"), state == OrderState::PartiallyRefunded, "{amount} {revoke}");
    }
}

#[tokio::test]
async fn what_cannot_be_given_back_is_told_with_its_cause_and_nothing_typed_is_lost() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let (_, order) = world.bought("lumen-pro", "1").await;
    let sale = world.sale(&order).await;
    let path = format!("{}/refund", desk(&sale));
    #[rustfmt::skip]
    let rows = [
        ("0",                    "Enter an amount above zero, at most €99.00."),
        ("0.00",                 "Enter an amount above zero, at most €99.00."),
        ("-5",                   "Enter an amount above zero, at most €99.00."),
        ("99.01",                "At most €99.00 can be given back."),
        ("1e2",                  "Enter an amount as 19.99, at most €99.00."),
        ("",                     "Enter an amount as 19.99, at most €99.00."),
        ("ten",                  "Enter an amount as 19.99, at most €99.00."),
        ("1.234",                "Enter an amount as 19.99, at most €99.00."),
        ("1.000,00",             "Enter an amount as 19.99, at most €99.00."),
        ("99999999999999999999", "Enter an amount as 19.99, at most €99.00."),
    ];
    for (amount, cause) in rows {
        let form = [("amount", amount), ("reason", "fraudulent"), ("revoke", "keep")];
        let page = staff.post(&path, &form).await.is(StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.has(cause), "{amount}: {}", page.text);
        assert!(
            page.title().starts_with("Error:") && page.has("href=\"#amount\"") && page.has("<details open>"),
            "{amount}"
        );
        assert!(page.has(&format!("value=\"{amount}\"")), "{amount} was typed");
        assert!(page.has("value=\"fraudulent\" selected") && page.has("value=\"keep\" checked"), "{amount}");
    }
    assert!(world.sale(&order).await.refunds.is_empty());

    // Between asking and confirming somebody else gave it back.
    let form = [("amount", "99"), ("reason", "requested_by_customer"), ("revoke", "")];
    let asked = staff.post(&path, &form).await.is(StatusCode::OK);
    give_back(&mut staff, &sale, "50", "").await;
    let fields = [("refund", asked.hidden("refund")), ("amount", asked.hidden("amount"))];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let late = staff.post(&path, &fields).await.is(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(late.has("At most €49.00 can be given back."), "{}", late.text);
    assert_eq!(world.sale(&order).await.refunds.len(), 1);

    let (_, unpaid) = world.unpaid("lumen-pro", "1").await;
    assert!(!staff.get(&desk(&unpaid)).await.has("Give money back"));
    let page = staff.post(&format!("{}/refund", desk(&unpaid)), &form).await.is(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.has("This order has not been paid"), "{}", page.text);
}

#[tokio::test]
async fn a_refund_that_the_gateway_has_not_heard_of_is_kept_and_told() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let (_, order) = world.bought("lumen-pro", "1").await;
    let sale = world.sale(&order).await;
    world.cut_gateway().await;
    let done = give_back(&mut staff, &sale, "20", "").await;
    assert_eq!(done.location(), format!("{}?told=refund-waits", desk(&sale)));
    let page = staff.get(&done.location()).await.is(StatusCode::OK);
    assert!(
        page.has("The refund is written down, but the gateway does not answer right now.")
            && page.has("At most €79.00"),
        "{}",
        page.text
    );
    assert_eq!(world.sale(&order).await.refunds[0].state, RefundState::Created);
}

#[tokio::test]
async fn money_that_came_twice_and_could_not_go_back_has_a_button() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let order = world.paid_twice().await;
    let sale = world.sale(&order).await;
    let path = format!("{}/refund", desk(&sale));
    let page = staff.get(&desk(&sale)).await.is(StatusCode::OK);
    assert!(page.has("€99.00 came twice") && page.has("lost_or_stolen_card"), "{}", page.text);
    let names = ["amount", "reason", "revoke"];
    let section = page.between("<h2 id=\"surplus\">", "</section>").to_owned();
    let typed = |name: &str| {
        let (_, value) = section.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
        value.split('"').next().unwrap().to_owned()
    };
    let fields = names.map(|name| (name, typed(name)));
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let asked = staff.post(&path, &fields).await.is(StatusCode::OK);
    for text in ["Give back €99.00?", "€0.00", "Came after the order was paid otherwise", "Keep them working"] {
        assert!(asked.has(text), "{text} is not on {}", asked.text);
    }
    let done = confirm(&mut staff, &path, &asked).await;
    assert_eq!(done.location(), format!("{}?told=refunded", desk(&sale)));
    let after = world.sale(&order).await;
    let surplus = sale.surplus().unwrap().0.id;
    let is_back = |refund: &domain::Refund| refund.payment == surplus && refund.state == RefundState::Succeeded;
    assert!(after.refunds.iter().any(is_back), "{:?}", after.refunds);
    assert_eq!((after.order.state, after.licenses[0].state), (OrderState::Paid, LicenseState::Active));
    let page = staff.get(&desk(&sale)).await.is(StatusCode::OK);
    assert!(!page.has("came twice") && page.has("value=\"99.00\""), "what was kept can still be refunded");
    let late = staff.post(&path, &fields).await.is(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(late.has("Nothing was paid too much"), "{}", late.text);
}
