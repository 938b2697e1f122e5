//! The client: one request, one answer, no address but a public one.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{ClientBuilder, RequestBuilder};
use sidestep_events::{Class, Failure, Owner};
use url::Url;

use super::address::is_public;
use crate::{causes, transport};

/// The variables that name a proxy, as every HTTP client takes them.
const PROXIES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// Sends plugins' requests. It is made at the first one.
#[derive(Default)]
pub struct HttpClient {
    made: OnceLock<Result<reqwest::Client, Failure>>,
    /// Addresses that are allowed besides public ones, and the certificates that are trusted: for
    /// tests, whose servers are on this machine.
    #[cfg(test)]
    pub(super) here: Option<(
        reqwest::Certificate,
        std::collections::HashMap<String, SocketAddr>,
    )>,
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").finish_non_exhaustive()
    }
}

impl HttpClient {
    /// A request to a URL.
    ///
    /// # Errors
    /// `http.address` for a URL whose host is an address that is not public; when no client can be
    /// made on this machine.
    pub(super) fn request(
        &self,
        method: http::Method,
        url: Url,
    ) -> Result<RequestBuilder, Failure> {
        // An address is not looked up, so it would pass the resolver by.
        let literal = match url.host() {
            Some(url::Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(url::Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            _ => None,
        };
        if let Some(address) = literal
            && !is_public(address)
        {
            return Err(refused(&format!("{address} is no public address")));
        }
        let client = self.made.get_or_init(|| {
            let resolver = Public {
                proxies: proxies(),
                #[cfg(test)]
                here: self
                    .here
                    .clone()
                    .map(|(_, hosts)| hosts)
                    .unwrap_or_default(),
            };
            let builder = transport::builder()
                .https_only(true)
                .user_agent(concat!("sidestep/", env!("CARGO_PKG_VERSION")))
                .dns_resolver(Arc::new(resolver));
            transport::build(self.trust(builder))
        });
        let client = client.as_ref().map_err(Clone::clone)?;
        Ok(client.request(method, url))
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "tests trust their own servers")]
    fn trust(&self, builder: ClientBuilder) -> ClientBuilder {
        builder
    }

    #[cfg(test)]
    fn trust(&self, builder: ClientBuilder) -> ClientBuilder {
        match &self.here {
            Some((certificate, _)) => builder.no_proxy().tls_certs_merge([certificate.clone()]),
            None => builder,
        }
    }
}

/// The hosts of the proxies that the operator set: a client asks where they are as well.
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

/// Looks names up, and keeps public addresses only: the connection goes to what was judged here.
struct Public {
    proxies: Vec<String>,
    #[cfg(test)]
    here: std::collections::HashMap<String, SocketAddr>,
}

/// A name that stands for no public address.
#[derive(Debug, thiserror::Error)]
#[error("{0} has no public address")]
pub(super) struct NotPublic(String);

impl Resolve for Public {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        #[cfg(test)]
        if let Some(address) = self.here.get(&name).copied() {
            let found: Addrs = Box::new(std::iter::once(address));
            return Box::pin(std::future::ready(Ok(found)));
        }
        let trusted = self.proxies.contains(&name);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found
                .filter(|found| trusted || is_public(found.ip()))
                .collect();
            if public.is_empty() {
                return Err(Box::new(NotPublic(name)) as _);
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// The failure of a request that got no answer. Its URL, which may hold a secret, is not said.
pub(super) fn lost(what: &str, error: reqwest::Error) -> Failure {
    let error = error.without_url();
    let not_public = causes::of(&error).find_map(|cause| cause.downcast_ref::<NotPublic>());
    if let Some(NotPublic(name)) = not_public {
        return refused(&format!("{name} has no public address"));
    }
    if error.is_timeout() {
        return Failure::new(
            Class::TimedOut,
            "http.timeout",
            Owner::Cloud,
            format!("cannot {what}: it took too long"),
        );
    }
    Failure::new(
        Class::Unavailable,
        "http.unreachable",
        Owner::Cloud,
        format!(
            "cannot {what}: the host can't be reached{}",
            causes::last(&error)
        ),
    )
    .with_help("try again; behind a proxy, see that HTTPS_PROXY is set for this process")
}

fn refused(why: &str) -> Failure {
    Failure::new(
        Class::Refused,
        "http.address",
        Owner::Author,
        format!("the request is not sent: {why}"),
    )
    .with_help("a plugin reaches hosts of the public internet only")
}
