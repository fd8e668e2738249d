//! The thread that writes: everything that waits becomes one transaction and one fsync.
//!
//! A commit that fails is rolled back to its own savepoint and disturbs none
//! of its neighbours. Nobody is answered before the disk has answered.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rusqlite::{Connection, ErrorCode, ffi};
use tokio::sync::oneshot;

use super::checkpoint::Checkpoints;
use super::queue::Queue;
use super::text::Texts;
use super::{DIALECT, Failure, Glances, Role, bind, collect, connect};
use crate::measure::{Measurements, Stopwatch};
use crate::migration::{self, pending};
use crate::{CommitError, Migration, MigrationError, OpenError, Rows, Statement};

/// One commit, and who waits for it.
pub(super) struct Commit {
    pub(super) statements: Vec<Statement>,
    pub(super) answer: oneshot::Sender<Result<Vec<Rows>, CommitError>>,
}

/// What the writer does.
pub(super) enum Task {
    Commit(Commit),
    /// To look whether another process has written.
    Glance,
    Migrate {
        migrations: &'static [Migration],
        answer: oneshot::Sender<Result<Vec<i64>, MigrationError>>,
    },
}

type Outcome = Result<Vec<Rows>, CommitError>;

/// The one connection that writes.
pub(super) struct Writer {
    path: PathBuf,
    /// None after a failure that leaves the state of the connection in doubt; the next task opens it anew.
    connection: Option<Connection>,
    texts: Texts,
    measurements: Arc<Measurements>,
    glances: Arc<Glances>,
    /// What SQLite says of the file, which changes when, and only when, another connection commits.
    data_version: Option<i64>,
    checkpoints: Checkpoints,
}

impl Writer {
    /// # Errors
    /// When the file cannot be opened.
    pub(super) fn new(
        path: PathBuf,
        measurements: Arc<Measurements>,
        glances: Arc<Glances>,
    ) -> Result<Self, OpenError> {
        let (texts, checkpoints) = (Texts::default(), Checkpoints::default());
        let mut writer = Self { path, connection: None, texts, measurements, glances, data_version: None, checkpoints };
        writer.connection = Some(writer.connect()?);
        Ok(writer)
    }

    /// The connection, opened anew where the last one is not to be used again.
    fn connect(&mut self) -> Result<Connection, OpenError> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => self.checkpoints.watch(connect(&self.path, Role::Writer)?),
        }
    }

    /// Works until the queue is closed and empty.
    pub(super) fn run(mut self, queue: &Queue<Task>, most: usize) {
        let mut tasks = Vec::with_capacity(most);
        let mut group = Vec::with_capacity(most);
        while queue.drain(most, &mut tasks) {
            for task in tasks.drain(..) {
                match task {
                    Task::Commit(commit) => group.push(commit),
                    Task::Glance => self.glance(),
                    Task::Migrate { migrations, answer } => {
                        self.commit(&mut group);
                        // Whoever asked may be gone; the schema is what it is.
                        let _ = answer.send(self.migrate(migrations));
                    }
                }
            }
            self.commit(&mut group);
        }
    }

    fn commit(&mut self, group: &mut Vec<Commit>) {
        if group.is_empty() {
            return;
        }
        let stopwatch = Stopwatch::start();
        let outcomes = self.outcomes(group);
        let took = stopwatch.elapsed();
        for (commit, outcome) in group.drain(..).zip(outcomes) {
            // A caller that stopped waiting learns nothing; what it sent is committed or not all the same.
            let _ = commit.answer.send(outcome);
        }
        if let Some(connection) = &self.connection {
            self.checkpoints.after(took, connection);
        }
    }

    /// SQLite's `data_version` of this connection tells of every commit but its own.
    fn glance(&mut self) {
        // After a transaction that failed there is none: who looks need not wait for the next commit.
        let Ok(connection) = self.connect() else { return };
        let now = self.glances.now();
        let version = connection
            .prepare_cached("pragma data_version")
            .and_then(|mut prepared| prepared.query_row([], |row| row.get::<_, i64>(0)));
        let Ok(version) = version else { return };
        self.connection = Some(connection);
        if self.data_version != Some(version) {
            self.data_version = Some(version);
            self.glances.touched.everything();
        }
        self.glances.seen_at.store(now, Ordering::SeqCst);
    }

    fn outcomes(&mut self, group: &[Commit]) -> Vec<Outcome> {
        let connection = match self.connect() {
            Ok(connection) => connection,
            Err(error) => return all(group, &CommitError::Unavailable(error.to_string())),
        };
        let places = self.glances.touched.writing(group.iter().flat_map(|commit| &commit.statements));
        match transaction(&connection, &mut self.texts, &self.measurements, group) {
            Ok(outcomes) => {
                self.glances.touched.written(&places);
                self.connection = Some(connection);
                outcomes
            }
            Err(error) => {
                self.glances.touched.written(&places);
                // Nobody knows what is there now, and the next connection counts anew.
                self.glances.touched.everything();
                self.data_version = None;
                tracing::error!(%error, commits = group.len(), "a transaction failed; the writer opens the database anew");
                all(group, &error)
            }
        }
    }

    fn migrate(&mut self, migrations: &'static [Migration]) -> Result<Vec<i64>, MigrationError> {
        let mut connection = self.connect().map_err(|error| MigrationError::Unavailable(error.to_string()))?;
        let applied = migrate(&mut connection, migrations);
        self.glances.touched.everything();
        self.data_version = None;
        if connection.is_autocommit() {
            self.connection = Some(connection);
        }
        applied
    }
}

fn all(group: &[Commit], error: &CommitError) -> Vec<Outcome> {
    group.iter().map(|_| Err(error.clone())).collect()
}

/// One transaction. `Err` is the fate of the whole group, and the connection is not to be used again.
fn transaction(
    connection: &Connection,
    texts: &mut Texts,
    measurements: &Measurements,
    group: &[Commit],
) -> Result<Vec<Outcome>, CommitError> {
    // Immediate: a transaction that begins by reading fails at its first write when another process writes meanwhile.
    control(connection, "begin immediate").map_err(|error| nothing_written(&error))?;
    let mut outcomes = Vec::with_capacity(group.len());
    for commit in group {
        outcomes.push(savepoint(connection, texts, commit)?);
    }
    let commits = outcomes.iter().any(Result::is_ok);
    let stopwatch = Stopwatch::start();
    let ended = control(connection, if commits { "commit" } else { "rollback" });
    if commits {
        measurements.sync.took(stopwatch.elapsed());
        measurements.group.observe(u64::try_from(group.len()).unwrap_or(u64::MAX));
    }
    ended.map_err(|error| {
        if !commits {
            return nothing_written(&error);
        }
        // The frames may be in the WAL although the sync failed, and would come back after a crash. The next commit
        // writes over them, yet until then nobody can promise that they are gone.
        let rolled_back = control(connection, "rollback");
        CommitError::Unknown(match rolled_back {
            Ok(()) => error.to_string(),
            Err(second) => format!("{error}; then: {second}"),
        })
    })?;
    Ok(outcomes)
}

/// One commit within the transaction. `Err` when the transaction is lost to all.
fn savepoint(connection: &Connection, texts: &mut Texts, commit: &Commit) -> Result<Outcome, CommitError> {
    control(connection, "savepoint one").map_err(|error| nothing_written(&error))?;
    let outcome = commit.statements.iter().map(|statement| write(connection, texts, statement)).collect::<Outcome>();
    if let Err(error) = &outcome {
        // Out of space or memory, SQLite ends the whole transaction by itself.
        if connection.is_autocommit() {
            return Err(CommitError::Unavailable(error.to_string()));
        }
        control(connection, "rollback to one").map_err(|error| nothing_written(&error))?;
    }
    control(connection, "release one").map_err(|error| nothing_written(&error))?;
    Ok(outcome)
}

fn write(connection: &Connection, texts: &mut Texts, statement: &Statement) -> Result<Rows, CommitError> {
    let (touched, rows) = run(connection, texts, statement).map_err(|failure| told(failure, statement))?;
    if statement.is_met_by(touched) { Ok(rows) } else { Err(statement.conflict()) }
}

fn run(connection: &Connection, texts: &mut Texts, statement: &Statement) -> Result<(u64, Rows), Failure> {
    let mut prepared = connection.prepare_cached(texts.numbered(statement.sql))?;
    bind(&mut prepared, &statement.values)?;
    if prepared.column_count() == 0 {
        return Ok((count(prepared.raw_execute()?), Rows::new()));
    }
    let rows = collect(&mut prepared)?;
    Ok((count(rows.len()), rows))
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

fn told(failure: Failure, statement: &Statement) -> CommitError {
    match failure {
        Failure::Row(error) => CommitError::Unavailable(format!("{}: {error}", statement.what)),
        Failure::Database(rusqlite::Error::SqliteFailure(code, _))
            if code.code == ErrorCode::ConstraintViolation
                && matches!(
                    code.extended_code,
                    ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID
                ) =>
        {
            statement.conflict()
        }
        Failure::Database(error) => CommitError::Unavailable(format!("{}: {error}", statement.what)),
    }
}

fn nothing_written(error: &rusqlite::Error) -> CommitError {
    CommitError::Unavailable(error.to_string())
}

fn control(connection: &Connection, sql: &'static str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.raw_execute().map(drop)
}

fn migrate(connection: &mut Connection, migrations: &'static [Migration]) -> Result<Vec<i64>, MigrationError> {
    let unavailable = |error: rusqlite::Error| MigrationError::Unavailable(error.to_string());
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(unavailable)?;
    transaction.execute_batch(migration::CREATE_TABLE).map_err(unavailable)?;
    let applied = transaction
        .prepare(migration::APPLIED)
        .and_then(|mut applied| {
            applied.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<Vec<_>, _>>()
        })
        .map_err(unavailable)?;
    let mut numbers = Vec::new();
    for migration in pending(&applied, migrations)? {
        transaction
            .execute_batch(&migration.render(DIALECT))
            .and_then(|()| {
                transaction.execute(migration::RECORD, (migration.number, migration.name, migration.digest()))
            })
            .map_err(|error| MigrationError::Failed {
                number: migration.number,
                name: migration.name,
                reason: error.to_string(),
            })?;
        numbers.push(migration.number);
    }
    transaction.commit().map_err(unavailable)?;
    Ok(numbers)
}
