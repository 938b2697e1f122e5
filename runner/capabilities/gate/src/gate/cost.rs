//! Limits on the host's memory that calls use.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use sidestep_events::{Class, Failure, Owner, codes};
use tokio::sync::{Semaphore, SemaphorePermit};

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
    free: Semaphore,
    /// Memory that is kept until the incarnation ends, in units.
    kept: AtomicU64,
    /// The memory that all steps share, if they share one.
    shared: OnceLock<Arc<dyn SharedMemory>>,
}

/// A call's memory, returned when the call ends.
#[derive(Debug)]
#[must_use = "the memory is given back at once"]
pub struct Room<'m> {
    memory: &'m Memory,
    permit: SemaphorePermit<'m>,
    taken: Taken<'m>,
}

/// A call's part of the memory that all steps share.
#[derive(Debug)]
struct Taken<'m> {
    shared: Option<&'m dyn SharedMemory>,
    bytes: u64,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Some(shared) = self.shared {
            shared.give_back(self.bytes);
        }
    }
}

impl Memory {
    pub(super) fn new(limit: u64) -> Self {
        let units = usize::try_from(limit / UNIT).unwrap_or(usize::MAX);
        Self {
            limit,
            free: Semaphore::new(units.min(Semaphore::MAX_PERMITS)),
            kept: AtomicU64::new(0),
            shared: OnceLock::new(),
        }
    }

    /// Charges calls to the memory that all steps share, too.
    pub(super) fn share(&self, shared: Arc<dyn SharedMemory>) {
        let _ = self.shared.set(shared);
    }

    /// Waits until there is memory for the call. A timeout and a cancel take effect here, also for
    /// a guest that does nothing but call.
    ///
    /// Fails if the memory can never be free: the call needs more than the limit minus the memory
    /// that is kept.
    pub(super) async fn enter(&self, call: Priced) -> Result<Room<'_>, Failure> {
        let units = call.bytes.div_ceil(UNIT);
        let possible = self.limit / UNIT - self.kept.load(Ordering::Relaxed).min(self.limit / UNIT);
        let (true, Ok(units)) = (units <= possible, u32::try_from(units)) else {
            return Err(self.too_much(call));
        };
        if call.bytes >= LONG {
            tokio::task::yield_now().await;
        } else {
            tokio::task::coop::consume_budget().await;
        }
        let permit = self.free.acquire_many(units).await;
        let permit = permit.map_err(|_| Failure::bug("the host's memory of a step was closed"))?;
        Ok(Room {
            memory: self,
            permit,
            taken: self.take(call, u64::from(units) * UNIT).await?,
        })
    }

    async fn take(&self, call: Priced, bytes: u64) -> Result<Taken<'_>, Failure> {
        let shared = self
            .shared
            .get()
            .filter(|_| bytes > 0)
            .map(|shared| &**shared);
        if let Some(shared) = shared {
            let taken = shared.take(bytes).await;
            taken.map_err(|all| beyond_all(call, all))?;
        }
        Ok(Taken { shared, bytes })
    }

    fn too_much(&self, call: Priced) -> Failure {
        Failure::new(
            Class::Exhausted,
            codes::limit::HOST_MEMORY,
            Owner::Plugin,
            format!(
                "`{}` would take {} of the host's memory; a step has {} for its calls, of which {} \
                 stay in use until the plugin ends",
                call.name,
                size(call.bytes),
                size(self.limit),
                size(self.kept.load(Ordering::Relaxed) * UNIT),
            ),
        )
        .with_help("the plugin should pass less data at once, or pass large data as blobs")
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

impl Room<'_> {
    /// Keeps the memory in use until the incarnation ends, because the result of the call lives on.
    pub fn keep(self) {
        let units = self.permit.num_permits() as u64;
        self.memory.kept.fetch_add(units, Ordering::Relaxed);
        self.permit.forget();
        // Returned together with all memory of the incarnation.
        std::mem::forget(self.taken);
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
