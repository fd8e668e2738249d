//! People who sign in, and programs that call: users, links, sessions, API keys.
//!
//! Nothing here can be turned back into what was handed out: links, sessions
//! and keys are stored as keyed hashes.

use serde::{Deserialize, Serialize};

use crate::{ApiKeyId, CustomerId, Email, LoginLinkId, Mode, OrderId, SessionId, ShopId, Timestamp, UserId, Version};

/// A person who works in the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The shop.
    pub shop: ShopId,
    /// How often the row was written.
    pub version: Version,
    /// Where sign-in links go; the first owner has none until they give one.
    pub email: Option<Email>,
    /// What colleagues call them.
    pub name: String,
    /// When they joined.
    pub created_at: Timestamp,
}

/// Whose browser it is, and what it may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SessionHolder {
    /// Works in the console.
    User {
        /// The user.
        user: UserId,
    },
    /// Signed in to the portal by mail: sees everything bought with the address.
    Customer {
        /// The customer.
        customer: CustomerId,
    },
    /// Came with key and order number, or a receipt link: sees one order.
    Order {
        /// The order.
        order: OrderId,
    },
}

/// A link or code that signs in once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginLink {
    /// Its id.
    pub id: LoginLinkId,
    /// The shop.
    pub shop: ShopId,
    /// How often the row was written.
    pub version: Version,
    /// Who signs in with it.
    pub holder: SessionHolder,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
    /// How often a wrong code was tried.
    pub failures: u32,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A signed-in browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The shop.
    pub shop: ShopId,
    /// The keyed hash of what the cookie holds.
    pub token_hash: Vec<u8>,
    /// Whose browser.
    pub holder: SessionHolder,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it began.
    pub created_at: Timestamp,
}

/// What an API key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Everything.
    Manage,
    /// Read everything, change nothing.
    Read,
    /// Open checkouts and read them.
    Checkout,
}

impl Scope {
    /// The word in rows and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manage => "manage",
            Self::Read => "read",
            Self::Checkout => "checkout",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Manage, Self::Read, Self::Checkout].into_iter().find(|scope| scope.as_str() == text)
    }
}

/// A key for the management API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// The shop.
    pub shop: ShopId,
    /// The keyed hash of the key.
    pub token_hash: Vec<u8>,
    /// What it is for, in the seller's words.
    pub name: String,
    /// Live or sandbox; also the first part of the key.
    pub mode: Mode,
    /// What it may do.
    pub scope: Scope,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was withdrawn.
    pub revoked_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_read_by_the_word_that_it_is_written_as() {
        for (scope, word) in [(Scope::Manage, "manage"), (Scope::Read, "read"), (Scope::Checkout, "checkout")] {
            assert_eq!((scope.as_str(), Scope::parse(word)), (word, Some(scope)));
        }
        for word in ["", "Manage", "manage ", "write"] {
            assert_eq!(Scope::parse(word), None, "{word:?}");
        }
    }
}
