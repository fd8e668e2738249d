//! Runs tasks on one thread, one step of a random one at a time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// A task, and the node that it dies with.
pub(crate) struct Task {
    pub(crate) node: Option<usize>,
    future: Pin<Box<dyn Future<Output = ()>>>,
    ready: Arc<Ready>,
}

struct Ready(AtomicBool);

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Task {
    pub(crate) fn new(node: Option<usize>, future: impl Future<Output = ()> + 'static) -> Self {
        Self { node, future: Box::pin(future), ready: Arc::new(Ready(AtomicBool::new(true))) }
    }
}

/// The tasks.
#[derive(Default)]
pub(crate) struct Executor {
    tasks: Vec<Task>,
    runnable: Vec<usize>,
}

impl Executor {
    pub(crate) fn add(&mut self, tasks: impl IntoIterator<Item = Task>) {
        self.tasks.extend(tasks);
    }

    /// How many tasks could take a step.
    pub(crate) fn runnable(&mut self) -> u64 {
        self.runnable.clear();
        let ready = self.tasks.iter().enumerate().filter(|(_, task)| task.ready.0.load(Ordering::Relaxed));
        self.runnable.extend(ready.map(|(place, _)| place));
        u64::try_from(self.runnable.len()).unwrap_or(u64::MAX)
    }

    /// One step of the task at this place among those that [`Executor::runnable`] counted.
    pub(crate) fn step(&mut self, chosen: u64) {
        let Some(place) = usize::try_from(chosen).ok().and_then(|chosen| self.runnable.get(chosen).copied()) else {
            return;
        };
        let task = &mut self.tasks[place];
        task.ready.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&task.ready));
        let polled = task.future.as_mut().poll(&mut Context::from_waker(&waker));
        if let Poll::Ready(()) = polled {
            drop(self.tasks.swap_remove(place));
        }
    }

    /// Drops every task of a node where it stands.
    pub(crate) fn kill(&mut self, node: usize) {
        self.tasks.retain(|task| task.node != Some(node));
    }
}
