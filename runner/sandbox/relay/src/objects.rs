//! The objects of the relays in the cluster.
//!
//! One object owns all others: without it, Kubernetes removes them. It is a ClusterRole with the
//! rights to read and to delete itself, so that a relay without a sandbox takes everything back.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use serde_json::{Value, json};

use crate::greeting::Secret;

/// The names of the objects that are not named after the installation.
pub const RELAY: &str = "sidestep-relay";
/// The folder of the secret in the relay's container.
pub(crate) const FOLDER: &str = "/var/run/sidestep-relay";
/// The file of the secret there, and the key of the Secret.
pub(crate) const FILE: &str = "secret";
/// The file with the name of the object that owns all others, and its key.
pub(crate) const ROOT: &str = "root";
/// The variable with the name of the relay's node.
pub(crate) const NODE: &str = "SIDESTEP_NODE";
/// The label of the pods.
pub(crate) const POD: (&str, &str) = ("app.kubernetes.io/name", RELAY);
/// The seconds that a relay has to take the node's address back.
const GRACE: u32 = 5;

/// The relays of one sandbox.
#[derive(Debug, Clone)]
pub struct Relays {
    /// The id of the installation, which is part of names.
    pub id: String,
    /// The labels of all objects, an object of texts.
    pub labels: Value,
    /// The annotations of all objects, an object of texts.
    pub annotations: Value,
    /// The relay's image: the runner's own.
    pub image: String,
    /// The secret of the tunnels.
    pub secret: Secret,
}

impl Relays {
    /// Returns the name of the namespace, and of the objects without a namespace.
    pub fn name(&self) -> String {
        let short: String = self.id.chars().take(12).collect();
        format!("sidestep-sandbox-{short}")
    }

    /// Returns the object that owns all others.
    pub(crate) fn root(&self) -> Value {
        let name = self.name();
        let own = json!({
            "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"],
            "resourceNames": [name], "verbs": ["get", "delete"],
        });
        json!({ "metadata": self.metadata(&name, None, None), "rules": [own] })
    }

    /// Returns the namespace of all others.
    pub(crate) fn namespace(&self, root: &OwnerReference) -> Value {
        let mut metadata = self.metadata(&self.name(), None, Some(root));
        // The relays use the network of their nodes.
        metadata["labels"]["pod-security.kubernetes.io/enforce"] = json!("privileged");
        json!({ "metadata": metadata })
    }

    /// Returns the relays' service account.
    pub(crate) fn account(&self) -> Value {
        json!({ "metadata": self.inner() })
    }

    /// Returns the binding of the account to the right to delete the root.
    pub(crate) fn binding(&self, root: &OwnerReference) -> Value {
        let name = self.name();
        json!({
            "metadata": self.metadata(&name, None, Some(root)),
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name,
            },
            "subjects": [{ "kind": "ServiceAccount", "name": RELAY, "namespace": name }],
        })
    }

    /// Returns the Secret that a relay reads at its start.
    pub(crate) fn secret(&self) -> Value {
        json!({ "metadata": self.inner(), "stringData": { FILE: self.secret.text(), ROOT: self.name() } })
    }

    /// Returns the relays themselves.
    pub(crate) fn daemon_set(&self) -> Value {
        json!({ "metadata": self.inner(), "spec": self.spec() })
    }

    fn spec(&self) -> Value {
        let selected = json!({ POD.0: POD.1 });
        let container = json!({
            "name": "relay",
            "image": self.image,
            "imagePullPolicy": "IfNotPresent",
            "args": ["sandbox", "relay", "--node", format!("$({NODE})")],
            "env": [{ "name": NODE, "valueFrom": { "fieldRef": { "fieldPath": "spec.nodeName" } } }],
            "resources": { "requests": { "cpu": "10m", "memory": "32Mi" } },
            "securityContext": {
                "runAsUser": 0,
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                // The address of the metadata server, and its ports.
                "capabilities": { "drop": ["ALL"], "add": ["NET_ADMIN", "NET_BIND_SERVICE"] },
                "seccompProfile": { "type": "RuntimeDefault" },
            },
            "terminationMessagePolicy": "FallbackToLogsOnError",
            "volumeMounts": [{ "name": FILE, "mountPath": FOLDER, "readOnly": true }],
        });
        json!({
            "selector": { "matchLabels": selected },
            "template": {
                "metadata": { "labels": selected },
                "spec": {
                    "hostNetwork": true,
                    "nodeSelector": { "kubernetes.io/os": "linux" },
                    "serviceAccountName": RELAY,
                    "terminationGracePeriodSeconds": GRACE,
                    // On every node, whatever keeps other pods away.
                    "tolerations": [{ "operator": "Exists" }],
                    "containers": [container],
                    "volumes": [{ "name": FILE, "secret": { "secretName": RELAY, "defaultMode": 256 } }],
                },
            },
        })
    }

    /// Returns the metadata of an object in the namespace, which it ends with.
    fn inner(&self) -> Value {
        self.metadata(RELAY, Some(&self.name()), None)
    }

    fn metadata(
        &self,
        name: &str,
        namespace: Option<&str>,
        owner: Option<&OwnerReference>,
    ) -> Value {
        let mut metadata = json!({
            "name": name, "labels": self.labels, "annotations": self.annotations,
        });
        if let Some(namespace) = namespace {
            metadata["namespace"] = json!(namespace);
        }
        if let Some(owner) = owner {
            metadata["ownerReferences"] = json!([owner]);
        }
        metadata
    }
}
