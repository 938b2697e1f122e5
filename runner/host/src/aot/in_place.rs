//! Executes embedded code where the program's file is mapped, without a copy.
//!
//! The evaluator has more than ten MB of code, of which a run executes a small part. A copy would
//! cost that much memory at each start, and the time to touch all of it. In place, the kernel reads
//! only the pages that are executed, and all runners on a machine share them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use sidestep_catalog::Pages;
use wasmtime::{Config, CustomCodeMemory};

/// The page size, on architectures where all machines have the same. On others, code is copied.
const PAGE: Option<usize> = if cfg!(target_arch = "x86_64") {
    Some(4096)
} else {
    None
};

/// Whether code can be executed in pages that the engine did not allocate.
pub(super) const IS_POSSIBLE: bool = PAGE.is_some();

/// The start addresses of the pages that an engine uses. Wasmtime accepts code at one address only
/// once, and makes it non-executable again when the code is dropped.
static CLAIMED: Mutex<BTreeSet<usize>> = Mutex::new(BTreeSet::new());

/// Claims these pages for an engine, and returns whether it may execute code in them: they have the
/// machine's page size, and this process has not claimed them before. Otherwise the code must be
/// copied.
pub(super) fn claim(pages: &'static Pages<[u8]>) -> bool {
    fits(pages)
        && CLAIMED
            .lock()
            .is_ok_and(|mut claimed| claimed.insert(pages.bytes().as_ptr().addr()))
}

/// Returns whether these pages have the machine's page size.
fn fits(pages: &'static Pages<[u8]>) -> bool {
    PAGE == Some(align_of_val(pages)) && !pages.bytes().is_empty()
}

/// Lets an engine execute code in pages that it did not allocate.
pub(crate) fn allow(config: &mut Config) {
    if let Some(page) = PAGE {
        config.with_custom_code_memory(Some(Arc::new(Protection { page })));
    }
}

/// Changes the protection of code pages, no matter which allocator owns them.
struct Protection {
    page: usize,
}

impl CustomCodeMemory for Protection {
    fn required_alignment(&self) -> usize {
        self.page
    }

    fn publish_executable(&self, ptr: *const u8, len: usize) -> wasmtime::Result<()> {
        protect(ptr, len, true)
    }

    fn unpublish_executable(&self, ptr: *const u8, len: usize) -> wasmtime::Result<()> {
        protect(ptr, len, false)
    }
}

/// Makes code readable, and executable if requested; never writable.
#[allow(unsafe_code)]
fn protect(ptr: *const u8, len: usize, executable: bool) -> wasmtime::Result<()> {
    use rustix::mm::{MprotectFlags as Flags, mprotect};
    let flags = if executable {
        Flags::READ | Flags::EXEC
    } else {
        Flags::READ
    };
    // SAFETY: wasmtime passes the range of code that it has loaded, and its pages hold no writable
    // data: either its own mapping, which it made read-only before, or `Pages`, which are a
    // `static`.
    unsafe { mprotect(ptr.cast_mut().cast(), len, flags) }?;
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Puts code into separate pages, as the build does.
    pub(crate) fn pages(code: &[u8]) -> &'static Pages<[u8]> {
        let mut pages = Box::new(Pages([0; 16 << 10]));
        pages.0[..code.len()].copy_from_slice(code);
        Box::leak(pages)
    }

    #[test]
    fn pages_are_claimed_once() {
        let pages = pages(b"code");
        assert_eq!(claim(pages), fits(pages));
        assert!(!claim(pages));
    }

    #[test]
    fn nothing_is_not_executed() {
        static NOTHING: &Pages<[u8]> = &Pages([]);
        assert!(!fits(NOTHING));
        assert_eq!(fits(pages(b"code")), cfg!(target_arch = "x86_64"));
    }
}
