//! The client libraries: each over the shared vectors, and its sample against a running shop. And how small the
//! verification is when nothing else comes with it.

use std::path::Path;

use anyhow::{Context as _, bail};

use crate::install;
use crate::run::{cargo, command, root, step};

/// The most that a program grows by verification alone, in bytes.
const LARGEST_VERIFICATION_BYTES: u64 = 200_000;

/// Runs all of it.
pub(crate) fn run() -> anyhow::Result<()> {
    install::debian(install::CLIENTS_WITH)?;
    step("programs for the clients", &mut cargo(&["build", "--quiet", "-p", "latchkey", "-p", "latchkey-c"]))?;
    step("the Rust sample", &mut cargo(&["build", "--quiet", "-p", "latchkey-client", "--example", "sample"]))?;
    typescript()?;
    let python = ["-m", "unittest", "discover", "--quiet", "-s", "sdk/python/tests"];
    step("clients: Python", &mut command("python3", &python))?;
    let library = root().join("target/debug/liblatchkey_c.so");
    step("clients: C", command("python3", &["tests/clients/c_abi.py"]).arg(&library))?;
    let sample = c_sample()?;
    let samples = [
        "rust=target/debug/examples/sample".to_owned(),
        format!("c={}", sample.display()),
        "python=python3 sdk/python/sample.py".to_owned(),
        "typescript=node sdk/typescript/sample.js".to_owned(),
    ];
    step("clients: samples", command("python3", &["tests/clients/samples.py"]).args(samples))?;
    verification_is_small()
}

/// Builds the TypeScript library, which the browser loads.
pub(crate) fn build_typescript() -> anyhow::Result<()> {
    install::npm("sdk/typescript")?;
    let folder = root().join("sdk/typescript");
    step("clients: TypeScript, types", command("npm", &["run", "--silent", "build"]).current_dir(&folder))
}

fn typescript() -> anyhow::Result<()> {
    let folder = root().join("sdk/typescript");
    build_typescript()?;
    step("clients: TypeScript", command("npm", &["test", "--silent"]).current_dir(&folder))
}

/// Builds the C sample as its user would, with the library that is built already, and with the sanitizers watching:
/// what is read after its time, or never given back, ends the sample.
fn c_sample() -> anyhow::Result<std::path::PathBuf> {
    let folder = root().join("target/c-sample");
    let library = root().join("target/debug/liblatchkey_c.a");
    let mut configure = command("cmake", &["-S", "sdk/c/sample", "-B"]);
    configure
        .arg(&folder)
        .arg(format!("-DLATCHKEY_LIBRARY={}", library.display()))
        .arg("-DCMAKE_C_FLAGS=-fsanitize=address,undefined")
        .arg("--log-level=WARNING");
    step("clients: C sample, configured", &mut configure)?;
    step("clients: C sample, built", command("cmake", &["--build"]).arg(&folder))?;
    let header = ["-std=c++11", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-x", "c++"];
    step("clients: the header in C++", command("g++", &header).arg("sdk/c/include/latchkey.h"))?;
    Ok(folder.join("sample"))
}

/// Links the verification without the standard library, and weighs it.
fn verification_is_small() -> anyhow::Result<()> {
    let build = ["build", "--quiet", "--release", "--locked", "--manifest-path", "sdk/embedded/Cargo.toml"];
    step("clients: verification alone", cargo(&build).arg("--target-dir").arg(root().join("target/embedded")))?;
    let library = root().join("target/embedded/release/liblatchkey_embedded.so");
    let bytes = weigh(&library)?;
    println!("── clients: verification alone is {bytes} bytes; at most {LARGEST_VERIFICATION_BYTES}");
    if bytes > LARGEST_VERIFICATION_BYTES {
        bail!("verification has grown to {bytes} bytes");
    }
    Ok(())
}

fn weigh(library: &Path) -> anyhow::Result<u64> {
    Ok(std::fs::metadata(library).with_context(|| library.display().to_string())?.len())
}
