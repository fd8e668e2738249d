//! What gateways send: proven, stored, applied, in one commit where nothing stands between.

use domain::{
    Actor, Changes, Fact, GatewayAccount, GatewayAccountId, Job, JobKind, Notice, NoticeId, NoticeState, Occurrence,
    PaymentLocator, Refusal,
};
use gateways::{Answer, Call, CallError, Headers, NoticeItem, Translation, VerifyError, adapter};
use store::CommitError;

use crate::ask::CONTRADICTION;
use crate::fulfil::{Fulfilled, Target, is_about};
use crate::{App, Error};

/// Why an event is passed over that is about something of other software, or of another shop.
pub(crate) const NOT_OURS: &str = "not_ours";

/// Why a message was not taken. Nothing is stored, and the gateway comes again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiveError {
    /// There is no such gateway account.
    #[error("there is no such gateway account")]
    AccountUnknown,
    /// The message does not prove that the gateway sent it.
    #[error("{0}")]
    NotAuthentic(#[from] VerifyError),
    /// It could not be stored.
    #[error("not stored: {0}")]
    NotStored(String),
}

/// What became of one event of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeOutcome {
    /// Its facts are in the rows.
    Applied,
    /// It came before.
    Duplicate,
    /// Nothing for us in it.
    Ignored,
    /// It makes no sense here; a person must look.
    Parked,
    /// Stored; a worker applies it in a moment.
    Stored,
}

impl NoticeOutcome {
    /// What becomes of an event that nobody knew.
    pub(crate) const NEW: [Self; 4] = [Self::Applied, Self::Ignored, Self::Parked, Self::Stored];

    /// The word in answers and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Duplicate => "duplicate",
            Self::Ignored => "ignored",
            Self::Parked => "parked",
            Self::Stored => "stored",
        }
    }
}

/// How an event came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The gateway sent it.
    Webhook,
    /// It was found in the gateway's list.
    List,
}

impl Source {
    /// The word in metrics; what a worker applies later is told there as `inbox`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::List => "list",
        }
    }
}

/// Whose money a fact is about.
enum Whose {
    /// The fact says it itself, or is about nothing of ours.
    Told,
    /// The gateway says it.
    Found(PaymentLocator),
    /// A worker is to ask the gateway.
    NotAskedYet,
}

impl App {
    /// Takes a gateway's message. When this returns `Ok`, every event in it is stored durably.
    ///
    /// # Errors
    /// When the message is not authentic or could not be stored.
    pub async fn receive(
        &self,
        account: GatewayAccountId,
        headers: &Headers,
        body: &[u8],
    ) -> Result<Vec<NoticeOutcome>, ReceiveError> {
        let account = self
            .gateway_account(account)
            .await
            .map_err(|error| ReceiveError::NotStored(error.to_string()))?
            .ok_or(ReceiveError::AccountUnknown)?;
        let gateway = adapter(&account.adapter).ok_or(ReceiveError::AccountUnknown)?;
        let items = gateway.verify(&account.credentials, headers, body, self.clock.now()).inspect_err(|error| {
            self.metrics.webhooks_refused.with([&account.id.to_string(), error.code()]).count();
        })?;
        self.silence.came(account.id, self.clock.now());
        let not_stored = |error: Error| {
            self.metrics.webhooks_refused.with([&account.id.to_string(), "not_stored"]).count();
            ReceiveError::NotStored(error.to_string())
        };
        let mut outcomes = Vec::with_capacity(items.len());
        for item in items {
            outcomes.push(self.take_notice(&account, item, Source::Webhook).await.map_err(not_stored)?);
        }
        if outcomes.contains(&NoticeOutcome::Duplicate) {
            // That it can be read is no promise: a standby may not have it yet.
            self.store.confirm().await.map_err(|error| not_stored(error.into()))?;
        }
        Ok(outcomes)
    }

    /// Stores and applies one authentic event, whether it was sent or found in a list.
    pub(crate) async fn take_notice(
        &self,
        account: &GatewayAccount,
        item: NoticeItem,
        source: Source,
    ) -> Result<NoticeOutcome, Error> {
        let now = self.clock.now();
        let notice = Notice {
            id: NoticeId::mint(now, &mut self.entropy.rng()),
            shop: account.shop,
            version: 0,
            gateway_account: account.id,
            event_id: item.event_id,
            kind: item.kind,
            body: item.body,
            state: NoticeState::Received,
            order: None,
            received_at: now,
            settled_at: None,
        };
        let outcome = match self.apply_notice(account, &notice).await {
            Ok(outcome) => outcome,
            // Not a word yet of what it means: keep it, and let a worker try in peace.
            Err(error) => {
                tracing::warn!(account = %account.id, event = notice.event_id, %error, "an event is left to the worker");
                self.keep(notice).await?
            }
        };
        self.metrics.notices.with([&account.id.to_string(), source.as_str(), outcome.as_str()]).count();
        Ok(outcome)
    }

    async fn keep(&self, notice: Notice) -> Result<NoticeOutcome, Error> {
        match self.commit(&Changes { notices: vec![notice], ..Changes::default() }, None).await {
            Ok(()) => Ok(NoticeOutcome::Stored),
            Err(CommitError::Conflict { .. }) => Ok(NoticeOutcome::Duplicate),
            Err(error) => Err(error.into()),
        }
    }

    /// Does what a notice asks for, and settles it in the same commit. The
    /// notice is new (version 0) or stored (waiting, or parked and wanted again).
    pub(crate) async fn apply_notice(&self, account: &GatewayAccount, notice: &Notice) -> Result<NoticeOutcome, Error> {
        if notice.kind == CONTRADICTION {
            return self.ask_again(account, notice).await;
        }
        self.apply_event(account, notice).await
    }

    /// Does what an event of the gateway asks for.
    pub(crate) async fn apply_event(&self, account: &GatewayAccount, notice: &Notice) -> Result<NoticeOutcome, Error> {
        let gateway =
            adapter(&account.adapter).ok_or_else(|| Error::Configuration(format!("no adapter {}", account.adapter)))?;
        match gateway.translate(&notice.kind, &notice.body) {
            Ok(Translation::Fact(fact)) => {
                let fact = match self.whose(account, notice, &fact).await? {
                    Whose::Told => *fact,
                    Whose::Found(locator) => fact.about(locator),
                    Whose::NotAskedYet => return self.keep(notice.clone()).await,
                };
                self.rebuild_lost_sale(account, notice, &fact).await?;
                let target = Target::Located(fact.locator().clone());
                let occurrence = Occurrence::Reported { account: account.id, fact };
                let fulfilled =
                    self.fulfil(account.shop, &target, &occurrence, Actor::Gateway, Some(notice), None).await?;
                Ok(match fulfilled {
                    Fulfilled::Done(_) => NoticeOutcome::Applied,
                    Fulfilled::Duplicate => NoticeOutcome::Duplicate,
                    Fulfilled::NotOurs => NoticeOutcome::Ignored,
                    Fulfilled::Refused(_) => NoticeOutcome::Parked,
                })
            }
            Ok(Translation::Ask(locator)) => self.ask_because_of(account, notice, &locator).await,
            Ok(Translation::Ignore(reason)) => {
                self.settle(notice, NoticeState::Ignored { reason: reason.to_owned() }, Vec::new()).await
            }
            Err(error) => {
                let state = if self.is_foreign(account, notice, gateway.unmarked(&notice.body)).await? {
                    NoticeState::Ignored { reason: NOT_OURS.to_owned() }
                } else {
                    NoticeState::Parked { reason: "unreadable".to_owned(), detail: error.to_string() }
                };
                self.settle(notice, state, Vec::new()).await
            }
        }
    }

    /// Finds out whose money a refund or a dispute is about when it names the money alone. It may have overtaken the
    /// notice that tells us that name, and what is taken for somebody else's is never looked at again: so the gateway
    /// is asked, by a worker, what it knows of the money.
    async fn whose(&self, account: &GatewayAccount, notice: &Notice, fact: &Fact) -> Result<Whose, Error> {
        let carries_names = match fact {
            Fact::Payment(_) => true,
            Fact::Refund(_) | Fact::Dispute(_) => false,
        };
        let locator = fact.locator();
        if carries_names || locator.order.is_some() || locator.payment.is_some() || locator.reference.is_none() {
            return Ok(Whose::Told);
        }
        let (_, sale) = self.store.sale_for_notice(account.shop, account.id, locator, &notice.event_id).await?;
        if sale.is_some() {
            return Ok(Whose::Told);
        }
        if notice.version == 0 {
            return Ok(Whose::NotAskedYet);
        }
        let call = Call::RetrievePayment { page_reference: None, reference: locator.reference.clone() };
        match self.call(account, &call).await {
            Ok(Answer::Facts(facts)) => {
                Ok(facts.first().map_or(Whose::Told, |payment| Whose::Found(payment.locator().clone())))
            }
            Ok(
                Answer::Page(_)
                | Answer::Events { .. }
                | Answer::Disputes { .. }
                | Answer::Account { .. }
                | Answer::Done,
            )
            | Err(CallError::Refused { .. } | CallError::Declined(_) | CallError::Unsupported { .. }) => {
                Ok(Whose::Told)
            }
            Err(error @ (CallError::Unauthorized { .. } | CallError::Unknown { .. })) => {
                Err(Error::Unavailable(error.to_string()))
            }
        }
    }

    /// Whether an event without a mark of ours is about nothing that we know.
    async fn is_foreign(
        &self,
        account: &GatewayAccount,
        notice: &Notice,
        unmarked: Option<PaymentLocator>,
    ) -> Result<bool, Error> {
        let Some(names) = unmarked else { return Ok(false) };
        let (_, sale) = self.store.sale_for_notice(account.shop, account.id, &names, &notice.event_id).await?;
        Ok(sale.is_none())
    }

    /// Settles a notice that only says that something moved: the job that asks goes into the same commit.
    async fn ask_because_of(
        &self,
        account: &GatewayAccount,
        notice: &Notice,
        locator: &PaymentLocator,
    ) -> Result<NoticeOutcome, Error> {
        let (known, sale) = self.store.sale_for_notice(account.shop, account.id, locator, &notice.event_id).await?;
        if notice.version == 0 && known.is_some() {
            return Ok(NoticeOutcome::Duplicate);
        }
        let payment = sale.as_ref().and_then(|sale| sale.payments.iter().find(|payment| is_about(locator, payment)));
        match payment {
            None if locator.claims(account.shop) => {
                let refusal = Refusal::PaymentUnknown;
                let state = NoticeState::Parked { reason: refusal.code().to_owned(), detail: refusal.to_string() };
                self.settle(notice, state, Vec::new()).await
            }
            None => self.settle(notice, NoticeState::Ignored { reason: NOT_OURS.to_owned() }, Vec::new()).await,
            Some(payment) => {
                let job = self.job(account.shop, JobKind::AskPayment { payment: payment.id }, self.clock.now());
                let notice = Notice { order: Some(payment.order), ..notice.clone() };
                self.settle(&notice, NoticeState::Applied, vec![job]).await
            }
        }
    }

    pub(crate) async fn settle(
        &self,
        notice: &Notice,
        state: NoticeState,
        jobs: Vec<Job>,
    ) -> Result<NoticeOutcome, Error> {
        let outcome = match &state {
            NoticeState::Received => NoticeOutcome::Stored,
            NoticeState::Applied => NoticeOutcome::Applied,
            NoticeState::Ignored { .. } => NoticeOutcome::Ignored,
            NoticeState::Parked { .. } => NoticeOutcome::Parked,
        };
        let settled = Notice { state, settled_at: Some(self.clock.now()), ..notice.clone() };
        match self.commit(&Changes { notices: vec![settled], jobs, ..Changes::default() }, None).await {
            Ok(()) => Ok(outcome),
            Err(CommitError::Conflict { .. }) => Ok(NoticeOutcome::Duplicate),
            Err(error) => Err(error.into()),
        }
    }
}
