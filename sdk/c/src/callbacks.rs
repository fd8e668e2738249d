//! What the program does for the library: send requests, keep a text, tell the time.

use std::ffi::{CString, c_char, c_int, c_void};
use std::io;
use std::ptr;

use latchkey_client::{FileStorage, Reply, Request, Storage, Transport};

const LONGEST_TEXT_BYTES: usize = 256 * 1024;

type Send = unsafe extern "C" fn(*mut c_void, *const c_char, *const c_char, *const c_char, *mut Text) -> c_int;
type Read = unsafe extern "C" fn(*mut c_void, *mut Text) -> c_int;
type Write = unsafe extern "C" fn(*mut c_void, *const c_char) -> c_int;
type Now = unsafe extern "C" fn(*mut c_void) -> i64;
type Chance = unsafe extern "C" fn(*mut c_void, *mut u8, usize);

/// `latchkey_callbacks`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Callbacks {
    context: *mut c_void,
    send: Option<Send>,
    read: Option<Read>,
    write: Option<Write>,
    now: Option<Now>,
    chance: Option<Chance>,
}

/// `latchkey_text`.
pub struct Text(Vec<u8>);

/// `latchkey_text_append`.
///
/// # Safety
/// The text is the one that the callback was given; so many bytes can be read behind the pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn latchkey_text_append(text: *mut Text, bytes: *const c_char, length: usize) {
    // SAFETY: the caller hands on what the callback was given, while it runs.
    let Some(Text(text)) = (unsafe { text.as_mut() }) else { return };
    if bytes.is_null() || length == 0 {
        return;
    }
    // SAFETY: the caller vouches for pointer and length.
    let bytes = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), length) };
    let room = LONGEST_TEXT_BYTES.saturating_sub(text.len());
    text.extend_from_slice(&bytes[..length.min(room)]);
}

/// The context on its way into a closure that may move between threads.
struct Context(*mut c_void);

// SAFETY: the header demands that the callbacks work on whichever thread the client is used.
unsafe impl core::marker::Send for Context {}

impl Callbacks {
    /// The program's clock, if it brings one.
    pub(crate) fn clock(&self) -> Option<impl Fn() -> i64 + core::marker::Send + 'static> {
        let now = self.now?;
        let context = Context(self.context);
        Some(move || {
            let context: &Context = &context;
            // SAFETY: the program gave this function for this context.
            unsafe { now(context.0) }
        })
    }

    /// The program's chance, if it brings some.
    pub(crate) fn chance(&self) -> Option<impl FnMut() -> [u8; 16] + core::marker::Send + 'static> {
        let chance = self.chance?;
        let context = Context(self.context);
        Some(move || {
            let context: &Context = &context;
            let mut bytes = [0; 16];
            // SAFETY: the program gave this function for this context; it writes as many bytes as there are.
            unsafe { chance(context.0, bytes.as_mut_ptr(), bytes.len()) };
            bytes
        })
    }
}

/// Has the program send requests.
pub(crate) struct Sending {
    context: *mut c_void,
    send: Send,
}

impl Sending {
    pub(crate) fn by(callbacks: Callbacks) -> Option<Self> {
        Some(Self { context: callbacks.context, send: callbacks.send? })
    }
}

impl Transport for Sending {
    fn send(&mut self, request: &Request) -> Reply {
        let body = request.body.as_deref().map(CString::new).transpose();
        let (Ok(url), Ok(body), Ok(language)) =
            (CString::new(request.url.as_str()), body, CString::new(request.language))
        else {
            return Reply::Network;
        };
        let body = body.as_ref().map_or(ptr::null(), |body| body.as_ptr());
        let mut answer = Text(Vec::new());
        // SAFETY: the program gave this function for this context; the texts live while it runs.
        let status = unsafe { (self.send)(self.context, url.as_ptr(), body, language.as_ptr(), &raw mut answer) };
        match (status, u16::try_from(status)) {
            (-1, _) => Reply::Timeout,
            (0, _) | (_, Err(_)) => Reply::Network,
            (_, Ok(status)) => Reply::Answer { status, body: String::from_utf8_lossy(&answer.0).into_owned() },
        }
    }
}

/// Keeps in a file, or has the program keep.
pub(crate) enum Keeping {
    File(FileStorage),
    Program(Callbacks),
}

impl Storage for Keeping {
    fn read(&mut self) -> io::Result<Option<String>> {
        let (context, read) = match self {
            Self::File(file) => return file.read(),
            Self::Program(Callbacks { context, read: Some(read), .. }) => (*context, *read),
            Self::Program(_) => return Err(io::ErrorKind::InvalidInput.into()),
        };
        let mut text = Text(Vec::new());
        // SAFETY: the program gave this function for this context; the text lives while it runs.
        match unsafe { read(context, &raw mut text) } {
            0 if text.0.is_empty() => Ok(None),
            0 => Ok(Some(String::from_utf8_lossy(&text.0).into_owned())),
            _ => Err(io::ErrorKind::Other.into()),
        }
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        let (context, write) = match self {
            Self::File(file) => return file.write(text),
            Self::Program(Callbacks { context, write: Some(write), .. }) => (*context, *write),
            Self::Program(_) => return Err(io::ErrorKind::InvalidInput.into()),
        };
        let text = CString::new(text)?;
        // SAFETY: the program gave this function for this context; the text lives while it runs.
        match unsafe { write(context, text.as_ptr()) } {
            0 => Ok(()),
            _ => Err(io::ErrorKind::Other.into()),
        }
    }
}
