//! A genuine signature proves who spoke, not that it is right: what does not
//! agree with our own rows is parked where people see it, and issues nothing.

use app::NoticeOutcome;
use domain::{Actor, Notice, NoticeState};

use crate::exactly_once::told_of_payment;
use crate::house::{CARD, House, On};

async fn what_contradicts_is_parked(on: On) {
    let house = House::open(on).await;
    let other = house.buy(1).await;
    #[rustfmt::skip]
    let table = [
        // what the event says       what it should say        why it is parked
        ("\"amount_total\": 100",     "\"amount_total\": 9800",  "amount_mismatch"),
        ("\"currency\": \"usd\"",     "\"currency\": \"eur\"",   "currency_mismatch"),
        ("\"livemode\": true",        "\"livemode\": false",     "mode_mismatch"),
        (other.session.as_str(),     "",                       "reference_mismatch"),
    ];
    for (says, instead, reason) in table {
        let bought = house.buy(2).await;
        house.gateway.pay(&bought.session, CARD);
        let webhooks = house.gateway.webhooks();
        let genuine = told_of_payment(&webhooks);
        assert!(genuine.is_about(&bought.session));
        let instead = if instead.is_empty() { bought.session.as_str() } else { instead };
        let wrong = genuine.altered(instead, says, house.app.clock.now());

        assert_eq!(house.receive(&wrong).await, NoticeOutcome::Parked, "{reason}");
        assert_eq!(house.receive(&wrong).await, NoticeOutcome::Duplicate, "{reason}");
        assert_eq!(house.license_states(bought.order).await, [], "{reason}");
        let is_parked_for = |notice: &Notice| match &notice.state {
            NoticeState::Parked { reason: told, detail } => told == reason && !detail.is_empty(),
            NoticeState::Received | NoticeState::Applied | NoticeState::Ignored { .. } => false,
        };
        let parked = house.notices("parked").await.into_iter().find(is_parked_for).expect(reason);
        // A person who wants it applied all the same gets the same answer: it is still wrong.
        let again = house.app.replay_notice(house.shop.id, parked.id, Actor::System).await.unwrap();
        assert_eq!(again, NoticeOutcome::Parked, "{reason}");
        assert_eq!(house.license_states(bought.order).await, [], "{reason}");

        // The money is there, and the other events of the same payment say it as it is.
        for webhook in webhooks.iter().filter(|webhook| webhook.kind != genuine.kind) {
            house.receive(webhook).await;
        }
        house.work().await;
        assert_eq!(house.standing(bought.order).await, "paid 0 | succeeded | - | - | active active", "{reason}");
        house.assert_lawful(&[bought.order]).await;
    }
    assert_eq!(house.notices("parked").await.len(), 4);
    assert_eq!(house.license_states(other.order).await, []);
}

/// Other software and other shops use the same account: what is theirs is passed over, and kept; what carries our mark
/// and is not known here is for a person.
async fn what_is_not_ours_is_passed_over(on: On) {
    let house = House::open(on).await;
    let sold = house.buy_and_pay(1).await;
    let intent = house.intent(sold.order).await;
    let now = house.app.clock.now();
    let mut rng = house.app.entropy.rng();
    let another_shop = domain::ShopId::mint(now, &mut rng).to_string();
    let another_order = domain::OrderId::mint(now, &mut rng).to_string();
    let bought = house.buy(1).await;
    house.gateway.pay(&bought.session, CARD);
    let paid_intent = house.gateway.truth()["payments"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|row| (row["session"] == bought.session.as_str()).then(|| row["intent"].as_str().unwrap().to_owned()))
        .unwrap();
    house.gateway.dashboard("/v1/refunds", &format!("payment_intent={paid_intent}&amount=100"));
    let webhooks = house.gateway.webhooks();
    let told = |kind: &str| webhooks.iter().find(|webhook| webhook.kind == kind).unwrap().clone();
    let (page, money, charge) =
        (told("checkout.session.completed"), told("payment_intent.succeeded"), told("charge.refunded"));
    let (shop, order, payment) = (house.shop.id.to_string(), bought.order.to_string(), bought.payment.to_string());
    let other_payment = domain::PaymentId::mint(now, &mut rng).to_string();

    let mark = ("latchkey_", "their_");
    let unknown = [(order.as_str(), another_order.as_str()), (payment.as_str(), other_payment.as_str())];
    let theirs = [(shop.as_str(), another_shop.as_str())];
    let names = [(bought.session.as_str(), "cs_test_theirs"), (paid_intent.as_str(), "pi_theirs")];
    let client = [(order.as_str(), "cart-77")];
    let broken = [("\"currency\": \"eur\"", "\"currency\": \"gold\"")];
    #[rustfmt::skip]
    let table = [
        ("other software's page",     &page,   [&[mark][..], &client, &names].concat(),             "ignored not_ours"),
        ("other software's intent",   &money,  [&[mark][..], &names].concat(),                      "ignored not_ours"),
        ("other software's refund",   &charge, [&[mark][..], &names].concat(),                      "ignored not_ours"),
        ("another shop's page",       &page,   [&theirs[..], &unknown, &names].concat(),            "ignored not_ours"),
        ("another shop's refund",     &charge, [&theirs[..], &unknown, &names].concat(),            "ignored not_ours"),
        ("our page, not known here",  &page,   [&unknown[..], &names].concat(),                     "parked payment_unknown"),
        ("our intent, not known",     &money,  [&unknown[..], &names].concat(),                     "parked payment_unknown"),
        ("our refund, not known",     &charge, [&unknown[..], &names].concat(),                     "parked payment_unknown"),
        ("theirs, in strange words",  &page,   [&[mark][..], &client, &names, &broken].concat(),    "ignored not_ours"),
        ("ours, in strange words",    &page,   [&unknown[..], &names, &broken].concat(),            "parked unreadable"),
        ("known without a mark",      &page,   [&[mark][..], &client, &[(bought.session.as_str(), sold.session.as_str()), (paid_intent.as_str(), intent.as_str())], &broken].concat(), "parked unreadable"),
    ];
    for (place, (what, webhook, changes, expected)) in table.into_iter().enumerate() {
        let event: serde_json::Value = serde_json::from_str(&webhook.body).unwrap();
        let id = format!("evt_row_{place}");
        let mut told = webhook.altered(event["id"].as_str().unwrap(), &id, now);
        for (from, to) in changes.into_iter().filter(|(from, _)| webhook.body.contains(from)) {
            told = told.altered(from, to, now);
        }
        let outcome = house.receive(&told).await;
        let stored = house.notices(outcome.as_str()).await.into_iter().find(|notice| notice.event_id == id);
        let state = match stored.expect(what).state {
            NoticeState::Received => "received".to_owned(),
            NoticeState::Applied => "applied".to_owned(),
            NoticeState::Ignored { reason } => format!("ignored {reason}"),
            NoticeState::Parked { reason, .. } => format!("parked {reason}"),
        };
        assert_eq!(state, expected, "{what}");
    }
    assert_eq!(house.license_states(bought.order).await, []);
    house.assert_lawful(&[sold.order, bought.order]).await;
}

#[tokio::test]
async fn what_belongs_to_other_software_is_passed_over_on_sqlite() {
    what_is_not_ours_is_passed_over(On::Sqlite).await;
}

#[tokio::test]
async fn what_belongs_to_other_software_is_passed_over_on_postgres() {
    what_is_not_ours_is_passed_over(On::Postgres).await;
}

#[tokio::test]
async fn an_event_that_contradicts_what_we_sold_is_parked_and_issues_nothing_on_sqlite() {
    what_contradicts_is_parked(On::Sqlite).await;
}

#[tokio::test]
async fn an_event_that_contradicts_what_we_sold_is_parked_and_issues_nothing_on_postgres() {
    what_contradicts_is_parked(On::Postgres).await;
}
