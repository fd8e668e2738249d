//! Domain values into statements: what every noun needs to say what it reads and writes.
//!
//! A row that is new is inserted as version 1. A row that was read is updated
//! where its version still stands, and its commit fails where it does not.

use domain::{
    ActivationId, ApiKeyId, AttemptId, BatchId, CheckoutId, CustomerId, DeliveryId, DisputeId, EndpointId, EventId,
    GatewayAccountId, GroupId, JobId, LicenseId, LoginLinkId, MessageId, NoticeId, OrderId, PaymentId, PlanId, PoolId,
    ProductId, RefundId, ReleaseFileId, ReleaseId, SessionId, ShopId, Timestamp, TransferId, UserId,
};
use serde::Serialize;

use crate::{CommitError, Expect, Statement, Value};

/// What must differ between the engines and does the same thing: `skip locked` has no counterpart where there is one writer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text {
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

impl Text {
    /// One text that both engines understand.
    #[cfg(test)]
    pub(crate) const fn both(text: &'static str) -> Self {
        Self { sqlite: text, postgres: text }
    }

    /// The text for the engine of this name.
    pub(crate) fn on(self, engine: &str) -> &'static str {
        if engine == "postgres" { self.postgres } else { self.sqlite }
    }
}

/// Names the texts of a noun, those for both engines and then those of each, for the test that prepares every one.
macro_rules! texts {
    ($($both:expr),* $(; $($each:expr),*)?) => {
        #[cfg(test)]
        pub(crate) const TEXTS: &[$crate::statement::Text] =
            &[$($crate::statement::Text::both($both),)* $($($each,)*)?];
    };
}
pub(crate) use texts;

/// The values of a statement, in order.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::Value::from($value)),*] };
}
pub(crate) use values;

/// Something to read; `what` names the row in an error.
pub(crate) fn read(what: &'static str, sql: &'static str, values: Vec<Value>) -> Statement {
    Statement { sql, values, expect: Expect::Any, what }
}

/// Something to write: exactly one row, or the commit is a conflict about `what`.
pub(crate) fn write(what: &'static str, sql: &'static str, values: Vec<Value>) -> Statement {
    Statement { sql, values, expect: Expect::Rows(1), what }
}

/// A value that only Rust looks into, as JSON text.
///
/// # Errors
/// When it cannot be written as JSON; nothing is committed then.
pub(crate) fn json(value: &impl Serialize) -> Result<Value, CommitError> {
    serde_json::to_string(value)
        .map(Value::Text)
        .map_err(|error| CommitError::Unavailable(format!("a value cannot be written as JSON: {error}")))
}

/// The same statement, for any number of rows.
pub(crate) fn any(statement: Statement) -> Statement {
    Statement { expect: Expect::Any, ..statement }
}

/// As [`json`], or nothing.
///
/// # Errors
/// As [`json`].
pub(crate) fn optional_json(value: Option<&impl Serialize>) -> Result<Value, CommitError> {
    value.map_or(Ok(Value::Null), json)
}

impl<T> From<Option<T>> for Value
where
    Self: From<T>,
{
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::from)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Integer(i64::from(value))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

impl From<Timestamp> for Value {
    fn from(value: Timestamp) -> Self {
        Self::Integer(value.as_microseconds())
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(value.to_vec())
    }
}

macro_rules! id_values {
    ($($id:ident),* $(,)?) => {$(
        impl From<$id> for Value {
            fn from(id: $id) -> Self {
                Self::Text(id.to_string())
            }
        }
    )*};
}

id_values! {
    ActivationId, ApiKeyId, AttemptId, BatchId, CheckoutId, CustomerId, DeliveryId, DisputeId, EventId, GatewayAccountId,
    EndpointId, GroupId, JobId, LicenseId, LoginLinkId, MessageId, NoticeId, OrderId, PaymentId, PlanId, PoolId,
    ProductId, RefundId, ReleaseFileId, ReleaseId, SessionId, ShopId, TransferId, UserId,
}
