//! Bugs that somebody might write, planted one at a time: a test that no bug makes fail proves nothing.
//!
//! Each is a text to be found exactly once and what to put in its place, with the one test that must fail then, or so
//! many seeds of the simulator, one of which must be wrong. They are planted in a copy of the tree that shares what is
//! built of other people's crates, and of ours nothing: neither the tree nor its builds are ever touched.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use crate::prove;
use crate::run::{cargo, command, root};

const TABLE: &str = "xtask/sabotage/bugs.toml";

const SIMULATOR: &str = "sim";

/// What nextest says when tests ran and one of them failed; anything else is no catch.
const A_TEST_FAILED: i32 = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    bug: Vec<Tested>,
    simulated: Vec<Simulated>,
}

/// A bug that a test catches.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tested {
    name: String,
    package: String,
    /// Where the test is: `lib`, or the name of a file of tests. Nothing else is built.
    target: String,
    test: String,
    edit: Vec<Edit>,
}

/// A bug that the simulator catches.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Simulated {
    name: String,
    /// How many seeds are tried at most, the kept ones counted in.
    seeds: usize,
    edit: Vec<Edit>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    file: String,
    find: String,
    replace: String,
}

/// A bug and what catches it.
struct Bug {
    name: String,
    catcher: Catcher,
    edit: Vec<Edit>,
}

enum Catcher {
    Test { package: String, target: String, test: String },
    Seeds(usize),
}

impl Catcher {
    /// The crate that the test is in.
    fn package(&self) -> &str {
        match self {
            Self::Test { package, .. } => package,
            Self::Seeds(_) => SIMULATOR,
        }
    }
}

/// What became of a bug.
struct Outcome {
    name: String,
    catcher: Catcher,
    /// What was seen of it; `None`: nothing.
    seen: Option<String>,
    seconds: u64,
}

/// Every bug, in the order of the table: what is built in one place stands together there.
fn table() -> anyhow::Result<Vec<Bug>> {
    let text = std::fs::read_to_string(root().join(TABLE)).context(TABLE)?;
    let table: Table = toml::from_str(&text).context(TABLE)?;
    let tested = table.bug.into_iter().map(|Tested { name, package, target, test, edit }| Bug {
        name,
        catcher: Catcher::Test { package, target, test },
        edit,
    });
    let simulated = table.simulated.into_iter().map(|Simulated { name, seeds, edit }| Bug {
        name,
        catcher: Catcher::Seeds(seeds),
        edit,
    });
    Ok(tested.chain(simulated).collect())
}

/// Whether every bug can still be planted: its text stands in its file exactly once, and its test is there. And whether
/// every bug that another page relies on is one of them.
pub(crate) fn check(findings: &mut Vec<String>) -> anyhow::Result<()> {
    let tests = all_tests()?;
    let bugs = table()?;
    for (place, bug) in bugs.iter().enumerate() {
        if bugs[..place].iter().any(|other| other.name == bug.name) {
            findings.push(format!("{TABLE}: there are two bugs named {}", bug.name));
        }
        for edit in &bug.edit {
            let text = std::fs::read_to_string(root().join(&edit.file)).unwrap_or_default();
            let found = text.matches(&edit.find).count();
            if found != 1 {
                findings.push(format!("{TABLE}: {}: the text stands {found} times in {}", bug.name, edit.file));
            }
        }
        if let Catcher::Test { test, .. } = &bug.catcher {
            // Those that are written by a macro, once for each engine, are named by it.
            let name = test.rsplit("::").next().unwrap_or(test);
            let name = name.trim_end_matches("_on_sqlite").trim_end_matches("_on_postgres");
            if !tests.contains(name) {
                findings.push(format!("{TABLE}: {}: there is no test {test}", bug.name));
            }
        }
    }
    for control in prove::planted() {
        if !bugs.iter().any(|bug| bug.name == control) {
            findings.push(format!("{TABLE}: docs/PROOF.md relies on a bug that is not there: {control}"));
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
    let outcomes =
        plant_those(|_, bug| only.is_none_or(|only| bug.name.contains(only) || bug.catcher.package() == only))?;
    if is_all {
        write(&outcomes)?;
    }
    judge(&outcomes)
}

/// What is kept of a bug that was caught.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Caught {
    /// How it was noticed.
    seen: String,
    /// How long that took.
    seconds: u64,
    /// The commit in which it was planted.
    pub(crate) commit: String,
}

/// Plants every so manieth bug but those that were caught before, and adds to them what is caught at this commit.
///
/// # Errors
/// As [`run`].
pub(crate) fn every(step: usize, commit: &str, caught: &mut BTreeMap<String, Caught>) -> anyhow::Result<()> {
    let wanted: Vec<Bug> = table()?.into_iter().step_by(step).collect();
    let is_open = |bug: &Bug| !caught.contains_key(&bug.name);
    let planted = if wanted.iter().any(is_open) {
        plant_those(|place, bug| place.is_multiple_of(step) && is_open(bug))?
    } else {
        Vec::new()
    };
    for outcome in planted {
        if let Some(seen) = outcome.seen {
            caught.insert(outcome.name, Caught { seen, seconds: outcome.seconds, commit: commit.to_owned() });
        }
    }
    let all = wanted.into_iter().map(|bug| {
        let known = caught.get(&bug.name);
        let (seen, seconds) = known.map_or((None, 0), |known| (Some(known.seen.clone()), known.seconds));
        Outcome { name: bug.name, catcher: bug.catcher, seen, seconds }
    });
    let all: Vec<Outcome> = all.collect();
    if step == 1 {
        write(&all)?;
    }
    judge(&all)
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
    for bug in bugs {
        let began = Instant::now();
        let seen = plant(&copy, &bug)?;
        let outcome = Outcome { name: bug.name, catcher: bug.catcher, seen, seconds: began.elapsed().as_secs() };
        let word = if outcome.seen.is_some() { "caught " } else { "MISSED " };
        println!("{word} {:>4} s  {}", outcome.seconds, outcome.name);
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

fn judge(outcomes: &[Outcome]) -> anyhow::Result<()> {
    let missed: Vec<&str> =
        outcomes.iter().filter(|outcome| outcome.seen.is_none()).map(|outcome| outcome.name.as_str()).collect();
    if !missed.is_empty() {
        bail!("{} of {} bugs are not caught: {}", missed.len(), outcomes.len(), missed.join("; "));
    }
    println!("── sabotage: {} of {} bugs are caught", outcomes.len(), outcomes.len());
    Ok(())
}

/// Where the copy stands. There is one, whoever plants: what is built in two would have the same names in `target`, and
/// Cargo looks for changes only in the one that it was built from, so that the other is tested with bugs that are not
/// its own and without those that are.
pub(crate) fn copy() -> PathBuf {
    root().join("target/sabotage")
}

/// The tree as it stands, without what is built or ignored. What has not changed is not copied again, so that it is
/// not built again either.
pub(crate) fn copied() -> anyhow::Result<PathBuf> {
    let copy = copy();
    let output = command("git", &["ls-files", "--cached", "--others", "--exclude-standard"]).output()?;
    for name in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(bytes) = std::fs::read(root().join(name)) else { continue };
        put(&copy.join(name), &bytes)?;
    }
    Ok(copy)
}

/// Writes a file, unless it is so already.
pub(crate) fn put(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if std::fs::read(file).is_ok_and(|known| known == bytes) {
        return Ok(());
    }
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(file, bytes).with_context(|| file.display().to_string())
}

/// The control: with no bug planted, each of these tests passes, and so do as many seeds as any bug is given.
fn without_any(copy: &Path, bugs: &[Bug]) -> anyhow::Result<()> {
    let mut places: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    let mut most = 0;
    for bug in bugs {
        match &bug.catcher {
            Catcher::Test { package, target, test } => places.entry((package, target)).or_default().push(filter(test)),
            Catcher::Seeds(seeds) => most = most.max(*seeds),
        }
    }
    for (place, tests) in places {
        let ended = nextest(copy, place, &tests.join(" + ")).status()?;
        if !ended.success() {
            bail!("the tests of {} in {} that are to catch bugs fail without one", place.0, place.1);
        }
    }
    if most > 0
        && let Some(seen) = simulate(copy, most)?
    {
        bail!("the simulator finds something wrong without a bug: {seen}");
    }
    Ok(())
}

fn filter(test: &str) -> String {
    format!("test(/(^|::){test}$/)")
}

/// What the catcher says with the bug in place; `None` when it notices nothing. A bug that does not compile is a
/// mistake in the table.
fn plant(copy: &Path, bug: &Bug) -> anyhow::Result<Option<String>> {
    let mut were = Vec::new();
    for edit in &bug.edit {
        let file = copy.join(&edit.file);
        let text = std::fs::read_to_string(&file)?;
        put(&file, text.replacen(&edit.find, &edit.replace, 1).as_bytes())?;
        were.push((file, text));
    }
    let seen = match &bug.catcher {
        Catcher::Test { package, target, test } => fails(copy, (package, target), test),
        Catcher::Seeds(seeds) => simulate(copy, *seeds),
    };
    for (file, text) in were.into_iter().rev() {
        put(&file, text.as_bytes())?;
    }
    seen.with_context(|| bug.name.clone())
}

fn fails(copy: &Path, place: (&str, &str), test: &str) -> anyhow::Result<Option<String>> {
    let output = nextest(copy, place, &filter(test)).stderr(Stdio::piped()).output()?;
    match output.status.code() {
        Some(0) => Ok(None),
        Some(A_TEST_FAILED) => Ok(Some("fails".to_owned())),
        _ => bail!("{}", String::from_utf8_lossy(&output.stderr)),
    }
}

/// Which of the first so many seeds is wrong, in the simulator's words; `None` when none of them is.
fn simulate(copy: &Path, seeds: usize) -> anyhow::Result<Option<String>> {
    let built = in_copy(copy, cargo(&["build", "--locked", "--quiet", "-p", SIMULATOR])).output()?;
    if !built.status.success() {
        bail!("{}", String::from_utf8_lossy(&built.stderr));
    }
    let seeds = seeds.to_string();
    let arguments = ["run", "--locked", "--quiet", "-p", SIMULATOR, "--", "--seeds", &seeds, "--until-wrong"];
    let output = in_copy(copy, cargo(&arguments)).output()?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    match (output.status.success(), told.lines().find_map(|line| line.strip_prefix("the first that is wrong: "))) {
        (true, None) => Ok(None),
        (false, Some(first)) => Ok(Some(first.to_owned())),
        (_, _) => bail!("{told}{}", String::from_utf8_lossy(&output.stderr)),
    }
}

fn nextest(copy: &Path, (package, target): (&str, &str), filter: &str) -> Command {
    let mut tests = cargo(&["nextest", "run", "--locked", "--no-fail-fast", "-p", package, "-E", filter]);
    match target {
        "lib" => tests.arg("--lib"),
        file => tests.args(["--test", file]),
    };
    tests.args(["--status-level", "none", "--final-status-level", "none", "--no-tests", "fail"]).stdout(Stdio::null());
    in_copy(copy, tests)
}

/// Cargo tells one crate from another by where it stands in its workspace, so the copy's would be taken for the tree's
/// own, bugs and all. Built without lines they are others, and sooner: other people's crates have none anyway.
pub(crate) fn in_copy(copy: &Path, mut cargo: Command) -> Command {
    cargo.current_dir(copy).env("CARGO_TARGET_DIR", root().join("target")).env("CARGO_PROFILE_DEV_DEBUG", "none");
    cargo
}

fn write(outcomes: &[Outcome]) -> anyhow::Result<()> {
    let mut text = String::from(
        "# Bugs that were planted\n\n\
         Written by `cargo xtask sabotage`: each bug alone, in a copy of the tree, and what must notice it: one test, \
         or the simulator (docs/sim.md), which tries its kept seeds and then seed after seed until one is wrong. \
         Without a bug all of these pass. The texts are in xtask/sabotage/bugs.toml; `cargo xtask tidy` looks whether \
         every one of them can still be planted. Those that a program plants are in docs/mutants.md.\n\n\
         | bug | noticed by | how |\n| --- | --- | --- |\n",
    );
    for outcome in outcomes {
        let by = match &outcome.catcher {
            Catcher::Test { package, test, .. } => format!("{package}: `{test}`"),
            Catcher::Seeds(seeds) => format!("the simulator, of {seeds} seeds"),
        };
        let seen = outcome.seen.as_deref().unwrap_or("**missed**");
        let _ = writeln!(text, "| {} | {by} | {seen} |", outcome.name);
    }
    let caught = outcomes.iter().filter(|outcome| outcome.seen.is_some()).count();
    let minutes = outcomes.iter().map(|outcome| outcome.seconds).sum::<u64>().div_ceil(60);
    let _ = writeln!(text, "\n{caught} of {} are caught, in {minutes} minutes.", outcomes.len());
    std::fs::write(root().join("docs/sabotage.md"), text).context("docs/sabotage.md")
}
