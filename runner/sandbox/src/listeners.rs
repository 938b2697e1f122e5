//! One port a server: the ports that were chosen first, as long as they are free.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;

use crate::SandboxError;
use crate::live::{Places, read, write};

/// Opens a loopback port for each name: that of the last time where it is free.
pub(crate) async fn open(
    places: &Places,
    names: &[&'static str],
) -> Result<BTreeMap<&'static str, TcpListener>, SandboxError> {
    let known: BTreeMap<String, u16> = read(&places.ports())?.unwrap_or_default();
    let mut listeners = BTreeMap::new();
    for name in names {
        let last = known.get(*name).copied().unwrap_or(0);
        let listener = match bind(last).await {
            Ok(listener) => listener,
            Err(_) if last != 0 => bind(0).await.map_err(|e| SandboxError::setup(name, e))?,
            Err(error) => return Err(SandboxError::setup(name, error)),
        };
        listeners.insert(*name, listener);
    }
    let ports: BTreeMap<&str, u16> = listeners
        .iter()
        .map(|(name, listener)| Ok((*name, listener.local_addr()?.port())))
        .collect::<std::io::Result<_>>()
        .map_err(|error| SandboxError::setup("ports", error))?;
    let text = serde_json::to_vec_pretty(&ports).unwrap_or_default();
    write(&places.ports(), &text)?;
    Ok(listeners)
}

async fn bind(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await
}
