//! What every simulated door shares: the true time, chance, the log, and the first thing that was wrong.
//!
//! A door begins with [`Universe::gate`], which lets every other task go first
//! once or a few times, so that any two effects of any two tasks can happen in
//! either order. A door that ends its node calls [`Universe::crash`], which
//! never returns: the executor drops the task with all others of the node.

use std::collections::{BTreeSet, BinaryHeap, VecDeque};
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use domain::{GroupId, LicenseId, OrderId, Timestamp};

use crate::Options;
use crate::chance::Chance;
use crate::coverage::Cells;
use crate::mix::Mix;

/// When every run begins.
const BEGIN: i64 = 1_800_000_000_000_000;
/// How many effects are told when something was wrong.
const LAST: usize = 40;

/// What was counted over a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Commits that stand.
    pub commits: u64,
    /// Nodes that ended in the middle of something.
    pub crashes: u64,
    /// Commits whose answer was lost.
    pub unknown: u64,
    /// Calls to the gateway.
    pub calls: u64,
    /// Webhooks that reached a node.
    pub webhooks: u64,
    /// Mails that a mail server took.
    pub mails: u64,
    /// Questions to the database.
    pub reads: u64,
    /// Times that laws were asked about.
    pub audits: u64,
    /// Steps of all tasks.
    pub polls: u64,
    /// Orders that were paid.
    pub paid: u64,
    /// Microseconds of simulated time.
    pub simulated: u64,
    /// Answers to an app that were compared with rows that nothing changed meanwhile.
    pub compared: u64,
    /// Those among them that nothing was read for.
    pub remembered: u64,
    /// Those among them that were remembered and said no.
    pub remembered_no: u64,
}

/// How often answers that are remembered must be compared with the rows over the seeds of a test run.
const ENOUGH_REMEMBERED: u64 = 1_000;

/// How often those that say no.
const ENOUGH_REMEMBERED_NO: u64 = 100;

impl Counts {
    /// What should have happened often and did not.
    #[must_use]
    pub fn gaps(&self) -> Vec<String> {
        let mut gaps = Vec::new();
        if self.remembered < ENOUGH_REMEMBERED {
            gaps.push(format!("only {} answers to apps came from memory", self.remembered));
        }
        if self.remembered_no < ENOUGH_REMEMBERED_NO {
            gaps.push(format!("only {} answers from memory said no", self.remembered_no));
        }
        gaps
    }

    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        self.commits += other.commits;
        self.crashes += other.crashes;
        self.unknown += other.unknown;
        self.calls += other.calls;
        self.webhooks += other.webhooks;
        self.mails += other.mails;
        self.reads += other.reads;
        self.audits += other.audits;
        self.polls += other.polls;
        self.paid += other.paid;
        self.simulated += other.simulated;
        self.compared += other.compared;
        self.remembered += other.remembered;
        self.remembered_no += other.remembered_no;
    }
}

/// The rows that a commit wrote to, whose laws are asked about before anything else happens.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    pub(crate) orders: BTreeSet<OrderId>,
    pub(crate) licenses: BTreeSet<LicenseId>,
    pub(crate) groups: BTreeSet<GroupId>,
}

#[derive(Default)]
struct Log {
    keeps_all: bool,
    all: Vec<String>,
    last: VecDeque<String>,
    digest: u64,
    lines: u64,
}

struct Alarm {
    at: i64,
    number: u64,
    waker: Waker,
}

impl PartialEq for Alarm {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.number) == (other.at, other.number)
    }
}
impl Eq for Alarm {}
impl PartialOrd for Alarm {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Alarm {
    /// The earliest is the greatest, as the heap wants it.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

/// What the doors share.
pub(crate) struct Universe {
    now: AtomicI64,
    /// The clock that each node reads, and how far it is off.
    clocks: Vec<(Arc<AtomicI64>, AtomicI64)>,
    number: AtomicU64,
    pub(crate) chance: Mutex<Chance>,
    pub(crate) mix: Mutex<Mix>,
    pub(crate) counts: Mutex<Counts>,
    /// What met what.
    pub(crate) cells: Mutex<Cells>,
    pub(crate) touched: Mutex<Touched>,
    alarms: Mutex<BinaryHeap<Alarm>>,
    log: Mutex<Log>,
    crashed: Mutex<Option<usize>>,
    wrong: Mutex<Option<String>>,
    disk_full_until: AtomicI64,
    work_bell: Mutex<Vec<Waker>>,
    hook_bell: Mutex<Vec<Waker>>,
}

/// What somebody waits to hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bell {
    /// A commit left something to do.
    Work,
    /// Something happened at the gateway.
    Gateway,
}

/// Locks what nobody else holds: a run has one thread.
pub(crate) fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Universe {
    pub(crate) fn new(seed: u64, options: Options) -> Self {
        let mut chance = Chance::new(seed);
        let mut mix = Mix::draw(&mut chance);
        mix.buyers = options.buyers.unwrap_or(mix.buyers);
        let clocks = (0..mix.nodes).map(|_| (Arc::new(AtomicI64::new(BEGIN)), AtomicI64::new(0))).collect();
        Self {
            now: AtomicI64::new(BEGIN),
            clocks,
            number: AtomicU64::new(0),
            chance: Mutex::new(chance),
            mix: Mutex::new(mix),
            counts: Mutex::default(),
            cells: Mutex::default(),
            touched: Mutex::default(),
            alarms: Mutex::default(),
            log: Mutex::new(Log { keeps_all: options.with_log, ..Log::default() }),
            crashed: Mutex::default(),
            wrong: Mutex::default(),
            disk_full_until: AtomicI64::new(0),
            work_bell: Mutex::default(),
            hook_bell: Mutex::default(),
        }
    }

    /// A world of one node in which nothing goes wrong.
    pub(crate) fn quiet(now: i64) -> Self {
        let quiet = Self::new(0, Options::default());
        *hold(&quiet.mix) = Mix::default();
        quiet.advance_to(now);
        quiet
    }

    /// The true time, in microseconds.
    pub(crate) fn now(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }

    /// How long the run has lasted, in microseconds.
    pub(crate) fn age(&self) -> i64 {
        self.now() - BEGIN
    }

    /// The true time.
    pub(crate) fn timestamp(&self) -> Timestamp {
        Timestamp::from_microseconds(self.now())
    }

    /// The clock that a node reads.
    pub(crate) fn clock(&self, node: usize) -> Arc<AtomicI64> {
        Arc::clone(&self.clocks[node].0)
    }

    /// Moves the true time to this moment, and wakes who waited for it. It never goes back; a node's clock may.
    pub(crate) fn advance_to(&self, at: i64) {
        let at = at.max(self.now());
        self.now.store(at, Ordering::Relaxed);
        for (clock, skew) in &self.clocks {
            clock.store(at + skew.load(Ordering::Relaxed), Ordering::SeqCst);
        }
        let mut alarms = hold(&self.alarms);
        while alarms.peek().is_some_and(|alarm| alarm.at <= at) {
            if let Some(alarm) = alarms.pop() {
                alarm.waker.wake();
            }
        }
    }

    /// Sets a node's clock so many microseconds before or after the true time.
    pub(crate) fn set_skew(&self, node: usize, skew: i64) {
        self.clocks[node].1.store(skew, Ordering::Relaxed);
        self.advance_to(self.now());
    }

    /// When somebody wants to be woken next.
    pub(crate) fn next_alarm(&self) -> Option<i64> {
        hold(&self.alarms).peek().map(|alarm| alarm.at)
    }

    /// Waits for a moment.
    pub(crate) fn sleep_until(&self, at: i64) -> Sleep<'_> {
        Sleep { universe: self, at, bell: None }
    }

    /// Waits for a span in microseconds.
    pub(crate) fn sleep(&self, span: i64) -> Sleep<'_> {
        self.sleep_until(self.now() + span.max(0))
    }

    /// Waits for a moment, or until the bell rings.
    pub(crate) fn sleep_or_bell(&self, at: i64, bell: Bell) -> Sleep<'_> {
        Sleep { universe: self, at, bell: Some(bell) }
    }

    /// Wakes who waits to hear of this.
    pub(crate) fn ring(&self, bell: Bell) {
        for waker in std::mem::take(&mut *hold(self.bell(bell))) {
            waker.wake();
        }
    }

    fn bell(&self, bell: Bell) -> &Mutex<Vec<Waker>> {
        match bell {
            Bell::Work => &self.work_bell,
            Bell::Gateway => &self.hook_bell,
        }
    }

    /// Lets all others go first, once or a few times.
    pub(crate) async fn gate(&self) {
        let times = match self.below(8) {
            0 => 1 + self.below(6),
            _ => 1,
        };
        for _ in 0..times {
            Gate(false).await;
        }
    }

    pub(crate) fn below(&self, bound: u64) -> u64 {
        hold(&self.chance).below(bound)
    }

    pub(crate) fn between(&self, from: i64, to: i64) -> i64 {
        hold(&self.chance).between(from, to)
    }

    pub(crate) fn one_in(&self, times: u64) -> bool {
        hold(&self.chance).one_in(times)
    }

    pub(crate) fn pick<T: Copy>(&self, choices: &[T]) -> T {
        hold(&self.chance).pick(choices)
    }

    /// Whether a fault of the mix happens now.
    pub(crate) fn fault(&self, which: impl FnOnce(&Mix) -> u64) -> bool {
        let parts = which(&hold(&self.mix));
        hold(&self.chance).happens(parts)
    }

    /// Ends the node. Never returns: the executor drops whoever waits here.
    pub(crate) async fn crash(&self, node: usize, when: &str) {
        self.log(|| format!("node {node} ends {when}"));
        *hold(&self.crashed) = Some(node);
        pending::<()>().await;
    }

    /// Ends a node from outside, as a person does who restarts it.
    pub(crate) fn end(&self, node: usize, when: &str) {
        self.log(|| format!("node {node} is ended {when}"));
        hold(&self.crashed).get_or_insert(node);
    }

    /// The node that a door has ended, or somebody.
    pub(crate) fn take_crashed(&self) -> Option<usize> {
        hold(&self.crashed).take()
    }

    /// Whether the disk is full; a fault of the mix fills it for some minutes.
    pub(crate) fn disk_is_full(&self) -> bool {
        if self.now() < self.disk_full_until.load(Ordering::Relaxed) {
            return true;
        }
        if !self.fault(|mix| mix.disk_full) {
            return false;
        }
        let minutes = self.between(1, 20);
        self.log(|| format!("the disk is full for {minutes} min"));
        self.disk_full_until.store(self.now() + minutes * 60_000_000, Ordering::Relaxed);
        true
    }

    /// Space returns.
    pub(crate) fn empty_disk(&self) {
        self.disk_full_until.store(0, Ordering::Relaxed);
    }

    /// Something is wrong: the run ends, and only the first thing is told.
    pub(crate) fn fail(&self, what: String) {
        self.log(|| format!("WRONG: {what}"));
        hold(&self.wrong).get_or_insert(what);
    }

    /// What was wrong first.
    pub(crate) fn wrong(&self) -> Option<String> {
        hold(&self.wrong).clone()
    }

    /// Something met a state: one more for what must have met.
    pub(crate) fn meet(&self, occurrence: &str, state: &str) {
        hold(&self.cells).note(occurrence, state.to_owned());
    }

    pub(crate) fn count(&self, what: impl FnOnce(&mut Counts)) {
        what(&mut hold(&self.counts));
    }

    /// Notes one effect.
    pub(crate) fn log(&self, line: impl FnOnce() -> String) {
        let age = self.age();
        let (seconds, micros) = (age.div_euclid(1_000_000), age.rem_euclid(1_000_000));
        let (days, rest) = (seconds / 86_400, seconds % 86_400);
        let clock =
            format!("{days:>3}d {:02}:{:02}:{:02}.{:03}", rest / 3_600, rest / 60 % 60, rest % 60, micros / 1_000);
        let text = format!("{clock}  {}", line());
        let mut log = hold(&self.log);
        // FNV-1a: two logs are the same when their digests are, and neither has to be kept.
        for byte in text.bytes() {
            log.digest = (log.digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        log.lines += 1;
        if log.last.len() == LAST {
            log.last.pop_front();
        }
        if log.keeps_all {
            log.all.push(text.clone());
        }
        log.last.push_back(text);
    }

    /// The last effects, oldest first.
    pub(crate) fn last_effects(&self) -> Vec<String> {
        hold(&self.log).last.iter().cloned().collect()
    }

    /// The whole log, where it was kept, with a digest of it and the number of its lines.
    pub(crate) fn take_log(&self) -> (Vec<String>, u64, u64) {
        let mut log = hold(&self.log);
        (std::mem::take(&mut log.all), log.digest, log.lines)
    }
}

struct Gate(bool);

impl Future for Gate {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.0 {
            return Poll::Ready(());
        }
        self.0 = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Waits for a moment, or for the bell.
pub(crate) struct Sleep<'a> {
    universe: &'a Universe,
    at: i64,
    /// The bell that ends it too; woken by the bell or by the clock, it is over.
    bell: Option<Bell>,
}

impl Future for Sleep<'_> {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.universe.now() >= self.at {
            return Poll::Ready(());
        }
        let number = self.universe.number.fetch_add(1, Ordering::Relaxed);
        hold(&self.universe.alarms).push(Alarm { at: self.at, number, waker: context.waker().clone() });
        if let Some(bell) = self.bell {
            hold(self.universe.bell(bell)).push(context.waker().clone());
            self.at = i64::MIN;
        }
        Poll::Pending
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future to its end on this thread, with everybody else standing still.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        thread::park();
    }
}
