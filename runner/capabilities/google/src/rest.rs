use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::Value;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_handles::{NotCreated, Sends};

use super::failure::retry_after_ms;
use super::retry::retry;
use super::{Credentials, Endpoints, Service, of_api_error};
use sidestep_transport::{self as transport, causes};

/// The maximum size of an answer, in bytes.
const LARGEST_ANSWER: usize = 8 * 1024 * 1024;
/// The number of items of a list that one request asks for.
pub const PAGE: i32 = 100;
/// The maximum number of pages of one list that are read.
pub const MOST_PAGES: usize = 50;

/// The calls of Google's JSON APIs that no official client has: workload identity pools, GKE's
/// token exchange, and the Cloud Storage calls that its client makes only over gRPC.
#[derive(Debug, Clone)]
pub struct Rest {
    http: transport::Lazy,
    endpoints: Arc<Endpoints>,
    credentials: Arc<Credentials>,
    patience: Duration,
}

impl Rest {
    /// Creates a client that calls these endpoints with these credentials. `patience` is the
    /// timeout of one answer; a request is not retried after this time either.
    pub fn new(
        endpoints: Arc<Endpoints>,
        credentials: Arc<Credentials>,
        patience: Duration,
    ) -> Self {
        Self {
            http: transport::Lazy::new(transport::builder),
            endpoints,
            credentials,
            patience,
        }
    }

    /// Returns the same client for another caller, with this timeout for an answer.
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
        // Boxed, so that it is compiled here and not in each crate that calls it.
        Box::pin(async move {
            retry(self.patience, || {
                self.send(what, method.clone(), service, path, body)
            })
            .await
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
        Box::pin(async move {
            let sends = Sends::default();
            let send = || async {
                let answer = self.send(what, Method::POST, service, path, Some(body));
                answer.await.inspect_err(|failure| sends.failed(failure))
            };
            let answer = if repeatable {
                retry(self.patience, send).await
            } else {
                send().await
            };
            answer.map_err(|failure| sends.not_created(failure))
        })
    }

    async fn send(
        &self,
        what: &str,
        method: Method,
        service: Service,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        let base = self
            .endpoints
            .url(service)
            .ok_or_else(|| Failure::bug(format!("{} has no address of its own", service.name())))?;
        let anonymous = service == Service::Storage && self.endpoints.is_storage_anonymous();
        let headers = if anonymous {
            http::HeaderMap::new()
        } else {
            self.credentials.headers().await?
        };
        let mut request = self
            .http
            .get()?
            .request(method, format!("{base}{path}"))
            .timeout(self.patience)
            .headers(headers);
        if let Some(body) = body {
            request = request.json(body);
        }
        match request.send().await {
            Ok(answer) => answer_of(what, answer).await,
            Err(error) => Err(unreachable_service(what, &error)),
        }
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
            let found = Vec::<T>::deserialize(found).map_err(|error| unexpected(what, &error))?;
            items.extend(found);
            match page["nextPageToken"].as_str() {
                None | Some("") => return Ok(items),
                Some(next) => {
                    token = format!("&pageToken={}", utf8_percent_encode(next, NON_ALPHANUMERIC));
                }
            }
        }
        Err(too_many(what, items.len()))
    }
}

/// Parses an answer into the type that the API documents.
///
/// # Errors
/// `http.unexpected` for an answer of another form.
pub fn documented<T: DeserializeOwned>(what: &str, json: Value) -> Result<T, Failure> {
    if !json.is_object() {
        return Err(unexpected(
            what,
            &serde_json::Error::custom("expected a JSON object"),
        ));
    }
    T::deserialize(json).map_err(|error| unexpected(what, &error))
}

/// Returns the failure of a list with too many pages.
pub fn too_many(what: &str, found: usize) -> Failure {
    Failure::new(
        Class::Exhausted,
        codes::google::TOO_MANY,
        Owner::Cloud,
        format!("cannot {what}: the list has more than {found} entries"),
    )
}

fn unexpected(what: &str, error: &serde_json::Error) -> Failure {
    Failure::new(
        Class::Failed,
        codes::http::UNEXPECTED,
        Owner::Cloud,
        format!("cannot {what}: the answer is not what the API documents: {error}"),
    )
    .with_help(
        "another server may have answered in place of the API, such as a proxy's sign-in page",
    )
}

async fn answer_of(what: &str, mut answer: reqwest::Response) -> Result<Value, Failure> {
    let status = answer.status();
    let retry_after = retry_after_ms(answer.headers());
    let mut body = Vec::new();
    while let Some(chunk) = answer
        .chunk()
        .await
        .map_err(|error| unreachable_service(what, &error))?
    {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(Failure::new(
                Class::Exhausted,
                codes::http::TOO_LARGE,
                Owner::Cloud,
                format!("cannot {what}: the answer is larger than {LARGEST_ANSWER} bytes"),
            ));
        }
        body.extend_from_slice(&chunk);
    }
    if !status.is_success() {
        let mut failure = of_api_error(what, status.as_u16(), &body);
        failure.retry_after_ms = retry_after;
        return Err(failure);
    }
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&body).map_err(|error| {
        Failure::new(
            Class::Failed,
            codes::http::NOT_JSON,
            Owner::Cloud,
            format!("cannot {what}: the answer is not JSON: {error}"),
        )
        .with_help(
            "another server may have answered in place of the API, such as a proxy's sign-in page",
        )
    })
}

fn unreachable_service(what: &str, error: &reqwest::Error) -> Failure {
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
