//! The whole shell against the simulated gateway, on both engines.
//!
//! The gateway is the one that `latchkey sandbox` serves, called as functions
//! instead of over a socket, so that it shares the clock of the test. The
//! store is a real database. Only the mail server is made up.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

/// Each of these on SQLite and on PostgreSQL.
macro_rules! on_both_engines {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $name() { super::$name($crate::house::On::Sqlite).await; })*
        }
        mod on_postgres {
            $(#[tokio::test]
            async fn $name() { super::$name($crate::house::On::Postgres).await; })*
        }
    };
}

mod claims;
mod console;
mod customer;
mod every_order;
mod exactly_once;
mod house;
mod imports;
mod no_webhooks;
mod outbox;
mod parked;
mod pools;
mod reissue;
mod replication;
mod restored;
mod signed_keys;
mod surplus;
mod typed_keys;
mod ways_in;
