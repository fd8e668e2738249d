//! Calling a gateway, and asking it how a payment stands.

use std::sync::Arc;
use std::time::Instant;

use domain::{
    Actor, Changes, Fact, GatewayAccount, Notice, NoticeId, NoticeState, Occurrence, OrderId, Payment, PaymentId,
    PaymentState, ShopId,
};
use gateways::{Answer, Call, CallError, adapter};
use store::{ClaimedJob, CommitError, NoticeFilter, Page};

use crate::fulfil::{Fulfilled, Target};
use crate::trace::{Begin, SpanKind, traceparent};
use crate::{App, Error, NoticeOutcome};

/// The kind under which an answer that contradicts what is stored is kept among the notices.
pub(crate) const CONTRADICTION: &str = "latchkey.contradiction";

/// What became of a call, in a word.
fn word(outcome: &Result<Answer, CallError>) -> &'static str {
    match outcome {
        Ok(_) => "answered",
        Err(CallError::Declined(_)) => "declined",
        Err(CallError::Refused { .. }) => "refused",
        Err(CallError::Unauthorized { .. }) => "unauthorized",
        Err(CallError::Unknown { .. }) => "unknown",
        Err(CallError::Unsupported { .. }) => "unsupported",
    }
}

impl App {
    /// Makes one call. Every way of not getting an answer is [`CallError::Unknown`].
    pub(crate) async fn call(&self, account: &GatewayAccount, call: &Call) -> Result<Answer, CallError> {
        let name = call.as_str();
        let began = Instant::now();
        let begin = Begin { id: None, parent: None, kind: SpanKind::Client, program: None };
        let outcome = self
            .in_span(begin, self.exchange(account, call), |outcome, span| {
                span.name = format!("{} {name}", account.adapter);
                span.attributes = vec![
                    ("latchkey.gateway_account", account.id.to_string().into()),
                    ("latchkey.outcome", word(outcome).into()),
                ];
                span.has_failed = matches!(outcome, Err(CallError::Unknown { .. } | CallError::Unauthorized { .. }));
            })
            .await;
        let elapsed = began.elapsed();
        self.metrics.gateway_calls.with([&account.adapter, name, word(&outcome)]).count();
        self.metrics.gateway_call_duration.with([&account.adapter, name]).took(elapsed);
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(account = %account.id, call = name, outcome = word(&outcome), elapsed_ms, "a gateway was called");
        outcome
    }

    async fn exchange(&self, account: &GatewayAccount, call: &Call) -> Result<Answer, CallError> {
        let gateway = adapter(&account.adapter).ok_or(CallError::Unsupported { what: "be found: no such adapter" })?;
        let mut request = gateway.request(&account.credentials, call)?;
        request.headers.extend(traceparent().map(|header| ("traceparent", header)));
        let response = self.http.send(request).await.map_err(|failure| CallError::Unknown { message: failure.0 })?;
        gateway.read(call, &response)
    }

    /// Asks the gateway how a payment stands, and puts the answer into the
    /// rows: what the return of the buyer, the sweep and the support button do.
    /// When it is asked next is the sweep's business alone.
    ///
    /// # Errors
    /// When there is no such payment, or somebody does not answer.
    pub async fn ask_payment(&self, shop: ShopId, id: PaymentId, actor: Actor) -> Result<Payment, Error> {
        self.ask_payment_for(shop, id, actor, None).await
    }

    pub(crate) async fn ask_payment_for(
        &self,
        shop: ShopId,
        id: PaymentId,
        actor: Actor,
        job: Option<&ClaimedJob>,
    ) -> Result<Payment, Error> {
        let payment = self.payment(shop, id).await?;
        let account = self.account_of(&payment).await?;
        let target = Target::Order(payment.order);
        if payment.page_reference.is_none() && payment.reference.is_none() {
            // The gateway has not named it yet: opening it again, with the same key, is what finds out.
            if job.is_some() {
                self.commit(&Changes::default(), job).await?;
            }
            return Ok(payment);
        }
        let call = Call::RetrievePayment {
            page_reference: payment.page_reference.clone(),
            reference: payment.reference.clone(),
        };
        let facts = match self.call(&account, &call).await {
            Ok(Answer::Facts(facts)) => facts,
            Ok(
                Answer::Page(_)
                | Answer::Events { .. }
                | Answer::Disputes { .. }
                | Answer::Account { .. }
                | Answer::Done,
            ) => Vec::new(),
            // It will say the same tomorrow; a person must look.
            Err(CallError::Refused { code, message }) => {
                let detail = format!("{code}: {message}");
                self.tell_contradiction(&account, &payment, "gateway_refused", &detail, job).await?;
                return Err(Error::Unavailable(detail));
            }
            Err(error) => return Err(Error::Unavailable(error.to_string())),
        };
        let disputes = self.dispute_facts(&account, &payment).await?;
        // A gateway lists refunds newest first, and one may look like too much until an older one is known to have
        // failed: what is refused is put in once more after the rest.
        let mut left: Vec<Occurrence> =
            facts.into_iter().chain(disputes).map(|fact| Occurrence::Reported { account: account.id, fact }).collect();
        let mut contradiction = None;
        for _ in 0..2 {
            contradiction = None;
            for occurrence in std::mem::take(&mut left) {
                if let Fulfilled::Refused(refusal) = self.fulfil(shop, &target, &occurrence, actor, None, None).await? {
                    contradiction = Some(refusal);
                    left.push(occurrence);
                }
            }
        }
        if let Some(refusal) = contradiction {
            self.tell_contradiction(&account, &payment, refusal.code(), &refusal.to_string(), job).await?;
            return Err(Error::Refused(refusal));
        }
        let payment = self.payment(shop, id).await?;
        if job.is_some() {
            self.commit(&Changes::default(), job).await?;
            self.apply_overtaken(&account, payment.order).await?;
        }
        Ok(payment)
    }

    /// How the disputes of a payment stand that we know of: an answer about the payment does not say how they ended,
    /// and one that ended may have been decided again.
    async fn dispute_facts(&self, account: &GatewayAccount, payment: &Payment) -> Result<Vec<Fact>, Error> {
        if !adapter(&account.adapter).is_some_and(|gateway| gateway.capabilities().disputes) {
            return Ok(Vec::new());
        }
        let disputes = self.sale(payment.shop, payment.order).await?.disputes;
        let mut facts = Vec::new();
        for dispute in disputes.iter().filter(|dispute| dispute.payment == payment.id) {
            match self.call(account, &Call::RetrieveDispute { reference: dispute.reference.clone() }).await {
                Ok(Answer::Facts(told)) => facts.extend(told),
                Ok(
                    Answer::Page(_)
                    | Answer::Events { .. }
                    | Answer::Disputes { .. }
                    | Answer::Account { .. }
                    | Answer::Done,
                ) => {}
                Err(error) => return Err(Error::Unavailable(error.to_string())),
            }
        }
        Ok(facts)
    }

    /// Applies again the refunds that were more than there was, now that the gateway has told of all of them.
    async fn apply_overtaken(&self, account: &GatewayAccount, order: OrderId) -> Result<(), Error> {
        let parked = NoticeFilter { state: Some("parked".to_owned()), order: Some(order) };
        let page = Page { starting_after: None, ending_before: None, limit: 100 };
        let parked = self.store.notices(account.shop, &parked, page).await?.data;
        let too_much = |notice: &&Notice| matches!(&notice.state, NoticeState::Parked { reason, .. } if reason == "refund_exceeds_payment");
        for notice in parked.iter().filter(too_much).filter(|notice| notice.gateway_account == account.id) {
            self.apply_event(account, notice).await?;
        }
        Ok(())
    }

    /// Shows a person an answer that cannot be right, beside the notices that make no sense; once for each payment
    /// and reason. The job that asked ends with it: the answer would be the same.
    async fn tell_contradiction(
        &self,
        account: &GatewayAccount,
        payment: &Payment,
        code: &str,
        detail: &str,
        job: Option<&ClaimedJob>,
    ) -> Result<(), Error> {
        tracing::error!(payment = %payment.id, code, detail, "the gateway's own answer contradicts what is stored");
        let now = self.clock.now();
        let notice = Notice {
            id: NoticeId::mint(now, &mut self.entropy.rng()),
            shop: account.shop,
            version: 0,
            gateway_account: account.id,
            event_id: format!("{CONTRADICTION}:{}:{code}", payment.id),
            kind: CONTRADICTION.to_owned(),
            body: payment.id.to_string().into_bytes(),
            state: NoticeState::Parked { reason: code.to_owned(), detail: domain::mask_card_numbers(detail) },
            order: Some(payment.order),
            received_at: now,
            settled_at: Some(now),
        };
        let told = self.commit(&Changes { notices: vec![notice], ..Changes::default() }, job).await;
        match (told, job) {
            (Ok(()), _) | (Err(CommitError::Conflict { .. }), None) => Ok(()),
            (Err(CommitError::Conflict { .. }), Some(job)) => match self.store.finish_job(job).await {
                Ok(()) | Err(CommitError::Conflict { .. }) => Ok(()),
                Err(error) => Err(error.into()),
            },
            (Err(error), _) => Err(error.into()),
        }
    }

    /// Asks again because a person, who has seen the contradiction, wants it.
    pub(crate) async fn ask_again(&self, account: &GatewayAccount, notice: &Notice) -> Result<NoticeOutcome, Error> {
        let payment = str::from_utf8(&notice.body).ok().and_then(|id| PaymentId::parse(id).ok());
        let payment = payment.ok_or(Error::NotFound { what: "payment" })?;
        match self.ask_payment(account.shop, payment, Actor::System).await {
            Ok(_) => self.settle(notice, NoticeState::Applied, Vec::new()).await,
            Err(Error::Refused(_)) => Ok(NoticeOutcome::Parked),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn account_of(&self, payment: &Payment) -> Result<Arc<GatewayAccount>, Error> {
        self.gateway_account(payment.gateway_account).await?.ok_or(Error::NotFound { what: "gateway account" })
    }

    pub(crate) async fn payment(&self, shop: ShopId, id: PaymentId) -> Result<Payment, Error> {
        self.store.payment(shop, id).await?.ok_or(Error::NotFound { what: "payment" })
    }

    /// Whether the payment still needs its page opened.
    pub(crate) fn needs_page(payment: &Payment) -> bool {
        match payment.state {
            PaymentState::Created | PaymentState::Unknown => payment.page_reference.is_none(),
            PaymentState::Sent
            | PaymentState::RequiresAction
            | PaymentState::Processing
            | PaymentState::Canceled
            | PaymentState::Failed
            | PaymentState::Succeeded => false,
        }
    }
}
