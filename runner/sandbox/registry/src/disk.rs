//! The state directory.
//!
//! ```text
//! blobs/HH/HEX                                         bytes, under their digest
//! uploads/ID                                           bytes of a blob that comes in
//! repositories/PROJECT/LOCATION/NAME/_blobs/HEX        the repository has this blob
//! repositories/PROJECT/LOCATION/NAME/IMAGE/_manifests/HEX   facts of a manifest (JSON)
//! repositories/PROJECT/LOCATION/NAME/IMAGE/_tags/TAG   the digest that a tag stands for
//! ```
//! An image's path component never begins with `_`, so the two kinds of folder cannot collide.
//! Every file is written to a temporary path and renamed.

use crate::{OpenError, digest::Digest, error::ApiError, name::Image};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// The files of one registry.
pub(crate) struct Disk {
    root: PathBuf,
}

/// The stored metadata of a manifest.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Facts {
    pub(crate) media_type: String,
    pub(crate) size: u64,
    pub(crate) subject: Option<String>,
    pub(crate) artifact_type: Option<String>,
    pub(crate) annotations: Option<Value>,
}

/// Maps a missing file to `None`.
fn there<T>(result: io::Result<T>) -> Result<Option<T>, ApiError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ApiError::disk(error)),
    }
}

fn names(folder: &Path) -> Result<Vec<String>, ApiError> {
    let mut names = Vec::new();
    for entry in there(fs::read_dir(folder))?.into_iter().flatten() {
        let name = entry.map_err(ApiError::disk)?.file_name();
        names.extend(name.into_string().ok());
    }
    names.sort();
    Ok(names)
}

impl Disk {
    pub(crate) fn open(root: &Path) -> Result<Self, OpenError> {
        // Partial files that a kill left are never renamed into place.
        let incoming = root.join("incoming");
        if let Err(source) = fs::remove_dir_all(&incoming)
            && source.kind() != io::ErrorKind::NotFound
        {
            let path = incoming;
            return Err(OpenError { path, source });
        }
        for folder in ["blobs", "repositories", "incoming"] {
            let path = root.join(folder);
            fs::create_dir_all(&path).map_err(|source| OpenError { path, source })?;
        }
        let root = root.to_owned();
        Ok(Self { root })
    }

    fn repository(&self, image: &Image) -> PathBuf {
        self.root
            .join("repositories")
            .join(image.repository_folder())
    }

    fn image(&self, image: &Image) -> PathBuf {
        self.repository(image).join(&image.path)
    }

    pub(crate) fn blob_file(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        self.root.join("blobs").join(&hex[..2]).join(hex)
    }

    fn link(&self, image: &Image, digest: &Digest) -> PathBuf {
        self.repository(image).join("_blobs").join(digest.hex())
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), ApiError> {
        let write = || {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let id = sidestep_sandbox_base::random_id();
            let beside = self.root.join("incoming").join(id);
            fs::write(&beside, bytes)?;
            fs::rename(&beside, path)
        };
        write().map_err(ApiError::disk)
    }

    /// Moves complete and verified bytes into place, and links them.
    pub(crate) fn adopt(
        &self,
        image: &Image,
        digest: &Digest,
        from: &Path,
    ) -> Result<(), ApiError> {
        let place = self.blob_file(digest);
        let moved = || {
            if let Some(folder) = place.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::rename(from, &place)
        };
        moved().map_err(ApiError::disk)?;
        self.link_blob(image, digest)
    }

    pub(crate) fn link_blob(&self, image: &Image, digest: &Digest) -> Result<(), ApiError> {
        self.write(&self.link(image, digest), b"")
    }

    /// Returns a blob of this repository: its size and its bytes.
    pub(crate) fn blob(
        &self,
        image: &Image,
        digest: &Digest,
    ) -> Result<Option<(u64, File)>, ApiError> {
        if there(fs::metadata(self.link(image, digest)))?.is_none() {
            return Ok(None);
        }
        let Some(file) = there(File::open(self.blob_file(digest)))? else {
            return Ok(None);
        };
        let size = file.metadata().map_err(ApiError::disk)?.len();
        Ok(Some((size, file)))
    }

    pub(crate) fn unlink_blob(&self, image: &Image, digest: &Digest) -> Result<bool, ApiError> {
        Ok(there(fs::remove_file(self.link(image, digest)))?.is_some())
    }

    pub(crate) fn put_manifest(
        &self,
        image: &Image,
        digest: &Digest,
        bytes: &[u8],
        facts: &Facts,
    ) -> Result<(), ApiError> {
        self.write(&self.blob_file(digest), bytes)?;
        let json = serde_json::to_vec(facts).map_err(|e| ApiError::disk(e.into()))?;
        let place = self.image(image).join("_manifests").join(digest.hex());
        self.write(&place, &json)
    }

    pub(crate) fn facts(&self, image: &Image, digest: &Digest) -> Result<Option<Facts>, ApiError> {
        let place = self.image(image).join("_manifests").join(digest.hex());
        let Some(json) = there(fs::read(place))? else {
            return Ok(None);
        };
        let facts = serde_json::from_slice(&json);
        facts
            .map(Some)
            .map_err(|error| ApiError::disk(error.into()))
    }

    /// Returns a manifest's bytes. The caller has checked that its facts exist.
    pub(crate) fn manifest_bytes(&self, digest: &Digest) -> Result<Vec<u8>, ApiError> {
        fs::read(self.blob_file(digest)).map_err(ApiError::disk)
    }

    pub(crate) fn manifests(&self, image: &Image) -> Result<Vec<Digest>, ApiError> {
        let names = names(&self.image(image).join("_manifests"))?;
        names
            .iter()
            .map(|hex| Digest::parse(&format!("sha256:{hex}")))
            .collect()
    }

    pub(crate) fn remove_manifest(&self, image: &Image, digest: &Digest) -> Result<(), ApiError> {
        let place = self.image(image).join("_manifests").join(digest.hex());
        fs::remove_file(place).map_err(ApiError::disk)
    }

    pub(crate) fn tag(&self, image: &Image, tag: &str) -> Result<Option<Digest>, ApiError> {
        let place = self.image(image).join("_tags").join(tag);
        let Some(text) = there(fs::read_to_string(place))? else {
            return Ok(None);
        };
        Digest::parse(&text).map(Some)
    }

    pub(crate) fn set_tag(
        &self,
        image: &Image,
        tag: &str,
        digest: &Digest,
    ) -> Result<(), ApiError> {
        let place = self.image(image).join("_tags").join(tag);
        self.write(&place, digest.to_string().as_bytes())
    }

    pub(crate) fn remove_tag(&self, image: &Image, tag: &str) -> Result<bool, ApiError> {
        let place = self.image(image).join("_tags").join(tag);
        Ok(there(fs::remove_file(place))?.is_some())
    }

    pub(crate) fn tags(&self, image: &Image) -> Result<Vec<String>, ApiError> {
        names(&self.image(image).join("_tags"))
    }

    /// Returns the names of the images in a repository's folder (see [`Image::repository_folder`]).
    pub(crate) fn paths(&self, repository: &Path) -> Result<Vec<String>, ApiError> {
        let root = self.root.join("repositories").join(repository);
        let mut found = Vec::new();
        let mut waiting = vec![String::new()];
        while let Some(path) = waiting.pop() {
            for name in names(&root.join(&path))? {
                if name == "_manifests" {
                    found.push(path.clone());
                } else if !name.starts_with('_') {
                    let below = format!("{path}/{name}");
                    waiting.push(below.trim_start_matches('/').to_owned());
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// Returns the time at which a manifest was pushed.
    pub(crate) fn uploaded(
        &self,
        image: &Image,
        digest: &Digest,
    ) -> Result<jiff::Timestamp, ApiError> {
        let place = self.image(image).join("_manifests").join(digest.hex());
        let modified = fs::metadata(place).and_then(|facts| facts.modified());
        let modified = modified.map_err(ApiError::disk)?;
        jiff::Timestamp::try_from(modified).map_err(|error| ApiError::disk(io::Error::other(error)))
    }
}
