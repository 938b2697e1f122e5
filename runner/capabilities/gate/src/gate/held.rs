//! The memory of a call's result while the other items of its list are worked on.

use std::fmt::{self, Debug, Write as _};

use sidestep_events::Failure;
use sidestep_handles::{Blob, Secret};

use crate::bindings::sidestep::{gcp, kubernetes, registry, storage};

/// A result whose memory can be measured.
pub trait Held {
    /// Returns the number of bytes that the result takes, roughly.
    fn held(&self) -> u64;
}

/// The memory of a value beside its texts.
const FRAME: u64 = 64;

impl<T: Held> Held for Result<T, Failure> {
    fn held(&self) -> u64 {
        match self {
            Ok(value) => FRAME + value.held(),
            Err(failure) => FRAME + debug_length(failure),
        }
    }
}

impl Held for () {
    fn held(&self) -> u64 {
        0
    }
}

impl Held for bool {
    fn held(&self) -> u64 {
        0
    }
}

impl Held for String {
    fn held(&self) -> u64 {
        self.len() as u64
    }
}

impl Held for Vec<u8> {
    fn held(&self) -> u64 {
        self.len() as u64
    }
}

impl Held for Vec<String> {
    fn held(&self) -> u64 {
        self.iter().map(|text| FRAME + text.len() as u64).sum()
    }
}

/// Its bytes are in a file.
impl Held for Blob {
    fn held(&self) -> u64 {
        FRAME
    }
}

impl Held for Secret {
    fn held(&self) -> u64 {
        self.expose().len() as u64
    }
}

impl Held for kubernetes::objects::Listing {
    fn held(&self) -> u64 {
        self.items.held()
    }
}

/// Measures records by the length of their `Debug` form, which holds each text and each number.
macro_rules! by_debug {
    ($($record:ty),* $(,)?) => {
        $(impl Held for $record {
            fn held(&self) -> u64 {
                FRAME + debug_length(self)
            }
        })*
    };
}

by_debug!(
    gcp::artifact_registry::Repository,
    gcp::gke::Cluster,
    Vec<gcp::gke::NodePool>,
    gcp::project::ProjectInfo,
    kubernetes::objects::Access,
    Vec<kubernetes::objects::EntryKey>,
    registry::images::Descriptor,
    registry::images::ManifestText,
    storage::objects::Bucket,
    storage::objects::Object,
);

/// Returns the length of a value's `Debug` form.
pub fn debug_length(value: &impl Debug) -> u64 {
    struct Length(u64);
    impl fmt::Write for Length {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 += text.len() as u64;
            Ok(())
        }
    }
    let mut length = Length(0);
    // Counting does not fail, and a `Debug` form that fails has no meaning.
    let _ = write!(length, "{value:?}");
    length.0
}
