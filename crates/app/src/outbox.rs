//! What leaves the process: jobs, claimed by lease, each harmless when repeated.

use std::panic::AssertUnwindSafe;

use domain::{
    Actor, Changes, Decline, DeclineClass, Delivery, DeliveryState, Duration, Event, EventId, EventKind, JobKind,
    Occurrence, Order, PaymentId, ShopId, Timestamp,
};
use futures::FutureExt as _;
use futures::future::{Either, join_all, select};
use gateways::{Answer, Call, CallError};
use serde_json::json;
use store::{ClaimedJob, CommitError, Queue};

use crate::fulfil::{self, AT_ONCE, Fulfilled, TRIES, Target};
use crate::mailer::MailError;
use crate::trace::{Begin, SpanKind};
use crate::{App, Error};

/// How long a node may take over a job before another takes it: longer than any call may take, and what is taken up is
/// begun at once, so that two nodes do not send one mail.
const LEASE: Duration = Duration::minutes(2);

/// How long an idempotency key is relied on: gateways forget them after a day, and a call that is repeated later would
/// open a second page for one payment.
const KEY_LIFETIME: Duration = Duration::hours(23);

/// How many jobs of one queue a node has under way at most.
pub(crate) const SIDE_BY_SIDE: usize = 16;

/// How long a mail is tried before it is given up, visibly (RFC 5321 §4.5.4.1 asks for four to five days).
const MAIL_PATIENCE: Duration = Duration::days(5);

/// What a job came to.
pub(crate) enum Done {
    /// It is done, or no longer wanted.
    Finish,
    /// It was done and committed together with its end.
    Finished,
    /// Not yet; with the reason.
    Later(String),
}

/// How long to wait before the next try: from seconds to six hours.
#[must_use]
pub(crate) fn backoff(attempts: u32) -> Duration {
    match attempts {
        0 => Duration::seconds(5),
        1 => Duration::seconds(30),
        2 => Duration::minutes(2),
        3 => Duration::minutes(10),
        4 => Duration::hours(1),
        _ => Duration::hours(6),
    }
}

impl App {
    /// Runs jobs that are due. Returns how many were taken up.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn step_outbox(&self) -> Result<usize, Error> {
        let step = async |queue| {
            let claimed = self.take_up(queue, SIDE_BY_SIDE).await?;
            Ok::<usize, Error>(join_all(claimed.into_iter().map(|job| self.run_or_give_back(job))).await.len())
        };
        let [mails, calls] = Queue::ALL.map(step);
        let (mails, calls) = futures::join!(mails, calls);
        Ok(mails? + calls?)
    }

    /// Takes up so many jobs that are due, and no more: whoever has one begins it now.
    pub(crate) async fn take_up(&self, queue: Queue, room: usize) -> Result<Vec<ClaimedJob>, Error> {
        let now = self.clock.now();
        let room = u32::try_from(room).unwrap_or(u32::MAX);
        Ok(self.store.claim_jobs(queue, now, now.after(LEASE), room).await?)
    }

    /// Runs one job at once instead of leaving it to the worker; if a worker has it, nothing is done here.
    pub(crate) async fn run_now(&self, shop: ShopId, kind: JobKind) {
        let now = self.clock.now();
        match self.store.claim_job(shop, kind, now, now.after(LEASE)).await {
            Ok(Some(job)) => {
                self.run_or_give_back(job).await;
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(kind = kind.as_str(), %error, "a job is left to the worker"),
        }
    }

    /// Takes up a job at once, whatever its time is; `None` when there is none, or a worker is at it.
    pub(crate) async fn take_now(&self, shop: ShopId, kind: JobKind) -> Result<Option<ClaimedJob>, Error> {
        let now = self.clock.now();
        Ok(self.store.take_job(shop, kind, now, now.after(LEASE)).await?)
    }

    /// Runs a job, unless the server goes down before it is begun or before it is done: then it is given back, and
    /// another node need not wait for the end of the lease. Whether it ran.
    pub(crate) async fn run_or_give_back(&self, job: ClaimedJob) -> bool {
        let _holds = self.holds();
        if !self.is_draining() {
            let run = std::pin::pin!(self.run(job.clone()));
            let ended = std::pin::pin!(self.ended());
            match select(run, ended).await {
                Either::Left(_) => return true,
                Either::Right(_) => {}
            }
        }
        self.metrics.jobs.with([job.job.kind.as_str(), "given_back"]).count();
        let error = job.job.last_error.as_deref().unwrap_or("the server went down");
        match self.store.retry_job(&job, self.clock.now(), error).await {
            // A conflict: it was done after all.
            Ok(()) | Err(CommitError::Conflict { .. }) => {}
            Err(error) => tracing::warn!(job = %job.job.id, %error, "a job waits for the end of its lease"),
        }
        false
    }

    async fn run(&self, job: ClaimedJob) {
        let kind = job.job.kind.as_str();
        let begin = Begin { id: Some(job.job.id.to_string()), parent: None, kind: SpanKind::Consumer, program: None };
        let outcome = self
            .in_span(begin, self.run_job(job), |outcome, span| {
                span.name = format!("outbox {kind}");
                span.attributes = vec![("latchkey.outcome", (*outcome).into())];
                span.has_failed = *outcome == "later";
            })
            .await;
        self.metrics.jobs.with([kind, outcome]).count();
    }

    /// Runs one job; what became of it, in a word.
    async fn run_job(&self, job: ClaimedJob) -> &'static str {
        let tried = async {
            let mut result = self.do_job(&job).await;
            for _ in 0..AT_ONCE {
                match result {
                    // Somebody else was faster. There is nothing to wait for, only something to read again.
                    Err(Error::Conflict { what }) if what != fulfil::LEASE => result = self.do_job(&job).await,
                    Ok(_) | Err(_) => break,
                }
            }
            result
        };
        let later = match AssertUnwindSafe(tried).catch_unwind().await {
            Ok(Ok(Done::Finished)) => return "done",
            Ok(Ok(Done::Finish)) => None,
            Ok(Ok(Done::Later(reason))) => Some(reason),
            // What the job is about is gone for good: nothing will ever be done.
            Ok(Err(Error::NotFound { .. })) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("it ended in the middle: that is a mistake of this program".to_owned()),
        };
        let settled = match &later {
            None => self.store.finish_job(&job).await,
            Some(reason) => {
                let run_at = self.clock.now().after(backoff(job.job.attempts));
                tracing::warn!(job = %job.job.id, kind = job.job.kind.as_str(), reason, next = %run_at, "a job must wait");
                self.store.retry_job(&job, run_at, &domain::mask_card_numbers(reason)).await
            }
        };
        match settled {
            // A conflict: the lease ended and another node has it.
            Ok(()) | Err(CommitError::Conflict { .. }) => {}
            Err(error) => {
                tracing::warn!(job = %job.job.id, %error, "a job will be looked at again when its lease ends");
            }
        }
        if later.is_some() { "later" } else { "done" }
    }

    async fn do_job(&self, job: &ClaimedJob) -> Result<Done, Error> {
        match job.job.kind {
            JobKind::OpenPayment { payment } => self.open_payment(job, payment).await,
            JobKind::AskPayment { payment } => {
                self.ask_payment_for(job.job.shop, payment, Actor::System, Some(job)).await.map(|_| Done::Finished)
            }
            JobKind::SendRefund { refund } => self.send_refund(job, refund).await,
            JobKind::SendMail { delivery } => self.send_mail(job, delivery).await,
            JobKind::AskEndpoint { license } => self.ask_endpoint(job, license).await,
        }
    }

    /// Asks the gateway for the page of a payment. The payment's id is the
    /// idempotency key, so a repeated call finds the page of the first.
    async fn open_payment(&self, job: &ClaimedJob, id: PaymentId) -> Result<Done, Error> {
        let shop = job.job.shop;
        let payment = self.payment(shop, id).await?;
        if !Self::needs_page(&payment) {
            return Ok(Done::Finish);
        }
        let account = self.account_of(&payment).await?;
        let sale = self.sale(shop, payment.order).await?;
        let now = self.clock.now();
        let refused = |class: DeclineClass, code: String| Occurrence::CallRefused {
            payment: id,
            decline: Decline { class, code },
        };
        let is_too_late = sale.checkout.expires_at <= now || now.since(payment.created_at) >= KEY_LIFETIME;
        let (occurrence, again) = if is_too_late {
            (refused(DeclineClass::GatewayError, "gateway_never_answered".to_owned()), None)
        } else {
            match self.call(&account, &Call::OpenPayment(self.opening(&sale, &payment))).await {
                Ok(Answer::Page(page)) => (
                    Occurrence::PageOpened {
                        payment: id,
                        page_reference: page.page_reference,
                        url: page.url,
                        reference: page.reference,
                    },
                    None,
                ),
                Ok(
                    Answer::Facts(_)
                    | Answer::Events { .. }
                    | Answer::Disputes { .. }
                    | Answer::Account { .. }
                    | Answer::Done,
                ) => (refused(DeclineClass::GatewayError, "unexpected_answer".to_owned()), None),
                Err(CallError::Unknown { message }) => (Occurrence::CallUnanswered { payment: id }, Some(message)),
                Err(CallError::Declined(decline)) => (Occurrence::CallRefused { payment: id, decline }, None),
                Err(CallError::Refused { code, message }) => {
                    tracing::error!(payment = %id, code, message, "the gateway will not open a payment");
                    (refused(DeclineClass::GatewayError, code), None)
                }
                Err(CallError::Unauthorized { message }) => {
                    tracing::error!(account = %account.id, message, "the gateway does not accept our credentials");
                    (refused(DeclineClass::GatewayError, "credentials_not_accepted".to_owned()), None)
                }
                Err(CallError::Unsupported { what }) => {
                    (refused(DeclineClass::GatewayError, format!("cannot_{what}")), None)
                }
            }
        };
        let finishes = again.is_none().then_some(job);
        match self.fulfil(shop, &Target::Order(payment.order), &occurrence, Actor::System, None, finishes).await? {
            Fulfilled::Refused(refusal) => Ok(Done::Later(refusal.to_string())),
            Fulfilled::Done(_) | Fulfilled::Duplicate | Fulfilled::NotOurs => {
                Ok(again.map_or(Done::Finished, Done::Later))
            }
        }
    }

    async fn send_mail(&self, job: &ClaimedJob, id: domain::DeliveryId) -> Result<Done, Error> {
        let shop_id = job.job.shop;
        let delivery = self.store.delivery(shop_id, id).await?.ok_or(Error::NotFound { what: "delivery" })?;
        if delivery.state != DeliveryState::Queued {
            return Ok(Done::Finish);
        }
        let shop = self.shop(shop_id).await.ok_or(Error::NotFound { what: "shop" })?;
        let now = self.clock.now();
        let mut without_keys_of = None;
        let sent = match self.compose_mail(&shop, &delivery).await? {
            Some(letter) => {
                without_keys_of = letter.without_keys_of;
                self.mailer.send(letter.mail).await
            }
            None => Err(MailError::Refused {
                code: "nothing_to_send".to_owned(),
                message: "what it was about has expired".to_owned(),
            }),
        };
        let refused = "refused";
        let outcome = match &sent {
            Ok(()) => "sent",
            Err(MailError::Refused { .. }) => refused,
            Err(MailError::Later { .. }) => "later",
        };
        self.metrics.mails.begin([delivery.mail.as_str(), refused]);
        self.metrics.mails.with([delivery.mail.as_str(), outcome]).count();
        let attempts = delivery.attempts.saturating_add(1);
        let settled = |state: DeliveryState, error: Option<String>| Delivery {
            state,
            attempts,
            last_error: error,
            sent_at: (state == DeliveryState::Sent).then_some(now),
            ..delivery.clone()
        };
        match sent {
            Ok(()) => {
                let sent = settled(DeliveryState::Sent, None);
                match without_keys_of {
                    Some(order) => self.settle_without_keys(job, sent, order, now).await,
                    None => self.settle_mail(job, sent, EventKind::DeliverySent, now, Vec::new()).await,
                }
            }
            Err(MailError::Refused { code, message }) => {
                let error = format!("{code} {message}");
                let refused = settled(DeliveryState::Refused, Some(error));
                self.settle_mail(job, refused, EventKind::DeliveryRefused, now, Vec::new()).await
            }
            Err(MailError::Later { message }) if now.since(delivery.created_at) > MAIL_PATIENCE => {
                let refused = settled(DeliveryState::Refused, Some(message));
                self.settle_mail(job, refused, EventKind::DeliveryRefused, now, Vec::new()).await
            }
            Err(MailError::Later { message }) => {
                // Shown to the shop while it waits; a conflict here only means that a person changed it meanwhile.
                let waiting = settled(DeliveryState::Queued, Some(message.clone()));
                match self.commit(&Changes { deliveries: vec![waiting], ..Changes::default() }, None).await {
                    Ok(()) | Err(CommitError::Conflict { .. }) => Ok(Done::Later(message)),
                    Err(error) => Err(error.into()),
                }
            }
        }
    }

    /// Notes that a mail left without the keys that it was to carry. The order is the lock of its sale: keys that work
    /// again meanwhile find that they have not left, or this finds that they work, and the mail goes out once more.
    async fn settle_without_keys(
        &self,
        job: &ClaimedJob,
        sent: Delivery,
        mut order: Box<Order>,
        now: Timestamp,
    ) -> Result<Done, Error> {
        let sent = Delivery { without_keys: true, ..sent };
        for _ in 0..TRIES {
            let orders = vec![Order::clone(&order)];
            match self.settle_mail(job, sent.clone(), EventKind::DeliverySent, now, orders).await {
                Err(Error::Conflict { what: "order" }) => match self.still_without_keys(&order).await? {
                    Some(moved) => order = moved,
                    None => break,
                },
                settled => return settled,
            }
        }
        Err(Error::Conflict { what: "order" })
    }

    async fn settle_mail(
        &self,
        job: &ClaimedJob,
        delivery: Delivery,
        kind: EventKind,
        now: Timestamp,
        orders: Vec<Order>,
    ) -> Result<Done, Error> {
        let event = Event {
            id: EventId::mint(now, &mut self.entropy.rng()),
            shop: delivery.shop,
            kind,
            actor: Actor::System,
            order: delivery.order,
            license: None,
            customer: delivery.customer,
            data: json!({ "delivery": delivery.id, "mail": delivery.mail.as_str(), "to": delivery.to.masked(), "error": delivery.last_error }),
            at: now,
        };
        let changes = Changes { orders, deliveries: vec![delivery], events: vec![event], ..Changes::default() };
        self.commit(&changes, Some(job)).await?;
        Ok(Done::Finished)
    }
}
