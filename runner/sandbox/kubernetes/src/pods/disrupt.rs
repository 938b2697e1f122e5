//! Disruption of pods, with the status that each cause leaves.

use serde_json::Value;

use super::Pod;
use super::faults::By;
use super::status::condition;
use crate::api::delete::{Options, delete};
use crate::kinds::core_kind;
use crate::status::ApiError;

/// The kubelet's message for an eviction.
const LOW: &str = "The node was low on resource: ephemeral-storage. Threshold quantity: \
                   10737418240, available: 9961472Ki. ";
/// The kubelet's message for a graceful shutdown of its node.
const SHUTDOWN: &str = "Pod was terminated in response to imminent node shutdown.";

impl Pod {
    /// Ends the pod. An eviction through the API sets a condition, deletes the pod and sets no
    /// `status.reason`; the kubelet sets the condition, the reason and the phase, and does not
    /// delete the pod (Kubernetes, "Pod disruption conditions").
    pub(super) fn disrupt(&self, by: By, pod: &Value) -> Result<(), ApiError> {
        match by {
            By::Kubelet => {
                self.report(true, "Evicted", LOW, None);
                self.announce_stop(pod);
                let result = self.end_by_kubelet("Evicted", LOW);
                self.stop.kill();
                result
            }
            By::Shutdown => {
                self.announce_stop(pod);
                let result = self.end_by_kubelet("Terminated", SHUTDOWN);
                self.stop.terminate();
                self.kill_after_grace(pod);
                result
            }
            By::Drain => self.mark_and_delete(
                pod,
                ("EvictionByEvictionAPI", "Eviction API: evicting"),
                None,
            ),
            By::Preemption => {
                let message = "default-scheduler: preempting to accommodate a higher priority pod";
                self.report(false, "Preempted", message, None);
                self.mark_and_delete(pod, ("PreemptionByScheduler", message), None)
            }
            By::Taint => {
                self.report(true, "NodeNotReady", "Node is not ready", None);
                let name = format!("{}/{}", self.key.namespace, self.key.name);
                let marking = format!("Marking for deletion Pod {name}");
                self.report(false, "TaintManagerEviction", &marking, None);
                let message = "Taint manager: deleting due to NoExecute taint";
                self.mark_and_delete(pod, ("DeletionByTaintManager", message), Some(0))
            }
            By::GarbageCollection => {
                // The controller writes both in one patch (`markFailedAndDeletePodWithCondition`).
                self.edit(|pod| {
                    pod["status"]["phase"] = "Failed".into();
                    let message = "PodGC: node no longer exists";
                    condition(pod, "DisruptionTarget", true, "DeletionByPodGC", message);
                })?;
                self.delete(pod, Some(0))
            }
            By::Deletion => self.delete(pod, None),
        }
    }

    fn end_by_kubelet(&self, reason: &str, message: &str) -> Result<(), ApiError> {
        self.fail(reason, message, |pod| {
            condition(
                pod,
                "DisruptionTarget",
                true,
                "TerminationByKubelet",
                message,
            );
        })
    }

    fn mark_and_delete(
        &self,
        pod: &Value,
        (reason, message): (&str, &str),
        grace: Option<i64>,
    ) -> Result<(), ApiError> {
        self.edit(|pod| condition(pod, "DisruptionTarget", true, reason, message))?;
        self.delete(pod, grace)
    }

    fn delete(&self, pod: &Value, grace: Option<i64>) -> Result<(), ApiError> {
        let mut options = Options {
            grace_period_seconds: grace,
            ..Options::default()
        };
        options.preconditions.uid = pod["metadata"]["uid"].as_str().map(str::to_owned);
        self.shared()
            .store
            .write(|tx| delete(tx, core_kind("pods"), &self.key, &options).map(drop))
    }
}
