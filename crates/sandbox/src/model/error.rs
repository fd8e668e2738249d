//! How the API says no: Stripe's classes of error, as values.

use serde_json::{Map, Value, json};

/// The classes that a client branches on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request itself is wrong; repeating it changes nothing.
    InvalidRequest,
    /// The issuer or the bank said no.
    Card,
    /// The idempotency key was used for something else, or is in use.
    Idempotency,
    /// The gateway failed.
    Api,
}

impl ErrorKind {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request_error",
            Self::Card => "card_error",
            Self::Idempotency => "idempotency_error",
            Self::Api => "api_error",
        }
    }
}

/// A refused request: the status line and the `error` object.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// The class.
    pub kind: ErrorKind,
    /// The `error` object, without its `type`.
    pub fields: Map<String, Value>,
}

impl ApiError {
    /// An error of this status and class.
    #[must_use]
    pub fn new(status: u16, kind: ErrorKind, message: impl Into<String>) -> Self {
        let mut fields = Map::new();
        fields.insert("message".to_owned(), Value::String(message.into()));
        Self { status, kind, fields }
    }

    /// 400: the request is wrong.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, ErrorKind::InvalidRequest, message)
    }

    /// 400, 402 of the issuer: the card or the bank said no.
    #[must_use]
    pub fn card(message: impl Into<String>) -> Self {
        Self::new(402, ErrorKind::Card, message)
    }

    /// 404: there is no such thing in this account.
    #[must_use]
    pub fn missing(noun: &str, id: &str) -> Self {
        Self::new(404, ErrorKind::InvalidRequest, format!("No such {noun}: '{id}'"))
            .code("resource_missing")
            .param("id")
    }

    /// Adds the machine-readable reason.
    #[must_use]
    pub fn code(self, code: &str) -> Self {
        let address = format!("https://docs.stripe.com/error-codes/{}", code.replace('_', "-"));
        self.with("code", json!(code)).with("doc_url", json!(address))
    }

    /// Names the parameter that is wrong.
    #[must_use]
    pub fn param(self, param: &str) -> Self {
        self.with("param", json!(param))
    }

    /// Adds a field of the `error` object.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.fields.insert(name.to_owned(), value);
        self
    }

    /// The text for a person.
    #[must_use]
    pub fn message(&self) -> &str {
        self.fields.get("message").and_then(Value::as_str).unwrap_or_default()
    }

    /// The body of the answer.
    #[must_use]
    pub fn body(&self) -> Value {
        let mut error = self.fields.clone();
        error.insert("type".to_owned(), json!(self.kind.name()));
        json!({ "error": error })
    }
}
