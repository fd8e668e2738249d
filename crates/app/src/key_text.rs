//! What somebody typed, pasted or sent as a license key, and the key of ours that it stands for: the one place where a
//! text becomes a key that is looked up.
//!
//! A key of ours is known by its check symbols; a signed one by its signature, and its short key is what is looked up.
//! Anything else may have been made elsewhere, by another system or for a stock, and is asked for as it is.

use domain::{ForeignKey, License, ShopId};
use latchkey_license::{KeyCode, KeyCodeError, SignedKeyError, is_signed_key, read_signed_key};

use crate::{App, Error};

/// The longest key that people read and type, in bytes. What is longer is copied, and shown small.
pub const LONGEST_TYPED_KEY: usize = 64;

/// Why a text is no key, told without looking for a license.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySlip {
    /// A slip of the hand.
    Mistyped(KeyCodeError),
    /// It means to be signed by the shop, and is not, or not all of it is here.
    NotGenuine(SignedKeyError),
    /// It is signed as another system signs, and nobody here has taken it over.
    OfNobody,
}

impl KeySlip {
    /// What is kept of it with the attempt.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Mistyped(error) => error.code(),
            Self::NotGenuine(error) => error.code(),
            Self::OfNobody => SignedKeyError::MissingKeyId.code(),
        }
    }
}

/// What a text is by itself.
enum Read {
    /// A key of ours.
    Ours(KeyCode),
    /// It cannot be a key of ours, and of nobody else's either.
    No(KeySlip),
    /// It is no key of ours, and may be one that was made elsewhere.
    NotOurs(KeySlip),
}

impl App {
    /// The key that a text stands for; or, for what is neither one of ours nor made elsewhere, where it slips. What has
    /// the form of one of ours and the wrong check symbols, or names a signing key of ours and was not signed by it, is
    /// looked for nowhere.
    ///
    /// # Errors
    /// `Unavailable` when nobody can tell: that is never "no such key".
    pub async fn read_key(&self, shop: ShopId, text: &str) -> Result<Result<KeyCode, KeySlip>, Error> {
        match self.read_on_any_node(text).await? {
            Read::Ours(key) => Ok(Ok(key)),
            Read::No(slip) => Ok(Err(slip)),
            Read::NotOurs(slip) => Ok(self.key_made_elsewhere(shop, text).await?.ok_or(slip)),
        }
    }

    /// The key of ours behind a key as an app of another system sends it, most often one of that system which was taken
    /// over. `None` when nobody has it.
    ///
    /// # Errors
    /// As [`App::read_key`].
    pub async fn key_behind(&self, shop: ShopId, text: &str) -> Result<Option<KeyCode>, Error> {
        let own = match self.read_on_any_node(text).await? {
            Read::Ours(key) if is_signed_key(text) => return Ok(Some(key)),
            Read::No(KeySlip::NotGenuine(_)) => return Ok(None),
            Read::Ours(key) => Some(key),
            Read::No(KeySlip::Mistyped(_) | KeySlip::OfNobody) | Read::NotOurs(_) => None,
        };
        Ok(self.key_made_elsewhere(shop, text).await?.or(own))
    }

    /// Every text that the holder of a license may have as its key: ours, the one that another system issued, a code, and
    /// the text that is signed. Programs keep what has the form of one of ours as it is printed.
    pub(crate) async fn texts_of_key(&self, license: &License) -> Result<Vec<String>, Error> {
        let (shop, id) = (license.shop, license.id);
        let own = self.store.license_key(shop, id).await?.map(|key| key.to_string());
        let foreign = self.store.foreign_key_of(shop, id).await?.map(|key| key.as_str().to_owned());
        let held = self.held_of_license(license).await?.and_then(|held| held.key());
        let as_printed = |text: &String| KeyCode::parse(text).ok().map(|key| key.to_string());
        let printed: Vec<String> = [&foreign, &held].into_iter().flatten().filter_map(as_printed).collect();
        Ok([own, foreign, held].into_iter().flatten().chain(printed).collect())
    }

    /// Where a text slips, if it is no key of ours.
    pub(crate) fn slip_of(&self, text: &str) -> Option<KeySlip> {
        match self.read_own_key(text) {
            Read::Ours(_) => None,
            Read::No(slip) | Read::NotOurs(slip) => Some(slip),
        }
    }

    /// The key of ours behind one that another system issued, or behind a code out of a stock that was handed out.
    ///
    /// # Errors
    /// As [`App::read_key`].
    pub async fn key_made_elsewhere(&self, shop: ShopId, text: &str) -> Result<Option<KeyCode>, Error> {
        let Ok(foreign) = ForeignKey::parse(text) else { return Ok(None) };
        Ok(self.store.key_behind(shop, &foreign).await?)
    }

    /// As [`Self::read_own_key`]; but another node may sign with a key that was added there a moment ago, and a key that
    /// this one has not heard of yet is no forgery.
    async fn read_on_any_node(&self, text: &str) -> Result<Read, Error> {
        let read = self.read_own_key(text);
        let is_of_another = matches!(read, Read::NotOurs(KeySlip::NotGenuine(SignedKeyError::UnknownKey)));
        if !is_of_another {
            return Ok(read);
        }
        self.refresh_signing_keys_for_a_stranger().await?;
        Ok(self.read_own_key(text))
    }

    fn read_own_key(&self, text: &str) -> Read {
        if is_signed_key(text) {
            // Whether it has ended is asked of the rows, which may have moved on.
            return match read_signed_key(text, self.signer().keys()) {
                Ok(says) => Read::Ours(says.key),
                Err(error) => match error {
                    SignedKeyError::BadSignature | SignedKeyError::BadClaims => Read::No(KeySlip::NotGenuine(error)),
                    SignedKeyError::MissingKeyId => Read::NotOurs(KeySlip::OfNobody),
                    // Another system writes such keys as well.
                    SignedKeyError::TooLong
                    | SignedKeyError::NotASignedKey
                    | SignedKeyError::BadEncoding
                    | SignedKeyError::UnknownKey
                    | SignedKeyError::Expired { .. }
                    | SignedKeyError::WrongProduct => Read::NotOurs(KeySlip::NotGenuine(error)),
                },
            };
        }
        match KeyCode::parse(text) {
            Ok(key) => Read::Ours(key),
            Err(error) => match error {
                KeyCodeError::Empty | KeyCodeError::WrongCheckSymbols => Read::No(KeySlip::Mistyped(error)),
                KeyCodeError::WrongLength { .. } | KeyCodeError::BadSymbol { .. } => {
                    Read::NotOurs(KeySlip::Mistyped(error))
                }
            },
        }
    }
}
