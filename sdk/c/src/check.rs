//! Checks without a client: a key as it is typed, a key set, a certificate by itself.

use std::ffi::{c_char, c_int};

use latchkey_client::LEEWAY_SECONDS;
use latchkey_client::license::{KeyCode, KeySet, read_file, verify};

use crate::text;

/// `LATCHKEY_CODE_BYTES` and `LATCHKEY_KEY_BYTES`.
const BUFFER_BYTES: usize = 40;

/// `latchkey_check_key`.
///
/// # Safety
/// The key is null or ends with a zero byte; both buffers are null or have room for 40 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn latchkey_check_key(key: *const c_char, canonical: *mut c_char, code: *mut c_char) -> c_int {
    // SAFETY: the caller vouches for the text.
    let key = unsafe { text(key) }.unwrap_or_default();
    let (holds, canonical_text, code_text) = match KeyCode::parse(key) {
        Ok(key) => (1, key.to_string(), ""),
        Err(error) => (0, String::new(), error.code()),
    };
    // SAFETY: the caller vouches for the buffer.
    unsafe { put(canonical, &canonical_text) };
    // SAFETY: the caller vouches for the buffer.
    unsafe { put(code, code_text) };
    holds
}

/// `latchkey_check_keys`.
///
/// # Safety
/// The text is null or ends with a zero byte; the buffer is null or has room for 40 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn latchkey_check_keys(keys: *const c_char, code: *mut c_char) -> c_int {
    // SAFETY: the caller vouches for the text.
    let read = KeySet::parse(unsafe { text(keys) }.unwrap_or_default());
    // SAFETY: the caller vouches for the buffer.
    unsafe { put(code, read.as_ref().map_or_else(|error| error.code(), |_| "")) };
    c_int::from(read.is_ok())
}

/// `latchkey_verify`.
///
/// # Safety
/// Each text is null or ends with a zero byte; the buffer is null or has room for 40 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn latchkey_verify(
    certificate: *const c_char,
    keys: *const c_char,
    product: *const c_char,
    fingerprint: *const c_char,
    now: i64,
    code: *mut c_char,
) -> c_int {
    // SAFETY: the caller vouches for every text.
    let text = |pointer| unsafe { text(pointer) }.unwrap_or_default();
    let error = match KeySet::parse(text(keys)) {
        Err(error) => Some(error.code()),
        // What is no file is what it is: verification says what is wrong with it.
        Ok(keys) => verify(
            &read_file(text(certificate)).unwrap_or_else(|_| text(certificate).to_owned()),
            &keys,
            now,
            LEEWAY_SECONDS,
        )
        .and_then(|claims| {
            claims.require_product(text(product))?;
            claims.require_device(text(fingerprint))
        })
        .err()
        .map(|error| error.code()),
    };
    // SAFETY: the caller vouches for the buffer.
    unsafe { put(code, error.unwrap_or_default()) };
    c_int::from(error.is_none())
}

/// Writes a text of ours with its zero byte. Every one of them is shorter than the buffer.
pub(crate) unsafe fn put(buffer: *mut c_char, text: &str) {
    if buffer.is_null() || text.len() >= BUFFER_BYTES {
        return;
    }
    // SAFETY: the caller vouches for the room, and the lengths were compared.
    unsafe { buffer.cast::<u8>().copy_from_nonoverlapping(text.as_ptr(), text.len()) };
    // SAFETY: the text is shorter than the buffer, so there is room for one byte more.
    let end = unsafe { buffer.add(text.len()) };
    // SAFETY: the same byte.
    unsafe { end.write(0) };
}
