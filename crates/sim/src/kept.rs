//! Seeds that once showed something wrong, each with a line why: they run before all others, for ever.

const KEPT: &str = include_str!("../kept.txt");

/// Every kept seed and why it is kept.
#[must_use]
pub fn seeds() -> Vec<(u64, &'static str)> {
    KEPT.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let (seed, why) = line.split_once(' ')?;
            Some((seed.parse().ok()?, why.trim()))
        })
        .collect()
}
