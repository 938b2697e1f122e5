//! Objects of a bucket.

use super::{Contents, Store, now, save};
use crate::{
    conditions::{Conditions, Purpose},
    content::Incoming,
    error::ApiError,
    object::{Described, Object},
};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::{
    fs::{self, File},
    path::PathBuf,
};

impl Contents {
    /// Returns the live object, if it has that generation.
    fn object(&self, name: &str, generation: Option<i64>) -> Option<&Object> {
        let object = self.objects.get(name)?;
        generation
            .is_none_or(|wanted| wanted == object.generation)
            .then_some(object)
    }
}

impl Store {
    /// Returns the live object, if it has that generation.
    pub(crate) fn find(
        &self,
        bucket: &str,
        name: &str,
        generation: Option<i64>,
    ) -> Result<Option<Object>, ApiError> {
        let state = self.state();
        let contents = state.bucket(bucket)?;
        Ok(contents.object(name, generation).cloned())
    }

    /// Returns the object and its bytes, opened under one lock: a later overwrite or deletion does
    /// not affect the reader.
    pub(crate) fn open_object(
        &self,
        bucket: &str,
        name: &str,
        generation: Option<i64>,
    ) -> Result<Option<(Object, File)>, ApiError> {
        let state = self.state();
        let contents = state.bucket(bucket)?;
        let Some(object) = contents.object(name, generation) else {
            return Ok(None);
        };
        let file = File::open(self.content().join(&object.content)).map_err(ApiError::disk)?;
        Ok(Some((object.clone(), file)))
    }

    /// Turns the bytes into an object. `overwrite` is the result for an existing object.
    pub(crate) fn put(
        &self,
        bucket: &str,
        name: &str,
        described: Described,
        incoming: Incoming,
        options: Put,
    ) -> Result<Object, ApiError> {
        check_object_name(name)?;
        let digests = incoming.digests();
        described.verify(&digests)?;
        let mut state = self.state();
        let generation = jiff::Timestamp::now()
            .as_microsecond()
            .max(state.last_generation + 1);
        let contents = state.bucket_mut(bucket)?;
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
    ) -> Result<Object, ApiError> {
        let mut state = self.state();
        let contents = state.bucket_mut(bucket)?;
        let mut object = contents
            .object(name, generation)
            .cloned()
            .ok_or_else(|| ApiError::no_object(bucket, name))?;
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
    ) -> Result<(), ApiError> {
        let mut state = self.state();
        let contents = state.bucket_mut(bucket)?;
        let old = contents.object(name, generation);
        if old.is_none() {
            return Err(ApiError::no_object(bucket, name));
        }
        conditions.check(old, Purpose::Write)?;
        fs::remove_file(self.object_file(bucket, name)).map_err(ApiError::disk)?;
        let old = contents.objects.remove(name);
        drop(state);
        self.discard(old);
        Ok(())
    }

    fn object_file(&self, bucket: &str, name: &str) -> PathBuf {
        let file = format!("{}.json", hex::encode(Sha256::digest(name)));
        self.folder(bucket).join("objects").join(file)
    }

    fn discard(&self, old: Option<Object>) {
        if let Some(old) = old
            && let Err(error) = fs::remove_file(self.content().join(&old.content))
        {
            // The next start deletes it, as a file that no object names.
            tracing::warn!(%error, object = old.name, "a replaced object's bytes stay on disk");
        }
    }
}

/// The options of [`Store::put`].
pub(crate) struct Put {
    pub(crate) conditions: Conditions,
    pub(crate) overwrite: Result<(), ApiError>,
    /// The number of components, for a composed object.
    pub(crate) components: Option<u32>,
}

/// Checks an object's name (<https://cloud.google.com/storage/docs/objects#naming>).
pub(crate) fn check_object_name(name: &str) -> Result<(), ApiError> {
    let bad = name.is_empty()
        || name.len() > 1024
        || name == "."
        || name == ".."
        || name.contains(['\r', '\n'])
        || name.starts_with(".well-known/acme-challenge/");
    if bad {
        return Err(ApiError::invalid(format!("Invalid object name: '{name}'")));
    }
    Ok(())
}
