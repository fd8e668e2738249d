//! Notices: what makes no sense is seen with its cause, and counts once it does.

use axum::http::StatusCode;
use domain::{OrderState, Plan, PlanId, Price, PriceTier, RefundState};
use money::Currency;
use serde_json::{Value, json};

use super::desk;
use crate::support::{GOOD_CARD, World};

#[tokio::test]
async fn one_dollar_for_an_order_of_two_thousand_is_parked_in_sight_and_issues_nothing() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let pro = world.app.store.plan_by_slug(world.shop.id, "lumen-pro").await.unwrap().unwrap();
    let id = PlanId::mint(world.app.clock.now(), &mut world.app.entropy.rng());
    let price = Price { currency: Currency::USD, tiers: vec![PriceTier { from_quantity: 1, unit_minor: 200_000 }] };
    let plan = Plan { id, version: 0, slug: "dear".to_owned(), name: "Dear".to_owned(), prices: vec![price], ..pro };
    world.app.write(&domain::Changes { plans: vec![plan], ..domain::Changes::default() }).await.unwrap();
    world.lose_webhooks().await;
    let (gateway_page, sale) = world.unpaid("dear", "1").await;
    world.pay(&gateway_page, GOOD_CARD).await;
    let mut event = world.gateway_event("checkout.session.completed").await;
    assert_eq!(event["data"]["object"]["amount_total"], 200_000);
    event["data"]["object"]["amount_total"] = json!(100);

    let notice = world.tell(&event).await;
    let unpaid = world.sale(&desk(&sale)).await;
    assert_eq!((unpaid.order.state, unpaid.licenses.len()), (OrderState::Pending, 0));
    let home = staff.get("/console").await.is(StatusCode::OK);
    assert!(
        home.has("1 message from a gateway makes no sense and waits for you")
            && home.has("<span class=\"badge\">1</span>")
    );
    let list = staff.get("/console/notices?state=parked").await.is(StatusCode::OK);
    assert!(list.has(&format!("<a href=\"{notice}\">checkout.session.completed</a>")) && list.has("amount_mismatch"));
    let page = staff.get(&notice).await.is(StatusCode::OK);
    for text in [
        "The gateway reports another amount than was asked for.",
        "2000.00 USD",
        "1.00 USD",
        &desk(&sale),
        "Apply again",
    ] {
        assert!(page.has(text), "{text} is not on {}", page.text);
    }
    let timeline = staff.get(&desk(&sale)).await;
    assert!(timeline.between("<ol class=\"timeline\">", "</ol>").contains("Parked"), "{}", timeline.text);

    let told = staff.post(&format!("{notice}/apply"), &[]).await.is(StatusCode::SEE_OTHER).location();
    assert_eq!(told, format!("{notice}?told=parked-again"));
    assert!(staff.get(&told).await.has("It still makes no sense, for the reason below."));
    assert_eq!(world.sale(&desk(&sale)).await.licenses.len(), 0);
}

#[tokio::test]
async fn a_parked_notice_is_applied_once_its_cause_is_gone() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let (_, order) = world.bought("lumen-pro", "1").await;
    let sale = world.sale(&order).await;
    let wanted = app::RefundInput {
        id: None,
        amount: None,
        reason: domain::RefundReason::RequestedByCustomer,
        revoke: Some(false),
    };
    world.app.refund_order(world.shop.id, sale.order.id, wanted, domain::Actor::Api).await.unwrap();
    world.settle().await;
    let mut event = world.gateway_event("refund.created").await;
    let first = event["data"]["object"].clone();

    // A second refund of everything, made at the gateway: more than was paid.
    event["id"] = json!("evt_second");
    event["data"]["object"]["id"] = json!("re_second");
    event["data"]["object"]["status"] = json!("succeeded");
    event["data"]["object"]["metadata"] = without_refund(&first["metadata"]);
    let notice = world.tell(&event).await;
    assert!(staff.get(&notice).await.has("More went back than was paid."));

    // The first one comes back after days, which makes room for the second.
    event["id"] = json!("evt_failed");
    event["type"] = json!("refund.failed");
    event["data"]["object"] = first;
    event["data"]["object"]["status"] = json!("failed");
    event["data"]["object"]["failure_reason"] = json!("lost_or_stolen_card");
    world.tell(&event).await;

    let told = staff.post(&format!("{notice}/apply"), &[]).await.is(StatusCode::SEE_OTHER).location();
    assert_eq!(told, format!("{notice}?told=applied"));
    let page = staff.get(&told).await.is(StatusCode::OK);
    assert!(page.has("Applied. What it says is in the rows now.") && !page.has(">Apply again<"), "{}", page.text);
    let after = world.sale(&order).await;
    let second = after.refunds.iter().find(|refund| refund.reference.as_deref() == Some("re_second")).unwrap();
    assert_eq!((second.state, after.order.state), (RefundState::Succeeded, OrderState::Refunded));
    assert!(!staff.get("/console").await.has("makes no sense"));
    // Pressed again on a page that was left open.
    let told = staff.post(&format!("{notice}/apply"), &[]).await.is(StatusCode::SEE_OTHER).location();
    assert!(told.ends_with("told=applied") || told.ends_with("told=duplicate"), "{told}");
    assert_eq!(world.sale(&order).await.order.refunded, after.order.refunded);
    staff.post("/console/notices/ntc_1/apply", &[]).await.is(StatusCode::NOT_FOUND);
}

fn without_refund(metadata: &Value) -> Value {
    let mut metadata = metadata.clone();
    metadata.as_object_mut().unwrap().remove("latchkey_refund");
    metadata
}

#[tokio::test]
async fn a_message_is_shown_without_what_opens_something() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let secret = "pi_1_secret_abc";
    let event = json!({
        "id": "evt_secret",
        "object": "event",
        "type": "customer.created",
        "livemode": false,
        "created": 1_800_000_000,
        "data": { "object": {
            "id": "cus_1",
            "client_secret": secret,
            "description": "typed 4242 4242 4242 4242 by mistake",
            "cards": [{ "fingerprint": "Xt5EWLLDS7FJjR1c", "last4": "4242" }, { "number": "5555555555554444" }],
            "url": "https://pay.example/c/secret",
        } },
    });
    let page = world.tell(&event).await;
    let page = staff.get(&page).await.is(StatusCode::OK);
    assert!(page.has("Nothing for us") || page.has("Ignored"));
    assert!(
        page.has("cus_1") && page.has("last4") && page.has("[hidden]") && page.has("kind_not_used"),
        "{}",
        page.text
    );
    for hidden in [secret, "4242 4242 4242 4242", "5555555555554444", "Xt5EWLLDS7FJjR1c", "pay.example"] {
        assert!(!page.has(hidden), "{hidden} stands on {}", page.text);
    }
}
