//! Uploads of blobs: each is a file that is hashed while it grows.

use crate::{OpenError, digest::Digest, error::ApiError};
use axum::body::Body;
use futures::StreamExt as _;
use sha2::{Digest as _, Sha256};
use sidestep_sandbox_base::random_id;
use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::OwnedMutexGuard;

/// An upload, used by one request at a time.
pub(crate) struct Upload {
    id: String,
    path: PathBuf,
    size: u64,
    hasher: Sha256,
}

type Known = HashMap<String, Arc<tokio::sync::Mutex<Upload>>>;

/// All uploads. A file's name contains its repository: an upload is known only under the image for
/// which it was started.
pub(crate) struct Uploads {
    folder: PathBuf,
    known: Mutex<Known>,
}

fn key(image: &str, id: &str) -> String {
    format!("{id}.{}", Digest::of(image.as_bytes()).hex())
}

impl Uploads {
    pub(crate) fn open(folder: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError {
            path: folder.to_owned(),
            source,
        };
        fs::create_dir_all(folder).map_err(failed)?;
        let mut known = Known::new();
        for entry in fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let upload = Upload::load(name.clone(), entry.path()).map_err(failed)?;
            known.insert(name, Arc::new(tokio::sync::Mutex::new(upload)));
        }
        Ok(Self {
            folder: folder.to_owned(),
            known: Mutex::new(known),
        })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Only whole inserts and removals happen under the lock.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts an upload for the image with this full name.
    pub(crate) fn start(&self, image: &str) -> Result<String, ApiError> {
        let id = random_id();
        let key = key(image, &id);
        let path = self.folder.join(&key);
        File::create_new(&path).map_err(ApiError::disk)?;
        let upload = Upload {
            id: key.clone(),
            path,
            size: 0,
            hasher: Sha256::new(),
        };
        let upload = Arc::new(tokio::sync::Mutex::new(upload));
        self.known().insert(key, upload);
        Ok(id)
    }

    pub(crate) async fn take(
        &self,
        image: &str,
        id: &str,
    ) -> Result<OwnedMutexGuard<Upload>, ApiError> {
        let key = key(image, id);
        let upload = self.known().get(&key).cloned();
        let upload = upload.ok_or_else(ApiError::upload_unknown)?;
        let upload = upload.lock_owned().await;
        // It may have ended while this request waited for it.
        if !self.known().contains_key(&key) {
            return Err(ApiError::upload_unknown());
        }
        Ok(upload)
    }

    /// Ends an upload and deletes its file, unless that was moved into place.
    pub(crate) fn end(&self, upload: &Upload) {
        self.known().remove(&upload.id);
        match fs::remove_file(&upload.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "an ended upload's file stays on disk");
            }
            _ => {}
        }
    }
}

impl Upload {
    fn load(id: String, path: PathBuf) -> io::Result<Self> {
        let (mut hasher, mut size) = (Sha256::new(), 0);
        let mut file = File::open(&path)?;
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            hasher.update(&buffer[..read]);
            size += read as u64;
        }
        Ok(Self {
            id,
            path,
            size,
            hasher,
        })
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn digest(&self) -> Digest {
        Digest::finish(self.hasher.clone())
    }

    /// Appends a body. Bytes before an interruption are kept, and the client asks for the offset. A
    /// write of one network frame into the page cache is too short for its own thread, and leaves
    /// nothing in flight when the request is dropped.
    pub(crate) async fn append(&mut self, body: Body) -> Result<(), ApiError> {
        let file = OpenOptions::new().append(true).open(&self.path);
        let mut file = file.map_err(ApiError::disk)?;
        let mut body = body.into_data_stream();
        while let Some(frame) = body.next().await {
            let frame =
                frame.map_err(|_| ApiError::upload_invalid("The upload's body was cut short."))?;
            if let Err(error) = file.write_all(&frame) {
                // A part of the frame may be written: truncate to the hashed bytes.
                file.set_len(self.size).map_err(ApiError::disk)?;
                return Err(ApiError::disk(error));
            }
            self.hasher.update(&frame);
            self.size += frame.len() as u64;
        }
        Ok(())
    }
}
