//! Errors as JSON:API writes them (<https://jsonapi.org/format/#errors>), with Keygen's codes and words.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::{Refusal, Standing};
use serde_json::{Value, json};

use super::JSON_API;
use super::call::Call;
use crate::Web;
use crate::problem::Problem;

/// What was wrong with a call.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(super) status: StatusCode,
    title: &'static str,
    detail: Box<str>,
    code: Option<&'static str>,
    /// Where in the request: `pointer`, `parameter` or `header`, and which.
    source: Option<(&'static str, Box<str>)>,
    /// How to authenticate, where that is what was wrong.
    challenge: Option<&'static str>,
    retry_after_seconds: Option<u32>,
}

impl Fault {
    fn of(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into().into_boxed_str();
        Self { status, title, detail, code: None, source: None, challenge: None, retry_after_seconds: None }
    }

    pub(super) fn bad(detail: impl Into<String>) -> Self {
        Self::of(StatusCode::BAD_REQUEST, "Bad request", detail)
    }

    pub(super) fn unprocessable(detail: impl Into<String>, code: &'static str) -> Self {
        Self::of(StatusCode::UNPROCESSABLE_ENTITY, "Unprocessable resource", detail).coded(code)
    }

    pub(super) fn unauthorized(code: &'static str) -> Self {
        let detail = "You must be authenticated to complete the request";
        let fault = Self::of(StatusCode::UNAUTHORIZED, "Unauthorized", detail).coded(code);
        Self { challenge: Some("Bearer realm=\"keygen\""), ..fault }
    }

    pub(super) fn denied() -> Self {
        Self::of(StatusCode::FORBIDDEN, "Access denied", "You do not have permission to complete the request")
    }

    pub(super) fn closed(standing: Standing) -> Option<Self> {
        let (detail, code) = match standing {
            Standing::Active => return None,
            Standing::Revoked => ("License is banned", "LICENSE_BANNED"),
            Standing::Suspended => ("License is suspended", "LICENSE_SUSPENDED"),
            Standing::Expired => ("License is expired", "LICENSE_EXPIRED"),
        };
        Some(Self { detail: detail.into(), ..Self::denied().coded(code) })
    }

    pub(super) fn not_found(what: &str, id: &str) -> Self {
        let detail = format!("The requested {what} '{id}' was not found");
        Self::of(StatusCode::NOT_FOUND, "Not found", detail).coded("NOT_FOUND")
    }

    pub(super) fn coded(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }

    pub(super) fn at(self, pointer: impl Into<String>) -> Self {
        Self { source: Some(("pointer", pointer.into().into_boxed_str())), ..self }
    }

    pub(super) fn of_parameter(self, name: &str) -> Self {
        Self { source: Some(("parameter", name.into())), ..self }
    }

    pub(super) fn saying(self, detail: &str) -> Self {
        Self { detail: detail.into(), ..self }
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        if let Some(internal) = &problem.internal {
            tracing::error!(code = problem.code, internal, "a request could not be answered");
        }
        let title = match problem.status {
            StatusCode::NOT_FOUND => "Not found",
            StatusCode::SERVICE_UNAVAILABLE => "Service unavailable",
            StatusCode::TOO_MANY_REQUESTS => "Too many requests",
            status => status.canonical_reason().unwrap_or("Error"),
        };
        let retry_after_seconds = problem.retry_after_seconds;
        Self { retry_after_seconds, ..Self::of(problem.status, title, problem.detail) }
    }
}

impl From<app::Error> for Fault {
    fn from(error: app::Error) -> Self {
        match error {
            app::Error::Refused(Refusal::SeatLimitReached { seats }) => {
                let detail = format!("machine count has exceeded maximum allowed for license ({seats})");
                Self::unprocessable(detail, "MACHINE_LIMIT_EXCEEDED").at("/data")
            }
            app::Error::Refused(Refusal::GroupFull { seats }) => {
                let detail = format!("machine count has exceeded maximum allowed by current group ({seats})");
                Self::unprocessable(detail, "GROUP_MACHINE_LIMIT_EXCEEDED").at("/data/relationships/group")
            }
            app::Error::Refused(Refusal::UsageExhausted { limit, .. }) => {
                let detail = format!("usage exceeds maximum allowed for license ({limit})");
                Self::unprocessable(detail, "USES_LIMIT_EXCEEDED").at("/data/attributes/uses")
            }
            app::Error::Refused(Refusal::LicenseNotUsable(standing)) => {
                Self::closed(standing).unwrap_or_else(Self::denied)
            }
            app::Error::Refused(Refusal::KeyRetired { .. }) => Self::unauthorized("LICENSE_INVALID"),
            app::Error::Refused(_)
            | app::Error::NotFound { .. }
            | app::Error::Unavailable(_)
            | app::Error::Conflict { .. }
            | app::Error::Configuration(_) => Problem::from(error).into(),
        }
    }
}

impl From<store::ReadError> for Fault {
    fn from(error: store::ReadError) -> Self {
        app::Error::from(error).into()
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut error = json!({ "title": self.title, "detail": self.detail });
        if let Some(code) = self.code {
            error["code"] = code.into();
        }
        if let Some((place, which)) = self.source {
            error["source"] = json!({ place: which });
        }
        let id: Value = app::trace::request_id().into();
        let body = json!({ "meta": { "id": id }, "errors": [error] }).to_string();
        let mut response = (self.status, [(header::CONTENT_TYPE, JSON_API)], body).into_response();
        if let Some(challenge) = self.challenge {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(value) =
            self.retry_after_seconds.and_then(|seconds| HeaderValue::from_str(&seconds.to_string()).ok())
        {
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        response
    }
}

/// What is not there, as Keygen says it.
pub(crate) async fn no_endpoint(State(_web): State<Web>, _call: Call) -> Fault {
    missing_endpoint()
}

pub(super) fn missing_endpoint() -> Fault {
    let detail = "The requested endpoint was not found (check your HTTP method, Accept header, and URL path)";
    Fault::of(StatusCode::NOT_FOUND, "Not found", detail).coded("NOT_FOUND")
}
