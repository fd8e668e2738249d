//! What belongs to the installation: its settings, its master key, the keys that it signs with.

use std::sync::Arc;

use domain::Timestamp;
use store::{CommitError, MasterKeyError, ReadError, SigningKey, SigningKeyState, Store, Vault};

use super::world::World;

pub(crate) async fn a_store_is_not_used_with_another_master_key(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    store.confirm_master_key().await.unwrap();
    store.confirm_master_key().await.unwrap();
    let other = Store::new(Arc::clone(store.engine()), Arc::new(Vault::from_master_key([43; 32]).unwrap()));
    assert_eq!(other.confirm_master_key().await, Err(MasterKeyError::Other));
    // And should somebody go on all the same, nothing opens.
    assert!(matches!(other.gateway_account(world.account.id).await, Err(ReadError::Corrupt(_))));
}

pub(crate) async fn a_setting_is_set_once_or_again(store: Store) {
    assert_eq!(store.setting("origin").await, Ok(None));
    store.set_setting_once("origin", "first").await.unwrap();
    store.set_setting_once("origin", "second").await.unwrap();
    assert_eq!(store.setting("origin").await, Ok(Some("first".to_owned())));
    store.set_setting("origin", "third").await.unwrap();
    assert_eq!(store.setting("origin").await, Ok(Some("third".to_owned())));
}

pub(crate) async fn a_signing_key_is_kept_sealed_and_can_be_retired(store: Store) {
    let key = SigningKey {
        kid: "2026-11".to_owned(),
        public: vec![1; 32],
        seed: vec![2; 32].into(),
        state: SigningKeyState::Active,
        created_at: Timestamp::from_seconds(1_764_000_000),
        signs_from: Timestamp::from_seconds(1_764_000_600),
    };
    store.add_signing_key(&key).await.unwrap();
    assert_eq!(store.signing_keys().await, Ok(vec![key.clone()]));
    assert_eq!(store.add_signing_key(&key).await, Err(CommitError::Conflict { what: "signing_key" }));
    let sealed = super::only_bytes(&store, "select seed_sealed from signing_keys").await;
    assert!(!super::holds(&sealed, &key.seed));

    for state in [SigningKeyState::Revoked, SigningKeyState::Retired, SigningKeyState::Active] {
        store.set_signing_key_state("2026-11", state).await.unwrap();
        assert_eq!(store.signing_keys().await.unwrap()[0].state, SigningKeyState::Revoked, "and then {state:?}");
    }
    let nobody = store.set_signing_key_state("2025-01", SigningKeyState::Revoked).await;
    assert_eq!(nobody, Err(CommitError::Conflict { what: "signing_key" }));
}
