//! The truth, for tests to compare with: what became of the money, payment by payment.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::refund::RefundStatus;
use super::session::SessionStatus;
use super::{Object, World, dispute};

/// Every payment and every session; of one account, when it is named.
#[must_use]
pub fn show(world: &World, account: Option<&str>) -> Value {
    let of_account = |owner: &str| account.is_none_or(|account| account == owner);
    let refunds = refunds_by_intent(world);
    let payments: Vec<Value> = world
        .intents
        .oldest_first()
        .filter(|(_, _, intent)| of_account(intent.account()))
        .map(|(_, _, intent)| {
            let charge = intent.latest_charge.as_ref().and_then(|id| world.charges.get(id));
            let given_back = refunds.get(intent.id.as_str()).copied().unwrap_or_default();
            let disputed = charge.map_or(0, |charge| dispute::withdrawn(world, &charge.id));
            let latest = charge.and_then(|charge| dispute::latest(world, &charge.id));
            let session = intent.session.as_ref().and_then(|id| world.sessions.get(id));
            json!({
                "account": intent.account(), "intent": intent.id, "session": intent.session,
                "charge": charge.map(|charge| charge.id.clone()), "amount": intent.amount,
                "currency": intent.currency, "status": intent.status.name(), "captured": intent.received(),
                "refunded": given_back.succeeded, "refund_pending": given_back.pending,
                "refund_failed": given_back.failed, "disputed": disputed,
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

#[derive(Clone, Copy, Default)]
struct GivenBack {
    succeeded: i64,
    pending: i64,
    failed: i64,
}

fn refunds_by_intent(world: &World) -> BTreeMap<&str, GivenBack> {
    let mut sums: BTreeMap<&str, GivenBack> = BTreeMap::new();
    for (_, _, refund) in world.refunds.oldest_first() {
        let sum = sums.entry(refund.intent.as_str()).or_default();
        let of_status = match refund.status {
            RefundStatus::Succeeded => &mut sum.succeeded,
            RefundStatus::Pending => &mut sum.pending,
            RefundStatus::Failed => &mut sum.failed,
        };
        *of_status = of_status.saturating_add(refund.amount);
    }
    sums
}
