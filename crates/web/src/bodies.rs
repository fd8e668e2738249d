//! The bodies of one class of requests, as long as they are in memory.
//!
//! When there is no room for more, whoever has been sending for longest is sent away: a real caller's body is there in
//! a moment, so those who hold their bodies back lose them first.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// What the bodies of one class may take, and take.
pub(crate) struct Bodies {
    limit: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    bytes: usize,
    tickets: u64,
    /// Those that are not whole yet, oldest first: what they take, and who is told when they have to go.
    arriving: BTreeMap<u64, (usize, oneshot::Sender<()>)>,
}

/// A body, until it is dropped.
pub(crate) struct Held {
    bodies: Arc<Bodies>,
    ticket: u64,
    /// What it takes, once it is whole.
    whole: usize,
}

impl Bodies {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, state: Mutex::default() })
    }

    /// A body that begins to arrive, and what is closed when it has to go.
    pub(crate) fn begin(self: &Arc<Self>) -> (Held, oneshot::Receiver<()>) {
        let (sender, sent_away) = oneshot::channel();
        let mut state = self.lock();
        state.tickets += 1;
        let ticket = state.tickets;
        state.arriving.insert(ticket, (0, sender));
        (Held { bodies: Arc::clone(self), ticket, whole: 0 }, sent_away)
    }

    /// A body that is there at once; `None`: there is no room for it.
    pub(crate) fn whole(self: &Arc<Self>, bytes: usize) -> Option<Held> {
        let has_room = self.lock().make_room(self.limit, bytes, 0);
        has_room.then(|| Held { bodies: Arc::clone(self), ticket: 0, whole: bytes })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can be left half done by a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes so many bytes for whoever has this ticket, at the cost of others; whether there were any to be had.
    fn make_room(&mut self, limit: usize, bytes: usize, own: u64) -> bool {
        while self.bytes + bytes > limit {
            let takes = |(ticket, (taken, _)): &(&u64, &(usize, _))| **ticket != own && *taken > 0;
            let Some(oldest) = self.arriving.iter().find(takes).map(|(ticket, _)| *ticket) else { return false };
            // The dropped sender tells it.
            self.bytes -= self.arriving.remove(&oldest).map_or(0, |(taken, _)| taken);
        }
        self.bytes += bytes;
        true
    }
}

impl Held {
    /// Makes room for more of it; whether there is any.
    pub(crate) fn grow(&self, bytes: usize) -> bool {
        let mut state = self.bodies.lock();
        if !state.arriving.contains_key(&self.ticket) || !state.make_room(self.bodies.limit, bytes, self.ticket) {
            return false;
        }
        if let Some((taken, _)) = state.arriving.get_mut(&self.ticket) {
            *taken += bytes;
        }
        true
    }

    /// All of it is there: nobody sends it away any more. False when that has just happened.
    pub(crate) fn complete(&mut self) -> bool {
        let taken = self.bodies.lock().arriving.remove(&self.ticket).map(|(taken, _)| taken);
        self.whole = taken.unwrap_or(0);
        taken.is_some()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.bodies.lock();
        let arriving = state.arriving.remove(&self.ticket).map_or(0, |(taken, _)| taken);
        state.bytes -= self.whole + arriving;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn when_there_is_no_room_whoever_sends_for_longest_goes_and_what_is_whole_stays() {
        let bodies = Bodies::new(100);
        let (mut whole, mut whole_goes) = bodies.begin();
        assert!(whole.grow(40) && whole.complete());
        // Has sent nothing yet, so that nothing is won when it goes.
        let (empty, mut empty_goes) = bodies.begin();
        let (oldest, mut oldest_goes) = bodies.begin();
        let (other, mut other_goes) = bodies.begin();
        assert!(oldest.grow(30) && other.grow(30));
        assert!(empty.grow(30), "there was none, and somebody has held back for longer");
        let gone = |goes: &mut oneshot::Receiver<()>| goes.try_recv() == Err(oneshot::error::TryRecvError::Closed);
        assert_eq!(
            [&mut whole_goes, &mut oldest_goes, &mut other_goes, &mut empty_goes].map(gone),
            [true, true, false, false],
            "what is whole hears nothing more, and is there"
        );
        assert!(!oldest.grow(1), "who was sent away comes no further");
        assert!(!empty.grow(61), "more than everybody else could give up");
        drop((oldest, other, empty));
        assert_eq!(bodies.lock().bytes, 40);
        let (mut late, _goes) = bodies.begin();
        assert!(late.grow(60) && !late.grow(1), "nobody is left who could go");
        assert!(late.complete() && bodies.whole(1).is_none());
        drop(late);
        let at_once = bodies.whole(60).unwrap();
        assert!(bodies.whole(1).is_none());
        drop((at_once, whole));
        assert_eq!(bodies.lock().bytes, 0);
        assert!(bodies.lock().arriving.is_empty());
    }
}
