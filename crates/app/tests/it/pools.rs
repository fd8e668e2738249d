//! Codes out of a stock: what the buyer is told and mailed, and when the seller is.

use app::{Held, Stocked};
use domain::{
    Actor, BatchId, BuyerDetails, Country, Duration, Fulfilment, Locale, MailKind, Pool, PoolCode, Refusal,
    ValidationRequest, VerdictCode, WhenOut,
};

use crate::house::{CARD, House, On, email};

fn codes(texts: &[&str]) -> Vec<PoolCode> {
    texts.iter().map(|text| PoolCode::parse(text).unwrap()).collect()
}

/// A house whose plan sells from a stock of these codes.
async fn furnish(on: On, when_out: WhenOut, stocked: &[&str]) -> (House, Pool) {
    let house = House::open(on).await;
    let pool = house.pool(when_out, 1).await;
    house.sells(Fulfilment::Pool { pool: pool.id }).await;
    if !stocked.is_empty() {
        let outcomes = house.app.stock_codes(&pool, &codes(stocked), Actor::System, false).await.unwrap();
        assert!(outcomes.iter().all(|outcome| *outcome == Stocked::New));
    }
    (house, pool)
}

async fn held(house: &House, order: domain::OrderId) -> Vec<Option<String>> {
    let sale = house.sale(order).await;
    house.app.held(&sale.order).await.unwrap().iter().map(|(_, held)| held.text()).collect()
}

/// How many mails say this.
fn mailed(house: &House, text: &str) -> usize {
    house.post.arrived().iter().filter(|mail| mail.text.contains(text)).count()
}

async fn a_buyer_of_more_than_there_is_gets_the_rest_by_mail(on: On) {
    let (house, pool) = furnish(on, WhenOut::BackOrder, &["CODE-ONE"]).await;
    let bought = house.buy_and_pay(2).await;
    assert_eq!(held(&house, bought.order).await, [Some("CODE-ONE".to_owned()), None]);
    let mails = house.post.arrived();
    assert!(mails[0].text.contains("CODE-ONE") && mails[0].text.contains("On its way"), "{}", mails[0].text);

    // The seller hears of it once, however often it is looked at.
    for _ in 0..3 {
        house.app.step_pools().await.unwrap();
        house.work().await;
    }
    assert_eq!(mailed(&house, "No code is left to be handed out."), 1);

    let outcomes = house.app.stock_codes(&pool, &codes(&["CODE-ONE", "CODE-TWO"]), Actor::System, false).await.unwrap();
    assert_eq!(outcomes, [Stocked::Gone, Stocked::New]);
    house.app.step_pools().await.unwrap();
    house.work().await;
    assert_eq!(held(&house, bought.order).await, [Some("CODE-ONE".to_owned()), Some("CODE-TWO".to_owned())]);
    let deliveries = house.deliveries(bought.order).await;
    let mail = deliveries.iter().filter(|mail| matches!(mail.mail, MailKind::OrderFulfilled { .. }));
    assert_eq!(mail.count(), 1);
    assert_eq!(mailed(&house, "CODE-TWO"), 1);
    house.assert_lawful(&[bought.order]).await;
}

async fn a_code_is_validated_and_holds_seats_as_a_key_does(on: On) {
    let (house, _) = furnish(on, WhenOut::BackOrder, &["CODE-ONE", "CODE-TWO"]).await;
    let bought = house.buy_and_pay(1).await;
    let code = held(&house, bought.order).await.remove(0).unwrap();
    let key = house.app.key_made_elsewhere(house.shop.id, &code).await.unwrap().expect("the code opens its license");
    let told = house.app.validate_license(house.shop.id, &key, &ValidationRequest::default()).await.unwrap();
    assert_eq!(told.verdict.code, VerdictCode::Valid);
    let other = if code == "CODE-ONE" { "CODE-TWO" } else { "CODE-ONE" };
    assert_eq!(house.app.key_made_elsewhere(house.shop.id, other).await.unwrap(), None, "still in stock");

    let license = house.sale(bought.order).await.licenses[0].clone();
    assert!(house.app.held_of_license(&license).await.unwrap() == Some(Held::Code(PoolCode::parse(&code).unwrap())));
    let new = app::ReissueInput {
        key: latchkey_license::KeyCode::from_random_bytes([7; 16]),
        frees_seats: false,
        tells_owner: false,
        reason: "lost".to_owned(),
    };
    let refused = house.app.reissue_license(house.shop.id, license.id, &new, Actor::Api).await;
    assert!(matches!(refused, Err(app::Error::Refused(Refusal::CodeMadeElsewhere))), "{refused:?}");

    // Nor can its owner have another key, or hand on what stays known; the owner is told the code, not the key behind it.
    let rotated = house.app.rotate_own_key(house.shop.id, license.id, false).await;
    assert!(matches!(rotated, Err(app::Error::Refused(Refusal::CodeMadeElsewhere))), "{rotated:?}");
    let offer = app::TransferInput { to: email("other@shop.test"), frees_seats: true, locale: Locale::english() };
    let offered = house.app.offer_transfer(house.shop.id, license.id, &offer).await;
    assert!(matches!(offered, Err(app::Error::Refused(Refusal::CodeMadeElsewhere))), "{offered:?}");
    let owner = house.sale(bought.order).await.order.email.unwrap();
    house.app.send_keys(&house.shop, &owner, &Locale::english()).await.unwrap();
    house.work().await;
    let told = house.post.arrived().pop().unwrap();
    assert!(told.text.contains(&code) && !told.text.contains(&key.to_string()), "{}", told.text);
}

async fn who_presses_pay_for_what_is_gone_is_told_before_paying(on: On) {
    for (when_out, expected) in [(WhenOut::BackOrder, Refusal::OnBackOrder), (WhenOut::Stop, Refusal::OutOfStock)] {
        let (house, _) = furnish(on, when_out, &["CODE-ONE"]).await;
        let press = async |order: &domain::Sale, accepts_later: bool| {
            let buyer = BuyerDetails {
                email: email("late@shop.test"),
                name: None,
                country: Country::DE,
                locale: Locale::english(),
                immediate_supply: true,
                accepts_later,
                answers: std::collections::BTreeMap::new(),
            };
            house.app.submit_checkout(&house.shop, order.checkout.id, &buyer).await
        };
        let first = house.checkout(1).await;
        press(&first, false).await.unwrap();
        // The last one is kept for the first buyer.
        let second = house.checkout(1).await;
        let refused = press(&second, false).await;
        assert!(matches!(&refused, Err(app::Error::Refused(why)) if *why == expected), "{refused:?}");
        assert!(house.sale(second.order.id).await.payments.is_empty(), "nothing was begun");
        assert_eq!(press(&second, true).await.is_ok(), when_out == WhenOut::BackOrder);
        // When the time is over, whoever asks can have it.
        house.advance(Duration::minutes(31));
        let third = house.checkout(1).await;
        press(&third, false).await.unwrap();
    }
}

async fn who_pays_late_gets_a_code_or_waits_and_a_refund_brings_none_back(on: On) {
    let (house, pool) = furnish(on, WhenOut::BackOrder, &["CODE-ONE"]).await;
    let late = house.buy(1).await;
    house.advance(Duration::minutes(31));
    let quick = house.buy_and_pay(1).await;
    house.gateway.pay(&late.session, CARD);
    house.deliver_all().await;
    house.work().await;
    assert_eq!(
        (held(&house, quick.order).await, held(&house, late.order).await),
        (vec![Some("CODE-ONE".to_owned())], vec![None])
    );

    let refund =
        app::RefundInput { id: None, amount: None, reason: domain::RefundReason::RequestedByCustomer, revoke: None };
    house.app.refund_order(house.shop.id, quick.order, refund, Actor::System).await.unwrap();
    house.deliver_all().await;
    house.work().await;
    house.app.step_pools().await.unwrap();
    assert_eq!(held(&house, late.order).await, [None], "what was handed out is never handed out again");
    let stock = house.app.stock(&pool).await.unwrap();
    assert_eq!((stock.free, stock.taken, stock.waiting), (0, 1, 1));
    house.assert_lawful(&[late.order, quick.order]).await;
}

async fn who_is_given_a_license_that_sells_from_a_stock_gets_a_code_or_waits(on: On) {
    let (house, pool) = furnish(on, WhenOut::BackOrder, &["CODE-ONE", "CODE-TWO"]).await;
    let target = house.app.import_target(&house.shop, &house.plan.to_string()).await.unwrap();
    let now = house.app.clock.now();
    let input = app::BatchInput {
        id: BatchId::mint(now, &mut house.app.entropy.rng()),
        created_at: now,
        licenses: 0,
        emails: ["a@shop.test", "b@shop.test", "c@shop.test"].map(email).to_vec(),
        is_mailed: true,
        reason: "spring giveaway".to_owned(),
        actor: Actor::Api,
    };
    let progress = house.app.issue_batch(&target, &input, |_| ()).await.unwrap();
    assert_eq!(progress.issued, 3);
    house.work().await;
    assert_eq!((mailed(&house, "CODE-ONE"), mailed(&house, "CODE-TWO"), mailed(&house, "On its way")), (1, 1, 1));

    house.app.stock_codes(&pool, &codes(&["CODE-THREE"]), Actor::System, false).await.unwrap();
    house.app.step_pools().await.unwrap();
    house.work().await;
    assert_eq!(mailed(&house, "CODE-THREE"), 1);
}

on_both_engines![
    a_buyer_of_more_than_there_is_gets_the_rest_by_mail,
    a_code_is_validated_and_holds_seats_as_a_key_does,
    who_presses_pay_for_what_is_gone_is_told_before_paying,
    who_pays_late_gets_a_code_or_waits_and_a_refund_brings_none_back,
    who_is_given_a_license_that_sells_from_a_stock_gets_a_code_or_waits,
];
