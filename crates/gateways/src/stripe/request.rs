//! The requests that make our calls, form-encoded as Stripe reads them.
//!
//! Relies on the caller for what depends on time: a page's end must lie 30
//! minutes to 24 hours after the call. Never makes anything up: the same call
//! gives the same bytes, which is what lets Stripe see that it is the same.

use std::collections::BTreeMap;

use domain::{OrderId, PaymentId, RefundReason, ShopId, Timestamp};
use money::Money;

use super::credentials::Credentials;
use super::fact::{OFF_SESSION, key};
use super::translate::KINDS;
use super::{amount, locale};
use crate::{
    Call, CallError, HostedPaymentRequest, HttpRequest, Method, OffSessionCharge, RefundRequest, SaveMethodRequest,
};

/// Sent with every request, so that a change of the account's default version
/// cannot change the answers under us. The newest that Stripe's library 16.1.0
/// for Python names; what is read here has been stable since 2022-11-15.
pub const API_VERSION: &str = "2026-10-28.endive";

/// As many as Stripe gives in one page.
const PAGE_SIZE: &str = "100";

/// What Stripe prints of a line's name.
const LONGEST_NAME: usize = 250;
const LONGEST_DESCRIPTION: usize = 1_000;

/// The request that makes a call.
pub(super) fn request(credentials: &Credentials, call: &Call) -> Result<HttpRequest, CallError> {
    let to = Sender(credentials);
    match call {
        Call::OpenPayment(request) => {
            Ok(to.post("checkout/sessions", &open_payment(request)?, &request.payment.to_string()))
        }
        Call::SaveMethod(request) => {
            Ok(to.post("checkout/sessions", &save_method(request)?, checked_key(&request.idempotency_key)?))
        }
        Call::Charge(charge) => Ok(to.post("payment_intents", &off_session(charge)?, &charge.payment.to_string())),
        Call::RetrievePayment { page_reference: Some(page), .. } => Ok(to.get(
            &format!("checkout/sessions/{}", checked_reference(page)?),
            &Form::new().with("expand[]", "payment_intent.latest_charge.refunds"),
        )),
        Call::RetrievePayment { page_reference: None, reference: Some(intent) } => Ok(to.get(
            &format!("payment_intents/{}", checked_reference(intent)?),
            &Form::new().with("expand[]", "latest_charge.refunds"),
        )),
        Call::RetrievePayment { page_reference: None, reference: None } => {
            Err(refused("reference_missing", "a payment that Stripe has not named cannot be asked for"))
        }
        Call::CancelPayment { page_reference, idempotency_key } => Ok(to.post(
            &format!("checkout/sessions/{}/expire", checked_reference(page_reference)?),
            &Form::new(),
            checked_key(idempotency_key)?,
        )),
        Call::Refund(request) => Ok(to.post("refunds", &refund(request)?, &request.refund.to_string())),
        Call::ListEvents { since, after } => {
            let form = list(*since, after.as_deref())?;
            Ok(to.get("events", &KINDS.iter().fold(form, |form, kind| form.with("types[]", *kind))))
        }
        Call::RetrieveDispute { reference } => Ok(to.get(
            &format!("disputes/{}", checked_reference(reference)?),
            &Form::new().with("expand[]", "payment_intent"),
        )),
        Call::ListDisputes { since, after } => {
            Ok(to.get("disputes", &list(*since, after.as_deref())?.with("expand[]", "data.payment_intent")))
        }
        // Unlike the account, the balance says whether the key moves real money.
        Call::CheckAccount => Ok(to.get("balance", &Form::new())),
    }
}

/// Pairs of name and value, in order.
struct Form(Vec<(String, String)>);

impl Form {
    fn new() -> Self {
        Self(Vec::new())
    }

    fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }

    fn with_some(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    fn with_all<'a>(self, under: &str, pairs: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        pairs.into_iter().fold(self, |form, (name, value)| form.with(format!("{under}[{name}]"), value))
    }

    fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}

struct Sender<'a>(&'a Credentials);

impl Sender<'_> {
    fn headers(&self) -> Vec<(&'static str, String)> {
        vec![
            ("authorization", format!("Bearer {}", self.0.secret_key)),
            ("stripe-version", API_VERSION.to_owned()),
            ("accept", "application/json".to_owned()),
        ]
    }

    fn get(&self, path: &str, query: &Form) -> HttpRequest {
        let query = query.encode();
        let separator = if query.is_empty() { "" } else { "?" };
        HttpRequest {
            method: Method::Get,
            url: format!("{}/v1/{path}{separator}{query}", self.0.base_url),
            headers: self.headers(),
            body: Vec::new(),
        }
    }

    fn post(&self, path: &str, form: &Form, idempotency_key: &str) -> HttpRequest {
        let mut headers = self.headers();
        headers.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
        headers.push(("idempotency-key", idempotency_key.to_owned()));
        HttpRequest {
            method: Method::Post,
            url: format!("{}/v1/{path}", self.0.base_url),
            headers,
            body: form.encode().into_bytes(),
        }
    }
}

fn open_payment(request: &HostedPaymentRequest) -> Result<Form, CallError> {
    let name = line(&request.description, LONGEST_NAME)?;
    let note = request.note.as_ref().map(|note| (key::NOTE, note.clone()));
    if note.as_ref().is_some_and(|(_, note)| note.chars().count() > 500) {
        return Err(refused("metadata_too_large", "a note of 500 characters can be attached"));
    }
    let references = || references(&request.shop, &request.order, &request.payment).into_iter().chain(note.clone());
    let form = Form::new()
        .with("mode", "payment")
        .with("line_items[0][quantity]", "1")
        .with("line_items[0][price_data][currency]", amount::code(request.amount.currency()))
        .with("line_items[0][price_data][unit_amount]", positive(request.amount)?)
        .with("line_items[0][price_data][product_data][name]", name)
        .with("client_reference_id", request.order.to_string())
        .with_all("metadata", references())
        .with_all("payment_intent_data[metadata]", references())
        .with("payment_intent_data[description]", line(&request.description, LONGEST_DESCRIPTION)?)
        .with_some("customer_email", request.email.as_deref())
        .with("locale", locale::page_locale(&request.locale))
        .with("expires_at", request.expires_at.as_seconds().to_string())
        .with("success_url", &request.return_url)
        .with("cancel_url", &request.cancel_url);
    if !request.save_method {
        return Ok(form);
    }
    // A method can be charged later only while it belongs to a customer.
    Ok(form.with("payment_intent_data[setup_future_usage]", "off_session").with("customer_creation", "always"))
}

fn save_method(request: &SaveMethodRequest) -> Result<Form, CallError> {
    let form = Form::new().with("mode", "setup").with("currency", amount::code(request.currency));
    // A customer brings the address along, and Stripe refuses both together.
    let form = match request.customer_reference.as_deref() {
        Some(customer) => form.with("customer", checked_reference(customer)?),
        None => form.with("customer_creation", "always").with_some("customer_email", request.email.as_deref()),
    };
    let metadata = checked_metadata(&request.metadata)?;
    let pairs = || metadata.iter().map(|(name, value)| (name.as_str(), value.clone()));
    Ok(form
        .with_all("metadata", pairs())
        .with_all("setup_intent_data[metadata]", pairs())
        .with("locale", locale::page_locale(&request.locale))
        .with("success_url", &request.return_url)
        .with("cancel_url", &request.cancel_url))
}

fn off_session(charge: &OffSessionCharge) -> Result<Form, CallError> {
    Ok(Form::new()
        .with("amount", positive(charge.amount)?)
        .with("currency", amount::code(charge.amount.currency()))
        .with("customer", checked_reference(&charge.customer_reference)?)
        .with("payment_method", checked_reference(&charge.method_reference)?)
        // Named, so that Stripe need not be told where a redirect would come back to: there is nobody to redirect.
        .with("payment_method_types[0]", checked_reference(&charge.method_kind)?)
        .with("off_session", "true")
        .with("confirm", "true")
        .with("description", line(&charge.description, LONGEST_DESCRIPTION)?)
        .with_all("metadata", references(&charge.shop, &charge.order, &charge.payment))
        .with(format!("metadata[{}]", key::FLOW), OFF_SESSION)
        .with("expand[]", "latest_charge"))
}

fn refund(request: &RefundRequest) -> Result<Form, CallError> {
    let reason = match request.reason {
        RefundReason::RequestedByCustomer => Some("requested_by_customer"),
        RefundReason::Duplicate => Some("duplicate"),
        RefundReason::Fraudulent => Some("fraudulent"),
        // Stripe knows three reasons, and blocks cards for one of them; nothing is said that is not so.
        RefundReason::SurpriseCapture | RefundReason::MadeAtGateway => None,
    };
    Ok(Form::new()
        .with("payment_intent", checked_reference(&request.payment_reference)?)
        .with("amount", positive(request.amount)?)
        .with_some("reason", reason)
        .with(format!("metadata[{}]", key::REFUND), request.refund.to_string())
        .with(format!("metadata[{}]", key::PAYMENT), request.payment.to_string())
        .with(format!("metadata[{}]", key::ORDER), request.order.to_string())
        // A refund does not say whether it is live; its intent does.
        .with("expand[]", "payment_intent"))
}

fn list(since: Timestamp, after: Option<&str>) -> Result<Form, CallError> {
    let form = Form::new().with("limit", PAGE_SIZE).with("created[gte]", since.as_seconds().max(0).to_string());
    match after {
        Some(after) => Ok(form.with("starting_after", checked_reference(after)?)),
        None => Ok(form),
    }
}

fn references(shop: &ShopId, order: &OrderId, payment: &PaymentId) -> [(&'static str, String); 3] {
    [(key::SHOP, shop.to_string()), (key::ORDER, order.to_string()), (key::PAYMENT, payment.to_string())]
}

fn refused(code: &str, message: &str) -> CallError {
    CallError::Refused { code: code.to_owned(), message: message.to_owned() }
}

fn positive(money: Money) -> Result<String, CallError> {
    if !money.is_positive() {
        return Err(refused("amount_not_positive", "only more than nothing can be moved"));
    }
    let amount = amount::to_stripe(money).map_err(|error| refused(error.code(), &error.to_string()))?;
    Ok(amount.to_string())
}

/// One line of at most so many characters: no control characters, no runs of spaces.
fn line(text: &str, longest: usize) -> Result<String, CallError> {
    let text = text.replace(char::is_control, " ");
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.is_empty() {
        return Err(refused("description_missing", "a payment needs a description that the buyer can read"));
    }
    Ok(words.join(" ").chars().take(longest).collect())
}

/// References stand in paths: nothing that could lead elsewhere.
fn checked_reference(reference: &str) -> Result<&str, CallError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if (1..=255).contains(&reference.len()) && reference.bytes().all(is_plain) {
        Ok(reference)
    } else {
        Err(refused("reference_malformed", "that is not an id of Stripe's"))
    }
}

fn checked_key(key: &str) -> Result<&str, CallError> {
    if (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(key)
    } else {
        Err(refused("idempotency_key_malformed", "an idempotency key is 1 to 255 printable characters"))
    }
}

/// Stripe takes 50 pairs of at most 40 and 500 characters, and reads brackets in a name as structure.
fn checked_metadata(metadata: &BTreeMap<String, String>) -> Result<&BTreeMap<String, String>, CallError> {
    let fits = |(name, value): (&String, &String)| {
        (1..=40).contains(&name.chars().count())
            && (1..=500).contains(&value.chars().count())
            && !name.contains(['[', ']'])
    };
    if metadata.len() <= 50 && metadata.iter().all(fits) {
        Ok(metadata)
    } else {
        Err(refused("metadata_too_large", "50 references of 40 and 500 characters can be attached"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use domain::Locale;
    use expect_test::expect;
    use money::Currency;

    use super::*;
    use crate::contract::calls;

    fn credentials() -> Credentials {
        Credentials::read(r#"{"secret_key":"sk_test_1","webhook_secret":"whsec_1"}"#).unwrap()
    }

    fn shown(call: &Call) -> String {
        let request = match request(&credentials(), call) {
            Ok(request) => request,
            Err(error) => return error.to_string(),
        };
        let path = request.url.strip_prefix("https://api.stripe.com/v1/").unwrap();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let header =
            |name: &str| request.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
        assert_eq!(header("authorization").as_deref(), Some("Bearer sk_test_1"));
        assert_eq!(header("stripe-version").as_deref(), Some(API_VERSION));
        let mut lines = vec![format!("{:?} {path}", request.method)];
        lines.extend(header("idempotency-key").map(|key| format!("  idempotency-key: {key}")));
        for pairs in [query.as_bytes(), &request.body] {
            lines.extend(form_urlencoded::parse(pairs).map(|(name, value)| format!("  {name} = {value}")));
        }
        lines.join("\n")
    }

    #[test]
    fn every_call_is_asked_in_stripes_words() {
        let requests: Vec<String> = calls(1).iter().map(shown).collect();
        expect![[r#"
            Post checkout/sessions
              idempotency-key: pay_01hf7yat00fgf81nbg3ms7tv2b
              mode = payment
              line_items[0][quantity] = 1
              line_items[0][price_data][currency] = eur
              line_items[0][price_data][unit_amount] = 4900
              line_items[0][price_data][product_data][name] = Editor, one license
              client_reference_id = ord_01hf7yat00fdtvgdgrh2zyfy49
              metadata[latchkey_shop] = shop_01hf7yat00fw1agf2wrmeacsh5
              metadata[latchkey_order] = ord_01hf7yat00fdtvgdgrh2zyfy49
              metadata[latchkey_payment] = pay_01hf7yat00fgf81nbg3ms7tv2b
              payment_intent_data[metadata][latchkey_shop] = shop_01hf7yat00fw1agf2wrmeacsh5
              payment_intent_data[metadata][latchkey_order] = ord_01hf7yat00fdtvgdgrh2zyfy49
              payment_intent_data[metadata][latchkey_payment] = pay_01hf7yat00fgf81nbg3ms7tv2b
              payment_intent_data[description] = Editor, one license
              customer_email = buyer@example.org
              locale = en
              expires_at = 1700003600
              success_url = https://shop.example/orders/1
              cancel_url = https://shop.example/checkout/1
              payment_intent_data[setup_future_usage] = off_session
              customer_creation = always
            Post checkout/sessions
              idempotency-key: save-1
              mode = setup
              currency = eur
              customer = customer_1
              metadata[latchkey_shop] = shop_01hf7yat00fw1agf2wrmeacsh5
              setup_intent_data[metadata][latchkey_shop] = shop_01hf7yat00fw1agf2wrmeacsh5
              locale = en
              success_url = https://shop.example/portal
              cancel_url = https://shop.example/portal
            Post payment_intents
              idempotency-key: pay_01hf7yat00fgf81nbg3ms7tv2b
              amount = 4900
              currency = eur
              customer = customer_1
              payment_method = method_1
              payment_method_types[0] = card
              off_session = true
              confirm = true
              description = Editor, renewal
              metadata[latchkey_shop] = shop_01hf7yat00fw1agf2wrmeacsh5
              metadata[latchkey_order] = ord_01hf7yat00fdtvgdgrh2zyfy49
              metadata[latchkey_payment] = pay_01hf7yat00fgf81nbg3ms7tv2b
              metadata[latchkey_flow] = off_session
              expand[] = latest_charge
            Get checkout/sessions/page_1
              expand[] = payment_intent.latest_charge.refunds
            Get payment_intents/money_1
              expand[] = latest_charge.refunds
            Post checkout/sessions/page_1/expire
              idempotency-key: cancel-1
            Post refunds
              idempotency-key: re_01hf7yat00fnq8t0tdt301e6vk
              payment_intent = money_1
              amount = 4900
              reason = requested_by_customer
              metadata[latchkey_refund] = re_01hf7yat00fnq8t0tdt301e6vk
              metadata[latchkey_payment] = pay_01hf7yat00fgf81nbg3ms7tv2b
              metadata[latchkey_order] = ord_01hf7yat00fdtvgdgrh2zyfy49
              expand[] = payment_intent
            Get events
              limit = 100
              created[gte] = 1700000000
              types[] = charge.dispute.closed
              types[] = charge.dispute.created
              types[] = charge.dispute.funds_reinstated
              types[] = charge.dispute.funds_withdrawn
              types[] = charge.dispute.updated
              types[] = charge.refund.updated
              types[] = charge.refunded
              types[] = checkout.session.async_payment_failed
              types[] = checkout.session.async_payment_succeeded
              types[] = checkout.session.completed
              types[] = checkout.session.expired
              types[] = payment_intent.canceled
              types[] = payment_intent.payment_failed
              types[] = payment_intent.processing
              types[] = payment_intent.requires_action
              types[] = payment_intent.succeeded
              types[] = refund.created
              types[] = refund.failed
              types[] = refund.updated
            Get disputes/dispute_1
              expand[] = payment_intent
            Get disputes
              limit = 100
              created[gte] = 1700000000
              starting_after = dispute_1
              expand[] = data.payment_intent
            Get balance"#]]
        .assert_eq(&requests.join("\n"));
    }

    fn hosted(change: impl Fn(&mut HostedPaymentRequest)) -> String {
        let mut calls = calls(1);
        let Call::OpenPayment(mut request) = calls.remove(0) else { panic!("the first call opens a page") };
        change(&mut request);
        shown(&Call::OpenPayment(request))
    }

    #[test]
    fn a_page_saves_the_method_only_when_it_was_asked_to() {
        assert!(
            hosted(|_| {})
                .contains("  payment_intent_data[setup_future_usage] = off_session\n  customer_creation = always")
        );
        let plain = hosted(|request| request.save_method = false);
        assert!(!plain.contains("setup_future_usage") && !plain.contains("customer_creation"), "{plain}");
        assert!(!plain.contains("payment_method_types"), "the account's own choice of methods shows: {plain}");
        assert!(!hosted(|request| request.email = None).contains("customer_email"));
    }

    #[test]
    fn a_page_counts_money_as_stripe_does_and_refuses_what_stripe_would() {
        let amount = |minor, currency| hosted(|request| request.amount = Money::new(minor, currency));
        assert!(
            amount(6_900, Currency::ISK)
                .contains("[currency] = isk\n  line_items[0][price_data][unit_amount] = 690000")
        );
        assert!(amount(4_900, Currency::JPY).contains("[unit_amount] = 4900"));
        assert!(amount(4_905, Currency::KWD).starts_with("the gateway refused: amount_too_fine"));
        assert!(amount(4_900, Currency::IRR).starts_with("the gateway refused: currency_unsupported"));
        assert!(amount(0, Currency::EUR).starts_with("the gateway refused: amount_not_positive"));
    }

    #[test]
    fn a_description_is_one_line_that_fits() {
        let named = |text: &str| {
            let shown = hosted(|request| request.description = text.to_owned());
            let name = shown.lines().find_map(|line| line.split_once("[name] = ")).map(|(_, name)| name.to_owned());
            name.unwrap_or(shown)
        };
        assert_eq!(named(" Editor,\r\n\tone   license\u{7} "), "Editor, one license");
        assert_eq!(named("a&b=c [d] ü 書"), "a&b=c [d] ü 書");
        assert_eq!(named(&"書".repeat(300)).chars().count(), 250);
        assert!(named(" \n ").starts_with("the gateway refused: description_missing"));
    }

    #[test]
    fn a_page_speaks_the_buyers_language() {
        let locale = |tag| hosted(|request| request.locale = Locale::parse(tag).unwrap());
        assert!(locale("pt-BR").contains("  locale = pt-BR"));
        assert!(locale("fa").contains("  locale = auto"));
    }

    #[test]
    fn only_stripes_three_reasons_are_sent() {
        for reason in RefundReason::ALL {
            let mut calls = calls(1);
            let Call::Refund(refund) = calls.remove(6) else { panic!("the seventh call is a refund") };
            let shown = shown(&Call::Refund(RefundRequest { reason, ..refund }));
            let sent = shown.lines().find_map(|line| line.strip_prefix("  reason = "));
            let expected = match reason {
                RefundReason::RequestedByCustomer => Some("requested_by_customer"),
                RefundReason::Duplicate => Some("duplicate"),
                RefundReason::Fraudulent => Some("fraudulent"),
                RefundReason::SurpriseCapture | RefundReason::MadeAtGateway => None,
            };
            assert_eq!(sent, expected);
        }
    }

    fn saved(change: impl Fn(&mut SaveMethodRequest)) -> String {
        let mut calls = calls(1);
        let Call::SaveMethod(mut request) = calls.remove(1) else { panic!("the second call saves a method") };
        change(&mut request);
        shown(&Call::SaveMethod(request))
    }

    #[test]
    fn a_method_is_saved_for_the_customer_there_is_or_for_a_new_one() {
        let known = saved(|request| request.email = Some("a@b.example".to_owned()));
        assert!(known.contains("  customer = customer_1") && !known.contains("customer_email"), "{known}");
        let new = saved(|request| {
            request.customer_reference = None;
            request.email = Some("a@b.example".to_owned());
        });
        assert!(new.contains("  customer_creation = always\n  customer_email = a@b.example"), "{new}");
    }

    #[test]
    fn a_list_begins_no_earlier_than_time() {
        let listed = shown(&Call::ListEvents { since: Timestamp::from_seconds(-5), after: None });
        assert!(listed.contains("  created[gte] = 0\n"), "{listed}");
    }

    #[test]
    fn a_note_goes_with_the_page_and_with_the_money_and_comes_back() {
        let Some(Call::OpenPayment(request)) = calls(1).into_iter().next() else { panic!("a page to open") };
        let with = |note: String| open_payment(&HostedPaymentRequest { note: Some(note), ..request.clone() });
        let form = with("1 chk_1".to_owned()).unwrap().encode();
        assert_eq!(form.matches("latchkey_sale%5D=1+chk_1").count(), 2, "{form}");
        assert!(with("n".repeat(501)).is_err());
        let body = r#"{"data":{"object":{"metadata":{"latchkey_sale":"1 chk_1"}}}}"#;
        assert_eq!(super::super::translate::note(body.as_bytes()).as_deref(), Some("1 chk_1"));
        assert_eq!(super::super::translate::note(b"{}"), None);
    }

    #[test]
    fn references_that_stripe_would_misread_are_refused() {
        let customer = saved(|request| request.customer_reference = Some("cus_1/../x".to_owned()));
        assert!(customer.contains("reference_malformed"), "{customer}");
        for name in ["", "a[b]", "a name of more than forty characters, far more"] {
            let shown = saved(|request| {
                request.metadata.insert(name.to_owned(), "x".to_owned());
            });
            assert!(shown.contains("metadata_too_large"), "{name}");
        }
    }
}
