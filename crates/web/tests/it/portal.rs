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

impl World {
    /// Signs in with the code that is mailed to an address.
    pub(crate) async fn signed_in(&self, email: &str) -> Browser {
        let mut browser = self.browser();
        let sent = browser.post("/portal/code", &[("email", email)]).await.is(StatusCode::SEE_OTHER).location();
        let link = browser.get(&sent).await.hidden("link");
        let mail = self.mail_to(email, "Your code").await;
        let digits = mail.split(|letter: char| !letter.is_ascii_digit()).find(|digits| digits.len() == 8).unwrap();
        browser.post("/portal/enter", &[("link", &link), ("code", digits)]).await.is(StatusCode::SEE_OTHER);
        browser
    }

    /// The text of the newest mail to an address whose subject begins so.
    pub(crate) async fn mail_to(&self, email: &str, subject: &str) -> String {
        self.settle().await;
        let mails = self.mailbox.newest(30).await.unwrap();
        let is_it =
            |mail: &&app::mail::Mail| mail.to.as_str() == email && mail.subject.to_string().starts_with(subject);
        mails.iter().find(is_it).unwrap_or_else(|| panic!("no mail {subject} to {email}")).text.clone()
    }

    pub(crate) async fn license_of(&self, order: &str) -> domain::License {
        let id = order.split('?').next().unwrap().rsplit('/').next().unwrap().parse().unwrap();
        self.app.sale(self.shop.id, id).await.unwrap().licenses.remove(0)
    }

    async fn sit(&self, key: &str, device: &str, name: &str) -> domain::ActivationId {
        let request = domain::ActivationRequest {
            name: Some(name.to_owned()),
            ..domain::ActivationRequest::of(domain::Fingerprint::parse(device).unwrap())
        };
        let key = latchkey_license::KeyCode::parse(key).unwrap();
        self.app.activate_license(self.shop.id, &key, &request).await.unwrap().activation.id
    }
}

fn key_in(mail: &str) -> String {
    let is_key = |line: &&str| line.len() == 34 && line.bytes().filter(|byte| *byte == b'-').count() == 6;
    mail.lines().find(is_key).unwrap_or_else(|| panic!("no key in {mail}")).to_owned()
}

#[tokio::test]
async fn an_owner_names_devices_and_frees_as_many_as_the_plan_allows() {
    let world = World::new().await;
    let seating =
        domain::Seating { releases: Some(domain::Quota { count: 1, days: 30 }), ..domain::Seating::default() };
    let policy = domain::Policy { seats: Some(3), certificate_seconds: 86_400, seating, ..domain::Policy::default() };
    world.sells("bounded", policy).await;
    let (mut buyer, order) = world.bought("bounded", "1").await;
    let key = world.keys(&order).await.remove(0);
    let license = world.license_of(&order).await;
    let first = world.sit(&key, "device-1", "MACHINE-1").await;
    let second = world.sit(&key, "device-2", "MACHINE-2").await;

    let mut owner = world.signed_in("ada@example.com").await;
    let path = format!("/portal/licenses/{}", license.id);
    assert!(owner.get("/portal").await.has(&format!("href=\"{path}\"")));
    let page = owner.get(&path).await.is(StatusCode::OK);
    assert!(page.has(&key) && page.has("MACHINE-1") && page.has("You can free 1 of 1 devices"), "{}", page.text);
    let rename = format!("{path}/activations/{first}/rename");
    for (typed, told, name) in [("  At home ", "renamed", "At home"), ("", "renamed", "MACHINE-1")] {
        let to = owner.post(&rename, &[("name", typed)]).await.is(StatusCode::SEE_OTHER).location();
        assert_eq!(to, format!("{path}?done={told}"));
        let page = owner.get(&to).await.is(StatusCode::OK);
        assert!(page.has(&format!("<h3><bdi>{name}</bdi></h3>")) && page.has("The name is saved."), "{}", page.text);
    }
    let long = "x".repeat(101);
    for wrong in [long.as_str(), "4242 4242 4242 4242"] {
        let page = owner.post(&rename, &[("name", wrong)]).await.is(StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.has("at most 100 characters") && page.title().starts_with("Error: "), "{wrong}");
    }

    let release = |seat: domain::ActivationId| format!("/activations/{seat}/release");
    let done = owner.post(&format!("{path}{}", release(first)), &[("to", "license")]).await.location();
    assert_eq!(done, format!("{path}?done=released"));
    let page = owner.get(&done).await.is(StatusCode::OK);
    assert!(page.has("The next one can be freed on") && !page.has("/release\""), "{}", page.text);
    // Neither by a form that was open already, nor by the order's page.
    let again = owner.post(&format!("{path}{}", release(second)), &[]).await.location();
    assert_eq!(again, "/portal?done=release_quota");
    assert!(owner.get(&again).await.has("The device was not freed"));
    let again = buyer.post(&format!("{order}/licenses/{}{}", license.id, release(second)), &[]).await.location();
    assert_eq!(again, format!("{order}?done=release_quota"));
    assert_eq!(world.license_of(&order).await.seats_used, 1);
    // What the app gives back does not count, and the month passes.
    world.app.clock.advance(domain::Duration::days(30));
    let mut owner = world.signed_in("ada@example.com").await;
    let done = owner.post(&format!("{path}{}", release(second)), &[]).await.location();
    assert_eq!((done.as_str(), world.license_of(&order).await.seats_used), ("/portal?done=released", 0));

    let mut stranger = world.browser();
    assert_eq!(stranger.get(&path).await.is(StatusCode::SEE_OTHER).location(), "/portal");
    let mut holder = world.browser();
    let number = number(&mut buyer, &order).await;
    holder.post("/portal/key", &[("key", &key), ("number", &number)]).await.is(StatusCode::SEE_OTHER);
    let page = holder.get(&path).await.is(StatusCode::OK);
    assert!(page.has("only for whoever reads your mails") && !page.has(&key), "{}", page.text);
}

#[tokio::test]
async fn an_owner_takes_a_new_key_and_the_old_one_is_retired_at_once() {
    let world = World::new().await;
    let (_, order) = world.bought("lumen-pro", "1").await;
    let old = world.keys(&order).await.remove(0);
    world.sit(&old, "device-1", "Desk").await;
    let license = world.license_of(&order).await;
    let mut owner = world.signed_in("ada@example.com").await;
    let path = format!("/portal/licenses/{}", license.id);
    let page = owner.get(&format!("{path}/key")).await.is(StatusCode::OK);
    assert!(page.has(&old[old.len() - 4..]) && !page.has(&old) && page.has("3 more within 30 days"), "{}", page.text);
    assert_eq!(world.keys(&order).await, std::slice::from_ref(&old), "looking does nothing");
    let done = owner.post(&format!("{path}/key"), &[("release", "yes")]).await.is(StatusCode::SEE_OTHER).location();
    let new = world.keys(&order).await.remove(0);
    assert_ne!(new, old);
    let page = owner.get(&done).await.is(StatusCode::OK);
    assert!(page.has(&new) && page.has("Here is your new key."), "{}", page.text);
    assert_eq!(key_in(&world.mail_to("ada@example.com", "Your new license key").await), new);
    assert_eq!(world.license_of(&order).await.seats_used, 0);
    let asked = latchkey_license::KeyCode::parse(&old).unwrap();
    let answer =
        world.app.validate_license(world.shop.id, &asked, &domain::ValidationRequest::default()).await.unwrap();
    assert_eq!(answer.verdict.code, domain::VerdictCode::KeyRetired);
    for _ in 0..2 {
        owner.post(&format!("{path}/key"), &[]).await.is(StatusCode::SEE_OTHER);
    }
    let page = owner.post(&format!("{path}/key"), &[]).await.is(StatusCode::CONFLICT);
    assert!(page.has("The next one can be had on") && !page.has("<button type=\"submit\">Replace"), "{}", page.text);
    owner.post_from_elsewhere(&format!("{path}/key")).await.is(StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn lost_keys_are_mailed_to_who_bought_and_nobody_learns_who_did() {
    let world = World::new().await;
    let (_, order) = world.bought("lumen-personal", "1").await;
    world.settle().await;
    let mut browser = world.browser();
    let stranger = browser.post("/portal/keys", &[("email", "nobody@example.com")]).await.location();
    let customer = browser.post("/portal/keys", &[("email", "Ada@Example.com")]).await.location();
    assert_eq!(stranger, customer);
    assert!(browser.get(&customer).await.is(StatusCode::OK).has("its keys are on their way to it"));
    let mail = world.mail_to("ada@example.com", "Your license keys").await;
    assert_eq!(key_in(&mail), world.keys(&order).await[0]);
    for _ in 0..4 {
        browser.post("/portal/keys", &[("email", "ada@example.com")]).await.is(StatusCode::SEE_OTHER);
    }
    world.settle().await;
    let mails = world.mailbox.newest(30).await.unwrap();
    assert!(mails.iter().all(|mail| mail.to.as_str() == "ada@example.com"));
    assert_eq!(mails.iter().filter(|mail| mail.subject.to_string().starts_with("Your license keys")).count(), 2);
    let page = browser.post("/portal/keys", &[("email", "ada")]).await.is(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.has("has no @"));
}

#[tokio::test]
async fn a_license_is_handed_on_and_belongs_to_who_took_it() {
    let world = World::new().await;
    let (mut buyer, order) = world.bought("lumen-pro", "1").await;
    let old = world.keys(&order).await.remove(0);
    let seat = world.sit(&old, "device-1", "Desk").await;
    let license = world.license_of(&order).await;
    let mut owner = world.signed_in("ada@example.com").await;
    let path = format!("/portal/licenses/{}", license.id);
    let transfer = format!("{path}/transfer");
    owner.get(&transfer).await.is(StatusCode::OK);
    for (email, message) in [("", "Enter your email"), ("bob", "has no @"), ("ADA@example.com", "belongs to already")] {
        let page = owner.post(&transfer, &[("email", email)]).await.is(StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.has(message), "{email}: {}", page.text);
    }
    let done = owner.post(&transfer, &[("email", "bob@example.com"), ("devices", "free")]).await.location();
    let page = owner.get(&done).await.is(StatusCode::OK);
    assert!(page.has("Offered to bob@example.com until"), "{}", page.text);
    assert!(world.mail_to("ada@example.com", "You are handing").await.contains("bob@example.com"));
    let link = |mail: &str| {
        world.own(mail.lines().find(|line| line.contains("/transfer?")).unwrap_or_else(|| panic!("no link in {mail}")))
    };
    let withdrawn = link(&world.mail_to("bob@example.com", "A license for").await);
    owner.post(&format!("{transfer}/withdraw"), &[]).await.is(StatusCode::SEE_OTHER);
    assert!(world.browser().get(&withdrawn).await.is(StatusCode::NOT_FOUND).has("This offer is not open"));

    world.app.clock.advance(domain::Duration::seconds(1));
    owner.post(&transfer, &[("email", "bob@example.com"), ("devices", "free")]).await.is(StatusCode::SEE_OTHER);
    let taken = link(&world.mail_to("bob@example.com", "A license for").await);
    assert_ne!(taken, withdrawn);
    let mut receiver = world.browser();
    for wrong in ["/transfer", "/transfer?offer=trf_1&token=x", &taken[..taken.len() - 1]] {
        receiver.get(wrong).await.is(StatusCode::NOT_FOUND);
    }
    let page = receiver.get(&taken).await.is(StatusCode::OK);
    assert!(page.has("ada@example.com") && !page.has(&old) && page.has("You get a key of your own"), "{}", page.text);
    assert_eq!(world.license_of(&order).await.customer, license.customer, "looking does nothing");
    let form = [("offer", page.hidden("offer")), ("token", page.hidden("token"))];
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert!(receiver.post("/transfer", &form).await.is(StatusCode::OK).has("The license is yours"));
    receiver.post("/transfer", &form).await.is(StatusCode::NOT_FOUND);

    let new = key_in(&world.mail_to("bob@example.com", "Your license at").await);
    world.mail_to("ada@example.com", "Your license for").await;
    assert_ne!(new, old);
    let moved = world.license_of(&order).await;
    assert_eq!((moved.seats_used, moved.order), (0, license.order));
    // The first owner sees that it is gone, and nothing of it: no key on the order's page, none in its mail.
    owner.get(&path).await.is(StatusCode::NOT_FOUND);
    let page = buyer.get(&order).await.is(StatusCode::OK);
    assert!(page.has("Handed on to somebody else") && !page.has(&new) && !page.has(&old), "{}", page.text);
    world.app.clock.advance(domain::Duration::minutes(2));
    buyer.post(&format!("{order}/resend"), &[]).await.is(StatusCode::SEE_OTHER);
    let again = world.mail_to("ada@example.com", "Your order").await;
    assert!(!again.contains(&new), "{again}");
    let release = format!("{order}/licenses/{}/activations/{seat}/release", license.id);
    buyer.post(&release, &[]).await.is(StatusCode::NOT_FOUND);
    // The second owner has it.
    let mut bob = world.signed_in("bob@example.com").await;
    let home = bob.get("/portal").await.is(StatusCode::OK);
    assert!(home.has("Handed on to you") && home.has(&path) && !home.has(&order), "{}", home.text);
    assert!(bob.get(&path).await.is(StatusCode::OK).has(&new));
    bob.get(&order).await.is(StatusCode::FORBIDDEN);
}
