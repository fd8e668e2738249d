//! Answers that say no: `application/problem+json` (RFC 9457) for programs.
//!
//! A problem has a public half, which is sent, and an internal half, which is
//! logged with the request's id and never sent.

use app::Error;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::Refusal;
use serde::Serialize;

/// What went wrong, for a program to branch on and a person to read.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    /// The stable code.
    pub(crate) code: &'static str,
    /// What was wrong and what to do, one sentence.
    pub(crate) detail: String,
    /// Which field of the request.
    pub(crate) param: Option<String>,
    /// The gateway's code, where a payment was declined.
    pub(crate) decline_code: Option<String>,
    /// Whether the same request may work later.
    pub(crate) retryable: bool,
    /// In how many seconds to come again.
    pub(crate) retry_after_seconds: Option<u32>,
    /// For the log alone.
    pub(crate) internal: Option<Box<str>>,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    code: &'a str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    param: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decline_code: Option<&'a str>,
    retryable: bool,
    doc_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            param: None,
            decline_code: None,
            retryable: status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS,
            retry_after_seconds: None,
            internal: None,
        }
    }

    /// A field of the request that cannot be taken.
    pub(crate) fn invalid(param: &str, code: &'static str, detail: impl Into<String>) -> Self {
        Self { param: Some(param.to_owned()), ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail) }
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("There is no such {what}."))
    }

    /// Nobody can tell now. Says nothing about the question.
    pub(crate) fn unavailable(internal: impl Into<String>) -> Self {
        Self {
            retry_after_seconds: Some(2),
            internal: Some(internal.into().into_boxed_str()),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "This cannot be answered right now. Please try again in a moment.",
            )
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => refusal.into(),
            Error::NotFound { what } => Self::not_found(what),
            Error::Unavailable(internal) => Self::unavailable(internal),
            Error::Conflict { .. } => Self::unavailable(error.to_string()),
            Error::Configuration(internal) => Self {
                internal: Some(internal.into_boxed_str()),
                ..Self::new(
                    StatusCode::CONFLICT,
                    "not_configured",
                    "The shop is not completely set up yet; its owner finds the reason with `latchkey doctor`.",
                )
            },
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match &refusal {
            Refusal::PaymentUnknown => StatusCode::NOT_FOUND,
            Refusal::LicenseNotUsable(_)
            | Refusal::UpdateNotCovered
            | Refusal::WrongProduct
            | Refusal::DownloadLinkInvalid
            | Refusal::ReleaseNotOut
            | Refusal::RequestNotGenuine
            | Refusal::KeyRetired { .. } => StatusCode::FORBIDDEN,
            Refusal::DownloadLinkEnded | Refusal::ReleaseWithdrawn => StatusCode::GONE,
            Refusal::SeatLimitReached { .. }
            | Refusal::GroupFull { .. }
            | Refusal::GroupLicensesReached { .. }
            | Refusal::GroupBelowUsed { .. }
            | Refusal::GroupNotEmpty
            | Refusal::NotActivated
            | Refusal::UsageNotCounted
            | Refusal::SeatsBelowUsed { .. }
            | Refusal::ReleaseQuotaReached { .. }
            | Refusal::RotationQuotaReached { .. }
            | Refusal::TransferQuotaReached { .. }
            | Refusal::BatchDiffers
            | Refusal::TransferToOwner
            | Refusal::TransferOver
            | Refusal::LicenseStateUnfit { .. }
            | Refusal::NotUndoable
            | Refusal::ChangedSince
            | Refusal::UsageExhausted { .. }
            | Refusal::OrderNotPaid
            | Refusal::OutOfStock
            | Refusal::OnBackOrder
            | Refusal::CodeMadeElsewhere
            | Refusal::PlanIsBundle
            | Refusal::CodeFromStock
            | Refusal::NothingOwed
            | Refusal::MessagesUnanswered
            | Refusal::MessageUnreadable
            | Refusal::SubmittedOtherwise
            | Refusal::FulfilledOtherwise
            | Refusal::ContentTaken
            | Refusal::NoSurplus
            | Refusal::EmailTaken
            | Refusal::CheckoutExpired
            | Refusal::CheckoutCompleted
            | Refusal::AmountMismatch { .. }
            | Refusal::CurrencyMismatch { .. }
            | Refusal::ModeMismatch { .. }
            | Refusal::AccountMismatch
            | Refusal::ReferenceMismatch { .. } => StatusCode::CONFLICT,
            Refusal::RefundExceedsPayment { .. }
            | Refusal::RefundNotPositive
            | Refusal::PlanNotOnSale
            | Refusal::NoPriceInCurrency
            | Refusal::QuantityOutOfRange { .. }
            | Refusal::CouponUnknown
            | Refusal::ConsentMissing
            | Refusal::AnswerMissing { .. }
            | Refusal::AnswerInvalid { .. }
            | Refusal::DeviceMissing
            | Refusal::FileTimeOutOfRange { .. }
            | Refusal::Money(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let detail = refusal.to_string();
        let mut letters = detail.chars();
        let sentence =
            letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()));
        Self::new(status, refusal.code(), sentence)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let request_id = app::trace::request_id();
        if let Some(internal) = &self.internal {
            tracing::error!(code = self.code, internal, "a request could not be answered");
        }
        let body = Body {
            r#type: format!("/docs/errors#{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            code: self.code,
            detail: &self.detail,
            param: self.param.as_deref(),
            decline_code: self.decline_code.as_deref(),
            retryable: self.retryable,
            doc_url: format!("/docs/errors#{}", self.code),
            request_id,
        };
        let json = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = (self.status, [(header::CONTENT_TYPE, "application/problem+json")], json).into_response();
        // For pages, which tell people the same in their own words.
        response.extensions_mut().insert(self.clone());
        if let Some(value) =
            self.retry_after_seconds.and_then(|seconds| HeaderValue::from_str(&seconds.to_string()).ok())
        {
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        response
    }
}
