//! Brings webhooks from the gateway to the shop, as well as the mix allows.
//!
//! What a node acknowledged must be stored at that very moment, whatever
//! becomes of the node afterwards; what proves nothing must never be taken.

use std::rc::Rc;

use app::{NoticeOutcome, ReceiveError};
use gateways::Headers;
use sandbox::model::delivery::{Carried, Outgoing};

use crate::gateway::SECRET;
use crate::sim::{DAY, HOUR, MINUTE, SECOND, Sim};
use crate::universe::{Bell, at_once, hold};

/// Carries until the run is over.
pub(crate) async fn run(sim: Rc<Sim>) {
    loop {
        sim.gateway.tick();
        let claimed = sim.gateway.claim();
        for outgoing in claimed {
            let carrying = Rc::clone(&sim);
            sim.spawn(None, async move { carry(&carrying, outgoing).await });
        }
        let idle = sim.universe.now() + DAY;
        let next = sim.gateway.next_due().unwrap_or(idle).max(sim.universe.now() + 1).min(idle);
        sim.universe.sleep_or_bell(next, Bell::Gateway).await;
    }
}

async fn carry(sim: &Rc<Sim>, outgoing: Outgoing) {
    let universe = &sim.universe;
    universe.gate().await;
    let tells_of_payment = || {
        let kind = named(&outgoing.body).0;
        kind.starts_with("checkout.") || kind.starts_with("payment_intent.")
    };
    let vanishes = hold(&universe.mix).hooks_of_payments_vanish && tells_of_payment();
    if vanishes || universe.fault(|mix| mix.hook_lost) {
        universe.log(|| format!("webhook {} vanishes", outgoing.delivery));
        sim.gateway.settle(&outgoing.delivery, &Carried::Answered(200));
        return;
    }
    let mut signature = outgoing.signature.clone();
    if universe.fault(|mix| mix.hook_late) {
        let span = match universe.below(6) {
            0 => universe.between(HOUR, 3 * DAY),
            1 | 2 => universe.between(MINUTE, HOUR),
            _ => universe.between(0, 30 * SECOND),
        };
        universe.log(|| format!("webhook {} is late by {} s", outgoing.delivery, span / SECOND));
        universe.sleep(span).await;
        signature = sim.gateway.sign(SECRET, &outgoing.body);
    }
    if universe.fault(|mix| mix.hook_forged) {
        forge(sim, &outgoing.body).await;
    }
    if universe.fault(|mix| mix.hook_wrong_signature) {
        let strange = sim.gateway.sign("whsec_stranger", &outgoing.body);
        must_refuse(sim, strange, outgoing.body.clone(), "a stranger's signature").await;
        sim.gateway.settle(&outgoing.delivery, &Carried::Answered(401));
        return;
    }
    if universe.fault(|mix| mix.hook_twice) {
        let (again, body) = (Rc::clone(sim), outgoing.body.clone());
        let span = universe.pick(&[0, 0, SECOND, HOUR, 3 * DAY]);
        sim.spawn(None, async move {
            again.universe.sleep(span).await;
            let signature = again.gateway.sign(SECRET, &body);
            receive(&again, signature, body).await;
        });
    }
    let taken = receive(sim, signature, outgoing.body.clone()).await;
    let status = if universe.fault(|mix| mix.hook_answer_lost) { None } else { taken };
    match status {
        Some(status) => sim.gateway.settle(&outgoing.delivery, &Carried::Answered(status)),
        None => sim.gateway.settle(&outgoing.delivery, &Carried::Failed("simulated: no answer".to_owned())),
    }
}

/// Hands a genuine message over. The status of the answer; `None` when there was none.
async fn receive(sim: &Rc<Sim>, signature: String, body: String) -> Option<u16> {
    let (kind, event) = named(&body);
    let account = sim.account;
    let what = format!("take {kind} {event}");
    let answer = sim.call(&what, move |app| async move {
        let headers = Headers::new([("Stripe-Signature".to_owned(), signature)]);
        app.receive(account, &headers, body.as_bytes()).await
    });
    let answer = answer.await.ok()?;
    sim.universe.count(|counts| counts.webhooks += 1);
    match answer {
        Ok(outcomes) => {
            sim.universe.log(|| format!("{event} is answered with 200: {}", told(&outcomes)));
            must_be_stored(sim, &event);
            Some(200)
        }
        Err(ReceiveError::NotStored(error)) => {
            sim.universe.log(|| format!("{event} is answered with 503: {error}"));
            Some(503)
        }
        Err(ReceiveError::NotAuthentic(error)) => {
            // It was on its way for so long, or a clock is so far off, that it proves nothing any more.
            sim.universe.log(|| format!("{event} is answered with 401: {error}"));
            Some(401)
        }
        Err(ReceiveError::AccountUnknown) => {
            sim.universe.fail(format!("{event} came for an account that the node does not know"));
            Some(404)
        }
    }
}

fn told(outcomes: &[NoticeOutcome]) -> String {
    let words = outcomes.iter().map(|outcome| match outcome {
        NoticeOutcome::Applied => "applied",
        NoticeOutcome::Duplicate => "known",
        NoticeOutcome::Ignored => "ignored",
        NoticeOutcome::Parked => "parked",
        NoticeOutcome::Stored => "stored",
    });
    words.collect::<Vec<_>>().join(" ")
}

fn must_be_stored(sim: &Sim, event: &str) {
    let nothing = domain::PaymentLocator::default();
    match at_once(sim.rows.sale_for_notice(sim.shop.id, sim.account, &nothing, event)) {
        Ok((Some(_), _)) => {}
        Ok((None, _)) => sim.universe.fail(format!("{event} was acknowledged, and it is not stored")),
        Err(error) => sim.universe.fail(format!("{event} cannot be looked up: {error}")),
    }
}

/// A body that the gateway never wrote, by somebody who does not know its secret.
async fn forge(sim: &Rc<Sim>, body: &str) {
    let event = named(body).1;
    let forged = match sim.universe.below(3) {
        0 => body.replace("\"status\": \"open\"", "\"status\": \"complete\"").replace(&event, "evt_forged"),
        1 => body.replace("unpaid", "paid").replace(&event, "evt_forged"),
        _ => body.replace(&event, &format!("{event}f")),
    };
    let signature = match sim.universe.below(3) {
        // The signature of the genuine body, over another one.
        0 => sim.gateway.sign(SECRET, body),
        1 => sim.gateway.sign("", &forged),
        _ => "t=0,v1=".to_owned(),
    };
    if forged != body {
        must_refuse(sim, signature, forged, "a forged body").await;
    }
}

async fn must_refuse(sim: &Rc<Sim>, signature: String, body: String, what: &str) {
    let account = sim.account;
    let asked = format!("take {what}");
    let answer = sim.call(&asked, move |app| async move {
        let headers = Headers::new([("Stripe-Signature".to_owned(), signature)]);
        app.receive(account, &headers, body.as_bytes()).await
    });
    if let Ok(Ok(_)) = answer.await {
        sim.universe.fail(format!("{what} was taken"));
    }
}

fn named(body: &str) -> (String, String) {
    let event: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let word = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    (word("type"), word("id"))
}
