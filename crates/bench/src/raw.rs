//! The ceiling of a sale: the very rows that the product writes for it,
//! written by prepared statements in big groups, with nothing around them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::Context as _;
use gateways::Headers;
use rusqlite::types::{ToSqlOutput, Value as Cell, ValueRef};
use rusqlite::{Connection, ToSql};
use store::{Answer, CommitError, Engine, Migration, MigrationError, ReadError, Rows, Statement, Store, Value};

use crate::fill::{Waiting, webhooks};
use crate::server;

/// Rows in one transaction of the ceiling.
pub(crate) const GROUP: usize = 1_000;

/// An engine that reads, and notes what would be committed.
struct Recorder {
    inner: Arc<dyn Engine>,
    commits: Arc<Mutex<Vec<Vec<Statement>>>>,
}

impl Engine for Recorder {
    fn query(&self, statements: Vec<Statement>) -> Answer<'_, Result<Vec<Rows>, ReadError>> {
        self.inner.query(statements)
    }

    fn commit(&self, statements: Vec<Statement>) -> Answer<'_, Result<(), CommitError>> {
        self.commits.lock().unwrap_or_else(PoisonError::into_inner).push(statements);
        Box::pin(std::future::ready(Ok(())))
    }

    fn commit_returning(&self, statements: Vec<Statement>) -> Answer<'_, Result<Vec<Rows>, CommitError>> {
        self.inner.commit_returning(statements)
    }

    fn migrate(&self, migrations: &'static [Migration]) -> Answer<'_, Result<Vec<i64>, MigrationError>> {
        self.inner.migrate(migrations)
    }

    fn name(&self) -> &'static str {
        self.inner.name()
    }
}

/// The statements of so many sales, as the product would commit them when their webhooks come to the database at `place`.
pub(crate) async fn record(place: &str, account: &str, waiting: &[Waiting]) -> anyhow::Result<Vec<Vec<Statement>>> {
    let plain = server::open(place).await?;
    let commits = Arc::new(Mutex::new(Vec::new()));
    let recorder = Arc::new(Recorder { inner: Arc::clone(plain.engine()), commits: Arc::clone(&commits) });
    let app = server::app(Store::new(recorder, Arc::clone(plain.vault()))).await?;
    let account = domain::GatewayAccountId::parse(account)?;
    for (signature, body) in webhooks(waiting, app.clock.now())? {
        let headers = Headers::new([("stripe-signature".to_owned(), signature)]);
        let outcomes = app.receive(account, &headers, body.as_bytes()).await?;
        anyhow::ensure!(outcomes == [app::NoticeOutcome::Applied], "a webhook was not applied: {outcomes:?}");
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

/// How many sales share a transaction of the ceiling.
fn at_once(sales: &[Vec<Statement>]) -> anyhow::Result<usize> {
    let rows = sales.first().map(Vec::len).context("a sale")?;
    Ok((GROUP / rows.max(1)).max(1))
}

/// Writes the sales to a PostgreSQL database, durable, in groups, each sent in one go. Returns sales a second.
pub(crate) async fn write_to_postgres(url: &str, sales: &[Vec<Statement>]) -> anyhow::Result<f64> {
    let store = server::open(url).await?;
    let at_once = at_once(sales)?;
    let rows = sales.first().map_or(1, Vec::len).max(1);
    let mut warming: Vec<Vec<Statement>> =
        sales.chunks(at_once).map(|group| group.iter().flatten().cloned().collect()).collect();
    let counted = warming.split_off(warming.len() / 4);
    for group in warming {
        store.engine().commit(group).await?;
    }
    let sales: usize = counted.iter().map(|group| group.len() / rows).sum();
    let began = Instant::now();
    for group in counted {
        store.engine().commit(group).await?;
    }
    Ok(sales as f64 / began.elapsed().as_secs_f64())
}

/// Writes the sales to the SQLite file at `place`, durable, in groups. Returns sales a second.
pub(crate) fn write_to_sqlite(place: &str, sales: &[Vec<Statement>]) -> anyhow::Result<f64> {
    let connection = Connection::open(place)?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "cache_size", -32_768)?;
    let mut places = HashMap::new();
    let mut prepared = Vec::new();
    for statement in sales.iter().flatten() {
        if !places.contains_key(statement.sql) {
            places.insert(statement.sql, prepared.len());
            prepared.push(connection.prepare(&statement.sql.replace('$', "?"))?);
        }
    }
    let at_once = at_once(sales)?;
    // A cold cache is not the ceiling: it counts from the second quarter on.
    let (warming, counted) = sales.split_at(sales.len() / 4);
    let mut write = |sales: &[Vec<Statement>]| -> anyhow::Result<()> {
        for group in sales.chunks(at_once) {
            connection.execute_batch("begin immediate")?;
            for statement in group.iter().flatten() {
                let prepared = places
                    .get(statement.sql)
                    .and_then(|place| prepared.get_mut(*place))
                    .context("a prepared statement")?;
                let written = prepared.execute(rusqlite::params_from_iter(statement.values.iter().map(Borrowed)))?;
                anyhow::ensure!(written == 1, "{} wrote {written} rows", statement.what);
            }
            connection.execute_batch("commit")?;
        }
        Ok(())
    };
    write(warming)?;
    let began = Instant::now();
    write(counted)?;
    Ok(counted.len() as f64 / began.elapsed().as_secs_f64())
}
