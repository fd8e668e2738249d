//! Visitors who want a gateway asked. Whoever knows an order's address can open its return page as often as they like,
//! so each node passes on one question about a payment every few seconds; the page shows what is known either way.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::{Duration, PaymentId, Timestamp};

use crate::clock::has_passed;

/// How long after one question the next about the same payment is passed on.
const PAUSE: Duration = Duration::seconds(5);

/// How many payments are kept in mind. More than that at once are a storm, and no further one is asked about: the sweep
/// finds out.
const PAYMENTS: usize = 10_000;

#[derive(Default)]
pub(crate) struct Visitors(Mutex<HashMap<PaymentId, Timestamp>>);

impl Visitors {
    /// Whether a visitor's question about this payment is passed on now. It counts as asked from here on, so that of
    /// many at once one goes through.
    pub(crate) fn may_ask(&self, payment: PaymentId, now: Timestamp) -> bool {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = |at: &Timestamp| !has_passed(PAUSE, *at, now);
        if asked.get(&payment).is_some_and(is_recent) {
            return false;
        }
        if asked.len() >= PAYMENTS {
            asked.retain(|_, at| is_recent(at));
        }
        let has_room = asked.len() < PAYMENTS;
        if has_room {
            asked.insert(payment, now);
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_question_about_a_payment_is_passed_on_every_few_seconds() {
        let visitors = Visitors::default();
        let at = Timestamp::from_seconds;
        let mut rng = domain::Rng::from_seed([7; 32]);
        let (one, other) = (PaymentId::mint(at(0), &mut rng), PaymentId::mint(at(0), &mut rng));
        #[rustfmt::skip]
        let rows = [
            (one,   100, true),
            (one,   100, false),
            (other, 100, true),
            (one,   104, false),
            (one,   105, true),
            (one,   106, false),
            // The clock was put back: nobody waits for what has not been yet.
            (one,    50, true),
        ];
        for (payment, second, is_passed_on) in rows {
            assert_eq!(visitors.may_ask(payment, at(second)), is_passed_on, "{payment} at {second}");
        }
    }

    #[test]
    fn a_storm_of_payments_is_not_passed_on_and_ends() {
        let visitors = Visitors::default();
        let mut rng = domain::Rng::from_seed([7; 32]);
        let now = Timestamp::from_seconds(100);
        let mut payments = || PaymentId::mint(now, &mut rng);
        for _ in 0..PAYMENTS {
            assert!(visitors.may_ask(payments(), now));
        }
        let last = payments();
        assert!(!visitors.may_ask(last, now));
        assert!(visitors.may_ask(last, now.after(PAUSE)));
    }
}
