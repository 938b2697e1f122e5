//! Google's names for the pods of a node: served at the metadata server's address, which every pod
//! of the node reaches, and made known to the pods by an admission policy.

use std::net::IpAddr;
use std::sync::PoisonError;
use std::time::Duration;

use axum::Router;
use serde::{Deserialize, Serialize};
use sidestep_sandbox_admission::{Names, Namespaces, install, is_in_force, remove};
use sidestep_sandbox_base::names::METADATA_ADDRESS;
use sidestep_sandbox_tls::Authority;
use tokio::net::TcpListener;

use crate::server::spawn;
use crate::users::Users;
use crate::{SandboxError, front};

/// The time until the API server applies a new policy.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether the pods of a user's cluster know Google's names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum GoogleNames {
    /// New pods of the namespaces know them.
    Known,
    /// They do not, for this reason.
    Unknown(String),
}

impl Users {
    /// Makes Google's names known to the pods of the namespaces, if the sandbox is on a node and
    /// its namespaces are named. A failure is described and ends nothing: pods have their identity
    /// without it.
    pub(crate) async fn make_names_known(&self, router: Router, authority: &Authority) {
        let namespaces = Namespaces::new(self.named.namespaces.iter().cloned());
        let Some(namespaces) = namespaces.filter(|_| self.on_node) else {
            return;
        };
        let known = match self.install(router, authority, &namespaces).await {
            Ok(()) => GoogleNames::Known,
            Err(why) => {
                // What was created until then.
                let _ = remove(self.real.client()).await;
                GoogleNames::Unknown(why)
            }
        };
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        *names = Some(known);
    }

    async fn install(
        &self,
        router: Router,
        authority: &Authority,
        namespaces: &Namespaces,
    ) -> Result<(), String> {
        let listener = TcpListener::bind((METADATA_ADDRESS, 443)).await;
        let listener = listener
            .and_then(|listener| front::listen(listener, authority))
            .map_err(|error| format!("{METADATA_ADDRESS}:443 can't be opened: {error}"))?;
        spawn("GOOGLE", async move { axum::serve(listener, router).await });
        let address: IpAddr = METADATA_ADDRESS
            .parse()
            .map_err(|error| format!("{METADATA_ADDRESS}: {error}"))?;
        let names = Names::new(address, authority.pem());
        let client = self.real.client();
        install(client, &names, namespaces, None)
            .await
            .map_err(|error| error.to_string())?;
        let namespace = namespaces.iter().next().unwrap_or_default();
        match is_in_force(client, namespace, PATIENCE).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(format!(
                "the API server does not apply the policy within {} s",
                PATIENCE.as_secs()
            )),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Removes what was installed in the cluster.
    pub(crate) async fn take_back(&self) -> Result<(), SandboxError> {
        let installed = {
            let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
            *names == Some(GoogleNames::Known)
        };
        if installed {
            let removed = remove(self.real.client()).await;
            removed.map_err(SandboxError::TakenBack)?;
        }
        Ok(())
    }
}

/// Removes what a sandbox that was killed has left in the cluster of a context. Returns the number
/// of objects.
///
/// # Errors
/// If the context cannot be used, or the API server refuses a request.
pub async fn take_back(context: &str) -> Result<usize, SandboxError> {
    let client = sidestep_sandbox_cluster::client(context).await?;
    remove(&client).await.map_err(SandboxError::TakenBack)
}
