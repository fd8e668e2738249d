//! The people of the shop, at our console and at the gateway's dashboard, and the banks of its buyers.

use std::rc::Rc;

use app::RefundInput;
use domain::{Actor, Changes, NoticeId, OrderId, Plan, Price, PriceTier, RefundId, RefundReason, Rng, Sale};
use money::Money;
use serde_json::json;
use store::{NoticeFilter, Page};

use crate::chance;
use crate::gateway::Taken;
use crate::sim::{DAY, Down, HOUR, MINUTE, SECOND, Sim};
use crate::universe::{at_once, hold};
use crate::{groups, hands, stock, support};

/// Does this and that while buyers come and go.
pub(crate) async fn run(sim: Rc<Sim>) {
    let universe = &sim.universe;
    let (window, times) = {
        let mix = hold(&universe.mix);
        (mix.window * SECOND, u64::try_from(mix.buyers).unwrap_or(0) * mix.shop_zeal * 3 / 32)
    };
    let times = i64::try_from(times).unwrap_or(0).max(1);
    // Longer than the buyers come: refunds and disputes are about what was bought.
    let pause = (window + DAY) / times;
    for _ in 0..times {
        universe.sleep(universe.between(0, 2 * pause)).await;
        let acting = Rc::clone(&sim);
        // The next thing does not wait for this one.
        sim.spawn_wanting(async move { act(&acting).await });
    }
}

async fn act(sim: &Rc<Sim>) {
    match sim.universe.below(60) {
        0..=5 => refund(sim).await,
        6..=9 => refund_at_dashboard(sim),
        10..=16 => dispute(sim).await,
        17 | 18 => replay(sim).await,
        19 => resend(sim).await,
        20 | 21 => change_price(sim).await,
        22 => strange_payment(sim),
        23 => close_page(sim),
        24..=30 => stock::act(sim).await,
        31..=35 => support::replace_key(sim).await,
        36 | 37 => support::change_signing_key(sim).await,
        38 | 39 => ask(sim).await,
        40..=49 => hands::act(sim).await,
        _ => groups::act(sim).await,
    }
}

/// A sale, most likely a recent one.
pub(crate) fn some_sale(sim: &Sim) -> Option<Sale> {
    let seen = sim.seen.borrow();
    let count = u64::try_from(seen.len()).ok().filter(|count| *count > 0)?;
    let place = usize::try_from(sim.universe.below(count)).ok()?;
    at_once(sim.rows.sale(sim.shop.id, seen[place].order)).ok().flatten()
}

/// A payment that took money, whatever we know of it.
fn some_paid(sim: &Sim) -> Option<Taken> {
    let taken = sim.gateway.taken();
    let count = u64::try_from(taken.len()).ok().filter(|count| *count > 0)?;
    // The latest most of all, as it is in shops.
    let back = sim.universe.below(count).min(sim.universe.below(count));
    taken.into_iter().rev().nth(usize::try_from(back).unwrap_or(0))
}

/// What happens within a minute after a buyer paid, where people are in a hurry.
pub(crate) async fn hurry(sim: Rc<Sim>) {
    let universe = &sim.universe;
    universe.sleep(universe.between(0, 40) * SECOND).await;
    match universe.below(5) {
        0 | 1 => refund_at_dashboard(&sim),
        2 => {
            refund_at_dashboard(&sim);
            refund(&sim).await;
        }
        3 => dispute(&sim).await,
        _ => refund(&sim).await,
    }
}

async fn refund(sim: &Rc<Sim>) {
    let universe = &sim.universe;
    let Some(taken) = some_paid(sim) else { return };
    let Ok(order) = OrderId::parse(&taken.order) else { return };
    let Ok(Some(sale)) = at_once(sim.rows.sale(sim.shop.id, order)) else { return };
    let total = sale.order.total;
    let amount = match universe.below(3) {
        0 => None,
        1 => Some(Money::new(universe.between(1, total.minor()), total.currency())),
        _ => Some(Money::new((total.minor() / 3).max(1), total.currency())),
    };
    let mut rng = Rng::from_seed(chance::bytes(universe.below(u64::MAX), 3));
    let input = RefundInput {
        // The program of the seller names it, and so may ask again; a person at the console does not.
        id: (!universe.one_in(4)).then(|| RefundId::mint(universe.timestamp(), &mut rng)),
        amount,
        reason: universe.pick(&[RefundReason::RequestedByCustomer, RefundReason::Duplicate, RefundReason::Fraudulent]),
        revoke: universe.pick(&[None, None, Some(true), Some(false)]),
    };
    let shop = sim.shop.id;
    for _ in 0..5 {
        let asked = sim
            .call("refund an order", move |app| async move { app.refund_order(shop, order, input, Actor::Api).await });
        match asked.await {
            Ok(Ok(_)) => break,
            Ok(Err(app::Error::Unavailable(_) | app::Error::Conflict { .. })) | Err(Down) if input.id.is_some() => {
                universe.sleep(universe.between(SECOND, HOUR)).await;
            }
            Ok(Err(_)) | Err(Down) => break,
        }
    }
}

fn refund_at_dashboard(sim: &Rc<Sim>) {
    let Some(Taken { intent: reference, received, .. }) = some_paid(sim) else { return };
    let form = match sim.universe.below(3) {
        0 => format!("payment_intent={reference}"),
        1 => format!("payment_intent={reference}&amount={}", sim.universe.between(1, received)),
        _ => format!("payment_intent={reference}&amount={}", (received / 3).max(1)),
    };
    sim.gateway.dashboard("/v1/refunds", &form);
}

/// A bank opens a dispute, somebody answers it or does not, and the bank decides.
async fn dispute(sim: &Rc<Sim>) {
    let universe = &sim.universe;
    let Some(Taken { intent: reference, .. }) = some_paid(sim) else { return };
    let kind = universe.pick(&[
        "fraudulent",
        "product_not_received",
        "general",
        "inquiry",
        "inquiry",
        "debit_reversal",
        "early_fraud_warning",
    ]);
    let opened = sim.gateway.bank("/_control/disputes", &json!({ "payment_intent": reference, "kind": kind }));
    let Some(id) = opened.and_then(|dispute| dispute["id"].as_str().map(str::to_owned)) else { return };
    let decide = |outcome: &str| sim.gateway.bank(&format!("/_control/disputes/{id}"), &json!({ "outcome": outcome }));
    universe.sleep(universe.pick(&[SECOND, MINUTE, HOUR, DAY])).await;
    if kind == "inquiry" && universe.one_in(2) {
        decide("escalated");
        universe.sleep(universe.between(SECOND, HOUR)).await;
    }
    if universe.one_in(2) {
        let form = "evidence[product_description]=Software&submit=true";
        sim.gateway.dashboard(&format!("/v1/disputes/{id}"), form);
        universe.sleep(universe.pick(&[SECOND, MINUTE, HOUR, 5 * DAY])).await;
    }
    let outcome = universe.pick(&["won", "won", "lost"]);
    decide(outcome);
    if outcome == "lost" && universe.one_in(3) {
        // An appeal.
        universe.sleep(universe.pick(&[MINUTE, HOUR, 5 * DAY])).await;
        decide("won");
    }
}

/// Applies a notice again, be it parked or long since applied.
async fn replay(sim: &Rc<Sim>) {
    let universe = &sim.universe;
    let state = universe.pick(&["parked", "parked", "applied", "ignored"]);
    let filter = NoticeFilter { state: Some(state.to_owned()), order: None };
    let Ok(found) = at_once(sim.rows.notices(sim.shop.id, &filter, first_page())) else { return };
    let Some(count) = u64::try_from(found.data.len()).ok().filter(|count| *count > 0) else { return };
    let place = usize::try_from(universe.below(count)).unwrap_or(0);
    let (shop, notice): (_, NoticeId) = (sim.shop.id, found.data[place].id);
    let asked = sim
        .call("apply a notice again", move |app| async move { app.replay_notice(shop, notice, Actor::System).await });
    let _ = asked.await;
}

async fn resend(sim: &Rc<Sim>) {
    let Some(order) = some_order(sim) else { return };
    let shop = sim.shop.id;
    let asked =
        sim.call(
            "send a receipt again",
            move |app| async move { app.resend_order_mail(shop, order, Actor::System).await },
        );
    let _ = asked.await;
}

async fn ask(sim: &Rc<Sim>) {
    let Some(sale) = some_sale(sim) else { return };
    let Some(payment) = sale.payments.last().map(|payment| payment.id) else { return };
    let shop = sim.shop.id;
    let asked =
        sim.call("ask about a payment", move |app| async move { app.ask_payment(shop, payment, Actor::System).await });
    let _ = asked.await;
}

fn some_order(sim: &Sim) -> Option<OrderId> {
    some_sale(sim).map(|sale| sale.order.id)
}

/// Buyers are at the till meanwhile: what they were shown is what they pay.
async fn change_price(sim: &Rc<Sim>) {
    let universe = &sim.universe;
    let plan = universe.pick(&sim.plans);
    let Ok(Some(plan)) = at_once(sim.rows.plan(sim.shop.id, plan)) else { return };
    let percent = universe.between(50, 150);
    let changed = |price: &Price| Price {
        currency: price.currency,
        tiers: price
            .tiers
            .iter()
            .map(|tier| PriceTier { unit_minor: (tier.unit_minor * percent / 100).max(100), ..*tier })
            .collect(),
    };
    let plan = Plan { prices: plan.prices.iter().map(changed).collect(), ..plan };
    let changes = Changes { plans: vec![plan], ..Changes::default() };
    let asked = sim.call("change a price", move |app| async move { app.write(&changes).await });
    let _ = asked.await;
}

/// Somebody else's program sells through the same account: none of our business.
fn strange_payment(sim: &Rc<Sim>) {
    let form = "amount=1500&currency=eur&confirm=true&payment_method=pm_card_visa&payment_method_types[0]=card";
    let made = sim.gateway.dashboard("/v1/payment_intents", form);
    let Some(id) = made.and_then(|intent| intent["id"].as_str().map(str::to_owned)) else { return };
    if sim.universe.one_in(2) {
        sim.gateway.dashboard("/v1/refunds", &format!("payment_intent={id}"));
    }
}

/// A page is closed at the dashboard, with a buyer in front of it.
fn close_page(sim: &Rc<Sim>) {
    let Some(sale) = some_sale(sim) else { return };
    let page = sale.payments.iter().find_map(|payment| payment.page_reference.clone());
    if let Some(page) = page {
        sim.gateway.dashboard(&format!("/v1/checkout/sessions/{page}/expire"), "");
    }
}

pub(crate) fn first_page<Id>() -> Page<Id> {
    Page { starting_after: None, ending_before: None, limit: 100 }
}
