use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use sidestep_catalog::MAX_INSTANCES;
use sidestep_gate::StepLimits;
use wasmtime::ResourceLimiterAsync;

use crate::room::Share;

/// The limits on one incarnation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The maximum size of all its linear memories together, in bytes.
    pub memory: usize,
    /// The maximum number of elements in each of its tables.
    pub table_elements: usize,
    /// The maximum number of bytes that it may pass to the host in one call.
    pub call_bytes: usize,
    /// The maximum size of its outputs, in bytes of JSON.
    pub output_bytes: usize,
    /// The grace period after it was cancelled.
    pub grace: Duration,
    /// The limits on what it may ask of the host.
    pub step: StepLimits,
}

impl Limits {
    /// Returns how many bytes of the shared memory one incarnation may use: its guest's memories,
    /// and the host's memory for its calls.
    pub fn together(&self) -> u64 {
        (self.memory as u64).saturating_add(self.step.host_memory)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 256 << 20,
            table_elements: 100_000,
            call_bytes: 16 << 20,
            output_bytes: 1 << 20,
            grace: Duration::from_secs(10),
            step: StepLimits::default(),
        }
    }
}

/// Grants memory and tables to a Store up to the limits, and remembers the first refusal.
pub(crate) struct Limiter {
    memory: usize,
    used: usize,
    table_elements: usize,
    refused: Arc<Refused>,
    share: Arc<Share>,
}

/// The first refusal of memory, if there was one.
#[derive(Debug, Default)]
pub(crate) struct Refused(OnceLock<MemoryRefusal>);

/// A refusal of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MemoryRefusal {
    /// The total size of the incarnation's memories that was requested, in bytes.
    pub(crate) wanted: usize,
    /// The maximum size, in bytes.
    pub(crate) most: u64,
    /// Whether that is the limit on all steps together, not the limit on each.
    pub(crate) of_all: bool,
}

impl Refused {
    pub(crate) fn get(&self) -> Option<MemoryRefusal> {
        self.0.get().copied()
    }

    fn set(&self, wanted: usize, most: u64, of_all: bool) {
        let _ = self.0.set(MemoryRefusal {
            wanted,
            most,
            of_all,
        });
    }
}

impl Limiter {
    pub(crate) fn new(limits: &Limits, share: Arc<Share>) -> (Self, Arc<Refused>) {
        let refused = Arc::new(Refused::default());
        let limiter = Self {
            memory: limits.memory,
            used: 0,
            table_elements: limits.table_elements,
            refused: Arc::clone(&refused),
            share,
        };
        (limiter, refused)
    }
}

#[async_trait]
impl ResourceLimiterAsync for Limiter {
    async fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        let used = self.used.saturating_add(more);
        // Beyond the memory's own maximum, growing fails without the limiter.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        if used > self.memory {
            self.refused.set(used, self.memory as u64, false);
            return Ok(false);
        }
        if let Err(beyond) = self.share.hold(used as u64).await {
            self.refused.set(used, beyond.ceiling, true);
            return Ok(false);
        }
        self.used = used;
        Ok(true)
    }

    async fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= self.table_elements && maximum.is_none_or(|maximum| desired <= maximum))
    }

    fn instances(&self) -> usize {
        MAX_INSTANCES
    }

    fn tables(&self) -> usize {
        100
    }

    fn memories(&self) -> usize {
        20
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room::{Room, Waits};

    fn limiter(memory: usize, room: &Arc<Room>) -> (Limiter, Arc<Refused>, Arc<Waits>) {
        let limits = Limits {
            memory,
            ..Limits::default()
        };
        let waits = Arc::new(Waits::default());
        let (limiter, refused) = Limiter::new(&limits, Arc::new(room.join(waits.clone())));
        (limiter, refused, waits)
    }

    #[tokio::test]
    async fn all_memories_count_together() {
        let room = Room::new(1 << 30, 100);
        let (mut limiter, refused, _) = limiter(100, &room);
        let mut grow = async |from, to| {
            let grown = limiter.memory_growing(from, to, None).await;
            grown.expect("no error")
        };
        assert!(grow(0, 60).await);
        assert!(grow(0, 40).await);
        assert!(!grow(40, 41).await);
        let refusal = MemoryRefusal {
            wanted: 101,
            most: 100,
            of_all: false,
        };
        assert_eq!(refused.get(), Some(refusal));
    }

    #[tokio::test]
    async fn growth_waits_for_another_s_end_and_more_than_all_is_refused() {
        const MIB: usize = 1 << 20;
        let room = Room::new(128 << 20, 256 << 20);
        let (mut first, ..) = limiter(256 * MIB, &room);
        let (mut second, refused, waits) = limiter(256 * MIB, &room);
        let grown = first.memory_growing(0, 100 * MIB, None).await;
        assert!(grown.expect("no error"));
        let mut growing = Box::pin(second.memory_growing(0, 100 * MIB, None));
        assert!(futures::poll!(&mut growing).is_pending());
        drop(first);
        assert!(growing.await.expect("no error"));
        assert_eq!(waits.count(), 1);
        assert_eq!(refused.get(), None);
        let grown = second.memory_growing(100 * MIB, 200 * MIB, None).await;
        assert!(!grown.expect("no error"));
        assert!(refused.get().is_some_and(|refusal| refusal.of_all));
    }
}
