//! What Stripe's answers mean.
//!
//! Relies on [`fact`](super::fact) for what an object says. Never takes
//! silence, or an answer that cannot be read, for a no: that is
//! [`CallError::Unknown`], asked again with the same key.

use domain::{Fact, Timestamp, mask_card_numbers};
use serde::de::DeserializeOwned;

use super::decline;
use super::fact::{
    dispute_report, intent_facts, intent_report, mode, refund_report, session_facts, session_report, session_status,
};
use super::object::{Balance, Dispute, ErrorBody, Expandable, List, PaymentError, PaymentIntent, Refund, Session};
use crate::{Answer, Call, CallError, HostedPage, HttpResponse, ListedEvent, TranslateError};

/// What the answer to a call means.
pub(super) fn read(call: &Call, response: &HttpResponse) -> Result<Answer, CallError> {
    if !(200..=299).contains(&response.status) {
        return refusal(call, response);
    }
    let body = response.body.as_slice();
    match call {
        Call::OpenPayment(_) | Call::SaveMethod(_) => page(parse(body)?),
        Call::Charge(_) => {
            let intent: PaymentIntent = parse(body)?;
            Ok(Answer::Facts(intent_facts(&intent)?))
        }
        Call::RetrievePayment { page_reference: Some(_), .. } => {
            let session: Session = parse(body)?;
            Ok(Answer::Facts(session_facts(&session)?))
        }
        Call::RetrievePayment { page_reference: None, .. } => {
            let intent: PaymentIntent = parse(body)?;
            Ok(Answer::Facts(intent_facts(&intent)?))
        }
        Call::CancelPayment { .. } => canceled(&parse(body)?),
        Call::Refund(_) => refunded(&parse(body)?),
        Call::ListEvents { .. } => events(parse(body)?),
        Call::RetrieveDispute { .. } => {
            let dispute: Dispute = parse(body)?;
            Ok(Answer::Facts(vec![Fact::Dispute(dispute_report(&dispute)?)]))
        }
        Call::ListDisputes { .. } => Ok(disputes(&parse(body)?)),
        Call::CheckAccount => {
            let balance: Balance = parse(body)?;
            Ok(Answer::Account { reference: None, mode: mode(balance.livemode) })
        }
    }
}

/// What cannot be read says nothing about what happened.
impl From<TranslateError> for CallError {
    fn from(error: TranslateError) -> Self {
        unknown(error.problem)
    }
}

fn unknown(message: impl Into<String>) -> CallError {
    CallError::Unknown { message: message.into() }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, CallError> {
    serde_json::from_slice(body).map_err(|error| unknown(format!("the answer cannot be read: {error}")))
}

fn page(session: Session) -> Result<Answer, CallError> {
    let reference = session.payment_intent.as_ref().map(|intent| intent.id().to_owned());
    let is_web = |url: &String| url.starts_with("https://") || url.starts_with("http://");
    let url = session.url.filter(is_web).ok_or_else(|| unknown("the answer names no page"))?;
    Ok(Answer::Page(HostedPage { page_reference: session.id, url, reference, method: None }))
}

fn canceled(session: &Session) -> Result<Answer, CallError> {
    if session.mode != "payment" {
        return Ok(Answer::Done);
    }
    match session_status(session)? {
        Some(status) => Ok(Answer::Facts(vec![Fact::Payment(session_report(session, status)?)])),
        None => Ok(Answer::Done),
    }
}

fn refunded(refund: &Refund) -> Result<Answer, CallError> {
    let intent = refund.payment_intent.as_ref().and_then(Expandable::object);
    let intent = intent.ok_or_else(|| unknown("the refund does not say whether it is live"))?;
    Ok(Answer::Facts(vec![Fact::Refund(refund_report(refund, mode(intent.livemode))?)]))
}

fn events(list: List<serde_json::Value>) -> Result<Answer, CallError> {
    let listed = |event: serde_json::Value| {
        let text = |name: &str| event.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
        let created = event.get("created").and_then(serde_json::Value::as_i64);
        let (Some(event_id), Some(kind), Some(created)) = (text("id"), text("type"), created) else {
            return Err(unknown("the list holds something that is no event"));
        };
        let body = serde_json::to_vec(&event).map_err(|error| unknown(error.to_string()))?;
        Ok(ListedEvent { event_id, kind, body, created_at: Timestamp::from_seconds(created) })
    };
    let has_more = list.has_more;
    let events = list.data.into_iter().map(listed).collect::<Result<_, _>>()?;
    Ok(Answer::Events { events, has_more })
}

/// One dispute that cannot be read does not hide the others; the event about it is parked where people see it.
fn disputes(list: &List<Dispute>) -> Answer {
    let next = list.data.last().filter(|_| list.has_more).map(|last| last.id.clone());
    let ours = list.data.iter().filter(|dispute| dispute.payment_intent.is_some());
    let facts = ours.filter_map(|dispute| dispute_report(dispute).ok()).map(Fact::Dispute).collect();
    Answer::Disputes { facts, next }
}

fn refusal(call: &Call, response: &HttpResponse) -> Result<Answer, CallError> {
    let status = response.status;
    let error = match serde_json::from_slice::<ErrorBody>(&response.body) {
        Ok(body) => body.error,
        Err(_) if status == 401 => PaymentError::default(),
        // Whoever said this, it was not Stripe.
        Err(_) => return Err(unknown(format!("HTTP {status} without a reason"))),
    };
    let message = message(&error, status);
    let kind = error.kind.clone();
    let kind = kind.as_deref();
    let is_page = matches!(call, Call::OpenPayment(_));
    let refused = |error: PaymentError, message: String| {
        let code = error.code.or(error.kind).unwrap_or_else(|| format!("http_{status}"));
        Err(CallError::Refused { code, message })
    };
    match status {
        401 | 403 => Err(CallError::Unauthorized { message }),
        402 => declined(call, &error),
        // A page whose address nobody was told cannot be paid, and Stripe says the same for as long as it knows the key,
        // "including 500 errors" (<https://docs.stripe.com/api/idempotent_requests>): the next try is a new payment.
        500 if is_page => refused(error, message),
        400 if is_page && kind == Some("idempotency_error") => refused(error, message),
        // Decided by the call that first had this key, and what it decided is not said here.
        400 | 409 if kind == Some("idempotency_error") => Err(unknown(message)),
        // Another call with this key is under way, or it is too early, or too much at once.
        408 | 409 | 424 | 425 | 429 => Err(unknown(message)),
        400..=499 if kind == Some("card_error") => declined(call, &error),
        400..=499 => refused(error, message),
        _ => Err(unknown(message)),
    }
}

/// A declined charge is a fact about a payment that Stripe has named: with
/// the name, it can be asked about later.
fn declined(call: &Call, error: &PaymentError) -> Result<Answer, CallError> {
    let intent = error.payment_intent.as_ref().and_then(Expandable::object);
    match (call, intent) {
        (Call::Charge(_), Some(intent)) => Ok(Answer::Facts(vec![Fact::Payment(intent_report(intent)?)])),
        _ => Err(CallError::Declined(decline::decline(error))),
    }
}

/// Stripe's words, as far as they may be kept.
fn message(error: &PaymentError, status: u16) -> String {
    let words = error.message.clone().unwrap_or_else(|| format!("HTTP {status}"));
    mask_card_numbers(&words).chars().take(500).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use expect_test::expect;

    use super::*;
    use crate::contract::calls;
    use crate::stripe::tests::render;

    macro_rules! answers {
        ($($name:literal)*) => {[$(($name, include_str!(concat!("fixtures/answers/", $name, ".json")))),*]};
    }

    fn answer(name: &str) -> &'static str {
        let answers = answers![
            "balance" "dispute" "disputes" "disputes.last" "error.api" "error.authentication_required"
            "error.card_number" "error.declined" "error.declined.bare" "error.idempotency" "error.key_in_use"
            "error.missing" "error.permission" "error.rate_limit" "error.refunded" "error.unauthorized" "events"
            "payment_intent.processing" "payment_intent.requires_action" "payment_intent.status_of_next_year"
            "payment_intent.succeeded" "refund" "refund.unexpanded" "session.created" "session.debit.failed"
            "session.debit.processing" "session.expired" "session.free" "session.open" "session.open.challenge"
            "session.open.declined" "session.paid" "session.paid.disputed" "session.status_of_next_year"
            "session.without_url"
        ];
        answers.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no fixture {name}")).1
    }

    fn call(kind: &str) -> Call {
        let is_wanted = |call: &Call| match call {
            Call::OpenPayment(_) => kind == "open",
            Call::SaveMethod(_) => kind == "save",
            Call::Charge(_) => kind == "charge",
            Call::RetrievePayment { page_reference: Some(_), .. } => kind == "retrieve page",
            Call::RetrievePayment { page_reference: None, .. } => kind == "retrieve money",
            Call::CancelPayment { .. } => kind == "cancel",
            Call::Refund(_) => kind == "refund",
            Call::ListEvents { .. } => kind == "events",
            Call::RetrieveDispute { .. } => kind == "dispute",
            Call::ListDisputes { .. } => kind == "disputes",
            Call::CheckAccount => kind == "account",
        };
        calls(1).into_iter().find(is_wanted).unwrap_or_else(|| panic!("no call {kind}"))
    }

    fn told(answer: &Result<Answer, CallError>) -> String {
        match answer {
            Ok(Answer::Page(page)) => {
                let id: String = page.page_reference.chars().take(12).collect();
                format!("page {id}… at {}", page.url.split('#').next().unwrap_or_default().len())
            }
            Ok(Answer::Facts(facts)) if facts.is_empty() => "nothing".to_owned(),
            Ok(Answer::Facts(facts)) => facts.iter().map(render).collect::<Vec<_>>().join("\n    "),
            Ok(Answer::Events { events, has_more }) => {
                let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
                format!("events {kinds:?}, more: {has_more}")
            }
            Ok(Answer::Disputes { facts, next }) => {
                let rendered: Vec<String> = facts.iter().map(render).collect();
                format!("{} next: {next:?}", rendered.join("\n    "))
            }
            Ok(Answer::Account { reference, mode }) => format!("account {reference:?} {mode:?}"),
            Ok(Answer::Done) => "done".to_owned(),
            Err(CallError::Declined(decline)) => format!("declined {:?} {}", decline.class, decline.code),
            Err(error) => format!("{error:?}"),
        }
    }

    fn check(rows: &[(&str, u16, &str)], expected: &expect_test::Expect) {
        let told: Vec<String> = rows
            .iter()
            .map(|(kind, status, name)| {
                let body = answer(name).as_bytes().to_vec();
                let response = HttpResponse { status: *status, headers: crate::Headers::default(), body };
                format!("{kind}, {name}: {}", told(&read(&call(kind), &response)))
            })
            .collect();
        expected.assert_eq(&told.join("\n"));
    }

    #[test]
    fn a_page_that_was_opened_is_named_and_placed() {
        check(
            &[("open", 200, "session.created"), ("save", 200, "session.created"), ("open", 200, "session.without_url")],
            &expect![[r#"
                open, session.created: page cs_test_a1Zk… at 100
                save, session.created: page cs_test_a1Zk… at 100
                open, session.without_url: Unknown { message: "the answer names no page" }"#]],
        );
    }

    #[test]
    fn a_retrieved_payment_tells_the_payment_first_and_then_what_came_of_it() {
        check(
            &[
                ("retrieve page", 200, "session.open"),
                ("retrieve page", 200, "session.open.declined"),
                ("retrieve page", 200, "session.open.challenge"),
                ("retrieve page", 200, "session.paid"),
                ("retrieve page", 200, "session.paid.disputed"),
                ("retrieve page", 200, "session.debit.processing"),
                ("retrieve page", 200, "session.debit.failed"),
                ("retrieve page", 200, "session.expired"),
                ("retrieve page", 200, "session.free"),
                ("retrieve page", 200, "session.status_of_next_year"),
                ("retrieve money", 200, "payment_intent.succeeded"),
                ("retrieve money", 200, "payment_intent.status_of_next_year"),
                ("cancel", 200, "session.expired"),
            ],
            &expect![[r#"
                retrieve page, session.open: payment open by -, Sandbox, ord …k4wn pay …g8sq cs …FjCs
                retrieve page, session.open.declined: payment open, declined Soft insufficient_funds by card visa 9995, Sandbox, ord …k4wn pay …g8sq cs …FjCs pi …Ye4d
                retrieve page, session.open.challenge: payment requires action by -, Sandbox, ord …k4wn pay …g8sq cs …FjCs pi …Ye4d
                retrieve page, session.paid: payment succeeded 49.00 EUR by card visa 4242, Sandbox, ord …k4wn pay …g8sq cs …FjCs pi …Ye4d
                    refund Succeeded of 9.00 EUR re_3OC2hfKq7vT0sXnW1tUvWxYz (made at Stripe), Sandbox, ord …k4wn pay …g8sq cs …FjCs pi …Ye4d
                    refund Succeeded of 15.00 EUR re_3OC2hfKq7vT0sXnW1mNoPqRs (re_01hf7yat03v2ah8s5c0q7dn1tz), Sandbox, ord …k4wn pay …g8sq cs …FjCs pi …Ye4d
                retrieve page, session.paid.disputed: payment succeeded 49.00 EUR by card visa 4242, Sandbox, ord …k4wn pay …g8sq cs …FjCs pi …Ye4d
                    dispute Opened as of now of 49.00 EUR du_1OC2hzKq7vT0sXnWtUvWxYzA for fraudulent until 2023-11-22T22:13:20Z, Sandbox, ord …k4wn pay …g8sq cs …FjCs pi …Ye4d
                retrieve page, session.debit.processing: payment processing by sepa_debit 3202, Sandbox, ord …k4wn pay …g8sq cs …FjCs pi …Ye4d
                retrieve page, session.debit.failed: payment failed Hard account_closed by sepa_debit 3202, Sandbox, ord …k4wn pay …g8sq cs …FjCs pi …Ye4d
                retrieve page, session.expired: payment canceled by -, Sandbox, ord …k4wn pay …g8sq cs …FjCs
                retrieve page, session.free: nothing
                retrieve page, session.status_of_next_year: Unknown { message: "a session with the status paused and the payment status unpaid is not known here" }
                retrieve money, payment_intent.succeeded: payment succeeded 49.00 EUR by card visa 4242, Sandbox, ord …k4wn pay …g8sq pi …Ye4d
                    refund Succeeded of 9.00 EUR re_3OC2hfKq7vT0sXnW1tUvWxYz (made at Stripe), Sandbox, ord …k4wn pay …g8sq pi …Ye4d
                    refund Succeeded of 15.00 EUR re_3OC2hfKq7vT0sXnW1mNoPqRs (re_01hf7yat03v2ah8s5c0q7dn1tz), Sandbox, ord …k4wn pay …g8sq pi …Ye4d
                retrieve money, payment_intent.status_of_next_year: Unknown { message: "a payment intent with the status napping is not known here" }
                cancel, session.expired: payment canceled by -, Sandbox, ord …k4wn pay …g8sq cs …FjCs"#]],
        );
    }

    #[test]
    fn money_that_was_captured_counts_whatever_became_of_the_page() {
        let paid = answer("session.paid").replace("\"payment_status\": \"paid\"", "\"payment_status\": \"unpaid\"");
        for status in ["open", "complete", "expired"] {
            let body = paid.replace("\"status\": \"complete\"", &format!("\"status\": \"{status}\"")).into_bytes();
            let response = HttpResponse { status: 200, headers: crate::Headers::default(), body };
            let told = told(&read(&call("retrieve page"), &response));
            assert!(told.starts_with("payment succeeded 49.00 EUR"), "{status}: {told}");
        }
    }

    #[test]
    fn a_charge_ends_in_one_of_five_ways() {
        check(
            &[
                ("charge", 200, "payment_intent.succeeded"),
                ("charge", 200, "payment_intent.processing"),
                ("charge", 200, "payment_intent.requires_action"),
                ("charge", 402, "error.declined"),
                ("charge", 402, "error.authentication_required"),
                ("charge", 402, "error.declined.bare"),
                ("charge", 200, "payment_intent.status_of_next_year"),
            ],
            &expect![[r#"
                charge, payment_intent.succeeded: payment succeeded 49.00 EUR by card visa 4242, Sandbox, ord …k4wn pay …g8sq pi …Ye4d
                    refund Succeeded of 9.00 EUR re_3OC2hfKq7vT0sXnW1tUvWxYz (made at Stripe), Sandbox, ord …k4wn pay …g8sq pi …Ye4d
                    refund Succeeded of 15.00 EUR re_3OC2hfKq7vT0sXnW1mNoPqRs (re_01hf7yat03v2ah8s5c0q7dn1tz), Sandbox, ord …k4wn pay …g8sq pi …Ye4d
                charge, payment_intent.processing: payment processing by sepa_debit, Sandbox, ord …k4wn pay …g8sq pi …Ye4d
                charge, payment_intent.requires_action: payment requires action by card, Sandbox, ord …k4wn pay …g8sq pi …Ye4d
                charge, error.declined: payment failed Soft insufficient_funds by card visa 9995, Sandbox, ord …k4wn pay …g8sq pi …Ye4d
                charge, error.authentication_required: payment failed Authenticate authentication_required by card visa 3184, Sandbox, ord …k4wn pay …g8sq pi …Ye4d
                charge, error.declined.bare: declined Hard stolen_card
                charge, payment_intent.status_of_next_year: Unknown { message: "a payment intent with the status napping is not known here" }"#]],
        );
    }

    #[test]
    fn refunds_lists_and_the_account_are_read() {
        check(
            &[
                ("refund", 200, "refund"),
                ("refund", 200, "refund.unexpanded"),
                ("events", 200, "events"),
                ("dispute", 200, "dispute"),
                ("disputes", 200, "disputes"),
                ("disputes", 200, "disputes.last"),
                ("account", 200, "balance"),
            ],
            &expect![[r#"
                refund, refund: refund Pending of 49.00 EUR re_3OC2hfKq7vT0sXnW1mNoPqRs (re_01hf7yat03v2ah8s5c0q7dn1tz), Sandbox, ord …k4wn pay …g8sq pi …Ye4d
                refund, refund.unexpanded: Unknown { message: "the refund does not say whether it is live" }
                events, events: events ["refund.created", "checkout.session.completed"], more: true
                dispute, dispute: dispute Opened as of now of 49.00 EUR du_1OC2hzKq7vT0sXnWtUvWxYzA for fraudulent until 2023-11-22T22:13:20Z, Sandbox, ord …k4wn pay …g8sq pi …Ye4d
                disputes, disputes: dispute Opened as of now of 49.00 EUR du_1OC2hzKq7vT0sXnWtUvWxYzA for fraudulent until 2023-11-22T22:13:20Z, Sandbox, pi …Ye4d next: Some("du_1OC2i1Kq7vT0sXnWfFgGhHiI")
                disputes, disputes.last: dispute Closed as of now of 49.00 EUR du_1OC2hzKq7vT0sXnWtUvWxYzA for fraudulent until 2023-11-22T22:13:20Z, Sandbox, pi …Ye4d next: None
                account, balance: account None Sandbox"#]],
        );
    }

    #[test]
    fn a_no_is_told_from_an_i_do_not_know() {
        check(
            &[
                ("account", 401, "error.unauthorized"),
                ("account", 403, "error.permission"),
                ("retrieve money", 404, "error.missing"),
                ("refund", 400, "error.refunded"),
                ("refund", 400, "error.card_number"),
                ("refund", 402, "error.declined.bare"),
                ("refund", 402, "error.declined"),
                ("charge", 400, "error.declined.bare"),
                ("charge", 400, "error.idempotency"),
                ("charge", 409, "error.key_in_use"),
                ("charge", 429, "error.rate_limit"),
                ("charge", 500, "error.api"),
                ("open", 500, "error.api"),
                ("open", 503, "error.api"),
                ("open", 400, "error.idempotency"),
                ("open", 409, "error.key_in_use"),
            ],
            &expect![[r#"
                account, error.unauthorized: Unauthorized { message: "Invalid API Key provided: sk_test_***abc" }
                account, error.permission: Unauthorized { message: "The provided key does not have the required permissions for this endpoint." }
                retrieve money, error.missing: Refused { code: "resource_missing", message: "No such payment_intent: 'pi_1'" }
                refund, error.refunded: Refused { code: "charge_already_refunded", message: "Charge ch_3OC2hfKq7vT0sXnW1zPqRt8m has already been refunded." }
                refund, error.card_number: Refused { code: "parameter_unknown", message: "Received unknown parameter: [card number]" }
                refund, error.declined.bare: declined Hard stolen_card
                refund, error.declined: declined Soft insufficient_funds
                charge, error.declined.bare: declined Hard stolen_card
                charge, error.idempotency: Unknown { message: "Keys for idempotent requests can only be used with the same parameters they were first used with." }
                charge, error.key_in_use: Unknown { message: "There is currently another in-progress request using this Idempotent Key." }
                charge, error.rate_limit: Unknown { message: "Too many requests hit the API too quickly." }
                charge, error.api: Unknown { message: "An unknown error occurred" }
                open, error.api: Refused { code: "api_error", message: "An unknown error occurred" }
                open, error.api: Unknown { message: "An unknown error occurred" }
                open, error.idempotency: Refused { code: "idempotency_error", message: "Keys for idempotent requests can only be used with the same parameters they were first used with." }
                open, error.key_in_use: Unknown { message: "There is currently another in-progress request using this Idempotent Key." }"#]],
        );
    }

    #[test]
    fn a_listed_event_reads_as_its_webhook_would() {
        let response = HttpResponse {
            status: 200,
            headers: crate::Headers::default(),
            body: answer("events").as_bytes().to_vec(),
        };
        let Ok(Answer::Events { events, .. }) = read(&call("events"), &response) else { panic!("no events") };
        let sent = include_bytes!("fixtures/events/checkout.session.completed.paid.json");
        let listed = events.iter().find(|event| event.kind == "checkout.session.completed").unwrap();
        assert!(!listed.body.contains(&b'\n'), "compact");
        assert_eq!(
            crate::stripe::translate::translate(&listed.kind, &listed.body),
            crate::stripe::translate::translate(&listed.kind, sent)
        );
    }
}
