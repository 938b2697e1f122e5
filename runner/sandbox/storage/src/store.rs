//! Buckets and objects: an index in memory over files on disk.
//!
//! ```text
//! buckets/BUCKET/bucket.json
//! buckets/BUCKET/objects/SHA256-OF-NAME.json   written beside and renamed
//! content/ID                                   never changed once an object names it
//! uploads/ID.json, uploads/ID.part             resumable sessions
//! ```
//! An object's JSON file is its commit: a content file that no such file names
//! is swept when the store is opened, so a kill at any point leaves either the
//! old object or the new one.

use crate::{
    OpenError,
    bucket::Bucket,
    conditions::{Conditions, Purpose},
    content::Incoming,
    failure::Failure,
    object::{Described, Object},
};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, HashSet},
    fmt::Write as _,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

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

/// The present moment as the API writes it.
pub(crate) fn now() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S.%3fZ")
        .to_string()
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
                // Killed between the folder and its file: it never came to be.
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
        // Every change is made after its file is written, so a panic elsewhere
        // under the lock leaves nothing half done.
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

    fn object_file(&self, bucket: &str, name: &str) -> PathBuf {
        let mut file = String::with_capacity(69);
        for byte in Sha256::digest(name.as_bytes()) {
            write!(file, "{byte:02x}").expect("a string takes every write");
        }
        self.folder(bucket).join("objects").join(file + ".json")
    }

    pub(crate) fn buckets(&self, project: &str) -> Vec<Bucket> {
        let state = self.state();
        let buckets = state.buckets.values().map(|contents| &contents.bucket);
        buckets.filter(|b| b.project == project).cloned().collect()
    }

    pub(crate) fn bucket(&self, name: &str) -> Result<Bucket, Failure> {
        let state = self.state();
        let contents = state.buckets.get(name).ok_or_else(Failure::no_bucket)?;
        Ok(contents.bucket.clone())
    }

    pub(crate) fn add_bucket(&self, bucket: Bucket) -> Result<Bucket, Failure> {
        let mut state = self.state();
        if state.buckets.contains_key(&bucket.name) {
            return Err(Failure::conflict(
                "Your previous request to create the named bucket succeeded and you already own it.",
            ));
        }
        let folder = self.folder(&bucket.name);
        fs::create_dir_all(folder.join("objects")).map_err(Failure::disk)?;
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
    ) -> Result<Bucket, Failure> {
        let mut state = self.state();
        let contents = state.buckets.get_mut(name).ok_or_else(Failure::no_bucket)?;
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

    pub(crate) fn delete_bucket(&self, name: &str) -> Result<(), Failure> {
        let mut state = self.state();
        let contents = state.buckets.get(name).ok_or_else(Failure::no_bucket)?;
        if !contents.objects.is_empty() {
            return Err(Failure::conflict(
                "The bucket you tried to delete is not empty.",
            ));
        }
        let folder = self.folder(name);
        fs::remove_file(folder.join("bucket.json")).map_err(Failure::disk)?;
        state.buckets.remove(name);
        fs::remove_dir_all(folder).map_err(Failure::disk)
    }

    /// The live object, if it is that generation.
    pub(crate) fn find(
        &self,
        bucket: &str,
        name: &str,
        generation: Option<i64>,
    ) -> Result<Option<Object>, Failure> {
        let state = self.state();
        let contents = state.buckets.get(bucket).ok_or_else(Failure::no_bucket)?;
        let object = contents.objects.get(name);
        Ok(object
            .filter(|object| generation.is_none_or(|wanted| wanted == object.generation))
            .cloned())
    }

    /// The object and its bytes, opened under one lock: an overwrite or a
    /// deletion afterwards does not take them from the reader.
    pub(crate) fn open_object(
        &self,
        bucket: &str,
        name: &str,
        generation: Option<i64>,
    ) -> Result<Option<(Object, File)>, Failure> {
        let state = self.state();
        let contents = state.buckets.get(bucket).ok_or_else(Failure::no_bucket)?;
        let object = contents.objects.get(name);
        let Some(object) = object.filter(|o| generation.is_none_or(|g| g == o.generation)) else {
            return Ok(None);
        };
        let file = File::open(self.content().join(&object.content)).map_err(Failure::disk)?;
        Ok(Some((object.clone(), file)))
    }

    /// Makes the bytes an object. `overwrite` is what is answered if one is there already.
    pub(crate) fn put(
        &self,
        bucket: &str,
        name: &str,
        described: Described,
        incoming: Incoming,
        options: Put,
    ) -> Result<Object, Failure> {
        check_object_name(name)?;
        let digests = incoming.digests();
        described.verify(&digests)?;
        let mut state = self.state();
        let generation = jiff::Timestamp::now()
            .as_microsecond()
            .max(state.last_generation + 1);
        let contents = state
            .buckets
            .get_mut(bucket)
            .ok_or_else(Failure::no_bucket)?;
        let old = contents.objects.get(name);
        options.conditions.check(old, Purpose::Write)?;
        if old.is_some() {
            options.overwrite?;
        }
        let mut fields = described.fields;
        let key = contents.bucket.config.get("encryption");
        if let Some(Value::String(key)) = key.map(|encryption| &encryption["defaultKmsKeyName"])
            && !fields.contains_key("kmsKeyName")
        {
            fields.insert("kmsKeyName".to_owned(), key.as_str().into());
        }
        let now = now();
        let object = Object {
            name: name.to_owned(),
            generation,
            metageneration: 1,
            content: incoming.id().to_owned(),
            size: digests.size,
            crc32c: digests.crc32c,
            md5: (options.components.is_none()).then(|| BASE64_STANDARD.encode(digests.md5)),
            component_count: options.components,
            created: now.clone(),
            updated: now,
            fields,
            metadata: described.metadata,
        };
        save(&self.object_file(bucket, name), &object)?;
        incoming.keep();
        let old = contents.objects.insert(name.to_owned(), object.clone());
        state.last_generation = generation;
        drop(state);
        self.discard(old);
        Ok(object)
    }

    pub(crate) fn patch_object(
        &self,
        bucket: &str,
        name: &str,
        generation: Option<i64>,
        conditions: Conditions,
        patch: &Value,
    ) -> Result<Object, Failure> {
        let mut state = self.state();
        let contents = state
            .buckets
            .get_mut(bucket)
            .ok_or_else(Failure::no_bucket)?;
        let old = contents.objects.get(name);
        let mut object = old
            .filter(|object| generation.is_none_or(|wanted| wanted == object.generation))
            .cloned()
            .ok_or_else(|| Failure::no_object(bucket, name))?;
        conditions.check(Some(&object), Purpose::Write)?;
        object.patch(patch)?;
        object.metageneration += 1;
        object.updated = now();
        save(&self.object_file(bucket, name), &object)?;
        contents.objects.insert(name.to_owned(), object.clone());
        Ok(object)
    }

    pub(crate) fn delete_object(
        &self,
        bucket: &str,
        name: &str,
        generation: Option<i64>,
        conditions: Conditions,
    ) -> Result<(), Failure> {
        let mut state = self.state();
        let contents = state
            .buckets
            .get_mut(bucket)
            .ok_or_else(Failure::no_bucket)?;
        let old = contents.objects.get(name);
        let old = old.filter(|object| generation.is_none_or(|g| g == object.generation));
        if old.is_none() {
            return Err(Failure::no_object(bucket, name));
        }
        conditions.check(old, Purpose::Write)?;
        fs::remove_file(self.object_file(bucket, name)).map_err(Failure::disk)?;
        let old = contents.objects.remove(name);
        drop(state);
        self.discard(old);
        Ok(())
    }

    /// Runs a reading of one bucket's sorted objects.
    pub(crate) fn read<T>(
        &self,
        bucket: &str,
        reading: impl FnOnce(&Contents) -> T,
    ) -> Result<T, Failure> {
        let state = self.state();
        Ok(reading(
            state.buckets.get(bucket).ok_or_else(Failure::no_bucket)?,
        ))
    }

    fn discard(&self, old: Option<Object>) {
        if let Some(old) = old
            && let Err(error) = fs::remove_file(self.content().join(&old.content))
        {
            // Swept at the next start, as a file that no object names.
            tracing::warn!(%error, object = old.name, "a replaced object's bytes stay on disk");
        }
    }
}

/// How [`Store::put`] acts.
pub(crate) struct Put {
    pub(crate) conditions: Conditions,
    pub(crate) overwrite: Result<(), Failure>,
    /// The number of components, for a composed object.
    pub(crate) components: Option<u32>,
}

/// <https://cloud.google.com/storage/docs/objects#naming>
pub(crate) fn check_object_name(name: &str) -> Result<(), Failure> {
    let bad = name.is_empty()
        || name.len() > 1024
        || name == "."
        || name == ".."
        || name.contains(['\r', '\n'])
        || name.starts_with(".well-known/acme-challenge/");
    if bad {
        return Err(Failure::invalid(format!("Invalid object name: '{name}'")));
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, OpenError> {
    let read = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let read = read.map_err(|source| OpenError::io(folder, source))?;
    Ok(read.into_iter().map(|entry| entry.path()).collect())
}

/// Reads a JSON file; `None` where there is no file.
pub(crate) fn load<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, OpenError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(OpenError::io(path, source)),
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|source| OpenError::corrupt(path, source))
}

/// Writes a JSON file whole or not at all: beside it, then renamed over it.
pub(crate) fn save<T: Serialize>(path: &Path, value: &T) -> Result<(), Failure> {
    let write = || {
        let beside = path.with_extension("new");
        fs::write(&beside, serde_json::to_vec(value)?)?;
        fs::rename(&beside, path)
    };
    write().map_err(Failure::disk)
}
