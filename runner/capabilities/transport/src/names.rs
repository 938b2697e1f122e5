//! Resolves names and keeps only public addresses: the client connects to the addresses that were
//! checked here.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_public;

/// Resolves a name.
pub type Lookup = Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

/// A host that is not of the public internet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotPublic(pub(super) String);

/// A resolver of names that returns only public addresses.
pub struct PublicNames {
    /// The operator's proxies, which may have any address.
    proxies: Vec<String>,
    lookup: Lookup,
}

impl PublicNames {
    /// Resolves names as this machine does.
    pub fn of_system(proxies: Vec<String>) -> Self {
        Self {
            proxies,
            lookup: Arc::new(|name| Box::pin(system(name))),
        }
    }

    /// Resolves names by this function, such as a test's.
    pub fn of(lookup: Lookup) -> Self {
        Self {
            proxies: Vec::new(),
            lookup,
        }
    }
}

impl fmt::Debug for PublicNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicNames").finish_non_exhaustive()
    }
}

impl Resolve for PublicNames {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        let trusted = self.proxies.contains(&name);
        let found = (self.lookup)(name.clone());
        Box::pin(async move {
            let public: Vec<SocketAddr> = found
                .await?
                .into_iter()
                .filter(|address| trusted || is_public(*address))
                .map(|address| SocketAddr::new(address, 0))
                .collect();
            if public.is_empty() {
                let why = format!("{name} has no public address");
                return Err(Box::new(NotPublic(why)) as _);
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

async fn system(name: String) -> io::Result<Vec<IpAddr>> {
    let found = tokio::net::lookup_host((name, 0)).await?;
    Ok(found.map(|found| found.ip()).collect())
}
