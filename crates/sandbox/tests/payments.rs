//! What becomes of each documented card and account: on the page, in the truth, in the events.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Gateway, card, debit};

/// `page | session | intent | captured | disputed | events`, after everything that is due at once.
fn check(form: &str, expected: &str) {
    let mut gateway = Gateway::new();
    let session = gateway.session("");
    let reply = gateway.page("POST", &format!("/pay/{session}"), form);
    let events = gateway.events().join(" ");
    let shown = gateway.ok("GET", &format!("/v1/checkout/sessions/{session}"), "");
    let payment = gateway.payment();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
    let actual = format!(
        "{} | {} {} | {} | {} | {} | {}",
        reply.status,
        text(&shown["status"]),
        text(&shown["payment_status"]),
        text(&payment["status"]),
        payment["captured"],
        payment["disputed"],
        events
    );
    let expected = expected.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(actual, expected, "{form}");
}

const PAID: &str = "payment_intent.created charge.succeeded payment_intent.succeeded checkout.session.completed";
const DECLINED: &str = "payment_intent.created charge.failed payment_intent.payment_failed";
const DEBITED: &str = "payment_intent.created charge.pending payment_intent.processing checkout.session.completed";

#[test]
fn every_documented_card_does_what_its_documentation_says() {
    let paid = format!("303 | complete paid | succeeded | 4900 | 0 | {PAID}");
    for number in ["4242424242424242", "5555555555554444", "4000056655665556", "4000000000005126", "4000000000007726"] {
        check(&card(number), &paid);
    }
    let declined = format!("422 | open unpaid | requires_payment_method | 0 | 0 | {DECLINED}");
    for number in [
        "4000000000000002",
        "4000000000009995",
        "4000000000009987",
        "4000000000009979",
        "4000000000000069",
        "4000000000000127",
        "4000000000000119",
        "4000000000006975",
        "4000000000000341",
        "4100000000000019",
    ] {
        check(&card(number), &declined);
    }
    let challenged =
        "303 | open unpaid | requires_action | 0 | 0 | payment_intent.created payment_intent.requires_action";
    for number in ["4000002500003155", "4000002760003184", "4000008260003178"] {
        check(&card(number), challenged);
    }
    let disputed = format!(
        "303 | complete paid | succeeded | 4900 | 4900 | {PAID} charge.dispute.created charge.dispute.funds_withdrawn \
         charge.updated"
    );
    check(&card("4000000000000259"), &disputed);
    check(&card("4000000000002685"), &disputed);
    let inquired = format!("303 | complete paid | succeeded | 4900 | 0 | {PAID} charge.dispute.created charge.updated");
    check(&card("4000000000001976"), &inquired);
    let warned = format!("303 | complete paid | succeeded | 4900 | 0 | {PAID} radar.early_fraud_warning.created");
    check(&card("4000000000005423"), &warned);
}

#[test]
fn every_documented_account_does_what_its_documentation_says() {
    let arrived =
        format!("{DEBITED} charge.succeeded payment_intent.succeeded checkout.session.async_payment_succeeded");
    let paid = format!("303 | complete paid | succeeded | 4900 | 0 | {arrived}");
    let returned = format!(
        "303 | complete unpaid | requires_payment_method | 0 | 0 | {DEBITED} charge.failed \
         payment_intent.payment_failed checkout.session.async_payment_failed"
    );
    let waiting = format!("303 | complete unpaid | processing | 0 | 0 | {DEBITED}");
    let taken_back = format!(
        "303 | complete paid | succeeded | 4900 | 4900 | {arrived} charge.dispute.created \
         charge.dispute.funds_withdrawn charge.dispute.closed charge.updated"
    );
    let rows = [
        ("AT611904300234573201", &paid),
        ("AT321904300235473204", &waiting),
        ("AT861904300235473202", &returned),
        ("AT051904300235473205", &waiting),
        ("AT591904300235473203", &taken_back),
        ("DE89 3704 0044 0532 0130 00", &paid),
    ];
    for (iban, expected) in rows {
        check(&debit(iban), expected);
    }
}

#[test]
fn a_late_debit_ends_after_three_minutes_of_the_sandboxs_clock() {
    for (iban, status, event) in [
        ("AT321904300235473204", "succeeded", "checkout.session.async_payment_succeeded"),
        ("AT051904300235473205", "requires_payment_method", "checkout.session.async_payment_failed"),
    ] {
        let mut gateway = Gateway::new();
        let session = gateway.session("");
        gateway.page("POST", &format!("/pay/{session}"), &debit(iban));
        gateway.control("POST", "/_control/clock", r#"{"advance_seconds":179}"#);
        assert_eq!(gateway.payment()["status"], "processing", "{iban}");
        gateway.control("POST", "/_control/clock", r#"{"advance_seconds":1}"#);
        assert_eq!(gateway.payment()["status"], status, "{iban}");
        assert_eq!(gateway.events().last().unwrap(), event, "{iban}");
    }
}

#[test]
fn a_decline_leaves_the_session_open_for_another_card() {
    let mut gateway = Gateway::new();
    let session = gateway.session("");
    let path = format!("/pay/{session}");
    let declined = gateway.page("POST", &path, &card("4000000000009995"));
    assert!(declined.body.contains("insufficient funds"), "{}", declined.body);
    assert!(declined.body.contains("<title>Error: "), "the title tells it first");
    assert!(!declined.body.contains("4000000000009995"), "a number is never echoed");
    let paid = gateway.page("POST", &path, &card("4242424242424242"));
    assert_eq!(paid.header("location"), Some(format!("https://shop.test/thanks?session={session}").as_str()));
    let payment = gateway.payment();
    assert_eq!((&payment["captured"], &payment["metadata"]["order"]), (&4900.into(), &"ord_1".into()));
    let payments = gateway.control("GET", "/_control/truth", "")["payments"].as_array().unwrap().len();
    assert_eq!(payments, 1, "both attempts belong to one payment");
}

#[test]
fn a_challenge_waits_for_the_buyer_and_takes_both_answers() {
    for (number, outcome, status, events) in [
        ("4000002760003184", "complete", "succeeded", "checkout.session.completed"),
        ("4000002760003184", "fail", "requires_payment_method", "payment_intent.payment_failed"),
        ("4000008260003178", "complete", "requires_payment_method", "payment_intent.payment_failed"),
    ] {
        let mut gateway = Gateway::new();
        let session = gateway.session("");
        let (page, challenge) = (format!("/pay/{session}"), format!("/pay/{session}/challenge"));
        let sent = gateway.page("POST", &page, &card(number));
        assert_eq!(sent.header("location"), Some(challenge.as_str()));
        let reopened = gateway.page("GET", &page, "");
        assert_eq!(reopened.header("location"), Some(challenge.as_str()), "a closed tab finds the challenge again");
        assert!(gateway.page("GET", &challenge, "").body.contains(r#"value="complete""#));
        gateway.page("POST", &challenge, &format!("outcome={outcome}"));
        assert_eq!(gateway.payment()["status"], status, "{number} {outcome}");
        assert_eq!(gateway.events().last().unwrap(), events, "{number} {outcome}");
        gateway.page("POST", &challenge, "outcome=complete");
        assert_eq!(gateway.payment()["status"], status, "the answer counts once");
    }
}

#[test]
fn a_refund_takes_what_is_left_and_no_more() {
    let mut gateway = Gateway::new();
    let session = gateway.session("");
    gateway.page("POST", &format!("/pay/{session}"), &card("4242424242424242"));
    let intent = gateway.payment()["intent"].as_str().unwrap().to_owned();
    let part = gateway.ok("POST", "/v1/refunds", &format!("payment_intent={intent}&amount=1900"));
    assert_eq!(part["status"], "succeeded");
    let (status, error) = gateway.refused("POST", "/v1/refunds", &format!("payment_intent={intent}&amount=3001"));
    assert_eq!((status, error["param"].as_str()), (400, Some("amount")));
    gateway.ok("POST", "/v1/refunds", &format!("payment_intent={intent}"));
    let (_, error) = gateway.refused("POST", "/v1/refunds", &format!("payment_intent={intent}"));
    assert_eq!(error["code"], "charge_already_refunded");
    let charge = gateway.payment()["charge"].as_str().unwrap().to_owned();
    let shown = gateway.ok("GET", &format!("/v1/charges/{charge}?expand[]=refunds"), "");
    assert_eq!((&shown["refunded"], &shown["amount_refunded"]), (&true.into(), &4900.into()));
    assert_eq!(shown["refunds"]["data"].as_array().unwrap().len(), 2);
}

#[test]
fn a_refund_that_comes_back_returns_the_money() {
    for (number, first, later, refunded, event) in [
        ("4000000000005126", "succeeded", "failed", 0, "charge.updated"),
        ("4000000000007726", "pending", "succeeded", 4900, "charge.refund.updated"),
    ] {
        let mut gateway = Gateway::new();
        let session = gateway.session("");
        gateway.page("POST", &format!("/pay/{session}"), &card(number));
        let intent = gateway.payment()["intent"].as_str().unwrap().to_owned();
        let refund = gateway.ok("POST", "/v1/refunds", &format!("payment_intent={intent}"));
        assert_eq!(refund["status"], first, "{number}");
        gateway.control("POST", "/_control/clock", r#"{"advance_seconds":180}"#);
        let id = refund["id"].as_str().unwrap();
        assert_eq!(gateway.ok("GET", &format!("/v1/refunds/{id}"), "")["status"], later, "{number}");
        assert_eq!(gateway.payment()["refunded"], refunded, "{number}");
        let charge = gateway.payment()["charge"].as_str().unwrap().to_owned();
        let shown = gateway.ok("GET", &format!("/v1/charges/{charge}"), "");
        assert_eq!(shown["amount_refunded"], refunded, "{number}");
        assert_eq!(gateway.events().last().unwrap(), event, "{number}");
    }
}

#[test]
fn a_dispute_goes_from_opening_to_outcome() {
    for (kind, evidence, status, disputed, last) in [
        ("fraudulent", "winning_evidence", "won", 0, "charge.dispute.closed"),
        ("fraudulent", "losing_evidence", "lost", 4900, "charge.dispute.closed"),
        ("fraudulent", "activation log", "under_review", 4900, "charge.dispute.updated"),
        ("inquiry", "winning_evidence", "warning_closed", 0, "charge.dispute.closed"),
        ("inquiry", "escalate_inquiry_evidence", "needs_response", 4900, "charge.dispute.funds_withdrawn"),
    ] {
        let mut gateway = Gateway::new();
        let session = gateway.session("");
        gateway.page("POST", &format!("/pay/{session}"), &card("4242424242424242"));
        let intent = gateway.payment()["intent"].as_str().unwrap().to_owned();
        let body = format!(r#"{{"payment_intent":"{intent}","kind":"{kind}"}}"#);
        let dispute = gateway.control("POST", "/_control/disputes", &body);
        let id = dispute["id"].as_str().unwrap();
        let form = format!("evidence[uncategorized_text]={evidence}&submit=true");
        let answered = gateway.ok("POST", &format!("/v1/disputes/{id}"), &form);
        assert_eq!(answered["status"], status, "{kind} {evidence}");
        assert_eq!(gateway.payment()["disputed"], disputed, "{kind} {evidence}");
        assert_eq!(gateway.events().last().unwrap(), last, "{kind} {evidence}");
        assert_eq!(
            gateway.control_reply("POST", "/_control/disputes", &body).status == 200,
            disputed == 0 || status == "lost",
            "a second dispute only after the first is closed: {kind} {evidence}"
        );
    }
}

#[test]
fn a_disputed_charge_is_not_refunded() {
    let mut gateway = Gateway::new();
    let session = gateway.session("");
    gateway.page("POST", &format!("/pay/{session}"), &card("4000000000000259"));
    let intent = gateway.payment()["intent"].as_str().unwrap().to_owned();
    let (_, error) = gateway.refused("POST", "/v1/refunds", &format!("payment_intent={intent}"));
    assert_eq!(error["code"], "charge_disputed");
}

#[test]
fn an_expired_session_takes_no_money() {
    let mut gateway = Gateway::new();
    let session = gateway.session("");
    gateway.page("POST", &format!("/pay/{session}"), &card("4000002760003184"));
    gateway.control("POST", "/_control/clock", r#"{"advance_seconds":86400}"#);
    let events = gateway.events();
    assert_eq!(events[events.len() - 2..], ["payment_intent.canceled", "checkout.session.expired"]);
    assert_eq!(gateway.page("GET", &format!("/pay/{session}"), "").status, 410);
    assert_eq!(gateway.page("POST", &format!("/pay/{session}"), &card("4242424242424242")).status, 410);
    assert_eq!(gateway.payment()["captured"], 0);
    let (status, _) = gateway.refused("POST", &format!("/v1/checkout/sessions/{session}/expire"), "");
    assert_eq!(status, 400);
}

#[test]
fn a_client_whose_clock_stayed_behind_still_gets_its_half_hour() {
    let mut gateway = Gateway::new();
    gateway.control("POST", "/_control/clock", r#"{"advance_seconds":864000}"#);
    let session = gateway.session(&format!("expires_at={}", gateway.now + 1_800));
    let shown = gateway.ok("GET", &format!("/v1/checkout/sessions/{session}"), "");
    assert_eq!(shown["expires_at"], gateway.now + 864_000 + 1_800);
    let (_, error) = gateway.refused("POST", "/v1/checkout/sessions", &format!("{}&expires_at=5", common::SESSION));
    assert_eq!(error["param"], "expires_at");
}

#[test]
fn a_card_saved_on_the_page_is_charged_while_the_buyer_is_away() {
    // card, what the challenge needs, how the off-session charge ends
    for (number, challenged, code) in [
        ("4242424242424242", false, None),
        ("4000002500003155", true, None),
        ("4000002760003184", true, Some("authentication_required")),
    ] {
        let mut gateway = Gateway::new();
        let session = gateway.session("payment_intent_data[setup_future_usage]=off_session&customer_creation=always");
        gateway.page("POST", &format!("/pay/{session}"), &card(number));
        if challenged {
            gateway.page("POST", &format!("/pay/{session}/challenge"), "outcome=complete");
        }
        let first = gateway.payment();
        let (customer, method) = (first["customer"].as_str().unwrap(), first["payment_method"].as_str().unwrap());
        let form = format!(
            "amount=900&currency=eur&customer={customer}&payment_method={method}&off_session=true&confirm=true"
        );
        let reply = gateway.call("POST", "/v1/payment_intents", &form);
        let body: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
        match code {
            None => assert_eq!(body["status"], "succeeded", "{number}"),
            Some(code) => {
                assert_eq!((reply.status, &body["error"]["code"]), (402, &code.into()), "{number}");
                let intent = &body["error"]["payment_intent"];
                assert_eq!(intent["status"], "requires_payment_method", "{number}");
                assert_eq!(intent["last_payment_error"]["code"], code, "{number}");
            }
        }
    }
}

#[test]
fn a_setup_session_saves_without_a_payment() {
    let mut gateway = Gateway::new();
    let form = "mode=setup&currency=eur&customer_creation=always&success_url=https://shop.test/saved";
    let session = gateway.ok("POST", "/v1/checkout/sessions", form)["id"].as_str().unwrap().to_owned();
    let reply = gateway.page("POST", &format!("/pay/{session}"), &card("4000000000000341"));
    assert_eq!(reply.header("location"), Some("https://shop.test/saved"));
    let path = format!("/v1/checkout/sessions/{session}?expand[]=setup_intent.payment_method&expand[]=customer");
    let shown = gateway.ok("GET", &path, "");
    assert_eq!(shown["payment_status"], "no_payment_required");
    assert_eq!(shown["setup_intent"]["status"], "succeeded");
    assert_eq!(shown["setup_intent"]["payment_method"]["card"]["last4"], "0341");
    assert_eq!(shown["customer"]["email"], "buyer@shop.test");
}

#[test]
fn the_same_seed_and_the_same_calls_give_the_same_world() {
    let run = || {
        let mut gateway = Gateway::new();
        gateway.control("POST", "/_control/faults", r#"{"seed":3,"error_after_doing":50}"#);
        let session = gateway.ok("GET", "/v1/account", "")["id"].clone();
        for number in 0..20 {
            gateway.call("POST", "/v1/customers", &format!("name=Buyer+{number}"));
        }
        (session, gateway.call("GET", "/v1/customers?limit=100", "").body)
    };
    assert_eq!(run(), run());
}

#[test]
fn a_world_read_back_from_its_changes_goes_on_as_if_nothing_had_happened() {
    let mut gateway = Gateway::new();
    let hook = "url=http://127.0.0.1:9/hook&enabled_events[]=*";
    gateway.ok("POST", "/v1/webhook_endpoints", hook);
    let session = gateway.session("");
    gateway.page("POST", &format!("/pay/{session}"), &debit("AT321904300235473204"));
    let mut again = Gateway::new();
    for change in gateway.world.all_changes().unwrap() {
        again.world.repeat(change).unwrap();
    }
    again.world.index();
    for one in [&mut gateway, &mut again] {
        one.control("POST", "/_control/clock", r#"{"advance_seconds":600}"#);
    }
    let (left, right) = (gateway.world.all_changes().unwrap(), again.world.all_changes().unwrap());
    assert_eq!(left, right);
    assert_eq!(gateway.payment()["status"], "succeeded");
}
