//! Balance transactions: what each movement of money leaves with the merchant.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::ApiError;
use super::input::Input;
use super::list::{self, Page};
use super::moment::Moment;
use super::{Context, Object, World, owned};

/// One movement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceTransaction {
    id: String,
    account: String,
    created: Moment,
    amount: i64,
    fee: i64,
    currency: String,
    kind: Movement,
    source: String,
}

/// Why money moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Movement {
    /// A buyer paid.
    Charge,
    /// A buyer got money back.
    Refund,
    /// A refund came back.
    RefundFailure,
    /// A dispute took, or gave back.
    Adjustment,
}

impl Movement {
    const fn name(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Refund => "refund",
            Self::RefundFailure => "refund_failure",
            Self::Adjustment => "adjustment",
        }
    }
}

impl Object for BalanceTransaction {
    const NOUN: &'static str = "balance transaction";
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
        let fee_details = if self.fee == 0 {
            json!([])
        } else {
            json!([{ "amount": self.fee, "application": null, "currency": self.currency,
                     "description": "Processing fees", "type": "stripe_fee" }])
        };
        json!({
            "id": self.id, "object": "balance_transaction", "amount": self.amount, "balance_type": "payments",
            "available_on": self.created.plus_seconds(2 * 86_400).seconds(), "created": self.created.seconds(),
            "currency": self.currency, "description": null, "exchange_rate": null, "fee": self.fee,
            "fee_details": fee_details, "net": self.amount.saturating_sub(self.fee),
            "reporting_category": self.kind.name(), "source": self.source, "status": "pending",
            "type": self.kind.name(),
        })
    }
}

/// The published price of a European card payment: 1.5 % and 25 minor units.
/// A share of a small unit is rounded half up.
#[must_use]
pub const fn fee_of(amount: i64) -> i64 {
    amount.saturating_mul(15).saturating_add(500).div_euclid(1_000).saturating_add(25)
}

/// Writes a movement down; `amount` is positive when the merchant gets it.
pub fn record(
    world: &mut World,
    at: &Context,
    kind: Movement,
    source: &str,
    currency: &str,
    amount: i64,
    fee: i64,
) -> String {
    let id = world.mint("txn", 24);
    let row = BalanceTransaction {
        id: id.clone(),
        account: at.account.clone(),
        created: at.now,
        amount,
        fee,
        currency: currency.to_owned(),
        kind,
        source: source.to_owned(),
    };
    world.balance.insert(&id, row);
    id
}

/// `GET /v1/balance_transactions/{id}`
///
/// # Errors
/// When there is none.
pub fn retrieve(world: &World, at: &Context, id: &str) -> Result<Value, ApiError> {
    Ok(owned(&world.balance, &at.account, id)?.render(world))
}

/// `GET /v1/balance_transactions`
///
/// # Errors
/// When a parameter is wrong.
pub fn list(world: &World, at: &Context, mut input: Input) -> Result<Value, ApiError> {
    let page = Page::read(&mut input)?;
    let source = input.text("source")?;
    let kind = input.text("type")?;
    let currency = input.text("currency")?;
    input.finish()?;
    list::list(world, &world.balance, &at.account, "/v1/balance_transactions", &page, |row| {
        source.as_ref().is_none_or(|source| *source == row.source)
            && kind.as_deref().is_none_or(|kind| kind == row.kind.name())
            && currency.as_ref().is_none_or(|currency| *currency == row.currency)
    })
}

/// `GET /v1/balance`: what the account holds, per currency. Nothing is paid out
/// here, so all of it is available.
#[must_use]
pub fn total(world: &World, at: &Context) -> Value {
    let mut held: BTreeMap<&str, i64> = BTreeMap::new();
    for (_, _, row) in world.balance.oldest_first().filter(|(_, _, row)| row.account == at.account) {
        let sum = held.entry(row.currency.as_str()).or_default();
        *sum = sum.saturating_add(row.amount.saturating_sub(row.fee));
    }
    if held.is_empty() {
        held.insert("eur", 0);
    }
    let available: Vec<Value> = held
        .iter()
        .map(|(currency, amount)| json!({ "amount": amount, "currency": currency, "source_types": { "card": amount } }))
        .collect();
    let pending: Vec<Value> = held
        .keys()
        .map(|currency| json!({ "amount": 0, "currency": currency, "source_types": { "card": 0 } }))
        .collect();
    json!({ "object": "balance", "available": available, "livemode": false, "pending": pending })
}
