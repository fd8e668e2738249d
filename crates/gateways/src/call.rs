//! What we ask of a gateway.

use std::collections::BTreeMap;

use domain::{
    Decline, Fact, Locale, MethodSummary, Mode, OrderId, PaymentId, RefundId, RefundReason, ShopId, Timestamp,
};
use money::Money;

/// One call, as a value. What makes it the same call when it is repeated, its
/// idempotency key, is in it and was stored before the call is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Open a page of the gateway's where one payment is made.
    OpenPayment(HostedPaymentRequest),
    /// Open a page of the gateway's where a method is saved and nothing is paid.
    SaveMethod(SaveMethodRequest),
    /// Charge a saved method while the buyer is away.
    Charge(OffSessionCharge),
    /// How a payment stands, with its refunds and disputes. By the page's or the money's reference.
    RetrievePayment {
        /// The gateway's id of the hosted page.
        page_reference: Option<String>,
        /// The gateway's id of the money.
        reference: Option<String>,
    },
    /// Close a page that nobody has paid on.
    CancelPayment {
        /// The gateway's id of the hosted page.
        page_reference: String,
        /// The key that makes a repeated call the same call.
        idempotency_key: String,
    },
    /// Give money back.
    Refund(RefundRequest),
    /// The account's events since a moment, oldest page boundary in `after`.
    ListEvents {
        /// Events created at or after this moment.
        since: Timestamp,
        /// The event id that the page before ended with.
        after: Option<String>,
    },
    /// How one dispute stands.
    RetrieveDispute {
        /// The gateway's id of it.
        reference: String,
    },
    /// The account's disputes since a moment.
    ListDisputes {
        /// Disputes created at or after this moment.
        since: Timestamp,
        /// The dispute id that the page before ended with.
        after: Option<String>,
    },
    /// Whether the credentials work, and for which mode.
    CheckAccount,
}

impl Call {
    /// The word in logs, metrics and traces.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::OpenPayment(_) => "open_payment",
            Self::SaveMethod(_) => "save_method",
            Self::Charge(_) => "charge",
            Self::RetrievePayment { .. } => "retrieve_payment",
            Self::CancelPayment { .. } => "cancel_payment",
            Self::Refund(_) => "refund",
            Self::ListEvents { .. } => "list_events",
            Self::RetrieveDispute { .. } => "retrieve_dispute",
            Self::ListDisputes { .. } => "list_disputes",
            Self::CheckAccount => "check_account",
        }
    }
}

/// One payment on a page of the gateway's. It is kept with the payment until the page is known, for a call that is
/// repeated under its key must say the same.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HostedPaymentRequest {
    /// The shop, attached as a reference.
    pub shop: ShopId,
    /// The order, attached as a reference.
    pub order: OrderId,
    /// The payment, attached as a reference; also the idempotency key.
    pub payment: PaymentId,
    /// A note of ours, attached as a reference: it comes back with every event about the payment.
    pub note: Option<String>,
    /// What to collect in all.
    pub amount: Money,
    /// What it is for, as the buyer sees it, one line.
    pub description: String,
    /// The buyer's address, so that it is not asked again.
    pub email: Option<String>,
    /// The buyer's language.
    pub locale: Locale,
    /// Where the buyer returns after paying.
    pub return_url: String,
    /// Where a buyer who turns back goes.
    pub cancel_url: String,
    /// When the page closes.
    pub expires_at: Timestamp,
    /// Whether the method is saved for charges while the buyer is away.
    pub save_method: bool,
}

/// Saving a method without paying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaveMethodRequest {
    /// The key that makes a repeated call the same call.
    pub idempotency_key: String,
    /// The gateway's id of the customer, where it has one.
    pub customer_reference: Option<String>,
    /// The currency that charges will be in.
    pub currency: money::Currency,
    /// The buyer's address.
    pub email: Option<String>,
    /// The buyer's language.
    pub locale: Locale,
    /// Where the buyer returns.
    pub return_url: String,
    /// Where a buyer who turns back goes.
    pub cancel_url: String,
    /// References of ours to attach.
    pub metadata: BTreeMap<String, String>,
}

/// A charge of a saved method while the buyer is away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffSessionCharge {
    /// The shop, attached as a reference.
    pub shop: ShopId,
    /// The order, attached as a reference.
    pub order: OrderId,
    /// The payment, attached as a reference; also the idempotency key.
    pub payment: PaymentId,
    /// What to collect.
    pub amount: Money,
    /// What it is for.
    pub description: String,
    /// The gateway's id of the customer.
    pub customer_reference: String,
    /// The gateway's id of the saved method.
    pub method_reference: String,
    /// What kind of method it is: `card`, `sepa_debit`, …
    pub method_kind: String,
}

/// Money to give back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRequest {
    /// Our refund, attached as a reference; also the idempotency key.
    pub refund: RefundId,
    /// Our payment, attached as a reference.
    pub payment: PaymentId,
    /// Our order, attached as a reference.
    pub order: OrderId,
    /// The gateway's id of the money.
    pub payment_reference: String,
    /// How much.
    pub amount: Money,
    /// Why.
    pub reason: RefundReason,
}

/// What a gateway answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A page was opened.
    Page(HostedPage),
    /// How payment, refunds and disputes stand: the payment first.
    Facts(Vec<Fact>),
    /// Events, and whether there are more after the last.
    Events {
        /// Each as a webhook would have brought it.
        events: Vec<ListedEvent>,
        /// Whether there is another page.
        has_more: bool,
    },
    /// Disputes, and where the next page begins.
    Disputes {
        /// As facts.
        facts: Vec<Fact>,
        /// The last id of this page, when there is another page.
        next: Option<String>,
    },
    /// The credentials work.
    Account {
        /// The gateway's id of the account, where the answer names it.
        reference: Option<String>,
        /// Whether it moves real money.
        mode: Mode,
    },
    /// It was done, and there is nothing more to say.
    Done,
}

/// A page of the gateway's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostedPage {
    /// The gateway's id of the page.
    pub page_reference: String,
    /// Where it is.
    pub url: String,
    /// The gateway's id of the money, when there is one already.
    pub reference: Option<String>,
    /// What was saved, when a method was.
    pub method: Option<MethodSummary>,
}

/// One event from the event list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedEvent {
    /// The gateway's id of it.
    pub event_id: String,
    /// The gateway's word for what happened.
    pub kind: String,
    /// The event, as a webhook would have brought it.
    pub body: Vec<u8>,
    /// When it happened, by the gateway's clock.
    pub created_at: Timestamp,
}

/// A call that did not end well.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The gateway said no, for good: bad request, no such object.
    #[error("the gateway refused: {code}: {message}")]
    Refused {
        /// The gateway's code.
        code: String,
        /// The gateway's words, card numbers masked.
        message: String,
    },
    /// The method was declined.
    #[error("declined: {}", .0.code)]
    Declined(Decline),
    /// The credentials do not work.
    #[error("the gateway does not accept our credentials: {message}")]
    Unauthorized {
        /// The gateway's words.
        message: String,
    },
    /// No answer, or one that does not say what happened: ask again, same key.
    #[error("the outcome is unknown: {message}")]
    Unknown {
        /// What is known.
        message: String,
    },
    /// The gateway cannot do this.
    #[error("the gateway cannot {what}")]
    Unsupported {
        /// What it cannot do.
        what: &'static str,
    },
}
