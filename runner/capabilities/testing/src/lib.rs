//! A step that keeps its records and events, for the tests of the gate and of capabilities.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::Value;
use sidestep_events::{Done, Event, Failure, Help, HostCall, IntentId};
use sidestep_gate::{Masks, NewIntent, Services, StepContext, StepLimits, StepSink, StepState};
use sidestep_policy::{Capability, Granted, Grants, Reading, Requested, StepScopes, meet, scopes};
use tokio_util::sync::CancellationToken;

/// Returns the texts of a failure's help, with commands in shell syntax.
pub fn help(failure: &sidestep_gate::bindings::sidestep::host::types::Failure) -> Vec<String> {
    let failure = sidestep_gate::convert::failure_from_wit(failure.clone());
    failure.help.iter().map(Help::exact).collect()
}

/// Grants every memory and table.
struct Unlimited;

#[async_trait]
impl wasmtime::ResourceLimiterAsync for Unlimited {
    async fn memory_growing(
        &mut self,
        _: usize,
        _: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(true)
    }

    async fn table_growing(
        &mut self,
        _: usize,
        _: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

/// One record of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// An event was emitted.
    Event(Event),
    /// An object is about to be created.
    Intent(NewIntent),
    /// An object was created, or was not.
    Done(Done),
    /// A checkpoint was stored.
    Checkpoint(Value),
}

/// A sink that keeps the records and events of a step.
#[derive(Debug, Default)]
pub struct Kept {
    records: Mutex<Vec<Record>>,
    intents: AtomicU64,
}

impl Kept {
    /// Returns all records, in their order.
    pub fn records(&self) -> Vec<Record> {
        self.records.lock().expect("not poisoned").clone()
    }

    /// Returns only the host calls.
    pub fn calls(&self) -> Vec<HostCall> {
        self.records()
            .into_iter()
            .filter_map(|record| match record {
                Record::Event(Event::HostCall(call)) => Some(call),
                _ => None,
            })
            .collect()
    }

    fn keep(&self, record: Record) {
        self.records.lock().expect("not poisoned").push(record);
    }
}

#[async_trait]
impl StepSink for Kept {
    fn event(&self, event: Event) {
        self.keep(Record::Event(event));
    }

    async fn intent(&self, intent: NewIntent) -> Result<IntentId, Failure> {
        self.keep(Record::Intent(intent));
        Ok(IntentId(self.intents.fetch_add(1, Ordering::Relaxed) + 1))
    }

    async fn done(&self, done: Done) -> Result<(), Failure> {
        self.keep(Record::Done(done));
        Ok(())
    }

    async fn checkpoint(&self, state: Value) -> Result<(), Failure> {
        self.keep(Record::Checkpoint(state));
        Ok(())
    }
}

/// Returns a step with this grant under one key.
pub fn step(capability: Capability, granted: &Value) -> (Arc<StepContext>, Arc<Kept>) {
    step_with(&[(capability, granted.clone())])
}

/// Returns a step with these grants under these keys.
pub fn step_with(granted: &[(Capability, Value)]) -> (Arc<StepContext>, Arc<Kept>) {
    let kept = Arc::new(Kept::default());
    let requested: BTreeMap<_, _> = granted
        .iter()
        .map(|(capability, granted)| {
            let scopes = scopes(*capability, granted, Reading::Grant).expect("good scopes");
            (*capability, Requested::Now(scopes))
        })
        .collect();
    let granted = Granted {
        written: &Grants::default(),
        automatic: true,
    };
    let scopes: StepScopes = meet(&requested, granted, &[]).expect("it is granted");
    let context = StepContext {
        run: "run".to_owned(),
        plan: "sha256:00".to_owned(),
        instance: "step".to_owned(),
        attempt: 1,
        resumed: false,
        last_checkpoint: None,
        log_positions: std::collections::HashMap::new(),
        deadline: None,
        cancel: CancellationToken::new(),
        masks: Arc::new(Masks::new()),
        scopes: Arc::new(scopes),
        sink: Arc::clone(&kept) as Arc<dyn StepSink>,
    };
    (Arc::new(context), kept)
}

/// Returns the state of a step with these grants under these keys, for the capabilities' functions.
/// It is never dropped, so that a test can pass it around with values that borrow it.
pub fn state_with(
    granted: &[(Capability, Value)],
    services: Services,
) -> (&'static mut StepState, Arc<Kept>) {
    let (step, kept) = step_with(granted);
    let step = Arc::into_inner(step).expect("the only reference");
    let limits = StepLimits::default();
    let state = StepState::new(step, Arc::new(services), &limits, Box::new(Unlimited));
    (Box::leak(Box::new(state)), kept)
}
