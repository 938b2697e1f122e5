//! Google's names for the pods of a user's cluster: made known by an admission policy, at the
//! metadata server's address, which every pod of a node reaches.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sidestep_sandbox_admission::{Installation, Names, Namespaces, install, is_in_force};
use sidestep_sandbox_base::names::METADATA_ADDRESS;
use sidestep_sandbox_tls::Authority;

use crate::users::Users;

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
    /// Makes Google's names known to the new pods of the namespaces.
    pub(crate) async fn install_names(
        &self,
        authority: &Authority,
        namespaces: &Namespaces,
        installation: &Installation,
    ) -> Result<(), String> {
        let address: IpAddr = METADATA_ADDRESS
            .parse()
            .map_err(|error| format!("{METADATA_ADDRESS}: {error}"))?;
        let names = Names::new(address, authority.pem());
        let client = self.real.client();
        install(client, installation, &names, namespaces, None)
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
}
