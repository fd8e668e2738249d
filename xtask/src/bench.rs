//! Measuring: a program of its own, in release, so that nothing else is built for it.

use crate::install;
use crate::run::{cargo, step};

/// Runs the measurements.
pub(crate) fn run(quick: bool) -> anyhow::Result<()> {
    install::debian(install::MEASURED_WITH)?;
    let mut measure = cargo(&["run", "--release", "--quiet", "-p", "bench", "--"]);
    if quick {
        measure.arg("--quick");
    }
    step("bench", &mut measure)
}
