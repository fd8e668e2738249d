//! Bugs that a program plants: cargo-mutants, where a mistake costs money or opens what is closed.
//!
//! Sabotage (sabotage.rs) asks whether the bugs that we can think of are noticed; this asks the same of those that
//! nobody thought of. All of them take hours, so a run takes one shard, and the page says which.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail};

use crate::run::{cargo, root, step};
use crate::{install, sabotage};

const PAGE: &str = "docs/mutants.md";
const SAME: &str = "xtask/mutants/same.txt";
const DEFAULT_SHARD: &str = "0/16";

/// What is changed: money, signatures, decisions, licenses, who may see and do what.
const FILES: &[&str] = &[
    "crates/money/src/*.rs",
    "crates/license/src/*.rs",
    "crates/gateways/src/stripe/signature.rs",
    "crates/domain/src/decide.rs",
    "crates/domain/src/sale.rs",
    "crates/domain/src/activate.rs",
    "crates/web/src/public/access.rs",
    "crates/web/src/api/mod.rs",
];

/// What became of the mutants of a shard, one a line, as cargo-mutants names them.
struct Outcomes {
    caught: Vec<String>,
    missed: Vec<String>,
    timeout: Vec<String>,
    unviable: Vec<String>,
}

/// Plants the mutants of a shard `k/n`, or of files whose path holds `only`, and writes docs/mutants.md when it was a
/// whole shard.
///
/// # Errors
/// When a mutant is missed that is not known to be the same program.
pub(crate) fn run(shard: Option<&str>, only: Option<&str>) -> anyhow::Result<()> {
    install::mutants()?;
    let copy = sabotage::copied()?;
    let shard = shard.unwrap_or(DEFAULT_SHARD);
    let output = root().join("target/mutants");
    let mut mutants = sabotage::in_copy(&copy, cargo(&["mutants", "--in-place", "--shard", shard, "--no-shuffle"]));
    mutants.args(["--test-tool", "nextest", "--caught", "--unviable", "--output"]).arg(&output);
    for file in FILES.iter().filter(|file| only.is_none_or(|only| file.contains(only))) {
        mutants.args(["--file", file]);
    }
    // It ends with an error when one is missed, and what that means is for the page to say.
    let ended = step("mutants", &mut mutants);
    let outcomes = read(&output.join("mutants.out")).context("cargo-mutants left no outcomes")?;
    if outcomes.caught.is_empty() && outcomes.missed.is_empty() {
        ended?;
        bail!("no mutant was planted");
    }
    let same = std::fs::read_to_string(root().join(SAME)).unwrap_or_default();
    let unexplained: Vec<&str> =
        outcomes.missed.iter().map(String::as_str).filter(|missed| why_same(&same, missed).is_none()).collect();
    if only.is_none() {
        write(shard, &outcomes, &same)?;
    }
    println!(
        "── mutants: {} are noticed, {} are not, {} never end, {} do not compile",
        outcomes.caught.len(),
        outcomes.missed.len(),
        outcomes.timeout.len(),
        outcomes.unviable.len()
    );
    if !unexplained.is_empty() {
        bail!("not noticed, and nobody has said why that is the same program:\n{}", unexplained.join("\n"));
    }
    Ok(())
}

fn read(folder: &Path) -> anyhow::Result<Outcomes> {
    let lines = |name: &str| -> anyhow::Result<Vec<String>> {
        let text = std::fs::read_to_string(folder.join(name)).with_context(|| name.to_owned())?;
        Ok(text.lines().map(str::to_owned).collect())
    };
    Ok(Outcomes {
        caught: lines("caught.txt")?,
        missed: lines("missed.txt")?,
        timeout: lines("timeout.txt")?,
        unviable: lines("unviable.txt")?,
    })
}

/// What a mutant is called wherever it has moved to: without line and column.
fn name(mutant: &str) -> String {
    let mut parts = mutant.splitn(4, ':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(file), Some(_), Some(_), Some(what)) => format!("{file}:{what}"),
        (_, _, _, _) => mutant.to_owned(),
    }
}

/// Why a mutant that no test can notice is the same program: the rest of its line in the list.
fn why_same<'a>(same: &'a str, mutant: &str) -> Option<&'a str> {
    let name = name(mutant);
    same.lines().find_map(|line| line.strip_prefix(&name)?.strip_prefix(" | "))
}

fn write(shard: &str, outcomes: &Outcomes, same: &str) -> anyhow::Result<()> {
    let count = outcomes.caught.len() + outcomes.missed.len() + outcomes.timeout.len();
    let mut text = format!(
        "# Mutants\n\n\
         Written by `cargo xtask mutants --shard {shard}`: cargo-mutants changes one expression or one body at a time, \
         and the tests of the crate it stands in must notice. Of these files, and of these only the shard {shard}:\n\n",
    );
    for file in FILES {
        let _ = writeln!(text, "- {file}");
    }
    let _ = writeln!(
        text,
        "\n{count} mutants were tried: {} are noticed by a test that fails, {} because the test never ends, {} are not \
         noticed. {} more do not compile.",
        outcomes.caught.len(),
        outcomes.timeout.len(),
        outcomes.missed.len(),
        outcomes.unviable.len(),
    );
    if !outcomes.missed.is_empty() {
        text.push_str("\n| not noticed | why it is the same program |\n| --- | --- |\n");
    }
    for missed in &outcomes.missed {
        let why = why_same(same, missed).unwrap_or("**it is not: a test is missing**");
        let _ = writeln!(text, "| `{}` | {why} |", name(missed).replace('|', "\\|"));
    }
    std::fs::write(root().join(PAGE), text).context(PAGE)
}
