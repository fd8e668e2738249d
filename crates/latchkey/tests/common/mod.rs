//! What the tests of the real binary share: processes that end with the test,
//! a shop with its gateway, a browser without a face, and a source of chance.
//!
//! Everything runs on 127.0.0.1 on ports that the system gives, in a folder
//! of its own. Nothing here knows the code of the server: it is judged by what
//! it answers, by its exit codes and by the rows it leaves.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::float_arithmetic,
    unreachable_pub,
    missing_docs,
    reason = "each test binary uses its part, and a test that cannot go on says so"
)]

pub mod balancer;
pub mod chance;
pub mod drive;
pub mod gateway;
pub mod http;
pub mod line;
pub mod process;
pub mod recorder;
pub mod sale;
pub mod shop;
pub mod trace;

use std::collections::BTreeMap;
use std::fs::File;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use self::http::{Reply, Sent};

/// Waits until the question is answered with `Ok`; what was missing last is
/// told when the deadline passes. The pause between two looks decides nothing.
pub async fn until<T, F: Future<Output = Result<T, String>>>(
    what: &str,
    deadline: Duration,
    mut question: impl FnMut() -> F,
) -> T {
    let began = Instant::now();
    loop {
        match question().await {
            Ok(answer) => return answer,
            Err(missing) => assert!(began.elapsed() < deadline, "{what}: not within {deadline:?}: {missing}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Holds the machine for one test at a time, whatever runs the tests: these
/// measure, or take every core that there is.
pub fn alone() -> File {
    let file = File::create(std::env::temp_dir().join("latchkey-tests-alone.lock")).expect("a lock file");
    file.lock().expect("the lock");
    file
}

/// How much a test does: a slice in every run of the tests, the whole where a proof is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    Slice,
    Whole,
}

impl Effort {
    /// As `LATCHKEY_PROOF` says: `whole`, or nothing.
    pub fn asked() -> Self {
        match std::env::var("LATCHKEY_PROOF").as_deref() {
            Ok("whole") => Self::Whole,
            Ok(other) => panic!("LATCHKEY_PROOF is whole or not set, not {other}"),
            Err(_) => Self::Slice,
        }
    }

    /// One of two numbers.
    pub fn of<T>(self, slice: T, whole: T) -> T {
        match self {
            Self::Slice => slice,
            Self::Whole => whole,
        }
    }
}

/// Tells what was tried and what came of it, on a line that the proof collects.
pub fn figure(name: &str, text: &str) {
    eprintln!("FIGURE {name}: {text}");
}

/// Starts all of them at the same moment; what each was answered.
pub async fn at_once<F: Future<Output = Sent> + Send + 'static>(requests: Vec<F>) -> Vec<Reply> {
    let barrier = Arc::new(Barrier::new(requests.len()));
    let mut running = JoinSet::new();
    for request in requests {
        let barrier = Arc::clone(&barrier);
        running.spawn(async move {
            barrier.wait().await;
            request.await
        });
    }
    running.join_all().await.into_iter().map(|sent| sent.expect("an answer")).collect()
}

/// How often each came.
pub fn tally<K: Ord>(keys: impl Iterator<Item = K>) -> BTreeMap<K, usize> {
    let mut counts = BTreeMap::new();
    for key in keys {
        *counts.entry(key).or_default() += 1;
    }
    counts
}
