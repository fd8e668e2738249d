//! The API, asked as programs, apps and gateways ask: request in, answer and
//! rows out. The database is real, the gateway is the simulated one over
//! loopback, and the steps of the workers are driven by hand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access;
mod access_token;
mod answers;
mod attempt;
mod bad_input;
mod batch;
mod by_hand;
mod caller;
mod customer;
mod downloads;
mod every_answer;
mod group;
mod hook;
mod idempotency;
mod license;
mod list;
mod offline;
mod outage;
mod refund;
mod signed_key;
#[allow(dead_code, reason = "shared with the tests of pages")]
#[path = "../it/support.rs"]
mod support;
