//! Identities of workloads and of the caller.

use super::{Class, Code, Owner, codes};

codes! {
    identity {
        NO_TOKEN = "identity.no-token", [Denied Unavailable] [Operator]
            "link 0: the runner's own credentials are refused, or Google does not answer, with Google's sentence; nothing is known of the workload yet"
            "sign in again";
        NO_CREDENTIALS = "identity.no-credentials", [Denied] [Operator]
            "link 0: the runner has no usable credentials"
            "sign in";
        NO_ID_TOKEN = "identity.no-id-token", [] []
            "a warning: the CI offers this job an id token, and it can't be had"
            "the message has the CI's answer";
        PROJECT_MISSING = "identity.project-missing", [NotFound] [Cloud]
            "link 1: there is no such project, or it is being deleted"
            "correct its name";
        API_DISABLED = "identity.api-disabled", [Denied] [Cloud]
            "link 2, or in a build: an API that is needed is not enabled in the cluster's or a target's project"
            "the printed command";
        CLUSTER_MISSING = "identity.cluster-missing", [NotFound] [Cloud]
            "link 3: the cluster is not there"
            "correct its name";
        CLUSTER_DENIED = "identity.cluster-denied", [Denied] [Cloud]
            "link 3: the runner may not look at the cluster"
            "the printed command";
        NO_WORKLOAD_POOL = "identity.no-workload-pool", [Denied] [Cloud]
            "link 3: Workload Identity is off on the cluster"
            "the printed command";
        NODE_ACCOUNT = "identity.node-account", [Denied] [Cloud]
            "link 4: pods would be their node's account: no node pool that they can land on serves workload identities. In a build a warning, while that works"
            "the printed commands; [ways.md](ways.md) explains them";
        NAMESPACE_MISSING = "identity.namespace-missing", [NotFound] [Cluster]
            "link 5: there is no such namespace"
            "the printed command";
        SERVICE_ACCOUNT_MISSING = "identity.service-account-missing", [NotFound] [Cluster]
            "link 5: there is no such Kubernetes service account"
            "the printed command";
        ANNOTATION_MISSING = "identity.annotation-missing", [Denied] [Cluster]
            "link 6: the annotation does not name the Google service account"
            "the printed command";
        ANNOTATION_WRONG = "identity.annotation-wrong", [Denied] [Cluster]
            "link 6: the annotation names another account, or is not an address"
            "the printed command";
        ANNOTATION_LEFTOVER = "identity.annotation-leftover", [Denied] [Cluster]
            "link 6: the annotation is there though the direct form wants none"
            "the printed command";
        ACCOUNT_MISSING = "identity.account-missing", [NotFound Denied] [Cloud]
            "link 7, or in a build: the Google service account does not exist"
            "the printed commands, or correct the annotation";
        ACCOUNT_DISABLED = "identity.account-disabled", [Denied] [Cloud]
            "link 7: the Google service account is disabled"
            "the printed command";
        BINDING_MISSING = "identity.binding-missing", [Denied] [Cloud]
            "link 8, or in a build: the workload may not act as its Google service account"
            "the printed command";
        BINDING_CONDITION = "identity.binding-condition", [Denied] [Cloud]
            "link 8: the workload may act as the account only under a condition that does not hold"
            "change the condition";
        IMPERSONATION_DENIED = "identity.impersonation-denied", [Denied] [Cloud]
            "link 9: the policies allow it, and Google still denies it after `wait`; or account and policy could not be read, so that the step cannot tell whether the binding is missing or the account is disabled or deleted"
            "the printed commands; give `googleServiceAccount`";
        POOL_MISSING = "identity.pool-missing", [NotFound] [Cloud]
            "link 9: the pool or the provider is missing, disabled or deleted"
            "see the cluster's workload pool";
        SUBJECT_REFUSED = "identity.subject-refused", [Denied] [Cloud]
            "link 9: Google does not take the cluster's token"
            "see that pool and provider are this cluster's";
        CONDITION_REJECTED = "identity.condition-rejected", [Denied] [Cloud]
            "link 9: the provider's attribute condition is false for the workload"
            "change the condition";
        EXCHANGE_INVALID = "identity.exchange-invalid", [InvalidInput] [Cloud]
            "link 9: the exchange was asked for something malformed"
            "see its message";
        NO_TOKEN_IN_ANSWER = "identity.no-token-in-answer", [Failed] [Cloud]
            "an answer came from something that is not Google"
            "see what answers at that address";
        TARGET_MISSING = "identity.target-missing", [NotFound] [Cloud]
            "link 10: a bucket, repository or secret is not there"
            "the printed command";
        TARGET_DENIED = "identity.target-denied", [Denied] [Cloud]
            "link 10: the identity lacks permissions on a target; a target's `prefix` keeps the printed grant to these objects, and no grant is printed where the policy could not be read"
            "the printed command";
        TARGET_UNFIT = "identity.target-unfit", [InvalidInput] [Author]
            "link 10: nobody can push to the repository"
            "choose another one";
        PERIMETER_DENIED = "identity.perimeter-denied", [Denied] [Cloud]
            "link 9 or 10: a service perimeter (VPC Service Controls) forbids it, whatever roles there are; the message has Google's sentence and unique identifier"
            "give the identifier to the perimeter's administrator";
        NOT_UNIFORM = "identity.not-uniform", [Denied] [Cloud]
            "link 11: a bucket has no uniform access, which the direct form needs"
            "the printed command";
        EGRESS_BLOCKED = "identity.egress-blocked", [Denied] [Cluster]
            "link 13: a network policy keeps every pod from the metadata server"
            "let the pods reach it";
        ACCOUNT_FORM = "identity.account-form", [Denied] [Cloud]
            "link 16: an API needs the address of a service account, and the workload has none"
            "use a Google service account";
        ACCOUNT_NAME = "identity.account-name", [InvalidInput] [Author]
            "`googleServiceAccount` is not an address of a service account"
            "correct it";
        CLUSTER_NAME = "identity.cluster-name", [InvalidInput] [Author]
            "`cluster` does not say which cluster of GKE it is"
            "write projects/PROJECT/locations/LOCATION/clusters/CLUSTER";
        FORM = "identity.form", [InvalidInput] [Author]
            "`form: direct` and `googleServiceAccount` exclude each other"
            "remove one of the two";
        TARGET = "identity.target", [InvalidInput] [Author]
            "a target names nothing that an identity can reach, or too little"
            "correct it";
        SUBJECT = "identity.subject", [InvalidInput] [Author]
            "a name that can't be a workload's"
            "correct it";
        KEY_IN_SECRET = "identity.key-in-secret", [] []
            "a warning: the build uses a service account's key"
            "the printed commands; [ways.md](ways.md) explains them";
        KEY_MISSING = "identity.key-missing", [NotFound] [Author]
            "the Secret of `googleKey`, or the key in it, is not there"
            "make it, or do without";
        KEY_REFUSED = "identity.key-refused", [Denied] [Cloud]
            "Google does not take the key: it was deleted, or belongs to another account"
            "do without; the printed commands";
        METADATA_UNAVAILABLE = "identity.metadata-unavailable", [Unavailable] [Cloud]
            "the metadata server did not give a token"
            "retry";
    }
}
