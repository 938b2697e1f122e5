use std::sync::OnceLock;

use google_cloud_auth::credentials::{self, CacheableResource};
use http::{Extensions, HeaderMap};
use sidestep_events::{Class, Failure, Owner};

/// As whom Google's APIs are called: Application Default Credentials, looked for at the first call
/// and kept. Tokens are refreshed by the library; none is ever shown.
#[derive(Debug, Default)]
pub struct Credentials {
    found: OnceLock<Result<credentials::Credentials, String>>,
}

impl Credentials {
    /// Credentials that send nothing.
    pub fn anonymous() -> Self {
        let found = OnceLock::new();
        // The lock was made just now, so it takes the value.
        let _ = found.set(Ok(credentials::anonymous::Builder::new().build()));
        Self { found }
    }

    /// The credentials of a file of type `external_account`: a workload identity federation.
    pub fn external_account(file: serde_json::Value) -> Self {
        let found = OnceLock::new();
        let built = credentials::external_account::Builder::new(file)
            .with_scopes(["https://www.googleapis.com/auth/cloud-platform"])
            .build();
        // The lock was made just now, so it takes the value.
        let _ = found.set(built.map_err(|error| error.to_string()));
        Self { found }
    }

    /// The library's credentials, for its clients.
    ///
    /// # Errors
    /// `identity.no-credentials` when none are found or they can't be read.
    pub fn get(&self) -> Result<credentials::Credentials, Failure> {
        let found = self.found.get_or_init(|| {
            credentials::Builder::default()
                .build()
                .map_err(|error| error.to_string())
        });
        found.clone().map_err(|why| missing(&why))
    }

    /// The headers that authenticate one request.
    ///
    /// # Errors
    /// As [`Credentials::get`], and `identity.no-token` when no token can be had.
    pub async fn headers(&self) -> Result<HeaderMap, Failure> {
        let credentials = self.get()?;
        match credentials.headers(Extensions::new()).await {
            Ok(CacheableResource::New { data, .. }) => Ok(data),
            // Only an answer to a request that names an earlier answer.
            Ok(CacheableResource::NotModified) => Err(Failure::bug("credentials gave no headers")),
            Err(error) => {
                let class = if error.is_transient() {
                    Class::Unavailable
                } else {
                    Class::Denied
                };
                Err(Failure::new(
                    class,
                    "identity.no-token",
                    Owner::Operator,
                    format!(
                        "no access token can be had for this process: {}",
                        chain(&error)
                    ),
                )
                .with_help("sign in again:")
                .with_help("gcloud auth application-default login"))
            }
        }
    }
}

fn missing(why: &str) -> Failure {
    Failure::new(
        Class::Denied,
        "identity.no-credentials",
        Owner::Operator,
        format!("this process has no usable Google credentials: {why}"),
    )
    .with_help("on your own machine, sign in:")
    .with_help("gcloud auth application-default login")
    .with_help("in CI, use workload identity federation; without any account, add --sandbox")
}

/// The error and its causes, each said once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
