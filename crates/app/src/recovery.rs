//! After a restore: what happened since the backup is asked of the gateways, and no mail leaves because of it.
//!
//! The world went on after the backup was taken. Payments that were open then
//! may be paid, what was paid may be refunded, and the buyers have their mails.
//! So until every gateway has told, a mail about an order from before the
//! restore is held: it is there to be seen, and a person lets it go.

use std::sync::{Mutex, PoisonError};

use domain::{
    Actor, Changes, Delivery, DeliveryId, Duration, Fact, GatewayAccount, HELD_UNTIL, JobKind, Known, LostSale, Notice,
    Offer, OrderId, PaymentLocator, PaymentReport, PaymentStatus, SaleNote, ShopId, Timestamp, rebuild_sale,
};
use gateways::adapter;
use store::restore::HELD_BY_RESTORE;
use store::{CommitError, Queue, Restored};

use crate::clock::has_passed;
use crate::{App, Error};

/// How many open payments are asked about: more than a shop has open at once.
const OPEN: u32 = 100_000;

/// How often a gateway that did not answer is asked again.
const AGAIN: Duration = Duration::minutes(1);

/// How many held mails are shown, and sent at once, at most.
const MOST: u32 = 1_000;

/// Whether this database came from a backup, and its gateways have not told everything yet.
#[derive(Default)]
pub(crate) struct Recovery(Mutex<Option<Pending>>);

/// What is still to be asked for.
#[derive(Clone, Copy)]
struct Pending {
    restored: Restored,
    tried_at: Option<Timestamp>,
}

impl Recovery {
    pub(crate) fn begin(restored: Option<Restored>) -> Self {
        let pending = restored.filter(|restored| !restored.is_caught_up);
        Self(Mutex::new(pending.map(|restored| Pending { restored, tried_at: None })))
    }

    fn change<T>(&self, change: impl FnOnce(&mut Option<Pending>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn pending(&self) -> Option<Restored> {
        self.change(|pending| pending.map(|pending| pending.restored))
    }

    /// What is to be asked for now; nothing so soon after the last try.
    fn take_up(&self, now: Timestamp) -> Option<Restored> {
        self.change(|pending| {
            let pending = pending.as_mut()?;
            let is_due = pending.tried_at.is_none_or(|at| has_passed(AGAIN, at, now));
            pending.tried_at = is_due.then_some(now).or(pending.tried_at);
            is_due.then_some(pending.restored)
        })
    }

    fn end(&self) {
        self.change(|pending| *pending = None);
    }

    /// Holds the mails of these changes that are about an order from before the restore: its buyer may have them.
    pub(crate) fn hold_mails(&self, changes: &mut Changes) {
        let Some(restored) = self.pending() else { return };
        let is_old = |order: Option<OrderId>| order.is_some_and(|order| order.minted_at() <= restored.restored_at);
        for delivery in changes.deliveries.iter_mut().filter(|delivery| delivery.version == 0 && is_old(delivery.order))
        {
            let sends = JobKind::SendMail { delivery: delivery.id };
            for job in changes.jobs.iter_mut().filter(|job| job.kind == sends) {
                job.run_at = HELD_UNTIL;
                job.last_error = Some(HELD_BY_RESTORE.to_owned());
                delivery.last_error = Some(HELD_BY_RESTORE.to_owned());
            }
        }
    }
}

impl App {
    /// Whether what happened since a backup is still to be asked for.
    #[must_use]
    pub fn is_recovering(&self) -> bool {
        self.recovery.pending().is_some()
    }

    /// Asks every gateway what happened since the backup that was restored: stored notices are applied, event lists
    /// read from before the backup on, every open payment asked about. Gives whether all of it was told; what was not
    /// is asked for again by the next call.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn recover(&self) -> Result<bool, Error> {
        let Some(restored) = self.recovery.take_up(self.clock.now()) else { return Ok(!self.is_recovering()) };
        self.do_what_waits().await?;
        let told_events = self.catch_up_fully().await?;
        // An event may leave the question how its payment stands to a job.
        self.do_what_waits().await?;
        let told_payments = self.ask_what_was_open(restored).await?;
        if !(told_events && told_payments) {
            tracing::warn!("not every gateway has told what happened since the backup; mails are held until they have");
            return Ok(false);
        }
        self.store.caught_up(restored).await?;
        self.recovery.end();
        Ok(true)
    }

    /// Stored notices and jobs that are due, until there are none. What cannot be done is due later.
    async fn do_what_waits(&self) -> Result<(), Error> {
        while self.step_inbox().await? + self.step_outbox().await? > 0 {}
        Ok(())
    }

    /// Asks about every payment from before the restore that is open.
    async fn ask_what_was_open(&self, restored: Restored) -> Result<bool, Error> {
        let mut all_told = true;
        // By when its next check is due, which may be any time.
        for (shop, payment, _) in self.store.payments_due(HELD_UNTIL, OPEN).await? {
            if payment.minted_at() > restored.restored_at {
                continue;
            }
            if let Err(error) = self.ask_payment(shop, payment, Actor::System).await {
                tracing::warn!(payment = %payment, %error, "an open payment could not be asked about");
                // What contradicts our rows is told, and parked where a person sees it; what is unavailable is not.
                all_told &= matches!(error, Error::Refused(_));
            }
        }
        Ok(all_told)
    }

    /// Makes the rows of a sale again that began after the backup and was paid: they went down with the shop, and the
    /// event carries our note of it. While the gateways are being asked, and when a person applies a notice again.
    ///
    /// # Errors
    /// When the store does not answer.
    pub(crate) async fn rebuild_lost_sale(
        &self,
        account: &GatewayAccount,
        notice: &Notice,
        fact: &Fact,
    ) -> Result<(), Error> {
        let Fact::Payment(PaymentReport {
            locator: PaymentLocator { order: Some(order), payment: Some(payment), .. },
            status: PaymentStatus::Succeeded { .. } | PaymentStatus::Processing,
            ..
        }) = fact
        else {
            return Ok(());
        };
        if !fact.locator().claims(account.shop) {
            return Ok(());
        }
        let restored = match self.recovery.pending() {
            None if notice.version > 0 => self.store.restored().await?,
            pending => pending,
        };
        let is_lost = restored.is_some_and(|restored| order.minted_at() <= restored.restored_at);
        if !is_lost || self.store.order(account.shop, *order).await?.is_some() {
            return Ok(());
        }
        let note = adapter(&account.adapter).and_then(|gateway| gateway.note(&notice.body));
        let Some(note) = note.and_then(|text| SaleNote::parse(&text)) else { return Ok(()) };
        let (Some(shop), Some(plan)) = (self.shop(account.shop).await, self.store.plan(account.shop, note.plan).await?)
        else {
            return Ok(());
        };
        let Some(product) = self.store.product(account.shop, plan.product).await? else { return Ok(()) };
        let customer = self.store.customer_by_email(account.shop, &note.email).await?;
        let lost = LostSale { order: *order, payment: *payment };
        let parts = self.store.parts(account.shop, &plan.bundle).await?;
        let offer = Offer { shop: &shop, product: &product, plan: &plan, parts: &parts };
        let known = Known { offer, account, customer: customer.as_ref() };
        match rebuild_sale(lost, &note, &known, &mut self.entropy.rng()) {
            Ok(changes) => match self.commit(&changes, None).await {
                Ok(()) => tracing::info!(%order, "a sale that was lost is here again"),
                // Somebody else made it, or its number is taken: what the event says is decided, or parked.
                Err(CommitError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            },
            Err(refusal) => tracing::warn!(%order, %refusal, "a sale that was lost cannot be made again"),
        }
        Ok(())
    }

    /// Mails that wait for a person, oldest first.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn held_mails(&self, shop: ShopId) -> Result<Vec<Delivery>, Error> {
        Ok(self.store.held_mails(shop, MOST).await?)
    }

    /// Lets a held mail go: the outbox sends it. The support button.
    ///
    /// # Errors
    /// `NotFound` when it is not held (any more).
    pub async fn send_held_mail(&self, shop: ShopId, delivery: DeliveryId) -> Result<(), Error> {
        let now: Timestamp = self.clock.now();
        match self.store.release_job(shop, JobKind::SendMail { delivery }, now).await {
            Ok(()) => {
                self.work.of(Queue::Mails).notify_one();
                Ok(())
            }
            Err(CommitError::Conflict { .. }) => Err(Error::NotFound { what: "mail" }),
            Err(error) => Err(error.into()),
        }
    }
}
