//! Keys whose text is signed: the same wherever they are shown, whatever becomes of the keys that sign.

use std::sync::Arc;

use app::{HandAct, Held, KeySlip, ReissueInput, SigningKeyTurn};
use domain::{
    Actor, BatchId, Changes, Duration, Fulfilment, KeyToSign, License, LicenseId, OrderId, Plan, Policy, ShopId,
    SignedText, Timestamp, ValidationRequest, VerdictCode,
};
use latchkey_license::{KeyCode, KeySet, SignedKey, SignedKeyError, read_signed_key};
use store::{SigningKeyState, Store, Vault};

use crate::house::{House, On};

/// A house whose plan sells signed keys.
async fn furnish(on: On) -> House {
    let house = House::open(on).await;
    let plan = house.app.store.plan(house.shop.id, house.plan).await.unwrap().unwrap();
    let policy = Policy { valid_days: Some(30), seats: Some(2), features: vec!["export".to_owned()], ..plan.policy };
    let plan = Plan { fulfilment: Fulfilment::SignedKey, policy, ..plan };
    house.app.write(&Changes { plans: vec![plan], ..Changes::default() }).await.unwrap();
    house
}

async fn held(house: &House, order: OrderId) -> Vec<String> {
    let sale = house.sale(order).await;
    let held = house.app.held(&sale.order).await.unwrap();
    held.iter()
        .map(|(_, held)| if let Held::Signed(signed) = held { signed.text.to_string() } else { panic!() })
        .collect()
}

fn says(house: &House, text: &str) -> Result<SignedKey, SignedKeyError> {
    read_signed_key(text, &KeySet::parse(&house.app.signer().jwks()).unwrap())
}

async fn code(house: &House, text: &str) -> Result<VerdictCode, KeySlip> {
    let key = house.app.read_key(house.shop.id, text).await.unwrap()?;
    let told = house.app.validate_license(house.shop.id, &key, &ValidationRequest::default()).await.unwrap();
    Ok(told.verdict.code)
}

/// Lets another key sign, and gives the name of the one that did before.
async fn turn(house: &House, turn: SigningKeyTurn) -> String {
    let before = house.app.signer().kid(house.app.clock.now()).to_owned();
    house.app.clock.advance(Duration::hours(1));
    house.app.add_signing_key(None, turn).await.unwrap();
    house.app.clock.advance(Duration::hours(1));
    assert_ne!(house.app.signer().kid(house.app.clock.now()), before);
    before
}

async fn a_signed_key_stays_the_same_when_signing_keys_change(on: On) {
    let house = furnish(on).await;
    let bought = house.buy_and_pay(2).await;
    let first = held(&house, bought.order).await;
    let sale = house.sale(bought.order).await;
    assert_ne!(first[0], first[1]);
    for (text, license) in first.iter().zip(&sale.licenses) {
        let said = says(&house, text).unwrap();
        assert_eq!((said.license, said.seats), (license.id.to_string(), Some(2)));
        assert_eq!((said.key.tail(), &said.features[..]), (license.key_tail.clone(), &["export".to_owned()][..]));
        assert_eq!(said.expires_at, license.expires_at.map(domain::Timestamp::as_seconds));
        assert!(house.post.arrived().iter().any(|mail| mail.text.contains(text)), "it is in the mail");
        assert_eq!(code(&house, text).await, Ok(VerdictCode::Valid));
    }

    // Changed by hand, asked for again, and signed by other keys meanwhile: it is what the buyer has.
    let old = turn(&house, SigningKeyTurn::Announced).await;
    house.app.set_signing_key_state(&old, SigningKeyState::Retired).await.unwrap();
    let adjustment = domain::Adjustment { seats: Some(Some(7)), ..domain::Adjustment::default() };
    house.app.adjust_license(house.shop.id, sale.licenses[0].id, &adjustment, "more", Actor::Api).await.unwrap();
    house.app.step().await.unwrap();
    assert_eq!(held(&house, bought.order).await, first);
    let row = &house.sale(bought.order).await.licenses[0];
    let alone = house.app.held_of_license(row).await.unwrap().and_then(|held| held.key());
    assert_eq!(alone.as_ref(), Some(&first[0]));
    assert_eq!(code(&house, &first[0]).await, Ok(VerdictCode::Valid), "what a retired key signed stays good");
    let (of_new, of_old) = (house.buy_and_pay(1).await, &first[0]);
    let newer = held(&house, of_new.order).await.remove(0);
    assert!(says(&house, &newer).is_ok() && says(&house, of_old).is_ok());
}

async fn keys_that_a_revoked_key_signed_are_signed_again_and_say_the_same(on: On) {
    let house = furnish(on).await;
    let bought = house.buy_and_pay(2).await;
    let before = held(&house, bought.order).await;
    let said: Vec<SignedKey> = before.iter().map(|text| says(&house, text).unwrap()).collect();
    let old = turn(&house, SigningKeyTurn::AtOnce).await;
    let untouched = house.buy_and_pay(1).await;
    let newer = held(&house, untouched.order).await;
    house.app.set_signing_key_state(&old, SigningKeyState::Revoked).await.unwrap();
    let retired = house.app.set_signing_key_state(&old, SigningKeyState::Retired).await;
    assert!(matches!(&retired, Err(app::SigningKeyError::Revoked(kid)) if *kid == old), "{retired:?}");
    assert_eq!(code(&house, &before[0]).await, Err(KeySlip::NotGenuine(SignedKeyError::UnknownKey)));

    assert_eq!(house.app.step_signed_keys().await.unwrap(), 2);
    assert_eq!(house.app.step_signed_keys().await.unwrap(), 0, "once");
    let after = held(&house, bought.order).await;
    while !house.app.step().await.unwrap().is_idle() {}
    let mails = house.post.arrived();
    for text in &after {
        let told: Vec<_> = mails.iter().filter(|mail| mail.text.contains(text)).collect();
        assert_eq!(told.len(), 1, "its owner is told: {text}");
        assert!(
            told[0].text.contains("was withdrawn") && told[0].text.contains("Enter the new one"),
            "{}",
            told[0].text
        );
    }
    for ((text, old), said) in after.iter().zip(&before).zip(&said) {
        assert!(text != old && says(&house, text).as_ref() == Ok(said), "{text}");
        assert_eq!(code(&house, text).await, Ok(VerdictCode::Valid));
    }
    assert_eq!(held(&house, untouched.order).await, newer);
    let license = house.sale(bought.order).await.licenses[0].clone();
    let page = store::Page { starting_after: None, ending_before: None, limit: 100 };
    let journal = house.app.store.events(house.shop.id, None, page).await.unwrap().data;
    let signed = |event: &&domain::Event| event.kind == domain::EventKind::LicenseSignedAgain;
    let told: Vec<_> = journal.iter().filter(signed).filter_map(|event| event.license).collect();
    assert!(told.len() == 2 && told.contains(&license.id), "{told:?}");
}

async fn a_new_key_is_signed_where_the_old_one_was(on: On) {
    let house = furnish(on).await;
    let bought = house.buy_and_pay(1).await;
    let old = held(&house, bought.order).await.remove(0);
    let license = house.sale(bought.order).await.licenses[0].id;
    let adjustment = domain::Adjustment { seats: Some(Some(5)), ..domain::Adjustment::default() };
    house.app.adjust_license(house.shop.id, license, &adjustment, "more", Actor::Api).await.unwrap();
    let input = ReissueInput {
        key: KeyCode::from_random_bytes([5; 16]),
        frees_seats: false,
        tells_owner: true,
        reason: "leaked".to_owned(),
    };
    let mut told = Vec::new();
    for _ in 0..2 {
        let reissued = house.app.reissue_license(house.shop.id, license, &input, Actor::Api).await.unwrap();
        told.extend(reissued.held.key());
    }
    while !house.app.step().await.unwrap().is_idle() {}
    let new = held(&house, bought.order).await.remove(0);
    assert_eq!(told, [new.as_str(), new.as_str()], "the first answer, and that to who did not hear it");
    let said = says(&house, &new).unwrap();
    assert_eq!((&said.key, said.seats), (&input.key, Some(5)), "it says what the license allows by then");
    assert!(house.post.arrived().last().unwrap().text.contains(&new), "and is in the mail");
    assert_eq!(code(&house, &new).await, Ok(VerdictCode::Valid));
    assert_eq!(code(&house, &old).await, Ok(VerdictCode::KeyRetired));
}

/// A text that nobody can open, in the place of a license's own.
async fn spoil(house: &House, license: &License, says: &SignedKey, kid: &str) {
    let others = Store::new(Arc::clone(house.app.store.engine()), Arc::new(Vault::from_master_key([9; 32]).unwrap()));
    let spoiled = KeyToSign {
        shop: license.shop,
        license: license.id,
        says: says.clone(),
        at: house.app.clock.now(),
        replaces: Some(kid.to_owned()),
        signed: Some(SignedText { kid: kid.to_owned(), text: "key/sealed".into() }),
    };
    others.commit(&Changes { signed_keys: vec![spoiled], ..Changes::default() }).await.unwrap();
}

async fn a_key_that_cannot_be_opened_is_replaced_by_one_that_can(on: On) {
    let house = furnish(on).await;
    let bought = house.buy_and_pay(1).await;
    let old = says(&house, &held(&house, bought.order).await.remove(0)).unwrap();
    let license = house.sale(bought.order).await.licenses[0].clone();
    let kid = house.app.signer().kid(house.app.clock.now()).to_owned();
    spoil(&house, &license, &old, &kid).await;
    assert!(house.app.held_of_license(&license).await.is_err(), "it cannot be shown");
    let input = ReissueInput {
        key: KeyCode::from_random_bytes([5; 16]),
        frees_seats: false,
        tells_owner: false,
        reason: "cannot be opened".to_owned(),
    };
    house.app.reissue_license(house.shop.id, license.id, &input, Actor::Api).await.unwrap();
    let new = held(&house, bought.order).await.remove(0);
    assert_eq!(says(&house, &new).unwrap().key, input.key);
    assert_eq!(code(&house, &new).await, Ok(VerdictCode::Valid));
}

async fn a_license_that_is_given_back_has_the_same_signed_key(on: On) {
    let house = furnish(on).await;
    let bought = house.buy_and_pay(1).await;
    let before = held(&house, bought.order).await;
    let license = house.sale(bought.order).await.licenses[0].id;
    for (act, verdict) in [(HandAct::Revoke, VerdictCode::Revoked), (HandAct::Reinstate, VerdictCode::Valid)] {
        house.act_by_hand(license, &act, "a dispute").await;
        while !house.app.step().await.unwrap().is_idle() {}
        assert_eq!(code(&house, &before[0]).await, Ok(verdict), "{act:?}");
        assert_eq!(held(&house, bought.order).await, before, "{act:?}");
    }
}

async fn a_key_that_another_node_signed_is_known_before_this_one_has_heard_of_its_signer(on: On) {
    let house = furnish(on).await;
    let other = house.other_node().await;
    let (bought, again) = (house.buy_and_pay(1).await, house.buy_and_pay(1).await);
    turn(&house, SigningKeyTurn::AtOnce).await;
    for (bought, compat) in [(bought, false), (again, true)] {
        let license = house.sale(bought.order).await.licenses[0].id;
        let input = ReissueInput {
            key: KeyCode::from_random_bytes([6 + u8::from(compat); 16]),
            frees_seats: false,
            tells_owner: false,
            reason: "leaked".to_owned(),
        };
        house.app.reissue_license(house.shop.id, license, &input, Actor::Api).await.unwrap();
        let text = held(&house, bought.order).await.remove(0);
        let read = if compat {
            other.key_behind(house.shop.id, &text).await.unwrap()
        } else {
            other.read_key(house.shop.id, &text).await.unwrap().ok()
        };
        assert_eq!(read, Some(input.key), "{compat}");
        turn(&house, SigningKeyTurn::AtOnce).await;
    }
}

async fn strangers_have_the_signing_keys_read_once_a_second(on: On) {
    let house = furnish(on).await;
    let other = house.other_node().await;
    let bought = house.buy_and_pay(1).await;
    let license = house.sale(bought.order).await.licenses[0].id;
    let moment = Timestamp::from_microseconds(1).since(Timestamp::from_microseconds(0));
    let newly_signed = async |number: u8| {
        house.app.clock.advance(moment);
        house.app.add_signing_key(None, SigningKeyTurn::AtOnce).await.unwrap();
        let input = ReissueInput {
            key: KeyCode::from_random_bytes([number; 16]),
            frees_seats: false,
            tells_owner: false,
            reason: "leaked".to_owned(),
        };
        house.app.reissue_license(house.shop.id, license, &input, Actor::Api).await.unwrap();
        held(&house, bought.order).await.remove(0)
    };
    let read = async |text: &str| other.read_key(house.shop.id, text).await.unwrap().map(drop);
    let first = newly_signed(6).await;
    assert_eq!(read(&first).await, Ok(()), "the first unknown signer is looked up");
    let second = newly_signed(7).await;
    let unknown = Err(KeySlip::NotGenuine(SignedKeyError::UnknownKey));
    assert_eq!((read(&second).await, read(&first).await), (unknown, Ok(())), "and no other within the second");
    house.app.clock.advance(Duration::seconds(1));
    assert_eq!(read(&second).await, Ok(()));
}

async fn a_text_that_cannot_be_read_holds_up_no_other(on: On) {
    let house = furnish(on).await;
    let bought = house.buy_and_pay(2).await;
    let texts = held(&house, bought.order).await;
    let old = turn(&house, SigningKeyTurn::AtOnce).await;
    let (shop, at) = (house.shop.id, house.app.clock.now());
    let [torn, whole] = &house.sale(bought.order).await.licenses[..] else { panic!() };
    let damage = KeyToSign {
        shop,
        license: torn.id,
        says: says(&house, &texts[0]).unwrap(),
        at,
        replaces: Some(old.clone()),
        signed: Some(SignedText { kid: old.clone(), text: "key/torn".into() }),
    };
    house.app.store.commit(&Changes { signed_keys: vec![damage], ..Changes::default() }).await.unwrap();
    house.app.set_signing_key_state(&old, SigningKeyState::Revoked).await.unwrap();
    assert_eq!(house.app.step_signed_keys().await.unwrap(), 1);
    let text = house.app.held_of_license(whole).await.unwrap().and_then(|held| held.key()).unwrap();
    assert_eq!(code(&house, &text).await, Ok(VerdictCode::Valid));
}

async fn a_round_looks_at_some_keys_of_a_revoked_key_and_the_next_goes_on_behind_them(on: On) {
    let house = furnish(on).await;
    let target = house.app.import_target(&house.shop, &house.plan.to_string()).await.unwrap();
    let created_at = house.app.clock.now();
    let input = app::BatchInput {
        id: BatchId::mint(created_at, &mut house.app.entropy.rng()),
        created_at,
        licenses: 502,
        emails: Vec::new(),
        is_mailed: false,
        reason: "A school".to_owned(),
        actor: Actor::Api,
    };
    house.app.issue_batch(&target, &input, |_| ()).await.unwrap();
    let old = turn(&house, SigningKeyTurn::AtOnce).await;
    let signed = house.app.store.licenses_signed_by(&old, None, 1_000).await.unwrap();
    let ((_, first), (shop, last)) = (signed[0], signed[501]);
    let text = house.app.store.signed_key(shop, last).await.unwrap().unwrap().text;
    let said = says(&house, &text).unwrap();
    let torn = |(shop, license): &(ShopId, LicenseId)| KeyToSign {
        shop: *shop,
        license: *license,
        says: said.clone(),
        at: created_at,
        replaces: Some(old.clone()),
        signed: Some(SignedText { kid: old.clone(), text: "key/torn".into() }),
    };
    let torn = signed[..501].iter().map(torn).collect();
    house.app.store.commit(&Changes { signed_keys: torn, ..Changes::default() }).await.unwrap();
    house.app.set_signing_key_state(&old, SigningKeyState::Revoked).await.unwrap();
    let mut rounds = Vec::new();
    for _ in 0..2 {
        rounds.push(house.app.step_signed_keys().await.unwrap());
    }
    assert_eq!(rounds, [0, 1], "five hundred that cannot be read, and then the two behind them");

    // When it has been through, it begins again: what could not be read may be readable by then.
    let whole = KeyToSign {
        shop,
        license: first,
        says: said.clone(),
        at: created_at,
        replaces: Some(old.clone()),
        signed: Some(SignedText { kid: old.clone(), text }),
    };
    house.app.store.commit(&Changes { signed_keys: vec![whole], ..Changes::default() }).await.unwrap();
    assert_eq!(house.app.step_signed_keys().await.unwrap(), 1);
}

async fn a_key_that_nobody_signed_is_looked_for_nowhere(on: On) {
    let house = furnish(on).await;
    let bought = house.buy_and_pay(1).await;
    let good = held(&house, bought.order).await.remove(0);
    let (signed, signature) = good.split_once('.').unwrap();
    let other = house.buy_and_pay(1).await;
    let others = held(&house, other.order).await.remove(0);
    let mixed = format!("{}.{signature}", others.split_once('.').unwrap().0);
    for (text, slip) in [
        (mixed, KeySlip::NotGenuine(SignedKeyError::BadSignature)),
        (signed.to_owned(), KeySlip::NotGenuine(SignedKeyError::NotASignedKey)),
        (good[..good.len() - 3].to_owned(), KeySlip::NotGenuine(SignedKeyError::BadEncoding)),
        ("key/YUBiLnRlc3Q=.".to_owned() + signature, KeySlip::OfNobody),
    ] {
        assert_eq!(code(&house, &text).await, Err(slip), "{text}");
        assert_eq!(house.app.key_behind(house.shop.id, &text).await.unwrap(), None, "{text}");
    }
    let spaced = format!(" {signed}\r\n.{signature} ");
    assert_eq!(code(&house, &spaced).await, Ok(VerdictCode::Valid));
    assert!(house.app.key_behind(house.shop.id, &spaced).await.unwrap().is_some());
}

on_both_engines![
    a_signed_key_stays_the_same_when_signing_keys_change,
    keys_that_a_revoked_key_signed_are_signed_again_and_say_the_same,
    a_new_key_is_signed_where_the_old_one_was,
    a_key_that_cannot_be_opened_is_replaced_by_one_that_can,
    a_license_that_is_given_back_has_the_same_signed_key,
    a_key_that_another_node_signed_is_known_before_this_one_has_heard_of_its_signer,
    strangers_have_the_signing_keys_read_once_a_second,
    a_text_that_cannot_be_read_holds_up_no_other,
    a_round_looks_at_some_keys_of_a_revoked_key_and_the_next_goes_on_behind_them,
    a_key_that_nobody_signed_is_looked_for_nowhere,
];
