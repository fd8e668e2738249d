//! Devices without a network: the page where their requests are carried to, and the files that buyers and the shop's
//! people save.

use app::RefundInput;
use axum::http::StatusCode;
use domain::{Actor, Offline, Policy, RefundReason, Seating, Term};
use latchkey_license::{KeySet, OfflineRequest, read_file, verify};

use crate::support::{Page, World};

const NONCE: &str = "AAECAwQFBgcICQoLDA0ODw";

fn policy(seats: Option<u32>) -> Policy {
    Policy {
        seats,
        certificate_seconds: 86_400,
        offline: Offline { file_days: Some(30), carried_until: None },
        term: Term::default(),
        seating: Seating::default(),
        ..Policy::default()
    }
}

fn asking(key: &str, product: &str, device: &str) -> String {
    let request = OfflineRequest::Activate {
        key: key.to_owned(),
        product: product.to_owned(),
        fingerprint: device.to_owned(),
        name: Some(format!("Ada’s {device} <b>")),
        nonce: NONCE.to_owned(),
        at: 0,
    };
    request.to_text(key)
}

fn saved(world: &World, page: &Page) -> latchkey_license::Claims {
    assert!(page.header("content-disposition").starts_with("attachment; filename=\"license-"), "{}", page.text);
    assert_eq!(page.header("cache-control"), "no-store");
    let keys = KeySet::parse(&world.app.signer().jwks()).unwrap();
    verify(&read_file(&page.text).unwrap(), &keys, world.app.clock.now().as_seconds(), 300).unwrap()
}

#[tokio::test]
async fn a_device_without_a_network_is_activated_by_a_request_that_somebody_carries() {
    let world = World::new().await;
    world.sells("lab", policy(Some(1))).await;
    let (_, order) = world.bought("lab", "1").await;
    let key = world.keys(&order).await.remove(0);
    let sale = world.sale(&order).await;
    let product = sale.licenses[0].product.to_string();
    let mut browser = world.browser();
    let page = browser.get("/activate").await.is(StatusCode::OK);
    assert!(page.has("multipart/form-data") && page.has("type=\"file\"") && page.has("noindex"));

    let request = asking(&key, &product, "lathe");
    let answer = browser.post("/activate", &[("request", &request)]).await.is(StatusCode::OK);
    for text in [
        "The device is activated",
        "Ada’s lathe &#60;b&#62;",
        "1 of 1 devices activated",
        "<svg",
        "BEGIN LATCHKEY LICENSE",
    ] {
        assert!(answer.has(text), "{text} is not on {}", answer.text);
    }
    let file = browser.post("/activate/file", &[("request", &answer.hidden("request"))]).await.is(StatusCode::OK);
    let found = saved(&world, &file);
    assert_eq!((found.fingerprint.as_deref(), found.nonce.as_deref()), (Some("lathe"), Some(NONCE)));
    assert_eq!(found.exp - found.iat, 30 * 86_400);

    // The same once more, pasted with its address and in lines, is the same seat.
    let (start, end) = request.split_at(60);
    let pasted = format!("  https://shop.example/activate#{start}\r\n{end}\n");
    let again = browser.post("/activate", &[("request", &pasted)]).await.is(StatusCode::OK);
    assert!(again.has("had its seat already"), "{}", again.text);
    let seats = world.app.store.activations(world.shop.id, sale.licenses[0].id).await.unwrap();
    assert_eq!(seats.len(), 1);
    assert_eq!(found.activation, Some(seats[0].id.to_string()));

    // The seat comes back by a request too, as often as it is sent.
    let release = OfflineRequest::Release { activation: seats[0].id.to_string(), nonce: NONCE.to_owned(), at: 0 };
    let stolen = release.to_text("000G-40R4-0M30-E209-185G-R38E-1WEC");
    let refused = browser.post("/activate", &[("request", &stolen)]).await.is(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.has("was not made with the key"), "{}", refused.text);
    for _ in 0..2 {
        let freed = browser.post("/activate", &[("request", &release.to_text(&key))]).await.is(StatusCode::OK);
        assert!(freed.has("The seat is free") && !freed.has("BEGIN LATCHKEY"), "{}", freed.text);
    }
    assert_eq!(world.sale(&order).await.licenses[0].seats_used, 0);
    // An old goodbye does not end a seat that was taken after it.
    browser.post("/activate", &[("request", &request)]).await.is(StatusCode::OK);
    browser.post("/activate", &[("request", &release.to_text(&key))]).await.is(StatusCode::OK);
    assert_eq!(world.sale(&order).await.licenses[0].seats_used, 1);
}

#[tokio::test]
async fn a_request_that_comes_to_nothing_says_why_and_what_to_do() {
    let world = World::new().await;
    world.sells("lab", policy(Some(1))).await;
    let (_, order) = world.bought("lab", "1").await;
    let key = world.keys(&order).await.remove(0);
    let product = world.sale(&order).await.licenses[0].product.to_string();
    world.activate(&key, "first", "The first").await;
    let mut browser = world.browser();
    let mut told = async |request: &str, verdict: &str, advice: &str| {
        let page = browser.post("/activate", &[("request", request)]).await.is(StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            page.title().starts_with("Error: ") && page.has(verdict) && page.has(advice),
            "{verdict}: {}",
            page.text
        );
        assert_eq!(page.header("cache-control"), "no-store");
    };
    let good = asking(&key, &product, "second");
    let mistyped = asking("000G-40R4-0M30-E209-185G-R38E-1WED", &product, "second");
    let unknown = asking("ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZG6Y", &product, "second");
    let (payload, mac) = good.split_once('.').unwrap();
    let damaged = format!("{payload}.{}{}", if mac.starts_with('A') { 'B' } else { 'A' }, &mac[1..]);
    told("", "There is no request.", "Make the request anew").await;
    told("Dear shop", "This is not a whole request.", "Make the request anew").await;
    told(payload, "This is not a whole request.", "Make the request anew").await;
    told(&damaged, "was changed on the way", "Make the request anew").await;
    told(&mistyped, "The key is mistyped", "Compare the key in the app").await;
    told(&unknown, "There is no license with this key.", "Compare the key in the app").await;
    told(&asking(&key, "prod_01m85zgtares9t6zwxdxctb26c", "second"), "another product", "the key of this product")
        .await;
    told(&good, "The license has one seat, and it is taken.", "the same request again").await;
    let input = RefundInput { id: None, amount: None, reason: RefundReason::RequestedByCustomer, revoke: Some(true) };
    let id = world.sale(&order).await.order.id;
    world.app.refund_order(world.shop.id, id, input, Actor::Api).await.unwrap();
    told(&good, "The license was revoked.", "Write to the seller").await;
    assert_eq!(world.sale(&order).await.licenses[0].seats_used, 1, "nothing was taken");
}

#[tokio::test]
async fn a_buyer_and_the_shops_people_save_license_files() {
    let world = World::new().await;
    world.sells("lab", policy(Some(2))).await;
    world.sells("site", policy(None)).await;
    let (mut buyer, order) = world.bought("lab", "1").await;
    let key = world.keys(&order).await.remove(0);
    world.activate(&key, "lathe", "The lathe").await;
    let license = world.sale(&order).await.licenses[0].id;
    let seats = world.app.store.activations(world.shop.id, license).await.unwrap();
    let page = buyer.get(&order).await.is(StatusCode::OK);
    let of_device = format!("{order}/licenses/{license}/activations/{}/file", seats[0].id);
    let of_any = format!("{order}/licenses/{license}/file");
    assert!(page.has(&of_device) && !page.has(&format!("\"{of_any}\"")) && page.has("/activate"), "{}", page.text);
    let found = saved(&world, &buyer.post(&of_device, &[]).await.is(StatusCode::OK));
    assert_eq!((found.fingerprint.as_deref(), found.nonce), (Some("lathe"), None));
    buyer.post(&of_any, &[]).await.is(StatusCode::UNPROCESSABLE_ENTITY);
    let mut stranger = world.browser();
    stranger.post(&of_device, &[]).await.is(StatusCode::FORBIDDEN);

    let (mut owner, site) = world.bought("site", "1").await;
    let for_all = world.sale(&site).await.licenses[0].id;
    let action = format!("{site}/licenses/{for_all}/file");
    assert!(owner.get(&site).await.has(&action));
    assert_eq!(saved(&world, &owner.post(&action, &[]).await.is(StatusCode::OK)).fingerprint, None);
    // Through the portal, with the key and the number.
    let number = world.sale(&order).await.order.number.to_string();
    let mut browser = world.browser();
    browser.post("/portal/key", &[("key", &key), ("number", &number)]).await.is(StatusCode::SEE_OTHER);
    let own = format!("/portal/licenses/{license}/activations/{}/file", seats[0].id);
    assert!(browser.get("/portal").await.has(&own));
    assert_eq!(saved(&world, &browser.post(&own, &[]).await.is(StatusCode::OK)).fingerprint.as_deref(), Some("lathe"));
    browser.post(&format!("/portal/licenses/{for_all}/file"), &[]).await.is(StatusCode::NOT_FOUND);
    stranger.post(&own, &[]).await.is(StatusCode::SEE_OTHER);

    let mut staff = world.staff().await;
    let path = format!("/console/licenses/{license}");
    let page = staff.get(&path).await.is(StatusCode::OK);
    assert!(page.has("30 at most") && page.has("License file given"), "{}", page.text);
    let given = saved(&world, &staff.post(&format!("{path}/file"), &[("days", "7")]).await.is(StatusCode::OK));
    assert_eq!((given.fingerprint, given.exp - given.iat), (None, 7 * 86_400));
    let of_seat = format!("{path}/activations/{}/file", seats[0].id);
    assert_eq!(
        saved(&world, &staff.post(&of_seat, &[]).await.is(StatusCode::OK)).fingerprint.as_deref(),
        Some("lathe")
    );
    for days in ["31", "many"] {
        let told = staff.post(&format!("{path}/file"), &[("days", days)]).await.is(StatusCode::SEE_OTHER).location();
        assert_eq!(told, format!("{path}?told=file-time"));
    }
    let reason = [("reason", "The lathe was sold")];
    staff.post(&format!("{path}/activations/{}/release", seats[0].id), &reason).await.is(StatusCode::SEE_OTHER);
    let told = staff.post(&of_seat, &[]).await.is(StatusCode::SEE_OTHER).location();
    assert_eq!(told, format!("{path}?told=file-seat"));
}
