//! Two answers to one question: the old system's, which the app gets, and ours, which nobody sees yet.
//!
//! What differs is told by its place in the answer. A value is told only where
//! it can be no secret; a name that may be anything is not told either.

use serde_json::{Map, Value};

use crate::{Duration, ForeignSystem, ShopId, Timestamp, contains_card_number};

/// How an answer differs at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DifferenceKind {
    /// The old system tells something here, and we do not.
    MissingHere,
    /// We tell something here, and the old system does not.
    OnlyHere,
    /// Both tell something of one type, and not the same.
    OtherValue,
    /// A text here and a number there, and the like.
    OtherType,
}

impl DifferenceKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::MissingHere, Self::OnlyHere, Self::OtherValue, Self::OtherType];

    /// The word in rows, messages and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingHere => "missing_here",
            Self::OnlyHere => "only_here",
            Self::OtherValue => "other_value",
            Self::OtherType => "other_type",
        }
    }

    /// Reads the word in rows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// How a comparison ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShadowOutcome {
    /// Both answers say the same.
    Equal,
    /// They differ somewhere.
    Different,
    /// The old system gave no answer, so ours went out.
    Unanswered,
}

impl ShadowOutcome {
    /// Every outcome.
    pub const ALL: [Self; 3] = [Self::Equal, Self::Different, Self::Unanswered];

    /// The word in rows and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Different => "different",
            Self::Unanswered => "unanswered",
        }
    }

    /// Reads the word in rows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// A place where answers of one call differ in one way, however often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShadowDifference {
    /// The shop.
    pub shop: ShopId,
    /// The old system.
    pub system: ForeignSystem,
    /// Method and path, with `{id}` for what names a thing.
    pub call: String,
    /// The JSON pointer of the place; [`STATUS`] for the status.
    pub pointer: String,
    /// How they differ.
    pub kind: DifferenceKind,
    /// What we said last, as JSON, where that can be no secret.
    pub ours: Option<String>,
    /// What the old system said last, as JSON, where that can be no secret.
    pub theirs: Option<String>,
    /// How often.
    pub times: u64,
    /// First seen.
    pub first_at: Timestamp,
    /// Last seen.
    pub last_at: Timestamp,
}

/// How many answers ended in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShadowCount {
    /// The shop.
    pub shop: ShopId,
    /// The old system.
    pub system: ForeignSystem,
    /// How they ended.
    pub outcome: ShadowOutcome,
    /// How many.
    pub times: u64,
    /// The first.
    pub first_at: Timestamp,
    /// The last.
    pub last_at: Timestamp,
}

/// An answer as it is compared.
#[derive(Clone, Copy)]
pub struct ShadowAnswer<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: &'a [u8],
}

/// What differs at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contrast {
    /// As in [`ShadowDifference`].
    pub pointer: String,
    /// As in [`ShadowDifference`].
    pub kind: DifferenceKind,
    /// As in [`ShadowDifference`].
    pub ours: Option<String>,
    /// As in [`ShadowDifference`].
    pub theirs: Option<String>,
}

/// The place of the status. No JSON pointer begins without a slash.
pub const STATUS: &str = "status";

/// Moments that are told so close to each other are the same moment.
const SAME_MOMENT: Duration = Duration::minutes(2);

/// No more is told of one answer.
const MOST: usize = 100;

/// The longest word whose value is told, in bytes.
const LONGEST_WORD: usize = 24;

/// What the seller or the app keeps there is of any form: compared as a whole, and never told.
const FREE_FORM: [&str; 3] = ["metadata", "conditions", "custom_fields"];

/// Holds our answer against the old system's; nothing: they say the same. `asked` is what the app sent: what it said
/// itself is not told.
#[must_use]
pub fn contrast(system: ForeignSystem, ours: ShadowAnswer<'_>, theirs: ShadowAnswer<'_>, asked: &str) -> Vec<Contrast> {
    let is_same_status = ours.status == theirs.status;
    let mut comparing = Comparing { system, asked, is_same_status, found: Vec::new() };
    if !is_same_status {
        let (ours, theirs) = (Some(ours.status.to_string()), Some(theirs.status.to_string()));
        comparing.found.push(Contrast { pointer: STATUS.to_owned(), kind: DifferenceKind::OtherValue, ours, theirs });
    }
    comparing.bodies(ours.body, theirs.body);
    comparing.found
}

struct Comparing<'a> {
    system: ForeignSystem,
    asked: &'a str,
    /// Answers with another status are other documents: only what both say is compared.
    is_same_status: bool,
    found: Vec<Contrast>,
}

/// A place in an answer.
#[derive(Clone, Copy)]
struct Place<'a> {
    pointer: &'a str,
    /// The last name on the way; an element of a list has the name of the list.
    name: &'a str,
}

impl Comparing<'_> {
    fn bodies(&mut self, ours: &[u8], theirs: &[u8]) {
        let read = |body: &[u8]| serde_json::from_slice::<Value>(body).ok();
        let whole = Place { pointer: "", name: "" };
        match (read(ours), read(theirs)) {
            (Some(ours), Some(theirs)) => self.values(whole, &ours, &theirs),
            _ if ours == theirs || are_sealed(ours, theirs) => {}
            _ if ours.is_empty() => self.tell(whole, DifferenceKind::MissingHere, None, None),
            _ if theirs.is_empty() => self.tell(whole, DifferenceKind::OnlyHere, None, None),
            (None, None) => self.tell(whole, DifferenceKind::OtherValue, None, None),
            (Some(_), None) | (None, Some(_)) => self.tell(whole, DifferenceKind::OtherType, None, None),
        }
    }

    fn values(&mut self, place: Place<'_>, ours: &Value, theirs: &Value) {
        match (ours, theirs) {
            (Value::Object(ours), Value::Object(theirs)) if self.is_free_form(place.name) => {
                if ours != theirs {
                    self.tell(place, DifferenceKind::OtherValue, None, None);
                }
            }
            (Value::Object(ours), Value::Object(theirs)) => self.objects(place, ours, theirs),
            (Value::Array(ours), Value::Array(theirs)) => self.lists(place, ours, theirs),
            (ours, theirs) if are_equal(ours, theirs) => {}
            (ours, theirs) => {
                let is_same_type = std::mem::discriminant(ours) == std::mem::discriminant(theirs);
                let kind = if is_same_type { DifferenceKind::OtherValue } else { DifferenceKind::OtherType };
                self.tell(place, kind, Some(ours), Some(theirs));
            }
        }
    }

    fn objects(&mut self, place: Place<'_>, ours: &Map<String, Value>, theirs: &Map<String, Value>) {
        for (name, value) in theirs {
            let pointer = format!("{}/{}", place.pointer, told_name(name));
            let inner = Place { pointer: &pointer, name };
            match ours.get(name) {
                Some(ours) => self.values(inner, ours, value),
                None => self.tell(inner, DifferenceKind::MissingHere, None, Some(value)),
            }
        }
        for (name, value) in ours.iter().filter(|(name, _)| !theirs.contains_key(*name)) {
            let pointer = format!("{}/{}", place.pointer, told_name(name));
            self.tell(Place { pointer: &pointer, name }, DifferenceKind::OnlyHere, Some(value), None);
        }
    }

    fn lists(&mut self, place: Place<'_>, ours: &[Value], theirs: &[Value]) {
        for index in 0..ours.len().max(theirs.len()).min(MOST) {
            let pointer = format!("{}/{index}", place.pointer);
            let inner = Place { pointer: &pointer, ..place };
            match (ours.get(index), theirs.get(index)) {
                (Some(ours), Some(theirs)) => self.values(inner, ours, theirs),
                (None, theirs) => self.tell(inner, DifferenceKind::MissingHere, None, theirs),
                (ours, None) => self.tell(inner, DifferenceKind::OnlyHere, ours, None),
            }
        }
    }

    fn is_free_form(&self, name: &str) -> bool {
        FREE_FORM.contains(&name) || (self.system == ForeignSystem::Polar && name == "meta")
    }

    fn tell(&mut self, place: Place<'_>, kind: DifferenceKind, ours: Option<&Value>, theirs: Option<&Value>) {
        let is_one_sided = matches!(kind, DifferenceKind::MissingHere | DifferenceKind::OnlyHere);
        if self.found.len() >= MOST || (is_one_sided && !self.is_same_status) {
            return;
        }
        let told = |value: Option<&Value>| value.and_then(|value| self.told_value(place.name, value));
        let (ours, theirs) = (told(ours), told(theirs));
        self.found.push(Contrast { pointer: place.pointer.to_owned(), kind, ours, theirs });
    }

    /// A value as JSON, where it can be no secret and names nobody.
    fn told_value(&self, name: &str, value: &Value) -> Option<String> {
        let name = name.to_ascii_lowercase();
        if ["key", "token", "secret", "password", "mail", "name"].iter().any(|word| name.contains(word)) {
            return None;
        }
        let is_told = match value {
            Value::Null | Value::Bool(_) => true,
            Value::Number(number) => !contains_card_number(&number.to_string()),
            Value::String(text) => self.is_plain_word(&name, text),
            Value::Array(_) | Value::Object(_) => false,
        };
        is_told.then(|| value.to_string())
    }

    fn is_plain_word(&self, name: &str, text: &str) -> bool {
        let is_small = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
        // Outcomes of Keygen are written large. No key is: keys have digits or dashes.
        let is_outcome = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
        let is_word =
            text.bytes().all(is_small) || (["code", "status"].contains(&name) && text.bytes().all(is_outcome));
        let is_the_apps = text.len() >= 8 && self.asked.contains(text);
        is_word && text.len() <= LONGEST_WORD && !is_the_apps && !contains_card_number(text)
    }
}

/// A name as it is told: one that may be anything, or is an id, is not.
fn told_name(name: &str) -> &str {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    if is_plain && digits <= 4 && (1..=40).contains(&name.len()) { name } else { "{id}" }
}

fn are_equal(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Number(ours), Value::Number(theirs)) => ours == theirs || ours.as_f64() == theirs.as_f64(),
        (Value::String(ours), Value::String(theirs)) => {
            ours == theirs || are_one_moment(ours, theirs) || are_sealed(ours.as_bytes(), theirs.as_bytes())
        }
        (ours, theirs) => ours == theirs,
    }
}

fn are_one_moment(ours: &str, theirs: &str) -> bool {
    let (Some(ours), Some(theirs)) = (moment(ours), moment(theirs)) else { return false };
    let apart = ours.since(theirs).as_microseconds().saturating_abs();
    apart < SAME_MOMENT.as_microseconds()
}

/// A moment in RFC 3339, or as the database of EDD writes it, without a zone.
fn moment(text: &str) -> Option<Timestamp> {
    let is_likely = (19..=40).contains(&text.len()) && text.starts_with(|first: char| first.is_ascii_digit());
    if !is_likely {
        return None;
    }
    Timestamp::parse(text).or_else(|| Timestamp::parse(&format!("{text}Z")))
}

/// Files that are signed, each with a moment of its own: never the same twice, whoever makes them.
fn are_sealed(ours: &[u8], theirs: &[u8]) -> bool {
    ours.starts_with(b"-----BEGIN ") && theirs.starts_with(b"-----BEGIN ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ours: (u16, &str), theirs: (u16, &str), expected: &[&str]) {
        let found = contrast(
            ForeignSystem::Polar,
            ShadowAnswer { status: ours.0, body: ours.1.as_bytes() },
            ShadowAnswer { status: theirs.0, body: theirs.1.as_bytes() },
            "license_key=small-key-of-an-app",
        );
        let told: Vec<String> = found
            .iter()
            .map(|one| {
                let side = |side: &Option<String>| side.clone().unwrap_or_else(|| "-".to_owned());
                format!("{} {} {} {}", one.pointer, one.kind.as_str(), side(&one.ours), side(&one.theirs))
            })
            .collect();
        assert_eq!(told, expected, "{ours:?} against {theirs:?}");
    }

    #[test]
    fn answers_that_say_the_same_differ_nowhere() {
        #[rustfmt::skip]
        let table = [
            (r#"{"a":1,"b":[null,true]}"#, r#"{"b":[null,true],"a":1.0}"#),
            (r#"{"at":"2026-01-24T14:15:07.000000Z"}"#, r#"{"at":"2026-01-24T15:17:06+01:00"}"#),
            (r#"{"at":"2026-01-24 14:15:07"}"#, r#"{"at":"2026-01-24 14:15:09"}"#),
            (r#"{"file":"-----BEGIN LICENSE FILE-----a"}"#, r#"{"file":"-----BEGIN LICENSE FILE-----b"}"#),
            ("-----BEGIN LICENSE FILE-----a", "-----BEGIN LICENSE FILE-----b"),
            ("", ""),
            ("same", "same"),
        ];
        for (ours, theirs) in table {
            check((200, ours), (200, theirs), &[]);
        }
    }

    #[test]
    fn what_differs_is_told_by_its_place() {
        #[rustfmt::skip]
        let table: [(&str, &str, &[&str]); 11] = [
            (r#"{"a":1}"#, r#"{"a":2}"#, &["/a other_value 1 2"]),
            (r#"{"a":"2"}"#, r#"{"a":2}"#, &["/a other_type \"2\" 2"]),
            (r#"{"a":null}"#, r#"{"a":{"b":1}}"#, &["/a other_type null -"]),
            (r#"{}"#, r#"{"a":{"b":false}}"#, &["/a missing_here - -"]),
            (r#"{"a":{"b":1}}"#, r#"{"a":{}}"#, &["/a/b only_here 1 -"]),
            (r#"{"a":[1,2]}"#, r#"{"a":[1,3,4]}"#, &["/a/1 other_value 2 3", "/a/2 missing_here - 4"]),
            (r#"{"at":"2026-01-24T14:15:07Z"}"#, r#"{"at":"2026-01-24T14:17:07Z"}"#, &["/at other_value - -"]),
            (r#"{"metadata":{"x":1}}"#, r#"{"metadata":{"x":2}}"#, &["/metadata other_value - -"]),
            (r#"{"meta":{"x":1}}"#, r#"{"meta":{"y":1}}"#, &["/meta other_value - -"]),
            ("", r#"{"a":1}"#, &[" missing_here - -"]),
            ("<html>", r#"{"a":1}"#, &[" other_type - -"]),
        ];
        for (ours, theirs, expected) in table {
            check((200, ours), (200, theirs), expected);
        }
    }

    #[test]
    fn under_another_status_only_what_both_say_is_told() {
        check(
            (400, r#"{"valid":false,"error":"off","x":1}"#),
            (200, r#"{"valid":true,"meta":{"a":1}}"#),
            &["status other_value 400 200", "/valid other_value false true"],
        );
        check((404, ""), (204, ""), &["status other_value 404 204"]);
    }

    #[test]
    fn no_secret_and_nobody_is_told() {
        #[rustfmt::skip]
        let table = [
            ("status", "\"granted\"", true),
            ("code", "\"SUSPENDED\"", true),
            ("detail", "\"SUSPENDED\"", false),
            ("code", "\"C1B6DE-39A6E3\"", false),
            ("detail", "\"Ada Byron\"", false),
            ("other", "\"ada@example.com\"", false),
            ("license_key", "\"abc-123\"", false),
            ("display_key", "1", false),
            ("accessToken", "\"abc\"", false),
            ("customer_email", "\"ada\"", false),
            ("user_name", "\"ada\"", false),
            ("other", "\"small-key-of-an-app\"", false),
            ("other", "\"38b1460a-5104-4067-a91d-77b872934d51\"", false),
            ("other", "4242424242424242", false),
            ("limit", "5", true),
        ];
        for (name, value, is_told) in table {
            let (ours, theirs) = (format!("{{\"{name}\":{value}}}"), format!("{{\"{name}\":false}}"));
            let told = if is_told { value } else { "-" };
            let hides_all =
                ["license_key", "display_key", "accessToken", "customer_email", "user_name"].contains(&name);
            let other = if hides_all { "-" } else { "false" };
            check((200, &ours), (200, &theirs), &[&format!("/{name} other_type {told} {other}")]);
        }
        check((200, "{}"), (200, r#"{"ada@example.com":1}"#), &["/{id} missing_here - 1"]);
        check((200, "{}"), (200, r#"{"lic_12345":1}"#), &["/{id} missing_here - 1"]);
        check((200, r#"{"keys":["a"]}"#), (200, r#"{"keys":["b"]}"#), &["/keys/0 other_value - -"]);
    }

    #[test]
    fn an_answer_of_any_size_is_told_in_a_hundred_lines() {
        let many: Map<String, Value> = (0..500).map(|number| (format!("f{number}"), Value::from(number))).collect();
        let body = Value::Object(many).to_string();
        let (ours, theirs) =
            (ShadowAnswer { status: 200, body: b"{}" }, ShadowAnswer { status: 200, body: body.as_bytes() });
        assert_eq!(contrast(ForeignSystem::Edd, ours, theirs, "").len(), MOST);
    }
}
