//! How a sold unit becomes something that the buyer holds. The kind belongs to the plan, and is frozen into the line of
//! an order.

use serde::{Deserialize, Serialize};

use crate::PoolId;

/// Where the content of a sold unit comes from. Every unit becomes a license; one whose content is not made here has a
/// [`Claim`](crate::Claim) as well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fulfilment {
    /// A key that is made here, when the order is paid.
    #[default]
    GeneratedKey,
    /// A code that was made elsewhere, out of a stock.
    Pool {
        /// The stock.
        pool: PoolId,
    },
}

impl Fulfilment {
    /// The word in rows and files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GeneratedKey => "generated_key",
            Self::Pool { .. } => "pool",
        }
    }

    /// Reads what a claim keeps of it.
    #[must_use]
    pub fn from_parts(word: &str, pool: Option<PoolId>) -> Option<Self> {
        match (word, pool) {
            ("generated_key", None) => Some(Self::GeneratedKey),
            ("pool", Some(pool)) => Some(Self::Pool { pool }),
            _ => None,
        }
    }

    /// The stock that it takes from.
    #[must_use]
    pub fn pool(self) -> Option<PoolId> {
        match self {
            Self::GeneratedKey => None,
            Self::Pool { pool } => Some(pool),
        }
    }

    /// Whether the content is made elsewhere, so that each unit has a claim on it.
    #[must_use]
    pub fn is_claimed(self) -> bool {
        match self {
            Self::GeneratedKey => false,
            Self::Pool { .. } => true,
        }
    }

    /// Whether the key that is made here is the content.
    #[must_use]
    pub(crate) fn is_generated_key(&self) -> bool {
        *self == Self::GeneratedKey
    }
}
