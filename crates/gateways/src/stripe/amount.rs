//! Amounts as Stripe counts them: whole numbers, though not always of the
//! minor unit that ISO 4217 names. Relies on the table below (NOTES.md,
//! "Amounts"). Never rounds: what Stripe cannot say is refused.

use money::{Currency, Money};

/// How Stripe counts one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Count {
    /// Decimal places of Stripe's unit.
    places: u8,
    /// What is sent must be a multiple of this many of Stripe's units.
    step: i64,
}

const CENTS: Count = Count { places: 2, step: 1 };
const WHOLE: Count = Count { places: 0, step: 1 };
/// Counted in hundredths for the sake of old integrations, though the money has none.
const WHOLE_IN_HUNDREDTHS: Count = Count { places: 2, step: 100 };
/// Three places, of which card networks carry two.
const THOUSANDTHS: Count = Count { places: 3, step: 10 };

/// Every currency that is not counted in hundredths.
#[rustfmt::skip]
const EXCEPTIONS: &[(Currency, Count)] = &[
    (Currency::BIF, WHOLE), (Currency::CLP, WHOLE), (Currency::DJF, WHOLE), (Currency::GNF, WHOLE),
    (Currency::JPY, WHOLE), (Currency::KMF, WHOLE), (Currency::KRW, WHOLE), (Currency::MGA, WHOLE),
    (Currency::PYG, WHOLE), (Currency::RWF, WHOLE), (Currency::VND, WHOLE), (Currency::VUV, WHOLE),
    (Currency::XAF, WHOLE), (Currency::XOF, WHOLE), (Currency::XPF, WHOLE),
    (Currency::ISK, WHOLE_IN_HUNDREDTHS), (Currency::UGX, WHOLE_IN_HUNDREDTHS),
    (Currency::BHD, THOUSANDTHS), (Currency::JOD, THOUSANDTHS), (Currency::KWD, THOUSANDTHS),
    (Currency::OMR, THOUSANDTHS), (Currency::TND, THOUSANDTHS),
];

/// An amount that cannot be said to Stripe, or that Stripe cannot have meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum AmountError {
    /// Stripe does not take this currency.
    #[error("{0} is not a currency of Stripe's")]
    Unsupported(Currency),
    /// The last digits must be zero.
    #[error("{0} cannot be charged: Stripe takes no smaller step in this currency")]
    TooFine(Money),
    /// More than Stripe's numbers hold.
    #[error("{0} is out of range")]
    OutOfRange(Currency),
    /// A whole number of Stripe's units that is none of ours.
    #[error("{amount} {currency} at Stripe is no whole number of minor units")]
    NotWhole {
        /// As Stripe said it.
        amount: i64,
        /// As Stripe said it.
        currency: Currency,
    },
    /// A code that names no money in use.
    #[error("Stripe named a currency that is not known here")]
    UnknownCurrency,
}

impl AmountError {
    /// The stable code for programs.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Unsupported(_) | Self::UnknownCurrency => "currency_unsupported",
            Self::TooFine(_) | Self::NotWhole { .. } => "amount_too_fine",
            Self::OutOfRange(_) => "amount_out_of_range",
        }
    }
}

/// The number to send.
///
/// # Errors
/// When Stripe takes no such amount.
pub(super) fn to_stripe(money: Money) -> Result<i64, AmountError> {
    let currency = money.currency();
    let count = count(currency)?;
    let amount = rescale(money.minor(), currency.exponent(), count.places)
        .ok_or(AmountError::OutOfRange(currency))?
        .ok_or(AmountError::TooFine(money))?;
    if amount % count.step == 0 { Ok(amount) } else { Err(AmountError::TooFine(money)) }
}

/// What Stripe's number means.
///
/// # Errors
/// When the currency is unknown, or the number is no whole number of minor units.
pub(super) fn from_stripe(amount: i64, currency: &str) -> Result<Money, AmountError> {
    let currency = Currency::parse(currency).map_err(|_| AmountError::UnknownCurrency)?;
    let count = count(currency)?;
    let minor = rescale(amount, count.places, currency.exponent())
        .ok_or(AmountError::OutOfRange(currency))?
        .ok_or(AmountError::NotWhole { amount, currency })?;
    Ok(Money::new(minor, currency))
}

/// The currency as Stripe writes it.
pub(super) fn code(currency: Currency) -> String {
    currency.code().to_ascii_lowercase()
}

fn count(currency: Currency) -> Result<Count, AmountError> {
    match EXCEPTIONS.iter().find(|(exception, _)| *exception == currency) {
        Some((_, count)) => Ok(*count),
        // Everything else at Stripe has hundredths; a currency that has none was left out of its list.
        None if currency.exponent() == CENTS.places => Ok(CENTS),
        None => Err(AmountError::Unsupported(currency)),
    }
}

/// The same value with another number of places: `None` when it overflows,
/// `Some(None)` when it is not whole there.
fn rescale(value: i64, from: u8, to: u8) -> Option<Option<i64>> {
    let factor = 10_i64.checked_pow(u32::from(from.abs_diff(to)))?;
    if to >= from {
        value.checked_mul(factor).map(Some)
    } else if value % factor == 0 {
        Some(Some(value / factor))
    } else {
        Some(None)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn amounts_are_counted_as_stripe_counts_them() {
        #[rustfmt::skip]
        let table = [
            // ours                              at Stripe
            (Money::new(1_999, Currency::EUR), Ok(1_999)),
            (Money::new(1_999, Currency::HUF), Ok(1_999)),
            (Money::new(500, Currency::JPY), Ok(500)),
            (Money::new(9_900, Currency::KRW), Ok(9_900)),
            (Money::new(500, Currency::ISK), Ok(50_000)),
            (Money::new(20_000, Currency::UGX), Ok(2_000_000)),
            (Money::new(100_000, Currency::MGA), Ok(1_000)),
            (Money::new(100_050, Currency::MGA), Err("amount_too_fine")),
            (Money::new(5_120, Currency::KWD), Ok(5_120)),
            (Money::new(5_124, Currency::KWD), Err("amount_too_fine")),
            (Money::new(5_124, Currency::TND), Err("amount_too_fine")),
            (Money::new(100, Currency::IRR), Err("currency_unsupported")),
            (Money::new(1_000, Currency::IQD), Err("currency_unsupported")),
            (Money::new(i64::MAX, Currency::ISK), Err("amount_out_of_range")),
            (Money::new(i64::MAX, Currency::EUR), Ok(i64::MAX)),
        ];
        for (ours, theirs) in table {
            assert_eq!(to_stripe(ours).map_err(AmountError::code), theirs, "{ours}");
            if let Ok(amount) = theirs {
                assert_eq!(from_stripe(amount, &code(ours.currency())), Ok(ours));
            }
        }
    }

    #[test]
    fn what_stripe_cannot_have_meant_is_an_error() {
        let not_whole = AmountError::NotWhole { amount: 50_001, currency: Currency::ISK };
        assert_eq!(from_stripe(50_001, "isk"), Err(not_whole));
        assert_eq!(from_stripe(100, "irr").map_err(AmountError::code), Err("currency_unsupported"));
        assert_eq!(from_stripe(100, "zzz"), Err(AmountError::UnknownCurrency));
        assert_eq!(from_stripe(100, ""), Err(AmountError::UnknownCurrency));
        assert_eq!(from_stripe(i64::MAX, "mga"), Err(AmountError::OutOfRange(Currency::MGA)));
        // A network can dispute thousandths that could not be charged.
        assert_eq!(from_stripe(5_124, "kwd"), Ok(Money::new(5_124, Currency::KWD)));
    }

    #[test]
    fn every_currency_that_can_be_sent_comes_back_as_it_was() {
        let mut sent = 0;
        for currency in Currency::all() {
            if let Ok(amount) = to_stripe(Money::new(12_300, currency)) {
                assert_eq!(from_stripe(amount, currency.code()).unwrap(), Money::new(12_300, currency));
                sent += 1;
            }
        }
        assert!(sent > 130, "only {sent} currencies");
    }
}
