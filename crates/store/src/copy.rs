//! All rows from one database into another, and the fence that keeps servers out of either meanwhile.
//!
//! Rows go over in the order of their keys, a page a commit, so that the
//! greatest key in the target says how far a copy came before it was killed.
//! What goes over are the stored bytes: what is sealed stays sealed, and opens
//! with the same master key.

use serde::{Deserialize, Serialize};

use crate::place::Moment;
use crate::statement::{any, json, read, texts, values, write};
use crate::table::{FENCE, Summing, TABLES, TableSum, compare_keys};
use crate::{CommitError, Engine, ReadError, Row, Statement};

const WHAT: &str = "fence";

const FENCED: &str = "select value from settings where key = $1";
const PUT_FENCE: &str =
    "insert into settings (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value";
const LIFT_FENCE: &str = "delete from settings where key = $1";

texts![FENCED, PUT_FENCE, LIFT_FENCE];

/// Why a database must not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Fence {
    /// Its rows are on their way to another; what would be written here now would not go along.
    Leaving {
        /// Names the move.
        id: String,
        /// Where to, for people.
        to: String,
    },
    /// Its rows have moved, and went on living there.
    Left {
        /// Names the move.
        id: String,
        /// Where to, for people.
        to: String,
    },
    /// Rows are coming in, and not all of them are here.
    Arriving {
        /// Names the move, or the backup.
        id: String,
        /// Where from, for people.
        from: String,
    },
}

impl std::fmt::Display for Fence {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Leaving { to, .. } => {
                write!(formatter, "its rows are being moved to {to}: finish that with `latchkey move`, or give it up")
            }
            Self::Left { to, .. } => write!(formatter, "its rows have moved to {to} and live on there"),
            Self::Arriving { from, .. } => {
                write!(formatter, "rows are coming in from {from} and are not complete: run that command again")
            }
        }
    }
}

/// The fence of this database.
///
/// # Errors
/// When it does not answer, or a newer program put up a fence that this one cannot read.
pub async fn fence(engine: &dyn Engine) -> Result<Option<Fence>, ReadError> {
    let rows = engine.query(vec![fenced()]).await?.pop().unwrap_or_default();
    rows.first().map(read_fence).transpose()
}

/// Asks for the fence.
pub(crate) fn fenced() -> Statement {
    read(WHAT, FENCED, values![FENCE])
}

pub(crate) fn read_fence(row: &Row) -> Result<Fence, ReadError> {
    serde_json::from_str(row.text(0)?).map_err(|error| ReadError::Corrupt(format!("the fence: {error}")))
}

/// Puts a fence up, in place of one that is there, or takes it down.
///
/// # Errors
/// When the commit does not stand.
pub async fn set_fence(engine: &dyn Engine, fence: Option<&Fence>) -> Result<(), CommitError> {
    let statement = match fence {
        Some(fence) => write(WHAT, PUT_FENCE, vec![FENCE.into(), json(fence)?]),
        None => lift_fence(),
    };
    engine.commit(vec![statement]).await
}

/// Takes the fence down, in a commit with more.
pub(crate) fn lift_fence() -> Statement {
    any(write(WHAT, LIFT_FENCE, values![FENCE]))
}

/// Whether there is no row at all, fences apart.
///
/// # Errors
/// When the database does not answer.
pub async fn is_empty(engine: &dyn Engine) -> Result<bool, ReadError> {
    let found = engine.query(TABLES.iter().map(|table| table.page(None, 1)).collect()).await?;
    Ok(found.iter().all(Vec::is_empty))
}

/// How far a copy has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// The table that is under way, or was just done.
    pub table: &'static str,
    /// How many of its rows are over.
    pub rows: u64,
    /// Whether that is all of it.
    pub is_done: bool,
    /// Its place among all tables, from 1.
    pub place: usize,
    /// How many tables there are.
    pub of: usize,
}

/// Why a copy ended early. Run again, it goes on where it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CopyError {
    /// The source does not answer.
    #[error("the rows cannot be read: {0}")]
    Read(#[from] ReadError),
    /// The target does not take a row.
    #[error("the rows cannot be written: {0}")]
    Write(#[from] CommitError),
}

/// Copies every row that the target does not have yet; its greatest key in a table says which those are. The target's
/// schema is this program's, and nobody else writes there. Gives the counts and digests of all that was read.
///
/// # Errors
/// When either does not answer. What is over stays over.
pub async fn copy(
    source: &mut Moment,
    target: &dyn Engine,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<TableSum>, CopyError> {
    let mut sums = Vec::with_capacity(TABLES.len());
    for (place, table) in TABLES.iter().enumerate() {
        let last = target.query(vec![table.last_key()]).await?.pop().and_then(|rows| rows.into_iter().next());
        let is_over = |key: &[_]| last.as_ref().is_some_and(|last| compare_keys(key, last.values()).is_le());
        let told = |rows: u64, is_done: bool| Progress {
            table: table.name,
            rows,
            is_done,
            place: place + 1,
            of: TABLES.len(),
        };
        let mut summing = Summing::new();
        let mut after: Option<Vec<_>> = None;
        loop {
            let rows = source.page(table, after.as_deref()).await?;
            let Some(end) = rows.last() else { break };
            after = Some(table.key_of(end));
            rows.iter().for_each(|row| summing.add(row));
            let missing: Vec<Statement> =
                rows.iter().filter(|row| !is_over(&table.key_of(row))).map(|row| table.insert(row)).collect();
            if !missing.is_empty() {
                target.commit(missing).await?;
            }
            progress(told(summing.rows(), false));
        }
        progress(told(summing.rows(), true));
        sums.push(summing.finish(table));
    }
    Ok(sums)
}
