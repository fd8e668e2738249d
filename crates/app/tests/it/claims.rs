//! What people and the seller's own program hand over: once, to whom it is owed, however often they are asked.

use domain::{
    Actor, Changes, Duration, Endpoint, EndpointId, Fulfilment, MailKind, OrderId, PoolCode, Refusal,
    ValidationRequest, VerdictCode,
};
use serde_json::{Value, json};

use crate::house::{House, On, PROGRAM_URL};

/// A house whose plan is fulfilled by the seller's program, or by hand.
async fn furnish(on: On, by_hand: bool) -> House {
    let house = House::open(on).await;
    let now = house.app.clock.now();
    let endpoint = Endpoint {
        id: EndpointId::mint(now, &mut house.app.entropy.rng()),
        shop: house.shop.id,
        version: 0,
        slug: "mine".to_owned(),
        url: PROGRAM_URL.to_owned(),
        secrets: 1,
        created_at: now,
    };
    let fulfilment =
        if by_hand { Fulfilment::Manual { within_hours: 48 } } else { Fulfilment::Webhook { endpoint: endpoint.id } };
    let plan = house.app.store.plan(house.shop.id, house.plan).await.unwrap().unwrap();
    let plan = domain::Plan { fulfilment, ..plan };
    house.app.write(&Changes { endpoints: vec![endpoint], plans: vec![plan], ..Changes::default() }).await.unwrap();
    house
}

async fn held(house: &House, order: OrderId) -> Vec<Option<String>> {
    let sale = house.sale(order).await;
    house.app.held(&sale.order).await.unwrap().iter().map(|(_, held)| held.text()).collect()
}

fn asked(house: &House) -> Vec<(String, Value)> {
    let asked = house.gateway.program().asked();
    let id = |request: &gateways::HttpRequest| {
        request.headers.iter().find(|(name, _)| *name == "webhook-id").map(|(_, id)| id.clone()).unwrap()
    };
    asked.iter().map(|request| (id(request), serde_json::from_slice(&request.body).unwrap())).collect()
}

fn content(text: &str) -> PoolCode {
    PoolCode::parse(text).unwrap()
}

async fn validates(house: &House, text: &str) -> bool {
    let Some(key) = house.app.key_made_elsewhere(house.shop.id, text).await.unwrap() else { return false };
    let told = house.app.validate_license(house.shop.id, &key, &ValidationRequest::default()).await.unwrap();
    told.verdict.code == VerdictCode::Valid
}

async fn what_the_program_answers_is_with_the_buyer(on: On) {
    let house = furnish(on, false).await;
    house.gateway.program().will_answer(&[Some((200, r#"{"content":"MADE-THERE-1"}"#))]);
    let bought = house.buy_and_pay(1).await;
    assert_eq!(held(&house, bought.order).await, [Some("MADE-THERE-1".to_owned())]);
    assert!(validates(&house, "MADE-THERE-1").await, "an app sends it as it sends a key");

    let sale = house.sale(bought.order).await;
    let (id, message) = asked(&house).remove(0);
    assert_eq!(id, sale.licenses[0].id.to_string());
    assert_eq!(message["type"], "claim.waiting");
    assert_eq!(message["data"]["license"], json!(sale.licenses[0].id));
    assert_eq!(message["data"]["email"], json!(sale.order.email.as_ref().unwrap().as_str()));
    assert_eq!(message["data"]["order_number"], json!(sale.order.number.as_str()));
    // Nothing more is asked, whatever time passes.
    house.advance(Duration::days(2));
    house.app.step().await.unwrap();
    house.work().await;
    assert_eq!(asked(&house).len(), 1);
    let deliveries = house.deliveries(bought.order).await;
    let told = deliveries.iter().filter(|mail| matches!(mail.mail, MailKind::OrderFulfilled { .. })).count();
    assert_eq!(told, 1);
    house.assert_lawful(&[bought.order]).await;
}

async fn a_program_that_fails_is_asked_again_with_the_same_id(on: On) {
    let house = furnish(on, false).await;
    let nothing_yet = Some((202, ""));
    let broken = Some((500, r#"{"message":"out of luck"}"#));
    let wrong = Some((200, "hello"));
    house.gateway.program().will_answer(&[None, broken, wrong, nothing_yet, Some((200, r#"{"content":"AT-LAST"}"#))]);
    let bought = house.buy_and_pay(1).await;
    for tries in 1..=5 {
        assert_eq!(
            (asked(&house).len(), held(&house, bought.order).await),
            (tries, vec![(tries > 4).then(|| "AT-LAST".to_owned())])
        );
        house.advance(Duration::hours(7));
        house.work().await;
    }
    let ids: std::collections::BTreeSet<String> = asked(&house).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids.len(), 1, "whoever keeps what it answered, by id, never makes two");
    assert_eq!(asked(&house).len(), 5);
    house.assert_lawful(&[bought.order]).await;
}

async fn one_that_does_not_answer_holds_up_nobody_else(on: On) {
    let house = furnish(on, false).await;
    house.gateway.program().will_answer(&[None]);
    let first = house.buy_and_pay(1).await;
    let second = house.buy_and_pay(1).await;
    assert_eq!(asked(&house).len(), 1, "who comes a moment later does not wait for it as well");
    house.gateway.program().will_answer(&[Some((202, ""))]);
    house.advance(Duration::minutes(1));
    house.work().await;
    assert_eq!(asked(&house).len(), 3);
    assert_eq!(house.post.arrived().len(), 2, "the receipts are on their way");
    house.assert_lawful(&[first.order, second.order]).await;
}

async fn what_comes_later_comes_by_the_api_and_only_once(on: On) {
    let house = furnish(on, false).await;
    house.gateway.program().will_answer(&[Some((202, ""))]);
    let (one, other) = (house.buy_and_pay(1).await, house.buy_and_pay(1).await);
    let license = async |order| house.sale(order).await.licenses[0].id;
    let (one, other) = (license(one.order).await, license(other.order).await);
    let give = async |license, text| house.app.hand_over(house.shop.id, license, &content(text), Actor::Api).await;
    give(one, "LATER-1").await.unwrap();
    give(one, "LATER-1").await.unwrap();
    for (license, text, expected) in
        [(one, "LATER-2", Refusal::FulfilledOtherwise), (other, "LATER-1", Refusal::ContentTaken)]
    {
        let refused = give(license, text).await;
        assert!(matches!(&refused, Err(app::Error::Refused(why)) if *why == expected), "{text}: {refused:?}");
    }
    // The program answers with what the other has: it is asked again, and nobody gets it twice.
    house.gateway.program().will_answer(&[Some((200, r#"{"content":"LATER-1"}"#))]);
    house.advance(Duration::hours(7));
    house.work().await;
    let orders = [house.app.store.license(house.shop.id, other).await.unwrap().unwrap().order];
    assert_eq!(held(&house, orders[0]).await, [None]);
    house.gateway.program().will_answer(&[Some((200, r#"{"content":"LATER-2"}"#))]);
    house.advance(Duration::hours(7));
    house.work().await;
    assert_eq!(held(&house, orders[0]).await, [Some("LATER-2".to_owned())]);
    house.assert_lawful(&orders).await;
}

async fn what_is_in_dispute_is_asked_for_once_it_works_again(on: On) {
    let house = furnish(on, false).await;
    house.gateway.program().will_answer(&[Some((202, ""))]);
    let bought = house.buy_and_pay(1).await;
    let intent = house.intent(bought.order).await;
    let suspended = house.sale(bought.order).await.licenses[0].clone();
    house.gateway.program().will_answer(&[Some((200, r#"{"content":"WON"}"#))]);
    let dispute = house.gateway.control("POST", "/_control/disputes", &json!({ "payment_intent": intent }));
    house.deliver_all().await;
    house.advance(Duration::hours(7));
    house.work().await;
    house.app.step_endpoints().await.unwrap();
    house.work().await;
    assert_eq!(held(&house, bought.order).await, [None], "nothing goes out while the bank holds the money");
    let refused = house.app.hand_over(house.shop.id, suspended.id, &content("BY-HAND"), Actor::Api).await;
    assert!(matches!(refused, Err(app::Error::Refused(Refusal::LicenseStateUnfit { .. }))), "{refused:?}");
    let case = dispute["id"].as_str().unwrap();
    house.gateway.control("POST", &format!("/_control/disputes/{case}"), &json!({ "outcome": "won" }));
    house.deliver_all().await;
    house.app.step_endpoints().await.unwrap();
    house.work().await;
    assert_eq!(held(&house, bought.order).await, [Some("WON".to_owned())]);
    house.assert_lawful(&[bought.order]).await;
}

async fn what_a_person_says_may_be_said_to_many_and_opens_nothing(on: On) {
    let house = furnish(on, true).await;
    let bought = house.buy_and_pay(2).await;
    assert_eq!(held(&house, bought.order).await, [None, None]);
    house.app.step_endpoints().await.unwrap();
    assert!(asked(&house).is_empty(), "no program is asked for what a person does");
    for license in house.sale(bought.order).await.licenses {
        let said = content("Activated on your account");
        house.app.hand_over(house.shop.id, license.id, &said, Actor::System).await.unwrap();
    }
    house.work().await;
    let said = Some("Activated on your account".to_owned());
    assert_eq!(held(&house, bought.order).await, [said.clone(), said]);
    assert!(!validates(&house, "Activated on your account").await);
    assert!(house.post.arrived().iter().any(|mail| mail.text.contains("Activated on your account")));
    house.assert_lawful(&[bought.order]).await;
}

/// Beside the plan that waits for the program: one whose key is made here, and one that sells both together.
async fn bundle(house: &House) -> domain::PlanId {
    let (store, shop) = (&house.app.store, house.shop.id);
    let waits = store.plan(shop, house.plan).await.unwrap().unwrap();
    let rng = &mut house.app.entropy.rng();
    let now = house.app.clock.now();
    let mut another = |slug: &str, bundle| domain::Plan {
        id: domain::PlanId::mint(now, rng),
        version: 0,
        slug: slug.to_owned(),
        name: slug.to_owned(),
        fulfilment: Fulfilment::GeneratedKey,
        bundle,
        ..waits.clone()
    };
    let made = another("made", Vec::new());
    let both = another("both", vec![made.id, house.plan]);
    let id = both.id;
    house.app.write(&Changes { plans: vec![made, both], ..Changes::default() }).await.unwrap();
    id
}

async fn each_part_of_a_bundle_is_fulfilled_in_its_own_way(on: On) {
    let mut house = furnish(on, false).await;
    house.plan = bundle(&house).await;
    let target = house.app.import_target(&house.shop, &house.plan.to_string()).await;
    assert!(
        matches!(target, Err(app::Error::Refused(Refusal::PlanIsBundle))),
        "its parts are issued, and not the whole"
    );
    house.gateway.program().will_answer(&[
        Some((202, "")),
        Some((200, r#"{"content":"PART-1"}"#)),
        Some((200, r#"{"content":"PART-2"}"#)),
    ]);
    let bought = house.buy_and_pay(2).await;
    let sale = house.sale(bought.order).await;
    assert_eq!(sale.order.lines.len(), 2);
    assert_eq!(sale.licenses.len(), 4, "a license for each part of each of two");
    assert_eq!(sale.payments.len(), 1);
    let parts = async || {
        let texts = held(&house, bought.order).await;
        let made_there = texts.iter().flatten().filter(|text| text.starts_with("PART-")).count();
        (texts.iter().flatten().count(), made_there)
    };
    assert_eq!(parts().await, (3, 1), "two keys that were made here, and one of two that were not");
    house.advance(Duration::hours(7));
    house.work().await;
    assert_eq!(parts().await, (4, 2));
    let receipt = house.post.arrived().remove(0);
    assert!(receipt.text.contains("both: "), "{}", receipt.text);
    house.assert_lawful(&[bought.order]).await;
}

macro_rules! on_both_engines {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $name() { super::$name(super::On::Sqlite).await; })*
        }
        mod on_postgres {
            $(#[tokio::test]
            async fn $name() { super::$name(super::On::Postgres).await; })*
        }
    };
}

on_both_engines![
    what_the_program_answers_is_with_the_buyer,
    a_program_that_fails_is_asked_again_with_the_same_id,
    one_that_does_not_answer_holds_up_nobody_else,
    what_comes_later_comes_by_the_api_and_only_once,
    what_is_in_dispute_is_asked_for_once_it_works_again,
    what_a_person_says_may_be_said_to_many_and_opens_nothing,
    each_part_of_a_bundle_is_fulfilled_in_its_own_way,
];
