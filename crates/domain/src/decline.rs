//! Why money could not be collected, in words that do not depend on the gateway.

use serde::{Deserialize, Serialize};

/// What a decline asks for next. An adapter maps its gateway's codes to these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclineClass {
    /// May work later with the same method: no funds, issuer not reachable.
    Soft,
    /// The method's data must be corrected or replaced: expired, wrong number or security code.
    UpdateMethod,
    /// The buyer must prove who they are (strong customer authentication).
    Authenticate,
    /// This method will not work: lost, stolen, closed, blocked.
    Hard,
    /// The payer took back the permission to charge.
    Revoked,
    /// Suspected fraud. Never tried again, and the buyer is never told this reason.
    Fraud,
    /// The gateway or the network failed, not the method.
    GatewayError,
}

impl DeclineClass {
    /// The stable code for programs, and the end of the message id for people.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Soft => "soft",
            Self::UpdateMethod => "update_method",
            Self::Authenticate => "authenticate",
            Self::Hard => "hard",
            Self::Revoked => "revoked",
            Self::Fraud => "fraud",
            Self::GatewayError => "gateway_error",
        }
    }

    /// Whether the same method may be charged again without the buyer doing anything.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        match self {
            Self::Soft | Self::GatewayError => true,
            Self::UpdateMethod | Self::Authenticate | Self::Hard | Self::Revoked | Self::Fraud => false,
        }
    }
}

/// One decline as it was reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decline {
    /// What it asks for.
    pub class: DeclineClass,
    /// The gateway's own code, kept for support.
    pub code: String,
}
