//! PostgreSQL: a small pool, pipelined statements, and honesty about a lost COMMIT.
//!
//! A commit sends its statements in one go, looks at what they touched, and
//! only then sends COMMIT, which is never cancelled. A connection that ends
//! while COMMIT is under way, or a server that warns that the commit may not
//! have been replicated, is [`CommitError::Unknown`]. A server on another
//! machine is reached by TLS, and verified.

pub(crate) mod connection;
pub(crate) mod pool;
mod tls;
mod value;

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use metrics::Exposition;
use tokio_postgres::Config;
use tokio_postgres::error::{Severity, SqlState};

use self::connection::{Connection, in_order};
use self::pool::{Lease, Pool};
use crate::engine::{Access, Answer};
use crate::measure::{Measurements, Stopwatch, Waiting};
use crate::migration::{self, Dialect, pending};
use crate::{CommitError, Engine, Migration, MigrationError, OpenError, ReadError, Rows, Statement};

const DIALECT: Dialect = Dialect { text: "text collate \"C\"", bytes: "bytea" };

/// How long a caller waits for anything; the server gives up a little earlier by itself.
const PATIENCE: Duration = Duration::from_secs(35);

/// Held by every connection of a process that uses the database: shared by those who share it, alone by one who moves
/// its rows. Any number that nobody else uses.
const PRESENCE_LOCK: i64 = 0x6c61_7463_6870_7273;

/// Held while migrating, so that of many nodes starting at once one does it. Any number that nobody else uses.
const MIGRATION_LOCK: i64 = 0x6c61_7463_686b_6579;

/// How much the engine takes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresOptions {
    /// Connections at most, to be multiplied by the number of nodes.
    pub connections: usize,
    /// How long a caller waits for a free one before it hears that the database is unavailable.
    pub patience: Duration,
    /// Certificates, in PEM, of an authority that vouches for the server beside those that the system trusts.
    pub authority: Option<Vec<u8>>,
    /// With whom the database is shared.
    pub access: Access,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self { connections: 16, patience: Duration::from_secs(5), authority: None, access: Access::Shared }
    }
}

/// The engine over one database.
pub struct Postgres {
    pool: Arc<Pool>,
    /// Who has the database alone has this connection, which keeps everybody else out.
    _alone: Option<Connection>,
    measurements: Arc<Measurements>,
}

impl Postgres {
    /// Connects to `postgres://user:password@host:port/database`. With several hosts, the one that can write is used.
    /// A host beyond this machine is reached by TLS unless the address ends in `?sslmode=disable`.
    ///
    /// # Errors
    /// When the address cannot be read, nobody answers, or the server would not keep what it acknowledges.
    pub async fn open(url: &str, options: PostgresOptions) -> Result<Self, OpenError> {
        let config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
            OpenError::Unavailable(format!("the address of the database cannot be read: {error}"))
        })?;
        let alone = match options.access {
            Access::Shared => None,
            Access::Alone => Some(Connection::open_alone(&config, &options).await?),
        };
        let pool = Arc::new(Pool::new(config, &options)?);
        // The first connection finds out whether the server can be trusted with money.
        drop(pool.lease().await?);
        Ok(Self { pool, _alone: alone, measurements: Arc::default() })
    }

    async fn ask(
        &self,
        statements: &[Statement],
        lease: impl AsyncFn(&Arc<Pool>) -> Result<Lease, OpenError>,
    ) -> Result<Vec<Rows>, ReadError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let lease = lease(&self.pool).await.map_err(|error| ReadError::Unavailable(error.to_string()))?;
            match tokio::time::timeout(PATIENCE, read(lease.connection(), statements)).await {
                Ok(Ok(rows)) => {
                    lease.settle();
                    return Ok(rows);
                }
                // The question may be asked again, of a fresh connection.
                Ok(Err(failure)) if failure.is_stale(&lease) && tries == 1 => lease.distrust_others(),
                Ok(Err(failure)) => return Err(failure.of_a_read()),
                Err(_) => return Err(ReadError::Unavailable("no answer in time".to_owned())),
            }
        }
    }
}

impl Engine for Postgres {
    fn query(&self, statements: Vec<Statement>) -> Answer<'_, Result<Vec<Rows>, ReadError>> {
        Box::pin(async move { self.ask(&statements, Pool::lease).await })
    }

    fn look_up(&self, statements: Vec<Statement>) -> Answer<'_, Result<Vec<Rows>, ReadError>> {
        Box::pin(async move { self.ask(&statements, Pool::lease_at_hand).await })
    }

    fn commit(&self, statements: Vec<Statement>) -> Answer<'_, Result<(), CommitError>> {
        Box::pin(async move { self.commit_returning(statements).await.map(drop) })
    }

    fn commit_returning(&self, statements: Vec<Statement>) -> Answer<'_, Result<Vec<Rows>, CommitError>> {
        let (pool, measurements) = (Arc::clone(&self.pool), Arc::clone(&self.measurements));
        Box::pin(async move {
            let _waiting = Waiting::new(&self.measurements.waiting);
            // A task of its own: a caller that goes away must not leave a transaction half sent.
            let committing = tokio::spawn(async move { commit(&pool, &measurements, &statements).await });
            let outcome = match tokio::time::timeout(PATIENCE * 2, committing).await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(error)) => Err(CommitError::Unknown(format!("the commit was given up: {error}"))),
                // The task goes on waiting, and keeps its connection until the server has answered.
                Err(_) => Err(CommitError::Unknown("no answer to the commit in time".to_owned())),
            };
            self.measurements.count(&outcome);
            outcome
        })
    }

    fn migrate(&self, migrations: &'static [Migration]) -> Answer<'_, Result<Vec<i64>, MigrationError>> {
        Box::pin(async move {
            let lease = self.pool.lease().await.map_err(|error| MigrationError::Unavailable(error.to_string()))?;
            let applied = migrate(lease.connection(), migrations).await?;
            lease.settle();
            Ok(applied)
        })
    }

    fn write_metrics(&self, exposition: &mut Exposition) {
        self.measurements.write(exposition);
    }

    fn name(&self) -> &'static str {
        "postgres"
    }
}

/// Why a statement gave nothing, before anybody decides what that means.
pub(crate) enum Failure {
    Database(tokio_postgres::Error),
    Row(crate::RowError),
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}

impl Failure {
    /// Whether the connection, not the question, was at fault, so that another connection may do better.
    fn is_stale(&self, lease: &Lease) -> bool {
        match self {
            // After a migration by another node a prepared statement may no longer fit its table.
            Self::Database(error) => {
                lease.is_closed()
                    || error.is_closed()
                    || error.as_db_error().is_some_and(|told| told.parsed_severity() == Some(Severity::Fatal))
                    || matches!(
                        error.code(),
                        Some(&SqlState::FEATURE_NOT_SUPPORTED | &SqlState::INVALID_SQL_STATEMENT_NAME)
                    )
            }
            Self::Row(_) => false,
        }
    }

    fn of_a_read(self) -> ReadError {
        match self {
            Self::Row(error) => error.into(),
            Self::Database(error) => match error.code() {
                Some(&SqlState::DATA_CORRUPTED | &SqlState::INDEX_CORRUPTED) => ReadError::Corrupt(described(&error)),
                Some(_) | None => ReadError::Unavailable(described(&error)),
            },
        }
    }

    /// Before COMMIT was sent: nothing was written.
    fn of_a_write(self, statement: Option<&Statement>) -> CommitError {
        let what = statement.map_or("transaction", |statement| statement.what);
        match self {
            Self::Row(error) => CommitError::Unavailable(format!("{what}: {error}")),
            Self::Database(error) => match error.code() {
                Some(
                    &SqlState::UNIQUE_VIOLATION
                    | &SqlState::T_R_SERIALIZATION_FAILURE
                    | &SqlState::T_R_DEADLOCK_DETECTED,
                ) => CommitError::Conflict { what },
                Some(_) | None => CommitError::Unavailable(format!("{what}: {}", described(&error))),
            },
        }
    }
}

/// What the server said, without the values, which its details repeat.
fn described(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(told) => format!("{} ({})", told.message(), told.code().code()),
        None => match std::error::Error::source(error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        },
    }
}

async fn read(connection: &Connection, statements: &[Statement]) -> Result<Vec<Rows>, Failure> {
    // Prepared before anything is sent: from here on a caller that goes away leaves no transaction open.
    let prepared = connection.prepare(statements).await?;
    let run = |place: usize| connection.run(&prepared[place], &statements[place]).boxed();
    if statements.len() == 1 {
        return Ok(vec![run(0).await?.1]);
    }
    let begin = connection.control("begin isolation level repeatable read read only").boxed();
    let commit = connection.control("commit").boxed();
    let sent = std::iter::once(begin).chain((0..statements.len()).map(run)).chain(std::iter::once(commit)).collect();
    let mut answers = in_order(sent).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    answers.pop();
    Ok(answers.into_iter().skip(1).map(|(_, rows)| rows).collect())
}

async fn commit(
    pool: &Arc<Pool>,
    measurements: &Measurements,
    statements: &[Statement],
) -> Result<Vec<Rows>, CommitError> {
    let mut tries = 0;
    loop {
        tries += 1;
        let lease = pool.lease().await.map_err(|error| CommitError::Unavailable(error.to_string()))?;
        match tokio::time::timeout(PATIENCE, write(lease.connection(), statements)).await {
            Ok(Ok(rows)) => return finish(lease, measurements).await.map(|()| rows),
            // COMMIT was not sent, so nothing stands, and to begin again on a fresh connection repeats nothing.
            Ok(Err(undone)) if undone.is_stale(&lease) && tries == 1 => lease.distrust_others(),
            Ok(Err(undone)) => {
                roll_back(lease).await;
                return Err(undone.told(statements));
            }
            Err(_) => return Err(CommitError::Unavailable("no answer in time".to_owned())),
        }
    }
}

/// Why the statements must be rolled back.
enum Undone {
    /// One touched another number of rows than it must.
    Mismatch(CommitError),
    /// One did not run; none when it was none of them.
    Failed { failure: Failure, place: Option<usize> },
}

impl Undone {
    fn is_stale(&self, lease: &Lease) -> bool {
        match self {
            Self::Mismatch(_) => false,
            Self::Failed { failure, .. } => failure.is_stale(lease),
        }
    }

    fn told(self, statements: &[Statement]) -> CommitError {
        match self {
            Self::Mismatch(conflict) => conflict,
            Self::Failed { failure, place } => failure.of_a_write(place.and_then(|place| statements.get(place))),
        }
    }
}

/// BEGIN and every statement in one go; the first in order that fails is told.
async fn write(connection: &Connection, statements: &[Statement]) -> Result<Vec<Rows>, Undone> {
    let prepared = connection.prepare(statements).await.map_err(|failure| Undone::Failed { failure, place: None })?;
    let begin = connection.control("begin").boxed();
    let run = |place: usize| connection.run(&prepared[place], &statements[place]).boxed();
    let sent = std::iter::once(begin).chain((0..statements.len()).map(run)).collect();
    let mut answers = in_order(sent).await.into_iter();
    if let Some(Err(failure)) = answers.next() {
        return Err(Undone::Failed { failure, place: None });
    }
    let mut rows = Vec::with_capacity(statements.len());
    for (place, (answer, statement)) in answers.zip(statements).enumerate() {
        let (touched, found) = answer.map_err(|failure| Undone::Failed { failure, place: Some(place) })?;
        if !statement.is_met_by(touched) {
            return Err(Undone::Mismatch(statement.conflict()));
        }
        rows.push(found);
    }
    Ok(rows)
}

/// COMMIT. There is no deadline here and nothing is cancelled: only the server knows.
async fn finish(lease: Lease, measurements: &Measurements) -> Result<(), CommitError> {
    lease.connection().forget_warnings();
    let stopwatch = Stopwatch::start();
    let ended = lease.connection().control("commit").await;
    measurements.sync.took(stopwatch.elapsed());
    measurements.group.observe(1);
    match ended {
        // A warning at COMMIT means that the wait for the standby was given up: written here, perhaps nowhere else.
        Ok(_) if lease.connection().has_warned() => {
            Err(CommitError::Unknown("the server warned that the commit may not have been replicated".to_owned()))
        }
        Ok(_) => {
            lease.settle();
            Ok(())
        }
        Err(Failure::Database(error)) if is_refusal(&error) => Err(CommitError::Unavailable(described(&error))),
        Err(Failure::Database(error)) => Err(CommitError::Unknown(described(&error))),
        Err(Failure::Row(error)) => Err(CommitError::Unknown(error.to_string())),
    }
}

/// Whether the server answered that it did not commit, and lives on to say so.
fn is_refusal(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some_and(|told| {
        told.parsed_severity() == Some(Severity::Error)
            && *told.code() != SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN
            && *told.code() != SqlState::TRANSACTION_RESOLUTION_UNKNOWN
    })
}

/// A connection that does not answer to this either is closed, which rolls back as well.
async fn roll_back(lease: Lease) {
    if let Ok(Ok(_)) = tokio::time::timeout(PATIENCE, lease.connection().control("rollback")).await {
        lease.settle();
    }
}

async fn migrate(connection: &Connection, migrations: &'static [Migration]) -> Result<Vec<i64>, MigrationError> {
    let client = connection.client();
    let unavailable = |error: tokio_postgres::Error| MigrationError::Unavailable(described(&error));
    client
        .batch_execute("begin; set local statement_timeout = 0; set local lock_timeout = 0")
        .await
        .map_err(unavailable)?;
    client.query("select pg_advisory_xact_lock($1)", &[&MIGRATION_LOCK]).await.map_err(unavailable)?;
    client.batch_execute(migration::CREATE_TABLE).await.map_err(unavailable)?;
    let applied: Vec<(i64, String)> = client
        .query(migration::APPLIED, &[])
        .await
        .map_err(unavailable)?
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect::<Result<_, _>>()
        .map_err(unavailable)?;
    let mut numbers = Vec::new();
    for migration in pending(&applied, migrations)? {
        let failed = |error: tokio_postgres::Error| MigrationError::Failed {
            number: migration.number,
            name: migration.name,
            reason: described(&error),
        };
        client.batch_execute(&migration.render(DIALECT)).await.map_err(failed)?;
        client
            .execute(migration::RECORD, &[&migration.number, &migration.name, &migration.digest()])
            .await
            .map_err(failed)?;
        numbers.push(migration.number);
    }
    client.batch_execute("commit").await.map_err(unavailable)?;
    Ok(numbers)
}
