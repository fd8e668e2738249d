//! Making good what never came: open payments are asked about, event lists
//! are read, checkouts end.
//!
//! A shop whose webhooks never arrive still delivers, only later.

use domain::{Actor, Changes, Duration, GatewayAccount, Timestamp};
use gateways::{Answer, Call, CallError, ListedEvent, NoticeItem, adapter};
use store::CommitError;

use crate::fulfil::AT_ONCE;
use crate::receive::Source;
use crate::{App, Error};

/// How far back the event list is read again: a gateway may list an event
/// a little after it happened.
const OVERLAP: Duration = Duration::minutes(10);

/// How often an account's event list is read.
const EVERY: Duration = Duration::minutes(5);

/// How many pages of an event list are held in memory at once.
const PAGES: u32 = 50;

/// What came of reading event lists.
struct ReadLists {
    /// How many events were new.
    found: usize,
    /// Whether every list was read to its end.
    all_read: bool,
}

impl App {
    /// Asks about payments whose next check is due. Returns how many.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn step_payments(&self) -> Result<usize, Error> {
        let due = self.store.payments_due(self.clock.now(), 100).await?;
        for (shop, payment, order) in &due {
            let ask = || self.ask_payment(*shop, *payment, Actor::System);
            let mut asked = ask().await;
            for _ in 0..AT_ONCE {
                match asked {
                    // Whoever was faster is no reason to ask an hour later.
                    Err(Error::Conflict { .. }) => asked = ask().await,
                    Ok(_) | Err(_) => break,
                }
            }
            if let Err(error) = &asked {
                tracing::warn!(payment = %payment, %error, "an open payment could not be asked about");
            }
            if asked.is_ok_and(|payment| !payment.state.is_open()) {
                continue;
            }
            self.check_later(*shop, *order, *payment).await?;
        }
        Ok(due.len())
    }

    /// Counts a check, so that a gateway that is down, or has nothing new, is not asked about the same payments in a
    /// circle. Nobody else counts: whoever reloads a page must not use up what the sweep has left.
    async fn check_later(
        &self,
        shop: domain::ShopId,
        order: domain::OrderId,
        payment: domain::PaymentId,
    ) -> Result<(), Error> {
        let target = crate::fulfil::Target::Order(order);
        let occurrence = domain::Occurrence::StillOpen { payment };
        self.fulfil(shop, &target, &occurrence, Actor::System, None, None).await.map(|_| ())
    }

    /// Reads the event lists that were not read for a while. Returns how many events were new.
    ///
    /// # Errors
    /// When the store does not answer. A gateway that does not answer is read at the next step.
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
        let mut read = ReadLists { found: 0, all_read: true };
        for account in self.gateway_accounts().await {
            let lists = adapter(&account.adapter).is_some_and(|gateway| gateway.capabilities().event_list);
            if lists && account.is_active && now.since(account.events_read_to) >= older_than {
                match self.read_events(&account).await {
                    Ok(new) => read.found += new,
                    Err(error) => {
                        read.all_read = false;
                        tracing::warn!(account = %account.id, %error, "the event list could not be read");
                    }
                }
            }
        }
        Ok(read)
    }

    /// Reads an account's event list from where it was read to. Only when all
    /// of it is taken does the account count as read: a list that breaks off is read again.
    async fn read_events(&self, account: &GatewayAccount) -> Result<usize, Error> {
        let began = self.clock.now();
        let since = account.events_read_to.before(OVERLAP);
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
