//! What apps ask all day, kept in memory as long as it is what is stored.
//!
//! Where all commits of a database go through one engine, the engine notes
//! which rows they touch, and what was read of a row is good until then: not a
//! time to live, but a proof. An engine that others write beside, as many
//! nodes do on PostgreSQL, has nothing to note, and every question is read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::{Fingerprint, ShopId};
use metrics::{Counter, Exposition, Family};
use quick_cache::sync::Cache;

use crate::license::HASH_BYTES;
use crate::{SeatView, Statement, Value};

/// How many answers are kept: a few tens of MiB at most, and more than apps of a large shop ask about in a minute.
const ANSWERS: usize = 32_768;

/// How many bytes of text an answer may hold to be kept: far more than apps send, and far less than they could.
const LONGEST: usize = 2_048;

/// Rows share places; who shares one with a row that is written is read once more than needed.
const PLACES: usize = 1 << 16;

/// What statements are about whose rows are remembered: everything that writes a license or a seat says one of these.
pub(crate) const HEARD: [&str; 2] = ["license", "activation"];

/// A row of this place is being written: what is read now may be of before or of after.
const BEING_WRITTEN: u64 = u64::MAX;

/// Which licenses and seats were written when, by a clock that counts commits.
#[derive(Debug)]
pub struct Touched {
    clock: AtomicU64,
    /// What was read before this is not good any more, whatever it is.
    all: AtomicU64,
    places: Box<[AtomicU64]>,
}

impl Default for Touched {
    fn default() -> Self {
        Self {
            clock: AtomicU64::new(0),
            all: AtomicU64::new(0),
            places: (0..PLACES).map(|_| AtomicU64::new(0)).collect(),
        }
    }
}

impl Touched {
    /// To be called before anybody can see what `statements` write; the places are to be given to [`Self::written`].
    pub(crate) fn writing<'a>(&self, statements: impl Iterator<Item = &'a Statement>) -> Vec<usize> {
        let mut places = Vec::new();
        for statement in statements.filter(|statement| HEARD.contains(&statement.what)) {
            for value in &statement.values {
                match value {
                    Value::Text(id) if id.starts_with("lic_") || id.starts_with("act_") => places.push(place(id)),
                    Value::Text(_) | Value::Null | Value::Integer(_) | Value::Bytes(_) | Value::Flag(_) => {}
                }
            }
        }
        for place in &places {
            self.places[*place].store(BEING_WRITTEN, Ordering::SeqCst);
        }
        places
    }

    /// To be called when everybody sees what was written, or nobody ever will.
    pub(crate) fn written(&self, places: &[usize]) {
        if places.is_empty() {
            return;
        }
        let now = self.clock.fetch_add(1, Ordering::SeqCst) + 1;
        for place in places {
            self.places[*place].store(now, Ordering::SeqCst);
        }
    }

    /// Somebody else wrote, or nobody knows what was written: nothing that was read is good any more.
    pub(crate) fn everything(&self) {
        let now = self.clock.fetch_add(1, Ordering::SeqCst) + 1;
        self.all.store(now, Ordering::SeqCst);
    }

    /// The time, to be asked for before something is read that is to be kept.
    fn now(&self) -> u64 {
        self.clock.load(Ordering::SeqCst)
    }

    fn is_good(&self, read_at: u64, places: &[usize]) -> bool {
        self.all.load(Ordering::SeqCst) <= read_at
            && places.iter().all(|place| self.places[*place].load(Ordering::SeqCst) <= read_at)
    }
}

/// The last digits of an id are random.
fn place(id: &str) -> usize {
    id.bytes().rev().take(13).fold(0_usize, |place, digit| (place << 5) ^ (place >> 11) ^ usize::from(digit)) % PLACES
}

/// What an app asks: the keyed hash of the key, and the device.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Asked {
    pub(crate) shop: ShopId,
    pub(crate) key_hash: [u8; HASH_BYTES],
    pub(crate) device: Option<Fingerprint>,
}

/// What was read, and until when it is good.
#[derive(Debug)]
struct Kept {
    view: Arc<SeatView>,
    read_at: u64,
    places: Vec<usize>,
}

/// Answers that were read before. A key that nobody has is not among them: there are too many of those.
pub(crate) struct Memory {
    answers: Cache<Asked, Arc<Kept>>,
    reads: Family<Counter, 1>,
}

impl Default for Memory {
    fn default() -> Self {
        Self { answers: Cache::new(ANSWERS), reads: Family::new(["from"], Counter::default) }
    }
}

/// Taken before reading, so that what is kept is never said to be newer than it is.
pub(crate) struct ReadAt(u64);

impl Memory {
    pub(crate) fn get(&self, asked: &Asked, touched: &Touched) -> Result<Arc<SeatView>, ReadAt> {
        match self.answers.get(asked) {
            Some(kept) if touched.is_good(kept.read_at, &kept.places) => {
                self.reads.at(["memory"], Counter::count);
                Ok(Arc::clone(&kept.view))
            }
            stale => {
                if stale.is_some() {
                    self.answers.remove(asked);
                }
                self.count_read();
                Err(ReadAt(touched.now()))
            }
        }
    }

    pub(crate) fn keep(&self, asked: Asked, view: &Arc<SeatView>, ReadAt(read_at): ReadAt) {
        // Leases end by themselves: how many are over is counted anew each time.
        let has_leases = view.license.policy.seating.lease_seconds.is_some();
        // Devices without a seat are without number: whoever makes them up would push out those that have one.
        let is_stranger = asked.device.is_some() && view.activation.is_none();
        if has_leases || is_stranger || size(view) > LONGEST {
            return;
        }
        let seat = view.activation.as_ref().map(|seat| place(&seat.id.to_string()));
        let places = std::iter::once(place(&view.license.id.to_string())).chain(seat).collect();
        self.answers.insert(asked, Arc::new(Kept { view: Arc::clone(view), read_at, places }));
    }

    /// A question was answered from the rows.
    pub(crate) fn count_read(&self) {
        self.reads.at(["database"], Counter::count);
    }

    pub(crate) fn write(&self, exposition: &mut Exposition) {
        exposition.counters(
            "latchkey_store_seat_reads_total",
            "Questions of apps about a key, by where the license was read from.",
            &self.reads,
        );
    }
}

/// The texts of a view that somebody outside has a say in, in bytes.
fn size(view: &SeatView) -> usize {
    let entries =
        |map: &BTreeMap<String, String>| map.iter().map(|(name, text)| name.len() + text.len()).sum::<usize>();
    let policy = &view.license.policy;
    let features = policy.features.iter().map(String::len).sum::<usize>();
    let values = policy.feature_values.keys().map(String::len).sum::<usize>();
    let seat = view.activation.as_ref().map_or(0, |seat| {
        let names = [&seat.name, &seat.label].into_iter().flatten().map(String::len).sum::<usize>();
        2 * seat.fingerprint.as_str().len() + names + entries(&seat.metadata) + entries(&seat.components)
    });
    features + values + seat
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Expect;

    fn write(what: &'static str, id: &str) -> Statement {
        Statement { sql: "", values: vec![Value::Text(id.to_owned())], expect: Expect::Any, what }
    }

    /// What happens between reading a row and asking about it again, and whether what was read is still good.
    #[test]
    fn what_was_read_is_good_until_its_row_is_touched() {
        const OWN: &str = "lic_06f3v9k2m8x4c7w1p5t0r3n6ga";
        const OTHER: &str = "lic_06f3v9k2m8x4c7w1p5t0r3n6gb";
        fn written(touched: &Touched, what: &'static str, id: &str) {
            let statement = write(what, id);
            let places = touched.writing(std::iter::once(&statement));
            touched.written(&places);
        }
        type Happening = (&'static str, &'static dyn Fn(&Touched), bool);
        let cases: &[Happening] = &[
            ("nothing", &|_| {}, true),
            ("its row is written", &|touched| written(touched, "license", OWN), false),
            ("another row is written", &|touched| written(touched, "license", OTHER), true),
            ("a seat names it", &|touched| written(touched, "activation", OWN), false),
            ("an event names it", &|touched| written(touched, "event", OWN), true),
            ("somebody else writes", &|touched| touched.everything(), false),
            (
                "its row is being written",
                &|touched| {
                    let statement = write("license", OWN);
                    touched.writing(std::iter::once(&statement));
                },
                false,
            ),
        ];
        for (between, happens, is_good) in cases {
            let touched = Touched::default();
            let read_at = touched.now();
            happens(&touched);
            assert_eq!(touched.is_good(read_at, &[place(OWN)]), *is_good, "{between}");
        }
    }

    #[test]
    fn what_is_read_after_a_write_is_good_and_what_was_read_during_it_is_not() {
        let touched = Touched::default();
        let statement = write("license", "lic_1");
        let places = touched.writing(std::iter::once(&statement));
        let during = touched.now();
        touched.written(&places);
        assert!(!touched.is_good(during, &places));
        assert!(touched.is_good(touched.now(), &places));
    }

    #[test]
    fn ids_are_spread_over_the_places() {
        let mut rng = domain::Rng::from_seed([3; 32]);
        let now = domain::Timestamp::from_microseconds(0);
        let mut places: Vec<usize> =
            (0..1_000).map(|_| place(&domain::LicenseId::mint(now, &mut rng).to_string())).collect();
        places.sort_unstable();
        places.dedup();
        assert!(places.len() > 980, "{} places for 1,000 ids", places.len());
    }
}
