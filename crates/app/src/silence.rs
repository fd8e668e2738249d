//! Webhooks that do not come. What they would have said is found by asking the gateway, so no sale is lost and nobody
//! would notice: this remembers when each account's last one came, and when asking last found what none had brought.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use domain::{Duration, GatewayAccountId, Timestamp};

use crate::clock::has_passed;
use crate::{App, Error};

/// How often the times of an account are written down at most.
const WRITE_EVERY: Duration = Duration::minutes(1);

/// How much younger than a webhook an event may be that asking finds first.
const HEAD_START: Duration = Duration::minutes(2);

/// For how long asking may find more than webhooks bring before somebody must look.
const PATIENCE: Duration = Duration::minutes(15);

/// What is known of an account's webhooks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Webhooks {
    /// When the last one came.
    pub came: Option<Timestamp>,
    /// When asking last found an event that none had brought.
    pub missed: Option<Timestamp>,
}

impl Webhooks {
    /// Whether events happen and webhooks do not come.
    #[must_use]
    pub fn are_absent(self) -> bool {
        match (self.came, self.missed) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(came), Some(missed)) => missed.since(came) > PATIENCE,
        }
    }

    fn later(self, other: Self) -> Self {
        Self { came: self.came.max(other.came), missed: self.missed.max(other.missed) }
    }

    fn write(self) -> String {
        let text = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| at.as_microseconds().to_string());
        format!("{} {}", text(self.came), text(self.missed))
    }

    fn read(text: &str) -> Self {
        let at = |text: Option<&str>| text.and_then(|text| text.parse().ok()).map(Timestamp::from_microseconds);
        let mut parts = text.split(' ');
        Self { came: at(parts.next()), missed: at(parts.next()) }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Remembered {
    known: Webhooks,
    written: Webhooks,
    written_at: Option<Timestamp>,
}

#[derive(Default)]
pub(crate) struct Silence(Mutex<BTreeMap<GatewayAccountId, Remembered>>);

impl Silence {
    fn change(&self, account: GatewayAccountId, change: impl FnOnce(&mut Remembered)) {
        change(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(account).or_default());
    }

    fn all(&self) -> Vec<(GatewayAccountId, Remembered)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|(account, remembered)| (*account, *remembered)).collect()
    }

    fn of(&self, account: GatewayAccountId) -> Webhooks {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&account).map(|remembered| remembered.known).unwrap_or_default()
    }

    /// An authentic webhook came.
    pub(crate) fn came(&self, account: GatewayAccountId, now: Timestamp) {
        self.change(account, |remembered| remembered.known.came = Some(now));
    }

    /// Asking found an event of this moment that no webhook had brought.
    pub(crate) fn missed(&self, account: GatewayAccountId, created_at: Timestamp, now: Timestamp) {
        if now.since(created_at) > HEAD_START {
            self.change(account, |remembered| remembered.known.missed = Some(now));
        }
    }
}

fn setting(account: GatewayAccountId) -> String {
    format!("webhooks:{account}")
}

impl App {
    /// When webhooks of an account came and when they were missed, on whichever node.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn webhooks(&self, account: GatewayAccountId) -> Result<Webhooks, Error> {
        let stored = self.store.setting(&setting(account)).await?;
        Ok(stored.map(|text| Webhooks::read(&text)).unwrap_or_default().later(self.silence.of(account)))
    }

    /// Writes down what has changed since a minute, for other nodes and for the time after this process.
    ///
    /// # Errors
    /// When the store does not answer; it is tried again at the next step.
    pub(crate) async fn keep_webhook_times(&self) -> Result<usize, Error> {
        let now = self.clock.now();
        let mut kept = 0;
        for (account, remembered) in self.silence.all() {
            let is_due = remembered.written_at.is_none_or(|at| has_passed(WRITE_EVERY, at, now));
            if remembered.known == remembered.written || !(is_due || self.is_draining()) {
                continue;
            }
            let known = self.webhooks(account).await?;
            self.store.set_setting(&setting(account), &known.write()).await?;
            self.silence.change(account, |change| {
                change.written = remembered.known;
                change.written_at = Some(now);
            });
            kept += 1;
        }
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webhooks_are_absent_when_asking_finds_what_none_has_brought_for_a_while() {
        let at = |minute: i64| Some(Timestamp::from_seconds(minute * 60));
        let rows = [
            (None, None, false),
            (at(0), None, false),
            (None, at(1), true),
            (at(0), at(15), false),
            (at(0), at(16), true),
            (at(20), at(16), false),
        ];
        for (came, missed, absent) in rows {
            let webhooks = Webhooks { came, missed };
            assert_eq!(webhooks.are_absent(), absent, "{webhooks:?}");
            assert_eq!(Webhooks::read(&webhooks.write()), webhooks);
        }
    }
}
