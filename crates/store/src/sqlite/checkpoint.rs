//! When the WAL is copied into the file.
//!
//! Left to itself, SQLite copies it at the commit that finds a thousand pages in it. In a small shop, or at the till, those
//! are a few places written again and again; where devices of a million licenses are activated, they are a thousand places
//! all over the file, and everybody who has a commit in the queue waits for them to reach the disk. So the length is not
//! given but found: a checkpoint may take as long as some commits do, on this disk, with this load.
//! <https://sqlite.org/wal.html#ckpt>

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rusqlite::hooks::Wal;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, MAIN_DB};

use crate::OpenError;
use crate::measure::Stopwatch;

/// How many transactions a checkpoint may take as long as.
const TRANSACTIONS: u32 = 4;

/// Pages between two checkpoints. Fewer, and the same page is copied again and again; more, and the WAL costs whoever
/// reads, and a start after a crash.
const FEWEST: u32 = 64;
const MOST: u32 = 4_000;

/// What the writer knows of the WAL.
pub(super) struct Checkpoints {
    /// Pages that are in it, as the last commit left it.
    pages: Arc<AtomicU32>,
    /// How many of them there were at the last checkpoint.
    seen: u32,
    /// Pages by which it grows from one checkpoint to the next.
    every: u32,
    /// Transactions since the last checkpoint, and how long they took.
    transactions: u32,
    took: Duration,
}

impl Default for Checkpoints {
    /// Begins with few pages: to find out that they may be more costs nobody a wait.
    fn default() -> Self {
        Self { pages: Arc::default(), seen: 0, every: 4 * FEWEST, transactions: 0, took: Duration::ZERO }
    }
}

impl Checkpoints {
    /// Lets the connection tell how long the WAL is, instead of copying it at a commit.
    ///
    /// # Errors
    /// When the connection does not take it.
    pub(super) fn watch(&self, mut connection: Connection) -> Result<Connection, OpenError> {
        let pages = Arc::clone(&self.pages);
        let hook = move |_: &mut Wal, length| {
            pages.store(u32::try_from(length).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        };
        match connection.wal_hook(Some(hook)) {
            Ok(()) => Ok(connection),
            Err(error) => Err(OpenError::Unavailable(error.to_string())),
        }
    }

    /// After a transaction that took so long: makes a checkpoint when it is time for one.
    pub(super) fn after(&mut self, transaction: Duration, connection: &Connection) {
        self.transactions += 1;
        self.took += transaction;
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < self.seen {
            // It has begun anew.
            self.seen = 0;
        }
        if pages - self.seen < self.every {
            return;
        }
        let stopwatch = Stopwatch::start();
        match connection.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::PASSIVE) {
            Ok((all, copied)) if copied == all => {
                self.every = next(self.every, stopwatch.elapsed(), self.took * TRANSACTIONS / self.transactions);
            }
            // Somebody still reads what was before: how long it took says nothing.
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "a checkpoint failed, and is tried again"),
        }
        self.seen = pages;
        (self.transactions, self.took) = (0, Duration::ZERO);
    }
}

/// After how many pages the next checkpoint is made, when the last one took so long and may take so long.
fn next(every: u32, took: Duration, may_take: Duration) -> u32 {
    let next = if took > may_take { every - every / 4 } else { every + every / 8 };
    next.clamp(FEWEST, MOST)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::{Role, connect, create};
    use super::*;
    use crate::testing::Directory;

    #[test]
    fn a_checkpoint_that_a_reader_stands_in_the_way_of_says_nothing_about_the_next() {
        let directory = Directory::new();
        let path = directory.path().join("shop.db");
        create(&path).unwrap();
        let mut checkpoints = Checkpoints { every: FEWEST, ..Checkpoints::default() };
        let writer = checkpoints.watch(connect(&path, Role::Writer).unwrap()).unwrap();
        writer.execute_batch("create table things (id integer)").unwrap();
        let reader = connect(&path, Role::Reader).unwrap();
        reader.execute_batch("begin; select count(*) from things").unwrap();
        let write = |checkpoints: &mut Checkpoints| {
            for _ in 0..4 * FEWEST {
                writer.execute_batch("insert into things values (1)").unwrap();
                checkpoints.after(Duration::from_secs(60), &writer);
            }
        };
        write(&mut checkpoints);
        assert_eq!(checkpoints.every, FEWEST);
        assert!(checkpoints.transactions < 4 * FEWEST, "none was tried");
        reader.execute_batch("rollback").unwrap();
        write(&mut checkpoints);
        assert!(checkpoints.every > FEWEST, "{} pages", checkpoints.every);
    }

    #[test]
    fn a_checkpoint_that_takes_too_long_is_followed_by_shorter_ones_within_bounds() {
        let ms = Duration::from_millis;
        for (every, took, may_take, expected) in [
            (1_000, ms(5), ms(4), 750),
            (1_000, ms(4), ms(4), 1_125),
            (1_000, ms(0), ms(0), 1_125),
            (70, ms(5), ms(4), FEWEST),
            (FEWEST, ms(5), ms(4), FEWEST),
            (FEWEST, ms(3), ms(4), FEWEST + FEWEST / 8),
            (3_900, ms(3), ms(4), MOST),
            (MOST, ms(3), ms(4), MOST),
        ] {
            assert_eq!(next(every, took, may_take), expected, "{every} pages, {took:?} of {may_take:?}");
        }
    }
}
