//! Google's names for the pods of a node: served at the metadata server's address, which every pod
//! of the node reaches, and made known to the pods by an admission policy.

use std::net::IpAddr;
use std::sync::PoisonError;
use std::time::Duration;

use axum::Router;
use serde::{Deserialize, Serialize};
use sidestep_sandbox_admission::{Names, Namespaces, install, is_in_force};
use sidestep_sandbox_base::names::METADATA_ADDRESS;
use sidestep_sandbox_tls::Authority;
use tokio::net::TcpListener;

use crate::front;
use crate::installed::{Nothing, take_back};
use crate::live::{Held, Places};
use crate::server::spawn;
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
    /// Makes Google's names known to the pods of the namespaces, if the sandbox is on a node and
    /// its namespaces are named. A failure is described and ends nothing: pods have their identity
    /// without it.
    pub(crate) async fn make_names_known(
        &self,
        router: Router,
        authority: &Authority,
        (places, held): (&Places, &Held),
    ) {
        // What a killed sandbox has left, whether something is to be installed now or not.
        let known = match take_back(places, held).await {
            Err(left) => Some(GoogleNames::Unknown(left.to_string())),
            Ok(taken_back) => {
                let namespaces = Namespaces::new(self.named.namespaces.iter().cloned());
                match namespaces.filter(|_| self.on_node) {
                    None => None,
                    Some(namespaces) => {
                        let nothing = taken_back.nothing;
                        let made = self.install(router, authority, &namespaces, nothing).await;
                        Some(match made {
                            Ok(()) => GoogleNames::Known,
                            Err(why) => {
                                GoogleNames::Unknown(after_failure(why, places, held).await)
                            }
                        })
                    }
                }
            }
        };
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        *names = known;
    }

    async fn install(
        &self,
        router: Router,
        authority: &Authority,
        namespaces: &Namespaces,
        nothing: Nothing<'_>,
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
        let recorded = nothing.record(&self.named);
        let recorded = recorded.map_err(|error| error.to_string())?;
        install(client, recorded.installation(), &names, namespaces, None)
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

/// Removes what a failed installation has created, and returns the reason of the failure, with that
/// of the removal if it failed too.
async fn after_failure(why: String, places: &Places, held: &Held) -> String {
    match take_back(places, held).await {
        Ok(_) => why,
        Err(left) => format!("{why}; {left}"),
    }
}
