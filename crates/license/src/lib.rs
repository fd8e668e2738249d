//! License keys and certificates, as Latchkey issues them and as a program that was bought checks them.
//!
//! - [`KeyCode`] is the key that a person reads, types and pastes. A mistyped key is recognised before anything
//!   is asked over the network.
//! - [`Certificate claims`](Claims) say what was bought, for how long and for which device. They travel as a
//!   signed JWT, which [`verify`] checks offline against the shop's published [`KeySet`].
//! - A [`SignedKey`] is a key that says itself what was bought: [`verify_signed_key`].
//! - A [license file](read_file) is a certificate that a person carries, an [`OfflineRequest`] what an app without a
//!   network asks for, and a [`RevocationList`] what was taken back before its certificates are over.
//!
//! Relies on Ed25519 and the formats of RFC 7515, 7517, 7519, 7638 and 8037. Reads no clock, file, network or
//! random source: the program that embeds it passes the time in and decides what to do about the answer. It
//! holds no private key; whoever signs does so between [`signing_input`] and [`assemble`]. Needs an allocator and
//! no operating system (`no_std`).

#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod certificate;
mod file;
mod key_code;
mod key_set;
mod request;
mod revocation;
mod signed_key;

pub use certificate::{
    CertificateError, Claims, Header, LicenseClaims, MAX_CERTIFICATE_BYTES, TokenPart, assemble, key_id, signing_input,
    verify,
};
pub use file::{FileError, MAX_FILE_BYTES, read_file, write_file};
pub use key_code::{KeyCode, KeyCodeError};
pub use key_set::{KeySet, KeySetError, PublicKey};
pub use request::{MAX_REQUEST_BYTES, OfflineRequest, RequestError, SignedRequest, read_request};
pub use revocation::{MAX_REVOCATIONS_BYTES, RevocationList, Revoked, revocations_key_id};
pub use signed_key::{
    MAX_SIGNED_KEY_BYTES, SignedKey, SignedKeyError, assemble_signed_key, is_signed_key, read_signed_key,
    signed_key_code, signed_key_input, verify_signed_key,
};
