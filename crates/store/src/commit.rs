//! The one way to write what was decided: all of it, or none.

use domain::Changes;

use crate::statement::{Text, any, texts, write};
use crate::{CommitError, Store, change};

/// Writes to the log and to no table: a commit of it waits for whoever a commit waits for, and the log before it is
/// there with it.
const CONFIRM: Text =
    Text { sqlite: "select 1", postgres: "select 1 from pg_logical_emit_message(true, 'latchkey', '')" };

texts![; CONFIRM];

impl Store {
    /// Writes everything of one decision, or nothing. When it answers, the disk has it.
    ///
    /// # Errors
    /// [`CommitError::Conflict`] when a row has moved on since it was read: load and decide again.
    /// [`CommitError::Unknown`] is never success: load and look.
    pub async fn commit(&self, changes: &Changes) -> Result<(), CommitError> {
        let statements = change::statements(changes, &self.vault, self.engine.name())?;
        if statements.is_empty() {
            return Ok(());
        }
        self.engine.commit(statements).await
    }

    /// Makes sure of what was read just now. A commit whose wait for a standby was given up, and one that a server found
    /// in its log when it came back from a crash, can be read here and may be nowhere else: who is to be told "that was
    /// stored before" is told it after this. On SQLite nobody reads what is not on the disk.
    ///
    /// # Errors
    /// As [`Store::commit`], without conflicts: then nobody knows where else it is.
    pub async fn confirm(&self) -> Result<(), CommitError> {
        match self.engine.name() {
            "postgres" => self.engine.commit(vec![any(write("log", CONFIRM.on("postgres"), Vec::new()))]).await,
            _ => Ok(()),
        }
    }
}
