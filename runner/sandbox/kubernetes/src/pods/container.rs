//! The lifecycle of one container: start, end, and restarts by the pod's policy.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Pod;
use super::resolve::ResolvedContainer;
use super::runtime::{ContainerExit, Stop};
use super::status::{self, List};
use super::written;
use crate::clock;
use crate::logs::{LogId, LogWriter};
use crate::status::ApiError;

/// The maximum termination message, in bytes: the kubelet reads the last ones of the file.
const MESSAGE: usize = 4096;
/// The maximum of all termination messages of a pod, which its containers share equally: of each the
/// kubelet keeps the first bytes (`normalizeStatus` in its status manager).
const MESSAGES: usize = 12 * 1024;
/// The time that a runtime has, after a kill, to report how the container ended.
const LAST_WAIT: Duration = Duration::from_secs(5);

impl Pod {
    /// Runs a container until its final end, and returns whether that was a success.
    pub(super) async fn run_container(&self, list: List, name: &str) -> Result<bool, ApiError> {
        loop {
            let Some(pod) = self.current() else {
                return Ok(false);
            };
            let status = status::container(&pod, list, name)
                .cloned()
                .unwrap_or_default();
            let end = &status["state"]["terminated"];
            if end.is_object() {
                let good = end["exitCode"] == 0;
                let sidecar = list == List::Init && status::is_sidecar(&pod, name);
                let again = match pod["spec"]["restartPolicy"].as_str() {
                    _ if sidecar => !self.sidecars.is_terminated(),
                    Some("Never") => false,
                    Some("OnFailure") => !good,
                    _ => list == List::Main || !good,
                };
                if !again || self.stop.is_terminated() {
                    return Ok(good);
                }
                if !self.back_off(list, name, &status).await? {
                    return Ok(false);
                }
                continue;
            }
            let running = status["state"]["running"].is_object();
            let mut restarts = status["restartCount"].as_u64().unwrap_or(0);
            if !running && status["lastState"]["terminated"].is_object() {
                restarts += 1;
            }
            let Some(container) = self.resolved(list, name, restarts).await? else {
                return Ok(false);
            };
            if !running {
                if !self.is_injected(name) && !self.pull(&pod, list, &container).await? {
                    return Ok(false);
                }
                self.start(list, &container)?;
            }
            self.started.get_or_init(Instant::now);
            let exit = self.wait_for_end(&pod, list, &container, running).await?;
            self.end(list, &container, &exit)?;
            if self.stop.is_terminated() {
                return Ok(exit.code == 0);
            }
        }
    }

    fn start(&self, list: List, container: &ResolvedContainer) -> Result<(), ApiError> {
        let name = &container.name;
        let at = Some((list.spec(), name.as_str()));
        self.report(false, "Created", &format!("Created container: {name}"), at);
        let id = crate::names::unique_id().replace('-', "");
        self.edit(|pod| {
            let sidecar = list == List::Init && status::is_sidecar(pod, name);
            if let Some(status) = status::container_mut(pod, list, name) {
                status["restartCount"] = container.restarts.into();
                status["containerID"] = format!("sidestep://{id}").into();
                status["started"] = true.into();
                status["ready"] = (list == List::Main || sidecar).into();
                status["state"] = json!({ "running": { "startedAt": clock::now() } });
            }
        })?;
        self.report(false, "Started", &format!("Started container {name}"), at);
        Ok(())
    }

    /// Returns whether the cluster injected the container of that name; the runtime does not know
    /// it.
    fn is_injected(&self, name: &str) -> bool {
        let sidecar = self.kubelet.faults().sidecar;
        sidecar.is_some_and(|sidecar| sidecar.name == name)
    }

    async fn wait_for_end(
        &self,
        pod: &Value,
        list: List,
        container: &ResolvedContainer,
        again: bool,
    ) -> Result<ContainerExit, ApiError> {
        let id = LogId {
            uid: self.uid.clone(),
            container: container.name.clone(),
            restart: container.restarts,
        };
        let log = self.shared().logs.writer(id).map_err(ApiError::internal)?;
        let sidecar = list == List::Init && status::is_sidecar(pod, &container.name);
        let stop = if sidecar {
            self.sidecars.child()
        } else {
            self.stop.child()
        };
        let faults = self.kubelet.faults();
        let runtime = &self.kubelet.runtime;
        let latest = self.current();
        let pod = latest.as_deref().unwrap_or(pod);
        let run = async {
            if again {
                return runtime
                    .attach(pod, container, log.clone(), stop.clone())
                    .await
                    .unwrap_or_else(lost);
            }
            if let Some(sidecar) = faults
                .sidecar
                .as_ref()
                .filter(|it| it.name == container.name)
            {
                return match sidecar.exit_code {
                    Some(code) => ContainerExit::code(code),
                    None => hung(&stop, false).await,
                };
            }
            match &faults.hang {
                Some(hang) => hung(&stop, hang.ignores_term).await,
                None => {
                    let own = written::instead(&faults.writes, &log, &self.shared().logs);
                    match own.await {
                        Ok(log) => runtime.run(pod, container, log, stop.clone()).await,
                        Err(error) => {
                            tracing::warn!(%error, "what a container writes could not be kept");
                            ContainerExit::code(128)
                        }
                    }
                }
            }
        };
        tokio::pin!(run);
        let log_lost = faults.log_lost;
        let memory = faults.out_of_memory.filter(|fault| {
            let below = fault
                .below
                .as_deref()
                .and_then(super::quantity::thousandths);
            list == List::Main
                && !self.is_injected(&container.name)
                && match (below, container.memory_limit) {
                    (Some(below), Some(limit)) => i128::from(limit) * 1000 < below,
                    _ => true,
                }
        });
        let out_of_memory = async {
            match memory {
                Some(fault) => tokio::time::sleep(Duration::from_millis(fault.after_millis)).await,
                None => std::future::pending().await,
            }
        };
        let killed = async {
            stop.killed().await;
            tokio::time::sleep(LAST_WAIT).await;
        };
        let exit = tokio::select! {
            exit = &mut run => exit,
            () = out_of_memory => {
                stop.kill();
                // However it ends now, the cause was the memory limit.
                let _ = tokio::time::timeout(LAST_WAIT, &mut run).await;
                ContainerExit {
                    code: 137, reason: Some("OOMKilled".to_owned()), message: None,
                }
            }
            () = killed => ContainerExit::code(137),
        };
        log.close();
        let exit = self.with_message(pod, list, exit, container, &log);
        if log_lost {
            self.shared().logs.forget(&self.uid);
        }
        Ok(exit)
    }

    /// Reads the container's termination message.
    fn with_message(
        &self,
        pod: &Value,
        list: List,
        mut exit: ContainerExit,
        container: &ResolvedContainer,
        log: &LogWriter,
    ) -> ContainerExit {
        if exit.message.is_some() {
            return exit;
        }
        let bytes = std::fs::read(&container.termination_message).unwrap_or_default();
        let last = &bytes[bytes.len().saturating_sub(MESSAGE)..];
        let share = MESSAGES / containers(pod).max(1);
        let mut text = String::from_utf8_lossy(&last[..last.len().min(share)]).into_owned();
        let from_log = pod["spec"][list.spec()]
            .as_array()
            .and_then(|l| l.iter().find(|c| c["name"] == container.name.as_str()))
            .is_some_and(|c| c["terminationMessagePolicy"] == "FallbackToLogsOnError");
        if text.is_empty() && from_log && exit.code != 0 {
            text = self.shared().logs.tail(log.id());
        }
        exit.message = Some(text).filter(|t| !t.is_empty());
        exit
    }

    fn end(
        &self,
        list: List,
        container: &ResolvedContainer,
        exit: &ContainerExit,
    ) -> Result<(), ApiError> {
        let default = if exit.code == 0 { "Completed" } else { "Error" };
        self.edit(|pod| {
            let Some(status) = status::container_mut(pod, list, &container.name) else {
                return;
            };
            let mut end = json!({
                "exitCode": exit.code,
                "reason": exit.reason.as_deref().unwrap_or(default),
                "startedAt": status["state"]["running"]["startedAt"],
                "finishedAt": clock::now(),
                "containerID": status["containerID"],
            });
            if let Some(message) = &exit.message {
                end["message"] = message.as_str().into();
            }
            status["ready"] = (list == List::Init && exit.code == 0).into();
            status["started"] = false.into();
            status["state"] = json!({ "terminated": end });
        })
    }
}

/// Returns the number of a pod's containers and init containers.
fn containers(pod: &Value) -> usize {
    let lists = [List::Main, List::Init].map(|list| pod["spec"][list.spec()].as_array());
    lists.into_iter().flatten().map(Vec::len).sum()
}

/// Returns the kubelet's status of a container that it can no longer find.
fn lost() -> ContainerExit {
    ContainerExit {
        code: 137,
        reason: Some("ContainerStatusUnknown".to_owned()),
        message: Some("The container could not be located when the pod was terminated".to_owned()),
    }
}

async fn hung(stop: &Stop, ignores_term: bool) -> ContainerExit {
    if ignores_term {
        stop.killed().await;
        ContainerExit::code(137)
    } else {
        stop.terminated().await;
        ContainerExit::code(143)
    }
}
