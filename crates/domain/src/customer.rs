//! A person or company that buys. There is no password.

use crate::{Country, CustomerId, Email, Locale, ShopId, Timestamp, Version};

/// A buyer, one per address and shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// Its id.
    pub id: CustomerId,
    /// The shop it buys at.
    pub shop: ShopId,
    /// How often the row was written.
    pub version: Version,
    /// Where mail goes.
    pub email: Email,
    /// As on the invoice; asked for only where it is needed.
    pub name: Option<String>,
    /// Where it is at home for tax.
    pub country: Country,
    /// The language of its mails.
    pub locale: Locale,
    /// When it first came.
    pub created_at: Timestamp,
}
