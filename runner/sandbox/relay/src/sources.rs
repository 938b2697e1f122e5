//! The number of connections of each address, so that one pod leaves room for the others.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The maximum number of connections of one address at once.
pub(crate) const SHARE: usize = 128;

/// The open connections by their source addresses. The clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One connection of an address, until it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    sources: Sources,
    source: IpAddr,
}

impl Sources {
    /// Counts a connection of an address; `None` if it has as many as it may.
    pub(crate) fn share_of(&self, source: IpAddr) -> Option<Share> {
        let mut all = self.all();
        let open = all.entry(source).or_default();
        if *open == SHARE {
            return None;
        }
        *open += 1;
        Some(Share {
            sources: self.clone(),
            source,
        })
    }

    fn all(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut all = self.sources.all();
        if let Some(open) = all.get_mut(&self.source) {
            *open -= 1;
            if *open == 0 {
                all.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_its_share_and_gets_it_back() {
        let (sources, one, other) = (Sources::default(), [10, 0, 0, 1], [10, 0, 0, 2]);
        let mut open: Vec<Share> = (0..SHARE)
            .map(|_| sources.share_of(one.into()).expect("room"))
            .collect();
        assert!(sources.share_of(one.into()).is_none());
        assert!(sources.share_of(other.into()).is_some());
        open.pop();
        assert!(sources.share_of(one.into()).is_some());
        open.clear();
        assert!(sources.all().is_empty());
    }
}
