//! Writes to the store.

use std::sync::Arc;

use serde_json::Value;

use super::{Change, Inner};
use crate::journal::Line;
use crate::key::Key;
use crate::status::ApiError;

/// The store while it is locked for writing.
pub(crate) struct Transaction<'a> {
    pub(super) inner: &'a mut Inner,
    /// If false, everything is validated and nothing is stored.
    pub(super) really: bool,
}

impl Transaction<'_> {
    pub(crate) fn get(&self, key: &Key) -> Option<Arc<Value>> {
        self.inner.objects.get(key).cloned()
    }

    /// Returns the objects of a resource, in one namespace or in all.
    pub(crate) fn list(&self, resource: &str, namespace: &str) -> Vec<(Key, Arc<Value>)> {
        self.inner
            .of(resource, namespace)
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    }

    /// Returns the keys of all objects in a namespace.
    pub(crate) fn list_namespace(&self, namespace: &str) -> Vec<Key> {
        self.inner
            .objects
            .keys()
            .filter(|k| k.namespace == namespace)
            .cloned()
            .collect()
    }

    /// Writes an object under the next version; unchanged content is not a write.
    pub(crate) fn put(&mut self, key: &Key, mut object: Value) -> Result<Arc<Value>, ApiError> {
        let old = self.inner.objects.get(key).cloned();
        if let Some(old) = &old {
            object["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"].clone();
            if **old == object {
                return Ok(old.clone());
            }
        }
        if !self.really {
            return Ok(Arc::new(object));
        }
        let rv = self.inner.rv + 1;
        object["metadata"]["resourceVersion"] = rv.to_string().into();
        let object = Arc::new(object);
        self.commit(Change {
            rv,
            key: key.clone(),
            old,
            new: Some(object.clone()),
        })?;
        Ok(object)
    }

    /// Removes an object. Its last state has the version of the removal.
    pub(crate) fn remove(&mut self, key: &Key) -> Result<Option<Arc<Value>>, ApiError> {
        let Some(old) = self.inner.objects.get(key).cloned() else {
            return Ok(None);
        };
        if !self.really {
            return Ok(Some(old));
        }
        let rv = self.inner.rv + 1;
        let mut last = (*old).clone();
        last["metadata"]["resourceVersion"] = rv.to_string().into();
        let last = Arc::new(last);
        self.commit(Change {
            rv,
            key: key.clone(),
            old: Some(last.clone()),
            new: None,
        })?;
        Ok(Some(last))
    }

    fn commit(&mut self, change: Change) -> Result<(), ApiError> {
        let inner = &mut *self.inner;
        let line = Line {
            rv: change.rv,
            key: &change.key,
            object: change.new.as_deref(),
        };
        inner.journal.append(&line).map_err(|error| {
            ApiError::internal(format!(
                "the sandbox cannot save its Kubernetes objects: {error}"
            ))
        })?;
        inner.rv = change.rv;
        match &change.new {
            Some(object) => inner.objects.insert(change.key.clone(), object.clone()),
            None => inner.objects.remove(&change.key),
        };
        inner.past.push_back(change);
        while inner.past.len() > inner.kept {
            if let Some(gone) = inner.past.pop_front() {
                inner.forgotten = gone.rv;
            }
        }
        if inner.journal.wants_snapshot()
            && let Err(error) = inner.journal.snapshot(inner.rv, &inner.objects)
        {
            // The journal alone still has all changes.
            tracing::warn!(%error, "the Kubernetes state could not be compacted");
        }
        Ok(())
    }
}
