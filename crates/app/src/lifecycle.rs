//! From serving to ended: who asks whether we are ready hears no first, what was accepted is finished, and what was
//! claimed and not begun is given back.

use std::sync::Arc;

use tokio::sync::watch;

use crate::App;

/// How far the way down is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Serving,
    Draining,
    Ended,
}

pub(crate) struct Lifecycle {
    stage: watch::Sender<Stage>,
    /// How many jobs are held here.
    held: watch::Sender<usize>,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self { stage: watch::Sender::new(Stage::Serving), held: watch::Sender::new(0) }
    }
}

/// A job is held here as long as this lives.
pub(crate) struct Holds<'a>(&'a watch::Sender<usize>);

impl Drop for Holds<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|held| *held -= 1);
    }
}

/// As [`Holds`], for work that goes on by itself.
pub(crate) struct Held(Arc<App>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.lifecycle.held.send_modify(|held| *held -= 1);
    }
}

impl App {
    /// From now on nothing new is taken up, and whoever asks hears that we are not ready.
    pub fn begin_drain(&self) {
        self.lifecycle.stage.send_if_modified(|stage| {
            let begins = *stage == Stage::Serving;
            if begins {
                *stage = Stage::Draining;
            }
            begins
        });
    }

    /// Time is up: what is still under way is given back as it stands.
    pub fn end_drain(&self) {
        self.lifecycle.stage.send_replace(Stage::Ended);
    }

    /// Whether the server is going down.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        *self.lifecycle.stage.borrow() != Stage::Serving
    }

    /// Waits until every job that was claimed here is done or given back, and what goes on behind answers is done.
    pub async fn holds_nothing(&self) {
        // The sender lives as long as the app.
        let _ = self.lifecycle.held.subscribe().wait_for(|held| *held == 0).await;
    }

    pub(crate) fn holds(&self) -> Holds<'_> {
        self.lifecycle.held.send_modify(|held| *held += 1);
        Holds(&self.lifecycle.held)
    }

    pub(crate) fn hold(self: &Arc<Self>) -> Held {
        self.lifecycle.held.send_modify(|held| *held += 1);
        Held(Arc::clone(self))
    }

    /// Waits until time is up.
    pub(crate) async fn ended(&self) {
        let mut stage = self.lifecycle.stage.subscribe();
        // The sender lives as long as the app.
        let _ = stage.wait_for(|stage| *stage == Stage::Ended).await;
    }
}
