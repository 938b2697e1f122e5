//! Pods.

use super::{Class, Code, Owner, codes};

codes! {
    pod {
        DEADLINE = "pod.deadline", [TimedOut] [Author]
            "the build took longer than its time, and the cluster ended it"
            "give the step a longer `timeout`";
        DELETED = "pod.deleted", [Failed] [Cluster]
            "somebody deleted the pod before it ended"
            "the cluster's audit log names the caller; then run it again. Only `retry.on: [pod.deleted]` retries it";
        DISK_FULL = "pod.disk-full", [Exhausted] [Author]
            "the build ran out of disk"
            "raise `ephemeralStorage`: archive, extracted files and layers need room at the same time";
        EVICTED = "pod.evicted", [Unavailable] [Cluster]
            "the pod was evicted: its node was drained (an upgrade, a scale-down), or ran low on a resource"
            "retry: it is safe";
        IMAGE_PULL = "pod.image-pull", [Failed] [Cluster]
            "the executor image can't be pulled, also after its grace"
            "check its name; images are pulled as the node";
        LOG_CUT_OFF = "pod.log-cut-off", [] []
            "a warning: the pod or its node went away, or the node no longer has the log, before its end was read; the message has the node's own words"
            "the pod's own state says why it ended";
        LOG_GAP = "pod.log-gap", [] []
            "a warning: the node rotated a log, or its container restarted, before all of it was read"
            "read the log where it is kept, if it is";
        MOUNTED_PATH = "pod.mounted-path", [Failed] [Cluster]
            "an image writes to a path at which the pod has a mount"
            "move the mount that was injected into the pod, or the image's path";
        NETWORK_NOT_READY = "pod.network-not-ready", [Unavailable] [Cluster]
            "kaniko started before an injected container was ready, and had no network"
            "retry; let the injected container start first";
        NO_IDENTITY = "pod.no-identity", [Unavailable] [Cluster]
            "the build got no Google identity: no metadata server answered on its node in time"
            "retry: it is a race on new pods";
        NODE_LOST = "pod.node-lost", [Unavailable] [Cluster]
            "the pod's node shut down, is unreachable, or is gone"
            "retry: it is safe";
        NOT_CONTAINED = "pod.not-contained", [Failed] [Cluster]
            "kaniko does not recognise its container"
            "use another node pool or executor: the cluster's container runtime hides it from kaniko";
        NOT_FOUND = "pod.not-found", [NotFound] [Cluster]
            "there is no such pod, or not any more"
            "see who deleted it";
        NOT_STARTABLE = "pod.not-startable", [Failed] [Cluster]
            "the build's container can't start"
            "the reason is in the message";
        OUT_OF_MEMORY = "pod.out-of-memory", [Failed] [Author]
            "the build was killed for memory"
            "raise `memory`";
        PREEMPTED = "pod.preempted", [Unavailable] [Cluster]
            "the pod made room for one of a higher priority"
            "retry: it is safe";
        PRIVILEGES = "pod.privileges", [Failed] [Cluster]
            "the pod lacks a right that kaniko needs"
            "Pod Security `baseline`, not `restricted`";
        READ_ONLY = "pod.read-only", [Failed] [Cluster]
            "kaniko met a read-only file system"
            "a writable root, no mounts below the image's paths";
        SIDECAR_FAILED = "pod.sidecar-failed", [Failed] [Cluster]
            "a container that the cluster injects into the pod failed before the build could start; the message names it"
            "its administrator repairs it, or leaves build pods out";
        STOPPED = "pod.stopped", [Failed] [Author]
            "an earlier process of this run deleted the pod, and the run was resumed meanwhile"
            "run it again";
        UNSCHEDULABLE = "pod.unschedulable", [Exhausted] [Cluster]
            "no node takes the pod, also after its grace"
            "ask for less, or let the cluster grow";
    }
}
