//! A copy of the objects of one watch.

use std::collections::BTreeMap;

use kube::ResourceExt;
use kube::runtime::watcher::Event;

/// The objects of one watch by their uid, so that a recreated object is another one.
#[derive(Debug)]
pub(crate) struct Mirror<T> {
    objects: BTreeMap<String, T>,
    /// The objects of a list that is not complete yet.
    listed: BTreeMap<String, T>,
    current: bool,
}

impl<T> Default for Mirror<T> {
    fn default() -> Self {
        Self {
            objects: BTreeMap::new(),
            listed: BTreeMap::new(),
            current: false,
        }
    }
}

impl<T> Mirror<T> {
    /// Returns whether the copy follows the objects. After a lost watch it may be old until the next
    /// list is complete.
    pub(crate) fn is_current(&self) -> bool {
        self.current
    }

    pub(crate) fn objects(&self) -> impl Iterator<Item = &T> {
        self.objects.values()
    }

    pub(crate) fn has(&self, uid: &str) -> bool {
        self.objects.contains_key(uid)
    }

    /// Applies an event of the watch, or its loss.
    pub(crate) fn apply<K: ResourceExt>(&mut self, event: Option<Event<K>>, read: fn(&K) -> T) {
        let id = |object: &K| object.uid().unwrap_or_default();
        match event {
            None => self.current = false,
            Some(Event::Init) => self.listed.clear(),
            Some(Event::InitApply(object)) => {
                self.listed.insert(id(&object), read(&object));
            }
            Some(Event::InitDone) => {
                self.objects = std::mem::take(&mut self.listed);
                self.current = true;
            }
            Some(Event::Apply(object)) => {
                self.objects.insert(id(&object), read(&object));
            }
            Some(Event::Delete(object)) => {
                self.objects.remove(&id(&object));
            }
        }
    }
}
