//! Signing keys change places: a new one is published first, signs when everybody has it, and the old one stays
//! published until the last certificate that it signed is over.

use aws_lc_rs::encoding::AsBigEndian as _;
use aws_lc_rs::signature::Ed25519KeyPair;
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use domain::{Duration, Timestamp};
use store::{CommitError, SigningKey, SigningKeyState};
use zeroize::Zeroizing;

use crate::signer::key_of_seed;
use crate::{App, Error};

/// How long a key is published before it signs, unless somebody is in a hurry: whoever caches the key set keeps it for
/// five minutes, and every node looks for new keys within seconds.
pub(crate) const ANNOUNCED_FOR: Duration = Duration::minutes(10);

/// How often strangers can have the signing keys read again.
const STRANGERS_EVERY: Duration = Duration::seconds(1);

/// When the signing keys were last read again for a stranger, and whether that could be done. Whoever holds it reads them.
pub(crate) type ReadForStrangers = tokio::sync::Mutex<Option<(Timestamp, Result<(), Error>)>>;

/// From when a key that is added signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigningKeyTurn {
    /// After whoever verifies has had time to read the key set again.
    Announced,
    /// Now. Who verifies with a key set that was read before must read it again.
    AtOnce,
    /// Never: it only verifies what was signed with it elsewhere.
    Never,
}

/// Why signing keys were not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SigningKeyError {
    /// The store did not answer.
    #[error(transparent)]
    App(#[from] Error),
    /// There is no key of this name.
    #[error("there is no signing key {0}; `latchkey signing-keys list` names them")]
    Unknown(String),
    /// The key is here already.
    #[error("the signing key {0} is here already")]
    Taken(String),
    /// Nothing would sign without it.
    #[error("{0} is the key that signs; add another one first, and wait until it signs")]
    InUse(String),
    /// What was revoked stays so.
    #[error("{0} is revoked, and stays so: what it signed is good for nothing; ship the key set without it")]
    Revoked(String),
    /// What was to be imported is no Ed25519 key pair.
    #[error(
        "that is no Ed25519 private key: PKCS#8 PEM (`openssl genpkey -algorithm ed25519` makes one), or 64 hexadecimal \
         digits"
    )]
    NotAKey,
}

/// A signing key, to be shown: its private half stays where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKeyView {
    /// Its name, as certificates carry it.
    pub kid: String,
    /// What it is still good for.
    pub state: SigningKeyState,
    /// Whether it is the one that signs now.
    pub signs: bool,
    /// When it came here.
    pub created_at: Timestamp,
    /// From when it signs, or signed.
    pub signs_from: Timestamp,
}

impl App {
    /// Reads the signing keys again; whether they were others than before.
    ///
    /// # Errors
    /// When the store does not answer, or no key is left that signs; the old ones stay in use then.
    pub async fn refresh_signing_keys(&self) -> Result<bool, Error> {
        let reading = self.signers.begin();
        let stored = self.store.signing_keys().await?;
        self.signers.land(reading, stored)
    }

    /// Reads the signing keys again for whoever came with a key that nobody here has signed, unless that was done within a
    /// second: strangers can ask for it as often as they like. Who comes while they are being read waits for that.
    ///
    /// # Errors
    /// As [`Self::refresh_signing_keys`], for the rest of the second as well: nobody can tell then.
    pub(crate) async fn refresh_signing_keys_for_a_stranger(&self) -> Result<(), Error> {
        let mut last = self.read_for_strangers.lock().await;
        if let Some((at, outcome)) = last.as_ref()
            && (Duration::seconds(0)..STRANGERS_EVERY).contains(&self.clock.now().since(*at))
        {
            return outcome.clone();
        }
        let outcome = self.refresh_signing_keys().await.map(drop);
        *last = Some((self.clock.now(), outcome.clone()));
        outcome
    }

    /// Every signing key, oldest first.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKeyView>, Error> {
        self.refresh_signing_keys().await?;
        let (signer, now) = (self.signer(), self.clock.now());
        let view = |key: &SigningKey| SigningKeyView {
            kid: key.kid.clone(),
            state: key.state,
            signs: key.kid == signer.kid(now),
            created_at: key.created_at,
            signs_from: key.signs_from,
        };
        Ok(signer.stored().iter().map(view).collect())
    }

    /// Adds a signing key: one that is made here, or the one of a PKCS#8 PEM (RFC 8410) or of its seed in hexadecimal.
    ///
    /// # Errors
    /// When that is no such key, it is here already, or the store does not answer.
    pub async fn add_signing_key(
        &self,
        pem: Option<&str>,
        turn: SigningKeyTurn,
    ) -> Result<SigningKeyView, SigningKeyError> {
        let now = self.clock.now();
        let seed = match pem {
            Some(pem) => seed_of(pem).ok_or(SigningKeyError::NotAKey)?,
            None => Zeroizing::new(self.entropy.rng().bytes::<32>().to_vec()),
        };
        let signs_from = match turn {
            SigningKeyTurn::Announced => now.after(ANNOUNCED_FOR),
            SigningKeyTurn::AtOnce | SigningKeyTurn::Never => now,
        };
        let mut key = key_of_seed(&seed, now, signs_from)?;
        if turn == SigningKeyTurn::Never {
            key.state = SigningKeyState::Retired;
        }
        match self.store.add_signing_key(&key).await {
            Ok(()) => {}
            Err(CommitError::Conflict { .. }) => return Err(SigningKeyError::Taken(key.kid)),
            Err(error) => return Err(Error::from(error).into()),
        }
        let added = self.signing_keys().await?.into_iter().find(|view| view.kid == key.kid);
        added.ok_or(SigningKeyError::Unknown(key.kid))
    }

    /// Says what a signing key is still good for. The one that signs stays until another one does.
    ///
    /// # Errors
    /// When there is no such key, it is the one that signs, or the store does not answer.
    pub async fn set_signing_key_state(&self, kid: &str, state: SigningKeyState) -> Result<(), SigningKeyError> {
        let keys = self.signing_keys().await?;
        let key = keys.iter().find(|key| key.kid == kid).ok_or_else(|| SigningKeyError::Unknown(kid.to_owned()))?;
        if key.signs {
            return Err(SigningKeyError::InUse(kid.to_owned()));
        }
        self.store.set_signing_key_state(kid, state).await.map_err(Error::from)?;
        self.refresh_signing_keys().await?;
        let is = self.signing_keys().await?.into_iter().find(|key| key.kid == kid).map(|key| key.state);
        match (state, is) {
            (SigningKeyState::Retired, Some(SigningKeyState::Revoked)) => Err(SigningKeyError::Revoked(kid.to_owned())),
            _ => Ok(()),
        }
    }
}

/// The seed in a private key: PEM (RFC 7468) of PKCS#8 (RFC 8410), or the seed itself as 64 hexadecimal digits, as
/// other systems write it.
fn seed_of(pem: &str) -> Option<Zeroizing<Vec<u8>>> {
    if let Ok(seed) = HEXLOWER_PERMISSIVE.decode(pem.trim().as_bytes()).map(Zeroizing::new)
        && seed.len() == 32
    {
        return Some(seed);
    }
    let body = pem.split_once("-----BEGIN PRIVATE KEY-----")?.1.split_once("-----END PRIVATE KEY-----")?.0;
    let letters = Zeroizing::new(body.split_whitespace().collect::<String>());
    let document = Zeroizing::new(BASE64.decode(letters.as_bytes()).ok()?);
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&document).ok()?;
    let seed = pair.seed().ok()?.as_be_bytes().ok()?;
    Some(Zeroizing::new(seed.as_ref().to_vec()))
}
