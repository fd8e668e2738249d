//! Notices that were stored and not yet applied, and parked ones that a person wants applied again.

use domain::{Actor, Changes, Duration, Event, EventId, EventKind, NoticeId, ShopId};

use crate::receive::NoticeOutcome;
use crate::{App, Error};

/// How long a node may take over a notice before another takes it.
const LEASE: Duration = Duration::seconds(30);

impl App {
    /// Applies stored notices that nobody is at. Returns how many were taken up.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn step_inbox(&self) -> Result<usize, Error> {
        let now = self.clock.now();
        let claimed = self.store.claim_notices(now, now.after(LEASE), 50).await?;
        for claim in &claimed {
            let Some(account) = self.gateway_account(claim.notice.gateway_account).await? else { continue };
            // One that fails keeps its lease and is tried again when that ends.
            if let Err(error) = self.apply_notice(&account, &claim.notice).await {
                tracing::warn!(notice = %claim.notice.id, %error, "a stored notice could not be applied yet");
            }
        }
        Ok(claimed.len())
    }

    /// Applies a parked notice again: the support button.
    ///
    /// # Errors
    /// When there is no such notice, or the store does not answer.
    pub async fn replay_notice(&self, shop: ShopId, id: NoticeId, actor: Actor) -> Result<NoticeOutcome, Error> {
        let notice = self.store.notice(shop, id).await?.ok_or(Error::NotFound { what: "notice" })?;
        let account =
            self.gateway_account(notice.gateway_account).await?.ok_or(Error::NotFound { what: "gateway account" })?;
        let now = self.clock.now();
        let event = Event {
            id: EventId::mint(now, &mut self.entropy.rng()),
            shop,
            kind: EventKind::NoticeReplayed,
            actor,
            order: notice.order,
            license: None,
            customer: None,
            data: serde_json::json!({ "notice": notice.id, "event": notice.event_id }),
            at: now,
        };
        self.commit(&Changes { events: vec![event], ..Changes::default() }, None).await?;
        self.apply_notice(&account, &notice).await
    }
}
