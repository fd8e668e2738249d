//! The license key that people see: 125 random bits that nobody guesses, and check symbols that recognise a
//! mistyped key on the spot. Whether a well-formed key was ever sold, only the shop knows.
//!
//! 28 symbols of Crockford's base 32: 25 of data, most significant first, then 3 of a Reed-Solomon code over
//! GF(32). Its distance is 4, so up to three wrong symbols, and any two exchanged, never make another key.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const DATA_SYMBOLS: usize = 25;
const CHECK_SYMBOLS: usize = 3;
const SYMBOLS: usize = DATA_SYMBOLS + CHECK_SYMBOLS;
const GROUP: usize = 4;

/// A license key, such as `7ZZZ-…` in seven groups of four. `Display` writes it whole, in its one canonical
/// form, which is what is hashed and compared; `Debug` shows the last group only, so that a log never holds a
/// key that works.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct KeyCode([u8; SYMBOLS]);

/// Why a text is not a license key. Every case is a slip of the hand: nothing has been looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyCodeError {
    /// There is nothing but spaces and dashes.
    Empty,
    /// The text has more or fewer letters and digits than a key.
    WrongLength {
        /// How many letters and digits there are.
        found: usize,
    },
    /// A character that no key contains.
    BadSymbol {
        /// The character as typed.
        symbol: char,
        /// Its place among the letters and digits, counted from 1, spaces and dashes not counted.
        position: usize,
    },
    /// Every symbol is possible, but together they are no key: at least one is mistyped.
    WrongCheckSymbols,
}

impl KeyCodeError {
    /// The stable word for it, the same in every language that a client library is written in.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::WrongLength { .. } => "wrong_length",
            Self::BadSymbol { .. } => "bad_symbol",
            Self::WrongCheckSymbols => "wrong_check_symbols",
        }
    }
}

impl KeyCode {
    /// How many letters and digits a key has.
    pub const LENGTH: usize = SYMBOLS;

    /// Makes a key of random bytes, of which 125 bits are used (all but the last three). The bytes must come
    /// from a source that nobody can predict.
    #[must_use]
    pub fn from_random_bytes(bytes: [u8; 16]) -> Self {
        let bits = u128::from_be_bytes(bytes) >> 3;
        let mut symbols = [0; SYMBOLS];
        for (at, symbol) in symbols.iter_mut().take(DATA_SYMBOLS).enumerate() {
            let [lowest, ..] = (bits >> (5 * (DATA_SYMBOLS - 1 - at))).to_le_bytes();
            *symbol = lowest & 31;
        }
        let (data, check) = symbols.split_at_mut(DATA_SYMBOLS);
        check.copy_from_slice(&check_symbols(data));
        Self(symbols)
    }

    /// Reads a key as people type and paste it: in any case, with or without dashes of any kind, spaces and
    /// invisible marks; `O` for zero, `I` and `L` for one; full-width letters; Arabic and Persian digits.
    ///
    /// # Errors
    /// What is wrong with it, most useful first: a character that cannot be, the length, the check symbols.
    pub fn parse(text: &str) -> Result<Self, KeyCodeError> {
        let mut symbols = [0; SYMBOLS];
        let mut found = 0;
        for char in text.chars() {
            let value = match read(char) {
                Sign::Symbol(value) => value,
                Sign::Decoration => continue,
                Sign::Other => return Err(KeyCodeError::BadSymbol { symbol: char, position: found + 1 }),
            };
            if let Some(symbol) = symbols.get_mut(found) {
                *symbol = value;
            }
            found += 1;
        }
        match found {
            0 => Err(KeyCodeError::Empty),
            SYMBOLS if is_code_word(&symbols) => Ok(Self(symbols)),
            SYMBOLS => Err(KeyCodeError::WrongCheckSymbols),
            _ => Err(KeyCodeError::WrongLength { found }),
        }
    }

    /// The last group, by which support and a buyer can speak about a key without saying it.
    #[must_use]
    pub fn tail(&self) -> String {
        self.0[SYMBOLS - GROUP..].iter().map(|&value| letter(value)).collect()
    }
}

fn letter(value: u8) -> char {
    char::from(ALPHABET[usize::from(value & 31)])
}

/// What people and programs put between the symbols of a key: spaces, dashes of print and marks that nobody sees. Of what
/// is ASCII these are the spaces alone.
pub(crate) fn is_decoration(char: char) -> bool {
    char.is_whitespace()
        || matches!(
            char,
            // Dashes and hyphens; the long vowel mark is what a Japanese keyboard types for one.
            '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}'
                | '\u{30fc}' | '\u{ff70}'
                // Soft hyphen, zero-width characters, direction marks, byte order mark.
                | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
}

/// What a character is in a key.
#[derive(Clone, Copy)]
enum Sign {
    Symbol(u8),
    Decoration,
    Other,
}

/// Those that nearly every key is written with; keys are read all day.
const ASCII: [Sign; 128] = {
    let mut signs = [Sign::Other; 128];
    let mut value: u8 = 0;
    while value < 32 {
        let letter = ALPHABET[value as usize];
        signs[letter as usize] = Sign::Symbol(value);
        signs[letter.to_ascii_lowercase() as usize] = Sign::Symbol(value);
        value += 1;
    }
    let mistaken = [(b'O', 0), (b'o', 0), (b'I', 1), (b'i', 1), (b'L', 1), (b'l', 1)];
    let mut at = 0;
    while at < mistaken.len() {
        signs[mistaken[at].0 as usize] = Sign::Symbol(mistaken[at].1);
        at += 1;
    }
    let between = [b'-', b'_', b' ', b'\t', b'\n', b'\x0b', b'\x0c', b'\r'];
    let mut at = 0;
    while at < between.len() {
        signs[between[at] as usize] = Sign::Decoration;
        at += 1;
    }
    signs
};

fn read(char: char) -> Sign {
    let of_ascii = |char: char| usize::try_from(u32::from(char)).ok().and_then(|at| ASCII.get(at)).copied();
    if char.is_ascii() {
        return of_ascii(char).unwrap_or(Sign::Other);
    }
    if is_decoration(char) {
        return Sign::Decoration;
    }
    let ascii = match char {
        '\u{ff10}'..='\u{ff5a}' => char::from_u32(u32::from(char) - 0xfee0),
        '\u{660}'..='\u{669}' => char::from_digit(u32::from(char) - 0x660, 10),
        '\u{6f0}'..='\u{6f9}' => char::from_digit(u32::from(char) - 0x6f0, 10),
        _ => None,
    };
    match ascii.and_then(of_ascii) {
        Some(Sign::Symbol(value)) => Sign::Symbol(value),
        Some(Sign::Decoration | Sign::Other) | None => Sign::Other,
    }
}

// The code is the set of polynomials over GF(32) = GF(2)[x] / (x^5 + x^2 + 1) that have the roots a, a^2 and a^3,
// a being x; the first symbol is the coefficient of the highest power. Another implementation needs only this.
const ROOTS: [u8; CHECK_SYMBOLS] = [2, 4, 8];

/// The generator (z + a)(z + a^2)(z + a^3) without its leading 1, highest power first.
const GENERATOR: [u8; CHECK_SYMBOLS] = {
    let [one, two, three] = ROOTS;
    [
        one ^ two ^ three,
        multiply(one, two) ^ multiply(one, three) ^ multiply(two, three),
        multiply(multiply(one, two), three),
    ]
};

const fn multiply(left: u8, right: u8) -> u8 {
    let mut product = 0;
    let mut power = left;
    let mut bit = 0;
    while bit < 5 {
        if right >> bit & 1 == 1 {
            product ^= power;
        }
        power <<= 1;
        if power & 0b10_0000 != 0 {
            power ^= 0b10_0101;
        }
        bit += 1;
    }
    product
}

/// Every symbol times each of the roots.
const TIMES_ROOTS: [[u8; 32]; CHECK_SYMBOLS] = {
    let mut tables = [[0; 32]; CHECK_SYMBOLS];
    let mut at = 0;
    while at < CHECK_SYMBOLS {
        let mut value: u8 = 0;
        while value < 32 {
            tables[at][value as usize] = multiply(value, ROOTS[at]);
            value += 1;
        }
        at += 1;
    }
    tables
};

/// The remainder of the data, shifted up, by the generator.
fn check_symbols(data: &[u8]) -> [u8; CHECK_SYMBOLS] {
    let [high, middle, low] = GENERATOR;
    data.iter().fold([0; CHECK_SYMBOLS], |[first, second, third], &symbol| {
        let carried = first ^ symbol;
        [second ^ multiply(carried, high), third ^ multiply(carried, middle), multiply(carried, low)]
    })
}

fn is_code_word(symbols: &[u8; SYMBOLS]) -> bool {
    let value_at = |times: &[u8; 32]| symbols.iter().fold(0, |value, &symbol| times[usize::from(value & 31)] ^ symbol);
    TIMES_ROOTS.iter().all(|times| value_at(times) == 0)
}

impl fmt::Display for KeyCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(SYMBOLS + SYMBOLS / GROUP);
        for (at, &value) in self.0.iter().enumerate() {
            if at > 0 && at % GROUP == 0 {
                text.push('-');
            }
            text.push(letter(value));
        }
        formatter.pad(&text)
    }
}

impl fmt::Debug for KeyCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyCode(…{})", self.tail())
    }
}

impl FromStr for KeyCode {
    type Err = KeyCodeError;

    fn from_str(text: &str) -> Result<Self, KeyCodeError> {
        Self::parse(text)
    }
}

impl fmt::Display for KeyCodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => formatter.write_str("there is no license key"),
            Self::WrongLength { found } => {
                write!(formatter, "a license key has {SYMBOLS} letters and digits, this text has {found}")
            }
            Self::BadSymbol { symbol, position } => {
                write!(formatter, "character {position} is {symbol:?}, which no license key contains")
            }
            Self::WrongCheckSymbols => formatter.write_str("the license key is mistyped"),
        }
    }
}

impl core::error::Error for KeyCodeError {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::format;
    use std::string::ToString;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn symbols_of(key: &KeyCode) -> Vec<char> {
        key.to_string().chars().filter(|&char| char != '-').collect()
    }

    fn text_of(symbols: &[char]) -> String {
        symbols.iter().collect()
    }

    /// Apps and client libraries compare these words.
    #[test]
    fn every_slip_has_its_word() {
        for (slip, word) in [
            (KeyCodeError::Empty, "empty"),
            (KeyCodeError::WrongLength { found: 3 }, "wrong_length"),
            (KeyCodeError::BadSymbol { symbol: '!', position: 1 }, "bad_symbol"),
            (KeyCodeError::WrongCheckSymbols, "wrong_check_symbols"),
        ] {
            assert_eq!(slip.code(), word);
        }
    }

    #[test]
    fn the_same_bytes_make_the_same_key_everywhere() {
        #[rustfmt::skip]
        let table: [([u8; 16], &str); 4] = [
            ([0; 16],                                                 "0000-0000-0000-0000-0000-0000-0000"),
            ([255; 16],                                               "ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZG6Y"),
            ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],  "000G-40R4-0M30-E209-185G-R38E-1WEC"),
            ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8],        "0000-0000-0000-0000-0000-0000-1EXA"),
        ];
        for (bytes, expected) in table {
            let key = KeyCode::from_random_bytes(bytes);
            assert_eq!(key.to_string(), expected);
            assert_eq!(KeyCode::parse(expected), Ok(key));
        }
    }

    #[test]
    fn a_key_is_read_however_it_was_typed_or_pasted() {
        let key = KeyCode::from_random_bytes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
        #[rustfmt::skip]
        let table = [
            "000G-40R4-0M30-E209-185G-R38E-1WEC",
            "000g40r40m30e209185gr38e1wec",
            "  000G 40R4\t0M30\nE209 185G R38E 1WEC\r\n",
            "OoOG-4OR4-oM3O-E2O9-i85G-R38E-lWEC",
            "OOOG-40R4-0M30-E209-L85G-R38E-IWEC",
            "000G\u{2013}40R4\u{2014}0M30\u{2011}E209\u{2212}185G\u{ff0d}R38E\u{30fc}1WEC",
            "\u{feff}\u{200e}000G-40R4-0M30-E209-\u{200b}185G-R38E-1WEC\u{202c}\u{2069}",
            "０００Ｇ－４０Ｒ４－０ｍ３０－Ｅ２０９－１８５Ｇ－Ｒ３８Ｅ－１ＷＥＣ",
            "٠٠٠G-٤٠R٤-٠M٣٠-E٢٠٩-١٨٥G-R٣٨E-١WEC",
            "۰۰۰G-۴۰R۴-۰M۳۰-E۲۰۹-۱۸۵G-R۳۸E-۱WEC",
        ];
        for text in table {
            assert_eq!(KeyCode::parse(text), Ok(key.clone()), "{text:?}");
        }
    }

    #[test]
    fn a_text_that_is_no_key_is_told_why() {
        let long = "0".repeat(100_000);
        #[rustfmt::skip]
        let table = [
            ("", KeyCodeError::Empty),
            (" - \u{200b}\n", KeyCodeError::Empty),
            ("000G-40R4-0M30-E209-185G-R38E-1WE", KeyCodeError::WrongLength { found: 27 }),
            ("000G-40R4-0M30-E209-185G-R38E-1WEC0", KeyCodeError::WrongLength { found: 29 }),
            (&long, KeyCodeError::WrongLength { found: 100_000 }),
            ("000G-40R4-0M3U-E209-185G-R38E-1WEC", KeyCodeError::BadSymbol { symbol: 'U', position: 12 }),
            ("buyer@example.com", KeyCodeError::BadSymbol { symbol: 'u', position: 2 }),
            ("000G-40R4-0M30-E209-185G-R38E-1WE💶", KeyCodeError::BadSymbol { symbol: '💶', position: 28 }),
            ("000G-40R4-0M30-E209-185G-R38E-1WED", KeyCodeError::WrongCheckSymbols),
            ("00G0-40R4-0M30-E209-185G-R38E-1WEC", KeyCodeError::WrongCheckSymbols),
        ];
        for (text, expected) in table {
            assert_eq!(KeyCode::parse(text), Err(expected));
            assert!(!expected.to_string().is_empty());
        }
    }

    /// The code is linear, so this is a proof and not a sample: an error of up to three symbols goes unseen only
    /// if that many columns of the check matrix depend on each other.
    #[test]
    fn no_change_of_up_to_three_symbols_makes_another_key() {
        let columns: Vec<[u8; 3]> =
            (0..SYMBOLS).map(|place| ROOTS.map(|root| (0..place).fold(1, |power, _| multiply(power, root)))).collect();
        for (first, [a, d, g]) in columns.iter().copied().enumerate() {
            for (second, [b, e, h]) in columns.iter().copied().enumerate().skip(first + 1) {
                for &[c, f, i] in columns.iter().skip(second + 1) {
                    let determinant = multiply(a, multiply(e, i) ^ multiply(f, h))
                        ^ multiply(b, multiply(d, i) ^ multiply(f, g))
                        ^ multiply(c, multiply(d, h) ^ multiply(e, g));
                    assert_ne!(determinant, 0);
                }
            }
        }
    }

    #[test]
    fn a_key_never_appears_in_debug_output() {
        let key = KeyCode::from_random_bytes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
        assert_eq!(format!("{key:?}"), "KeyCode(…1WEC)");
        assert_eq!(key.tail(), "1WEC");
    }

    proptest! {
        #[test]
        fn a_key_reads_back_as_itself(bytes: [u8; 16]) {
            let key = KeyCode::from_random_bytes(bytes);
            prop_assert_eq!(KeyCode::parse(&key.to_string()), Ok(key.clone()));
            prop_assert_eq!(key.to_string().len(), 34);
        }

        #[test]
        fn all_but_the_last_three_random_bits_reach_the_key(bytes: [u8; 16], bit in 0_usize..128) {
            let mut other = bytes;
            other[bit / 8] ^= 0x80 >> (bit % 8);
            let same = KeyCode::from_random_bytes(bytes) == KeyCode::from_random_bytes(other);
            prop_assert_eq!(same, bit >= 125);
        }

        #[test]
        fn up_to_three_mistyped_symbols_are_noticed(
            bytes: [u8; 16],
            slips in prop::collection::btree_map(0_usize..SYMBOLS, 1_usize..32, 1..=3),
        ) {
            let mut symbols = symbols_of(&KeyCode::from_random_bytes(bytes));
            for (place, shift) in slips {
                let value = ALPHABET.iter().position(|&letter| char::from(letter) == symbols[place]).unwrap();
                symbols[place] = char::from(ALPHABET[(value + shift) % 32]);
            }
            prop_assert_eq!(KeyCode::parse(&text_of(&symbols)), Err(KeyCodeError::WrongCheckSymbols));
        }

        #[test]
        fn two_exchanged_symbols_are_noticed(bytes: [u8; 16], one in 0..SYMBOLS, other in 0..SYMBOLS) {
            let mut symbols = symbols_of(&KeyCode::from_random_bytes(bytes));
            prop_assume!(symbols[one] != symbols[other]);
            symbols.swap(one, other);
            prop_assert_eq!(KeyCode::parse(&text_of(&symbols)), Err(KeyCodeError::WrongCheckSymbols));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC*") {
            let _ = KeyCode::parse(&text);
        }
    }
}
