//! The loops that drive the steps. Each step takes no input: it looks at the
//! rows and does what is due, so one loop or many nodes come to the same.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use domain::Job;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use store::Queue;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::outbox::SIDE_BY_SIDE;
use crate::{App, Error};

/// How often what is over for good is taken out of the tables.
const TIDIES_EVERY: Duration = Duration::from_secs(3_600);

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

/// How long a loop rests between two rounds.
const PAUSE: Duration = Duration::from_secs(2);

/// How long a queue is not looked at when nobody rings.
const LOOKS_EVERY: Duration = Duration::from_secs(1);

/// Rung when a commit left something to do, by whom it waits for.
#[derive(Default)]
pub(crate) struct Work {
    mails: Notify,
    calls: Notify,
}

impl Work {
    pub(crate) fn of(&self, queue: Queue) -> &Notify {
        match queue {
            Queue::Mails => &self.mails,
            Queue::Calls => &self.calls,
        }
    }

    /// These jobs were committed.
    pub(crate) fn ring(&self, jobs: &[Job]) {
        for queue in Queue::ALL {
            if jobs.iter().any(|job| Queue::of(job.kind) == queue) {
                self.of(queue).notify_one();
            }
        }
    }
}

/// A step, by its name in the log.
type Step = (&'static str, for<'app> fn(&'app App) -> BoxFuture<'app, Result<usize, Error>>);

/// What was told and is not applied yet. An event may be about money that the gateway has to be asked about.
const INBOX: &[Step] = &[("inbox", |app| app.step_inbox().boxed())];

/// What was missed while nobody listened.
const CATCHING_UP: Step = ("catching up", |app| app.catch_up().boxed());

/// What asks gateways, and waits for those that do not answer.
const GATEWAYS: &[Step] = &[
    ("recovery", |app| app.recover().map(|told| told.map(usize::from)).boxed()),
    ("payments", |app| app.step_payments().boxed()),
    ("events", |app| app.step_events().boxed()),
];

/// What waits for the database alone.
const ROWS: &[Step] = &[
    ("checkouts", |app| app.expire_checkouts().boxed()),
    ("attempts", |app| app.write_attempts(false).boxed()),
    ("shadows", |app| app.write_shadows().boxed()),
    ("pools", |app| app.step_pools().boxed()),
    ("endpoints", |app| app.step_endpoints().boxed()),
    ("webhooks", |app| app.keep_webhook_times().boxed()),
    ("signing keys", |app| app.refresh_signing_keys().map(|read| read.map(usize::from)).boxed()),
    ("signed keys", |app| app.step_signed_keys().boxed()),
];

/// What is over for good is taken out of the tables.
const TIDYING: &[Step] = &[
    ("sign-ins that are over", |app| app.forget_expired_logins().map(|done| done.map(|()| 0)).boxed()),
    ("attempts that are old", |app| app.forget_old_attempts().map(|done| done.map(|()| 0)).boxed()),
];

/// Takes a step. One that fails, or finds a mistake of ours, is taken again in the next round, and the others go on.
async fn take(app: &App, (what, step): &Step) {
    match AssertUnwindSafe(step(app)).catch_unwind().await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::error!(%error, step = what, "a step could not be done"),
        Err(_) => tracing::error!(step = what, "a step ended in the middle: that is a mistake of this program"),
    }
}

/// Takes these steps round after round.
async fn go_round(app: Arc<App>, steps: &'static [Step], pause: Duration, mut shutdown: watch::Receiver<bool>) {
    while !*shutdown.borrow() {
        let round = async {
            for step in steps {
                take(&app, step).await;
            }
        };
        tokio::select! {
            () = round => {}
            // What was not done yet is due again at the next start.
            () = app.ended() => break,
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = shutdown.changed() => {}
        }
    }
}

/// Runs the jobs of a queue as they come: whoever takes long holds up nobody as long as there is room.
async fn run_queue(app: Arc<App>, queue: Queue, mut shutdown: watch::Receiver<bool>) {
    let mut running = JoinSet::new();
    let mut is_time = true;
    loop {
        let is_over = *shutdown.borrow();
        if is_over && running.is_empty() {
            return;
        }
        let room = SIDE_BY_SIDE.saturating_sub(running.len());
        // Each look is a commit. Where many jobs come and go it is one for several of them, and not for each.
        if !is_over && room > 0 && (is_time || room >= SIDE_BY_SIDE / 2) {
            is_time = false;
            match app.take_up(queue, room).await {
                Ok(jobs) => jobs.into_iter().for_each(|job| {
                    let app = Arc::clone(&app);
                    running.spawn(async move { app.run_or_give_back(job).await });
                }),
                Err(error) => tracing::error!(%error, "the outbox could not be read"),
            }
        }
        tokio::select! {
            _ = running.join_next(), if !running.is_empty() => {
                // Those that were committed together end together.
                tokio::task::yield_now().await;
                while running.try_join_next().is_some() {}
            }
            () = app.work.of(queue).notified() => {}
            () = tokio::time::sleep(LOOKS_EVERY) => is_time = true,
            _ = shutdown.changed(), if !is_over => {}
        }
    }
}

/// Runs the steps until `shutdown` turns true, then ends what was begun.
pub async fn run_workers(app: Arc<App>, shutdown: watch::Receiver<bool>) {
    let mut loops = JoinSet::new();
    for queue in Queue::ALL {
        loops.spawn(run_queue(Arc::clone(&app), queue, shutdown.clone()));
    }
    for (steps, pause) in [(INBOX, PAUSE), (ROWS, PAUSE), (TIDYING, TIDIES_EVERY)] {
        loops.spawn(go_round(Arc::clone(&app), steps, pause, shutdown.clone()));
    }
    loops.spawn({
        let (app, mut shutdown) = (Arc::clone(&app), shutdown);
        async move {
            tokio::select! {
                () = take(&app, &CATCHING_UP) => {}
                _ = shutdown.changed() => {}
            }
            go_round(app, GATEWAYS, PAUSE, shutdown).await;
        }
    });
    while let Some(ended) = loops.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a worker ended");
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
}
