//! `fuzz [--target NAME] [--seconds N | --executions N] [--seed S]`: tries inputs on every target, or on one.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it talks to a person at a terminal")]

use std::process::ExitCode;
use std::time::Duration;

use fuzz::{Report, Until};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |flag: &str| {
        let place = arguments.iter().position(|argument| argument == flag)?;
        arguments.get(place + 1).cloned()
    };
    let number = |flag: &str| value(flag).map(|text| text.parse::<u64>());
    let (Some(seed), Some(seconds), Some(executions)) = (
        number("--seed").unwrap_or(Ok(0)).ok(),
        number("--seconds").transpose().ok(),
        number("--executions").transpose().ok(),
    ) else {
        eprintln!("fuzz: --seed, --seconds and --executions are whole numbers");
        return ExitCode::from(2);
    };
    let wanted = value("--target");
    // What a panic says is told with its input.
    std::panic::set_hook(Box::new(|_| {}));
    let mut is_broken = false;
    let mut in_all = 0;
    for mut target in fuzz::targets::all() {
        if wanted.as_ref().is_some_and(|wanted| wanted != target.name) {
            continue;
        }
        let until = match (seconds, executions) {
            (Some(seconds), _) => Until::Time(Duration::from_secs(seconds)),
            (None, executions) => Until::Executions(executions.unwrap_or(100_000) * u64::from(target.share) / 1_000),
        };
        let Report { executions, behaviours, kept, broken, slowest } = fuzz::run(&mut target, seed, until);
        in_all += executions;
        println!(
            "{:<12} {executions:>10} inputs, {behaviours:>5} behaviours, {kept:>5} found; the slowest {} ms",
            target.name,
            slowest.as_millis()
        );
        if let Some((input, said)) = broken {
            is_broken = true;
            println!("{}: {said}\n  {}", target.name, input.escape_ascii());
            match fuzz::keep(target.name, &input) {
                Ok(file) => println!("  kept as {}", file.display()),
                Err(error) => println!("  not kept: {error}"),
            }
        }
    }
    println!("{in_all} inputs in all");
    if is_broken { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
