//! The rules that no compiler checks: which crate may know which, which program is started, and what must not stand in a
//! file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::run::{cargo, command, root};
use crate::sabotage;

/// Every arrow there is, from a crate to those it may know. Test-only
/// knowledge (dev-dependencies) is free.
const ARROWS: &[(&str, &[&str])] = &[
    ("money", &[]),
    ("latchkey-license", &[]),
    ("domain", &["latchkey-license", "money"]),
    ("gateways", &["domain", "money"]),
    ("metrics", &[]),
    ("store", &["domain", "latchkey-license", "metrics", "money"]),
    ("app", &["domain", "gateways", "latchkey-license", "metrics", "money", "store"]),
    ("web", &["app", "domain", "gateways", "latchkey-license", "metrics", "money", "store"]),
    ("sandbox", &["money"]),
    ("sim", &["app", "domain", "gateways", "latchkey-license", "money", "sandbox", "store"]),
    ("latchkey", &["app", "domain", "gateways", "latchkey-license", "metrics", "money", "sandbox", "store", "web"]),
    ("fuzz", &["app", "domain", "gateways", "latchkey-license", "money", "sandbox", "store", "web"]),
    ("bench", &["app", "domain", "gateways", "latchkey-license", "money", "sandbox", "store", "web"]),
    ("latchkey-client", &["latchkey-license"]),
    ("latchkey-c", &["latchkey-client"]),
    ("xtask", &[]),
];

/// Crates that may not reach the world, and what would reach it.
const PURE: &[&str] = &["money", "metrics", "latchkey-license", "domain", "gateways"];
const WORLDLY: &[&str] = &["tokio", "axum", "reqwest", "rusqlite", "tokio-postgres", "hyper", "lettre"];

/// Crates that may not be built, each with its reason.
const BANNED: &[(&str, &str)] = &[
    ("rsa", "RUSTSEC-2023-0071 has no patched version; aws-lc-rs has RSA"),
    ("openssl", "rustls with aws-lc-rs is the one TLS library"),
    ("ring", "aws-lc-rs is the one crypto library"),
    ("fancy-regex", "its matching time is not linear in the input"),
];

/// Checks all of it and tells every finding at once.
pub(crate) fn run() -> anyhow::Result<()> {
    println!("\n── tidy");
    let mut findings = Vec::new();
    let workspace = workspace()?;
    arrows(&workspace, &mut findings);
    started(&workspace, &mut findings);
    built(&mut findings)?;
    files(&mut findings)?;
    sabotage::check(&mut findings)?;
    for finding in &findings {
        println!("  {finding}");
    }
    if findings.is_empty() {
        println!("── tidy: nothing found");
        return Ok(());
    }
    bail!("tidy found {} things to mend", findings.len())
}

fn workspace() -> anyhow::Result<Value> {
    let output = cargo(&["metadata", "--format-version", "1", "--no-deps"]).output().context("cargo metadata")?;
    serde_json::from_slice(&output.stdout).context("cargo metadata is not JSON")
}

fn arrows(workspace: &Value, findings: &mut Vec<String>) {
    let allowed: BTreeMap<&str, BTreeSet<&str>> =
        ARROWS.iter().map(|(name, to)| (*name, to.iter().copied().collect())).collect();
    let ours: BTreeSet<&str> = allowed.keys().copied().collect();
    for package in array(&workspace["packages"]) {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(may_know) = allowed.get(name) else {
            findings.push(format!("{name}: a new crate; draw its arrows in xtask/src/tidy.rs and ARCHITECTURE.md"));
            continue;
        };
        let dependencies = array(&package["dependencies"]).filter(|entry| entry["kind"].is_null());
        for dependency in dependencies.filter_map(|entry| entry["name"].as_str()) {
            if ours.contains(dependency) && !may_know.contains(dependency) {
                findings.push(format!("{name} must not know {dependency}: arrows only go down"));
            }
            if PURE.contains(&name) && WORLDLY.contains(&dependency) {
                findings.push(format!("{name} is pure and must not depend on {dependency}"));
            }
        }
    }
}

/// `cargo run` starts Latchkey, as the README says: with two binaries to choose from it would start none.
fn started(workspace: &Value, findings: &mut Vec<String>) {
    let members: Vec<&Value> = array(&workspace["workspace_default_members"]).collect();
    let programs: Vec<&str> = array(&workspace["packages"])
        .filter(|package| members.contains(&&package["id"]))
        .flat_map(|package| array(&package["targets"]))
        .filter(|target| array(&target["kind"]).any(|kind| kind == "bin"))
        .filter_map(|target| target["name"].as_str())
        .collect();
    if programs != ["latchkey"] {
        findings.push(format!("Cargo.toml: `cargo run` may start {programs:?}, and must start latchkey"));
    }
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn built(findings: &mut Vec<String>) -> anyhow::Result<()> {
    let tree = ["tree", "--workspace", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"];
    let output = cargo(&tree).output().context("cargo tree")?;
    let built = String::from_utf8_lossy(&output.stdout);
    for (name, reason) in BANNED {
        if built.lines().any(|line| line.split(' ').next() == Some(name)) {
            findings.push(format!("{name} is built: {reason}"));
        }
    }
    Ok(())
}

fn files(findings: &mut Vec<String>) -> anyhow::Result<()> {
    let output =
        command("git", &["ls-files", "--cached", "--others", "--exclude-standard"]).output().context("git ls-files")?;
    for name in String::from_utf8_lossy(&output.stdout).lines() {
        let path = root().join(name);
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let extension = Path::new(name).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        match extension {
            "rs" => rust_file(name, &text, findings),
            "css" => style_file(name, &text, findings),
            "html" => page_file(name, &text, findings),
            _ => {}
        }
    }
    Ok(())
}

fn rust_file(name: &str, text: &str, findings: &mut Vec<String>) {
    if name == "xtask/src/tidy.rs" {
        return;
    }
    let is_test = name.contains("/tests/") || name.contains("/examples/") || name.ends_with("/tests.rs");
    if !text.starts_with("//!") && !is_test && !name.contains("/table.rs") {
        findings.push(format!("{name}: opens without saying what it is for"));
    }
    for (line, number) in text.lines().zip(1..) {
        for word in ["TODO", "FIXME", "XXX", "HACK"] {
            if line.contains(word) && line.contains("//") {
                findings.push(format!("{name}:{number}: {word}: do it, or write an issue"));
            }
        }
        if line.contains("stripe")
            && outside_gateways(name)
            && !is_test
            && !line.trim_start().starts_with("//")
            && line.contains("stripe::")
        {
            findings.push(format!("{name}:{number}: a gateway's name outside its folder"));
        }
    }
    let sql_words = ["select ", "insert into ", "delete from "];
    let owns_sql = name.starts_with("crates/store/") || name.starts_with("crates/bench/") || is_test;
    if !owns_sql
        && text
            .lines()
            .any(|line| sql_words.iter().any(|word| line.trim_start().trim_start_matches('"').starts_with(word)))
    {
        findings.push(format!("{name}: SQL outside store"));
    }
}

fn outside_gateways(name: &str) -> bool {
    !name.starts_with("crates/gateways/") && !name.starts_with("crates/sandbox/") && !name.starts_with("xtask/")
}

/// Pages must work from right to left: style sheets name sides by `inline-start`, never by left or right.
fn style_file(name: &str, text: &str, findings: &mut Vec<String>) {
    const SIDES: &[&str] = &[
        "margin-left",
        "margin-right",
        "padding-left",
        "padding-right",
        "text-align: left",
        "text-align: right",
        "border-left",
        "border-right",
    ];
    for (line, number) in text.lines().zip(1..) {
        if let Some(side) = SIDES.iter().find(|side| line.contains(**side)) {
            findings.push(format!("{name}:{number}: {side}: use the logical property"));
        }
        if line.contains("http://") || line.contains("https://") {
            findings.push(format!("{name}:{number}: loads something from a third party"));
        }
    }
}

/// The page policy forbids inline script and style.
fn page_file(name: &str, text: &str, findings: &mut Vec<String>) {
    let is_mail = name.contains("/mails/");
    for (line, number) in text.lines().zip(1..) {
        if line.contains("<script>") || line.contains(" onclick=") || (line.contains(" style=\"") && !is_mail) {
            findings.push(format!("{name}:{number}: inline script or style"));
        }
        if line.contains("src=\"http") || (line.contains("<link") && line.contains("href=\"http")) {
            findings.push(format!("{name}:{number}: loads something from a third party"));
        }
    }
}
