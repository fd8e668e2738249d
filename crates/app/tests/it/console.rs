//! Signing in to the console by mail.

use app::NewShop;
use domain::{Changes, Duration, Locale, LoginLinkId, Mode, Seller, Shop};

use crate::house::{House, On, email};

/// How many links have arrived at this address.
fn arrived(house: &House, address: &str) -> usize {
    let is_link = |mail: &&app::mail::Mail| mail.to == email(address) && mail.text.contains("/console/enter?");
    house.post.arrived().iter().filter(is_link).count()
}

async fn ask(house: &House, shop: &Shop, address: &str) {
    house.app.send_console_link(shop, &email(address), &Locale::english()).await.unwrap();
    house.work().await;
}

/// Signs in with the last link that was mailed.
async fn enter(house: &House, shop: &Shop) {
    let text = house.post.arrived().pop().unwrap().text;
    let (_, rest) = text.split_once("/console/enter?link=").unwrap();
    let (link, rest) = rest.split_once("&token=").unwrap();
    let token = rest.split_whitespace().next().unwrap();
    house.app.enter_console(shop.id, LoginLinkId::parse(link).unwrap(), token).await.unwrap();
}

async fn a_mailbox_is_not_filled(on: On) {
    let house = House::open(on).await;
    house.app.console_entry(&house.shop).await.unwrap();
    house.advance(Duration::minutes(11));
    for _ in 0..7 {
        ask(&house, &house.shop, "owner@shop.test").await;
    }
    assert_eq!(arrived(&house, "owner@shop.test"), 5);
    enter(&house, &house.shop).await;
    house.advance(Duration::minutes(11));
    ask(&house, &house.shop, "owner@shop.test").await;
    assert_eq!(arrived(&house, "owner@shop.test"), 6, "they come again once it is quiet");
    ask(&house, &house.shop, "stranger@shop.test").await;
    assert_eq!(arrived(&house, "stranger@shop.test"), 0);
}

/// The shop of a first start has no address yet, and neither has its owner.
async fn the_first_owner_signs_in(on: On) {
    let house = House::open(on).await;
    let new = NewShop {
        name: "New shop".to_owned(),
        mode: Mode::Live,
        seller: Seller::default(),
        terms: String::new(),
        refund_policy: String::new(),
    };
    let shop = house.app.create_shop(new).await.unwrap();
    house.app.console_entry(&shop).await.unwrap();
    ask(&house, &shop, "me@shop.test").await;
    assert_eq!(arrived(&house, "me@shop.test"), 0, "nobody is known by it");

    let stored = house.app.store.shop(shop.id).await.unwrap().unwrap();
    let seller = Seller { email: "Me@shop.test".to_owned(), ..stored.seller.clone() };
    let changes = Changes { shops: vec![Shop { seller, ..stored }], ..Changes::default() };
    house.app.write(&changes).await.unwrap();
    let shop = house.app.store.shop(shop.id).await.unwrap().unwrap();
    ask(&house, &shop, "stranger@shop.test").await;
    assert_eq!(arrived(&house, "stranger@shop.test"), 0);
    for times in 1..=2 {
        ask(&house, &shop, "me@shop.test").await;
        assert_eq!(arrived(&house, "me@shop.test"), times);
        enter(&house, &shop).await;
    }
    assert_eq!(house.app.store.users(shop.id).await.unwrap().len(), 1);
}

#[tokio::test]
async fn links_to_the_console_do_not_fill_a_mailbox_on_sqlite() {
    a_mailbox_is_not_filled(On::Sqlite).await;
}

#[tokio::test]
async fn links_to_the_console_do_not_fill_a_mailbox_on_postgres() {
    a_mailbox_is_not_filled(On::Postgres).await;
}

#[tokio::test]
async fn the_first_owner_signs_in_by_mail_once_the_shop_has_an_address_on_sqlite() {
    the_first_owner_signs_in(On::Sqlite).await;
}

#[tokio::test]
async fn the_first_owner_signs_in_by_mail_once_the_shop_has_an_address_on_postgres() {
    the_first_owner_signs_in(On::Postgres).await;
}
