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
fn is_invisible(character: char) -> bool {
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

/// One line of text as it is kept: NFKC, no invisible characters, single
/// spaces, at most `longest` characters, and never a card number.
///
/// # Errors
/// Says what was wrong; the caller keeps the input for the person to mend.
pub fn plain_text(input: &str, longest: usize) -> Result<String, TextError> {
    let visible: String = input
        .nfkc()
        .map(|character| if character.is_whitespace() { ' ' } else { character })
        .filter(|character| !is_invisible(*character))
        .collect();
    let text = visible.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
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
