//! The Stripe adapter as a program that other programs can question: one JSON
//! object on each line of stdin, one answer on each line of stdout. It sends
//! nothing itself; `tests/foreign/stripe_signatures.py` and `localstripe.py`
//! carry its requests to somebody else's Stripe and the answers back.
//!
//! `{"verify": {"secrets": […], "header", "body", "now"}}` ·
//! `{"request": {"base_url", "call"}}` · `{"read": {"call", "status", "body"}}` ·
//! `{"translate": {"kind", "body"}}`, where `call` is one of
//! `{"open": {"seed", "amount", "currency", "expires_at", "save_method"}}`, `{"page": id}`, `{"cancel": id}`,
//! `{"charge": {"seed", "amount", "currency", "customer", "method", "kind"}}`,
//! `{"refund": {"seed", "amount", "currency", "intent"}}`, `{"retrieve": intent}`,
//! `{"events": since}`, `"account"`.

use std::io::{BufRead, Write};

use domain::{Decline, Fact, PaymentLocator, PaymentStatus, Timestamp};
use gateways::contract::calls;
use gateways::stripe::STRIPE;
use gateways::{
    Answer, Call, CallError, Gateway, Headers, HostedPaymentRequest, HttpResponse, OffSessionCharge, RefundRequest,
    Translation,
};
use money::{Currency, Money};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Question {
    Verify { secrets: Vec<String>, header: Option<String>, body: String, now: i64 },
    Request { base_url: String, call: Wanted },
    Read { call: Wanted, status: u16, body: String },
    Translate { kind: String, body: String },
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wanted {
    Open { seed: u8, amount: i64, currency: Currency, expires_at: i64, save_method: bool },
    Page(String),
    Cancel(String),
    Charge { seed: u8, amount: i64, currency: Currency, customer: String, method: String, kind: String },
    Refund { seed: u8, amount: i64, currency: Currency, intent: String },
    Retrieve(String),
    Events(i64),
    Account,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answer = answer(serde_json::from_str(&line?)?)?;
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn answer(question: Question) -> Result<Value, Box<dyn std::error::Error>> {
    Ok(match question {
        Question::Verify { secrets, header, body, now } => {
            let headers = Headers::new(header.map(|header| ("Stripe-Signature".to_owned(), header)));
            let now = Timestamp::from_seconds(now);
            match STRIPE.verify(&credentials(&secrets, None), &headers, body.as_bytes(), now) {
                Ok(items) => {
                    let items: Vec<Value> =
                        items.iter().map(|item| json!({ "event_id": item.event_id, "kind": item.kind })).collect();
                    json!({ "accepted": items })
                }
                Err(error) => json!({ "refused": error.code() }),
            }
        }
        Question::Request { base_url, call } => {
            let request =
                STRIPE.request(&credentials(&["whsec_unused".to_owned()], Some(&base_url)), &wanted(call)?)?;
            let method = request.method.as_str();
            let headers: serde_json::Map<String, Value> =
                request.headers.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))).collect();
            json!({ "method": method, "url": request.url, "headers": headers, "body": String::from_utf8(request.body)? })
        }
        Question::Read { call, status, body } => {
            let response = HttpResponse { status, headers: Headers::default(), body: body.into_bytes() };
            match STRIPE.read(&wanted(call)?, &response) {
                Ok(answer) => shown(&answer),
                Err(CallError::Declined(decline)) => json!({ "declined": declined(&decline) }),
                Err(CallError::Refused { code, message }) => json!({ "refused": code, "message": message }),
                Err(CallError::Unauthorized { message }) => json!({ "unauthorized": message }),
                Err(CallError::Unknown { message }) => json!({ "unknown": message }),
                Err(CallError::Unsupported { what }) => json!({ "unsupported": what }),
            }
        }
        Question::Translate { kind, body } => match STRIPE.translate(&kind, body.as_bytes()) {
            Ok(Translation::Fact(says)) => json!({ "fact": fact(&says) }),
            Ok(Translation::Ask(locator)) => json!({ "ask": names(&locator) }),
            Ok(Translation::Ignore(why)) => json!({ "ignore": why }),
            Err(error) => json!({ "parked": error.problem }),
        },
    })
}

fn credentials(secrets: &[String], base_url: Option<&str>) -> String {
    let mut credentials = json!({ "secret_key": "sk_test_dialogue", "webhook_secret": secrets });
    if let Some(base_url) = base_url {
        credentials["base_url"] = json!(base_url);
    }
    credentials.to_string()
}

fn wanted(wanted: Wanted) -> Result<Call, &'static str> {
    match wanted {
        Wanted::Open { seed, amount, currency, expires_at, save_method } => {
            let Some(Call::OpenPayment(request)) = calls(seed).into_iter().next() else {
                return Err("the first call of the contract opens no page");
            };
            Ok(Call::OpenPayment(HostedPaymentRequest {
                amount: Money::new(amount, currency),
                expires_at: Timestamp::from_seconds(expires_at),
                save_method,
                ..request
            }))
        }
        Wanted::Page(page) => Ok(Call::RetrievePayment { page_reference: Some(page), reference: None }),
        Wanted::Cancel(page) => {
            Ok(Call::CancelPayment { idempotency_key: format!("cancel-{page}"), page_reference: page })
        }
        Wanted::Charge { seed, amount, currency, customer, method, kind } => {
            let Some(Call::Charge(charge)) = calls(seed).into_iter().nth(2) else {
                return Err("the third call of the contract is no charge");
            };
            Ok(Call::Charge(OffSessionCharge {
                amount: Money::new(amount, currency),
                customer_reference: customer,
                method_reference: method,
                method_kind: kind,
                ..charge
            }))
        }
        Wanted::Refund { seed, amount, currency, intent } => {
            let Some(Call::Refund(refund)) = calls(seed).into_iter().nth(6) else {
                return Err("the seventh call of the contract is no refund");
            };
            Ok(Call::Refund(RefundRequest {
                amount: Money::new(amount, currency),
                payment_reference: intent,
                ..refund
            }))
        }
        Wanted::Retrieve(intent) => Ok(Call::RetrievePayment { page_reference: None, reference: Some(intent) }),
        Wanted::Events(since) => Ok(Call::ListEvents { since: Timestamp::from_seconds(since), after: None }),
        Wanted::Account => Ok(Call::CheckAccount),
    }
}

fn shown(answer: &Answer) -> Value {
    match answer {
        Answer::Facts(facts) => json!({ "facts": facts.iter().map(fact).collect::<Vec<_>>() }),
        Answer::Events { events, has_more } => {
            let events: Vec<Value> = events
                .iter()
                .map(|event| {
                    json!({ "event_id": event.event_id, "kind": event.kind, "body": String::from_utf8_lossy(&event.body) })
                })
                .collect();
            json!({ "events": events, "has_more": has_more })
        }
        Answer::Account { reference, mode } => json!({ "account": reference, "mode": mode.as_str() }),
        Answer::Disputes { facts, next } => {
            json!({ "disputes": facts.iter().map(fact).collect::<Vec<_>>(), "next": next })
        }
        Answer::Page(page) => json!({ "page": page.page_reference, "url": page.url }),
        Answer::Done => json!("done"),
    }
}

fn names(locator: &PaymentLocator) -> Value {
    json!({
        "order": locator.order.map(|id| id.to_string()),
        "payment": locator.payment.map(|id| id.to_string()),
        "page": locator.page_reference,
        "reference": locator.reference,
    })
}

fn declined(decline: &Decline) -> Value {
    json!({ "class": decline.class.code(), "code": decline.code })
}

fn fact(fact: &Fact) -> Value {
    match fact {
        Fact::Payment(report) => {
            let (status, more) = match &report.status {
                PaymentStatus::Open { declined: last } => ("open", json!(last.as_ref().map(declined))),
                PaymentStatus::RequiresAction => ("requires_action", Value::Null),
                PaymentStatus::Processing => ("processing", Value::Null),
                PaymentStatus::Succeeded { captured } => ("succeeded", json!(captured)),
                PaymentStatus::Failed(last) => ("failed", declined(last)),
                PaymentStatus::Canceled => ("canceled", Value::Null),
            };
            let method = report.method.as_ref().map(|method| json!({ "kind": method.kind, "last4": method.last4 }));
            json!({ "payment": status, "more": more, "mode": report.mode.as_str(), "method": method, "of": names(&report.locator) })
        }
        Fact::Refund(report) => json!({
            "refund": format!("{:?}", report.status).to_lowercase(),
            "amount": report.amount,
            "id": report.refund.map(|id| id.to_string()),
            "reference": report.reference,
            "mode": report.mode.as_str(),
            "of": names(&report.locator),
        }),
        Fact::Dispute(report) => json!({
            "dispute": report.state.as_str(),
            "amount": report.amount,
            "reference": report.reference,
            "mode": report.mode.as_str(),
            "of": names(&report.locator),
        }),
    }
}
