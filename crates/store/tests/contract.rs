//! What an engine promises, as sentences that hold on SQLite and on PostgreSQL alike.
//!
//! The rows here are the suite's own; what the nouns make of them is in `nouns.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "contract/postgres_only.rs"]
mod postgres_only;
#[path = "contract/sqlite_only.rs"]
mod sqlite_only;

use std::sync::Arc;

use futures::FutureExt;
use futures::future::join_all;
use store::postgres::{Postgres, PostgresOptions};
use store::sqlite::{Sqlite, SqliteOptions};
use store::testing::{Directory, postgres_database};
use store::{CommitError, Engine, Expect, Migration, MigrationError, Statement, Value};

const SCHEMA: &[Migration] = &[Migration {
    number: 1,
    name: "first",
    script: "create table counters (id {text} not null primary key, version bigint not null, value bigint not null);
             create table things (id {text} not null primary key, note {text}, body {bytes},
                 is_good bigint check (is_good in (0, 1)), counter {text} references counters (id));
             create unique index things_note on things (note) where note is not null;",
}];

const ADD_COUNTER: &str = "insert into counters (id, version, value) values ($1, 1, $2)";
const MOVE_COUNTER: &str =
    "update counters set version = version + 1, value = value + $3 where id = $1 and version = $2";
const READ_COUNTER: &str = "select version, value from counters where id = $1";
const ADD_THING: &str = "insert into things (id, note, body, is_good) values ($1, $2, $3, $4)";
const READ_THING: &str = "select id, note, body, is_good from things where id = $1";
const ALL_THINGS: &str = "select id from things order by id";

fn statement(sql: &'static str, values: Vec<Value>) -> Statement {
    Statement { sql, values, expect: Expect::Rows(1), what: "thing" }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn thing(id: &str) -> Statement {
    statement(ADD_THING, vec![text(id), Value::Null, Value::Null, Value::Null])
}

fn thing_noted(id: &str, note: &str) -> Statement {
    statement(ADD_THING, vec![text(id), text(note), Value::Null, Value::Null])
}

fn counter(id: &str, value: i64) -> Statement {
    statement(ADD_COUNTER, vec![text(id), Value::Integer(value)])
}

fn moved(id: &str, version: i64, by: i64) -> Statement {
    let values = vec![text(id), Value::Integer(version), Value::Integer(by)];
    Statement { what: "counter", ..statement(MOVE_COUNTER, values) }
}

async fn things(engine: &dyn Engine) -> Vec<String> {
    let rows = engine.query(vec![statement(ALL_THINGS, vec![])]).await.unwrap().remove(0);
    rows.iter().map(|row| row.text(0).unwrap().to_owned()).collect()
}

async fn version_and_value(engine: &dyn Engine, id: &str) -> (i64, i64) {
    let rows = engine.query(vec![statement(READ_COUNTER, vec![text(id)])]).await.unwrap().remove(0);
    (rows[0].integer(0).unwrap(), rows[0].integer(1).unwrap())
}

/// Moves a counter as a decision does: read, decide, commit, and again after a conflict.
async fn increment(engine: &dyn Engine, id: &str) {
    loop {
        let (version, _) = version_and_value(engine, id).await;
        match engine.commit(vec![moved(id, version, 1)]).await {
            Ok(()) => return,
            Err(CommitError::Conflict { what }) => assert_eq!(what, "counter"),
            Err(error) => panic!("{error}"),
        }
    }
}

struct Place {
    engine: Arc<dyn Engine>,
    _directory: Option<Directory>,
}

async fn sqlite() -> Place {
    let directory = Directory::new();
    let engine = Sqlite::open(&directory.path().join("shop.db"), SqliteOptions::default()).unwrap();
    Place { engine: Arc::new(engine), _directory: Some(directory) }
}

async fn postgres() -> Place {
    let engine = Postgres::open(&postgres_database().await, PostgresOptions::default()).await.unwrap();
    Place { engine: Arc::new(engine), _directory: None }
}

macro_rules! sentences {
    ($($sentence:ident)*) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $sentence() {
                super::$sentence(super::sqlite().await.engine).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $sentence() {
                super::$sentence(super::postgres().await.engine).await;
            })*
        }
    };
}

sentences! {
    a_commit_writes_all_of_its_statements_or_none
    a_conflict_names_what_moved
    a_unique_key_is_taken_once
    a_statement_may_expect_any_number_of_rows
    rows_that_a_commit_names_come_back
    what_the_schema_forbids_is_refused_and_is_no_conflict
    a_thousand_concurrent_increments_lose_none
    a_commit_that_fails_disturbs_none_of_its_neighbours
    a_query_sees_one_moment
    what_was_written_reads_back
    a_nul_in_a_text_is_stored_and_found_as_the_replacement_character
    a_statement_that_cannot_run_is_an_error_and_harms_nobody
    nothing_to_do_is_done
    a_caller_that_goes_away_leaves_nothing_half_done
    migrations_run_once_whoever_starts_them
    a_migration_that_fails_leaves_nothing
    a_database_of_another_program_is_refused
}

async fn a_commit_writes_all_of_its_statements_or_none(engine: Arc<dyn Engine>) {
    engine.migrate(SCHEMA).await.unwrap();
    engine.commit(vec![thing("a"), thing("b")]).await.unwrap();
    let failed = engine.commit(vec![thing("c"), thing("a"), thing("d")]).await;
    assert_eq!(failed, Err(CommitError::Conflict { what: "thing" }));
    assert_eq!(things(&*engine).await, ["a", "b"]);
}

async fn a_conflict_names_what_moved(engine: Arc<dyn Engine>) {
    engine.migrate(SCHEMA).await.unwrap();
    engine.commit(vec![counter("n", 10)]).await.unwrap();
    engine.commit(vec![moved("n", 1, 1)]).await.unwrap();
    let stale = engine.commit(vec![thing("a"), moved("n", 1, 1), thing("b")]).await;
    assert_eq!(stale, Err(CommitError::Conflict { what: "counter" }));
    assert_eq!(version_and_value(&*engine, "n").await, (2, 11));
    assert!(things(&*engine).await.is_empty());
}

async fn a_unique_key_is_taken_once(engine: Arc<dyn Engine>) {
    engine.migrate(SCHEMA).await.unwrap();
    let attempts = join_all((0..50).map(|number| {
        let engine = Arc::clone(&engine);
        tokio::spawn(async move { engine.commit(vec![thing_noted(&format!("t{number}"), "one note")]).await })
    }));
    let outcomes: Vec<_> = attempts.await.into_iter().map(Result::unwrap).collect();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(()) | Err(CommitError::Conflict { what: "thing" }))));
    assert_eq!(things(&*engine).await.len(), 1);
}

async fn a_statement_may_expect_any_number_of_rows(engine: Arc<dyn Engine>) {
    engine.migrate(SCHEMA).await.unwrap();
    engine.commit(vec![thing("a"), thing("b")]).await.unwrap();
    for (expect, stands) in
        [(Expect::Any, true), (Expect::Rows(2), true), (Expect::Rows(1), false), (Expect::Rows(0), false)]
    {
        let all = Statement { expect, ..statement("update things set is_good = $1", vec![Value::Flag(true)]) };
        assert_eq!(engine.commit(vec![all]).await.is_ok(), stands, "{expect:?}");
    }
    let none = Statement { expect: Expect::Rows(0), ..statement("delete from things where id = $1", vec![text("z")]) };
    engine.commit(vec![none]).await.unwrap();
}

async fn rows_that_a_commit_names_come_back(engine: Arc<dyn Engine>) {
    engine.migrate(SCHEMA).await.unwrap();
    engine.commit(vec![counter("n", 10)]).await.unwrap();
    let returning = statement(
        "update counters set value = value + $2 where id = $1 returning id, value",
        vec![text("n"), Value::Integer(5)],
    );
    let rows = engine.commit_returning(vec![thing("a"), returning.clone()]).await.unwrap();
    assert_eq!(rows.len(), 2);
    assert!(rows[0].is_empty());
    assert_eq!((rows[1][0].text(0).unwrap(), rows[1][0].integer(1).unwrap()), ("n", 15));
    // Whoever does not look at the rows commits just the same.
    engine.commit(vec![returning.clone()]).await.unwrap();
    assert_eq!(version_and_value(&*engine, "n").await.1, 20);
    let none = Statement { values: vec![text("z"), Value::Integer(5)], ..returning };
    assert_eq!(engine.commit_returning(vec![none]).await, Err(CommitError::Conflict { what: "thing" }));
}

async fn what_the_schema_forbids_is_refused_and_is_no_conflict(engine: Arc<dyn Engine>) {
    engine.migrate(SCHEMA).await.unwrap();
    for forbidden in [
        statement(ADD_THING, vec![text("a"), Value::Null, Value::Null, Value::Integer(2)]),
        statement("insert into things (id, counter) values ($1, $2)", vec![text("a"), text("no such counter")]),
        statement("insert into counters (id, version) values ($1, 1)", vec![text("a")]),
    ] {
        let outcome = engine.commit(vec![forbidden.clone()]).await;
        assert!(matches!(outcome, Err(CommitError::Unavailable(_))), "{}: {outcome:?}", forbidden.sql);
    }
    assert!(things(&*engine).await.is_empty());
}

async fn a_thousand_concurrent_increments_lose_none(engine: Arc<dyn Engine>) {
    engine.migrate(SCHEMA).await.unwrap();
    engine.commit(vec![counter("n", 0)]).await.unwrap();
    let workers = (0..20).map(|_| {
        let engine = Arc::clone(&engine);
        tokio::spawn(async move {
            for _ in 0..50 {
                increment(&*engine, "n").await;
            }
        })
    });
    join_all(workers).await.into_iter().for_each(Result::unwrap);
    assert_eq!(version_and_value(&*engine, "n").await, (1_001, 1_000));
}

async fn a_commit_that_fails_disturbs_none_of_its_neighbours(engine: Arc<dyn Engine>) {
    engine.migrate(SCHEMA).await.unwrap();
    engine.commit(vec![thing("taken")]).await.unwrap();
    let outcomes = join_all((0..200).map(|number| {
        let engine = Arc::clone(&engine);
        let fails = number % 7 == 0;
        tokio::spawn(async move {
            let own = format!("t{number:03}");
            let second = if fails { thing("taken") } else { thing(&format!("{own} too")) };
            assert_eq!(engine.commit(vec![thing(&own), second]).await.is_err(), fails, "{own}");
        })
    }));
    outcomes.await.into_iter().for_each(Result::unwrap);
    let mut expected = vec!["taken".to_owned()];
    expected.extend((0..200).filter(|number| number % 7 != 0).flat_map(|number| {
        let own = format!("t{number:03}");
        [own.clone(), format!("{own} too")]
    }));
    expected.sort();
    assert_eq!(things(&*engine).await, expected);
}

async fn a_query_sees_one_moment(engine: Arc<dyn Engine>) {
    engine.migrate(SCHEMA).await.unwrap();
    engine.commit(vec![counter("a", 100), counter("b", 0)]).await.unwrap();
    let mover = {
        let engine = Arc::clone(&engine);
        tokio::spawn(async move {
            for version in 1..=100 {
                engine.commit(vec![moved("a", version, -1), moved("b", version, 1)]).await.unwrap();
            }
        })
    };
    while !mover.is_finished() {
        let read = |id| statement(READ_COUNTER, vec![text(id)]);
        let rows = engine.query(vec![read("a"), read("b"), read("a")]).await.unwrap();
        let values: Vec<i64> = rows.iter().map(|rows| rows[0].integer(1).unwrap()).collect();
        assert_eq!((values[0] + values[1], values[2]), (100, values[0]));
    }
    mover.await.unwrap();
}

async fn what_was_written_reads_back(engine: Arc<dyn Engine>) {
    engine.migrate(SCHEMA).await.unwrap();
    let note = "Ünï©ode → 🗝 'quoted' \"twice\" $1 ?1 \\ %";
    let body: Vec<u8> = (0..=255).collect();
    engine
        .commit(vec![
            statement(ADD_THING, vec![text("full"), text(note), Value::Bytes(body.clone()), Value::Flag(true)]),
            statement(ADD_THING, vec![text("empty"), text(""), Value::Bytes(vec![]), Value::Flag(false)]),
            statement(ADD_THING, vec![text("null"), Value::Null, Value::Null, Value::Null]),
            counter("least", i64::MIN),
            counter("most", i64::MAX),
        ])
        .await
        .unwrap();
    let read = |id| statement(READ_THING, vec![text(id)]);
    let rows = engine.query(vec![read("full"), read("empty"), read("null"), read("none")]).await.unwrap();
    assert_eq!(rows[0][0].text(1), Ok(note));
    assert_eq!(rows[0][0].bytes(2), Ok(&body[..]));
    assert_eq!(rows[0][0].flag(3), Ok(true));
    assert_eq!((rows[1][0].text(1), rows[1][0].bytes(2), rows[1][0].flag(3)), (Ok(""), Ok(&[][..]), Ok(false)));
    assert_eq!((rows[2][0].optional_text(1), rows[2][0].optional_bytes(2)), (Ok(None), Ok(None)));
    assert_eq!(rows[2][0].optional_integer(3), Ok(None));
    assert!(rows[3].is_empty());
    assert_eq!(version_and_value(&*engine, "least").await.1, i64::MIN);
    assert_eq!(version_and_value(&*engine, "most").await.1, i64::MAX);
}

async fn a_nul_in_a_text_is_stored_and_found_as_the_replacement_character(engine: Arc<dyn Engine>) {
    engine.migrate(SCHEMA).await.unwrap();
    engine.commit(vec![thing_noted("a\0b", "c\0")]).await.unwrap();
    let rows = engine.query(vec![statement(READ_THING, vec![text("a\0b")])]).await.unwrap();
    assert_eq!((rows[0][0].text(0), rows[0][0].text(1)), (Ok("a\u{fffd}b"), Ok("c\u{fffd}")));
}

async fn a_statement_that_cannot_run_is_an_error_and_harms_nobody(engine: Arc<dyn Engine>) {
    engine.migrate(SCHEMA).await.unwrap();
    for broken in [
        statement("select nothing from nowhere", vec![]),
        statement("no sql at all", vec![]),
        statement(READ_THING, vec![]),
        statement(READ_THING, vec![text("a"), text("b")]),
    ] {
        assert!(engine.query(vec![broken.clone()]).await.is_err(), "{}", broken.sql);
        assert!(engine.query(vec![statement(ALL_THINGS, vec![]), broken.clone()]).await.is_err(), "{}", broken.sql);
        let outcome = engine.commit(vec![thing("a"), broken.clone()]).await;
        assert!(matches!(outcome, Err(CommitError::Unavailable(_))), "{}: {outcome:?}", broken.sql);
    }
    assert!(things(&*engine).await.is_empty());
    engine.commit(vec![thing("a")]).await.unwrap();
}

async fn nothing_to_do_is_done(engine: Arc<dyn Engine>) {
    assert_eq!(engine.query(vec![]).await, Ok(vec![]));
    assert_eq!(engine.commit(vec![]).await, Ok(()));
    assert_eq!(engine.commit_returning(vec![]).await, Ok(vec![]));
}

async fn a_caller_that_goes_away_leaves_nothing_half_done(engine: Arc<dyn Engine>) {
    engine.migrate(SCHEMA).await.unwrap();
    for number in 0..40 {
        // Polled once, then dropped: the request is on its way, or just about to be.
        let pair = vec![thing(&format!("{number:02}a")), thing(&format!("{number:02}b"))];
        let _ = engine.commit(pair).now_or_never();
        let _ = engine.query(vec![statement(ALL_THINGS, vec![]), statement(ALL_THINGS, vec![])]).now_or_never();

        let seen = things(&*engine).await;
        for name in &seen {
            let other = if name.ends_with('a') { name.replace('a', "b") } else { name.replace('b', "a") };
            assert!(seen.contains(&other), "{name} without {other}");
        }
    }
    engine.commit(vec![thing("after")]).await.unwrap();
}

async fn migrations_run_once_whoever_starts_them(engine: Arc<dyn Engine>) {
    let starts = join_all((0..4).map(|_| {
        let engine = Arc::clone(&engine);
        tokio::spawn(async move { engine.migrate(SCHEMA).await.unwrap() })
    }));
    let mut applied: Vec<Vec<i64>> = starts.await.into_iter().map(Result::unwrap).collect();
    applied.sort();
    assert_eq!(applied, [vec![], vec![], vec![], vec![1]]);
    assert_eq!(engine.migrate(SCHEMA).await, Ok(vec![]));
}

async fn a_migration_that_fails_leaves_nothing(engine: Arc<dyn Engine>) {
    const BROKEN: &[Migration] = &[
        SCHEMA[0],
        Migration { number: 2, name: "second", script: "create table more (id {text}); create table more (id {text})" },
    ];
    let failed = engine.migrate(BROKEN).await;
    assert!(matches!(failed, Err(MigrationError::Failed { number: 2, name: "second", .. })), "{failed:?}");
    assert_eq!(engine.migrate(SCHEMA).await, Ok(vec![1]));
    engine.commit(vec![thing("a")]).await.unwrap();
}

async fn a_database_of_another_program_is_refused(engine: Arc<dyn Engine>) {
    const NEWER: &[Migration] =
        &[SCHEMA[0], Migration { number: 2, name: "second", script: "create table more (id {text})" }];
    const CHANGED: &[Migration] = &[Migration { number: 1, name: "first", script: "create table other (id {text})" }];
    assert_eq!(engine.migrate(NEWER).await, Ok(vec![1, 2]));
    assert_eq!(engine.migrate(SCHEMA).await, Err(MigrationError::Newer { number: 2 }));
    assert_eq!(engine.migrate(CHANGED).await, Err(MigrationError::Changed { number: 1, name: "first" }));
}
