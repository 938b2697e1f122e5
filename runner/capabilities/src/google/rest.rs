use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::Value;
use sidestep_events::{Class, Failure, Owner};

use super::retry::retry;
use super::{Credentials, Endpoints, Service, of_api_error};

/// The most bytes of an answer that are read.
const LARGEST_ANSWER: usize = 8 * 1024 * 1024;
/// How long one answer may take, and after how long a request is not sent again.
const PATIENCE: Duration = Duration::from_mins(1);

/// Calls of Google's JSON APIs that the official clients have only over gRPC.
#[derive(Debug, Clone)]
pub struct Rest {
    http: reqwest::Client,
    endpoints: Arc<Endpoints>,
    credentials: Arc<Credentials>,
    patience: Duration,
}

impl Rest {
    /// Calls these endpoints with these credentials.
    ///
    /// # Errors
    /// When the machine's trust store can't be read.
    pub fn new(endpoints: Arc<Endpoints>, credentials: Arc<Credentials>) -> Result<Self, Failure> {
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| {
                Failure::new(
                    Class::Failed,
                    "http.setup",
                    Owner::Operator,
                    format!("no HTTP client can be made on this machine: {error}"),
                )
            })?;
        Ok(Self {
            http,
            endpoints,
            credentials,
            patience: PATIENCE,
        })
    }

    /// The same calls as somebody else, waiting that long for an answer.
    pub(crate) fn as_caller(&self, credentials: Credentials, patience: Duration) -> Self {
        Self {
            credentials: Arc::new(credentials),
            patience,
            ..self.clone()
        }
    }

    /// Where the services are.
    pub(crate) fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Sends a request that may be repeated and returns the JSON of its answer. `path` begins with
    /// a slash and is escaped already; `what` completes "cannot …".
    ///
    /// # Errors
    /// What the API said, or that it can't be reached.
    pub async fn call(
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
        let url = format!("{base}{path}");
        let url = &url;
        retry(self.patience, || async {
            let headers = if anonymous {
                http::HeaderMap::new()
            } else {
                self.credentials.headers().await?
            };
            let mut request = self
                .http
                .request(method.clone(), url)
                .timeout(self.patience)
                .headers(headers);
            if let Some(body) = body {
                request = request.json(body);
            }
            match request.send().await {
                Ok(answer) => answer_of(what, answer).await,
                Err(error) => Err(unreachable_service(what, &error)),
            }
        })
        .await
    }
}

async fn answer_of(what: &str, mut answer: reqwest::Response) -> Result<Value, Failure> {
    let status = answer.status();
    let mut body = Vec::new();
    while let Some(chunk) = answer
        .chunk()
        .await
        .map_err(|error| unreachable_service(what, &error))?
    {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(Failure::new(
                Class::Exhausted,
                "http.too-large",
                Owner::Cloud,
                format!("cannot {what}: the answer is larger than {LARGEST_ANSWER} bytes"),
            ));
        }
        body.extend_from_slice(&chunk);
    }
    if !status.is_success() {
        return Err(of_api_error(what, status.as_u16(), &body));
    }
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&body).map_err(|error| {
        Failure::new(
            Class::Failed,
            "http.not-json",
            Owner::Cloud,
            format!("cannot {what}: the answer is no JSON: {error}"),
        )
        .with_help("something else may have answered in its place, such as a proxy's sign-in page")
    })
}

fn unreachable_service(what: &str, error: &reqwest::Error) -> Failure {
    // The URL of a request can hold a session's secret; the host is enough.
    let host = error
        .url()
        .and_then(|url| url.host_str())
        .unwrap_or("the service")
        .to_owned();
    let mut why = String::new();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        why = format!(": {cause}");
        source = cause.source();
    }
    Failure::new(
        Class::Unavailable,
        "google.unreachable",
        Owner::Cloud,
        format!("cannot {what}: {host} can't be reached{why}"),
    )
    .with_help("try again; behind a proxy, see that HTTPS_PROXY is set for this process")
}
