//! SQLite: one writer that shares its fsync, a few readers beside it.
//!
//! Commits wait in one bounded queue; the writer takes all that wait into one
//! transaction, a savepoint each, and answers them when the disk has them.
//! Reads go to threads of their own, which never wait for the writer; what a
//! key finds is read on the thread that asks. Every connection runs in WAL mode with `synchronous=FULL`, read back when it is
//! opened: anything less has lost acknowledged commits in power cuts.

mod checkpoint;
mod queue;
pub(crate) mod reader;
mod text;
mod writer;

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use metrics::Exposition;
use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql};
use tokio::sync::oneshot;

use self::queue::{Full, Queue};
use self::reader::{Read, Reader};
use self::writer::{Commit, Task, Writer};
use crate::engine::{Access, Answer, IS_MOVING, NOT_ALONE, storable};
use crate::measure::{Measurements, Stopwatch, Waiting};
use crate::migration::Dialect;
use crate::{
    CommitError, Engine, Migration, MigrationError, OpenError, ReadError, Row, RowError, Rows, Statement, Touched,
    Value,
};

/// How long a connection waits for another process that holds the database.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many prepared statements a connection keeps; more than there are texts.
const PREPARED: usize = 512;

/// Pages that all lookups together keep in memory at most, in KiB: what apps ask all day in a shop with a million
/// licenses. A small shop has fewer pages than that.
const LOOKUP_PAGES_KIB: i64 = 256 << 10;

const DIALECT: Dialect = Dialect { text: "text", bytes: "blob" };

/// How much the engine takes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SqliteOptions {
    /// Threads that read.
    pub readers: usize,
    /// Connections on which callers look up what a key finds; who finds none free asks a thread that reads.
    pub lookups: usize,
    /// Commits that share one fsync at most.
    pub group: usize,
    /// Commits, and reads, that may wait; one more is refused as unavailable.
    pub waiting: usize,
    /// With whom the file is shared.
    pub access: Access,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            readers: 2,
            lookups: thread::available_parallelism().map_or(2, usize::from).min(8),
            group: 256,
            waiting: 4_096,
            access: Access::Shared,
        }
    }
}

/// The engine over one file.
pub struct Sqlite {
    path: PathBuf,
    commits: Arc<Queue<Task>>,
    measurements: Arc<Measurements>,
    reads: Arc<Queue<Read>>,
    lookups: Vec<Mutex<Reader>>,
    glances: Arc<Glances>,
    readers: Vec<JoinHandle<()>>,
    writer: Option<JoinHandle<()>>,
    /// Held as long as the engine lives; a process that ends in any way lets go of it.
    _presence: File,
}

impl Sqlite {
    /// Opens the file, which is made when it is not there, readable by its owner only.
    ///
    /// # Errors
    /// When the file cannot be opened, would not keep what it acknowledges, or somebody is there who must not be.
    pub fn open(path: &Path, options: SqliteOptions) -> Result<Self, OpenError> {
        let presence = presence(path, options.access)?;
        create(path).map_err(|error| OpenError::Unavailable(format!("{}: {error}", path.display())))?;
        let mut engine = Self {
            path: path.to_owned(),
            commits: Arc::new(Queue::new(options.waiting)),
            measurements: Arc::default(),
            reads: Arc::new(Queue::new(options.waiting)),
            lookups: Vec::new(),
            glances: Arc::new(Glances::of(options.access)),
            readers: Vec::new(),
            writer: None,
            _presence: presence,
        };
        let writer = Writer::new(path.to_owned(), Arc::clone(&engine.measurements), Arc::clone(&engine.glances))?;
        let commits = Arc::clone(&engine.commits);
        engine.writer = Some(spawn("store-writer", move || writer.run(&commits, options.group.max(1)))?);
        for _ in 0..options.readers.max(1) {
            let reader = Reader::new(connect(path, Role::Reader)?);
            let reads = Arc::clone(&engine.reads);
            engine.readers.push(spawn("store-reader", move || reader.run(&reads))?);
        }
        for _ in 0..options.lookups {
            let pages = LOOKUP_PAGES_KIB / i64::try_from(options.lookups).unwrap_or(i64::MAX);
            let connection = connect(path, Role::Reader)?;
            // Negative: not pages but KiB.
            connection
                .pragma_update(None, "cache_size", -pages)
                .map_err(|error| OpenError::Unavailable(error.to_string()))?;
            engine.lookups.push(Mutex::new(Reader::new(connection)));
        }
        Ok(engine)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a complete copy, as of one moment, to a file that must not be there yet; commits go on meanwhile.
    ///
    /// # Errors
    /// When the copy cannot be written; what was begun of it is of no use then.
    pub async fn copy_to(&self, target: &Path) -> Result<(), ReadError> {
        let target = target
            .to_str()
            .ok_or_else(|| ReadError::Unavailable("the path of the copy is not UTF-8".to_owned()))?
            .to_owned();
        let (answer, answered) = oneshot::channel();
        let path = self.path.clone();
        // A thread of its own: the copy reads every page, and the readers have buyers waiting.
        spawn("store-copy", move || {
            let copied = connect(&path, Role::Reader)
                .map_err(|error| error.to_string())
                .and_then(|connection| {
                    connection.execute("vacuum into ?1", [&target]).map_err(|error| error.to_string())
                })
                .and_then(|_| File::open(&target).and_then(|file| file.sync_all()).map_err(|error| error.to_string()));
            // The caller may have stopped waiting; the copy is there all the same.
            let _ = answer.send(copied.map_err(ReadError::Unavailable));
        })
        .map_err(|error| ReadError::Unavailable(error.to_string()))?;
        answered.await.unwrap_or_else(|_| Err(ReadError::Unavailable("the copy was given up".to_owned())))
    }
}

impl Engine for Sqlite {
    fn query(&self, statements: Vec<Statement>) -> Answer<'_, Result<Vec<Rows>, ReadError>> {
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            self.reads
                .push(Read { statements, answer })
                .map_err(|Full| ReadError::Unavailable("too many reads are waiting".to_owned()))?;
            answered.await.unwrap_or_else(|_| Err(ReadError::Unavailable("the store is closing".to_owned())))
        })
    }

    fn look_up(&self, statements: Vec<Statement>) -> Answer<'_, Result<Vec<Rows>, ReadError>> {
        // Handing a read to another thread, and being woken by it, costs several times what these reads take.
        match self.lookups.iter().find_map(|reader| reader.try_lock().ok()) {
            Some(mut reader) => Box::pin(std::future::ready(reader.read(&statements))),
            None => self.query(statements),
        }
    }

    fn commit(&self, statements: Vec<Statement>) -> Answer<'_, Result<(), CommitError>> {
        Box::pin(async move { self.commit_returning(statements).await.map(drop) })
    }

    fn commit_returning(&self, statements: Vec<Statement>) -> Answer<'_, Result<Vec<Rows>, CommitError>> {
        Box::pin(async move {
            let _waiting = Waiting::new(&self.measurements.waiting);
            let (answer, answered) = oneshot::channel();
            let outcome = match self.commits.push(Task::Commit(Commit { statements, answer })) {
                Err(Full) => Err(CommitError::Unavailable("too many commits are waiting".to_owned())),
                Ok(()) => answered.await.unwrap_or_else(|_| Err(CommitError::Unknown("the writer stopped".to_owned()))),
            };
            self.measurements.count(&outcome);
            outcome
        })
    }

    fn migrate(&self, migrations: &'static [Migration]) -> Answer<'_, Result<Vec<i64>, MigrationError>> {
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            self.commits
                .push(Task::Migrate { migrations, answer })
                .map_err(|Full| MigrationError::Unavailable("too many commits are waiting".to_owned()))?;
            answered.await.unwrap_or_else(|_| Err(MigrationError::Unavailable("the writer stopped".to_owned())))
        })
    }

    fn touched(&self) -> Option<&Touched> {
        if self.glances.is_due() {
            // Where there is no room, nothing is answered from memory for a while.
            let _ = self.commits.push(Task::Glance);
        }
        self.glances.touched()
    }

    fn write_metrics(&self, exposition: &mut Exposition) {
        self.measurements.write(exposition);
    }

    fn name(&self) -> &'static str {
        "sqlite"
    }
}

impl Drop for Sqlite {
    /// Answers what was accepted, then lets go of the file.
    fn drop(&mut self) {
        // Readers first: the connection that closes last folds the WAL into the file, and readers cannot write. The
        // writer is not even told before they are gone, for told it may be faster.
        self.reads.close();
        self.lookups.clear();
        for reader in self.readers.drain(..) {
            // A thread that panicked has nothing left to give back.
            let _ = reader.join();
        }
        self.commits.close();
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Self::Integer(integer) => ToSqlOutput::Borrowed(ValueRef::Integer(*integer)),
            Self::Text(text) => match storable(text) {
                std::borrow::Cow::Borrowed(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
                std::borrow::Cow::Owned(text) => ToSqlOutput::Owned(rusqlite::types::Value::Text(text)),
            },
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Self::Flag(flag) => ToSqlOutput::Borrowed(ValueRef::Integer(i64::from(*flag))),
        })
    }
}

/// How often it is looked whether another process has written, in microseconds.
const GLANCE_EVERY: u64 = 100_000;

/// What the writer knows of who has written what: by itself, and by looking from time to time whether somebody else has.
struct Glances {
    /// Nobody else writes, so nobody has to look.
    is_alone: bool,
    touched: Touched,
    clock: Stopwatch,
    asked_at: AtomicU64,
    seen_at: AtomicU64,
}

impl Glances {
    fn of(access: Access) -> Self {
        let never = || AtomicU64::new(0);
        Self {
            is_alone: access == Access::Alone,
            touched: Touched::default(),
            clock: Stopwatch::start(),
            asked_at: never(),
            seen_at: never(),
        }
    }

    /// Microseconds, by which 0 is long ago from the first moment on.
    fn now(&self) -> u64 {
        u64::try_from(self.clock.elapsed().as_micros()).unwrap_or(u64::MAX).saturating_add(2 * GLANCE_EVERY)
    }

    /// Whether it is time to look; one caller of many is told so.
    fn is_due(&self) -> bool {
        if self.is_alone {
            return false;
        }
        let (now, asked_at) = (self.now(), self.asked_at.load(Ordering::Relaxed));
        now.saturating_sub(asked_at) >= GLANCE_EVERY
            && self.asked_at.compare_exchange(asked_at, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Nothing when the last look is too long ago.
    fn touched(&self) -> Option<&Touched> {
        let is_seen = || self.now().saturating_sub(self.seen_at.load(Ordering::SeqCst)) < 2 * GLANCE_EVERY;
        (self.is_alone || is_seen()).then_some(&self.touched)
    }
}

/// Why a statement did not run, before anybody decides what that means.
enum Failure {
    Database(rusqlite::Error),
    Row(RowError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

fn bind(prepared: &mut rusqlite::Statement<'_>, values: &[Value]) -> rusqlite::Result<()> {
    if prepared.parameter_count() != values.len() {
        return Err(rusqlite::Error::InvalidParameterCount(values.len(), prepared.parameter_count()));
    }
    values.iter().enumerate().try_for_each(|(place, value)| prepared.raw_bind_parameter(place + 1, value))
}

/// The rows of a statement whose values are bound.
fn collect(prepared: &mut rusqlite::Statement<'_>) -> Result<Rows, Failure> {
    let columns = prepared.column_count();
    let mut found = prepared.raw_query();
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let mut values = Vec::with_capacity(columns);
        for column in 0..columns {
            values.push(match row.get_ref(column)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(integer) => Value::Integer(integer),
                ValueRef::Text(text) => match std::str::from_utf8(text) {
                    Ok(text) => Value::Text(text.to_owned()),
                    Err(_) => return Err(Failure::Row(RowError { column, expected: "UTF-8" })),
                },
                ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
                ValueRef::Real(_) => return Err(Failure::Row(RowError { column, expected: "an integer" })),
            });
        }
        rows.push(Row::new(values));
    }
    Ok(rows)
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Writer,
    Reader,
}

pub(crate) fn connect(path: &Path, role: Role) -> Result<Connection, OpenError> {
    let access = match role {
        Role::Writer => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Role::Reader => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let opened = || -> rusqlite::Result<Connection> {
        // One thread owns each connection, so SQLite's own mutexes would only cost.
        let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(PATIENCE)?;
        connection.set_prepared_statement_cache_capacity(PREPARED);
        // Where somebody ran ANALYZE, SQLite would plan a statement anew for every value that is bound to it.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        if role == Role::Writer {
            connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        }
        connection.pragma_update(None, "synchronous", "full")?;
        // On macOS an fsync alone does not reach the disk.
        connection.pragma_update(None, "fullfsync", true)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        connection.pragma_update(None, "temp_store", "memory")?;
        connection.pragma_update(None, "cache_size", -32_768)?;
        Ok(connection)
    };
    let connection = opened().map_err(|error| OpenError::Unavailable(format!("{}: {error}", path.display())))?;
    require_durable(&connection)?;
    Ok(connection)
}

/// A file system, a build of SQLite or a later hand may have decided otherwise; what counts is what is in force.
fn require_durable(connection: &Connection) -> Result<(), OpenError> {
    let unavailable = |error: rusqlite::Error| OpenError::Unavailable(error.to_string());
    let journal: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).map_err(unavailable)?;
    if journal != "wal" {
        return Err(OpenError::Unsafe {
            setting: "journal_mode",
            value: journal,
            needed: "it must be wal, so that readers and the writer do not block each other",
        });
    }
    let synchronous: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0)).map_err(unavailable)?;
    // 2 is FULL, 3 is EXTRA.
    if synchronous < 2 {
        return Err(OpenError::Unsafe {
            setting: "synchronous",
            value: synchronous.to_string(),
            needed: "it must be 2 (full): anything less loses acknowledged commits when the power fails",
        });
    }
    Ok(())
}

/// Makes the file if it is not there, so that its name is on the disk before anything in it is acknowledged.
fn create(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.append(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(file) => file.sync_all()?,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(error),
    }
    #[cfg(unix)]
    if let Some(directory) = path.parent() {
        let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

/// Where it is told who uses the file. Not in the file itself: SQLite's own locks on it end when any handle is closed.
pub(crate) fn presence_file(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-presence");
    PathBuf::from(name)
}

fn presence(path: &Path, access: Access) -> Result<File, OpenError> {
    let shown = path.display();
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file =
        options.open(presence_file(path)).map_err(|error| OpenError::Unavailable(format!("{shown}: {error}")))?;
    let (locked, told) = match access {
        Access::Shared => (file.try_lock_shared(), IS_MOVING),
        Access::Alone => (file.try_lock(), NOT_ALONE),
    };
    match locked {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(shown.to_string(), told)),
        Err(TryLockError::Error(error)) => Err(OpenError::Unavailable(format!("{shown}: {error}"))),
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, OpenError> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(|error| OpenError::Unavailable(format!("no thread for {name}: {error}")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::testing::Directory;

    #[test]
    fn a_connection_that_is_not_fully_synchronous_is_refused() {
        let directory = Directory::new();
        let path = directory.path().join("shop.db");
        create(&path).unwrap();
        let connection = connect(&path, Role::Writer).unwrap();
        for (synchronous, is_fine) in [("off", false), ("normal", false), ("full", true), ("extra", true)] {
            connection.pragma_update(None, "synchronous", synchronous).unwrap();
            assert_eq!(require_durable(&connection).is_ok(), is_fine, "{synchronous}");
        }
    }

    #[test]
    fn a_journal_that_is_not_the_wal_is_refused() {
        let connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "synchronous", "full").unwrap();
        assert!(matches!(require_durable(&connection), Err(OpenError::Unsafe { setting: "journal_mode", .. })));
    }

    #[test]
    #[cfg(unix)]
    fn the_file_is_readable_by_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let directory = Directory::new();
        let path = directory.path().join("shop.db");
        let _engine = Sqlite::open(&path, SqliteOptions::default()).unwrap();
        for name in ["shop.db", "shop.db-wal"] {
            let mode = std::fs::metadata(directory.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }
}
