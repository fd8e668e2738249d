//! How fast the server is, as ratios against a ceiling measured in the same run.
//!
//! A ratio survives a slower machine; a figure does not. What is measured runs
//! as a process of its own, and `wrk` makes the load, so that the one who
//! measures takes nothing from the one who is measured but the time of the
//! processor, and takes the same from the ceiling.

#![allow(clippy::print_stdout, reason = "this program talks to a person at a terminal")]
#![allow(clippy::float_arithmetic, reason = "ratios of measured times; no money")]
#![allow(clippy::cast_precision_loss, reason = "counts of a measurement are far below 2^52")]

mod child;
mod fill;
mod load;
mod measure;
mod raw;
mod report;
mod server;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["serve", place, port] => server::serve(place, port),
        ["constant", answer, port] => server::constant(answer, port),
        ["chart"] => measure::draw(),
        ["fill", place, size] => measure::fill(place, size),
        ["--quick"] => measure::run(true),
        [] => measure::run(false),
        _ => Err(anyhow::anyhow!("bench [--quick]")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}
