//! The source of `getrandom`'s bytes.
#![allow(unsafe_code)] // `getrandom` finds a custom backend by its symbol

use crate::bindings::sidestep::step::runtime;

/// The maximum number of bytes that the host returns per call.
const CALL: usize = 64 * 1024;

/// getrandom's hook for a custom backend, the same in its versions 0.3 and 0.4.
///
/// # Safety
/// `getrandom` passes a buffer of `length` writable bytes.
#[unsafe(no_mangle)]
unsafe extern "Rust" fn __getrandom_v03_custom(
    buffer: *mut u8,
    length: usize,
) -> Result<(), getrandom::Error> {
    let mut done = 0;
    while done < length {
        let want = CALL.min(length - done);
        let bytes = runtime::random(u32::try_from(want).unwrap_or(0));
        if bytes.len() != want {
            return Err(getrandom::Error::UNEXPECTED);
        }
        // SAFETY: `done + want <= length`, and the buffer is the caller's.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), buffer.add(done), want) };
        done += want;
    }
    Ok(())
}
