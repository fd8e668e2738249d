//! What apps asked and were told, kept for whoever must find out why a program does not start.
//!
//! On the way of a question nothing is written and nothing is asked of the
//! store: what is to be kept waits here, behind many small locks, and a worker
//! writes it in batches. Ordinary yeses are only counted, by license and day.
//! Refusals and what changes a seat are kept one by one until there are many
//! of a license or of a shop within an hour; from then on they are counted as
//! well, so that neither a program in a loop nor whoever guesses keys fills
//! the memory or the disk. What waits here when the process dies is lost.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest;
use domain::{
    Activation, Attempt, AttemptId, AttemptKind, AttemptVerdict, Changes, Duration, Fingerprint, License, LicenseId,
    Rng, Rule, ShopId, Timestamp, mask_card_numbers,
};
use latchkey_license::{KeyCode, KeyCodeError};
use metrics::Counter;
use store::{CommitError, TypedKey};

use crate::key_text::KeySlip;
use crate::trace::program;
use crate::{App, Error};

/// How long attempts are kept.
pub const KEPT_FOR: Duration = Duration::days(30);

/// How long the counts of ordinary yeses are kept: there are as many a day as there are programs in use.
pub const ORDINARY_KEPT_FOR: Duration = Duration::days(7);

/// As many locks: a question holds one of them for the time that a look into a table takes.
const SHARDS: usize = 64;

/// How many licenses are counted at once behind each lock, and how many attempts wait there.
const MOST_COUNTED: usize = 1_024;
const MOST_WAITING: usize = 256;

/// How many attempts of one license, and of all keys of a shop that open none, are kept one by one within an hour.
const SINGLE_OF_LICENSE: u32 = 20;
const SINGLE_OF_STRANGERS: u32 = 200;

/// What is counted is written when it is so old, or there is much of it.
const COUNTED_FOR: Duration = Duration::hours(1);
const ALIKE_FOR: Duration = Duration::minutes(1);

/// How many rows a commit writes, and a round of the worker.
const ROWS_A_COMMIT: usize = 250;
const ROWS_A_ROUND: usize = 2_000;

/// How many rows a commit deletes, and how many commits a round of the worker.
const FORGOTTEN_AT_ONCE: u32 = 1_000;
const ROUNDS_OF_FORGETTING: u32 = 200;

/// The longest name of a program, product or feature that is kept, in characters.
const LONGEST: usize = 120;

/// An answer, as it is known where it is given.
pub(crate) struct Told<'a> {
    pub(crate) shop: ShopId,
    pub(crate) kind: AttemptKind,
    pub(crate) verdict: AttemptVerdict,
    pub(crate) of: Whose<'a>,
    pub(crate) device: Option<&'a Fingerprint>,
    pub(crate) product: Option<String>,
    pub(crate) asked: Option<String>,
    pub(crate) at: Timestamp,
}

/// Which license an answer is about.
pub(crate) enum Whose<'a> {
    License(&'a License, Option<&'a Activation>),
    /// One whose key was replaced.
    Replaced(LicenseId),
    /// None has this key.
    Nobody(&'a KeyCode),
}

/// Ordinary yeses that are counted together.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Ordinary {
    shop: ShopId,
    license: LicenseId,
    kind: AttemptKind,
    day: i64,
}

#[derive(Clone, Copy)]
struct Counted {
    count: u32,
    first_at: Timestamp,
    last_at: Timestamp,
}

/// Whose attempts are counted against which limit.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Owner {
    License(LicenseId),
    Strangers(ShopId),
}

#[derive(Default)]
struct Shard {
    ordinary: HashMap<Ordinary, Counted>,
    /// To be written as they are.
    single: Vec<Attempt>,
    /// By the id that follows from what they have in common.
    alike: HashMap<AttemptId, Attempt>,
    /// How many were kept one by one within this hour.
    spent: HashMap<Owner, u32>,
    hour: i64,
}

impl Shard {
    /// Whether one more may be kept by itself.
    fn spend(&mut self, owner: Owner, at: Timestamp) -> bool {
        let hour = period(at, Duration::hours(1));
        if self.hour != hour || self.spent.len() >= MOST_COUNTED {
            (self.hour, self.spent) = (hour, HashMap::new());
        }
        let most = match owner {
            Owner::License(_) => SINGLE_OF_LICENSE,
            Owner::Strangers(_) => SINGLE_OF_STRANGERS,
        };
        let spent = self.spent.entry(owner).or_default();
        *spent = spent.saturating_add(1);
        *spent <= most && self.single.len() < MOST_WAITING
    }
}

/// What waits to be written.
pub(crate) struct Attempts {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    /// What found no room.
    lost: Counter,
    written: Counter,
}

impl Default for Attempts {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            lost: Counter::default(),
            written: Counter::default(),
        }
    }
}

impl Attempts {
    fn with<T>(&self, owner: Owner, work: impl FnOnce(&mut Shard) -> T) -> T {
        let hash = usize::try_from(self.hasher.hash_one(owner) % 64).unwrap_or_default();
        let mut shard = self.shards[hash].lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut shard)
    }

    /// Counts an ordinary yes.
    pub(crate) fn yes(&self, shop: ShopId, license: LicenseId, kind: AttemptKind, at: Timestamp) {
        let day = period(at, Duration::days(1));
        let ordinary = Ordinary { shop, license, kind, day };
        let is_lost = self.with(Owner::License(license), |shard| {
            let has_room = shard.ordinary.len() < MOST_COUNTED;
            if let Some(counted) = shard.ordinary.get_mut(&ordinary) {
                counted.count = counted.count.saturating_add(1);
                counted.last_at = counted.last_at.max(at);
                return false;
            }
            if has_room {
                shard.ordinary.insert(ordinary, Counted { count: 1, first_at: at, last_at: at });
            }
            !has_room
        });
        if is_lost {
            self.lost.count();
        }
    }

    /// Keeps an attempt by itself, or counts it to those that are alike where there are too many.
    fn keep(&self, attempt: Attempt) {
        let owner = attempt.license.map_or(Owner::Strangers(attempt.shop), Owner::License);
        let at = attempt.first_at;
        let is_lost = self.with(owner, |shard| {
            if shard.spend(owner, at) {
                shard.single.push(attempt);
                return false;
            }
            let attempt = alike(attempt);
            if let Some(known) = shard.alike.get_mut(&attempt.id) {
                known.count = known.count.saturating_add(1);
                known.last_at = known.last_at.max(at);
                (known.fingerprint, known.app) = (attempt.fingerprint, attempt.app);
                return false;
            }
            if shard.alike.len() >= MOST_WAITING {
                return true;
            }
            shard.alike.insert(attempt.id, attempt);
            false
        });
        if is_lost {
            self.lost.count();
        }
    }

    /// Takes out what is due at this moment, or everything.
    fn due(&self, now: Timestamp, everything: bool) -> Vec<Attempt> {
        let mut due = Vec::new();
        for shard in &self.shards {
            if due.len() >= ROWS_A_ROUND && !everything {
                break;
            }
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            due.append(&mut shard.single);
            let is_old = |first_at: Timestamp, age: Duration| everything || now.since(first_at) >= age;
            shard.alike.retain(|_, attempt| {
                let stays = !is_old(attempt.first_at, ALIKE_FOR);
                if !stays {
                    due.push(attempt.clone());
                }
                stays
            });
            let is_full = shard.ordinary.len() > MOST_COUNTED / 2;
            shard.ordinary.retain(|ordinary, counted| {
                let stays = !is_full && !is_old(counted.first_at, COUNTED_FOR);
                if !stays {
                    due.push(ordinary.attempt(*counted));
                }
                stays
            });
        }
        due.sort_unstable_by_key(|attempt| attempt.id);
        due
    }

    /// What was surely not written waits on.
    fn put_back(&self, attempts: Vec<Attempt>) {
        for attempt in attempts {
            let owner = attempt.license.map_or(Owner::Strangers(attempt.shop), Owner::License);
            let is_lost = self.with(owner, |shard| {
                let has_room = shard.single.len() < MOST_WAITING;
                if has_room {
                    shard.single.push(attempt);
                }
                !has_room
            });
            if is_lost {
                self.lost.count();
            }
        }
    }

    pub(crate) fn write(&self, out: &mut metrics::Exposition) {
        out.counter("latchkey_attempts_written_total", "Attempts of apps that were written, as rows.", &self.written);
        out.counter(
            "latchkey_attempts_lost_total",
            "Attempts of apps that were not kept for want of room.",
            &self.lost,
        );
    }
}

impl Ordinary {
    fn attempt(self, counted: Counted) -> Attempt {
        let Self { shop, license, kind, day } = self;
        let begin = Timestamp::from_microseconds(day.saturating_mul(Duration::days(1).as_microseconds()));
        let common = format!("{shop} {license} {} {day}", kind.as_str());
        Attempt {
            id: id_of(&common, begin),
            shop,
            license: Some(license),
            kind,
            verdict: AttemptVerdict::Valid,
            rule: Rule::AllHold,
            key_tail: None,
            key_hash: None,
            fingerprint: None,
            product: None,
            asked: None,
            app: None,
            count: counted.count,
            first_at: counted.first_at,
            last_at: counted.last_at,
        }
    }
}

/// The attempt as one of those of its hour that are alike. What tells them apart is the last one's.
fn alike(attempt: Attempt) -> Attempt {
    let hour = period(attempt.first_at, Duration::hours(1));
    let begin = Timestamp::from_microseconds(hour.saturating_mul(Duration::hours(1).as_microseconds()));
    let license = attempt.license.map(|id| id.to_string()).unwrap_or_default();
    let (kind, verdict, rule) = (attempt.kind.as_str(), attempt.verdict.as_str(), attempt.rule.as_str());
    let common = format!("{} {license} {kind} {verdict} {rule} {hour}", attempt.shop);
    let is_stranger = attempt.license.is_none();
    Attempt {
        id: id_of(&common, begin),
        // Of many keys no single one is told.
        key_tail: attempt.key_tail.filter(|_| !is_stranger),
        key_hash: attempt.key_hash.filter(|_| !is_stranger),
        ..attempt
    }
}

/// The same id for the same text, whichever node counts.
fn id_of(common: &str, begin: Timestamp) -> AttemptId {
    let mut seed = [0; 32];
    seed.copy_from_slice(digest::digest(&digest::SHA256, common.as_bytes()).as_ref());
    AttemptId::mint(begin, &mut Rng::from_seed(seed))
}

fn period(at: Timestamp, length: Duration) -> i64 {
    at.as_microseconds().div_euclid(length.as_microseconds())
}

/// A text that a program sent, short and without what must not be kept.
fn short(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|character| !character.is_control()).take(LONGEST).collect();
    let text = mask_card_numbers(text.trim());
    (!text.is_empty()).then_some(text)
}

impl App {
    /// Keeps what was asked and told.
    pub(crate) fn note(&self, told: Told<'_>) {
        let Told { shop, kind, verdict, of, device, product, asked, at } = told;
        let (license, rule, key) = match of {
            Whose::License(license, seat) => {
                (Some(license.id), license.deciding_rule(verdict, seat, at), TypedKey::default())
            }
            Whose::Replaced(license) => (Some(license), Rule::KeyReplaced, TypedKey::default()),
            Whose::Nobody(key) => (None, Rule::KeyKnown, self.store.typed_key(&key.to_string())),
        };
        self.attempts.keep(Attempt {
            license,
            key_tail: key.tail,
            key_hash: key.hash,
            fingerprint: device.cloned(),
            product: product.as_deref().and_then(short),
            asked: asked.as_deref().and_then(short),
            ..self.attempt(shop, kind, verdict, rule, at)
        });
    }

    /// Keeps that an app came with a text that is no key.
    pub fn note_mistyped_key(
        &self,
        shop: ShopId,
        kind: AttemptKind,
        typed: &str,
        slip: KeySlip,
        device: Option<&Fingerprint>,
    ) {
        let asked = match slip {
            KeySlip::Mistyped(KeyCodeError::WrongLength { found }) => format!("{} {found}", slip.code()),
            KeySlip::Mistyped(KeyCodeError::BadSymbol { position, .. }) => format!("{} {position}", slip.code()),
            KeySlip::Mistyped(KeyCodeError::Empty | KeyCodeError::WrongCheckSymbols)
            | KeySlip::NotGenuine(_)
            | KeySlip::OfNobody => slip.code().to_owned(),
        };
        let (verdict, rule) = match slip {
            KeySlip::Mistyped(_) => (AttemptVerdict::Unknown, Rule::KeyForm),
            KeySlip::NotGenuine(_) => (AttemptVerdict::KeyNotGenuine, Rule::KeySignature),
            KeySlip::OfNobody => (AttemptVerdict::Unknown, Rule::KeyKnown),
        };
        let TypedKey { tail, hash } = self.store.typed_key(typed);
        self.attempts.keep(Attempt {
            key_tail: tail,
            key_hash: hash,
            fingerprint: device.cloned(),
            asked: Some(asked),
            ..self.attempt(shop, kind, verdict, rule, self.clock.now())
        });
    }

    /// Keeps that an app of another system came with a key that nobody has.
    pub fn note_unknown_key(&self, shop: ShopId, typed: &str) {
        let TypedKey { tail, hash } = self.store.typed_key(typed);
        let (verdict, rule) = match self.slip_of(typed) {
            Some(KeySlip::NotGenuine(_)) => (AttemptVerdict::KeyNotGenuine, Rule::KeySignature),
            Some(KeySlip::Mistyped(_) | KeySlip::OfNobody) | None => (AttemptVerdict::Unknown, Rule::KeyKnown),
        };
        let attempt = self.attempt(shop, AttemptKind::Validate, verdict, rule, self.clock.now());
        self.attempts.keep(Attempt { key_tail: tail, key_hash: hash, ..attempt });
    }

    /// An attempt of whoever asks now, about nothing yet.
    fn attempt(&self, shop: ShopId, kind: AttemptKind, verdict: AttemptVerdict, rule: Rule, at: Timestamp) -> Attempt {
        Attempt {
            id: AttemptId::mint(at, &mut self.entropy.rng()),
            shop,
            license: None,
            kind,
            verdict,
            rule,
            key_tail: None,
            key_hash: None,
            fingerprint: None,
            product: None,
            asked: None,
            app: program().as_deref().and_then(short),
            count: 1,
            first_at: at,
            last_at: at,
        }
    }

    /// Writes what is due, or everything before the process ends. Gives how many rows that were.
    ///
    /// # Errors
    /// When the store does not answer; what was surely not written waits on.
    pub async fn write_attempts(&self, everything: bool) -> Result<usize, Error> {
        let mut due = self.attempts.due(self.clock.now(), everything);
        let mut written = 0;
        while !due.is_empty() {
            let rest = due.split_off(due.len().min(ROWS_A_COMMIT));
            let changes = Changes { attempts: due, ..Changes::default() };
            if let Err(error) = self.store.commit(&changes).await {
                // What may have been written would be counted twice.
                let surely_not = match &error {
                    CommitError::Unknown(_) => Vec::new(),
                    CommitError::Unavailable(_) | CommitError::Conflict { .. } => changes.attempts,
                };
                self.attempts.put_back(surely_not.into_iter().chain(rest).collect());
                return Err(error.into());
            }
            written += changes.attempts.len();
            due = rest;
        }
        self.attempts.written.add(u64::try_from(written).unwrap_or_default());
        Ok(written)
    }

    /// Forgets attempts that are older than they are kept, in batches, until there are none or a round is over.
    ///
    /// # Errors
    /// When the store does not answer; the next round goes on.
    pub async fn forget_old_attempts(&self) -> Result<(), Error> {
        let now = self.clock.now();
        let (before, ordinary) = (now.before(KEPT_FOR), now.before(ORDINARY_KEPT_FOR));
        for shop in self.shops().await {
            for _ in 0..ROUNDS_OF_FORGETTING {
                if !self.store.forget_attempts(shop.id, before, ordinary, FORGOTTEN_AT_ONCE).await? {
                    break;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
