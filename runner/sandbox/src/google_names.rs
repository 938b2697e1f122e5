//! Google's names for the pods of a user's cluster: made known by an admission policy or a webhook,
//! at the metadata server's address, which every pod of a node reaches.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sidestep_sandbox_admission::{Installation, Means, Namespaces, install, is_in_force};

use crate::users::Users;
use crate::webhook::{self, Hook};

/// The time until the API server applies a new policy or webhook.
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
    /// Makes Google's names known to the new pods of the namespaces.
    pub(crate) async fn install_names(
        &self,
        hook: &Hook,
        namespaces: &Namespaces,
        installation: &Installation,
    ) -> Result<(), String> {
        let (client, webhook) = (self.real.client(), Some(&hook.webhook));
        let means = install(client, installation, &hook.names, namespaces, webhook).await;
        let means = means.map_err(|error| error.to_string())?;
        let namespace = namespaces.iter().next().unwrap_or_default();
        match is_in_force(client, namespace, PATIENCE).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(not_in_force(means)),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Returns the reason why the API server does not change pods.
fn not_in_force(means: Means) -> String {
    let within = PATIENCE.as_secs();
    match means {
        Means::Policy => format!("the API server does not apply the policy within {within} s"),
        Means::Webhook => format!(
            "the API server has no admission policies, and did not reach the webhook at {} within \
             {within} s: it has to run on a node of the cluster",
            webhook::url()
        ),
    }
}
