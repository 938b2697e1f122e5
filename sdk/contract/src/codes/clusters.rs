//! The API server of a cluster.

use super::{Class, Code, Owner, codes};

codes! {
    kubernetes {
        UNAUTHENTICATED = "kubernetes.unauthenticated", [Denied] [Operator]
            "the API server does not accept the caller's credentials"
            "sign in again";
        FORBIDDEN = "kubernetes.forbidden", [Denied] [Cluster]
            "the caller lacks permission for a verb, or a webhook refused the object"
            "apply the Roles that `sidestep plan --rbac` prints, or ask the owner of the webhook that the message names";
        POD_SECURITY = "kubernetes.pod-security", [Denied] [Cluster]
            "the namespace's Pod Security level does not allow the pod"
            "use the level `baseline`, which kaniko needs because it unpacks images as root";
        QUOTA = "kubernetes.quota", [Exhausted] [Cluster]
            "a ResourceQuota or a LimitRange of the namespace does not allow the pod: a quota is used up, an amount is missing, below a minimum, or above a maximum or a default limit, or a ratio is out of range"
            "set `cpu`, `memory` or `ephemeralStorage`, each to a quantity or to `{ request, limit }`";
        SERVICE_ACCOUNT_MISSING = "kubernetes.service-account-missing", [NotFound] [Cluster]
            "the pod's service account does not exist"
            "correct `serviceAccount`, or create it";
        NOT_FOUND = "kubernetes.not-found", [NotFound] [Cluster]
            "the object or the namespace does not exist"
            "correct the name, or create it";
        ALREADY_EXISTS = "kubernetes.already-exists", [Conflict] [Cluster]
            "another client created the object, or a run with the same id and a different plan did"
            "find the object in the message; in a matrix on several hosts, set `SIDESTEP_RUN_KEY` to a different value for each job";
        CONFLICT = "kubernetes.conflict", [Conflict] [Cluster]
            "another client changed the object in the meantime"
            "run it again";
        INVALID = "kubernetes.invalid", [InvalidInput] [Plugin]
            "the API server rejects a field"
            "correct the field that the message names";
        UNAVAILABLE = "kubernetes.unavailable", [Unavailable] [Cluster]
            "the API server is temporarily unavailable"
            "retry, and check that its endpoint is reachable";
        UNREACHABLE = "kubernetes.unreachable", [Unavailable] [Cluster]
            "the API server did not answer"
            "retry, and check that its endpoint is reachable";
        FAILED = "kubernetes.failed", [Failed] [Cluster]
            "the API server returned an unexpected answer"
            "check which server answers at its endpoint";
        DELETE_SLOW = "kubernetes.delete-slow", [TimedOut] [Cluster]
            "an object was deleted but still exists"
            "run `sidestep gc` later to remove it";
        CLUSTER_UNUSABLE = "kubernetes.cluster-unusable", [Failed] [Cluster Operator]
            "the cluster's endpoint or certificate is not usable"
            "correct the part that the message names";
        UNKNOWN_CLUSTER = "kubernetes.unknown-cluster", [InvalidInput] [Author]
            "the name does not match any known cluster"
            "write projects/PROJECT/locations/LOCATION/clusters/CLUSTER";
    }
}
