//! Where chance comes from: the operating system, or a seed.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use domain::Rng;

thread_local! {
    /// Goes on from name to name.
    static NAMES: RefCell<Option<Rng>> = const { RefCell::new(None) };
}

/// A source of generators, one for each decision.
#[derive(Debug, Clone)]
pub enum Entropy {
    /// Seeded by the operating system each time.
    System,
    /// Each seeded by the one before, the first by the seed of the run.
    Seeded(Arc<Mutex<Rng>>),
}

impl Entropy {
    /// Chance that this seed, and only this seed, gives.
    #[must_use]
    pub fn seeded(seed: [u8; 32]) -> Self {
        Self::Seeded(Arc::new(Mutex::new(Rng::from_seed(seed))))
    }

    /// Chance for the name of a request, by which its lines in the log are found: different each time, and nothing that
    /// guessing it would open. So one generator goes on for all of a thread's.
    pub fn name<T>(&self, draw: impl FnOnce(&mut Rng) -> T) -> T {
        match self {
            Self::System => NAMES.with_borrow_mut(|names| draw(names.get_or_insert_with(|| self.rng()))),
            Self::Seeded(_) => draw(&mut self.rng()),
        }
    }

    /// A generator for one decision.
    #[must_use]
    pub fn rng(&self) -> Rng {
        match self {
            Self::System => {
                let mut seed = [0; 32];
                // An operating system that cannot give randomness must not sell keys.
                if SystemRandom::new().fill(&mut seed).is_err() {
                    std::process::abort();
                }
                Rng::from_seed(seed)
            }
            Self::Seeded(source) => Rng::from_seed(source.lock().unwrap_or_else(PoisonError::into_inner).bytes()),
        }
    }
}
