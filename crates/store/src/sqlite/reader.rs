//! A connection that reads and cannot write, and the thread that answers with one.

use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags};
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
pub(crate) struct Reader {
    connection: Connection,
    texts: Texts,
}

impl Reader {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, texts: Texts::default() }
    }

    /// From here on every read is of this moment, until the reader is dropped. Writers go on meanwhile.
    pub(crate) fn hold_moment(&mut self) -> Result<(), ReadError> {
        // The moment is that of the first read.
        let hold = || self.connection.execute_batch("begin deferred; select count(*) from migrations");
        hold().map_err(|error| told(error.into()))
    }

    /// What SQLite itself finds wrong with the file, and rows that refer to nothing; nothing when all is well.
    pub(crate) fn damage(&mut self) -> Result<Vec<String>, ReadError> {
        let damage = || -> rusqlite::Result<Vec<String>> {
            let mut found = Vec::new();
            for check in ["pragma integrity_check", "pragma foreign_key_check"] {
                let mut prepared = self.connection.prepare(check)?;
                let mut rows = prepared.query([])?;
                while let Some(row) = rows.next()? {
                    found.push(row.get::<_, String>(0)?);
                }
            }
            found.retain(|line| line != "ok");
            Ok(found)
        };
        damage().map_err(|error| told(error.into()))
    }

    /// Reads a file that nobody writes and that needs no log beside it.
    pub(crate) fn of_file_at_rest(path: &Path) -> Result<Self, ReadError> {
        let mut address = "file:".to_owned();
        for byte in path.as_os_str().as_encoded_bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                    address.push(char::from(*byte));
                }
                other => address.push_str(&format!("%{other:02x}")),
            }
        }
        address.push_str("?immutable=1");
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(address, flags).map_err(|error| told(error.into()))?;
        Ok(Self::new(connection))
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
    pub(crate) fn read(&mut self, statements: &[Statement]) -> Result<Vec<Rows>, ReadError> {
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
