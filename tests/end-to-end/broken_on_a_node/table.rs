//! The rows of the test, and the scenarios that a real node can't have.

/// A broken link of a build's identity.
pub(super) struct Broken {
    /// The sandbox's scenario.
    pub(super) scenario: &'static str,
    /// The scenario beside the node, if this one changes the sandbox's own cluster.
    pub(super) google: Option<&'static str>,
    /// The commands that break the same in the real cluster.
    pub(super) in_the_cluster: &'static [&'static str],
    /// Whether the account has its roles directly, without a Google account.
    pub(super) direct: bool,
    /// Whether the metadata server's answers do not reach pods.
    pub(super) silent: bool,
    /// A part of the log of the build, or of the reason of its failure if there is no pod.
    pub(super) says: &'static str,
    /// The code of the build's failure.
    pub(super) code: &'static str,
    /// The links that `wi-verify` names, in order.
    pub(super) links: &'static [(u64, &'static str)],
    /// Whether it runs in every test run, and not only in a soak.
    pub(super) always: bool,
}

impl Broken {
    pub(super) fn account(&self) -> &'static str {
        if self.direct {
            "kaniko-direct"
        } else {
            "kaniko"
        }
    }

    pub(super) fn form(&self) -> &'static str {
        if self.direct {
            "direct"
        } else {
            "impersonation"
        }
    }
}

const NONE: Broken = Broken {
    scenario: "",
    google: None,
    in_the_cluster: &[],
    direct: false,
    silent: false,
    says: "",
    code: "",
    links: &[],
    always: false,
};

/// kaniko's message where the metadata server answers 403.
const FORBIDDEN: &str = "credentials: cannot fetch token: compute: Received 403";
/// The metadata server's own answer without a binding.
const NO_BINDING: &str = "Permission 'iam.serviceAccounts.getAccessToken' denied on resource";

pub(super) const TABLE: &[Broken] = &[
    Broken {
        scenario: "api-disabled",
        says: FORBIDDEN,
        code: "identity.api-disabled",
        links: &[(2, "identity.api-disabled")],
        ..NONE
    },
    Broken {
        scenario: "no-workload-pool",
        says: "does not have storage.objects.get access",
        code: "identity.node-account",
        links: &[
            (3, "identity.no-workload-pool"),
            (4, "identity.node-account"),
        ],
        ..NONE
    },
    Broken {
        scenario: "metadata-server-off",
        says: "does not have storage.objects.get access",
        code: "identity.node-account",
        links: &[(4, "identity.node-account")],
        ..NONE
    },
    Broken {
        scenario: "service-account-missing",
        google: Some("healthy"),
        in_the_cluster: &["kubectl delete serviceaccount kaniko --namespace builds"],
        says: "error looking up service account builds/kaniko",
        code: "kubernetes.service-account-missing",
        links: &[
            (5, "identity.service-account-missing"),
            (6, "identity.annotation-missing"),
        ],
        ..NONE
    },
    Broken {
        scenario: "no-annotation",
        google: Some("healthy"),
        in_the_cluster: &[
            "kubectl annotate serviceaccount kaniko --namespace builds iam.gke.io/gcp-service-account-",
        ],
        says: "does not have storage.objects.get access",
        code: "kaniko.context-denied",
        links: &[(6, "identity.annotation-missing")],
        always: true,
        ..NONE
    },
    Broken {
        scenario: "wrong-annotation",
        google: Some("healthy"),
        in_the_cluster: &[
            "kubectl annotate serviceaccount kaniko --namespace builds --overwrite iam.gke.io/gcp-service-account=bulider@demo.iam.gserviceaccount.com",
        ],
        says: "not defined",
        code: "identity.account-missing",
        links: &[(6, "identity.annotation-wrong")],
        ..NONE
    },
    Broken {
        scenario: "annotation-misspelt",
        google: Some("healthy"),
        in_the_cluster: &[
            "kubectl annotate serviceaccount kaniko --namespace builds --overwrite iam.gke.io/gcp-service-account=projects/demo/serviceAccounts/builder@demo.iam.gserviceaccount.com",
        ],
        says: "not defined",
        code: "identity.account-missing",
        links: &[(6, "identity.annotation-wrong")],
        ..NONE
    },
    Broken {
        scenario: "leftover-annotation",
        google: Some("healthy"),
        in_the_cluster: &[
            "kubectl annotate serviceaccount kaniko-direct --namespace builds iam.gke.io/gcp-service-account=builder@demo.iam.gserviceaccount.com",
        ],
        direct: true,
        says: NO_BINDING,
        code: "identity.binding-missing",
        links: &[(6, "identity.annotation-leftover")],
        ..NONE
    },
    Broken {
        scenario: "account-deleted",
        says: "not defined",
        code: "identity.account-missing",
        links: &[(7, "identity.account-missing")],
        always: true,
        ..NONE
    },
    Broken {
        scenario: "account-disabled",
        says: FORBIDDEN,
        // Google answers as it does without a binding.
        code: "identity.binding-missing",
        links: &[(7, "identity.account-disabled")],
        ..NONE
    },
    Broken {
        scenario: "account-recreated",
        says: NO_BINDING,
        code: "identity.binding-missing",
        links: &[
            (8, "identity.binding-missing"),
            (10, "identity.target-denied"),
        ],
        ..NONE
    },
    Broken {
        scenario: "no-binding",
        says: NO_BINDING,
        code: "identity.binding-missing",
        links: &[(8, "identity.binding-missing")],
        ..NONE
    },
    Broken {
        scenario: "ksa-ns-swapped",
        says: NO_BINDING,
        code: "identity.binding-missing",
        links: &[(8, "identity.binding-missing")],
        ..NONE
    },
    Broken {
        scenario: "project-number-in-member",
        says: NO_BINDING,
        code: "identity.binding-missing",
        links: &[(8, "identity.binding-missing")],
        ..NONE
    },
    Broken {
        scenario: "wrong-role",
        says: NO_BINDING,
        code: "identity.binding-missing",
        links: &[(8, "identity.binding-missing")],
        ..NONE
    },
    Broken {
        scenario: "bucket-denied",
        says: "does not have storage.objects.get access",
        code: "kaniko.context-denied",
        links: &[(10, "identity.target-denied")],
        ..NONE
    },
    Broken {
        scenario: "registry-denied",
        says: "error checking push permissions",
        code: "kaniko.push-denied",
        links: &[(10, "identity.target-denied")],
        always: true,
        ..NONE
    },
    Broken {
        scenario: "repository-missing",
        says: "error checking push permissions",
        code: "kaniko.push-denied",
        links: &[
            (10, "identity.target-missing"),
            (10, "identity.target-denied"),
        ],
        ..NONE
    },
    Broken {
        scenario: "not-uniform",
        direct: true,
        says: "does not have storage.objects.get access",
        code: "kaniko.context-denied",
        links: &[(11, "identity.not-uniform")],
        ..NONE
    },
    // The network of the node enforces no policy, so the answers are lost on the way instead.
    Broken {
        scenario: "egress-blocked",
        google: Some("healthy"),
        in_the_cluster: &[
            "gcloud container clusters update ci --location europe-west1 --enable-network-policy",
            "kubectl create --filename - <<'END'
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: no-egress, namespace: builds }
spec: { podSelector: {}, policyTypes: [Egress] }
END",
        ],
        silent: true,
        says: "could not find default credentials",
        code: "pod.no-identity",
        links: &[(13, "identity.egress-blocked")],
        always: true,
        ..NONE
    },
];

/// The scenarios that a real node can't have, or that no command repairs, by the reason.
pub(super) const NOT_ON_A_NODE: &[(&str, &[&str])] = &[
    (
        "the runner's own sign-in is refused, so there is no pod",
        &["caller-rejected"],
    ),
    (
        "nothing is broken: builds run as the node's account, which has the roles",
        &["node-account"],
    ),
    (
        "the sandbox's registry accepts pushes while its API is disabled, so the build succeeds",
        &["registry-api-disabled"],
    ),
    (
        "no link is broken: a change of a policy is only repeated",
        &["new-account-unknown"],
    ),
    (
        "not tried on a node yet; identity.rs finds and repairs it in the sandbox",
        &[
            "binding-by-project-id",
            "binding-expired",
            "binding-for-another",
            "binding-undecided",
            "bucket-expired",
            "deny-policy",
            "deny-policy-on-tokens",
            "deny-policy-unread",
            "pool-of-another-project",
            "swapped-in-project",
        ],
    ),
    (
        "nothing is broken: the first push creates the repository",
        &["created-on-push"],
    ),
    (
        "no command repairs it: `wi-verify` names who decides",
        &["exchange-unknown", "perimeter"],
    ),
    (
        "only the pods of the sandbox's own cluster have it; on the node, see the row of a metadata \
         server that never answers",
        &["metadata-server-fails", "metadata-server-late"],
    ),
    (
        "no link of the identity is broken; disruptions.rs shows it on a real node",
        &["evicted", "drained", "preempted", "node-lost", "deleted"],
    ),
    (
        "no link of the identity is broken; least_role.rs shows it on a real node",
        &["no-delete"],
    ),
    (
        "no link of the identity is broken: the sandbox's own cluster disturbs its pods",
        &[
            "image-pull-fails",
            "image-pull-heals",
            "out-of-memory",
            "garbage-collected",
            "shut-down",
            "sidecar",
            "sidecar-fails",
            "no-room",
            "cpu-quota",
            "build-hangs",
            "log-lost",
            "any-bytes",
        ],
    ),
];
