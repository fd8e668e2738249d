//! What every adapter must keep, whatever the gateway: one suite, driven from
//! the registry, so that a new adapter is held to it on the day it is added.
//!
//! Relies on one genuine message and a few genuine events per adapter
//! ([`Samples`]); everything else it makes up itself. Never panics: it
//! returns the sentences that do not hold.

use std::collections::BTreeMap;

use domain::{Duration, Locale, OrderId, PaymentId, RefundId, RefundReason, Rng, ShopId, Timestamp};
use money::{Currency, Money};

use crate::{
    Answer, Call, CallError, Gateway, Headers, HostedPaymentRequest, HttpRequest, HttpResponse, Method,
    OffSessionCharge, RefundRequest, SaveMethodRequest, Translation, Trust, VerifyError,
};

/// What the suite needs of one gateway.
#[derive(Debug, Clone)]
pub struct Samples {
    /// Credentials that can be used, with the secrets in `secrets`.
    pub credentials: String,
    /// Credentials of the same shape with other secrets.
    pub other_credentials: String,
    /// Every secret in `credentials`; none may be seen where it does not belong.
    pub secrets: Vec<String>,
    /// A message as the gateway sends it, authentic under `credentials`.
    pub message: Message,
    /// Genuine events of every kind that says something here.
    pub events: Vec<Event>,
}

/// A message as it comes in.
#[derive(Debug, Clone)]
pub struct Message {
    /// Name and value.
    pub headers: Vec<(String, String)>,
    /// The raw bytes.
    pub body: Vec<u8>,
    /// When it was signed.
    pub signed_at: Timestamp,
}

/// One event as it is stored.
#[derive(Debug, Clone)]
pub struct Event {
    /// The gateway's word for what happened.
    pub kind: String,
    /// The event alone.
    pub body: Vec<u8>,
}

/// Holds an adapter to the contract.
///
/// # Errors
/// The sentences that do not hold, each with what broke it.
pub fn check(adapter: &dyn Gateway, samples: &Samples) -> Result<(), Vec<String>> {
    let mut suite = Suite { adapter, samples, broken: Vec::new() };
    suite.capabilities();
    suite.credentials();
    suite.authenticity();
    suite.events();
    suite.requests();
    suite.answers();
    if suite.broken.is_empty() { Ok(()) } else { Err(suite.broken) }
}

/// One call of every kind. The same seed gives the same calls.
#[must_use]
pub fn calls(seed: u8) -> Vec<Call> {
    let mut rng = Rng::from_seed([seed; 32]);
    let now = Timestamp::from_seconds(1_700_000_000);
    let shop = ShopId::mint(now, &mut rng);
    let order = OrderId::mint(now, &mut rng);
    let payment = PaymentId::mint(now, &mut rng);
    let amount = Money::new(4_900, Currency::EUR);
    vec![
        Call::OpenPayment(HostedPaymentRequest {
            shop,
            order,
            payment,
            note: None,
            amount,
            description: "Editor, one license".to_owned(),
            email: Some("buyer@example.org".to_owned()),
            locale: Locale::english(),
            return_url: "https://shop.example/orders/1".to_owned(),
            cancel_url: "https://shop.example/checkout/1".to_owned(),
            expires_at: now.after(Duration::hours(1)),
            save_method: true,
        }),
        Call::SaveMethod(SaveMethodRequest {
            idempotency_key: format!("save-{seed}"),
            customer_reference: Some("customer_1".to_owned()),
            currency: Currency::EUR,
            email: None,
            locale: Locale::english(),
            return_url: "https://shop.example/portal".to_owned(),
            cancel_url: "https://shop.example/portal".to_owned(),
            metadata: BTreeMap::from([("latchkey_shop".to_owned(), shop.to_string())]),
        }),
        Call::Charge(OffSessionCharge {
            shop,
            order,
            payment,
            amount,
            description: "Editor, renewal".to_owned(),
            customer_reference: "customer_1".to_owned(),
            method_reference: "method_1".to_owned(),
            method_kind: "card".to_owned(),
        }),
        Call::RetrievePayment { page_reference: Some("page_1".to_owned()), reference: None },
        Call::RetrievePayment { page_reference: None, reference: Some("money_1".to_owned()) },
        Call::CancelPayment { page_reference: "page_1".to_owned(), idempotency_key: format!("cancel-{seed}") },
        Call::Refund(RefundRequest {
            refund: RefundId::mint(now, &mut rng),
            payment,
            order,
            payment_reference: "money_1".to_owned(),
            amount,
            reason: RefundReason::RequestedByCustomer,
        }),
        Call::ListEvents { since: now, after: None },
        Call::RetrieveDispute { reference: "dispute_1".to_owned() },
        Call::ListDisputes { since: now, after: Some("dispute_1".to_owned()) },
        Call::CheckAccount,
    ]
}

struct Suite<'a> {
    adapter: &'a dyn Gateway,
    samples: &'a Samples,
    broken: Vec<String>,
}

impl Suite<'_> {
    fn expect(&mut self, holds: bool, sentence: impl FnOnce() -> String) {
        if !holds {
            self.broken.push(sentence());
        }
    }

    fn capabilities(&mut self) {
        let name = self.adapter.name();
        let can = self.adapter.capabilities();
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        self.expect(is_name, || format!("a name is lower-case letters: {name:?}"));
        self.expect(can.saved_methods || !can.off_session, || {
            "what is charged off session was saved before".to_owned()
        });
        let signed = can.trust == Trust::Authentic;
        self.expect(can.signature_tolerance_seconds >= 0, || "a tolerance is not negative".to_owned());
        self.expect(!signed || !self.samples.events.is_empty(), || "signed events come with samples".to_owned());
    }

    fn credentials(&mut self) {
        let good = self.samples.credentials.as_str();
        let verdict = self.adapter.check_credentials(good);
        self.expect(verdict.is_ok(), || format!("the sample credentials are accepted: {verdict:?}"));
        let with_unknown = good.replacen('{', r#"{"a_field_of_next_year":1,"#, 1);
        let cut_short: String = good.chars().take(good.chars().count() / 2).collect();
        for bad in ["", "null", "[]", "{}", "\"text\"", "7", with_unknown.as_str(), cut_short.as_str()] {
            match self.adapter.check_credentials(bad) {
                Ok(()) => self.broken.push(format!("unusable credentials are refused: {} bytes", bad.len())),
                Err(error) => self.no_secret_in(&error.to_string(), "an error about credentials"),
            }
        }
    }

    fn no_secret_in(&mut self, text: &str, place: &str) {
        let found = self.samples.secrets.iter().any(|secret| text.contains(secret.as_str()));
        self.expect(!found, || format!("no secret stands in {place}"));
    }

    fn verify(&self, headers: &[(String, String)], body: &[u8], at: Timestamp) -> Result<usize, VerifyError> {
        let headers = Headers::new(headers.iter().cloned());
        self.adapter.verify(&self.samples.credentials, &headers, body, at).map(|items| items.len())
    }

    fn authenticity(&mut self) {
        if self.adapter.capabilities().trust == Trust::ReturnOnly {
            return;
        }
        let message = self.samples.message.clone();
        let headers = Headers::new(message.headers.iter().cloned());
        let at = message.signed_at;
        match self.adapter.verify(&self.samples.credentials, &headers, &message.body, at) {
            Ok(items) => {
                self.expect(!items.is_empty(), || "a genuine message holds an event".to_owned());
                for item in items {
                    let named = !item.event_id.is_empty() && !item.kind.is_empty();
                    self.expect(named, || "every event has an id and a kind".to_owned());
                    let translated = self.adapter.translate(&item.kind, &item.body);
                    self.expect(translated.is_ok(), || format!("a genuine event is readable: {translated:?}"));
                }
            }
            Err(error) => self.broken.push(format!("a genuine message is accepted: {error}")),
        }
        if self.adapter.capabilities().trust == Trust::Authentic {
            self.forgeries(&message);
        }
    }

    fn forgeries(&mut self, message: &Message) {
        let at = message.signed_at;
        let nobody = self.verify(&[], &message.body, at);
        self.expect(nobody == Err(VerifyError::SignatureMissing), || "a message needs a signature".to_owned());
        let headers = Headers::new(message.headers.iter().cloned());
        let others = self.adapter.verify(&self.samples.other_credentials, &headers, &message.body, at);
        self.expect(others.is_err(), || "another account's secret proves nothing".to_owned());
        let tolerance = self.adapter.capabilities().signature_tolerance_seconds;
        if tolerance > 0 {
            let (within, beyond) = (Duration::seconds(tolerance), Duration::seconds(tolerance + 1));
            for (moment, fresh) in [
                (at.after(within), true),
                (at.before(within), true),
                (at.after(beyond), false),
                (at.before(beyond), false),
            ] {
                let accepted = self.verify(&message.headers, &message.body, moment).is_ok();
                self.expect(accepted == fresh, || format!("signed at {at}: fresh at {moment} is {fresh}"));
            }
        }
        let mut accepted = 0;
        for place in 0..message.body.len() {
            for bit in [0, 5] {
                let mut mutant = message.body.clone();
                if let Some(byte) = mutant.get_mut(place) {
                    *byte ^= 1 << bit;
                }
                accepted += usize::from(self.verify(&message.headers, &mutant, at).is_ok());
            }
            let cut = message.body.get(..place).unwrap_or_default();
            accepted += usize::from(self.verify(&message.headers, cut, at).is_ok());
        }
        self.expect(accepted == 0, || format!("no altered message is accepted: {accepted} were"));
    }

    fn events(&mut self) {
        let unknown = self.adapter.translate("a_kind.of_next_year", b"{}");
        let is_fact = matches!(unknown, Ok(Translation::Fact(_) | Translation::Ask(_)));
        self.expect(!is_fact, || "an unknown kind says nothing".to_owned());
        for event in self.samples.events.clone() {
            let kind = event.kind.as_str();
            let once = self.adapter.translate(kind, &event.body);
            self.expect(once.is_ok(), || format!("{kind}: a genuine event is readable: {once:?}"));
            let twice = self.adapter.translate(kind, &event.body);
            self.expect(once == twice, || format!("{kind}: the same event always says the same"));
            let whole = event.body.trim_ascii_end();
            for missing in (1..32).chain((32..whole.len()).step_by(37)) {
                let cut = whole.get(..whole.len().saturating_sub(missing)).unwrap_or_default();
                let says = self.adapter.translate(kind, cut);
                let invented = matches!(says, Ok(Translation::Fact(_) | Translation::Ask(_)));
                self.expect(!invented, || format!("{kind}: half an event says nothing"));
            }
            for nonsense in ["", "null", "[]", "{}", "\u{feff}{}", "{\"data\":{\"object\":[]}}"] {
                let says = self.adapter.translate(kind, nonsense.as_bytes());
                let invented = matches!(says, Ok(Translation::Fact(_) | Translation::Ask(_)));
                self.expect(!invented, || format!("{kind}: {nonsense:?} says nothing"));
            }
        }
    }

    fn requests(&mut self) {
        let mut keys: Vec<String> = Vec::new();
        for call in calls(1).into_iter().chain(calls(2)).chain(hostile_calls()) {
            let kind = kind_of(&call);
            let supported = self.supports(&call);
            match self.adapter.request(&self.samples.credentials, &call) {
                Err(CallError::Unsupported { .. }) => {
                    self.expect(!supported, || format!("{kind}: what it can do, it does"));
                }
                Err(CallError::Refused { .. }) => {}
                Err(error) => self.broken.push(format!("{kind}: {error}")),
                Ok(request) => {
                    self.expect(supported, || format!("{kind}: what it cannot do, it says so"));
                    let again = self.adapter.request(&self.samples.credentials, &call);
                    let same = again.as_ref() == Ok(&request);
                    self.expect(same, || format!("{kind}: the same call gives the same request"));
                    self.request(kind, &call, &request, &mut keys);
                }
            }
        }
        for call in impossible_calls() {
            let refused = self.adapter.request(&self.samples.credentials, &call);
            let is_refused = matches!(refused, Err(CallError::Refused { .. } | CallError::Unsupported { .. }));
            self.expect(is_refused, || format!("{}: refused before it is sent: {call:?}", kind_of(&call)));
        }
    }

    fn request(&mut self, kind: &str, call: &Call, request: &HttpRequest, keys: &mut Vec<String>) {
        self.no_secret_in(&format!("{request:?}"), "the debug output of a request");
        self.no_secret_in(&request.url, "a URL");
        let is_url = request.url.starts_with("http") && request.url.bytes().all(|byte| byte.is_ascii_graphic());
        self.expect(is_url, || format!("{kind}: a URL is printable ASCII"));
        self.expect(!request.url.contains("/../"), || format!("{kind}: a URL leads nowhere else"));
        for (name, value) in &request.headers {
            let lower = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            let clean = value.bytes().all(|byte| (0x20..0x7f).contains(&byte));
            self.expect(lower && clean, || format!("{kind}: the header {name} is one line"));
        }
        match request.method {
            Method::Get => {
                self.expect(request.body.is_empty(), || format!("{kind}: what only reads has no body"));
                self.expect(!moves(call), || format!("{kind}: what changes something is no GET"));
            }
            Method::Post | Method::Put | Method::Patch | Method::Delete => {
                let remembered = self.adapter.capabilities().idempotency_hours > 0;
                if let Some(key) = idempotency_key(call).filter(|_| remembered) {
                    let bytes = request.headers.iter().map(|(_, value)| value.as_bytes()).chain([&request.body[..]]);
                    let carries = bytes.into_iter().any(|text| contains(text, key.as_bytes()));
                    self.expect(carries, || format!("{kind}: the request carries its idempotency key"));
                    let named = format!("{kind} {key}");
                    self.expect(!keys.contains(&named), || format!("{kind}: another call has another key"));
                    keys.push(named);
                }
            }
        }
    }

    fn supports(&self, call: &Call) -> bool {
        let can = self.adapter.capabilities();
        match call {
            Call::OpenPayment(_) | Call::CancelPayment { .. } => can.hosted_page,
            Call::SaveMethod(_) => can.saved_methods,
            Call::Charge(_) => can.off_session,
            Call::ListEvents { .. } => can.event_list,
            Call::RetrieveDispute { .. } | Call::ListDisputes { .. } => can.disputes,
            Call::RetrievePayment { .. } | Call::Refund(_) | Call::CheckAccount => true,
        }
    }

    fn answers(&mut self) {
        let deep = "[".repeat(100_000);
        let bodies: [&str; 12] = [
            "",
            "null",
            "[]",
            "{}",
            "\"text\"",
            "1e999",
            "{\"data\":[{}]}",
            "{\"error\":null}",
            "{\"error\":{\"message\":5}}",
            "<html>Bad gateway</html>",
            "\u{feff}{\"id\":\"1\"}",
            deep.as_str(),
        ];
        for call in calls(1) {
            if !self.supports(&call) {
                continue;
            }
            let kind = kind_of(&call);
            for body in bodies {
                for status in [100, 200, 201, 204, 301, 302, 400, 401, 402, 403, 404, 409, 418, 429, 500, 502, 503, 999]
                {
                    let response = HttpResponse { status, headers: Headers::default(), body: body.as_bytes().to_vec() };
                    let read = self.adapter.read(&call, &response);
                    let what = || format!("{kind}: HTTP {status} with {} bytes: {read:?}", body.len());
                    let is_unknown = matches!(read, Err(CallError::Unknown { .. }));
                    let says_nothing = match &read {
                        Ok(Answer::Events { events, .. }) => events.is_empty(),
                        Ok(Answer::Disputes { facts, .. }) => facts.is_empty(),
                        Ok(Answer::Done) => true,
                        Ok(Answer::Page(_) | Answer::Facts(_) | Answer::Account { .. }) | Err(_) => false,
                    };
                    let honest = match status {
                        200..=299 => is_unknown || says_nothing,
                        401 => matches!(read, Err(CallError::Unauthorized { .. } | CallError::Unknown { .. })),
                        429 | 500..=599 => is_unknown,
                        _ => read.is_err(),
                    };
                    self.expect(honest, what);
                }
            }
        }
    }
}

/// Calls whose texts try to be more than text.
fn hostile_calls() -> Vec<Call> {
    let texts = [
        "a\r\nX-Evil: 1",
        "a&amount=1&b[c]=d#e?f%00",
        "\u{202e}\u{0}كتاب 書 🔑",
        "<script>alert(1)</script>",
        "{CHECKOUT_SESSION_ID}",
    ];
    let mut hostile = Vec::new();
    for (text, seed) in texts.into_iter().zip(10..) {
        for call in calls(seed) {
            match call {
                Call::OpenPayment(request) => hostile.push(Call::OpenPayment(HostedPaymentRequest {
                    description: text.to_owned(),
                    note: Some(text.to_owned()),
                    email: Some(text.to_owned()),
                    return_url: format!("https://shop.example/{text}"),
                    ..request
                })),
                Call::Charge(charge) => {
                    hostile.push(Call::Charge(OffSessionCharge { description: text.to_owned(), ..charge }));
                }
                Call::SaveMethod(_)
                | Call::RetrievePayment { .. }
                | Call::CancelPayment { .. }
                | Call::Refund(_)
                | Call::ListEvents { .. }
                | Call::RetrieveDispute { .. }
                | Call::ListDisputes { .. }
                | Call::CheckAccount => {}
            }
        }
    }
    hostile
}

/// Calls that no gateway must ever be sent.
fn impossible_calls() -> Vec<Call> {
    let mut impossible = Vec::new();
    for reference in ["", "../balance", "a/b", "a?b=c", "a b", "a\r\nb", "ü"] {
        impossible.push(Call::RetrievePayment { page_reference: Some(reference.to_owned()), reference: None });
        impossible.push(Call::RetrievePayment { page_reference: None, reference: Some(reference.to_owned()) });
        impossible.push(Call::RetrieveDispute { reference: reference.to_owned() });
        impossible
            .push(Call::CancelPayment { page_reference: reference.to_owned(), idempotency_key: "key".to_owned() });
    }
    impossible.push(Call::RetrievePayment { page_reference: None, reference: None });
    impossible.push(Call::CancelPayment { page_reference: "page_1".to_owned(), idempotency_key: "a\r\nb".to_owned() });
    for minor in [0, -1, i64::MIN] {
        let amount = Money::new(minor, Currency::EUR);
        for call in calls(3) {
            match call {
                Call::OpenPayment(request) => {
                    impossible.push(Call::OpenPayment(HostedPaymentRequest { amount, ..request }));
                }
                Call::Charge(charge) => impossible.push(Call::Charge(OffSessionCharge { amount, ..charge })),
                Call::Refund(request) => impossible.push(Call::Refund(RefundRequest { amount, ..request })),
                Call::SaveMethod(_)
                | Call::RetrievePayment { .. }
                | Call::CancelPayment { .. }
                | Call::ListEvents { .. }
                | Call::RetrieveDispute { .. }
                | Call::ListDisputes { .. }
                | Call::CheckAccount => {}
            }
        }
    }
    impossible
}

fn kind_of(call: &Call) -> &'static str {
    match call {
        Call::OpenPayment(_) => "open payment",
        Call::SaveMethod(_) => "save method",
        Call::Charge(_) => "charge",
        Call::RetrievePayment { .. } => "retrieve payment",
        Call::CancelPayment { .. } => "cancel payment",
        Call::Refund(_) => "refund",
        Call::ListEvents { .. } => "list events",
        Call::RetrieveDispute { .. } => "retrieve dispute",
        Call::ListDisputes { .. } => "list disputes",
        Call::CheckAccount => "check account",
    }
}

fn moves(call: &Call) -> bool {
    idempotency_key(call).is_some()
}

fn idempotency_key(call: &Call) -> Option<String> {
    match call {
        Call::OpenPayment(request) => Some(request.payment.to_string()),
        Call::SaveMethod(request) => Some(request.idempotency_key.clone()),
        Call::Charge(charge) => Some(charge.payment.to_string()),
        Call::CancelPayment { idempotency_key, .. } => Some(idempotency_key.clone()),
        Call::Refund(request) => Some(request.refund.to_string()),
        Call::RetrievePayment { .. }
        | Call::ListEvents { .. }
        | Call::RetrieveDispute { .. }
        | Call::ListDisputes { .. }
        | Call::CheckAccount => None,
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len().max(1)).any(|window| window == part)
}
