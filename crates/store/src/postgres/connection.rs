//! One connection: its prepared statements, its warnings, and several requests in flight at once.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::error::{Severity, SqlState};
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls};

use super::pool::dialled;
use super::tls::Tls;
use super::{Failure, PRESENCE_LOCK, PostgresOptions, described, value};
use crate::engine::{IS_MOVING, NOT_ALONE};
use crate::{OpenError, ReadError, Rows, Statement};

/// The server ends by itself what nobody can be waiting for any more. None of this ends a COMMIT that waits for its
/// standby: that ends when the standby answers. A node that stands still in the middle of a transaction holds its rows
/// for half as long as others wait for them, so that they are served.
const SESSION: &str = "set statement_timeout = '30s'; set lock_timeout = '10s'; \
    set idle_in_transaction_session_timeout = '5s'";

/// How long one who would be alone tries, in tenths of a second.
const PATIENCE_TENTHS: u32 = 30;

/// What must hold for an acknowledgement to be worth something.
const SETTINGS: &str = "select current_setting('fsync'), current_setting('synchronous_commit'), \
    current_setting('server_encoding'), current_setting('transaction_read_only')";

/// Whether a connection tells others that somebody is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It does, and is refused where somebody is alone.
    Told,
    /// It does not: another connection of the process does, or it only reads what stands still.
    Untold,
}

pub(crate) struct Connection {
    client: Client,
    /// By where the text stands in the program, which for a `&'static str` is as good as its letters.
    prepared: Mutex<HashMap<(usize, usize), tokio_postgres::Statement>>,
    warned: Arc<AtomicBool>,
}

/// What a statement touched, and the rows that it named.
pub(super) type Answered = Result<(u64, Rows), Failure>;

impl Connection {
    /// A connection of its own that keeps everybody else out for as long as it lives.
    pub(super) async fn open_alone(config: &Config, options: &PostgresOptions) -> Result<Self, OpenError> {
        let (config, tls) = dialled(config.clone(), options)?;
        let connection = Self::open(&config, tls.as_ref(), Presence::Untold).await?;
        // A server that was killed a moment ago may still seem to be there; so does a command that is about to end.
        // Tried and not waited for: behind one who waits to be alone, everybody else would wait as well.
        for _ in 0..PATIENCE_TENTHS {
            let asked = connection.client.query_one("select pg_try_advisory_lock($1)", &[&PRESENCE_LOCK]).await;
            let unavailable = |error: tokio_postgres::Error| OpenError::Unavailable(described(&error));
            if asked.and_then(|row| row.try_get::<_, bool>(0)).map_err(unavailable)? {
                return Ok(connection);
            }
            connection.client.batch_execute("select pg_sleep(0.1)").await.map_err(unavailable)?;
        }
        Err(OpenError::InUse("the database".to_owned(), NOT_ALONE))
    }

    /// A connection on which every read is of one moment, that of the first, until it is dropped.
    pub(crate) async fn open_moment(url: &str, options: &PostgresOptions) -> Result<Self, OpenError> {
        let config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
            OpenError::Unavailable(format!("the address of the database cannot be read: {error}"))
        })?;
        let (config, tls) = dialled(config, options)?;
        let connection = Self::open(&config, tls.as_ref(), Presence::Untold).await?;
        let begin = "set statement_timeout = 0; set idle_in_transaction_session_timeout = 0; \
            begin isolation level repeatable read read only; select count(*) from migrations";
        connection.client.batch_execute(begin).await.map_err(|error| OpenError::Unavailable(described(&error)))?;
        Ok(connection)
    }

    /// Reads one statement.
    pub(crate) async fn read(&self, statement: &Statement) -> Result<Rows, ReadError> {
        let asked = async {
            let prepared = self.prepare(std::slice::from_ref(statement)).await?;
            match prepared.first() {
                Some(prepared) => self.run(prepared, statement).await.map(|(_, rows)| rows),
                None => Ok(Rows::new()),
            }
        };
        asked.await.map_err(Failure::of_a_read)
    }

    pub(super) async fn open(config: &Config, tls: Option<&Tls>, presence: Presence) -> Result<Self, OpenError> {
        let unavailable = |error: tokio_postgres::Error| OpenError::Unavailable(described(&error));
        let warned = Arc::new(AtomicBool::new(false));
        let client = match tls {
            None => {
                let (client, driver) = config.connect(NoTls).await.map_err(unavailable)?;
                tokio::spawn(drive(driver, Arc::clone(&warned)));
                client
            }
            Some(tls) => {
                let (client, driver) = config.connect(tls.clone()).await.map_err(unavailable)?;
                tokio::spawn(drive(driver, Arc::clone(&warned)));
                client
            }
        };
        client.batch_execute(SESSION).await.map_err(unavailable)?;
        let settings = client.query_one(SETTINGS, &[]).await.map_err(unavailable)?;
        let setting = |place: usize| settings.try_get::<_, String>(place).map_err(unavailable);
        for (place, name, is_fine, needed) in [
            (0, "fsync", setting(0)? == "on", "it must be on: off loses the database when the power fails"),
            (1, "synchronous_commit", setting(1)? != "off", "off loses acknowledged commits when the server ends"),
            (2, "server_encoding", setting(2)? == "UTF8", "it must be UTF8, or names cannot be stored"),
            (3, "transaction_read_only", setting(3)? == "off", "this server cannot be written; connect to the primary"),
        ] {
            if !is_fine {
                return Err(OpenError::Unsafe { setting: name, value: setting(place)?, needed });
            }
        }
        if presence == Presence::Told {
            // One who was alone and has just ended may still seem to be there.
            let shared = format!(
                "set lock_timeout = '5s'; select pg_advisory_lock_shared({PRESENCE_LOCK}); set lock_timeout = '10s'"
            );
            client.batch_execute(&shared).await.map_err(|error| {
                if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) {
                    OpenError::InUse("the database".to_owned(), IS_MOVING)
                } else {
                    unavailable(error)
                }
            })?;
        }
        Ok(Self { client, prepared: Mutex::default(), warned })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    pub(super) fn forget_warnings(&self) {
        self.warned.store(false, Ordering::Release);
    }

    pub(super) fn has_warned(&self) -> bool {
        self.warned.load(Ordering::Acquire)
    }

    /// The statements as this connection knows them; each text travels once in the life of a connection.
    pub(super) async fn prepare(&self, statements: &[Statement]) -> Result<Vec<tokio_postgres::Statement>, Failure> {
        let mut prepared = Vec::with_capacity(statements.len());
        for statement in statements {
            let place = (statement.sql.as_ptr() as usize, statement.sql.len());
            let known = self.prepared().get(&place).cloned();
            prepared.push(match known {
                Some(known) => known,
                None => {
                    let new = self.client.prepare(statement.sql).await?;
                    self.prepared().insert(place, new.clone());
                    new
                }
            });
        }
        Ok(prepared)
    }

    fn prepared(&self) -> MutexGuard<'_, HashMap<(usize, usize), tokio_postgres::Statement>> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a statement when first polled; the answer comes when it comes.
    pub(super) async fn run(&self, prepared: &tokio_postgres::Statement, statement: &Statement) -> Answered {
        let values: Vec<&(dyn ToSql + Sync)> =
            statement.values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        if values.len() != prepared.params().len() {
            return Err(Failure::Row(crate::RowError { column: values.len(), expected: "a value of the statement" }));
        }
        if prepared.columns().is_empty() {
            return Ok((self.client.execute(prepared, &values).await?, Rows::new()));
        }
        let rows = self.client.query(prepared, &values).await?;
        let rows = rows.iter().map(value::row).collect::<Result<Rows, _>>().map_err(Failure::Row)?;
        Ok((u64::try_from(rows.len()).unwrap_or(u64::MAX), rows))
    }

    /// `begin`, `commit`, `rollback`.
    pub(super) async fn control(&self, text: &'static str) -> Answered {
        self.client.batch_execute(text).await?;
        Ok((0, Rows::new()))
    }
}

/// Carries messages until the connection ends, and notes every warning.
async fn drive<S, T>(mut driver: tokio_postgres::Connection<S, T>, warned: Arc<AtomicBool>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    // Notices arrive here before the answer they belong to reaches whoever waits for it.
    while let Some(Ok(message)) = poll_fn(|context| driver.poll_message(context)).await {
        if let AsyncMessage::Notice(notice) = message
            && matches!(notice.parsed_severity(), Some(Severity::Warning) | None)
        {
            tracing::warn!(code = notice.code().code(), "the database warns: {}", notice.message());
            warned.store(true, Ordering::Release);
        }
    }
}

/// Polls each request in turn, so that they are sent in this order and answered in one journey.
pub(super) async fn in_order<T>(requests: Vec<Pin<Box<dyn Future<Output = T> + Send + '_>>>) -> Vec<T> {
    let mut requests: Vec<_> = requests.into_iter().map(|request| (request, None)).collect();
    poll_fn(|context| {
        let mut is_waiting = false;
        for (request, answer) in &mut requests {
            if answer.is_none() {
                match request.as_mut().poll(context) {
                    Poll::Ready(ready) => *answer = Some(ready),
                    Poll::Pending => is_waiting = true,
                }
            }
        }
        if is_waiting { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    requests.into_iter().filter_map(|(_, answer)| answer).collect()
}
