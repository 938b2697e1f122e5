//! The options and the result of a write.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sidestep_events::{Class, Failure, Owner, codes};

use super::Storage;

/// The options of a write.
#[derive(Debug, Clone, Default)]
pub struct Write {
    /// The live generation must be this one; 0: the object must not exist.
    pub if_generation_match: Option<u64>,
    /// The live metageneration must be this one.
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

/// The result of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The live generation.
    pub generation: u64,
    /// Whether it was written now; false if it was found with the same metadata.
    pub created: bool,
    /// The size in bytes.
    pub size: u64,
}

impl Storage {
    /// Returns the result of a failed precondition: success if the object itself was written
    /// before, or a failure if it is another one.
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
            format!("cannot {what}: an object of that name with different metadata already exists"),
        )
        .with_detail("generation", live.generation))
    }
}
