//! Texts that C reads: each ends with a zero byte, and stays where it is as long as its owner does.

use std::ffi::{CString, c_char};

/// Texts that pointers lead to.
#[derive(Default)]
pub(crate) struct Texts(Vec<CString>);

impl Texts {
    /// Keeps a text, and gives the pointer to it. A text of the shop may hold a zero byte, which ends it for C.
    pub(crate) fn keep(&mut self, text: &str) -> *const c_char {
        let kept = CString::new(text.split('\0').next().unwrap_or_default()).unwrap_or_default();
        // The bytes stay where they are when the owner moves into the list.
        let pointer = kept.as_ptr();
        self.0.push(kept);
        pointer
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
