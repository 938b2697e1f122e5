//! Pods.

use super::{Class, Code, Owner, codes};

codes! {
    pod {
        COMMAND_FAILED = "pod.command-failed", [Failed] [Author]
            "the command of pod-run ended with another exit code than 0"
            "read its log: the message names the exit code";
        CONTEXT_NOT_FETCHED = "pod.context-not-fetched", [Denied NotFound InvalidInput Exhausted Unavailable] [Author Cloud]
            "the pod could not fetch, check or unpack its `context`"
            "correct `context`, or let the pod's identity read the bucket: the message names the cause";
        DEADLINE = "pod.deadline", [TimedOut] [Author]
            "the build or the command exceeded its deadline, and the cluster stopped it"
            "give the step a longer `timeout`";
        DELETED = "pod.deleted", [Failed] [Cluster]
            "a caller outside this run deleted the pod before it ended"
            "find the caller in the cluster's audit log, then run the step again. Only `retry.on: [pod.deleted]` retries it automatically";
        DISK_FULL = "pod.disk-full", [Exhausted] [Author]
            "the build ran out of disk space"
            "raise `ephemeralStorage`: the archive, the extracted files and the layers need space at the same time";
        EVENTS_UNREAD = "pod.events-unread", [] []
            "a warning: the caller may not list or watch events, so the pod's events are not shown; the message names the verb"
            "apply the Roles that `sidestep plan --rbac` prints";
        EVICTED = "pod.evicted", [Unavailable] [Cluster]
            "the pod was evicted: its node was drained (for an upgrade or a scale-down), or ran low on a resource"
            "retry: it is safe";
        IMAGE_PULL = "pod.image-pull", [Failed] [Cluster]
            "the image still can't be pulled after the grace period"
            "check its name, and that the node's account may pull it: the node pulls images";
        INPUT = "pod.input", [InvalidInput] [Author]
            "an input of pod-run has a value that no pod can have"
            "correct the input that the message names";
        LOG_CUT_OFF = "pod.log-cut-off", [] []
            "a warning: the pod or its node was removed, or the node no longer has the log, before the log was read to its end; the message quotes the node"
            "read the pod's status, which says why it ended";
        LOG_GAP = "pod.log-gap", [] []
            "a warning: the node rotated a log, or its container restarted, before the whole log was read"
            "read the full log in the cluster's log storage, if it has one";
        MOUNTED_PATH = "pod.mounted-path", [Failed] [Cluster]
            "an image writes to a path at which the pod has a mount"
            "move the mount that was injected into the pod, or change the path in the image";
        NETWORK_NOT_READY = "pod.network-not-ready", [Unavailable] [Cluster]
            "kaniko started before an injected container was ready, and had no network"
            "retry, and configure the injected container to start first";
        NO_IDENTITY = "pod.no-identity", [Unavailable] [Cluster]
            "the build received no Google identity, because no metadata server answered on its node in time"
            "retry: the metadata server of a new pod can be a few seconds late";
        NODE_LOST = "pod.node-lost", [Unavailable] [Cluster]
            "the pod's node shut down, is unreachable, or no longer exists"
            "retry: it is safe";
        NOT_CONTAINED = "pod.not-contained", [Failed] [Cluster]
            "kaniko does not recognise that it runs in a container"
            "use another node pool or executor: the cluster's container runtime hides the container from kaniko";
        NOT_FOUND = "pod.not-found", [NotFound] [Cluster]
            "the pod does not exist, or no longer exists"
            "find the caller that deleted it in the cluster's audit log, then run the step again";
        NOT_STARTABLE = "pod.not-startable", [Failed] [Author Cluster]
            "the container can't start: for a command of pod-run that the image lacks, the owner is the author"
            "correct the cause that the message names; the events of the namespace can say more";
        OUT_OF_MEMORY = "pod.out-of-memory", [Failed] [Author]
            "the build or the command was killed because it ran out of memory"
            "raise `memory`";
        OUTPUTS_TOO_LARGE = "pod.outputs-too-large", [Failed] [Author]
            "the outputs that the command of pod-run wrote exceed 4,096 bytes, the limit of a container's termination message"
            "write large results to a bucket, and output their address";
        OUTPUTS_WRONG = "pod.outputs-wrong", [Failed] [Author]
            "the outputs that the command of pod-run wrote are not a JSON object, or not those that `outputs` declares"
            "write one JSON object with the declared names and types to the file that `SIDESTEP_OUTPUTS` names";
        PREEMPTED = "pod.preempted", [Unavailable] [Cluster]
            "a pod with a higher priority preempted this pod"
            "retry: it is safe";
        PRIVILEGES = "pod.privileges", [Failed] [Cluster]
            "the pod lacks a privilege that kaniko needs"
            "use the Pod Security level `baseline`, not `restricted`: kaniko needs root with CHOWN, DAC_OVERRIDE, FOWNER, SETUID and SETGID";
        READ_ONLY = "pod.read-only", [Failed] [Cluster]
            "kaniko found a read-only file system"
            "remove `readOnlyRootFilesystem` and mounts below the image's paths: kaniko unpacks images into its own root";
        SIDECAR_FAILED = "pod.sidecar-failed", [Failed] [Author Cluster Operator]
            "another container of the pod failed before the work could start; the message names it. A sidecar of pod-run is the author's, the helper container is the operator's, a container that the cluster injects is a cluster administrator's"
            "correct the sidecar or the setting `helperImage`, or ask the container's administrator to repair it or to exclude the pods";
        STOPPED = "pod.stopped", [Failed] [Author]
            "an earlier process of this run deleted the pod, and the run was resumed in the meantime"
            "run it again";
        UNSCHEDULABLE = "pod.unschedulable", [Exhausted] [Cluster]
            "no node can run the pod, even after the grace period"
            "request fewer resources, or allow the cluster to scale up";
    }
}
