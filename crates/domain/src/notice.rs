//! One message from a gateway, stored as it came, before anything is done with it.

use crate::{GatewayAccountId, NoticeId, OrderId, ShopId, Timestamp, Version};

/// What became of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeState {
    /// Stored; nothing done yet.
    Received,
    /// Its facts are in the rows.
    Applied,
    /// Nothing for us in it.
    Ignored {
        /// A stable code for why.
        reason: String,
    },
    /// It makes no sense here; shown to the shop, and can be applied again.
    Parked {
        /// A stable code for why.
        reason: String,
        /// What did not fit, for a person.
        detail: String,
    },
}

impl NoticeState {
    /// The word in rows and on the wire.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Applied => "applied",
            Self::Ignored { .. } => "ignored",
            Self::Parked { .. } => "parked",
        }
    }

    /// Reads the words in rows.
    #[must_use]
    pub fn from_parts(state: &str, reason: Option<String>, detail: Option<String>) -> Option<Self> {
        match state {
            "received" => Some(Self::Received),
            "applied" => Some(Self::Applied),
            "ignored" => Some(Self::Ignored { reason: reason.unwrap_or_default() }),
            "parked" => Some(Self::Parked { reason: reason.unwrap_or_default(), detail: detail.unwrap_or_default() }),
            _ => None,
        }
    }

    /// The stable code for why, and what did not fit.
    #[must_use]
    pub fn reason(&self) -> (Option<&str>, Option<&str>) {
        match self {
            Self::Received | Self::Applied => (None, None),
            Self::Ignored { reason } => (Some(reason), None),
            Self::Parked { reason, detail } => (Some(reason), Some(detail)),
        }
    }
}

/// One event of a gateway. Unique by account and the gateway's event id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its id.
    pub id: NoticeId,
    /// The shop.
    pub shop: ShopId,
    /// How often the row was written.
    pub version: Version,
    /// Whose account it came for.
    pub gateway_account: GatewayAccountId,
    /// The gateway's id of the event.
    pub event_id: String,
    /// The gateway's word for what happened.
    pub kind: String,
    /// The event as it came.
    pub body: Vec<u8>,
    /// What became of it.
    pub state: NoticeState,
    /// The order it turned out to be about.
    pub order: Option<OrderId>,
    /// When it came.
    pub received_at: Timestamp,
    /// When it was last settled.
    pub settled_at: Option<Timestamp>,
}
