//! Columns into domain values, in the order in which the text names them.
//!
//! A noun's column list and the fields of its reader stand in one order, so
//! that there is no place to miscount.

use std::str::FromStr;

use domain::{Email, Timestamp};
use money::{Currency, Money};
use serde::de::DeserializeOwned;

use crate::{Row, RowError};

/// The columns of one row, one after the other.
pub(crate) struct Columns<'a> {
    row: &'a mut Row,
    next: usize,
}

impl<'a> Columns<'a> {
    pub(crate) fn of(row: &'a mut Row) -> Self {
        Self { row, next: 0 }
    }

    fn place(&mut self) -> usize {
        let place = self.next;
        self.next += 1;
        place
    }

    pub(crate) fn integer(&mut self) -> Result<i64, RowError> {
        let place = self.place();
        self.row.integer(place)
    }

    pub(crate) fn optional_integer(&mut self) -> Result<Option<i64>, RowError> {
        let place = self.place();
        self.row.optional_integer(place)
    }

    pub(crate) fn count(&mut self) -> Result<u32, RowError> {
        let place = self.place();
        self.row.count(place)
    }

    pub(crate) fn optional_count(&mut self) -> Result<Option<u32>, RowError> {
        let place = self.place();
        self.row.optional_integer(place)?.map(|_| self.row.count(place)).transpose()
    }

    /// A whole number that is not below zero.
    pub(crate) fn quantity(&mut self) -> Result<u64, RowError> {
        let column = self.place();
        let number = self.row.integer(column)?;
        u64::try_from(number).map_err(|_| RowError { column, expected: "a number that is not below zero" })
    }

    pub(crate) fn flag(&mut self) -> Result<bool, RowError> {
        let place = self.place();
        self.row.flag(place)
    }

    pub(crate) fn optional_flag(&mut self) -> Result<Option<bool>, RowError> {
        let place = self.place();
        self.row.optional_integer(place)?.map(|_| self.row.flag(place)).transpose()
    }

    pub(crate) fn time(&mut self) -> Result<Timestamp, RowError> {
        let place = self.place();
        self.row.timestamp(place)
    }

    pub(crate) fn optional_time(&mut self) -> Result<Option<Timestamp>, RowError> {
        let place = self.place();
        self.row.optional_timestamp(place)
    }

    pub(crate) fn text(&mut self) -> Result<String, RowError> {
        let place = self.place();
        self.row.take_text(place)
    }

    pub(crate) fn optional_text(&mut self) -> Result<Option<String>, RowError> {
        let place = self.place();
        self.row.take_optional_text(place)
    }

    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>, RowError> {
        let place = self.place();
        self.row.take_bytes(place)
    }

    pub(crate) fn optional_bytes(&mut self) -> Result<Option<Vec<u8>>, RowError> {
        let place = self.place();
        Ok(self.row.optional_bytes(place)?.map(<[u8]>::to_vec))
    }

    pub(crate) fn id<Id: FromStr>(&mut self) -> Result<Id, RowError> {
        let place = self.place();
        self.row.parsed(place, "an id of its kind")
    }

    pub(crate) fn optional_id<Id: FromStr>(&mut self) -> Result<Option<Id>, RowError> {
        let place = self.place();
        self.row.optional_parsed(place, "an id of its kind")
    }

    /// A word of a closed list, or a text with a form of its own.
    pub(crate) fn word<T>(
        &mut self,
        expected: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, RowError> {
        let column = self.place();
        read(self.row.text(column)?).ok_or(RowError { column, expected })
    }

    pub(crate) fn optional_word<T>(
        &mut self,
        expected: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, RowError> {
        let column = self.place();
        self.row.optional_text(column)?.map(|text| read(text).ok_or(RowError { column, expected })).transpose()
    }

    /// What the columns read last make together.
    pub(crate) fn known<T>(&self, expected: &'static str, value: Option<T>) -> Result<T, RowError> {
        value.ok_or(RowError { column: self.next.saturating_sub(1), expected })
    }

    pub(crate) fn email(&mut self) -> Result<Email, RowError> {
        self.word("an email address", |text| Email::parse(text).ok())
    }

    pub(crate) fn optional_email(&mut self) -> Result<Option<Email>, RowError> {
        self.optional_word("an email address", |text| Email::parse(text).ok())
    }

    pub(crate) fn currency(&mut self) -> Result<Currency, RowError> {
        self.word("a currency", |text| Currency::parse(text).ok())
    }

    /// An amount whose currency stands in another column.
    pub(crate) fn money(&mut self, currency: Currency) -> Result<Money, RowError> {
        self.integer().map(|minor| Money::new(minor, currency))
    }

    pub(crate) fn json<T: DeserializeOwned>(&mut self, expected: &'static str) -> Result<T, RowError> {
        self.word(expected, |text| serde_json::from_str(text).ok())
    }

    pub(crate) fn optional_json<T: DeserializeOwned>(&mut self, expected: &'static str) -> Result<Option<T>, RowError> {
        self.optional_word(expected, |text| serde_json::from_str(text).ok())
    }
}
