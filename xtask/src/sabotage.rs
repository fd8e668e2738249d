//! Bugs that somebody might write, planted one at a time: a test that no bug makes fail proves nothing.
//!
//! Each is a text to be found exactly once and what to put in its place, with the one test that must fail then. They
//! are planted in a copy of the tree that shares the folder of what is built; the tree itself is never touched.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, bail};
use serde::Deserialize;

use crate::run::{cargo, command, root};

const TABLE: &str = "xtask/sabotage/bugs.toml";

/// What nextest says when tests ran and one of them failed; anything else is no catch.
const A_TEST_FAILED: i32 = 100;

#[derive(Deserialize)]
struct Table {
    bug: Vec<Bug>,
}

/// A bug and what catches it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bug {
    name: String,
    package: String,
    /// Where the test is: `lib`, or the name of a file of tests. Nothing else is built.
    target: String,
    test: String,
    edit: Vec<Edit>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    file: String,
    find: String,
    replace: String,
}

/// What became of a bug.
struct Outcome {
    name: String,
    catcher: String,
    is_caught: bool,
    seconds: u64,
}

fn table() -> anyhow::Result<Vec<Bug>> {
    let text = std::fs::read_to_string(root().join(TABLE)).context(TABLE)?;
    let table: Table = toml::from_str(&text).context(TABLE)?;
    Ok(table.bug)
}

/// Whether every bug can still be planted: its text stands in its file exactly once, and its test is there.
pub(crate) fn check(findings: &mut Vec<String>) -> anyhow::Result<()> {
    let tests = all_tests()?;
    for bug in table()? {
        for edit in &bug.edit {
            let text = std::fs::read_to_string(root().join(&edit.file)).unwrap_or_default();
            let found = text.matches(&edit.find).count();
            if found != 1 {
                findings.push(format!("{TABLE}: {}: the text stands {found} times in {}", bug.name, edit.file));
            }
        }
        // Those that are written by a macro, once for each engine, are named by it.
        let name = bug.test.trim_end_matches("_on_sqlite").trim_end_matches("_on_postgres");
        if !tests.contains(name) {
            findings.push(format!("{TABLE}: {}: there is no test {}", bug.name, bug.test));
        }
    }
    Ok(())
}

/// The text of every file of ours that may hold a test.
fn all_tests() -> anyhow::Result<String> {
    let output = command("git", &["ls-files", "--cached", "--others", "--exclude-standard", "*.rs"]).output()?;
    let mut all = String::new();
    for name in String::from_utf8_lossy(&output.stdout).lines() {
        all.push_str(&std::fs::read_to_string(root().join(name)).unwrap_or_default());
    }
    Ok(all)
}

/// Plants every bug, or those whose name holds `only`, and writes docs/sabotage.md when it was all of them.
///
/// # Errors
/// When a bug is not caught, or a test fails without any.
pub(crate) fn run(only: Option<&str>) -> anyhow::Result<()> {
    let is_all = only.is_none();
    let outcomes = plant_those(|_, bug| only.is_none_or(|only| bug.name.contains(only) || bug.package == only))?;
    if is_all {
        write(&outcomes)?;
    }
    judge(&outcomes)
}

/// Plants every so manieth bug; the names of those that were planted, all of them caught.
///
/// # Errors
/// As [`run`].
pub(crate) fn every(step: usize) -> anyhow::Result<Vec<String>> {
    let outcomes = plant_those(|place, _| place.is_multiple_of(step))?;
    if step == 1 {
        write(&outcomes)?;
    }
    judge(&outcomes)?;
    Ok(outcomes.into_iter().map(|outcome| outcome.name).collect())
}

fn plant_those(wanted: impl Fn(usize, &Bug) -> bool) -> anyhow::Result<Vec<Outcome>> {
    println!("\n── sabotage");
    let mut findings = Vec::new();
    check(&mut findings)?;
    if !findings.is_empty() {
        bail!("{}", findings.join("\n"));
    }
    let copy = copied()?;
    let bugs = table()?.into_iter().enumerate().filter(|(place, bug)| wanted(*place, bug));
    let bugs: Vec<Bug> = bugs.map(|(_, bug)| bug).collect();
    if bugs.is_empty() {
        bail!("no bug is named so");
    }
    without_any(&copy, &bugs)?;
    let mut outcomes = Vec::new();
    for bug in &bugs {
        let began = Instant::now();
        let is_caught = plant(&copy, bug)?;
        let outcome = Outcome {
            name: bug.name.clone(),
            catcher: format!("{} {}", bug.package, bug.test),
            is_caught,
            seconds: began.elapsed().as_secs(),
        };
        println!("{} {:>4} s  {}", if is_caught { "caught " } else { "MISSED " }, outcome.seconds, outcome.name);
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

fn judge(outcomes: &[Outcome]) -> anyhow::Result<()> {
    let missed: Vec<&str> =
        outcomes.iter().filter(|outcome| !outcome.is_caught).map(|outcome| outcome.name.as_str()).collect();
    if !missed.is_empty() {
        bail!("{} of {} bugs are not caught: {}", missed.len(), outcomes.len(), missed.join("; "));
    }
    println!("── sabotage: {} of {} bugs are caught", outcomes.len(), outcomes.len());
    Ok(())
}

/// The tree as it stands, without what is built or ignored. What has not changed is not copied again, so that it is
/// not built again either.
fn copied() -> anyhow::Result<PathBuf> {
    let copy = root().join("target/sabotage");
    let output = command("git", &["ls-files", "--cached", "--others", "--exclude-standard"]).output()?;
    for name in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(bytes) = std::fs::read(root().join(name)) else { continue };
        put(&copy.join(name), &bytes)?;
    }
    Ok(copy)
}

fn put(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if std::fs::read(file).is_ok_and(|known| known == bytes) {
        return Ok(());
    }
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(file, bytes).with_context(|| file.display().to_string())
}

/// The control: with no bug planted, each of these tests passes.
fn without_any(copy: &Path, bugs: &[Bug]) -> anyhow::Result<()> {
    let mut places: Vec<(&str, &str)> = bugs.iter().map(|bug| (bug.package.as_str(), bug.target.as_str())).collect();
    places.sort_unstable();
    places.dedup();
    for place in places {
        let those = bugs.iter().filter(|bug| (bug.package.as_str(), bug.target.as_str()) == place);
        let tests: Vec<String> = those.map(|bug| filter(&bug.test)).collect();
        let ended = nextest(copy, place, &tests.join(" + ")).status()?;
        if !ended.success() {
            bail!("the tests of {} in {} that are to catch bugs fail without one", place.0, place.1);
        }
    }
    Ok(())
}

fn filter(test: &str) -> String {
    format!("test(/(^|::){test}$/)")
}

/// Whether the test fails with the bug in place. A bug that does not compile is a mistake in the table.
fn plant(copy: &Path, bug: &Bug) -> anyhow::Result<bool> {
    let mut were = Vec::new();
    for edit in &bug.edit {
        let file = copy.join(&edit.file);
        let text = std::fs::read_to_string(&file)?;
        put(&file, text.replacen(&edit.find, &edit.replace, 1).as_bytes())?;
        were.push((file, text));
    }
    let output = nextest(copy, (&bug.package, &bug.target), &filter(&bug.test)).stderr(Stdio::piped()).output();
    for (file, text) in were.into_iter().rev() {
        put(&file, text.as_bytes())?;
    }
    let output = output?;
    match output.status.code() {
        Some(0) => Ok(false),
        Some(A_TEST_FAILED) => Ok(true),
        _ => bail!("{}: {}", bug.name, String::from_utf8_lossy(&output.stderr)),
    }
}

fn nextest(copy: &Path, (package, target): (&str, &str), filter: &str) -> Command {
    let mut tests = cargo(&["nextest", "run", "--locked", "--no-fail-fast", "-p", package, "-E", filter]);
    match target {
        "lib" => tests.arg("--lib"),
        file => tests.args(["--test", file]),
    };
    tests
        .args(["--status-level", "none", "--final-status-level", "none", "--no-tests", "fail"])
        .current_dir(copy)
        .env("CARGO_TARGET_DIR", root().join("target"))
        .stdout(Stdio::null());
    tests
}

fn write(outcomes: &[Outcome]) -> anyhow::Result<()> {
    let mut text = String::from(
        "# Bugs that were planted\n\n\
         Written by `cargo xtask sabotage`: each bug alone, in a copy of the tree, and the one test that must fail then. \
         The texts are in xtask/sabotage/bugs.toml; the tests check that every one of them can still be planted. \
         Bugs that only the simulator's seeds find, and how many, are in docs/sim.md.\n\n\
         | bug | caught by | |\n| --- | --- | --- |\n",
    );
    for outcome in outcomes {
        let (package, test) = outcome.catcher.split_once(' ').unwrap_or((&outcome.catcher, ""));
        let _ = writeln!(
            text,
            "| {} | {package}: `{test}` | {} |",
            outcome.name,
            if outcome.is_caught { "caught" } else { "**missed**" }
        );
    }
    let caught = outcomes.iter().filter(|outcome| outcome.is_caught).count();
    let _ = writeln!(text, "\n{caught} of {} are caught.", outcomes.len());
    std::fs::write(root().join("docs/sabotage.md"), text).context("docs/sabotage.md")
}
