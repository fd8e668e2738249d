//! Money given back.

use money::Money;

use crate::{Actor, OrderId, PaymentId, RefundId, ShopId, Timestamp, Version};

/// Where a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefundState {
    /// Asked for, not yet told to the gateway.
    Created,
    /// The gateway is at it.
    Pending,
    /// The money went back.
    Succeeded,
    /// Called off before money moved.
    Canceled,
    /// It did not go back; also after a success, days later.
    Failed,
}

impl RefundState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Created, Self::Pending, Self::Succeeded, Self::Canceled, Self::Failed];

    /// The word in rows and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
            Self::Failed => "failed",
        }
    }

    /// Reads the word in rows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether the gateway has, or is about to have, given the money back.
    #[must_use]
    pub fn counts(self) -> bool {
        match self {
            Self::Pending | Self::Succeeded => true,
            Self::Created | Self::Canceled | Self::Failed => false,
        }
    }

    /// Whether the amount can no longer be refunded a second time.
    #[must_use]
    pub fn reserves(self) -> bool {
        match self {
            Self::Created | Self::Pending | Self::Succeeded => true,
            Self::Canceled | Self::Failed => false,
        }
    }

    /// How far the state is from the start; reports merge by taking the farther one.
    #[must_use]
    pub(crate) fn rank(self) -> u8 {
        match self {
            Self::Created => 0,
            Self::Pending => 1,
            Self::Succeeded => 2,
            Self::Canceled => 3,
            Self::Failed => 4,
        }
    }
}

/// Why money is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefundReason {
    /// The buyer asked.
    RequestedByCustomer,
    /// Paid twice.
    Duplicate,
    /// Suspected fraud.
    Fraudulent,
    /// Money that came after the order had been paid otherwise.
    SurpriseCapture,
    /// Made at the gateway, not here.
    MadeAtGateway,
}

impl RefundReason {
    /// Every reason.
    pub const ALL: [Self; 5] =
        [Self::RequestedByCustomer, Self::Duplicate, Self::Fraudulent, Self::SurpriseCapture, Self::MadeAtGateway];

    /// The word in rows and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RequestedByCustomer => "requested_by_customer",
            Self::Duplicate => "duplicate",
            Self::Fraudulent => "fraudulent",
            Self::SurpriseCapture => "surprise_capture",
            Self::MadeAtGateway => "made_at_gateway",
        }
    }

    /// Reads the word in rows and on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// Money given back, in full or in part, against one payment. Its id is the
/// idempotency key of the call that makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Its id.
    pub id: RefundId,
    /// The shop.
    pub shop: ShopId,
    /// How often the row was written.
    pub version: Version,
    /// The payment it gives back.
    pub payment: PaymentId,
    /// The order that was paid.
    pub order: OrderId,
    /// How much goes back.
    pub amount: Money,
    /// Why.
    pub reason: RefundReason,
    /// Whether the licenses end with it; `None`: when everything has gone back.
    pub revoke: Option<bool>,
    /// Where it stands.
    pub state: RefundState,
    /// The gateway's id of it.
    pub reference: Option<String>,
    /// Who asked.
    pub requested_by: Actor,
    /// Why the gateway would not, in its words.
    pub failure: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
}
