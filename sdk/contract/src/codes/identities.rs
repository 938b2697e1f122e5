//! Identities of workloads and of the caller.

use super::{Class, Code, Owner, codes};

codes! {
    identity {
        NO_TOKEN = "identity.no-token", [Denied Unavailable] [Operator]
            "link 0: the runner's own credentials were refused, or Google did not answer; the message quotes Google. The workload has not been checked yet"
            "sign in again";
        NO_CREDENTIALS = "identity.no-credentials", [Denied] [Operator]
            "link 0: the runner has no usable credentials"
            "sign in";
        NO_ID_TOKEN = "identity.no-id-token", [Denied Unavailable] [Operator Author]
            "link C1: the CI system gives this job no id token, or the request for it failed. Without `identity.provider`, a failed request is a warning"
            "read the CI system's answer in the message, and add what the message prints to the job";
        ID_TOKEN_EXPIRED = "identity.id-token-expired", [Denied] [Operator]
            "link C1: the only id token of the job has expired during the run"
            "set a longer `timeout` of the job";
        PROVIDER_NAME = "identity.provider-name", [Denied] [Author]
            "link C2: the name of the provider is not that of a provider, or has the id of its project in place of the number"
            "correct the setting `identity.provider`";
        PROVIDER_MISSING = "identity.provider-missing", [Denied] [Cloud]
            "link C2: the workload identity pool or the provider does not exist, is deleted, or is disabled"
            "run the printed commands";
        ISSUER_MISMATCH = "identity.issuer-mismatch", [Denied] [Cloud]
            "link C2: the provider trusts another issuer than that of the job's id token"
            "run the printed command, or use the CI system's own provider";
        ISSUER_UNREACHABLE = "identity.issuer-unreachable", [Denied] [Cloud]
            "link C2: Google cannot read the keys of the id token's issuer, such as those of a self-managed GitLab in a private network"
            "give the provider the keys as a file, or make them reachable";
        AUDIENCE_MISMATCH = "identity.audience-mismatch", [Denied] [Cloud]
            "link C2: the id token is for another audience than those that the provider allows"
            "correct the audience in the job, or run the printed command";
        MAPPING = "identity.mapping", [Denied] [Cloud]
            "link C3: the provider's attribute mapping has no valid subject for the job's id token"
            "run the printed command";
        CALLER_CONDITION = "identity.caller-condition", [Denied] [Cloud]
            "link C3: the provider's attribute condition rejects the job's id token; the message names the part that is false, and the claims that it reads"
            "run the job that the condition allows, or run the printed command";
        CALLER_BINDING = "identity.caller-binding", [Denied] [Cloud]
            "link C4: no binding allows the job to act as the runner's service account"
            "run the printed command";
        CALLER_CLUSTER = "identity.caller-cluster", [Denied] [Cloud]
            "link C5: the runner may not read the cluster"
            "run the printed command";
        CALLER_NAMESPACE = "identity.caller-namespace", [Denied] [Cluster]
            "link C6: the runner may not do in the namespace what a build does"
            "run the printed commands";
        PROJECT_MISSING = "identity.project-missing", [NotFound] [Cloud]
            "link 1: the project does not exist, or is being deleted"
            "correct its name";
        API_DISABLED = "identity.api-disabled", [Denied] [Cloud]
            "link 2, or in a build: a required API is not enabled in the project of the cluster or of a target"
            "run the printed command";
        CLUSTER_MISSING = "identity.cluster-missing", [NotFound] [Cloud]
            "link 3: the cluster does not exist"
            "correct its name";
        CLUSTER_DENIED = "identity.cluster-denied", [Denied] [Cloud]
            "link 3: the runner lacks permission to read the cluster"
            "run the printed command";
        NO_WORKLOAD_POOL = "identity.no-workload-pool", [Denied] [Cloud]
            "link 3: Workload Identity is not enabled on the cluster"
            "run the printed command";
        NODE_ACCOUNT = "identity.node-account", [Denied] [Cloud]
            "link 4: pods would use their node's account, because none of the node pools on which they can be scheduled serves workload identities. In a build this is a warning, as long as the node's account works"
            "run the printed commands; [ways.md](ways.md) explains them";
        NAMESPACE_MISSING = "identity.namespace-missing", [NotFound] [Cluster]
            "link 5: the namespace does not exist"
            "run the printed command";
        SERVICE_ACCOUNT_MISSING = "identity.service-account-missing", [NotFound] [Cluster]
            "link 5: the Kubernetes service account does not exist"
            "run the printed command";
        ANNOTATION_MISSING = "identity.annotation-missing", [Denied] [Cluster]
            "link 6: no annotation names the Google service account"
            "run the printed command";
        ANNOTATION_WRONG = "identity.annotation-wrong", [Denied] [Cluster]
            "link 6: the annotation names another account, or is not a valid address"
            "run the printed command";
        ANNOTATION_LEFTOVER = "identity.annotation-leftover", [Denied] [Cluster]
            "link 6: the annotation is set, but the direct form requires that it is not"
            "run the printed command";
        ACCOUNT_MISSING = "identity.account-missing", [NotFound Denied] [Cloud]
            "link 7, or in a build: the Google service account does not exist"
            "run the printed commands, or correct the annotation";
        ACCOUNT_DISABLED = "identity.account-disabled", [Denied] [Cloud]
            "link 7: the Google service account is disabled"
            "run the printed command";
        BINDING_MISSING = "identity.binding-missing", [Denied] [Cloud]
            "link 8, or in a build: no binding allows the workload to impersonate its Google service account"
            "run the printed command";
        BINDING_CONDITION = "identity.binding-condition", [Denied] [Cloud]
            "link 8: the workload's binding to the account has a condition that is not met"
            "change the condition";
        IMPERSONATION_DENIED = "identity.impersonation-denied", [Denied] [Cloud]
            "link 9: the policies allow the impersonation, but Google still denies it after `wait`; or the account and its policy could not be read, so the step can't tell whether the binding is missing or the account is disabled or deleted"
            "run the printed commands, and set `googleServiceAccount`";
        POOL_MISSING = "identity.pool-missing", [NotFound] [Cloud]
            "link 9: the pool or the provider is missing, disabled or deleted"
            "check the cluster's workload pool";
        SUBJECT_REFUSED = "identity.subject-refused", [Denied] [Cloud]
            "link 9: Google rejects the cluster's token"
            "check that the pool and the provider belong to this cluster";
        CONDITION_REJECTED = "identity.condition-rejected", [Denied] [Cloud]
            "link 9: the provider's attribute condition is false for the workload"
            "change the condition";
        EXCHANGE_INVALID = "identity.exchange-invalid", [InvalidInput] [Cloud]
            "link 9: the request for the token exchange is malformed"
            "read the details in the message";
        NO_TOKEN_IN_ANSWER = "identity.no-token-in-answer", [Failed] [Cloud]
            "a server that is not Google answered the request"
            "check which server answers at that address";
        TARGET_MISSING = "identity.target-missing", [NotFound] [Cloud]
            "link 10: a bucket, repository or secret does not exist"
            "run the printed command";
        TARGET_DENIED = "identity.target-denied", [Denied] [Cloud]
            "link 10: the identity lacks permissions on a target. If the target has a `prefix`, the printed grant is limited to its objects; if the policy could not be read, no grant is printed"
            "run the printed command";
        TARGET_UNFIT = "identity.target-unfit", [InvalidInput] [Author]
            "link 10: the repository does not accept pushes from any identity"
            "choose another repository";
        POLICY_FULL = "identity.policy-full", [InvalidInput Failed] [Cloud]
            "wi-setup: a policy has as many members as a policy may have; the message contains Google's sentence"
            "remove members that are not needed any more, or grant the role to a group";
        ORGANIZATION_POLICY = "identity.organization-policy", [Denied InvalidInput Failed] [Cloud]
            "wi-setup: an organization policy forbids the change, regardless of granted roles; the message contains Google's sentence"
            "give the message to an administrator of the organization";
        CHANGED_MEANWHILE = "identity.changed-meanwhile", [Conflict] [Cluster Cloud]
            "wi-setup: another client changed what the step was about to change"
            "run the step again: it reads the present state";
        NOT_VISIBLE = "identity.not-visible", [TimedOut] [Cloud]
            "wi-setup: Google did not accept the new service account as a member within `wait`"
            "run the step again";
        SETUP_INPUT = "identity.setup-input", [InvalidInput] [Author]
            "wi-setup: the inputs contradict each other, or one of them is not valid"
            "correct the input that the message names";
        PERIMETER_DENIED = "identity.perimeter-denied", [Denied] [Cloud]
            "link 9 or 10: a service perimeter (VPC Service Controls) forbids the request, regardless of granted roles; the message contains Google's sentence and unique identifier"
            "give the identifier to the perimeter's administrator";
        DENY_POLICY = "identity.deny-policy", [Denied] [Cloud]
            "link 9 or 10: the allow policies grant the permission, but a deny policy of the project, a folder or the organisation denies it"
            "run the printed command, if the workload should have access";
        NOT_UNIFORM = "identity.not-uniform", [Denied] [Cloud]
            "link 11: a bucket does not have uniform access, which the direct form requires"
            "run the printed command";
        EGRESS_BLOCKED = "identity.egress-blocked", [Denied] [Cluster]
            "link 13: a network policy blocks all pods from the metadata server"
            "allow the pods to reach it";
        ACCOUNT_FORM = "identity.account-form", [Denied] [Cloud]
            "link 16: an API requires the address of a service account, but the workload has none"
            "use a Google service account";
        ACCOUNT_NAME = "identity.account-name", [InvalidInput] [Author]
            "`googleServiceAccount` is not the address of a service account"
            "correct the address";
        CLUSTER_NAME = "identity.cluster-name", [InvalidInput] [Author]
            "`cluster` does not identify a GKE cluster"
            "write projects/PROJECT/locations/LOCATION/clusters/CLUSTER";
        FORM = "identity.form", [InvalidInput] [Author]
            "`form: direct` and `googleServiceAccount` exclude each other"
            "remove one of the two";
        TARGET = "identity.target", [InvalidInput] [Author]
            "a target is not a resource that an identity can access, or its name is incomplete"
            "correct the target";
        SUBJECT = "identity.subject", [InvalidInput] [Author]
            "a name is not valid for a workload"
            "correct the name";
        KEY_IN_SECRET = "identity.key-in-secret", [] []
            "a warning: the build uses a service account key"
            "run the printed commands; [ways.md](ways.md) explains them";
        KEY_MISSING = "identity.key-missing", [NotFound] [Author]
            "the Secret that `googleKey` names, or the key in it, does not exist"
            "create it, or build without a key";
        KEY_REFUSED = "identity.key-refused", [Denied] [Cloud]
            "Google rejects the key, because it was deleted or belongs to another account"
            "stop using the key: run the printed commands";
        METADATA_UNAVAILABLE = "identity.metadata-unavailable", [Unavailable] [Cloud]
            "the metadata server did not return a token"
            "retry: `retry: { attempts: 3, on: [unavailable] }`";
        NOT_READY = "identity.not-ready", [] []
            "a warning: a build found no identity in its first seconds, because its node's metadata server was late, and is made again once"
            "set the operator's `helperImage`: pods then wait for the metadata server";
    }
    key {
        FOUND = "key.found", [Failed] [Author]
            "`key-audit` found what `failOn` names: keys of service accounts, workloads with the account of their node, or places that were not searched"
            "follow the steps below each finding";
        INPUT = "key.input", [InvalidInput] [Author]
            "the inputs of `key-audit` name nothing to search, or contradict each other"
            "correct the input that the message names";
    }
}
