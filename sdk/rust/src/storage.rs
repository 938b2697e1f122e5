//! Cloud Storage. Grant key: `storage`.

use crate::bindings::sidestep::storage::objects;
use crate::error::{each, only};
use crate::{Blob, Content, Error, OnExit, Result};

pub use objects::{
    Bucket as BucketFacts, MetadataEntry, Object, ObjectRef, PermissionQuery, Preconditions,
    PutOptions, ReadRequest, Source, Written,
};

/// Returns facts about an object. Fails with class `not-found` if it does not exist.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::storage::{self, ObjectRef};
///
/// # fn main() -> sidestep::Result<()> {
/// let object = ObjectRef::new("ci-contexts", "team/api.tar.gz");
/// let size = storage::stat(object)?.size;
/// # Ok(())
/// # }
/// ```
pub fn stat(object: ObjectRef) -> Result<Object> {
    only(objects::stat(&[object]))
}

/// Returns facts about objects, in the order of the references.
///
/// # Examples
///
/// ```no_run
/// use sidestep::storage::{self, ObjectRef};
///
/// # fn main() -> sidestep::Result<()> {
/// let refs = [ObjectRef::new("ci-contexts", "a"), ObjectRef::new("ci-contexts", "b")];
/// let existing = storage::stat_all(&refs).into_iter().filter(Result::is_ok).count();
/// # Ok(())
/// # }
/// ```
pub fn stat_all(refs: &[ObjectRef]) -> Vec<Result<Object>> {
    each(objects::stat(refs))
}

/// Reads an object's bytes. Fails with class `exhausted` if it has more than `max`.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::storage::{self, ObjectRef};
///
/// # fn main() -> sidestep::Result<()> {
/// let config = ObjectRef::new("ci-contexts", "team/config.json");
/// let bytes = storage::read(config, 64 * 1024)?;
/// # Ok(())
/// # }
/// ```
pub fn read(object: ObjectRef, max: u64) -> Result<Vec<u8>> {
    only(objects::read(&[ReadRequest { object, max }]))
}

/// Reads objects' bytes, in the order of the requests.
///
/// # Examples
///
/// ```no_run
/// use sidestep::storage::{self, ObjectRef, ReadRequest};
///
/// # fn main() -> sidestep::Result<()> {
/// let request = |name: &str| ReadRequest {
///     object: ObjectRef::new("ci-contexts", name),
///     max: 64 * 1024,
/// };
/// for bytes in storage::read_all(&[request("a.json"), request("b.json")]) {
///     println!("{} bytes", bytes?.len());
/// }
/// # Ok(())
/// # }
/// ```
pub fn read_all(requests: &[ReadRequest]) -> Vec<Result<Vec<u8>>> {
    each(objects::read(requests))
}

/// Opens an object as a blob.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::storage::{self, ObjectRef};
///
/// # fn main() -> sidestep::Result<()> {
/// let blob = storage::open(ObjectRef::new("ci-contexts", "team/api.tar.gz"))?;
/// let size = blob.size();
/// # Ok(())
/// # }
/// ```
pub fn open(object: ObjectRef) -> Result<Blob> {
    only(objects::open(&[object]))
}

/// Opens objects as blobs, in the order of the references.
///
/// # Examples
///
/// ```no_run
/// use sidestep::storage::{self, ObjectRef};
///
/// # fn main() -> sidestep::Result<()> {
/// let refs = [ObjectRef::new("ci-contexts", "a"), ObjectRef::new("ci-contexts", "b")];
/// let blobs = storage::open_all(&refs).into_iter().collect::<sidestep::Result<Vec<_>>>()?;
/// # Ok(())
/// # }
/// ```
pub fn open_all(refs: &[ObjectRef]) -> Vec<Result<Blob>> {
    each(objects::open(refs))
}

/// Writes an object. The step needs the action `create`, and `update` unless the
/// options are [`if_absent`](PutOptions::if_absent).
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::storage::{self, PutOptions};
///
/// # fn main() -> sidestep::Result<()> {
/// let options = PutOptions::new().if_absent().content_type("application/json");
/// let report = "{\"passed\":12}".to_owned();
/// let written = storage::put("ci-reports", "api/1.json", report, &options)?;
/// sidestep::info!("generation {}", written.generation);
/// # Ok(())
/// # }
/// ```
pub fn put<'a>(
    bucket: &str,
    name: &str,
    content: impl Into<Content<'a>>,
    options: &PutOptions,
) -> Result<Written> {
    objects::put(bucket, name, &content.into(), options).map_err(Error::from)
}

/// Joins at most 32 objects of a bucket into one. The step needs the action
/// `compose`, and `update` unless the options are
/// [`if_absent`](PutOptions::if_absent).
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::storage::{self, PutOptions, Source};
///
/// # fn main() -> sidestep::Result<()> {
/// let part = |name: &str| Source { name: name.to_owned(), generation: None };
/// let parts = [part("log.1"), part("log.2")];
/// storage::compose("ci-reports", "log", &parts, &PutOptions::new())?;
/// # Ok(())
/// # }
/// ```
pub fn compose(
    bucket: &str,
    name: &str,
    sources: &[Source],
    options: &PutOptions,
) -> Result<Written> {
    objects::compose(bucket, name, sources, options).map_err(Error::from)
}

/// Returns those of the permissions that the runner has on a bucket.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::storage::{self, PermissionQuery};
///
/// # fn main() -> sidestep::Result<()> {
/// let held = storage::test_permissions(PermissionQuery {
///     bucket: "ci-contexts".to_owned(),
///     permissions: vec!["storage.objects.create".to_owned()],
/// })?;
/// if held.is_empty() {
///     sidestep::warn!("the runner can't create objects");
/// }
/// # Ok(())
/// # }
/// ```
pub fn test_permissions(query: PermissionQuery) -> Result<Vec<String>> {
    only(objects::test_permissions(&[query]))
}

/// Returns those of the permissions that the runner has on buckets, in the order of the queries.
///
/// # Examples
///
/// ```no_run
/// use sidestep::storage::{self, PermissionQuery};
///
/// # fn main() -> sidestep::Result<()> {
/// let query = |bucket: &str| PermissionQuery {
///     bucket: bucket.to_owned(),
///     permissions: vec!["storage.objects.get".to_owned()],
/// };
/// let held = storage::test_permissions_all(&[query("ci-contexts"), query("ci-reports")]);
/// # Ok(())
/// # }
/// ```
pub fn test_permissions_all(queries: &[PermissionQuery]) -> Vec<Result<Vec<String>>> {
    each(objects::test_permissions(queries))
}

/// Returns facts about a bucket.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::storage;
///
/// # fn main() -> sidestep::Result<()> {
/// if !storage::bucket("ci-contexts")?.uniform_access {
///     sidestep::warn!("objects have access lists of their own");
/// }
/// # Ok(())
/// # }
/// ```
pub fn bucket(name: impl Into<String>) -> Result<BucketFacts> {
    only(objects::buckets(&[name.into()]))
}

/// Returns facts about buckets, in the order of the names.
///
/// # Examples
///
/// ```no_run
/// use sidestep::storage;
///
/// # fn main() -> sidestep::Result<()> {
/// let names = ["ci-contexts", "ci-reports"].map(str::to_owned);
/// for facts in storage::buckets(&names) {
///     sidestep::info!("in {}", facts?.location);
/// }
/// # Ok(())
/// # }
/// ```
pub fn buckets(names: &[String]) -> Vec<Result<BucketFacts>> {
    each(objects::buckets(names))
}

impl ObjectRef {
    /// Returns a reference to the live generation of an object.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::storage::ObjectRef;
    ///
    /// let object = ObjectRef::new("ci-contexts", "team/api.tar.gz");
    /// assert_eq!((object.bucket.as_str(), object.generation), ("ci-contexts", None));
    /// ```
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
    /// the step. The step needs the actions `create` and `update`.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::storage::PutOptions;
    ///
    /// assert_eq!(PutOptions::new().on_exit, sidestep::OnExit::Keep);
    /// ```
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
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::storage::PutOptions;
    ///
    /// let options = PutOptions::new().if_absent();
    /// assert_eq!(options.preconditions.if_generation_match, Some(0));
    /// ```
    #[must_use]
    pub fn if_absent(mut self) -> Self {
        self.preconditions.if_generation_match = Some(0);
        self
    }

    /// Sets the media type.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::storage::PutOptions;
    ///
    /// let options = PutOptions::new().content_type("application/gzip");
    /// assert_eq!(options.content_type.as_deref(), Some("application/gzip"));
    /// ```
    #[must_use]
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// Adds a metadata entry.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::storage::PutOptions;
    ///
    /// let options = PutOptions::new().metadata("commit", "4fad7c1");
    /// assert_eq!(options.metadata[0].key, "commit");
    /// ```
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
