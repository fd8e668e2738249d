//! What is said to people, in their languages.
//!
//! Messages are Fluent files, one folder a language. Those below `messages/`
//! are compiled in; a directory given at start adds languages and replaces
//! single messages. English has every message, and what another language
//! lacks falls back to it. A gap never fails a page or a mail: it is logged.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use domain::{Locale, Timestamp};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

/// The languages that are compiled in: tag, file name, text.
const BUILT_IN: &[(&str, &str, &str)] = &[
    ("en", "language.ftl", include_str!("../messages/en/language.ftl")),
    ("en", "mail.ftl", include_str!("../messages/en/mail.ftl")),
    ("en", "page.ftl", include_str!("../messages/en/page.ftl")),
    ("en", "error.ftl", include_str!("../messages/en/error.ftl")),
    ("en", "console.ftl", include_str!("../messages/en/console.ftl")),
    ("en", "license.ftl", include_str!("../messages/en/license.ftl")),
    ("en", "diagnosis.ftl", include_str!("../messages/en/diagnosis.ftl")),
    ("en", "country.ftl", include_str!("../messages/en/country.ftl")),
    ("de", "language.ftl", include_str!("../messages/de/language.ftl")),
    ("de", "mail.ftl", include_str!("../messages/de/mail.ftl")),
    ("de", "page.ftl", include_str!("../messages/de/page.ftl")),
    ("de", "error.ftl", include_str!("../messages/de/error.ftl")),
    ("de", "console.ftl", include_str!("../messages/de/console.ftl")),
    ("de", "license.ftl", include_str!("../messages/de/license.ftl")),
    ("de", "diagnosis.ftl", include_str!("../messages/de/diagnosis.ftl")),
    ("de", "country.ftl", include_str!("../messages/de/country.ftl")),
];

/// How many different gaps are logged before the log is left alone.
const MOST_GAPS_LOGGED: usize = 1_000;

/// How many entries of an Accept-Language header are looked at: browsers send a handful.
const MOST_ACCEPTED: usize = 32;

/// Why the messages could not be loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// A directory or file cannot be read.
    #[error("{path} cannot be read: {reason}")]
    Unreadable {
        /// Which.
        path: String,
        /// What the operating system says.
        reason: String,
    },
    /// A folder that is not named after a language.
    #[error("{path} is not named after a language; name the folder with a tag such as fa or pt-BR")]
    NotALanguage {
        /// Which.
        path: String,
    },
    /// A file that is not Fluent.
    #[error("{path}, line {line}: {problem}")]
    Syntax {
        /// Which.
        path: String,
        /// The line, counted from 1.
        line: usize,
        /// What the parser expected there.
        problem: String,
    },
    /// Two compiled-in files of a language that have a message in common.
    #[error("{path}: {problem}")]
    Twice {
        /// The later of the two.
        path: String,
        /// Which message.
        problem: String,
    },
}

/// What stands for a placeholder of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arg<'a> {
    /// A text, put in as it is.
    Text(&'a str),
    /// A number, which also chooses between forms of the plural. Shown by
    /// `{ NUMBER($name) }` with the digits and separators of the language.
    Number(i64),
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Arg<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Arg<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Arg<'_> {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

/// Every message in every language.
pub struct Catalog {
    languages: BTreeMap<Locale, FluentBundle<FluentResource>>,
    logged: Mutex<BTreeSet<String>>,
}

impl Catalog {
    /// The messages that are compiled in, and those in `extra_dir`, which has
    /// one folder a language with `.ftl` files in it. A message there replaces
    /// the compiled-in one with the same id.
    ///
    /// # Errors
    /// Names the file, and the line where there is one. Nothing is left out silently.
    pub fn new(extra_dir: Option<&Path>) -> Result<Self, CatalogError> {
        let mut catalog = Self { languages: BTreeMap::new(), logged: Mutex::new(BTreeSet::new()) };
        for (tag, file, source) in BUILT_IN {
            let path = format!("{tag}/{file}");
            let resource = parse(&path, (*source).to_owned())?;
            catalog.bundle(tag, &path)?.add_resource(resource).map_err(|errors| CatalogError::Twice {
                path,
                problem: errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
            })?;
        }
        if let Some(folder) = extra_dir {
            catalog.read(folder)?;
        }
        Ok(catalog)
    }

    /// The message in this language, else in the language without its region,
    /// else in English, else its id. Placeholders that `arguments` do not name stay visible.
    ///
    /// In right-to-left languages what is put in is wrapped in Unicode
    /// isolates (FSI, PDI), so that a price or a name does not turn the sentence around.
    #[must_use]
    pub fn text(&self, locale: &Locale, id: &str, arguments: &[(&str, Arg<'_>)]) -> String {
        let arguments: FluentArgs<'_> = arguments
            .iter()
            .map(|(name, value)| {
                let value = match value {
                    Arg::Text(text) => FluentValue::from(*text),
                    Arg::Number(number) => FluentValue::from(*number),
                };
                (*name, value)
            })
            .collect();
        for bundle in self.chain(locale) {
            let Some(pattern) = bundle.get_message(id).and_then(|message| message.value()) else { continue };
            let mut problems = Vec::new();
            let text = bundle.format_pattern(pattern, Some(&arguments), &mut problems).into_owned();
            if let Some(problem) = problems.first() {
                self.log_once(locale, id, &problem.to_string());
            }
            return text;
        }
        self.log_once(locale, id, "there is no such message");
        id.to_owned()
    }

    /// Day and time of day, with the zone: `24 November 2026, 03:50 UTC`.
    #[must_use]
    pub fn date(&self, locale: &Locale, at: Timestamp) -> String {
        self.written(locale, "date-time", at)
    }

    /// The day alone, in UTC: `24 November 2026`. For what spans days; a
    /// deadline needs [`Catalog::date`].
    #[must_use]
    pub fn day(&self, locale: &Locale, at: Timestamp) -> String {
        self.written(locale, "date-day", at)
    }

    /// Every language with the name it has for itself, sorted by tag.
    #[must_use]
    pub fn languages(&self) -> Vec<(Locale, String)> {
        self.languages
            .iter()
            .map(|(locale, bundle)| {
                let own = bundle.has_message("language-name").then(|| self.text(locale, "language-name", &[]));
                (locale.clone(), own.unwrap_or_else(|| locale.to_string()))
            })
            .collect()
    }

    /// The first of the requested locales whose language is spoken here, with
    /// its region, which amounts are written by; English when none is.
    #[must_use]
    pub fn choose(&self, requested: impl IntoIterator<Item = Locale>) -> Locale {
        requested.into_iter().find(|locale| self.speaks(locale)).unwrap_or_else(Locale::english)
    }

    /// The ids that English has and this language lacks: those are shown in English.
    #[must_use]
    pub fn gaps(&self, locale: &Locale) -> Vec<&'static str> {
        let Some(bundle) = self.languages.get(locale) else { return Vec::new() };
        let english = BUILT_IN.iter().filter(|(tag, ..)| *tag == "en");
        english.flat_map(|(_, _, source)| message_ids(source)).filter(|id| !bundle.has_message(id)).collect()
    }

    fn speaks(&self, locale: &Locale) -> bool {
        self.languages.contains_key(locale)
            || Locale::parse(locale.language()).is_some_and(|language| self.languages.contains_key(&language))
    }

    fn chain(&self, locale: &Locale) -> impl Iterator<Item = &FluentBundle<FluentResource>> {
        // The first one nearly always has it, and then the others are not even made.
        let own = std::iter::once_with(|| self.languages.get(locale));
        let language = std::iter::once_with(|| {
            Locale::parse(locale.language()).and_then(|language| self.languages.get(&language))
        });
        let english = std::iter::once_with(|| self.languages.get(&Locale::english()));
        own.chain(language).chain(english).flatten()
    }

    fn written(&self, locale: &Locale, id: &str, at: Timestamp) -> String {
        let moment = at.to_string();
        let (day, time) = moment.split_once('T').unwrap_or_default();
        // From the right, because a year before the common era begins with a dash.
        let mut parts = day.rsplitn(3, '-');
        let mut number = || parts.next().and_then(|digits| digits.parse().ok()).unwrap_or_default();
        let (day, month) = (number(), number());
        let year = parts.next().unwrap_or_default();
        let (hour, minute) = (time.get(..2).unwrap_or_default(), time.get(3..5).unwrap_or_default());
        self.text(
            locale,
            id,
            &[
                ("day", Arg::Number(day)),
                ("month", Arg::Number(month)),
                ("year", Arg::Text(year)),
                ("hour", Arg::Text(hour)),
                ("minute", Arg::Text(minute)),
            ],
        )
    }

    fn log_once(&self, locale: &Locale, id: &str, problem: &str) {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.len() < MOST_GAPS_LOGGED && logged.insert(format!("{locale} {id}")) {
            tracing::error!(%locale, message = id, problem, "a message cannot be shown as it should be");
        }
    }

    fn bundle(&mut self, tag: &str, path: &str) -> Result<&mut FluentBundle<FluentResource>, CatalogError> {
        let not_a_language = || CatalogError::NotALanguage { path: path.to_owned() };
        let locale = Locale::parse(tag).ok_or_else(not_a_language)?;
        let identifier = locale.as_str().parse().map_err(|_| not_a_language())?;
        Ok(self.languages.entry(locale).or_insert_with_key(|locale| {
            let mut bundle = FluentBundle::new_concurrent(vec![identifier]);
            bundle.set_use_isolating(locale.is_right_to_left());
            add_functions(&mut bundle, locale);
            bundle
        }))
    }

    fn read(&mut self, folder: &Path) -> Result<(), CatalogError> {
        for language in entries(folder)? {
            let name = language.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if !language.is_dir() || name.starts_with('.') {
                continue;
            }
            let shown = language.display().to_string();
            for file in entries(&language)? {
                if file.extension().is_none_or(|extension| extension != "ftl") {
                    continue;
                }
                let path = file.display().to_string();
                let source = fs::read_to_string(&file)
                    .map_err(|error| CatalogError::Unreadable { path: path.clone(), reason: error.to_string() })?;
                let resource = parse(&path, source)?;
                self.bundle(&name, &shown)?.add_resource_overriding(resource);
            }
            let locale = Locale::parse(&name).ok_or(CatalogError::NotALanguage { path: shown })?;
            let gaps = self.gaps(&locale);
            // A folder with a region only says what differs from the language.
            if locale.region().is_none() && !gaps.is_empty() {
                tracing::warn!(language = %locale, gaps = gaps.len(), first = gaps[0], "messages without a translation are shown in English");
            }
        }
        Ok(())
    }
}

/// The locales of an Accept-Language header, the most wanted first (RFC 9110
/// §12.5.4). What is not a language, and what has a quality of zero, is left out.
#[must_use]
pub fn accept_language(header: &str) -> Vec<Locale> {
    let mut wanted: Vec<(u16, Locale)> = header
        .split(',')
        .take(MOST_ACCEPTED)
        .filter_map(|entry| {
            let mut parts = entry.split(';');
            let locale = Locale::parse(parts.next()?)?;
            let quality = match parts.next() {
                None => 1_000,
                Some(parameter) => quality(parameter.trim().strip_prefix("q=")?)?,
            };
            (quality > 0).then_some((quality, locale))
        })
        .collect();
    // Stable: of two that are wanted alike, the first stays first.
    wanted.sort_by_key(|(quality, _)| std::cmp::Reverse(*quality));
    wanted.into_iter().map(|(_, locale)| locale).collect()
}

/// A quality between 0 and 1 in thousandths.
fn quality(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    match whole {
        "0" => format!("{decimals:0<3}").parse().ok(),
        "1" => Some(1_000),
        _ => None,
    }
}

/// What a message may call: `NUMBER($count)` shows a number with separators,
/// `DIGITS($year)` without, both with the digits of the language.
fn add_functions(bundle: &mut FluentBundle<FluentResource>, locale: &Locale) {
    let tag = locale.to_string();
    let number = bundle.add_function("NUMBER", move |values, _| match values.first() {
        Some(value) => match shown(value).parse() {
            Ok(number) => FluentValue::from(money::display_number(number, &tag)),
            Err(_) => value.clone(),
        },
        None => FluentValue::Error,
    });
    let tag = locale.to_string();
    let digits = bundle.add_function("DIGITS", move |values, _| match values.first() {
        Some(value) => {
            let written =
                shown(value).chars().collect::<Vec<_>>().into_iter().map(|character| match character.to_digit(10) {
                    Some(digit) => money::display_number(digit.into(), &tag),
                    None => character.to_string(),
                });
            FluentValue::from(written.collect::<String>())
        }
        None => FluentValue::Error,
    });
    for added in [number, digits] {
        if let Err(problem) = added {
            tracing::error!(%locale, %problem, "a function for messages is missing");
        }
    }
}

fn shown(value: &FluentValue<'_>) -> String {
    match value {
        FluentValue::String(text) => text.to_string(),
        FluentValue::Number(number) => number.as_string().into_owned(),
        FluentValue::Custom(_) | FluentValue::None | FluentValue::Error => String::new(),
    }
}

fn parse(path: &str, source: String) -> Result<FluentResource, CatalogError> {
    FluentResource::try_new(source).map_err(|(resource, errors)| {
        let (at, problem) = errors.first().map_or((0, String::new()), |error| (error.pos.start, error.to_string()));
        let before = resource.source().as_bytes().get(..at).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        CatalogError::Syntax { path: path.to_owned(), line, problem }
    })
}

fn entries(folder: &Path) -> Result<Vec<std::path::PathBuf>, CatalogError> {
    let unreadable = |error: std::io::Error| CatalogError::Unreadable {
        path: folder.display().to_string(),
        reason: error.to_string(),
    };
    let mut paths = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>())
        .map_err(unreadable)?;
    paths.sort();
    Ok(paths)
}

/// The ids of the messages in a Fluent text: what stands before `=` at the very beginning of a line.
fn message_ids(source: &str) -> impl Iterator<Item = &str> {
    source
        .lines()
        .filter(|line| line.starts_with(|first: char| first.is_ascii_alphabetic()))
        .filter_map(|line| line.split_once('='))
        .map(|(id, _)| id.trim_end())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn locale(tag: &str) -> Locale {
        Locale::parse(tag).unwrap()
    }

    fn catalog() -> Catalog {
        Catalog::new(None).unwrap()
    }

    /// A directory of its own, gone when the test ends.
    struct Folder(std::path::PathBuf);

    impl Folder {
        fn with(name: &str, files: &[(&str, &str)]) -> Self {
            let root = std::env::temp_dir().join(format!("latchkey-messages-{}-{name}", std::process::id()));
            for (path, text) in files {
                let path = root.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            Self(root)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    /// Every message of a language with the placeholders it uses.
    fn messages(tag: &str) -> BTreeMap<String, BTreeSet<String>> {
        let mut found = BTreeMap::new();
        for (_, _, source) in BUILT_IN.iter().filter(|(language, ..)| *language == tag) {
            let mut id = String::new();
            for line in source.lines().filter(|line| !line.starts_with('#')) {
                if let Some(next) = message_ids(line).next() {
                    id = next.to_owned();
                    assert!(found.insert(id.clone(), BTreeSet::new()).is_none(), "{tag} has {id} twice");
                }
                for after in line.split('$').skip(1) {
                    let name: String = after
                        .chars()
                        .take_while(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-'))
                        .collect();
                    found.get_mut(&id).unwrap().insert(name);
                }
            }
        }
        found
    }

    #[test]
    fn every_language_has_the_messages_and_placeholders_of_english() {
        let english = messages("en");
        assert!(english.len() > 60, "{} messages", english.len());
        let languages: BTreeSet<&str> = BUILT_IN.iter().map(|(tag, ..)| *tag).collect();
        for tag in languages {
            assert_eq!(messages(tag), english, "{tag}");
        }
    }

    #[test]
    fn every_file_of_messages_is_compiled_in() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("messages");
        let mut found = BTreeSet::new();
        for language in entries(&root).unwrap() {
            found.extend(
                entries(&language).unwrap().iter().map(|file| file.strip_prefix(&root).unwrap().display().to_string()),
            );
        }
        assert_eq!(found, BUILT_IN.iter().map(|(tag, file, _)| format!("{tag}/{file}")).collect());
    }

    #[test]
    fn a_message_is_found_in_the_region_the_language_or_english() {
        let folder = Folder::with(
            "fallback",
            &[
                ("de-CH/swiss.ftl", "greeting = Grüezi\n"),
                ("de/own.ftl", "greeting = Guten Tag\nfarewell = Tschüss\n"),
                ("en/own.ftl", "greeting = Hello\nfarewell = Goodbye\nthanks = Thanks\n"),
            ],
        );
        let catalog = Catalog::new(Some(&folder.0)).unwrap();
        #[rustfmt::skip]
        let table = [
            ("de-CH", "greeting", "Grüezi"),
            ("de-CH", "farewell", "Tschüss"),
            ("de-CH", "thanks",   "Thanks"),
            ("de-AT", "greeting", "Guten Tag"),
            ("ko",    "greeting", "Hello"),
            ("de",    "no-such-message", "no-such-message"),
        ];
        for (tag, id, expected) in table {
            assert_eq!(catalog.text(&locale(tag), id, &[]), expected, "{tag} {id}");
        }
    }

    #[test]
    fn a_file_given_at_start_replaces_single_messages() {
        let folder = Folder::with(
            "override",
            &[("en/ours.ftl", "portal-code-title = Your six-word secret\n"), ("README.md", "not a language")],
        );
        let catalog = Catalog::new(Some(&folder.0)).unwrap();
        assert_eq!(catalog.text(&locale("en"), "portal-code-title", &[]), "Your six-word secret");
        assert_eq!(catalog.text(&locale("en"), "order-paid-receipt", &[]), "Receipt");
    }

    #[test]
    fn a_language_is_a_folder() {
        let folder = Folder::with(
            "language",
            &[(
                "fa/page.ftl",
                "language-name = فارسی\ndate-day = { DIGITS($day) }/{ DIGITS($month) }/{ DIGITS($year) }\nseats = { NUMBER($count) } دستگاه برای { $name }\n",
            )],
        );
        let catalog = Catalog::new(Some(&folder.0)).unwrap();
        let persian = locale("fa-IR");
        assert_eq!(
            catalog.languages(),
            vec![
                (locale("de"), "Deutsch".to_owned()),
                (locale("en"), "English".to_owned()),
                (locale("fa"), "فارسی".to_owned())
            ]
        );
        assert_eq!(
            catalog.day(&persian, Timestamp::parse("2026-11-24T03:50:00Z").unwrap()),
            "\u{2068}۲۴\u{2069}/\u{2068}۱۱\u{2069}/\u{2068}۲۰۲۶\u{2069}"
        );
        assert_eq!(
            catalog.text(&persian, "seats", &[("count", 1_234_u32.into()), ("name", "Ada".into())]),
            "\u{2068}۱٬۲۳۴\u{2069} دستگاه برای \u{2068}Ada\u{2069}"
        );
        assert!(catalog.gaps(&locale("fa")).contains(&"order-paid-subject"));
        assert!(catalog.gaps(&locale("de")).is_empty());
    }

    #[test]
    fn a_broken_file_is_named_with_its_line() {
        #[rustfmt::skip]
        let table: [(&str, &str, &str, &str); 4] = [
            ("syntax",   "fa/page.ftl",   "good = yes\n\nbad = { $count\nmore = text\n", "fa/page.ftl, line 4: "),
            ("twice",    "fa/page.ftl",   "no equals sign\n",                              "fa/page.ftl, line 1: "),
            ("language", "persian/a.ftl", "good = yes\n",                                  "persian is not named after a language"),
            ("fluent",   "fa/page.ftl",   "a = b\nc = { d -> [x] y }\n",                   "fa/page.ftl, line 2: "),
        ];
        for (name, file, text, expected) in table {
            let folder = Folder::with(name, &[(file, text)]);
            let message = Catalog::new(Some(&folder.0)).err().unwrap().to_string();
            assert!(message.contains(expected), "{name}: {message}");
        }
        let missing = Catalog::new(Some(Path::new("/no/such/directory"))).err().unwrap().to_string();
        assert!(missing.contains("/no/such/directory cannot be read"), "{missing}");
    }

    #[test]
    fn plural_forms_and_numbers_follow_the_language() {
        let catalog = catalog();
        #[rustfmt::skip]
        let table = [
            ("en", "portal-code-valid", 1,     "It works once, for one minute."),
            ("en", "portal-code-valid", 10,    "It works once, for 10 minutes."),
            ("de", "portal-code-valid", 10,    "Er gilt einmal und 10 Minuten lang."),
            ("de", "portal-code-valid", 1_500, "Er gilt einmal und 1.500 Minuten lang."),
        ];
        for (tag, id, minutes, expected) in table {
            assert_eq!(catalog.text(&locale(tag), id, &[("minutes", Arg::Number(minutes))]), expected);
        }
    }

    #[test]
    fn a_date_is_written_as_the_language_does_and_names_its_zone() {
        let catalog = catalog();
        #[rustfmt::skip]
        let table = [
            ("en",    "2026-11-24T03:50:00Z",        "24 November 2026, 03:50 UTC"),
            ("de-CH", "2027-03-01T23:59:59.999999Z", "1. März 2027, 23:59 UTC"),
            ("ko",    "1970-01-01T00:00:00Z",        "1 January 1970, 00:00 UTC"),
        ];
        for (tag, at, expected) in table {
            assert_eq!(catalog.date(&locale(tag), Timestamp::parse(at).unwrap()), expected);
        }
    }

    #[test]
    fn a_forgotten_argument_stays_visible() {
        assert_eq!(catalog().text(&locale("en"), "portal-code-subject", &[]), "Your code for {$shop}");
    }

    #[test]
    fn what_is_put_in_is_not_marked_where_text_runs_left_to_right() {
        let subject = catalog().text(&locale("de"), "portal-code-subject", &[("shop", "Lumen".into())]);
        assert_eq!(subject, "Ihr Code für Lumen");
    }

    #[test]
    fn the_wanted_languages_are_read_from_the_header() {
        #[rustfmt::skip]
        let table: [(&str, &[&str]); 10] = [
            ("de-CH, de;q=0.9, en;q=0.8",       &["de-CH", "de", "en"]),
            ("en;q=0.5,fa-IR;q=0.9,ko",         &["ko", "fa-IR", "en"]),
            ("en; q=0.3, de ; q=0.4",           &["de", "en"]),
            ("de;q=0, en",                      &["en"]),
            ("*, de;q=0.1",                     &["de"]),
            ("de;q=2, fr;q=x, en;q=0.1234, es", &["es"]),
            ("de,en",                           &["de", "en"]),
            ("zh-Hant-TW",                      &["zh-TW"]),
            ("",                                &[]),
            (";;;,,,q=1",                       &[]),
        ];
        for (header, expected) in table {
            let found: Vec<String> = accept_language(header).iter().map(ToString::to_string).collect();
            assert_eq!(found, expected, "{header:?}");
        }
        assert_eq!(accept_language(&"de,".repeat(100_000)).len(), MOST_ACCEPTED);
    }

    #[test]
    fn the_first_wanted_language_that_is_spoken_here_is_chosen_with_its_region() {
        let catalog = catalog();
        #[rustfmt::skip]
        let table: [(&[&str], &str); 4] = [
            (&["de-CH", "en"], "de-CH"),
            (&["ko", "de"],    "de"),
            (&["ko"],          "en"),
            (&[],              "en"),
        ];
        for (wanted, expected) in table {
            assert_eq!(catalog.choose(wanted.iter().map(|tag| locale(tag))).as_str(), expected);
        }
    }
}
