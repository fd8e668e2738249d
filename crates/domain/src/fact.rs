//! What a gateway told us, in our words.
//!
//! Adapters translate into these; nothing gateway-shaped crosses this line.
//! A fact is absolute ("captured in total 1500"), so that facts merge: any
//! order, any number of times, ends in the same state.

use money::Money;
use serde::{Deserialize, Serialize};

use crate::{Decline, DisputeState, Mode, OrderId, PaymentId, PaymentState, RefundId, ShopId, Timestamp};

/// One thing that a gateway says, about one payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// How the payment stands.
    Payment(PaymentReport),
    /// How one refund of the payment stands.
    Refund(RefundReport),
    /// How one dispute about the payment stands.
    Dispute(DisputeReport),
}

impl Fact {
    /// Which payment the fact is about.
    #[must_use]
    pub fn locator(&self) -> &PaymentLocator {
        match self {
            Self::Payment(report) => &report.locator,
            Self::Refund(report) => &report.locator,
            Self::Dispute(report) => &report.locator,
        }
    }

    /// What was said, in a word for logs and counts.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Payment(report) => match &report.status {
                PaymentStatus::Open { declined: None } => "payment_open",
                PaymentStatus::Open { declined: Some(_) } => "payment_declined",
                PaymentStatus::RequiresAction => "payment_requires_action",
                PaymentStatus::Processing => "payment_processing",
                PaymentStatus::Succeeded { .. } => "payment_succeeded",
                PaymentStatus::Failed(_) => "payment_failed",
                PaymentStatus::Canceled => "payment_canceled",
            },
            Self::Refund(report) => match report.status {
                RefundStatus::Pending => "refund_pending",
                RefundStatus::Succeeded => "refund_succeeded",
                RefundStatus::Failed => "refund_failed",
                RefundStatus::Canceled => "refund_canceled",
            },
            Self::Dispute(report) => match report.state {
                DisputeState::Warning => "dispute_warning",
                DisputeState::Closed => "dispute_closed",
                DisputeState::Opened => "dispute_opened",
                DisputeState::EvidenceSent => "dispute_evidence_sent",
                DisputeState::Won => "dispute_won",
                DisputeState::Accepted => "dispute_accepted",
                DisputeState::Lost => "dispute_lost",
            },
        }
    }

    /// The same fact about the payment that these names point at.
    #[must_use]
    pub fn about(self, locator: PaymentLocator) -> Self {
        match self {
            Self::Payment(report) => Self::Payment(PaymentReport { locator, ..report }),
            Self::Refund(report) => Self::Refund(RefundReport { locator, ..report }),
            Self::Dispute(report) => Self::Dispute(DisputeReport { locator, ..report }),
        }
    }
}

/// The names by which a report points at a payment. Ours come back from the
/// gateway as we sent them; whether they agree with what we stored is for the
/// decision to check, never for the adapter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PaymentLocator {
    /// The shop, from the reference we attached: several shops, and other software, may use one account.
    pub shop: Option<ShopId>,
    /// Our order, from the reference we attached.
    pub order: Option<OrderId>,
    /// Our payment, from the reference we attached.
    pub payment: Option<PaymentId>,
    /// The gateway's id of the hosted page.
    pub page_reference: Option<String>,
    /// The gateway's id of the money.
    pub reference: Option<String>,
}

impl PaymentLocator {
    /// Whether it carries a reference that this shop has attached.
    #[must_use]
    pub fn claims(&self, shop: ShopId) -> bool {
        match self.shop {
            Some(named) => named == shop,
            None => self.order.is_some() || self.payment.is_some(),
        }
    }
}

/// How one payment stands at the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentReport {
    /// Which payment.
    pub locator: PaymentLocator,
    /// Whether this is real money.
    pub mode: Mode,
    /// The state of the collection.
    pub status: PaymentStatus,
    /// What pays, as far as it may be shown.
    pub method: Option<MethodSummary>,
}

/// How the collection of one payment stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentStatus {
    /// The page is open; `declined` is the last attempt on it that failed.
    Open {
        /// The last attempt that failed while the page stays open for another.
        declined: Option<Decline>,
    },
    /// The buyer is being asked to prove who they are.
    RequiresAction,
    /// A debit is under way; its answer comes minutes or days later.
    Processing,
    /// The money was captured.
    Succeeded {
        /// The total captured, not what was added.
        captured: Money,
    },
    /// It failed for good.
    Failed(Decline),
    /// The page or the attempt was closed without money.
    Canceled,
}

impl PaymentStatus {
    /// The state of a payment that stands like this.
    #[must_use]
    pub fn state(&self) -> PaymentState {
        match self {
            Self::Open { .. } => PaymentState::Sent,
            Self::RequiresAction => PaymentState::RequiresAction,
            Self::Processing => PaymentState::Processing,
            Self::Succeeded { .. } => PaymentState::Succeeded,
            Self::Failed(_) => PaymentState::Failed,
            Self::Canceled => PaymentState::Canceled,
        }
    }
}

/// A payment method as it may be printed: never the number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodSummary {
    /// `card`, `sepa_debit`, …: the gateway-independent name.
    pub kind: String,
    /// `visa`, `mastercard`, … where there is one.
    pub brand: Option<String>,
    /// The last four digits of card or account.
    pub last4: Option<String>,
}

/// How one refund stands at the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundReport {
    /// The payment it gives back.
    pub locator: PaymentLocator,
    /// Whether this is real money.
    pub mode: Mode,
    /// Our refund, from the reference we attached; `None` for one made at the gateway.
    pub refund: Option<RefundId>,
    /// The gateway's id of the refund.
    pub reference: String,
    /// The whole amount of this refund.
    pub amount: Money,
    /// How it stands.
    pub status: RefundStatus,
}

/// How a refund stands at the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundStatus {
    /// Under way.
    Pending,
    /// The money went back.
    Succeeded,
    /// It did not; also reported days after a success.
    Failed,
    /// It was called off before money moved.
    Canceled,
}

/// How one dispute stands at the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisputeReport {
    /// The payment in dispute.
    pub locator: PaymentLocator,
    /// Whether this is real money.
    pub mode: Mode,
    /// The gateway's id of the dispute.
    pub reference: String,
    /// When it stood like this, by the gateway's clock; `None`: now, for the gateway was asked.
    pub as_of: Option<Timestamp>,
    /// The amount in dispute.
    pub amount: Money,
    /// The gateway's word for why.
    pub reason: String,
    /// How it stands.
    pub state: DisputeState,
    /// Until when evidence is taken.
    pub evidence_due_at: Option<Timestamp>,
}
