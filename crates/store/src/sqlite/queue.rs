//! A bounded queue between many tasks and a few threads. It never blocks whoever pushes.
//!
//! A push wakes a thread only if one sleeps: under load nobody sleeps, and a
//! push is a lock and a move.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
    capacity: usize,
}

struct State<T> {
    waiting: VecDeque<T>,
    /// Threads asleep that nobody has woken yet.
    asleep: usize,
    is_closed: bool,
}

/// The queue is full, or closed: the caller hears "unavailable" rather than wait without end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

impl<T> Queue<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            state: Mutex::new(State { waiting: VecDeque::new(), asleep: 0, is_closed: false }),
            filled: Condvar::new(),
            capacity,
        }
    }

    pub(super) fn push(&self, item: T) -> Result<(), Full> {
        let mut state = self.lock();
        if state.is_closed || state.waiting.len() >= self.capacity {
            return Err(Full);
        }
        state.waiting.push_back(item);
        let wakes = state.asleep > 0;
        if wakes {
            state.asleep -= 1;
        }
        drop(state);
        if wakes {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Waits for an item; nothing when the queue is closed and empty.
    pub(super) fn pop(&self) -> Option<T> {
        self.wait().waiting.pop_front()
    }

    /// Waits for an item and takes up to `most`; false when the queue is closed and empty.
    pub(super) fn drain(&self, most: usize, into: &mut Vec<T>) -> bool {
        let mut state = self.wait();
        let taken = most.min(state.waiting.len());
        into.extend(state.waiting.drain(..taken));
        taken > 0
    }

    /// Takes no more; what is in it is still handed out.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.filled.notify_all();
    }

    fn wait(&self) -> MutexGuard<'_, State<T>> {
        let mut state = self.lock();
        while state.waiting.is_empty() && !state.is_closed {
            state.asleep += 1;
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing in here can be left half done by a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_full_queue_refuses_and_a_closed_one_hands_out_what_it_has() {
        let queue = Queue::new(2);
        assert_eq!((queue.push(1), queue.push(2), queue.push(3)), (Ok(()), Ok(()), Err(Full)));
        assert_eq!(queue.pop(), Some(1));
        assert_eq!(queue.push(4), Ok(()));
        queue.close();
        assert_eq!(queue.push(5), Err(Full));
        let mut rest = Vec::new();
        assert!(queue.drain(9, &mut rest));
        assert_eq!(rest, [2, 4]);
        assert!(!queue.drain(9, &mut rest));
        assert_eq!(queue.pop(), None);
    }

    #[test]
    fn every_item_is_handed_out_once_whoever_sleeps() {
        let queue = Arc::new(Queue::new(10_000));
        let takers: Vec<_> = (0..3)
            .map(|_| {
                let queue = Arc::clone(&queue);
                std::thread::spawn(move || std::iter::from_fn(|| queue.pop()).collect::<Vec<i32>>())
            })
            .collect();
        for item in 0..10_000 {
            queue.push(item).unwrap();
        }
        queue.close();
        let mut taken: Vec<i32> = takers.into_iter().flat_map(|taker| taker.join().unwrap()).collect();
        taken.sort_unstable();
        assert!(taken.into_iter().eq(0..10_000));
    }
}
