use std::sync::Arc;

use wasmtime::ResourceLimiterAsync;
use wasmtime::component::ResourceTable;

use crate::panicked::Panicked;
use crate::talk::Talk;
use crate::{Gate, Services, SharedMemory, StepContext};

/// The limits of one incarnation's use of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepLimits {
    /// The number of host calls.
    pub host_calls: u64,
    /// The number of bytes of the host's memory that its calls use at the same time, or keep.
    pub host_memory: u64,
    /// The number of bytes of this machine's disk that its blobs use at the same time.
    pub disk: u64,
    /// The number of handles that exist at the same time.
    pub handles: usize,
    /// The number of bytes of log lines.
    pub log_bytes: u64,
}

impl Default for StepLimits {
    fn default() -> Self {
        Self {
            host_calls: 1_000_000,
            host_memory: 64 << 20,
            disk: 8 << 30,
            handles: 10_000,
            log_bytes: 128 << 20,
        }
    }
}

/// The host's state beside one Store: the data of every capability's functions.
pub struct StepState {
    /// The context of the incarnation.
    pub step: Arc<StepContext>,
    /// The gate that its calls pass.
    pub gate: Arc<Gate>,
    /// The services that capabilities use.
    pub services: Arc<Services>,
    /// The objects that the plugin has handles of.
    pub table: ResourceTable,
    pub(crate) talk: Talk,
    pub(crate) last_checkpoint: Option<String>,
    limiter: Box<dyn ResourceLimiterAsync + Send + Sync>,
    panicked: Option<Panicked>,
}

impl StepState {
    /// Creates the state of a new incarnation. `limiter` bounds the Store's memories and tables.
    pub fn new(
        step: StepContext,
        services: Arc<Services>,
        limits: &StepLimits,
        limiter: Box<dyn ResourceLimiterAsync + Send + Sync>,
    ) -> Self {
        let step = Arc::new(step);
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles);
        Self {
            gate: Arc::new(Gate::new(Arc::clone(&step), limits)),
            talk: Talk::new(limits.log_bytes),
            last_checkpoint: step.last_checkpoint.as_ref().map(ToString::to_string),
            step,
            services,
            table,
            limiter,
            panicked: None,
        }
    }

    /// Charges calls to the memory that all steps share, too.
    pub fn share(&self, shared: Arc<dyn SharedMemory>) {
        self.gate.share(shared);
    }

    /// Returns the limiter that the Store asks.
    pub fn limiter(&mut self) -> &mut dyn ResourceLimiterAsync {
        &mut *self.limiter
    }

    /// Returns the plugin's report of its panic, if it panicked.
    pub fn panicked(&self) -> Option<&Panicked> {
        self.panicked.as_ref()
    }

    pub(crate) fn set_panicked(&mut self, panicked: Panicked) {
        self.panicked.get_or_insert(panicked);
    }
}

impl std::fmt::Debug for StepState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StepState")
            .field("step", &self.step)
            .finish_non_exhaustive()
    }
}
