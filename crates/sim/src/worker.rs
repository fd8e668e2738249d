//! What a node does by itself: the loops of the program, driven by simulated time.
//!
//! The program looks for work every second or two. Over months that would be
//! nothing but looking, so these look less and less often while nothing
//! happens, up to every hours, and at once when something does.

use std::rc::Rc;
use std::sync::Arc;

use app::App;

use crate::sim::{HOUR, SECOND, Sim};
use crate::universe::Bell;

/// How long the loops wait at most, while anything can go wrong and afterwards.
const LONGEST: i64 = HOUR;
const LONGEST_IN_CALM: i64 = 6 * HOUR;

/// Starts the loops of a node that has just started.
pub(crate) fn run(sim: &Rc<Sim>, node: usize, app: &Arc<App>) {
    let (outbox, looking) = (Arc::clone(app), Rc::clone(sim));
    sim.spawn(Some(node), async move {
        let mut wait = SECOND;
        loop {
            let busy = match outbox.step_outbox().await {
                Ok(count) => count > 0,
                Err(error) => {
                    looking.universe.log(|| format!("node {node}: the outbox could not be read: {error}"));
                    false
                }
            };
            wait = rest(&looking, busy, wait).await;
        }
    });
    let (sweep, looking) = (Arc::clone(app), Rc::clone(sim));
    sim.spawn(Some(node), async move {
        let told = |what: &str, result: Result<usize, app::Error>| match result {
            Ok(count) => count,
            Err(error) => {
                looking.universe.log(|| format!("node {node}: {what} could not be done: {error}"));
                0
            }
        };
        told("catching up", sweep.catch_up().await);
        let mut wait = 2 * SECOND;
        loop {
            let mut done = told("the inbox", sweep.step_inbox().await);
            done += told("asking about payments", sweep.step_payments().await);
            done += told("reading events", sweep.step_events().await);
            done += told("expiring checkouts", sweep.expire_checkouts().await);
            done += told("looking after stocks", sweep.step_pools().await);
            told("reading signing keys", sweep.refresh_signing_keys().await.map(usize::from));
            done += told("signing keys again", sweep.step_signed_keys().await);
            wait = rest(&looking, done > 0, wait).await;
        }
    });
}

/// Waits until it is time to look again, and says how long to wait the next time.
async fn rest(sim: &Rc<Sim>, busy: bool, wait: i64) -> i64 {
    let universe = &sim.universe;
    if busy {
        universe.gate().await;
        return SECOND;
    }
    let began = universe.now();
    universe.sleep_or_bell(began + wait, Bell::Work).await;
    let rang = universe.now() < began + wait;
    if rang {
        // The program would look within two seconds.
        universe.sleep(universe.between(0, 2) * SECOND).await;
        SECOND
    } else {
        (wait * 2).min(if sim.is_calm() { LONGEST_IN_CALM } else { LONGEST })
    }
}
