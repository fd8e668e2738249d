//! What cannot be taken is refused with its place, and nothing is written.

use axum::http::Method;
use serde_json::{Value, json};

use crate::caller::{Caller, key_of_nobody, order_of, orders};
use crate::support::World;

/// An order that fits, with one thing changed; `null` takes a field out.
fn changed(pointer: &str, value: Value) -> Value {
    let mut body = order_of("lumen-pro");
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value.is_null() {
        parent.remove(name);
    } else {
        parent.insert(name.to_owned(), value);
    }
    body
}

/// Method, path, headers, body; then status and code.
type Row<'a> = (Method, String, &'a [(&'a str, &'a str)], &'a str, u16, &'a str);

#[tokio::test]
async fn an_order_that_cannot_be_taken_is_told_by_field() {
    let world = World::new().await;
    let manager = Caller::manager(&world).await;
    let many: serde_json::Map<String, Value> = (0..51).map(|number| (number.to_string(), json!("x"))).collect();
    #[rustfmt::skip]
    let table = [
        ("/plan",              json!(null),                    "parameter_missing",     "plan"),
        ("/plan",              json!("no-such-plan"),          "plan_unknown",          "plan"),
        ("/plan",              json!("plan_00000000000000000000000000"), "plan_unknown", "plan"),
        ("/plan",              json!(7),                       "parameter_invalid",     "plan"),
        ("/quantity",          json!(0),                       "quantity_out_of_range", "quantity"),
        ("/quantity",          json!(-1),                      "quantity_out_of_range", "quantity"),
        ("/quantity",          json!(101),                     "quantity_out_of_range", "quantity"),
        ("/quantity",          json!(9_223_372_036_854_775_808_u64), "quantity_out_of_range", "quantity"),
        ("/quantity",          json!(1.5),                     "quantity_out_of_range", "quantity"),
        ("/quantity",          json!("1"),                     "parameter_invalid",     "quantity"),
        ("/currency",          json!("EURO"),                  "currency_unknown",      "currency"),
        ("/currency",          json!("XXX"),                   "currency_unknown",      "currency"),
        ("/currency",          json!("NOK"),                   "no_price_in_currency",  "currency"),
        ("/coupon",            json!("SUMMER"),                "coupon_unknown",        "coupon"),
        ("/customer",          json!(null),                    "parameter_missing",     "customer"),
        ("/customer",          json!(["ada@example.com", "DE", null, null]), "parameter_invalid", "customer"),
        ("/customer/email",    json!(null),                    "parameter_missing",     "customer.email"),
        ("/customer/email",    json!("ada"),                   "email_invalid",         "customer.email"),
        ("/customer/email",    json!("ada@example"),           "email_invalid",         "customer.email"),
        ("/customer/country",  json!("Germany"),               "country_unknown",       "customer.country"),
        ("/customer/country",  json!("XX"),                    "country_unknown",       "customer.country"),
        ("/customer/locale",   json!("deutsch"),               "locale_invalid",        "customer.locale"),
        ("/customer/name",     json!(""),                      "name_invalid",          "customer.name"),
        ("/customer/name",     json!("4242 4242 4242 4242"),   "name_invalid",          "customer.name"),
        ("/customer/phone",    json!("+49"),                   "parameter_unknown",     "customer.phone"),
        ("/success_url",       json!("/thanks"),               "url_invalid",           "success_url"),
        ("/success_url",       json!("javascript:alert(1)"),   "url_invalid",           "success_url"),
        ("/cancel_url",        json!("https://a@evil.example"), "url_invalid",          "cancel_url"),
        ("/cancel_url",        json!("ftp://example.com"),     "url_invalid",           "cancel_url"),
        ("/metadata",          json!(many),                    "metadata_too_large",    "metadata"),
        ("/metadata",          json!({ "": "x" }),             "metadata_too_large",    "metadata."),
        ("/metadata",          json!({ "a": "x".repeat(501) }), "metadata_too_large",   "metadata.a"),
        ("/metadata",          json!({ "a": "4242424242424242" }), "card_number_refused", "metadata.a"),
        ("/metadata",          json!({ "a": 1 }),              "parameter_invalid",     "metadata.a"),
        ("/amount",            json!(1),                       "parameter_unknown",     "amount"),
        ("/price",             json!({ "amount": 1 }),         "parameter_unknown",     "price"),
    ];
    for (field, value, code, param) in table {
        let body = changed(field, value);
        let refused = manager.post("/v1/checkouts", &body).await;
        assert_eq!(refused.status.as_u16(), 422, "{body}: {}", refused.text);
        let refused = refused.refused(422, code);
        assert_eq!(refused.json()["param"], param, "{body}: {}", refused.text);
    }
    assert_eq!(orders(&world).await, 0);
}

#[tokio::test]
async fn what_is_no_request_at_all_is_a_problem_too() {
    let world = World::new().await;
    let manager = Caller::manager(&world).await;
    let order = "ord_01kavqk3zne7rtt6dpvs1r2b7c";
    let json_kind = [("content-type", "application/json")];
    let encoded = [("content-type", "application/json"), ("content-encoding", "gzip")];
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let large = format!("{{\"plan\":\"{}\"}}", "x".repeat(70_000));
    #[rustfmt::skip]
    let table: Vec<Row<'_>> = vec![
        (Method::POST,   "/v1/checkouts".into(),              &json_kind, "",                     400, "json_malformed"),
        (Method::POST,   "/v1/checkouts".into(),              &json_kind, "{\"plan\":",           400, "json_malformed"),
        (Method::POST,   "/v1/checkouts".into(),              &json_kind, "[]",                   422, "parameter_invalid"),
        (Method::POST,   "/v1/checkouts".into(),              &json_kind, "null",                 422, "parameter_invalid"),
        (Method::POST,   "/v1/checkouts".into(),              &json_kind, &large,                 413, "body_too_large"),
        (Method::POST,   "/v1/checkouts".into(),              &encoded,   "{}",                   415, "content_encoding_refused"),
        (Method::POST,   "/v1/checkouts".into(),              &form,      "plan=lumen-pro",       415, "content_type_refused"),
        (Method::DELETE, "/v1/checkouts".into(),              &[],        "",                     405, "method_not_allowed"),
        (Method::POST,   "/v1/orders".into(),                 &json_kind, "{}",                   405, "method_not_allowed"),
        (Method::GET,    "/v1/nothing".into(),                &[],        "",                     404, "not_found"),
        (Method::GET,    "/v1/orders/nothing".into(),         &[],        "",                     404, "not_found"),
        (Method::GET,    "/v1/orders/%ff".into(),             &[],        "",                     404, "not_found"),
        (Method::GET,    format!("/v1/orders/{order}"),       &[],        "",                     404, "not_found"),
        (Method::GET,    "/v1/checkouts/ord_01kavqk3zne7rtt6dpvs1r2b7c".into(), &[], "",          404, "not_found"),
        (Method::POST,   format!("/v1/orders/{order}/refunds"), &json_kind, "{}",                 404, "not_found"),
        (Method::POST,   format!("/v1/orders/{order}/refunds"), &json_kind, "{\"amount\":\"1\"}", 422, "parameter_invalid"),
        (Method::POST,   format!("/v1/orders/{order}/refunds"), &json_kind, "{\"amount\":1.5}",   422, "parameter_invalid"),
        (Method::POST,   format!("/v1/orders/{order}/refunds"), &json_kind, "{\"reason\":\"no\"}", 422, "parameter_invalid"),
        (Method::POST,   format!("/v1/orders/{order}/refunds"), &json_kind, "{\"amount\":[1,\"EUR\"]}", 422, "parameter_invalid"),
        (Method::POST,   format!("/v1/orders/{order}/refunds"), &json_kind, "{\"sum\":1}",        422, "parameter_unknown"),
        (Method::GET,    "/v1/orders?limit=0".into(),         &[],        "",                     422, "parameter_invalid"),
        (Method::GET,    "/v1/orders?limit=101".into(),       &[],        "",                     422, "parameter_invalid"),
        (Method::GET,    "/v1/orders?limit=ten".into(),       &[],        "",                     422, "parameter_invalid"),
        (Method::GET,    "/v1/orders?starting_after=chk_1".into(), &[],   "",                     422, "parameter_invalid"),
        (Method::GET,    "/v1/orders?page=2".into(),          &[],        "",                     422, "parameter_unknown"),
        (Method::GET,    "/v1/products?page=2".into(),        &[],        "",                     422, "parameter_unknown"),
    ];
    for (method, path, headers, body, status, code) in table {
        let answer = manager.send(method.clone(), &path, headers, body.as_bytes().to_vec()).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path} {body:.40}: {}", answer.text);
        answer.refused(status, code);
    }
    let refused = manager.send(Method::DELETE, "/v1/checkouts", &[], Vec::new()).await;
    assert!(refused.header("allow").contains("POST"), "{:?}", refused.headers);
    assert_eq!(orders(&world).await, 0);
}

#[tokio::test]
async fn what_an_app_sends_wrongly_is_told_by_field() {
    let world = World::new().await;
    let app = Caller::stranger(&world.app);
    let key = key_of_nobody();
    #[rustfmt::skip]
    let table = [
        ("validate",   json!({}),                                                       "parameter_missing",   "key"),
        ("validate",   json!({ "key": 1 }),                                             "parameter_invalid",   "key"),
        ("validate",   json!({ "key": key, "device": "x" }),                            "parameter_unknown",   "device"),
        ("validate",   json!({ "key": key, "features": "edit" }),                       "parameter_invalid",   "features"),
        ("validate",   json!({ "key": "x", "fingerprint": "f".repeat(256) }),           "fingerprint_invalid", "fingerprint"),
        ("validate",   json!({ "key": key, "fingerprint": "" }),                        "fingerprint_invalid", "fingerprint"),
        ("activate",   json!({ "key": key, "fingerprint": "4242 4242 4242 4242" }),     "fingerprint_invalid", "fingerprint"),
        ("activate",   json!({ "key": key }),                                           "parameter_missing",   "fingerprint"),
        ("activate",   json!({ "key": key, "fingerprint": "f", "metadata": { "a": 1 } }), "parameter_invalid", "metadata.a"),
        ("activate",   json!({ "key": key, "fingerprint": "f", "metadata": { "a": "1", "ａ": "2" } }), "parameter_invalid", "metadata"),
        ("deactivate", json!({ "key": key }),                                           "parameter_missing",   "fingerprint"),
        ("heartbeat",  json!({ "key": key, "fingerprint": "f", "at": 1 }),              "parameter_unknown",   "at"),
    ];
    for (call, body, code, param) in table {
        let refused = app.post(&format!("/v1/licenses/{call}"), &body).await.refused(422, code);
        assert_eq!(refused.json()["param"], param, "{call} {body}: {}", refused.text);
    }
}
