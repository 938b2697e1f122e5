//! Digests that name folders of the cache.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::Result;

/// Returns the first 16 hexadecimal digits of the SHA-256 of these parts, each with its length in
/// front. It calls `sha256sum`, because a library takes longer to compile than all of this program.
pub(super) fn of(parts: &[Vec<u8>]) -> Result<String> {
    let error = |error| format!("cannot start sha256sum: {error}");
    let mut command = Command::new("sha256sum");
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(error)?;
    if let Some(mut stdin) = child.stdin.take() {
        for part in parts {
            write!(stdin, "{} ", part.len())
                .and_then(|()| stdin.write_all(part))
                .map_err(error)?;
        }
    }
    let output = child.wait_with_output().map_err(error)?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.get(..16) {
        Some(digest) if output.status.success() => Ok(digest.to_owned()),
        _ => Err(format!("sha256sum ended with {}", output.status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_in_every_process_and_depends_on_each_part() {
        let digest = |parts: &[&str]| {
            let parts: Vec<Vec<u8>> = parts.iter().map(|part| part.as_bytes().to_vec()).collect();
            of(&parts).expect("a digest")
        };
        assert_eq!(digest(&[]), "e3b0c44298fc1c14");
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
    }
}
