//! The log: one line an event, for people or as JSON, with the id of what is being worked at, and without secrets.
//!
//! Nobody here logs a secret on purpose. What looks like one is masked all the
//! same, since an error of somebody else's may repeat what it was given.

use std::fmt;
use std::io::IsTerminal as _;

use latchkey_license::KeyCode;
use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::config::{LogFormat, Settings};

/// Crates of ours. What others say below `info` may hold anything, headers and rows included.
const OURS: &[&str] = &["app", "domain", "gateways", "latchkey", "sandbox", "store", "web"];

/// How a secret begins, by who made it.
const SECRETS: &[&str] = &["lk_live_", "lk_test_", "sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_", "Bearer"];

/// Logs to stderr, for people on a terminal and as JSON otherwise, or as the settings say.
pub(crate) fn start(settings: &Settings) {
    let filter = tracing_subscriber::EnvFilter::try_new(&settings.log)
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    let is_terminal = std::io::stderr().is_terminal();
    let is_json = match settings.log_format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !is_terminal,
    };
    let is_coloured = is_terminal && std::env::var_os("NO_COLOR").is_none();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .event_format(Line { is_json, is_coloured })
        .init();
}

struct Line {
    is_json: bool,
    is_coloured: bool,
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let metadata = event.metadata();
        let is_ours = OURS.contains(&metadata.target().split("::").next().unwrap_or_default());
        if !is_ours && *metadata.level() > Level::INFO {
            return Ok(());
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        let now = app::Clock::System.now();
        let request_id = app::trace::request_id();
        let trace_id = app::trace::trace_id();
        if self.is_json {
            let mut line = Map::new();
            line.insert("timestamp".to_owned(), json!(now.to_string()));
            line.insert("level".to_owned(), json!(metadata.level().as_str()));
            line.insert("target".to_owned(), json!(metadata.target()));
            line.insert("message".to_owned(), json!(fields.message));
            line.extend(request_id.map(|id| ("request_id".to_owned(), json!(id))));
            line.extend(trace_id.map(|id| ("trace_id".to_owned(), json!(id))));
            line.extend(fields.others.into_iter().map(|(name, value)| (name.to_owned(), value)));
            return writeln!(writer, "{}", Value::Object(line));
        }
        let (colour, plain) = match (self.is_coloured, *metadata.level()) {
            (false, _) => ("", ""),
            (true, Level::ERROR) => ("\x1b[31m", "\x1b[0m"),
            (true, Level::WARN) => ("\x1b[33m", "\x1b[0m"),
            (true, _) => ("\x1b[2m", "\x1b[0m"),
        };
        write!(writer, "{now} {colour}{:>5}{plain} {}: {}", metadata.level(), metadata.target(), fields.message)?;
        for (name, value) in fields.others {
            // A text is written as JSON has it, in quotes, so that one event stays one line.
            write!(writer, " {name}={value}")?;
        }
        for (name, id) in [("request_id", request_id), ("trace_id", trace_id)] {
            if let Some(id) = id {
                write!(writer, " {name}={id}")?;
            }
        }
        writeln!(writer)
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, Value)>,
}

impl Fields {
    fn take(&mut self, field: &Field, value: Value) {
        let value = value.as_str().map(masked).map_or(value, Value::String);
        match value.as_str() {
            Some(text) if field.name() == "message" => text.clone_into(&mut self.message),
            Some(_) | None => self.others.push((field.name(), value)),
        }
    }
}

impl Visit for Fields {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.take(field, json!(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.take(field, json!(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.take(field, json!(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, json!(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.take(field, json!(format!("{value:?}")));
    }
}

/// The text without what looks like a secret, a card number or somebody's address.
fn masked(text: &str) -> String {
    let text = without_signed_keys(&domain::mask_card_numbers(text));
    let ends_word = |character: char| !(character.is_ascii_alphanumeric() || "_-.@+~/=".contains(character));
    let mut masked = String::with_capacity(text.len());
    let mut follows_bearer = false;
    for piece in text.split_inclusive(ends_word) {
        let word = piece.trim_end_matches(ends_word);
        let rest = &piece[word.len()..];
        if follows_bearer && !word.is_empty() {
            masked.push_str("[secret]");
        } else if let Some(start) = SECRETS.iter().find(|start| word.starts_with(**start) && word.len() > start.len()) {
            masked.push_str(start);
            masked.push_str("[secret]");
        } else if is_license_key(word) {
            masked.push_str("[license key]");
        } else if is_address(word) {
            masked.push_str("[address]");
        } else {
            masked.push_str(word);
        }
        masked.push_str(rest);
        if !word.is_empty() {
            follows_bearer = word == "Bearer";
        }
    }
    masked
}

/// How a signed key begins: as it is, and in an address.
const SIGNED_KEYS: [&str; 3] = ["key/", "key%2F", "key%2f"];

/// The text without signed keys, wherever in a word they begin, as in an address that somebody was searched by.
fn without_signed_keys(text: &str) -> String {
    let is_of_key = |character: char| character.is_ascii_alphanumeric() || "_-.=%+/".contains(character);
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, start)) = SIGNED_KEYS.iter().filter_map(|start| Some((rest.find(*start)?, start))).min() {
        let (before, key) = rest.split_at(at);
        let end = key.find(|character: char| !is_of_key(character)).unwrap_or(key.len());
        masked.push_str(before);
        // What is shorter holds none.
        let is_key = end - start.len() >= KeyCode::LENGTH;
        masked.push_str(if is_key { "[license key]" } else { &key[..end] });
        rest = &key[end..];
    }
    masked.push_str(rest);
    masked
}

fn is_license_key(word: &str) -> bool {
    // Shorter words are not looked at twice.
    word.len() >= KeyCode::LENGTH && KeyCode::parse(word.trim_end_matches('.')).is_ok()
}

fn is_address(word: &str) -> bool {
    word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_masked_and_all_else_stays() {
        let key = KeyCode::from_random_bytes([7; 16]).to_string();
        let rows = [
            ("a key sk_live_abcDEF123 was refused", "a key sk_live_[secret] was refused".to_owned()),
            ("\"whsec_ab+/=\",", "\"whsec_[secret]\",".to_owned()),
            ("authorization: Bearer xyz.abc", "authorization: Bearer [secret]".to_owned()),
            ("to ada@example.org: no", "to [address]: no".to_owned()),
            ("paid with 4242 4242 4242 4242", "paid with [card number]".to_owned()),
            (
                "order ord_01h455vb4pex5vsknk084sn02q at 12:00",
                "order ord_01h455vb4pex5vsknk084sn02q at 12:00".to_owned(),
            ),
            ("sk_live_ is how it begins", "sk_live_ is how it begins".to_owned()),
        ];
        for (text, expected) in rows {
            assert_eq!(masked(text), expected);
        }
        assert_eq!(masked(&format!("the key {key}.")), "the key [license key]");
        let signed = "key/eyJraWQiOiJ4eCJ9.AAAABBBBCCCC-_aa==";
        let in_address = signed.replace('/', "%2F").replace('=', "%3D");
        for (text, expected) in [
            (format!("the key \"{signed}\" and key/s"), "the key \"[license key]\" and key/s"),
            (format!("GET /console/search?q={signed} 200"), "GET /console/search?q=[license key] 200"),
            (format!("/console/search?q={in_address}&page=2"), "/console/search?q=[license key]&page=2"),
            (format!("q={}, {signed}.", in_address.replace("%2F", "%2f")), "q=[license key], [license key]"),
            (format!("sent+{signed}\nand more"), "sent+[license key]\nand more"),
            (
                "key%2Fs, a monkey/tree and /v1/licenses/lic_01h455vb4pex5vsknk084sn02q/key".to_owned(),
                "key%2Fs, a monkey/tree and /v1/licenses/lic_01h455vb4pex5vsknk084sn02q/key",
            ),
        ] {
            assert_eq!(masked(&text), expected);
        }
    }
}
