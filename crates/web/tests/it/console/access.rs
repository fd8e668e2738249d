//! Sessions of the console: by a link that works once, for one shop.

use axum::http::StatusCode;
use domain::{Duration, Email, EventKind, Mode, Seller, Shop};

use super::enter;
use crate::support::{Page, World};

const ROUTER: &str = include_str!("../../../src/router.rs");

/// Where somebody without a session has business.
const OPEN: [&str; 3] = ["/console/sign-in", "/console/enter", "/console/leave"];

/// Method and path of every route of the console, ids filled in.
fn routes() -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for line in ROUTER.lines().filter(|line| line.contains(".route(\"/console")) {
        let path = line.split('"').nth(1).unwrap();
        let path: Vec<&str> = path.split('/').map(|step| if step.starts_with('{') { "x" } else { step }).collect();
        let path = path.join("/");
        for method in ["get", "post"] {
            if line.contains(&format!("{method}(")) {
                found.push((method, path.clone()));
            }
        }
    }
    found
}

#[tokio::test]
async fn nothing_of_the_console_opens_without_a_session() {
    let world = World::new().await;
    let mut stranger = world.browser();
    let closed: Vec<_> = routes().into_iter().filter(|(_, path)| !OPEN.contains(&path.as_str())).collect();
    assert!(closed.len() >= 16, "{closed:?}");
    for (method, path) in closed {
        let page =
            if method == "get" { stranger.get(&path).await } else { stranger.post(&path, &[("amount", "1")]).await };
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{method} {path}");
        assert_eq!(page.location(), "/console/sign-in", "{method} {path}");
    }
}

#[tokio::test]
async fn a_form_of_another_site_moves_nothing_in_the_console() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    for (_, path) in routes().into_iter().filter(|(method, _)| *method == "post") {
        staff.post_from_elsewhere(&path).await.is(StatusCode::FORBIDDEN);
    }
    staff.get("/console").await.is(StatusCode::OK);
}

#[tokio::test]
async fn a_session_opens_the_shop_it_was_given_for_and_no_other() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let (_, order) = world.bought("lumen-pro", "1").await;
    let order = format!("/console{order}");
    staff.get(&order).await.is(StatusCode::OK);

    // Another shop takes over the host name that the browser asks for.
    let seller = Seller { email: "owner@other.example".to_owned(), ..Seller::default() };
    let (terms, refund_policy) = (String::new(), String::new());
    let other = app::NewShop { name: "Other".to_owned(), mode: Mode::Live, seller, terms, refund_policy };
    let other = world.app.create_shop(other).await.unwrap();
    let stored = world.app.store.shop(other.id).await.unwrap().unwrap();
    let moved = Shop { host: Some("shop.test".to_owned()), ..stored };
    world.app.write(&domain::Changes { shops: vec![moved], ..domain::Changes::default() }).await.unwrap();
    world.app.refresh_shops().await.unwrap();

    for path in ["/console", order.as_str()] {
        assert_eq!(staff.get(path).await.is(StatusCode::SEE_OTHER).location(), "/console/sign-in");
    }
    // Signed in there, the first shop's order is not to be found.
    let mut colleague = world.browser();
    let link = world.own(&world.app.console_entry(&other).await.unwrap().url);
    let page = colleague.get(&link).await.is(StatusCode::OK);
    enter(&mut colleague, &page).await.is(StatusCode::SEE_OTHER);
    assert!(!colleague.get("/console").await.is(StatusCode::OK).has("Test mode"));
    colleague.get(&order).await.is(StatusCode::NOT_FOUND);
    colleague.post(&format!("{order}/refund"), &[("amount", "1")]).await.is(StatusCode::NOT_FOUND);
    // And a link of the first shop opens nothing here.
    let foreign = world.app.console_entry(&world.shop).await.unwrap().url;
    let page = colleague.get(&world.own(&foreign)).await.is(StatusCode::OK);
    enter(&mut world.browser(), &page).await.is(StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn looking_at_a_link_uses_nothing_up_and_pressing_uses_it_once() {
    let world = World::new().await;
    let mut browser = world.browser();
    let link = world.console_link().await;
    for _ in 0..5 {
        let page = browser.get(&link).await.is(StatusCode::OK);
        assert!(page.headers.get("set-cookie").is_none(), "looking signs nobody in");
    }
    let page = browser.get(&link).await;
    let entered = enter(&mut browser, &page).await.is(StatusCode::SEE_OTHER);
    assert_eq!(entered.location(), "/console");
    let cookie = entered.header("set-cookie");
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Path=/console"),
        "{cookie}"
    );
    let home = browser.get("/console").await.is(StatusCode::OK);
    assert!(home.has("Test mode") && home.header("cache-control") == "no-store");

    let mut thief = world.browser();
    let again = enter(&mut thief, &page).await.is(StatusCode::FORBIDDEN);
    assert!(again.has("This link no longer works") && again.headers.get("set-cookie").is_none());
    thief.get("/console").await.is(StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_link_that_was_changed_or_is_too_old_opens_nothing() {
    let world = World::new().await;
    let mut browser = world.browser();
    let link = world.console_link().await;
    let page = browser.get(&link).await;
    let (link, token) = (page.hidden("link"), page.hidden("token"));
    let other = token.chars().rev().collect::<String>();
    for form in [
        [("link", link.as_str()), ("token", other.as_str())],
        [("link", "lnk_1"), ("token", token.as_str())],
        [("link", ""), ("token", "")],
    ] {
        browser.post("/console/enter", &form).await.is(StatusCode::FORBIDDEN);
    }
    world.app.clock.advance(Duration::minutes(31));
    enter(&mut browser, &page).await.is(StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_pressed_a_hundred_times_at_once_signs_in_once() {
    let world = World::new().await;
    let link = world.console_link().await;
    let page = world.browser().get(&link).await;
    let pressed: Vec<_> = (0..100)
        .map(|_| {
            let mut browser = world.browser();
            let page = Page { status: page.status, headers: page.headers.clone(), text: page.text.clone() };
            tokio::spawn(async move { enter(&mut browser, &page).await.status })
        })
        .collect();
    let mut answers = Vec::new();
    for press in pressed {
        answers.push(press.await.unwrap());
    }
    assert_eq!(answers.iter().filter(|status| **status == StatusCode::SEE_OTHER).count(), 1);
    assert_eq!(answers.iter().filter(|status| **status == StatusCode::FORBIDDEN).count(), 99);
    let all = store::Page { starting_after: None, ending_before: None, limit: 100 };
    let events = world.app.store.events(world.shop.id, None, all).await.unwrap().data;
    assert_eq!(events.iter().filter(|event| event.kind == EventKind::SessionStarted).count(), 1);
}

#[tokio::test]
async fn a_session_ends_when_it_is_left_and_after_a_working_day() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let mut copied = staff.clone();
    assert_eq!(staff.post("/console/leave", &[]).await.is(StatusCode::SEE_OTHER).location(), "/console/sign-in");
    staff.get("/console").await.is(StatusCode::SEE_OTHER);
    copied.get("/console").await.is(StatusCode::SEE_OTHER);

    let mut staff = world.staff().await;
    world.app.clock.advance(Duration::hours(11));
    staff.get("/console").await.is(StatusCode::OK);
    world.app.clock.advance(Duration::hours(2));
    staff.get("/console").await.is(StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_page_after_asking_for_a_link_tells_nobody_who_works_here() {
    let world = World::new().await;
    world.console_link().await;
    let (owner, stranger) = ("hello@lumen.example", "stranger@else.example");
    let mut browser = world.browser();
    let known = browser.post("/console/sign-in", &[("email", owner)]).await.is(StatusCode::OK);
    let unknown = browser.post("/console/sign-in", &[("email", stranger)]).await.is(StatusCode::OK);
    assert_eq!(known.text.replace(owner, ""), unknown.text.replace(stranger, ""));
    assert!(known.has("Look into your mail"));

    world.settle().await;
    let mails = world.mailbox.newest(10).await.unwrap();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, Email::parse(owner).unwrap());
    let start = mails[0].text.find("/console/enter?").expect("a link");
    let link = mails[0].text[start..].split_whitespace().next().unwrap();
    let page = browser.get(link).await.is(StatusCode::OK);
    enter(&mut browser, &page).await.is(StatusCode::SEE_OTHER);
    browser.get("/console").await.is(StatusCode::OK);
}

#[tokio::test]
async fn an_address_that_cannot_be_one_is_told_why() {
    let world = World::new().await;
    let long = format!("{}@example.com", "a".repeat(250));
    #[rustfmt::skip]
    let rows = [
        ("",                  "Enter your email address."),
        ("ada",               "The email address has no @."),
        ("ada@x@example.com", "The email address has more than one @."),
        ("@example.com",      "The email address has nothing before the @."),
        ("ada@nowhere",       "What stands after the @ is no domain."),
        ("a da@example.com",  "The email address has a space"),
        (long.as_str(),       "The email address is too long."),
    ];
    for (typed, cause) in rows {
        let page =
            world.browser().post("/console/sign-in", &[("email", typed)]).await.is(StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.has(cause), "{typed}: {}", page.text);
        assert!(page.title().starts_with("Error:") && page.has(&format!("value=\"{typed}\"")), "{typed}");
        assert!(page.has("href=\"#email\"") && page.has("aria-invalid=\"true\""), "{typed}");
    }
    let mut german = world.browser();
    german.languages = "de";
    let page = german.post("/console/sign-in", &[("email", "ada")]).await.is(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.title().starts_with("Fehler:") && page.has("<html lang=\"de\""), "{}", page.text);
}
