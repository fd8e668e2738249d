//! What happens later by itself: debits that settle, refunds that fail, sessions
//! that expire. Fired in order, each at the moment for which it was set.

use serde::{Deserialize, Serialize};

use super::dispute::DisputeKind;
use super::moment::Moment;
use super::{Context, World, dispute, intent, refund, session};

/// Something to do at or after a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    due: Moment,
    account: String,
    action: Action,
}

/// What there is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The bank pays a debit.
    SettleDebit {
        /// Of this intent.
        intent: String,
    },
    /// The bank returns a debit.
    ReturnDebit {
        /// Of this intent.
        intent: String,
    },
    /// A dispute comes in.
    OpenDispute {
        /// Against this charge.
        charge: String,
        /// Of this kind.
        kind: DisputeKind,
    },
    /// The issuer warns of fraud.
    WarnOfFraud {
        /// About this charge.
        charge: String,
    },
    /// A pending refund arrives.
    SettleRefund {
        /// This one.
        refund: String,
    },
    /// A refund comes back.
    FailRefund {
        /// This one.
        refund: String,
    },
    /// A checkout session ends.
    ExpireSession {
        /// This one.
        session: String,
    },
}

/// Sets a timer.
pub fn set(world: &mut World, account: &str, due: Moment, action: Action) {
    // Due time first, so that the smallest id is the next to fire.
    let id = format!("{:016}-{:012}", due.milliseconds().max(0), world.timers.next_position());
    world.timers.insert(&id, Timer { due, account: account.to_owned(), action });
}

/// When the next timer is due.
#[must_use]
pub fn next_due(world: &World) -> Option<Moment> {
    world.timers.first_by_id().map(|(_, timer)| timer.due)
}

/// Fires everything that is due; says how many.
pub fn tick(world: &mut World, now: Moment) -> usize {
    let mut fired = 0;
    while let Some((id, timer)) = world.timers.first_by_id() {
        if timer.due > now {
            break;
        }
        let (id, timer) = (id.to_owned(), timer.clone());
        world.timers.remove(&id);
        let at = Context::internal(timer.due, &timer.account);
        match timer.action {
            Action::SettleDebit { intent } => intent::settle_debit(world, &at, &intent),
            Action::ReturnDebit { intent } => intent::return_debit(world, &at, &intent),
            Action::OpenDispute { charge, kind } => dispute::open(world, &at, &charge, kind),
            Action::WarnOfFraud { charge } => dispute::warn(world, &at, &charge),
            Action::SettleRefund { refund } => refund::settle(world, &at, &refund),
            Action::FailRefund { refund } => refund::fail(world, &at, &refund),
            Action::ExpireSession { session } => session::time_out(world, &at, &session),
        }
        fired += 1;
    }
    fired
}
