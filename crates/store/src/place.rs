//! Where rows are kept, named before anything is opened; and all of them as of one moment.
//!
//! A [`Moment`] is what backups and moves read from: rows page by page, in the
//! order of their keys, as they stood when it was opened, while servers go on
//! writing beside it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::copy::Fence;
use crate::postgres::connection::Connection;
use crate::postgres::{Postgres, PostgresOptions};
use crate::sqlite::reader::Reader;
use crate::sqlite::{Role, Sqlite, SqliteOptions, connect};
use crate::statement::read;
use crate::table::{Summing, TABLES, Table, TableSum};
use crate::{Access, Engine, MIGRATIONS, OpenError, ReadError, Row, Rows, Statement, Value};

/// How many rows are read and written at once. A notice holds up to a megabyte, and as many are in memory.
const PAGE: i64 = 200;

/// A database by its name.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// A file of SQLite.
    Sqlite(PathBuf),
    /// A database of PostgreSQL, by its address.
    Postgres(String),
}

impl fmt::Display for Place {
    /// Without the password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(formatter),
            Self::Postgres(url) => {
                let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
                let address = rest.rsplit_once('@').map_or(rest, |(_, address)| address);
                write!(formatter, "{scheme}://{}", address.split('?').next().unwrap_or_default())
            }
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Place {
    /// The name of its engine.
    #[must_use]
    pub fn engine(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }

    /// Whether there is a database: a file that is not there is none yet, and nothing is made by asking.
    #[must_use]
    pub fn exists(&self) -> bool {
        match self {
            Self::Sqlite(path) => path.exists(),
            Self::Postgres(_) => true,
        }
    }

    /// Opens it.
    ///
    /// # Errors
    /// When it cannot be opened, would not keep what it acknowledges, or somebody is there who must not be.
    pub async fn open(&self, access: Access) -> Result<Arc<dyn Engine>, OpenError> {
        Ok(match self {
            Self::Sqlite(path) => Arc::new(Sqlite::open(path, SqliteOptions { access, ..SqliteOptions::default() })?),
            Self::Postgres(url) => {
                Arc::new(Postgres::open(url, PostgresOptions { access, ..PostgresOptions::default() }).await?)
            }
        })
    }

    /// All rows as of now.
    ///
    /// # Errors
    /// When it cannot be read, or its schema is not the one of this program.
    pub async fn moment(&self) -> Result<Moment, ReadError> {
        let unavailable = |error: OpenError| ReadError::Unavailable(error.to_string());
        let mut moment = match self {
            Self::Sqlite(path) => {
                let mut reader = Reader::new(connect(path, Role::Reader).map_err(unavailable)?);
                reader.hold_moment()?;
                Moment(Held::Sqlite(reader))
            }
            Self::Postgres(url) => {
                let connection = Connection::open_moment(url, &PostgresOptions::default()).await;
                Moment(Held::Postgres(connection.map_err(unavailable)?))
            }
        };
        let expected = schema_version();
        match moment.schema_version().await? {
            found if found == expected => Ok(moment),
            found => Err(ReadError::Unavailable(format!(
                "the schema of {self} is of version {found} and this program is of version {expected}: \
                 start the program that belongs to it, or `latchkey doctor` of this one to bring it up to date"
            ))),
        }
    }
}

/// The number of the last migration that this program has.
#[must_use]
pub fn schema_version() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.number).max().unwrap_or_default()
}

const SCHEMA_VERSION: &str = "select coalesce(max(number), 0) from migrations";

/// All rows of a database as of one moment.
pub struct Moment(Held);

enum Held {
    Sqlite(Reader),
    Postgres(Connection),
}

impl Moment {
    /// The rows of a backup's file, which nobody writes: it may lie where nothing can be written.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of_backup(file: &Path) -> Result<Self, ReadError> {
        Reader::of_file_at_rest(file).map(|reader| Self(Held::Sqlite(reader)))
    }

    async fn read(&mut self, statement: Statement) -> Result<Rows, ReadError> {
        match &mut self.0 {
            // On this thread: who moves rows does nothing else meanwhile.
            Held::Sqlite(reader) => Ok(reader.read(&[statement])?.pop().unwrap_or_default()),
            Held::Postgres(connection) => connection.read(&statement).await,
        }
    }

    async fn schema_version(&mut self) -> Result<i64, ReadError> {
        let rows = self.read(read("migration", SCHEMA_VERSION, Vec::new())).await?;
        Ok(rows.first().map(|row| row.integer(0)).transpose()?.unwrap_or_default())
    }

    /// The fence of the database.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) async fn fence(&mut self) -> Result<Option<Fence>, ReadError> {
        let rows = self.read(crate::copy::fenced()).await?;
        rows.first().map(crate::copy::read_fence).transpose()
    }

    /// What the database itself finds damaged. PostgreSQL offers no such question, and tells when it reads.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn damage(&mut self) -> Result<Vec<String>, ReadError> {
        match &mut self.0 {
            Held::Sqlite(reader) => reader.damage(),
            Held::Postgres(_) => Ok(Vec::new()),
        }
    }

    /// The rows of a table after this key.
    pub(crate) async fn page(&mut self, table: &Table, after: Option<&[Value]>) -> Result<Vec<Row>, ReadError> {
        self.read(table.page(after, PAGE)).await
    }

    /// Counts and digests of every table.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn sums(&mut self) -> Result<Vec<TableSum>, ReadError> {
        let mut sums = Vec::with_capacity(TABLES.len());
        for table in TABLES {
            let mut summing = Summing::new();
            let mut after = None;
            loop {
                let rows = self.page(table, after.as_deref()).await?;
                rows.iter().for_each(|row| summing.add(row));
                match rows.last() {
                    Some(last) => after = Some(table.key_of(last)),
                    None => break,
                }
            }
            sums.push(summing.finish(table));
        }
        Ok(sums)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_shown_without_its_password() {
        for (url, shown) in [
            ("postgres://shop:secret@db.example:5432/shop?sslmode=disable", "postgres://db.example:5432/shop"),
            ("postgresql://localhost/shop", "postgresql://localhost/shop"),
            ("postgres://shop:se@cret@localhost/shop", "postgres://localhost/shop"),
        ] {
            assert_eq!(Place::Postgres(url.to_owned()).to_string(), shown);
        }
        assert_eq!(Place::Sqlite("data/latchkey.sqlite".into()).to_string(), "data/latchkey.sqlite");
    }
}
