//! Random ids.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};

/// Returns random bytes of the operating system.
///
/// # Panics
/// If the operating system has none.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .expect("an operating system without random numbers cannot run this");
    bytes
}

/// Returns an unguessable id of 32 characters (base64, URL-safe), so that an address with it can be
/// its own secret.
pub fn random_id() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(random_bytes::<24>())
}
