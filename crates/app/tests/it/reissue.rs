//! A new key for a license, asked for by people and programs that do not hear every answer.

use app::{Error, ReissueInput};
use domain::{Actor, Refusal, ValidationRequest, VerdictCode};
use latchkey_license::KeyCode;

use crate::house::{House, On};

async fn a_key_that_was_replaced_is_never_made_the_key_again(on: On) {
    let house = House::open(on).await;
    let bought = house.buy_and_pay(1).await;
    let license = house.sale(bought.order).await.licenses[0].id;
    let given = |number: u8| ReissueInput {
        key: KeyCode::from_random_bytes([number; 16]),
        frees_seats: false,
        tells_owner: false,
        reason: "leaked".to_owned(),
    };
    let reissue =
        async |number: u8| house.app.reissue_license(house.shop.id, license, &given(number), Actor::Api).await;
    let code = async |number: u8| {
        let told = house.app.validate_license(house.shop.id, &given(number).key, &ValidationRequest::default()).await;
        told.unwrap().verdict.code
    };
    reissue(1).await.unwrap();
    // The answer was lost, and is asked for again: it is the same key.
    let again = reissue(1).await.unwrap();
    assert_eq!(again.license.key_tail, given(1).key.tail());
    assert_eq!(again.held.key(), Some(given(1).key.to_string()));
    // Somebody else replaces it, and then the first one asks once more.
    reissue(2).await.unwrap();
    let late = reissue(1).await;
    assert_eq!(late, Err(Error::Refused(Refusal::KeyRetired { new_tail: given(2).key.tail() })));
    assert_eq!((code(1).await, code(2).await), (VerdictCode::KeyRetired, VerdictCode::Valid));
    // A key that was retired twice could not be: the license would get no key any more.
    reissue(3).await.unwrap();
    assert_eq!((code(2).await, code(3).await), (VerdictCode::KeyRetired, VerdictCode::Valid));
}

on_both_engines![a_key_that_was_replaced_is_never_made_the_key_again];
