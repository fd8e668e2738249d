//! The simulator itself: that a seed is a run, and that a run is a seed's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use sim::{Options, run};

const SMALL: Options = Options { with_log: true, buyers: Some(2) };

#[test]
fn the_same_seed_gives_the_same_log() {
    let (first, second) = (run(7, SMALL), run(7, SMALL));
    assert_eq!(first.wrong, None);
    assert!(first.counts.commits > 10, "{:?}", first.counts);
    for (one, other) in first.log.iter().zip(&second.log) {
        assert_eq!(one, other);
    }
    assert_eq!((first.digest, first.log.len()), (second.digest, second.log.len()));
}

#[test]
fn another_seed_gives_another_log() {
    assert_ne!(run(7, SMALL).digest, run(8, SMALL).digest);
}

#[test]
fn every_kept_seed_says_why_it_is_kept() {
    for (seed, why) in sim::kept::seeds() {
        assert!(why.len() > 20, "{seed}: {why}");
    }
}
