//! Texts of signed keys: kept as they are, and only ever one of a license.

use domain::{Changes, KeyToSign, License, LicenseId, ShopId, SignedText, Timestamp, reissue};
use latchkey_license::{KeyCode, SignedKey};
use store::{CommitError, Store};

use super::world::World;

/// A text that is to be kept for a license. What it says is nobody's business here.
pub(crate) fn signed(license: &License, text: &str, kid: &str, replaces: Option<&str>, at: Timestamp) -> KeyToSign {
    KeyToSign {
        shop: license.shop,
        license: license.id,
        says: SignedKey {
            key: KeyCode::from_random_bytes([7; 16]),
            license: license.id.to_string(),
            product: license.product.to_string(),
            plan: license.plan.to_string(),
            issued_at: at.as_seconds(),
            expires_at: None,
            features: Vec::new(),
            feature_values: Default::default(),
            seats: None,
            updates_until: None,
            trial: false,
        },
        at,
        replaces: replaces.map(str::to_owned),
        signed: Some(SignedText { kid: kid.to_owned(), text: text.into() }),
    }
}

async fn write(store: &Store, key: KeyToSign) -> Result<(), CommitError> {
    store.commit(&Changes { signed_keys: vec![key], ..Changes::default() }).await
}

async fn text(store: &Store, shop: ShopId, license: LicenseId) -> Option<String> {
    store.signed_key(shop, license).await.unwrap().map(|signed| format!("{} by {}", signed.text, signed.kid))
}

pub(crate) async fn a_signed_key_is_kept_as_it_is_until_the_license_gets_a_new_one(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let mut sale = world.open(&store, 2).await;
    world.submit(&store, &mut sale).await;
    world.captured(&store, &mut sale, "pi_1").await;
    let (shop, now) = (world.shop.id, world.now);
    let [one, other] = [&sale.licenses[0], &sale.licenses[1]];
    assert_eq!(text(&store, shop, one.id).await, None);

    let unsigned = KeyToSign { signed: None, ..signed(one, "key/a", "first", None, now) };
    assert!(matches!(write(&store, unsigned).await, Err(CommitError::Unavailable(_))), "what is not signed is no key");
    write(&store, signed(one, "key/a", "first", None, now)).await.unwrap();
    write(&store, signed(other, "key/b", "first", None, now)).await.unwrap();
    assert_eq!(text(&store, shop, one.id).await.as_deref(), Some("key/a by first"));
    let second = write(&store, signed(one, "key/c", "second", None, now)).await;
    assert!(matches!(second, Err(CommitError::Conflict { .. })), "a license has one");

    let of = |found: Vec<(LicenseId, SignedText)>| {
        let mut texts: Vec<String> = found.into_iter().map(|(_, signed)| signed.text.to_string()).collect();
        texts.sort();
        texts
    };
    assert_eq!(of(store.signed_keys(shop, sale.order.id).await.unwrap()), ["key/a", "key/b"]);
    let customer = one.customer.unwrap();
    assert_eq!(of(store.signed_keys_of_customer(shop, customer, 10).await.unwrap()), ["key/a", "key/b"]);
    assert_eq!(store.signed_keys_of_customer(shop, customer, 1).await.unwrap().len(), 1);

    // Signed again by another key, and by nobody else at the same time.
    let mut both = [(shop, one.id), (shop, other.id)];
    both.sort();
    assert_eq!(store.licenses_signed_by("first", None, 10).await.unwrap(), both);
    assert_eq!(store.licenses_signed_by("first", None, 1).await.unwrap(), both[..1]);
    assert_eq!(store.licenses_signed_by("first", Some(both[0].1), 10).await.unwrap(), both[1..]);
    write(&store, signed(one, "key/d", "second", Some("first"), now)).await.unwrap();
    let late = write(&store, signed(one, "key/e", "third", Some("first"), now)).await;
    assert!(matches!(late, Err(CommitError::Conflict { .. })));
    assert_eq!(text(&store, shop, one.id).await.as_deref(), Some("key/d by second"));
    assert_eq!(store.licenses_signed_by("first", None, 10).await.unwrap(), [(shop, other.id)]);

    // The text of a key that was replaced is gone with it.
    let (changes, after) =
        reissue(one, KeyCode::from_random_bytes([9; 16]), false, "-", domain::Actor::System, now, &mut world.rng);
    let again = signed(&after, "key/f", "second", None, now);
    store.commit(&Changes { signed_keys: vec![again], ..changes }).await.unwrap();
    assert_eq!(text(&store, shop, one.id).await.as_deref(), Some("key/f by second"));
    let row = store.license(shop, one.id).await.unwrap().unwrap();
    let (changes, _) =
        reissue(&row, KeyCode::from_random_bytes([8; 16]), false, "-", domain::Actor::System, now, &mut world.rng);
    store.commit(&changes).await.unwrap();
    assert_eq!(text(&store, shop, one.id).await, None, "and stays gone where no other is signed");
    assert_eq!(text(&store, shop, other.id).await.as_deref(), Some("key/b by first"));
    assert_eq!(store::report::broken_laws(&store).await.unwrap(), []);
}
