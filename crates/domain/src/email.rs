//! Email addresses, parsed once at the door.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_normalization::UnicodeNormalization as _;

/// An address that mail can be sent to (a usable part of RFC 5321).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email(Box<str>);

/// What is wrong with an address, precisely enough to say how to mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// Nothing was typed.
    #[error("is empty")]
    Empty,
    /// There is no `@`.
    #[error("has no @")]
    NoAt,
    /// There is more than one `@`.
    #[error("has more than one @")]
    TwoAts,
    /// Nothing stands before the `@`.
    #[error("has nothing before the @")]
    NoName,
    /// What stands after the `@` is not a domain.
    #[error("has no valid domain after the @")]
    BadDomain,
    /// A space or a character that cannot stand in an address.
    #[error("has a character that cannot stand in an address")]
    BadCharacter,
    /// Longer than mail allows (254 bytes, RFC 5321 §4.5.3.1).
    #[error("is too long")]
    TooLong,
}

impl EmailError {
    /// The stable code for programs, and the end of the message id for people.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NoAt => "no_at",
            Self::TwoAts => "two_ats",
            Self::NoName => "no_name",
            Self::BadDomain => "bad_domain",
            Self::BadCharacter => "bad_character",
            Self::TooLong => "too_long",
        }
    }
}

impl Email {
    /// Reads an address as typed: trimmed, NFKC, invisible marks dropped, the domain in lower case.
    ///
    /// # Errors
    /// Says which part is wrong.
    pub fn parse(input: &str) -> Result<Self, EmailError> {
        let text: String = input
            .nfkc()
            .filter(|character| !matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'))
            .collect();
        let text = text.trim();
        if text.is_empty() {
            return Err(EmailError::Empty);
        }
        if text.len() > 254 {
            return Err(EmailError::TooLong);
        }
        let Some((name, domain)) = text.split_once('@') else {
            return Err(EmailError::NoAt);
        };
        if domain.contains('@') {
            return Err(EmailError::TwoAts);
        }
        if name.is_empty() {
            return Err(EmailError::NoName);
        }
        let forbidden = |character: char| {
            character.is_whitespace()
                || character.is_control()
                || matches!(character, '<' | '>' | '(' | ')' | '[' | ']' | ',' | ';' | ':' | '"' | '\\')
        };
        if text.contains(forbidden)
            || name.len() > 64
            || name.starts_with('.')
            || name.ends_with('.')
            || name.contains("..")
        {
            return Err(EmailError::BadCharacter);
        }
        let domain = domain.to_lowercase();
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|character| character.is_alphanumeric() || character == '-')
        };
        if !domain.contains('.') || !domain.split('.').all(label) {
            return Err(EmailError::BadDomain);
        }
        Ok(Self(format!("{name}@{domain}").into_boxed_str()))
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What two spellings of one mailbox have in common: all in lower case.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }

    /// Enough to recognise one's own address by, too little to learn another's: `m…@example.com`.
    #[must_use]
    pub fn masked(&self) -> String {
        let (name, domain) = self.0.split_once('@').unwrap_or_default();
        format!("{}…@{domain}", name.chars().next().unwrap_or('…'))
    }
}

impl fmt::Display for Email {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.masked())
    }
}

impl Serialize for Email {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_address_is_read_or_refused_with_what_is_wrong() {
        let long_name = format!("{}@example.com", "x".repeat(65));
        let long_label = format!("mina@{}.com", "x".repeat(64));
        let too_long = format!("mina@{}com", "example.".repeat(40));
        #[rustfmt::skip]
        let table = [
            ("mina@example.com",               Ok("mina@example.com")),
            ("  mina@example.com\n",           Ok("mina@example.com")),
            ("Mina@EXAMPLE.com",               Ok("Mina@example.com")),
            ("mina+latchkey@mail.example.com", Ok("mina+latchkey@mail.example.com")),
            ("o'brien_x-y.z@example.co.uk",    Ok("o'brien_x-y.z@example.co.uk")),
            ("مینا@مثال.ایران",                Ok("مینا@مثال.ایران")),
            ("mina@bücher.example",            Ok("mina@bücher.example")),
            ("ｍｉｎａ＠example.com",           Ok("mina@example.com")),
            ("\u{200e}mina@example.com\u{200f}", Ok("mina@example.com")),
            ("",                               Err(EmailError::Empty)),
            (" \u{200b} ",                     Err(EmailError::Empty)),
            ("mina",                           Err(EmailError::NoAt)),
            ("mina.example.com",               Err(EmailError::NoAt)),
            ("mina@home@example.com",          Err(EmailError::TwoAts)),
            ("@example.com",                   Err(EmailError::NoName)),
            ("mina@",                          Err(EmailError::BadDomain)),
            ("mina@localhost",                 Err(EmailError::BadDomain)),
            ("mina@example.",                  Err(EmailError::BadDomain)),
            ("mina@.com",                      Err(EmailError::BadDomain)),
            ("mina@-example.com",              Err(EmailError::BadDomain)),
            ("mina@exa_mple.com",              Err(EmailError::BadDomain)),
            ("mi na@example.com",              Err(EmailError::BadCharacter)),
            ("mina@example.com, x@y.com",      Err(EmailError::TwoAts)),
            ("mina,x@example.com",             Err(EmailError::BadCharacter)),
            ("Mina <mina@example.com>",        Err(EmailError::BadCharacter)),
            ("mina\r\nBcc:x@example.com",      Err(EmailError::BadCharacter)),
            (".mina@example.com",              Err(EmailError::BadCharacter)),
            ("mi..na@example.com",             Err(EmailError::BadCharacter)),
            (long_name.as_str(),               Err(EmailError::BadCharacter)),
            (long_label.as_str(),              Err(EmailError::BadDomain)),
            (too_long.as_str(),                Err(EmailError::TooLong)),
        ];
        for (text, expected) in table {
            assert_eq!(Email::parse(text).as_ref().map(Email::as_str), expected.as_ref().copied(), "{text}");
        }
    }

    #[test]
    fn two_spellings_of_one_mailbox_have_one_key() {
        let key = |text: &str| Email::parse(text).unwrap().key();
        assert_eq!(key("Mina@Example.com"), key("mina@example.COM"));
        assert_ne!(key("mina@example.com"), key("mina+x@example.com"));
    }

    #[test]
    fn a_masked_address_tells_its_owner_enough_and_others_too_little() {
        let address = Email::parse("mina@example.com").unwrap();
        assert_eq!(address.masked(), "m…@example.com");
        assert_eq!(format!("{address:?}"), "m…@example.com");
    }
}
