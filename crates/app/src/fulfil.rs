//! The one way from something that happened to rows.
//!
//! Webhook, return, poll, list and support button all end in [`App::fulfil`]:
//! read the sale, decide, commit; when somebody else was faster, read again.

use domain::{
    Actor, Changes, Fact, Job, JobId, JobKind, Notice, NoticeState, Occurrence, OrderId, Payment, PaymentLocator,
    Refusal, Rng, Sale, ShopId, Timestamp, decide,
};
use store::{ClaimedJob, CommitError};

use crate::receive::NOT_OURS;
use crate::{App, Error};

/// What collides when a job has gone to another node.
pub(crate) const LEASE: &str = "job";

/// How often what collided is done again at once by those who would otherwise wait: whoever was faster is done by then.
pub(crate) const AT_ONCE: u32 = 3;

/// How often a decision is taken again when somebody else was faster. What
/// still collides then is left to a worker.
pub(crate) const TRIES: u32 = 25;

/// Which sale.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// The sale of this order.
    Order(OrderId),
    /// The sale that a report of this gateway account points at.
    Located(PaymentLocator),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fulfilled {
    /// It is in the rows; nothing may have changed.
    Done(OrderId),
    /// The notice had been settled before.
    Duplicate,
    /// It is about nothing of ours.
    NotOurs,
    /// It contradicts what is stored; with a notice, the notice is parked.
    Refused(Refusal),
}

impl App {
    /// Puts an occurrence into the sale it is about, together with the notice
    /// that brought it and the job that caused it, or leaves everything as it is.
    pub(crate) async fn fulfil(
        &self,
        shop: ShopId,
        target: &Target,
        occurrence: &Occurrence,
        actor: Actor,
        notice: Option<&Notice>,
        job: Option<&ClaimedJob>,
    ) -> Result<Fulfilled, Error> {
        let mut taken = None;
        for _ in 0..TRIES {
            let now = self.clock.now();
            let (settled, sale) = self.read_sale(shop, target, notice).await?;
            if settled {
                return Ok(Fulfilled::Duplicate);
            }
            let (mut changes, outcome) = match &sale {
                None => (Changes::default(), not_found(shop, target)),
                Some(sale) => match decided(sale, occurrence, actor, now, &mut self.entropy.rng(), taken) {
                    Ok(changes) => (changes, Fulfilled::Done(sale.order.id)),
                    Err(refusal) => {
                        let jobs = notice
                            .map_or_else(Vec::new, |notice| self.ask_jobs(sale, notice, occurrence, &refusal, now));
                        (
                            Changes { checks: vec![sale.check()], jobs, ..Changes::default() },
                            Fulfilled::Refused(refusal),
                        )
                    }
                },
            };
            if let Some(sale) = &sale {
                tracing::debug!(
                    order = %sale.order.id,
                    stands = sale.order.state.as_str(),
                    payment = occurrence.payment(sale).map(|payment| payment.state.as_str()),
                    occurrence = occurrence.as_str(),
                    "decided"
                );
            }
            self.recovery.hold_mails(&mut changes);
            if let Some(notice) = notice {
                changes.notices.push(settle_notice(notice, &outcome, sale.as_ref(), now));
            }
            match self.commit(&changes, job).await {
                Ok(()) => return Ok(outcome),
                Err(CommitError::Conflict { what: "notice" }) if notice.is_some() => return Ok(Fulfilled::Duplicate),
                // The lease ended, and another node has the job: it is not ours to try again.
                Err(CommitError::Conflict { what: what @ LEASE }) if job.is_some() => {
                    return Err(Error::Conflict { what });
                }
                // The order is the lock of its sale and comes first: what collides after it collides with another sale.
                Err(CommitError::Conflict { what: what @ "payment" }) => taken = Some(what),
                Err(CommitError::Conflict { .. }) => taken = None,
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Conflict { what: "order" })
    }

    /// More went back than there is: an older refund may have failed, and that notice may be late. The gateway's
    /// own list of refunds tells, so it is asked once; what a person applies again asks nobody.
    fn ask_jobs(
        &self,
        sale: &Sale,
        notice: &Notice,
        occurrence: &Occurrence,
        refusal: &Refusal,
        now: Timestamp,
    ) -> Vec<Job> {
        let (
            Occurrence::Reported { fact: Fact::Refund(report), .. },
            Refusal::RefundExceedsPayment { .. },
            NoticeState::Received,
        ) = (occurrence, refusal, &notice.state)
        else {
            return Vec::new();
        };
        let payment = sale.payments.iter().find(|payment| is_about(&report.locator, payment));
        payment
            .map(|payment| self.job(sale.order.shop, JobKind::AskPayment { payment: payment.id }, now))
            .into_iter()
            .collect()
    }

    /// Something to do at once.
    pub(crate) fn job(&self, shop: ShopId, kind: JobKind, now: Timestamp) -> Job {
        let id = JobId::mint(now, &mut self.entropy.rng());
        Job { id, shop, kind, run_at: now, attempts: 0, last_error: None, created_at: now }
    }

    /// Reads a sale, lets `decision` make changes of it, commits them; again when somebody else was faster.
    pub(crate) async fn change_sale<T>(
        &self,
        shop: ShopId,
        order: OrderId,
        job: Option<&ClaimedJob>,
        mut decision: impl FnMut(&Sale, Timestamp, &mut Rng) -> Result<(Changes, T), Refusal>,
    ) -> Result<T, Error> {
        for _ in 0..TRIES {
            if let Some(value) = self.try_to_change_sale(shop, order, job, &mut decision).await? {
                return Ok(value);
            }
        }
        Err(Error::Conflict { what: "order" })
    }

    /// One try of [`App::change_sale`]; `None` when somebody else was faster.
    pub(crate) async fn try_to_change_sale<T>(
        &self,
        shop: ShopId,
        order: OrderId,
        job: Option<&ClaimedJob>,
        decision: impl FnOnce(&Sale, Timestamp, &mut Rng) -> Result<(Changes, T), Refusal>,
    ) -> Result<Option<T>, Error> {
        let sale = self.store.sale(shop, order).await?.ok_or(Error::NotFound { what: "order" })?;
        let (changes, value) = decision(&sale, self.clock.now(), &mut self.entropy.rng())?;
        Ok(self.commits(&changes, job).await?.then_some(value))
    }

    /// As [`App::commit`], but no error when somebody else was faster: then it is `false`, and to be decided again.
    pub(crate) async fn commits(&self, changes: &Changes, job: Option<&ClaimedJob>) -> Result<bool, Error> {
        match self.commit(changes, job).await {
            Ok(()) => Ok(true),
            Err(CommitError::Conflict { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Commits, and wakes whoever has something to do because of it.
    pub(crate) async fn commit(&self, changes: &Changes, job: Option<&ClaimedJob>) -> Result<(), CommitError> {
        let signed = self.with_signed_keys(changes).await?;
        self.commit_signed(signed.as_ref().unwrap_or(changes), job).await
    }

    /// As [`App::commit`], where every key that is to be signed has been.
    pub(crate) async fn commit_signed(&self, changes: &Changes, job: Option<&ClaimedJob>) -> Result<(), CommitError> {
        match job {
            Some(job) => self.store.commit_job(changes, Some(job)).await?,
            None if *changes == Changes::default() => {}
            None => self.store.commit(changes).await?,
        }
        self.metrics.licenses_issued.add(u64::try_from(changes.issued.len()).unwrap_or_default());
        self.work.ring(&changes.jobs);
        Ok(())
    }

    async fn read_sale(
        &self,
        shop: ShopId,
        target: &Target,
        notice: Option<&Notice>,
    ) -> Result<(bool, Option<Sale>), Error> {
        match (target, notice) {
            (Target::Located(locator), Some(notice)) => {
                let (state, sale) =
                    self.store.sale_for_notice(shop, notice.gateway_account, locator, &notice.event_id).await?;
                // A new notice that is stored already came before; a stored one is being applied again.
                Ok((notice.version == 0 && state.is_some(), sale))
            }
            (Target::Order(order), _) => Ok((false, self.store.sale(shop, *order).await?)),
            (Target::Located(locator), None) => match locator.order {
                Some(order) => Ok((false, self.store.sale(shop, order).await?)),
                None => Ok((false, None)),
            },
        }
    }
}

/// What is decided. `taken`: the decision was tried, and a name that it learns belongs to a payment of another sale.
fn decided(
    sale: &Sale,
    occurrence: &Occurrence,
    actor: Actor,
    now: Timestamp,
    rng: &mut Rng,
    taken: Option<&'static str>,
) -> Result<Changes, Refusal> {
    let changes = decide(sale, occurrence, actor, now, rng)?;
    if taken.is_none() {
        return Ok(changes);
    }
    let learns = |payment: &&Payment| {
        sale.payment(payment.id)
            .is_none_or(|known| known.reference != payment.reference || known.page_reference != payment.page_reference)
    };
    match changes.payments.iter().find(learns) {
        Some(payment) => Err(Refusal::ReferenceMismatch {
            expected: "named after another order's payment".to_owned(),
            reported: payment.id.to_string(),
        }),
        None => Ok(changes),
    }
}

/// Whether these names point at this payment.
pub(crate) fn is_about(locator: &PaymentLocator, payment: &Payment) -> bool {
    let same = |known: &Option<String>, told: &Option<String>| told.is_some() && known == told;
    locator.payment == Some(payment.id)
        || same(&payment.reference, &locator.reference)
        || same(&payment.page_reference, &locator.page_reference)
}

/// A report that names things of ours which are not here is suspicious; one that names none, or another shop, is
/// somebody else's: other software may use the account as well.
fn not_found(shop: ShopId, target: &Target) -> Fulfilled {
    match target {
        Target::Located(locator) if !locator.claims(shop) => Fulfilled::NotOurs,
        Target::Located(_) | Target::Order(_) => Fulfilled::Refused(Refusal::PaymentUnknown),
    }
}

fn settle_notice(notice: &Notice, outcome: &Fulfilled, sale: Option<&Sale>, now: Timestamp) -> Notice {
    let state = match outcome {
        Fulfilled::Done(_) | Fulfilled::Duplicate => NoticeState::Applied,
        Fulfilled::NotOurs => NoticeState::Ignored { reason: NOT_OURS.to_owned() },
        Fulfilled::Refused(refusal) => {
            NoticeState::Parked { reason: refusal.code().to_owned(), detail: refusal.to_string() }
        }
    };
    Notice { state, order: sale.map(|sale| sale.order.id), settled_at: Some(now), ..notice.clone() }
}
