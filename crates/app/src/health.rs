//! Whether the server can do its work: whether a commit stands, not whether a port is open.

use std::time::{Duration, Instant};

use crate::{App, Error};

/// The setting that is written to find out whether writing works.
const PROBE: &str = "health_probe";

/// How long an answer is believed: however many ask, one commit a second is made for them.
const BELIEVED_FOR: Duration = Duration::from_secs(1);

/// How long a commit may take before the answer is no. A buyer would have left.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Default)]
pub(crate) struct Health(tokio::sync::Mutex<Option<(Instant, Result<(), Error>)>>);

impl App {
    /// Writes a row, durably, and says whether that worked.
    ///
    /// # Errors
    /// When nothing can be written, or the server is going down.
    pub async fn ready(&self) -> Result<(), Error> {
        self.metrics.ready_asked.set(self.clock.now().as_microseconds().unsigned_abs());
        if self.is_draining() {
            return Err(Error::Unavailable("the server is going down".to_owned()));
        }
        self.can_write().await
    }

    /// Whether a commit stands at this moment.
    pub(crate) async fn can_write(&self) -> Result<(), Error> {
        // Whoever comes while somebody finds out waits for the same answer.
        let mut last = self.health.0.lock().await;
        if let Some((at, answer)) = &*last
            && at.elapsed() < BELIEVED_FOR
        {
            return answer.clone();
        }
        let now = self.clock.now().to_string();
        let answer = match tokio::time::timeout(PATIENCE, self.store.set_setting(PROBE, &now)).await {
            Ok(written) => written.map_err(Error::from),
            Err(_) => Err(Error::Unavailable("a commit takes longer than five seconds".to_owned())),
        };
        let was_well = last.as_ref().is_none_or(|(_, answer)| answer.is_ok());
        match &answer {
            Err(error) if was_well => tracing::error!(%error, "not ready: nothing can be written"),
            Ok(()) if !was_well => tracing::warn!("ready again: writing works"),
            Ok(()) | Err(_) => {}
        }
        *last = Some((Instant::now(), answer.clone()));
        answer
    }

    /// Whether somebody has asked lately whether we are ready: then somebody decides by it where requests go.
    #[must_use]
    pub fn is_probed(&self) -> bool {
        let asked = self.metrics.ready_asked.get();
        let now = self.clock.now().as_microseconds().unsigned_abs();
        asked != 0 && now.saturating_sub(asked) < 60_000_000
    }
}
