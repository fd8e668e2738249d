//! Who may do what.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, Version};
use domain::Scope;
use serde_json::json;

use crate::caller::{Caller, order_of};
use crate::support::World;

#[tokio::test]
async fn a_key_opens_what_its_scope_covers_and_nothing_more() {
    let world = World::new().await;
    let manage = Caller::manager(&world).await;
    let read = Caller::with(&world, Scope::Read).await;
    let checkout = Caller::with(&world, Scope::Checkout).await;
    let opened = manage.post("/v1/checkouts", &order_of("lumen-pro")).await.is(201).json();
    let (visit, order) = (opened["id"].as_str().unwrap(), opened["order"].as_str().unwrap());
    #[rustfmt::skip]
    let table = [
        // method       path                                 read checkout manage
        (Method::POST, "/v1/checkouts".to_owned(),           403, 201,     201),
        (Method::GET,  "/v1/checkouts".to_owned(),           200, 403,     200),
        (Method::GET,  format!("/v1/checkouts/{visit}"),     200, 200,     200),
        (Method::GET,  "/v1/orders".to_owned(),              200, 403,     200),
        (Method::GET,  format!("/v1/orders/{order}"),        200, 403,     200),
        (Method::POST, format!("/v1/orders/{order}/refunds"), 403, 403,    409),
        (Method::GET,  format!("/v1/orders/{order}/refunds"), 200, 403,    200),
        (Method::GET,  "/v1/licenses".to_owned(),            200, 403,     200),
        (Method::GET,  "/v1/customers".to_owned(),           200, 403,     200),
        (Method::GET,  "/v1/events".to_owned(),              200, 403,     200),
        (Method::GET,  "/v1/claims".to_owned(),              200, 403,     200),
        (Method::GET,  "/v1/products".to_owned(),            200, 200,     200),
    ];
    for (method, path, as_read, as_checkout, as_manage) in table {
        for (caller, status) in [(&read, as_read), (&checkout, as_checkout), (&manage, as_manage)] {
            let body = if path == "/v1/checkouts" { order_of("lumen-pro") } else { json!({}) };
            let body = if method == Method::POST { body.to_string().into_bytes() } else { Vec::new() };
            let answer = caller.send(method.clone(), &path, &[("content-type", "application/json")], body).await;
            assert_eq!(answer.status.as_u16(), status, "{method} {path}: {}", answer.text);
            if status == 403 {
                answer.refused(403, "scope_missing");
            }
        }
    }
}

#[tokio::test]
async fn without_a_working_key_nothing_is_told() {
    let world = World::new().await;
    let stranger = Caller::stranger(&world.app);
    let key = world.app.create_api_key(&world.shop, "test", Scope::Manage).await.unwrap().key;
    let withdrawn = world.app.create_api_key(&world.shop, "leaked", Scope::Manage).await.unwrap();
    stranger.clone().showing(&withdrawn.key).get("/v1/orders").await.is(200);
    world.app.revoke_api_key(&world.shop, withdrawn.id).await.unwrap();
    let keys = [
        "",
        "lk_test_",
        "lk_test_wrong",
        "sk_live_wrong",
        &key[..key.len() - 1],
        &format!("{key}x"),
        &key.to_uppercase(),
        &withdrawn.key,
    ];
    for path in
        ["/v1/claims", "/v1/checkouts", "/v1/orders", "/v1/licenses", "/v1/customers", "/v1/events", "/v1/products"]
    {
        stranger.get(path).await.refused(401, "api_key_invalid");
        for key in keys {
            let refused = stranger.clone().showing(key).get(path).await.refused(401, "api_key_invalid");
            assert_eq!(refused.header("www-authenticate"), "Bearer");
        }
    }
    // A stranger's order is refused before anything is read of it.
    stranger.post("/v1/checkouts", &json!({ "plan": 1 })).await.refused(401, "api_key_invalid");
}

#[tokio::test]
async fn a_key_sees_its_own_shop_alone() {
    let world = World::new().await;
    let other = World::new().await;
    let manager = Caller::manager(&world).await;
    let opened = Caller::manager(&other).await.post("/v1/checkouts", &order_of("lumen-pro")).await.is(201).json();
    for (noun, id) in [("checkouts", &opened["id"]), ("orders", &opened["order"])] {
        manager.get(&format!("/v1/{noun}/{}", id.as_str().unwrap())).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn a_form_is_taken_from_a_page_of_the_shop_alone() {
    let world = World::new().await;
    let browser = Caller::stranger(&world.app);
    let own = world.app.settings.public_url.as_str();
    #[rustfmt::skip]
    let table: [(&[(&str, &str)], bool); 13] = [
        (&[],                                                                     true),
        (&[("sec-fetch-site", "same-origin")],                                    true),
        (&[("sec-fetch-site", "none")],                                           true),
        (&[("sec-fetch-site", "same-site")],                                      false),
        (&[("sec-fetch-site", "cross-site")],                                     false),
        (&[("origin", own)],                                                      true),
        (&[("origin", "https://shop.test")],                                      true),
        (&[("origin", "https://shop.test.evil.example")],                         false),
        (&[("origin", "https://evil.example")],                                   false),
        (&[("origin", "null")],                                                   false),
        (&[("origin", "shop.test")],                                              false),
        (&[("sec-fetch-site", "cross-site"), ("origin", own)],                    false),
        (&[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")], false),
    ];
    for (headers, is_taken) in table {
        let mut headers = headers.to_vec();
        headers.push(("content-type", "application/x-www-form-urlencoded"));
        let body = b"email=ada%40example.com".to_vec();
        let answer = browser.send(Method::POST, "/console/sign-in", &headers, body).await;
        assert_eq!(answer.status.as_u16() != 403, is_taken, "{headers:?}: {}", answer.text);
        let read = browser.send(Method::GET, "/console/sign-in", &headers, Vec::new()).await;
        assert_eq!(read.status.as_u16(), 200, "{headers:?}: to read moves nothing");
    }
    // Over HTTP/2 the address of the request names the host; here no header does.
    for (origin, is_taken) in [("https://pay.shop.test", true), ("https://shop.test", false)] {
        let form = Request::post("https://pay.shop.test/console/sign-in")
            .version(Version::HTTP_2)
            .header("origin", origin)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from("email=ada%40example.com"));
        let answer = browser.answer(form.unwrap()).await;
        assert_eq!(answer.status != StatusCode::FORBIDDEN, is_taken, "{origin}: {}", answer.text);
    }
}
