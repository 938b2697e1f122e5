//! Reads an open file, up to a limit.

use std::fs::File;
use std::io::Read as _;

use crate::OpenError;

/// Reads a file to its end; more than `limit` bytes are an error. Reads at most one byte more than
/// the limit, even if the file is larger or grows.
pub fn read(file: File, limit: u64) -> Result<Vec<u8>, OpenError> {
    let too_large = || OpenError::TooLarge(limit);
    let size = file.metadata()?.len();
    if size > limit {
        return Err(too_large());
    }
    // Files of /proc report a size of 0, and a pipe has no size.
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(too_large());
    }
    Ok(bytes)
}

/// Converts bytes to text.
pub fn text(bytes: Vec<u8>) -> Result<String, OpenError> {
    String::from_utf8(bytes).map_err(|_| OpenError::NotText)
}
