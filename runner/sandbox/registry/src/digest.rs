//! SHA-256 digests in the form of the distribution specification.

use crate::error::ApiError;
use sha2::{Digest as _, Sha256};
use std::fmt;

/// `sha256:` and 64 hexadecimal digits; other algorithms are rejected.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Digest(String);

impl Digest {
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let hex = text.strip_prefix("sha256:").filter(|hex| {
            let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            hex.len() == 64 && hex.bytes().all(lower)
        });
        match hex {
            Some(hex) => Ok(Self(hex.to_owned())),
            None => Err(ApiError::digest_invalid(format!(
                "\"{text}\" is not a digest of the form sha256:HEX."
            ))),
        }
    }

    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self::finish(Sha256::new_with_prefix(bytes))
    }

    pub(crate) fn finish(hasher: Sha256) -> Self {
        Self(hex::encode(hasher.finalize()))
    }

    /// Returns the digits alone, which are a safe file name.
    pub(crate) fn hex(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_checked_before_they_become_file_names() {
        let abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of(b"abc").to_string(), abc);
        assert_eq!(Digest::parse(abc).unwrap(), Digest::of(b"abc"));
        let upper = abc.to_uppercase();
        for bad in [
            "",
            "sha256:",
            "sha256:../../etc",
            "md5:00",
            &upper,
            &abc[..70],
        ] {
            assert!(Digest::parse(bad).is_err(), "{bad}");
        }
    }
}
