//! Our five values as PostgreSQL's types, in its binary form.

use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::engine::storable;
use crate::{Row, RowError, Value};

impl ToSql for Value {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match (self, kind) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Integer(integer), &Type::INT8) => integer.to_sql(kind, out),
            (Self::Integer(integer), &Type::INT4) => i32::try_from(*integer)?.to_sql(kind, out),
            (Self::Flag(flag), &Type::INT8) => i64::from(*flag).to_sql(kind, out),
            (Self::Flag(flag), &Type::INT4) => i32::from(*flag).to_sql(kind, out),
            (Self::Flag(flag), &Type::BOOL) => flag.to_sql(kind, out),
            (Self::Text(text), &Type::TEXT | &Type::VARCHAR) => storable(text).as_ref().to_sql(kind, out),
            (Self::Bytes(bytes), &Type::BYTEA) => bytes.to_sql(kind, out),
            (Self::Integer(_) | Self::Flag(_) | Self::Text(_) | Self::Bytes(_), _) => {
                Err(format!("{self:?} was given where the statement has {kind}").into())
            }
        }
    }

    fn accepts(_: &Type) -> bool {
        // `to_sql` looks at the type together with the value.
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        match *kind {
            Type::INT8 => i64::from_sql(kind, raw).map(Self::Integer),
            Type::INT4 => i32::from_sql(kind, raw).map(|integer| Self::Integer(i64::from(integer))),
            // SQLite answers a comparison with 0 or 1.
            Type::BOOL => bool::from_sql(kind, raw).map(|flag| Self::Integer(i64::from(flag))),
            Type::TEXT | Type::VARCHAR => String::from_sql(kind, raw).map(Self::Text),
            Type::BYTEA => Vec::from_sql(kind, raw).map(Self::Bytes),
            _ => Err(format!("a column of type {kind} is none of ours").into()),
        }
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A row as the server sent it.
pub(super) fn row(sent: &tokio_postgres::Row) -> Result<Row, RowError> {
    (0..sent.len())
        .map(|column| sent.try_get(column).map_err(|_| RowError { column, expected: "an integer, text or bytes" }))
        .collect::<Result<_, _>>()
        .map(Row::new)
}
