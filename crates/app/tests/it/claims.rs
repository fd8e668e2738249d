//! What people and the seller's own program hand over: once, to whom it is owed, however often they are asked.

use app::{Asked, Written};
use domain::{
    Actor, Author, Changes, ClaimKind, Duration, Endpoint, EndpointId, Fulfilment, LicenseId, MailKind, MessageBody,
    OrderId, PoolCode, Refusal, ValidationRequest, VerdictCode,
};
use serde_json::{Value, json};

use crate::house::{House, On, PROGRAM_URL, first_page};

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
    house.app.write(&Changes { endpoints: vec![endpoint], ..Changes::default() }).await.unwrap();
    house.sells(fulfilment).await;
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

async fn the_program_is_told_what_the_buyer_answered(on: On) {
    let mut house = furnish(on, false).await;
    let plan = house.app.store.plan(house.shop.id, house.plan).await.unwrap().unwrap();
    let question = domain::Question {
        name: "host".to_owned(),
        label: domain::Wording([("en".to_owned(), "Host name".to_owned())].into()),
        is_required: true,
        choices: Vec::new(),
        help: None,
    };
    let plan = domain::Plan { questions: vec![question], ..plan };
    house.app.write(&Changes { plans: vec![plan], ..Changes::default() }).await.unwrap();
    house.answers = [("host".to_owned(), "ada.example".to_owned())].into();
    house.gateway.program().will_answer(&[Some((200, r#"{"content":"MADE-THERE-1"}"#))]);
    let bought = house.buy_and_pay(1).await;
    let (_, message) = asked(&house).remove(0);
    assert_eq!(message["data"]["answers"], json!({ "host": "ada.example" }));
    house.assert_lawful(&[bought.order]).await;
}

fn kinds_and_licenses(listing: &store::Listing<store::OwedClaim>) -> Vec<(ClaimKind, LicenseId)> {
    let kind = |owed: &store::OwedClaim| (ClaimKind::of(owed.claim.fulfilment).unwrap(), owed.claim.license);
    listing.data.iter().map(kind).collect()
}

async fn the_queue_is_read_page_by_page_and_leaves_out_what_does_not_work(on: On) {
    use ClaimKind::{Manual, Webhook};
    let house = furnish(on, true).await;
    let (store, shop) = (&house.app.store, house.shop.id);
    let mut orders = vec![house.buy_and_pay(2).await.order];
    house.advance(Duration::hours(1));
    orders.push(house.buy_and_pay(1).await.order);
    // Whose money went back long ago stands in no queue, and is counted nowhere.
    let gone = house.buy_and_pay(2).await.order;
    let intent = house.intent(gone).await;
    house.gateway.dashboard("/v1/refunds", &format!("payment_intent={intent}"));
    house.deliver_all().await;
    assert!(store.claims(shop, gone).await.unwrap().iter().all(|opened| opened.claim.is_dormant));
    orders.push(gone);
    // From now on the program is asked, and has nothing.
    let endpoint = store.endpoints(shop).await.unwrap().remove(0).id;
    house.sells(Fulfilment::Webhook { endpoint }).await;
    house.gateway.program().will_answer(&[Some((500, r#"{"message":"out of luck"}"#))]);
    orders.push(house.buy_and_pay(2).await.order);

    let whole = store.claims_to_do(shop, None, None, 10).await.unwrap();
    let all = kinds_and_licenses(&whole);
    let kinds: Vec<ClaimKind> = all.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [Manual, Manual, Manual, Webhook, Webhook]);
    assert!(whole.data.is_sorted_by_key(|owed| (owed.claim.due_at().is_none(), owed.claim.due_at())));
    assert_eq!(whole.data[4].last_error.as_deref(), Some("the endpoint answered 500: out of luck"));
    let mut paged = Vec::new();
    loop {
        let page = store.claims_to_do(shop, None, paged.last().map(|(_, license)| *license), 2).await.unwrap();
        paged.extend(kinds_and_licenses(&page));
        if !page.has_more {
            break;
        }
    }
    assert_eq!(paged, all);
    let now = house.app.clock.now();
    let owed = store.owed(shop, now.after(Duration::minutes(2_821))).await.unwrap();
    assert_eq!((owed.manual, owed.webhook, owed.pool, owed.overdue), (3, 2, 0, 2), "due an hour apart");

    let first = all[0].1;
    house.app.hand_over(shop, first, &content("Done"), Actor::System).await.unwrap();
    let second = all[1].1;
    house.act_by_hand(second, &app::HandAct::Suspend, "odd").await;
    let left = store.claims_to_do(shop, Some(Manual), None, 10).await.unwrap();
    assert_eq!(kinds_and_licenses(&left), all[2..3], "one is done, and one does not work");
    let listed = async |state| store.claims_page(shop, state, first_page()).await.unwrap().data.len();
    assert_eq!(listed(Some(domain::ClaimState::Waiting)).await, 3);
    assert_eq!(listed(Some(domain::ClaimState::Fulfilled)).await, 1);
    assert_eq!(listed(None).await, 7);
    house.act_by_hand(second, &app::HandAct::Reinstate, "well").await;
    assert_eq!(listed(Some(domain::ClaimState::Waiting)).await, 4, "what works again waits again");
    house.assert_lawful(&orders).await;
}

async fn a_program_is_asked_at_once_when_somebody_says_so(on: On) {
    let house = furnish(on, false).await;
    // It gives no answer, so that it is left alone for half a minute; and it goes on so.
    house.gateway.program().will_answer(&[None]);
    let bought = house.buy_and_pay(1).await;
    let license = house.sale(bought.order).await.licenses[0].id;
    let press = async || house.app.ask_endpoint_now(house.shop.id, license).await.unwrap();
    for times in 2..=6 {
        assert_eq!(press().await, Asked::Now);
        assert_eq!(asked(&house).len(), times, "whoever presses does not wait until it has rested");
    }
    // As often as it was pressed, the next time comes as soon as after the one try that nobody asked for.
    house.advance(Duration::minutes(1));
    house.work().await;
    assert_eq!(asked(&house).len(), 7);

    house.gateway.program().will_answer(&[Some((200, r#"{"content":"AT-ONCE"}"#))]);
    assert_eq!(press().await, Asked::Now);
    assert_eq!(held(&house, bought.order).await, [Some("AT-ONCE".to_owned())]);
    assert_eq!(press().await, Asked::Fulfilled);
    assert_eq!(asked(&house).len(), 8, "what is there is not asked for");
    house.assert_lawful(&[bought.order]).await;
}

async fn nobody_asks_beside_who_is_asking_and_two_presses_are_one_job(on: On) {
    let house = furnish(on, false).await;
    house.gateway.program().will_answer(&[Some((202, ""))]);
    let bought = house.buy_and_pay(1).await;
    let license = house.sale(bought.order).await.licenses[0].id;
    let (store, shop, kind) = (&house.app.store, house.shop.id, domain::JobKind::AskEndpoint { license });
    // A worker of another node has taken it up.
    house.advance(Duration::minutes(1));
    let now = house.app.clock.now();
    let lease = now.after(Duration::minutes(2));
    let worker = store.claim_job(shop, kind, now, lease).await.unwrap().unwrap();
    let asked_before = asked(&house).len();
    assert_eq!(house.app.ask_endpoint_now(shop, license).await.unwrap(), Asked::Underway);
    assert_eq!(asked(&house).len(), asked_before);
    store.retry_job(&worker, lease, "the endpoint has it not yet").await.unwrap();
    let first = store.take_job(shop, kind, now, lease).await.unwrap().unwrap();
    assert_eq!(store.take_job(shop, kind, now, lease).await.unwrap(), None, "it is taken");
    // Who comes after the end of its lease has it; whoever had it before ends nothing.
    let later = lease.after(Duration::seconds(1));
    let second = store.take_job(shop, kind, later, later.after(Duration::minutes(2))).await.unwrap().unwrap();
    assert!(store.finish_job(&first).await.is_err());
    store.finish_job(&second).await.unwrap();
    // The job was given up. Two press at once: each finds the other's, or makes it.
    house.advance(Duration::minutes(5));
    let press = || house.app.ask_endpoint_now(shop, license);
    let (one, other) = tokio::join!(press(), press());
    let answers = [one.unwrap(), other.unwrap()];
    assert!(answers.contains(&Asked::Now), "{answers:?}");
    let (jobs, now) = (store.jobs().await.unwrap(), house.app.clock.now());
    assert!(store.take_job(shop, kind, now, now.after(Duration::minutes(2))).await.unwrap().is_some());
    assert_eq!(store.take_job(shop, kind, now, now.after(Duration::minutes(2))).await.unwrap(), None, "{jobs} jobs");
    house.assert_lawful(&[bought.order]).await;
}

async fn two_who_write_at_once_both_have_written_and_the_seller_gets_one_mail(on: On) {
    let house = furnish(on, true).await;
    let bought = house.buy_and_pay(1).await;
    let say = async |text: &str| {
        let body = MessageBody::parse(text).unwrap();
        house.app.write_message(&house.shop, bought.order, Author::Buyer, &body).await
    };
    let (one, other) = tokio::join!(say("One"), say("Other"));
    let mut written = [one.unwrap(), other.unwrap()];
    written.sort_by_key(|written| *written == Written::Untold);
    assert_eq!(written, [Written::Mailed, Written::Untold], "who came second read what the first had written");
    house.work().await;
    let messages = house.app.store.messages(house.shop.id, bought.order).await.unwrap();
    let places: Vec<u32> = messages.iter().map(|message| message.place).collect();
    assert_eq!(places, [0, 1]);
    let mut words: Vec<&str> = messages.iter().map(|message| message.body.as_str()).collect();
    words.sort_unstable();
    assert_eq!(words, ["One", "Other"]);
    let told = |mail: &&app::mail::Mail| mail.to.as_str() == "owner@shop.test";
    assert_eq!(house.post.arrived().iter().filter(told).count(), 1);
    house.assert_lawful(&[bought.order]).await;
}

async fn a_mail_about_what_was_answered_meanwhile_goes_out_and_is_no_fault(on: On) {
    let house = furnish(on, true).await;
    let bought = house.buy_and_pay(1).await;
    let user = domain::UserId::mint(house.app.clock.now(), &mut house.app.entropy.rng());
    for (author, text) in [(Author::Buyer, "When?"), (Author::User(user), "Now")] {
        let body = MessageBody::parse(text).unwrap();
        house.app.write_message(&house.shop, bought.order, author, &body).await.unwrap();
    }
    house.work().await;
    let arrived = house.post.arrived();
    assert_eq!(arrived.iter().filter(|mail| mail.to.as_str() == "owner@shop.test").count(), 1);
    let refused = house.app.store.count_deliveries(house.shop.id, domain::DeliveryState::Refused).await.unwrap();
    assert_eq!(refused, 0);
    let answers: Vec<_> = arrived.iter().filter(|mail| mail.text.contains("Now")).collect();
    assert_eq!(answers.len(), 1);
    assert!(answers[0].text.contains(&house.app.receipt_url(bought.order)), "{}", answers[0].text);
}

async fn what_is_overdue_is_told_to_who_watches(on: On) {
    let house = furnish(on, true).await;
    house.buy_and_pay(2).await;
    let finding = async || {
        let findings = house.app.examine().await.unwrap();
        findings.into_iter().find(|finding| finding.check == "claims").unwrap()
    };
    assert_eq!(finding().await.severity, app::Severity::Good);
    house.advance(Duration::hours(48));
    let late = finding().await;
    assert_eq!(late.severity, app::Severity::Warning);
    assert!(late.found.contains("2 of 2"), "{}", late.found);
    assert!(late.found.contains(&house.shop.name), "whose they are: {}", late.found);
    let told = house.app.exposition().await;
    for line in ["latchkey_claims_waiting{kind=\"manual\"} 2", "latchkey_claims_overdue 2"] {
        assert!(told.lines().any(|known| known == line), "{line}: {told}");
    }
}

async fn who_waits_for_an_answer_is_seen_though_no_mail_arrives(on: On) {
    let house = furnish(on, true).await;
    let (first, second) = (house.buy_and_pay(1).await.order, house.buy_and_pay(1).await.order);
    let (store, shop) = (&house.app.store, house.shop.id);
    let say = async |order, author, text: &str| {
        let body = MessageBody::parse(text).unwrap();
        house.app.write_message(&house.shop, order, author, &body).await.unwrap()
    };
    let waiting = async || {
        let listing = store.unanswered_orders(shop, None, 10).await.unwrap();
        listing.data.iter().map(|order| order.id).collect::<Vec<_>>()
    };
    let finding = async || {
        let findings = house.app.examine().await.unwrap();
        findings.into_iter().find(|finding| finding.check == "messages")
    };
    assert_eq!(finding().await, None, "nobody waits");
    say(second, Author::Buyer, "When?").await;
    house.advance(Duration::hours(1));
    say(first, Author::Buyer, "And me?").await;
    say(second, Author::Buyer, "Hello?").await;
    assert_eq!(waiting().await, [second, first], "the longest waiting first");
    let page = store.unanswered_orders(shop, None, 1).await.unwrap();
    assert!(page.has_more);
    let rest = store.unanswered_orders(shop, Some(page.data[0].id), 1).await.unwrap();
    assert_eq!((rest.data[0].id, rest.has_more), (first, false));
    assert_eq!(finding().await.unwrap().severity, app::Severity::Good);
    let told = house.app.exposition().await;
    assert!(told.lines().any(|line| line == "latchkey_orders_unanswered 2"), "{told}");
    house.advance(Duration::hours(23));
    let late = finding().await.unwrap();
    assert_eq!(late.severity, app::Severity::Warning);
    assert!(late.found.contains("2 buyers") && late.found.contains(&house.shop.name), "{}", late.found);

    let staff = Author::User(domain::UserId::mint(house.app.clock.now(), &mut house.app.entropy.rng()));
    assert_eq!(say(second, staff, "Now").await, Written::Mailed);
    assert_eq!(say(second, staff, "Now").await, Written::Before);
    assert_eq!(waiting().await, [first]);
    // An address of the seller's that cannot be read silences the mails, and is told.
    let seller = domain::Seller { email: "call us".to_owned(), ..house.shop.seller.clone() };
    let mute = domain::Shop { seller, ..store.shop(shop).await.unwrap().unwrap() };
    house.app.write(&Changes { shops: vec![mute.clone()], ..Changes::default() }).await.unwrap();
    house.app.refresh_shops().await.unwrap();
    let findings = house.app.examine().await.unwrap();
    assert!(findings.iter().any(|finding| finding.check == "messages" && finding.found.contains("no mail tells")));
    let body = MessageBody::parse("Are you there?").unwrap();
    let written = house.app.write_message(&mute, second, Author::Buyer, &body).await.unwrap();
    assert_eq!(written, Written::Untold);
    assert_eq!(waiting().await, [first, second], "it is seen in the list all the same");
    house.assert_lawful(&[first, second]).await;
}

async fn a_message_does_not_go_to_an_address_that_is_corrected_meanwhile(on: On) {
    let house = furnish(on, true).await;
    let order = house.buy_and_pay(1).await.order;
    let staff = Author::User(domain::UserId::mint(house.app.clock.now(), &mut house.app.entropy.rng()));
    let read = house.sale(order).await.order;
    let conversation = domain::Conversation { order: &read, messages: &[], told: None };
    let body = MessageBody::parse("Your password is below").unwrap();
    let now = house.app.clock.now();
    let changes =
        domain::write_message(&house.shop, conversation, staff, &body, now, &mut house.app.entropy.rng()).unwrap();
    let mended = domain::Order { email: Some(crate::house::email("mended@example.com")), ..read.clone() };
    house.app.write(&Changes { orders: vec![mended], ..Changes::default() }).await.unwrap();
    let late = house.app.write(&changes).await;
    assert!(matches!(late, Err(app::Error::Conflict { what: "order" })), "{late:?}");
    assert!(house.app.store.messages(house.shop.id, order).await.unwrap().is_empty());
}

on_both_engines![
    what_the_program_answers_is_with_the_buyer,
    a_program_that_fails_is_asked_again_with_the_same_id,
    one_that_does_not_answer_holds_up_nobody_else,
    what_comes_later_comes_by_the_api_and_only_once,
    what_is_in_dispute_is_asked_for_once_it_works_again,
    what_a_person_says_may_be_said_to_many_and_opens_nothing,
    each_part_of_a_bundle_is_fulfilled_in_its_own_way,
    the_program_is_told_what_the_buyer_answered,
    the_queue_is_read_page_by_page_and_leaves_out_what_does_not_work,
    a_program_is_asked_at_once_when_somebody_says_so,
    two_who_write_at_once_both_have_written_and_the_seller_gets_one_mail,
    a_mail_about_what_was_answered_meanwhile_goes_out_and_is_no_fault,
    nobody_asks_beside_who_is_asking_and_two_presses_are_one_job,
    who_waits_for_an_answer_is_seen_though_no_mail_arrives,
    a_message_does_not_go_to_an_address_that_is_corrected_meanwhile,
    what_is_overdue_is_told_to_who_watches,
];
