//! One function that verifies a certificate, in a library without the standard library: the smallest program that
//! a device could hold. `cargo xtask test` builds it and measures it. If any dependency asked for the standard
//! library, there would be two panic handlers, and this would not link.
//!
//! The allocator hands out a fixed block of memory, once. That is enough for one call, and needs no system.

#![no_std]

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ffi::c_char;
use core::slice;
use core::sync::atomic::{AtomicUsize, Ordering};

use latchkey_license::{KeySet, read_file, verify};

const BLOCK_BYTES: usize = 256 * 1024;

/// The memory, and how much of it is given away.
struct Block {
    memory: UnsafeCell<[u8; BLOCK_BYTES]>,
    taken: AtomicUsize,
}

// SAFETY: `taken` is only ever raised, atomically, so no two callers are given the same bytes.
unsafe impl Sync for Block {}

// SAFETY: what is handed out lies inside the block, is aligned as asked, and is given to nobody else.
unsafe impl GlobalAlloc for Block {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let room = layout.size() + layout.align();
        let at = self.taken.fetch_add(room, Ordering::Relaxed);
        if at + room > BLOCK_BYTES {
            return core::ptr::null_mut();
        }
        let start = self.memory.get() as usize + at;
        let aligned = start.next_multiple_of(layout.align());
        // SAFETY: the offset stays within the block: `room` has space for the alignment.
        unsafe { self.memory.get().cast::<u8>().add(at + (aligned - start)) }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static BLOCK: Block = Block { memory: UnsafeCell::new([0; BLOCK_BYTES]), taken: AtomicUsize::new(0) };

#[panic_handler]
fn stop(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// Whether a certificate, or the one in a license file, counts for this product and device at this time (seconds since 1970): 1 if it does, 0 if
/// it does not or an argument is not UTF-8.
///
/// # Safety
/// Each pointer is followed by as many readable bytes as the length beside it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn latchkey_embedded_verify(
    certificate: *const c_char,
    certificate_length: usize,
    keys: *const c_char,
    keys_length: usize,
    product: *const c_char,
    product_length: usize,
    fingerprint: *const c_char,
    fingerprint_length: usize,
    now_seconds: i64,
) -> i32 {
    // SAFETY: the caller vouches for each pointer and its length.
    let text = |start: *const c_char, length: usize| unsafe {
        core::str::from_utf8(slice::from_raw_parts(start.cast(), length)).ok()
    };
    let counts = || -> Option<()> {
        let keys = KeySet::parse(text(keys, keys_length)?).ok()?;
        let certificate = read_file(text(certificate, certificate_length)?).ok()?;
        let claims = verify(&certificate, &keys, now_seconds, 300).ok()?;
        claims.require_product(text(product, product_length)?).ok()?;
        claims.require_device(text(fingerprint, fingerprint_length)?).ok()
    };
    i32::from(counts().is_some())
}
