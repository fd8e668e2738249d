//! The search box: whatever support has in hand leads to the page it is about.

use axum::http::StatusCode;

use super::desk;
use crate::support::World;

#[tokio::test]
async fn whatever_support_has_in_hand_leads_to_its_page() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let (_, order) = world.bought("lumen-pro", "1").await;
    let key = world.keys(&order).await.remove(0);
    world.activate(&key, "4C4C4544-0042-device", "Laptop").await;
    let sale = world.sale(&order).await;
    let wanted =
        app::RefundInput { id: None, amount: None, reason: domain::RefundReason::Duplicate, revoke: Some(false) };
    let sale = world.app.refund_order(world.shop.id, sale.order.id, wanted, domain::Actor::Api).await.unwrap();
    let license = &sale.licenses[0];
    let seat = world.app.store.activations(world.shop.id, license.id).await.unwrap().remove(0);
    let customer = sale.order.customer.unwrap();
    let (to_order, to_license, to_customer) =
        (desk(&sale), format!("/console/licenses/{}", license.id), format!("/console/customers/{customer}"));
    let number = sale.order.number.to_string();
    #[rustfmt::skip]
    let rows = [
        (sale.order.id.to_string(),                           &to_order),
        (number.clone(),                                      &to_order),
        (format!("#{}", number.replace('-', "").to_lowercase()), &to_order),
        ("ada@example.com".to_owned(),                        &to_customer),
        (" Ada@Exa".to_owned(),                               &to_customer),
        (customer.to_string(),                                &to_customer),
        (license.id.to_string(),                              &to_license),
        (key.clone(),                                         &to_license),
        (key.to_lowercase(),                                  &to_license),
        (license.key_tail.clone(),                            &to_license),
        (format!("…{}", license.key_tail.to_lowercase()),     &to_license),
        (key[key.len() - 9..].to_owned(),                     &to_license),
        ("lap".to_owned(),                                    &to_license),
        ("LAPTOP".to_owned(),                                 &to_license),
        (seat.id.to_string(),                                 &to_license),
        ("4C4C4544-0042-device".to_owned(),                   &to_license),
        (sale.payments[0].id.to_string(),                     &to_order),
        (sale.payments[0].reference.clone().unwrap(),         &to_order),
        (sale.payments[0].page_reference.clone().unwrap(),    &to_order),
        (sale.refunds[0].id.to_string(),                      &to_order),
        (sale.refunds[0].reference.clone().unwrap(),          &to_order),
    ];
    for (typed, expected) in rows {
        let query = serde_urlencoded::to_string([("q", &typed)]).unwrap();
        let page = staff.get(&format!("/console/search?{query}")).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{typed}: {}", page.text);
        assert_eq!(&page.location(), expected, "{typed}");
        let sent = staff.post("/console/search", &[("q", &typed)]).await.is(StatusCode::SEE_OTHER).location();
        assert_eq!(&sent, expected, "as the form sends it, without an address that says what was typed: {typed}");
    }
    let unknown = latchkey_license::KeyCode::from_random_bytes([6; 16]).to_string();
    let page = staff.post("/console/search", &[("q", &unknown)]).await.is(StatusCode::OK);
    assert!(page.has("Nothing was found.") && !page.text.contains(&format!("?q={unknown}")));
    // A key that was replaced is what a buyer has in hand.
    let input = app::ReissueInput {
        key: latchkey_license::KeyCode::from_random_bytes([5; 16]),
        frees_seats: false,
        tells_owner: false,
        reason: "leaked".to_owned(),
    };
    world.app.reissue_license(world.shop.id, license.id, &input, domain::Actor::Api).await.unwrap();
    let query = serde_urlencoded::to_string([("q", &key)]).unwrap();
    assert_eq!(staff.get(&format!("/console/search?{query}")).await.location(), to_license);
    for nothing in ["nobody@example.com", "zz", "4242424242424242", "%25", "' or 1=1 --", "\u{0}"] {
        let query = serde_urlencoded::to_string([("q", nothing)]).unwrap();
        let page = staff.get(&format!("/console/search?{query}")).await.is(StatusCode::OK);
        assert!(page.has("Nothing was found.") && !page.has("4242424242424242"), "{nothing}: {}", page.text);
    }
}

#[tokio::test]
async fn several_finds_are_listed_with_what_they_are() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    for email in ["ada@example.com", "adam@example.com"] {
        world.browser().press_pay("lumen-pro", &[("email", email)]).await.location();
    }
    let page = staff.get("/console/search?q=ada").await.is(StatusCode::OK);
    assert!(
        page.has("adam@example.com") && page.text.matches("<span class=\"quiet\">Customer</span>").count() == 2,
        "{}",
        page.text
    );
    assert_eq!(staff.get("/console/search?q=adam").await.status, StatusCode::SEE_OTHER);
    let sent = staff.post("/console/search", &[("q", "ada")]).await.is(StatusCode::SEE_OTHER);
    assert_eq!(sent.location(), "/console/search?q=ada", "a list can be passed on");
}
