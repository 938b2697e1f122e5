//! How an object is written, and what that came to.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sidestep_events::{Class, Failure, Owner, codes};

use super::Storage;

/// How an object is written.
#[derive(Debug, Clone, Default)]
pub struct Write {
    /// The live generation must be this one; 0: there must be none.
    pub if_generation_match: Option<u64>,
    /// The live metadata must be this one.
    pub if_metageneration_match: Option<u64>,
    /// The media type.
    pub content_type: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// The custom time.
    pub custom_time: Option<Timestamp>,
    /// The custom metadata.
    pub metadata: BTreeMap<String, String>,
}

/// What a write came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The live generation.
    pub generation: u64,
    /// Whether it was written now, not found with the same metadata.
    pub created: bool,
    /// Its size in bytes.
    pub size: u64,
}

impl Storage {
    /// What a failed precondition means: the object that was to be written, or another one.
    pub(super) async fn already_there(
        &self,
        bucket: &str,
        name: &str,
        what: &str,
        write: &Write,
    ) -> Result<Written, Failure> {
        let live = self.stat(bucket, name, None).await?;
        let same = write.if_generation_match == Some(0)
            && write
                .metadata
                .iter()
                .all(|(key, value)| live.metadata.get(key) == Some(value));
        if same {
            return Ok(Written {
                generation: live.generation,
                created: false,
                size: live.size,
            });
        }
        Err(Failure::new(
            Class::Conflict,
            codes::storage::CONFLICT,
            Owner::Author,
            format!("cannot {what}: an object of that name with other metadata is there already"),
        )
        .with_detail("generation", live.generation))
    }
}
