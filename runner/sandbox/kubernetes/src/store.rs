//! The objects, one resource version for all of them, and a bounded past for watches.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;

use crate::journal::{Journal, Line};
use crate::status::ApiError;

/// Where an object lies: resource, namespace (empty for cluster scope), name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) resource: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Key {
    pub(crate) fn new(resource: &str, namespace: &str, name: &str) -> Self {
        Self {
            resource: resource.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }
}

/// One write, as watches see it.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) rv: u64,
    pub(crate) key: Key,
    pub(crate) old: Option<Arc<Value>>,
    pub(crate) new: Option<Arc<Value>>,
}

#[derive(Debug)]
struct Inner {
    rv: u64,
    objects: BTreeMap<Key, Arc<Value>>,
    past: VecDeque<Change>,
    /// Changes up to and including this version are forgotten.
    forgotten: u64,
    kept: usize,
    journal: Journal,
}

/// The store. Every write is on disk before it is answered.
#[derive(Debug)]
pub(crate) struct Store {
    inner: Mutex<Inner>,
    tick: watch::Sender<u64>,
}

impl Store {
    /// Opens the state in `dir`, keeping at most `kept` changes for watches.
    pub(crate) fn open(dir: &Path, kept: usize) -> std::io::Result<Self> {
        let (journal, rv, objects) = Journal::open(dir)?;
        let objects = objects.into_iter().map(|(k, v)| (k, Arc::new(v))).collect();
        let inner = Inner {
            rv,
            objects,
            past: VecDeque::new(),
            forgotten: rv,
            kept: kept.max(1),
            journal,
        };
        Ok(Self {
            inner: Mutex::new(inner),
            tick: watch::Sender::new(rv),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic while holding it leaves at worst a change that was not announced.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Told of each new resource version.
    pub(crate) fn ticks(&self) -> watch::Receiver<u64> {
        self.tick.subscribe()
    }

    pub(crate) fn version(&self) -> u64 {
        self.lock().rv
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Arc<Value>> {
        self.lock().objects.get(key).cloned()
    }

    /// All objects of a resource, of one namespace or of all, with the version they stand at.
    pub(crate) fn list(&self, resource: &str, namespace: &str) -> (u64, Vec<Arc<Value>>) {
        let inner = self.lock();
        let from = Key::new(resource, namespace, "");
        let items = inner
            .objects
            .range(from..)
            .take_while(|(k, _)| {
                k.resource == resource && (namespace.is_empty() || k.namespace == namespace)
            })
            .map(|(_, v)| v.clone())
            .collect();
        (inner.rv, items)
    }

    /// Every object, for the collectors.
    pub(crate) fn all(&self) -> Vec<(Key, Arc<Value>)> {
        self.lock()
            .objects
            .iter()
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    }

    /// Changes of a resource after a version; `Err` names the oldest version that can be asked.
    pub(crate) fn since(
        &self,
        resource: &str,
        namespace: &str,
        version: u64,
    ) -> Result<(u64, Vec<Change>), u64> {
        let inner = self.lock();
        if version < inner.forgotten {
            return Err(inner.forgotten);
        }
        let changes = inner
            .past
            .iter()
            .filter(|c| {
                c.rv > version
                    && c.key.resource == resource
                    && (namespace.is_empty() || c.key.namespace == namespace)
            })
            .cloned()
            .collect();
        Ok((inner.rv, changes))
    }

    /// Whether lists of this version can still be continued.
    pub(crate) fn remembers(&self, version: u64) -> bool {
        version >= self.lock().forgotten
    }

    /// Reads and writes under one lock.
    pub(crate) fn write<T>(
        &self,
        f: impl FnOnce(&mut Transaction<'_>) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        self.write_if(true, f)
    }

    /// Like [`Self::write`]; with `really` false everything is judged and nothing is kept.
    pub(crate) fn write_if<T>(
        &self,
        really: bool,
        f: impl FnOnce(&mut Transaction<'_>) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let mut inner = self.lock();
        let before = inner.rv;
        let result = f(&mut Transaction {
            inner: &mut inner,
            really,
        });
        let after = inner.rv;
        drop(inner);
        if after != before {
            self.tick.send_replace(after);
        }
        result
    }
}

/// The store while it is locked for writing.
pub(crate) struct Transaction<'a> {
    inner: &'a mut Inner,
    really: bool,
}

impl Transaction<'_> {
    pub(crate) fn get(&self, key: &Key) -> Option<Arc<Value>> {
        self.inner.objects.get(key).cloned()
    }

    /// The objects of a resource in a namespace, or in all.
    pub(crate) fn list(&self, resource: &str, namespace: &str) -> Vec<(Key, Arc<Value>)> {
        self.inner
            .objects
            .iter()
            .filter(|(k, _)| {
                k.resource == resource && (namespace.is_empty() || k.namespace == namespace)
            })
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    }

    /// What a namespace holds, of every resource.
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

    /// Removes an object; its last state carries the version of the removal.
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
            // The journal alone still holds everything.
            tracing::warn!(%error, "the Kubernetes state could not be compacted");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn put(store: &Store, name: &str, data: &str) -> u64 {
        let key = Key::new("configmaps", "a", name);
        let object = json!({ "metadata": { "name": name }, "data": { "k": data } });
        let saved = store.write(|tx| tx.put(&key, object)).expect("writes");
        saved["metadata"]["resourceVersion"]
            .as_str()
            .and_then(|v| v.parse().ok())
            .expect("version")
    }

    #[test]
    fn versions_grow_and_survive_reopening() {
        let dir = tempfile::tempdir().expect("folder");
        let store = Store::open(dir.path(), 10).expect("opens");
        let first = put(&store, "x", "1");
        assert_eq!(put(&store, "x", "1"), first, "an unchanged write is none");
        let second = put(&store, "x", "2");
        assert_eq!(second, first + 1);
        put(&store, "y", "1");
        store
            .write(|tx| tx.remove(&Key::new("configmaps", "a", "y")))
            .expect("removes");
        drop(store);
        let store = Store::open(dir.path(), 10).expect("opens again");
        assert_eq!(store.version(), second + 2);
        let (_, items) = store.list("configmaps", "a");
        assert_eq!(items.len(), 1);
        assert_eq!(items[0]["data"]["k"], "2");
    }

    #[test]
    fn a_torn_last_line_is_dropped() {
        let dir = tempfile::tempdir().expect("folder");
        let store = Store::open(dir.path(), 10).expect("opens");
        put(&store, "x", "1");
        drop(store);
        let file = dir.path().join("changes.jsonl");
        let mut text = std::fs::read(&file).expect("journal");
        text.extend_from_slice(b"{\"rv\":99,\"key\":{\"res");
        std::fs::write(&file, text).expect("written");
        let store = Store::open(dir.path(), 10).expect("opens");
        assert_eq!(store.version(), 1);
        assert_eq!(put(&store, "x", "2"), 2);
        drop(store);
        assert_eq!(Store::open(dir.path(), 10).expect("opens").version(), 2);
    }

    #[test]
    fn the_past_is_bounded() {
        let dir = tempfile::tempdir().expect("folder");
        let store = Store::open(dir.path(), 3).expect("opens");
        for n in 0..6 {
            put(&store, "x", &n.to_string());
        }
        assert!(store.since("configmaps", "a", 2).is_err());
        let (_, changes) = store.since("configmaps", "a", 3).expect("kept");
        assert_eq!(changes.len(), 3);
    }
}
