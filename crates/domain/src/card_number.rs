//! Finding what looks like a payment card number, so that it is never kept.
//!
//! Thirteen to nineteen digits, perhaps with spaces or dashes between, that
//! pass the Luhn check (ISO/IEC 7812-1) and begin as an issued card does.

use std::ops::Range;

use crate::text::ascii_digit;

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

fn find(text: &str) -> Option<Range<usize>> {
    let characters: Vec<(usize, char)> = text.char_indices().collect();
    for start in 0..characters.len() {
        let preceded = start > 0 && ascii_digit(characters[start - 1].1).is_ascii_alphanumeric();
        if preceded || !matches!(ascii_digit(characters[start].1), '2'..='6') {
            continue;
        }
        let mut digits = Vec::with_capacity(19);
        let mut longest = None;
        for (offset, character) in &characters[start..] {
            match ascii_digit(*character).to_digit(10) {
                Some(digit) if digits.len() < 19 => {
                    digits.push(digit);
                    let end = offset + character.len_utf8();
                    let followed = text[end..].chars().next().is_some_and(|next| ascii_digit(next).is_ascii_alphanumeric());
                    if digits.len() >= 13 && !followed && passes_luhn(&digits) {
                        longest = Some(characters[start].0..end);
                    }
                }
                None if matches!(character, ' ' | '-' | '\u{a0}') => {}
                Some(_) | None => break,
            }
        }
        if longest.is_some() {
            return longest;
        }
    }
    None
}

/// Whether the text holds what looks like a card number.
#[must_use]
pub fn contains_card_number(text: &str) -> bool {
    find(text).is_some()
}

/// The text with everything that looks like a card number replaced by `[card number]`.
#[must_use]
pub fn mask_card_numbers(text: &str) -> String {
    let mut rest = text;
    let mut masked = String::with_capacity(text.len());
    while let Some(range) = find(rest) {
        masked.push_str(&rest[..range.start]);
        masked.push_str("[card number]");
        rest = &rest[range.end..];
    }
    masked.push_str(rest);
    masked
}
