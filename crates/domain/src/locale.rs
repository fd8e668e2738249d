//! BCP 47 language tags, as far as the shop uses them: language and region.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A language, perhaps with a region: `de`, `de-CH`, `fa-IR`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Locale(Box<str>);

impl Locale {
    /// Reads a tag in any case, with `-` or `_`. Scripts, variants and
    /// extensions are dropped, so that what is kept is always short and safe to print.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split(['-', '_']);
        let language = parts.next()?.to_ascii_lowercase();
        if !(2..=3).contains(&language.len()) || !language.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return None;
        }
        let region = parts
            .find(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_alphabetic()))
            .map(str::to_ascii_uppercase);
        Some(Self(match region {
            Some(region) => format!("{language}-{region}").into_boxed_str(),
            None => language.into_boxed_str(),
        }))
    }

    /// English, the language every message has.
    #[must_use]
    pub fn english() -> Self {
        Self("en".into())
    }

    /// The whole tag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The language alone.
    #[must_use]
    pub fn language(&self) -> &str {
        self.0.split('-').next().unwrap_or_default()
    }

    /// The region, where there is one.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.0.split('-').nth(1)
    }

    /// Whether it is written from right to left.
    #[must_use]
    pub fn is_right_to_left(&self) -> bool {
        matches!(self.language(), "ar" | "fa" | "he" | "ur" | "ps" | "ckb" | "yi")
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for Locale {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Serialize for Locale {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Locale {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a BCP 47 language tag"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_language_tag_is_cut_to_language_and_region() {
        #[rustfmt::skip]
        let table = [
            ("de",             Some("de")),
            ("DE",             Some("de")),
            ("de-ch",          Some("de-CH")),
            ("fa_IR",          Some("fa-IR")),
            (" en-US ",        Some("en-US")),
            ("zh-Hant-TW",     Some("zh-TW")),
            ("ckb-IQ",         Some("ckb-IQ")),
            ("es-419",         Some("es")),
            ("de-DE-u-co-phonebk", Some("de-DE")),
            ("",               None),
            ("x",              None),
            ("deutsch",        None),
            ("d3",             None),
            ("*",              None),
            ("../../etc",      None),
        ];
        for (text, tag) in table {
            assert_eq!(Locale::parse(text).as_ref().map(Locale::as_str), tag, "{text}");
        }
    }

    #[test]
    fn the_parts_and_the_direction_follow_from_the_tag() {
        for (tag, language, region, right_to_left) in
            [("fa-IR", "fa", Some("IR"), true), ("ar", "ar", None, true), ("de-CH", "de", Some("CH"), false)]
        {
            let locale = Locale::parse(tag).unwrap();
            assert_eq!(
                (locale.language(), locale.region(), locale.is_right_to_left()),
                (language, region, right_to_left)
            );
        }
    }
}
