//! Notices that were stored and not yet applied, and parked ones that a person wants applied again.

use std::collections::BTreeMap;

use domain::{Actor, Changes, Duration, Event, EventId, EventKind, GatewayAccountId, NoticeId, ShopId, Timestamp};
use futures::future::try_join_all;
use store::ClaimedNotice;

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
        let count = claimed.len();
        let mut of_accounts: BTreeMap<GatewayAccountId, Vec<ClaimedNotice>> = BTreeMap::new();
        for claim in claimed {
            of_accounts.entry(claim.notice.gateway_account).or_default().push(claim);
        }
        // A gateway that is asked what an event is about, and does not answer, holds up its own account alone.
        let applied = of_accounts.into_iter().map(|(account, claims)| self.apply_claimed(account, claims, lease_until));
        let left: usize = try_join_all(applied).await?.into_iter().sum();
        Ok(count - left)
    }

    /// Applies notices of one account, one after another; how many were left to others.
    async fn apply_claimed(
        &self,
        account: GatewayAccountId,
        claims: Vec<ClaimedNotice>,
        lease_until: Timestamp,
    ) -> Result<usize, Error> {
        let Some(account) = self.gateway_account(account).await? else { return Ok(0) };
        for (place, claim) in claims.iter().enumerate() {
            let now = self.clock.now();
            if self.is_draining() {
                self.store.release_notices(&claims[place..], lease_until, now).await?;
                return Ok(claims.len() - place);
            }
            if now >= lease_until {
                return Ok(claims.len() - place);
            }
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
        Ok(0)
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
