//! The containers of the helper image, which is the runner itself.

use sidestep::HelperImage;
use sidestep::serde_json::{Value, json};

/// The container that waits for the pod's identity.
pub(crate) const IDENTITY: &str = "sidestep-identity";

/// Returns the init container that waits for the metadata server of the pod's node. It needs no
/// privileges and ends by itself after a minute.
pub fn wait_for_identity(helper: &HelperImage) -> Value {
    json!({
        "name": IDENTITY,
        "image": helper.image().as_str(),
        "args": ["pod", "wait-for-identity"],
        // A scope with limits, or a quota, wants an amount of each container.
        "resources": {
            "requests": { "cpu": "10m", "memory": "32Mi", "ephemeral-storage": "16Mi" },
            "limits": { "cpu": "500m", "memory": "128Mi", "ephemeral-storage": "64Mi" },
        },
        "securityContext": {
            "runAsUser": 65534,
            "runAsNonRoot": true,
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": { "drop": ["ALL"] },
            "seccompProfile": { "type": "RuntimeDefault" },
        },
    })
}
