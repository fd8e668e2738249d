//! Amounts and numbers as people of a place write them: digits, separators, signs, symbols and their order from
//! Unicode CLDR, the decimal places from our own currency table.
//!
//! Relies on the generated table beside it (how, and why not a library: docs/decisions/0001-money-display.md).
//! Never fails: a locale that is not known is written as its language, and an unknown language as English.

use crate::amount::Money;
use crate::currency::Currency;

mod table;

use table::{CLDR_VERSION, LOCALES};

/// How a locale writes numbers and amounts. In affixes, `¤` stands for the symbol and `-` for the sign.
struct Shape {
    zero: char,
    minus: &'static str,
    /// How many digits must stand before the first separator for one to be written: `1234` in Polish.
    minimum_grouping: usize,
    number: Digits,
    money: Digits,
    decimal: &'static str,
    number_negative: (&'static str, &'static str),
    positive: (&'static str, &'static str),
    negative: (&'static str, &'static str),
}

/// How digits are grouped, from the decimal point to the left: `primary` once, then `secondary` again and again.
struct Digits {
    group: &'static str,
    primary: usize,
    secondary: usize,
}

struct Locale {
    tag: &'static str,
    shape: &'static Shape,
    /// Symbols by code: the language's, and those in which the region differs from it.
    symbols: &'static [(&'static str, &'static str)],
    own_symbols: &'static [(&'static str, &'static str)],
}

impl Money {
    /// The amount for people, such as `1.234,50 €` in `de` or `€1,234.50` in `en`, by CLDR. The spaces in it do
    /// not break, and right-to-left locales bring their direction marks: keep the string whole, in `<bdi>`.
    ///
    /// `locale` is a BCP 47 tag (`de-CH`, `zh-Hant-TW`; case and `_` do not matter).
    #[must_use]
    pub fn display(&self, locale: &str) -> String {
        let locale = Locale::find(locale);
        let shape = locale.shape;

        let places = usize::from(self.currency().exponent());
        let digits = format!("{:0>width$}", self.minor().unsigned_abs(), width = places + 1);
        let (whole, decimals) = digits.split_at(digits.len() - places);
        let mut number = shape.group(whole, &shape.money);
        if !decimals.is_empty() {
            number.push_str(shape.decimal);
            number.extend(decimals.chars().map(|digit| shape.digit(digit)));
        }

        let (prefix, suffix) = if self.is_negative() { shape.negative } else { shape.positive };
        let symbol = locale.symbol(self.currency());
        let mut text = shape.affix(prefix, symbol);
        if prefix.ends_with('¤') && symbol.ends_with(needs_space_beside_digits) {
            text.push('\u{a0}');
        }
        text.push_str(&number);
        if suffix.starts_with('¤') && symbol.starts_with(needs_space_beside_digits) {
            text.push('\u{a0}');
        }
        text.push_str(&shape.affix(suffix, symbol));
        text
    }
}

/// A whole number for people, such as `12.345` in `de` or `۱۲٬۳۴۵` in `fa`, by CLDR. Locales as in
/// [`Money::display`].
#[must_use]
pub fn display_number(number: i64, locale: &str) -> String {
    let shape = Locale::find(locale).shape;
    let digits = shape.group(&number.unsigned_abs().to_string(), &shape.number);
    if number < 0 {
        let (prefix, suffix) = shape.number_negative;
        format!("{}{digits}{}", shape.affix(prefix, ""), shape.affix(suffix, ""))
    } else {
        digits
    }
}

/// The edition of Unicode CLDR that display follows, such as `48.0.0`.
#[must_use]
pub const fn cldr_version() -> &'static str {
    CLDR_VERSION
}

/// The language subtag of a locale tag, as written there.
pub(crate) fn language_of(tag: &str) -> &str {
    tag.split(['-', '_']).next().unwrap_or_default()
}

impl Locale {
    /// The most particular locale in the table: language with script and region, then one of them, then alone,
    /// then English.
    fn find(tag: &str) -> &'static Self {
        let mut subtags = tag.split(['-', '_']);
        let language = subtags.next().unwrap_or_default().to_ascii_lowercase();
        let mut script = None;
        let mut region = None;
        for subtag in subtags {
            let alphabetic = subtag.bytes().all(|byte| byte.is_ascii_alphabetic());
            let numeric = subtag.bytes().all(|byte| byte.is_ascii_digit());
            match subtag.len() {
                // What follows a single letter is an extension and says nothing about the place.
                1 => break,
                4 if alphabetic && script.is_none() && region.is_none() => script = Some(title_case(subtag)),
                2 if alphabetic && region.is_none() => region = Some(subtag.to_ascii_uppercase()),
                3 if numeric && region.is_none() => region = Some(subtag.to_owned()),
                _ => {}
            }
        }
        let by_script = script.as_deref().map(|script| format!("{language}-{script}"));
        let by_region = region.as_deref().map(|region| format!("{language}-{region}"));
        let by_both = by_script.as_deref().zip(region.as_deref()).map(|(script, region)| format!("{script}-{region}"));
        [by_both, by_script, by_region, Some(language)]
            .into_iter()
            .flatten()
            .find_map(|candidate| Self::exactly(&candidate))
            .or_else(|| Self::exactly("en"))
            .unwrap_or(&LOCALES[0])
    }

    fn exactly(tag: &str) -> Option<&'static Self> {
        let at = LOCALES.binary_search_by(|locale| locale.tag.cmp(tag)).ok()?;
        LOCALES.get(at)
    }

    fn symbol(&self, currency: Currency) -> &'static str {
        let code = currency.code();
        [self.own_symbols, self.symbols]
            .into_iter()
            .find_map(|symbols| {
                let at = symbols.binary_search_by(|(named, _)| (*named).cmp(code)).ok()?;
                symbols.get(at).map(|&(_, symbol)| symbol)
            })
            .unwrap_or(code)
    }
}

impl Shape {
    fn group(&self, whole: &str, digits: &Digits) -> String {
        let grouped = digits.primary > 0 && whole.len() >= digits.primary + self.minimum_grouping;
        let mut text = String::with_capacity(whole.len() * 3);
        for (at, digit) in whole.chars().enumerate() {
            let behind = whole.len() - at;
            let at_boundary = behind >= digits.primary
                && digits.secondary > 0
                && (behind - digits.primary).is_multiple_of(digits.secondary);
            if grouped && at > 0 && at_boundary {
                text.push_str(digits.group);
            }
            text.push(self.digit(digit));
        }
        text
    }

    /// An ASCII digit in the digits of the locale. Unicode puts the ten digits of a script in a row.
    fn digit(&self, ascii: char) -> char {
        ascii.to_digit(10).and_then(|value| char::from_u32(u32::from(self.zero) + value)).unwrap_or(ascii)
    }

    fn affix(&self, affix: &str, symbol: &str) -> String {
        affix.replace('-', self.minus).replace('¤', symbol)
    }
}

fn title_case(script: &str) -> String {
    let lower = script.to_ascii_lowercase();
    let (first, rest) = lower.split_at(1);
    format!("{}{rest}", first.to_ascii_uppercase())
}

/// CLDR puts a space between a digit and any symbol that ends there in something other than a sign or a space
/// (`CHF 5` but `€5`). The generator refuses a table with a sign that is not listed here.
fn needs_space_beside_digits(char: char) -> bool {
    !matches!(
        char,
        '$' | '\u{a2}'..='\u{a5}' | '\u{58f}' | '\u{60b}' | '\u{9f2}' | '\u{9f3}' | '\u{e3f}' | '\u{17db}'
            | '\u{20a0}'..='\u{20cf}' | '\u{ffe0}'..='\u{ffe6}' | ' ' | '\u{a0}' | '\u{202f}'
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn amounts_are_written_as_people_of_the_place_write_them() {
        #[rustfmt::skip]
        let table = [
            ("ko-KR", Currency::KRW, 1_234_567,  "\u{20a9}1,234,567"),
            ("ko-KR", Currency::USD, 123_450,    "US$1,234.50"),
            ("ja-JP", Currency::JPY, 1_234_567,  "\u{ffe5}1,234,567"),
            ("fa-IR", Currency::IRR, 12_345_678, "\u{200e}ریال\u{a0}۱۲\u{66c}۳۴۵\u{66c}۶۷۸"),
            ("fa-IR", Currency::EUR, 123_450,    "\u{200e}€۱\u{66c}۲۳۴\u{66b}۵۰"),
            ("de-DE", Currency::EUR, 123_450,    "1.234,50\u{a0}€"),
            ("fr-FR", Currency::EUR, 123_450,    "1\u{202f}234,50\u{a0}€"),
            ("de-CH", Currency::CHF, 123_450,    "CHF\u{a0}1'234.50"),
            ("en-IN", Currency::INR, 12_345_650, "₹1,23,456.50"),
            ("ar-EG", Currency::KWD, 1_234_567,  "\u{200f}١\u{66c}٢٣٤\u{66b}٥٦٧\u{a0}د.ك.\u{200f}"),
            // Where a library or a guess goes wrong.
            ("de-CH", Currency::CHF, -123_450,   "CHF-1'234.50"),
            ("de-AT", Currency::EUR, 123_450,    "€\u{a0}1.234,50"),
            ("pl",    Currency::EUR, 123_450,    "1234,50\u{a0}€"),
            ("es",    Currency::EUR, 1_234_550,  "12.345,50\u{a0}€"),
            ("en",    Currency::IQD, 1_234_567,  "IQD\u{a0}1,234.567"),
            ("fa",    Currency::EUR, -5,         "\u{200e}\u{2212}\u{200e}€۰\u{66b}۰۵"),
        ];
        for (locale, currency, minor, expected) in table {
            let shown = Money::new(minor, currency).display(locale);
            assert_eq!(shown, expected, "{locale} {minor} {currency}: {}", shown.escape_unicode());
        }
    }

    #[test]
    fn whole_numbers_are_grouped_and_only_those_below_zero_have_a_sign() {
        #[rustfmt::skip]
        let table = [
            ("de", 12_345,     "12.345"),
            ("en", 999,        "999"),
            ("en", 1_000,      "1,000"),
            ("en", 123_456,    "123,456"),
            ("pl", 1_000,      "1000"),
            ("pl", 10_000,     "10\u{a0}000"),
            ("en-IN", 1_234_567, "12,34,567"),
            ("fa", 12_345,     "۱۲\u{66c}۳۴۵"),
            ("en", 0,          "0"),
            ("en", -1,         "-1"),
            ("de", -12_345,    "-12.345"),
            ("fa", -5,         "\u{200e}\u{2212}۵"),
            ("en", i64::MIN,   "-9,223,372,036,854,775,808"),
        ];
        for (locale, number, expected) in table {
            let shown = display_number(number, locale);
            assert_eq!(shown, expected, "{locale} {number}: {}", shown.escape_unicode());
        }
    }

    #[test]
    fn a_locale_is_found_by_what_is_known_of_it() {
        #[rustfmt::skip]
        let table = [
            ("de-CH", "de-CH"), ("DE_ch", "de-CH"), ("de-DE", "de"), ("de-Latn-CH-1996", "de-CH"),
            ("zh-TW", "zh-TW"), ("zh-Hant-HK", "zh-Hant-HK"), ("zh-Hans-CN", "zh"), ("sr-Latn-RS", "sr-Latn"),
            ("es-419", "es-419"), ("ar-EG-u-nu-latn", "ar-EG"), ("en-u-ca-buddhist", "en"),
            ("tlh", "en"), ("", "en"), ("-", "en"), ("💶", "en"), ("de-💶", "de"), ("de--CH", "de-CH"),
            // The first region counts.
            ("de-CH-AT", "de-CH"), ("es-419-001", "es-419"),
        ];
        for (asked, found) in table {
            assert_eq!(Locale::find(asked).tag, found, "{asked:?}");
        }
    }

    #[test]
    fn the_table_can_be_searched() {
        assert!(LOCALES.is_sorted_by(|one, next| one.tag < next.tag));
        for locale in &LOCALES {
            for symbols in [locale.symbols, locale.own_symbols] {
                assert!(symbols.is_sorted_by(|(one, _), (next, _)| one < next), "{}", locale.tag);
            }
        }
        assert!(Locale::exactly("en").is_some());
        assert!(cldr_version().split('.').all(|part| part.parse::<u32>().is_ok()), "{}", cldr_version());
    }
}
