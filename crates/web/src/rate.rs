//! How many calls one caller may make in a minute: the generic cell rate algorithm (ITU-T I.371), one moment a caller.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// A minute in microseconds.
const MINUTE: u64 = 60_000_000;

/// How many callers are kept in mind. More than that at once are a storm, and the oldest of them are let go.
const CALLERS: usize = 50_000;

/// What a caller has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// Whether this call may be made.
    pub(crate) is_allowed: bool,
    /// How many more may be made at once.
    pub(crate) remaining: u64,
    /// In how many seconds there is one more, or all of them where none is missing.
    pub(crate) seconds: u64,
}

/// The calls of every caller.
pub(crate) struct Rate {
    pub(crate) per_minute: u32,
    /// Until when each caller's allowance is used up, in microseconds.
    used_until: Mutex<HashMap<u128, u64>>,
}

impl Rate {
    pub(crate) fn new(per_minute: u32) -> Self {
        Self { per_minute: per_minute.max(1), used_until: Mutex::default() }
    }

    /// One more call of this caller at this moment, in microseconds.
    pub(crate) fn call(&self, caller: u128, now: u64) -> Allowance {
        let each = MINUTE / u64::from(self.per_minute);
        let mut used_until = self.used_until.lock().unwrap_or_else(PoisonError::into_inner);
        if used_until.len() >= CALLERS && !used_until.contains_key(&caller) {
            used_until.retain(|_, until| *until > now);
            if used_until.len() >= CALLERS {
                used_until.clear();
            }
        }
        // More than a minute ahead nobody can be: then the clock was put back, and nobody is to wait until it is there
        // again.
        let known = used_until.get(&caller).copied().filter(|until| *until <= now + MINUTE);
        let until = known.unwrap_or(now).max(now);
        let next = until + each;
        if next - now > MINUTE {
            return Allowance { is_allowed: false, remaining: 0, seconds: (next - now - MINUTE).div_ceil(1_000_000) };
        }
        used_until.insert(caller, next);
        let left = MINUTE - (next - now);
        Allowance { is_allowed: true, remaining: left / each, seconds: each.div_ceil(1_000_000) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_holds_so_many_calls_and_they_come_back_one_by_one() {
        let rate = Rate::new(3);
        let call = |second: u64| rate.call(1, second * 1_000_000);
        assert_eq!(call(0), Allowance { is_allowed: true, remaining: 2, seconds: 20 });
        assert!(call(0).is_allowed && call(0).is_allowed);
        assert_eq!(call(0), Allowance { is_allowed: false, remaining: 0, seconds: 20 });
        assert_eq!(call(15), Allowance { is_allowed: false, remaining: 0, seconds: 5 });
        assert!(call(20).is_allowed);
        assert!(!call(20).is_allowed);
        assert!(call(40).is_allowed && !call(40).is_allowed, "and once more");
        assert!(rate.call(2, 0).is_allowed, "another caller has calls of its own");
        assert_eq!(call(500).remaining, 2, "what is not used is not saved up");
        assert!(call(500).is_allowed && call(500).is_allowed && !call(500).is_allowed);
        assert!(call(100).is_allowed, "the clock was put back");
    }
}
