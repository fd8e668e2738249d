//! Toman, the unit in which Iranian prices are spoken: ten rial. It has no ISO code (gateways say `IRT`), so it
//! is no [`Currency`](crate::Currency) and never mixes with one: an amount crosses over here, by name, exactly.
//! The rial of this table is the one of 1932; the new rial that Iran has enacted becomes a row of its own.

use crate::amount::Money;
use crate::currency::Currency;
use crate::display::{display_number, language_of};
use crate::error::MoneyError;

const RIAL_PER_TOMAN: i64 = 10;

/// A whole number of toman, for showing prices and for gateways that count in `IRT`. Amounts are stored in rial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Toman(i64);

impl Toman {
    /// The name that gateways give the unit. Not a code of ISO 4217.
    pub const GATEWAY_CODE: &'static str = "IRT";

    /// This many toman.
    #[must_use]
    pub const fn new(toman: i64) -> Self {
        Self(toman)
    }

    /// How many toman.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// An amount in rial as toman.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`] if the amount is not in rial, [`MoneyError::NotWholeToman`] if a part of
    /// a toman would be lost.
    pub fn from_rial(amount: Money) -> Result<Self, MoneyError> {
        if amount.currency() != Currency::IRR {
            return Err(MoneyError::CurrencyMismatch { left: Currency::IRR, right: amount.currency() });
        }
        if amount.minor() % RIAL_PER_TOMAN != 0 {
            return Err(MoneyError::NotWholeToman { rial: amount.minor() });
        }
        Ok(Self(amount.minor() / RIAL_PER_TOMAN))
    }

    /// The same amount in rial.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] if there are too many rial for 64 bits.
    pub fn to_rial(self) -> Result<Money, MoneyError> {
        let rial = self.0.checked_mul(RIAL_PER_TOMAN).ok_or(MoneyError::Overflow)?;
        Ok(Money::new(rial, Currency::IRR))
    }

    /// The amount as people read it: digits of the locale, a no-break space, the unit's name (in Persian where
    /// the language is Persian; CLDR has no name for it).
    #[must_use]
    pub fn display(self, locale: &str) -> String {
        let name = if language_of(locale).eq_ignore_ascii_case("fa") { "تومان" } else { "toman" };
        format!("{}\u{a0}{name}", display_number(self.0, locale))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn five_thousand_toman_are_fifty_thousand_rial_and_back() {
        let rial = Toman::new(5_000).to_rial().unwrap();
        assert_eq!(rial, Money::new(50_000, Currency::IRR));
        assert_eq!(Toman::from_rial(rial), Ok(Toman::new(5_000)));
        assert_eq!(Toman::from_rial(rial).map(Toman::get), Ok(5_000));
    }

    #[test]
    fn nothing_crosses_over_inexactly() {
        let table = [
            (Money::new(50_005, Currency::IRR), MoneyError::NotWholeToman { rial: 50_005 }),
            (Money::new(-1, Currency::IRR), MoneyError::NotWholeToman { rial: -1 }),
            (Money::new(10, Currency::EUR), MoneyError::CurrencyMismatch { left: Currency::IRR, right: Currency::EUR }),
        ];
        for (amount, expected) in table {
            assert_eq!(Toman::from_rial(amount), Err(expected));
        }
        assert_eq!(Toman::new(i64::MAX).to_rial(), Err(MoneyError::Overflow));
    }

    #[test]
    fn toman_are_shown_with_their_name() {
        assert_eq!(Toman::new(5_000).display("fa-IR"), "۵٬۰۰۰\u{a0}تومان");
        assert_eq!(Toman::new(5_000).display("en"), "5,000\u{a0}toman");
    }
}
