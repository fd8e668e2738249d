//! Events of Stripe's, each in our words. Relies on [`fact`](super::fact) for
//! what an object says. Never asks Stripe anything, and never answers for an
//! event of a kind that it does not know.

use domain::{DisputeReport, Fact, OrderId, PaymentLocator, PaymentStatus, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::fact::{
    dispute_report, failed_debit, intent_report, key, locator, mode, refund_report, session_report, session_status,
    unreadable,
};
use super::object::{Charge, Dispute, Event, EventHead, Expandable, PaymentIntent, Refund, Session};
use crate::{NoticeItem, TranslateError, Translation, VerifyError};

/// Every kind that says something here; at most 20, as many as Stripe's event list takes for a filter.
pub(super) const KINDS: &[&str] = &[
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.updated",
    "charge.refund.updated",
    "charge.refunded",
    "checkout.session.async_payment_failed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.completed",
    "checkout.session.expired",
    "payment_intent.canceled",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
    "refund.created",
    "refund.failed",
    "refund.updated",
];

/// Stripe sends one event in each message.
pub(super) fn split(body: &[u8]) -> Result<Vec<NoticeItem>, VerifyError> {
    let head: EventHead = serde_json::from_slice(body).map_err(|_| VerifyError::BodyMalformed)?;
    let is_word = |text: &str| (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_word(&head.id) || !is_word(&head.kind) {
        return Err(VerifyError::BodyMalformed);
    }
    Ok(vec![NoticeItem { event_id: head.id, kind: head.kind, body: body.to_vec() }])
}

/// The note that we attached to the page or the money that an event is about.
pub(super) fn note(body: &[u8]) -> Option<String> {
    let event: Value = serde_json::from_slice(body).ok()?;
    event.pointer("/data/object/metadata")?.get(key::NOTE)?.as_str().map(str::to_owned)
}

/// The names in an event about a page or an intent, both of which we mark, that has no mark of ours. It is read with
/// nothing in mind but that: the rest of the event may be what nobody here can read.
pub(super) fn unmarked(body: &[u8]) -> Option<PaymentLocator> {
    let event: Value = serde_json::from_slice(body).ok()?;
    let object = event.pointer("/data/object")?;
    let text = |name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
    let is_marked = match object.get("metadata") {
        None | Some(Value::Null) => false,
        Some(metadata) => metadata.as_object()?.keys().any(|name| name.starts_with(key::PREFIX)),
    };
    if is_marked || text("client_reference_id").is_some_and(|reference| OrderId::parse(&reference).is_ok()) {
        return None;
    }
    match text("object")?.as_str() {
        "checkout.session" => Some(PaymentLocator {
            page_reference: Some(text("id")?),
            reference: text("payment_intent"),
            ..PaymentLocator::default()
        }),
        "payment_intent" => Some(PaymentLocator { reference: Some(text("id")?), ..PaymentLocator::default() }),
        _ => None,
    }
}

/// What one event means.
pub(super) fn translate(kind: &str, body: &[u8]) -> Result<Translation, TranslateError> {
    let head: EventHead = read(body)?;
    if head.kind != kind {
        return Err(unreadable(format!("stored as {kind}, but the event says {}", head.kind)));
    }
    if head.account.is_some() {
        return Ok(Translation::Ignore("connected_account"));
    }
    match kind {
        "checkout.session.completed"
        | "checkout.session.async_payment_succeeded"
        | "checkout.session.async_payment_failed"
        | "checkout.session.expired" => session(kind, body),
        "payment_intent.succeeded"
        | "payment_intent.payment_failed"
        | "payment_intent.processing"
        | "payment_intent.requires_action"
        | "payment_intent.canceled" => payment_intent(body),
        "charge.refunded" => charge(body),
        "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => refund(body),
        "charge.dispute.created"
        | "charge.dispute.updated"
        | "charge.dispute.closed"
        | "charge.dispute.funds_withdrawn"
        | "charge.dispute.funds_reinstated" => dispute(body),
        _ => Ok(Translation::Ignore("kind_not_used")),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, TranslateError> {
    serde_json::from_slice(body).map_err(|error| unreadable(format!("the event cannot be read: {error}")))
}

fn fact(fact: Fact) -> Translation {
    Translation::Fact(Box::new(fact))
}

/// A message that contradicts itself about real money is not acted on.
fn same_mode(event: bool, object: bool) -> Result<(), TranslateError> {
    if event == object { Ok(()) } else { Err(unreadable("the event and its object disagree about livemode")) }
}

fn session(kind: &str, body: &[u8]) -> Result<Translation, TranslateError> {
    let event: Event<Session> = read(body)?;
    let session = event.data.object;
    same_mode(event.livemode, session.livemode)?;
    if session.mode != "payment" {
        return Ok(Translation::Ignore("session_without_payment"));
    }
    let status = match kind {
        "checkout.session.async_payment_failed" => failed_debit(&session),
        "checkout.session.expired" => PaymentStatus::Canceled,
        _ => match session_status(&session)? {
            Some(status) => status,
            None => return Ok(Translation::Ignore("no_payment_required")),
        },
    };
    Ok(fact(Fact::Payment(session_report(&session, status)?)))
}

fn payment_intent(body: &[u8]) -> Result<Translation, TranslateError> {
    let event: Event<PaymentIntent> = read(body)?;
    same_mode(event.livemode, event.data.object.livemode)?;
    Ok(fact(Fact::Payment(intent_report(&event.data.object)?)))
}

/// Tells how much of a charge went back in all, but not which refunds those were.
fn charge(body: &[u8]) -> Result<Translation, TranslateError> {
    let event: Event<Charge> = read(body)?;
    let charge = event.data.object;
    match charge.payment_intent.as_ref() {
        None => Ok(Translation::Ignore("charge_without_payment_intent")),
        Some(intent) => Ok(Translation::Ask(locator(charge.metadata.as_ref(), None, Some(intent.id()))?)),
    }
}

fn refund(body: &[u8]) -> Result<Translation, TranslateError> {
    let event: Event<Refund> = read(body)?;
    let refund = event.data.object;
    if refund.payment_intent.is_none() {
        return Ok(Translation::Ignore("refund_without_payment_intent"));
    }
    Ok(fact(Fact::Refund(refund_report(&refund, mode(event.livemode))?)))
}

fn dispute(body: &[u8]) -> Result<Translation, TranslateError> {
    let event: Event<Dispute> = read(body)?;
    let dispute = event.data.object;
    same_mode(event.livemode, dispute.livemode)?;
    if dispute.payment_intent.as_ref().map(Expandable::id).is_none() {
        return Ok(Translation::Ignore("dispute_without_payment_intent"));
    }
    let as_of = event.created.map(Timestamp::from_seconds);
    Ok(fact(Fact::Dispute(DisputeReport { as_of, ..dispute_report(&dispute)? })))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use expect_test::expect;

    use super::*;
    use crate::stripe::tests::render;

    macro_rules! events {
        ($($name:literal)*) => {[$(($name, include_str!(concat!("fixtures/events/", $name, ".json")))),*]};
    }

    fn event(name: &str) -> &'static str {
        let events = events![
            "charge.dispute.closed" "charge.dispute.created" "charge.dispute.created.inquiry"
            "charge.dispute.funds_reinstated" "charge.dispute.funds_withdrawn" "charge.dispute.updated"
            "charge.refund.updated" "charge.refunded" "checkout.session.async_payment_failed"
            "checkout.session.async_payment_succeeded" "checkout.session.completed.connected"
            "checkout.session.completed.free" "checkout.session.completed.krona" "checkout.session.completed.live"
            "checkout.session.completed.not_ours" "checkout.session.completed.paid"
            "checkout.session.completed.setup" "checkout.session.completed.unpaid" "checkout.session.expired"
            "payment_intent.canceled" "payment_intent.payment_failed" "payment_intent.payment_failed.off_session"
            "payment_intent.processing" "payment_intent.requires_action" "payment_intent.succeeded"
            "payment_intent.succeeded.off_session" "radar.early_fraud_warning.created" "refund.created"
            "refund.failed" "refund.updated"
        ];
        events.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no fixture {name}")).1
    }

    fn says(text: &str) -> String {
        let kind: serde_json::Value = serde_json::from_str(text).unwrap();
        match translate(kind["type"].as_str().unwrap(), text.as_bytes()) {
            Ok(Translation::Fact(fact)) => render(&fact),
            Ok(Translation::Ask(locator)) => format!("ask for {}", locator.reference.unwrap_or_default()),
            Ok(Translation::Ignore(why)) => format!("ignore: {why}"),
            Err(error) => format!("parked: {error}"),
        }
    }

    fn check(names: &[&str], expected: &expect_test::Expect) {
        let rows: Vec<String> = names.iter().map(|name| format!("{name}: {}", says(event(name)))).collect();
        expected.assert_eq(&rows.join("\n"));
    }

    #[test]
    fn a_session_tells_how_the_payment_on_its_page_stands() {
        check(
            &[
                "checkout.session.completed.paid",
                "checkout.session.completed.unpaid",
                "checkout.session.completed.live",
                "checkout.session.completed.krona",
                "checkout.session.completed.setup",
                "checkout.session.completed.free",
                "checkout.session.completed.connected",
                "checkout.session.completed.not_ours",
                "checkout.session.async_payment_succeeded",
                "checkout.session.async_payment_failed",
                "checkout.session.expired",
            ],
            &expect![[r#"
                checkout.session.completed.paid: payment succeeded 49.00 EUR by -, Sandbox, ord …k4wn pay …g8sq cs …FjCs pi …Ye4d
                checkout.session.completed.unpaid: payment processing by sepa_debit, Sandbox, ord …k4wn pay …g8sq cs …FjCs pi …Ye4d
                checkout.session.completed.live: payment succeeded 49.00 EUR by -, Live, ord …k4wn pay …g8sq cs …FjCs pi …Ye4d
                checkout.session.completed.krona: payment succeeded 6900 ISK by -, Sandbox, ord …k4wn pay …g8sq cs …FjCs pi …Ye4d
                checkout.session.completed.setup: ignore: session_without_payment
                checkout.session.completed.free: ignore: no_payment_required
                checkout.session.completed.connected: ignore: connected_account
                checkout.session.completed.not_ours: payment succeeded 49.00 EUR by -, Sandbox, cs …FjCs pi …Ye4d
                checkout.session.async_payment_succeeded: payment succeeded 49.00 EUR by sepa_debit, Sandbox, ord …k4wn pay …g8sq cs …FjCs pi …Ye4d
                checkout.session.async_payment_failed: payment failed Soft async_payment_failed by sepa_debit, Sandbox, ord …k4wn pay …g8sq cs …FjCs pi …Ye4d
                checkout.session.expired: payment canceled by -, Sandbox, ord …k4wn pay …g8sq cs …FjCs"#]],
        );
    }

    #[test]
    fn an_intent_tells_how_the_collection_stands() {
        check(
            &[
                "payment_intent.succeeded",
                "payment_intent.succeeded.off_session",
                "payment_intent.payment_failed",
                "payment_intent.payment_failed.off_session",
                "payment_intent.processing",
                "payment_intent.requires_action",
                "payment_intent.canceled",
            ],
            &expect![[r#"
                payment_intent.succeeded: payment succeeded 49.00 EUR by -, Sandbox, ord …k4wn pay …g8sq pi …Ye4d
                payment_intent.succeeded.off_session: payment succeeded 49.00 EUR by card, Sandbox, ord …k4wn pay …g8sq pi …Ye4d
                payment_intent.payment_failed: payment open, declined Soft insufficient_funds by card visa 9995, Sandbox, ord …k4wn pay …g8sq pi …Ye4d
                payment_intent.payment_failed.off_session: payment failed Authenticate authentication_required by card visa 3184, Sandbox, ord …k4wn pay …g8sq pi …Ye4d
                payment_intent.processing: payment processing by sepa_debit, Sandbox, ord …k4wn pay …g8sq pi …Ye4d
                payment_intent.requires_action: payment requires action by -, Sandbox, ord …k4wn pay …g8sq pi …Ye4d
                payment_intent.canceled: payment canceled by -, Sandbox, ord …k4wn pay …g8sq pi …Ye4d"#]],
        );
    }

    #[test]
    fn refunds_and_disputes_tell_how_they_stand() {
        check(
            &[
                "charge.refunded",
                "refund.created",
                "refund.updated",
                "refund.failed",
                "charge.refund.updated",
                "charge.dispute.created",
                "charge.dispute.created.inquiry",
                "charge.dispute.updated",
                "charge.dispute.funds_withdrawn",
                "charge.dispute.funds_reinstated",
                "charge.dispute.closed",
                "radar.early_fraud_warning.created",
            ],
            &expect![[r#"
                charge.refunded: ask for pi_3OC2hfKq7vT0sXnW1aLbYe4d
                refund.created: refund Pending of 15.00 EUR re_3OC2hfKq7vT0sXnW1mNoPqRs (re_01hf7yat03v2ah8s5c0q7dn1tz), Sandbox, ord …k4wn pay …g8sq pi …Ye4d
                refund.updated: refund Succeeded of 15.00 EUR re_3OC2hfKq7vT0sXnW1mNoPqRs (re_01hf7yat03v2ah8s5c0q7dn1tz), Sandbox, ord …k4wn pay …g8sq pi …Ye4d
                refund.failed: refund Failed of 49.00 EUR re_3OC2hfKq7vT0sXnW1mNoPqRs (re_01hf7yat03v2ah8s5c0q7dn1tz), Sandbox, ord …k4wn pay …g8sq pi …Ye4d
                charge.refund.updated: refund Canceled of 49.00 EUR re_3OC2hfKq7vT0sXnW1mNoPqRs (made at Stripe), Sandbox, pi …Ye4d
                charge.dispute.created: dispute Opened as of 2023-11-14T22:13:44Z of 49.00 EUR du_1OC2hzKq7vT0sXnWtUvWxYzA for fraudulent until 2023-11-22T22:13:20Z, Sandbox, pi …Ye4d
                charge.dispute.created.inquiry: dispute Warning as of 2023-11-14T22:13:45Z of 49.00 EUR du_1OC2hzKq7vT0sXnWtUvWxYzA for general until 2023-11-22T22:13:20Z, Sandbox, pi …Ye4d
                charge.dispute.updated: dispute EvidenceSent as of 2023-11-14T22:13:46Z of 49.00 EUR du_1OC2hzKq7vT0sXnWtUvWxYzA for fraudulent until 2023-11-22T22:13:20Z, Sandbox, pi …Ye4d
                charge.dispute.funds_withdrawn: dispute Opened as of 2023-11-14T22:13:47Z of 49.00 EUR du_1OC2hzKq7vT0sXnWtUvWxYzA for fraudulent until 2023-11-22T22:13:20Z, Sandbox, pi …Ye4d
                charge.dispute.funds_reinstated: dispute Won as of 2023-11-14T22:13:48Z of 49.00 EUR du_1OC2hzKq7vT0sXnWtUvWxYzA for fraudulent until 2023-11-22T22:13:20Z, Sandbox, pi …Ye4d
                charge.dispute.closed: dispute Lost as of 2023-11-14T22:13:49Z of 49.00 EUR du_1OC2hzKq7vT0sXnWtUvWxYzA for fraudulent until -, Sandbox, pi …Ye4d
                radar.early_fraud_warning.created: ignore: kind_not_used"#]],
        );
    }

    #[test]
    fn what_makes_no_sense_is_parked_with_its_reason() {
        #[rustfmt::skip]
        let rows = [
            ("checkout.session.completed.paid", "ord_01hf7yat00e9jb3m7q2v8xk4wn", "ord_1"),
            ("checkout.session.completed.paid", "shop_01hf7yat027pmw4k1f3y9ej6bx", ""),
            ("payment_intent.succeeded", "pay_01hf7yat01c5tr9d2n6h0zg8sq", "ord_01hf7yat01c5tr9d2n6h0zg8sq"),
            ("refund.updated", "re_01hf7yat03v2ah8s5c0q7dn1tz", "re_3OC2hfKq7vT0sXnW1mNoPqRs"),
            ("checkout.session.completed.paid", "\"payment_status\": \"paid\"", "\"payment_status\": \"half\""),
            ("checkout.session.completed.unpaid", "\"status\": \"complete\"", "\"status\": \"paused\""),
            ("checkout.session.completed.paid", "\"amount_total\": 4900", "\"amount_total\": null"),
            ("checkout.session.completed.paid", "\"amount_total\": 4900", "\"amount_total\": 49.5"),
            ("checkout.session.completed.paid", "\"amount_total\": 4900", "\"amount_total\": 99999999999999999999"),
            ("checkout.session.completed.paid", "\"currency\": \"eur\"", "\"currency\": \"gold\""),
            ("checkout.session.completed.krona", "690000", "690001"),
            ("checkout.session.completed.live", "},\n  \"livemode\": true", "},\n  \"livemode\": false"),
            ("payment_intent.succeeded", "},\n  \"livemode\": false", "},\n  \"livemode\": true"),
            ("charge.dispute.created", "},\n  \"livemode\": false", "},\n  \"livemode\": true"),
            ("payment_intent.succeeded", "\"status\": \"succeeded\"", "\"status\": \"napping\""),
            ("refund.updated", "\"status\": \"succeeded\"", "\"status\": null"),
            ("charge.dispute.created", "\"status\": \"needs_response\"", "\"status\": \"napping\""),
        ];
        let told: Vec<String> = rows
            .iter()
            .map(|(name, from, to)| {
                let changed = event(name).replace(from, to);
                assert_ne!(changed, event(name), "{name}: {from} does not stand there");
                says(&changed)
            })
            .collect();
        expect![[r#"
            parked: the metadata latchkey_order is not an id of ours
            parked: the metadata latchkey_shop is not an id of ours
            parked: the metadata latchkey_payment is not an id of ours
            parked: the metadata latchkey_refund is not an id of ours
            parked: a session with the status complete and the payment status half is not known here
            parked: a session with the status paused and the payment status unpaid is not known here
            parked: the session is paid and names no amount
            parked: the event cannot be read: invalid type: floating point `49.5`, expected i64 at line 15 column 26
            parked: the event cannot be read: invalid type: floating point `1e+20`, expected i64 at line 15 column 42
            parked: Stripe named a currency that is not known here
            parked: 690001 ISK at Stripe is no whole number of minor units
            parked: the event and its object disagree about livemode
            parked: the event and its object disagree about livemode
            parked: the event and its object disagree about livemode
            parked: a payment intent with the status napping is not known here
            parked: a refund with the status (none) is not known here
            parked: a dispute with the status napping is not known here"#]]
        .assert_eq(&told.join("\n"));
        let stored_as_another = translate("payment_intent.canceled", event("payment_intent.succeeded").as_bytes());
        assert!(stored_as_another.is_err());
    }

    #[test]
    fn what_other_software_made_is_told_by_the_marks_it_lacks() {
        #[rustfmt::skip]
        let rows = [
            ("checkout.session.completed.not_ours", "", "",                       "page and money"),
            ("checkout.session.completed.not_ours", "\"eur\"", "\"gold\"",       "page and money"),
            ("checkout.session.completed.not_ours", "\"pi_3OC2hfKq7vT0sXnW1aLbYe4d\"", "null", "page"),
            ("checkout.session.completed.not_ours", "cart-77", "ord_01hf7yat00e9jb3m7q2v8xk4wn", "cannot be told"),
            ("checkout.session.completed.not_ours", "\"metadata\": {}", "\"metadata\": {\"latchkey_order\": \"?\"}", "cannot be told"),
            ("checkout.session.completed.not_ours", "\"metadata\": {}", "\"metadata\": 7", "cannot be told"),
            ("checkout.session.completed.paid",     "", "",                       "cannot be told"),
            ("payment_intent.succeeded",            "", "",                       "cannot be told"),
            ("payment_intent.succeeded",            "latchkey_", "their_",        "money"),
            ("refund.updated",                      "latchkey_", "their_",        "cannot be told"),
            ("charge.dispute.created",              "", "",                       "cannot be told"),
        ];
        for (name, from, to, told) in rows {
            let names = unmarked(event(name).replace(from, to).as_bytes());
            let names = names.map(|names| (names.page_reference.is_some(), names.reference.is_some()));
            let told_as = match names {
                None => "cannot be told",
                Some((true, true)) => "page and money",
                Some((true, false)) => "page",
                Some((false, true)) => "money",
                Some((false, false)) => "nothing",
            };
            assert_eq!(told_as, told, "{name} with {to} for {from}");
        }
        assert_eq!(unmarked(b"{}"), None);
    }

    #[test]
    fn what_was_received_counts_and_not_what_was_asked_for() {
        let succeeded = event("payment_intent.succeeded");
        let less = succeeded.replace("\"amount_received\": 4900", "\"amount_received\": 4800");
        assert!(says(&less).starts_with("payment succeeded 48.00 EUR"), "{}", says(&less));
    }

    #[test]
    fn every_state_of_a_dispute_has_a_word_of_ours() {
        let opened = event("charge.dispute.created");
        let words = [
            "warning_needs_response",
            "warning_under_review",
            "warning_closed",
            "needs_response",
            "under_review",
            "won",
            "lost",
            "prevented",
            "appeal_needs_response",
            "appeal_under_review",
            "charge_refunded",
        ];
        let told: Vec<String> = words
            .iter()
            .map(|word| format!("{word}: {}", says(&opened.replace("\"needs_response\"", &format!("\"{word}\"")))))
            .map(|row| row.split(" as of ").next().unwrap_or_default().to_owned())
            .collect();
        expect![[r#"
            warning_needs_response: dispute Warning
            warning_under_review: dispute Warning
            warning_closed: dispute Closed
            needs_response: dispute Opened
            under_review: dispute EvidenceSent
            won: dispute Won
            lost: dispute Lost
            prevented: dispute Closed
            appeal_needs_response: dispute Opened
            appeal_under_review: dispute EvidenceSent
            charge_refunded: dispute Closed"#]]
        .assert_eq(&told.join("\n"));
    }

    #[test]
    fn an_event_that_is_not_about_a_payment_of_an_intent_is_passed_over() {
        for (name, why) in [
            ("charge.refunded", "ignore: charge_without_payment_intent"),
            ("refund.updated", "ignore: refund_without_payment_intent"),
            ("charge.dispute.created", "ignore: dispute_without_payment_intent"),
        ] {
            let none = event(name).replace("\"pi_3OC2hfKq7vT0sXnW1aLbYe4d\"", "null");
            assert_eq!(says(&none), why);
        }
        assert_eq!(
            translate("customer.created", br#"{"id":"evt_1","type":"customer.created"}"#),
            Ok(Translation::Ignore("kind_not_used"))
        );
    }

    #[test]
    fn a_message_is_one_event_with_an_id_and_a_kind() {
        let body = event("payment_intent.succeeded").as_bytes();
        let items = split(body).unwrap();
        assert_eq!(items.len(), 1);
        assert_eq!((items[0].kind.as_str(), items[0].body.as_slice()), ("payment_intent.succeeded", body));
        for malformed in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"id":"evt_1"}"#,
            r#"{"id":"","type":"a"}"#,
            r#"{"id":"evt_1","type":""}"#,
            r#"{"id":7,"type":"a"}"#,
            r#"{"id":"evt_1","id":"evt_2","type":"a"}"#,
            r#"{"id":"evt 1","type":"a"}"#,
            "\u{feff}{\"id\":\"evt_1\",\"type\":\"a\"}",
        ] {
            assert_eq!(split(malformed.as_bytes()), Err(VerifyError::BodyMalformed), "{malformed}");
        }
    }

    #[test]
    fn the_event_list_can_be_filtered_by_every_kind_that_says_something() {
        assert!(KINDS.len() <= 20, "Stripe takes at most 20");
        for kind in KINDS {
            let nothing = format!(r#"{{"id":"evt_1","type":"{kind}"}}"#);
            assert!(translate(kind, nothing.as_bytes()).is_err(), "{kind} is asked for and not read");
        }
    }
}
