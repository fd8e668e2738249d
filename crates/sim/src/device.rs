//! A computer that wants a seat: many of them reach for the few of one license at once.

use std::collections::BTreeMap;
use std::rc::Rc;

use domain::{ActivationRequest, Actor, Fingerprint, Sale, ValidationRequest};
use latchkey_license::KeyCode;

use crate::sim::{DAY, HOUR, SECOND, Sim};
use crate::universe::at_once;

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
        _ => {
            let request = ValidationRequest { fingerprint: Some(fingerprint), ..ValidationRequest::default() };
            let asked =
                sim.call("validate", move |app| async move { app.validate_license(shop, &key, &request).await });
            let _ = asked.await;
        }
    }
}
