//! How values are spread: counts of those up to each bound. Whole numbers only; a time is so many microseconds.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What the values of a histogram are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Microseconds, told as seconds.
    Microseconds,
    /// So many of something.
    Count,
}

/// Bounds in microseconds, from half a millisecond to half a minute.
pub const LATENCY: &[u64] = &[
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 10_000_000,
    30_000_000,
];

/// Bounds of how many, from one to a thousand.
pub const SIZES: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 1_024];

/// Counts of values by size.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    unit: Unit,
    /// One for each bound, and one for what is beyond the last.
    counts: Vec<AtomicU64>,
    sum: AtomicU64,
}

impl Histogram {
    /// Of values up to these bounds, which ascend.
    #[must_use]
    pub fn new(bounds: &'static [u64], unit: Unit) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, unit, counts, sum: AtomicU64::new(0) }
    }

    /// Of how long something took.
    #[must_use]
    pub fn latency() -> Self {
        Self::new(LATENCY, Unit::Microseconds)
    }

    /// Of how many there were.
    #[must_use]
    pub fn sizes() -> Self {
        Self::new(SIZES, Unit::Count)
    }

    /// One value more.
    pub fn observe(&self, value: u64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// One more of this length.
    pub fn took(&self, time: Duration) {
        self.observe(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    pub(crate) fn unit(&self) -> Unit {
        self.unit
    }

    /// How many values were up to each bound, the last line without a bound, and the sum of all.
    pub(crate) fn read(&self) -> (Vec<(Option<u64>, u64)>, u64) {
        let mut total = 0;
        let bounds = self.bounds.iter().copied().map(Some).chain([None]);
        let lines = bounds.zip(&self.counts).map(|(bound, count)| {
            total += count.load(Ordering::Relaxed);
            (bound, total)
        });
        (lines.collect(), self.sum.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_for_its_bound_and_every_larger_one() {
        let histogram = Histogram::new(&[1, 10], Unit::Count);
        for value in [0, 1, 2, 10, 11] {
            histogram.observe(value);
        }
        assert_eq!(histogram.read(), (vec![(Some(1), 2), (Some(10), 4), (None, 5)], 24));
    }
}
