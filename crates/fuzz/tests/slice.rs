//! A slice of the inputs in every run of the tests, and the proof that the driver finds what is there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use fuzz::{Target, Until, run};

/// What a target of full share is given.
const EXECUTIONS: u64 = 50_000;

#[test]
fn no_input_of_the_slice_breaks_a_target() {
    std::panic::set_hook(Box::new(|_| {}));
    let mut broken = Vec::new();
    for mut target in fuzz::targets::all() {
        let executions = EXECUTIONS * u64::from(target.share) / 1_000;
        let report = run(&mut target, 1, Until::Executions(executions));
        eprintln!("{}: {} inputs, {} behaviours", target.name, report.executions, report.behaviours);
        assert!(report.behaviours > 1, "{}: every input is the same to it", target.name);
        if let Some((input, said)) = report.broken {
            broken.push(format!("{}: {said}: {}", target.name, input.escape_ascii()));
        }
    }
    let _ = std::panic::take_hook();
    assert_eq!(broken, Vec::<String>::new());
}

/// The control: a parser with a mistake that shows only behind a word, a number and an order of things.
#[test]
fn the_driver_finds_a_planted_mistake_and_the_same_seed_finds_it_again() {
    std::panic::set_hook(Box::new(|_| {}));
    let planted = || Target {
        name: "planted",
        words: &["amount=", "currency="],
        seeds: vec![b"currency=EUR&amount=100".to_vec()],
        share: 1_000,
        read: Box::new(|input| {
            let text = String::from_utf8_lossy(input);
            let amount =
                text.split('&').filter_map(|part| part.strip_prefix("amount=")?.parse::<i64>().ok()).next_back();
            match amount {
                Some(amount) => format!("{}", i64::MAX.checked_sub(amount.abs()).unwrap() % 2),
                None => "none".to_owned(),
            }
        }),
    };
    let found: Vec<_> = (0..2).map(|_| run(&mut planted(), 5, Until::Executions(50_000)).broken).collect();
    let _ = std::panic::take_hook();
    assert!(found[0].is_some(), "the mistake was not found");
    assert_eq!(found[0], found[1]);
    eprintln!("FIGURE fuzz.control: a planted mistake was found, and found again from the same seed");
}
