//! The ceiling of a sale: the very rows that the product writes for it,
//! written by prepared statements in big groups, with nothing around them.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::Context as _;
use gateways::Headers;
use rusqlite::types::{ToSqlOutput, Value as Cell, ValueRef};
use rusqlite::{Connection, ToSql};
use store::{Answer, CommitError, Engine, ReadError, Rows, Statement, Store, Value};

use crate::fill::{Waiting, webhooks};
use crate::server;

/// Rows in one transaction of the ceiling.
const GROUP: usize = 1_000;

/// An engine that notes what is committed through it.
struct Recorder {
    inner: Arc<dyn Engine>,
    commits: Arc<Mutex<Vec<Vec<Statement>>>>,
}

impl Engine for Recorder {
    fn query(&self, statements: Vec<Statement>) -> Answer<'_, Result<Vec<Rows>, ReadError>> {
        self.inner.query(statements)
    }

    fn commit(&self, statements: Vec<Statement>) -> Answer<'_, Result<(), CommitError>> {
        self.commits.lock().unwrap_or_else(PoisonError::into_inner).push(statements.clone());
        self.inner.commit(statements)
    }

    fn commit_returning(&self, statements: Vec<Statement>) -> Answer<'_, Result<Vec<Rows>, CommitError>> {
        self.inner.commit_returning(statements)
    }

    fn name(&self) -> &'static str {
        self.inner.name()
    }
}

/// The statements of so many sales, as the product commits them when their webhooks come to the database at `place`.
pub(crate) async fn record(place: &str, account: &str, waiting: &[Waiting]) -> anyhow::Result<Vec<Vec<Statement>>> {
    let plain = server::open(place).await?;
    let commits = Arc::new(Mutex::new(Vec::new()));
    let recorder = Arc::new(Recorder { inner: Arc::clone(plain.engine()), commits: Arc::clone(&commits) });
    let app = server::app(Store::new(recorder, Arc::clone(plain.vault()))).await?;
    let account = domain::GatewayAccountId::parse(account)?;
    commits.lock().unwrap_or_else(PoisonError::into_inner).clear();
    for (signature, body) in webhooks(waiting, app.clock.now())? {
        let headers = Headers::new([("stripe-signature".to_owned(), signature)]);
        app.receive(account, &headers, body.as_bytes()).await?;
    }
    Ok(std::mem::take(&mut *commits.lock().unwrap_or_else(PoisonError::into_inner)))
}

struct Borrowed<'a>(&'a Value);

impl ToSql for Borrowed<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Value::Null => ToSqlOutput::Owned(Cell::Null),
            Value::Integer(number) => ToSqlOutput::Owned(Cell::Integer(*number)),
            Value::Flag(flag) => ToSqlOutput::Owned(Cell::Integer(i64::from(*flag))),
            Value::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Value::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

/// Writes the sales to the database at `place`, durable, in groups. Returns sales a second.
pub(crate) fn write(place: &Path, sales: &[Vec<Statement>]) -> anyhow::Result<f64> {
    let connection = Connection::open(place)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.set_prepared_statement_cache_capacity(256);
    let rows: usize = sales.first().map(Vec::len).context("a sale")?;
    let began = Instant::now();
    for group in sales.chunks((GROUP / rows.max(1)).max(1)) {
        connection.execute_batch("begin immediate")?;
        for statement in group.iter().flatten() {
            let mut prepared = connection.prepare_cached(&statement.sql.replace('$', "?"))?;
            prepared.execute(rusqlite::params_from_iter(statement.values.iter().map(Borrowed)))?;
        }
        connection.execute_batch("commit")?;
    }
    Ok(sales.len() as f64 / began.elapsed().as_secs_f64())
}
