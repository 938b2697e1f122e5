//! The account of a pod, and its tokens.

use axum::http::StatusCode;
use serde_json::Value;
use sidestep_sandbox_identity::{Caller, LIFETIME, Token, workload_principal};

use super::{PodIdentity, Reply};
use crate::apis::{iamcredentials, sts};
use crate::cloud::Cloud;
use crate::clusters::PodSubject;
use crate::error::ApiError;
use crate::id_tokens;

/// The annotation that links a Kubernetes service account to a Google one.
const LINK: &str = "iam.gke.io/gcp-service-account";
/// The annotation that requests the principal in place of an address.
const PRINCIPAL_AS_EMAIL: &str = "iam.gke.io/return-principal-id-as-email";
const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";
const USERINFO: &str = "https://www.googleapis.com/auth/userinfo.email";

/// The metadata server that serves the pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mode {
    /// Compute Engine's metadata server, with the node's account.
    Node {
        /// The node pool's setting: an address, or `default`.
        service_account: String,
        scopes: Vec<String>,
    },
    /// GKE's metadata server.
    Workload {
        /// The cluster's workload pool.
        pool: String,
    },
}

/// The account that the metadata server shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    /// The address that the metadata server shows.
    pub(super) email: String,
    pub(super) scopes: Vec<String>,
    /// The Google account that is linked to the Kubernetes account.
    linked: Option<String>,
    /// The Kubernetes account's uid; empty for the node's account.
    uid: String,
}

impl Account {
    pub(super) fn is_named(&self, name: &str) -> bool {
        name == "default" || name == self.email
    }
}

impl Mode {
    pub(super) fn of(cluster: &Value, pod: &PodIdentity) -> Self {
        let text = |pointer: &str| {
            cluster
                .pointer(pointer)
                .and_then(Value::as_str)
                .filter(|t| !t.is_empty())
        };
        let pools = cluster.get("nodePools").and_then(Value::as_array);
        let node_pool = pools
            .into_iter()
            .flatten()
            .find(|p| p["name"] == pod.node_pool.as_str());
        let config = node_pool.map_or(&Value::Null, |p| &p["config"]);
        let autopilot = cluster.pointer("/autopilot/enabled") == Some(&Value::Bool(true));
        let served = autopilot || config["workloadMetadataConfig"]["mode"] == "GKE_METADATA";
        match text("/workloadIdentityConfig/workloadPool") {
            Some(pool) if served && !pod.host_network => Self::Workload {
                pool: pool.to_owned(),
            },
            _ => Self::Node {
                service_account: config["serviceAccount"]
                    .as_str()
                    .unwrap_or("default")
                    .to_owned(),
                scopes: config["oauthScopes"]
                    .as_array()
                    .map(|all| {
                        all.iter()
                            .filter_map(Value::as_str)
                            .map(str::to_owned)
                            .collect()
                    })
                    .unwrap_or_default(),
            },
        }
    }

    /// Returns the account, or the error reply.
    pub(super) fn account(&self, cloud: &Cloud, pod: &PodIdentity) -> Result<Account, Reply> {
        let number = project_number(cloud, pod);
        match self {
            Self::Node {
                service_account,
                scopes,
            } => {
                let email = match service_account.as_str() {
                    "default" | "" => format!("{number}-compute@developer.gserviceaccount.com"),
                    email => email.to_owned(),
                };
                Ok(Account {
                    email,
                    scopes: scopes.clone(),
                    linked: None,
                    uid: String::new(),
                })
            }
            Self::Workload { pool } => {
                let (namespace, name) = (&pod.namespace, &pod.service_account);
                let found = cloud.clusters().service_account(namespace, name);
                let Some(mut found) = found else {
                    return Err(Reply::Text(
                        StatusCode::NOT_FOUND,
                        format!(
                            "Unable to fetch the Kubernetes service account: serviceaccounts \"{namespace}/{name}\" not found\n"
                        ),
                    ));
                };
                let linked = found.annotations.remove(LINK).filter(|l| !l.is_empty());
                let as_principal = found
                    .annotations
                    .get(PRINCIPAL_AS_EMAIL)
                    .map(String::as_str)
                    == Some("true");
                let email = match &linked {
                    Some(email) => email.clone(),
                    None if as_principal => {
                        workload_principal(&number, pool, &pod.namespace, &pod.service_account)
                    }
                    None => pool.clone(),
                };
                let scopes = vec![CLOUD_PLATFORM.to_owned(), USERINFO.to_owned()];
                Ok(Account {
                    email,
                    scopes,
                    linked,
                    uid: found.uid,
                })
            }
        }
    }

    /// Returns an access token of the account.
    pub(super) fn token(
        &self,
        cloud: &Cloud,
        pod: &PodIdentity,
        account: &Account,
    ) -> Result<Token, Reply> {
        match self {
            Self::Node { .. } => match cloud.identity().account(&account.email) {
                Some(found) if !found.disabled => Ok(cloud
                    .identity()
                    .mint(&format!("serviceAccount:{}", found.email))),
                _ => Err(Reply::not_found()),
            },
            Self::Workload { pool } => {
                let subject = PodSubject {
                    namespace: pod.namespace.clone(),
                    service_account: pod.service_account.clone(),
                    uid: account.uid.clone(),
                };
                let token = sts::federate(cloud, pool, &pod.cluster, &subject);
                let Some(email) = &account.linked else {
                    return Ok(token);
                };
                let number = project_number(cloud, pod);
                let principal =
                    workload_principal(&number, pool, &pod.namespace, &pod.service_account);
                iamcredentials::impersonate(cloud, &Caller::Member(principal), email, LIFETIME)
                    .map_err(|error| refused("access token", &error))
            }
        }
    }

    /// Returns an id token of the account for an audience. A pod without a linked account has none.
    pub(super) fn id_token(
        &self,
        cloud: &Cloud,
        pod: &PodIdentity,
        account: &Account,
        audience: &str,
        full: bool,
    ) -> Result<String, Reply> {
        let found = cloud
            .identity()
            .account(&account.email)
            .filter(|a| !a.disabled);
        match (self, &account.linked) {
            (Self::Node { .. }, _) => match found {
                Some(found) => {
                    id_tokens::issue(cloud, &found, audience, full).map_err(|e| plain(&e))
                }
                None => Err(Reply::not_found()),
            },
            (Self::Workload { .. }, None) => Err(Reply::Text(
                StatusCode::NOT_FOUND,
                format!(
                    "Your Kubernetes service account ({}/{}) is not linked to a Google service account, and only those have identity tokens\n",
                    pod.namespace, pod.service_account
                ),
            )),
            (Self::Workload { pool }, Some(email)) => {
                let number = project_number(cloud, pod);
                let principal =
                    workload_principal(&number, pool, &pod.namespace, &pod.service_account);
                let caller = Caller::Member(principal);
                iamcredentials::id_token(cloud, &caller, email, audience, full)
                    .map_err(|error| refused("identity token", &error))
            }
        }
    }
}

fn project_number(cloud: &Cloud, pod: &PodIdentity) -> String {
    cloud
        .project(pod.cluster.split('/').nth(1).unwrap_or_default())
        .1
        .number
}

/// Returns IAM's error in the words of GKE's metadata server.
fn refused(what: &str, error: &ApiError) -> Reply {
    let status = StatusCode::from_u16(error.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let reason = status.canonical_reason().unwrap_or_default();
    Reply::Text(
        status,
        format!(
            "Unable to generate {what}; IAM returned {} {reason}: {}\nThis error could be caused by a missing IAM policy binding on the target IAM service account.\nFor more information, refer to the Workload Identity documentation:\n\thttps://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity#authenticating_to\n",
            error.code, error.message
        ),
    )
}

fn plain(error: &ApiError) -> Reply {
    let status = StatusCode::from_u16(error.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Reply::Text(status, format!("{}\n", error.message))
}
