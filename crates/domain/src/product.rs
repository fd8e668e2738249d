//! What is sold.

use std::collections::BTreeMap;

use crate::{ProductId, ShopId, Timestamp, Version};

/// What is sold: name, description and the guide that helps after buying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// The shop that sells it.
    pub shop: ShopId,
    /// How often the row was written.
    pub version: Version,
    /// Its name in URLs, unique in the shop.
    pub slug: String,
    /// Its name, as the seller writes it.
    pub name: String,
    /// One line under the name.
    pub tagline: String,
    /// The whole description in Markdown.
    pub description: String,
    /// How to get from key to working product, in Markdown, per language tag; `en` is used where the buyer's is missing.
    pub setup_guides: BTreeMap<String, String>,
    /// Whether it is on sale.
    pub is_active: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Product {
    /// The setup guide in this language, or the English one.
    #[must_use]
    pub fn setup_guide(&self, language: &str) -> Option<&str> {
        self.setup_guides.get(language).or_else(|| self.setup_guides.get("en")).map(String::as_str)
    }
}
