//! One visit to the till.

use serde::{Deserialize, Serialize};

use crate::{CheckoutId, OrderId, ShopId, Timestamp, Version};

/// How far the visit has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CheckoutState {
    /// The buyer may still change everything.
    Open,
    /// The buyer pressed pay; a payment exists.
    Submitted,
    /// The order was paid.
    Completed,
    /// Its time ran out.
    Expired,
    /// The buyer left; a recovery link opens it again.
    Abandoned,
}

impl CheckoutState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Open, Self::Submitted, Self::Completed, Self::Expired, Self::Abandoned];

    /// The word in rows and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Submitted => "submitted",
            Self::Completed => "completed",
            Self::Expired => "expired",
            Self::Abandoned => "abandoned",
        }
    }

    /// Reads the word in rows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// What the buyer agreed to, kept as evidence.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The version of the terms that stood beside the button.
    pub terms_version: String,
    /// When a consumer in the European Union asked for immediate supply and
    /// accepted the loss of withdrawal (Directive 2011/83/EU art. 16(m)).
    pub immediate_supply_at: Option<Timestamp>,
}

/// One visit to the till. What is bought stands in the order that it prepares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// Its id.
    pub id: CheckoutId,
    /// The shop.
    pub shop: ShopId,
    /// How often the row was written.
    pub version: Version,
    /// The order that it prepares.
    pub order: OrderId,
    /// How far it has come.
    pub state: CheckoutState,
    /// Where to send the buyer after paying, when the seller's own site asked for it.
    pub success_url: Option<String>,
    /// Where to send a buyer who turns back.
    pub cancel_url: Option<String>,
    /// When it can no longer be paid.
    pub expires_at: Timestamp,
    /// When it was opened.
    pub created_at: Timestamp,
}
