//! What seals, hashes and derives secrets: a stolen database holds neither keys nor credentials.
//!
//! One master key, kept outside the database, gives a key to every purpose
//! (HKDF, RFC 5869), so that no value of one purpose can stand for another.
//! Nothing here draws chance: AES-256-GCM-SIV (RFC 8452) takes its nonce from
//! the row and the plaintext, and stays safe should a nonce ever repeat.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{constant_time, hkdf, hmac};
use data_encoding::BASE32_NOPAD;
use zeroize::Zeroizing;

/// The first byte of every sealed value: which key and which form it was sealed with.
pub(crate) const SEALED: u8 = 1;

/// How much of a keyed hash a derived token shows: 160 bits are beyond guessing, and 32 letters long.
const TOKEN_BYTES: usize = 20;

/// What a secret is for. Values of one purpose mean nothing in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// The key that a buyer holds.
    LicenseKey,
    /// A shop's secrets at its gateway.
    GatewayCredentials,
    /// What signs certificates.
    SigningKey,
    /// The cookie of a signed-in browser.
    Session,
    /// A link or code that signs in once.
    LoginLink,
    /// A key for the management API.
    ApiKey,
    /// The link in a receipt that opens the order.
    ReceiptLink,
    /// What signs the messages to a program of the seller's.
    EndpointSecret,
    /// The link of a file, which ends.
    DownloadLink,
    /// What buyer and shop write to each other.
    Message,
    /// What was answered to a call that may be repeated.
    Answer,
    /// What names a thing that came over from another system.
    Import,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::LicenseKey => b"license_key",
            Self::GatewayCredentials => b"gateway_credentials",
            Self::SigningKey => b"signing_key",
            Self::Session => b"session",
            Self::LoginLink => b"login_link",
            Self::ApiKey => b"api_key",
            Self::ReceiptLink => b"receipt_link",
            Self::EndpointSecret => b"endpoint_secret",
            Self::DownloadLink => b"download_link",
            Self::Message => b"message",
            Self::Answer => b"answer",
            Self::Import => b"import",
        }
    }
}

/// Why a secret could not be sealed or opened. It never says what was in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// Sealed with a key or in a form that this program does not know.
    #[error("a sealed value was written by another version")]
    UnknownVersion,
    /// Another master key, another row, or somebody changed the bytes.
    #[error("a sealed value does not open with this master key and row")]
    NotAuthentic,
    /// The cipher refused; lengths beyond its limits are the only known cause.
    #[error("the cipher refused")]
    Cipher,
}

struct Keys {
    seal: LessSafeKey,
    nonce: hmac::Key,
    hash: hmac::Key,
    token: hmac::Key,
}

/// The keys of one installation.
pub struct Vault {
    fingerprint: String,
    license_key: Keys,
    gateway_credentials: Keys,
    signing_key: Keys,
    session: Keys,
    login_link: Keys,
    api_key: Keys,
    receipt_link: Keys,
    endpoint_secret: Keys,
    download_link: Keys,
    message: Keys,
    answer: Keys,
    import: Keys,
}

impl fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Vault")
    }
}

impl Vault {
    /// The vault of this master key. The key is overwritten in memory once the purposes have theirs.
    ///
    /// # Errors
    /// When the cryptographic library refuses to derive, which it does for no key of this length.
    pub fn from_master_key(master_key: [u8; 32]) -> Result<Self, VaultError> {
        let master_key = Zeroizing::new(master_key);
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"latchkey").extract(master_key.as_slice());
        let keys = |purpose: Purpose| -> Result<Keys, VaultError> {
            let derive = |job: &[u8]| derive(&root, purpose, job);
            let cipher =
                UnboundKey::new(&AES_256_GCM_SIV, derive(b"seal")?.as_slice()).map_err(|_| VaultError::Cipher)?;
            Ok(Keys {
                seal: LessSafeKey::new(cipher),
                nonce: hmac::Key::new(hmac::HMAC_SHA256, derive(b"nonce")?.as_slice()),
                hash: hmac::Key::new(hmac::HMAC_SHA256, derive(b"hash")?.as_slice()),
                token: hmac::Key::new(hmac::HMAC_SHA256, derive(b"token")?.as_slice()),
            })
        };
        let mut fingerprint = [0; TOKEN_BYTES];
        root.expand(&[b"fingerprint"], TokenLength)
            .and_then(|expanded| expanded.fill(&mut fingerprint))
            .map_err(|_| VaultError::Cipher)?;
        Ok(Self {
            fingerprint: BASE32_NOPAD.encode(&fingerprint).to_ascii_lowercase(),
            license_key: keys(Purpose::LicenseKey)?,
            gateway_credentials: keys(Purpose::GatewayCredentials)?,
            signing_key: keys(Purpose::SigningKey)?,
            session: keys(Purpose::Session)?,
            login_link: keys(Purpose::LoginLink)?,
            api_key: keys(Purpose::ApiKey)?,
            receipt_link: keys(Purpose::ReceiptLink)?,
            endpoint_secret: keys(Purpose::EndpointSecret)?,
            download_link: keys(Purpose::DownloadLink)?,
            message: keys(Purpose::Message)?,
            answer: keys(Purpose::Answer)?,
            import: keys(Purpose::Import)?,
        })
    }

    /// Seals a secret into the row it belongs to: it opens for that row id only.
    /// The same secret sealed into the same row gives the same bytes.
    ///
    /// # Errors
    /// When the cipher refuses.
    pub fn seal(&self, purpose: Purpose, row_id: &str, plaintext: &[u8]) -> Result<Vec<u8>, VaultError> {
        let keys = self.keys(purpose);
        let mut context = hmac::Context::with_key(&keys.nonce);
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        context.update(&row_id.len().to_be_bytes());
        context.update(row_id.as_bytes());
        context.update(plaintext);
        let derived = context.sign();
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&derived.as_ref()[..NONCE_LEN]);

        let mut secret = Zeroizing::new(plaintext.to_vec());
        let tag = keys
            .seal
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(row_id.as_bytes()),
                secret.as_mut_slice(),
            )
            .map_err(|_| VaultError::Cipher)?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + secret.len() + tag.as_ref().len());
        sealed.push(SEALED);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&secret);
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens what was sealed into this row. The plaintext is overwritten when it is dropped.
    ///
    /// # Errors
    /// When it was sealed by another version, with another master key, into another row, or was changed.
    pub fn open(&self, purpose: Purpose, row_id: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (version, rest) = sealed.split_first().ok_or(VaultError::NotAuthentic)?;
        if *version != SEALED {
            return Err(VaultError::UnknownVersion);
        }
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_LEN>().ok_or(VaultError::NotAuthentic)?;
        let mut secret = Zeroizing::new(ciphertext.to_vec());
        let length = self
            .keys(purpose)
            .seal
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(row_id.as_bytes()), secret.as_mut_slice())
            .map_err(|_| VaultError::NotAuthentic)?
            .len();
        secret.truncate(length);
        Ok(secret)
    }

    /// The keyed hash that a secret is found by: the same for the same secret, and useless without the master key.
    #[must_use]
    pub fn hash(&self, purpose: Purpose, secret: &[u8]) -> [u8; 32] {
        let tag = hmac::sign(&self.keys(purpose).hash, secret);
        let mut hash = [0; 32];
        hash.copy_from_slice(tag.as_ref());
        hash
    }

    /// A text that only we can make of this subject, for links: 32 lower-case letters and digits, 160 bits.
    /// It need not be stored; [`Vault::is_token`] knows it again.
    #[must_use]
    pub fn token(&self, purpose: Purpose, subject: &str) -> String {
        let tag = hmac::sign(&self.keys(purpose).token, subject.as_bytes());
        BASE32_NOPAD.encode(&tag.as_ref()[..TOKEN_BYTES]).to_ascii_lowercase()
    }

    /// Whether this is the token of this subject; takes equally long wherever they differ.
    #[must_use]
    pub fn is_token(&self, purpose: Purpose, subject: &str, presented: &str) -> bool {
        let expected = self.token(purpose, subject);
        constant_time::verify_slices_are_equal(expected.as_bytes(), presented.as_bytes()).is_ok()
    }

    /// What this master key, and no other, gives, and what does not give the master key: it may be stored beside
    /// what was sealed.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    const fn keys(&self, purpose: Purpose) -> &Keys {
        match purpose {
            Purpose::LicenseKey => &self.license_key,
            Purpose::GatewayCredentials => &self.gateway_credentials,
            Purpose::SigningKey => &self.signing_key,
            Purpose::Session => &self.session,
            Purpose::LoginLink => &self.login_link,
            Purpose::ApiKey => &self.api_key,
            Purpose::ReceiptLink => &self.receipt_link,
            Purpose::EndpointSecret => &self.endpoint_secret,
            Purpose::DownloadLink => &self.download_link,
            Purpose::Message => &self.message,
            Purpose::Answer => &self.answer,
            Purpose::Import => &self.import,
        }
    }
}

struct TokenLength;

impl hkdf::KeyType for TokenLength {
    fn len(&self) -> usize {
        TOKEN_BYTES
    }
}

fn derive(root: &hkdf::Prk, purpose: Purpose, job: &[u8]) -> Result<Zeroizing<[u8; 32]>, VaultError> {
    let mut key = Zeroizing::new([0; 32]);
    root.expand(&[purpose.label(), b"/", job], hkdf::HKDF_SHA256)
        .and_then(|expanded| expanded.fill(key.as_mut_slice()))
        .map_err(|_| VaultError::Cipher)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    const PURPOSES: [Purpose; 12] = [
        Purpose::LicenseKey,
        Purpose::GatewayCredentials,
        Purpose::SigningKey,
        Purpose::Session,
        Purpose::LoginLink,
        Purpose::ApiKey,
        Purpose::ReceiptLink,
        Purpose::EndpointSecret,
        Purpose::DownloadLink,
        Purpose::Message,
        Purpose::Answer,
        Purpose::Import,
    ];

    fn vault(first_byte: u8) -> Vault {
        let mut key = [7; 32];
        key[0] = first_byte;
        Vault::from_master_key(key).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_for_the_same_row() {
        for secret in [&b""[..], b"a", &[0xff; 5_000]] {
            let sealed = vault(1).seal(Purpose::LicenseKey, "lic_1", secret).unwrap();
            assert_eq!(*vault(1).open(Purpose::LicenseKey, "lic_1", &sealed).unwrap(), secret);
        }
    }

    #[test]
    fn what_was_sealed_opens_for_no_other_row_purpose_or_master_key() {
        let sealed = vault(1).seal(Purpose::LicenseKey, "lic_1", b"secret").unwrap();
        for (vault, purpose, row) in [
            (vault(1), Purpose::LicenseKey, "lic_2"),
            (vault(1), Purpose::GatewayCredentials, "lic_1"),
            (vault(2), Purpose::LicenseKey, "lic_1"),
        ] {
            assert_eq!(vault.open(purpose, row, &sealed), Err(VaultError::NotAuthentic));
        }
    }

    #[test]
    fn a_changed_byte_is_noticed_wherever_it_is() {
        let sealed = vault(1).seal(Purpose::LicenseKey, "lic_1", b"secret").unwrap();
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            let expected = if place == 0 { VaultError::UnknownVersion } else { VaultError::NotAuthentic };
            assert_eq!(vault(1).open(Purpose::LicenseKey, "lic_1", &changed), Err(expected), "byte {place}");
        }
        for length in 0..sealed.len() {
            assert!(vault(1).open(Purpose::LicenseKey, "lic_1", &sealed[..length]).is_err(), "cut to {length}");
        }
    }

    #[test]
    fn a_sealed_value_does_not_show_whether_two_rows_hold_the_same_secret() {
        let vault = vault(1);
        let first = vault.seal(Purpose::LicenseKey, "lic_1", b"secret").unwrap();
        let second = vault.seal(Purpose::LicenseKey, "lic_2", b"secret").unwrap();
        assert_ne!(first[1..], second[1..]);
        assert_eq!(first, vault.seal(Purpose::LicenseKey, "lic_1", b"secret").unwrap());
    }

    #[test]
    fn hashes_and_tokens_differ_by_purpose_and_master_key() {
        let mut seen = std::collections::HashSet::new();
        for vault in [vault(1), vault(2)] {
            for purpose in PURPOSES {
                assert!(seen.insert(vault.hash(purpose, b"ord_1").to_vec()));
                assert!(seen.insert(vault.token(purpose, "ord_1").into_bytes()));
            }
        }
    }

    #[test]
    fn only_the_token_of_the_subject_is_known_again() {
        let vault = vault(1);
        let token = vault.token(Purpose::ReceiptLink, "ord_1");
        assert!(token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()));
        assert!(vault.is_token(Purpose::ReceiptLink, "ord_1", &token));
        assert!(!vault.is_token(Purpose::ReceiptLink, "ord_2", &token));
        assert!(!vault.is_token(Purpose::LoginLink, "ord_1", &token));
        assert!(!vault.is_token(Purpose::ReceiptLink, "ord_1", ""));
    }

    #[test]
    fn keys_stay_what_they_are_from_release_to_release() {
        // Everything that is stored was sealed and hashed with these derivations: a change here locks every shop out.
        let vault = Vault::from_master_key([1; 32]).unwrap();
        assert_eq!(vault.fingerprint(), "tjlbolwpwjotizss6grk2qycz7tt5jb5");
        assert_eq!(vault.token(Purpose::ReceiptLink, "ord_1"), "s3svlih3hva2iuok4nuh2ecwmtavcado");
    }
}
