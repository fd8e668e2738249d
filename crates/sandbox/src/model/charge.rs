//! Charges: one attempt to take money, and what came back of it since.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::ApiError;
use super::event::emit;
use super::input::{Input, Metadata, merge_metadata};
use super::list::{self, Page};
use super::method::Method;
use super::moment::Moment;
use super::verdict::Decline;
use super::{Context, Object, World, owned, owned_mut};

/// An attempt to take money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// `ch_…`
    pub id: String,
    account: String,
    created: Moment,
    /// The payment it belongs to.
    pub intent: String,
    /// In minor units.
    pub amount: i64,
    /// Given back, pending refunds included.
    pub amount_refunded: i64,
    /// Lower case, as on the wire.
    pub currency: String,
    /// How it stands.
    pub status: ChargeStatus,
    /// The customer, if there is one.
    pub customer: Option<String>,
    /// The payment method as it was then.
    pub method: Method,
    description: Option<String>,
    receipt_email: Option<String>,
    metadata: Metadata,
    /// Whether the buyer passed a challenge for it.
    authenticated: bool,
    /// Whether it was ever disputed.
    pub disputed: bool,
    /// The movement of its money.
    pub balance_transaction: Option<String>,
}

/// How a charge stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChargeStatus {
    /// A debit is on its way.
    Pending,
    /// The money was taken.
    Succeeded,
    /// It was not.
    Failed(Decline),
}

/// What an attempt is made for.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The payment.
    pub intent: String,
    /// In minor units.
    pub amount: i64,
    /// Lower case.
    pub currency: String,
    /// The customer.
    pub customer: Option<String>,
    /// For the statement and the dashboard.
    pub description: Option<String>,
    /// Where the receipt goes.
    pub receipt_email: Option<String>,
    /// Copied from the payment.
    pub metadata: Metadata,
    /// Whether the buyer passed a challenge.
    pub authenticated: bool,
}

impl Object for Charge {
    const NOUN: &'static str = "charge";
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
        let (status, decline) = match self.status {
            ChargeStatus::Pending => ("pending", None),
            ChargeStatus::Succeeded => ("succeeded", None),
            ChargeStatus::Failed(decline) => ("failed", Some(decline)),
        };
        let taken = decline.is_none();
        let mut details = self.method.details();
        if self.authenticated {
            details["card"]["three_d_secure"] = json!({ "authentication_flow": "challenge", "result": "authenticated",
                                                        "version": "2.2.0" });
        }
        json!({
            "id": self.id, "object": "charge", "amount": self.amount,
            "amount_captured": if taken { self.amount } else { 0 }, "amount_refunded": self.amount_refunded,
            "application": null, "application_fee": null, "application_fee_amount": null,
            "balance_transaction": self.balance_transaction, "billing_details": self.method.billing.render(),
            "calculated_statement_descriptor": null, "captured": taken, "created": self.created.seconds(),
            "currency": self.currency, "customer": self.customer, "description": self.description,
            "disputed": self.disputed, "failure_balance_transaction": null,
            "failure_code": decline.map(Decline::code), "failure_message": decline.map(Decline::message),
            "fraud_details": {}, "livemode": false, "metadata": self.metadata, "on_behalf_of": null,
            "outcome": outcome(decline), "paid": taken, "payment_intent": self.intent,
            "payment_method": self.method.id, "payment_method_details": details,
            "receipt_email": self.receipt_email, "receipt_number": null, "receipt_url": null,
            "refunded": taken && self.amount_refunded >= self.amount, "review": null, "shipping": null,
            "source": null, "source_transfer": null, "statement_descriptor": null,
            "statement_descriptor_suffix": null, "status": status, "transfer_data": null, "transfer_group": null,
        })
    }
}

fn outcome(decline: Option<Decline>) -> Value {
    let Some(decline) = decline else {
        return json!({ "advice_code": null, "network_advice_code": null, "network_decline_code": null,
                       "network_status": "approved_by_network", "reason": null, "risk_level": "normal",
                       "seller_message": "Payment complete.", "type": "authorized" });
    };
    let (status, kind, risk) = match decline {
        Decline::Blocked => ("not_sent_to_network", "blocked", "highest"),
        Decline::Generic
        | Decline::InsufficientFunds
        | Decline::LostCard
        | Decline::StolenCard
        | Decline::ExpiredCard
        | Decline::IncorrectCvc
        | Decline::ProcessingError
        | Decline::VelocityExceeded
        | Decline::AuthenticationRequired
        | Decline::AuthenticationFailed
        | Decline::DebitReturned
        | Decline::NotForTests => ("declined_by_network", "issuer_declined", "normal"),
    };
    let reason = if decline == Decline::Blocked { Some("highest_risk_level") } else { decline.decline_code() };
    json!({
        "advice_code": decline.advice_code(), "network_advice_code": null,
        "network_decline_code": decline.network_decline_code(), "network_status": status, "reason": reason,
        "risk_level": risk, "seller_message": "The bank did not return any further details with this decline.",
        "type": kind,
    })
}

/// Writes an attempt down and says how it stands.
pub fn make(world: &mut World, at: &Context, method: &Method, status: ChargeStatus, terms: Terms) -> String {
    let id = world.mint("ch", 24);
    let charge = Charge {
        id: id.clone(),
        account: at.account.clone(),
        created: at.now,
        intent: terms.intent,
        amount: terms.amount,
        amount_refunded: 0,
        currency: terms.currency,
        status,
        customer: terms.customer,
        method: method.clone(),
        description: terms.description,
        receipt_email: terms.receipt_email,
        metadata: terms.metadata,
        authenticated: terms.authenticated,
        disputed: false,
        balance_transaction: None,
    };
    world.charges.insert(&id, charge);
    let kind = match status {
        ChargeStatus::Pending => "charge.pending",
        ChargeStatus::Succeeded => {
            take_money(world, at, &id);
            "charge.succeeded"
        }
        ChargeStatus::Failed(_) => "charge.failed",
    };
    tell(world, at, &id, kind);
    id
}

/// Ends a pending charge.
pub fn end_pending(world: &mut World, at: &Context, id: &str, status: ChargeStatus) {
    if let Some(charge) = world.charges.get_mut(id) {
        charge.status = status;
    }
    match status {
        ChargeStatus::Pending => {}
        ChargeStatus::Succeeded => {
            take_money(world, at, id);
            tell(world, at, id, "charge.succeeded");
        }
        ChargeStatus::Failed(_) => tell(world, at, id, "charge.failed"),
    }
}

/// Says that something happened to a charge.
pub fn tell(world: &mut World, at: &Context, id: &str, kind: &str) {
    if let Some(charge) = world.charges.get(id) {
        let shown = charge.render(world);
        emit(world, at, kind, shown);
    }
}

/// `GET /v1/charges/{id}`
///
/// # Errors
/// When there is none.
pub fn retrieve(world: &World, at: &Context, id: &str) -> Result<Value, ApiError> {
    Ok(owned(&world.charges, &at.account, id)?.render(world))
}

/// `POST /v1/charges/{id}`
///
/// # Errors
/// When there is none or a parameter is wrong.
pub fn update(world: &mut World, at: &Context, id: &str, mut input: Input) -> Result<Value, ApiError> {
    let description = input.text("description")?;
    let receipt_email = input.text("receipt_email")?;
    let metadata = input.metadata("metadata")?;
    input.finish()?;
    let charge = owned_mut(&mut world.charges, &at.account, id)?;
    charge.description = description.or_else(|| charge.description.take());
    charge.receipt_email = receipt_email.or_else(|| charge.receipt_email.take());
    merge_metadata(&mut charge.metadata, metadata);
    tell(world, at, id, "charge.updated");
    retrieve(world, at, id)
}

/// `GET /v1/charges`
///
/// # Errors
/// When a parameter is wrong.
pub fn list(world: &World, at: &Context, mut input: Input) -> Result<Value, ApiError> {
    let page = Page::read(&mut input)?;
    let intent = input.text("payment_intent")?;
    let customer = input.text("customer")?;
    input.finish()?;
    list::list(world, &world.charges, &at.account, "/v1/charges", &page, |charge| {
        intent.as_ref().is_none_or(|intent| *intent == charge.intent)
            && (customer.is_none() || charge.customer == customer)
    })
}

fn take_money(world: &mut World, at: &Context, id: &str) {
    let Some((amount, currency)) = world.charges.get(id).map(|charge| (charge.amount, charge.currency.clone())) else {
        return;
    };
    let fee = super::balance::fee_of(amount);
    let moved = super::balance::record(world, at, super::balance::Movement::Charge, id, &currency, amount, fee);
    if let Some(charge) = world.charges.get_mut(id) {
        charge.balance_transaction = Some(moved);
    }
}
