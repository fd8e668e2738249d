//! What a step of the shell can end in besides success.

use domain::Refusal;
use store::{CommitError, ReadError};

/// Why a step was not done. `Unavailable` says nothing about the question:
/// whoever asks must ask again, and is told so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A rule does not allow it.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// There is no such thing here.
    #[error("there is no such {what}")]
    NotFound {
        /// What was looked for: `order`, `license`, ….
        what: &'static str,
    },
    /// Nobody can tell now; nothing is half done.
    #[error("temporarily unavailable: {0}")]
    Unavailable(String),
    /// Somebody else was faster, each time it was tried; nothing is half done, and it can be tried again at once.
    #[error("temporarily unavailable: too many changes at once ({what})")]
    Conflict {
        /// What the others changed: `order`, `license`, ….
        what: &'static str,
    },
    /// What was configured cannot work.
    #[error("{0}")]
    Configuration(String),
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<CommitError> for Error {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Conflict { what } => Self::Conflict { what },
            CommitError::Unavailable(_) | CommitError::Unknown(_) => Self::Unavailable(error.to_string()),
        }
    }
}
