//! Inputs that nobody would write, for every parser that meets the outside.
//!
//! A deterministic driver: from one seed it mutates what it knows, keeps what
//! made a target behave in a way not seen before, and tells the whole input
//! when a target panics. A target says in a word what it made of an input,
//! and that word stands in for coverage, so that no special compiler is
//! needed. See docs/decisions/0009.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a target that finds something panics, and the driver tells a person"
)]

mod mutate;
pub mod targets;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use domain::Rng;

/// Something that reads what comes from outside.
pub struct Target {
    /// Its name, and that of its folder in the corpus.
    pub name: &'static str,
    /// Words that mean something to it.
    pub words: &'static [&'static str],
    /// Inputs that it understands.
    pub seeds: Vec<Vec<u8>>,
    /// How many inputs of a slice it is given, in thousandths of the others: one that goes through a server is slow.
    pub share: u32,
    /// Reads an input, insists on what must hold, and says in a word what it was.
    pub read: Read,
}

/// What a target does with an input.
pub type Read = Box<dyn FnMut(&[u8]) -> String>;

/// When to end.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// After so many inputs.
    Executions(u64),
    /// After so long.
    Time(Duration),
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Inputs that were tried.
    pub executions: u64,
    /// Ways of behaving that were seen.
    pub behaviours: usize,
    /// Inputs that showed a new one, and were kept for this run.
    pub kept: usize,
    /// The input that broke something, and what was said then.
    pub broken: Option<(Vec<u8>, String)>,
    /// The longest that one input took.
    pub slowest: Duration,
}

/// An input that takes longer than this hangs, on however busy a machine.
const HANGS: Duration = Duration::from_secs(20);

/// How many inputs are kept at most; more would only be chosen less often.
const POOL: usize = 4_096;

/// Tries inputs from this seed until it is enough or something breaks.
pub fn run(target: &mut Target, seed: u64, until: Until) -> Report {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut rng = Rng::from_seed(bytes);
    let mut pool: Vec<Vec<u8>> = target.seeds.clone();
    pool.extend(corpus(target.name));
    pool.push(Vec::new());
    let mut seen = BTreeSet::new();
    let mut report = Report { executions: 0, behaviours: 0, kept: 0, broken: None, slowest: Duration::ZERO };
    let began = Instant::now();
    let known = pool.len() as u64;
    loop {
        let is_over = match until {
            Until::Executions(most) => report.executions >= most.max(known),
            // Whoever has a moment only still tries what is known.
            Until::Time(time) => report.executions >= known && began.elapsed() >= time,
        };
        if is_over {
            break;
        }
        let input = match pool.get(usize::try_from(report.executions).unwrap_or(usize::MAX)) {
            Some(known_input) if report.executions < known => known_input.clone(),
            Some(_) | None => mutate::mutate(&pool, target.words, &mut rng),
        };
        report.executions += 1;
        let started = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| (target.read)(&input)));
        let took = started.elapsed();
        report.slowest = report.slowest.max(took);
        let behaviour = match outcome {
            Ok(_) if took > HANGS => {
                report.broken = Some((input, format!("it took {took:?}")));
                break;
            }
            Ok(behaviour) => behaviour,
            Err(panic) => {
                let said = panic.downcast_ref::<String>().cloned();
                let said = said.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                report.broken = Some((input, said.unwrap_or_default()));
                break;
            }
        };
        if seen.insert(behaviour) && report.executions > known {
            report.kept += 1;
            if pool.len() < POOL {
                pool.push(input);
            }
        }
    }
    report.behaviours = seen.len();
    report
}

/// Inputs that are kept with the code: what broke something once, and what is worth beginning with.
#[must_use]
pub fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = folder().join("corpus").join(target);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    files.iter().filter_map(|file| std::fs::read(file).ok()).collect()
}

/// Keeps an input that broke something, to be tried first from now on. Gives its file.
///
/// # Errors
/// When it cannot be written.
pub fn keep(target: &str, input: &[u8]) -> std::io::Result<PathBuf> {
    let folder = folder().join("corpus").join(target);
    std::fs::create_dir_all(&folder)?;
    // FNV-1a: a name for a file, no more.
    let name = input
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    let file = folder.join(format!("{name:016x}"));
    std::fs::write(&file, input)?;
    Ok(file)
}

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
