//! Calling a gateway, and asking it how a payment stands.

use domain::{Actor, GatewayAccount, Occurrence, Payment, PaymentId, PaymentState, ShopId};
use gateways::{Answer, Call, CallError, adapter};
use store::ClaimedJob;

use crate::fulfil::{Fulfilled, Target};
use crate::{App, Error};

impl App {
    /// Makes one call. Every way of not getting an answer is [`CallError::Unknown`].
    pub(crate) async fn call(&self, account: &GatewayAccount, call: &Call) -> Result<Answer, CallError> {
        let gateway = adapter(&account.adapter).ok_or(CallError::Unsupported { what: "be found: no such adapter" })?;
        let request = gateway.request(&account.credentials, call)?;
        let response = self.http.send(request).await.map_err(|failure| CallError::Unknown { message: failure.0 })?;
        gateway.read(call, &response)
    }

    /// Asks the gateway how a payment stands, and puts the answer into the
    /// rows: what the return of the buyer, the sweep and the support button do.
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
        let account =
            self.gateway_account(payment.gateway_account).await.ok_or(Error::NotFound { what: "gateway account" })?;
        let target = Target::Order(payment.order);
        if payment.page_reference.is_none() && payment.reference.is_none() {
            // The gateway has not named it yet: opening it again, with the same key, is what finds out.
            self.fulfil(shop, &target, &Occurrence::StillOpen { payment: id }, actor, None, job).await?;
            return self.payment(shop, id).await;
        }
        let call = Call::RetrievePayment { page_reference: payment.page_reference.clone(), reference: payment.reference.clone() };
        let facts = match self.call(&account, &call).await {
            Ok(Answer::Facts(facts)) => facts,
            Ok(Answer::Page(_) | Answer::Events { .. } | Answer::Disputes { .. } | Answer::Account { .. } | Answer::Done) => Vec::new(),
            Err(error) => return Err(Error::Unavailable(error.to_string())),
        };
        // A gateway lists refunds newest first, and one may look like too much until an older one is known to have
        // failed: what is refused is put in once more after the rest.
        let mut left: Vec<Occurrence> =
            facts.into_iter().map(|fact| Occurrence::Reported { account: account.id, fact }).collect();
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
            tracing::error!(payment = %id, code = refusal.code(), %refusal, "the gateway's own answer contradicts what is stored");
            return Err(Error::Refused(refusal));
        }
        let payment = self.payment(shop, id).await?;
        if payment.state.is_open() {
            self.fulfil(shop, &target, &Occurrence::StillOpen { payment: id }, actor, None, job).await?;
        } else if let Some(job) = job {
            self.commit(&domain::Changes::default(), Some(job)).await?;
        }
        Ok(payment)
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
