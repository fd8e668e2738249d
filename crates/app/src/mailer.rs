//! The door to people: one mail goes out, and what came of it is told apart by what to do next.
//!
//! Relies on a mail server ([`SmtpMailer`]) or, in a sandbox, on a folder
//! ([`Mailbox`]). Never tries again by itself: the outbox does, with the same
//! delivery and so the same Message-ID.

mod bounce;
mod mailbox;
mod mime;
mod smtp;

use std::pin::Pin;

pub use bounce::{Bounce, parse_bounce};
pub use mailbox::Mailbox;
pub use smtp::{SmtpMailer, SmtpUrlError};

use crate::mail::Mail;

/// Sends mails.
pub trait Mailer: Send + Sync {
    /// Hands one mail over. `Ok` means that the other side has taken it and answers for it.
    fn send(&self, mail: Mail) -> Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + '_>>;

    /// What to call it in logs and on pages. Holds no secret.
    fn name(&self) -> &str;
}

/// Why a mail was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// It will never be taken: no such mailbox, blocked content. Sending it again is of no use.
    #[error("refused ({code}): {message}")]
    Refused {
        /// The code of the mail server, such as `550`, or a word of ours.
        code: String,
        /// What the mail server said.
        message: String,
    },
    /// Not now, or nobody knows: try again later. If the mail did arrive, its Message-ID tells the two as one.
    #[error("not taken yet: {message}")]
    Later {
        /// What happened.
        message: String,
    },
}

impl MailError {
    fn later(message: impl std::fmt::Display) -> Self {
        Self::Later { message: message.to_string() }
    }
}

#[cfg(test)]
mod tests;
