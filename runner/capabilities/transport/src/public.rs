//! A client that connects only to public addresses.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use reqwest::{Client, ClientBuilder, Response, Url};
use sidestep_events::Failure;

use super::address::{is_public, is_public_name};
use super::names::{NotPublic, PublicNames};
use super::proxies::{proxies, proxy_hosts};
use super::{build, causes};

/// A client for addresses that somebody else names: a plugin, or a server in its answer. It
/// connects only to addresses of the public internet, and is created on its first request.
///
/// Behind a proxy, which resolves names itself, only the name can be checked.
#[derive(Clone)]
pub struct Public {
    builder: Arc<dyn Fn(PublicNames) -> ClientBuilder + Send + Sync>,
    made: Arc<OnceLock<Result<Client, Failure>>>,
}

/// The reason why there is no client for an address.
#[derive(Debug)]
pub enum NoClient {
    /// The host is not of the public internet.
    NotPublic(NotPublic),
    /// This machine cannot create clients.
    Setup(Failure),
}

impl Public {
    /// Stores the builder of the client, which must use the resolver that it gets.
    pub fn new(builder: impl Fn(PublicNames) -> ClientBuilder + Send + Sync + 'static) -> Self {
        Self {
            builder: Arc::new(builder),
            made: Arc::default(),
        }
    }

    /// Returns the client for requests to this address.
    ///
    /// # Errors
    /// For a host that is not of the public internet, unless only its addresses show it: then the
    /// request fails, and [`not_public`] finds the reason. When no client can be created.
    pub fn for_url(&self, url: &Url) -> Result<&Client, NoClient> {
        check(url).map_err(NoClient::NotPublic)?;
        let made = self
            .made
            .get_or_init(|| build((self.builder)(PublicNames::of_system(proxy_hosts()))));
        made.as_ref()
            .map_err(|failure| NoClient::Setup(failure.clone()))
    }
}

impl fmt::Debug for Public {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Public").finish_non_exhaustive()
    }
}

/// Returns the reason why a request was not sent, if that is the addresses of its host.
pub fn not_public(error: &reqwest::Error) -> Option<&NotPublic> {
    causes::of(error).find_map(|cause| cause.downcast_ref())
}

/// Returns whether a server answered from an address that is not public, and directly: through a
/// proxy, the address is the proxy's. A port that is not the one that was asked for, or that is a
/// proxy's, does not show which it is.
pub fn is_near(answer: &Response) -> bool {
    let asked = answer.url().port_or_known_default();
    let ports: Vec<u16> = proxies()
        .filter_map(|proxy| proxy.port_or_known_default())
        .collect();
    answer.remote_addr().is_some_and(|from| {
        !is_public(from.ip()) && asked == Some(from.port()) && !ports.contains(&from.port())
    })
}

fn check(url: &Url) -> Result<(), NotPublic> {
    // A name may end with the dot of the root.
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    // An IP address is not resolved, so it would bypass the resolver. An IPv6 one has brackets.
    if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
        return if is_public(address) {
            Ok(())
        } else {
            Err(NotPublic(format!("{address} is not a public address")))
        };
    }
    if !is_public_name(host) {
        let why = format!("{host} is a name of this machine or network");
        return Err(NotPublic(why));
    }
    // The resolver allows proxies at any address, for the client's own use.
    if proxy_hosts().iter().any(|proxy| proxy == host) {
        return Err(NotPublic(format!("{host} is the proxy's name")));
    }
    Ok(())
}
