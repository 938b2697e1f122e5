//! Handles whose bytes stay in the host.

pub use crate::bindings::sidestep::host::types::{Blob, Content, Creation, OnExit, Secret};

impl<'a> From<&'a Blob> for Content<'a> {
    fn from(blob: &'a Blob) -> Self {
        Self::Blob(blob)
    }
}

impl From<Vec<u8>> for Content<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<String> for Content<'_> {
    fn from(text: String) -> Self {
        Self::Bytes(text.into_bytes())
    }
}
