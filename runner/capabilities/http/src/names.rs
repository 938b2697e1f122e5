//! Resolves names and keeps only public addresses: the client connects to the addresses that were
//! checked here.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_public;

/// Resolves a name.
pub(super) type Lookup =
    Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

/// A name that has no public address.
#[derive(Debug, thiserror::Error)]
#[error("{0} has no public address")]
pub(super) struct NotPublic(String);

/// The client's resolver.
pub(super) struct PublicNames {
    /// The operator's proxies, which may have any address.
    proxies: Vec<String>,
    lookup: Lookup,
    /// The real addresses of a test's servers, used after the check of the address.
    #[cfg(test)]
    routes: std::collections::HashMap<IpAddr, SocketAddr>,
}

impl PublicNames {
    pub(super) fn new(proxies: Vec<String>) -> Self {
        Self {
            proxies,
            lookup: Arc::new(|name| Box::pin(system(name))),
            #[cfg(test)]
            routes: std::collections::HashMap::new(),
        }
    }
}

impl Resolve for PublicNames {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        let trusted = self.proxies.contains(&name);
        let found = (self.lookup)(name.clone());
        #[cfg(test)]
        let routes = self.routes.clone();
        Box::pin(async move {
            let public: Vec<SocketAddr> = found
                .await?
                .into_iter()
                .filter(|address| trusted || is_public(*address))
                .map(|address| SocketAddr::new(address, 0))
                .collect();
            if public.is_empty() {
                return Err(Box::new(NotPublic(name)) as _);
            }
            #[cfg(test)]
            let public: Vec<SocketAddr> = public
                .into_iter()
                .map(|address| routes.get(&address.ip()).copied().unwrap_or(address))
                .collect();
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

async fn system(name: String) -> io::Result<Vec<IpAddr>> {
    let found = tokio::net::lookup_host((name, 0)).await?;
    Ok(found.map(|found| found.ip()).collect())
}

/// The simulated internet of a test: its names, its servers' certificates, and their addresses.
#[cfg(test)]
#[derive(Clone)]
pub(super) struct World {
    pub(super) certificate: reqwest::Certificate,
    pub(super) lookup: Lookup,
    pub(super) routes: std::collections::HashMap<IpAddr, SocketAddr>,
}

#[cfg(test)]
impl PublicNames {
    pub(super) fn in_world(mut self, world: Option<&World>) -> Self {
        if let Some(world) = world {
            self.lookup = Arc::clone(&world.lookup);
            self.routes.clone_from(&world.routes);
        }
        self
    }
}
