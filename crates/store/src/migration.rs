//! The schema, step by step: numbered scripts, one text for both engines.
//!
//! Two words differ between the engines and stand in braces in the scripts:
//! `{text}` is text compared byte by byte (`text collate "C"` on PostgreSQL,
//! `text` on SQLite), `{bytes}` is `bytea` or `blob`. A script that was
//! released never changes: its digest is kept beside its number.

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;

use crate::Engine;

/// Every migration, in order.
pub const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "first", script: include_str!("../migrations/0001_first.sql") },
    Migration { number: 2, name: "idempotency", script: include_str!("../migrations/0002_idempotency.sql") },
    Migration { number: 3, name: "policies", script: include_str!("../migrations/0003_policies.sql") },
    Migration { number: 4, name: "mending", script: include_str!("../migrations/0004_mending.sql") },
    Migration { number: 5, name: "signing_keys", script: include_str!("../migrations/0005_signing_keys.sql") },
    Migration { number: 6, name: "foreign_keys", script: include_str!("../migrations/0006_foreign_keys.sql") },
    Migration { number: 7, name: "portal", script: include_str!("../migrations/0007_portal.sql") },
    Migration { number: 8, name: "revocations", script: include_str!("../migrations/0008_revocations.sql") },
    Migration { number: 9, name: "attempts", script: include_str!("../migrations/0009_attempts.sql") },
    Migration { number: 10, name: "compat", script: include_str!("../migrations/0010_compat.sql") },
    Migration { number: 11, name: "foreign_ids", script: include_str!("../migrations/0011_foreign_ids.sql") },
    Migration { number: 12, name: "pools", script: include_str!("../migrations/0012_pools.sql") },
    Migration { number: 13, name: "kinds", script: include_str!("../migrations/0013_kinds.sql") },
    Migration { number: 14, name: "shadow", script: include_str!("../migrations/0014_shadow.sql") },
    Migration { number: 15, name: "questions", script: include_str!("../migrations/0015_questions.sql") },
    Migration { number: 16, name: "messages", script: include_str!("../migrations/0016_messages.sql") },
    Migration { number: 17, name: "releases", script: include_str!("../migrations/0017_releases.sql") },
    Migration { number: 18, name: "groups", script: include_str!("../migrations/0018_groups.sql") },
    Migration { number: 19, name: "signed_keys", script: include_str!("../migrations/0019_signed_keys.sql") },
    Migration {
        number: 20,
        name: "events_of_a_license",
        script: include_str!("../migrations/0020_events_of_a_license.sql"),
    },
    Migration { number: 21, name: "two_queues", script: include_str!("../migrations/0021_two_queues.sql") },
];

/// Where an engine keeps what it has applied.
pub(crate) const CREATE_TABLE: &str = "create table if not exists migrations (\
    number bigint not null primary key, name text not null, digest text not null)";

/// What an engine has applied.
pub(crate) const APPLIED: &str = "select number, digest from migrations order by number";

/// Notes that a migration was applied.
pub(crate) const RECORD: &str = "insert into migrations (number, name, digest) values ($1, $2, $3)";

/// One step of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// Its place, from 1 upwards.
    pub number: i64,
    /// Its name, as in the name of its file.
    pub name: &'static str,
    /// The script, with `{text}` and `{bytes}` where the engines differ.
    pub script: &'static str,
}

/// Why the schema cannot be brought up to date. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MigrationError {
    /// The database cannot be reached, or failed.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
    /// A newer program was here: this one does not know the schema.
    #[error("the database has migration {number}, which this program does not know; start the newer program")]
    Newer {
        /// The first migration that is not known.
        number: i64,
    },
    /// What was applied is not what this program carries under that number.
    #[error(
        "migration {number} ({name}) was applied with another text; restore the program or the database it belongs to"
    )]
    Changed {
        /// The migration.
        number: i64,
        /// Its name here.
        name: &'static str,
    },
    /// The script does not run on this database.
    #[error("migration {number} ({name}) does not run: {reason}")]
    Failed {
        /// The migration.
        number: i64,
        /// Its name.
        name: &'static str,
        /// What the database said.
        reason: String,
    },
}

/// Brings the schema of this engine up to date and gives the numbers of the migrations it applied.
///
/// # Errors
/// When the database was written by another program, or a script does not run. Nothing was changed then.
pub async fn migrate(engine: &dyn Engine) -> Result<Vec<i64>, MigrationError> {
    engine.migrate(MIGRATIONS).await
}

/// The words that differ between the engines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect {
    pub(crate) text: &'static str,
    pub(crate) bytes: &'static str,
}

impl Migration {
    pub(crate) fn render(&self, dialect: Dialect) -> String {
        self.script.replace("{text}", dialect.text).replace("{bytes}", dialect.bytes)
    }

    pub(crate) fn digest(&self) -> String {
        HEXLOWER.encode(digest::digest(&digest::SHA256, self.script.as_bytes()).as_ref())
    }
}

/// The migrations that are still to be applied to a database that has these.
pub(crate) fn pending<'a>(
    applied: &[(i64, String)],
    migrations: &'a [Migration],
) -> Result<Vec<&'a Migration>, MigrationError> {
    for (number, digest) in applied {
        let known = migrations
            .iter()
            .find(|migration| migration.number == *number)
            .ok_or(MigrationError::Newer { number: *number })?;
        if known.digest() != *digest {
            return Err(MigrationError::Changed { number: known.number, name: known.name });
        }
    }
    Ok(migrations.iter().filter(|migration| applied.iter().all(|(number, _)| *number != migration.number)).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    const TWO: &[Migration] = &[
        Migration { number: 1, name: "first", script: "create table a (b {text}, c {bytes})" },
        Migration { number: 2, name: "second", script: "create table d (e {text})" },
    ];

    #[test]
    fn migrations_are_numbered_from_one_upwards() {
        let numbers: Vec<i64> = MIGRATIONS.iter().map(|migration| migration.number).collect();
        assert!(numbers.iter().copied().eq(1..=i64::try_from(numbers.len()).unwrap()), "{numbers:?}");
    }

    #[test]
    fn no_word_in_braces_is_left_over() {
        for migration in MIGRATIONS {
            let script = migration.render(Dialect { text: "text", bytes: "blob" });
            assert!(!script.lines().any(|line| !line.trim_start().starts_with("--") && line.contains(['{', '}'])));
        }
    }

    #[test]
    fn only_what_is_missing_is_applied() {
        let applied: Vec<(i64, String)> = TWO.iter().map(|migration| (migration.number, migration.digest())).collect();
        for (have, expected) in [(0, vec![1, 2]), (1, vec![2]), (2, vec![])] {
            let numbers: Vec<i64> =
                pending(&applied[..have], TWO).unwrap().iter().map(|migration| migration.number).collect();
            assert_eq!(numbers, expected);
        }
    }

    #[test]
    fn a_database_of_another_program_is_refused() {
        assert_eq!(pending(&[(3, TWO[0].digest())], TWO), Err(MigrationError::Newer { number: 3 }));
        assert_eq!(pending(&[(1, TWO[1].digest())], TWO), Err(MigrationError::Changed { number: 1, name: "first" }));
    }
}
