//! Two verbs, two engines: `query` and `commit`.
//!
//! A [`Statement`] is a text and its values, and says how many rows it must
//! touch; a commit in which one statement touches another number is undone
//! whole and told as a conflict. That is all the transaction there is: nobody
//! outside the engine ever holds one open.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use metrics::Exposition;

use crate::{Migration, MigrationError, Row, RowError, Touched, VaultError};

/// A value that goes into a statement or comes out of a row. Both engines have these five.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// `bigint`.
    Integer(i64),
    /// `text`.
    Text(String),
    /// `bytea` or `blob`.
    Bytes(Vec<u8>),
    /// `boolean` as 0 or 1 in a `bigint`, so that one SQL text serves both engines.
    Flag(bool),
}

impl fmt::Debug for Value {
    /// The kind only: values hold what must not be logged.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Null => "null",
            Self::Integer(_) => "integer",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Flag(_) => "flag",
        })
    }
}

/// A text as both engines can keep it: PostgreSQL has no NUL, so U+FFFD stands for it on either,
/// in what is written and in what is looked for, and nothing from outside can make a row that cannot be stored.
pub(crate) fn storable(text: &str) -> Cow<'_, str> {
    if text.as_bytes().contains(&0) { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// How many rows a statement must touch for the commit to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Any number.
    Any,
    /// Exactly so many.
    Rows(u64),
}

/// A text with its values. The text is written in the program, never put
/// together from input; placeholders are `$1`, `$2`, … on both engines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The text.
    pub sql: &'static str,
    /// The values of `$1`, `$2`, ….
    pub values: Vec<Value>,
    /// How many rows it must touch, in a commit.
    pub expect: Expect,
    /// What it writes, as named in a conflict: `order`, `notice`, ….
    pub what: &'static str,
}

impl Statement {
    /// Whether so many rows are what the statement must touch.
    pub(crate) fn is_met_by(&self, touched: u64) -> bool {
        match self.expect {
            Expect::Any => true,
            Expect::Rows(expected) => expected == touched,
        }
    }

    /// The conflict of this statement.
    pub(crate) fn conflict(&self) -> CommitError {
        CommitError::Conflict { what: self.what }
    }
}

/// The rows that one statement of a query gave.
pub type Rows = Vec<Row>;

/// Why nothing could be read. It says nothing about what is stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The database cannot be reached, is busy beyond patience, or failed.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
    /// A row cannot be what it should be.
    #[error("a stored row cannot be read: {0}")]
    Corrupt(String),
}

impl From<RowError> for ReadError {
    fn from(error: RowError) -> Self {
        Self::Corrupt(error.to_string())
    }
}

impl From<VaultError> for ReadError {
    fn from(error: VaultError) -> Self {
        Self::Corrupt(error.to_string())
    }
}

/// Why a commit did not, or may not, stand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// Nothing was written: a row has moved on, or a unique key is taken. Load and decide again.
    #[error("{what} was changed by somebody else")]
    Conflict {
        /// What the statement that failed writes.
        what: &'static str,
    },
    /// Nothing was written: the database refused or cannot be reached.
    #[error("the database refused: {0}")]
    Unavailable(String),
    /// Nobody knows: the answer to the commit was lost. Never success; load and look.
    #[error("the outcome of the commit is unknown: {0}")]
    Unknown(String),
}

impl From<VaultError> for CommitError {
    fn from(error: VaultError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// Why an engine does not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The database cannot be opened or reached.
    #[error("the database cannot be opened: {0}")]
    Unavailable(String),
    /// Somebody uses it who must not now: rows are being moved in or out, or they are to be and a server is at them.
    #[error("{0} is in use by another process: {1}")]
    InUse(String, &'static str),
    /// It answers, and would lose what it acknowledged, or cannot hold what we store. We do not sell on that.
    #[error("the database has {setting} = {value}; {needed}")]
    Unsafe {
        /// The setting that is wrong.
        setting: &'static str,
        /// What it is.
        value: String,
        /// What it must be, and why.
        needed: &'static str,
    },
}

/// With whom a process shares a database. Whoever opens it says so, and it is so for as long as the engine lives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Access {
    /// With others who share it: servers, commands.
    #[default]
    Shared,
    /// With nobody: to move all rows out or in. Refused while anybody is there, and nobody else comes in meanwhile.
    Alone,
}

/// What is told to one who would be alone and is not.
pub(crate) const NOT_ALONE: &str = "stop the servers first, and other commands";

/// What is told to one who would share what somebody has alone.
pub(crate) const IS_MOVING: &str = "its rows are being moved or restored; wait until that has ended";

/// A future that an engine returns.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where rows are kept.
pub trait Engine: Send + Sync {
    /// Reads: all statements in one snapshot, one answer each, in order.
    fn query(&self, statements: Vec<Statement>) -> Answer<'_, Result<Vec<Rows>, ReadError>>;

    /// Reads as `query` does what keys find by an index, a handful of rows: an engine that has them
    /// at hand may answer on the caller's own thread.
    fn look_up(&self, statements: Vec<Statement>) -> Answer<'_, Result<Vec<Rows>, ReadError>> {
        self.query(statements)
    }

    /// Writes: all statements or none, durable when it answers.
    fn commit(&self, statements: Vec<Statement>) -> Answer<'_, Result<(), CommitError>>;

    /// Writes as `commit` does, and gives the rows that `returning` named, one answer a statement.
    fn commit_returning(&self, statements: Vec<Statement>) -> Answer<'_, Result<Vec<Rows>, CommitError>>;

    /// Applies the migrations that the database does not have yet, all or none, one process at a time,
    /// and gives the numbers of those it applied.
    fn migrate(&self, migrations: &'static [Migration]) -> Answer<'_, Result<Vec<i64>, MigrationError>>;

    /// Which licenses and seats its commits touch, where no commit of anybody escapes it; `None` where, or as long as,
    /// one may.
    fn touched(&self) -> Option<&Touched> {
        None
    }

    /// Writes down what it has counted of its own work. An engine that counts nothing has nothing to tell.
    fn write_metrics(&self, _exposition: &mut Exposition) {}

    /// Which engine it is, for health and doctor: `sqlite` or `postgres`.
    fn name(&self) -> &'static str;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_in_a_text_becomes_the_replacement_character_and_all_else_stays() {
        assert_eq!(storable("a\0b\0"), "a\u{fffd}b\u{fffd}");
        assert!(matches!(storable("a\u{1}b"), Cow::Borrowed("a\u{1}b")));
    }
}
