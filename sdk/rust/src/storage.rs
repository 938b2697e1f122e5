//! Cloud Storage. Grant key: `storage`.

use crate::bindings::sidestep::storage::objects;
use crate::error::{each, only};
use crate::{Blob, Content, Error, OnExit, Result};

pub use objects::{
    Bucket as BucketFacts, MetadataEntry, Object, ObjectRef, PermissionQuery, Preconditions,
    PutOptions, ReadRequest, Source, Written,
};

/// Facts about an object; class `not-found` if it is not there.
pub fn stat(object: ObjectRef) -> Result<Object> {
    only(objects::stat(&[object]))
}

/// Facts about objects, in the order asked.
pub fn stat_all(refs: &[ObjectRef]) -> Vec<Result<Object>> {
    each(objects::stat(refs))
}

/// An object's bytes, at most `max`; a larger one is class `exhausted`.
pub fn read(object: ObjectRef, max: u64) -> Result<Vec<u8>> {
    only(objects::read(&[ReadRequest { object, max }]))
}

/// Objects' bytes, in the order asked.
pub fn read_all(requests: &[ReadRequest]) -> Vec<Result<Vec<u8>>> {
    each(objects::read(requests))
}

/// An object as a blob.
pub fn open(object: ObjectRef) -> Result<Blob> {
    only(objects::open(&[object]))
}

/// Objects as blobs, in the order asked.
pub fn open_all(refs: &[ObjectRef]) -> Vec<Result<Blob>> {
    each(objects::open(refs))
}

/// Writes an object.
pub fn put<'a>(
    bucket: &str,
    name: &str,
    content: impl Into<Content<'a>>,
    options: &PutOptions,
) -> Result<Written> {
    objects::put(bucket, name, &content.into(), options).map_err(Error::from)
}

/// Joins objects of a bucket, at most 32, to one.
pub fn compose(
    bucket: &str,
    name: &str,
    sources: &[Source],
    options: &PutOptions,
) -> Result<Written> {
    objects::compose(bucket, name, sources, options).map_err(Error::from)
}

/// Which of the permissions the runner has on a bucket.
pub fn test_permissions(query: PermissionQuery) -> Result<Vec<String>> {
    only(objects::test_permissions(&[query]))
}

/// Which of the permissions the runner has on buckets, in the order asked.
pub fn test_permissions_all(queries: &[PermissionQuery]) -> Vec<Result<Vec<String>>> {
    each(objects::test_permissions(queries))
}

/// Facts about a bucket.
pub fn bucket(name: impl Into<String>) -> Result<BucketFacts> {
    only(objects::buckets(&[name.into()]))
}

/// Facts about buckets, in the order asked.
pub fn buckets(names: &[String]) -> Vec<Result<BucketFacts>> {
    each(objects::buckets(names))
}

impl ObjectRef {
    /// The live generation of an object.
    pub fn new(bucket: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            bucket: bucket.into(),
            name: name.into(),
            generation: None,
        }
    }
}

impl PutOptions {
    /// Writes whatever is there now; the object stays after the step.
    pub fn new() -> Self {
        Self {
            preconditions: Preconditions {
                if_generation_match: None,
                if_metageneration_match: None,
            },
            content_type: None,
            cache_control: None,
            custom_time: None,
            metadata: Vec::new(),
            on_exit: OnExit::Keep,
        }
    }

    /// Writes only if there is no such object: an object with the same metadata
    /// counts as already there.
    #[must_use]
    pub fn if_absent(mut self) -> Self {
        self.preconditions.if_generation_match = Some(0);
        self
    }

    /// Names the media type.
    #[must_use]
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// Adds a metadata entry.
    #[must_use]
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.push(MetadataEntry {
            key: key.into(),
            value: value.into(),
        });
        self
    }
}

impl Default for PutOptions {
    fn default() -> Self {
        Self::new()
    }
}
