//! Keys whose text is signed: what each text says when it is signed, and what became of those that another one took the
//! place of.

use std::collections::BTreeMap;

use app::{App, KeySlip};
use domain::{AtExpiry, Duration, License, LicenseId, SignedText, Timestamp};
use latchkey_license::{KeyCode, KeySet, PublicKey, SignedKey, SignedKeyError, read_signed_key};
use store::{SigningKey, SigningKeyState};

use crate::sim::Sim;
use crate::universe::at_once;

/// By when every node knows a signing key of which another one reads the rows for a stranger's sake: what is read for
/// one stranger counts a second for the next, and the world may stand still in between.
const HEARD_WITHIN: Duration = Duration::seconds(7_200);

/// A text, and what it said when it was signed.
#[derive(Clone)]
pub(crate) struct Text {
    pub(crate) text: Box<str>,
    /// The name of the signing key.
    pub(crate) kid: String,
    pub(crate) says: SignedKey,
    /// Whether the same key had another text before.
    is_again: bool,
}

/// Every text that was ever seen in the rows.
#[derive(Default)]
pub(crate) struct Textbook {
    current: BTreeMap<LicenseId, Text>,
    old: Vec<(LicenseId, Text)>,
}

impl Textbook {
    /// What is known of a text.
    pub(crate) fn find(&self, text: &str) -> Option<&Text> {
        let all = self.current.values().chain(self.old.iter().map(|(_, old)| old));
        all.into_iter().find(|known| *known.text == *text)
    }

    /// Whether the text of a license is the second one of its key, or a later one.
    pub(crate) fn is_signed_again(&self, license: LicenseId) -> bool {
        self.current.get(&license).is_some_and(|text| text.is_again)
    }
}

pub(crate) fn signing_keys(sim: &Sim) -> Vec<SigningKey> {
    at_once(sim.rows.signing_keys()).unwrap_or_default()
}

/// The keys that everybody may read.
pub(crate) fn published(keys: &[SigningKey]) -> KeySet {
    public(keys.iter().filter(|key| key.state != SigningKeyState::Revoked))
}

fn public<'a>(keys: impl Iterator<Item = &'a SigningKey>) -> KeySet {
    keys.filter_map(|key| PublicKey::from_bytes(key.public.clone().try_into().ok()?).ok()).collect()
}

/// After a step that wrote to a license: it has a text if it was sold with one, and a new one says what the license is in
/// this moment; but for the same key, signed again, which says what it said.
pub(crate) fn license_was_written(sim: &Sim, license: &License) {
    let stored = match at_once(sim.rows.signed_key(sim.shop.id, license.id)) {
        Ok(stored) => stored,
        Err(error) => return sim.universe.fail(format!("the signed key of {} cannot be opened: {error}", license.id)),
    };
    match (license.plan == sim.signed_plan, stored) {
        (false, None) => {}
        (true, Some(signed)) => text_is_true(sim, license, signed),
        (true, None) => sim.universe.fail(format!("{} was sold with a signed key, and has none", license.id)),
        (false, Some(_)) => sim.universe.fail(format!("{} has a signed key, and was sold without", license.id)),
    }
}

fn text_is_true(sim: &Sim, license: &License, signed: SignedText) {
    let known = sim.texts.borrow().current.get(&license.id).cloned();
    if known.as_ref().is_some_and(|known| known.text == signed.text) {
        return;
    }
    let wrong = |what: &str| sim.universe.fail(format!("the new text of {}: {what}", license.id));
    let keys = signing_keys(sim);
    let state_of = |kid: &str| keys.iter().find(|key| key.kid == kid).map(|key| key.state);
    let signer = public(keys.iter().filter(|key| key.kid == signed.kid));
    let says = match read_signed_key(&signed.text, &signer) {
        Ok(says) => says,
        Err(error) => return wrong(error.code()),
    };
    let Ok(Some(key)) = at_once(sim.rows.license_key(sim.shop.id, license.id)) else {
        return wrong("its license has no key");
    };
    let before = known.as_ref().filter(|known| known.says.key == key);
    if let Some(before) = before {
        if before.says != says {
            wrong("the same key was signed again, and says something else");
        }
        if state_of(&before.kid) != Some(SigningKeyState::Revoked) {
            wrong("the same key was signed again, and its text was good");
        }
    } else if says != words(license, key, says.issued_at) {
        wrong("it does not say what its license is");
    } else if says.issued_at > sim.universe.timestamp().after(sim.skew).as_seconds() {
        wrong("it was issued in the future");
    }
    let is_again = before.is_some();
    sim.universe.meet(
        "key_signed",
        match (is_again, known.is_some()) {
            (true, _) => "text:revoked",
            (false, true) => "text:retired",
            (false, false) => "text:none",
        },
    );
    let mut texts = sim.texts.borrow_mut();
    texts.old.extend(known.map(|known| (license.id, known)));
    texts.current.insert(license.id, Text { text: signed.text, kid: signed.kid, says, is_again });
}

/// What a key must say of its license, in the words of the page that sellers read.
fn words(license: &License, key: KeyCode, issued_at: i64) -> SignedKey {
    let policy = &license.policy;
    let grace = Duration::days(i64::from(policy.term.grace_days));
    let end = license.expires_at.map(|end| end.after(grace));
    let (expires_at, updates_until) = match (policy.term.at_expiry, end, license.updates_until) {
        (AtExpiry::Restrict | AtExpiry::End, end, updates) => (end, updates),
        (AtExpiry::Keep, Some(end), Some(updates)) => (None, Some(end.min(updates))),
        (AtExpiry::Keep, end, updates) => (None, end.or(updates)),
        (AtExpiry::Allow, _, updates) => (None, updates),
    };
    SignedKey {
        key,
        license: license.id.to_string(),
        product: license.product.to_string(),
        plan: license.plan.to_string(),
        issued_at,
        expires_at: expires_at.map(Timestamp::as_seconds),
        features: policy.features.clone(),
        feature_values: policy.feature_values.iter().map(|(name, value)| (name.clone(), value.to_json())).collect(),
        seats: policy.seats,
        updates_until: updates_until.map(Timestamp::as_seconds),
        trial: policy.term.is_trial,
    }
}

/// Whether a node may say of a text that it is not genuine: its signing key was revoked, or is so new that the node may
/// not have heard of it.
pub(crate) fn may_be_called_forged(sim: &Sim, text: &str, slip: KeySlip) -> bool {
    let Some(kid) = sim.texts.borrow().find(text).map(|known| known.kid.clone()) else { return false };
    let Some(key) = signing_keys(sim).into_iter().find(|key| key.kid == kid) else { return false };
    let is_new = sim.universe.timestamp().since(key.created_at) < HEARD_WITHIN;
    slip == KeySlip::NotGenuine(SignedKeyError::UnknownKey) && (key.state == SigningKeyState::Revoked || is_new)
}

/// How many texts are signed by a key that is revoked, at least, and so will be signed again.
pub(crate) fn to_be_signed_again(sim: &Sim) -> usize {
    let revoked = signing_keys(sim).into_iter().filter(|key| key.state == SigningKeyState::Revoked);
    revoked.map(|key| at_once(sim.rows.licenses_signed_by(&key.kid, None, 100)).map_or(1, |found| found.len())).sum()
}

/// The nodes that publish other signing keys than those that stand in the rows: they read them again before long.
pub(crate) fn have_not_heard(sim: &Sim) -> Vec<usize> {
    let keys = signing_keys(sim);
    let has_heard = |app: &App| {
        let jwks = app.signer().jwks();
        keys.iter().all(|key| jwks.contains(&key.kid) == (key.state != SigningKeyState::Revoked))
    };
    sim.up().into_iter().filter(|(_, app)| !has_heard(app)).map(|(node, _)| node).collect()
}

/// When everything has come to rest, every node takes the text of each license for its key, and one whose signing key was
/// revoked for none.
pub(crate) fn texts_open_what_they_say(sim: &Sim) {
    let keys = signing_keys(sim);
    let is_revoked = |kid: &str| keys.iter().any(|key| key.kid == kid && key.state == SigningKeyState::Revoked);
    let texts = sim.texts.borrow();
    let all = texts.current.iter().map(|(license, text)| (license, text, true));
    for (license, text, is_current) in all.chain(texts.old.iter().map(|(license, text)| (license, text, false))) {
        for (node, app) in sim.up() {
            let told = at_once(app.read_key(sim.shop.id, &text.text));
            let fits = match (&told, is_revoked(&text.kid)) {
                (Ok(Ok(key)), false) => *key == text.says.key,
                (Ok(Err(slip)), true) => !is_current && *slip == KeySlip::NotGenuine(SignedKeyError::UnknownKey),
                (Ok(Ok(_)), true) | (Ok(Err(_)), false) | (Err(_), _) => false,
            };
            if !fits {
                let of = if is_current { "the text" } else { "an old text" };
                let told = told.map(|told| told.map(|_| "its key"));
                sim.universe.fail(format!("node {node} tells {of} of {license} as {told:?}"));
            }
        }
    }
}
