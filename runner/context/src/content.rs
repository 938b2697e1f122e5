//! Reads the contents of files, and hashes them.

use crate::{Error, RelPath, source::Source};
use sha2::{Digest as _, Sha256};
use std::{fs::File, io::Read as _, path::Path};

/// The size of the read buffer, in bytes.
pub(crate) const BUFFER: usize = 128 * 1024;

/// Reads a file that must be as large as it was when it was listed, and passes on its bytes.
/// Returns the content's SHA-256.
pub(crate) fn read_file(
    source: &Source,
    path: &RelPath,
    size: u64,
    buffer: &mut [u8],
    each: impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<[u8; 32], Error> {
    let file = source.open(path)?;
    read_open(file, &source.path_of(path), size, buffer, each)
}

/// Reads an open file like [`read_file`]; `disk` is its path, for messages.
pub(crate) fn read_open(
    mut file: File,
    disk: &Path,
    size: u64,
    buffer: &mut [u8],
    mut each: impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<[u8; 32], Error> {
    let changed = |how: String| Error::Changed {
        path: disk.to_owned(),
        how,
    };
    let mut hash = Sha256::new();
    let mut left = size;
    loop {
        let count = file
            .read(buffer)
            .map_err(|error| Error::io("read", disk)(error))?;
        if count == 0 {
            break;
        }
        left = left
            .checked_sub(count as u64)
            .ok_or_else(|| changed(format!("it had {size} bytes and now has more")))?;
        hash.update(&buffer[..count]);
        each(&buffer[..count])?;
    }
    if left > 0 {
        return Err(changed(format!(
            "it had {size} bytes and now has {}",
            size - left
        )));
    }
    Ok(hash.finalize().into())
}
