//! Notices that were stored and not yet applied, and parked ones that a person wants applied again.

use domain::{Actor, Changes, Duration, Event, EventId, EventKind, NoticeId, ShopId};

use crate::receive::NoticeOutcome;
use crate::trace::{Begin, Span, SpanKind};
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
        let lease_until = now.after(LEASE);
        let claimed = self.store.claim_notices(now, lease_until, 50).await?;
        for (place, claim) in claimed.iter().enumerate() {
            if self.is_draining() {
                self.store.release_notices(&claimed[place..], lease_until, self.clock.now()).await?;
                return Ok(place);
            }
            let Some(account) = self.gateway_account(claim.notice.gateway_account).await? else { continue };
            let id = Some(claim.notice.id.to_string());
            let begin = Begin { id, parent: None, kind: SpanKind::Consumer, program: None };
            let apply = async {
                // One that fails keeps its lease and is tried again when that ends.
                self.apply_notice(&account, &claim.notice).await.inspect_err(|error| {
                    tracing::warn!(notice = %claim.notice.id, %error, "a stored notice could not be applied yet");
                })
            };
            let describe = |applied: &Result<NoticeOutcome, Error>, span: &mut Span| {
                span.name = "inbox apply".to_owned();
                span.has_failed = applied.is_err();
            };
            if let Ok(outcome) = self.in_span(begin, apply, describe).await {
                self.metrics.notices.with([&account.id.to_string(), "inbox", outcome.as_str()]).count();
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
