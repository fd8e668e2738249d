//! What gateways send: proven, stored, applied, in one commit where nothing stands between.

use domain::{
    Actor, Changes, GatewayAccount, GatewayAccountId, Job, JobId, JobKind, Notice, NoticeId, NoticeState, Occurrence,
    PaymentLocator, Timestamp,
};
use gateways::{Headers, NoticeItem, Translation, VerifyError, adapter};
use store::CommitError;

use crate::fulfil::{Fulfilled, Target};
use crate::{App, Error};

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

impl App {
    /// Takes a gateway's message. When this returns `Ok`, every event in it is stored durably.
    ///
    /// # Errors
    /// When the message is not authentic or could not be stored.
    pub async fn receive(&self, account: GatewayAccountId, headers: &Headers, body: &[u8]) -> Result<Vec<NoticeOutcome>, ReceiveError> {
        let account = self.gateway_account(account).await.ok_or(ReceiveError::AccountUnknown)?;
        let gateway = adapter(&account.adapter).ok_or(ReceiveError::AccountUnknown)?;
        let items = gateway.verify(&account.credentials, headers, body, self.clock.now())?;
        let mut outcomes = Vec::with_capacity(items.len());
        for item in items {
            let outcome = self.take_notice(&account, item).await.map_err(|error| ReceiveError::NotStored(error.to_string()))?;
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }

    /// Stores and applies one authentic event, whether it was sent or found in a list.
    pub(crate) async fn take_notice(&self, account: &GatewayAccount, item: NoticeItem) -> Result<NoticeOutcome, Error> {
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
        match self.apply_notice(account, &notice).await {
            Ok(outcome) => Ok(outcome),
            // Not a word yet of what it means: keep it, and let a worker try in peace.
            Err(_) => match self.commit(&Changes { notices: vec![notice], ..Changes::default() }, None).await {
                Ok(()) => Ok(NoticeOutcome::Stored),
                Err(CommitError::Conflict { .. }) => Ok(NoticeOutcome::Duplicate),
                Err(error) => Err(error.into()),
            },
        }
    }

    /// Does what a notice asks for, and settles it in the same commit. The
    /// notice is new (version 0) or stored (waiting, or parked and wanted again).
    pub(crate) async fn apply_notice(&self, account: &GatewayAccount, notice: &Notice) -> Result<NoticeOutcome, Error> {
        let gateway = adapter(&account.adapter).ok_or_else(|| Error::Configuration(format!("no adapter {}", account.adapter)))?;
        match gateway.translate(&notice.kind, &notice.body) {
            Ok(Translation::Fact(fact)) => {
                let target = Target::Located(fact.locator().clone());
                let occurrence = Occurrence::Reported { account: account.id, fact: *fact };
                let fulfilled = self.fulfil(account.shop, &target, &occurrence, Actor::Gateway, Some(notice), None).await?;
                Ok(match fulfilled {
                    Fulfilled::Done(_) => NoticeOutcome::Applied,
                    Fulfilled::Duplicate => NoticeOutcome::Duplicate,
                    Fulfilled::NotOurs => NoticeOutcome::Ignored,
                    Fulfilled::Refused(_) => NoticeOutcome::Parked,
                })
            }
            Ok(Translation::Ask(locator)) => self.ask_because_of(account, notice, &locator).await,
            Ok(Translation::Ignore(reason)) => self.settle(notice, NoticeState::Ignored { reason: reason.to_owned() }, Vec::new()).await,
            Err(error) => {
                let state = NoticeState::Parked { reason: "unreadable".to_owned(), detail: error.to_string() };
                self.settle(notice, state, Vec::new()).await
            }
        }
    }

    /// Settles a notice that only says that something moved: the job that asks goes into the same commit.
    async fn ask_because_of(&self, account: &GatewayAccount, notice: &Notice, locator: &PaymentLocator) -> Result<NoticeOutcome, Error> {
        let (known, sale) = self.store.sale_for_notice(account.shop, account.id, locator, &notice.event_id).await?;
        if notice.version == 0 && known.is_some() {
            return Ok(NoticeOutcome::Duplicate);
        }
        let payment = sale.as_ref().and_then(|sale| {
            sale.payments.iter().find(|payment| {
                locator.payment == Some(payment.id)
                    || (payment.reference.is_some() && payment.reference == locator.reference)
                    || (payment.page_reference.is_some() && payment.page_reference == locator.page_reference)
            })
        });
        match payment {
            None => self.settle(notice, NoticeState::Ignored { reason: "not_ours".to_owned() }, Vec::new()).await,
            Some(payment) => {
                let now = self.clock.now();
                let job = new_job(account, JobKind::AskPayment { payment: payment.id }, now, &self.entropy);
                let notice = Notice { order: Some(payment.order), ..notice.clone() };
                self.settle(&notice, NoticeState::Applied, vec![job]).await
            }
        }
    }

    async fn settle(&self, notice: &Notice, state: NoticeState, jobs: Vec<Job>) -> Result<NoticeOutcome, Error> {
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

fn new_job(account: &GatewayAccount, kind: JobKind, now: Timestamp, entropy: &crate::Entropy) -> Job {
    Job { id: JobId::mint(now, &mut entropy.rng()), shop: account.shop, kind, run_at: now, attempts: 0, last_error: None, created_at: now }
}
