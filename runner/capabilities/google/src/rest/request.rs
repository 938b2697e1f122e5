//! One request to one of Google's APIs, sent once.

use std::time::Duration;

use http::{HeaderMap, Method, header};
use serde_json::Value;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_transport::causes;

use super::Rest;
use super::answer;
use super::failed::Failed;
use crate::Service;

/// The header in which a client states its language and itself, as Google's own clients do.
const API_CLIENT: &str = "x-goog-api-client";
const CLIENT: &str = concat!(
    "gl-rust/",
    env!("CARGO_PKG_RUST_VERSION"),
    " sidestep/",
    env!("CARGO_PKG_VERSION"),
);

/// A request. `path` begins with a slash and is already escaped; `what` completes "cannot …".
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) what: &'a str,
    pub(super) method: Method,
    pub(super) service: Service,
    pub(super) path: &'a str,
    pub(super) body: Option<&'a Value>,
}

impl Rest {
    /// Sends a request once, and reads the answer within `patience`.
    pub(super) async fn send(
        &self,
        request: &Request<'_>,
        patience: Duration,
    ) -> Result<Value, Failed> {
        let Request { what, service, .. } = *request;
        let prepared = self.prepare(request).await.map_err(Failed::unsent)?;
        match prepared.timeout(patience).send().await {
            Ok(answer) => answer::read(what, service, answer).await,
            Err(error) if error.is_connect() || error.is_builder() => {
                Err(Failed::unsent(unreachable_service(what, &error)))
            }
            Err(error) => Err(Failed::lost(unreachable_service(what, &error))),
        }
    }

    async fn prepare(&self, request: &Request<'_>) -> Result<reqwest::RequestBuilder, Failure> {
        let Request { service, path, .. } = *request;
        let base = self
            .endpoints
            .url(service)
            .ok_or_else(|| Failure::bug(format!("{} has no address of its own", service.name())))?;
        let anonymous = service == Service::Storage && self.endpoints.is_storage_anonymous();
        // The headers of the credentials include the project that a call is charged to.
        let credentials = if anonymous {
            HeaderMap::new()
        } else {
            self.credentials.headers().await?
        };
        let client = self.http.get().map_err(|failure| Failure {
            code: codes::google::SETUP.into(),
            ..failure
        })?;
        let mut prepared = client
            .request(request.method.clone(), format!("{base}{path}"))
            .header(API_CLIENT, CLIENT)
            .headers(credentials);
        if let Some(host) = self.endpoints.host(service) {
            prepared = prepared.header(header::HOST, host);
        }
        Ok(match request.body {
            None => prepared,
            Some(body) => prepared.json(body),
        })
    }
}

/// Returns the failure of a request without a whole answer.
pub(super) fn unreachable_service(what: &str, error: &reqwest::Error) -> Failure {
    // The URL of a request can hold a session's secret; the host is enough.
    let host = error
        .url()
        .and_then(|url| url.host_str())
        .unwrap_or("the service")
        .to_owned();
    let why = causes::last(error);
    Failure::new(
        Class::Unavailable,
        codes::google::UNREACHABLE,
        Owner::Cloud,
        format!("cannot {what}: {host} can't be reached{why}"),
    )
    .with_help("try again; behind a proxy, check that HTTPS_PROXY is set for this process")
}
