//! A step whose events are recorded.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use sidestep_capabilities::{CAPABILITIES, Masks, NewIntent, Services, StepContext, StepSink};
use sidestep_evaluator_guest::Native;
use sidestep_events::{Done, Event, Failure, HostCall, IntentId};
use sidestep_host::{HostConfig, Incarnation, Plugin, PluginHost};
use sidestep_policy::{Capability, Granted, Grants, Reading, Requested, StepScopes, meet, scopes};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub(crate) struct Kept {
    events: Mutex<Vec<Event>>,
    count: watch::Sender<usize>,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            events: Mutex::default(),
            count: watch::channel(0).0,
        }
    }
}

impl Kept {
    pub(crate) fn events(&self) -> Vec<Event> {
        self.events
            .lock()
            .expect("no test panics holding it")
            .clone()
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.events()
            .into_iter()
            .filter_map(|event| match event {
                Event::Log(line) => Some(line.message.text().into_exact()),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn calls(&self) -> Vec<HostCall> {
        self.events()
            .into_iter()
            .filter_map(|event| match event {
                Event::HostCall(call) => Some(call),
                _ => None,
            })
            .collect()
    }

    /// Waits until this many events have been recorded.
    pub(crate) async fn has(&self, count: usize) {
        self.count
            .subscribe()
            .wait_for(|have| *have >= count)
            .await
            .expect("the sender lives as long as this");
    }
}

#[async_trait]
impl StepSink for Kept {
    fn event(&self, event: Event) {
        self.events
            .lock()
            .expect("no test panics holding it")
            .push(event);
        self.count.send_modify(|count| *count += 1);
    }

    async fn intent(&self, _: NewIntent) -> Result<IntentId, Failure> {
        Err(Failure::bug("no guest here makes anything"))
    }

    async fn done(&self, _: Done) -> Result<(), Failure> {
        Err(Failure::bug("no guest here makes anything"))
    }

    async fn checkpoint(&self, _: Value) -> Result<(), Failure> {
        Ok(())
    }
}

/// A step that runs a guest.
#[derive(Clone)]
pub(crate) struct Step {
    pub(crate) kept: Arc<Kept>,
    pub(crate) masks: Arc<Masks>,
    pub(crate) cancel: CancellationToken,
    pub(crate) scopes: Arc<StepScopes>,
    pub(crate) services: Arc<Services>,
    pub(crate) inputs: Value,
    pub(crate) timeout: Option<Duration>,
}

impl Step {
    pub(crate) fn new() -> Self {
        Self {
            kept: Arc::default(),
            masks: Arc::default(),
            cancel: CancellationToken::new(),
            scopes: Arc::default(),
            services: Arc::default(),
            inputs: json!({}),
            timeout: None,
        }
    }

    pub(crate) fn incarnation(&self) -> Incarnation {
        Incarnation {
            context: StepContext {
                run: "run".to_owned(),
                plan: "sha256:00".to_owned(),
                instance: "step".to_owned(),
                attempt: 1,
                resumed: false,
                last_checkpoint: None,
                log_positions: std::collections::HashMap::new(),
                deadline: None,
                cancel: self.cancel.clone(),
                masks: Arc::clone(&self.masks),
                scopes: Arc::clone(&self.scopes),
                sink: Arc::clone(&self.kept) as Arc<dyn StepSink>,
            },
            services: Arc::clone(&self.services),
            inputs: self.inputs.clone(),
            timeout: self.timeout,
        }
    }

    pub(crate) async fn run(&self, plugin: &Plugin) -> Result<Value, Failure> {
        plugin.run(self.incarnation()).await
    }
}

/// Returns the scopes of a step with this grant under one key.
pub(crate) fn granted(capability: Capability, written: &Value) -> Arc<StepScopes> {
    let scopes = scopes(capability, written, Reading::Grant).expect("good scopes");
    let mut grants = Grants::default();
    grants.insert(capability, scopes.clone());
    let requested = BTreeMap::from([(capability, Requested::Now(scopes))]);
    let granted = Granted {
        written: &grants,
        automatic: false,
    };
    Arc::new(meet(&requested, granted, &[]).expect("it is granted"))
}

/// Returns the usual configuration, with an evaluator without limits.
pub(crate) fn config() -> HostConfig {
    HostConfig::new(Arc::new(Native), CAPABILITIES)
}

pub(crate) fn host() -> PluginHost {
    PluginHost::new(config()).expect("a host")
}
