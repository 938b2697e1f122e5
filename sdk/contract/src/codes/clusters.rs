//! The API server of a cluster.

use super::{Class, Code, Owner, codes};

codes! {
    kubernetes {
        UNAUTHENTICATED = "kubernetes.unauthenticated", [Denied] [Operator]
            "the API server does not know the caller"
            "sign in again";
        FORBIDDEN = "kubernetes.forbidden", [Denied] [Cluster]
            "the caller lacks a verb, or a webhook refused the object"
            "the Roles that `sidestep plan --rbac` prints; the message names a webhook";
        POD_SECURITY = "kubernetes.pod-security", [Denied] [Cluster]
            "the namespace's Pod Security level does not allow the pod"
            "kaniko needs `baseline`: it unpacks images as root";
        QUOTA = "kubernetes.quota", [Exhausted] [Cluster]
            "a ResourceQuota or a LimitRange of the namespace does not allow the pod: used up, an amount that is not given, below a minimum, above a maximum or a default limit, or a ratio"
            "set `cpu`, `memory` or `ephemeralStorage`, each a quantity or `{ request, limit }`";
        SERVICE_ACCOUNT_MISSING = "kubernetes.service-account-missing", [NotFound] [Cluster]
            "the pod's service account does not exist"
            "correct `serviceAccount`, or create it";
        NOT_FOUND = "kubernetes.not-found", [NotFound] [Cluster]
            "there is no such object, or no such namespace"
            "correct the name, or create it";
        ALREADY_EXISTS = "kubernetes.already-exists", [Conflict] [Cluster]
            "somebody else made the object, or a run with the same id and another plan did"
            "the message names it; in a matrix on several hosts set `SIDESTEP_RUN_KEY` to a value of each job's own";
        CONFLICT = "kubernetes.conflict", [Conflict] [Cluster]
            "somebody else changed the object meanwhile"
            "run it again";
        INVALID = "kubernetes.invalid", [InvalidInput] [Plugin]
            "the API server refuses a field"
            "the message names the field";
        UNAVAILABLE = "kubernetes.unavailable", [Unavailable] [Cluster]
            "the API server did not answer now"
            "retry; see whether its endpoint is reachable";
        UNREACHABLE = "kubernetes.unreachable", [Unavailable] [Cluster]
            "the API server did not answer"
            "retry; see whether its endpoint is reachable";
        FAILED = "kubernetes.failed", [Failed] [Cluster]
            "the API server answered something else than was asked"
            "see what answers at its endpoint";
        DELETE_SLOW = "kubernetes.delete-slow", [TimedOut] [Cluster]
            "an object was deleted and is still there"
            "`sidestep gc` removes it later";
        CLUSTER_UNUSABLE = "kubernetes.cluster-unusable", [Failed] [Cluster Operator]
            "the cluster can't be used: its endpoint or its certificate"
            "the message says what it lacks";
        UNKNOWN_CLUSTER = "kubernetes.unknown-cluster", [InvalidInput] [Author]
            "the name is not of a cluster that is known here"
            "name it projects/PROJECT/locations/LOCATION/clusters/CLUSTER";
    }
}
