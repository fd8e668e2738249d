//! What time it is: of the operating system, or moved by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use domain::{Duration, Timestamp};

/// A clock. Read once per step.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The operating system's.
    System,
    /// One that stands still until it is moved; microseconds since the epoch.
    Simulated(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at this moment.
    #[must_use]
    pub fn simulated(at: Timestamp) -> Self {
        Self::Simulated(Arc::new(AtomicI64::new(at.as_microseconds())))
    }

    /// The moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp::from_microseconds(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
            }
            Self::Simulated(at) => Timestamp::from_microseconds(at.load(Ordering::SeqCst)),
        }
    }

    /// Moves a simulated clock; the operating system's cannot be moved.
    pub fn advance(&self, span: Duration) {
        match self {
            Self::System => {}
            Self::Simulated(at) => {
                at.fetch_add(span.as_microseconds(), Ordering::SeqCst);
            }
        }
    }
}

/// Whether so much time has gone by since a moment. One that is still to come was noted by a clock that was ahead, or
/// this one was put back: nobody waits until it is there again.
pub(crate) fn has_passed(span: Duration, since: Timestamp, now: Timestamp) -> bool {
    now.since(since) >= span || now < since
}
