//! Settings: flags over environment over `latchkey.toml` over defaults.
//!
//! Every key has all three forms; an unknown key in the file is an error that
//! names the nearest one there is.

mod limit;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use web::Limits;

use self::limit::LimitFlags;

/// What can be said on the command line, each also as `LATCHKEY_…`.
#[derive(Args)]
pub(crate) struct Flags {
    /// Address and port to listen on.
    #[arg(long, global = true, env = "LATCHKEY_LISTEN", value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Folder that everything is kept in.
    #[arg(long, global = true, env = "LATCHKEY_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// Folder that the files of releases are kept in; `files` in the data folder when nothing is said. Many nodes share one.
    #[arg(long, global = true, env = "LATCHKEY_FILES", value_name = "DIR")]
    files: Option<PathBuf>,
    /// A PostgreSQL database instead of SQLite in the folder.
    #[arg(long, global = true, env = "LATCHKEY_DATABASE", value_name = "URL", hide_env_values = true)]
    database: Option<String>,
    /// Where buyers and gateways reach the server.
    #[arg(long, global = true, env = "LATCHKEY_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// The mail server, as smtp://user:password@host:port or smtps://…; without one mails are kept in the folder.
    #[arg(long, global = true, env = "LATCHKEY_SMTP_URL", value_name = "URL", hide_env_values = true)]
    smtp_url: Option<String>,
    /// The address that mails come from.
    #[arg(long, global = true, env = "LATCHKEY_MAIL_FROM", value_name = "EMAIL")]
    mail_from: Option<String>,
    /// Folder with message files for more languages, or other words.
    #[arg(long, global = true, env = "LATCHKEY_MESSAGES", value_name = "DIR")]
    messages: Option<PathBuf>,
    /// The configuration file.
    #[arg(long, global = true, env = "LATCHKEY_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// What is logged, as `info` or `app=debug,warn`.
    #[arg(long, global = true, env = "LATCHKEY_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// How the log looks: `text`, `json`, or `auto` (text on a terminal).
    #[arg(long, global = true, env = "LATCHKEY_LOG_FORMAT", value_name = "FORMAT")]
    log_format: Option<String>,
    /// Address and port where Prometheus reads `/metrics`; nowhere when nothing is said.
    #[arg(long, global = true, env = "LATCHKEY_METRICS_LISTEN", value_name = "ADDRESS")]
    metrics_listen: Option<SocketAddr>,
    /// The OpenTelemetry collector that traces are sent to by OTLP over HTTP, as http://127.0.0.1:4318.
    #[arg(long, global = true, env = "LATCHKEY_OTLP_ENDPOINT", value_name = "URL")]
    otlp_endpoint: Option<String>,
    #[command(flatten, next_help_heading = "Limits")]
    limits: LimitFlags,
    /// One JSON object on stdout instead of lines for people.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// What holds when nothing is said.
pub(crate) struct Defaults {
    listen: &'static str,
    data: &'static str,
}

pub(crate) const DEMO: Defaults = Defaults { listen: "127.0.0.1:4242", data: "latchkey-demo" };
pub(crate) const SERVE: Defaults = Defaults { listen: "127.0.0.1:8080", data: "latchkey-data" };
pub(crate) const SANDBOX: Defaults = Defaults { listen: "127.0.0.1:4343", data: "latchkey-sandbox" };

/// What holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) listen: SocketAddr,
    pub(crate) data: PathBuf,
    pub(crate) files: Option<PathBuf>,
    pub(crate) database: Option<String>,
    pub(crate) public_url: Option<String>,
    pub(crate) smtp_url: Option<String>,
    pub(crate) mail_from: Option<String>,
    pub(crate) messages: Option<PathBuf>,
    pub(crate) log: String,
    pub(crate) log_format: LogFormat,
    pub(crate) metrics_listen: Option<SocketAddr>,
    pub(crate) otlp_endpoint: Option<String>,
    pub(crate) limits: Limits,
}

/// How the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
    /// Text on a terminal, JSON otherwise.
    Auto,
}

const KEYS: [&str; 12] = [
    "listen",
    "data",
    "files",
    "database",
    "public_url",
    "smtp_url",
    "mail_from",
    "messages",
    "log",
    "log_format",
    "metrics_listen",
    "otlp_endpoint",
];

const DEFAULT_FILE: &str = "latchkey.toml";

impl Settings {
    /// Puts flags, environment, file and defaults together.
    ///
    /// # Errors
    /// When the file cannot be read, has an unknown key, or a value is not of its kind.
    pub(crate) fn read(flags: &Flags, defaults: &Defaults) -> anyhow::Result<Self> {
        let file = match &flags.config {
            Some(path) => read_file(path)?,
            None if Path::new(DEFAULT_FILE).exists() => read_file(Path::new(DEFAULT_FILE))?,
            None => toml::Table::new(),
        };
        Self::merge(flags, &file, defaults)
    }

    fn merge(flags: &Flags, file: &toml::Table, defaults: &Defaults) -> anyhow::Result<Self> {
        let from_file = |key: &str| -> anyhow::Result<Option<String>> {
            match file.get(key) {
                None => Ok(None),
                Some(toml::Value::String(text)) => Ok(Some(text.clone())),
                Some(other) => bail!("{DEFAULT_FILE}: {key} must be a text, not {}", other.type_str()),
            }
        };
        let text =
            |flag: &Option<String>, key: &str| flag.clone().map_or_else(|| from_file(key), |value| Ok(Some(value)));
        let path = |flag: &Option<PathBuf>, key: &str| match flag {
            Some(value) => Ok(Some(value.clone())),
            None => from_file(key).map(|value| value.map(PathBuf::from)),
        };
        let listen = match flags.listen {
            Some(listen) => listen,
            None => {
                let value = from_file("listen")?.unwrap_or_else(|| defaults.listen.to_owned());
                value.parse().with_context(|| {
                    format!("{DEFAULT_FILE}: listen must be an address and a port, as 127.0.0.1:8080, not {value}")
                })?
            }
        };
        let metrics_listen = match flags.metrics_listen {
            Some(listen) => Some(listen),
            None => from_file("metrics_listen")?
                .map(|value| {
                    value.parse().with_context(|| {
                        format!("{DEFAULT_FILE}: metrics_listen must be an address and a port, as 127.0.0.1:9100, not {value}")
                    })
                })
                .transpose()?,
        };
        let log_format = match text(&flags.log_format, "log_format")?.as_deref() {
            None | Some("auto") => LogFormat::Auto,
            Some("text") => LogFormat::Text,
            Some("json") => LogFormat::Json,
            Some(other) => bail!("log_format must be text, json or auto, not {other}"),
        };
        let otlp_endpoint = text(&flags.otlp_endpoint, "otlp_endpoint")?;
        if let Some(url) = &otlp_endpoint
            && !(url.starts_with("https://") || url.starts_with("http://"))
        {
            bail!("otlp_endpoint must begin with https:// or http://: {url}");
        }
        let public_url = text(&flags.public_url, "public_url")?.map(|url| url.trim_end_matches('/').to_owned());
        if let Some(url) = &public_url
            && !(url.starts_with("https://") || url.starts_with("http://"))
        {
            bail!("public_url must begin with https:// (or http:// on this machine): {url}");
        }
        Ok(Self {
            listen,
            data: path(&flags.data, "data")?.unwrap_or_else(|| PathBuf::from(defaults.data)),
            files: path(&flags.files, "files")?,
            database: text(&flags.database, "database")?,
            public_url,
            smtp_url: text(&flags.smtp_url, "smtp_url")?,
            mail_from: text(&flags.mail_from, "mail_from")?,
            messages: path(&flags.messages, "messages")?,
            log: text(&flags.log, "log")?.unwrap_or_else(|| "warn".to_owned()),
            log_format,
            metrics_listen,
            otlp_endpoint,
            limits: flags.limits.merge(file)?,
        })
    }

    /// Where the files of releases are kept.
    pub(crate) fn files(&self) -> PathBuf {
        self.files.clone().unwrap_or_else(|| self.data.join("files"))
    }

    /// Where the server is reached: as said, or where it listens.
    pub(crate) fn public_url(&self, listening_on: SocketAddr) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://{listening_on}"))
    }
}

fn read_file(path: &Path) -> anyhow::Result<toml::Table> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let table: toml::Table = text.parse().with_context(|| format!("{} is not TOML", path.display()))?;
    for key in table.keys() {
        let known = || KEYS.into_iter().chain(limit::KEYS);
        if !known().any(|known| known == key) {
            let nearest = known().min_by_key(|known| distance(known, key)).unwrap_or_default();
            bail!("{}: there is no key {key}; did you mean {nearest}?", path.display());
        }
    }
    Ok(table)
}

/// How many letters must be changed, added or dropped to make one word of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (place, letter) in one.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = place + 1;
        for (column, candidate) in other.bytes().enumerate() {
            let changed = diagonal + usize::from(letter != candidate);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn flags() -> Flags {
        Flags {
            listen: None,
            data: None,
            files: None,
            database: None,
            public_url: None,
            smtp_url: None,
            mail_from: None,
            messages: None,
            config: None,
            log: None,
            log_format: None,
            metrics_listen: None,
            otlp_endpoint: None,
            limits: LimitFlags::default(),
            json: false,
        }
    }

    #[test]
    fn a_flag_outranks_the_file_and_the_file_outranks_the_default() {
        let file: toml::Table = "listen = \"127.0.0.1:1\"\ndata = \"from-file\"".parse().unwrap();
        let flagged = Flags { listen: Some("127.0.0.1:2".parse().unwrap()), ..flags() };
        let settings = Settings::merge(&flagged, &file, &SERVE).unwrap();
        assert_eq!(settings.listen.port(), 2);
        assert_eq!(settings.data, PathBuf::from("from-file"));
        assert_eq!(settings.files(), PathBuf::from("from-file/files"));
        let shared = Flags { files: Some(PathBuf::from("/mnt/files")), ..flags() };
        assert_eq!(Settings::merge(&shared, &file, &SERVE).unwrap().files(), PathBuf::from("/mnt/files"));
        assert_eq!(Settings::merge(&flags(), &toml::Table::new(), &SERVE).unwrap().listen.port(), 8080);
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_known_one() {
        let folder = std::env::temp_dir().join(format!("latchkey-config-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("latchkey.toml");
        std::fs::write(&path, "publik_url = \"https://shop.example\"").unwrap();
        let error = read_file(&path).unwrap_err().to_string();
        assert!(error.contains("publik_url") && error.contains("public_url"), "{error}");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_public_url_without_a_scheme_is_refused() {
        let flagged = Flags { public_url: Some("shop.example".to_owned()), ..flags() };
        assert!(Settings::merge(&flagged, &toml::Table::new(), &SERVE).is_err());
    }
}
