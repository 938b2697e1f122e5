//! The files of the pipeline's workspace. Grant key: `workspace`.
//!
//! Paths are relative to the workspace, with `/` between their parts.

use serde_json::Value;
use sidestep_contract::codes;

use crate::bindings::sidestep::workspace::files;
use crate::{Blob, Error, Result};

pub use crate::bindings::sidestep::host::types::{EntryKey, KeyFact};
pub use files::{
    ChangedMode, Entry, FileKey, FileKeys, Kind, LargeFile, Listing, Overlay, PackOptions, Packed,
    SkippedEntry, Unsearched,
};

/// An object of a Kubernetes manifest.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The file's path.
    pub path: String,
    /// The line that the object's document begins on, from 1.
    pub line: u32,
    /// The object, without the data of a Secret and without any key.
    pub object: Value,
    /// The keys in it.
    pub keys: Vec<EntryKey>,
}

/// The objects in manifests.
#[derive(Debug, Clone)]
pub struct Manifests {
    /// The objects, by the paths of their files.
    pub objects: Vec<Manifest>,
    /// The files and documents that could not be read; at most 100.
    pub unsearched: Vec<Unsearched>,
    /// Whether there are more objects.
    pub truncated: bool,
}

/// Returns the keys in the files that match one of the patterns, without any part of their bytes.
/// Needs the action `keyFacts`.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::workspace;
///
/// # fn main() -> sidestep::Result<()> {
/// let found = workspace::key_facts(&["**".to_owned()])?;
/// for key in &found.keys {
///     sidestep::warn!("{}:{} holds a key", key.path, key.fact.line);
/// }
/// # Ok(())
/// # }
/// ```
pub fn key_facts(patterns: &[String]) -> Result<FileKeys> {
    files::key_facts(patterns).map_err(Error::from)
}

/// Returns the objects in the rendered Kubernetes manifests that match one of the patterns, without
/// the data of Secrets and without any key. Needs the action `keyFacts`.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::workspace;
///
/// # fn main() -> sidestep::Result<()> {
/// let found = workspace::manifests(&["rendered/*.yaml".to_owned()])?;
/// for manifest in &found.objects {
///     sidestep::info!("{}:{} {}", manifest.path, manifest.line, manifest.object["kind"]);
/// }
/// # Ok(())
/// # }
/// ```
pub fn manifests(patterns: &[String]) -> Result<Manifests> {
    let found = files::manifests(patterns)?;
    let objects = found.objects.into_iter().map(|one| {
        let object = serde_json::from_str(&one.object)
            .map_err(|error| Error::bug(format!("the host sent text that is not JSON: {error}")))?;
        Ok(Manifest {
            path: one.path,
            line: one.line,
            object,
            keys: one.keys,
        })
    });
    Ok(Manifests {
        objects: objects.collect::<Result<_>>()?,
        unsearched: found.unsearched,
        truncated: found.truncated,
    })
}

/// Lists the entries whose path matches one of the patterns (`*`, `**`, `?`,
/// `[…]`), at most `max`.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::workspace;
///
/// # fn main() -> sidestep::Result<()> {
/// let found = workspace::list(&["src/**/*.rs".to_owned()], 1000)?;
/// for entry in &found.entries {
///     sidestep::debug!("{}", entry.path);
/// }
/// # Ok(())
/// # }
/// ```
pub fn list(patterns: &[String], max: u32) -> Result<Listing> {
    files::list(patterns, max).map_err(Error::from)
}

/// Returns facts about an entry; a symbolic link is not followed.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::workspace;
///
/// # fn main() -> sidestep::Result<()> {
/// let size = workspace::stat("Dockerfile")?.size;
/// # Ok(())
/// # }
/// ```
pub fn stat(path: &str) -> Result<Entry> {
    files::stat(path).map_err(Error::from)
}

/// Returns whether an entry with this path exists.
///
/// # Errors
///
/// As [`stat`], for any reason but a missing entry.
///
/// # Examples
///
/// ```no_run
/// use sidestep::workspace;
///
/// # fn main() -> sidestep::Result<()> {
/// if !workspace::exists("Dockerfile")? {
///     sidestep::warn!("the workspace has no Dockerfile");
/// }
/// # Ok(())
/// # }
/// ```
pub fn exists(path: &str) -> Result<bool> {
    match stat(path) {
        Ok(_) => Ok(true),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Reads a file's bytes. Fails with class `exhausted` if it has more than `max`.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::workspace;
///
/// # fn main() -> sidestep::Result<()> {
/// let logo = workspace::read("assets/logo.png", 1024 * 1024)?;
/// # Ok(())
/// # }
/// ```
pub fn read(path: &str, max: u64) -> Result<Vec<u8>> {
    files::read(path, max).map_err(Error::from)
}

/// Reads a file's text, at most `max` bytes of UTF-8.
///
/// # Errors
///
/// As [`read`], and `workspace.not-utf8` for other bytes.
///
/// # Examples
///
/// ```no_run
/// use sidestep::workspace;
///
/// # fn main() -> sidestep::Result<()> {
/// let lines = workspace::read_to_string("Cargo.lock", 1024 * 1024)?.lines().count();
/// # Ok(())
/// # }
/// ```
pub fn read_to_string(path: &str, max: u64) -> Result<String> {
    String::from_utf8(read(path, max)?).map_err(|error| {
        Error::failed(
            codes::workspace::NOT_UTF8,
            format!("{path} is not UTF-8 text: {}", error.utf8_error()),
        )
    })
}

/// Opens a file as a blob.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::{storage::{self, PutOptions}, workspace};
///
/// # fn main() -> sidestep::Result<()> {
/// let archive = workspace::open("dist/app.tar.gz")?;
/// storage::put("ci-releases", "app.tar.gz", &archive, &PutOptions::new())?;
/// # Ok(())
/// # }
/// ```
pub fn open(path: &str) -> Result<Blob> {
    files::open(path).map_err(Error::from)
}

/// Packs a directory into an archive for a builder. Nothing is compressed before
/// the blob is sent.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::workspace::{self, PackOptions};
///
/// # fn main() -> sidestep::Result<()> {
/// let packed = workspace::pack(&PackOptions::new("services/api"))?;
/// sidestep::info!("{} entries, digest {}", packed.entries, packed.digest);
/// # Ok(())
/// # }
/// ```
pub fn pack(options: &PackOptions<'_>) -> Result<Packed> {
    files::pack(options).map_err(Error::from)
}

impl PackOptions<'_> {
    /// Returns options for a directory with its own ignore file; the answer names the
    /// ten largest files.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::workspace::PackOptions;
    ///
    /// let mut options = PackOptions::new("services/api");
    /// options.ignore.push("target".to_owned());
    /// assert_eq!(options.largest, 10);
    /// ```
    pub fn new(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            dockerfile: None,
            ignore: Vec::new(),
            overlays: Vec::new(),
            keep_modes: false,
            largest: 10,
        }
    }
}
