//! A connection that reads and cannot write, and the thread that answers with one.

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use super::queue::Queue;
use super::text::Texts;
use super::{Failure, bind, collect};
use crate::{ReadError, Rows, Statement};

/// One question, and who asked it.
pub(super) struct Read {
    pub(super) statements: Vec<Statement>,
    pub(super) answer: oneshot::Sender<Result<Vec<Rows>, ReadError>>,
}

/// A connection with the texts that it has seen.
pub(super) struct Reader {
    connection: Connection,
    texts: Texts,
}

impl Reader {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection, texts: Texts::default() }
    }

    /// Answers from the queue until it is closed.
    pub(super) fn run(mut self, queue: &Queue<Read>) {
        while let Some(Read { statements, answer }) = queue.pop() {
            // Whoever stopped waiting costs nothing more.
            if !answer.is_closed() {
                // The caller may leave at any moment; a read leaves nothing behind.
                let _ = answer.send(self.read(&statements));
            }
        }
    }

    /// All statements in one snapshot.
    pub(super) fn read(&mut self, statements: &[Statement]) -> Result<Vec<Rows>, ReadError> {
        snapshot(&self.connection, &mut self.texts, statements).map_err(told)
    }
}

fn snapshot(connection: &Connection, texts: &mut Texts, statements: &[Statement]) -> Result<Vec<Rows>, Failure> {
    // One statement is one snapshot already.
    if let [statement] = statements {
        return Ok(vec![rows(connection, texts, statement)?]);
    }
    connection.prepare_cached("begin deferred")?.raw_execute()?;
    let read = statements.iter().map(|statement| rows(connection, texts, statement)).collect();
    let ended = connection.prepare_cached("commit").and_then(|mut commit| commit.raw_execute());
    if ended.is_err() && !connection.is_autocommit() {
        connection.prepare_cached("rollback")?.raw_execute()?;
    }
    read
}

fn rows(connection: &Connection, texts: &mut Texts, statement: &Statement) -> Result<Rows, Failure> {
    let mut prepared = connection.prepare_cached(texts.numbered(statement.sql))?;
    bind(&mut prepared, &statement.values)?;
    collect(&mut prepared)
}

fn told(failure: Failure) -> ReadError {
    match failure {
        Failure::Row(error) => error.into(),
        Failure::Database(error) => match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => ReadError::Corrupt(error.to_string()),
            Some(_) | None => ReadError::Unavailable(error.to_string()),
        },
    }
}
