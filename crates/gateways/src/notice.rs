//! What a gateway sends on its own.

use domain::{Fact, PaymentLocator};

/// One event out of a message, proven authentic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeItem {
    /// The gateway's id of the event, unique in the account.
    pub event_id: String,
    /// The gateway's word for what happened.
    pub kind: String,
    /// This event alone, as it came.
    pub body: Vec<u8>,
}

/// What one event means to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Translation {
    /// It says how a payment, a refund or a dispute stands.
    Fact(Box<Fact>),
    /// It says that something moved, but not where it stands now: the gateway is asked.
    Ask(PaymentLocator),
    /// Nothing for us; with a stable code for why.
    Ignore(&'static str),
}

/// Why a message was not taken. Nothing is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The signature header is missing.
    #[error("the signature is missing")]
    SignatureMissing,
    /// The signature header cannot be read.
    #[error("the signature cannot be read")]
    SignatureMalformed,
    /// No live secret gives this signature.
    #[error("the signature does not match")]
    SignatureMismatch,
    /// Signed too long ago, or in the future: the message may be a replay.
    #[error("the signature is outside the tolerance of {tolerance_seconds} s")]
    OutsideTolerance {
        /// How far the signed time may be from ours, either way.
        tolerance_seconds: i64,
    },
    /// No secret is configured; nothing can be authentic.
    #[error("no webhook secret is configured")]
    NoSecret,
    /// Authentic, but not a message of this gateway.
    #[error("the message cannot be read")]
    BodyMalformed,
}

impl VerifyError {
    /// The stable code for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::SignatureMissing => "signature_missing",
            Self::SignatureMalformed => "signature_malformed",
            Self::SignatureMismatch => "signature_mismatch",
            Self::OutsideTolerance { .. } => "signature_outside_tolerance",
            Self::NoSecret => "webhook_secret_missing",
            Self::BodyMalformed => "body_malformed",
        }
    }
}

/// An authentic event of a kind that we handle and yet cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct TranslateError {
    /// What did not fit, for a person.
    pub problem: String,
}
