//! The relay as the process of a pod.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::api::DeleteParams;
use kube::{Api, Client};
use sidestep_sandbox_base::names::METADATA_ADDRESS;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::address::lend;
use crate::error::RelayError;
use crate::greeting::Secret;
use crate::objects::{FILE, FOLDER, ROOT};
use crate::origin::Service;
use crate::relay::{Mark, Relay, Silence};
use crate::{CONTROL_PORT, alive};

/// The time without a sandbox after which a relay takes everything back that was installed.
const SILENCE: Duration = Duration::from_mins(15);

/// Gives a node the metadata server's address, and relays what comes there, until `stop`. Takes
/// the address back at the end, and everything else too if no sandbox came for 15 minutes.
///
/// # Errors
/// If the pod is not one of [`install`](crate::install), the node has a metadata server already, or
/// a port is in use.
pub async fn run(stop: CancellationToken, node: String) -> Result<(), RelayError> {
    let path = Path::new(FOLDER).join(FILE);
    let secret = std::fs::read_to_string(&path).ok();
    let secret = secret.and_then(|text| Secret::read(&text));
    let secret = secret.ok_or(RelayError::NotInPod { path })?;
    let address: Ipv4Addr = METADATA_ADDRESS.parse().map_err(|_| RelayError::Address {
        address: Ipv4Addr::UNSPECIFIED.into(),
        why: format!("{METADATA_ADDRESS} is not an address"),
    })?;
    // Who has this port is the node's only relay, and no other one touches the address.
    let control = open((Ipv4Addr::LOCALHOST, CONTROL_PORT).into()).await;
    let control = control.map_err(|error| match error {
        RelayError::Port { source, .. } if source.kind() == ErrorKind::AddrInUse => {
            RelayError::OtherRelay { port: CONTROL_PORT }
        }
        other => other,
    })?;
    let lent = lend(address, Service::Metadata.port()).await?;
    let ended = relay(secret, node, (control, address), stop).await;
    if let Some(lent) = lent {
        lent.take_back().await;
    }
    if ended? == Err(Silence) {
        tracing::warn!(
            "no sandbox came for {} s: everything is taken back",
            SILENCE.as_secs()
        );
        delete_root().await;
        // The pod is about to be deleted. Until then its container starts again, and waits again.
    }
    Ok(())
}

async fn relay(
    secret: Secret,
    node: String,
    (control, address): (TcpListener, Ipv4Addr),
    stop: CancellationToken,
) -> Result<Result<(), Silence>, RelayError> {
    let mut servers = Vec::new();
    for service in Service::ALL {
        let listener = open((address, service.port()).into()).await?;
        servers.push((service, listener));
    }
    let root: Arc<str> = root_name().into();
    let mark: Mark = Arc::new(move || {
        let root = Arc::clone(&root);
        async move { alive::mark(&root).await }.boxed()
    });
    Ok(Relay::new(secret, node, control, servers, SILENCE, mark)
        .run(stop)
        .await)
}

async fn open(address: SocketAddr) -> Result<TcpListener, RelayError> {
    let opened = TcpListener::bind(address).await;
    opened.map_err(|source| RelayError::Port {
        address: address.to_string(),
        source,
    })
}

/// Returns the name of the object that owns all others.
fn root_name() -> String {
    std::fs::read_to_string(Path::new(FOLDER).join(ROOT)).unwrap_or_default()
}

/// Deletes the object that owns all others. An error is written down only: the next relay that
/// waits for too long tries again.
async fn delete_root() {
    let root = root_name();
    let deleted = async {
        let roles: Api<ClusterRole> = Api::all(Client::try_default().await?);
        roles.delete(&root, &DeleteParams::background()).await
    };
    if let Err(error) = deleted.await {
        tracing::warn!(%error, root, "what was installed can't be deleted");
    }
}
