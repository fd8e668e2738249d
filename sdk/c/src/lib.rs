//! The client library as C sees it: `include/latchkey.h` has the documentation. Nothing is decided here; every
//! function reads its arguments, calls the Rust library, and hands out what it said.
//!
//! The one crate with `unsafe` in it. All of it is of three kinds: reading a text or a struct behind a pointer that
//! the caller vouches for, calling a function that the caller gave, and taking back a box that was handed out. A
//! panic never crosses into C: a function that is `extern "C"` ends the process instead.

mod callbacks;
mod check;
mod outcome;
mod signed_key;
mod texts;

use std::ffi::c_char;

use latchkey_client::license::KeySet;
use latchkey_client::{Client, FileStorage, Language, Settings};

use callbacks::{Callbacks, Keeping, Sending};
use outcome::{CallOutcome, OutcomeView};

/// `latchkey_settings`.
#[repr(C)]
pub struct SettingsView {
    shop_url: *const c_char,
    product: *const c_char,
    fingerprint: *const c_char,
    keys: *const c_char,
    language: *const c_char,
    file: *const c_char,
}

/// `latchkey_client`.
pub struct ClientHandle {
    client: Client<Sending, Keeping>,
    outcome: CallOutcome,
}

/// `latchkey_open`.
///
/// # Safety
/// Both pointers lead to a struct as the header says, and each text in it is null or ends with a zero byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn latchkey_open(
    settings: *const SettingsView,
    callbacks: *const Callbacks,
) -> *mut ClientHandle {
    // SAFETY: the caller vouches for the pointer.
    let Some(settings) = (unsafe { settings.as_ref() }) else { return std::ptr::null_mut() };
    // SAFETY: the caller vouches for the pointer.
    let Some(callbacks) = (unsafe { callbacks.as_ref() }) else { return std::ptr::null_mut() };
    // SAFETY: the caller vouches for every text in the settings.
    let text = |pointer| unsafe { text(pointer) };
    let opened = || -> Option<ClientHandle> {
        let mut read = Settings::new(text(settings.shop_url)?, text(settings.product)?, text(settings.fingerprint)?);
        if !settings.keys.is_null() {
            read.keys = Some(KeySet::parse(text(settings.keys)?).ok()?);
        }
        if !settings.language.is_null() {
            read.language = Language::of(text(settings.language)?);
        }
        let storage = if settings.file.is_null() {
            Keeping::Program(*callbacks)
        } else {
            Keeping::File(FileStorage::new(text(settings.file)?))
        };
        let client = Client::open(read, Sending::by(*callbacks)?, storage).ok()?;
        let client = match callbacks.clock() {
            Some(clock) => client.with_clock(clock),
            None => client,
        };
        let client = match callbacks.chance() {
            Some(chance) => client.with_chance(chance),
            None => client,
        };
        Some(ClientHandle { client, outcome: CallOutcome::default() })
    };
    opened().map_or(std::ptr::null_mut(), |handle| Box::into_raw(Box::new(handle)))
}

/// `latchkey_close`.
///
/// # Safety
/// The pointer is null, or came from `latchkey_open` and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn latchkey_close(client: *mut ClientHandle) {
    if !client.is_null() {
        // SAFETY: it is a box that `latchkey_open` handed out, and the caller gives it back once.
        drop(unsafe { Box::from_raw(client) });
    }
}

/// `latchkey_activate`.
///
/// # Safety
/// The client came from `latchkey_open` and is used by one thread at a time; the texts are null or end with a zero
/// byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn latchkey_activate(
    client: *mut ClientHandle,
    key: *const c_char,
    device_name: *const c_char,
) -> *const OutcomeView {
    // SAFETY: the caller vouches for the text.
    let Some(key) = (unsafe { text(key) }) else { return std::ptr::null() };
    // SAFETY: the caller vouches for the text.
    let device_name = unsafe { text(device_name) };
    // SAFETY: the caller vouches for the client.
    unsafe { call(client, |client| client.activate(key, device_name)) }
}

/// `latchkey_request_activation`.
///
/// # Safety
/// As [`latchkey_activate`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn latchkey_request_activation(
    client: *mut ClientHandle,
    key: *const c_char,
    device_name: *const c_char,
) -> *const OutcomeView {
    // SAFETY: the caller vouches for the text.
    let Some(key) = (unsafe { text(key) }) else { return std::ptr::null() };
    // SAFETY: the caller vouches for the text.
    let device_name = unsafe { text(device_name) };
    // SAFETY: the caller vouches for the client.
    unsafe { call(client, |client| client.request_activation(key, device_name)) }
}

/// `latchkey_install`.
///
/// # Safety
/// The client came from `latchkey_open` and is used by one thread at a time; the text is null or ends with a zero byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn latchkey_install(client: *mut ClientHandle, file: *const c_char) -> *const OutcomeView {
    // SAFETY: the caller vouches for the text.
    let Some(file) = (unsafe { text(file) }) else { return std::ptr::null() };
    // SAFETY: the caller vouches for the client.
    unsafe { call(client, |client| client.install(file)) }
}

/// `latchkey_check_revocations`.
///
/// # Safety
/// As [`latchkey_install`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn latchkey_check_revocations(
    client: *mut ClientHandle,
    list: *const c_char,
) -> *const OutcomeView {
    // SAFETY: the caller vouches for the text.
    let Some(list) = (unsafe { text(list) }) else { return std::ptr::null() };
    // SAFETY: the caller vouches for the client.
    unsafe { call(client, |client| client.check_revocations(list)) }
}

/// Declares a call that takes the client alone.
macro_rules! calls {
    ($($name:ident: $method:ident),+ $(,)?) => {$(
        #[doc = concat!("`", stringify!($name), "`.")]
        ///
        /// # Safety
        /// The client came from `latchkey_open` and is used by one thread at a time.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(client: *mut ClientHandle) -> *const OutcomeView {
            // SAFETY: the caller vouches for the client.
            unsafe { call(client, Client::$method) }
        }
    )+};
}

calls! {
    latchkey_validate: validate,
    latchkey_heartbeat: heartbeat,
    latchkey_deactivate: deactivate,
    latchkey_status: status,
    latchkey_refresh: refresh,
    latchkey_request_release: request_release,
}

/// Calls, and keeps the outcome beside the client until the next call.
unsafe fn call(
    client: *mut ClientHandle,
    act: impl FnOnce(&mut Client<Sending, Keeping>) -> std::io::Result<latchkey_client::Outcome>,
) -> *const OutcomeView {
    // SAFETY: the caller vouches that it is a client of ours and that nobody else uses it now.
    let Some(handle) = (unsafe { client.as_mut() }) else { return std::ptr::null() };
    match act(&mut handle.client) {
        Ok(outcome) => {
            handle.outcome = CallOutcome::of(&outcome);
            handle.outcome.view()
        }
        Err(_) => std::ptr::null(),
    }
}

/// The text behind a pointer; `None` for null and for what is not UTF-8.
unsafe fn text<'a>(pointer: *const c_char) -> Option<&'a str> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: the caller vouches that a zero byte ends it, and that it stays while the call lasts.
    unsafe { std::ffi::CStr::from_ptr(pointer) }.to_str().ok()
}
