//! The table. In a manifest, `KEY64` stands for a key in base64, `KEYTEXT` for a key as a quoted text,
//! `DOCKER64` for Docker's configuration with a key as a password, `OTHER64` for one without a key,
//! `FEDERATED64` for a configuration of workload identity federation, and `TLS64` for a private key.

/// A name, a manifest, and its findings: rule, line, users.
type Case = (&'static str, &'static str, &'static [&'static str]);

/// Returns the manifest of a case.
pub(super) fn named(name: &str) -> &'static str {
    let found = CASES.iter().find(|(known, ..)| *known == name);
    found.map(|(_, text, _)| *text).expect("a case")
}

pub(super) const CASES: &[Case] = &[
    (
        "a Deployment that mounts a key",
        include_str!("manifests/a-deployment-that-mounts-a-key.yaml"),
        &["key-in-object :6 by Deployment shop/api"],
    ),
    (
        "a StatefulSet that mounts a key",
        include_str!("manifests/a-statefulset-that-mounts-a-key.yaml"),
        &["key-in-object :6 by StatefulSet shop/api"],
    ),
    (
        "a DaemonSet that mounts a key",
        include_str!("manifests/a-daemonset-that-mounts-a-key.yaml"),
        &["key-in-object :6 by DaemonSet shop/api"],
    ),
    (
        "a ReplicaSet that mounts a key",
        include_str!("manifests/a-replicaset-that-mounts-a-key.yaml"),
        &["key-in-object :6 by ReplicaSet shop/api"],
    ),
    (
        "a Job that mounts a key",
        include_str!("manifests/a-job-that-mounts-a-key.yaml"),
        &["key-in-object :6 by Job shop/api"],
    ),
    (
        "a CronJob that mounts a key",
        include_str!("manifests/a-cronjob-that-mounts-a-key.yaml"),
        &["key-in-object :6 by CronJob shop/api"],
    ),
    (
        "a Pod that mounts a key",
        include_str!("manifests/a-pod-that-mounts-a-key.yaml"),
        &["key-in-object :6 by Pod shop/api"],
    ),
    (
        "a Rollout that mounts a key",
        include_str!("manifests/a-rollout-that-mounts-a-key.yaml"),
        &["key-in-object :6 by Rollout shop/api"],
    ),
    (
        "a Deployment with a key in a variable",
        include_str!("manifests/a-deployment-with-a-key-in-a-variable.yaml"),
        &["key-in-object :6 by Deployment shop/api"],
    ),
    (
        "a StatefulSet with a key in a variable",
        include_str!("manifests/a-statefulset-with-a-key-in-a-variable.yaml"),
        &["key-in-object :6 by StatefulSet shop/api"],
    ),
    (
        "a DaemonSet with a key in a variable",
        include_str!("manifests/a-daemonset-with-a-key-in-a-variable.yaml"),
        &["key-in-object :6 by DaemonSet shop/api"],
    ),
    (
        "a ReplicaSet with a key in a variable",
        include_str!("manifests/a-replicaset-with-a-key-in-a-variable.yaml"),
        &["key-in-object :6 by ReplicaSet shop/api"],
    ),
    (
        "a Job with a key in a variable",
        include_str!("manifests/a-job-with-a-key-in-a-variable.yaml"),
        &["key-in-object :6 by Job shop/api"],
    ),
    (
        "a CronJob with a key in a variable",
        include_str!("manifests/a-cronjob-with-a-key-in-a-variable.yaml"),
        &["key-in-object :6 by CronJob shop/api"],
    ),
    (
        "a Pod with a key in a variable",
        include_str!("manifests/a-pod-with-a-key-in-a-variable.yaml"),
        &["key-in-object :6 by Pod shop/api"],
    ),
    (
        "a Rollout with a key in a variable",
        include_str!("manifests/a-rollout-with-a-key-in-a-variable.yaml"),
        &["key-in-object :6 by Rollout shop/api"],
    ),
    (
        "a Deployment whose Secret is elsewhere",
        include_str!("manifests/a-deployment-whose-secret-is-elsewhere.yaml"),
        &["key-file-unknown :1"],
    ),
    (
        "a StatefulSet whose Secret is elsewhere",
        include_str!("manifests/a-statefulset-whose-secret-is-elsewhere.yaml"),
        &["key-file-unknown :1"],
    ),
    (
        "a DaemonSet whose Secret is elsewhere",
        include_str!("manifests/a-daemonset-whose-secret-is-elsewhere.yaml"),
        &["key-file-unknown :1"],
    ),
    (
        "a ReplicaSet whose Secret is elsewhere",
        include_str!("manifests/a-replicaset-whose-secret-is-elsewhere.yaml"),
        &["key-file-unknown :1"],
    ),
    (
        "a Job whose Secret is elsewhere",
        include_str!("manifests/a-job-whose-secret-is-elsewhere.yaml"),
        &["key-file-unknown :1"],
    ),
    (
        "a CronJob whose Secret is elsewhere",
        include_str!("manifests/a-cronjob-whose-secret-is-elsewhere.yaml"),
        &["key-file-unknown :1"],
    ),
    (
        "a Pod whose Secret is elsewhere",
        include_str!("manifests/a-pod-whose-secret-is-elsewhere.yaml"),
        &["key-file-unknown :1"],
    ),
    (
        "a Rollout whose Secret is elsewhere",
        include_str!("manifests/a-rollout-whose-secret-is-elsewhere.yaml"),
        &["key-file-unknown :1"],
    ),
    (
        "a Deployment with the account of its node",
        include_str!("manifests/a-deployment-with-the-account-of-its-node.yaml"),
        &["node-account :1"],
    ),
    (
        "a StatefulSet with the account of its node",
        include_str!("manifests/a-statefulset-with-the-account-of-its-node.yaml"),
        &["node-account :1"],
    ),
    (
        "a DaemonSet with the account of its node",
        include_str!("manifests/a-daemonset-with-the-account-of-its-node.yaml"),
        &["node-account :1"],
    ),
    (
        "a ReplicaSet with the account of its node",
        include_str!("manifests/a-replicaset-with-the-account-of-its-node.yaml"),
        &["node-account :1"],
    ),
    (
        "a Job with the account of its node",
        include_str!("manifests/a-job-with-the-account-of-its-node.yaml"),
        &["node-account :1"],
    ),
    (
        "a CronJob with the account of its node",
        include_str!("manifests/a-cronjob-with-the-account-of-its-node.yaml"),
        &["node-account :1"],
    ),
    (
        "a Pod with the account of its node",
        include_str!("manifests/a-pod-with-the-account-of-its-node.yaml"),
        &["node-account :1"],
    ),
    (
        "a Rollout with the account of its node",
        include_str!("manifests/a-rollout-with-the-account-of-its-node.yaml"),
        &["node-account :1"],
    ),
    (
        "a Deployment that has nothing to do with Google",
        include_str!("manifests/a-deployment-that-has-nothing-to-do-with-google.yaml"),
        &[],
    ),
    (
        "a StatefulSet that has nothing to do with Google",
        include_str!("manifests/a-statefulset-that-has-nothing-to-do-with-google.yaml"),
        &[],
    ),
    (
        "a DaemonSet that has nothing to do with Google",
        include_str!("manifests/a-daemonset-that-has-nothing-to-do-with-google.yaml"),
        &[],
    ),
    (
        "a ReplicaSet that has nothing to do with Google",
        include_str!("manifests/a-replicaset-that-has-nothing-to-do-with-google.yaml"),
        &[],
    ),
    (
        "a Job that has nothing to do with Google",
        include_str!("manifests/a-job-that-has-nothing-to-do-with-google.yaml"),
        &[],
    ),
    (
        "a CronJob that has nothing to do with Google",
        include_str!("manifests/a-cronjob-that-has-nothing-to-do-with-google.yaml"),
        &[],
    ),
    (
        "a Pod that has nothing to do with Google",
        include_str!("manifests/a-pod-that-has-nothing-to-do-with-google.yaml"),
        &[],
    ),
    (
        "a Rollout that has nothing to do with Google",
        include_str!("manifests/a-rollout-that-has-nothing-to-do-with-google.yaml"),
        &[],
    ),
    (
        "a Deployment with Workload Identity",
        include_str!("manifests/a-deployment-with-workload-identity.yaml"),
        &[],
    ),
    (
        "a StatefulSet with Workload Identity",
        include_str!("manifests/a-statefulset-with-workload-identity.yaml"),
        &[],
    ),
    (
        "a DaemonSet with Workload Identity",
        include_str!("manifests/a-daemonset-with-workload-identity.yaml"),
        &[],
    ),
    (
        "a ReplicaSet with Workload Identity",
        include_str!("manifests/a-replicaset-with-workload-identity.yaml"),
        &[],
    ),
    (
        "a Job with Workload Identity",
        include_str!("manifests/a-job-with-workload-identity.yaml"),
        &[],
    ),
    (
        "a CronJob with Workload Identity",
        include_str!("manifests/a-cronjob-with-workload-identity.yaml"),
        &[],
    ),
    (
        "a Pod with Workload Identity",
        include_str!("manifests/a-pod-with-workload-identity.yaml"),
        &[],
    ),
    (
        "a Rollout with Workload Identity",
        include_str!("manifests/a-rollout-with-workload-identity.yaml"),
        &[],
    ),
    (
        "a linked DaemonSet on the host's network",
        include_str!("manifests/a-linked-daemonset-on-the-hosts-network.yaml"),
        &["node-account :8"],
    ),
    (
        "the direct form, whose account has no annotation",
        include_str!("manifests/the-direct-form-whose-account-has-no-annotation.yaml"),
        &[],
    ),
    (
        "a linked default account",
        include_str!("manifests/a-linked-default-account.yaml"),
        &[],
    ),
    (
        "a pull secret with a key",
        include_str!("manifests/a-pull-secret-with-a-key.yaml"),
        &["registry-key :6 by Deployment shop/api"],
    ),
    (
        "a pull secret of another registry",
        include_str!("manifests/a-pull-secret-of-another-registry.yaml"),
        &[],
    ),
    (
        "a Secret with stringData",
        include_str!("manifests/a-secret-with-stringdata.yaml"),
        &["key-in-object :6"],
    ),
    (
        "a Secret that nothing here uses",
        include_str!("manifests/a-secret-that-nothing-here-uses.yaml"),
        &["key-in-object :6"],
    ),
    (
        "a Secret of another namespace with the same name",
        include_str!("manifests/a-secret-of-another-namespace-with-the-same-name.yaml"),
        &["key-in-object :6", "key-file-unknown :8"],
    ),
    (
        "a TLS Secret",
        include_str!("manifests/a-tls-secret.yaml"),
        &[],
    ),
    (
        "a federation configuration in a Secret",
        include_str!("manifests/a-federation-configuration-in-a-secret.yaml"),
        &[],
    ),
    (
        "a ConfigMap with a key",
        include_str!("manifests/a-configmap-with-a-key.yaml"),
        &["key-in-object :6 by Deployment shop/api"],
    ),
    (
        "a key in a variable of the workload itself",
        include_str!("manifests/a-key-in-a-variable-of-the-workload-itself.yaml"),
        &["key-in-object :13 by Deployment shop/api"],
    ),
    (
        "a List of a Secret and a Pod",
        include_str!("manifests/a-list-of-a-secret-and-a-pod.yaml"),
        &["key-in-object :9 by Pod shop/api"],
    ),
    (
        "an annotation that is no address",
        include_str!("manifests/an-annotation-that-is-no-address.yaml"),
        &["annotation :1"],
    ),
    (
        "an annotation that was left empty",
        include_str!("manifests/an-annotation-that-was-left-empty.yaml"),
        &["annotation :1"],
    ),
    (
        "an annotation of Compute Engine's account",
        include_str!("manifests/an-annotation-of-compute-engines-account.yaml"),
        &["annotation :1"],
    ),
    (
        "an annotation on the pods",
        include_str!("manifests/an-annotation-on-the-pods.yaml"),
        &["annotation :1"],
    ),
    (
        "the Cloud SQL proxy beside an application",
        include_str!("manifests/the-cloud-sql-proxy-beside-an-application.yaml"),
        &["node-account :1"],
    ),
    (
        "a projected volume and envFrom",
        include_str!("manifests/a-projected-volume-and-envfrom.yaml"),
        &["key-in-object :6 by Deployment shop/api"],
    ),
    (
        "an init container with the key",
        include_str!("manifests/an-init-container-with-the-key.yaml"),
        &["key-in-object :6 by Deployment shop/api"],
    ),
    (
        "a SealedSecret",
        include_str!("manifests/a-sealedsecret.yaml"),
        &[],
    ),
    (
        "an ExternalSecret",
        include_str!("manifests/an-externalsecret.yaml"),
        &[],
    ),
    (
        "a custom resource definition",
        include_str!("manifests/a-custom-resource-definition.yaml"),
        &[],
    ),
];
