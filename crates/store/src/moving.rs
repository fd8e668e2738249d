//! A whole shop into another database: moved, backed up, restored. Each is a copy that is verified before anybody may
//! rely on it.
//!
//! A move freezes: nobody else may have the source open, and a fence in it
//! keeps servers out until the move is over or given up. So nothing can be
//! written that would not go along, however often the move is interrupted. A
//! backup freezes nothing: it reads one moment beside whoever writes.

use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;
use domain::Timestamp;

use crate::copy::{CopyError, Fence, Progress, copy, fence, is_empty, set_fence};
use crate::place::{Moment, Place};
use crate::report::{Finding, broken_laws_of};
use crate::restore::settle_restored;
use crate::sqlite::presence_file;
use crate::statement::{read, texts};
use crate::{Access, CommitError, Engine, MigrationError, OpenError, ReadError, TableSum, migrate};

const WHAT: &str = "move";

const COUNT_SETTINGS: &str = "select count(*) from settings";

texts![COUNT_SETTINGS];

/// Why a shop was not moved, backed up or restored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoveError {
    /// There is nothing where the shop should be.
    #[error("there is no database in {0}")]
    Missing(Place),
    /// Both are the same.
    #[error("the rows are in {0} already")]
    Same(Place),
    /// A database cannot be opened, or somebody is there.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A schema cannot be brought up to date.
    #[error(transparent)]
    Migration(#[from] MigrationError),
    /// The source is in the middle of something else.
    #[error("{0} cannot be copied: {1}")]
    SourceFenced(Place, Fence),
    /// The target is in the middle of something else.
    #[error("nothing can come into {0}: {1}; empty it, or name another")]
    TargetFenced(Place, Fence),
    /// The target has rows of its own.
    #[error("{0} holds rows already, and nothing is ever written over: name an empty one")]
    NotEmpty(Place),
    /// It was done before.
    #[error("the rows have moved to {0} already; start with that")]
    Moved(Place),
    /// There is no move to give up.
    #[error("no move out of {0} is under way")]
    NotMoving(Place),
    /// A copy ended early; run again, it goes on.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// What arrived is not what left.
    #[error("{place} does not hold what it should in: {}. Empty it and begin again", .tables.join(", "))]
    Different {
        /// Where it arrived, or where it was read from.
        place: Place,
        /// The tables whose counts or digests differ.
        tables: Vec<String>,
    },
    /// The file of a backup is damaged.
    #[error("the backup is damaged: {0}")]
    Damaged(String),
}

impl From<ReadError> for MoveError {
    fn from(error: ReadError) -> Self {
        Self::Copy(error.into())
    }
}

impl From<CommitError> for MoveError {
    fn from(error: CommitError) -> Self {
        Self::Copy(error.into())
    }
}

/// Moves every row from one database to another, which is empty or half filled by this same move. `id` names the move,
/// if none is under way. Afterwards servers run on the target, and refuse the source.
///
/// # Errors
/// When a server is running on either, the target is not empty, or what arrived differs. The source keeps its rows.
pub async fn move_rows(
    from: &Place,
    to: &Place,
    id: String,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<TableSum>, MoveError> {
    if from == to {
        return Err(MoveError::Same(to.clone()));
    }
    let source = open_source(from).await?;
    let target = match (open_target(to).await, fence(source.as_ref()).await?) {
        (Err(MoveError::NotEmpty(_)), Some(Fence::Left { to: known, .. })) if known == to.to_string() => {
            return Err(MoveError::Moved(to.clone()));
        }
        (opened, _) => opened?,
    };
    let id = leave(from, source.as_ref(), to, target.as_ref(), id).await?;
    let sums = copy(&mut from.moment().await?, target.as_ref(), progress).await?;
    same(to, &sums, &to.moment().await?.sums().await?)?;
    // In this order: a fence too many is lifted when the move is run again, a fence too few would let two shops live.
    set_fence(source.as_ref(), Some(&Fence::Left { id, to: to.to_string() })).await?;
    set_fence(target.as_ref(), None).await?;
    Ok(sums)
}

/// Puts both fences up, or finds them as the same move left them; the name of that move.
async fn leave(
    from: &Place,
    source: &dyn Engine,
    to: &Place,
    target: &dyn Engine,
    id: String,
) -> Result<String, MoveError> {
    let id = match fence(source).await? {
        None => {
            may_arrive(to, target, None).await?;
            set_fence(source, Some(&Fence::Leaving { id: id.clone(), to: to.to_string() })).await?;
            id
        }
        Some(Fence::Leaving { id, to: known } | Fence::Left { id, to: known }) if known == to.to_string() => id,
        Some(other) => return Err(MoveError::SourceFenced(from.clone(), other)),
    };
    may_arrive(to, target, Some(&id)).await?;
    set_fence(target, Some(&Fence::Arriving { id: id.clone(), from: from.to_string() })).await?;
    Ok(id)
}

/// Whether rows of this move may come in: nothing is there, or what came of it before.
async fn may_arrive(to: &Place, target: &dyn Engine, id: Option<&str>) -> Result<(), MoveError> {
    match fence(target).await? {
        Some(Fence::Arriving { id: known, .. }) if Some(known.as_str()) == id => Ok(()),
        Some(other) => Err(MoveError::TargetFenced(to.clone(), other)),
        None if is_empty(target).await? => Ok(()),
        None => Err(MoveError::NotEmpty(to.clone())),
    }
}

/// Lets servers run on the source again, when a move out of it is not to be finished.
///
/// # Errors
/// When none is under way: what has moved lives on elsewhere.
pub async fn give_up(from: &Place) -> Result<(), MoveError> {
    let source = open_source(from).await?;
    match fence(source.as_ref()).await? {
        Some(Fence::Leaving { .. }) => Ok(set_fence(source.as_ref(), None).await?),
        Some(other @ (Fence::Left { .. } | Fence::Arriving { .. })) => {
            Err(MoveError::SourceFenced(from.clone(), other))
        }
        None => Err(MoveError::NotMoving(from.clone())),
    }
}

async fn open_source(from: &Place) -> Result<Arc<dyn Engine>, MoveError> {
    if !from.exists() {
        return Err(MoveError::Missing(from.clone()));
    }
    let source = from.open(Access::Alone).await?;
    migrate(source.as_ref()).await?;
    Ok(source)
}

async fn open_target(to: &Place) -> Result<Arc<dyn Engine>, MoveError> {
    let target = to.open(Access::Alone).await?;
    // A shop that is refused must not be brought to another schema first. Every shop has settings; where the question
    // cannot be answered, there is no schema yet.
    let asked = target.query(vec![read(WHAT, COUNT_SETTINGS, Vec::new())]).await;
    let settings = asked.ok().and_then(|rows| rows.first()?.first()?.integer(0).ok()).unwrap_or_default();
    if settings > 0 && fence(target.as_ref()).await?.is_none() {
        return Err(MoveError::NotEmpty(to.clone()));
    }
    migrate(target.as_ref()).await?;
    Ok(target)
}

fn same(place: &Place, expected: &[TableSum], found: &[TableSum]) -> Result<(), MoveError> {
    let tables: Vec<String> = expected
        .iter()
        .filter(|sum| !found.contains(sum))
        .chain(found.iter().filter(|sum| expected.iter().all(|known| known.table != sum.table)))
        .map(|sum| sum.table.clone())
        .collect();
    if tables.is_empty() { Ok(()) } else { Err(MoveError::Different { place: place.clone(), tables }) }
}

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackedUp {
    /// Counts and digests, the same in the shop at that moment and in the file.
    pub sums: Vec<TableSum>,
    /// The laws that rows break, in the shop as in the file.
    pub broken: Vec<Finding>,
}

/// Writes every row, as of this moment, into a file of SQLite that is not there yet; servers go on meanwhile. The file
/// is read back and compared before this returns.
///
/// # Errors
/// When the shop cannot be read, or the file does not hold what was read.
pub async fn back_up(from: &Place, file: &Path, progress: &mut dyn FnMut(Progress)) -> Result<BackedUp, MoveError> {
    if !from.exists() {
        return Err(MoveError::Missing(from.clone()));
    }
    let place = Place::Sqlite(file.to_owned());
    if place.exists() {
        return Err(MoveError::NotEmpty(place));
    }
    let mut moment = from.moment().await?;
    if let Some(half @ Fence::Arriving { .. }) = moment.fence().await? {
        return Err(MoveError::SourceFenced(from.clone(), half));
    }
    let target = place.open(Access::Alone).await?;
    migrate(target.as_ref()).await?;
    let sums = copy(&mut moment, target.as_ref(), progress).await?;
    drop(moment);
    let broken = broken_laws_of(target.as_ref()).await?;
    // The last to close folds the log into the file, so that it stands alone.
    drop(target);
    let _ = std::fs::remove_file(presence_file(file));
    verify(file, &sums).await?;
    Ok(BackedUp { sums, broken })
}

/// Reads a backup's file from end to end and compares it with what it should hold.
///
/// # Errors
/// When it cannot be read, is damaged, or holds something else.
pub async fn verify(file: &Path, expected: &[TableSum]) -> Result<(), MoveError> {
    let mut copied = Moment::of_backup(file)?;
    let damage = copied.damage()?;
    if !damage.is_empty() {
        return Err(MoveError::Damaged(damage.join("; ")));
    }
    same(&Place::Sqlite(file.to_owned()), expected, &copied.sums().await?)
}

/// A backup to be restored.
#[derive(Debug, Clone, Copy)]
pub struct Backup<'a> {
    /// Its file.
    pub file: &'a Path,
    /// Names it.
    pub id: &'a str,
    /// When it was taken.
    pub taken_at: Timestamp,
    /// What it must hold.
    pub sums: &'a [TableSum],
}

/// Brings a backup into an empty database, or one that this same restore has half filled, and makes it ready for a
/// server: see [`crate::restore`]. Gives how many mails are held.
///
/// # Errors
/// When the backup is not what it should be, or the target holds rows. Until the end, no server starts on the target.
pub async fn restore(
    backup: &Backup<'_>,
    to: &Place,
    now: Timestamp,
    progress: &mut dyn FnMut(Progress),
) -> Result<u64, MoveError> {
    verify(backup.file, backup.sums).await?;
    let target = open_target(to).await?;
    may_arrive(to, target.as_ref(), Some(backup.id)).await?;
    let from = Place::Sqlite(backup.file.to_owned()).to_string();
    set_fence(target.as_ref(), Some(&Fence::Arriving { id: backup.id.to_owned(), from })).await?;
    copy(&mut Moment::of_backup(backup.file)?, target.as_ref(), progress).await?;
    same(to, backup.sums, &to.moment().await?.sums().await?)?;
    Ok(settle_restored(target.as_ref(), backup.taken_at, now).await?)
}

/// The SHA-256 of a file, read in pieces.
pub struct FileDigest {
    bytes: u64,
    context: digest::Context,
}

impl Default for FileDigest {
    fn default() -> Self {
        Self { bytes: 0, context: digest::Context::new(&digest::SHA256) }
    }
}

impl FileDigest {
    /// The next piece.
    pub fn add(&mut self, piece: &[u8]) {
        self.bytes += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        self.context.update(piece);
    }

    /// How many bytes there were, and the digest in hexadecimal digits.
    #[must_use]
    pub fn finish(self) -> (u64, String) {
        (self.bytes, HEXLOWER.encode(self.context.finish().as_ref()))
    }
}
