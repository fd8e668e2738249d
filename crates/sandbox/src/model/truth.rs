//! The truth, for tests to compare with: what became of the money, payment by payment.

use serde_json::{Value, json};

use super::refund::RefundStatus;
use super::session::SessionStatus;
use super::{Object, World, dispute};

/// Every payment and every session; of one account, when it is named.
#[must_use]
pub fn show(world: &World, account: Option<&str>) -> Value {
    let of_account = |owner: &str| account.is_none_or(|account| account == owner);
    let payments: Vec<Value> = world
        .intents
        .oldest_first()
        .filter(|(_, _, intent)| of_account(intent.account()))
        .map(|(_, _, intent)| {
            let charge = intent.latest_charge.as_ref().and_then(|id| world.charges.get(id));
            let refunds = || world.refunds.oldest_first().filter(|(_, _, row)| row.intent == intent.id);
            let of_status = |wanted: RefundStatus| -> i64 {
                refunds().filter(|(_, _, row)| row.status == wanted).map(|(_, _, row)| row.amount).sum()
            };
            let disputed = charge.map_or(0, |charge| dispute::withdrawn(world, &charge.id));
            let latest = charge.and_then(|charge| dispute::latest(world, &charge.id));
            let session = intent.session.as_ref().and_then(|id| world.sessions.get(id));
            json!({
                "account": intent.account(), "intent": intent.id, "session": intent.session,
                "charge": charge.map(|charge| charge.id.clone()), "amount": intent.amount,
                "currency": intent.currency, "status": intent.status.name(), "captured": intent.received(),
                "refunded": of_status(RefundStatus::Succeeded), "refund_pending": of_status(RefundStatus::Pending),
                "refund_failed": of_status(RefundStatus::Failed), "disputed": disputed,
                "dispute": latest.map(|dispute| dispute.id.clone()),
                "dispute_status": latest.map(|dispute| dispute.status.name()),
                "decline": intent.last_error.as_ref().map(|(decline, _)| decline.decline_code().unwrap_or(decline.code())),
                "customer": intent.customer, "payment_method": intent.method,
                "client_reference_id": session.and_then(|session| session.client_reference_id.clone()),
                "metadata": intent.metadata, "created": intent.created.seconds(),
            })
        })
        .collect();
    let sessions: Vec<Value> = world
        .sessions
        .oldest_first()
        .filter(|(_, _, session)| of_account(session.account()))
        .map(|(_, _, session)| {
            json!({
                "account": session.account(), "session": session.id, "status": session.status.name(),
                "open": session.status == SessionStatus::Open, "intent": session.intent,
                "setup_intent": session.setup_intent, "amount": session.amount_total, "currency": session.currency,
                "client_reference_id": session.client_reference_id, "metadata": session.metadata,
            })
        })
        .collect();
    json!({ "payments": payments, "sessions": sessions })
}
