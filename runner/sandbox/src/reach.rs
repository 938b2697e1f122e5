//! The way from the pods of a user's cluster to the sandbox: on their node, or by relays.

use std::net::SocketAddr;
use std::sync::PoisonError;

use axum::Router;
use serde::{Deserialize, Serialize};
use sidestep_sandbox_admission::Namespaces;
use sidestep_sandbox_base::names::METADATA_ADDRESS;
use sidestep_sandbox_tls::Authority;
use tokio::net::TcpListener;

use crate::SandboxError;
use crate::front;
use crate::google_names::GoogleNames;
use crate::installed::{Nothing, take_back};
use crate::live::{Held, Places};
use crate::server::spawn;
use crate::users::Users;
use crate::webhook::Hook;

/// The way from pods to the sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reach {
    /// It is on the cluster's node.
    Node,
    /// By a relay on each of these nodes.
    Relays(Vec<String>),
    /// They do not, for this reason.
    No(String),
}

/// The servers that pods reach.
pub(crate) struct ForPods<'a> {
    /// The metadata server, which needs the source address of each connection.
    pub(crate) metadata: Router,
    /// Google's names.
    pub(crate) names: Router,
    /// Certifies Google's names.
    pub(crate) authority: &'a Authority,
}

/// The known state of the pods' side.
#[derive(Debug, Clone)]
pub(crate) struct PodSide {
    pub(crate) reach: Reach,
    pub(crate) names: Option<GoogleNames>,
}

impl PodSide {
    /// Returns the side of pods whose relays have removed everything.
    pub(crate) fn taken_back() -> Self {
        Self {
            reach: Reach::No(
                "the relays were removed, by a person or by themselves: without a sandbox for 15 \
                 minutes, as while a machine sleeps, they take back everything; stop the sandbox \
                 and start it again"
                    .to_owned(),
            ),
            names: None,
        }
    }
}

/// Opens the port of the metadata server, if this machine has its address.
pub(crate) async fn metadata_port() -> Result<Option<TcpListener>, SandboxError> {
    use std::io::ErrorKind;
    match TcpListener::bind((METADATA_ADDRESS, 80)).await {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if error.kind() == ErrorKind::AddrNotAvailable => Ok(None),
        Err(error) => Err(SandboxError::setup(
            "metadata server",
            format!("{METADATA_ADDRESS}:80 can't be opened: {error}"),
        )),
    }
}

impl Users {
    /// Lets pods reach the sandbox, and makes Google's names known to those of the namespaces. A
    /// failure is described and ends nothing: the sandbox's other callers do not need it.
    pub(crate) async fn open_to_pods(&self, servers: ForPods<'_>, disk: (&Places, &Held)) {
        let (places, held) = disk;
        let listener = {
            let mut listener = self.metadata.lock().unwrap_or_else(PoisonError::into_inner);
            listener.take()
        };
        // What a killed sandbox has left, whether something is to be installed now or not.
        let nothing = match take_back(places, held).await {
            Ok(taken_back) => Ok(taken_back.nothing),
            Err(left) => Err(left.to_string()),
        };
        let side = match (Hook::open(places, servers.authority), listener) {
            (Ok(hook), Some(listener)) => {
                self.serve_node(listener, servers, &hook, nothing, disk)
                    .await
            }
            (Ok(hook), None) => self.serve_by_relays(servers, &hook, nothing, disk).await,
            (Err(error), _) => PodSide {
                reach: Reach::No(format!(
                    "the certificate of the webhook can't be made: {error}"
                )),
                names: None,
            },
        };
        self.pods.write(|known| *known = Some(side));
    }

    /// Serves the pods of this node.
    async fn serve_node(
        &self,
        listener: TcpListener,
        servers: ForPods<'_>,
        hook: &Hook,
        nothing: Result<Nothing<'_>, String>,
        disk: (&Places, &Held),
    ) -> PodSide {
        let metadata = servers.metadata.clone();
        let service = metadata.into_make_service_with_connect_info::<SocketAddr>();
        spawn(
            "METADATA",
            async move { axum::serve(listener, service).await },
        );
        let installed = async |namespaces: &Namespaces| {
            let nothing = nothing?;
            let listener = TcpListener::bind((METADATA_ADDRESS, 443)).await;
            let listener = listener
                .and_then(|listener| {
                    front::listen(listener, servers.authority, Some(&hook.acceptor))
                })
                .map_err(|error| format!("{METADATA_ADDRESS}:443 can't be opened: {error}"))?;
            let names = hook.beside(servers.names);
            spawn("GOOGLE", async move { axum::serve(listener, names).await });
            let recorded = nothing.record(&self.named, self.real.server().await, false);
            let recorded = recorded.map_err(|error| error.to_string())?;
            let installation = recorded.installation();
            self.install_names(hook, namespaces, installation).await
        };
        let names = match self.namespaces() {
            None => None,
            Some(namespaces) => Some(match installed(&namespaces).await {
                Ok(()) => GoogleNames::Known,
                Err(why) => GoogleNames::Unknown(after_failure(why, disk).await),
            }),
        };
        PodSide {
            reach: Reach::Node,
            names,
        }
    }

    /// Serves the pods of the cluster by relays.
    async fn serve_by_relays(
        &self,
        servers: ForPods<'_>,
        hook: &Hook,
        nothing: Result<Nothing<'_>, String>,
        disk: (&Places, &Held),
    ) -> PodSide {
        let relayed = async {
            let recorded = nothing?.record(&self.named, self.real.server().await, true);
            let recorded = recorded.map_err(|error| error.to_string())?;
            self.relay(servers, hook, recorded.installation()).await
        };
        let (root, nodes) = match relayed.await {
            Ok(relayed) => relayed,
            Err(why) => {
                return PodSide {
                    reach: Reach::No(after_failure(why, disk).await),
                    names: None,
                };
            }
        };
        let names = match self.namespaces() {
            None => None,
            Some(namespaces) => {
                let made = self.install_names(hook, &namespaces, &root).await;
                Some(match made {
                    Ok(()) => GoogleNames::Known,
                    // Pods have their identity without it. What was created ends with the relays.
                    Err(why) => GoogleNames::Unknown(why),
                })
            }
        };
        PodSide {
            reach: Reach::Relays(nodes),
            names,
        }
    }

    /// Returns the namespaces, if they are named.
    fn namespaces(&self) -> Option<Namespaces> {
        Namespaces::new(self.named.namespaces.iter().cloned())
    }
}

/// Removes what a failed installation has created, and returns the reason of the failure, with that
/// of the removal if it failed too.
async fn after_failure(why: String, (places, held): (&Places, &Held)) -> String {
    match take_back(places, held).await {
        Ok(_) => why,
        Err(left) => format!("{why}; {left}"),
    }
}
