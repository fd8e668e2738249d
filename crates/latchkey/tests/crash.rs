//! `kill -9` at every call by which a sale is written: whatever was promised before is kept, and what was not promised
//! is done when it is asked for again, once.
//!
//! strace ends the server as its writer enters the call, so the sweep falls between any two writes, between a write
//! and its sync, and between the sync and the answer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod common;

use common::sale::{Customer, supervised};
use common::shop::{Engine, Shop};
use common::trace::{Trace, WRITES, points};
use common::{Effort, alone, figure};
use serde_json::json;

/// How far two points of the sweep are apart where not all are tried.
const STEP: usize = 7;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_at_any_write_of_a_sale_breaks_no_promise_and_sells_nothing_twice() {
    let _alone = alone();
    let mut shop = Shop::open(Engine::Sqlite).await;
    let customer = Customer::of(&shop).await;
    // The first sale finds out more than the others: statements are prepared, pages are read.
    customer.buy().await;
    // The answer to who waits is a call of its own.
    let calls = format!("trace={WRITES},futex");
    let trace = Trace::attach(&shop.server, &shop.folder, &["-e", &calls]);
    customer.buy().await;
    let all = points(&trace.end());
    assert!(all.len() > 40, "a sale is {} calls", all.len());
    let mut deaths = 0;
    let tried: Vec<_> = all.iter().step_by(Effort::asked().of(STEP, 1)).collect();
    for point in &tried {
        let trace = Trace::attach(&shop.server, &shop.folder, &["-e", &calls, "-e", &point.inject("signal=KILL")]);
        let (_, died) = supervised(&mut shop, &customer, customer.buy()).await;
        drop(trace);
        // A sale that took a call less is over before the point comes: then what is written next is what dies.
        let ((), late) = supervised(&mut shop, &customer, customer.finds_it_open()).await;
        deaths += died + late;
        assert_eq!(customer.broken(&customer.rows().unwrap()), [], "after a kill at {point:?}");
        let (code, found) = shop.doctor();
        assert_eq!((code, &found["healthy"]), (Some(0), &json!(true)), "after a kill at {point:?}: {found:#}");
    }
    let sold = tried.len() + 2;
    let kept = customer.rows().unwrap();
    assert_eq!(kept.paid.len(), sold, "each sale is one paid order with one license");
    // Sales differ by a call or two, so the last points may not be reached.
    assert!(deaths as usize * 10 >= tried.len() * 8, "only {deaths} of {} points were reached", tried.len());
    figure(
        "crash.sweep",
        &format!(
            "{deaths} kills at {} of {} calls of a sale: {} promises, 0 broken; {sold} sales, {sold} licenses",
            tried.len(),
            all.len(),
            customer.promises().len()
        ),
    );
}
