use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::future::BoxFuture;
use google_cloud_auth::credentials::{self, CacheableResource, CredentialsProvider, EntityTag};
use google_cloud_auth::errors::CredentialsError;
use http::{Extensions, HeaderMap, HeaderValue, header};
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_handles::Secret;
use sidestep_masks::Masks;

use super::Origin;
use super::failure::{no_token, no_token_yet};
use super::federation::Federation;
use crate::commands;

/// The timeout of a sign-in: shorter than that of the request that waits for it, so that a request
/// that was not sent is not taken for one without an answer.
const SIGN_IN: Duration = Duration::from_secs(25);

/// The credentials for Google's APIs: Application Default Credentials, searched for at the first
/// call and kept. The library refreshes the tokens; none is ever displayed.
#[derive(Debug, Default)]
pub struct Credentials {
    found: OnceLock<Result<credentials::Credentials, String>>,
    /// Their origin; `None` if they come from the search for Application Default Credentials.
    origin: Option<Origin>,
    /// The masks that every token is added to.
    known_to: Option<Arc<Masks>>,
}

impl Credentials {
    /// Creates credentials that send nothing.
    pub fn anonymous() -> Self {
        let built = credentials::anonymous::Builder::new().build();
        Self::of(Ok(built), Some(Origin::anonymous()))
    }

    /// Creates credentials from one access token, for its lifetime.
    pub fn token(token: &Secret) -> Self {
        match HeaderValue::try_from(format!("Bearer {}", token.expose())) {
            Ok(mut value) => {
                value.set_sensitive(true);
                Self::fixed(HeaderMap::from_iter([(header::AUTHORIZATION, value)]))
            }
            Err(_) => {
                let why = "the access token can't be sent in a header";
                Self::of(Err(why.to_owned()), None)
            }
        }
    }

    /// Creates credentials that send these headers.
    pub(crate) fn fixed(headers: HeaderMap) -> Self {
        Self::of(Ok(credentials::Credentials::from(Fixed(headers))), None)
    }

    /// Creates credentials from a file of type `external_account`: workload identity federation.
    pub fn external_account(file: serde_json::Value) -> Self {
        let origin = Origin::of_file(&file, None);
        let built = credentials::external_account::Builder::new(file)
            .with_scopes(["https://www.googleapis.com/auth/cloud-platform"])
            .build();
        Self::of(built.map_err(|error| error.to_string()), Some(origin))
    }

    /// Creates credentials from the id token of this process's CI job, which is exchanged again
    /// whenever the last token is about to expire.
    pub fn of_job(federation: Federation) -> Self {
        let origin = federation.origin();
        let built = credentials::Credentials::from(federation);
        Self::of(Ok(built), Some(origin))
    }

    /// Sets the file that these credentials were read from.
    #[must_use]
    pub fn found_at(mut self, file: &Path) -> Self {
        if let Some(origin) = &mut self.origin {
            origin.location = Some(file.display().to_string());
        }
        self
    }

    /// Adds every token to these masks before it is sent.
    #[must_use]
    pub fn known_to(mut self, masks: Arc<Masks>) -> Self {
        self.known_to = Some(masks);
        self
    }

    /// Adds another token of this process to the same masks.
    pub fn make_known(&self, token: &str) {
        if let Some(masks) = &self.known_to {
            // A text that is too short to mask is not a token.
            let _ = masks.add(token);
        }
    }

    /// Returns their origin, unless they come from the search for Application Default Credentials.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    fn of(found: Result<credentials::Credentials, String>, origin: Option<Origin>) -> Self {
        Self {
            found: OnceLock::from(found),
            origin,
            known_to: None,
        }
    }

    /// Returns the library's credentials, for its clients.
    ///
    /// # Errors
    /// `identity.no-credentials` when none are found or they cannot be read.
    pub fn get(&self) -> Result<credentials::Credentials, Failure> {
        let found = self.found.get_or_init(|| {
            credentials::Builder::default()
                .build()
                .map_err(|error| error.to_string())
        });
        let found = found.clone().map_err(|why| missing(&why))?;
        Ok(match &self.known_to {
            None => found,
            Some(masks) => credentials::Credentials::from(Known {
                credentials: found,
                masks: Arc::clone(masks),
            }),
        })
    }

    /// Returns the headers that authenticate one request.
    ///
    /// # Errors
    /// As [`Credentials::get`], and `identity.no-token` when no token can be obtained.
    pub fn headers(&self) -> BoxFuture<'_, Result<HeaderMap, Failure>> {
        // Boxed, so that it is compiled here and not in each crate that calls it.
        Box::pin(async {
            let credentials = self.get()?;
            let headers = credentials.headers(Extensions::new());
            let Ok(headers) = tokio::time::timeout(SIGN_IN, headers).await else {
                return Err(no_token_yet(SIGN_IN));
            };
            match headers {
                Ok(CacheableResource::New { data, .. }) => Ok(data),
                // Only in answer to a request that names an earlier answer.
                Ok(CacheableResource::NotModified) => {
                    Err(Failure::bug("credentials gave no headers"))
                }
                Err(error) => Err(no_token(&error)),
            }
        })
    }
}

/// Given headers in the library's form.
#[derive(Debug)]
struct Fixed(HeaderMap);

impl CredentialsProvider for Fixed {
    async fn headers(
        &self,
        _: Extensions,
    ) -> Result<CacheableResource<HeaderMap>, CredentialsError> {
        Ok(CacheableResource::New {
            entity_tag: EntityTag::new(),
            data: self.0.clone(),
        })
    }

    async fn universe_domain(&self) -> Option<String> {
        None
    }
}

/// Credentials whose tokens are added to the masks before they are sent.
#[derive(Debug)]
struct Known {
    credentials: credentials::Credentials,
    masks: Arc<Masks>,
}

impl CredentialsProvider for Known {
    async fn headers(
        &self,
        extensions: Extensions,
    ) -> Result<CacheableResource<HeaderMap>, CredentialsError> {
        let headers = self.credentials.headers(extensions).await?;
        if let CacheableResource::New { data, .. } = &headers {
            let values = data.get_all(header::AUTHORIZATION).iter();
            let values = values.filter_map(|value| value.to_str().ok());
            for token in values.filter_map(|value| value.split_whitespace().nth(1)) {
                // A text that is too short to mask is not a token.
                let _ = self.masks.add(token);
            }
        }
        Ok(headers)
    }

    async fn universe_domain(&self) -> Option<String> {
        self.credentials.universe_domain().await
    }
}

pub(super) fn missing(why: &str) -> Failure {
    Failure::new(
        Class::Denied,
        codes::identity::NO_CREDENTIALS,
        Owner::Operator,
        format!("this process has no usable Google credentials: {why}"),
    )
    .with_help("on your own machine, sign in:")
    .with_help(commands::sign_in())
    .with_help("in CI, use workload identity federation; without any account, add --sandbox")
}
