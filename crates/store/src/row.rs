//! One row as an engine gave it: columns by their place, typed where they are read.
//!
//! A column that is not what the reader says is an error that names the place
//! and never the value: values hold what must not be logged.

use std::str::FromStr;

use domain::Timestamp;

use crate::Value;

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row(Vec<Value>);

/// A column is not what its reader expects.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column} is not {expected}")]
pub struct RowError {
    /// The place of the column, counted from 0.
    pub column: usize,
    /// What it should have been.
    pub expected: &'static str,
}

impl Row {
    /// A row of these columns.
    #[must_use]
    pub fn new(values: Vec<Value>) -> Self {
        Self(values)
    }

    /// Every column, in order.
    pub(crate) fn values(&self) -> &[Value] {
        &self.0
    }

    /// How many columns there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no column at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A `bigint`.
    ///
    /// # Errors
    /// When the column is anything else, null included.
    pub fn integer(&self, column: usize) -> Result<i64, RowError> {
        self.optional_integer(column)?.ok_or(RowError { column, expected: "an integer" })
    }

    /// A `bigint`, or nothing.
    ///
    /// # Errors
    /// When the column is neither.
    pub fn optional_integer(&self, column: usize) -> Result<Option<i64>, RowError> {
        match self.0.get(column) {
            Some(Value::Integer(integer)) => Ok(Some(*integer)),
            Some(Value::Null) => Ok(None),
            Some(Value::Text(_) | Value::Bytes(_) | Value::Flag(_)) | None => {
                Err(RowError { column, expected: "an integer" })
            }
        }
    }

    /// A `bigint` that counts: 0 to 4,294,967,295.
    ///
    /// # Errors
    /// When the column is anything else, or out of that range.
    pub fn count(&self, column: usize) -> Result<u32, RowError> {
        u32::try_from(self.integer(column)?).map_err(|_| RowError { column, expected: "a count" })
    }

    /// A `bigint` of microseconds since the epoch.
    ///
    /// # Errors
    /// When the column is anything else.
    pub fn timestamp(&self, column: usize) -> Result<Timestamp, RowError> {
        self.integer(column).map(Timestamp::from_microseconds)
    }

    /// A `bigint` of microseconds since the epoch, or nothing.
    ///
    /// # Errors
    /// When the column is neither.
    pub fn optional_timestamp(&self, column: usize) -> Result<Option<Timestamp>, RowError> {
        Ok(self.optional_integer(column)?.map(Timestamp::from_microseconds))
    }

    /// A flag, kept as 0 or 1.
    ///
    /// # Errors
    /// When the column is neither 0 nor 1.
    pub fn flag(&self, column: usize) -> Result<bool, RowError> {
        match self.0.get(column) {
            Some(Value::Flag(flag)) => Ok(*flag),
            Some(Value::Integer(0)) => Ok(false),
            Some(Value::Integer(1)) => Ok(true),
            Some(Value::Null | Value::Integer(_) | Value::Text(_) | Value::Bytes(_)) | None => {
                Err(RowError { column, expected: "a flag" })
            }
        }
    }

    /// A text.
    ///
    /// # Errors
    /// When the column is anything else, null included.
    pub fn text(&self, column: usize) -> Result<&str, RowError> {
        self.optional_text(column)?.ok_or(RowError { column, expected: "text" })
    }

    /// A text, or nothing.
    ///
    /// # Errors
    /// When the column is neither.
    pub fn optional_text(&self, column: usize) -> Result<Option<&str>, RowError> {
        match self.0.get(column) {
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::Null) => Ok(None),
            Some(Value::Integer(_) | Value::Bytes(_) | Value::Flag(_)) | None => {
                Err(RowError { column, expected: "text" })
            }
        }
    }

    /// A text that is read into what it stands for: an id, a currency.
    ///
    /// # Errors
    /// When the column is no text, or the text cannot be read as that.
    pub fn parsed<T: FromStr>(&self, column: usize, expected: &'static str) -> Result<T, RowError> {
        self.text(column)?.parse().map_err(|_| RowError { column, expected })
    }

    /// A text that is read into what it stands for, or nothing.
    ///
    /// # Errors
    /// When the column is neither null nor a text that can be read as that.
    pub fn optional_parsed<T: FromStr>(&self, column: usize, expected: &'static str) -> Result<Option<T>, RowError> {
        self.optional_text(column)?.map(|text| text.parse().map_err(|_| RowError { column, expected })).transpose()
    }

    /// A text, moved out of the row; the column is null afterwards.
    ///
    /// # Errors
    /// When the column is anything else, null included.
    pub fn take_text(&mut self, column: usize) -> Result<String, RowError> {
        self.take_optional_text(column)?.ok_or(RowError { column, expected: "text" })
    }

    /// A text or nothing, moved out of the row; the column is null afterwards.
    ///
    /// # Errors
    /// When the column is neither.
    pub fn take_optional_text(&mut self, column: usize) -> Result<Option<String>, RowError> {
        match self.0.get_mut(column).map(|value| std::mem::replace(value, Value::Null)) {
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::Null) => Ok(None),
            Some(Value::Integer(_) | Value::Bytes(_) | Value::Flag(_)) | None => {
                Err(RowError { column, expected: "text" })
            }
        }
    }

    /// Bytes.
    ///
    /// # Errors
    /// When the column is anything else, null included.
    pub fn bytes(&self, column: usize) -> Result<&[u8], RowError> {
        self.optional_bytes(column)?.ok_or(RowError { column, expected: "bytes" })
    }

    /// Bytes, or nothing.
    ///
    /// # Errors
    /// When the column is neither.
    pub fn optional_bytes(&self, column: usize) -> Result<Option<&[u8]>, RowError> {
        match self.0.get(column) {
            Some(Value::Bytes(bytes)) => Ok(Some(bytes)),
            Some(Value::Null) => Ok(None),
            Some(Value::Integer(_) | Value::Text(_) | Value::Flag(_)) | None => {
                Err(RowError { column, expected: "bytes" })
            }
        }
    }

    /// Bytes, moved out of the row; the column is null afterwards.
    ///
    /// # Errors
    /// When the column is anything else, null included.
    pub fn take_bytes(&mut self, column: usize) -> Result<Vec<u8>, RowError> {
        match self.0.get_mut(column).map(|value| std::mem::replace(value, Value::Null)) {
            Some(Value::Bytes(bytes)) => Ok(bytes),
            Some(Value::Null | Value::Integer(_) | Value::Text(_) | Value::Flag(_)) | None => {
                Err(RowError { column, expected: "bytes" })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn row() -> Row {
        Row::new(vec![
            Value::Null,
            Value::Integer(1),
            Value::Text("shop_00000000000000000000000000".to_owned()),
            Value::Bytes(vec![1, 2]),
            Value::Integer(2),
        ])
    }

    #[test]
    fn a_column_is_read_as_what_it_is() {
        let mut row = row();
        assert_eq!(row.optional_integer(0), Ok(None));
        assert_eq!(row.integer(1), Ok(1));
        assert_eq!(row.flag(1), Ok(true));
        assert_eq!(row.timestamp(1), Ok(Timestamp::from_microseconds(1)));
        assert!(row.parsed::<domain::ShopId>(2, "a shop").is_ok());
        assert_eq!(row.bytes(3), Ok(&[1, 2][..]));
        assert_eq!(row.take_bytes(3), Ok(vec![1, 2]));
        assert_eq!(row.optional_bytes(3), Ok(None));
    }

    #[test]
    fn a_column_that_is_something_else_is_an_error_that_names_the_place_only() {
        let mut row = row();
        assert_eq!(row.integer(0).unwrap_err().to_string(), "column 0 is not an integer");
        assert_eq!(row.text(0).unwrap_err().to_string(), "column 0 is not text");
        assert_eq!(row.flag(4).unwrap_err().to_string(), "column 4 is not a flag");
        assert_eq!(row.bytes(2).unwrap_err().to_string(), "column 2 is not bytes");
        assert_eq!(row.take_text(9).unwrap_err().to_string(), "column 9 is not text");
        assert_eq!(row.parsed::<domain::OrderId>(2, "an order").unwrap_err().to_string(), "column 2 is not an order");
    }
}
