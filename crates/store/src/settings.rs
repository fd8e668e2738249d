//! What belongs to the installation and to no shop: settings, and the keys that sign certificates.

use domain::Timestamp;
use zeroize::Zeroizing;

use crate::column::Columns;
use crate::statement::{read, texts, values, write};
use crate::{CommitError, Engine, Expect, Purpose, ReadError, Row, RowError, Statement, Store, Vault};

const SETTING: &str = "setting";
const SIGNING_KEY: &str = "signing_key";

const VALUE: &str = "select value from settings where key = $1";
const PUT: &str =
    "insert into settings (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value";
const PUT_FIRST: &str = "insert into settings (key, value) values ($1, $2) on conflict (key) do nothing";
const IS_SEALED: &str = "select count(*) from settings where key = $1";
const KEYS: &str =
    "select kid, public_key, seed_sealed, state, created_at, signs_from from signing_keys order by created_at, kid";
const ADD_KEY: &str = "insert into signing_keys (kid, public_key, seed_sealed, state, created_at, signs_from) values ($1, $2, $3, $4, $5, $6)";
/// One that is revoked stays revoked, whoever retires it at the same moment or later.
const SET_KEY_STATE: &str =
    "update signing_keys set state = case when state = 'revoked' then state else $2 end where kid = $1";

texts![VALUE, PUT, PUT_FIRST, IS_SEALED, KEYS, ADD_KEY, SET_KEY_STATE];

/// Under which setting the fingerprint of the master key is kept.
const MASTER_KEY: &str = "master_key_fingerprint";

/// Why the store must not be used with this vault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MasterKeyError {
    /// It could not be found out.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It could not be written down.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// Everything here was sealed with another master key: every license key would seem unknown.
    #[error("the database was sealed with another master key; start with the key that belongs to it")]
    Other,
}

/// What a signing key is still good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SigningKeyState {
    /// It signs from its time on, until another one does: of those whose time has come, the latest is taken.
    Active,
    /// It signs no more, and what it signed is still good: it stays in the published set.
    Retired,
    /// Nothing that it signed is good any more: it leaves the published set.
    Revoked,
}

impl SigningKeyState {
    /// The word in rows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
        }
    }

    /// Reads the word in rows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Retired, Self::Revoked].into_iter().find(|state| state.as_str() == text)
    }
}

/// A key pair that signs certificates.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// Its name, as certificates carry it.
    pub kid: String,
    /// The public half, 32 bytes of Ed25519 (RFC 8032).
    pub public: Vec<u8>,
    /// The private half, overwritten when it is dropped.
    pub seed: Zeroizing<Vec<u8>>,
    /// What it is still good for.
    pub state: SigningKeyState,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when it signs. It is published before, so that whoever verifies has it by then.
    pub signs_from: Timestamp,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "SigningKey({}, {})", self.kid, self.state.as_str())
    }
}

/// A signing key whose private half is still sealed.
struct SealedSigningKey {
    kid: String,
    public: Vec<u8>,
    seed: Vec<u8>,
    state: SigningKeyState,
    created_at: Timestamp,
    signs_from: Timestamp,
}

fn key_row(row: &mut Row) -> Result<SealedSigningKey, RowError> {
    let mut columns = Columns::of(row);
    Ok(SealedSigningKey {
        kid: columns.text()?,
        public: columns.bytes()?,
        seed: columns.bytes()?,
        state: columns.word("a state of a signing key", SigningKeyState::parse)?,
        created_at: columns.time()?,
        signs_from: columns.time()?,
    })
}

impl SealedSigningKey {
    fn open(self, vault: &Vault) -> Result<SigningKey, ReadError> {
        let seed = vault
            .open(Purpose::SigningKey, &self.kid, &self.seed)
            .map_err(|error| ReadError::Corrupt(format!("the signing key {}: {error}", self.kid)))?;
        let Self { kid, public, seed: _, state, created_at, signs_from } = self;
        Ok(SigningKey { kid, public, seed, state, created_at, signs_from })
    }
}

/// Whether there is a master key that belongs to this database: another one must not be made for it.
///
/// # Errors
/// When the database does not answer.
pub async fn has_master_key(engine: &dyn Engine) -> Result<bool, ReadError> {
    let found = engine.query(vec![read(SETTING, IS_SEALED, values![MASTER_KEY])]).await?.pop().unwrap_or_default();
    Ok(found.first().map(|row| row.integer(0)).transpose()?.unwrap_or_default() > 0)
}

impl Store {
    /// Makes sure, before anybody is answered, that the vault is the one that everything here was sealed and hashed
    /// with. The first vault that a database meets is the one it keeps.
    ///
    /// # Errors
    /// When it is another, or that cannot be found out.
    pub async fn confirm_master_key(&self) -> Result<(), MasterKeyError> {
        self.set_setting_once(MASTER_KEY, self.vault.fingerprint()).await?;
        match self.setting(MASTER_KEY).await? {
            Some(known) if known == self.vault.fingerprint() => Ok(()),
            Some(_) | None => Err(MasterKeyError::Other),
        }
    }

    /// The value of a setting of the installation.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn setting(&self, key: &str) -> Result<Option<String>, ReadError> {
        self.one(read(SETTING, VALUE, values![key]), |row| row.take_text(0)).await
    }

    /// Sets a setting, whatever it was.
    ///
    /// # Errors
    /// When the commit does not stand.
    pub async fn set_setting(&self, key: &str, value: &str) -> Result<(), CommitError> {
        self.engine.commit(vec![write(SETTING, PUT, values![key, value])]).await
    }

    /// Sets a setting that has no value yet, and leaves one that has: of many who start at once, one decides.
    /// [`Store::setting`] then tells what was decided.
    ///
    /// # Errors
    /// When the commit does not stand.
    pub async fn set_setting_once(&self, key: &str, value: &str) -> Result<(), CommitError> {
        let statement = Statement { expect: Expect::Any, ..write(SETTING, PUT_FIRST, values![key, value]) };
        self.engine.commit(vec![statement]).await
    }

    /// Every key that ever signed, oldest first, opened.
    ///
    /// # Errors
    /// When the database does not answer, or a key was sealed with another master key.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKey>, ReadError> {
        let sealed = self.every(read(SIGNING_KEY, KEYS, values![]), key_row).await?;
        sealed.into_iter().map(|key| key.open(&self.vault)).collect()
    }

    /// Adds a signing key, sealed.
    ///
    /// # Errors
    /// When the name is taken, or the commit does not stand otherwise.
    pub async fn add_signing_key(&self, key: &SigningKey) -> Result<(), CommitError> {
        let sealed = self.vault.seal(Purpose::SigningKey, &key.kid, &key.seed)?;
        let values = values![
            key.kid.as_str(),
            key.public.as_slice(),
            sealed,
            key.state.as_str(),
            key.created_at,
            key.signs_from,
        ];
        self.engine.commit(vec![write(SIGNING_KEY, ADD_KEY, values)]).await
    }

    /// Says what a signing key is still good for.
    ///
    /// # Errors
    /// When there is no such key, or the commit does not stand otherwise.
    pub async fn set_signing_key_state(&self, kid: &str, state: SigningKeyState) -> Result<(), CommitError> {
        self.engine.commit(vec![write(SIGNING_KEY, SET_KEY_STATE, values![kid, state.as_str()])]).await
    }
}
