//! Stripe: payments on its hosted page (Checkout Sessions), charges of saved
//! methods (PaymentIntents), refunds, disputes, and the events about them.
//!
//! Relies on what `NOTES.md` beside this file states, with the source of each
//! statement. Never sees a card number, and never asks Stripe to bill: the
//! billing clock is ours.

mod amount;
mod credentials;
mod decline;
mod fact;
mod locale;
mod object;
mod request;
mod response;
mod signature;
mod translate;

pub use request::API_VERSION;

use domain::{Mode, PaymentLocator, Timestamp};

use crate::{
    Answer, Call, CallError, Capabilities, CredentialsError, Gateway, Headers, HttpRequest, HttpResponse, NoticeItem,
    TranslateError, Translation, Trust, VerifyError,
};
use credentials::Credentials;

/// The adapter.
pub static STRIPE: Stripe = Stripe;

/// The adapter for accounts at Stripe, and for anything that speaks as Stripe does.
#[derive(Debug, Clone, Copy)]
pub struct Stripe;

static CAPABILITIES: Capabilities = Capabilities {
    trust: Trust::Authentic,
    hosted_page: true,
    saved_methods: true,
    off_session: true,
    partial_refund: true,
    event_list: true,
    disputes: true,
    asynchronous_settlement: true,
    idempotency_hours: 24,
    signature_tolerance_seconds: signature::TOLERANCE_SECONDS,
    methods: &[
        "acss_debit",
        "alipay",
        "amazon_pay",
        "au_becs_debit",
        "bacs_debit",
        "bancontact",
        "blik",
        "card",
        "cashapp",
        "eps",
        "ideal",
        "klarna",
        "konbini",
        "link",
        "multibanco",
        "p24",
        "paypal",
        "pix",
        "revolut_pay",
        "sepa_debit",
        "twint",
        "us_bank_account",
        "wechat_pay",
    ],
};

impl Gateway for Stripe {
    fn name(&self) -> &'static str {
        "stripe"
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn check_credentials(&self, credentials: &str) -> Result<(), CredentialsError> {
        Credentials::read(credentials).map(|_| ())
    }

    /// By the prefix of the key (<https://docs.stripe.com/keys>).
    fn mode(&self, credentials: &str) -> Option<Mode> {
        let key = Credentials::read(credentials).ok()?.secret_key;
        let has = |prefixes: [&str; 2]| prefixes.iter().any(|prefix| key.starts_with(prefix));
        match (has(["sk_live_", "rk_live_"]), has(["sk_test_", "rk_test_"])) {
            (true, _) => Some(Mode::Live),
            (false, true) => Some(Mode::Sandbox),
            (false, false) => None,
        }
    }

    fn verify(
        &self,
        credentials: &str,
        headers: &Headers,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Vec<NoticeItem>, VerifyError> {
        let credentials = Credentials::read(credentials).map_err(|_| VerifyError::NoSecret)?;
        signature::verify(&credentials.webhook_secrets, headers, body, now)?;
        translate::split(body)
    }

    fn translate(&self, kind: &str, body: &[u8]) -> Result<Translation, TranslateError> {
        translate::translate(kind, body)
    }

    fn note(&self, body: &[u8]) -> Option<String> {
        translate::note(body)
    }

    fn unmarked(&self, body: &[u8]) -> Option<PaymentLocator> {
        translate::unmarked(body)
    }

    fn request(&self, credentials: &str, call: &Call) -> Result<HttpRequest, CallError> {
        let credentials = Credentials::read(credentials)
            .map_err(|error| CallError::Unauthorized { message: format!("the settings cannot be used: {error}") })?;
        request::request(&credentials, call)
    }

    fn read(&self, call: &Call, response: &HttpResponse) -> Result<Answer, CallError> {
        response::read(call, response)
    }
}

#[cfg(test)]
mod tests {
    use domain::{Decline, Fact, MethodSummary, PaymentLocator, PaymentStatus};

    /// One fact on one line, for tables.
    pub(super) fn render(fact: &Fact) -> String {
        match fact {
            Fact::Payment(report) => {
                let method = report.method.as_ref().map_or_else(|| "-".to_owned(), method);
                format!("payment {} by {method}, {:?}, {}", status(&report.status), report.mode, who(&report.locator))
            }
            Fact::Refund(report) => format!(
                "refund {:?} of {} {} ({}), {:?}, {}",
                report.status,
                report.amount,
                report.reference,
                report.refund.map_or_else(|| "made at Stripe".to_owned(), |refund| refund.to_string()),
                report.mode,
                who(&report.locator)
            ),
            Fact::Dispute(report) => format!(
                "dispute {:?} as of {} of {} {} for {} until {}, {:?}, {}",
                report.state,
                report.as_of.map_or_else(|| "now".to_owned(), |at| at.to_string()),
                report.amount,
                report.reference,
                report.reason,
                report.evidence_due_at.map_or_else(|| "-".to_owned(), |at| at.to_string()),
                report.mode,
                who(&report.locator)
            ),
        }
    }

    fn status(status: &PaymentStatus) -> String {
        let decline = |decline: &Decline| format!("{:?} {}", decline.class, decline.code);
        match status {
            PaymentStatus::Open { declined: None } => "open".to_owned(),
            PaymentStatus::Open { declined: Some(last) } => format!("open, declined {}", decline(last)),
            PaymentStatus::RequiresAction => "requires action".to_owned(),
            PaymentStatus::Processing => "processing".to_owned(),
            PaymentStatus::Succeeded { captured } => format!("succeeded {captured}"),
            PaymentStatus::Failed(last) => format!("failed {}", decline(last)),
            PaymentStatus::Canceled => "canceled".to_owned(),
        }
    }

    fn method(method: &MethodSummary) -> String {
        [Some(&method.kind), method.brand.as_ref(), method.last4.as_ref()]
            .into_iter()
            .flatten()
            .cloned()
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The last characters of each name: enough to tell them apart.
    fn who(locator: &PaymentLocator) -> String {
        let tail = |text: String| text[text.len().saturating_sub(4)..].to_owned();
        let names = [
            ("ord", locator.order.map(|id| id.to_string())),
            ("pay", locator.payment.map(|id| id.to_string())),
            ("cs", locator.page_reference.clone()),
            ("pi", locator.reference.clone()),
        ];
        let known = names.into_iter().filter_map(|(kind, name)| name.map(|name| format!("{kind} …{}", tail(name))));
        known.collect::<Vec<_>>().join(" ")
    }
}
