//! `sim`: runs seeds, tells what was wrong and how to see it again.

#![allow(clippy::print_stdout, reason = "this program talks to a person at a terminal")]

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use sim::coverage::{Cells, OCCURRENCES, ORDER_STATES, PAYMENT_STATES};
use sim::{Counts, Report};

const HELP: &str = "\
sim --seeds N [--from S]   the kept seeds, then N seeds from S on (0 unless said)
sim --seed S [--log]       one seed; with every effect";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |flag: &str| -> Option<Option<u64>> {
        let place = arguments.iter().position(|argument| argument == flag)?;
        Some(arguments.get(place + 1).and_then(|value| value.parse().ok()))
    };
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    match (value("--seed"), value("--seeds"), value("--from")) {
        (Some(Some(seed)), None, None) => one(seed, has("--log")),
        (None, Some(Some(count)), None) => many(0, count),
        (None, Some(Some(count)), Some(Some(from))) => many(from, count),
        (_, _, _) => {
            println!("{HELP}");
            ExitCode::from(2)
        }
    }
}

fn one(seed: u64, with_log: bool) -> ExitCode {
    let report = sim::run(seed, with_log);
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

fn many(from: u64, count: u64) -> ExitCode {
    let began = Instant::now();
    let kept = sim::kept::seeds();
    let mut seeds: Vec<(u64, &str)> = kept.clone();
    seeds.extend((from..from + count).map(|seed| (seed, "")));
    let next = AtomicUsize::new(0);
    let told = Mutex::new((Counts::default(), Cells::default(), Vec::new()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(seeds.len().max(1));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((seed, why_kept)) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let report = sim::run(*seed, false);
                    let mut told = told.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    told.0.add(&report.counts);
                    told.1.add(&report.cells);
                    if report.wrong.is_some() {
                        // The first few are told in full; of the others, the number.
                        if told.2.len() < 3 {
                            tell(&report, why_kept);
                        }
                        told.2.push((report.seed, report.wrong.unwrap_or_default()));
                    }
                }
            });
        }
    });
    let (counts, cells, mut wrong) = told.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    wrong.sort();
    table(&cells);
    println!(
        "\n{} seeds ({} kept) in {} s: {} commits, {} with their answer lost, {} crashes, {} calls, {} webhooks, {} mails, \
         {} paid orders, {} audits, {} steps, {} simulated days",
        seeds.len(),
        kept.len(),
        began.elapsed().as_secs(),
        counts.commits,
        counts.unknown,
        counts.crashes,
        counts.calls,
        counts.webhooks,
        counts.mails,
        counts.paid,
        counts.audits,
        counts.polls,
        counts.simulated / 86_400_000_000,
    );
    for (seed, what) in &wrong {
        println!("seed {seed}: {what}");
    }
    if !wrong.is_empty() {
        println!("{} of {} seeds are wrong", wrong.len(), seeds.len());
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// How often each occurrence met each state.
fn table(cells: &Cells) {
    for (of, states) in [("order", &ORDER_STATES[..]), ("payment", &PAYMENT_STATES[..])] {
        print!("\n{of:<24}");
        for state in states {
            print!("{:>10}", state.chars().take(9).collect::<String>());
        }
        println!();
        for occurrence in OCCURRENCES {
            print!("{occurrence:<24}");
            for state in states {
                print!("{:>10}", cells.times(occurrence, &format!("{of}:{state}")));
            }
            println!();
        }
    }
}
