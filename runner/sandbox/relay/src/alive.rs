//! The mark of a live sandbox on the object that owns all others: a relay that has no tunnel, for
//! example because the API server does not reach its node, takes nothing from the other nodes then.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, Error as KubeError, ResourceExt as _};
use serde_json::json;

/// The annotation with the time of the sandbox, in seconds since 1970. Only its changes count.
const MARK: &str = "sidestep.dev/alive";
/// The pause between two marks.
const PAUSE: Duration = Duration::from_secs(20);

/// Marks the relays' root as that of a live sandbox, until it is gone: the relays have taken back
/// everything, or somebody else has.
pub async fn stay(client: Client, root: String) {
    let roles: Api<ClusterRole> = Api::all(client);
    loop {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |time| time.as_secs()).to_string();
        let mark = Patch::Merge(json!({ "metadata": { "annotations": { MARK: now } } }));
        match roles.patch(&root, &PatchParams::default(), &mark).await {
            Ok(_) => {}
            Err(KubeError::Api(status)) if status.code == 404 => return,
            Err(error) => tracing::warn!(%error, root, "the relays can't be marked"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Returns the latest mark of a root; `None` if there is none, or it can't be read.
pub(crate) async fn mark(root: &str) -> Option<String> {
    let roles: Api<ClusterRole> = Api::all(Client::try_default().await.ok()?);
    let root = roles.get(root).await.ok()?;
    root.annotations().get(MARK).cloned()
}
