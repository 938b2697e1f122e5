//! The lifecycle of a pod, from Pending to the end of its last container.

use std::time::Duration;

use futures::future::{BoxFuture, join_all};
use serde_json::{Value, json};

use super::faults::Sidecar;
use super::resolve::{Missing, Resolver};
use super::status::{self, List, condition};
use super::{Pod, schedule};
use crate::clock;
use crate::status::ApiError;

impl Pod {
    /// Runs the pod's lifecycle. Returns early when the pod is stopped.
    pub(super) async fn live(&self) {
        if let Err(error) = self.try_live().await {
            tracing::warn!(%error, pod = self.key.name, "a pod's life was cut short");
        }
    }

    async fn try_live(&self) -> Result<(), ApiError> {
        let Some(pod) = self.current() else {
            return Ok(());
        };
        if matches!(
            pod["status"]["phase"].as_str(),
            Some("Succeeded" | "Failed")
        ) {
            return Ok(());
        }
        if !self.schedule().await? {
            return Ok(());
        }
        if pod["status"]["containerStatuses"].is_null() {
            self.admit()?;
            if let Some(slow) = self.kubelet.faults().slow_start
                && !self.wait(Duration::from_millis(slow.millis)).await
            {
                return Ok(());
            }
        }
        if !self.mount().await? {
            return Ok(());
        }
        // Read again, since a container may have been injected.
        let Some(pod) = self.current() else {
            return Ok(());
        };
        let (init, main) = (names(&pod, List::Init), names(&pod, List::Main));
        self.run_in_order(&init, &main).await
    }

    /// Runs the init containers one after another, then the main ones. A sidecar runs beside all
    /// that come after it, and is ended after them.
    fn run_in_order<'a>(
        &'a self,
        init: &'a [String],
        main: &'a [String],
    ) -> BoxFuture<'a, Result<(), ApiError>> {
        Box::pin(async move {
            let Some((name, rest)) = init.split_first() else {
                let runs = main.iter().map(|name| self.run_container(List::Main, name));
                for result in join_all(runs).await {
                    result?;
                }
                return Ok(());
            };
            let pod = self.current();
            if pod.is_some_and(|pod| status::is_sidecar(&pod, name)) {
                return self
                    .beside(name, async {
                        if self.has_started(name).await {
                            self.run_in_order(rest, main).await
                        } else {
                            Ok(())
                        }
                    })
                    .await;
            }
            if self.run_container(List::Init, name).await? {
                self.run_in_order(rest, main).await
            } else {
                Ok(())
            }
        })
    }

    /// Waits until a sidecar has started. Returns false if the pod was stopped before.
    async fn has_started(&self, name: &str) -> bool {
        let mut ticks = self.shared().store.ticks();
        loop {
            ticks.borrow_and_update();
            let Some(pod) = self.current() else {
                return false;
            };
            let status = status::container(&pod, List::Init, name);
            if status.is_some_and(status::has_started) {
                return true;
            }
            if !self.wait_for_change(&mut ticks).await {
                return false;
            }
        }
    }

    /// Sleeps, and returns false if the pod was stopped in the meantime.
    pub(super) async fn wait(&self, time: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(time) => true,
            () = self.stop.terminated() => false,
        }
    }

    /// Waits for any change of the cluster, and returns false if the pod was stopped.
    async fn wait_for_change(&self, ticks: &mut tokio::sync::watch::Receiver<u64>) -> bool {
        tokio::select! {
            changed = ticks.changed() => changed.is_ok(),
            () = self.stop.terminated() => false,
        }
    }

    async fn schedule(&self) -> Result<bool, ApiError> {
        let mut ticks = self.shared().store.ticks();
        let began = tokio::time::Instant::now();
        let mut said = String::new();
        loop {
            ticks.borrow_and_update();
            let Some(pod) = self.current() else {
                return Ok(false);
            };
            if pod["spec"]["nodeName"]
                .as_str()
                .is_some_and(|n| !n.is_empty())
            {
                return Ok(true);
            }
            let nodes = self.shared().store.list("nodes", "").1;
            let pods = self.shared().store.list("pods", "").1;
            let nodes: Vec<&Value> = nodes.iter().map(|n| &**n).collect();
            let pods: Vec<&Value> = pods.iter().map(|p| &**p).collect();
            let mut found = schedule::find(&pod, &nodes, &pods);
            let mut healed = Duration::MAX;
            if let Some(fault) = self.kubelet.faults().unschedulable {
                let until = fault
                    .for_millis
                    .map_or(Duration::MAX, Duration::from_millis);
                healed = until.saturating_sub(began.elapsed());
                if !healed.is_zero() {
                    let n = nodes.len();
                    let reason = fault
                        .reason
                        .unwrap_or_else(|| format!("{n} Insufficient memory"));
                    found = Err(schedule::unavailable(n, &reason));
                }
            }
            match found {
                Ok(node) => {
                    self.edit(|pod| {
                        pod["spec"]["nodeName"] = node.as_str().into();
                        condition(pod, "PodScheduled", true, "", "");
                    })?;
                    let message = format!(
                        "Successfully assigned {}/{} to {node}",
                        self.key.namespace, self.key.name
                    );
                    self.report(false, "Scheduled", &message, None);
                    return Ok(true);
                }
                Err(why) if why != said => {
                    self.edit(|pod| {
                        condition(pod, "PodScheduled", false, "Unschedulable", &why);
                    })?;
                    self.report(true, "FailedScheduling", &why, None);
                    said = why;
                }
                Err(_) => {}
            }
            // The end of a temporary fault is not a change that would wake this.
            let nap = healed.min(Duration::from_hours(1));
            tokio::select! {
                more = self.wait_for_change(&mut ticks) => if !more { return Ok(false) },
                () = tokio::time::sleep(nap) => {}
            }
        }
    }

    /// Records that the kubelet admits the pod.
    fn admit(&self) -> Result<(), ApiError> {
        let taken: Vec<Value> = self
            .shared()
            .store
            .list("pods", "")
            .1
            .iter()
            .map(|p| p["status"]["podIP"].clone())
            .collect();
        let address = (2..=65_000_u32)
            .map(|n| format!("10.8.{}.{}", n / 250, n % 250 + 2))
            .find(|a| !taken.iter().any(|t| t == a))
            .unwrap_or_else(|| "10.8.255.254".to_owned());
        let host = self.current().and_then(|pod| {
            let node = crate::key::Key::new("nodes", "", pod["spec"]["nodeName"].as_str()?);
            let node = self.shared().store.get(&node)?;
            Some(
                node["status"]["addresses"][0]["address"]
                    .as_str()?
                    .to_owned(),
            )
        });
        let sidecar = self.kubelet.faults().sidecar;
        self.edit(|pod| {
            if let Some(sidecar) = &sidecar {
                inject(sidecar, pod);
            }
            pod["status"]["startTime"] = clock::now().into();
            if let Some(host) = host {
                pod["status"]["hostIP"] = host.as_str().into();
                pod["status"]["hostIPs"] = json!([{ "ip": host }]);
            }
            pod["status"]["podIP"] = address.as_str().into();
            pod["status"]["podIPs"] = json!([{ "ip": address }]);
            status::fresh(pod);
        })
    }

    /// Creates the volumes, and waits for the objects that they name.
    async fn mount(&self) -> Result<bool, ApiError> {
        let mut ticks = self.shared().store.ticks();
        let mut said = String::new();
        loop {
            ticks.borrow_and_update();
            let Some(pod) = self.current() else {
                return Ok(false);
            };
            match self.resolver(&pod).volumes() {
                Ok(()) => return Ok(true),
                Err(Missing::Mount(why) | Missing::Config(why)) => {
                    if why != said {
                        self.report(true, "FailedMount", &why, None);
                        said = why;
                    }
                }
            }
            if !self.wait_for_change(&mut ticks).await {
                return Ok(false);
            }
        }
    }

    pub(super) fn resolver<'a>(&'a self, pod: &'a Value) -> Resolver<'a> {
        Resolver {
            store: &self.shared().store,
            tokens: &self.shared().tokens,
            pod,
            dir: self.kubelet.folder(&self.uid),
        }
    }

    /// Waits until all of a container's references exist; `None` if the pod was stopped.
    pub(super) async fn resolved(
        &self,
        list: List,
        name: &str,
        restarts: u64,
    ) -> Result<Option<super::resolve::ResolvedContainer>, ApiError> {
        let mut ticks = self.shared().store.ticks();
        let mut said = String::new();
        loop {
            ticks.borrow_and_update();
            let Some(pod) = self.current() else {
                return Ok(None);
            };
            let spec = pod["spec"][list.spec()]
                .as_array()
                .and_then(|l| l.iter().find(|c| c["name"] == name));
            let Some(spec) = spec else { return Ok(None) };
            match self.resolver(&pod).container(spec, restarts) {
                Ok(container) => return Ok(Some(container)),
                Err(Missing::Config(why) | Missing::Mount(why)) => {
                    if why != said {
                        self.edit(|pod| {
                            if let Some(status) = status::container_mut(pod, list, name) {
                                status["state"] = json!({ "waiting": {
                                    "reason": "CreateContainerConfigError", "message": why } });
                            }
                        })?;
                        let at = Some((list.spec(), name));
                        self.report(true, "Failed", &format!("Error: {why}"), at);
                        said = why;
                    }
                }
            }
            if !self.wait_for_change(&mut ticks).await {
                return Ok(None);
            }
        }
    }
}

/// Inserts the container before the pod's own, as a mutating webhook does on creation.
fn inject(sidecar: &Sidecar, pod: &mut Value) {
    let list = if sidecar.init { List::Init } else { List::Main };
    let containers = &mut pod["spec"][list.spec()];
    if !containers.is_array() {
        *containers = json!([]);
    }
    if let Some(containers) = containers.as_array_mut() {
        let container = json!({
            "name": sidecar.name,
            "image": "registry.example/mesh/proxy:1",
            "resources": {},
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
            "imagePullPolicy": "IfNotPresent",
        });
        containers.insert(0, container);
    }
}

fn names(pod: &Value, list: List) -> Vec<String> {
    pod["spec"][list.spec()]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|c| c["name"].as_str().map(str::to_owned))
        .collect()
}
