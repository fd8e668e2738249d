//! The wire: keys, idempotency, unknown parameters, lists, expansion, as a Stripe client meets them.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Gateway, SESSION, card, request};
use sandbox::wire;
use serde_json::Value;

fn error_of(body: &str) -> Value {
    serde_json::from_str::<Value>(body).unwrap()["error"].clone()
}

#[test]
fn only_a_test_key_opens_an_account() {
    let rows = [
        (None, 401, None),
        (Some("Bearer sk_live_4eC39HqLyjWDarjtT1zdp7dc"), 401, Some("api_key_live_in_test")),
        (Some("Bearer pk_test_abc"), 401, Some("api_key_invalid")),
        (Some("Bearer sk_test_"), 401, Some("api_key_invalid")),
        (Some("Bearer sk_test_a/../b"), 401, Some("api_key_invalid")),
        (Some("Bearer sk_test_abc"), 200, None),
        (Some("Basic c2tfdGVzdF9hYmM6"), 200, None),
        (Some("Digest whatever"), 401, None),
    ];
    for (header, status, code) in rows {
        let mut gateway = Gateway::new();
        let mut asked = request("GET", "/v1/account", "", &[]);
        asked.headers.remove("authorization");
        if let Some(header) = header {
            asked.headers.insert("authorization".to_owned(), header.to_owned());
        }
        let now = gateway.real();
        let reply = wire::answer(&mut gateway.world, now, &asked);
        assert_eq!(reply.status, status, "{header:?}: {}", reply.body);
        if let Some(code) = code {
            assert_eq!(error_of(&reply.body)["code"], code, "{header:?}");
        }
        assert!(!reply.body.contains("4eC39HqLyjWDarjtT1zdp7dc"), "a key is not repeated");
        assert!(reply.header("request-id").is_some_and(|id| id.starts_with("req_")));
    }
}

#[test]
fn one_account_does_not_see_another() {
    let mut gateway = Gateway::new();
    let customer = gateway.ok("POST", "/v1/customers", "name=Ada")["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/customers/{customer}");
    let other = gateway.call_with("GET", &path, "", &[("authorization", "Bearer sk_test_other")]);
    assert_eq!((other.status, error_of(&other.body)["code"].as_str()), (404, Some("resource_missing")));
    gateway.ok("GET", &path, "");
}

#[test]
fn what_is_wrong_is_refused_by_name() {
    let rows: &[(&str, &str, &str, u16, &str, &str)] = &[
        ("POST", "/v1/customers", "nmae=Ada", 400, "parameter_unknown", "nmae"),
        ("POST", "/v1/customers", "address[zip]=1", 400, "parameter_unknown", "address[zip]"),
        ("POST", "/v1/customers", "email=nobody", 400, "email_invalid", "email"),
        ("POST", "/v1/refunds", "", 400, "parameter_missing", "payment_intent"),
        ("POST", "/v1/refunds", "payment_intent=pi_none", 404, "resource_missing", "payment_intent"),
        ("POST", "/v1/payment_intents", "amount=x&currency=eur", 400, "parameter_invalid_integer", "amount"),
        ("POST", "/v1/payment_intents", "amount=19.99&currency=eur", 400, "parameter_invalid_integer", "amount"),
        ("POST", "/v1/payment_intents", "amount=49&currency=eur", 400, "amount_too_small", "amount"),
        ("POST", "/v1/payment_intents", "amount=100000000&currency=eur", 400, "amount_too_large", "amount"),
        ("POST", "/v1/payment_intents", "amount=1234&currency=kwd", 400, "parameter_invalid_integer", "amount"),
        ("POST", "/v1/payment_intents", "amount=900&currency=zzz", 400, "", "currency"),
        ("POST", "/v1/payment_intents", "amount=900&currency=eur&off_session=true", 400, "", "off_session"),
        ("POST", "/v1/checkout/sessions", "mode=subscription", 400, "", "mode"),
        (
            "POST",
            "/v1/checkout/sessions",
            "mode=payment&success_url=https://a.test",
            400,
            "parameter_missing",
            "line_items",
        ),
        ("POST", "/v1/checkout/sessions", "mode=setup&success_url=nowhere", 400, "url_invalid", "success_url"),
        ("GET", "/v1/customers?limit=101", "", 400, "", "limit"),
        ("GET", "/v1/customers?starting_after=cus_none", "", 400, "resource_missing", "starting_after"),
        ("GET", "/v1/customers/cus_none", "", 404, "resource_missing", "id"),
        ("GET", "/v1/nothing", "", 404, "", ""),
        ("PUT", "/v1/customers", "", 404, "", ""),
    ];
    for (method, path, form, status, code, param) in rows {
        let (actual, error) = Gateway::new().refused(method, path, form);
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        assert_eq!(actual, *status, "{method} {path} {form}: {error}");
        assert_eq!((text("code").as_str(), text("param").as_str()), (*code, *param), "{method} {path} {form}: {error}");
        assert_eq!(text("type"), "invalid_request_error", "{method} {path} {form}");
    }
}

#[test]
fn a_misspelt_parameter_of_a_session_opens_none() {
    let mut gateway = Gateway::new();
    for (form, param) in [
        (format!("{SESSION}&line_items[0][price_data][unit_amout]=1"), "line_items[0][price_data][unit_amout]"),
        (format!("{SESSION}&payment_intent_data[metdata][a]=1"), "payment_intent_data[metdata]"),
        (format!("{SESSION}&discounts[0][coupon]=x"), "discounts"),
        (format!("{SESSION}&payment_method_types[0]=ideal"), "payment_method_types[0]"),
        (format!("{SESSION}&customer_email=a@b.test&customer=cus_none"), "customer"),
    ] {
        let (_, error) = gateway.refused("POST", "/v1/checkout/sessions", &form);
        assert_eq!(error["param"], param, "{form}");
    }
    let sessions = gateway.ok("GET", "/v1/checkout/sessions", "")["data"].clone();
    assert_eq!(sessions.as_array().unwrap().len(), 0);
}

#[test]
fn a_decline_is_a_card_error_with_the_failed_payment_in_it() {
    let rows = [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline", "try_again_later"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds", "try_again_later"),
        ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card", "do_not_try_again"),
        ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card", "do_not_try_again"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card", "confirm_card_data"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc", "confirm_card_data"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error", "try_again_later"),
        ("pm_card_chargeCustomerFail", "card_declined", "generic_decline", "try_again_later"),
        ("pm_card_radarBlock", "card_declined", "fraudulent", "do_not_try_again"),
    ];
    for (method, code, decline_code, advice) in rows {
        let form = format!("amount=900&currency=usd&payment_method={method}&confirm=true");
        let (status, error) = Gateway::new().refused("POST", "/v1/payment_intents", &form);
        assert_eq!((status, &error["type"]), (402, &"card_error".into()), "{method}");
        assert_eq!((&error["code"], &error["decline_code"]), (&code.into(), &decline_code.into()), "{method}");
        assert_eq!(error["advice_code"], advice, "{method}");
        assert_eq!(error["payment_intent"]["status"], "requires_payment_method", "{method}");
        assert_eq!(error["payment_intent"]["latest_charge"], error["charge"], "{method}");
    }
}

#[test]
fn an_idempotency_key_does_a_thing_once() {
    let mut gateway = Gateway::new();
    let key = [("idempotency-key", "job_1")];
    let form = "amount=900&currency=usd&payment_method=pm_card_visa&confirm=true";
    let first = gateway.call_with("POST", "/v1/payment_intents", form, &key);
    assert_eq!((first.status, first.header("idempotent-replayed")), (200, None));
    let reordered = "confirm=true&payment_method=pm_card_visa&currency=usd&amount=900";
    let second = gateway.call_with("POST", "/v1/payment_intents", reordered, &key);
    assert_eq!((&second.body, second.header("idempotent-replayed")), (&first.body, Some("true")));
    let other = gateway.call_with("POST", "/v1/payment_intents", "amount=901&currency=usd", &key);
    assert_eq!((other.status, &error_of(&other.body)["type"]), (400, &"idempotency_error".into()));
    let elsewhere = gateway.call_with("POST", "/v1/customers", "name=Ada", &key);
    assert_eq!(error_of(&elsewhere.body)["type"], "idempotency_error");
    let stranger = [("idempotency-key", "job_1"), ("authorization", "Bearer sk_test_other")];
    assert_eq!(gateway.call_with("POST", "/v1/customers", "name=Ada", &stranger).status, 200);
    gateway.control("POST", "/_control/clock", r#"{"advance_seconds":86399}"#);
    assert_eq!(gateway.call_with("POST", "/v1/payment_intents", form, &key).body, first.body);
    gateway.control("POST", "/_control/clock", r#"{"advance_seconds":1}"#);
    assert_ne!(gateway.call_with("POST", "/v1/payment_intents", form, &key).body, first.body, "forgotten after a day");
    assert_eq!(gateway.control("GET", "/_control/truth", "")["payments"].as_array().unwrap().len(), 2);
}

#[test]
fn a_declined_answer_is_replayed_and_a_malformed_request_may_be_mended() {
    let mut gateway = Gateway::new();
    let form = "amount=900&currency=usd&payment_method=pm_card_visa_chargeDeclined&confirm=true";
    let declined = gateway.call_with("POST", "/v1/payment_intents", form, &[("idempotency-key", "a")]);
    let again = gateway.call_with("POST", "/v1/payment_intents", form, &[("idempotency-key", "a")]);
    assert_eq!((again.status, &again.body), (402, &declined.body));
    let key = [("idempotency-key", "b")];
    assert_eq!(gateway.call_with("POST", "/v1/customers", "nmae=Ada", &key).status, 400);
    assert_eq!(gateway.call_with("POST", "/v1/customers", "name=Ada", &key).status, 200);
    let long = "k".repeat(256);
    let refused = gateway.call_with("POST", "/v1/customers", "name=Ada", &[("idempotency-key", &long)]);
    assert_eq!(refused.status, 400);
}

#[test]
fn a_call_that_failed_after_doing_has_done_it() {
    for (fault, status, lost, replayed) in [
        (r#"{"error_after_doing":100}"#, 500, false, 200),
        (r#"{"error_after_doing":100,"replay_errors":true}"#, 500, false, 500),
        (r#"{"no_answer":100}"#, 200, true, 200),
    ] {
        let mut gateway = Gateway::new();
        gateway.control("POST", "/_control/faults", fault);
        let key = [("idempotency-key", "job_1")];
        let reply = gateway.call_with("POST", "/v1/customers", "name=Ada", &key);
        assert_eq!((reply.status, reply.lost), (status, lost), "{fault}");
        gateway.control("POST", "/_control/faults", "{}");
        let again = gateway.call_with("POST", "/v1/customers", "name=Ada", &key);
        assert_eq!((again.status, again.lost), (replayed, false), "{fault}");
        let customers = gateway.ok("GET", "/v1/customers", "")["data"].as_array().unwrap().len();
        assert_eq!(customers, 1, "{fault}");
    }
}

#[test]
fn a_list_is_cut_into_pages_newest_first() {
    let mut gateway = Gateway::new();
    let ids: Vec<String> = (0..7)
        .map(|number| {
            gateway.now += 10;
            gateway.ok("POST", "/v1/customers", &format!("name={number}"))["id"].as_str().unwrap().to_owned()
        })
        .collect();
    let first = gateway.now - 60;
    let rows = [
        ("limit=3".to_owned(), "654", true),
        (format!("limit=3&starting_after={}", ids[4]), "321", true),
        (format!("limit=3&starting_after={}", ids[2]), "10", false),
        (format!("limit=2&ending_before={}", ids[3]), "54", true),
        (format!("limit=5&ending_before={}", ids[3]), "654", false),
        (format!("created[gte]={}", first + 40), "654", false),
        (format!("created[gt]={}", first + 40), "65", false),
        (format!("created[lt]={}", first + 20), "10", false),
        (format!("created={first}"), "0", false),
    ];
    for (query, expected, has_more) in rows {
        let list = gateway.ok("GET", &format!("/v1/customers?{query}"), "");
        let names: String = list["data"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
        assert_eq!((names.as_str(), &list["has_more"]), (expected, &has_more.into()), "{query}");
    }
    let (_, error) =
        gateway.refused("GET", &format!("/v1/customers?starting_after={}&ending_before={}", ids[1], ids[3]), "");
    assert_eq!(error["param"], "ending_before");
}

#[test]
fn events_are_found_by_type_and_by_delivery() {
    let mut gateway = Gateway::new();
    gateway.ok("POST", "/v1/webhook_endpoints", "url=http://127.0.0.1:9/hook&enabled_events[]=customer.created");
    gateway.ok("POST", "/v1/customers", "name=Ada");
    let session = gateway.session("");
    gateway.page("POST", &format!("/pay/{session}"), &card("4242424242424242"));
    let rows = [
        ("type=charge.succeeded", 1),
        ("type=charge.*", 1),
        ("types[]=customer.created&types[]=charge.succeeded", 2),
        ("delivery_success=false", 1),
        ("delivery_success=true", 4),
        ("type=nothing.at.all", 0),
    ];
    for (query, count) in rows {
        let list = gateway.ok("GET", &format!("/v1/events?{query}"), "");
        assert_eq!(list["data"].as_array().unwrap().len(), count, "{query}");
    }
    let event = gateway.ok("GET", "/v1/events?type=charge.succeeded", "")["data"][0].clone();
    assert_eq!((&event["object"], &event["livemode"]), (&"event".into(), &false.into()));
    assert_eq!(event["data"]["object"]["object"], "charge");
    assert!(event.get("account").is_none(), "an own event names no account");
    let id = event["id"].as_str().unwrap();
    assert_eq!(gateway.ok("GET", &format!("/v1/events/{id}"), ""), event);
    gateway.control("POST", "/_control/clock", r#"{"advance_seconds":2592001}"#);
    assert_eq!(gateway.call("GET", &format!("/v1/events/{id}"), "").status, 404, "kept for thirty days");
}

#[test]
fn an_expansion_replaces_ids_by_what_they_name() {
    let mut gateway = Gateway::new();
    let session = gateway.session("");
    gateway.page("POST", &format!("/pay/{session}"), &card("4242424242424242"));
    let intent = gateway.payment()["intent"].as_str().unwrap().to_owned();
    gateway.ok("POST", "/v1/refunds", &format!("payment_intent={intent}&amount=100"));
    let path =
        format!("/v1/checkout/sessions/{session}?expand[]=payment_intent.latest_charge.refunds&expand[]=line_items");
    let shown = gateway.ok("GET", &path, "");
    assert_eq!(shown["payment_intent"]["latest_charge"]["refunds"]["data"][0]["amount"], 100);
    assert_eq!(shown["line_items"]["data"][0]["amount_total"], 4900);
    let list = gateway.ok("GET", "/v1/payment_intents?expand[]=data.latest_charge", "");
    assert_eq!(list["data"][0]["latest_charge"]["object"], "charge");
    let open = gateway.session("");
    gateway.ok("GET", &format!("/v1/checkout/sessions/{open}?expand[]=payment_intent.latest_charge"), "");
    for path in ["amount_total", "nothing", "payment_intent.status"] {
        let (_, error) = gateway.refused("GET", &format!("/v1/checkout/sessions/{session}?expand[]={path}"), "");
        assert_eq!(error["param"], "expand", "{path}");
    }
}

#[test]
fn the_balance_is_what_came_in_less_fees_and_what_went_out() {
    let mut gateway = Gateway::new();
    let session = gateway.session("");
    gateway.page("POST", &format!("/pay/{session}"), &card("4242424242424242"));
    let intent = gateway.payment()["intent"].as_str().unwrap().to_owned();
    gateway.ok("POST", "/v1/refunds", &format!("payment_intent={intent}&amount=900"));
    let balance = gateway.ok("GET", "/v1/balance", "");
    // 49.00 costs 1.5 % and 0.25: 0.99 with the half unit rounded up.
    assert_eq!(balance["available"][0]["amount"], 4900 - 99 - 900);
    assert_eq!(gateway.ok("GET", "/v1/balance_transactions", "")["data"].as_array().unwrap().len(), 2);
}

#[test]
fn no_card_number_is_kept_anywhere() {
    let mut gateway = Gateway::new();
    let session = gateway.session("payment_intent_data[setup_future_usage]=off_session&customer_creation=always");
    gateway.page("POST", &format!("/pay/{session}"), &card("4000000000009995"));
    gateway.page("POST", &format!("/pay/{session}"), &card("4012888888881881"));
    gateway.page("POST", &format!("/pay/{session}"), &card("4242 4242 4242 4242"));
    let form = "type=card&card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2034&card[cvc]=123";
    let key = [("idempotency-key", "job_1")];
    assert_eq!(gateway.call_with("POST", "/v1/payment_methods", form, &key).status, 200);
    let kept = serde_json::to_string(&gateway.world.all_changes().unwrap()).unwrap();
    for number in ["4242424242424242", "4242 4242 4242 4242", "4000000000009995", "4012888888881881"] {
        assert!(!kept.contains(number), "{number}");
    }
    assert!(kept.contains(r#""last_four":"4242""#));
}

#[test]
fn a_real_card_number_is_refused_as_the_gateway_refuses_it_in_test_mode() {
    let mut gateway = Gateway::new();
    let form = "type=card&card[number]=4012888888881881&card[exp_month]=12&card[exp_year]=2034&card[cvc]=123";
    let (status, error) = gateway.refused("POST", "/v1/payment_methods", form);
    assert_eq!((status, &error["decline_code"]), (402, &"test_mode_live_card".into()));
    let (_, error) = gateway.refused("POST", "/v1/payment_methods", &form.replace("1881", "1882"));
    assert_eq!(error["code"], "incorrect_number");
}

#[test]
fn a_control_call_that_is_wrong_changes_nothing() {
    let mut gateway = Gateway::new();
    let before = gateway.control("GET", "/_control/faults", "");
    for (path, body) in [
        ("/_control/faults", r#"{"dropp":5}"#),
        ("/_control/faults", r#"{"drop":101}"#),
        ("/_control/faults", r#"{"drop":-1}"#),
        ("/_control/faults", r#"{"delay_ms":[5,1]}"#),
        ("/_control/faults", "nonsense"),
        ("/_control/clock", r#"{"advance_seconds":-5}"#),
        ("/_control/clock", r#"{"set":5}"#),
        ("/_control/clock", r#"{"advance_seconds":1,"set":5}"#),
        ("/_control/disputes", r#"{"payment_intent":"pi_none"}"#),
        ("/_control/nothing", "{}"),
    ] {
        let status = gateway.control_reply("POST", path, body).status;
        assert!((400..500).contains(&status), "{path} {body}: {status}");
    }
    assert_eq!(gateway.control("GET", "/_control/faults", ""), before);
    let faults = r#"{"seed":9,"drop":5,"duplicate":{"ppm":1500},"delay_ms":[10,20]}"#;
    let shown = gateway.control("POST", "/_control/faults", faults);
    assert_eq!((&shown["drop"]["ppm"], &shown["delay"]["ppm"]), (&50_000.into(), &1_000_000.into()));
    let again = gateway.control("POST", "/_control/faults", &shown.to_string());
    assert_eq!(again, shown, "what is shown can be set");
}
