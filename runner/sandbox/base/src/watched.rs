//! State behind a lock, with a count of its changes.

use std::sync::{PoisonError, RwLock};

use tokio::sync::watch;

/// State that is changed under a lock, and whose changes can be followed.
#[derive(Debug)]
pub struct Watched<T> {
    state: RwLock<T>,
    revision: watch::Sender<u64>,
}

impl<T> Watched<T> {
    /// Creates the state with a count of zero.
    pub fn new(state: T) -> Self {
        Self {
            state: RwLock::new(state),
            revision: watch::Sender::new(0),
        }
    }

    /// Reads the state.
    pub fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        // A panic in one change must not end the sandbox: the state stays as that change left it.
        look(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the state and counts the change.
    pub fn write<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let out = change(&mut self.state.write().unwrap_or_else(PoisonError::into_inner));
        self.revision.send_modify(|count| *count += 1);
        out
    }

    /// Returns a receiver of the number of changes; persist after each one.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.revision.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_writes_are_counted() {
        let state = Watched::new(1);
        let mut changes = state.changes();
        assert_eq!(state.read(|value| *value), 1);
        assert!(!changes.has_changed().unwrap());
        assert_eq!(state.write(|value| std::mem::replace(value, 2)), 1);
        assert_eq!(
            (state.read(|value| *value), *changes.borrow_and_update()),
            (2, 1)
        );
    }
}
