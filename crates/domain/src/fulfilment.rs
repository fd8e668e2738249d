//! How a sold unit becomes something that the buyer holds. The kind belongs to the plan, and is frozen into the line of
//! an order.

use serde::{Deserialize, Serialize};

use crate::{Duration, EndpointId, PoolId, Timestamp};

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
    /// What a person of the shop does, and says.
    Manual {
        /// The buyer is promised it within so many hours of paying.
        within_hours: u32,
    },
    /// What the seller's own program answers.
    Webhook {
        /// Where it is asked.
        endpoint: EndpointId,
    },
    /// The files of the product's releases. The key is made here as well, and only says which license it is.
    Download,
    /// A key that is made here, in a text that says what was bought and is signed.
    SignedKey,
}

/// What a claim keeps of a [`Fulfilment`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FulfilmentParts {
    /// The stock.
    pub pool: Option<PoolId>,
    /// The seller's program.
    pub endpoint: Option<EndpointId>,
    /// For how long a person has time, in hours.
    pub within_hours: Option<u32>,
}

impl Fulfilment {
    /// The longest that a buyer can be made to wait for a person: thirty days.
    pub const MOST_HOURS: u32 = 720;

    /// The word in rows and files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GeneratedKey => "generated_key",
            Self::Pool { .. } => "pool",
            Self::Manual { .. } => "manual",
            Self::Webhook { .. } => "webhook",
            Self::Download => "download",
            Self::SignedKey => "signed_key",
        }
    }

    /// What a claim keeps of it besides its word.
    #[must_use]
    pub fn parts(self) -> FulfilmentParts {
        let none = FulfilmentParts::default();
        match self {
            Self::GeneratedKey | Self::Download | Self::SignedKey => none,
            Self::Pool { pool } => FulfilmentParts { pool: Some(pool), ..none },
            Self::Manual { within_hours } => FulfilmentParts { within_hours: Some(within_hours), ..none },
            Self::Webhook { endpoint } => FulfilmentParts { endpoint: Some(endpoint), ..none },
        }
    }

    /// Reads what a claim keeps of it.
    #[must_use]
    pub fn from_parts(word: &str, parts: FulfilmentParts) -> Option<Self> {
        let FulfilmentParts { pool, endpoint, within_hours } = parts;
        match (word, pool, endpoint, within_hours) {
            ("generated_key", None, None, None) => Some(Self::GeneratedKey),
            ("pool", Some(pool), None, None) => Some(Self::Pool { pool }),
            ("manual", None, None, Some(within_hours)) => Some(Self::Manual { within_hours }),
            ("webhook", None, Some(endpoint), None) => Some(Self::Webhook { endpoint }),
            ("download", None, None, None) => Some(Self::Download),
            ("signed_key", None, None, None) => Some(Self::SignedKey),
            _ => None,
        }
    }

    /// The stock that it takes from.
    #[must_use]
    pub fn pool(self) -> Option<PoolId> {
        self.parts().pool
    }

    /// When a person is to be done with a unit that was paid then.
    #[must_use]
    pub fn due_at(self, paid_at: Timestamp) -> Option<Timestamp> {
        self.parts().within_hours.map(|hours| paid_at.after(Duration::hours(i64::from(hours))))
    }

    /// Whether the content is made elsewhere, so that each unit has a claim on it.
    #[must_use]
    pub fn is_claimed(self) -> bool {
        match self {
            Self::GeneratedKey | Self::Download | Self::SignedKey => false,
            Self::Pool { .. } | Self::Manual { .. } | Self::Webhook { .. } => true,
        }
    }

    /// Whether a license key is what its buyer is told to wait for. A person's words are none, nor are files, whose key is
    /// but their number; and what a seller's program will answer nobody knows.
    #[must_use]
    pub fn is_key(self) -> bool {
        match self {
            Self::GeneratedKey | Self::SignedKey | Self::Pool { .. } => true,
            Self::Manual { .. } | Self::Webhook { .. } | Self::Download => false,
        }
    }

    /// Whether the key that is made here is the content.
    #[must_use]
    pub(crate) fn is_generated_key(&self) -> bool {
        *self == Self::GeneratedKey
    }
}
