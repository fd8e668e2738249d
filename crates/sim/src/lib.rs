//! The deterministic world: the shell unchanged, over four doors that fail, from one seed.
//!
//! A run is a shop with its nodes, buyers, sellers, banks and devices on one
//! thread. Every effect passes the engine, the line to the gateway, the mail
//! server or the clock, and each of these may refuse, forget to answer, or be
//! the last thing that a node did. The same seed gives the same run, to the byte.

mod assortment;
mod auditor;
mod buyer;
mod carrier;
mod chance;
pub mod coverage;
mod device;
mod engine;
mod executor;
mod gateway;
mod goods;
mod groups;
mod hands;
pub mod kept;
mod mix;
mod post;
mod scratch;
mod seller;
mod signed;
mod sim;
mod stock;
mod support;
mod universe;
mod worker;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use coverage::{Cells, Listener};
use universe::{Universe, hold};

pub use universe::Counts;

/// What came of one run.
#[derive(Debug, Clone)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// The first thing that was wrong.
    pub wrong: Option<String>,
    /// The last effects, oldest first.
    pub last_effects: Vec<String>,
    /// Every effect, when that was asked for.
    pub log: Vec<String>,
    /// Tells the logs of two runs apart.
    pub digest: u64,
    /// How many effects there were.
    pub effects: u64,
    /// What was counted.
    pub counts: Counts,
    /// What met what.
    pub cells: Cells,
}

/// How a seed is run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether every effect is kept.
    pub with_log: bool,
    /// So many buyers instead of as many as the seed draws: a smaller world, to see something sooner. It is another
    /// run than the whole one.
    pub buyers: Option<usize>,
}

/// Runs one seed.
#[must_use]
pub fn run(seed: u64, options: Options) -> Report {
    let universe = Arc::new(Universe::new(seed, options));
    let listener = Listener { universe: Arc::clone(&universe) };
    let outcome =
        tracing::subscriber::with_default(listener, || catch_unwind(AssertUnwindSafe(|| sim::run(seed, &universe))));
    let wrong = match outcome {
        Ok(Ok(())) => None,
        Ok(Err(wrong)) => Some(wrong),
        Err(_) => Some("a panic".to_owned()),
    };
    let last_effects = universe.last_effects();
    let (log, digest, effects) = universe.take_log();
    let counts = hold(&universe.counts).clone();
    let cells = hold(&universe.cells).clone();
    Report { seed, wrong, last_effects, log, digest, effects, counts, cells }
}
