//! Everything that must pass, in the order in which it fails soonest.

use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context as _, bail};

use crate::run::{cargo, command, exists, root, step};
use crate::{clients, install, sim, slowest, tidy};

/// The foreign parts: programs that we did not write, driven against ours.
const FOREIGN: &[&str] = &[
    "sandbox_stripe.py",
    "stripe_signatures.py",
    "localstripe.py",
    "hook_stripe.py",
    "schemathesis_api.py",
    "licenses.py",
    "keygen.py",
];

/// Clients of other license systems, driven against our answers.
const LICENSE_CLIENTS: &[(&str, &str)] =
    &[("Lemon Squeezy", "lemon_squeezy.mjs"), ("Polar", "polar.mjs"), ("Dodo", "dodo.mjs")];

/// Runs the tests; `fast` is the inner loop.
pub(crate) fn run(fast: bool) -> anyhow::Result<()> {
    let began = Instant::now();
    if !fast {
        install::debian(install::TESTED_WITH)?;
        install::nextest()?;
    }
    step("format", &mut cargo(&["fmt", "--all", "--check"]))?;
    tidy::run()?;
    step("lints", &mut cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]))?;
    unit_tests(fast)?;
    if !fast {
        sim::test()?;
        foreign()?;
        clients::run()?;
        browser()?;
    }
    println!("\nEverything passed in {} s.", began.elapsed().as_secs());
    Ok(())
}

fn unit_tests(fast: bool) -> anyhow::Result<()> {
    let mut tests = if exists("cargo-nextest") {
        let mut tests = cargo(&["nextest", "run", "--workspace", "--no-fail-fast"]);
        if fast {
            tests.args(["-E", "not (package(latchkey) + test(postgres))"]);
        }
        tests
    } else {
        cargo(&["test", "--workspace", "--no-fail-fast"])
    };
    if fast {
        tests.env("LATCHKEY_TEST_ENGINES", "sqlite");
    }
    let result = step("tests", &mut tests);
    slowest::print();
    result
}

/// Drives programs that we did not write against ours.
pub(crate) fn foreign() -> anyhow::Result<()> {
    let python = install::python()?;
    install::npm("tests/foreign")?;
    let programs = ["build", "--quiet", "-p", "sandbox", "-p", "gateways", "-p", "latchkey", "--examples", "--bins"];
    step("programs for the foreign parts", &mut cargo(&programs))?;
    let client = ["build", "--quiet", "--locked", "--manifest-path", "tests/foreign/keygen_rs/Cargo.toml"];
    step("Keygen's client", cargo(&client).arg("--target-dir").arg(root().join("target/keygen-client")))?;
    for script in FOREIGN {
        let path = root().join("tests/foreign").join(script);
        if !path.exists() {
            bail!("tests/foreign/{script} is missing");
        }
        step(&format!("foreign: {script}"), command(&python, &[]).arg(&path))?;
    }
    for (whose, script) in LICENSE_CLIENTS {
        step(
            &format!("foreign: {whose}'s client"),
            command("node", &[]).arg(root().join("tests/foreign").join(script)),
        )?;
    }
    let requests = cargo(&["run", "--quiet", "-p", "gateways", "--example", "stripe_requests"])
        .stdout(Stdio::piped())
        .spawn()
        .context("the example that prints every request")?;
    let output = requests.stdout.context("the example's output")?;
    step("foreign: Stripe's OpenAPI", command("node", &["tests/foreign/stripe_openapi.mjs"]).stdin(output))
}

/// Buys, looks and clicks in Chromium.
pub(crate) fn browser() -> anyhow::Result<()> {
    install::debian(install::TESTED_WITH)?;
    install::npm("tests/browser")?;
    clients::build_typescript()?;
    step("the binary for the browser", &mut cargo(&["build", "--quiet", "-p", "latchkey"]))?;
    step("browser", command("npm", &["test", "--silent"]).current_dir(root().join("tests/browser")))
}
