//! Where the database of a run lies: in memory where the system has a file system for that, gone when the run is over.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use store::sqlite::{Sqlite, SqliteOptions};

use crate::universe::at_once;

static NUMBER: AtomicU64 = AtomicU64::new(0);

/// A directory of one run.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// A directory with an empty, migrated database in it.
    pub(crate) fn new(seed: u64) -> Result<Self, String> {
        static MIGRATED: OnceLock<Result<Vec<u8>, String>> = OnceLock::new();
        let migrated = MIGRATED.get_or_init(migrated).as_ref().map_err(Clone::clone)?;
        let scratch = Self::empty(&seed.to_string())?;
        std::fs::write(scratch.database(), migrated).map_err(|error| error.to_string())?;
        Ok(scratch)
    }

    fn empty(name: &str) -> Result<Self, String> {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("latchkey-sim-{}-{number}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }

    /// The file of the database.
    pub(crate) fn database(&self) -> PathBuf {
        self.0.join("shop.db")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left behind in memory is gone with the next start of the machine.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The bytes of a database that is migrated and empty; every run begins with them.
fn migrated() -> Result<Vec<u8>, String> {
    let scratch = Scratch::empty("template")?;
    let engine =
        Sqlite::open(&scratch.database(), SqliteOptions { readers: 1, lookups: 0, ..SqliteOptions::default() })
            .map_err(|error| error.to_string())?;
    at_once(store::migrate(&engine)).map_err(|error| error.to_string())?;
    // The last connection folds the journal into the file.
    drop(engine);
    std::fs::read(scratch.database()).map_err(|error| error.to_string())
}
