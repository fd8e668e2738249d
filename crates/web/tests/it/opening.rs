//! Who may open an order, and what can be done there.

use axum::http::StatusCode;
use domain::{ActivationRequest, Fingerprint};
use latchkey_license::KeyCode;

use crate::support::World;

#[tokio::test]
async fn an_order_opens_for_its_buyer_alone() {
    let world = World::new().await;
    let (mut buyer, order) = world.bought("lumen-pro", "1").await;
    let key = world.keys(&order).await.remove(0);
    assert!(buyer.get(&order).await.is(StatusCode::OK).has(&key));

    let unknown = "/orders/ord_01m85yn90dff2scdhksjptgtbc";
    let mut stranger = world.browser();
    let refusal = stranger.get(&order).await.is(StatusCode::FORBIDDEN);
    for path in
        [unknown, "/orders/ord_1", "/orders/x"].map(str::to_owned).into_iter().chain([format!("{order}?receipt=wrong")])
    {
        let page = stranger.get(&path).await.is(StatusCode::FORBIDDEN);
        assert_eq!(page.text, refusal.text, "{path}: a stranger learns nothing from the difference");
    }
    for text in [key.as_str(), "ada@", "€99", "Lumen Pro"] {
        assert!(!refusal.has(text), "{text}");
    }
    for action in ["retry", "check", "resend"] {
        stranger.post(&format!("{order}/{action}"), &[]).await.is(StatusCode::FORBIDDEN);
    }
    // The return of another browser, as after a challenge in a banking app, asks and shows nothing.
    assert_eq!(stranger.get(&format!("{order}/return")).await.location(), order);
    stranger.get(&order).await.is(StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_receipt_link_opens_the_order_and_leaves_the_address_clean() {
    let world = World::new().await;
    let (_, order) = world.bought("lumen-pro", "1").await;
    let link = world.own(&world.app.receipt_url(order.rsplit('/').next().unwrap().parse().unwrap()));
    let mut other_device = world.browser();
    let opened = other_device.get(&link).await.is(StatusCode::SEE_OTHER);
    assert_eq!(opened.location(), order);
    let cookie = opened.header("set-cookie");
    for part in ["HttpOnly", &format!("Path={order}"), "Max-Age=7776000"] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    assert!(other_device.get(&order).await.is(StatusCode::OK).has(&world.keys(&order).await[0]));
    let (_, another) = world.bought("lumen-personal", "1").await;
    other_device.get(&another).await.is(StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn whoever_knows_a_visit_cannot_open_its_paid_order() {
    let world = World::new().await;
    let mut buyer = world.browser();
    let till = buyer.get("/buy/lumen-pro?country=DE").await;
    let gateway_page = buyer.press(&till, "lumen-pro", &[]).await.location();
    let mut stranger = world.browser();
    // Before it is paid, another address makes another order.
    stranger.press(&till, "lumen-pro", &[("email", "eve@example.com")]).await;
    let paid = world.pay(&gateway_page, crate::support::GOOD_CARD).await;
    let order = buyer.get(&world.own(&paid.location())).await.location();
    let pressed = stranger.press(&till, "lumen-pro", &[]).await.is(StatusCode::SEE_OTHER);
    assert_eq!(pressed.location(), order);
    stranger.get(&order).await.is(StatusCode::FORBIDDEN);
    let mails = async || {
        world.settle().await;
        world.mailbox.newest(10).await.unwrap()
    };
    assert!(mails().await.iter().all(|mail| mail.to.as_str() == "ada@example.com"));
}

#[tokio::test]
async fn devices_appear_on_the_page_and_their_seats_can_be_freed() {
    let world = World::new().await;
    let (mut buyer, order) = world.bought("lumen-personal", "1").await;
    let key = KeyCode::parse(&world.keys(&order).await[0]).unwrap();
    assert!(buyer.get(&order).await.has("Waiting for your first device."));
    let device = ActivationRequest {
        name: Some("Ada’s <laptop>".to_owned()),
        ..ActivationRequest::of(Fingerprint::parse("a-b-c").unwrap())
    };
    world.app.activate_license(world.shop.id, &key, &device).await.unwrap();
    let page = buyer.get(&order).await;
    assert!(page.has("Ada’s &#60;laptop&#62;") && page.has("1 of 2 devices activated"), "{}", page.text);
    let mut forms = page.text.split("action=\"").map(|part| part.split('"').next().unwrap());
    let release = forms.find(|path| path.ends_with("/release")).unwrap().to_owned();
    world.browser().post(&release, &[]).await.is(StatusCode::FORBIDDEN);
    for _ in 0..2 {
        // The second press finds the seat free already.
        let freed = buyer.post(&release, &[]).await.is(StatusCode::SEE_OTHER).location();
        assert!(
            buyer.get(&freed).await.has("The device is free.")
                && buyer.get(&order).await.has("0 of 2 devices activated")
        );
    }
}

#[tokio::test]
async fn the_mail_is_sent_again_once_a_minute_at_most() {
    let world = World::new().await;
    let (mut buyer, order) = world.bought("lumen-personal", "1").await;
    world.settle().await;
    world.app.clock.advance(domain::Duration::minutes(2));
    let resend = format!("{order}/resend");
    assert_eq!(buyer.post(&resend, &[]).await.location(), format!("{order}?done=resent"));
    assert_eq!(buyer.post(&resend, &[]).await.location(), format!("{order}?done=just_sent"));
    world.settle().await;
    assert_eq!(world.mailbox.newest(10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn every_unit_has_its_own_key() {
    let world = World::new().await;
    let (mut buyer, order) = world.bought("lumen-personal", "3").await;
    let keys = world.keys(&order).await;
    assert_eq!(keys.len(), 3);
    let page = buyer.get(&order).await;
    assert!(page.has("Your 3 license keys") && keys.iter().all(|key| page.has(key)));
    assert!(page.has("€147.00"));
}
