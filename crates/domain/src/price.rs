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

#[cfg(test)]
mod tests {
    use super::*;

    fn price(tiers: &[(u32, i64)]) -> Price {
        let tiers = tiers.iter().map(|&(from_quantity, unit_minor)| PriceTier { from_quantity, unit_minor }).collect();
        Price { currency: Currency::EUR, tiers }
    }

    #[test]
    fn the_tier_of_the_quantity_prices_every_unit() {
        let falling = price(&[(1, 4_900), (5, 3_900), (10, 2_900)]);
        let unsorted = price(&[(10, 2_900), (1, 4_900), (5, 3_900)]);
        for (quantity, unit, total) in
            [(1, 4_900, 4_900), (4, 4_900, 19_600), (5, 3_900, 19_500), (9, 3_900, 35_100), (10, 2_900, 29_000)]
        {
            for price in [&falling, &unsorted] {
                assert_eq!(price.unit_amount(quantity), Some(Money::new(unit, Currency::EUR)));
                assert_eq!(price.amount(quantity), Ok(Some(Money::new(total, Currency::EUR))));
            }
        }
    }

    #[test]
    fn a_quantity_below_the_first_tier_has_no_price() {
        assert_eq!(price(&[(2, 4_900)]).unit_amount(1), None);
        assert_eq!(price(&[]).amount(1), Ok(None));
        assert_eq!(price(&[(1, i64::MAX)]).amount(2), Err(MoneyError::Overflow));
    }
}
