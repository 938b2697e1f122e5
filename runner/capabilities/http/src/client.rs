//! The client: one request, one answer, public addresses only.

use std::sync::Arc;

use reqwest::RequestBuilder;
use sidestep_events::Failure;
use sidestep_transport::{self as transport, NoClient, Public};

use super::failure::refused;
use super::target::Target;

/// Sends plugins' requests. The client is created on the first request.
#[derive(Debug)]
pub struct HttpClient(pub(super) Public);

impl Default for HttpClient {
    fn default() -> Self {
        Self(Public::new(|names| {
            transport::builder()
                .https_only(true)
                .user_agent(concat!("sidestep/", env!("CARGO_PKG_VERSION")))
                .dns_resolver(Arc::new(names))
        }))
    }
}

impl HttpClient {
    /// Returns a request to a target.
    ///
    /// # Errors
    /// `http.address` for a host that is not of the public internet; when no client can be made on
    /// this machine.
    pub(super) fn request(&self, target: Target) -> Result<RequestBuilder, Failure> {
        let client = self.0.for_url(&target.url).map_err(|none| match none {
            NoClient::NotPublic(why) => refused(&why),
            NoClient::Setup(failure) => failure,
        })?;
        Ok(client.request(target.method, target.url))
    }
}
