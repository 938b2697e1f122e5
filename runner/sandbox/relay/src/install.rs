//! The relays in the cluster: created, and removed with everything that they own.

use std::fmt::Debug;
use std::time::Duration;

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{Namespace, Secret, ServiceAccount};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::runtime::wait::{await_condition, conditions};
use kube::{Api, Client, Error as KubeError, Resource, ResourceExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::InstallError;
use crate::objects::Relays;

/// The time in which the cluster removes a namespace: longer than its pods may take for their end.
const REMOVAL: Duration = Duration::from_secs(40);

/// Creates the relays. Returns the reference to the object that owns all others: whatever else is
/// installed for them may refer to it too, and ends with it.
///
/// # Errors
/// If the API server refuses a request. What was created until then is found by [`remove`].
pub async fn install(client: &Client, relays: &Relays) -> Result<OwnerReference, InstallError> {
    let name = relays.name();
    let roles = Api::<ClusterRole>::all(client.clone());
    let root = create(&roles, relays.root()).await?;
    let root = root.owner_ref(&()).ok_or(InstallError::NoUid)?;
    let namespaces = Api::<Namespace>::all(client.clone());
    create(&namespaces, relays.namespace(&root)).await?;
    let accounts = Api::<ServiceAccount>::namespaced(client.clone(), &name);
    create(&accounts, relays.account()).await?;
    let bindings = Api::<ClusterRoleBinding>::all(client.clone());
    create(&bindings, relays.binding(&root)).await?;
    let secrets = Api::<Secret>::namespaced(client.clone(), &name);
    create(&secrets, relays.secret()).await?;
    let sets = Api::<DaemonSet>::namespaced(client.clone(), &name);
    create(&sets, relays.daemon_set()).await?;
    Ok(root)
}

async fn create<K>(api: &Api<K>, object: Value) -> Result<K, InstallError>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Serialize,
{
    let object: K = serde_json::from_value(object).map_err(InstallError::Object)?;
    let created = api.create(&PostParams::default(), &object).await;
    created.map_err(|error| InstallError::Api {
        what: format!("create {} `{}`", K::kind(&()), object.name_any()),
        why: text(&error),
    })
}

/// Removes the relays whose objects have these labels, and what they own. Returns how many there
/// were, and ends when the nodes have their addresses back.
///
/// # Errors
/// The first refusal of the API server, or if the cluster takes too long.
pub async fn remove(client: &Client, labels: &str) -> Result<usize, InstallError> {
    let roles = Api::<ClusterRole>::all(client.clone());
    let namespaces = Api::<Namespace>::all(client.clone());
    // The namespace, in case that the garbage collector is slow, or its owner is gone.
    let deleted = delete(&roles, labels).await;
    let ending = delete(&namespaces, labels).await;
    let (deleted, ending) = (deleted?, ending?);
    for (name, uid) in &ending {
        let gone = await_condition(namespaces.clone(), name, conditions::is_deleted(uid));
        match tokio::time::timeout(REMOVAL, gone).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                return Err(InstallError::Api {
                    what: format!("watch Namespace `{name}`"),
                    why: error.to_string(),
                });
            }
            Err(_) => {
                return Err(InstallError::Slow {
                    namespace: name.clone(),
                });
            }
        }
    }
    Ok(deleted.len() + ending.len())
}

/// Deletes the objects with these labels. Returns their names and uids.
async fn delete<K>(api: &Api<K>, labels: &str) -> Result<Vec<(String, String)>, InstallError>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    let refused = |verb: &str| {
        let what = format!("{verb} {}", K::plural(&()));
        move |error: KubeError| InstallError::Api {
            what,
            why: text(&error),
        }
    };
    let found = api.list(&ListParams::default().labels(labels)).await;
    let mut deleted = Vec::new();
    for object in found.map_err(refused("list"))? {
        let name = object.name_any();
        match api.delete(&name, &DeleteParams::background()).await {
            Ok(_) => deleted.push((name, object.uid().unwrap_or_default())),
            Err(KubeError::Api(status)) if status.code == 404 => {}
            Err(error) => return Err(refused("delete")(error)),
        }
    }
    Ok(deleted)
}

fn text(error: &KubeError) -> String {
    match error {
        KubeError::Api(status) => status.message.clone(),
        error => error.to_string(),
    }
}
