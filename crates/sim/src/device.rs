//! A computer that wants a seat: many of them reach for the few of one license at once.

use std::collections::BTreeMap;
use std::rc::Rc;

use domain::{ActivationRequest, Actor, Fingerprint, Sale, ValidationRequest};
use latchkey_license::KeyCode;

use crate::sim::{DAY, HOUR, SECOND, Sim};
use crate::universe::{at_once, hold};

/// A device with the key of a sale's first license, for some days.
pub(crate) async fn run(sim: Rc<Sim>, sale: Rc<Sale>, number: i64) {
    let universe = &sim.universe;
    // The mail came, and somebody typed the key.
    let order = sale.order.id;
    let keys = at_once(sim.rows.license_keys(sim.shop.id, order)).unwrap_or_default();
    let Some((_, key)) = keys.into_iter().next() else { return };
    let Ok(fingerprint) = Fingerprint::parse(&format!("device-{number}")) else { return };
    for _ in 0..universe.between(1, 5) {
        if universe.one_in(4) {
            universe.sleep(universe.between(0, 2 * DAY)).await;
        } else {
            universe.sleep(universe.between(0, 3) * SECOND).await;
        }
        ask(&sim, &key, &fingerprint).await;
    }
    // Its app starts now and then, while money goes back, disputes are opened and lost, and other devices come and go.
    for _ in 0..universe.between(2, 8) {
        universe.sleep(universe.between(0, 3 * DAY)).await;
        for _ in 0..2 {
            validate(&sim, &key, &fingerprint).await;
        }
    }
    universe.sleep(universe.between(0, HOUR)).await;
}

async fn ask(sim: &Rc<Sim>, key: &KeyCode, fingerprint: &Fingerprint) {
    let universe = &sim.universe;
    let (shop, key, fingerprint) = (sim.shop.id, key.clone(), fingerprint.clone());
    match universe.below(8) {
        0..=3 => {
            let request = ActivationRequest {
                fingerprint,
                name: None,
                metadata: BTreeMap::new(),
                version_released_at: None,
                components: BTreeMap::new(),
            };
            let asked =
                sim.call("activate", move |app| async move { app.activate_license(shop, &key, &request).await });
            if let Ok(Ok(answer)) = asked.await {
                // What was promised to a device is on the disk.
                match at_once(sim.rows.activation(shop, answer.activation.id)) {
                    Ok(Some(_)) => {}
                    Ok(None) => universe.fail(format!("{} was promised and is not stored", answer.activation.id)),
                    Err(error) => universe.fail(format!("{} cannot be read: {error}", answer.activation.id)),
                }
            }
        }
        4 | 5 => {
            let asked = sim.call("deactivate", move |app| async move {
                app.deactivate_license(shop, &key, &fingerprint, Actor::App).await
            });
            let _ = asked.await;
        }
        6 => {
            let asked = sim.call("hear a heartbeat", move |app| async move {
                app.heartbeat_license(shop, &key, &fingerprint).await
            });
            let _ = asked.await;
        }
        _ => validate(sim, &key, &fingerprint).await,
    }
}

/// Asks whether the key works here, and holds the answer against the rows: what nothing changed between the question and
/// the answer must be told as it is stored, whether it was read or remembered.
async fn validate(sim: &Rc<Sim>, key: &KeyCode, fingerprint: &Fingerprint) {
    let universe = &sim.universe;
    let shop = sim.shop.id;
    let stored = || at_once(sim.rows.seat(shop, key, Some(fingerprint), universe.timestamp())).ok().flatten();
    let reads = || hold(&universe.counts).reads;
    let request = ValidationRequest { fingerprint: Some(fingerprint.clone()), ..ValidationRequest::default() };
    let (asked_key, asked) = (key.clone(), request.clone());
    let (before, read_before) = (stored(), reads());
    let answer = sim.call("validate", move |app| async move { app.validate_license(shop, &asked_key, &asked).await });
    let Ok(Ok(answer)) = answer.await else { return };
    let is_remembered = reads() == read_before;
    let (Some(before), Some(after)) = (before, stored()) else { return };
    if (&before.license, &before.activation) != (&after.license, &after.activation) {
        return;
    }
    let expected = after.license.validate(after.activation.as_ref(), &request, answer.at);
    let told = answer.license().map(|license| license.version);
    if answer.verdict != expected || told != Some(after.license.version) {
        let (license, verdict) = (after.license.id, answer.verdict.code.as_str());
        let remembered = if is_remembered { "remembered" } else { "read" };
        let expected = expected.code.as_str();
        universe.fail(format!("{license} was told as {verdict} ({remembered}), and its rows say {expected}"));
    }
    universe.count(|counts| {
        counts.compared += 1;
        counts.remembered += u64::from(is_remembered);
        counts.remembered_no += u64::from(is_remembered && !answer.verdict.is_valid());
    });
}
