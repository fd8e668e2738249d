//! Three ways in, and what each sees.

use axum::http::StatusCode;

use crate::support::{Browser, World};

async fn number(buyer: &mut Browser, order: &str) -> String {
    let page = buyer.get(order).await;
    page.between("Order number</dt><dd><bdi>", "<").to_owned()
}

#[tokio::test]
async fn a_code_by_mail_opens_everything_that_was_bought() {
    let world = World::new().await;
    let (_, first) = world.bought("lumen-personal", "1").await;
    let (_, second) = world.bought("lumen-pro", "1").await;
    let mut browser = world.browser();
    assert!(browser.get("/portal").await.is(StatusCode::OK).has("There is no password"));
    let sent = browser.post("/portal/code", &[("email", "Ada@Example.com")]).await.is(StatusCode::SEE_OTHER).location();
    let step = browser.get(&sent).await.is(StatusCode::OK);
    assert!(step.has("autocomplete=\"one-time-code\"") && !step.has("ada@"));
    world.settle().await;
    let mails = world.mailbox.newest(10).await.unwrap();
    let mail = mails.iter().find(|mail| mail.subject.to_string().starts_with("Your code")).unwrap();
    let code: String =
        mail.text.split(|letter: char| !letter.is_ascii_digit()).find(|digits| digits.len() == 8).unwrap().to_owned();

    let link = step.hidden("link");
    for (typed, message) in
        [("", "Enter the code"), ("00000000", "wrong, used or too old"), ("abc", "wrong, used or too old")]
    {
        let page = browser
            .post("/portal/enter", &[("link", &link), ("code", typed)])
            .await
            .is(StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.has(message) && page.title().starts_with("Error: "), "{typed}");
    }
    let spaced = format!(" {} {} ", &code[..4], &code[4..]);
    browser.post("/portal/enter", &[("link", &link), ("code", &spaced)]).await.is(StatusCode::SEE_OTHER);
    let home = browser.get("/portal").await.is(StatusCode::OK);
    assert!(home.has("Signed in as ada@example.com") && home.has(&first) && home.has(&second));
    let key = world.keys(&second).await.remove(0);
    assert!(!home.has(&key) && home.has(&key[key.len() - 4..]));
    assert!(browser.get(&second).await.is(StatusCode::OK).has(&key));

    // The code is used up.
    let mut thief = world.browser();
    thief.post("/portal/enter", &[("link", &link), ("code", &code)]).await.is(StatusCode::UNPROCESSABLE_ENTITY);
    browser.post("/portal/leave", &[]).await.is(StatusCode::SEE_OTHER);
    assert!(browser.get("/portal").await.has("There is no password"));
    browser.get(&second).await.is(StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_stranger_who_asks_for_a_code_sees_what_a_customer_sees() {
    let world = World::new().await;
    world.bought("lumen-personal", "1").await;
    world.settle().await;
    let mut browser = world.browser();
    let sent =
        browser.post("/portal/code", &[("email", "nobody@example.com")]).await.is(StatusCode::SEE_OTHER).location();
    let stranger = browser.get(&sent).await;
    let sent = browser.post("/portal/code", &[("email", "ada@example.com")]).await.location();
    let customer = browser.get(&sent).await;
    let without_link =
        |text: &str| text.split("lnk_").map(|part| part.get(26..).unwrap_or(part)).collect::<String>().len();
    assert_eq!(without_link(&stranger.text), without_link(&customer.text));
    world.settle().await;
    assert!(world.mailbox.newest(10).await.unwrap().iter().all(|mail| mail.to.as_str() == "ada@example.com"));
}

#[tokio::test]
async fn whoever_asks_for_codes_again_and_again_fills_nobodys_mailbox() {
    let world = World::new().await;
    world.bought("lumen-personal", "1").await;
    let mut browser = world.browser();
    for _ in 0..8 {
        let sent = browser.post("/portal/code", &[("email", "ada@example.com")]).await.is(StatusCode::SEE_OTHER);
        assert!(browser.get(&sent.location()).await.is(StatusCode::OK).has("autocomplete=\"one-time-code\""));
    }
    world.settle().await;
    let mails = world.mailbox.newest(20).await.unwrap();
    assert_eq!(mails.iter().filter(|mail| mail.subject.to_string().starts_with("Your code")).count(), 5);
}

#[tokio::test]
async fn key_and_order_number_open_that_order_and_hide_what_is_personal() {
    let world = World::new().await;
    let (mut buyer, order) = world.bought("lumen-personal", "2").await;
    let (_, other) = world.bought("lumen-pro", "1").await;
    let (keys, number) = (world.keys(&order).await, number(&mut buyer, &order).await);
    let mut browser = world.browser();
    let typed = keys[0].to_lowercase().replace('-', " ");
    browser
        .post("/portal/key", &[("key", &typed), ("number", &number.replace('-', ""))])
        .await
        .is(StatusCode::SEE_OTHER);
    let home = browser.get("/portal").await.is(StatusCode::OK);
    assert!(home.has(&order) && !home.has(&other) && home.has("a…@example.com") && !home.has("ada@"));
    let page = browser.get(&order).await.is(StatusCode::OK);
    assert!(!page.has("ada@example.com") && keys.iter().all(|key| !page.has(key)));
    assert!(page.has("Only the ends of the keys are shown."));
    browser.get(&other).await.is(StatusCode::FORBIDDEN);

    // Where there is only the one key, the one who typed it knows it.
    let (mut buyer, single) = world.bought("lumen-pro", "1").await;
    let (key, number) = (world.keys(&single).await.remove(0), self::number(&mut buyer, &single).await);
    browser.post("/portal/key", &[("key", &key), ("number", &number)]).await.is(StatusCode::SEE_OTHER);
    assert!(browser.get(&single).await.has(&key));
}

#[tokio::test]
async fn a_key_that_cannot_be_taken_says_why() {
    let world = World::new().await;
    let (mut buyer, order) = world.bought("lumen-personal", "1").await;
    let (_, other) = world.bought("lumen-pro", "1").await;
    let (key, number) = (world.keys(&order).await.remove(0), number(&mut buyer, &order).await);
    let others_key = world.keys(&other).await.remove(0);
    let mistyped = format!("{}{}", &key[..key.len() - 1], if key.ends_with('7') { '8' } else { '7' });
    #[rustfmt::skip]
    let table = [
        ("",                        number.as_str(), "Enter your license key."),
        ("ABCD",                    &number,         "has 28 letters and digits"),
        (mistyped.as_str(),         &number,         "There is a typo"),
        (&key.replace(&key[..1], "U"), &number,      "no key contains"),
        (&key,                      "",              "Enter the order number."),
        (&key,                      "12",            "has eight letters and digits"),
        (&others_key,               &number,         "do not belong together"),
        (&key,                      "AAAA-AAAA",     "do not belong together"),
    ];
    let mut browser = world.browser();
    for (key, number, message) in table {
        let page =
            browser.post("/portal/key", &[("key", key), ("number", number)]).await.is(StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.has(message), "{key} {number}: {}", page.between("<main", "</main>"));
    }
    assert!(browser.get("/portal").await.has("There is no password"));
}

#[tokio::test]
async fn the_portal_frees_devices_and_resends_for_their_owner_alone() {
    let world = World::new().await;
    let (mut buyer, order) = world.bought("lumen-personal", "1").await;
    let (_, other) = world.bought("lumen-pro", "1").await;
    let (key, number) = (world.keys(&order).await.remove(0), number(&mut buyer, &order).await);
    let mut browser = world.browser();
    browser.post("/portal/key", &[("key", &key), ("number", &number)]).await;
    let resend = |order: &str| format!("/portal{order}/resend");
    browser.post(&resend(&other), &[]).await.is(StatusCode::NOT_FOUND);
    assert_eq!(browser.post(&resend(&order), &[]).await.location(), "/portal?done=just_sent");
    assert_eq!(world.browser().post(&resend(&order), &[]).await.location(), "/portal");
    let licenses =
        world.app.sale(world.shop.id, other.rsplit('/').next().unwrap().parse().unwrap()).await.unwrap().licenses;
    let release = format!("/portal/licenses/{}/activations/act_01m85yn90dff2scdhksjptgtbc/release", licenses[0].id);
    browser.post(&release, &[]).await.is(StatusCode::NOT_FOUND);
}
