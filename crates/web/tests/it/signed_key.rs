//! Keys whose text is signed, on the pages of buyers and of the shop's people.

use axum::http::StatusCode;
use domain::Policy;
use latchkey_license::OfflineRequest;

use crate::support::{Browser, Page, World};

fn policy() -> Policy {
    Policy { seats: Some(1), certificate_seconds: 86_400, ..Policy::default() }
}

fn key_on(page: &Page) -> String {
    page.between("<code class=\"key long\"", "</code>").rsplit('>').next().unwrap().to_owned()
}

async fn sold() -> (World, Browser, String, String) {
    let world = World::new().await;
    world.signs("studio", policy()).await;
    let (mut browser, order) = world.bought("studio", "1").await;
    let key = key_on(&browser.get(&order).await.is(StatusCode::OK));
    assert!(key.starts_with("key/"), "{key}");
    (world, browser, order, key)
}

#[tokio::test]
async fn a_signed_key_with_its_order_number_opens_the_order() {
    let (world, mut buyer, order, key) = sold().await;
    let number = buyer.get(&order).await.between("Order number</dt><dd><bdi>", "<").to_owned();
    let mut browser = world.browser();
    let (signed, signature) = key.split_once('.').unwrap();
    for (typed, message) in [
        (signed.to_owned(), "A part of the key is missing"),
        (key[..80].to_owned(), "A part of the key is missing"),
        (format!("{signed}.{}{}", if signature.starts_with('A') { 'B' } else { 'A' }, &signature[1..]), "was changed"),
    ] {
        let page = browser.post("/portal/key", &[("key", &typed), ("number", &number)]).await;
        let page = page.is(StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.has(message) && page.title().starts_with("Error: "), "{message}: {}", page.text);
    }
    browser.post("/portal/key", &[("key", &key), ("number", &number)]).await.is(StatusCode::SEE_OTHER);
    assert!(browser.get("/portal").await.is(StatusCode::OK).has(&order));
    assert_eq!(key_on(&browser.get(&order).await.is(StatusCode::OK)), key);
    // The field takes all of it.
    let form = world.browser().get("/portal").await;
    let most: usize = form
        .between("id=\"key\"", ">")
        .split("maxlength=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(most > key.len(), "{most}");
}

#[tokio::test]
async fn the_owner_of_a_signed_key_sees_it_takes_a_new_one_and_hands_it_on() {
    let (world, mut buyer, order, key) = sold().await;
    let license = world.license_of(&order).await;
    let path = format!("/portal/licenses/{}", license.id);
    let mut owner = world.signed_in("ada@example.com").await;
    assert_eq!(key_on(&owner.get(&path).await.is(StatusCode::OK)), key);
    let done = owner.post(&format!("{path}/key"), &[]).await.is(StatusCode::SEE_OTHER).location();
    let new = key_on(&owner.get(&done).await.is(StatusCode::OK));
    assert_ne!(new, key);
    assert_eq!(key_on(&buyer.get(&order).await.is(StatusCode::OK)), new);
    world.settle().await;
    let mails = world.mailbox.newest(10).await.unwrap();
    assert!(mails.iter().any(|mail| mail.text.contains(&new)), "the new one is mailed");
    owner.post("/portal/keys", &[("email", "ada@example.com")]).await.is(StatusCode::SEE_OTHER);
    let mail = world.mail_to("ada@example.com", "Your license keys").await;
    assert!(mail.contains(&new), "{mail}");

    let offered = owner.post(&format!("{path}/transfer"), &[("email", "bob@example.com"), ("devices", "free")]).await;
    offered.is(StatusCode::SEE_OTHER);
    world.settle().await;
    let mails = world.mailbox.newest(10).await.unwrap();
    let offer = mails.iter().find(|mail| mail.to.as_str() == "bob@example.com").unwrap();
    let link = offer.text.lines().find(|line| line.contains("/transfer?offer=")).unwrap().trim().to_owned();
    let mut bob = world.browser();
    let page = bob.get(&world.own(&link)).await.is(StatusCode::OK);
    let (offer, token) = (page.hidden("offer"), page.hidden("token"));
    bob.post("/transfer", &[("offer", &offer), ("token", &token)]).await;
    world.settle().await;
    let mails = world.mailbox.newest(10).await.unwrap();
    let is_bobs = |mail: &&app::mail::Mail| mail.to.as_str() == "bob@example.com" && mail.text.contains("key/");
    let received = mails.iter().find(is_bobs).unwrap_or_else(|| panic!("no key for who took it"));
    assert!(!received.text.contains(&new) && !received.text.contains(&key), "a key that nobody else knows");
    assert!(!buyer.get(&order).await.has("key/"), "and who handed it on sees it no more");
}

#[tokio::test]
async fn a_request_with_a_signed_key_activates_a_device_without_a_network() {
    let (world, _, order, key) = sold().await;
    let license = world.license_of(&order).await;
    let request = OfflineRequest::Activate {
        key: key.clone(),
        product: license.product.to_string(),
        fingerprint: "lathe".to_owned(),
        name: None,
        nonce: "AAECAwQFBgcICQoLDA0ODw".to_owned(),
        at: 0,
    };
    let mut browser = world.browser();
    let text = request.to_text(&key);
    let page = browser.post("/activate", &[("request", &text)]).await.is(StatusCode::OK);
    assert!(page.has("The device is activated"), "{}", page.text);
    let cut = &key[..key.len() - 5];
    let OfflineRequest::Activate { product, fingerprint, name, nonce, at, .. } = request else { panic!() };
    let damaged = OfflineRequest::Activate { key: cut.to_owned(), product, fingerprint, name, nonce, at }.to_text(cut);
    let page = browser.post("/activate", &[("request", &damaged)]).await.is(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.has("A part of the key is missing"), "{}", page.text);
}

#[tokio::test]
async fn the_console_finds_a_license_by_its_signed_key_and_shows_the_end_of_the_short_one() {
    let (world, _, order, key) = sold().await;
    let license = world.license_of(&order).await;
    let mut staff = world.staff().await;
    let form = staff.get("/console").await.is(StatusCode::OK);
    assert!(form.between("action=\"/console/search\"", ">").contains("post"), "no key in an address");
    let found = staff.post("/console/search", &[("q", &key)]).await.is(StatusCode::SEE_OTHER);
    assert_eq!(found.location(), format!("/console/licenses/{}", license.id));
    let query = serde_urlencoded::to_string([("q", key.as_str())]).unwrap();
    let bookmarked = staff.get(&format!("/console/search?{query}")).await.is(StatusCode::SEE_OTHER);
    assert_eq!(bookmarked.location(), format!("/console/licenses/{}", license.id));
    let page = staff.get(&format!("/console/licenses/{}", license.id)).await.is(StatusCode::OK);
    assert!(page.has(&license.key_tail) && !page.has(&key), "the console shows no key");
}
