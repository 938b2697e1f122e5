//! The lifecycle of pods: the scheduler's and the kubelet's work on a real cluster.

mod container;
mod disrupt;
mod events;
pub(crate) mod faults;
mod life;
pub(crate) mod quantity;
pub(crate) mod resolve;
pub(crate) mod runtime;
mod schedule;
mod sidecar;
mod status;
mod supervise;
mod waiting;
mod written;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use serde_json::Value;

use self::events::{Report, Source};
use self::faults::Faults;
use self::runtime::{Runtime, Stop};
use crate::key::Key;
use crate::shared::Shared;
use crate::status::ApiError;

/// The manager of all pods of the cluster.
pub(crate) struct Kubelet {
    shared: Arc<Shared>,
    runtime: Arc<dyn Runtime>,
    faults: Mutex<Faults>,
    active: Mutex<HashSet<String>>,
    /// Images that have been pulled.
    images: Mutex<HashSet<String>>,
}

impl std::fmt::Debug for Kubelet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kubelet").finish_non_exhaustive()
    }
}

impl Kubelet {
    /// Starts managing the existing pods, and each new one.
    pub(crate) fn start(shared: Arc<Shared>, runtime: Arc<dyn Runtime>) -> Arc<Self> {
        let kubelet = Arc::new(Self {
            faults: Mutex::new(shared.config.faults.clone()),
            shared,
            runtime,
            active: Mutex::default(),
            images: Mutex::default(),
        });
        kubelet.sweep_folders();
        tokio::spawn(kubelet.clone().watch());
        kubelet
    }

    pub(crate) fn set_faults(&self, faults: Faults) {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    pub(crate) fn faults(&self) -> Faults {
        self.faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn watch(self: Arc<Self>) {
        let mut ticks = self.shared.store.ticks();
        loop {
            ticks.borrow_and_update();
            for object in self.shared.store.list("pods", "").1 {
                let meta = &object["metadata"];
                let Some(uid) = meta["uid"].as_str() else {
                    continue;
                };
                let mut active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
                if active.insert(uid.to_owned()) {
                    let stop = Stop::default();
                    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
                    let pod = Pod {
                        kubelet: self.clone(),
                        key: Key::new("pods", &text(&meta["namespace"]), &text(&meta["name"])),
                        uid: uid.to_owned(),
                        sidecars: stop.child(),
                        stop,
                        started: Arc::default(),
                    };
                    tokio::spawn(pod.supervise());
                }
            }
            tokio::select! {
                () = self.shared.shutdown.cancelled() => return,
                changed = ticks.changed() => if changed.is_err() { return },
            }
        }
    }

    fn folder(&self, uid: &str) -> PathBuf {
        self.shared.config.dir.join("pods").join(uid)
    }

    /// Removes the folders of pods that were deleted while the sandbox was not running.
    fn sweep_folders(&self) {
        let living: HashSet<String> = self
            .shared
            .store
            .list("pods", "")
            .1
            .iter()
            .filter_map(|p| p["metadata"]["uid"].as_str().map(str::to_owned))
            .collect();
        for folder in ["pods", "logs"] {
            let Ok(entries) = std::fs::read_dir(self.shared.config.dir.join(folder)) else {
                continue;
            };
            for entry in entries.flatten() {
                if let Ok(uid) = entry.file_name().into_string()
                    && !living.contains(&uid)
                {
                    self.forget(&uid);
                }
            }
        }
    }

    fn forget(&self, uid: &str) {
        self.shared.logs.forget(uid);
        if let Err(error) = std::fs::remove_dir_all(self.folder(uid))
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, uid, "the folder of a deleted pod could not be removed");
        }
    }
}

/// A managed pod.
#[derive(Debug, Clone)]
struct Pod {
    kubelet: Arc<Kubelet>,
    key: Key,
    uid: String,
    stop: Stop,
    /// Ends the sidecars, with the pod or after its other containers.
    sidecars: Stop,
    /// The start time of its first container.
    started: Arc<OnceLock<Instant>>,
}

impl Pod {
    fn shared(&self) -> &Shared {
        &self.kubelet.shared
    }

    /// Returns the pod's current state; `None` if it was deleted (or replaced by another of its
    /// name).
    fn current(&self) -> Option<Arc<Value>> {
        self.shared()
            .store
            .get(&self.key)
            .filter(|p| p["metadata"]["uid"] == self.uid.as_str())
    }

    /// Changes the pod, and updates its phase.
    fn edit(&self, change: impl FnOnce(&mut Value)) -> Result<(), ApiError> {
        self.shared().store.write(|tx| {
            let Some(old) = tx.get(&self.key) else {
                return Ok(());
            };
            if old["metadata"]["uid"] != self.uid.as_str() {
                return Ok(());
            }
            let mut pod = (*old).clone();
            change(&mut pod);
            status::settle(&mut pod);
            tx.put(&self.key, pod)?;
            Ok(())
        })
    }

    fn report(&self, warning: bool, reason: &str, message: &str, container: Option<(&str, &str)>) {
        let Some(pod) = self.current() else { return };
        let node = pod["spec"]["nodeName"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let source = match reason {
            "Scheduled" | "FailedScheduling" => Source::Scheduler,
            "NodeNotReady" => Source::Controller("node-controller"),
            "TaintManagerEviction" => Source::Controller("taint-eviction-controller"),
            _ => Source::Kubelet(&node),
        };
        let field = container
            .map(|(list, name)| format!("spec.{list}{{{name}}}"))
            .unwrap_or_default();
        let report = Report {
            source,
            warning,
            reason,
            message,
            field: &field,
        };
        if let Err(error) = events::record(&self.shared().store, &pod, report) {
            tracing::warn!(%error, reason, "an event could not be recorded");
        }
    }
}
