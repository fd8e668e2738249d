//! A shop's account at a gateway.

use crate::{GatewayAccountId, Mode, ShopId, Timestamp, Version};

/// Which adapter, whose money, which credentials. The credentials are opaque
/// here: the adapter that they belong to reads them, the store seals them.
#[derive(Clone, PartialEq, Eq)]
pub struct GatewayAccount {
    /// Its id; the last part of its webhook URL.
    pub id: GatewayAccountId,
    /// The shop.
    pub shop: ShopId,
    /// How often the row was written.
    pub version: Version,
    /// The name of the adapter, as in the registry.
    pub adapter: String,
    /// Real or simulated money.
    pub mode: Mode,
    /// The adapter's own settings and secrets, as JSON text.
    pub credentials: String,
    /// Whether new payments go there.
    pub is_active: bool,
    /// Up to which moment its event list was read.
    pub events_read_to: Timestamp,
    /// When it was connected.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for GatewayAccount {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "GatewayAccount({}, {}, {:?})", self.id, self.adapter, self.mode)
    }
}
