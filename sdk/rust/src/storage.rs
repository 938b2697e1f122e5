//! Cloud Storage. Grant key: `storage`.

use crate::bindings::sidestep::storage::objects;
use crate::error::{each, only};
use crate::{Blob, Content, Error, OnExit, Result};

pub use objects::{
    Bucket as BucketFacts, MetadataEntry, Object, ObjectRef, PermissionQuery, Preconditions,
    PutOptions, ReadRequest, Source, Written,
};

/// Returns facts about an object. Fails with class `not-found` if it does not exist.
pub fn stat(object: ObjectRef) -> Result<Object> {
    only(objects::stat(&[object]))
}

/// Returns facts about objects, in the order of the references.
pub fn stat_all(refs: &[ObjectRef]) -> Vec<Result<Object>> {
    each(objects::stat(refs))
}

/// Reads an object's bytes. Fails with class `exhausted` if it has more than `max`.
pub fn read(object: ObjectRef, max: u64) -> Result<Vec<u8>> {
    only(objects::read(&[ReadRequest { object, max }]))
}

/// Reads objects' bytes, in the order of the requests.
pub fn read_all(requests: &[ReadRequest]) -> Vec<Result<Vec<u8>>> {
    each(objects::read(requests))
}

/// Opens an object as a blob.
pub fn open(object: ObjectRef) -> Result<Blob> {
    only(objects::open(&[object]))
}

/// Opens objects as blobs, in the order of the references.
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

/// Joins at most 32 objects of a bucket into one.
pub fn compose(
    bucket: &str,
    name: &str,
    sources: &[Source],
    options: &PutOptions,
) -> Result<Written> {
    objects::compose(bucket, name, sources, options).map_err(Error::from)
}

/// Returns those of the permissions that the runner has on a bucket.
pub fn test_permissions(query: PermissionQuery) -> Result<Vec<String>> {
    only(objects::test_permissions(&[query]))
}

/// Returns those of the permissions that the runner has on buckets, in the order of the queries.
pub fn test_permissions_all(queries: &[PermissionQuery]) -> Vec<Result<Vec<String>>> {
    each(objects::test_permissions(queries))
}

/// Returns facts about a bucket.
pub fn bucket(name: impl Into<String>) -> Result<BucketFacts> {
    only(objects::buckets(&[name.into()]))
}

/// Returns facts about buckets, in the order of the names.
pub fn buckets(names: &[String]) -> Vec<Result<BucketFacts>> {
    each(objects::buckets(names))
}

impl ObjectRef {
    /// Returns a reference to the live generation of an object.
    pub fn new(bucket: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            bucket: bucket.into(),
            name: name.into(),
            generation: None,
        }
    }
}

impl PutOptions {
    /// Returns options that overwrite an existing object; the object is kept after
    /// the step.
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

    /// Writes only if the object does not exist. An object with the same metadata
    /// counts as already there.
    #[must_use]
    pub fn if_absent(mut self) -> Self {
        self.preconditions.if_generation_match = Some(0);
        self
    }

    /// Sets the media type.
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
