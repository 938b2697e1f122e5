//! Calls of Google's JSON APIs: retries, pages and limits are here and nowhere else.

mod answer;
mod failed;
mod request;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sidestep_events::Failure;
use sidestep_handles::{NotCreated, Sends};
use sidestep_transport as transport;

use super::retry::retry;
use super::{Credentials, Endpoints, Service};
use request::Request;

pub use answer::documented;

/// The number of items of a list that one request asks for.
const PAGE: i32 = 100;
/// The maximum number of pages of one list that are read.
const MOST_PAGES: usize = 50;

/// A client of Google's JSON APIs for one caller.
///
/// A request is sent again after 429 and 503 (AIP-194), after a lost answer, and by Cloud Storage's
/// own rules also after 408 and the other 5xx: at most four times, within the timeout. It follows no
/// redirect, and an answer may have 8 MiB.
#[derive(Debug, Clone)]
pub struct Rest {
    http: transport::Lazy,
    endpoints: Arc<Endpoints>,
    credentials: Arc<Credentials>,
    patience: Duration,
}

impl Rest {
    /// Creates a client that calls these endpoints with these credentials. `patience` is the
    /// timeout of one call with its retries.
    pub fn new(
        endpoints: Arc<Endpoints>,
        credentials: Arc<Credentials>,
        patience: Duration,
    ) -> Self {
        Self {
            // As Google's own clients: HTTP/2 has no `Host` that differs from the address.
            http: transport::Lazy::new(|| transport::builder().http1_only()),
            endpoints,
            credentials,
            patience,
        }
    }

    /// Returns the same client for another caller, with this timeout for a call.
    #[must_use]
    pub fn as_caller(&self, credentials: Arc<Credentials>, patience: Duration) -> Self {
        Self {
            credentials,
            patience,
            ..self.clone()
        }
    }

    /// Returns the addresses of the services.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Sends an idempotent request and returns the JSON of its answer. `path` begins with a slash
    /// and is already escaped; `what` completes "cannot …".
    ///
    /// # Errors
    /// The failure that the API answered with, or that it cannot be reached.
    pub fn call<'a>(
        &'a self,
        what: &'a str,
        method: Method,
        service: Service,
        path: &'a str,
        body: Option<&'a Value>,
    ) -> BoxFuture<'a, Result<Value, Failure>> {
        let request = Request {
            what,
            method,
            service,
            path,
            body,
        };
        // Boxed, so that it is compiled here and not in each crate that calls it.
        Box::pin(async move {
            let began = Instant::now();
            let send = || self.send(&request, self.left(began));
            retry(self.patience, send)
                .await
                .map_err(|failed| failed.failure)
        })
    }

    /// Sends a request that creates something, and returns the JSON of its answer. It is sent again
    /// only if `repeatable`: a second request must create nothing more.
    ///
    /// # Errors
    /// As [`call`](Self::call), and whether one of the requests may have been carried out.
    pub fn create<'a>(
        &'a self,
        what: &'a str,
        service: Service,
        path: &'a str,
        body: &'a Value,
        repeatable: bool,
    ) -> BoxFuture<'a, Result<Value, NotCreated>> {
        let request = Request {
            what,
            method: Method::POST,
            service,
            path,
            body: Some(body),
        };
        Box::pin(async move {
            let (sends, began) = (Sends::default(), Instant::now());
            let send = || async {
                let answer = self.send(&request, self.left(began)).await;
                answer.inspect_err(|failed| {
                    if failed.may_be_done {
                        sends.lost();
                    }
                })
            };
            let answer = if repeatable {
                retry(self.patience, send).await
            } else {
                send().await
            };
            answer.map_err(|failed| sends.not_created(failed.failure))
        })
    }

    /// Returns how much is left of a call's time.
    fn left(&self, began: Instant) -> Duration {
        self.patience.saturating_sub(began.elapsed())
    }

    /// Like [`call`](Self::call), but parses the answer into the type that the API documents.
    ///
    /// # Errors
    /// As `call`, and `http.unexpected` for an answer of another form.
    pub async fn read<T: DeserializeOwned>(
        &self,
        what: &str,
        method: Method,
        service: Service,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, Failure> {
        let json = self.call(what, method, service, path, body).await?;
        documented(what, json)
    }

    /// Gets the resource at a path.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn get<T: DeserializeOwned>(
        &self,
        what: &str,
        service: Service,
        path: &str,
    ) -> Result<T, Failure> {
        self.read(what, Method::GET, service, path, None).await
    }

    /// Gets a list page by page (AIP-158); `key` is the field of an answer that holds the items.
    ///
    /// # Errors
    /// As [`read`](Self::read), and `google.too-many` for a list with too many pages.
    pub async fn list<T: DeserializeOwned>(
        &self,
        what: &str,
        service: Service,
        path: &str,
        key: &str,
    ) -> Result<Vec<T>, Failure> {
        let mut items = Vec::new();
        let mut token = String::new();
        for _ in 0..MOST_PAGES {
            let page = format!("{path}?pageSize={PAGE}{token}");
            let mut page: Value = self.get(what, service, &page).await?;
            // The API omits an empty list.
            let found = page
                .get_mut(key)
                .map_or_else(|| Value::Array(Vec::new()), Value::take);
            let found =
                Vec::<T>::deserialize(found).map_err(|error| answer::unexpected(what, &error))?;
            items.extend(found);
            match page["nextPageToken"].as_str() {
                None | Some("") => return Ok(items),
                Some(next) => {
                    token = format!("&pageToken={}", utf8_percent_encode(next, NON_ALPHANUMERIC));
                }
            }
        }
        Err(answer::too_many(what, items.len()))
    }
}
