use std::path::Path;
use std::sync::{Arc, OnceLock};

use futures::future::BoxFuture;
use google_cloud_auth::credentials::{self, CacheableResource, CredentialsProvider, EntityTag};
use google_cloud_auth::errors::CredentialsError;
use http::{Extensions, HeaderMap, HeaderValue, header};
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_handles::Secret;
use sidestep_masks::Masks;

use super::Origin;
use super::failure::no_token;
use crate::commands;

/// As whom Google's APIs are called: Application Default Credentials, looked for at the first call
/// and kept. Tokens are refreshed by the library; none is ever shown.
#[derive(Debug, Default)]
pub struct Credentials {
    found: OnceLock<Result<credentials::Credentials, String>>,
    /// Where they come from; none: from where Application Default Credentials are looked for.
    origin: Option<Origin>,
    /// What is told every token.
    known_to: Option<Arc<Masks>>,
}

impl Credentials {
    /// Credentials that send nothing.
    pub fn anonymous() -> Self {
        let built = credentials::anonymous::Builder::new().build();
        Self::of(Ok(built), Some(Origin::anonymous()))
    }

    /// One access token, for as long as it lives.
    pub fn token(token: &Secret) -> Self {
        let found = HeaderValue::try_from(format!("Bearer {}", token.expose()))
            .map(|mut value| {
                value.set_sensitive(true);
                credentials::Credentials::from(OneToken(HeaderMap::from_iter([(
                    header::AUTHORIZATION,
                    value,
                )])))
            })
            .map_err(|_| "the access token can't be sent in a header".to_owned());
        Self::of(found, None)
    }

    /// The credentials of a file of type `external_account`: a workload identity federation.
    pub fn external_account(file: serde_json::Value) -> Self {
        let origin = Origin::of_file(&file, None);
        let built = credentials::external_account::Builder::new(file)
            .with_scopes(["https://www.googleapis.com/auth/cloud-platform"])
            .build();
        Self::of(built.map_err(|error| error.to_string()), Some(origin))
    }

    /// Says which file these credentials were read from.
    #[must_use]
    pub fn found_at(mut self, file: &Path) -> Self {
        if let Some(origin) = &mut self.origin {
            origin.location = Some(file.display().to_string());
        }
        self
    }

    /// Makes every token known to these masks before it is sent.
    #[must_use]
    pub fn known_to(mut self, masks: Arc<Masks>) -> Self {
        self.known_to = Some(masks);
        self
    }

    /// Makes another token of this process known to the same masks.
    pub fn make_known(&self, token: &str) {
        if let Some(masks) = &self.known_to {
            // One that is too short to be found is no token.
            let _ = masks.add(token);
        }
    }

    /// Where they come from, if they were not left to be looked for.
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
        let found = found.clone().map_err(|why| missing(&why))?;
        Ok(match &self.known_to {
            None => found,
            Some(masks) => credentials::Credentials::from(Known {
                credentials: found,
                masks: Arc::clone(masks),
            }),
        })
    }

    /// The headers that authenticate one request.
    ///
    /// # Errors
    /// As [`Credentials::get`], and `identity.no-token` when no token can be had.
    pub fn headers(&self) -> BoxFuture<'_, Result<HeaderMap, Failure>> {
        // Boxed, so that it is compiled here and not in each crate that calls it.
        Box::pin(async {
            let credentials = self.get()?;
            match credentials.headers(Extensions::new()).await {
                Ok(CacheableResource::New { data, .. }) => Ok(data),
                // Only an answer to a request that names an earlier answer.
                Ok(CacheableResource::NotModified) => {
                    Err(Failure::bug("credentials gave no headers"))
                }
                Err(error) => Err(no_token(&error)),
            }
        })
    }
}

/// A token that was given, in the library's terms.
#[derive(Debug)]
struct OneToken(HeaderMap);

impl CredentialsProvider for OneToken {
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

/// Credentials whose tokens are made known before they are sent.
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
                // One that is too short to be found is no token.
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
