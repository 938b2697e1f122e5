//! Limits on the host's memory that calls use.

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use sidestep_events::{Class, Failure, Owner, codes};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The unit in which memory is counted, in bytes.
const UNIT: u64 = 1 << 10;
/// A call of at least this many bytes yields to others first, whatever is left of its turn.
const LONG: u64 = 1 << 20;

/// One call of a host function, with its price in bytes of the host's memory.
///
/// Only the table of [`functions`](super::functions) creates one, and the gate accepts nothing
/// else, so no function can omit its price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Priced {
    pub(super) name: &'static str,
    pub(super) bytes: u64,
}

/// A host function whose price grows with the bytes that a call brings or requests.
#[derive(Debug, Clone, Copy)]
pub struct PerByte {
    pub(super) name: &'static str,
    pub(super) factor: u64,
}

impl PerByte {
    /// Returns the price of a call that brings, or requests, this many bytes.
    pub fn of(self, bytes: impl TryInto<u64>) -> Priced {
        let bytes = bytes.try_into().unwrap_or(u64::MAX);
        Priced {
            name: self.name,
            bytes: bytes.saturating_mul(self.factor),
        }
    }
}

/// The way to compute a function's price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Price {
    /// Nothing: the answer is a few bytes that exist anyway.
    Nothing,
    /// At most this many bytes, by limits of the function itself.
    AtMost(u64),
    /// This many bytes for each byte that a call brings or requests.
    PerByte(u64),
}

/// The memory that all steps of a process share, seen from one step.
#[async_trait]
pub trait SharedMemory: std::fmt::Debug + Send + Sync {
    /// Waits until this many more bytes are free, and takes them.
    ///
    /// Fails with the limit of all steps together, in bytes, if the request could not be met even
    /// if the step were alone.
    async fn take(&self, bytes: u64) -> Result<(), u64>;

    /// Gives this many bytes back.
    fn give_back(&self, bytes: u64);
}

/// The host memory that the calls of one incarnation share.
#[derive(Debug)]
pub(super) struct Memory {
    limit: u64,
    /// Memory that no call uses now, in units.
    free: Arc<Semaphore>,
    /// Memory of the results of a list that is not complete, in units.
    results: AtomicU64,
    /// Notifies items of a list that memory was given back.
    given_back: Notify,
    /// Memory that is kept until the incarnation ends, in units.
    kept: AtomicU64,
    /// Memory that belongs to handles, in units.
    handles: AtomicU64,
    /// The memory that all steps share, if they share one.
    shared: OnceLock<Arc<dyn SharedMemory>>,
}

/// A call's memory, returned when the call ends.
#[derive(Debug)]
#[must_use = "the memory is given back at once"]
pub struct Room {
    permit: OwnedSemaphorePermit,
    taken: Taken,
    // Dropped last, when the memory is free.
    memory: GivesBack,
}

/// A call's part of the memory that all steps share.
#[derive(Debug, Default)]
struct Taken {
    shared: Option<Arc<dyn SharedMemory>>,
    bytes: u64,
}

impl Drop for Taken {
    fn drop(&mut self) {
        if let Some(shared) = &self.shared {
            shared.give_back(self.bytes);
        }
    }
}

/// The memory that a room belongs to, and notifies at its end.
#[derive(Debug)]
struct GivesBack {
    memory: Arc<Memory>,
    /// The units that hold the result of a list's item.
    result: u64,
    /// The units that a handle keeps.
    handle: u64,
}

impl Drop for GivesBack {
    fn drop(&mut self) {
        let Self {
            memory,
            result,
            handle,
        } = self;
        memory.results.fetch_sub(*result, Ordering::Relaxed);
        memory.handles.fetch_sub(*handle, Ordering::Relaxed);
        memory.given_back.notify_waiters();
    }
}

impl Memory {
    pub(super) fn new(limit: u64) -> Arc<Self> {
        let units = usize::try_from(limit / UNIT).unwrap_or(usize::MAX);
        Arc::new(Self {
            limit,
            free: Arc::new(Semaphore::new(units.min(Semaphore::MAX_PERMITS))),
            kept: AtomicU64::new(0),
            handles: AtomicU64::new(0),
            results: AtomicU64::new(0),
            given_back: Notify::new(),
            shared: OnceLock::new(),
        })
    }

    /// Charges calls to the memory that all steps share, too.
    pub(super) fn share(&self, shared: Arc<dyn SharedMemory>) {
        let _ = self.shared.set(shared);
    }

    /// Waits until there is memory for the call. A timeout and a cancel take effect here, also for
    /// a guest that does nothing but call.
    ///
    /// Fails if the memory would not be free without the guest: the call needs more than the limit
    /// minus the memory that is kept or belongs to handles.
    pub(super) async fn enter(self: &Arc<Self>, call: Priced) -> Result<Room, Failure> {
        let units = self.possible(call)?;
        yield_for(call).await;
        let permit = Arc::clone(&self.free).acquire_many_owned(units).await;
        let permit = permit.map_err(|_| Failure::bug("the host's memory of a step was closed"))?;
        self.room(call, permit).await
    }

    /// Like [`enter`](Self::enter), for an item of a list. The results of the list's other items
    /// stay in use until the list is complete, so waiting for them would never end.
    pub(super) async fn enter_item(self: &Arc<Self>, call: Priced) -> Result<Room, Failure> {
        yield_for(call).await;
        loop {
            // Registered before the check, so that no notification is missed.
            let mut given_back = pin!(self.given_back.notified());
            given_back.as_mut().enable();
            let units = self.possible(call)?;
            if let Ok(permit) = Arc::clone(&self.free).try_acquire_many_owned(units) {
                return self.room(call, permit).await;
            }
            given_back.await;
        }
    }

    /// Returns the units of a call, if there can be so many.
    fn possible(&self, call: Priced) -> Result<u32, Failure> {
        let units = call.bytes.div_ceil(UNIT);
        let all = self.limit / UNIT;
        let used = [&self.kept, &self.handles, &self.results];
        let used: u64 = used.iter().map(|units| units.load(Ordering::Relaxed)).sum();
        match u32::try_from(units) {
            Ok(few) if units <= all.saturating_sub(used) => Ok(few),
            _ => Err(self.too_much(call)),
        }
    }

    async fn room(
        self: &Arc<Self>,
        call: Priced,
        permit: OwnedSemaphorePermit,
    ) -> Result<Room, Failure> {
        let bytes = permit.num_permits() as u64 * UNIT;
        let mut room = Room {
            permit,
            taken: Taken::default(),
            memory: GivesBack {
                memory: Arc::clone(self),
                result: 0,
                handle: 0,
            },
        };
        if let Some(shared) = self.shared.get().filter(|_| bytes > 0) {
            let taken = shared.take(bytes).await;
            taken.map_err(|all| beyond_all(call, all))?;
            room.taken = Taken {
                shared: Some(Arc::clone(shared)),
                bytes,
            };
        }
        Ok(room)
    }

    fn too_much(&self, call: Priced) -> Failure {
        Failure::new(
            Class::Exhausted,
            codes::limit::HOST_MEMORY,
            Owner::Plugin,
            format!(
                "`{}` would take {} of the host's memory; a step has {} for its calls, of which {} \
                 stay in use until the plugin ends{}{}",
                call.name,
                size(call.bytes),
                size(self.limit),
                size(self.kept.load(Ordering::Relaxed) * UNIT),
                part(&self.handles, "belong to its handles"),
                part(&self.results, "hold the list's other results"),
            ),
        )
        .with_help("the plugin should pass less data at once, or pass large data as blobs")
    }
}

/// Returns the part of a message for some units of memory; empty if there are none.
fn part(units: &AtomicU64, what: &str) -> String {
    match units.load(Ordering::Relaxed) {
        0 => String::new(),
        units => format!(", and {} {what}", size(units * UNIT)),
    }
}

fn beyond_all(call: Priced, all: u64) -> Failure {
    Failure::new(
        Class::Exhausted,
        codes::limit::HOST_MEMORY,
        Owner::Operator,
        format!(
            "`{}` would take {} of the host's memory, and all steps together have {}",
            call.name,
            size(call.bytes),
            size(all),
        ),
    )
    .with_help("raise `memory` in the settings, or give the runner a larger machine")
}

/// Lets others run before a call.
async fn yield_for(call: Priced) {
    if call.bytes >= LONG {
        tokio::task::yield_now().await;
    } else {
        tokio::task::coop::consume_budget().await;
    }
}

impl Room {
    /// Keeps the memory in use until the incarnation ends, because the result of the call lives on.
    pub fn keep(mut self) {
        let units = self.permit.num_permits() as u64;
        self.memory.memory.kept.fetch_add(units, Ordering::Relaxed);
        self.permit.forget();
        // The incarnation's own share gives them back at its end.
        self.taken.bytes = 0;
    }

    /// Marks the memory as that of a handle, which returns it when it is dropped: no call waits for
    /// it, because only the guest can drop the handle.
    pub fn of_handle(mut self) -> Self {
        let units = self.permit.num_permits() as u64;
        let all = &self.memory.memory.handles;
        all.fetch_add(units - self.memory.handle, Ordering::Relaxed);
        self.memory.handle = units;
        self
    }

    /// Gives back all but the memory of the call's result, which is an item of a list. Returns the
    /// bytes of the result that are beyond the room.
    pub(super) fn hold_result(&mut self, bytes: u64) -> u64 {
        let had = self.permit.num_permits();
        let units = usize::try_from(bytes.div_ceil(UNIT)).map_or(had, |units| units.min(had));
        drop(self.permit.split(had - units));
        let (units, less) = (units as u64, (had - units) as u64 * UNIT);
        if let Some(shared) = &self.taken.shared {
            shared.give_back(less);
        }
        self.taken.bytes = self.taken.bytes.saturating_sub(less);
        self.memory.result = units;
        let memory = &self.memory.memory;
        memory.results.fetch_add(units, Ordering::Relaxed);
        memory.given_back.notify_waiters();
        bytes.saturating_sub(units * UNIT)
    }
}

/// Formats a size in the largest unit of which there is at least one.
fn size(bytes: u64) -> String {
    match bytes {
        bytes if bytes >= 1 << 20 => format!("{} MiB", bytes >> 20),
        bytes if bytes >= 1 << 10 => format!("{} KiB", bytes >> 10),
        bytes => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    const READ: PerByte = PerByte {
        name: "read",
        factor: 1,
    };

    #[tokio::test]
    async fn a_call_waits_for_the_room_of_another() {
        let memory = Memory::new(8 << 10);
        let first = memory.enter(READ.of(6_u64 << 10)).await.expect("room");
        let mut second = Box::pin(memory.enter(READ.of(4_u64 << 10)));
        assert!((&mut second).now_or_never().is_none());
        drop(first);
        assert!(second.await.is_ok());
    }

    #[tokio::test]
    async fn what_can_never_have_room_fails_at_once() {
        let memory = Memory::new(8 << 10);
        memory
            .enter(READ.of(6_u64 << 10))
            .await
            .expect("room")
            .keep();
        let failure = memory.enter(READ.of(4_u64 << 10)).await.expect_err("none");
        assert_eq!(
            (failure.class, failure.code.exact()),
            (Class::Exhausted, "limit.host-memory")
        );
        assert_eq!(
            failure.message.exact(),
            "`read` would take 4 KiB of the host's memory; a step has 8 KiB for its calls, of \
             which 6 KiB stay in use until the plugin ends"
        );
        assert!(memory.enter(READ.of(u64::MAX)).await.is_err());
    }

    /// A shared memory of this many bytes, and no more.
    #[derive(Debug)]
    struct Few(AtomicU64);

    #[async_trait]
    impl SharedMemory for Few {
        async fn take(&self, bytes: u64) -> Result<(), u64> {
            let left = self.0.load(Ordering::Relaxed);
            self.0
                .store(left.checked_sub(bytes).ok_or(left)?, Ordering::Relaxed);
            Ok(())
        }

        fn give_back(&self, bytes: u64) {
            self.0.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    #[tokio::test]
    async fn what_all_steps_share_is_taken_from_and_given_back() {
        let memory = Memory::new(64 << 10);
        let few = Arc::new(Few(AtomicU64::new(8 << 10)));
        memory.share(few.clone());
        let call = memory.enter(READ.of(6_u64 << 10)).await.expect("room");
        assert_eq!(few.0.load(Ordering::Relaxed), 2 << 10);
        let failure = memory.enter(READ.of(4_u64 << 10)).await.expect_err("none");
        assert_eq!(failure.owner, Owner::Operator);
        drop(call);
        let kept = memory.enter(READ.of(4_u64 << 10)).await.expect("room");
        kept.keep();
        assert_eq!(few.0.load(Ordering::Relaxed), 4 << 10);
    }

    #[tokio::test]
    async fn what_is_kept_ends_with_the_incarnation() {
        let memory = Memory::new(64 << 10);
        let few = Arc::new(Few(AtomicU64::new(8 << 10)));
        memory.share(few.clone());
        let kept = memory.enter(READ.of(4_u64 << 10)).await.expect("room");
        kept.keep();
        let handle = memory.enter(READ.of(1_u64 << 10)).await.expect("room");
        drop(handle.of_handle());
        // What is kept is given back by the share itself when it is dropped.
        assert_eq!(few.0.load(Ordering::Relaxed), 4 << 10);
        drop(memory);
        assert_eq!(Arc::strong_count(&few), 1);
    }

    #[tokio::test]
    async fn a_handles_memory_is_waited_for_by_nobody_and_given_back_with_it() {
        let memory = Memory::new(8 << 10);
        let handle = memory.enter(READ.of(6_u64 << 10)).await.expect("room");
        let handle = handle.of_handle();
        let failure = memory.enter(READ.of(4_u64 << 10)).await.expect_err("none");
        let message = failure.message.exact();
        assert!(
            message.ends_with("plugin ends, and 6 KiB belong to its handles"),
            "{message}"
        );
        drop(handle);
        assert!(memory.enter(READ.of(8_u64 << 10)).await.is_ok());
    }

    #[tokio::test]
    async fn a_guest_that_does_nothing_but_call_lets_others_run() {
        let memory = Memory::new(8 << 10);
        let calls = async {
            for _ in 0..10_000 {
                drop(memory.enter(READ.of(0_u64)).await);
            }
        };
        assert!(calls.now_or_never().is_none());
        let long = Memory::new(LONG);
        assert!(long.enter(READ.of(LONG)).now_or_never().is_none());
    }
}
