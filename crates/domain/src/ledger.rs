//! Movements of money as double entries.
//!
//! A posting is a debit and a credit of one amount in one row, so a ledger
//! cannot be out of balance by construction; what can go wrong is a posting
//! that is missing or stands twice, and the cause, unique, guards against the second.

use money::Money;

use crate::{GatewayAccountId, OrderId, ShopId, Timestamp};

/// One side of a posting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Account {
    /// Money that a gateway holds for the shop.
    Gateway(GatewayAccountId),
    /// What was sold, less what was given back.
    Sales,
    /// What the bank took back.
    Disputes,
}

impl Account {
    /// The words in rows.
    #[must_use]
    pub fn to_text(self) -> String {
        match self {
            Self::Gateway(id) => format!("gateway:{id}"),
            Self::Sales => "sales".to_owned(),
            Self::Disputes => "disputes".to_owned(),
        }
    }

    /// Reads the words in rows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "sales" => Some(Self::Sales),
            "disputes" => Some(Self::Disputes),
            other => other.strip_prefix("gateway:").and_then(|id| GatewayAccountId::parse(id).ok()).map(Self::Gateway),
        }
    }
}

/// One movement of money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// The shop.
    pub shop: ShopId,
    /// Why money moved, as `capture:pay_…`: unique, so that one cause moves money once.
    pub cause: String,
    /// The order it belongs to.
    pub order: OrderId,
    /// The account that gains.
    pub debit: Account,
    /// The account that gives.
    pub credit: Account,
    /// How much, above zero.
    pub amount: Money,
    /// When.
    pub at: Timestamp,
}
