//! One ceiling for the memory of all incarnations of a process.
//!
//! Each incarnation has limits of its own for its guest's memory and for what the host holds for its
//! calls, but a pipeline's author says how many run side by side. So the incarnations share a room:
//! a step starts when there is room for the least that any needs, and takes more than that when
//! there is room for more; until then it waits.
//! Room for the eldest to grow to its limit is always kept, so that one can always go on to its
//! end, and those that wait for each other are none.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use sidestep_events::{Event, StepWaiting};
use sidestep_gate::{SharedMemory, StepSink};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

/// The bytes that each incarnation has from its start: a small guest's memory, its stack, and what
/// the host holds for one call of it.
pub const FLOOR: u64 = 16 << 20;

/// The memory that all incarnations of a process share.
#[derive(Debug)]
pub struct Room {
    ceiling: u64,
    /// The bytes beyond the floor that one may have.
    each: u64,
    state: Mutex<State>,
    freed: Arc<Notify>,
}

#[derive(Debug, Default)]
struct State {
    taken: u64,
    next: u64,
    /// What each incarnation has; the eldest is the first.
    shares: BTreeMap<u64, Held>,
}

/// The bytes that an incarnation has.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    /// Of its guest's memories.
    guest: u64,
    /// Of the host's memory, for its calls.
    calls: u64,
}

impl Held {
    /// What it takes of the room: its floor is taken when it is admitted.
    fn beyond_floor(self) -> u64 {
        self.guest.saturating_add(self.calls).saturating_sub(FLOOR)
    }
}

/// An incarnation's floor, given back when it is dropped.
#[derive(Debug)]
pub struct Admitted(Arc<Room>);

/// What an incarnation has beyond its floor, given back when it is dropped.
pub(crate) struct Share {
    room: Arc<Room>,
    id: u64,
    sink: Arc<dyn StepSink>,
}

/// An incarnation wants more than it could have alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Beyond {
    /// The room's ceiling, in bytes.
    pub(crate) ceiling: u64,
}

impl Room {
    /// Makes a room of `ceiling` bytes for incarnations of at most `limit` bytes each, of guests and
    /// calls together.
    pub fn new(ceiling: u64, limit: u64) -> Arc<Self> {
        Arc::new(Self {
            ceiling,
            each: limit.min(ceiling).saturating_sub(FLOOR),
            state: Mutex::default(),
            freed: Arc::default(),
        })
    }

    /// Returns the most bytes that all incarnations have together.
    pub fn ceiling(&self) -> u64 {
        self.ceiling
    }

    /// Takes the floor of an incarnation that is to start. Where there is no room for it, answers
    /// what completes when there may be.
    pub fn admit(self: &Arc<Self>) -> Result<Admitted, OwnedNotified> {
        // Made before it is looked, so that nothing is missed in between.
        let freed = Arc::clone(&self.freed).notified_owned();
        let mut state = self.lock();
        let kept = self.each - state.eldest().map_or(0, |(_, has)| has);
        if state.taken + FLOOR + kept > self.ceiling {
            return Err(freed);
        }
        state.taken += FLOOR;
        Ok(Admitted(Arc::clone(self)))
    }

    /// Adds an incarnation, which has its floor. When it waits, `sink` is told.
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
    /// Takes what guest memories of so many bytes in all need; waits until there is room.
    pub(crate) async fn hold(&self, bytes: u64) -> Result<(), Beyond> {
        let grow = |has: Held| Held {
            guest: has.guest.max(bytes),
            ..has
        };
        self.change(grow).await
    }

    /// Waits until there is room for what the incarnation is to have then; says so once.
    async fn change(&self, to: impl Fn(Held) -> Held + Send) -> Result<(), Beyond> {
        let mut told = false;
        loop {
            // Made before it is looked, so that nothing is missed in between.
            let freed = self.room.freed.notified();
            if self.try_change(&to)? {
                return Ok(());
            }
            if !told {
                told = true;
                self.sink.event(Event::StepWaiting(StepWaiting {
                    reason: format!(
                        "the step needs more memory, and other steps have what there is: {} MiB \
                         for all (setting `memory`)",
                        self.room.ceiling >> 20
                    )
                    .into(),
                }));
            }
            freed.await;
        }
    }

    /// Whether there was room.
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
