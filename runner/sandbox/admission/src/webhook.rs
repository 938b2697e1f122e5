//! The webhook, for API servers without policies.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::names::{Names, OBJECT};
use crate::namespaces::Namespaces;
use crate::patch::patch;
use crate::policy::rule;

/// A server that answers with [`review`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The address at which the API server calls it.
    pub target: Target,
    /// The authority of its certificate, PEM.
    pub authority: String,
}

/// An address of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A service of the cluster, whose certificate is for `NAME.NAMESPACE.svc`.
    Service {
        /// The service's namespace.
        namespace: String,
        /// The service's name.
        name: String,
        /// The path of the requests.
        path: String,
        /// The service's port.
        port: u16,
    },
    /// An `https` URL.
    Url(String),
}

/// The reason why a request is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request is not an AdmissionReview of admission.k8s.io/v1")]
pub struct NotAReview;

/// Returns the `webhooks` of the configuration.
pub(crate) fn webhooks(webhook: &Webhook, namespaces: &Namespaces) -> Value {
    let mut client = match &webhook.target {
        Target::Service {
            namespace,
            name,
            path,
            port,
        } => json!({
            "service": { "namespace": namespace, "name": name, "path": path, "port": port },
        }),
        Target::Url(url) => json!({ "url": url }),
    };
    client["caBundle"] = json!(STANDARD.encode(&webhook.authority));
    json!([{
        "name": format!("{OBJECT}.sidestep.dev"),
        "clientConfig": client,
        "rules": [rule()],
        "namespaceSelector": selector(namespaces),
        // A pod without the names fails later, and says so. The webhook must not keep pods away.
        "failurePolicy": "Ignore",
        "reinvocationPolicy": "IfNeeded",
        "sideEffects": "None",
        "timeoutSeconds": 5,
        "admissionReviewVersions": ["v1"],
    }])
}

/// Returns a selector of namespaces by the name that the API server puts into a label of each.
pub(crate) fn selector(namespaces: &Namespaces) -> Value {
    json!({
        "matchExpressions": [{
            "key": "kubernetes.io/metadata.name",
            "operator": "In",
            "values": namespaces.iter().collect::<Vec<_>>(),
        }],
    })
}

/// Answers an AdmissionReview: every request is allowed, and a new pod is patched
/// (Kubernetes documentation, "Dynamic Admission Control").
///
/// # Errors
/// If the value is not a review with a request.
pub fn review(review: &Value, names: &Names) -> Result<Value, NotAReview> {
    let request = &review["request"];
    let uid = request["uid"].as_str().filter(|uid| !uid.is_empty());
    let known =
        review["apiVersion"] == "admission.k8s.io/v1" && review["kind"] == "AdmissionReview";
    let Some(uid) = uid.filter(|_| known) else {
        return Err(NotAReview);
    };
    let mut response = json!({ "uid": uid, "allowed": true });
    let is_pod = request["kind"] == json!({ "group": "", "version": "v1", "kind": "Pod" });
    if is_pod && request["operation"] == "CREATE" {
        let additions = patch(&request["object"], names);
        if !additions.is_empty() {
            response["patchType"] = json!("JSONPatch");
            response["patch"] = json!(STANDARD.encode(json!(additions).to_string()));
        }
    }
    Ok(json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": response,
    }))
}
