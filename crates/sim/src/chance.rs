//! Chance of a run: one stream from one seed, asked by everything that could go otherwise.

use domain::Rng;

/// Parts in a million.
pub(crate) const MILLION: u64 = 1_000_000;

/// The stream.
pub(crate) struct Chance(Rng);

impl Chance {
    /// The stream of this seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(Rng::from_seed(bytes(seed, 0)))
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    /// A number from here up to and with there.
    pub(crate) fn between(&mut self, from: i64, to: i64) -> i64 {
        let width = u64::try_from(to.saturating_sub(from)).unwrap_or(0).saturating_add(1);
        from.saturating_add(i64::try_from(self.0.below(width)).unwrap_or(0))
    }

    /// Whether something of so many parts in a million happens.
    pub(crate) fn happens(&mut self, parts: u64) -> bool {
        // Nothing is drawn for what cannot happen, so that a calm world does not use the stream up.
        parts > 0 && self.0.below(MILLION) < parts
    }

    /// Whether something happens once in so many times.
    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.0.below(times) == 0
    }

    /// One of these.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        let place = usize::try_from(self.0.below(u64::try_from(choices.len()).unwrap_or(1))).unwrap_or(0);
        choices[place]
    }
}

/// A seed of the length that generators take; `stream` tells apart what must not share one.
pub(crate) fn bytes(seed: u64, stream: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&stream.to_le_bytes());
    bytes[16..].copy_from_slice(b"latchkey, in sim");
    bytes
}
