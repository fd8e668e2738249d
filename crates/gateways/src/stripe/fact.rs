//! What Stripe's objects say, as facts. One place for webhooks, for the event
//! list and for answers, so that all three tell the same.
//!
//! Relies on the objects alone. Never compares anything with what we stored:
//! that is for the decision.

use domain::{
    Decline, DeclineClass, DisputeReport, DisputeState, Fact, MethodSummary, Mode, OrderId, PaymentId, PaymentLocator,
    PaymentReport, PaymentStatus, RefundId, RefundReport, RefundStatus, ShopId, Timestamp,
};
use money::Money;

use super::object::{Charge, Dispute, Expandable, Metadata, MethodDetails, PaymentIntent, Refund, Session};
use super::{amount, decline};
use crate::TranslateError;

/// The keys under which our references travel.
pub(super) mod key {
    /// What all of them begin with.
    pub(crate) const PREFIX: &str = "latchkey_";
    pub(crate) const SHOP: &str = "latchkey_shop";
    pub(crate) const ORDER: &str = "latchkey_order";
    pub(crate) const PAYMENT: &str = "latchkey_payment";
    /// A note of ours about the sale.
    pub(crate) const NOTE: &str = "latchkey_sale";
    pub(crate) const REFUND: &str = "latchkey_refund";
    /// How a payment is collected: [`OFF_SESSION`](super::OFF_SESSION), or absent for a hosted page.
    pub(crate) const FLOW: &str = "latchkey_flow";
}

/// Marks a charge that nobody is there to try again with another card.
pub(super) const OFF_SESSION: &str = "off_session";

/// The page that an intent belongs to. It decides whether a failed attempt is the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Page {
    /// Open, or not in sight: the buyer can try again.
    Open,
    /// Completed: nobody will try again.
    Completed,
    /// There is none: we charged a saved method.
    None,
}

pub(super) fn unreadable(problem: impl Into<String>) -> TranslateError {
    TranslateError { problem: problem.into() }
}

pub(super) fn mode(livemode: bool) -> Mode {
    if livemode { Mode::Live } else { Mode::Sandbox }
}

pub(super) fn money(amount: i64, currency: &str) -> Result<Money, TranslateError> {
    amount::from_stripe(amount, currency).map_err(|error| unreadable(error.to_string()))
}

/// Who an object is about. References of ours that are no ids make it
/// unreadable: somebody changed them, and silence would lose a payment.
pub(super) fn locator(
    metadata: Option<&Metadata>,
    page: Option<&str>,
    intent: Option<&str>,
) -> Result<PaymentLocator, TranslateError> {
    Ok(PaymentLocator {
        shop: attached(metadata, key::SHOP, ShopId::parse)?,
        order: attached(metadata, key::ORDER, OrderId::parse)?,
        payment: attached(metadata, key::PAYMENT, PaymentId::parse)?,
        page_reference: page.map(str::to_owned),
        reference: intent.map(str::to_owned),
    })
}

fn attached<Id, Problem>(
    metadata: Option<&Metadata>,
    key: &str,
    parse: impl Fn(&str) -> Result<Id, Problem>,
) -> Result<Option<Id>, TranslateError> {
    match metadata.and_then(|metadata| metadata.get(key)) {
        None => Ok(None),
        Some(value) => {
            parse(value).map(Some).map_err(|_| unreadable(format!("the metadata {key} is not an id of ours")))
        }
    }
}

/// How a session of mode `payment` stands, with the intent where it was expanded.
pub(super) fn session_report(session: &Session, status: PaymentStatus) -> Result<PaymentReport, TranslateError> {
    let intent = session.payment_intent.as_ref();
    let types = session.payment_method_types.as_deref();
    Ok(PaymentReport {
        locator: locator(session.metadata.as_ref(), Some(&session.id), intent.map(Expandable::id))?,
        mode: mode(session.livemode),
        status,
        method: intent.and_then(Expandable::object).and_then(intent_method).or_else(|| only_type(types)),
    })
}

/// The money that a paid session brought.
pub(super) fn session_total(session: &Session) -> Result<Money, TranslateError> {
    match (session.amount_total, session.currency.as_deref()) {
        (Some(amount), Some(currency)) => money(amount, currency),
        (None, _) | (_, None) => Err(unreadable("the session is paid and names no amount")),
    }
}

/// How a session stands by what it says itself and by its intent. `None`: no money is asked for.
pub(super) fn session_status(session: &Session) -> Result<Option<PaymentStatus>, TranslateError> {
    let intent = session.payment_intent.as_ref().and_then(Expandable::object);
    // Money is money, whatever became of the page.
    if let Some(intent) = intent.filter(|intent| intent.status == "succeeded") {
        return intent_status(intent, Page::Completed).map(Some);
    }
    let by_intent = |page, otherwise| intent.map_or(Ok(otherwise), |intent| intent_status(intent, page));
    match (session.status.as_deref(), session.payment_status.as_str()) {
        (_, "no_payment_required") => Ok(None),
        (_, "paid") => Ok(Some(PaymentStatus::Succeeded { captured: session_total(session)? })),
        (Some("expired"), "unpaid") => Ok(Some(PaymentStatus::Canceled)),
        (Some("open"), "unpaid") => by_intent(Page::Open, PaymentStatus::Open { declined: None }).map(Some),
        (Some("complete"), "unpaid") => by_intent(Page::Completed, PaymentStatus::Processing).map(Some),
        (status, payment_status) => Err(unreadable(format!(
            "a session with the status {} and the payment status {payment_status} is not known here",
            status.unwrap_or("(none)"),
        ))),
    }
}

/// A debit from a completed page that came back.
pub(super) fn failed_debit(session: &Session) -> PaymentStatus {
    let error = session
        .payment_intent
        .as_ref()
        .and_then(Expandable::object)
        .and_then(|intent| intent.last_payment_error.as_ref());
    // The event names no reason; whoever wants it asks for the intent.
    let unnamed = || Decline { class: DeclineClass::Soft, code: "async_payment_failed".to_owned() };
    PaymentStatus::Failed(error.map_or_else(unnamed, decline::decline))
}

/// How an intent stands that is seen without its page.
pub(super) fn intent_report(intent: &PaymentIntent) -> Result<PaymentReport, TranslateError> {
    Ok(PaymentReport {
        locator: locator(intent.metadata.as_ref(), None, Some(&intent.id))?,
        mode: mode(intent.livemode),
        status: intent_status(intent, page_of(intent))?,
        method: intent_method(intent).or_else(|| only_type(intent.payment_method_types.as_deref())),
    })
}

fn page_of(intent: &PaymentIntent) -> Page {
    let flow = intent.metadata.as_ref().and_then(|metadata| metadata.get(key::FLOW));
    if flow.is_some_and(|flow| flow == OFF_SESSION) { Page::None } else { Page::Open }
}

fn intent_status(intent: &PaymentIntent, page: Page) -> Result<PaymentStatus, TranslateError> {
    let declined = || intent.last_payment_error.as_ref().map(decline::decline);
    match intent.status.as_str() {
        "succeeded" => {
            // Only manual capture, which is not used here, makes the two differ.
            let captured = money(intent.amount_received.unwrap_or(intent.amount), &intent.currency)?;
            Ok(PaymentStatus::Succeeded { captured })
        }
        "requires_payment_method" => Ok(match (page, declined()) {
            (Page::Open, declined) => PaymentStatus::Open { declined },
            (Page::None | Page::Completed, Some(decline)) => PaymentStatus::Failed(decline),
            (Page::None, None) => PaymentStatus::Open { declined: None },
            (Page::Completed, None) => PaymentStatus::Processing,
        }),
        "requires_confirmation" => Ok(PaymentStatus::Open { declined: None }),
        "requires_action" => Ok(PaymentStatus::RequiresAction),
        // Authorised and not yet ours.
        "processing" | "requires_capture" => Ok(PaymentStatus::Processing),
        "canceled" => Ok(PaymentStatus::Canceled),
        other => Err(unreadable(format!("a payment intent with the status {other} is not known here"))),
    }
}

/// Everything that a retrieved session tells: the payment, then its refunds and its dispute.
pub(super) fn session_facts(session: &Session) -> Result<Vec<Fact>, TranslateError> {
    let Some(status) = session_status(session)? else { return Ok(Vec::new()) };
    let report = session_report(session, status)?;
    let intent = session.payment_intent.as_ref().and_then(Expandable::object);
    with_the_rest(report, intent)
}

/// Everything that a retrieved intent tells: the payment, then its refunds and its dispute.
pub(super) fn intent_facts(intent: &PaymentIntent) -> Result<Vec<Fact>, TranslateError> {
    with_the_rest(intent_report(intent)?, Some(intent))
}

fn with_the_rest(report: PaymentReport, intent: Option<&PaymentIntent>) -> Result<Vec<Fact>, TranslateError> {
    let locator = report.locator.clone();
    let mode = report.mode;
    let mut facts = vec![Fact::Payment(report)];
    let charge = intent.and_then(|intent| intent.latest_charge.as_ref()).and_then(Expandable::object);
    let refunds = charge.and_then(|charge| charge.refunds.as_ref()).map_or(&[][..], |refunds| &refunds.data);
    for refund in refunds {
        facts.push(Fact::Refund(RefundReport { locator: locator.clone(), ..refund_report(refund, mode)? }));
    }
    if let Some(dispute) = charge.and_then(|charge| charge.dispute.as_ref()).and_then(Expandable::object) {
        facts.push(Fact::Dispute(DisputeReport { locator, ..dispute_report(dispute)? }));
    }
    Ok(facts)
}

/// How a refund stands. Refunds do not say themselves whether they are live.
pub(super) fn refund_report(refund: &Refund, mode: Mode) -> Result<RefundReport, TranslateError> {
    let metadata = refund.metadata.as_ref();
    let status = match refund.status.as_deref() {
        // The payer must still name an account; the money is on its way as far as we are concerned.
        Some("pending" | "requires_action") => RefundStatus::Pending,
        Some("succeeded") => RefundStatus::Succeeded,
        Some("failed") => RefundStatus::Failed,
        Some("canceled") => RefundStatus::Canceled,
        other => {
            return Err(unreadable(format!(
                "a refund with the status {} is not known here",
                other.unwrap_or("(none)")
            )));
        }
    };
    Ok(RefundReport {
        locator: locator(metadata, None, refund.payment_intent.as_ref().map(Expandable::id))?,
        mode,
        refund: attached(metadata, key::REFUND, RefundId::parse)?,
        reference: refund.id.clone(),
        amount: money(refund.amount, &refund.currency)?,
        status,
    })
}

/// How a dispute stands now. Disputes carry no reference of ours; those of the
/// intent are taken where it was expanded.
pub(super) fn dispute_report(dispute: &Dispute) -> Result<DisputeReport, TranslateError> {
    let intent = dispute.payment_intent.as_ref();
    let metadata = intent.and_then(Expandable::object).and_then(|intent| intent.metadata.as_ref());
    let due_by = dispute.evidence_details.as_ref().and_then(|details| details.due_by);
    Ok(DisputeReport {
        locator: locator(metadata, None, intent.map(Expandable::id))?,
        mode: mode(dispute.livemode),
        reference: dispute.id.clone(),
        as_of: None,
        amount: money(dispute.amount, &dispute.currency)?,
        reason: dispute.reason.clone(),
        state: dispute_state(&dispute.status)?,
        evidence_due_at: due_by.filter(|seconds| *seconds > 0).map(Timestamp::from_seconds),
    })
}

fn dispute_state(status: &str) -> Result<DisputeState, TranslateError> {
    match status {
        "warning_needs_response" | "warning_under_review" => Ok(DisputeState::Warning),
        // Ended before the bank took the money; `charge_refunded` is the word of older API versions.
        "warning_closed" | "prevented" | "charge_refunded" => Ok(DisputeState::Closed),
        "needs_response" | "appeal_needs_response" => Ok(DisputeState::Opened),
        "under_review" | "appeal_under_review" => Ok(DisputeState::EvidenceSent),
        "won" => Ok(DisputeState::Won),
        "lost" => Ok(DisputeState::Lost),
        other => Err(unreadable(format!("a dispute with the status {other} is not known here"))),
    }
}

/// What paid, or what was declined last.
fn intent_method(intent: &PaymentIntent) -> Option<MethodSummary> {
    let charge: Option<&Charge> = intent.latest_charge.as_ref().and_then(Expandable::object);
    let declined = || intent.last_payment_error.as_ref()?.payment_method.as_ref()?.object();
    charge.and_then(|charge| charge.payment_method_details.as_ref()).or_else(declined).map(summary)
}

fn summary(method: &MethodDetails) -> MethodSummary {
    let detail = |name: &str| method.details.get(&method.kind).and_then(|details| details.get(name)?.as_str());
    let is_last4 = |text: &&str| text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    MethodSummary {
        kind: word(&method.kind),
        brand: detail("brand").map(word),
        last4: detail("last4").or_else(|| detail("iban_last4")).filter(is_last4).map(str::to_owned),
    }
}

/// The kind alone, where only one was on offer.
fn only_type(types: Option<&[String]>) -> Option<MethodSummary> {
    match types {
        Some([only]) => Some(MethodSummary { kind: word(only), brand: None, last4: None }),
        Some(_) | None => None,
    }
}

/// Kinds and brands are open: whatever comes is kept short and safe to print.
fn word(text: &str) -> String {
    text.chars().filter(|char| char.is_ascii_alphanumeric() || *char == '_').take(40).collect()
}
