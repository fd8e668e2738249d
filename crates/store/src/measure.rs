//! What an engine counts of its own work, for whoever watches. Nothing that is stored depends on it.

use std::time::{Duration, Instant};

use metrics::{Counter, Exposition, Family, Gauge, Histogram};

use crate::CommitError;

/// What may become of a commit.
const COMMITTED: &str = "committed";
const CONFLICT: &str = "conflict";
const UNAVAILABLE: &str = "unavailable";
const UNKNOWN: &str = "unknown";

/// The numbers of one engine.
#[derive(Debug)]
pub(crate) struct Measurements {
    commits: Family<Counter, 1>,
    /// Commits that shared one transaction.
    pub(crate) group: Histogram,
    /// How long COMMIT took, the wait for the disk included.
    pub(crate) sync: Histogram,
    /// Commits that wait or are under way.
    pub(crate) waiting: Gauge,
}

impl Default for Measurements {
    fn default() -> Self {
        let commits = Family::new(["outcome"], Counter::default);
        for word in [COMMITTED, CONFLICT, UNAVAILABLE, UNKNOWN] {
            commits.begin([word]);
        }
        Self { commits, group: Histogram::sizes(), sync: Histogram::latency(), waiting: Gauge::default() }
    }
}

impl Measurements {
    /// Counts a commit by what became of it.
    pub(crate) fn count<T>(&self, outcome: &Result<T, CommitError>) {
        let word = match outcome {
            Ok(_) => COMMITTED,
            Err(CommitError::Conflict { .. }) => CONFLICT,
            Err(CommitError::Unavailable(_)) => UNAVAILABLE,
            Err(CommitError::Unknown(_)) => UNKNOWN,
        };
        self.commits.with([word]).count();
    }

    pub(crate) fn write(&self, exposition: &mut Exposition) {
        exposition.counters("latchkey_store_commits_total", "Commits, by what became of them.", &self.commits);
        exposition.histogram("latchkey_store_commit_group_size", "Commits that shared one fsync.", &self.group);
        exposition.histogram(
            "latchkey_store_sync_duration_seconds",
            "How long COMMIT took, fsync included.",
            &self.sync,
        );
        exposition.gauge("latchkey_store_commits_waiting", "Commits that wait or are under way.", &self.waiting);
    }
}

/// Counts as long as it lives, however that ends.
pub(crate) struct Waiting<'a>(&'a Gauge);

impl<'a> Waiting<'a> {
    pub(crate) fn new(gauge: &'a Gauge) -> Self {
        gauge.up();
        Self(gauge)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.down();
    }
}

/// Runs since it was made.
#[derive(Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "how long it took is told to whoever watches, and stored nowhere")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
