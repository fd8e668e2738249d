//! Why a program was refused: on the page of the license, among the unknown keys, in the search, and for the buyer.

use axum::http::StatusCode;
use domain::{ActivationRequest, AttemptKind, Duration, Fingerprint, ValidationRequest};
use latchkey_license::KeyCode;

use crate::support::World;

fn device(name: &str) -> ActivationRequest {
    ActivationRequest::of(Fingerprint::parse(name).unwrap())
}

#[tokio::test]
async fn the_page_of_a_license_says_why_a_program_was_refused_and_what_to_do() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let (mut buyer, order) = world.bought("lumen-personal", "1").await;
    let license = world.sale(&order).await.licenses[0].id;
    let text = world.keys(&order).await.remove(0);
    let key = KeyCode::parse(&text).unwrap();
    let path = format!("/console/licenses/{license}");
    assert!(staff.get(&path).await.has("No program has asked lately."));
    world.activate(&text, "device-1", "Ada's Laptop").await;
    world.activate(&text, "device-2", "Studio").await;
    world.app.clock.advance(Duration::seconds(1));
    world.app.activate_license(world.shop.id, &key, &device("device-3")).await.unwrap_err();
    world.app.write_attempts(true).await.unwrap();

    let page = staff.get(&path).await.is(StatusCode::OK);
    for text in ["seat_limit_reached", "the number of seats", "Free a seat in the list of devices", "device-3"] {
        assert!(page.has(text), "{text} is not on {}", page.text);
    }
    assert!(!page.has(&text), "a whole key stands on the page");
    let page = buyer.get(&order).await.is(StatusCode::OK);
    assert!(page.has("A program was refused on") && page.has("Deactivate a device"), "{}", page.text);
    // What was mended is not told any more.
    let seat = world.app.store.activations(world.shop.id, license).await.unwrap().remove(0);
    world.app.release_seat(world.shop.id, license, seat.id, "", domain::Actor::Buyer).await.unwrap();
    assert!(!buyer.get(&order).await.has("A program was refused"), "a seat is free again");

    for number in 0..30 {
        world.app.clock.advance(Duration::hours(1));
        world.app.clock.advance(Duration::seconds(number));
        let request = ValidationRequest {
            fingerprint: Some(Fingerprint::parse("device-4").unwrap()),
            ..ValidationRequest::default()
        };
        world.app.validate_license(world.shop.id, &key, &request).await.unwrap();
    }
    world.app.write_attempts(true).await.unwrap();
    // The first session is over by now.
    let mut staff = world.staff().await;
    let page = staff.get(&path).await.is(StatusCode::OK);
    let (_, rest) = page.text.split_once(&format!("{path}?after=")).expect("there are older ones");
    let older = staff.get(&format!("{path}?after={}", rest.split('#').next().unwrap())).await.is(StatusCode::OK);
    assert!(older.has("seat_limit_reached") && older.has("device-4"), "{}", older.text);
}

#[tokio::test]
async fn a_mistyped_key_is_found_by_its_end_and_by_the_device_and_never_shown() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let (_, order) = world.bought("lumen-personal", "1").await;
    let key = world.keys(&order).await.remove(0);
    let mistyped = format!("{}{}", if key.starts_with('7') { '6' } else { '7' }, &key[1..]);
    let slip = app::KeySlip::Mistyped(KeyCode::parse(&mistyped).unwrap_err());
    let asker = Fingerprint::parse("device-of-ada").unwrap();
    world.app.note_mistyped_key(world.shop.id, AttemptKind::Activate, &mistyped, slip, Some(&asker));
    world.app.write_attempts(true).await.unwrap();
    let tail = &key[key.len() - 4..];
    let page = staff.get("/console/attempts").await.is(StatusCode::OK);
    for text in [&format!("…{tail}"), "wrong_check_symbols", "device-of-ada", "the form of the key"] {
        assert!(page.has(text), "{text} is not on {}", page.text);
    }
    assert!(!page.has(&mistyped) && !page.has(&mistyped[..9]), "{}", page.text);
    let of_device = "/console/attempts?device=device-of-ada";
    assert_eq!(staff.get("/console/search?q=device-of-ada").await.location(), of_device);
    for path in [of_device, &format!("/console/attempts?tail={tail}")] {
        assert!(staff.get(path).await.is(StatusCode::OK).has("device-of-ada"), "{path}");
    }
    // The end of a mistyped key is mostly the end of the right one as well, and leads to its license.
    for typed in [mistyped.as_str(), tail] {
        let both = staff.get(&format!("/console/search?q={typed}")).await.is(StatusCode::OK);
        assert!(both.has("/console/licenses/lic_") && both.has("/console/attempts?tail="), "{typed}: {}", both.text);
        assert!(!both.has(&mistyped), "{}", both.text);
    }
    let nothing = staff.get("/console/attempts?tail=ZZZZ").await.is(StatusCode::OK);
    assert!(nothing.has("No program has asked lately."), "{}", nothing.text);
}
