//! Prints every request that the Stripe adapter can send, one JSON object on
//! a line, so that somebody else's schema can judge them:
//! `tests/foreign/stripe_openapi.mjs`. Sends nothing.

use std::collections::BTreeSet;
use std::io::Write;

use domain::{Duration, Locale, RefundReason, Timestamp};
use gateways::contract::calls;
use gateways::{Call, Gateway, HostedPaymentRequest, Method, OffSessionCharge, RefundRequest, SaveMethodRequest};
use money::{Currency, Money};
use serde_json::json;

const CREDENTIALS: &str = r#"{"secret_key":"sk_test_example","webhook_secret":"whsec_example"}"#;
const LOCALES: &[&str] = &[
    "en", "en-GB", "de", "es", "es-MX", "fr", "fr-CA", "pt-BR", "zh", "zh-HK", "zh-TW", "nb", "fil", "hi", "fa", "ar",
];

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let mut seen = BTreeSet::new();
    for call in calls(1).into_iter().flat_map(variants) {
        // What Stripe would not take is refused before it becomes a request.
        let Ok(request) = gateways::stripe::STRIPE.request(CREDENTIALS, &call) else { continue };
        let (method, body) = match request.method {
            Method::Get => ("get", String::new()),
            Method::Post => ("post", String::from_utf8_lossy(&request.body).into_owned()),
            Method::Put => ("put", String::from_utf8_lossy(&request.body).into_owned()),
            Method::Patch => ("patch", String::from_utf8_lossy(&request.body).into_owned()),
            Method::Delete => ("delete", String::from_utf8_lossy(&request.body).into_owned()),
        };
        let line = json!({ "method": method, "url": request.url, "body": body }).to_string();
        if seen.insert(line.clone()) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

/// The call, and the same with everything changed that changes what is sent.
fn variants(call: Call) -> Vec<Call> {
    let mut calls = vec![call.clone()];
    match call {
        Call::OpenPayment(request) => {
            for currency in Currency::all() {
                let amount = Money::new(12_300, currency);
                calls.push(Call::OpenPayment(HostedPaymentRequest { amount, ..request.clone() }));
            }
            for locale in LOCALES.iter().filter_map(|tag| Locale::parse(tag)) {
                calls.push(Call::OpenPayment(HostedPaymentRequest { locale, ..request.clone() }));
            }
            for save_method in [false, true] {
                calls.push(Call::OpenPayment(HostedPaymentRequest {
                    save_method,
                    email: None,
                    description: "a&b=c[d] ü 書 \u{202e}".repeat(40),
                    return_url: "https://shop.example/orders/1?session={CHECKOUT_SESSION_ID}".to_owned(),
                    expires_at: request.expires_at.after(Duration::hours(23)),
                    ..request.clone()
                }));
            }
        }
        Call::SaveMethod(request) => {
            for email in [None, Some("buyer@example.org".to_owned())] {
                calls.push(Call::SaveMethod(SaveMethodRequest {
                    customer_reference: None,
                    email,
                    metadata: std::collections::BTreeMap::default(),
                    ..request.clone()
                }));
            }
        }
        Call::Charge(charge) => {
            for kind in gateways::stripe::STRIPE.capabilities().methods {
                calls.push(Call::Charge(OffSessionCharge { method_kind: (*kind).to_owned(), ..charge.clone() }));
            }
        }
        Call::Refund(request) => {
            for reason in RefundReason::ALL {
                let amount = Money::new(1, Currency::EUR);
                calls.push(Call::Refund(RefundRequest { reason, amount, ..request.clone() }));
            }
        }
        Call::ListEvents { since, .. } => {
            for since in [since, Timestamp::from_seconds(0), Timestamp::from_seconds(-1)] {
                calls.push(Call::ListEvents { since, after: Some("evt_1".to_owned()) });
            }
        }
        Call::ListDisputes { since, .. } => calls.push(Call::ListDisputes { since, after: None }),
        Call::RetrievePayment { .. }
        | Call::CancelPayment { .. }
        | Call::RetrieveDispute { .. }
        | Call::CheckAccount => {}
    }
    calls
}
