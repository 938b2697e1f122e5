//! Buckets and objects: an index in memory over files on disk.
//!
//! ```text
//! buckets/BUCKET/bucket.json
//! buckets/BUCKET/objects/SHA256-OF-NAME.json   written beside and renamed
//! content/ID                                   never changed once an object names it
//! uploads/ID.json, uploads/ID.part             resumable sessions
//! ```
//! An object's JSON file is its commit: a content file that no such file names is deleted when the
//! store is opened, so a kill at any point leaves either the old object or the new one.

mod files;
mod objects;

use crate::{
    OpenError,
    bucket::Bucket,
    conditions::{Conditions, Purpose},
    error::ApiError,
    object::Object,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use files::entries;
pub(crate) use files::{load, save};
pub(crate) use objects::{Put, check_object_name};

/// The store of one sandbox.
pub(crate) struct Store {
    root: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    buckets: BTreeMap<String, Contents>,
    last_generation: i64,
}

pub(crate) struct Contents {
    pub(crate) bucket: Bucket,
    pub(crate) objects: BTreeMap<String, Object>,
}

/// Returns the current time in the API's format.
pub(crate) fn now() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S.%3fZ")
        .to_string()
}

impl State {
    fn bucket(&self, name: &str) -> Result<&Contents, ApiError> {
        self.buckets.get(name).ok_or_else(ApiError::no_bucket)
    }

    fn bucket_mut(&mut self, name: &str) -> Result<&mut Contents, ApiError> {
        self.buckets.get_mut(name).ok_or_else(ApiError::no_bucket)
    }
}

impl Store {
    pub(crate) fn open(root: &Path) -> Result<Self, OpenError> {
        for folder in ["buckets", "content", "uploads"] {
            let path = root.join(folder);
            fs::create_dir_all(&path).map_err(|source| OpenError::io(&path, source))?;
        }
        let mut state = State::default();
        for folder in entries(&root.join("buckets"))? {
            let bucket: Bucket = match load(&folder.join("bucket.json"))? {
                Some(bucket) => bucket,
                // The process was killed between creating the folder and its file, so the bucket
                // does not exist.
                None => continue,
            };
            let mut objects = BTreeMap::new();
            for path in entries(&folder.join("objects"))? {
                if path.extension().is_some_and(|ext| ext == "json")
                    && let Some(object) = load::<Object>(&path)?
                {
                    state.last_generation = state.last_generation.max(object.generation);
                    objects.insert(object.name.clone(), object);
                } else {
                    fs::remove_file(&path).map_err(|source| OpenError::io(&path, source))?;
                }
            }
            state
                .buckets
                .insert(bucket.name.clone(), Contents { bucket, objects });
        }
        let named: HashSet<&str> = state
            .buckets
            .values()
            .flat_map(|contents| contents.objects.values())
            .map(|object| object.content.as_str())
            .collect();
        for path in entries(&root.join("content"))? {
            if !path
                .file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| named.contains(name))
            {
                fs::remove_file(&path).map_err(|source| OpenError::io(&path, source))?;
            }
        }
        Ok(Self {
            root: root.to_owned(),
            state: Mutex::new(state),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is made after its file is written, so a panic elsewhere under the lock
        // leaves no partial change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn content(&self) -> PathBuf {
        self.root.join("content")
    }

    pub(crate) fn uploads(&self) -> PathBuf {
        self.root.join("uploads")
    }

    fn folder(&self, bucket: &str) -> PathBuf {
        self.root.join("buckets").join(bucket)
    }

    pub(crate) fn buckets(&self, project: &str) -> Vec<Bucket> {
        let state = self.state();
        let buckets = state.buckets.values().map(|contents| &contents.bucket);
        buckets.filter(|b| b.project == project).cloned().collect()
    }

    pub(crate) fn bucket(&self, name: &str) -> Result<Bucket, ApiError> {
        let state = self.state();
        Ok(state.bucket(name)?.bucket.clone())
    }

    pub(crate) fn add_bucket(&self, bucket: Bucket) -> Result<Bucket, ApiError> {
        let mut state = self.state();
        if state.buckets.contains_key(&bucket.name) {
            return Err(ApiError::conflict(
                "Your previous request to create the named bucket succeeded and you already own it.",
            ));
        }
        let folder = self.folder(&bucket.name);
        fs::create_dir_all(folder.join("objects")).map_err(ApiError::disk)?;
        save(&folder.join("bucket.json"), &bucket)?;
        let contents = Contents {
            bucket: bucket.clone(),
            objects: BTreeMap::new(),
        };
        state.buckets.insert(bucket.name.clone(), contents);
        Ok(bucket)
    }

    pub(crate) fn patch_bucket(
        &self,
        name: &str,
        patch: &Value,
        conditions: Conditions,
    ) -> Result<Bucket, ApiError> {
        let mut state = self.state();
        let contents = state.bucket_mut(name)?;
        let mut bucket = contents.bucket.clone();
        conditions
            .metageneration_only()
            .check_numbers(Some((0, bucket.metageneration)), Purpose::Write)?;
        bucket.patch(patch)?;
        bucket.metageneration += 1;
        bucket.updated = now();
        save(&self.folder(name).join("bucket.json"), &bucket)?;
        contents.bucket = bucket.clone();
        Ok(bucket)
    }

    pub(crate) fn delete_bucket(&self, name: &str) -> Result<(), ApiError> {
        let mut state = self.state();
        let contents = state.bucket(name)?;
        if !contents.objects.is_empty() {
            return Err(ApiError::conflict(
                "The bucket you tried to delete is not empty.",
            ));
        }
        let folder = self.folder(name);
        fs::remove_file(folder.join("bucket.json")).map_err(ApiError::disk)?;
        state.buckets.remove(name);
        fs::remove_dir_all(folder).map_err(ApiError::disk)
    }

    /// Calls a function with a bucket's sorted objects.
    pub(crate) fn read<T>(
        &self,
        bucket: &str,
        reading: impl FnOnce(&Contents) -> T,
    ) -> Result<T, ApiError> {
        let state = self.state();
        Ok(reading(state.bucket(bucket)?))
    }
}
