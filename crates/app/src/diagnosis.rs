//! Why a question about a license ended as it did, for people: the cause, what the buyer does, what support does.
//!
//! The words are messages, three for each code, in every language. Most codes
//! are verdicts ([`AttemptVerdict`]); some only ever answer a call.

use domain::{AttemptVerdict, Locale, Rule};

use crate::Catalog;

/// Codes of the license endpoints that are no verdict on a license.
pub const OTHER_CODES: [&str; 7] = [
    "license_not_usable",
    "seats_below_used",
    "fingerprint_invalid",
    "text_invalid",
    "fingerprint_required",
    "ttl_out_of_range",
    "request_not_genuine",
];

/// What a code means and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// Why it came to this.
    pub cause: String,
    /// What the buyer does.
    pub buyer: String,
    /// What the shop's support does.
    pub support: String,
}

impl Catalog {
    /// Explains a word of [`AttemptVerdict`] or one of [`OTHER_CODES`].
    #[must_use]
    pub fn diagnosis(&self, locale: &Locale, word: &str) -> Diagnosis {
        let say = |part: &str| self.text(locale, &format!("diagnosis-{word}-{part}"), &[]);
        Diagnosis { cause: say("cause"), buyer: say("buyer"), support: say("support") }
    }

    /// What a rule looks at.
    #[must_use]
    pub fn rule(&self, locale: &Locale, rule: Rule) -> String {
        self.text(locale, &format!("diagnosis-rule-{}", rule.as_str()), &[])
    }
}

/// Every word that [`Catalog::diagnosis`] explains.
pub fn explained() -> impl Iterator<Item = &'static str> {
    AttemptVerdict::ALL.into_iter().map(AttemptVerdict::as_str).chain(OTHER_CODES)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_has_a_cause_and_both_fixes_in_every_language() {
        let catalog = Catalog::new(None).unwrap();
        let english = Locale::parse("en").unwrap();
        let languages = catalog.languages();
        assert!(languages.len() > 1);
        for (locale, name) in languages {
            for word in explained() {
                let told = catalog.diagnosis(&locale, word);
                let here = [&told.cause, &told.buyer, &told.support];
                let there = catalog.diagnosis(&english, word);
                for (text, original) in here.into_iter().zip([&there.cause, &there.buyer, &there.support]) {
                    assert!(text.contains(' ') && text.ends_with('.'), "{name}, {word}: {text}");
                    assert!(locale == english || text != original, "{name}, {word}: is said in English");
                }
                assert!(here[1] != here[2] || word == "valid", "{name}, {word}: support does more than the buyer");
            }
            let rules: BTreeSet<String> = Rule::ALL.into_iter().map(|rule| catalog.rule(&locale, rule)).collect();
            assert_eq!(rules.len(), Rule::ALL.len(), "{name}: no two rules are called the same");
            assert!(rules.iter().all(|text| text.contains(' ')), "{name}: {rules:?}");
        }
    }

    #[test]
    fn no_explanation_is_there_for_nothing() {
        let source = include_str!("../messages/en/diagnosis.ftl");
        let ids: BTreeSet<&str> = source.lines().filter_map(|line| Some(line.split_once(" = ")?.0)).collect();
        let parts = ["cause", "buyer", "support"];
        let mut known: BTreeSet<String> =
            explained().flat_map(|word| parts.map(|part| format!("diagnosis-{word}-{part}"))).collect();
        known.extend(Rule::ALL.map(|rule| format!("diagnosis-rule-{}", rule.as_str())));
        known.extend(parts.map(|part| format!("diagnosis-{part}")));
        assert_eq!(ids, known.iter().map(String::as_str).collect());
    }
}
