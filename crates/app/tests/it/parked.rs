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

#[tokio::test]
async fn an_event_that_contradicts_what_we_sold_is_parked_and_issues_nothing_on_sqlite() {
    what_contradicts_is_parked(On::Sqlite).await;
}

#[tokio::test]
async fn an_event_that_contradicts_what_we_sold_is_parked_and_issues_nothing_on_postgres() {
    what_contradicts_is_parked(On::Postgres).await;
}
