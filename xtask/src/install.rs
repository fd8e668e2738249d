//! Bringing what the tests need and the machine lacks.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::run::{cargo, command, exists, root, step};

/// A package of Debian's, by a file that shows that it is there.
type Package = (&'static str, &'static str);

/// What the tests need.
pub(crate) const TESTED_WITH: &[Package] =
    &[("chromium", "/usr/bin/chromium"), ("postgresql", "/usr/lib/postgresql"), ("strace", "/usr/bin/strace")];

/// What the client libraries need.
pub(crate) const CLIENTS_WITH: &[Package] = &[
    ("cmake", "/usr/bin/cmake"),
    ("g++", "/usr/bin/g++"),
    ("gcc", "/usr/bin/gcc"),
    ("libcurl4-openssl-dev", "/usr/share/doc/libcurl4-openssl-dev"),
];

/// What the measurements need.
pub(crate) const MEASURED_WITH: &[Package] = &[("wrk", "/usr/bin/wrk"), ("postgresql", "/usr/lib/postgresql")];

/// Installs Debian's packages that are missing.
pub(crate) fn debian(packages: &[Package]) -> anyhow::Result<()> {
    let missing: Vec<&str> =
        packages.iter().filter(|(_, shown)| !Path::new(shown).exists()).map(|(package, _)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !exists("apt-get") {
        bail!("please install: {}", missing.join(", "));
    }
    step("apt-get update", command("apt-get", &["update", "-qq"]).env("DEBIAN_FRONTEND", "noninteractive"))?;
    let mut install = vec!["install", "-y", "-qq", "--no-install-recommends"];
    install.extend(&missing);
    step("apt-get install", command("apt-get", &install).env("DEBIAN_FRONTEND", "noninteractive"))
}

/// Installs the runner that tells how long each test took. It runs as it is compiled fastest: the tests are what is slow.
pub(crate) fn nextest() -> anyhow::Result<()> {
    if exists("cargo-nextest") {
        return Ok(());
    }
    step("cargo install cargo-nextest", &mut cargo(&["install", "--locked", "--debug", "--quiet", "cargo-nextest"]))
}

/// Installs the program that changes ours, one expression at a time.
pub(crate) fn mutants() -> anyhow::Result<()> {
    // It answers only as a command of Cargo's.
    if cargo(&["mutants", "--version"]).output()?.status.success() {
        return Ok(());
    }
    step("cargo install cargo-mutants", &mut cargo(&["install", "--locked", "--debug", "--quiet", "cargo-mutants"]))
}

/// Installs the npm packages of a folder, exactly as its lock file says.
pub(crate) fn npm(folder: &str) -> anyhow::Result<()> {
    let stamp = root().join(folder).join("node_modules/.package-lock.json");
    let lock = root().join(folder).join("package-lock.json");
    if newer(&stamp, &lock) {
        return Ok(());
    }
    step(
        &format!("npm ci in {folder}"),
        command("npm", &["ci", "--no-audit", "--no-fund"]).current_dir(root().join(folder)),
    )
}

/// Makes the Python environment of the foreign tests. Returns its interpreter.
pub(crate) fn python() -> anyhow::Result<PathBuf> {
    let folder = root().join("tests/foreign");
    let environment = folder.join(".venv");
    let interpreter = environment.join("bin/python");
    let requirements = folder.join("requirements.txt");
    let stamp = environment.join("installed");
    if !newer(&stamp, &requirements) {
        step("python -m venv", command("python3", &["-m", "venv"]).arg(&environment))?;
        step("pip install", command(&interpreter, &["-m", "pip", "install", "-q", "-r"]).arg(&requirements))?;
        std::fs::write(&stamp, "").context("the stamp of the Python environment")?;
    }
    Ok(interpreter)
}

fn newer(stamp: &Path, source: &Path) -> bool {
    let modified = |path: &Path| std::fs::metadata(path).and_then(|data| data.modified());
    matches!((modified(stamp), modified(source)), (Ok(stamp), Ok(source)) if stamp >= source)
}
