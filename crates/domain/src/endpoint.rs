//! A program of the seller's that is asked over the network for what buyers are owed.

use crate::{EndpointId, ShopId, Timestamp, Version};

/// Where a seller's program is asked. What it is asked with is signed by a secret that is derived from its id and
/// [`secrets`](Self::secrets), and stands in no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// The shop.
    pub shop: ShopId,
    /// How often the row was written.
    pub version: Version,
    /// Its name in files and on the command line, unique in the shop.
    pub slug: String,
    /// Where it is, with its path.
    pub url: String,
    /// How many secrets it has had; the newest signs.
    pub secrets: u32,
    /// When it was made.
    pub created_at: Timestamp,
}
