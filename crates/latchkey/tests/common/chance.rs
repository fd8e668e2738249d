//! Chance from a printed seed.

use domain::Rng;

/// A source of chance that is told in words.
pub struct Chance(Rng);

impl Chance {
    /// The stream of this number under this seed: every task has its own, so that
    /// the order in which tasks run changes nothing.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&stream.to_le_bytes());
        Self(Rng::from_seed(bytes))
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    /// From the first to the last, both included.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to - from + 1)
    }

    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// The seed from the variable, or a new one; printed, so that a failure can be looked at again.
pub fn seed(variable: &str) -> u64 {
    let given = std::env::var(variable).ok().map(|text| text.parse().expect("a seed is a whole number"));
    let seed = given.unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock after 1970");
        u64::from(now.subsec_nanos()) ^ (now.as_secs() << 20)
    });
    eprintln!("{variable}={seed}");
    seed
}
