//! People who help: a key that is in the wrong hands is replaced, and the keys that sign certificates change places,
//! while everybody goes on asking.

use std::rc::Rc;

use app::{Held, ReissueInput, SigningKeyError, SigningKeyTurn};
use domain::{Actor, License, LicenseId, Rng, ValidationRequest, VerdictCode};
use latchkey_license::{KeyCode, signed_key_code};
use store::SigningKeyState;

use crate::chance;
use crate::seller;
use crate::sim::{DAY, Down, HOUR, MINUTE, SECOND, Sim};
use crate::universe::at_once;

/// How often somebody asks again when nobody answers.
const PATIENCE: u32 = 40;

/// How long after it signed for the last time anything can count that a key has signed: the longest certificate of the
/// shop, and as long as a node may go on without having heard.
const LAST_CERTIFICATE: i64 = 16 * DAY;

/// A key that somebody began to replace.
#[derive(Debug, Clone)]
pub(crate) struct Replaced {
    license: LicenseId,
    old: KeyCode,
    new: KeyCode,
    tells_owner: bool,
    /// Whether somebody said that it is done.
    is_done: bool,
}

/// Gives a license a new key. Sometimes two people do, not knowing of each other.
pub(crate) async fn replace_key(sim: &Rc<Sim>) {
    let Some(license) = some_license(sim) else { return };
    if sim.universe.one_in(3) {
        let (other, id) = (Rc::clone(sim), license.id);
        sim.spawn_wanting(async move {
            other.universe.sleep(other.universe.between(0, HOUR)).await;
            reissue(&other, id).await;
        });
    }
    reissue(sim, license.id).await;
}

fn some_license(sim: &Sim) -> Option<License> {
    let sale = seller::some_sale(sim)?;
    let count = u64::try_from(sale.licenses.len()).ok().filter(|count| *count > 0)?;
    // The first is the one that devices use.
    let place = sim.universe.below(count).min(sim.universe.below(count));
    sale.licenses.into_iter().nth(usize::try_from(place).ok()?)
}

async fn reissue(sim: &Rc<Sim>, license: LicenseId) {
    let universe = &sim.universe;
    let Ok(Some(old)) = at_once(sim.rows.license_key(sim.shop.id, license)) else { return };
    let mut rng = Rng::from_seed(chance::bytes(universe.below(u64::MAX), 4));
    let input = ReissueInput {
        key: KeyCode::from_random_bytes(rng.bytes()),
        frees_seats: universe.one_in(2),
        tells_owner: universe.one_in(2),
        reason: "it stands in a forum".to_owned(),
    };
    let place = {
        let mut replaced = sim.replaced.borrow_mut();
        let (new, tells_owner) = (input.key.clone(), input.tells_owner);
        replaced.push(Replaced { license, old: old.clone(), new, tells_owner, is_done: false });
        replaced.len() - 1
    };
    // Whoever has the key uses it, so that every node remembers it.
    told_by_every_node(sim, &old).await;
    for _ in 0..PATIENCE {
        let (shop, asked) = (sim.shop.id, input.clone());
        let answer = sim.call("replace a key", move |app| async move {
            app.reissue_license(shop, license, &asked, Actor::Api).await
        });
        match answer.await {
            Ok(Ok(told)) => {
                sim.replaced.borrow_mut()[place].is_done = true;
                universe.meet("key_replaced", if input.frees_seats { "seat:freed" } else { "seat:left" });
                if told.license.id != license {
                    universe.fail(format!("{license} got a new key and became {}", told.license.id));
                }
                if key_of(&told.held).as_ref() != Some(&input.key) {
                    universe.fail(format!("{license} got a new key, and another one was told"));
                }
                was_replaced(sim, license, &old, &input.key);
                return every_node_refuses(sim, &old).await;
            }
            Ok(Err(app::Error::Unavailable(_) | app::Error::Conflict { .. })) | Err(Down) => {
                universe.sleep(universe.between(SECOND, HOUR / 2)).await;
            }
            Ok(Err(app::Error::Refused(domain::Refusal::CodeMadeElsewhere))) => {
                universe.meet("key_replaced", "key:code");
                if matches!(at_once(sim.rows.claim_of_license(sim.shop.id, license)), Ok(None)) {
                    universe.fail(format!("{license} has a key of ours, and gets no other"));
                }
                return;
            }
            // The first time was heard, and the other has replaced this one too.
            Ok(Err(app::Error::Refused(domain::Refusal::KeyRetired { .. }))) => {
                universe.meet("key_replaced", "key:retired");
                return was_replaced(sim, license, &old, &input.key);
            }
            Ok(Err(error)) => return universe.fail(format!("{license} gets no new key: {error}")),
        }
    }
}

/// The key in what a buyer holds.
fn key_of(held: &Held) -> Option<KeyCode> {
    match held {
        Held::Key(key) => Some(key.clone()),
        Held::Signed(signed) => signed_key_code(&signed.text),
        Held::Code(_) | Held::Said(_) | Held::OnItsWay | Held::Promised(_) => None,
    }
}

/// What was said to be replaced is replaced in the rows: the old key is retired, the new one opens the same license
/// until it is replaced itself.
fn was_replaced(sim: &Sim, license: LicenseId, old: &KeyCode, new: &KeyCode) {
    let retired = |key: &KeyCode| at_once(sim.rows.retired_key(sim.shop.id, key)).ok().flatten().map(|key| key.license);
    let opened = |key: &KeyCode| {
        let seat = at_once(sim.rows.seat(sim.shop.id, key, None, sim.universe.timestamp()));
        seat.ok().flatten().map(|seat| seat.license.id)
    };
    if retired(old) != Some(license) || opened(old).is_some() {
        sim.universe.fail(format!("the key of {license} was replaced, and the old one is not retired"));
    }
    match (opened(new), retired(new)) {
        (Some(behind), None) if behind == license => {}
        (None, Some(behind)) if behind == license => {}
        (opened, retired) => {
            sim.universe.fail(format!("the new key of {license} opens {opened:?}, and is retired of {retired:?}"))
        }
    }
}

/// From the answer on the old key opens nothing, whichever node is asked and whatever it remembers.
pub(crate) async fn every_node_refuses(sim: &Rc<Sim>, old: &KeyCode) {
    for (node, code) in told_by_every_node(sim, old).await {
        sim.universe.meet("app_validates", "key:replaced");
        if code != VerdictCode::KeyRetired {
            sim.universe.fail(format!("node {node} tells a key that was replaced as {}", code.as_str()));
        }
    }
}

/// What each node that serves and answers says of a key.
async fn told_by_every_node(sim: &Rc<Sim>, key: &KeyCode) -> Vec<(usize, VerdictCode)> {
    let mut told = Vec::new();
    for (node, app) in sim.up() {
        let (shop, key) = (sim.shop.id, key.clone());
        let asked = sim.ask_node(node, &app, "validate for whoever has the key", move |app| async move {
            app.validate_license(shop, &key, &ValidationRequest::default()).await
        });
        if let Ok(Ok(answer)) = asked.await {
            told.push((node, answer.verdict.code));
        }
    }
    told
}

/// As [`every_node_refuses`], of all keys that were ever replaced, when everything has come to rest.
pub(crate) fn old_keys_open_nothing(sim: &Sim) {
    for replaced in sim.replaced.borrow().iter().filter(|replaced| replaced.is_done) {
        was_replaced(sim, replaced.license, &replaced.old, &replaced.new);
        for (node, app) in sim.up() {
            let request = ValidationRequest::default();
            match at_once(app.validate_license(sim.shop.id, &replaced.old, &request)) {
                Ok(answer) if answer.verdict.code == VerdictCode::KeyRetired => {}
                other => sim.universe.fail(format!(
                    "node {node} tells the old key of {} as {:?}",
                    replaced.license,
                    other.map(|answer| answer.verdict.code)
                )),
            }
        }
    }
}

/// What the owner of a license was told of it by mail, if all mails arrive; `None`: nothing that must be.
pub(crate) fn what_the_buyer_should_hold(sim: &Sim, license: &License) -> Option<String> {
    match at_once(sim.rows.claim_of_license(sim.shop.id, license.id)) {
        Ok(Some(claim)) => return claim.content.map(|code| code.as_str().to_owned()),
        Ok(None) => {}
        Err(error) => sim.universe.fail(format!("the code of {} cannot be opened: {error}", license.id)),
    }
    let Ok(Some(key)) = at_once(sim.rows.license_key(sim.shop.id, license.id)) else {
        sim.universe.fail(format!("the key of {} cannot be opened", license.id));
        return None;
    };
    let held = match at_once(sim.rows.signed_key(sim.shop.id, license.id)) {
        Ok(signed) => signed.map_or_else(|| key.to_string(), |signed| signed.text.into()),
        Err(error) => {
            sim.universe.fail(format!("the signed key of {} cannot be opened: {error}", license.id));
            return None;
        }
    };
    let replaced = sim.replaced.borrow();
    let by = replaced.iter().find(|replaced| replaced.new == key);
    // Whoever was told nothing of a new key is told of its text all the same once that is signed again.
    let is_told = by.is_none_or(|replaced| replaced.tells_owner) || sim.texts.borrow().is_signed_again(license.id);
    is_told.then_some(held)
}

/// A new key signs, and those before it sign no more; when what they signed is over, or must not count any more, they
/// are revoked.
pub(crate) async fn change_signing_key(sim: &Rc<Sim>) {
    let universe = &sim.universe;
    let turn = universe.pick(&[SigningKeyTurn::Announced, SigningKeyTurn::Announced, SigningKeyTurn::AtOnce]);
    let earlier = signing(sim);
    let Some(added) = add(sim, turn).await else { return };
    universe.meet("signing_key_added", if turn == SigningKeyTurn::AtOnce { "turn:at_once" } else { "turn:announced" });
    if universe.one_in(2) {
        universe.sleep(universe.between(0, 20) * MINUTE).await;
        let up = sim.up();
        if let Some((node, _)) = up.get(usize::try_from(universe.below(3)).unwrap_or(0)) {
            universe.end(*node, "while the signing keys change");
        }
    }
    universe.sleep(universe.pick(&[SECOND, 15 * MINUTE, 2 * HOUR, DAY])).await;
    let mut retired = Vec::new();
    for kid in earlier.iter().filter(|kid| **kid != added) {
        if set_state(sim, kid, SigningKeyState::Retired).await {
            universe.meet("signing_key_retired", "turn:over");
            retired.push(kid.clone());
        }
    }
    // In a hurry, because an earlier one has leaked, nobody waits until what it signed is over.
    let in_a_hurry = universe.one_in(4);
    if in_a_hurry || universe.one_in(6) {
        universe.sleep(if in_a_hurry { SECOND } else { LAST_CERTIFICATE }).await;
        for kid in &retired {
            set_state(sim, kid, SigningKeyState::Revoked).await;
        }
    }
}

/// The keys that sign, or will.
fn signing(sim: &Sim) -> Vec<String> {
    let stored = at_once(sim.rows.signing_keys()).unwrap_or_default();
    stored.into_iter().filter(|key| key.state == SigningKeyState::Active).map(|key| key.kid).collect()
}

async fn add(sim: &Rc<Sim>, turn: SigningKeyTurn) -> Option<String> {
    let universe = &sim.universe;
    for _ in 0..PATIENCE {
        let asked = sim.call("add a signing key", move |app| async move { app.add_signing_key(None, turn).await });
        match asked.await {
            Ok(Ok(view)) => return Some(view.kid),
            Ok(Err(SigningKeyError::App(app::Error::Unavailable(_) | app::Error::Conflict { .. }))) | Err(Down) => {
                universe.sleep(universe.between(SECOND, HOUR)).await;
            }
            Ok(Err(error)) => {
                universe.fail(format!("no signing key is added: {error}"));
                return None;
            }
        }
    }
    None
}

/// Whether somebody said that it is so now.
async fn set_state(sim: &Rc<Sim>, kid: &str, state: SigningKeyState) -> bool {
    let universe = &sim.universe;
    for _ in 0..PATIENCE {
        let key = kid.to_owned();
        let asked =
            sim.call("change a signing key", move |app| async move { app.set_signing_key_state(&key, state).await });
        match asked.await {
            Ok(Ok(())) => return true,
            // The other is announced, and signs in some minutes.
            Ok(Err(
                SigningKeyError::InUse(_)
                | SigningKeyError::App(app::Error::Unavailable(_) | app::Error::Conflict { .. }),
            ))
            | Err(Down) => universe.sleep(universe.between(MINUTE, HOUR)).await,
            // Somebody else has revoked it, which is more.
            Ok(Err(SigningKeyError::Revoked(_))) => return false,
            Ok(Err(error)) => {
                universe.fail(format!("the signing key {kid} stays as it is: {error}"));
                return false;
            }
        }
    }
    false
}
