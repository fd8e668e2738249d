//! Keys whose text says what was bought: which licenses get one, and what it says.
//!
//! Nothing is signed here: no rule holds a private key. What is decided carries the key to be signed, the shell signs it
//! on the way to the store, and the store takes nothing that is not signed. From then on the text is kept as it is: what
//! a buyer has is never made anew from rows that moved on.

use std::fmt;

use latchkey_license::{KeyCode, SignedKey};
use serde_json::json;

use crate::{
    Actor, AtExpiry, Changes, Check, Customer, Event, EventId, EventKind, Fulfilment, License, LicenseId, MailKind,
    Order, Reissue, Rng, ShopId, Timestamp, tell_of_key,
};

/// How many bytes of JSON a plan's features and their values may be where its keys are signed: with the rest of what a
/// key says, its text is then no longer than [`MAX_SIGNED_KEY_BYTES`](latchkey_license::MAX_SIGNED_KEY_BYTES).
pub const MOST_SAID_BY_A_KEY: usize = 5_000;

/// A key that is signed in the commit that issues it. The license has no other signed key then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyToSign {
    /// The shop.
    pub shop: ShopId,
    /// The license that it opens.
    pub license: LicenseId,
    /// What it says.
    pub says: SignedKey,
    /// When it is issued, or signed again.
    pub at: Timestamp,
    /// The name of the signing key whose text it takes the place of, where the same key is signed again.
    pub replaces: Option<String>,
    /// Its text, once it is signed.
    pub signed: Option<SignedText>,
}

/// The text of a signed key, with the name of the key that signed it. Never shown by `Debug`: it opens the license.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedText {
    /// The name of the signing key.
    pub kid: String,
    /// The text, as the buyer has it.
    pub text: Box<str>,
}

impl fmt::Debug for SignedText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SignedText({})", self.kid)
    }
}

/// The keys to be signed of an order that has just been paid. Others may be issued in the same commit.
pub(crate) fn sign_keys(order: &Order, now: Timestamp, changes: &mut Changes) {
    for (license, key) in changes.issued.iter().filter(|(license, _)| license.order == order.id) {
        if order.line(license.line).is_some_and(|line| line.fulfilment == Fulfilment::SignedKey) {
            changes.signed_keys.push(key_to_sign(license, key, now));
        }
    }
}

/// The new key of a license whose old one was signed.
#[must_use]
pub fn sign_reissued(reissue: &Reissue) -> KeyToSign {
    key_to_sign(&reissue.license, &reissue.key, reissue.at)
}

fn key_to_sign(license: &License, key: &KeyCode, at: Timestamp) -> KeyToSign {
    let says = says(license, key.clone(), at);
    KeyToSign { shop: license.shop, license: license.id, says, at, replaces: None, signed: None }
}

/// The same key, which says the same, to be signed by another signing key: the one that signed it was revoked, so nobody
/// believes its text any more. It counts only while the license is as it was read: by then it may have another key. The
/// owner, where there is one, is mailed the new text.
#[must_use]
pub fn sign_again(
    license: &License,
    owner: Option<&Customer>,
    says: SignedKey,
    revoked_kid: &str,
    now: Timestamp,
    rng: &mut Rng,
) -> Changes {
    let event = Event {
        id: EventId::mint(now, rng),
        shop: license.shop,
        kind: EventKind::LicenseSignedAgain,
        actor: Actor::System,
        order: Some(license.order),
        license: Some(license.id),
        customer: license.customer,
        data: json!({ "key_tail": license.key_tail, "revoked_kid": revoked_kid }),
        at: now,
    };
    let again = KeyToSign {
        shop: license.shop,
        license: license.id,
        says,
        at: now,
        replaces: Some(revoked_kid.to_owned()),
        signed: None,
    };
    let check = Check::License { shop: license.shop, id: license.id, version: license.version };
    let mut changes =
        Changes { checks: vec![check], signed_keys: vec![again], events: vec![event], ..Changes::default() };
    if let Some(owner) = owner {
        tell_of_key(&mut changes, MailKind::KeySignedAgain { license: license.id }, license, owner, now, rng);
    }
    changes
}

/// What a key says of its license, as that stands now. An end that is not fixed yet, because its clock has not begun, is
/// none; neither is one after which the license works on.
fn says(license: &License, key: KeyCode, at: Timestamp) -> SignedKey {
    let (policy, ends_at) = (&license.policy, license.ends_at());
    let (expires_at, updates_until) = match policy.term.at_expiry {
        AtExpiry::Restrict | AtExpiry::End => (ends_at, license.updates_until),
        // It works on, and covers no version that comes out later.
        AtExpiry::Keep => (None, license.updates_until.into_iter().chain(ends_at).min()),
        AtExpiry::Allow => (None, license.updates_until),
    };
    SignedKey {
        key,
        license: license.id.to_string(),
        product: license.product.to_string(),
        plan: license.plan.to_string(),
        issued_at: at.as_seconds(),
        expires_at: expires_at.map(Timestamp::as_seconds),
        features: policy.features.clone(),
        feature_values: policy.feature_values.iter().map(|(name, value)| (name.clone(), value.to_json())).collect(),
        seats: policy.seats,
        updates_until: updates_until.map(Timestamp::as_seconds),
        trial: policy.term.is_trial,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use latchkey_license::{MAX_SIGNED_KEY_BYTES, assemble_signed_key, signed_key_input};
    use serde_json::Value;

    use super::*;
    use crate::fixture::{Reporter, START, World, owner, rng};
    use crate::{Duration, FeatureValue, LicenseState, PaymentStatus, Policy, Starts, Term, reissue};

    /// What is decided when an order of this is paid.
    fn paid(fulfilment: Fulfilment, policy: impl FnOnce(Policy) -> Policy) -> Changes {
        let mut world = World::submitted();
        let line = &mut world.sale.order.lines[0];
        line.fulfilment = fulfilment;
        line.policy = policy(line.policy.clone());
        let captured = world.sale.order.total;
        let reporter = Reporter::of(&world.sale, 0);
        world.meet(&reporter.payment(PaymentStatus::Succeeded { captured })).unwrap()
    }

    #[test]
    fn every_unit_that_is_sold_with_a_signed_key_gets_one() {
        let changes = paid(Fulfilment::SignedKey, |policy| policy);
        assert_eq!(changes.signed_keys.len(), changes.issued.len());
        for (to_sign, (license, key)) in changes.signed_keys.iter().zip(&changes.issued) {
            assert_eq!((to_sign.license, &to_sign.says.key), (license.id, key));
            assert_eq!((to_sign.replaces.as_ref(), to_sign.signed.as_ref()), (None, None));
            assert_eq!(to_sign.says.issued_at, license.created_at.as_seconds());
        }
        assert!(changes.claims.is_empty(), "nobody waits for it");
        for other in [Fulfilment::GeneratedKey, Fulfilment::Download, Fulfilment::Manual { within_hours: 1 }] {
            assert_eq!(paid(other, |policy| policy).signed_keys, [], "{other:?}");
        }
    }

    #[test]
    fn a_key_says_no_end_but_one_that_is_fixed_and_ends_something() {
        let day = |days| Some(START.after(Duration::days(days)).as_seconds());
        let term = Term { grace_days: 2, update_days: Some(20), ..Term::default() };
        let issue = Starts::Issue;
        #[rustfmt::skip]
        let table = [
            (Some(10), issue,                   AtExpiry::Restrict, day(12), day(20)),
            (Some(10), issue,                   AtExpiry::End,      day(12), day(20)),
            (Some(10), issue,                   AtExpiry::Keep,     None,    day(12)),
            (Some(30), issue,                   AtExpiry::Keep,     None,    day(20)),
            (Some(10), issue,                   AtExpiry::Allow,    None,    day(20)),
            (None,     issue,                   AtExpiry::Restrict, None,    day(20)),
            (Some(10), Starts::FirstActivation, AtExpiry::Restrict, None,    None),
            (Some(10), Starts::FirstValidation, AtExpiry::Keep,     None,    None),
        ];
        for (valid_days, starts, at_expiry, expires_at, updates_until) in table {
            let changes = paid(Fulfilment::SignedKey, |policy| Policy {
                valid_days,
                term: Term { starts, at_expiry, ..term.clone() },
                ..policy
            });
            let says = &changes.signed_keys[0].says;
            let found = (says.expires_at, says.updates_until);
            assert_eq!(found, (expires_at, updates_until), "{valid_days:?} {starts:?} {at_expiry:?}");
        }
    }

    #[test]
    fn a_key_says_what_the_policy_allows() {
        let values = [("pages", FeatureValue::Number(500)), ("sync", FeatureValue::Flag(false))];
        let values = values.map(|(name, value)| (name.to_owned(), value));
        let changes = paid(Fulfilment::SignedKey, |policy| Policy {
            seats: Some(4),
            features: vec!["export".to_owned()],
            feature_values: values.into(),
            term: Term { is_trial: true, ..Term::default() },
            ..policy
        });
        let says = &changes.signed_keys[0].says;
        assert_eq!((says.seats, says.trial, &says.features[..]), (Some(4), true, &["export".to_owned()][..]));
        assert_eq!(Value::Object(says.feature_values.clone()), json!({ "pages": 500, "sync": false }));
    }

    #[test]
    fn the_longest_key_that_can_be_sold_is_not_too_long() {
        let feature = "f".repeat(MOST_SAID_BY_A_KEY - json!([[""], {}]).to_string().len());
        assert_eq!(json!([[&feature], {}]).to_string().len(), MOST_SAID_BY_A_KEY);
        let changes = paid(Fulfilment::SignedKey, |policy| Policy {
            seats: Some(u32::MAX),
            valid_days: Some(30),
            features: vec![feature],
            term: Term { is_trial: true, update_days: Some(20), ..Term::default() },
            ..policy
        });
        let input = signed_key_input(&"k".repeat(64), &changes.signed_keys[0].says);
        let text = assemble_signed_key(&input, [0; 64]);
        let (length, most) = (text.len(), MAX_SIGNED_KEY_BYTES - 100);
        assert!(length <= most && length > most / 2, "{length}, and there may be spaces in it");
    }

    #[test]
    fn a_new_key_says_what_the_license_allows_by_then() {
        let license = paid(Fulfilment::SignedKey, |policy| policy).issued[0].0.clone();
        let policy = Policy { features: vec!["more".to_owned()], ..license.policy.clone() };
        let license = License { policy, state: LicenseState::Active, ..license };
        let key = KeyCode::from_random_bytes([9; 16]);
        let later = START.after(Duration::days(3));
        let (changes, _) = reissue(&license, key.clone(), false, "leaked", Actor::Api, later, &mut rng(3));
        let to_sign = sign_reissued(&changes.reissued[0]);
        assert_eq!(
            (to_sign.license, &to_sign.says.key, to_sign.says.issued_at),
            (license.id, &key, later.as_seconds())
        );
        assert_eq!(to_sign.says.features, ["more"]);
    }

    #[test]
    fn a_key_that_is_signed_again_says_the_same() {
        let changes = paid(Fulfilment::SignedKey, |policy| policy);
        let (license, says) = (&changes.issued[0].0, changes.signed_keys[0].says.clone());
        let later = START.after(Duration::days(3));
        let again = sign_again(license, None, says.clone(), "old", later, &mut rng(3));
        assert_eq!(again.signed_keys[0].says, says);
        assert_eq!(again.signed_keys[0].replaces.as_deref(), Some("old"));
        let unchanged = Check::License { shop: license.shop, id: license.id, version: license.version };
        assert_eq!(again.checks, [unchanged], "or a new key would be undone");
        assert_eq!((again.events[0].kind, again.events[0].license), (EventKind::LicenseSignedAgain, Some(license.id)));
        assert!(!again.events[0].data.to_string().contains(&says.key.to_string()), "the journal holds no key");
        assert!(again.deliveries.is_empty() && again.jobs.is_empty(), "it belongs to nobody");
        let told = sign_again(license, Some(&owner(license)), says.clone(), "old", later, &mut rng(3));
        assert_eq!(told.deliveries[0].mail, MailKind::KeySignedAgain { license: license.id });
    }
}
