//! From serving to ended: who asks whether we are ready hears no first, what was accepted is finished, and what was
//! claimed and not begun is given back.

use tokio::sync::watch;

use crate::App;

/// How far the way down is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Serving,
    Draining,
    Ended,
}

pub(crate) struct Lifecycle(watch::Sender<Stage>);

impl Default for Lifecycle {
    fn default() -> Self {
        Self(watch::Sender::new(Stage::Serving))
    }
}

impl App {
    /// From now on nothing new is taken up, and whoever asks hears that we are not ready.
    pub fn begin_drain(&self) {
        self.lifecycle.0.send_if_modified(|stage| {
            let begins = *stage == Stage::Serving;
            if begins {
                *stage = Stage::Draining;
            }
            begins
        });
    }

    /// Time is up: what is still under way is given back as it stands.
    pub fn end_drain(&self) {
        self.lifecycle.0.send_replace(Stage::Ended);
    }

    /// Whether the server is going down.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        *self.lifecycle.0.borrow() != Stage::Serving
    }

    /// Waits until time is up.
    pub(crate) async fn ended(&self) {
        let mut stage = self.lifecycle.0.subscribe();
        // The sender lives as long as the app.
        let _ = stage.wait_for(|stage| *stage == Stage::Ended).await;
    }
}
