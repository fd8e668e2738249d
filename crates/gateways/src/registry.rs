//! Every adapter, in one array.

use crate::{Gateway, stripe};

static ADAPTERS: &[&dyn Gateway] = &[&stripe::STRIPE];

/// Every adapter there is.
#[must_use]
pub fn adapters() -> &'static [&'static dyn Gateway] {
    ADAPTERS
}

/// The adapter with this name.
#[must_use]
pub fn adapter(name: &str) -> Option<&'static dyn Gateway> {
    ADAPTERS.iter().copied().find(|adapter| adapter.name() == name)
}
