//! The gate: the one place that every call of every plugin passes.

mod call;
mod claim;
mod cost;
pub mod functions;
mod held;
mod record;
mod shown;

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt as _;
use sidestep_events::{Class, Evidence, Failure, Owner, codes};
use sidestep_handles::Disk;
use sidestep_policy::{Call, Capability};

use crate::{StepContext, StepLimits};

use cost::Memory;

pub use call::GateCall;
pub(crate) use claim::diagnostic_code;
pub use cost::{PerByte, Price, Priced, Room, SharedMemory};
pub use functions::PRICES;
pub use held::{Held, debug_length};
pub use shown::Shown;

/// The maximum number of items of one list that the host works on concurrently.
pub const SIDE_BY_SIDE: usize = 16;

/// Checks, counts, journals and records the host calls of one incarnation.
#[derive(Debug)]
pub struct Gate {
    pub(crate) step: Arc<StepContext>,
    calls: Arc<AtomicU64>,
    limit: u64,
    memory: Arc<Memory>,
    shown: Arc<Shown>,
    disk: Arc<Disk>,
    /// The memory of the calls of one item of a list: it is not given back when a call ends.
    item: Option<Mutex<Vec<Room>>>,
}

/// A call above the limit.
struct Over {
    /// Whether it is the first such call.
    first: bool,
}

impl Gate {
    /// Creates the gate of an incarnation with these limits.
    pub fn new(step: Arc<StepContext>, limits: &StepLimits) -> Self {
        Self {
            step,
            calls: Arc::default(),
            limit: limits.host_calls,
            memory: Memory::new(limits.host_memory),
            shown: Arc::default(),
            disk: Disk::new(limits.disk),
            item: None,
        }
    }

    /// Returns the gate of one item of a list.
    fn of_item(&self) -> Self {
        Self {
            step: Arc::clone(&self.step),
            calls: Arc::clone(&self.calls),
            limit: self.limit,
            memory: Arc::clone(&self.memory),
            shown: Arc::clone(&self.shown),
            disk: Arc::clone(&self.disk),
            item: Some(Mutex::default()),
        }
    }

    /// Returns the memory of an item's calls, of which its result takes these bytes.
    fn hold_result(&self, mut bytes: u64) -> Vec<Room> {
        let rooms = self.item.as_ref().map(Mutex::lock);
        let rooms = rooms.map(|rooms| rooms.unwrap_or_else(PoisonError::into_inner));
        let mut rooms = rooms.map_or_else(Vec::new, |mut rooms| std::mem::take(&mut *rooms));
        for room in &mut rooms {
            bytes = room.hold_result(bytes);
        }
        rooms
    }

    /// Keeps a call's memory if it belongs to an item of a list, or gives it back.
    fn end(&self, room: Room) {
        if let Some(rooms) = &self.item {
            let mut rooms = rooms.lock().unwrap_or_else(PoisonError::into_inner);
            rooms.push(room);
        }
    }

    /// Charges calls to the memory that all steps share, too.
    pub fn share(&self, shared: Arc<dyn SharedMemory>) {
        self.memory.share(shared);
    }

    /// Brings a call before the gate. The resource that the call touches, and the step's permission
    /// for it, are read from `call` immediately.
    pub fn call(&self, function: Priced, call: &dyn Call) -> GateCall<'_> {
        GateCall {
            gate: self,
            capability: call.capability(),
            function,
            target: call.describe(),
            verdict: self.permits(call),
        }
    }

    /// Brings a call that touches several resources before the gate. It passes if anything at all
    /// is granted, and its work asks [`permits`](Self::permits) for each resource. `target`
    /// describes the call in words.
    pub fn call_within(
        &self,
        function: Priced,
        capability: Capability,
        target: String,
    ) -> GateCall<'_> {
        GateCall {
            gate: self,
            capability,
            function,
            verdict: self
                .step
                .scopes
                .allows_any(capability, &target)
                .map_err(|refusal| refusal.failure()),
            target,
        }
    }

    /// Returns whether the step may make this call, for a resource that only becomes known during a
    /// call.
    pub fn permits(&self, call: &dyn Call) -> Result<(), Failure> {
        self.step
            .scopes
            .allows(call)
            .map_err(|refusal| refusal.failure())
    }

    /// Returns the target of a workspace path when the plan was made, if the path went through a
    /// link.
    pub fn leads(&self, path: &str) -> Option<String> {
        self.step.scopes.leads(path)
    }

    /// Returns the evidence of the calls so far.
    pub fn shown(&self) -> &Arc<Shown> {
        &self.shown
    }

    /// Returns the disk space of the incarnation's blobs.
    pub fn disk(&self) -> &Arc<Disk> {
        &self.disk
    }

    /// Returns the plugin's own failure, capped by the evidence.
    pub fn claimed(&self, failure: Failure) -> Failure {
        if self.step.cancel.is_cancelled() {
            self.shown.note(Evidence::Cancelled);
        }
        if self.step.is_overdue() {
            self.shown.note(Evidence::TimedOut);
        }
        claim::capped(failure, &self.shown)
    }

    /// Counts and charges a call that needs no grant.
    pub async fn enter(&self, function: Priced) -> Result<Room, Failure> {
        self.take().map_err(|_| self.too_many())?;
        self.charge(function).await
    }

    /// Charges a call that is not counted, because a step's output has limits of its own. An
    /// attempt that has used up its disk space makes no more calls.
    pub async fn charge(&self, function: Priced) -> Result<Room, Failure> {
        match self.step.sink.exhausted() {
            Some(failure) => Err(failure),
            None if self.item.is_some() => self.memory.enter_item(function).await,
            None => self.memory.enter(function).await,
        }
    }

    /// Counts one call, if the limit allows it.
    fn take(&self) -> Result<(), Over> {
        let before = self.calls.fetch_add(1, Ordering::Relaxed);
        if before < self.limit {
            return Ok(());
        }
        Err(Over {
            first: before == self.limit,
        })
    }

    fn too_many(&self) -> Failure {
        Failure::new(
            Class::Exhausted,
            codes::limit::HOST_CALLS,
            Owner::Plugin,
            format!("the plugin made more than {} host calls", self.limit),
        )
        .with_help("a plugin that polls should use `sleep` or a `follow`")
    }

    /// Works on the items concurrently, at most [`SIDE_BY_SIDE`] at a time; the answers have the
    /// order of the items. `work` brings each item before the gate that it gets for it.
    ///
    /// The answers stay in use until the list is complete, so they count together against the
    /// memory of the step's calls. An item that has no room beside them fails.
    pub async fn each<I, T: Held, W>(
        &self,
        items: Vec<I>,
        mut work: impl FnMut(Arc<Self>, I) -> W,
    ) -> Vec<Result<T, Failure>>
    where
        W: Future<Output = Result<T, Failure>>,
    {
        let work = items.into_iter().map(|item| {
            let gate = Arc::new(self.of_item());
            let work = work(Arc::clone(&gate), item);
            async move {
                let answer = work.await;
                let rooms = gate.hold_result(answer.held());
                (answer, rooms)
            }
        });
        let answers: Vec<_> = futures::stream::iter(work)
            .buffered(SIDE_BY_SIDE)
            .collect()
            .await;
        answers.into_iter().map(|(answer, _)| answer).collect()
    }

    /// Waits for `work` unless the step is cancelled, before or during the wait.
    pub async fn unless_cancelled<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            biased;
            () = self.step.cancel.cancelled() => Err(cancelled()),
            result = work => result,
        }
    }
}

fn cancelled() -> Failure {
    Failure::cancelled("the step was cancelled")
}
