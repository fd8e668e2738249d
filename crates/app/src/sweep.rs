//! Making good what never came: open payments are asked about, event lists
//! are read, checkouts end.
//!
//! A shop whose webhooks never arrive still delivers, only later.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use domain::{
    Actor, Changes, Duration, GatewayAccount, GatewayAccountId, Occurrence, OrderId, PaymentId, ShopId, Timestamp,
};
use futures::{StreamExt as _, stream};
use gateways::{Answer, Call, CallError, ListedEvent, NoticeItem, adapter};
use store::CommitError;

use crate::clock::has_passed;
use crate::fulfil::{AT_ONCE, Target};
use crate::outbox::SIDE_BY_SIDE;
use crate::receive::Source;
use crate::{App, Error};

/// How far back the event list is read again: a gateway may list an event
/// a little after it happened.
const OVERLAP: Duration = Duration::minutes(10);

/// How often an account's event list is read.
const EVERY: Duration = Duration::minutes(5);

/// How many pages of an event list are held in memory at once.
const PAGES: u32 = 50;

/// How long a list that could not be read is left alone, and that of an account that rests.
const AGAIN: Duration = Duration::minutes(1);
const AGAIN_AT_REST: Duration = Duration::hours(1);

/// How many payments of one shop are asked about at once.
const QUESTIONS_AT_ONCE: usize = 4;

/// The lists that could not be read, and when that was tried last.
#[derive(Default)]
pub(crate) struct Lists(Mutex<BTreeMap<GatewayAccountId, Timestamp>>);

impl Lists {
    fn tried(&self, account: GatewayAccountId, failed_at: Option<Timestamp>) {
        let mut failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match failed_at {
            Some(at) => failed.insert(account, at),
            None => failed.remove(&account),
        };
    }

    /// Who catches up, whatever was read lately, asks everybody.
    fn may_be_tried(&self, account: &GatewayAccount, older_than: Duration, now: Timestamp) -> bool {
        let patience = match (older_than, account.is_active) {
            (older_than, _) if older_than <= Duration::seconds(0) => older_than,
            (_, true) => AGAIN,
            (_, false) => AGAIN_AT_REST,
        };
        let failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failed.get(&account.id).is_none_or(|at| has_passed(patience, *at, now))
    }
}

/// What came of reading event lists.
struct ReadLists {
    /// How many events were new.
    found: usize,
    /// Whether every list was read to its end.
    all_read: bool,
}

impl App {
    /// Asks about payments whose next check is due. Returns about how many it is known when to ask again, or never. A
    /// gateway that does not answer is waited for by its own shop alone.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn step_payments(&self) -> Result<usize, Error> {
        let due = self.store.payments_due(self.clock.now(), 100).await?;
        let mut of_shops: BTreeMap<ShopId, Vec<(PaymentId, OrderId)>> = BTreeMap::new();
        for (shop, payment, order) in due {
            of_shops.entry(shop).or_default().push((payment, order));
        }
        let looked_after = AtomicUsize::new(0);
        stream::iter(of_shops)
            .for_each_concurrent(SIDE_BY_SIDE, async |(shop, payments)| {
                let does_not_answer = AtomicBool::new(false);
                stream::iter(payments)
                    .for_each_concurrent(QUESTIONS_AT_ONCE, async |(payment, order)| {
                        let is_known = self.look_after(shop, payment, order, &does_not_answer).await;
                        looked_after.fetch_add(usize::from(is_known), Ordering::Relaxed);
                    })
                    .await;
            })
            .await;
        Ok(looked_after.into_inner())
    }

    /// Asks about one payment whose check is due, and notes when to ask again; whether that is known now. Nobody is asked
    /// who has just not answered.
    async fn look_after(&self, shop: ShopId, payment: PaymentId, order: OrderId, does_not_answer: &AtomicBool) -> bool {
        if !does_not_answer.load(Ordering::Relaxed) {
            let ask = || self.ask_payment(shop, payment, Actor::System);
            let mut asked = ask().await;
            for _ in 0..AT_ONCE {
                match asked {
                    // Whoever was faster is no reason to ask an hour later.
                    Err(Error::Conflict { .. }) => asked = ask().await,
                    Ok(_) | Err(_) => break,
                }
            }
            match asked {
                Ok(asked) if !asked.state.is_open() => return true,
                Ok(_) => {}
                Err(error) => {
                    does_not_answer.fetch_or(matches!(error, Error::Unavailable(_)), Ordering::Relaxed);
                    tracing::warn!(payment = %payment, %error, "an open payment could not be asked about");
                }
            }
        }
        // Counts a check, so that a gateway that is down, or has nothing new, is not asked about the same payments in a
        // circle. Nobody else counts: whoever reloads a page must not use up what the sweep has left.
        let still_open = Occurrence::StillOpen { payment };
        let noted = self.fulfil(shop, &Target::Order(order), &still_open, Actor::System, None, None).await;
        if let Err(error) = &noted {
            tracing::error!(payment = %payment, %error, "when to ask about a payment again could not be noted");
        }
        noted.is_ok()
    }

    /// Reads the event lists that were not read for a while. Returns how many events were new.
    ///
    /// # Errors
    /// When the store does not answer. A gateway that does not answer is read a minute later.
    pub async fn step_events(&self) -> Result<usize, Error> {
        self.read_lists(EVERY).await
    }

    /// Reads every event list at once: whoever was down has missed webhooks,
    /// and the gateway may take hours to come again.
    ///
    /// # Errors
    /// As [`App::step_events`].
    pub async fn catch_up(&self) -> Result<usize, Error> {
        self.read_lists(Duration::seconds(0)).await
    }

    /// As [`App::catch_up`]; gives whether every account's list was read to its end.
    ///
    /// # Errors
    /// As [`App::step_events`].
    pub(crate) async fn catch_up_fully(&self) -> Result<bool, Error> {
        Ok(self.read_each_list(Duration::seconds(0)).await?.all_read)
    }

    async fn read_lists(&self, older_than: Duration) -> Result<usize, Error> {
        Ok(self.read_each_list(older_than).await?.found)
    }

    async fn read_each_list(&self, older_than: Duration) -> Result<ReadLists, Error> {
        let now = self.clock.now();
        let accounts = self.gateway_accounts().await.into_iter().filter(|account| {
            adapter(&account.adapter).is_some_and(|gateway| gateway.capabilities().event_list)
                && has_passed(older_than, account.events_read_to, now)
                && self.lists.may_be_tried(account, older_than, now)
        });
        // What was begun at an account that rests is seen to its end: its money still goes back, and is disputed.
        let read = stream::iter(accounts).map(async |account| {
            let told = self.read_events(&account).await.inspect_err(|error| {
                tracing::warn!(account = %account.id, %error, "the event list could not be read");
            });
            self.lists.tried(account.id, told.is_err().then_some(now));
            // Nobody waits for one that rests: perhaps it is closed, and will never answer again.
            ReadLists { found: *told.as_ref().unwrap_or(&0), all_read: told.is_ok() || !account.is_active }
        });
        let read: Vec<ReadLists> = read.buffer_unordered(SIDE_BY_SIDE).collect().await;
        Ok(ReadLists {
            found: read.iter().map(|read| read.found).sum(),
            all_read: read.iter().all(|read| read.all_read),
        })
    }

    /// Reads an account's event list from where it was read to. Only when all
    /// of it is taken does the account count as read: a list that breaks off is read again.
    async fn read_events(&self, account: &GatewayAccount) -> Result<usize, Error> {
        let began = self.clock.now();
        // A clock that was ahead may have noted a time that is still to come: nothing was read from there.
        let since = account.events_read_to.min(began).before(OVERLAP);
        let mut after = None;
        let mut new = 0;
        loop {
            let (events, has_more) = self.list_events(account, since, &mut after).await?;
            for event in events {
                let item = NoticeItem { event_id: event.event_id, kind: event.kind, body: event.body };
                match self.take_notice(account, item, Source::List).await? {
                    crate::NoticeOutcome::Duplicate => {}
                    crate::NoticeOutcome::Applied
                    | crate::NoticeOutcome::Ignored
                    | crate::NoticeOutcome::Parked
                    | crate::NoticeOutcome::Stored => {
                        new += 1;
                        self.silence.missed(account.id, event.created_at, self.clock.now());
                    }
                }
            }
            if !has_more {
                break;
            }
        }
        let read = GatewayAccount { events_read_to: began, ..account.clone() };
        match self.commit(&Changes { gateway_accounts: vec![read], ..Changes::default() }, None).await {
            // Another node has read it meanwhile.
            Ok(()) | Err(CommitError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        self.refresh_shops().await?;
        Ok(new)
    }

    /// The next so many pages of an event list, oldest event first, and whether there are more.
    async fn list_events(
        &self,
        account: &GatewayAccount,
        since: Timestamp,
        after: &mut Option<String>,
    ) -> Result<(Vec<ListedEvent>, bool), Error> {
        let mut events = Vec::new();
        let mut has_more = true;
        for _ in 0..PAGES {
            let page = match self.call(account, &Call::ListEvents { since, after: after.clone() }).await {
                Ok(Answer::Events { events, has_more: more }) => {
                    has_more = more && !events.is_empty();
                    events
                }
                Ok(
                    Answer::Page(_)
                    | Answer::Facts(_)
                    | Answer::Disputes { .. }
                    | Answer::Account { .. }
                    | Answer::Done,
                )
                | Err(CallError::Unsupported { .. }) => return Ok((events, false)),
                Err(error) => return Err(Error::Unavailable(error.to_string())),
            };
            *after = page.last().map(|event| event.event_id.clone()).or(after.take());
            events.extend(page);
            if !has_more {
                break;
            }
        }
        events.sort_by_key(|event| event.created_at);
        Ok((events, has_more))
    }
}
