//! Something to do at or after a time: the outbox.

use serde::{Deserialize, Serialize};

use crate::{DeliveryId, JobId, LicenseId, PaymentId, RefundId, ShopId, Timestamp};

/// When a job is due that waits for a person to let it go: never by itself, in the year 9999.
pub const HELD_UNTIL: Timestamp = Timestamp::from_seconds(253_402_300_799);

/// What is to be done. A job names rows and takes no other input: the worker
/// looks at the rows, does what is due, and is harmless when repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JobKind {
    /// Ask the gateway for a page where this payment is made.
    OpenPayment {
        /// The payment.
        payment: PaymentId,
    },
    /// Ask the gateway how this payment stands, refunds and all.
    AskPayment {
        /// The payment.
        payment: PaymentId,
    },
    /// Tell the gateway to give this money back.
    SendRefund {
        /// The refund.
        refund: RefundId,
    },
    /// Send this mail.
    SendMail {
        /// The delivery.
        delivery: DeliveryId,
    },
    /// Ask the seller's program for what the unit of this license is owed.
    AskEndpoint {
        /// The license.
        license: LicenseId,
    },
}

impl JobKind {
    /// The word in rows and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OpenPayment { .. } => "open_payment",
            Self::AskPayment { .. } => "ask_payment",
            Self::SendRefund { .. } => "send_refund",
            Self::SendMail { .. } => "send_mail",
            Self::AskEndpoint { .. } => "ask_endpoint",
        }
    }

    /// The id of the row that the job is about, as text.
    #[must_use]
    pub fn subject(self) -> String {
        match self {
            Self::OpenPayment { payment } | Self::AskPayment { payment } => payment.to_string(),
            Self::SendRefund { refund } => refund.to_string(),
            Self::SendMail { delivery } => delivery.to_string(),
            Self::AskEndpoint { license } => license.to_string(),
        }
    }

    /// Reads the words in rows.
    #[must_use]
    pub fn from_parts(kind: &str, subject: &str) -> Option<Self> {
        match kind {
            "open_payment" => PaymentId::parse(subject).ok().map(|payment| Self::OpenPayment { payment }),
            "ask_payment" => PaymentId::parse(subject).ok().map(|payment| Self::AskPayment { payment }),
            "send_refund" => RefundId::parse(subject).ok().map(|refund| Self::SendRefund { refund }),
            "send_mail" => DeliveryId::parse(subject).ok().map(|delivery| Self::SendMail { delivery }),
            "ask_endpoint" => LicenseId::parse(subject).ok().map(|license| Self::AskEndpoint { license }),
            _ => None,
        }
    }
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// The shop.
    pub shop: ShopId,
    /// What is to be done.
    pub kind: JobKind,
    /// Not before this moment.
    pub run_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// What went wrong the last time.
    pub last_error: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
}
