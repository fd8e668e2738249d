//! An amount of money and everything that may be computed with it. Every operation names its failures: there
//! is no operator that could overflow, mix currencies or round in silence, and no way in from floating point.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::currency::Currency;
use crate::error::MoneyError;
use crate::rounding::Rounding;

/// An amount in minor units of one currency; negative for money that goes the other way. On the wire it is
/// `{"amount": 4900, "currency": "EUR"}`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    #[serde(rename = "amount")]
    minor: i64,
    currency: Currency,
}

impl Money {
    /// This many minor units: `Money::new(4900, Currency::EUR)` is 49 euro, `Money::new(4900, Currency::JPY)` is
    /// 4,900 yen.
    #[must_use]
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in a currency.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// The number of minor units.
    #[must_use]
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Whether this is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// Whether this is less than nothing.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// Whether this is more than nothing.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// The sum of both.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.with(self.minor.checked_add(other.minor))
    }

    /// This less the other.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.with(self.minor.checked_sub(other.minor))
    }

    /// The same amount in the other direction.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] for the one amount that has no opposite.
    pub fn checked_negate(self) -> Result<Self, MoneyError> {
        self.with(self.minor.checked_neg())
    }

    /// This many times the amount, as for a quantity.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn checked_multiply(self, factor: i64) -> Result<Self, MoneyError> {
        self.with(self.minor.checked_mul(factor))
    }

    /// The sum of several amounts, which must all be in this currency; of none, zero.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn sum(currency: Currency, amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::checked_add)
    }

    /// Which of both is more.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`]: 5 EUR are neither more nor less than 5 USD.
    pub fn compare(self, other: Self) -> Result<Ordering, MoneyError> {
        self.same_currency(other)?;
        Ok(self.minor.cmp(&other.minor))
    }

    /// `numerator / denominator` of the amount, as for a part of a period. Computed in 128 bits and rounded once.
    ///
    /// # Errors
    /// [`MoneyError::DivisionByZero`], [`MoneyError::Overflow`].
    pub fn fraction(self, numerator: i64, denominator: i64, rounding: Rounding) -> Result<Self, MoneyError> {
        if denominator == 0 {
            return Err(MoneyError::DivisionByZero);
        }
        let product = i128::from(self.minor) * i128::from(numerator);
        let rounded = rounding.divide(product, i128::from(denominator));
        self.with(rounded.and_then(|minor| i64::try_from(minor).ok()))
    }

    /// A percentage of the amount in basis points: 1900 is 19 %.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn percentage(self, basis_points: i64, rounding: Rounding) -> Result<Self, MoneyError> {
        self.fraction(basis_points, 10_000, rounding)
    }

    /// Shares the amount out in these ratios without losing or making a unit: the parts add up to the amount
    /// exactly, each is within one unit of its exact share, and the units that are left over go to the largest
    /// remainders, the earlier part first. A ratio of zero gets nothing.
    ///
    /// # Errors
    /// [`MoneyError::NoShares`] if there is no ratio above zero.
    pub fn allocate(self, ratios: &[u64]) -> Result<Vec<Self>, MoneyError> {
        let total: u128 = ratios.iter().copied().map(u128::from).sum();
        if total == 0 {
            return Err(MoneyError::NoShares);
        }
        let whole = u128::from(self.minor.unsigned_abs());
        // A share is at most the whole, so it fits the 64 bits that the whole came from.
        let mut shares: Vec<u128> = Vec::with_capacity(ratios.len());
        let mut remainders: Vec<(usize, u128)> = Vec::with_capacity(ratios.len());
        for (part, &ratio) in ratios.iter().enumerate() {
            let product = whole * u128::from(ratio);
            shares.push(product / total);
            remainders.push((part, product % total));
        }
        // Stable, so parts with equal remainders keep their order.
        remainders.sort_by_key(|&(_, remainder)| std::cmp::Reverse(remainder));
        let mut left_over = whole - shares.iter().sum::<u128>();
        for &(part, _) in &remainders {
            if left_over == 0 {
                break;
            }
            shares[part] += 1;
            left_over -= 1;
        }
        shares
            .into_iter()
            .map(|share| {
                let share = i128::try_from(share).map_err(|_| MoneyError::Overflow)?;
                let signed = if self.is_negative() { -share } else { share };
                self.with(i64::try_from(signed).ok())
            })
            .collect()
    }

    /// Shares the amount out in equal parts, as for instalments or the units of a line. The parts add up to the
    /// amount exactly and differ by at most one unit, the larger ones first.
    ///
    /// # Errors
    /// [`MoneyError::NoShares`] for zero parts.
    pub fn split(self, parts: u16) -> Result<Vec<Self>, MoneyError> {
        self.allocate(&vec![1; usize::from(parts)])
    }

    /// Reads an amount in major units as people type it: `19.99`, `-5`, `.` or `٫` before the decimals, digits
    /// Latin, Arabic or Persian. No grouping (`1.000` could mean either) and no more decimals than the
    /// currency has: nothing is rounded.
    ///
    /// # Errors
    /// [`MoneyError::MalformedAmount`], [`MoneyError::TooManyDecimals`], [`MoneyError::Overflow`].
    pub fn parse_major(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, decimals) = match digits.split_once(['.', '٫']) {
            Some((_, "")) => return Err(MoneyError::MalformedAmount),
            Some((whole, decimals)) => (whole, decimals),
            None => (digits, ""),
        };
        if whole.is_empty() {
            return Err(MoneyError::MalformedAmount);
        }
        let places = usize::from(currency.exponent());
        let given = decimals.chars().count();
        let padding = std::iter::repeat_n('0', places.saturating_sub(given));
        let mut minor: Option<i64> = Some(0);
        for char in whole.chars().chain(decimals.chars()).chain(padding) {
            let digit = i64::from(digit_value(char).ok_or(MoneyError::MalformedAmount)?);
            // Counted below zero, where there is room for one unit more.
            minor = minor.and_then(|minor| minor.checked_mul(10)?.checked_sub(digit));
        }
        if given > places {
            return Err(MoneyError::TooManyDecimals { currency });
        }
        let minor = if negative { minor } else { minor.and_then(i64::checked_neg) };
        Self::zero(currency).with(minor)
    }

    /// The amount in major units for programs: `19.99`, `1000` for KRW, `1.234` for KWD. No grouping, always a
    /// `.`, always all decimals. For people there is [`Money::display`].
    #[must_use]
    pub fn to_major_string(self) -> String {
        let places = usize::from(self.currency.exponent());
        let digits = format!("{:0>width$}", self.minor.unsigned_abs(), width = places + 1);
        let (whole, decimals) = digits.split_at(digits.len() - places);
        let sign = if self.is_negative() { "-" } else { "" };
        let point = if places == 0 { "" } else { "." };
        format!("{sign}{whole}{point}{decimals}")
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency })
        }
    }

    fn with(self, minor: Option<i64>) -> Result<Self, MoneyError> {
        minor.map(|minor| Self::new(minor, self.currency)).ok_or(MoneyError::Overflow)
    }
}

fn digit_value(char: char) -> Option<u8> {
    let zero = match char {
        '0'..='9' => '0',
        '٠'..='٩' => '٠',
        '۰'..='۹' => '۰',
        _ => return None,
    };
    u8::try_from(u32::from(char) - u32::from(zero)).ok()
}

/// For logs and programs: `49.00 EUR`.
impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.to_major_string(), self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn euro(minor: i64) -> Money {
        Money::new(minor, Currency::EUR)
    }

    fn any_currency() -> impl Strategy<Value = Currency> {
        prop::sample::select(Currency::all().collect::<Vec<_>>())
    }

    #[test]
    fn an_amount_is_read_and_written_in_major_units() {
        #[rustfmt::skip]
        let table = [
            ("19.99", Currency::EUR, Ok(1_999), "19.99"),
            ("19.9", Currency::EUR, Ok(1_990), "19.90"),
            ("19", Currency::EUR, Ok(1_900), "19.00"),
            ("-0.05", Currency::EUR, Ok(-5), "-0.05"),
            ("0", Currency::EUR, Ok(0), "0.00"),
            ("007", Currency::EUR, Ok(700), "7.00"),
            ("1000", Currency::KRW, Ok(1_000), "1000"),
            ("1.234", Currency::KWD, Ok(1_234), "1.234"),
            ("12345678", Currency::IRR, Ok(12_345_678), "12345678"),
            ("۱۹٫۹۹", Currency::EUR, Ok(1_999), "19.99"),
            ("٢٠", Currency::EUR, Ok(2_000), "20.00"),
            ("92233720368547758.07", Currency::EUR, Ok(i64::MAX), "92233720368547758.07"),
            ("-92233720368547758.08", Currency::EUR, Ok(i64::MIN), "-92233720368547758.08"),
            ("92233720368547758.08", Currency::EUR, Err(MoneyError::Overflow), ""),
            ("99999999999999999999999999", Currency::JPY, Err(MoneyError::Overflow), ""),
            ("19.999", Currency::EUR, Err(MoneyError::TooManyDecimals { currency: Currency::EUR }), ""),
            ("19.990", Currency::EUR, Err(MoneyError::TooManyDecimals { currency: Currency::EUR }), ""),
            ("1.0", Currency::KRW, Err(MoneyError::TooManyDecimals { currency: Currency::KRW }), ""),
            ("", Currency::EUR, Err(MoneyError::MalformedAmount), ""),
            ("-", Currency::EUR, Err(MoneyError::MalformedAmount), ""),
            ("+1", Currency::EUR, Err(MoneyError::MalformedAmount), ""),
            ("--1", Currency::EUR, Err(MoneyError::MalformedAmount), ""),
            (".5", Currency::EUR, Err(MoneyError::MalformedAmount), ""),
            ("5.", Currency::EUR, Err(MoneyError::MalformedAmount), ""),
            ("1.2.3", Currency::KWD, Err(MoneyError::MalformedAmount), ""),
            ("1,000", Currency::EUR, Err(MoneyError::MalformedAmount), ""),
            ("1e3", Currency::EUR, Err(MoneyError::MalformedAmount), ""),
            (" 1", Currency::EUR, Err(MoneyError::MalformedAmount), ""),
        ];
        for (text, currency, expected, written) in table {
            let read = Money::parse_major(text, currency);
            assert_eq!(read.map(Money::minor), expected, "{text:?}");
            if let Ok(amount) = read {
                assert_eq!(amount.to_major_string(), written);
                assert_eq!(amount.to_string(), format!("{written} {currency}"));
                assert_eq!(format!("{amount:?}"), format!("{written} {currency}"));
            }
        }
    }

    #[test]
    fn an_amount_is_less_than_nothing_or_nothing_or_more() {
        let table = [
            (-1, (true, false, false), Ordering::Less),
            (0, (false, true, false), Ordering::Equal),
            (1, (false, false, true), Ordering::Greater),
        ];
        for (minor, expected, order) in table {
            let amount = euro(minor);
            assert_eq!((amount.is_negative(), amount.is_zero(), amount.is_positive()), expected, "{amount}");
            assert_eq!(amount.compare(Money::zero(Currency::EUR)), Ok(order), "{amount}");
        }
    }

    #[test]
    fn an_amount_travels_as_minor_units_and_code() {
        let json = r#"{"amount":4900,"currency":"EUR"}"#;
        assert_eq!(serde_json::to_string(&euro(4_900)).unwrap(), json);
        assert_eq!(serde_json::from_str::<Money>(json).unwrap(), euro(4_900));
        for refused in [
            r#"{"amount":49.0,"currency":"EUR"}"#,
            r#"{"amount":"4900","currency":"EUR"}"#,
            r#"{"amount":4900}"#,
            r#"{"amount":4900,"currency":"IRT"}"#,
            r#"{"amount":9223372036854775808,"currency":"EUR"}"#,
            r#"{"amount":4900,"currency":"EUR","unit":"cent"}"#,
        ] {
            assert!(serde_json::from_str::<Money>(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn different_currencies_never_combine() {
        let yen = Money::new(5, Currency::JPY);
        let refused = MoneyError::CurrencyMismatch { left: Currency::EUR, right: Currency::JPY };
        assert_eq!(euro(5).checked_add(yen), Err(refused));
        assert_eq!(euro(5).checked_sub(yen), Err(refused));
        assert_eq!(euro(5).compare(yen), Err(refused));
        assert_eq!(Money::sum(Currency::EUR, [euro(1), yen]), Err(refused));
        assert_ne!(euro(5), yen);
        assert_eq!(refused.to_string(), "EUR and JPY cannot be combined without an exchange rate");
    }

    #[test]
    fn what_does_not_fit_is_an_error_and_not_a_wrapped_number() {
        assert_eq!(euro(i64::MAX).checked_add(euro(1)), Err(MoneyError::Overflow));
        assert_eq!(euro(i64::MIN).checked_sub(euro(1)), Err(MoneyError::Overflow));
        assert_eq!(euro(i64::MIN).checked_negate(), Err(MoneyError::Overflow));
        assert_eq!(euro(i64::MAX).checked_multiply(2), Err(MoneyError::Overflow));
        assert_eq!(euro(i64::MAX).percentage(10_001, Rounding::HalfEven), Err(MoneyError::Overflow));
        assert_eq!(euro(i64::MAX).percentage(10_000, Rounding::HalfEven), Ok(euro(i64::MAX)));
        assert_eq!(euro(i64::MIN).fraction(i64::MIN, i64::MIN, Rounding::Up), Ok(euro(i64::MIN)));
        assert_eq!(euro(1).fraction(1, 0, Rounding::Up), Err(MoneyError::DivisionByZero));
    }

    #[test]
    fn a_percentage_is_rounded_as_it_is_told() {
        #[rustfmt::skip]
        let table = [
            (  999, 1_900, Rounding::HalfUp,   190), // 189.81
            (   50, 1_900, Rounding::HalfUp,    10), // 9.5
            (   50, 1_900, Rounding::HalfEven,  10),
            (  250,   100, Rounding::HalfEven,   2), // 2.5
            (  250,   100, Rounding::HalfUp,     3),
            (  250,   100, Rounding::HalfDown,   2),
            ( -250,   100, Rounding::HalfUp,    -3),
            ( -250,   100, Rounding::Floor,     -3),
            ( -250,   100, Rounding::Ceiling,   -2),
            (  201,    50, Rounding::Up,         2), // 1.005
            (  201,    50, Rounding::Down,       1),
            (1_000,  -500, Rounding::HalfEven, -50),
        ];
        for (minor, basis_points, rounding, expected) in table {
            let part = euro(minor).percentage(basis_points, rounding);
            assert_eq!(part, Ok(euro(expected)), "{basis_points} of {minor}, {rounding}");
        }
    }

    #[test]
    fn left_over_units_go_to_the_largest_remainders_first() {
        #[rustfmt::skip]
        let table: &[(i64, &[u64], &[i64])] = &[
            (  100, &[1, 1, 1],       &[34, 33, 33]),
            ( -100, &[1, 1, 1],       &[-34, -33, -33]),
            (    5, &[3, 7],          &[2, 3]),         // 1.5 and 3.5: the earlier of equal remainders
            (  101, &[1, 2],          &[34, 67]),       // 33.67 and 67.33
            (  100, &[0, 1, 0],       &[0, 100, 0]),
            (    2, &[1, 1, 1],       &[1, 1, 0]),
            (    0, &[1, 2],          &[0, 0]),
            (i64::MAX, &[u64::MAX, u64::MAX], &[4_611_686_018_427_387_904, 4_611_686_018_427_387_903]),
            (i64::MIN, &[1],          &[i64::MIN]),
        ];
        for &(minor, ratios, expected) in table {
            let parts = euro(minor).allocate(ratios).unwrap();
            assert_eq!(parts.iter().map(|part| part.minor()).collect::<Vec<_>>(), expected, "{minor} by {ratios:?}");
        }
        assert_eq!(euro(1).allocate(&[]), Err(MoneyError::NoShares));
        assert_eq!(euro(1).allocate(&[0, 0]), Err(MoneyError::NoShares));
        assert_eq!(euro(1).split(0), Err(MoneyError::NoShares));
        assert_eq!(euro(1_000).split(3), Ok(vec![euro(334), euro(333), euro(333)]));
    }

    proptest! {
        #[test]
        fn allocation_loses_no_unit_and_is_fair(minor: i64, ratios in prop::collection::vec(any::<u64>(), 1..40)) {
            prop_assume!(ratios.iter().any(|&ratio| ratio > 0));
            let parts = euro(minor).allocate(&ratios).unwrap();
            prop_assert_eq!(parts.len(), ratios.len());
            let sum: i128 = parts.iter().map(|part| i128::from(part.minor())).sum();
            prop_assert_eq!(sum, i128::from(minor));
            let total: u128 = ratios.iter().map(|&ratio| u128::from(ratio)).sum();
            for (part, &ratio) in parts.iter().zip(&ratios) {
                let floor = u128::from(minor.unsigned_abs()) * u128::from(ratio) / total;
                let share = u128::from(part.minor().unsigned_abs());
                prop_assert!(share == floor || (share == floor + 1 && ratio > 0));
            }
        }

        #[test]
        fn equal_parts_differ_by_at_most_one_unit(minor: i64, count in 1_u16..500) {
            let parts = euro(minor).split(count).unwrap();
            let most = parts.iter().map(|part| part.minor()).max().unwrap();
            let least = parts.iter().map(|part| part.minor()).min().unwrap();
            prop_assert!(most - least <= 1);
        }

        #[test]
        fn adding_and_taking_away_come_back(one: i64, other: i64) {
            match euro(one).checked_add(euro(other)) {
                Ok(sum) => {
                    prop_assert_eq!(sum.checked_sub(euro(other)), Ok(euro(one)));
                    prop_assert_eq!(euro(other).checked_add(euro(one)), Ok(sum));
                }
                Err(error) => {
                    prop_assert_eq!(error, MoneyError::Overflow);
                    prop_assert!(i64::try_from(i128::from(one) + i128::from(other)).is_err());
                }
            }
        }

        #[test]
        fn multiplying_is_adding_often(minor in -1_000_000_i64..1_000_000, times in 0_u8..50) {
            let sum = Money::sum(Currency::EUR, (0..times).map(|_| euro(minor)));
            prop_assert_eq!(euro(minor).checked_multiply(i64::from(times)), sum);
        }

        #[test]
        fn every_rounding_is_within_one_unit_of_the_exact_value(
            minor: i64,
            basis_points in -10_000_i64..=10_000,
            rounding in prop::sample::select(Rounding::ALL.as_slice()),
        ) {
            let part = euro(minor).percentage(basis_points, rounding).unwrap();
            let error = i128::from(part.minor()) * 10_000 - i128::from(minor) * i128::from(basis_points);
            let bound = match rounding {
                Rounding::HalfEven | Rounding::HalfUp | Rounding::HalfDown => 5_000,
                Rounding::Down | Rounding::Up | Rounding::Floor | Rounding::Ceiling => 9_999,
            };
            prop_assert!(error.abs() <= bound);
        }

        #[test]
        fn major_units_and_json_read_back_as_written(minor: i64, currency in any_currency()) {
            let amount = Money::new(minor, currency);
            prop_assert_eq!(Money::parse_major(&amount.to_major_string(), currency), Ok(amount));
            prop_assert_eq!(serde_json::from_str::<Money>(&serde_json::to_string(&amount).unwrap()).unwrap(), amount);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC*", currency in any_currency()) {
            let _ = Money::parse_major(&text, currency);
            let _ = Currency::parse(&text);
            let _ = Money::new(1, currency).display(&text);
        }
    }
}
