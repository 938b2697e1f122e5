//! The servers' ports, which stay the same as long as they are free.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use sidestep_sandbox_google::Api;
use tokio::net::TcpListener;

use crate::SandboxError;
use crate::live::{Places, read, write};

/// The servers, besides those of the control plane, that speak plain HTTP.
const PLAIN: [&str; 2] = ["STORAGE", "REGISTRY"];
/// The servers that speak TLS.
const SECURE: [&str; 2] = ["KUBERNETES", "GOOGLE"];
/// The server of the CI systems, which Google does not have.
pub(crate) const CI: &str = "CI";

/// Open ports by the name of their server.
pub(crate) struct Listeners {
    open: BTreeMap<&'static str, (TcpListener, SocketAddr)>,
    /// The servers whose previous port was in use.
    pub(crate) moved: Vec<String>,
}

/// Opens a loopback port for each server: the previous one if it is free.
pub(crate) async fn ports(places: &Places) -> Result<Listeners, SandboxError> {
    let known: BTreeMap<String, u16> = read(&places.ports())?.unwrap_or_default();
    let apis = Api::ALL.iter().map(|api| api.endpoint_name());
    let mut open = BTreeMap::new();
    let mut moved = Vec::new();
    for name in apis.chain(PLAIN).chain(SECURE).chain([CI]) {
        let last = known.get(name).copied().unwrap_or(0);
        let bound = match bind(last).await {
            Err(_) if last != 0 => {
                moved.push(name.to_owned());
                bind(0).await
            }
            bound => bound,
        };
        open.insert(name, bound.map_err(|e| SandboxError::setup(name, e))?);
    }
    let listeners = Listeners { open, moved };
    let ports: BTreeMap<&str, u16> = listeners
        .open
        .iter()
        .map(|(name, (_, address))| (*name, address.port()))
        .collect();
    let text = serde_json::to_vec_pretty(&ports).unwrap_or_default();
    write(&places.ports(), &text)?;
    Ok(listeners)
}

async fn bind(port: u16) -> std::io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

impl Listeners {
    /// Returns the base addresses of Google's servers with plain HTTP, by endpoint name.
    pub(crate) fn endpoints(&self) -> BTreeMap<String, String> {
        let is_other = |name: &&str| SECURE.contains(name) || *name == CI;
        let plain = self.open.iter().filter(|(name, _)| !is_other(name));
        plain
            .map(|(name, (_, address))| ((*name).to_owned(), format!("http://{address}")))
            .collect()
    }

    /// Returns a server's port.
    pub(crate) fn port(&self, name: &str) -> Option<u16> {
        self.open.get(name).map(|(_, address)| address.port())
    }

    /// Takes a server's listener, with its address.
    pub(crate) fn take(
        &mut self,
        name: &'static str,
    ) -> Result<(TcpListener, String), SandboxError> {
        self.open
            .remove(name)
            .map(|(listener, address)| (listener, address.to_string()))
            .ok_or_else(|| SandboxError::setup(name, "it has no port"))
    }
}
