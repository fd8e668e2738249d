//! The whole shell against the simulated gateway, on both engines.
//!
//! The gateway is the one that `latchkey sandbox` serves, called as functions
//! instead of over a socket, so that it shares the clock of the test. The
//! store is a real database. Only the mail server is made up.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod claims;
mod console;
mod customer;
mod every_order;
mod exactly_once;
mod house;
mod no_webhooks;
mod outbox;
mod parked;
mod pools;
mod reissue;
mod restored;
mod signed_keys;
mod surplus;
mod ways_in;
