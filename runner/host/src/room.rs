//! Limits the memory of all incarnations of a process together.
//!
//! Each incarnation has its own limits on its guest's memory and on the host's memory for its
//! calls, but the pipeline's author decides how many run in parallel. So the incarnations share a
//! room. A step starts when there is room for the minimum that each one needs, and takes more when
//! there is room for more; until then it waits.
//!
//! The room that the oldest incarnation needs to grow to its limit is always reserved. So one of
//! them can always run to its end, and there is no deadlock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use sidestep_events::{Event, StepWaiting};
use sidestep_gate::{SharedMemory, StepSink};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

/// The bytes that each incarnation has from its start: for a small guest's memory, its stack, and
/// the host's memory for one call.
pub const FLOOR: u64 = 16 << 20;

/// The memory that all incarnations of a process share.
#[derive(Debug)]
pub struct Room {
    ceiling: u64,
    /// The maximum number of bytes beyond the floor for one incarnation.
    each: u64,
    state: Mutex<State>,
    freed: Arc<Notify>,
}

#[derive(Debug, Default)]
struct State {
    taken: u64,
    next: u64,
    /// The bytes of each incarnation; the oldest comes first.
    shares: BTreeMap<u64, Held>,
}

/// The bytes that an incarnation holds.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    /// The guest's memories.
    guest: u64,
    /// The host's memory for the guest's calls.
    calls: u64,
}

impl Held {
    /// Returns the bytes beyond the floor, which was taken at admission.
    fn beyond_floor(self) -> u64 {
        self.guest.saturating_add(self.calls).saturating_sub(FLOOR)
    }
}

/// An incarnation's floor. Dropping it releases the memory.
#[derive(Debug)]
pub struct Admitted(Arc<Room>);

/// An incarnation's memory beyond its floor. Dropping it releases the memory.
pub(crate) struct Share {
    room: Arc<Room>,
    id: u64,
    sink: Arc<dyn StepSink>,
}

/// The error when an incarnation wants more than it could have alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Beyond {
    /// The room's limit, in bytes.
    pub(crate) ceiling: u64,
}

impl Room {
    /// Creates a room of `ceiling` bytes for incarnations of at most `limit` bytes each, for guests
    /// and calls together.
    pub fn new(ceiling: u64, limit: u64) -> Arc<Self> {
        Arc::new(Self {
            ceiling,
            each: limit.min(ceiling).saturating_sub(FLOOR),
            state: Mutex::default(),
            freed: Arc::default(),
        })
    }

    /// Returns the maximum number of bytes for all incarnations together.
    pub fn ceiling(&self) -> u64 {
        self.ceiling
    }

    /// Takes the floor of an incarnation that is about to start. If there is no room, returns a
    /// future that completes when it is worth trying again.
    pub fn admit(self: &Arc<Self>) -> Result<Admitted, OwnedNotified> {
        // Registered before the check, so that no notification is missed.
        let freed = Arc::clone(&self.freed).notified_owned();
        let mut state = self.lock();
        let kept = self.each - state.eldest().map_or(0, |(_, has)| has);
        if state.taken + FLOOR + kept > self.ceiling {
            return Err(freed);
        }
        state.taken += FLOOR;
        Ok(Admitted(Arc::clone(self)))
    }

    /// Adds an incarnation that has its floor. Its waits are reported to `sink`.
    pub(crate) fn join(self: &Arc<Self>, sink: Arc<dyn StepSink>) -> Share {
        let mut state = self.lock();
        let id = state.next;
        state.next += 1;
        state.shares.insert(id, Held::default());
        Share {
            room: Arc::clone(self),
            id,
            sink,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn eldest(&self) -> Option<(u64, u64)> {
        let eldest = self.shares.first_key_value();
        eldest.map(|(id, has)| (*id, has.beyond_floor()))
    }
}

impl Share {
    /// Takes room for guest memories of `bytes` bytes in all, and waits until there is room.
    pub(crate) async fn hold(&self, bytes: u64) -> Result<(), Beyond> {
        let grow = |has: Held| Held {
            guest: has.guest.max(bytes),
            ..has
        };
        self.change(grow).await
    }

    /// Waits until there is room for the incarnation's new total. The wait is reported once.
    async fn change(&self, to: impl Fn(Held) -> Held + Send) -> Result<(), Beyond> {
        let mut told = false;
        loop {
            // Registered before the check, so that no notification is missed.
            let freed = self.room.freed.notified();
            if self.try_change(&to)? {
                return Ok(());
            }
            if !told {
                told = true;
                self.sink.event(Event::StepWaiting(StepWaiting {
                    reason: format!(
                        "the step needs more memory, but other steps use all of it: {} MiB for \
                         all steps (setting `memory`)",
                        self.room.ceiling >> 20
                    )
                    .into(),
                }));
            }
            freed.await;
        }
    }

    /// Tries to change the incarnation's total, and returns whether there was room.
    fn try_change(&self, to: impl Fn(Held) -> Held) -> Result<bool, Beyond> {
        let room = &*self.room;
        let mut state = room.lock();
        let has = state.shares.get(&self.id).copied().unwrap_or_default();
        let wanted = to(has);
        if wanted.beyond_floor() > room.each {
            let ceiling = room.ceiling;
            return Err(Beyond { ceiling });
        }
        let kept = match state.eldest() {
            Some((eldest, has)) if eldest != self.id => room.each - has,
            _ => 0,
        };
        let more = wanted.beyond_floor().saturating_sub(has.beyond_floor());
        if more > 0 && state.taken + more + kept > room.ceiling {
            return Ok(false);
        }
        state.taken += more;
        state.shares.insert(self.id, wanted);
        Ok(true)
    }
}

#[async_trait]
impl SharedMemory for Share {
    async fn take(&self, bytes: u64) -> Result<(), u64> {
        let add = |has: Held| Held {
            calls: has.calls.saturating_add(bytes),
            ..has
        };
        self.change(add).await.map_err(|beyond| beyond.ceiling)
    }

    fn give_back(&self, bytes: u64) {
        let mut state = self.room.lock();
        let Some(held) = state.shares.get_mut(&self.id) else {
            return;
        };
        let had = held.beyond_floor();
        held.calls = held.calls.saturating_sub(bytes);
        let less = had - held.beyond_floor();
        state.taken -= less;
        drop(state);
        if less > 0 {
            self.room.freed.notify_waiters();
        }
    }
}

impl std::fmt::Debug for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Share")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.0.lock().taken -= FLOOR;
        self.0.freed.notify_waiters();
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut state = self.room.lock();
        let has = state.shares.remove(&self.id).unwrap_or_default();
        state.taken -= has.beyond_floor();
        drop(state);
        self.room.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::Waits;
