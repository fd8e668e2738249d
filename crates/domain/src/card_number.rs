//! Finding what looks like a payment card number, so that it is never kept.
//!
//! Digits, perhaps grouped by spaces or dashes, that pass the Luhn check
//! (ISO/IEC 7812-1) and begin and end as the cards of a network do. What is
//! plainly something else (a UUID, a telephone number with its plus) is let be.

use std::ops::Range;

use crate::text::ascii_digit;

/// The fewest and the most digits of a card number (ISO/IEC 7812-1 has up to 19).
const SHORTEST: usize = 13;
const LONGEST: usize = 19;

/// The most digits of a telephone number after the plus (ITU-T E.164).
const LONGEST_TELEPHONE: usize = 15;

/// Whether the text holds what looks like a card number.
#[must_use]
pub fn contains_card_number(text: &str) -> bool {
    find(&characters(text)).is_some()
}

/// The text with everything that looks like a card number replaced by `[card number]`.
#[must_use]
pub fn mask_card_numbers(text: &str) -> String {
    let characters = characters(text);
    let mut rest = text.chars();
    let mut masked = String::with_capacity(text.len());
    let mut from = 0;
    while let Some(range) = find(&characters[from..]) {
        masked.extend(rest.by_ref().take(range.start));
        masked.push_str("[card number]");
        rest.by_ref().take(range.len()).for_each(drop);
        from += range.end;
    }
    masked.extend(rest);
    masked
}

/// The text as it is looked through: one entry a character, every digit an ASCII one.
fn characters(text: &str) -> Vec<char> {
    text.chars().map(ascii_digit).collect()
}

/// The first card number, as a range of characters.
fn find(characters: &[char]) -> Option<Range<usize>> {
    let mut start = 0;
    while start < characters.len() {
        let preceded = start > 0 && characters[start - 1].is_ascii_alphanumeric();
        if preceded || !characters[start].is_ascii_alphanumeric() {
            start += 1;
        } else if is_uuid(&characters[start..]) {
            start += 36;
        } else if let Some(length) = telephone(characters, start) {
            start += length;
        } else if let Some(length) = card_number(&characters[start..]) {
            return Some(start..start + length);
        } else {
            start += 1;
        }
    }
    None
}

/// The length in characters of the longest card number that the characters begin with.
fn card_number(characters: &[char]) -> Option<usize> {
    let mut digits = Vec::with_capacity(LONGEST);
    let mut found = None;
    for (place, digit) in grouped_digits(characters) {
        digits.push(digit);
        let ends = characters.get(place + 1).is_none_or(|next| !next.is_ascii_alphanumeric());
        if digits.len() >= SHORTEST && ends && is_issued(&digits) && passes_luhn(&digits) {
            found = Some(place + 1);
        }
        if digits.len() == LONGEST {
            break;
        }
    }
    found
}

/// The digits from here on with their places, over one or two spaces or
/// dashes between groups, as people write ` - `.
fn grouped_digits(characters: &[char]) -> impl Iterator<Item = (usize, u32)> {
    let mut gap = 0;
    characters
        .iter()
        .enumerate()
        .take_while(move |(_, character)| {
            let separates =
                matches!(character, ' ' | '-' | '.' | '\u{a0}' | '\u{2009}' | '\u{202f}' | '\u{2010}'..='\u{2015}');
            gap = if separates { gap + 1 } else { 0 };
            character.is_ascii_digit() || (separates && gap <= 3)
        })
        .filter_map(|(place, character)| character.to_digit(10).map(|digit| (place, digit)))
}

/// Whether a network issues cards with this beginning and length (the issuer
/// ranges of Visa, Mastercard, American Express, Diners, JCB, Discover,
/// UnionPay, Maestro, Mir; Iranian bank cards begin with 50, 58, 60, 62 or 63).
fn is_issued(digits: &[u32]) -> bool {
    let first = |count: usize| digits.iter().take(count).fold(0, |number, digit| number * 10 + digit);
    match (first(1), first(2), first(4), digits.len()) {
        (4, _, _, 13 | 16 | 19)
        | (_, 51..=55, _, 16)
        | (_, _, 2221..=2720, 16)
        | (_, _, 2200..=2204, 16..=19)
        | (_, 34 | 37, _, 15)
        | (_, 36, _, 14..=19)
        | (_, 30 | 38 | 39, _, 14..=19)
        | (_, _, 3528..=3589, 16..=19)
        | (_, 50 | 56..=58, _, 13..=19)
        | (6, _, _, 13..=19)
        | (_, 81, _, 16) => true,
        (_, _, _, _) => false,
    }
}

fn passes_luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => *digit,
            (_, doubled) if doubled > 9 => doubled - 9,
            (_, doubled) => doubled,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether the characters begin with a UUID: fingerprints often are one, and some have only digits in a row.
fn is_uuid(characters: &[char]) -> bool {
    characters.len() >= 36
        && characters.get(36).is_none_or(|next| !next.is_ascii_alphanumeric())
        && characters.iter().take(36).enumerate().all(|(place, character)| match place {
            8 | 13 | 18 | 23 => *character == '-',
            _ => character.is_ascii_hexdigit(),
        })
}

/// The length of a telephone number that begins here, behind its plus.
fn telephone(characters: &[char], start: usize) -> Option<usize> {
    if start == 0 || characters[start - 1] != '+' {
        return None;
    }
    let (count, last) = grouped_digits(&characters[start..]).fold((0, 0), |(count, _), (place, _)| (count + 1, place));
    (1..=LONGEST_TELEPHONE).contains(&count).then_some(last + 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_looks_like_a_card_number_is_found_however_it_is_written() {
        #[rustfmt::skip]
        let table = [
            ("4242424242424242",                           "Visa"),
            ("4222222222222",                              "Visa of thirteen digits"),
            ("5555 5555 5555 4444",                        "Mastercard, spaced"),
            ("2223-0031-2200-3222",                        "Mastercard of the 2 series, dashed"),
            ("3782 822463 10005",                          "American Express"),
            ("30569309025904",                             "Diners"),
            ("6011111111111117",                           "Discover"),
            ("3566 0020 2036 0505",                        "JCB"),
            ("6200000000000005",                           "UnionPay"),
            ("2200000000000004",                           "Mir"),
            ("6037 9971 1111 1119",                        "an Iranian bank card"),
            ("۴۲۴۲ ۴۲۴۲ ۴۲۴۲ ۴۲۴۲",                        "Persian digits"),
            ("٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢",                           "Arabic digits"),
            ("4242 - 4242 - 4242 - 4242",                  "dashes with spaces around"),
            ("4242\u{a0}4242\u{a0}4242\u{a0}4242",         "spaces that do not break"),
            ("4242.4242.4242.4242",                        "dots"),
            ("my card:4242424242424242,exp 12/27",         "amid other text"),
            ("card 4242 4242 4242 4242 cvc 123",           "before more words"),
            ("+4242424242424242",                          "a plus does not make it a telephone number"),
            ("order 12 4242 4242 4242 4242",               "after another number"),
            ("550e8400-e29b-41d4-a716-446655440000 4242424242424242", "after a UUID"),
        ];
        for (text, why) in table {
            assert!(contains_card_number(text), "{why}: {text}");
        }
    }

    #[test]
    fn what_is_something_else_is_let_be() {
        let longest = "1".repeat(40);
        #[rustfmt::skip]
        let table = [
            ("",                                           "nothing"),
            ("4242424242424241",                           "fails the Luhn check"),
            ("42424242424242424242424242424242",           "too many digits in a row"),
            ("550e8400-e29b-41d4-a716-446655440000",       "a UUID"),
            ("42424242-4242-4242-9242-424242424242",       "a UUID of digits alone, whose beginning passes the Luhn check"),
            ("K7QM-2X9P",                                  "an order number"),
            ("ord_06b4z3n5xw1n5c9v4k2m8t7q9r",             "an id"),
            ("7ZZZ-4242-4242-4242-X2K4-4242-4242",         "a license key in groups"),
            ("+49 170 1234567",                            "a telephone number"),
            ("+62 4242 4242 4242 2",                       "a long telephone number that passes the Luhn check"),
            ("DE89 3704 0044 0532 0130 00",                "an IBAN"),
            ("2026-11-24 03:42:17",                        "a time"),
            ("1764000000000000",                           "microseconds"),
            ("a4242424242424242",                          "inside a word"),
            ("0000000000000000",                           "zeros, which pass the Luhn check"),
            (longest.as_str(),                             "ones"),
        ];
        for (text, why) in table {
            assert!(!contains_card_number(text), "{why}: {text}");
            assert_eq!(mask_card_numbers(text), text);
        }
    }

    #[test]
    fn every_card_number_in_a_text_is_masked_and_nothing_else() {
        let table = [
            ("pay 4242 4242 4242 4242 or 5555555555554444!", "pay [card number] or [card number]!"),
            ("Überweisung ۴۲۴۲۴۲۴۲۴۲۴۲۴۲۴۲ می‌شود", "Überweisung [card number] می‌شود"),
            ("4242424242424242", "[card number]"),
        ];
        for (text, masked) in table {
            assert_eq!(mask_card_numbers(text), masked);
        }
    }

    #[test]
    fn a_long_run_of_digits_and_spaces_is_searched_in_step_with_its_length() {
        // A search that walked to the end from every digit would not come back from this.
        let text = "4 ".repeat(50_000) + &" ".repeat(50_000) + &"4".repeat(50_000);
        assert!(!contains_card_number(&text.replace("4 4", "4   4")));
    }
}
