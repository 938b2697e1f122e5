//! The module's exports: a buffer for a question's JSON, the function that answers the question,
//! and the seeds of hash tables.
#![allow(unsafe_code)] // exports by name, and the signature that getrandom prescribes

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::value::RawValue;
use sidestep_evaluator::{Answer, Question};

static BUFFER: Mutex<Vec<u8>> = Mutex::new(Vec::new());

fn buffer() -> MutexGuard<'static, Vec<u8>> {
    BUFFER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Allocates a buffer of this length for a [`Question`] of the host, and returns its address.
#[unsafe(no_mangle)]
extern "C" fn sidestep_buffer(length: usize) -> *mut u8 {
    let mut buffer = buffer();
    buffer.clear();
    buffer.resize(length, 0);
    buffer.as_mut_ptr()
}

/// Answers the question in the buffer. Returns the address of the [`Answer`] (the upper half) and
/// its length in bytes (the lower half).
#[unsafe(no_mangle)]
extern "C" fn sidestep_answer() -> u64 {
    let mut buffer = buffer();
    // A schema stays text, by which a compiled one is found.
    let question =
        serde_json::from_slice::<Question<'_, Box<RawValue>>>(&std::mem::take(&mut *buffer));
    let answer = match question {
        Ok(question) => crate::answer_with(&question, |schema| schema.get().into()),
        Err(error) => Answer::Wrong(format!("the values can't be read: {error}")),
    };
    *buffer = serde_json::to_vec(&answer).unwrap_or_default();
    ((buffer.as_ptr() as u64) << 32) | buffer.len() as u64
}

/// Seeds hash tables with the same bytes everywhere, so that an evaluation takes the same steps
/// everywhere. An author who makes keys collide exhausts only their own budget.
///
/// The name and signature are those of <https://docs.rs/getrandom/0.3/#custom-backend>.
#[unsafe(no_mangle)]
unsafe extern "Rust" fn __getrandom_v03_custom(
    dest: *mut u8,
    len: usize,
) -> Result<(), getrandom::Error> {
    // SAFETY: getrandom passes a buffer of its own that is `len` bytes long.
    unsafe { dest.write_bytes(0x5a, len) };
    Ok(())
}
