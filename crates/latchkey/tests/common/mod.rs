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

pub mod chance;
pub mod gateway;
pub mod http;
pub mod process;
pub mod recorder;
pub mod shop;

use std::fs::File;
use std::future::Future;
use std::time::{Duration, Instant};

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
