//! How fast the SQLite engine is beside bare `rusqlite`, and what group commit gives.
//!
//! `cargo run --release -p store --example engine_speed [readers]`. Figures
//! move with the machine; what to look at is the ratio of a line to the one above it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a measurement reads the clock")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use rusqlite::Connection;
use store::sqlite::{Sqlite, SqliteOptions};
use store::{Engine, Expect, Migration, Statement, Value};

const SCHEMA: &[Migration] = &[Migration {
    number: 1,
    name: "speed",
    script: "create table seats (shop_id {text} not null, id {text} not null, key_hash {bytes} not null, policy {text} not null,
                 state {text} not null, seats_used bigint not null, created_at bigint not null, primary key (shop_id, id));
             create unique index seats_key on seats (key_hash);",
}];

const INSERT: &str = "insert into seats (shop_id, id, key_hash, policy, state, seats_used, created_at) \
    values ($1, $2, $3, $4, $5, $6, $7)";
const BY_KEY: &str = "select shop_id, id, policy, state, seats_used, created_at from seats where key_hash = $1";
const ROWS: u32 = 100_000;
const SPAN: Duration = Duration::from_secs(3);

fn key_hash(number: u32) -> Vec<u8> {
    // Spread as hashes are.
    (u128::from(number) * 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835_u128).to_be_bytes().to_vec()
}

fn insert(number: u32) -> Statement {
    let values = vec![
        Value::Text("shop_01jd0000000000000000000000".to_owned()),
        Value::Text(format!("lic_{number:026}")),
        Value::Bytes(key_hash(number)),
        Value::Text(r#"{"seats":5,"valid_days":365,"features":["export"],"certificate_seconds":86400}"#.to_owned()),
        Value::Text("active".to_owned()),
        Value::Integer(0),
        Value::Integer(1_764_000_000_000_000),
    ];
    Statement { sql: INSERT, values, expect: Expect::Rows(1), what: "seat" }
}

fn report(what: &str, count: u64, took: Duration) {
    let a_second = u128::from(count) * 1_000_000 / took.as_micros().max(1);
    println!("{what:<60} {a_second:>9} a second");
}

/// Runs `callers` tasks at once, each again and again, and tells how many answers there were.
async fn measured<Work: Future<Output = ()> + Send>(
    what: &str,
    callers: u32,
    work: impl Fn(u32) -> Work + Clone + Send + Sync + 'static,
) {
    let began = Instant::now();
    let tasks = (0..callers).map(|caller| {
        let work = work.clone();
        tokio::spawn(async move {
            let (mut done, mut number) = (0u64, caller);
            while began.elapsed() < SPAN {
                work(number).await;
                number = number.wrapping_add(callers);
                done += 1;
            }
            done
        })
    });
    let done: u64 = join_all(tasks).await.into_iter().map(Result::unwrap).sum();
    report(what, done, began.elapsed());
}

fn bare_reads(path: &Path) {
    let connection = Connection::open(path).unwrap();
    let began = Instant::now();
    let (mut number, mut count) = (0u32, 0);
    while count % 64 != 0 || began.elapsed() < SPAN {
        let mut statement = connection.prepare_cached(&BY_KEY.replace('$', "?")).unwrap();
        let row: (String, String, String, String, i64, i64) = statement
            .query_row([key_hash(number % ROWS)], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
            })
            .unwrap();
        assert_eq!(row.4, 0);
        number = number.wrapping_add(7_919);
        count += 1;
    }
    report("bare rusqlite, one thread, reads by key", count, began.elapsed());
}

fn bare_commits(path: &Path) {
    let connection = Connection::open(path).unwrap();
    connection.pragma_update(None, "synchronous", "full").unwrap();
    let began = Instant::now();
    let (mut number, mut count) = (2_000_000_000u32, 0);
    while began.elapsed() < SPAN {
        let statement = insert(number);
        connection
            .prepare_cached(&INSERT.replace('$', "?"))
            .unwrap()
            .execute(rusqlite::params_from_iter(&statement.values))
            .unwrap();
        number += 1;
        count += 1;
    }
    report("bare rusqlite, one thread, one row a commit", count, began.elapsed());
}

#[tokio::main]
async fn main() {
    let options = SqliteOptions {
        readers: std::env::args().nth(1).map_or(SqliteOptions::default().readers, |readers| readers.parse().unwrap()),
        ..SqliteOptions::default()
    };
    let directory = std::env::temp_dir().join(format!("engine-speed-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("speed.db");
    let engine = Arc::new(Sqlite::open(&path, options).unwrap());
    engine.migrate(SCHEMA).await.unwrap();
    for chunk in 0..ROWS / 1_000 {
        engine.commit((chunk * 1_000..(chunk + 1) * 1_000).map(insert).collect()).await.unwrap();
    }

    println!("{} readers", options.readers);
    bare_reads(&path);
    for callers in [1, 8, 64, 256] {
        let engine = Arc::clone(&engine);
        measured(&format!("engine, {callers} callers, reads by key"), callers, move |number| {
            let engine = Arc::clone(&engine);
            async move {
                let values = vec![Value::Bytes(key_hash(number % ROWS))];
                let read = Statement { sql: BY_KEY, values, expect: Expect::Any, what: "seat" };
                assert_eq!(engine.query(vec![read]).await.unwrap()[0].len(), 1);
            }
        })
        .await;
    }
    bare_commits(&path);
    for (round, callers) in [1, 8, 64, 256].into_iter().enumerate() {
        let engine = Arc::clone(&engine);
        let first = ROWS + u32::try_from(round).unwrap() * 100_000_000;
        measured(&format!("engine, {callers} callers, one row a commit"), callers, move |number| {
            let engine = Arc::clone(&engine);
            async move { engine.commit(vec![insert(first + number)]).await.unwrap() }
        })
        .await;
    }
    drop(engine);
    std::fs::remove_dir_all(&directory).unwrap();
}
