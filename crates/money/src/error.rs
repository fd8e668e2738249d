//! Why an amount of money could not be made. Small and copyable, so that rules can carry it in their refusals.

use crate::currency::{Currency, CurrencyCode};

/// Why a currency was not recognised or an amount could not be computed. Nothing was rounded or cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum MoneyError {
    /// The text is not three Latin letters.
    #[error("a currency is written as three letters, such as EUR")]
    MalformedCurrency,
    /// Three letters, but no active currency of ISO 4217.
    #[error("{0} is not a currency in use")]
    UnknownCurrency(CurrencyCode),
    /// Two amounts were combined or compared that are not in the same currency.
    #[error("{left} and {right} cannot be combined without an exchange rate")]
    CurrencyMismatch {
        /// The currency of the amount that was asked.
        left: Currency,
        /// The currency of the amount that was handed to it.
        right: Currency,
    },
    /// The result does not fit 64 bits of minor units.
    #[error("the amount is too large")]
    Overflow,
    /// The text is not a plain decimal number such as `19.99`.
    #[error("an amount is written as digits with an optional decimal point, such as 19.99")]
    MalformedAmount,
    /// The text has more decimal places than the currency has.
    #[error("{currency} has {} decimal places, and the amount has more", .currency.exponent())]
    TooManyDecimals {
        /// The currency that the amount was read in.
        currency: Currency,
    },
    /// An amount was to be shared out, but no share is larger than zero.
    #[error("an amount can only be shared out among shares that are not all zero")]
    NoShares,
    /// A ratio had zero below the line.
    #[error("an amount cannot be divided by zero")]
    DivisionByZero,
    /// An amount in rial is not a whole number of toman.
    #[error("{rial} rial is not a whole number of toman; one toman is ten rial")]
    NotWholeToman {
        /// The amount in rial.
        rial: i64,
    },
}
