//! The simulated world: a program of its own, at the speed of a release without the wait for one.

use crate::run::{cargo, step};

/// How many seeds a test run tries, besides the kept ones.
const SEEDS: &str = "250";

/// Runs the simulator with these arguments.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let mut simulate = cargo(&["run", "--profile", "ci", "--quiet", "-p", "sim", "--"]);
    simulate.args(arguments);
    step("sim", &mut simulate)
}

/// The seeds of a test run, with the coverage of the generator held to what it must reach.
pub(crate) fn test() -> anyhow::Result<()> {
    run(&["--seeds".to_owned(), SEEDS.to_owned(), "--covered".to_owned()])
}
