//! Chance from a seed: the same seed gives the same ids, secrets and faults.
//!
//! Kept as seed and position, so that it survives being written to disk.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use serde::{Deserialize, Serialize};

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// How many parts make a whole where a probability is meant.
pub const MILLION: u32 = 1_000_000;

/// A stream of numbers that its seed alone decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chance {
    seed: u64,
    drawn: u64,
}

impl Chance {
    /// The stream of this seed, from its beginning.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    /// The seed it began with.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        let mut generator = ChaCha20Rng::seed_from_u64(self.seed);
        generator.set_word_pos(u128::from(self.drawn) * 2);
        self.drawn = self.drawn.wrapping_add(1);
        generator.next_u64()
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        let drawn = self.draw();
        if bound == 0 { 0 } else { drawn % bound }
    }

    /// True with this probability in parts per million. Always draws, so that
    /// changing one probability leaves the other decisions where they were.
    pub fn happens(&mut self, parts_per_million: u32) -> bool {
        self.below(u64::from(MILLION)) < u64::from(parts_per_million)
    }

    /// So many letters and digits.
    pub fn letters(&mut self, count: usize) -> String {
        let mut text = String::with_capacity(count);
        let mut pool = 0_u64;
        for position in 0..count {
            // Ten letters take 60 of 64 bits; the bias of what is left is of no matter for ids.
            if position % 10 == 0 {
                pool = self.draw();
            }
            let index = usize::try_from(pool % 62).unwrap_or(0);
            pool /= 62;
            text.push(char::from(LETTERS[index]));
        }
        text
    }
}
