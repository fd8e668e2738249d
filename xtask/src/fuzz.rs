//! Inputs that nobody would write, at the speed of a release.

use crate::run::{cargo, step};

/// Runs the driver with these arguments, then the parser of the shop file, which lives in the binary.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let mut drive = cargo(&["run", "--profile", "ci", "--quiet", "-p", "fuzz", "--"]);
    step("fuzz", drive.args(arguments))?;
    if arguments.iter().any(|argument| argument == "--target") {
        return Ok(());
    }
    let after = |flag: &str| {
        let place = arguments.iter().position(|argument| argument == flag)?;
        arguments.get(place + 1)
    };
    let mut shop_file = cargo(&["test", "--quiet", "-p", "latchkey", "--bin", "latchkey", "breaks_the_shop_file"]);
    if let Some(executions) = after("--executions") {
        shop_file.env("LATCHKEY_FUZZ_EXECUTIONS", executions);
    }
    step("fuzz: the shop file", &mut shop_file)
}
