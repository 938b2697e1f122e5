//! Google's control plane: the methods of its APIs that Sidestep calls, one file for each API.
//!
//! A method is a path and Google's own types for the request and the answer. Everything else about
//! a call (credentials, retries, pages, limits, failures) is in [`Rest`]. The types are those of
//! Google's generated clients; the clients themselves are never built, so they are not part of the
//! program. A path is made of a [`Name`], so that no unchecked text gets into it.

mod accounts;
mod api_server;
mod clusters;
mod policies;
mod projects;
mod repositories;
mod secrets;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sidestep_events::Failure;
use sidestep_google::{ApiServer, Credentials, Endpoints, FindsClusters, Name, Rest, Service};

pub use clusters::{Cluster, Node, NodePool};
pub use policies::Policed;
pub use repositories::Repository;

/// The timeout of one call with its retries.
const PATIENCE: Duration = Duration::from_mins(1);

/// The answer of a call. Boxed, so that reading it is compiled in this crate: the body of an
/// `async fn` is compiled where it is awaited.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, Failure>>;

/// Google's control plane for one caller.
///
/// In each method, `what` completes "cannot …" in a failure.
#[derive(Debug, Clone)]
pub struct ControlPlane {
    rest: Rest,
}

impl ControlPlane {
    /// Creates a control plane that calls these endpoints with these credentials.
    pub fn new(endpoints: Arc<Endpoints>, credentials: Arc<Credentials>) -> Self {
        Self {
            rest: Rest::new(endpoints, credentials, PATIENCE),
        }
    }

    /// Returns the same control plane for another caller, with this timeout for a call.
    #[must_use]
    pub fn as_caller(&self, credentials: Credentials, patience: Duration) -> Self {
        Self {
            rest: self.rest.as_caller(Arc::new(credentials), patience),
        }
    }

    /// Returns the REST client, for methods that Google has no generated types for.
    pub fn rest(&self) -> &Rest {
        &self.rest
    }

    /// Calls a method that reads.
    fn get<'a, T>(&'a self, what: &'a str, service: Service, path: String) -> Answer<'a, T>
    where
        T: DeserializeOwned + Send + 'a,
    {
        Box::pin(async move { self.rest.get(what, service, &path).await })
    }

    /// Calls a method that takes a message. A second request must do nothing more.
    fn post<'a, T>(
        &'a self,
        what: &'a str,
        service: Service,
        path: String,
        message: &impl Serialize,
    ) -> Answer<'a, T>
    where
        T: DeserializeOwned + Send + 'a,
    {
        let body = body(message);
        Box::pin(async move {
            let (method, body) = (Method::POST, body?);
            self.rest
                .read(what, method, service, &path, Some(&body))
                .await
        })
    }
}

/// Returns the JSON of a message.
fn body(message: &impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(message)
        .map_err(|error| Failure::bug(format!("a message to Google has no JSON: {error}")))
}

#[async_trait]
impl FindsClusters for ControlPlane {
    async fn api_server(&self, cluster: &Name) -> Result<ApiServer, Failure> {
        let found = self.cluster(&format!("get {cluster}"), cluster).await?;
        Ok(api_server::of(found))
    }
}
