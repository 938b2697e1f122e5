//! Decides who ended a pod: its program, the cluster, this run, or another client.
//!
//! The order of the questions is the contract (`docs/failures.md`): the program's own end first, as long
//! as it came before any disruption; then memory; then what the cluster says that it did; then the
//! deletion of the pod's object.

mod clock;
mod seen;
#[cfg(test)]
mod tests;

use sidestep::serde_json::Value;

pub use clock::seconds;
pub use seen::Seen;

/// The end of a pod.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ending<'a> {
    /// The program ended with exit code 0. Holds the container's `terminated` state.
    Succeeded(&'a Value),
    /// The program failed by itself. Holds the container's `terminated` state.
    Failed(&'a Value),
    /// The kernel killed the program for its memory.
    OutOfMemory,
    /// The cluster ended the pod. Holds the cluster's own sentence.
    Disrupted(Disruption, String),
    /// The pod was active for longer than its `activeDeadlineSeconds`.
    OverTime,
    /// Somebody deleted the pod.
    Deleted,
    /// This run deleted the pod.
    ByThisRun,
    /// Another container of the pod failed, so that the program never started.
    OtherContainer(&'a Value),
    /// The pod ended before the program started. Holds the kubelet's reason and message.
    NotStarted(String),
}

/// The way in which the cluster disrupted a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disruption {
    /// The eviction API, as `kubectl drain` and node upgrades use it.
    Drained,
    /// The kubelet, because its node ran low on a resource.
    Evicted,
    /// The scheduler or the kubelet, to make room for a pod of a higher priority.
    Preempted,
    /// The node shut down, is unreachable, or is gone.
    NodeLost,
}

/// Reasons of the condition `DisruptionTarget` (Kubernetes, "Pod disruption conditions").
const CONDITIONS: &[(&str, Disruption)] = &[
    ("EvictionByEvictionAPI", Disruption::Drained),
    ("PreemptionByScheduler", Disruption::Preempted),
    ("DeletionByTaintManager", Disruption::NodeLost),
    ("DeletionByPodGC", Disruption::NodeLost),
];

/// The kubelet's reasons in `status.reason` (its eviction, preemption and shutdown managers), and
/// the node controller's.
const REASONS: &[(&str, Disruption)] = &[
    ("Evicted", Disruption::Evicted),
    ("Preempting", Disruption::Preempted),
    ("Terminated", Disruption::NodeLost),
    ("NodeShutdown", Disruption::NodeLost),
    ("Shutdown", Disruption::NodeLost),
    ("NodeLost", Disruption::NodeLost),
    ("NodeAffinity", Disruption::NodeLost),
];

/// The exit code of a process that SIGKILL ended.
const KILLED: i64 = 128 + 9;

/// The meaning of a program's exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// kaniko: it ends with 0 only if the image is pushed, also while the pod is ended, and only the
    /// kernel kills it.
    Kaniko,
    /// Any program: it may answer SIGTERM with 0, and another process may kill it.
    Any,
}

/// Returns what ended the pod that was seen so. `asked` tells whether this run asked for the
/// pod's deletion.
pub(crate) fn ending(seen: &Seen, asked: bool, program: Program) -> Ending<'_> {
    let ended = seen.ended();
    let is_kaniko = program == Program::Kaniko;
    let done = ended.filter(|ended| ended["exitCode"] == 0);
    if let Some(ended) = ended {
        let before = seen.ended_before_any_disruption();
        if done.is_some() && (is_kaniko || before) {
            return Ending::Succeeded(ended);
        }
        if before {
            let is_killed = is_kaniko && ended["exitCode"] == KILLED;
            return if is_killed || ended["reason"] == "OOMKilled" {
                Ending::OutOfMemory
            } else {
                Ending::Failed(ended)
            };
        }
        if ended["reason"] == "OOMKilled" {
            return Ending::OutOfMemory;
        }
    }
    let message = || seen.message().to_owned();
    if let Some((reason, sentence)) = seen.disruption() {
        let how = known(CONDITIONS, reason)
            .or_else(|| known(REASONS, seen.reason()))
            // A condition of a component that is not Kubernetes' own, or a newer one.
            .unwrap_or(Disruption::Evicted);
        let told = if sentence.is_empty() {
            message()
        } else {
            sentence.to_owned()
        };
        return Ending::Disrupted(how, told);
    }
    if seen.reason() == "DeadlineExceeded" {
        return Ending::OverTime;
    }
    if let Some(how) = known(REASONS, seen.reason()) {
        return Ending::Disrupted(how, message());
    }
    if seen.is_deleted() {
        return if asked {
            Ending::ByThisRun
        } else {
            Ending::Deleted
        };
    }
    if let Some(ended) = done {
        return Ending::Succeeded(ended);
    }
    if seen.is_running() {
        // No kubelet ends a pod so: a controller did, in the place of a node that is not there.
        return Ending::Disrupted(Disruption::NodeLost, message());
    }
    match seen.failed_other() {
        Some(other) => Ending::OtherContainer(other),
        None => {
            let why = [seen.reason(), seen.message()].join(" ");
            Ending::NotStarted(why.trim().to_owned())
        }
    }
}

fn known(table: &[(&str, Disruption)], reason: &str) -> Option<Disruption> {
    let mut rows = table.iter();
    rows.find(|(known, _)| *known == reason).map(|row| row.1)
}
