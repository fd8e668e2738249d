//! What goes wrong in a run, and how often: drawn anew for every seed.
//!
//! A run in which everything goes wrong a little looks like every other such
//! run. So each fault is left out of about half of the runs and is frequent in
//! some, and faults meet each other in combinations that nobody thought of.

use std::fmt;

use crate::chance::Chance;

/// Probabilities in parts per million of the occasion that each names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mix {
    /// How many nodes serve.
    pub(crate) nodes: usize,
    /// How many buyers come.
    pub(crate) buyers: usize,
    /// Over how many seconds they come.
    pub(crate) window: i64,
    /// A node ends between two steps of a task.
    pub(crate) crash_between: u64,
    /// A node ends before a commit reaches the database.
    pub(crate) crash_before_commit: u64,
    /// A node ends after the commit stands, before anybody heard.
    pub(crate) crash_after_commit: u64,
    /// The database refuses a commit.
    pub(crate) commit_refused: u64,
    /// The answer to a commit is lost, and the commit with it; or it stands, and the answer is lost: as often each.
    pub(crate) commit_unknown: u64,
    /// A read is refused.
    pub(crate) read_refused: u64,
    /// The database is slow: a commit takes seconds to a minute.
    pub(crate) commit_slow: u64,
    /// The disk is full, for minutes, beginning at a commit.
    pub(crate) disk_full: u64,
    /// A call never reaches the gateway.
    pub(crate) call_lost: u64,
    /// A call is carried out when nobody listens any more.
    pub(crate) call_late: u64,
    /// A call is carried out and its answer lost.
    pub(crate) answer_lost: u64,
    /// The gateway refuses a call for now.
    pub(crate) gateway_busy: u64,
    /// A POST is carried out and answered with 500.
    pub(crate) error_after_doing: u64,
    /// Whether that 500 is what its idempotency key replays.
    pub(crate) replay_errors: bool,
    /// A call takes seconds.
    pub(crate) call_slow: u64,
    /// Whether the gateway's event list does not answer.
    pub(crate) list_is_dead: bool,
    /// A mailbox refuses for good.
    pub(crate) mail_refused: u64,
    /// The mail server puts a mail off.
    pub(crate) mail_later: u64,
    /// The mail server takes a mail and its word is lost.
    pub(crate) mail_answer_lost: u64,
    /// A webhook vanishes, and the gateway believes that it arrived.
    pub(crate) hook_lost: u64,
    /// Whether every webhook that tells of a payment vanishes, and only refunds and disputes are heard of.
    pub(crate) hooks_of_payments_vanish: bool,
    /// Whether money goes back, or is disputed, within a minute after it came.
    pub(crate) is_hasty: bool,
    /// A webhook arrives a second time, soon or days later.
    pub(crate) hook_twice: u64,
    /// A webhook stays on its way for minutes to days.
    pub(crate) hook_late: u64,
    /// The answer to a webhook is lost, so that it comes again.
    pub(crate) hook_answer_lost: u64,
    /// A webhook carries a stranger's signature.
    pub(crate) hook_wrong_signature: u64,
    /// Beside a webhook comes a forged one.
    pub(crate) hook_forged: u64,
    /// The process stands still between two steps of a task, for seconds to minutes.
    pub(crate) stall: u64,
    /// A node's clock is set, by up to so many seconds to either side.
    pub(crate) skew: i64,
    /// How many things the shop does per buyer, in percent.
    pub(crate) shop_zeal: u64,
}

impl Mix {
    /// A mix for this run.
    pub(crate) fn draw(chance: &mut Chance) -> Self {
        let mut fault = |often: u64| match chance.below(6) {
            0..=2 => 0,
            3 => often / 20,
            4 => often / 4,
            _ => often,
        };
        let mut mix = Self {
            crash_between: fault(400),
            crash_before_commit: fault(15_000),
            crash_after_commit: fault(25_000),
            commit_refused: fault(60_000),
            commit_unknown: fault(80_000),
            read_refused: fault(20_000),
            commit_slow: fault(15_000),
            disk_full: fault(2_000),
            call_lost: fault(150_000),
            call_late: fault(100_000),
            answer_lost: fault(200_000),
            gateway_busy: fault(150_000),
            error_after_doing: fault(150_000),
            call_slow: fault(200_000),
            mail_refused: fault(60_000),
            mail_later: fault(250_000),
            mail_answer_lost: fault(200_000),
            hook_lost: fault(400_000),
            hook_twice: fault(250_000),
            hook_late: fault(300_000),
            hook_answer_lost: fault(200_000),
            hook_wrong_signature: fault(150_000),
            hook_forged: fault(150_000),
            stall: fault(2_000),
            ..Self::default()
        };
        mix.nodes = chance.pick(&[1, 1, 2, 3]);
        mix.buyers = usize::try_from(chance.between(10, 22)).unwrap_or(10);
        mix.window = chance.pick(&[600, 3_600, 20_000, 90_000, 400_000]);
        mix.replay_errors = chance.one_in(4);
        mix.list_is_dead = chance.one_in(3);
        mix.hooks_of_payments_vanish = chance.one_in(4);
        mix.is_hasty = chance.one_in(2);
        mix.skew = chance.pick(&[0, 0, 2, 30, 90]);
        mix.shop_zeal = chance.pick(&[30, 100, 200]);
        mix
    }

    /// The same world with nothing going wrong any more.
    pub(crate) fn calm(&self) -> Self {
        Self { nodes: self.nodes, buyers: self.buyers, window: self.window, ..Self::default() }
    }
}

impl fmt::Display for Mix {
    /// What is not zero, on one line.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = format!("{self:?}");
        let inner = all.trim_start_matches("Mix { ").trim_end_matches(" }");
        let present = inner.split(", ").filter(|part| !part.ends_with(": 0") && !part.ends_with(": false"));
        formatter.write_str(&present.collect::<Vec<_>>().join(", "))
    }
}
