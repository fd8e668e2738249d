//! What a plan costs, in one currency, by quantity.

use money::{Currency, Money, MoneyError};
use serde::{Deserialize, Serialize};

/// From this many units on, each of all units costs this much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceTier {
    /// The least quantity of this tier; the first tier begins at 1.
    pub from_quantity: u32,
    /// The price of one unit, in minor units of the price's currency.
    pub unit_minor: i64,
}

/// An amount in one currency, by quantity, tax included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// The currency of every tier.
    pub currency: Currency,
    /// In ascending order of quantity, the first from 1.
    pub tiers: Vec<PriceTier>,
}

impl Price {
    /// The price of one unit when so many are bought.
    #[must_use]
    pub fn unit_amount(&self, quantity: u32) -> Option<Money> {
        self.tiers
            .iter()
            .filter(|tier| tier.from_quantity <= quantity)
            .max_by_key(|tier| tier.from_quantity)
            .map(|tier| Money::new(tier.unit_minor, self.currency))
    }

    /// The price of so many units together.
    ///
    /// # Errors
    /// When the product does not fit 64 bits.
    pub fn amount(&self, quantity: u32) -> Result<Option<Money>, MoneyError> {
        self.unit_amount(quantity).map(|unit| unit.checked_multiply(i64::from(quantity))).transpose()
    }
}
