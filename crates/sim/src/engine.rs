//! The first door: the real SQLite engine, called in-thread, that may refuse, forget to answer, or be the last thing
//! that a node ever did.
//!
//! Half transactions are not simulated: the engine promises that there are
//! none, and its own tests hold it to that. What is tried here is what we make of it.

use std::sync::Arc;

use domain::{GroupId, LicenseId, OrderId};
use store::sqlite::Sqlite;
use store::{Answer, CommitError, Engine, Migration, MigrationError, ReadError, Rows, Statement, Touched, Value};

use crate::universe::{Bell, Universe, at_once, hold};

/// The engine as one node sees it.
pub(crate) struct Unreliable {
    pub(crate) inner: Arc<Sqlite>,
    pub(crate) universe: Arc<Universe>,
    pub(crate) node: usize,
}

impl Unreliable {
    async fn read(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, ReadError> {
        self.universe.gate().await;
        if self.universe.fault(|mix| mix.read_refused) {
            self.universe.log(|| format!("node {} cannot read", self.node));
            return Err(ReadError::Unavailable("simulated: the database does not answer".to_owned()));
        }
        self.universe.count(|counts| counts.reads += 1);
        at_once(self.inner.look_up(statements))
    }

    async fn write(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, CommitError> {
        let (universe, node) = (&self.universe, self.node);
        universe.gate().await;
        if universe.fault(|mix| mix.commit_slow) {
            universe.sleep(universe.between(1, 60) * 1_000_000).await;
        }
        let what = told(&statements);
        if universe.fault(|mix| mix.crash_before_commit) {
            universe.crash(node, &format!("before it commits {what}")).await;
        }
        if universe.disk_is_full() {
            universe.log(|| format!("node {node} cannot commit {what}: disk full"));
            return Err(CommitError::Unavailable("database or disk is full".to_owned()));
        }
        if universe.fault(|mix| mix.commit_refused) {
            universe.log(|| format!("node {node} cannot commit {what}"));
            return Err(CommitError::Unavailable("simulated: the database refused".to_owned()));
        }
        let is_unheard = universe.fault(|mix| mix.commit_unknown);
        if is_unheard && universe.one_in(2) {
            universe.log(|| format!("node {node} does not learn that {what} is lost"));
            universe.count(|counts| counts.unknown += 1);
            return Err(CommitError::Unknown("simulated: the connection was lost".to_owned()));
        }
        let (orders, licenses, groups) = named(&statements);
        let leaves_work = statements.iter().any(leaves_work);
        let claims = statements.iter().all(|statement| statement.sql.contains(" returning "));
        let outcome = at_once(self.inner.commit_returning(statements));
        match &outcome {
            Ok(rows) => {
                // A claim that found nothing is no effect.
                if !claims || rows.iter().any(|rows| !rows.is_empty()) {
                    universe.log(|| format!("node {node} commits {what}"));
                    universe.count(|counts| counts.commits += 1);
                    if leaves_work {
                        universe.ring(Bell::Work);
                    }
                }
                let mut touched = hold(&universe.touched);
                touched.orders.extend(orders);
                touched.licenses.extend(licenses);
                touched.groups.extend(groups);
            }
            Err(error) => universe.log(|| format!("node {node} cannot commit {what}: {error}")),
        }
        if universe.fault(|mix| mix.crash_after_commit) {
            universe.crash(node, &format!("after it commits {what}")).await;
        }
        if is_unheard {
            universe.log(|| format!("node {node} does not learn what became of {what}"));
            universe.count(|counts| counts.unknown += 1);
            return Err(CommitError::Unknown("simulated: the answer was lost".to_owned()));
        }
        universe.gate().await;
        outcome
    }
}

impl Engine for Unreliable {
    fn query(&self, statements: Vec<Statement>) -> Answer<'_, Result<Vec<Rows>, ReadError>> {
        Box::pin(self.read(statements))
    }

    fn look_up(&self, statements: Vec<Statement>) -> Answer<'_, Result<Vec<Rows>, ReadError>> {
        Box::pin(self.read(statements))
    }

    fn commit(&self, statements: Vec<Statement>) -> Answer<'_, Result<(), CommitError>> {
        Box::pin(async move { self.write(statements).await.map(drop) })
    }

    fn commit_returning(&self, statements: Vec<Statement>) -> Answer<'_, Result<Vec<Rows>, CommitError>> {
        Box::pin(self.write(statements))
    }

    fn migrate(&self, migrations: &'static [Migration]) -> Answer<'_, Result<Vec<i64>, MigrationError>> {
        self.inner.migrate(migrations)
    }

    /// The engine below notes what every node writes, so that each may remember what it has read.
    fn touched(&self) -> Option<&Touched> {
        self.inner.touched()
    }

    fn name(&self) -> &'static str {
        self.inner.name()
    }
}

/// Whether a statement leaves something to do for whoever looks for work: a new job, a notice that is not applied, codes
/// that somebody may wait for, a signing key that others do not know.
fn leaves_work(statement: &Statement) -> bool {
    let waits = || statement.values.iter().any(|value| matches!(value, Value::Text(text) if text == "received"));
    match statement.what {
        "job" | "pool code" => statement.sql.starts_with("insert"),
        "notice" => waits(),
        "signing_key" => true,
        _ => false,
    }
}

/// What a commit writes, in words: `order payment 3×event job`.
fn told(statements: &[Statement]) -> String {
    let mut words: Vec<(&str, usize)> = Vec::new();
    for statement in statements {
        match words.last_mut() {
            Some((word, times)) if *word == statement.what => *times += 1,
            Some(_) | None => words.push((statement.what, 1)),
        }
    }
    let told = words.iter().map(|(word, times)| match times {
        1 => (*word).to_owned(),
        many => format!("{many}×{word}"),
    });
    told.collect::<Vec<_>>().join(" ")
}

/// The orders, licenses and groups that a commit names.
fn named(statements: &[Statement]) -> (Vec<OrderId>, Vec<LicenseId>, Vec<GroupId>) {
    let texts = || {
        statements.iter().flat_map(|statement| &statement.values).filter_map(|value| match value {
            Value::Text(text) => Some(text.as_str()),
            Value::Null | Value::Integer(_) | Value::Bytes(_) | Value::Flag(_) => None,
        })
    };
    let orders = texts().filter(|text| text.starts_with("ord_")).filter_map(|text| OrderId::parse(text).ok());
    let licenses = texts().filter(|text| text.starts_with("lic_")).filter_map(|text| LicenseId::parse(text).ok());
    let groups = texts().filter(|text| text.starts_with("grp_")).filter_map(|text| GroupId::parse(text).ok());
    (orders.collect(), licenses.collect(), groups.collect())
}
