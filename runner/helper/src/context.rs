//! Fetches the archive of a context and unpacks it into a folder of the pod.

use std::fs::{self, File};
use std::io::{self, Seek as _};
use std::path::{Path, PathBuf};

use sidestep_context::{CONTEXT, PACKER, Unpacked, digest_of, unpack_within};

use crate::storage::Object;
use crate::{Error, Places, Reason, Storage};

/// A context that a pod needs.
#[derive(Debug, Clone)]
pub struct Context {
    /// The archive, `gs://BUCKET/NAME`.
    pub uri: String,
    /// The digest of its tree, `sha256:HEX`. An archive that context-upload named has it in its
    /// name.
    pub digest: Option<String>,
    /// The empty folder to unpack into.
    pub into: PathBuf,
    /// The largest size, in bytes, of the archive and of the unpacked files.
    pub limit: u64,
}

/// A context that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The number of files, folders and links.
    pub entries: u64,
    /// The size of the files, in bytes.
    pub bytes: u64,
    /// Whether the tree has the expected digest; false if none was known.
    pub checked: bool,
}

/// Fetches a context as the pod's identity, checks its digest, and unpacks it. Of an archive of
/// context-upload, only the context itself is unpacked, without the Dockerfiles beside it.
///
/// # Errors
/// If the archive can't be read, is another one, or is too large, or the folder is not empty.
pub async fn fetch_context(
    storage: &Storage,
    places: &Places,
    context: &Context,
) -> Result<Fetched, Error> {
    let object = Object::parse(&context.uri)?;
    let expected = Expected::of(&object.name, context.digest.as_deref())?;
    let into = places.local(&context.into)?;
    is_empty(&into)?;
    let disk = |error: &io::Error| Error::disk("write to", &into, error);
    // It has no name, so that nothing is left of it.
    let mut archive = tempfile::tempfile_in(&into).map_err(|error| disk(&error))?;
    storage
        .download(&object, &mut archive, context.limit)
        .await?;
    let limit = context.limit;
    let work = move || expected.unpack(&object, archive, &into, limit);
    let work = tokio::task::spawn_blocking(work).await;
    work.map_err(|error| Error::new(Reason::Unavailable, format!("unpacking ended: {error}")))?
}

fn is_empty(folder: &Path) -> Result<(), Error> {
    let mut entries = fs::read_dir(folder).map_err(|error| Error::disk("list", folder, &error))?;
    if entries.next().is_some() {
        return Err(Error::wrong(format!(
            "{} is not empty; name an empty folder",
            folder.display()
        )));
    }
    Ok(())
}

/// The expectations of an archive.
#[derive(Debug, PartialEq, Eq)]
struct Expected {
    /// Whether context-upload made it.
    is_ours: bool,
    /// The digest of its tree, in hex.
    digest: Option<String>,
}

impl Expected {
    fn of(name: &str, digest: Option<&str>) -> Result<Self, Error> {
        let named = of_name(name);
        let Some(text) = digest else {
            return Ok(Self {
                is_ours: named.is_some(),
                digest: named.map(str::to_owned),
            });
        };
        let hex = text.strip_prefix("sha256:").unwrap_or_default();
        if !is_digest(hex) {
            return Err(Error::wrong(format!(
                "{text} is not a digest, `sha256:` and 64 digits of 0-9 and a-f"
            )));
        }
        Ok(Self {
            is_ours: true,
            digest: Some(hex.to_owned()),
        })
    }

    fn unpack(
        &self,
        object: &Object,
        mut archive: File,
        into: &Path,
        limit: u64,
    ) -> Result<Fetched, Error> {
        let mut rewind = || {
            let from = archive.rewind().and_then(|()| archive.try_clone());
            from.map_err(|error| Error::disk("read from", into, &error))
        };
        if let Some(expected) = &self.digest {
            let found = digest_of(rewind()?).map_err(|error| unpacked(object, &error))?;
            if found != *expected {
                return Err(Error::wrong(format!(
                    "{object} is another tree: its digest is sha256:{found}, not sha256:{expected}"
                )));
            }
        }
        let folder = tempfile::Builder::new()
            .prefix(".sidestep-")
            .tempdir_in(into)
            .map_err(|error| Error::disk("write to", into, &error))?;
        let mut left = limit;
        let mut take = |bytes: u64| {
            left = left.checked_sub(bytes).ok_or_else(|| {
                io::Error::other(format!(
                    "its files need more than the limit of {limit} bytes"
                ))
            })?;
            Ok(())
        };
        let Unpacked { entries, bytes } = unpack_within(rewind()?, folder.path(), &mut take)
            .map_err(|error| unpacked(object, &error))?;
        let from = if self.is_ours {
            folder.path().join(CONTEXT)
        } else {
            folder.path().to_owned()
        };
        move_all(&from, into)?;
        Ok(Fetched {
            entries,
            bytes,
            checked: self.digest.is_some(),
        })
    }
}

fn unpacked(object: &Object, error: &sidestep_context::Error) -> Error {
    Error::wrong(format!("cannot unpack {object}: {error}"))
}

fn move_all(from: &Path, into: &Path) -> Result<(), Error> {
    let moved = || -> io::Result<()> {
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            fs::rename(entry.path(), into.join(entry.file_name()))?;
        }
        Ok(())
    };
    moved().map_err(|error| Error::disk("move the files to", into, &error))
}

/// Returns the digest in the name of an archive of context-upload, `ctx1-DIGEST-PACKER.tar.gz`.
fn of_name(name: &str) -> Option<&str> {
    let name = name.rsplit('/').next().unwrap_or(name);
    let rest = name.strip_prefix("ctx1-")?.strip_suffix(".tar.gz")?;
    let digest = rest.strip_suffix(PACKER)?.strip_suffix('-')?;
    is_digest(digest).then_some(digest)
}

fn is_digest(hex: &str) -> bool {
    let digits = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    hex.len() == 64 && hex.bytes().all(digits)
}

#[cfg(test)]
mod tests;
