//! The client: one request, one answer, public addresses only.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use reqwest::{ClientBuilder, RequestBuilder};
use sidestep_events::Failure;
use sidestep_transport as transport;
use url::Url;

use super::address::{is_public, is_public_name};
use super::failure::refused;
use super::names::PublicNames;
use super::target::Target;

/// The variables that name a proxy, as in every HTTP client.
pub const PROXIES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// Sends plugins' requests. The client is created on the first request.
#[derive(Default)]
pub struct HttpClient {
    made: OnceLock<Result<reqwest::Client, Failure>>,
    /// The simulated internet of a test.
    #[cfg(test)]
    pub(super) world: Option<super::names::World>,
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").finish_non_exhaustive()
    }
}

impl HttpClient {
    /// Returns a request to a target.
    ///
    /// # Errors
    /// `http.address` for a host that is not of the public internet; when no client can be made on
    /// this machine.
    pub(super) fn request(&self, target: Target) -> Result<RequestBuilder, Failure> {
        // An IP address is not resolved, so it would bypass the resolver.
        match target.url.host() {
            Some(url::Host::Ipv4(address)) => literal(IpAddr::V4(address))?,
            Some(url::Host::Ipv6(address)) => literal(IpAddr::V6(address))?,
            _ if !is_public_name(&target.host) => {
                let why = format!("{} is a name of this machine or network", target.host);
                return Err(refused(&why));
            }
            // The resolver allows proxies at any address, for the client's own use.
            _ if proxies().contains(&target.host) => {
                return Err(refused(&format!("{} is the proxy's name", target.host)));
            }
            _ => {}
        }
        let client = self.made.get_or_init(|| {
            let names = PublicNames::new(proxies());
            #[cfg(test)]
            let names = names.in_world(self.world.as_ref());
            let builder = transport::builder()
                .https_only(true)
                .user_agent(concat!("sidestep/", env!("CARGO_PKG_VERSION")))
                .dns_resolver(Arc::new(names));
            transport::build(self.trust(builder))
        });
        let client = client.as_ref().map_err(Clone::clone)?;
        Ok(client.request(target.method, target.url))
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "tests trust their own servers")]
    fn trust(&self, builder: ClientBuilder) -> ClientBuilder {
        builder
    }

    #[cfg(test)]
    fn trust(&self, builder: ClientBuilder) -> ClientBuilder {
        match &self.world {
            Some(world) => builder
                .no_proxy()
                .tls_certs_merge([world.certificate.clone()]),
            None => builder,
        }
    }
}

fn literal(address: IpAddr) -> Result<(), Failure> {
    if is_public(address) {
        return Ok(());
    }
    Err(refused(&format!("{address} is not a public address")))
}

/// Returns the hosts of the proxies that the operator set: the client resolves these, too.
#[expect(clippy::disallowed_methods, reason = "PROXIES lists the variables")]
fn proxies() -> Vec<String> {
    PROXIES
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .filter_map(|value| {
            let url = if value.contains("://") {
                value
            } else {
                format!("http://{value}")
            };
            Some(Url::parse(&url).ok()?.host_str()?.to_owned())
        })
        .collect()
}
