//! A signed key laid out for C, with everything that it points to.

use std::ffi::{c_char, c_int};

use latchkey_client::license::{KeySet, SignedKey, verify_signed_key};

use crate::check::put;
use crate::text;
use crate::texts::Texts;

/// `latchkey_signed_key`.
#[repr(C)]
pub struct SignedKeyView {
    key: *const c_char,
    license_id: *const c_char,
    product: *const c_char,
    plan: *const c_char,
    features: *const *const c_char,
    features_count: usize,
    feature_values: *const c_char,
    issued_at: i64,
    expires_at: i64,
    updates_until: i64,
    seats: i64,
    trial: c_int,
}

/// What is handed out: the view comes first, so that a pointer to it is one to the whole.
#[repr(C)]
struct Whole {
    view: SignedKeyView,
    texts: Texts,
    features: Vec<*const c_char>,
}

impl Whole {
    fn of(says: &SignedKey) -> Self {
        let mut texts = Texts::default();
        let features: Vec<*const c_char> = says.features.iter().map(|feature| texts.keep(feature)).collect();
        let view = SignedKeyView {
            key: texts.keep(&says.key.to_string()),
            license_id: texts.keep(&says.license),
            product: texts.keep(&says.product),
            plan: texts.keep(&says.plan),
            features: features.as_ptr(),
            features_count: features.len(),
            feature_values: texts.keep(&serde_json::Value::Object(says.feature_values.clone()).to_string()),
            issued_at: says.issued_at,
            expires_at: says.expires_at.unwrap_or(0),
            updates_until: says.updates_until.unwrap_or(0),
            seats: says.seats.map_or(-1, i64::from),
            trial: c_int::from(says.trial),
        };
        Self { view, texts, features }
    }
}

/// `latchkey_verify_signed_key`.
///
/// # Safety
/// Each text is null or ends with a zero byte; the buffer is null or has room for 40 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn latchkey_verify_signed_key(
    signed_key: *const c_char,
    keys: *const c_char,
    product: *const c_char,
    now: i64,
    code: *mut c_char,
) -> *const SignedKeyView {
    // SAFETY: the caller vouches for every text.
    let text = |pointer| unsafe { text(pointer) }.unwrap_or_default();
    let read = KeySet::parse(text(keys)).map_err(|error| error.code()).and_then(|keys| {
        let says = verify_signed_key(text(signed_key), &keys, now).map_err(|error| error.code())?;
        says.require_product(text(product)).map_err(|error| error.code())?;
        Ok(says)
    });
    // SAFETY: the caller vouches for the buffer.
    unsafe { put(code, read.as_ref().err().copied().unwrap_or_default()) };
    match read {
        Ok(says) => {
            let whole = Box::new(Whole::of(&says));
            debug_assert!(whole.features.len() <= whole.texts.len());
            Box::into_raw(whole).cast_const().cast()
        }
        Err(_) => std::ptr::null(),
    }
}

/// `latchkey_free_signed_key`.
///
/// # Safety
/// The pointer is null, or came from `latchkey_verify_signed_key` and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn latchkey_free_signed_key(key: *const SignedKeyView) {
    if !key.is_null() {
        // SAFETY: it is a box that was handed out as its first field, and the caller gives it back once.
        drop(unsafe { Box::from_raw(key.cast_mut().cast::<Whole>()) });
    }
}
