use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sidestep_capabilities::StepLimits;
use sidestep_catalog::MAX_INSTANCES;
use wasmtime::ResourceLimiter;

/// What one incarnation may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all its linear memories together.
    pub memory: usize,
    /// Elements of each of its tables.
    pub table_elements: usize,
    /// Bytes that it may pass to the host in one call.
    pub call_bytes: usize,
    /// Bytes of its outputs' JSON.
    pub output_bytes: usize,
    /// How long it may go on after a cancel.
    pub grace: Duration,
    /// What it may ask of the host.
    pub step: StepLimits,
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

/// Grants a Store memory and tables, up to the limits, and remembers the first refusal.
pub(crate) struct Limiter {
    memory: usize,
    used: usize,
    table_elements: usize,
    refused: Arc<Refused>,
}

/// The memory, in bytes, that was refused; 0 if none was.
#[derive(Default)]
pub(crate) struct Refused(AtomicUsize);

impl Refused {
    pub(crate) fn get(&self) -> Option<usize> {
        Some(self.0.load(Ordering::Relaxed)).filter(|&bytes| bytes > 0)
    }
}

impl Limiter {
    pub(crate) fn new(limits: &Limits) -> (Self, Arc<Refused>) {
        let refused = Arc::new(Refused::default());
        let limiter = Self {
            memory: limits.memory,
            used: 0,
            table_elements: limits.table_elements,
            refused: Arc::clone(&refused),
        };
        (limiter, refused)
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        let used = self.used.saturating_add(more);
        // Beyond its own maximum it fails without our doing.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        if used > self.memory {
            self.refused.0.store(used, Ordering::Relaxed);
            return Ok(false);
        }
        self.used = used;
        Ok(true)
    }

    fn table_growing(
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

    #[test]
    fn all_memories_count_together() {
        let limits = Limits {
            memory: 100,
            ..Limits::default()
        };
        let (mut limiter, refused) = Limiter::new(&limits);
        let mut grow = |from, to| limiter.memory_growing(from, to, None).expect("no error");
        assert!(grow(0, 60));
        assert!(grow(0, 40));
        assert!(!grow(40, 41));
        assert_eq!(refused.get(), Some(101));
    }
}
