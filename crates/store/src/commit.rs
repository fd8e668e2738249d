//! The one way to write what was decided: all of it, or none.

use domain::Changes;

use crate::{CommitError, Store, change};

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
}
