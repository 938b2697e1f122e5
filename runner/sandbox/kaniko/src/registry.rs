//! Registries: what is called, and where it is.

mod answer;
mod pull;
mod push;
mod token;

use crate::{Environment, failure::Failure, identity::Identity, name::Reference};
use reqwest::{Client, Method, RequestBuilder, Response, header};
use std::collections::HashMap;
use tokio::sync::Mutex;

pub(crate) use answer::RegistryError;

use answer::{Result, answer};

/// Registries, by the OCI distribution specification 1.1.
pub(crate) struct Registry<'a> {
    http: Client,
    endpoint: Option<String>,
    /// The projects whose repositories the sandbox has; none: all of Google's.
    projects: Option<Vec<String>>,
    identity: &'a Identity,
    pull: bool,
    /// What to send in `Authorization`, by repository and actions.
    authorizations: Mutex<HashMap<String, Option<String>>>,
}

impl<'a> Registry<'a> {
    pub(crate) fn new(
        environment: &Environment,
        identity: &'a Identity,
        pull: bool,
    ) -> std::result::Result<Self, Failure> {
        let http = Client::builder()
            .user_agent("kaniko/sidestep-sandbox")
            .build();
        let http = http.map_err(|error| Failure::Plain(format!("no HTTP client: {error}")))?;
        let endpoint = environment.endpoint("SIDESTEP_ENDPOINT_REGISTRY");
        let projects = environment
            .get("SIDESTEP_SANDBOX_PROJECTS")
            .map(|names| names.split(',').map(str::to_owned).collect());
        Ok(Self {
            http,
            endpoint,
            projects,
            identity,
            pull,
            authorizations: Mutex::default(),
        })
    }

    /// Whether a base image can be looked for at all: in the sandbox's registry,
    /// or in its own where that is allowed.
    pub(crate) fn reaches(&self, image: &Reference) -> bool {
        self.pull || self.endpoint.is_some() || image.is_googles()
    }

    /// Whether the sandbox's registry stands for this image's: what is not there is nowhere. Other
    /// people's projects (`gcr.io/distroless`) are the world outside, as Docker Hub is.
    pub(crate) fn owns(&self, image: &Reference) -> bool {
        let known = self.projects.as_ref().is_none_or(|projects| {
            let mut projects = projects.iter();
            projects.any(|project| {
                let rest = image.repository.strip_prefix(project.as_str());
                rest.is_some_and(|rest| rest.starts_with('/'))
            })
        });
        image.is_googles() && known
    }

    /// The server's address, and the repository's name there.
    fn place(&self, image: &Reference) -> (String, String) {
        match &self.endpoint {
            Some(endpoint) if self.owns(image) || !self.pull => (endpoint.clone(), image.context()),
            _ => (
                format!("https://{}", image.registry),
                image.repository.clone(),
            ),
        }
    }

    /// The address to call, and the one that messages show: the registry's own.
    fn url(&self, image: &Reference, rest: &str) -> (String, String) {
        let (base, repository) = self.place(image);
        let shown = format!("https://{}/v2/{}/{rest}", image.registry, image.repository);
        (format!("{base}/v2/{repository}/{rest}"), shown)
    }

    async fn call(
        &self,
        image: &Reference,
        actions: &str,
        (url, shown): (&str, &str),
        method: Method,
        with: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response> {
        let authorization = self.authorize(image, actions).await?;
        let mut request = with(self.http.request(method.clone(), url));
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        answer(request, &method, shown).await
    }
}
