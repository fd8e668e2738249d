//! Text that a stranger typed, made safe to keep and to compare.

use unicode_normalization::UnicodeNormalization as _;

use crate::contains_card_number;

/// Why a text was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing is left after trimming.
    #[error("is empty")]
    Empty,
    /// It has more characters than fit.
    #[error("has more than {0} characters")]
    TooLong(usize),
    /// It holds what looks like a card number.
    #[error("looks like a card number")]
    CardNumber,
}

/// Characters that are not seen but change how text is compared or shown:
/// zero-width marks, bidirectional controls, other control characters.
pub(crate) fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
        )
}

/// The ASCII digit for an Arabic-Indic or Persian one; any other character as it is.
pub(crate) fn ascii_digit(character: char) -> char {
    match character {
        '٠'..='٩' => shifted(character, '٠'),
        '۰'..='۹' => shifted(character, '۰'),
        other => other,
    }
}

fn shifted(character: char, zero: char) -> char {
    char::from_digit(u32::from(character) - u32::from(zero), 10).unwrap_or(character)
}

/// One line of text as it is kept: NFKC, no invisible characters but the
/// joiners that Persian and other scripts are spelled with, single spaces, at
/// most `longest` characters, and never a card number.
///
/// # Errors
/// Says what was wrong; the caller keeps the input for the person to mend.
pub fn plain_text(input: &str, longest: usize) -> Result<String, TextError> {
    let text = clean(input);
    if text.is_empty() {
        Err(TextError::Empty)
    } else if text.chars().count() > longest {
        Err(TextError::TooLong(longest))
    } else if contains_card_number(&text) {
        Err(TextError::CardNumber)
    } else {
        Ok(text)
    }
}

/// A text as it is kept: NFKC, nothing invisible but what words are spelled with, single spaces.
pub(crate) fn clean(input: &str) -> String {
    if is_clean(input) {
        return input.to_owned();
    }
    let characters: Vec<char> =
        input.nfkc().map(|character| if character.is_whitespace() { ' ' } else { character }).collect();
    let joins = |place: usize| {
        let neighbour = |place: Option<usize>| {
            place.and_then(|place| characters.get(place)).is_some_and(|next| !next.is_ascii() && !is_invisible(*next))
        };
        neighbour(place.checked_sub(1)) && neighbour(place.checked_add(1))
    };
    let visible: String = characters
        .iter()
        .enumerate()
        .filter(|(place, character)| !is_invisible(**character) || (is_joiner(**character) && joins(*place)))
        .map(|(_, character)| *character)
        // What stood around something invisible may be one character now.
        .nfkc()
        .collect();
    visible.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Whether a text is in plain ASCII and has nothing that could be cleaned, as what programs send all day.
fn is_clean(input: &str) -> bool {
    let is_plain = input.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    is_plain && !input.starts_with(' ') && !input.ends_with(' ') && !input.contains("  ")
}

/// ZWNJ and ZWJ: unseen, yet part of the spelling.
fn is_joiner(character: char) -> bool {
    matches!(character, '\u{200c}' | '\u{200d}')
}

/// What two texts that a person would call the same have in common: NFKC,
/// lower case, ASCII digits, nothing invisible, no spaces at the ends.
#[must_use]
pub fn search_key(input: &str) -> String {
    input
        .nfkc()
        .filter(|character| !is_invisible(*character))
        .map(ascii_digit)
        .flat_map(char::to_lowercase)
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fingerprint;

    #[test]
    fn a_line_of_text_is_kept_clean_or_refused_with_the_reason() {
        #[rustfmt::skip]
        let table = [
            ("Mina",                             Ok("Mina"),                      "as it is"),
            ("  Mina \t\n Sow  ",                Ok("Mina Sow"),                  "one line, single spaces"),
            ("Ｍｉｎａ",                         Ok("Mina"),                      "full-width letters"),
            ("Mi\u{200b}na\u{202e}",             Ok("Mina"),                      "zero-width and bidirectional marks"),
            ("Mi\u{ad}na\u{61c}",                Ok("Mina"),                      "soft hyphen, Arabic letter mark"),
            ("Mi\u{0}na\u{7}",                   Ok("Mina"),                      "control characters"),
            ("علی\u{200c}رضا",                   Ok("علی\u{200c}رضا"),           "the joiner that a Persian name is spelled with"),
            ("👩\u{200d}💻",                      Ok("👩\u{200d}💻"),              "a joined emoji"),
            ("Mi\u{200c}na\u{200d}",             Ok("Mina"),                      "no joiner between Latin letters"),
            ("\u{200c}علی\u{200c}",              Ok("علی"),                       "no joiner at the ends"),
            ("ÅÅÅÅÅÅÅÅ",                         Ok("ÅÅÅÅÅÅÅÅ"),                  "characters are counted, not bytes"),
            ("",                                 Err(TextError::Empty),           "nothing"),
            (" \u{200b}\u{feff} ",               Err(TextError::Empty),           "nothing that is seen"),
            ("nine char",                        Err(TextError::TooLong(8)),      "one too many"),
        ];
        for (input, kept, why) in table {
            let longest = if why == "one too many" { 8 } else { 12 };
            assert_eq!(plain_text(input, longest), kept.map(str::to_owned), "{why}");
        }
        assert_eq!(plain_text("my card is ۴۲۴۲ ۴۲۴۲ ۴۲۴۲ ۴۲۴۲", 99), Err(TextError::CardNumber));
        assert_eq!(plain_text("4242\u{200b}4242\u{200b}4242\u{200b}4242", 99), Err(TextError::CardNumber));
    }

    #[test]
    fn clean_text_stays_as_it_is() {
        for input in ["Mina  Sow", "Ｍｉｎａ", "علی\u{200c}رضا", "e\u{301}\u{200b}e\u{301}", "e\u{200b}\u{301}", "ﬁn"]
        {
            let once = plain_text(input, 99);
            assert_eq!(once.clone().and_then(|text| plain_text(&text, 99)), once, "{input}");
        }
    }

    #[test]
    fn what_a_person_would_call_the_same_has_one_search_key() {
        for (one, other) in [
            ("Northlight Pro", " northlight pro "),
            ("K7QM-2X9P", "k7qm-2x9p"),
            ("۱۲۳", "123"),
            ("٤٥٦", "456"),
            ("Ｎｏｒｔｈ", "north"),
            ("می\u{200c}خواهم", "میخواهم"),
            ("ÉCLAIR", "e\u{301}clair"),
        ] {
            assert_eq!(search_key(one), search_key(other));
        }
        assert_ne!(search_key("north light"), search_key("northlight"));
    }

    #[test]
    fn a_fingerprint_is_one_to_255_visible_characters() {
        let longest = "x".repeat(255);
        let table = [
            ("550e8400-e29b-41d4-a716-446655440000", true),
            ("42424242-4242-4242-9242-424242424242", true),
            (longest.as_str(), true),
            ("00:1B:44:11:3A:B7", true),
            ("", false),
            ("   ", false),
            ("4242424242424242", false),
        ];
        for (text, good) in table {
            assert_eq!(Fingerprint::parse(text).is_ok(), good, "{text}");
        }
        assert_eq!(Fingerprint::parse(&"x".repeat(256)), Err(TextError::TooLong(255)));
        assert_eq!(Fingerprint::parse(" laptop ").as_ref().map(Fingerprint::as_str), Ok("laptop"));
    }
}
