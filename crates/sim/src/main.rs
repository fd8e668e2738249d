//! `sim`: runs seeds, tells what was wrong and how to see it again.

#![allow(clippy::print_stdout, reason = "this program talks to a person at a terminal")]

use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use sim::coverage::Cells;
use sim::{Counts, Options, Report};

const HELP: &str = "\
sim --seeds N [--from S] [--covered | --until-wrong]
                                       the kept seeds, then N seeds from S on (0 unless said);
                                       --covered: fails too when something never met something;
                                       --until-wrong: ends with the first seed that is wrong
sim --seed S [--log] [--buyers B]      one seed; with every effect; with fewer buyers";

/// One seed in so many is run twice, and both logs must be the same.
const TWICE_EVERY: u64 = 20;

/// So many failed seeds are told with their last effects; of the others, the first thing that was wrong.
const TOLD: usize = 3;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |flag: &str| -> Option<Option<u64>> {
        let place = arguments.iter().position(|argument| argument == flag)?;
        Some(arguments.get(place + 1).and_then(|value| value.parse().ok()))
    };
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let buyers = value("--buyers").flatten().and_then(|buyers| usize::try_from(buyers).ok());
    match (value("--seed"), value("--seeds"), value("--from").unwrap_or(Some(0))) {
        (Some(Some(seed)), None, _) => one(seed, Options { with_log: has("--log"), buyers }),
        (None, Some(Some(count)), Some(from)) => {
            many(from, count, Aim { covers: has("--covered"), ends_when_wrong: has("--until-wrong") })
        }
        (_, _, _) => {
            println!("{HELP}");
            ExitCode::from(2)
        }
    }
}

fn one(seed: u64, options: Options) -> ExitCode {
    let report = sim::run(seed, options);
    for line in &report.log {
        println!("{line}");
    }
    println!("seed {seed}: {} effects, digest {:016x}", report.effects, report.digest);
    println!("{:?}", report.counts);
    if report.wrong.is_none() {
        return ExitCode::SUCCESS;
    }
    tell(&report, "");
    ExitCode::FAILURE
}

/// What a failed run was about, and how to see it again.
fn tell(report: &Report, why_kept: &str) {
    println!("\nseed {} is WRONG: {}", report.seed, report.wrong.as_deref().unwrap_or_default());
    if !why_kept.is_empty() {
        println!("kept because: {why_kept}");
    }
    for line in &report.last_effects {
        println!("  {line}");
    }
    println!("again, with every effect: cargo xtask sim --seed {} --log", report.seed);
}

#[derive(Default)]
struct Told {
    counts: Counts,
    cells: Cells,
    /// Which place, which seed, and what was wrong.
    wrong: Vec<(usize, u64, String)>,
}

/// What many seeds are run for.
#[derive(Clone, Copy)]
struct Aim {
    /// Everything that must meet must have met.
    covers: bool,
    /// One that is wrong is enough.
    ends_when_wrong: bool,
}

fn many(from: u64, count: u64, aim: Aim) -> ExitCode {
    let began = Instant::now();
    let kept = sim::kept::seeds();
    let mut seeds: Vec<(u64, &str)> = kept.clone();
    seeds.extend((from..from.saturating_add(count)).map(|seed| (seed, "")));
    let next = AtomicUsize::new(0);
    let told = Mutex::new(Told::default());
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(seeds.len().max(1));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some((seed, why_kept)) = seeds.get(place) else { break };
                    let report = checked(*seed);
                    let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                    told.counts.add(&report.counts);
                    told.cells.add(&report.cells);
                    if let Some(wrong) = &report.wrong {
                        if told.wrong.len() < TOLD {
                            tell(&report, why_kept);
                        }
                        told.wrong.push((place, report.seed, wrong.clone()));
                        if aim.ends_when_wrong {
                            next.store(seeds.len(), Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    let Told { counts, cells, mut wrong } = told.into_inner().unwrap_or_else(PoisonError::into_inner);
    wrong.sort();
    println!("\n{cells}");
    let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
    println!(
        "{} seeds ({} kept) in {}.{} s on {threads} threads: {} commits, {} with their answer lost, {} crashes, \
         {} calls, {} webhooks, {} mails, {} paid orders, {} audits, {} answers to apps compared with the rows ({} from \
         memory, {} of them a no), {} steps, {} simulated days",
        seeds.len(),
        kept.len(),
        milliseconds / 1_000,
        milliseconds % 1_000 / 100,
        counts.commits,
        counts.unknown,
        counts.crashes,
        counts.calls,
        counts.webhooks,
        counts.mails,
        counts.paid,
        counts.audits,
        counts.compared,
        counts.remembered,
        counts.remembered_no,
        counts.polls,
        counts.simulated / 86_400_000_000,
    );
    for (_, seed, what) in &wrong {
        println!("seed {seed}: {what}");
    }
    if let Some((place, seed, _)) = wrong.first().filter(|_| aim.ends_when_wrong) {
        // Those before it were all begun before it, and none of them is wrong.
        println!("the first that is wrong: seed {seed}, after {place} that are not");
        return ExitCode::FAILURE;
    }
    let gaps = if aim.covers { [cells.gaps(), counts.gaps()].concat() } else { Vec::new() };
    for gap in &gaps {
        println!("coverage: {gap}");
    }
    if wrong.is_empty() && gaps.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("{} of {} seeds are wrong, {} gaps in what they cover", wrong.len(), seeds.len(), gaps.len());
    ExitCode::FAILURE
}

/// Runs a seed, and some of them a second time to see the same.
fn checked(seed: u64) -> Report {
    let mut report = sim::run(seed, Options::default());
    if seed.is_multiple_of(TWICE_EVERY) && report.wrong.is_none() {
        let again = sim::run(seed, Options::default());
        if again.digest != report.digest {
            report.wrong = Some("the same seed gave another run".to_owned());
        }
    }
    report
}
