//! Mail by SMTP (RFC 5321).
//!
//! The conversation is led step by step, because what an error means depends
//! on the step: a server that does not like our credentials or our sender
//! address is a matter for the operator and must not cost a buyer the key,
//! while a mailbox that does not exist never will.

use std::error::Error as _;
use std::fmt;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use tokio::sync::Semaphore;

use super::{MailError, Mailer, mime};
use crate::mail::{HeaderText, Mail};

/// How long one mail may take, from waiting for a connection to the last answer. Shorter than the lease of its job.
const DEADLINE: Duration = Duration::from_secs(60);

/// How many conversations are held at once.
const CONNECTIONS: usize = 4;

/// How long a connection may rest before it is not used again; servers hang up after minutes.
const LONGEST_REST: Duration = Duration::from_secs(30);

/// When the connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Security {
    /// From the first byte.
    Implicit,
    /// By STARTTLS; nothing is sent to a server that does not offer it.
    Required,
    /// By STARTTLS where it is offered.
    Offered,
    /// Never.
    Off,
}

/// Why an SMTP address was not understood. Says nothing of the password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SmtpUrlError {
    /// It is no address at all.
    #[error("not an address such as smtp://user:password@mail.example.com:587")]
    Malformed,
    /// It begins with something else than `smtp` or `smtps`.
    #[error("begins with {0}://, and only smtp:// and smtps:// are mail servers")]
    UnknownScheme(String),
    /// There is no host in it.
    #[error("names no host")]
    NoHost,
    /// What follows `?` is not known.
    #[error("has {0:?} after the question mark, where only tls=required, tls=offered and tls=off are known")]
    UnknownOption(String),
    /// There is something after the host that has no meaning.
    #[error("has a path, and a mail server has none")]
    HasPath,
    /// The library for encryption does not take the host's name.
    #[error("names a host that no certificate can be for: {0}")]
    BadHost(String),
}

/// Sends through a mail server.
pub struct SmtpMailer {
    name: String,
    host: String,
    port: u16,
    security: Security,
    tls: TlsParameters,
    credentials: Option<Credentials>,
    hello: ClientId,
    deadline: Duration,
    slots: Semaphore,
    resting: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

impl SmtpMailer {
    /// A mailer for `smtps://user:password@host:465` (encrypted from the
    /// start) or `smtp://user:password@host:587` (STARTTLS). With credentials
    /// STARTTLS is required, so that nobody on the way can read them; without,
    /// it is used where it is offered. `?tls=required`, `?tls=offered` and
    /// `?tls=off` say otherwise. User and password are percent-encoded.
    ///
    /// # Errors
    /// Says what is wrong with the address. Nothing is sent yet; see [`SmtpMailer::check`].
    pub fn from_url(url: &str) -> Result<Self, SmtpUrlError> {
        let url = reqwest::Url::parse(url).map_err(|_| SmtpUrlError::Malformed)?;
        let (is_implicit, default_port) = match url.scheme() {
            "smtps" => (true, 465),
            "smtp" => (false, 587),
            other => return Err(SmtpUrlError::UnknownScheme(other.to_owned())),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(SmtpUrlError::NoHost)?;
        // An IPv6 address stands in brackets in an URL, and without them everywhere else.
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if !matches!(url.path(), "" | "/") {
            return Err(SmtpUrlError::HasPath);
        }
        let user = percent_decoded(url.username());
        let credentials =
            (!user.is_empty()).then(|| Credentials::new(user, percent_decoded(url.password().unwrap_or_default())));
        let security = match (is_implicit, url.query()) {
            (true, None | Some("" | "tls=required")) => Security::Implicit,
            (false, None | Some("")) if credentials.is_some() => Security::Required,
            (false, None | Some("" | "tls=offered")) => Security::Offered,
            (false, Some("tls=required")) => Security::Required,
            (false, Some("tls=off")) => Security::Off,
            (true | false, Some(option)) => return Err(SmtpUrlError::UnknownOption(option.to_owned())),
        };
        let port = url.port().unwrap_or(default_port);
        Ok(Self {
            name: format!("{}://{}:{port}", url.scheme(), url.host_str().unwrap_or_default()),
            tls: TlsParameters::new(host.clone()).map_err(|error| SmtpUrlError::BadHost(error.to_string()))?,
            host,
            port,
            security,
            credentials,
            hello: ClientId::default(),
            deadline: DEADLINE,
            slots: Semaphore::new(CONNECTIONS),
            resting: Mutex::new(Vec::new()),
        })
    }

    /// The same with another limit for the time that one mail may take; 60 seconds unless told.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// Connects, encrypts and signs in, but sends nothing: whether mails would go out.
    ///
    /// # Errors
    /// `Later` with what the server said.
    pub async fn check(&self) -> Result<(), MailError> {
        self.in_time(async {
            let mut connection = self.connect().await?;
            connection.quit().await.map_err(|error| MailError::later(said(&error)))?;
            Ok(())
        })
        .await
    }

    async fn deliver(&self, mail: &Mail) -> Result<(), MailError> {
        let letter = Letter {
            message: mime::message(mail)?.formatted(),
            from: mime::address(&mail.from)?,
            to: mime::address(&mail.to)?,
        };
        self.in_time(async {
            let _slot = self.slots.acquire().await.map_err(MailError::later)?;
            let mut connection = self.connection().await?;
            match letter.hand_over(&mut connection).await {
                Ok(()) => {
                    self.resting.lock().unwrap_or_else(PoisonError::into_inner).push((connection, Instant::now()));
                    Ok(())
                }
                Err(error) => {
                    // The conversation may be in the middle of a mail; the next one begins anew.
                    connection.abort().await;
                    Err(error)
                }
            }
        })
        .await
    }

    async fn in_time(&self, work: impl Future<Output = Result<(), MailError>>) -> Result<(), MailError> {
        match tokio::time::timeout(self.deadline, work).await {
            Ok(result) => result,
            Err(_) => Err(MailError::later(format!("{} did not finish within {:?}", self.name, self.deadline))),
        }
    }

    /// A connection that rested and still answers, or a new one.
    async fn connection(&self) -> Result<AsyncSmtpConnection, MailError> {
        loop {
            let rested = self.resting.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some((mut connection, since)) = rested else { return self.connect().await };
            if since.elapsed() < LONGEST_REST && connection.test_connected().await {
                return Ok(connection);
            }
        }
    }

    /// Whatever goes wrong here says nothing about the mail.
    async fn connect(&self) -> Result<AsyncSmtpConnection, MailError> {
        let later = |error| MailError::later(format!("{}: {}", self.name, said(&error)));
        let implicit = match self.security {
            Security::Implicit => Some(self.tls.clone()),
            Security::Required | Security::Offered | Security::Off => None,
        };
        let server = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(self.deadline), &self.hello, implicit, None)
                .await
                .map_err(later)?;
        match self.security {
            Security::Required if !connection.can_starttls() => {
                connection.abort().await;
                return Err(MailError::later(format!(
                    "{} offers no encryption (STARTTLS), and it is required",
                    self.name
                )));
            }
            Security::Offered if !connection.can_starttls() => {}
            Security::Required | Security::Offered => {
                connection.starttls(self.tls.clone(), &self.hello).await.map_err(later)?
            }
            Security::Implicit | Security::Off => {}
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await.map_err(later)?;
        }
        Ok(connection)
    }
}

impl Mailer for SmtpMailer {
    fn send(&self, mail: Mail) -> Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + '_>> {
        Box::pin(async move { self.deliver(&mail).await })
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// Without the credentials.
impl fmt::Debug for SmtpMailer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SmtpMailer")
            .field("name", &self.name)
            .field("security", &self.security)
            .finish_non_exhaustive()
    }
}

struct Letter {
    message: Vec<u8>,
    from: lettre::Address,
    to: lettre::Address,
}

impl Letter {
    async fn hand_over(self, connection: &mut AsyncSmtpConnection) -> Result<(), MailError> {
        let info = connection.server_info();
        let mut parameters = Vec::new();
        if !self.message.is_ascii() {
            if !(info.supports_feature(Extension::SmtpUtfEight) && info.supports_feature(Extension::EightBitMime)) {
                let message = "the address has letters outside ASCII, which this mail server cannot send to".to_owned();
                return Err(MailError::Refused { code: "smtputf8".to_owned(), message });
            }
            parameters.extend([MailParameter::SmtpUtfEight, MailParameter::Body(MailBodyParameter::EightBitMime)]);
        }
        let sender = connection.command(MailFrom::new(Some(self.from), parameters)).await;
        sender.map_err(|error| MailError::later(format!("our sender address is not taken: {}", said(&error))))?;
        connection.command(Rcpt::new(self.to, Vec::new())).await.map_err(|error| judged(&error))?;
        connection.command(Data).await.map_err(|error| judged(&error))?;
        connection.message(&self.message).await.map_err(|error| judged(&error))?;
        Ok(())
    }
}

/// What a server's answer to this receiver and this content means.
fn judged(error: &lettre::transport::smtp::Error) -> MailError {
    match error.status() {
        // "Sign in first": the answer to us, not to the mail (RFC 4954 §6).
        Some(code) if error.is_permanent() && !matches!(u16::from(code), 530 | 534 | 535 | 538) => {
            MailError::Refused { code: code.to_string(), message: said(error) }
        }
        Some(_) | None => MailError::later(said(error)),
    }
}

/// What the server said, in one line.
fn said(error: &lettre::transport::smtp::Error) -> String {
    let text = match (error.status(), error.source()) {
        (Some(code), Some(reply)) => format!("{code} {reply}"),
        (Some(_) | None, _) => error.to_string(),
    };
    HeaderText::new(&text).to_string()
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = text.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (byte, hex) {
            (b'%', Some(value)) => {
                decoded.push(value);
                at += 3;
            }
            (other, _) => {
                decoded.push(*other);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
