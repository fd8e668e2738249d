//! Orders: the list, the page with everything that happened, and its buttons.

use axum::http::StatusCode;
use domain::{DeliveryState, Duration, MailKind, OrderState};
use store::{DeliveryFilter, Page};

use super::desk;
use crate::support::{GOOD_CARD, POOR_CARD, World};

/// The ids of the orders on a list.
fn listed(page: &crate::support::Page) -> Vec<String> {
    let rows = page.text.split("<th scope=\"row\"><a href=\"/console/orders/").skip(1);
    rows.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_empty_console_says_what_will_stand_there() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    #[rustfmt::skip]
    let rows = [
        ("/console",           "Nothing waits for you."),
        ("/console/orders",    "No orders here yet."),
        ("/console/licenses",  "No licenses here yet."),
        ("/console/customers", "No customers yet."),
        ("/console/mails",     "No mails here."),
        ("/console/notices",   "No notices here."),
        ("/console/search",    "Enter an order number"),
    ];
    for (path, text) in rows {
        let page = staff.get(path).await.is(StatusCode::OK);
        assert!(
            page.has(text) && page.has("Test mode") && page.header("x-robots-tag") == "noindex",
            "{path}: {}",
            page.text
        );
    }
    staff.get("/console/orders/ord_1").await.is(StatusCode::NOT_FOUND);
    staff.get("/console/orders/ord_01hf7yat00e9jb3m7q2v8xk4wn").await.is(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_list_goes_from_page_to_page_and_shows_each_order_once() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let plan = world.app.store.plan_by_slug(world.shop.id, "lumen-pro").await.unwrap().unwrap().id;
    for _ in 0..55 {
        let input = app::CheckoutInput {
            plan,
            id: None,
            quantity: 1,
            currency: None,
            coupon: None,
            email: None,
            country: domain::Country::DE,
            locale: domain::Locale::english(),
            success_url: None,
            cancel_url: None,
            metadata: [].into(),
            answers: [].into(),
        };
        world.app.clock.advance(Duration::seconds(1));
        world.app.open_checkout(&world.shop, input, domain::Actor::Api).await.unwrap();
    }
    let first = staff.get("/console/orders").await.is(StatusCode::OK);
    let next = first.between("<a class=\"button\" href=\"", "\" rel=\"next\"").to_owned();
    let second = staff.get(&next).await.is(StatusCode::OK);
    assert!(!second.has("rel=\"next\""));
    let (mut all, rest) = (listed(&first), listed(&second));
    assert_eq!((all.len(), rest.len()), (50, 5));
    all.extend(rest);
    assert!(all.is_sorted_by(|newer, older| newer > older), "newest first, each once");

    let filtered = staff.get("/console/orders?state=pending").await.is(StatusCode::OK);
    let next =
        filtered.between("<a class=\"button\" href=\"", "\" rel=\"next\"").replace("&#38;", "&").replace("&amp;", "&");
    assert!(next.contains("state=pending"), "the filter stays: {next}");
    assert_eq!(listed(&staff.get(&next).await).len(), 5);
    // What is not a state or an id is as if it were not there.
    assert_eq!(listed(&staff.get("/console/orders?state=%3Cb%3E&after=%22x").await.is(StatusCode::OK)).len(), 50);
}

#[tokio::test]
async fn a_filter_shows_the_orders_in_that_state() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    world.browser().press_pay("lumen-pro", &[]).await.location();
    let (_, paid) = world.bought("lumen-pro", "1").await;
    let paid = world.sale(&paid).await.order.id.to_string();
    for state in OrderState::ALL {
        let page = staff.get(&format!("/console/orders?state={}", state.as_str())).await.is(StatusCode::OK);
        assert!(
            page.has(&format!("<a href=\"/console/orders?state={}\" aria-current=\"true\"", state.as_str())),
            "{}",
            page.text
        );
        match state {
            OrderState::Paid => assert_eq!(listed(&page), std::slice::from_ref(&paid)),
            OrderState::Pending => assert!(listed(&page).len() == 1 && listed(&page)[0] != paid),
            OrderState::PartiallyRefunded
            | OrderState::Refunded
            | OrderState::Disputed
            | OrderState::Lost
            | OrderState::Expired => {
                assert!(page.has("No orders here yet."));
            }
        }
    }
    assert_eq!(listed(&staff.get("/console").await).len(), 2);
}

#[tokio::test]
async fn an_order_shows_what_happened_in_the_order_it_happened() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let (gateway_page, sale) = world.unpaid("lumen-pro", "2").await;
    world.app.clock.advance(Duration::seconds(5));
    world.pay(&gateway_page, POOR_CARD).await;
    world.settle().await;
    world.app.clock.advance(Duration::seconds(5));
    let back = world.pay(&gateway_page, GOOD_CARD).await.location();
    world.control("flush", "").await;
    world.app.clock.advance(Duration::seconds(5));
    world.settle().await;
    world.browser().get(&world.own(&back)).await;

    let sale = world.sale(&desk(&sale)).await;
    assert_eq!(sale.order.state, OrderState::Paid);
    let page = staff.get(&desk(&sale)).await.is(StatusCode::OK);
    let reference = sale.payments[0].reference.clone().unwrap();
    let mut facts =
        vec![sale.order.number.to_string(), sale.order.id.to_string(), "Germany".into(), "ada@example.com".into()];
    facts.extend([reference, "visa ···· 4242".into(), "€198.00".into(), "Lumen Pro".into(), "Receipt and keys".into()]);
    facts.extend(sale.licenses.iter().map(|license| format!("…{}", license.key_tail)));
    for fact in facts {
        assert!(page.has(&fact), "{fact} is not on {}", page.text);
    }
    for key in world.keys(&desk(&sale)).await {
        assert!(!page.has(&key), "a whole key stands on the page");
    }

    let timeline = page.between("<ol class=\"timeline\">", "</ol>");
    let steps = [
        "Checkout opened",
        "Buyer pressed pay",
        "Payment page opened at the gateway",
        "Notice payment_intent.payment_failed",
        "Declined",
        "insufficient_funds",
        "Notice checkout.session.completed",
        "Money captured",
        "<span class=\"what\">Paid</span>",
        "License issued",
        "Mail sent",
    ];
    let places: Vec<usize> =
        steps.iter().map(|step| timeline.find(step).unwrap_or_else(|| panic!("no {step} in {timeline}"))).collect();
    assert!(places.is_sorted(), "{steps:?} stand at {places:?} in {timeline}");
    assert_eq!(timeline.matches("License issued").count(), 2);

    // The link that support sends to the buyer opens the buyer's page, and only with its token.
    let link = page.between("<dd><a href=\"http", "\"");
    let path = world.own(&format!("http{link}").replace("&#38;", "&"));
    let seen = world.browser().get(&path).await;
    assert!(seen.status == StatusCode::OK || seen.status == StatusCode::SEE_OTHER, "{}", seen.text);
}

#[tokio::test]
async fn asking_the_gateway_makes_good_a_webhook_that_never_came() {
    let world = World::new().await;
    world.lose_webhooks().await;
    let mut staff = world.staff().await;
    let (gateway_page, sale) = world.unpaid("lumen-pro", "1").await;
    let payment = sale.payments[0].id.to_string();
    let page = staff.get(&desk(&sale)).await.is(StatusCode::OK);
    assert!(page.has("Ask the gateway") && page.has("The outcome is still open."));
    let check = format!("{}/check", desk(&sale));
    let form = [("payment", payment.as_str())];

    let told = staff.post(&check, &form).await.is(StatusCode::SEE_OTHER).location();
    assert_eq!(told, format!("{}?told=still-open", desk(&sale)));
    assert!(staff.get(&told).await.has("The gateway has answered: the outcome is still open."));

    world.pay(&gateway_page, GOOD_CARD).await;
    let told = staff.post(&check, &form).await.is(StatusCode::SEE_OTHER).location();
    assert_eq!(told, format!("{}?told=checked", desk(&sale)));
    let after = world.sale(&desk(&sale)).await;
    assert_eq!((after.order.state, after.licenses.len()), (OrderState::Paid, 1));
    let page = staff.get(&told).await.is(StatusCode::OK);
    assert!(page.has("The gateway has answered; this page shows how the payment stands now."));
    let timeline = page.between("<ol class=\"timeline\">", "</ol>");
    assert!(timeline.contains("Owner"), "who asked stands in {timeline}");

    world.cut_gateway().await;
    let told = staff.post(&check, &form).await.is(StatusCode::SEE_OTHER).location();
    assert_eq!(told, format!("{}?told=gateway-silent", desk(&sale)));
    assert!(staff.get(&told).await.has("The gateway does not answer right now."));
    for unknown in ["", "pay_1", "pay_01hf7yat01c5tr9d2n6h0zg8sq"] {
        staff.post(&check, &[("payment", unknown)]).await.is(StatusCode::NOT_FOUND);
    }
    // A word that no form of ours told is not repeated.
    assert!(!staff.get(&format!("{}?told=all-is-lost", desk(&sale))).await.is(StatusCode::OK).has("all-is-lost"));
}

#[tokio::test]
async fn receipt_and_keys_can_be_sent_again() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let (_, order) = world.bought("lumen-pro", "1").await;
    world.settle().await;
    let sale = world.sale(&order).await;
    let told = staff.post(&format!("{}/resend", desk(&sale)), &[]).await.is(StatusCode::SEE_OTHER).location();
    assert!(staff.get(&told).await.has("Receipt and keys are on their way."));
    world.settle().await;
    let filter = DeliveryFilter { order: Some(sale.order.id), ..DeliveryFilter::default() };
    let all = Page { starting_after: None, ending_before: None, limit: 10 };
    let sent = world.app.store.deliveries(world.shop.id, &filter, all).await.unwrap().data;
    let receipts = sent.iter().filter(|delivery| delivery.mail == MailKind::OrderPaid { order: sale.order.id });
    assert_eq!(receipts.filter(|delivery| delivery.state == DeliveryState::Sent).count(), 2);
    let mails = staff.get("/console/mails?state=sent").await.is(StatusCode::OK);
    assert_eq!(mails.text.matches(&format!("<a href=\"{}\">Receipt and keys</a>", desk(&sale))).count(), 2);

    let (_, unpaid) = world.unpaid("lumen-pro", "1").await;
    assert!(!staff.get(&desk(&unpaid)).await.has("Send receipt and keys again"));
    staff.post(&format!("{}/resend", desk(&unpaid)), &[]).await.is(StatusCode::CONFLICT);
}
