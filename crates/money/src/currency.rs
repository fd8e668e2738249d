//! Which money there is. Relies on the table beside it and nothing else: a code that is not in the table does
//! not exist here, and no currency is ever taken for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::MoneyError;

/// An active currency of ISO 4217, such as [`Currency::EUR`]. One byte, compared by identity, ordered by code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency(Index);

/// Three letters that may or may not name a currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CurrencyCode([u8; 3]);

struct Row {
    code: &'static str,
    numeric: u16,
    exponent: u8,
    since: &'static str,
    name: &'static str,
}

macro_rules! currencies {
    ($($code:ident $numeric:literal $exponent:literal $since:literal $name:literal;)+) => {
        #[allow(clippy::upper_case_acronyms, reason = "a code is written in capitals")]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub(super) enum Index { $($code),+ }

        pub(super) static TABLE: &[Row] = &[$(
            Row { code: stringify!($code), numeric: $numeric, exponent: $exponent, since: $since, name: $name },
        )+];

        impl Currency {
            // Not `ALL`: that is the Albanian lek.
            pub(super) const EVERY: &'static [Self] = &[$(Self(Index::$code)),+];
            $(
                #[doc = $name]
                pub const $code: Self = Self(Index::$code);
            )+
        }
    };
}

mod table;

use table::{Index, TABLE};

impl Currency {
    /// The currency that a code names, in capitals or not (gateways write both). Where a code has had several
    /// minor units, its newest row is meant.
    ///
    /// # Errors
    /// [`MoneyError::MalformedCurrency`] unless the text is three Latin letters, otherwise
    /// [`MoneyError::UnknownCurrency`] if ISO 4217 has no such money in use. `IRT`, a gateway's word for toman,
    /// is among the unknown: see [`Toman`](crate::Toman).
    pub fn parse(code: &str) -> Result<Self, MoneyError> {
        let code = CurrencyCode::parse(code)?;
        let end = TABLE.partition_point(|row| row.code.as_bytes() <= code.0.as_slice());
        end.checked_sub(1)
            .filter(|&newest| TABLE[newest].code.as_bytes() == code.0)
            .map(|newest| Self::EVERY[newest])
            .ok_or(MoneyError::UnknownCurrency(code))
    }

    /// Every currency, ordered by code.
    pub fn all() -> impl ExactSizeIterator<Item = Self> + Clone {
        Self::EVERY.iter().copied()
    }

    /// The three letters of ISO 4217, such as `EUR`.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.row().code
    }

    /// The three-digit number of ISO 4217, such as 978.
    #[must_use]
    pub fn numeric(self) -> u16 {
        self.row().numeric
    }

    /// How many decimal places the minor unit is: 2 for EUR, 0 for JPY, 3 for KWD.
    #[must_use]
    pub fn exponent(self) -> u8 {
        self.row().exponent
    }

    /// How many minor units one major unit has: 100 for EUR, 1 for JPY, 1000 for KWD.
    #[must_use]
    pub fn minor_units_per_major(self) -> i64 {
        10_i64.pow(u32::from(self.exponent()))
    }

    /// The day, as `1999-01-01`, from which this money with this minor unit is in use (CLDR 48).
    #[must_use]
    pub fn since(self) -> &'static str {
        self.row().since
    }

    /// The name in English, for the console and for documents that no locale is known for.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    fn row(self) -> &'static Row {
        &TABLE[self.0 as usize]
    }
}

impl CurrencyCode {
    fn parse(text: &str) -> Result<Self, MoneyError> {
        let letters: [u8; 3] = text.as_bytes().try_into().map_err(|_| MoneyError::MalformedCurrency)?;
        if letters.iter().all(u8::is_ascii_alphabetic) {
            Ok(Self(letters.map(|letter| letter.to_ascii_uppercase())))
        } else {
            Err(MoneyError::MalformedCurrency)
        }
    }
}

impl fmt::Display for CurrencyCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&letter| write!(formatter, "{}", char::from(letter)))
    }
}

impl fmt::Debug for CurrencyCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(code: &str) -> Result<Self, MoneyError> {
        Self::parse(code)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Code;

        impl de::Visitor<'_> for Code {
            type Value = Currency;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a currency code such as EUR")
            }

            fn visit_str<E: de::Error>(self, code: &str) -> Result<Currency, E> {
                Currency::parse(code).map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Code)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_minor_unit_is_the_one_the_table_names() {
        #[rustfmt::skip]
        let table = [
            ("EUR", 978, 2), ("USD", 840, 2), ("GBP", 826, 2), ("CHF", 756, 2), ("INR", 356, 2), ("MGA", 969, 2),
            ("JPY", 392, 0), ("KRW", 410, 0), ("VND", 704, 0), ("CLP", 152, 0), ("ISK", 352, 0), ("UGX", 800, 0),
            ("KWD", 414, 3), ("BHD", 48, 3),  ("JOD", 400, 3), ("OMR", 512, 3), ("TND", 788, 3), ("IQD", 368, 3),
            ("LYD", 434, 3), ("IRR", 364, 0), ("HUF", 348, 2), ("TWD", 901, 2), ("XCG", 532, 2), ("ZWG", 924, 2),
        ];
        for (code, numeric, exponent) in table {
            let currency = Currency::parse(code).unwrap();
            assert_eq!((currency.code(), currency.numeric(), currency.exponent()), (code, numeric, exponent));
        }
        let places = [Currency::EUR, Currency::JPY, Currency::KWD];
        assert_eq!(places.map(Currency::minor_units_per_major), [100, 1, 1_000]);
        assert_eq!(places.map(Currency::name), ["Euro", "Japanese Yen", "Kuwaiti Dinar"]);
    }

    #[test]
    fn the_table_is_ordered_dated_and_names_no_number_twice() {
        assert_eq!(Currency::EVERY.len(), TABLE.len());
        assert!(TABLE.is_sorted_by(|one, next| (one.code, one.since) < (next.code, next.since)));
        let mut numbers: Vec<u16> = TABLE.iter().map(|row| row.numeric).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), TABLE.len());
        for currency in Currency::all() {
            assert!(currency.exponent() <= 4, "{currency}");
            assert_eq!(Currency::parse(currency.code()), Ok(currency));
            let [year, month, day]: [u32; 3] =
                currency.since().split('-').map(|part| part.parse().unwrap()).collect::<Vec<_>>().try_into().unwrap();
            assert!((1600..=2026).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day));
        }
    }

    #[test]
    fn capitals_do_not_matter_and_anything_but_a_code_is_refused() {
        assert_eq!(Currency::parse("eur"), Ok(Currency::EUR));
        for text in ["", "EU", "EURO", "E R", "€", "EU€", "12A", " EUR"] {
            assert_eq!(Currency::parse(text), Err(MoneyError::MalformedCurrency), "{text:?}");
        }
        for text in ["AAA", "ZZZ", "IRT", "XXX", "XAU", "DEM"] {
            let error = Currency::parse(text).unwrap_err();
            assert_eq!(error.to_string(), format!("{text} is not a currency in use"));
        }
    }

    #[test]
    fn a_currency_is_called_by_its_code_in_logs() {
        assert_eq!(format!("{:?}", Currency::EUR), "EUR");
        assert_eq!(format!("{:?}", Currency::parse("irt")), "Err(UnknownCurrency(IRT))");
    }

    #[test]
    fn a_currency_travels_as_its_code() {
        assert_eq!(serde_json::to_string(&Currency::KRW).unwrap(), r#""KRW""#);
        assert_eq!(serde_json::from_str::<Currency>(r#""KRW""#).unwrap(), Currency::KRW);
        assert!(serde_json::from_str::<Currency>(r#""IRT""#).unwrap_err().to_string().contains("IRT"));
        let number = serde_json::from_str::<Currency>("978").unwrap_err().to_string();
        assert!(number.contains("expected a currency code such as EUR"), "{number}");
    }
}
