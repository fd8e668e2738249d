//! A mail as it goes over the wire (RFC 5322, RFC 2046).
//!
//! The same mail gives the same bytes: the boundary and the Message-ID come
//! from the delivery, the date from the mail. Texts are encoded by the
//! library; line breaks in headers are impossible by `HeaderText` and `Email`.

use std::time::{Duration, SystemTime};

use domain::Email;
use lettre::address::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};

use super::MailError;
use crate::mail::{Mail, ascii_domain};

/// The last second that a Date header can name: 9999-12-31T23:59:59Z.
const LAST_SECOND: u64 = 253_402_300_799;

/// The mail with its headers and both of its parts.
///
/// # Errors
/// `Refused` when an address cannot be written in a header.
pub(super) fn message(mail: &Mail) -> Result<lettre::Message, MailError> {
    let seconds = u64::try_from(mail.at.as_seconds()).unwrap_or_default().min(LAST_SECOND);
    let from_name = Some(mail.from_name.to_string()).filter(|name| !name.is_empty());
    // "=_" cannot stand in a quoted-printable text, so the boundary cannot be in the mail (RFC 2045 §6.7).
    let parts = MultiPart::alternative()
        .boundary(format!("=_{}", mail.delivery))
        .singlepart(SinglePart::plain(mail.text.clone()))
        .singlepart(SinglePart::html(mail.html.clone()));
    let mut builder = lettre::Message::builder()
        .message_id(Some(format!("<{}>", mail.message_id())))
        .date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
        .from(Mailbox::new(from_name, address(&mail.from)?))
        .to(Mailbox::new(None, address(&mail.to)?))
        .subject(mail.subject.as_str())
        .raw_header(raw("Content-Language", mail.locale.as_str()))
        // Keeps absence notes and the like from answering (RFC 3834).
        .raw_header(raw("Auto-Submitted", "auto-generated"));
    if let Some(reply_to) = &mail.reply_to {
        builder = builder.reply_to(Mailbox::new(None, address(reply_to)?));
    }
    builder
        .multipart(parts)
        .map_err(|error| MailError::Refused { code: "message".to_owned(), message: error.to_string() })
}

/// The address as mail servers want it, the domain in ASCII.
pub(super) fn address(email: &Email) -> Result<Address, MailError> {
    let (name, domain) = email.as_str().rsplit_once('@').unwrap_or_default();
    Address::new(name, ascii_domain(domain))
        .map_err(|error| MailError::Refused { code: "address".to_owned(), message: error.to_string() })
}

fn raw(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}
