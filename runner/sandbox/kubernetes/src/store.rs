//! The objects, one resource version for all of them, and a bounded history for watches.

#[cfg(test)]
mod tests;
mod transaction;

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::watch;

use crate::journal::Journal;
use crate::key::Key;
use crate::status::ApiError;

pub(crate) use transaction::Transaction;

/// A write, as watches see it.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) rv: u64,
    pub(crate) key: Key,
    pub(crate) old: Option<Arc<Value>>,
    pub(crate) new: Option<Arc<Value>>,
}

/// The state behind the lock.
#[derive(Debug)]
struct Inner {
    rv: u64,
    objects: BTreeMap<Key, Arc<Value>>,
    past: VecDeque<Change>,
    /// Changes up to and including this version are no longer stored.
    forgotten: u64,
    kept: usize,
    journal: Journal,
}

impl Inner {
    /// Returns the objects of a resource, in one namespace or in all.
    fn of<'a>(
        &'a self,
        resource: &'a str,
        namespace: &'a str,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<Value>)> {
        let from = Key::new(resource, namespace, "");
        self.objects
            .range(from..)
            .take_while(move |(key, _)| key.is_of(resource, namespace))
    }
}

/// The store. Every write is on disk before it is acknowledged.
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
        // A panic while the lock is held leaves at worst a change that was not announced.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a receiver of each new resource version.
    pub(crate) fn ticks(&self) -> watch::Receiver<u64> {
        self.tick.subscribe()
    }

    pub(crate) fn version(&self) -> u64 {
        self.lock().rv
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Arc<Value>> {
        self.lock().objects.get(key).cloned()
    }

    /// Returns all objects of a resource, in one namespace or in all, and the store's version.
    pub(crate) fn list(&self, resource: &str, namespace: &str) -> (u64, Vec<Arc<Value>>) {
        let inner = self.lock();
        let items = inner.of(resource, namespace);
        let items = items.map(|(_, object)| object.clone()).collect();
        (inner.rv, items)
    }

    /// Returns every object, for the garbage collector.
    pub(crate) fn all(&self) -> Vec<(Key, Arc<Value>)> {
        self.lock()
            .objects
            .iter()
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    }

    /// Returns the changes of a resource after a version; `Err` has the oldest version that is
    /// available.
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
            .filter(|c| c.rv > version && c.key.is_of(resource, namespace))
            .cloned()
            .collect();
        Ok((inner.rv, changes))
    }

    /// Returns whether lists of this version can still be continued.
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

    /// Like [`Self::write`]; if `really` is false, everything is validated and nothing is stored.
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
