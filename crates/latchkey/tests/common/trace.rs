//! The system's calls of one thread of a running server, watched or made to fail with `strace`.
//!
//! Everything that SQLite writes is written by the thread `store-writer`, so this one thread's calls are all there is
//! between a sale and the disk.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use store::testing::Directory;

use super::process::Process;

/// The calls that change what is on the disk.
pub const WRITES: &str = "pwrite64,write,fsync,fdatasync,ftruncate,unlink";

/// The thread that writes.
pub const WRITER: &str = "store-writer";

/// strace at work. It lets go of the thread when this is dropped.
pub struct Trace {
    strace: Child,
    log: PathBuf,
}

impl Trace {
    /// Watches the writer, with these arguments of strace; returns when nothing is missed any more.
    pub fn attach(process: &Process, folder: &Directory, arguments: &[&str]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let log = folder.path().join(format!("strace-{}.log", NUMBER.fetch_add(1, Ordering::Relaxed)));
        let [writer] = process.threads(WRITER)[..] else { panic!("one thread {WRITER}: {}", process.told()) };
        let mut strace = Command::new("strace")
            .args(["-o", log.to_str().expect("a path in UTF-8"), "-p", &writer.to_string()])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("strace is installed");
        let mut said = String::new();
        BufReader::new(strace.stderr.take().expect("its words")).read_line(&mut said).expect("a line of it");
        assert!(said.contains("attached"), "strace may not look into a process here: {said}");
        Self { strace, log }
    }

    /// What it has seen so far.
    pub fn seen(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Lets go, and tells what it has seen.
    pub fn end(mut self) -> String {
        self.let_go();
        self.seen()
    }

    fn let_go(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.strace.id().to_string()]).stderr(Stdio::null()).status();
        let _ = self.strace.wait();
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        self.let_go();
    }
}

/// A call in the life of a thread: its name, and the how manieth of that name it is. strace counts each name by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    pub call: String,
    pub nth: usize,
}

impl Point {
    /// What makes strace do this at the call.
    pub fn inject(&self, what: &str) -> String {
        format!("inject={}:{what}:when={}", self.call, self.nth)
    }
}

/// Every call of a trace, in order.
pub fn points(trace: &str) -> Vec<Point> {
    let mut points: Vec<Point> = Vec::new();
    for line in trace.lines() {
        let Some((call, _)) = line.split_once('(') else { continue };
        let call = call.rsplit(' ').next().unwrap_or(call).to_owned();
        let nth = points.iter().filter(|point| point.call == call).count() + 1;
        points.push(Point { call, nth });
    }
    points
}
