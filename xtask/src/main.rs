//! The project's own commands: `cargo xtask test | prove | foreign | browser | clients | sim | fuzz | sabotage | mutants |
//! tidy | bench`.
//!
//! `test` is what CI runs and all that CI runs. It needs a Debian-like system
//! and brings what is missing: a PostgreSQL server, Chromium, CMake, and the npm
//! and PyPI packages of the foreign parts.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "these commands talk to a person at a terminal")]

mod bench;
mod clients;
mod fuzz;
mod install;
mod mutants;
mod prove;
mod run;
mod sabotage;
mod sim;
mod slowest;
mod test;
mod tidy;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask <command>

  test [--fast]   format, lints, tidy, every test on both engines, foreign parts, clients, browser;
                  --fast: without browser, clients, foreign parts, PostgreSQL and the storm
  foreign         programs that we did not write, against ours
  browser         the pages in Chromium
  clients         the client libraries: shared vectors, samples against a running shop, size
  tidy            the rules that no compiler checks
  sim --seeds N [--from S] [--covered | --until-wrong] | --seed S [--log]
                  the simulated world, from seeds; see docs/sim.md
  fuzz [--target NAME] [--seconds N | --executions N] [--seed S]
                  inputs that nobody would write, for every parser that meets the outside
  sabotage [--only PACKAGE, OR PART OF A NAME]
                  bugs planted one at a time, each with the test that must fail; docs/sabotage.md
  mutants [--only CRATE] [--minutes N]
                  bugs that a program plants where a mistake costs money; docs/mutants.md
  prove [--quick] [--resume]
                  all evidence, and docs/PROOF.md; --quick: slices, the same promises;
                  --resume: goes on where a part of the last run failed
  bench [--quick] ratios against a ceiling measured in the same run, and docs/bench.md;
                  --quick: small sizes, nothing written";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let after = |flag: &str| {
        let place = arguments.iter().position(|argument| argument == flag)?;
        arguments.get(place + 1).map(String::as_str)
    };
    let result = match arguments.first().map(String::as_str) {
        Some("test") => test::run(has("--fast")),
        Some("foreign") => test::foreign(),
        Some("browser") => test::browser(),
        Some("clients") => clients::run(),
        Some("tidy") => tidy::run(),
        Some("sim") => sim::run(&arguments[1..]),
        Some("fuzz") => fuzz::run(&arguments[1..]),
        Some("sabotage") => sabotage::run(after("--only")),
        Some("mutants") => mutants::run(after("--only"), after("--minutes")),
        Some("prove") => prove::run(has("--quick"), has("--resume")),
        Some("bench") => bench::run(has("--quick")),
        Some(_) | None => {
            eprintln!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
