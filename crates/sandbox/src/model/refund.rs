//! Refunds: money given back, which may come back again.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::balance::{self, Movement};
use super::card::CardBehavior;
use super::charge::{self, Charge, ChargeStatus};
use super::error::ApiError;
use super::event::emit;
use super::input::{Input, Metadata, merge_metadata};
use super::list::{self, Page};
use super::method::MethodKind;
use super::moment::Moment;
use super::timer::{self, Action};
use super::{Context, Object, World, dispute, owned, owned_mut};

/// How long a refund that does not end at once takes.
const LATE_REFUND_SECONDS: i64 = 180;

/// Money given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    id: String,
    account: String,
    created: Moment,
    /// Against this charge.
    pub charge: String,
    /// Of this payment.
    pub intent: String,
    /// In minor units.
    pub amount: i64,
    currency: String,
    reason: Option<String>,
    /// How it stands.
    pub status: RefundStatus,
    metadata: Metadata,
    balance_transaction: Option<String>,
    failure_balance_transaction: Option<String>,
}

/// How a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// On its way.
    Pending,
    /// Sent to the buyer. It can still fail.
    Succeeded,
    /// It came back.
    Failed,
}

impl RefundStatus {
    const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

impl Object for Refund {
    const NOUN: &'static str = "refund";
    fn id(&self) -> &str {
        &self.id
    }
    fn account(&self) -> &str {
        &self.account
    }
    fn created(&self) -> Moment {
        self.created
    }
    fn render(&self, _world: &World) -> Value {
        let mut shown = json!({
            "id": self.id, "object": "refund", "amount": self.amount,
            "balance_transaction": self.balance_transaction, "charge": self.charge,
            "created": self.created.seconds(), "currency": self.currency, "destination_details": null,
            "metadata": self.metadata, "payment_intent": self.intent, "reason": self.reason, "receipt_number": null,
            "source_transfer_reversal": null, "status": self.status.name(), "transfer_reversal": null,
        });
        if self.status == RefundStatus::Failed {
            shown["failure_reason"] = json!("expired_or_canceled_card");
            shown["failure_balance_transaction"] = json!(self.failure_balance_transaction);
        }
        shown
    }
}

/// `POST /v1/refunds`
///
/// # Errors
/// When there is nothing left to refund, or less than asked for.
pub fn create(world: &mut World, at: &Context, mut input: Input) -> Result<Value, ApiError> {
    let intent = input.text("payment_intent")?;
    let named_charge = input.text("charge")?;
    let amount = input.integer("amount")?;
    let reason = input.choice("reason", &["duplicate", "fraudulent", "requested_by_customer"])?;
    let metadata = input.metadata("metadata")?.unwrap_or_default();
    input.text("instructions_email")?;
    let neither = input.required("payment_intent");
    input.finish()?;
    let charge = match (intent, named_charge) {
        (Some(intent), None) => {
            let intent = owned(&world.intents, &at.account, &intent).map_err(|error| error.param("payment_intent"))?;
            intent.latest_charge.clone().ok_or_else(|| not_charged(&intent.id))?
        }
        (None, Some(charge)) => charge,
        (Some(_), Some(_)) => return Err(ApiError::invalid("Give payment_intent or charge, not both.").param("charge")),
        (None, None) => return Err(neither),
    };
    let charge = owned(&world.charges, &at.account, &charge).map_err(|error| error.param("charge"))?.clone();
    let amount = check(world, &charge, amount)?;
    let behavior = match &charge.method.kind {
        MethodKind::Card(card) => Some(card.behavior),
        MethodKind::SepaDebit(_) => None,
    };
    let (status, fails) = match behavior {
        // A credit transfer takes its time; it is told once it has arrived.
        None | Some(CardBehavior::RefundPends) => (RefundStatus::Pending, false),
        Some(CardBehavior::RefundFails) => (RefundStatus::Succeeded, true),
        Some(
            CardBehavior::Succeeds
            | CardBehavior::Declines(_)
            | CardBehavior::DeclinesOnceSaved
            | CardBehavior::ChallengesUntilSetUp
            | CardBehavior::ChallengesAlways
            | CardBehavior::ChallengesThenNoFunds
            | CardBehavior::Disputed(_)
            | CardBehavior::Inquired
            | CardBehavior::FraudWarned
            | CardBehavior::Blocked,
        ) => (RefundStatus::Succeeded, false),
    };
    let id = world.mint("re", 24);
    let moved = balance::record(world, at, Movement::Refund, &id, &charge.currency, amount.saturating_neg(), 0);
    let refund = Refund {
        id: id.clone(),
        account: at.account.clone(),
        created: at.now,
        charge: charge.id.clone(),
        intent: charge.intent.clone(),
        amount,
        currency: charge.currency.clone(),
        reason,
        status,
        metadata,
        balance_transaction: Some(moved),
        failure_balance_transaction: None,
    };
    world.refunds.insert(&id, refund);
    if let Some(held) = world.charges.get_mut(&charge.id) {
        held.amount_refunded = held.amount_refunded.saturating_add(amount);
    }
    tell(world, at, &id, "refund.created");
    charge::tell(world, at, &charge.id, "charge.refunded");
    let later = match (status, fails) {
        (RefundStatus::Pending, _) => Some(Action::SettleRefund { refund: id.clone() }),
        (RefundStatus::Succeeded, true) => Some(Action::FailRefund { refund: id.clone() }),
        (RefundStatus::Succeeded, false) | (RefundStatus::Failed, _) => None,
    };
    if let Some(action) = later {
        timer::set(world, &at.account, at.now.plus_seconds(LATE_REFUND_SECONDS), action);
    }
    retrieve(world, at, &id)
}

/// `GET /v1/refunds/{id}`
///
/// # Errors
/// When there is none.
pub fn retrieve(world: &World, at: &Context, id: &str) -> Result<Value, ApiError> {
    Ok(owned(&world.refunds, &at.account, id)?.render(world))
}

/// `POST /v1/refunds/{id}`
///
/// # Errors
/// When there is none or a parameter is wrong.
pub fn update(world: &mut World, at: &Context, id: &str, mut input: Input) -> Result<Value, ApiError> {
    let metadata = input.metadata("metadata")?;
    input.finish()?;
    merge_metadata(&mut owned_mut(&mut world.refunds, &at.account, id)?.metadata, metadata);
    tell(world, at, id, "refund.updated");
    retrieve(world, at, id)
}

/// `GET /v1/refunds`
///
/// # Errors
/// When a parameter is wrong.
pub fn list(world: &World, at: &Context, mut input: Input) -> Result<Value, ApiError> {
    let page = Page::read(&mut input)?;
    let (intent, charge) = (input.text("payment_intent")?, input.text("charge")?);
    input.finish()?;
    list::list(world, &world.refunds, &at.account, "/v1/refunds", &page, |refund| {
        intent.as_ref().is_none_or(|intent| *intent == refund.intent)
            && charge.as_ref().is_none_or(|charge| *charge == refund.charge)
    })
}

/// The refunds of a charge, newest first.
#[must_use]
pub fn of_charge(world: &World, charge: &str) -> Value {
    let all = world.refunds.oldest_first().rev().map(|(_, _, refund)| refund);
    let data = all.filter(|refund| refund.charge == charge).map(|refund| refund.render(world)).collect();
    list::of(data, false, &format!("/v1/charges/{charge}/refunds"))
}

/// A pending refund arrives.
pub fn settle(world: &mut World, at: &Context, id: &str) {
    if let Some(refund) = world.refunds.get_mut(id).filter(|refund| refund.status == RefundStatus::Pending) {
        refund.status = RefundStatus::Succeeded;
        tell(world, at, id, "refund.updated");
        tell(world, at, id, "charge.refund.updated");
    }
}

/// A refund comes back: the merchant has the money again.
pub fn fail(world: &mut World, at: &Context, id: &str) {
    let Some(refund) = world.refunds.get_mut(id).filter(|refund| refund.status != RefundStatus::Failed) else { return };
    refund.status = RefundStatus::Failed;
    let (charge, amount, currency) = (refund.charge.clone(), refund.amount, refund.currency.clone());
    let moved = balance::record(world, at, Movement::RefundFailure, id, &currency, amount, 0);
    if let Some(refund) = world.refunds.get_mut(id) {
        refund.failure_balance_transaction = Some(moved);
    }
    if let Some(held) = world.charges.get_mut(&charge) {
        held.amount_refunded = held.amount_refunded.saturating_sub(amount);
    }
    tell(world, at, id, "refund.failed");
    tell(world, at, id, "charge.refund.updated");
    charge::tell(world, at, &charge, "charge.updated");
}

fn tell(world: &mut World, at: &Context, id: &str, kind: &str) {
    if let Some(refund) = world.refunds.get(id) {
        let shown = refund.render(world);
        emit(world, at, kind, shown);
    }
}

/// The amount to refund, if the charge can bear it.
fn check(world: &World, charge: &Charge, amount: Option<i64>) -> Result<i64, ApiError> {
    match charge.status {
        ChargeStatus::Succeeded => {}
        ChargeStatus::Pending | ChargeStatus::Failed(_) => return Err(not_charged(&charge.intent)),
    }
    if dispute::withdrawn(world, &charge.id) > 0 {
        let message = format!("Charge {} has been charged back; cannot issue a refund.", charge.id);
        return Err(ApiError::invalid(message).code("charge_disputed"));
    }
    let left = charge.amount.saturating_sub(charge.amount_refunded);
    if left <= 0 {
        let message = format!("Charge {} has already been refunded.", charge.id);
        return Err(ApiError::invalid(message).code("charge_already_refunded"));
    }
    let amount = amount.unwrap_or(left);
    if amount < 1 {
        return Err(ApiError::invalid("Invalid positive integer").code("parameter_invalid_integer").param("amount"));
    }
    if amount > left {
        let message = format!("Refund amount ({amount}) is greater than unrefunded amount on charge ({left})");
        return Err(ApiError::invalid(message).param("amount"));
    }
    Ok(amount)
}

fn not_charged(intent: &str) -> ApiError {
    let message = format!("This PaymentIntent ({intent}) does not have a successful charge to refund.");
    ApiError::invalid(message).code("payment_intent_unexpected_state").param("payment_intent")
}
