//! What only SQLite can promise or break.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a child process is told what to do, and tells what it did"
)]

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use futures::FutureExt;
use futures::future::join_all;
use store::sqlite::{Sqlite, SqliteOptions};
use store::testing::Directory;
use store::{CommitError, Engine, OpenError};

use super::{SCHEMA, counter, increment, thing, things, version_and_value};

const CHILD: &str = "LATCHKEY_TEST_CRASH_FILE";

async fn open(path: &Path, options: SqliteOptions) -> Sqlite {
    let engine = Sqlite::open(path, options).unwrap();
    engine.migrate(SCHEMA).await.unwrap();
    engine
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_the_process_was_killed() {
    let directory = Directory::new();
    let path = directory.path().join("shop.db");
    let mut acknowledged = Vec::new();
    for run in 0..4 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "sqlite_only::the_process_that_is_killed", "--nocapture"])
            .env(CHILD, &path)
            .env("LATCHKEY_TEST_CRASH_RUN", run.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut lines = output.lines().map_while(Result::ok).filter(|line| line.starts_with("ack "));
        let enough = 40 + 17 * run;
        acknowledged.extend(lines.by_ref().take(enough).map(|line| line["ack ".len()..].to_owned()));
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said before it died, and nobody had read yet, was acknowledged as well.
        acknowledged.extend(lines.map(|line| line["ack ".len()..].to_owned()));

        let kept = things(&open(&path, SqliteOptions::default()).await).await;
        for thing in &acknowledged {
            assert!(kept.contains(thing), "{thing} was acknowledged in a run and is gone after run {run}");
        }
    }
    assert!(acknowledged.len() >= 4 * 40);
}

/// No test of its own: what the one above kills.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_process_that_is_killed() {
    let (Ok(path), Ok(run)) = (std::env::var(CHILD), std::env::var("LATCHKEY_TEST_CRASH_RUN")) else { return };
    let engine = Arc::new(open(Path::new(&path), SqliteOptions::default()).await);
    let committers = (0..8).map(|committer| {
        let (engine, run) = (Arc::clone(&engine), run.clone());
        tokio::spawn(async move {
            for number in 0.. {
                let id = format!("{run} {committer} {number}");
                engine.commit(vec![thing(&id)]).await.unwrap();
                // One write of a whole line, so that a line is there or is not.
                println!("ack {id}");
            }
        })
    });
    join_all(committers).await;
}

#[tokio::test]
async fn a_disk_that_takes_no_more_refuses_commits_and_keeps_what_was_acknowledged() {
    let directory = Directory::new();
    let path = directory.path().join("shop.db");
    open(&path, SqliteOptions::default()).await;
    // A write beyond the limit fails as on a full disk, once the signal that would end the process is ignored.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 1000; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "sqlite_only::the_process_whose_disk_is_full", "--nocapture"])
        .env(CHILD, &path)
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    let acknowledged: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("ack ")).collect();
    assert!(acknowledged.len() > 5 && told.contains("refused"), "{told}");

    let engine = open(&path, SqliteOptions::default()).await;
    let kept = things(&engine).await;
    for thing in acknowledged {
        assert!(kept.iter().any(|kept| kept == thing), "{thing} was acknowledged and is gone");
    }
    engine.commit(vec![thing("after")]).await.unwrap();
}

/// No test of its own: what the one above runs.
#[tokio::test]
async fn the_process_whose_disk_is_full() {
    let Ok(path) = std::env::var(CHILD) else { return };
    let engine = Sqlite::open(Path::new(&path), SqliteOptions::default()).unwrap();
    let large = |id: &str| {
        let values =
            vec![super::text(id), store::Value::Null, store::Value::Bytes(vec![7; 20_000]), store::Value::Null];
        super::statement(super::ADD_THING, values)
    };
    let mut number = 0;
    let refused = loop {
        match engine.commit(vec![large(&format!("t{number}"))]).await {
            Ok(()) => println!("ack t{number}"),
            Err(error) => break error,
        }
        number += 1;
        assert!(number < 10_000, "the limit is in force");
    };
    // Nobody can promise that nothing of it is in the log.
    assert!(matches!(refused, CommitError::Unknown(_)), "{refused:?}");
    println!("refused t{number}");
    assert!(engine.commit(vec![large("again")]).await.is_err());
    // Reading goes on, and shows what was acknowledged and nothing else.
    assert_eq!(things(&engine).await.len(), number);
}

#[tokio::test]
async fn a_full_queue_is_unavailable_and_what_was_accepted_is_answered() {
    let directory = Directory::new();
    let path = directory.path().join("shop.db");
    let engine = open(&path, SqliteOptions { waiting: 4, group: 1, ..SqliteOptions::default() }).await;
    let elsewhere = rusqlite::Connection::open(&path).unwrap();
    elsewhere.execute_batch("begin immediate").unwrap();

    let mut accepted = Vec::new();
    let refused = loop {
        let mut commit = engine.commit(vec![thing(&format!("t{}", accepted.len()))]).boxed();
        match (&mut commit).now_or_never() {
            Some(outcome) => break outcome,
            None => accepted.push(commit),
        }
    };
    assert_eq!(refused, Err(CommitError::Unavailable("too many commits are waiting".to_owned())));
    assert!((4..=5).contains(&accepted.len()), "four wait and one may be at work: {}", accepted.len());

    elsewhere.execute_batch("rollback").unwrap();
    let expected = accepted.len();
    assert!(join_all(accepted).await.iter().all(Result::is_ok));
    assert_eq!(things(&engine).await.len(), expected);
}

/// How often the WAL has begun anew; SQLite counts it in the WAL's head (<https://sqlite.org/fileformat2.html#walformat>).
fn beginnings(path: &Path) -> u32 {
    let mut head = [0; 16];
    File::open(path.with_extension("db-wal")).unwrap().read_exact(&mut head).unwrap();
    u32::from_be_bytes(head[12..].try_into().unwrap())
}

#[tokio::test]
async fn the_wal_begins_anew_while_commits_go_on_unless_somebody_still_reads_what_was() {
    let directory = Directory::new();
    let path = directory.path().join("shop.db");
    let engine = open(&path, SqliteOptions::default()).await;
    engine.commit(vec![counter("n", 0)]).await.unwrap();
    let begun = beginnings(&path);
    let mut written = 0;
    while beginnings(&path) < begun + 2 {
        increment(&engine, "n").await;
        written += 1;
        assert!(written < 20_000, "the WAL only grows");
    }
    let mut elsewhere = rusqlite::Connection::open(&path).unwrap();
    let held = elsewhere.transaction().unwrap();
    held.query_row("select count(*) from counters", [], |row| row.get::<_, i64>(0)).unwrap();
    // What is held was in the file already, or is in the WAL: then it begins anew with this commit, or not at all.
    increment(&engine, "n").await;
    let begun = beginnings(&path);
    for _ in 0..3_000 {
        increment(&engine, "n").await;
    }
    assert_eq!(beginnings(&path), begun, "what somebody reads was written over");
    held.rollback().unwrap();
    written += 3_001;
    while beginnings(&path) == begun {
        increment(&engine, "n").await;
        written += 1;
        assert!(written < 40_000, "the WAL only grows");
    }
    assert_eq!(version_and_value(&engine, "n").await.1, written);
}

#[tokio::test]
async fn reads_do_not_wait_for_a_writer() {
    let directory = Directory::new();
    let path = directory.path().join("shop.db");
    let engine = open(&path, SqliteOptions::default()).await;
    engine.commit(vec![thing("a")]).await.unwrap();
    let elsewhere = rusqlite::Connection::open(&path).unwrap();
    elsewhere.execute_batch("begin immediate; insert into things (id) values ('b')").unwrap();
    assert_eq!(things(&engine).await, ["a"]);
    elsewhere.execute_batch("commit").unwrap();
    assert_eq!(things(&engine).await, ["a", "b"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_may_write_one_file() {
    let directory = Directory::new();
    let path = directory.path().join("shop.db");
    let engines = [open(&path, SqliteOptions::default()).await, open(&path, SqliteOptions::default()).await];
    engines[0].commit(vec![counter("n", 0)]).await.unwrap();
    join_all(engines.iter().map(|engine| async move {
        for _ in 0..30 {
            increment(engine, "n").await;
        }
    }))
    .await;
    assert_eq!(version_and_value(&engines[1], "n").await, (61, 60));
}

#[tokio::test]
async fn a_copy_is_whole_and_opens_by_itself() {
    let directory = Directory::new();
    let engine = open(&directory.path().join("shop.db"), SqliteOptions::default()).await;
    engine.commit(vec![thing("a"), thing("b")]).await.unwrap();
    let target = directory.path().join("copy.db");
    engine.copy_to(&target).await.unwrap();
    engine.commit(vec![thing("c")]).await.unwrap();
    let copy = open(&target, SqliteOptions::default()).await;
    assert_eq!(things(&copy).await, ["a", "b"]);
    assert!(engine.copy_to(&target).await.is_err(), "a copy never writes over a file");
}

#[tokio::test]
async fn what_is_no_database_does_not_open() {
    let directory = Directory::new();
    let path = directory.path().join("shop.db");
    std::fs::write(&path, "this is a text file, and a long one, so that it has a header to look at".repeat(100))
        .unwrap();
    let opened = Sqlite::open(&path, SqliteOptions::default());
    assert!(matches!(opened.err(), Some(OpenError::Unavailable(_))));
    let nowhere = Sqlite::open(&directory.path().join("no/such/directory/shop.db"), SqliteOptions::default());
    assert!(matches!(nowhere.err(), Some(OpenError::Unavailable(_))));
}

#[tokio::test]
async fn what_was_accepted_is_committed_before_the_engine_lets_go() {
    let directory = Directory::new();
    let path = directory.path().join("shop.db");
    let engine = open(&path, SqliteOptions::default()).await;
    for number in 0..50 {
        let _ = engine.commit(vec![thing(&format!("t{number}"))]).now_or_never();
    }
    drop(engine);
    assert_eq!(things(&open(&path, SqliteOptions::default()).await).await.len(), 50);
}
