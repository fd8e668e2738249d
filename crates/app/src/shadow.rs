//! The old system beside us: asked what apps ask, and held against what we would have said.
//!
//! What differs is folded in memory, as attempts are, and written by a worker.
//! An old system that gives no answer is left alone for a while, so that who
//! waits for it does not take the places of everybody else.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{
    ActivationId, Changes, Contrast, DifferenceKind, Duration, ForeignId, ForeignSystem, LicenseId, ShadowCount,
    ShadowDifference, ShadowOutcome, ShopId, Timestamp,
};
use gateways::{HttpRequest, HttpResponse};
use metrics::{Counter, Family};
use store::CommitError;
use tokio::task::JoinHandle;

use crate::{App, Error, trace};

/// How many places wait to be written; one more is not told.
const MOST_WAITING: usize = 2_000;

/// How many rows a commit writes.
const ROWS_A_COMMIT: usize = 250;

/// After how many silences in a row an old system is left alone, and for how long.
const SILENCES: u32 = 3;
const RESTS_FOR: Duration = Duration::seconds(30);

/// Where answers differ: one row.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Spot {
    shop: ShopId,
    system: ForeignSystem,
    call: String,
    pointer: String,
    kind: DifferenceKind,
}

#[derive(Clone, Copy, Default)]
struct Silence {
    in_a_row: u32,
    /// Before that it is not asked; `None`: it is asked.
    until: Option<Timestamp>,
}

#[derive(Default)]
struct Waiting {
    differences: HashMap<Spot, ShadowDifference>,
    counts: HashMap<(ShopId, ForeignSystem, ShadowOutcome), ShadowCount>,
    silences: HashMap<(ShopId, ForeignSystem), Silence>,
}

impl Waiting {
    fn differ(&mut self, difference: ShadowDifference) -> bool {
        let ShadowDifference { shop, system, kind, .. } = difference;
        let (call, pointer) = (difference.call.clone(), difference.pointer.clone());
        let has_room = self.differences.len() < MOST_WAITING;
        let spot = Spot { shop, system, call, pointer, kind };
        match self.differences.get_mut(&spot) {
            Some(known) => {
                let (times, first_at) = (known.times + difference.times, known.first_at.min(difference.first_at));
                *known = ShadowDifference { times, first_at, ..difference };
                true
            }
            None if has_room => {
                self.differences.insert(spot, difference);
                true
            }
            None => false,
        }
    }

    fn count(&mut self, count: ShadowCount) {
        let key = (count.shop, count.system, count.outcome);
        match self.counts.get_mut(&key) {
            Some(known) => {
                known.times += count.times;
                known.first_at = known.first_at.min(count.first_at);
                known.last_at = known.last_at.max(count.last_at);
            }
            None => {
                self.counts.insert(key, count);
            }
        }
    }
}

/// What was compared and waits to be written.
pub(crate) struct Shadows {
    waiting: Mutex<Waiting>,
    answers: Family<Counter, 2>,
    /// What found no room.
    lost: Counter,
}

impl Default for Shadows {
    fn default() -> Self {
        let answers = Family::new(["system", "outcome"], Counter::default);
        Self { waiting: Mutex::default(), answers, lost: Counter::default() }
    }
}

impl Shadows {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an old system is to be asked. One that was silent is tried by one question when its rest is over.
    fn may_ask(&self, shop: ShopId, system: ForeignSystem, now: Timestamp) -> bool {
        let mut waiting = self.waiting();
        let Some(silence) = waiting.silences.get_mut(&(shop, system)) else { return true };
        match silence.until {
            Some(until) if now < until => false,
            Some(_) => {
                silence.until = Some(now.after(RESTS_FOR));
                true
            }
            None => true,
        }
    }

    fn heard(&self, shop: ShopId, system: ForeignSystem, has_spoken: bool, now: Timestamp) {
        let mut waiting = self.waiting();
        if has_spoken {
            waiting.silences.remove(&(shop, system));
            return;
        }
        let silence = waiting.silences.entry((shop, system)).or_default();
        silence.in_a_row = silence.in_a_row.saturating_add(1);
        if silence.in_a_row >= SILENCES {
            silence.until = Some(now.after(RESTS_FOR));
        }
    }

    pub(crate) fn write(&self, out: &mut metrics::Exposition) {
        let help = "Answers to apps that were held against those of an old system.";
        out.counters("latchkey_shadow_answers_total", help, &self.answers);
        let help = "Differences to an old system that were not kept for want of room.";
        out.counter("latchkey_shadow_differences_lost_total", help, &self.lost);
    }
}

impl App {
    /// Asks an old system what an app asked. `None`: it gave no answer in time, or one that says that it cannot.
    pub async fn ask_old_system(
        &self,
        shop: ShopId,
        system: ForeignSystem,
        request: HttpRequest,
        patience: std::time::Duration,
    ) -> Option<HttpResponse> {
        if !self.shadows.may_ask(shop, system, self.clock.now()) {
            return None;
        }
        let answered = tokio::time::timeout(patience, self.http.send(request)).await;
        self.shadows.heard(shop, system, matches!(answered, Ok(Ok(_))), self.clock.now());
        let system = system.as_str();
        match answered {
            Ok(Ok(response)) if response.status < 500 => return Some(response),
            Ok(Ok(response)) => tracing::warn!(system, status = response.status, "the old system cannot answer"),
            Ok(Err(error)) => tracing::warn!(system, %error, "the old system does not answer"),
            Err(_) => tracing::warn!(system, "the old system does not answer in time"),
        }
        None
    }

    /// Notes how a comparison ended: `None`, the old system gave no answer; else what differs.
    pub fn note_shadow(&self, shop: ShopId, system: ForeignSystem, call: &str, found: Option<Vec<Contrast>>) {
        let now = self.clock.now();
        let outcome = match &found {
            None => ShadowOutcome::Unanswered,
            Some(found) if found.is_empty() => ShadowOutcome::Equal,
            Some(_) => ShadowOutcome::Different,
        };
        self.shadows.answers.at([system.as_str(), outcome.as_str()], Counter::count);
        let mut waiting = self.shadows.waiting();
        waiting.count(ShadowCount { shop, system, outcome, times: 1, first_at: now, last_at: now });
        for Contrast { pointer, kind, ours, theirs } in found.unwrap_or_default() {
            let call = call.to_owned();
            let (times, first_at, last_at) = (1, now, now);
            let difference =
                ShadowDifference { shop, system, call, pointer, kind, ours, theirs, times, first_at, last_at };
            if !waiting.differ(difference) {
                self.shadows.lost.count();
            }
        }
    }

    /// Keeps the id that an old system gave a device, so that the app finds its seat by it.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn keep_seat_id(
        &self,
        shop: ShopId,
        system: ForeignSystem,
        id: &str,
        license: LicenseId,
        seat: ActivationId,
    ) -> Result<(), Error> {
        let foreign = ForeignId { shop, system, id: id.to_owned(), license, activation: Some(seat) };
        match self.store.commit(&Changes { foreign_ids: vec![foreign], ..Changes::default() }).await {
            // It is known already: the app asked again.
            Ok(()) | Err(CommitError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes what was compared. Gives how many rows that were.
    ///
    /// # Errors
    /// When the store does not answer; what was surely not written waits on.
    pub async fn write_shadows(&self) -> Result<usize, Error> {
        let (mut differences, mut counts): (Vec<_>, Vec<_>) = {
            let mut waiting = self.shadows.waiting();
            let differences = waiting.differences.drain().map(|(_, difference)| difference).collect();
            (differences, waiting.counts.drain().map(|(_, count)| count).collect())
        };
        let mut written = 0;
        while !differences.is_empty() || !counts.is_empty() {
            let rest = differences.split_off(differences.len().min(ROWS_A_COMMIT));
            let changes = Changes { shadow_differences: differences, shadow_counts: counts, ..Changes::default() };
            if let Err(error) = self.store.commit(&changes).await {
                // What may have been written would be counted twice.
                let (differences, counts) = match &error {
                    CommitError::Unknown(_) => (Vec::new(), Vec::new()),
                    CommitError::Unavailable(_) | CommitError::Conflict { .. } => {
                        (changes.shadow_differences, changes.shadow_counts)
                    }
                };
                let mut waiting = self.shadows.waiting();
                counts.into_iter().for_each(|count| waiting.count(count));
                for difference in differences.into_iter().chain(rest) {
                    if !waiting.differ(difference) {
                        self.shadows.lost.count();
                    }
                }
                return Err(error.into());
            }
            written += changes.shadow_differences.len() + changes.shadow_counts.len();
            (differences, counts) = (rest, Vec::new());
        }
        Ok(written)
    }

    /// Starts work that goes on when whoever asked is gone, and that the way down waits for.
    pub fn behind<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        let held = self.hold();
        tokio::spawn(trace::carried(async move {
            let done = work.await;
            drop(held);
            done
        }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use domain::Rng;

    use super::*;

    const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn difference(pointer: &str, ours: &str, at: Timestamp) -> ShadowDifference {
        ShadowDifference {
            shop: ShopId::mint(START, &mut Rng::from_seed([1; 32])),
            system: ForeignSystem::Dodo,
            call: "POST /licenses/validate".to_owned(),
            pointer: pointer.to_owned(),
            kind: DifferenceKind::OtherValue,
            ours: Some(ours.to_owned()),
            theirs: None,
            times: 1,
            first_at: at,
            last_at: at,
        }
    }

    #[test]
    fn what_differs_at_one_place_is_counted_in_one_row_and_the_memory_has_an_end() {
        let mut waiting = Waiting::default();
        assert!(waiting.differ(difference("/valid", "true", START)));
        assert!(waiting.differ(difference("/valid", "null", START.after(Duration::seconds(9)))));
        let known = waiting.differences.values().next().unwrap();
        assert_eq!((known.times, known.ours.as_deref(), known.first_at), (2, Some("null"), START));
        assert_eq!(known.last_at, START.after(Duration::seconds(9)));
        let kept = (0..MOST_WAITING).filter(|place| waiting.differ(difference(&format!("/{place}"), "1", START)));
        assert_eq!(kept.count(), MOST_WAITING - 1);
        assert!(waiting.differ(difference("/valid", "true", START)), "what is known is counted on all the same");
    }

    #[test]
    fn an_old_system_that_is_silent_rests_and_is_tried_by_one_question() {
        let (shadows, shop) = (Shadows::default(), ShopId::mint(START, &mut Rng::from_seed([1; 32])));
        let system = ForeignSystem::Polar;
        let may_ask = |seconds: i64| shadows.may_ask(shop, system, START.after(Duration::seconds(seconds)));
        let heard = |has_spoken, seconds: i64| {
            shadows.heard(shop, system, has_spoken, START.after(Duration::seconds(seconds)));
        };
        (0..SILENCES - 1).for_each(|_| heard(false, 0));
        assert!(may_ask(0), "twice may be chance");
        heard(true, 0);
        (0..SILENCES - 1).for_each(|_| heard(false, 0));
        assert!(may_ask(0), "only what follows on each other counts");
        heard(false, 0);
        assert!(!may_ask(0) && !may_ask(29));
        assert!(shadows.may_ask(shop, ForeignSystem::Edd, START), "another is another");
        assert!(may_ask(30), "one question");
        assert!(!may_ask(31), "and no second one");
        heard(true, 32);
        assert!(may_ask(32) && may_ask(32));
    }
}
