//! Whatever a shop has sold or taken over as a key opens its license wherever a person can type one: the same text for
//! apps, for the portal, and for devices without a network.

use app::{Imported, KeySlip, OfflineAnswer, OfflineErrand, read_export};
use domain::{
    Fingerprint, ForeignSystem, Fulfilment, License, OrderNumber, Pool, PoolCode, Refusal, ValidationRequest,
    VerdictCode, WhenOut,
};
use latchkey_license::{KeyCode, KeyCodeError, OfflineRequest, read_request};

use crate::house::{House, On};

/// Has the form of one of our keys, and the wrong check symbols.
const MISTYPED: &str = "000G-40R4-0M30-E209-185G-R38E-1WED";
/// Another shop like this one could have sold it.
const AS_OURS: &str = "000G-40R4-0M30-E209-185G-R38E-1WEC";
/// What Keygen signs; nobody here can tell whether it is genuine.
const SIGNED_THERE: &str = "key/eyJsaWNlbnNlIjoiMSJ9.q3nXF5mPJRz3Yx8aQyTn0g2kq3nXF5mPJRz3Yx8aQyTn0g2kq3nXF5mPJRz3Yx8aQyTn0g2kq3nXF5mPJRz3Yx8aQy==";

/// Where a key comes from.
#[derive(Debug, Clone, Copy)]
enum Source {
    Made,
    Signed,
    Stock(&'static str),
    Table(&'static str),
}

/// What is done to a key on its way to us.
type Hand = fn(&str) -> String;

const AS_IT_IS: Hand = str::to_owned;
const SPACED: Hand = |key| format!("  {key} \n");
const SMALL: Hand = |key| key.to_lowercase();
const BARE: Hand = |key| key.replace('-', "");
const IN_LINES: Hand = |key| {
    let (start, end) = key.split_at(30);
    format!("{start}\r\n{end}")
};
/// As our client libraries keep it.
const PRINTED: Hand = |key| KeyCode::parse(key).map_or_else(|_| key.to_owned(), |key| key.to_string());

const SOLD: &[(Source, &[Hand])] = &[
    (Source::Made, &[AS_IT_IS, SPACED, SMALL, BARE]),
    (Source::Signed, &[AS_IT_IS, SPACED, IN_LINES]),
    (Source::Stock("CODE-ONE"), &[AS_IT_IS, SPACED]),
    (Source::Stock(AS_OURS), &[AS_IT_IS, SPACED, SMALL, BARE]),
    (Source::Table("38b1460a-5104-4067-a91d-77b872934d51"), &[AS_IT_IS, SPACED]),
    (Source::Table("ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZG6Y"), &[AS_IT_IS, SMALL, PRINTED]),
    (Source::Table(SIGNED_THERE), &[AS_IT_IS, SPACED, IN_LINES]),
];

/// A license with its key as its holder was given it, and the number of its order.
async fn sold(house: &House, pool: &Pool, source: Source) -> (License, String, OrderNumber) {
    let fulfilment = match source {
        Source::Made | Source::Table(_) => Fulfilment::GeneratedKey,
        Source::Signed => Fulfilment::SignedKey,
        Source::Stock(_) => Fulfilment::Pool { pool: pool.id },
    };
    house.sells(fulfilment).await;
    let license = match source {
        Source::Made | Source::Signed => house.sale(house.buy_and_pay(1).await.order).await.licenses.remove(0),
        Source::Stock(code) => {
            let stocked =
                house.app.stock_codes(pool, &[PoolCode::parse(code).unwrap()], domain::Actor::System, false).await;
            assert_eq!(stocked.unwrap(), [app::Stocked::New], "{code}");
            house.sale(house.buy_and_pay(1).await.order).await.licenses.remove(0)
        }
        Source::Table(key) => {
            let table = format!("license_key,email,created_at\n{key},ada@shop.test,2024-01-24\n");
            let lines = read_export(ForeignSystem::Csv, table.as_bytes()).unwrap();
            let target = house.app.import_target(&house.shop, &house.plan.to_string()).await.unwrap();
            let told = |_: &app::ImportLine, outcome: &Imported| assert_eq!(*outcome, Imported::New, "{key}");
            house.app.import(&target, &lines, false, told).await.unwrap();
            let foreign = domain::ForeignKey::parse(key).unwrap();
            let id = house.app.store.license_of_foreign_key(house.shop.id, &foreign).await.unwrap().unwrap();
            house.app.store.license(house.shop.id, id).await.unwrap().unwrap()
        }
    };
    let held = house.app.held_of_license(&license).await.unwrap().and_then(|held| held.key()).unwrap();
    let text = match source {
        Source::Table(key) => key.to_owned(),
        Source::Made | Source::Signed | Source::Stock(_) => held,
    };
    let number = house.sale(license.order).await.order.number;
    (license, text, number)
}

async fn a_key_opens_its_license_wherever_a_person_can_type_it(on: On) {
    let house = House::open(on).await;
    let pool = house.pool(WhenOut::BackOrder, 0).await;
    let (app, shop) = (&house.app, house.shop.id);
    for (source, hands) in SOLD {
        let (license, key, number) = sold(&house, &pool, *source).await;
        for hand in *hands {
            let typed = hand(&key);
            let case = format!("{source:?} typed as {typed:?}");
            let read = app.read_key(shop, &typed).await.unwrap().unwrap_or_else(|slip| panic!("{case}: {slip:?}"));
            let told = app.validate_license(shop, &read, &ValidationRequest::default()).await.unwrap();
            assert_eq!(told.verdict.code, VerdictCode::Valid, "{case}");
            assert_eq!(told.seat.as_ref().map(|seat| seat.license.id), Some(license.id), "{case}");
            let (_, order) =
                app.enter_with_key(shop, &read, &number).await.unwrap_or_else(|why| panic!("{case}: {why}"));
            assert_eq!(order, license.order, "{case}");

            let nonce = "AAECAwQFBgcICQoLDA0ODw".to_owned();
            let errand = OfflineErrand::Activate {
                key: read,
                product: Some(license.product),
                fingerprint: Fingerprint::parse("lathe").unwrap(),
                name: None,
                nonce: nonce.clone(),
            };
            let OfflineAnswer::Activated { file, .. } = app.answer_offline_request(shop, &errand).await.unwrap() else {
                panic!("{case}")
            };
            let seat = file.activation.unwrap().id;
            let goodbye = OfflineRequest::Release { activation: seat.to_string(), nonce, at: 0 };
            let gives_back = async |kept: &str| {
                let request = read_request(&goodbye.to_text(kept)).unwrap();
                app.answer_offline_request(shop, &OfflineErrand::Release { activation: seat, request }).await
            };
            let stolen = gives_back("CODE-TWO").await;
            assert!(matches!(stolen, Err(app::Error::Refused(Refusal::RequestNotGenuine))), "{case}: {stolen:?}");
            for kept in [key.clone(), PRINTED(&key)] {
                let released = gives_back(&kept).await;
                assert!(released.is_ok(), "{case}, given back with {kept}: {released:?}");
            }
        }
    }
}

async fn what_nobody_sold_is_told_by_its_form(on: On) {
    let house = House::open(on).await;
    let pool = house.pool(WhenOut::BackOrder, 0).await;
    let codes = ["STOCKED", MISTYPED].map(|code| PoolCode::parse(code).unwrap());
    house.app.stock_codes(&pool, &codes, domain::Actor::System, false).await.unwrap();
    #[rustfmt::skip]
    let table = [
        ("",        Some(KeyCodeError::Empty)),
        (" - ",     Some(KeyCodeError::Empty)),
        // Even where a code reads so: our own keys are checked before anything is looked up.
        (MISTYPED,  Some(KeyCodeError::WrongCheckSymbols)),
        ("STOCKED", Some(KeyCodeError::WrongLength { found: 7 })),
        ("A-CÜD",   Some(KeyCodeError::BadSymbol { symbol: 'Ü', position: 3 })),
        ("CODE",    Some(KeyCodeError::WrongLength { found: 4 })),
        // As a key of ours that somebody else sold: only the rows can tell.
        (AS_OURS,   None),
    ];
    for (typed, expected) in table {
        match (house.app.read_key(house.shop.id, typed).await.unwrap(), expected) {
            (Err(slip), Some(expected)) => assert_eq!(slip, KeySlip::Mistyped(expected), "{typed:?}"),
            (Ok(key), None) => {
                let told =
                    house.app.validate_license(house.shop.id, &key, &ValidationRequest::default()).await.unwrap();
                assert_eq!(told.verdict.code, VerdictCode::Unknown, "{typed:?}");
            }
            (read, expected) => panic!("{typed:?}: {read:?}, not {expected:?}"),
        }
    }
}

on_both_engines![a_key_opens_its_license_wherever_a_person_can_type_it, what_nobody_sold_is_told_by_its_form];
