//! Relays in the user's cluster, for a sandbox that its pods can't reach.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request};
use axum::middleware::map_request;
use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::ListParams;
use kube::runtime::wait::await_condition;
use kube::{Api, Client, ResourceExt as _};
use serde_json::json;
use sidestep_sandbox_admission::{Installation, OWNER};
use sidestep_sandbox_base::Watched;
use sidestep_sandbox_google::metadata::OnNode;
use sidestep_sandbox_relay::{self as relay, NodeRelay, Nodes, Peer, Relays, Secret, Tunnels};

use crate::front;
use crate::reach::{ForPods, PodSide};
use crate::server::spawn;
use crate::users::Users;
use crate::webhook::Hook;

/// The label value of the objects that belong to relays.
const PART: &str = "relay";
/// The time in which a relay works on every node.
const PATIENCE: Duration = Duration::from_mins(1);

impl Users {
    /// Installs the relays, and waits until they work. Returns the installation with the object that
    /// owns theirs, and the nodes.
    pub(crate) async fn relay(
        &self,
        servers: ForPods<'_>,
        hook: &Hook,
        installation: &Installation,
    ) -> Result<(Installation, Vec<String>), String> {
        let client = self.real.client();
        only_one(client, installation).await?;
        let secret = Secret::random();
        let relays = Relays {
            id: installation.id().to_owned(),
            labels: json!(installation.labels(PART)),
            annotations: json!(installation.annotations()),
            image: self.image.clone(),
            secret: secret.clone(),
        };
        let root = relay::install(client, &relays).await;
        let root = root.map_err(|error| error.to_string())?;

        let (tunnels, ends) = Tunnels::new(secret);
        let listener = front::listen(ends.google, servers.authority, Some(&hook.acceptor));
        let listener = listener.map_err(|error| error.to_string())?;
        let names = hook.beside(servers.names);
        spawn("GOOGLE", async move { axum::serve(listener, names).await });
        // Behind a relay, the source of a connection is told by the relay.
        let metadata = servers
            .metadata
            .layer(map_request(|mut request: Request| async {
                if let Some(ConnectInfo(peer)) =
                    request.extensions().get::<ConnectInfo<Peer>>().cloned()
                {
                    request.extensions_mut().insert(ConnectInfo(peer.address));
                    request.extensions_mut().insert(OnNode(peer.node));
                }
                request
            }));
        let service = metadata.into_make_service_with_connect_info::<Peer>();
        spawn("METADATA", async move {
            axum::serve(ends.metadata, service).await
        });
        let nodes = Arc::new(Watched::new(Nodes::new()));
        let namespace = relays.name();
        let kept = relay::keep(
            client.clone(),
            namespace.clone(),
            tunnels,
            Arc::clone(&nodes),
        );
        tokio::spawn(kept);
        let all_work = self.until_all_work(&namespace, &nodes);
        let found = match tokio::time::timeout(PATIENCE, all_work).await {
            Ok(found) => found?,
            Err(_) => return Err(slow(&nodes)),
        };
        let stays = relay::stay(client.clone(), namespace);
        let pods = Arc::clone(&self.pods);
        tokio::spawn(async move {
            stays.await;
            pods.write(|side| *side = Some(PodSide::taken_back()));
        });
        Ok((installation.clone().owned_by(root), found))
    }

    /// Waits for a relay on every node. Returns the nodes' names.
    async fn until_all_work(
        &self,
        namespace: &str,
        nodes: &Watched<Nodes>,
    ) -> Result<Vec<String>, String> {
        let sets = Api::<DaemonSet>::namespaced(self.real.client().clone(), namespace);
        let counted = |set: Option<&DaemonSet>| wanted(set).is_some();
        let set = await_condition(sets, relay::RELAY, counted).await;
        let set = set.map_err(|error| error.to_string())?;
        let wanted = wanted(set.as_ref()).unwrap_or_default();
        let mut changes = nodes.changes();
        loop {
            let done = nodes.read(|nodes| {
                for (node, state) in nodes {
                    if let Some(why) = self.broken(node, state) {
                        return Err(why);
                    }
                }
                let work = nodes.values().all(|state| *state == NodeRelay::Works);
                Ok((work && nodes.len() >= wanted).then(|| nodes.keys().cloned().collect()))
            })?;
            if let Some(found) = done {
                return Ok(found);
            }
            if changes.changed().await.is_err() {
                return Err("the relays are not followed".to_owned());
            }
        }
    }

    fn broken(&self, node: &str, state: &NodeRelay) -> Option<String> {
        match state {
            NodeRelay::Starts | NodeRelay::Works => None,
            NodeRelay::NoImage(said) => Some(format!(
                "node `{node}` has no image `{}` ({said}); write it with `sidestep sandbox image -o \
                 FILE`, which prints the commands that load it into a cluster, and start again",
                self.image
            )),
            NodeRelay::Ended(said) => Some(format!("the relay on node `{node}` ended: {said}")),
        }
    }
}

/// Refuses a cluster in which the relays of another sandbox are: a node has one metadata server.
async fn only_one(client: &Client, own: &Installation) -> Result<(), String> {
    let others = ListParams::default().labels(&own.selector_of_others(PART));
    let found = Api::<Namespace>::all(client.clone()).list(&others).await;
    let found = found.map_err(|error| format!("cannot list namespaces: {error}"))?;
    let mut live = found.items.iter().filter(|namespace| {
        // One that is being removed is waited for by who removes it.
        namespace.metadata.deletion_timestamp.is_none()
    });
    let Some(other) = live.next() else {
        return Ok(());
    };
    let name = other.name_any();
    let owner = other.annotations().get(OWNER);
    let owner = owner.map_or("another sandbox", String::as_str);
    Err(format!(
        "{owner} serves the pods of this cluster, and a node has only one metadata server; stop it, \
         or, if its machine is gone, remove its relays: kubectl delete clusterrole {name}"
    ))
}

/// Returns the number of nodes that get a relay, once the cluster has counted them.
fn wanted(set: Option<&DaemonSet>) -> Option<usize> {
    let set = set?;
    let status = set.status.as_ref()?;
    let counted = status.observed_generation >= set.metadata.generation;
    let wanted = usize::try_from(status.desired_number_scheduled).ok()?;
    (status.observed_generation.is_some() && counted).then_some(wanted)
}

fn slow(nodes: &Watched<Nodes>) -> String {
    let waiting: Vec<String> = nodes.read(|nodes| {
        let slow = nodes
            .iter()
            .filter(|(_, state)| **state != NodeRelay::Works);
        slow.map(|(node, _)| format!("`{node}`")).collect()
    });
    let which = match waiting.as_slice() {
        [] => "no relay was started".to_owned(),
        some => format!("the relay does not work on {}", some.join(", ")),
    };
    format!("{which} within {} s", PATIENCE.as_secs())
}
