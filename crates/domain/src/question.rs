//! What a buyer is asked at the till beside the e-mail: a user name, an account, the name of a host.
//!
//! A plan asks a few questions. What is asked is frozen into the lines of an
//! order when its checkout opens, and what was answered takes its place there,
//! with the label that the buyer read.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{TextError, plain_text};

/// A text of the seller's, in one language or more: by language tag.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Wording(pub BTreeMap<String, String>);

impl Wording {
    /// The text in this language, or the English one, or the first there is.
    #[must_use]
    pub fn in_language(&self, language: &str) -> &str {
        let texts = &self.0;
        let text = texts.get(language).or_else(|| texts.get("en")).or_else(|| texts.values().next());
        text.map(String::as_str).unwrap_or_default()
    }
}

/// Something to be answered before paying.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// What programs call it; once in a plan.
    pub name: String,
    /// What the buyer reads.
    pub label: Wording,
    /// Whether nothing is sold without an answer.
    #[serde(rename = "required")]
    pub is_required: bool,
    /// What can be answered; empty: any line of text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// A sentence under the label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<Wording>,
}

/// What a buyer answered.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The name of the question.
    pub name: String,
    /// Its label, as the buyer read it.
    pub label: String,
    /// The answer.
    pub value: String,
}

/// Without what was answered, which is the buyer's own.
impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Answer").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AnswerFault {
    /// There is none, and there must be one.
    #[error("is missing")]
    Missing,
    /// It has more characters than fit.
    #[error("has more than {} characters", Question::LONGEST_ANSWER)]
    TooLong,
    /// It is not among the choices.
    #[error("is not one of the choices")]
    NotAChoice,
    /// It holds what looks like a card number.
    #[error("looks like a card number")]
    CardNumber,
    /// Nobody asked.
    #[error("answers no question of the plan")]
    NotAsked,
}

/// An answer that is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerError {
    /// The name of the question.
    pub name: String,
    /// What is wrong.
    pub fault: AnswerFault,
}

impl Question {
    /// The most questions of a plan: each costs buyers.
    pub const MOST: usize = 3;
    /// The most questions of a bundle, with those of its parts.
    pub const MOST_OF_BUNDLE: usize = 5;
    /// The most characters of a name.
    pub const LONGEST_NAME: usize = 40;
    /// The most characters of an answer.
    pub const LONGEST_ANSWER: usize = 200;
    /// The most choices of a question.
    pub const MOST_CHOICES: usize = 100;

    /// Whether programs can call a question so: small letters, digits and `_`, 40 at most.
    #[must_use]
    pub fn is_name(text: &str) -> bool {
        (1..=Self::LONGEST_NAME).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    }

    /// What was said, as it is kept; `None`: nothing was.
    ///
    /// # Errors
    /// When it cannot be taken.
    fn read(&self, said: &str) -> Result<Option<String>, AnswerFault> {
        let value = match plain_text(said, Self::LONGEST_ANSWER) {
            Ok(value) => value,
            Err(TextError::Empty) => return Ok(None),
            Err(TextError::TooLong(_)) => return Err(AnswerFault::TooLong),
            Err(TextError::CardNumber) => return Err(AnswerFault::CardNumber),
        };
        if !self.choices.is_empty() && !self.choices.contains(&value) {
            return Err(AnswerFault::NotAChoice);
        }
        Ok(Some(value))
    }

    fn answered(&self, value: String, language: &str) -> Answer {
        Answer { name: self.name.clone(), label: self.label.in_language(language).to_owned(), value }
    }
}

/// The questions, each name once: as it is asked first, and required where any requires it.
#[must_use]
pub fn each_once<'a>(questions: impl IntoIterator<Item = &'a Question>) -> Vec<Question> {
    let mut asked: Vec<Question> = Vec::new();
    for question in questions {
        match asked.iter_mut().find(|known| known.name == question.name) {
            Some(known) => known.is_required |= question.is_required,
            None => asked.push(question.clone()),
        }
    }
    asked
}

/// Reads what a buyer said to every question: what can be taken, and what is wrong with the rest, in the order of the
/// questions. Names that nobody asked for are not looked at.
#[must_use]
pub fn read_answers(
    questions: &[Question],
    said: &BTreeMap<String, String>,
    language: &str,
) -> (Vec<Answer>, Vec<AnswerError>) {
    let mut answers = Vec::new();
    let mut errors = Vec::new();
    for question in questions {
        let said = said.get(&question.name).map(String::as_str).unwrap_or_default();
        let fault = match question.read(said) {
            Ok(Some(value)) => {
                answers.push(question.answered(value, language));
                continue;
            }
            Ok(None) if question.is_required => AnswerFault::Missing,
            Ok(None) => continue,
            Err(fault) => fault,
        };
        errors.push(AnswerError { name: question.name.clone(), fault });
    }
    (answers, errors)
}

/// Reads what the seller's program knows already; what it does not say the buyer is asked.
///
/// # Errors
/// The first answer that cannot be taken, or that nobody asked for.
pub fn read_known_answers(
    questions: &[Question],
    said: &BTreeMap<String, String>,
    language: &str,
) -> Result<Vec<Answer>, AnswerError> {
    let mut answers = Vec::new();
    for (name, said) in said {
        // Of a name that is no name of ours only the beginning is told.
        let error = |fault| AnswerError { name: name.chars().take(Question::LONGEST_NAME).collect(), fault };
        let question = questions.iter().find(|question| question.name == *name);
        let question = question.ok_or_else(|| error(AnswerFault::NotAsked))?;
        answers.extend(question.read(said).map_err(error)?.map(|value| question.answered(value, language)));
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wording(texts: &[(&str, &str)]) -> Wording {
        Wording(texts.iter().map(|(language, text)| ((*language).to_owned(), (*text).to_owned())).collect())
    }

    fn question(name: &str, is_required: bool, choices: &[&str]) -> Question {
        Question {
            name: name.to_owned(),
            label: wording(&[("en", name), ("de", &format!("{name} auf Deutsch"))]),
            is_required,
            choices: choices.iter().map(|choice| (*choice).to_owned()).collect(),
            help: None,
        }
    }

    fn said(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// What is asked, what is said, what is taken of it, and why.
    type Row<'a> = (&'a [Question], &'a str, Result<Option<&'a str>, AnswerFault>, &'a str);
    /// What a program says, how many answers that makes, and why.
    type KnownRow<'a> = (&'a [(&'a str, &'a str)], Result<usize, AnswerFault>, &'a str);

    #[test]
    fn what_a_buyer_says_is_read_against_what_is_asked() {
        use AnswerFault::{CardNumber, Missing, NotAChoice, TooLong};
        let (longest, too_long) = ("é".repeat(200), "é".repeat(201));
        let text = [question("user", true, &[])];
        let optional = [question("user", false, &[])];
        let choice = [question("user", true, &["eu-west", "us east"])];
        let optional_choice = [question("user", false, &["eu-west"])];
        #[rustfmt::skip]
        let table: [Row<'_>; 17] = [
            (&text,            "mina",                Ok(Some("mina")),    "as it is"),
            (&text,            "  mina\u{200b}  sow", Ok(Some("mina sow")), "one line, nothing invisible"),
            (&text,            "",                    Err(Missing),        "nothing"),
            (&text,            " \u{feff}",           Err(Missing),        "nothing that is seen"),
            (&text,            &longest,              Ok(Some(&longest)),  "characters are counted, not bytes"),
            (&text,            &too_long,             Err(TooLong),        "one too many"),
            (&text,            "4242 4242 4242 4242", Err(CardNumber),     "a card number in the wrong field"),
            (&optional,        "",                    Ok(None),            "need not be answered"),
            (&optional,        "mina",                Ok(Some("mina")),    "but can be"),
            (&optional,        "4242424242424242",    Err(CardNumber),     "never that"),
            (&optional,        &too_long,             Err(TooLong),        "nor so much"),
            (&choice,          "us east",             Ok(Some("us east")), "one of the choices"),
            (&choice,          "asia",                Err(NotAChoice),     "none of them"),
            (&choice,          "EU-WEST",             Err(NotAChoice),     "a choice is taken as it stands"),
            (&choice,          "",                    Err(Missing),        "nothing was chosen"),
            (&optional_choice, "",                    Ok(None),            "nothing need be chosen"),
            (&optional_choice, "asia",                Err(NotAChoice),     "but nothing else can"),
        ];
        for (questions, given, expected, why) in table {
            let read = read_answers(questions, &said(&[("user", given), ("other", "not asked for")]), "en");
            let found = match &read {
                (answers, errors) if errors.is_empty() => Ok(answers.first().map(|answer| answer.value.as_str())),
                (_, errors) => Err(errors[0].fault),
            };
            assert_eq!(found, expected, "{why}: {given}");
        }
    }

    #[test]
    fn what_was_answered_is_in_no_log() {
        let (answers, _) = read_answers(&[question("host", true, &[])], &said(&[("host", "a.example")]), "en");
        assert_eq!(format!("{answers:?}"), "[Answer { name: \"host\", .. }]");
    }

    #[test]
    fn every_answer_that_cannot_be_taken_is_told_at_once_and_the_label_is_kept_as_it_was_read() {
        let questions = [question("host", true, &[]), question("note", false, &[]), question("user", true, &[])];
        let (_, errors) = read_answers(&questions, &said(&[("note", "4242424242424242")]), "de");
        let told: Vec<_> = errors.iter().map(|error| (error.name.as_str(), error.fault)).collect();
        let (missing, card) = (AnswerFault::Missing, AnswerFault::CardNumber);
        assert_eq!(told, [("host", missing), ("note", card), ("user", missing)]);

        let (answers, _) = read_answers(&questions, &said(&[("host", "a.example"), ("user", "mina")]), "de");
        let labels: Vec<_> = answers.iter().map(|answer| answer.label.as_str()).collect();
        assert_eq!(labels, ["host auf Deutsch", "user auf Deutsch"]);
    }

    #[test]
    fn what_a_program_knows_may_be_a_part_but_nothing_that_nobody_asked_for() {
        let questions = [question("host", true, &[]), question("region", true, &["eu"])];
        #[rustfmt::skip]
        let table: [KnownRow<'_>; 6] = [
            (&[],                               Ok(0),                        "the buyer is asked everything"),
            (&[("host", "a.example")],          Ok(1),                        "the buyer is asked the rest"),
            (&[("host", " ")],                  Ok(0),                        "nothing is no answer"),
            (&[("host", "a"), ("region", "eu")], Ok(2),                       "nothing is left to ask"),
            (&[("region", "us")],               Err(AnswerFault::NotAChoice), "as strict as with buyers"),
            (&[("colour", "red")],              Err(AnswerFault::NotAsked),   "a typo is told"),
        ];
        for (given, expected, why) in table {
            let read = read_known_answers(&questions, &said(given), "en");
            assert_eq!(read.map(|answers| answers.len()).map_err(|error| error.fault), expected, "{why}");
        }
    }

    #[test]
    fn a_name_is_asked_once_and_is_required_where_any_part_requires_it() {
        let questions = [question("user", false, &[]), question("host", false, &[]), question("user", true, &["a"])];
        let asked = each_once(&questions);
        let asked: Vec<_> = asked.iter().map(|asked| (asked.name.as_str(), asked.is_required)).collect();
        assert_eq!(asked, [("user", true), ("host", false)]);
    }

    #[test]
    fn a_wording_falls_back_to_english_and_then_to_what_there_is() {
        let both = wording(&[("de", "Name des Hosts"), ("en", "Host name")]);
        let one = wording(&[("de", "Name des Hosts")]);
        let table = [(&both, "de", "Name des Hosts"), (&both, "fr", "Host name"), (&one, "fr", "Name des Hosts")];
        for (wording, language, text) in table {
            assert_eq!(wording.in_language(language), text, "{language}");
        }
    }
}
