//! The loops that drive the steps. Each step takes no input: it looks at the
//! rows and does what is due, so one loop or many nodes come to the same.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::{App, Error};

/// How often what is over for good is taken out of the tables.
const TIDIES_EVERY: domain::Duration = domain::Duration::hours(1);

/// What one round of all steps did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StepReport {
    /// Stored notices taken up.
    pub notices: usize,
    /// Jobs taken up.
    pub jobs: usize,
    /// Open payments asked about.
    pub payments: usize,
    /// Events found in lists.
    pub events: usize,
    /// Checkouts that were over.
    pub checkouts: usize,
    /// Stocks that were looked after.
    pub pools: usize,
    /// Units that wait for a program of the seller's and were taken up again.
    pub endpoints: usize,
    /// Keys that were signed again.
    pub signed_keys: usize,
}

impl StepReport {
    /// Whether there was nothing to do.
    #[must_use]
    pub fn is_idle(self) -> bool {
        self == Self::default()
    }
}

impl App {
    /// One round of every step, in order: what a test or a simulation drives by hand.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn step(&self) -> Result<StepReport, Error> {
        Ok(StepReport {
            notices: self.step_inbox().await?,
            jobs: self.step_outbox().await?,
            payments: self.step_payments().await?,
            events: self.step_events().await?,
            checkouts: self.expire_checkouts().await?,
            pools: self.step_pools().await?,
            endpoints: self.step_endpoints().await?,
            signed_keys: self.step_signed_keys().await?,
        })
    }
}

async fn sweep(app: &App) {
    for (what, result) in [
        ("recovery", app.recover().await.map(usize::from)),
        ("inbox", app.step_inbox().await),
        ("payments", app.step_payments().await),
        ("events", app.step_events().await),
        ("checkouts", app.expire_checkouts().await),
        ("attempts", app.write_attempts(false).await),
        ("shadows", app.write_shadows().await),
        ("pools", app.step_pools().await),
        ("endpoints", app.step_endpoints().await),
        ("webhooks", app.keep_webhook_times().await),
        ("signing keys", app.refresh_signing_keys().await.map(usize::from)),
        ("signed keys", app.step_signed_keys().await),
    ] {
        if let Err(error) = result {
            tracing::error!(%error, step = what, "a sweep could not be done");
        }
    }
}

/// Runs the steps until `shutdown` turns true, then ends what was begun.
pub async fn run_workers(app: Arc<App>, shutdown: watch::Receiver<bool>) {
    let outbox = {
        let app = Arc::clone(&app);
        let shutdown = shutdown.clone();
        tokio::spawn(async move {
            let mut shutdown = shutdown;
            while !*shutdown.borrow() {
                let busy = match app.step_outbox().await {
                    Ok(count) => count > 0,
                    Err(error) => {
                        tracing::error!(%error, "the outbox could not be read");
                        false
                    }
                };
                if !busy {
                    tokio::select! {
                        () = app.work.notified() => {}
                        () = tokio::time::sleep(Duration::from_secs(1)) => {}
                        _ = shutdown.changed() => {}
                    }
                }
            }
        })
    };
    let sweep = tokio::spawn(async move {
        let mut shutdown = shutdown;
        tokio::select! {
            caught_up = app.catch_up() => {
                if let Err(error) = caught_up {
                    tracing::error!(%error, "what was missed while nobody listened could not be read");
                }
            }
            _ = shutdown.changed() => {}
        }
        let mut tidied = None;
        while !*shutdown.borrow() {
            let now = app.clock.now();
            if tidied.is_none_or(|at| now.since(at) >= TIDIES_EVERY) {
                tidied = Some(now);
                if let Err(error) = app.forget_expired_logins().await {
                    tracing::warn!(%error, "sign-ins that are over are kept for longer");
                }
                if let Err(error) = app.forget_old_attempts().await {
                    tracing::warn!(%error, "attempts that are old are kept for longer");
                }
            }
            tokio::select! {
                () = sweep(&app) => {}
                // What was not asked about yet is due again at the next start.
                () = app.ended() => break,
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(2)) => {}
                _ = shutdown.changed() => {}
            }
        }
        if let Err(error) = app.keep_webhook_times().await {
            tracing::warn!(%error, "when the last webhooks came is not known to the next start");
        }
        // What goes on behind answers has something to tell as well.
        tokio::select! {
            () = app.holds_nothing() => {}
            () = app.ended() => {}
        }
        if let Err(error) = app.write_attempts(true).await {
            tracing::warn!(%error, "the last attempts of apps are not kept");
        }
        if let Err(error) = app.write_shadows().await {
            tracing::warn!(%error, "the last differences to an old system are not kept");
        }
    });
    for task in [outbox, sweep] {
        if let Err(error) = task.await {
            tracing::error!(%error, "a worker ended");
        }
    }
}
