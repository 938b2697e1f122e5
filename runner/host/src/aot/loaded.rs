//! Code that is read into pages of its own, so that it can be checked and then executed there.
#![allow(unsafe_code)] // mapping memory

use std::fs::File;
use std::io::{self, Read as _};
use std::ptr;
use std::slice;

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

/// The rest of a file, at the start of a page.
pub(super) struct Loaded {
    start: *mut u8,
    length: usize,
}

impl Loaded {
    /// Reads the rest of a file. Fails if the file is empty or changes meanwhile.
    pub(super) fn read(mut file: File) -> io::Result<Self> {
        let at = io::Seek::stream_position(&mut file)?;
        let rest = file.metadata()?.len().saturating_sub(at);
        let length = usize::try_from(rest).map_err(io::Error::other)?;
        // SAFETY: the kernel chooses free addresses.
        let start = unsafe {
            mmap_anonymous(
                ptr::null_mut(),
                length,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE,
            )
        }?;
        let start = start.cast();
        let mut loaded = Self { start, length };
        file.read_exact(loaded.bytes_mut())?;
        Ok(loaded)
    }

    /// Returns the bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: the pages are mapped until `self` is dropped, and written only by `read`.
        unsafe { slice::from_raw_parts(self.start, self.length) }
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`; nothing else borrows them.
        unsafe { slice::from_raw_parts_mut(self.start, self.length) }
    }

    /// Keeps the bytes for as long as the process. The code of a plugin is executed until then.
    pub(super) fn keep(self) -> &'static [u8] {
        let kept = std::mem::ManuallyDrop::new(self);
        // SAFETY: the pages are mapped until the process ends, and not written any more.
        unsafe { slice::from_raw_parts(kept.start, kept.length) }
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        // SAFETY: `read` mapped exactly this range, and `keep` has not given it away.
        let _ = unsafe { munmap(self.start.cast(), self.length) };
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, SeekFrom, Write as _};

    use super::*;

    #[test]
    fn the_rest_of_a_file_begins_at_a_page() {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(b"header, code").expect("written");
        file.seek(SeekFrom::Start(8)).expect("there");
        let loaded = Loaded::read(file).expect("read");
        assert_eq!(loaded.bytes(), b"code");
        assert_eq!(loaded.bytes().as_ptr().addr() % 4096, 0);
        assert_eq!(loaded.keep(), b"code");
    }

    #[test]
    fn nothing_can_be_executed_of_an_empty_file() {
        assert!(Loaded::read(tempfile::tempfile().expect("a file")).is_err());
    }
}
