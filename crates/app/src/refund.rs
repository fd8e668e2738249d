//! Giving money back.

use domain::{Actor, JobKind, Occurrence, OrderId, RefundId, RefundReason, RefundState, Sale, ShopId};
use gateways::{Answer, Call, CallError, RefundRequest};
use money::Money;
use store::ClaimedJob;

use crate::fulfil::{Fulfilled, Target};
use crate::outbox::Done;
use crate::{App, Error};

/// What somebody wants back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundInput {
    /// The refund's id, where whoever asks has named it already: asking again under that name gives the same refund.
    pub id: Option<RefundId>,
    /// How much; `None`: all that is left.
    pub amount: Option<Money>,
    /// Why.
    pub reason: RefundReason,
    /// Whether the licenses end with it; `None`: when everything has gone back.
    pub revoke: Option<bool>,
}

impl App {
    /// Writes a refund down and sends it at once; when the gateway does not
    /// answer, the outbox goes on with it. Returns the sale as it stands then.
    ///
    /// # Errors
    /// When the order has nothing (so much) to give back.
    pub async fn refund_order(
        &self,
        shop: ShopId,
        order: OrderId,
        input: RefundInput,
        actor: Actor,
    ) -> Result<Sale, Error> {
        let RefundInput { id, amount, reason, revoke } = input;
        let occurrence = Occurrence::RefundRequested { refund: id, amount, reason, revoke };
        match self.fulfil(shop, &Target::Order(order), &occurrence, actor, None, None).await? {
            Fulfilled::Refused(refusal) => return Err(refusal.into()),
            Fulfilled::NotOurs => return Err(Error::NotFound { what: "order" }),
            Fulfilled::Done(_) | Fulfilled::Duplicate => {}
        }
        let sale = self.sale(shop, order).await?;
        for refund in sale.refunds.iter().filter(|refund| refund.state == RefundState::Created) {
            self.run_now(shop, JobKind::SendRefund { refund: refund.id }).await;
        }
        self.sale(shop, order).await
    }

    /// The sale of an order.
    ///
    /// # Errors
    /// When there is none, or the store does not answer.
    pub async fn sale(&self, shop: ShopId, order: OrderId) -> Result<Sale, Error> {
        self.store.sale(shop, order).await?.ok_or(Error::NotFound { what: "order" })
    }

    /// The job behind a refund. A call that ended without an answer is looked
    /// up before it is repeated: the gateway may remember keys only for a day.
    pub(crate) async fn send_refund(&self, job: &ClaimedJob, refund: RefundId) -> Result<Done, Error> {
        let shop = job.job.shop;
        let refund = self.store.refund(shop, refund).await?.ok_or(Error::NotFound { what: "refund" })?;
        if refund.state != RefundState::Created {
            return Ok(Done::Finish);
        }
        let payment = self.payment(shop, refund.payment).await?;
        let account = self.account_of(&payment).await?;
        if job.job.attempts > 0 {
            self.ask_payment(shop, payment.id, Actor::System).await?;
            let now_stands = self.store.refund(shop, refund.id).await?.map(|refund| refund.state);
            if now_stands != Some(RefundState::Created) {
                return Ok(Done::Finish);
            }
        }
        let target = Target::Order(refund.order);
        let refuse = |message: String| Occurrence::RefundRefused { refund: refund.id, message };
        let Some(payment_reference) = payment.reference.clone() else {
            // Captured, and yet the gateway's name for the money is not known: ask, then try again.
            self.ask_payment(shop, payment.id, Actor::System).await?;
            return Ok(Done::Later("the gateway has not named the payment yet".to_owned()));
        };
        let call = Call::Refund(RefundRequest {
            refund: refund.id,
            payment: payment.id,
            order: refund.order,
            payment_reference,
            amount: refund.amount,
            reason: refund.reason,
        });
        let occurrences: Vec<Occurrence> = match self.call(&account, &call).await {
            Ok(Answer::Facts(facts)) => {
                facts.into_iter().map(|fact| Occurrence::Reported { account: account.id, fact }).collect()
            }
            Ok(
                Answer::Page(_)
                | Answer::Events { .. }
                | Answer::Disputes { .. }
                | Answer::Account { .. }
                | Answer::Done,
            ) => Vec::new(),
            Err(CallError::Unknown { message } | CallError::Unauthorized { message }) => {
                return Ok(Done::Later(message));
            }
            Err(CallError::Refused { code, message }) => vec![refuse(format!("{code}: {message}"))],
            Err(CallError::Declined(decline)) => vec![refuse(decline.code)],
            Err(CallError::Unsupported { what }) => vec![refuse(what.to_owned())],
        };
        for occurrence in occurrences {
            match self.fulfil(shop, &target, &occurrence, Actor::Gateway, None, None).await? {
                Fulfilled::Refused(refusal) => return Ok(Done::Later(refusal.to_string())),
                Fulfilled::Done(_) | Fulfilled::Duplicate | Fulfilled::NotOurs => {}
            }
        }
        Ok(Done::Finish)
    }
}
