//! Places for requests of one class, shared fairly between those who ask.
//!
//! A place that gets free goes to whoever holds fewest of those who wait, and
//! when the waiting room is full, whoever has most in it loses the last that
//! came. So a shop in a storm gets what others leave, and no more.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use metrics::Gauge;
use tokio::sync::oneshot;

use crate::limits::Budget;

/// Who shares: a shop, or an API key. Whoever is not known shares one.
pub(crate) type Sharer = u128;

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// As many wait as may.
    Full,
    /// None got free in time.
    TooLate,
}

impl NoPlace {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::TooLate => "too_late",
        }
    }
}

/// The places of one class.
pub(crate) struct Places {
    budget: Budget,
    /// How many of the places one sharer may hold: the rest is kept for others.
    share: usize,
    patience: Duration,
    load: Load,
    state: Mutex<State>,
}

/// How many places are taken, and how many wait for one, for whoever watches.
#[derive(Default)]
pub(crate) struct Load {
    pub(crate) busy: Arc<Gauge>,
    pub(crate) waiting: Arc<Gauge>,
}

#[derive(Default)]
struct State {
    taken: usize,
    waiting: usize,
    tickets: u64,
    sharers: HashMap<Sharer, Line>,
}

#[derive(Default)]
struct Line {
    held: usize,
    waiting: VecDeque<(u64, oneshot::Sender<Place>)>,
}

/// A place. It is free again when this is dropped.
pub(crate) struct Place {
    places: Arc<Places>,
    sharer: Sharer,
}

impl Drop for Place {
    fn drop(&mut self) {
        let granted = {
            let mut state = self.places.lock();
            state.taken = state.taken.saturating_sub(1);
            if let Some(line) = state.sharers.get_mut(&self.sharer) {
                line.held = line.held.saturating_sub(1);
            }
            state.forget(self.sharer);
            let granted = self.places.grant(&mut state);
            self.places.tell(&state);
            granted
        };
        // Whoever has gone away meanwhile drops the place, which frees it again.
        if let Some((sender, sharer)) = granted {
            let _ = sender.send(Place { places: Arc::clone(&self.places), sharer });
        }
    }
}

/// Somebody in the waiting room, until a place comes or they go.
struct Waiter<'a> {
    places: &'a Arc<Places>,
    sharer: Sharer,
    ticket: u64,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut state = self.places.lock();
        let Some(line) = state.sharers.get_mut(&self.sharer) else { return };
        let before = line.waiting.len();
        line.waiting.retain(|(ticket, _)| *ticket != self.ticket);
        let left = before - line.waiting.len();
        state.waiting -= left;
        state.forget(self.sharer);
        self.places.tell(&state);
    }
}

impl Places {
    pub(crate) fn new(budget: Budget, patience: Duration, load: Load) -> Arc<Self> {
        let places = budget.places.max(1);
        // With fewer than four places there is nothing to keep back.
        let share = places - places / 4;
        let budget = Budget { places, ..budget };
        Arc::new(Self { budget, share, patience, load, state: Mutex::default() })
    }

    /// A place for a request of this sharer, at once or after waiting.
    pub(crate) async fn take(self: &Arc<Self>, sharer: Sharer) -> Result<Place, NoPlace> {
        let (ticket, granted) = {
            let mut state = self.lock();
            let held = state.sharers.get(&sharer).map_or(0, |line| line.held);
            // Those who wait although a place is free have had their share.
            if state.taken < self.budget.places && held < self.share {
                state.taken += 1;
                state.sharers.entry(sharer).or_default().held += 1;
                self.tell(&state);
                return Ok(Place { places: Arc::clone(self), sharer });
            }
            if state.waiting >= self.budget.waiting && !state.make_room(sharer) {
                return Err(NoPlace::Full);
            }
            let (sender, granted) = oneshot::channel();
            state.tickets += 1;
            state.waiting += 1;
            let ticket = state.tickets;
            state.sharers.entry(sharer).or_default().waiting.push_back((ticket, sender));
            self.tell(&state);
            (ticket, granted)
        };
        let _waiter = Waiter { places: self, sharer, ticket };
        match tokio::time::timeout(self.patience, granted).await {
            Ok(Ok(place)) => Ok(place),
            // Somebody who had fewer waiting needed the room.
            Ok(Err(_)) => Err(NoPlace::Full),
            Err(_) => Err(NoPlace::TooLate),
        }
    }

    fn tell(&self, state: &State) {
        let told = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        self.load.busy.set(told(state.taken));
        self.load.waiting.set(told(state.waiting));
    }

    /// Takes a free place for whoever is to have it.
    fn grant(&self, state: &mut State) -> Option<(oneshot::Sender<Place>, Sharer)> {
        if state.waiting == 0 || state.taken >= self.budget.places {
            return None;
        }
        let waits = |line: &Line| line.waiting.front().map(|(ticket, _)| (line.held, *ticket));
        let (_, sharer) = state
            .sharers
            .iter()
            .filter(|(_, line)| line.held < self.share)
            .filter_map(|(sharer, line)| Some((waits(line)?, *sharer)))
            .min()?;
        let line = state.sharers.get_mut(&sharer)?;
        let (_, sender) = line.waiting.pop_front()?;
        line.held += 1;
        state.taken += 1;
        state.waiting -= 1;
        Some((sender, sharer))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can be left half done by a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Sends away the last that came of whoever has most waiting; false when that is the one who asks.
    fn make_room(&mut self, sharer: Sharer) -> bool {
        let own = self.sharers.get(&sharer).map_or(0, |line| line.waiting.len());
        let Some((_, longest)) = self.sharers.iter_mut().max_by_key(|(_, line)| line.waiting.len()) else {
            return false;
        };
        if longest.waiting.len() <= own + 1 {
            return false;
        }
        // The dropped sender tells them.
        longest.waiting.pop_back();
        self.waiting -= 1;
        true
    }

    fn forget(&mut self, sharer: Sharer) {
        if self.sharers.get(&sharer).is_some_and(|line| line.held == 0 && line.waiting.is_empty()) {
            self.sharers.remove(&sharer);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use futures::FutureExt as _;

    const FOREVER: Duration = Duration::from_secs(3_600);

    fn places(places: usize, waiting: usize) -> Arc<Places> {
        Places::new(Budget { places, waiting }, FOREVER, Load::default())
    }

    fn load(places: &Places) -> (u64, u64) {
        (places.load.busy.get(), places.load.waiting.get())
    }

    async fn held(places: &Arc<Places>, sharer: Sharer, count: usize) -> Vec<Place> {
        let mut held = Vec::new();
        for _ in 0..count {
            held.push(places.take(sharer).await.unwrap());
        }
        held
    }

    #[tokio::test]
    async fn one_sharer_leaves_a_quarter_to_others_and_the_first_in_line_is_next() {
        let places = places(4, 10);
        let mut storm = held(&places, 1, 3).await;
        let mut next = Box::pin(places.take(1));
        assert!(next.as_mut().now_or_never().is_none(), "the last place is for others");
        let other = places.take(2).await.unwrap();
        assert_eq!(load(&places), (4, 1));
        drop(other);
        assert!(next.as_mut().now_or_never().is_none(), "still the share of others");
        storm.pop();
        assert!(next.as_mut().now_or_never().is_some_and(|place| place.is_ok()));
    }

    #[tokio::test]
    async fn a_free_place_goes_to_whoever_holds_fewest() {
        let places = places(4, 10);
        let mut storm = held(&places, 1, 3).await;
        let _third = places.take(3).await.unwrap();
        let mut first = Box::pin(places.take(1));
        assert!(first.as_mut().now_or_never().is_none());
        let mut second = Box::pin(places.take(2));
        assert!(second.as_mut().now_or_never().is_none());
        storm.pop();
        assert!(first.as_mut().now_or_never().is_none(), "came first, and holds more");
        assert!(second.as_mut().now_or_never().is_some_and(|place| place.is_ok()));
    }

    #[tokio::test]
    async fn a_full_room_sends_away_the_last_of_the_longest_line_and_never_who_has_fewer() {
        let places = places(1, 3);
        let _held = places.take(9).await.unwrap();
        let mut storm: Vec<_> = (0..3).map(|_| Box::pin(places.take(1))).collect();
        for waiting in &mut storm {
            assert!(waiting.as_mut().now_or_never().is_none());
        }
        assert_eq!(places.take(1).await.err(), Some(NoPlace::Full), "the storm gets no more room");
        let mut other = Box::pin(places.take(2));
        assert!(other.as_mut().now_or_never().is_none(), "somebody else does");
        assert_eq!(storm[2].as_mut().now_or_never().unwrap().err(), Some(NoPlace::Full));
        assert!(storm[1].as_mut().now_or_never().is_none());
        assert_eq!(load(&places), (1, 3));
    }

    #[tokio::test]
    async fn whoever_goes_away_leaves_nothing_behind() {
        let places = places(1, 10);
        let only = places.take(1).await.unwrap();
        let mut gone = Box::pin(places.take(2));
        assert!(gone.as_mut().now_or_never().is_none());
        drop(gone);
        assert_eq!(load(&places), (1, 0));
        // Granted, and gone before it was taken up.
        let mut late = Box::pin(places.take(3));
        assert!(late.as_mut().now_or_never().is_none());
        drop(only);
        assert_eq!(load(&places), (1, 0));
        drop(late);
        assert_eq!(load(&places), (0, 0));
        assert!(places.lock().sharers.is_empty());
    }

    #[tokio::test]
    async fn who_waits_too_long_is_told_so() {
        let places = Places::new(Budget { places: 1, waiting: 10 }, Duration::from_millis(1), Load::default());
        let _held = places.take(1).await.unwrap();
        assert_eq!(places.take(2).await.err(), Some(NoPlace::TooLate));
        assert_eq!(load(&places), (1, 0));
    }
}
