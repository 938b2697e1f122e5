//! Registries and their addresses.

mod answer;
mod pull;
mod push;
mod token;

use crate::{
    Environment, docker_config::DockerConfig, failure::Failure, identity::Identity, name::Reference,
};
use reqwest::{Client, Method, RequestBuilder, Response, header};
use sidestep_contract::registry::is_this_machine;
use std::collections::HashMap;
use tokio::sync::Mutex;

pub(crate) use answer::RegistryError;

use answer::{Result, answer};

/// The purpose of a registry call, which decides the actions in its token's scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Pull,
    Push,
}

impl Purpose {
    fn actions(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push,pull",
        }
    }
}

/// Registries, by the OCI distribution specification 1.1.
pub(crate) struct Registry<'a> {
    http: Client,
    endpoint: Option<String>,
    /// The projects whose repositories are in the sandbox; `None` means all of Google's.
    projects: Option<Vec<String>>,
    identity: &'a Identity,
    /// The credentials for other registries.
    docker: DockerConfig,
    pull: bool,
    /// The values of `Authorization`, by repository and actions.
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
            docker: DockerConfig::of(environment),
            pull,
            authorizations: Mutex::default(),
        })
    }

    /// Returns whether a base image can be looked up: in the sandbox's registry, or in its own if
    /// that is allowed.
    pub(crate) fn reaches(&self, image: &Reference) -> bool {
        self.pull || self.endpoint.is_some() || image.is_googles() || self.is_direct(image)
    }

    /// Returns whether an image is in a registry outside of the sandbox, with credentials of its own:
    /// one of this machine, or one that the build has a password for.
    pub(crate) fn is_direct(&self, image: &Reference) -> bool {
        let is_other = is_this_machine(&image.registry) || self.docker.basic(image).is_some();
        !image.is_googles() && is_other
    }

    /// Returns whether the sandbox's registry replaces the image's; an image that is missing there
    /// does not exist. Other projects (`gcr.io/distroless`) are external, like Docker Hub.
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

    /// Returns the server's address and the repository's name on it. `--pull` concerns base images
    /// only: without credentials of its own, no build pushes out of the sandbox.
    fn place(&self, image: &Reference, purpose: Purpose) -> (String, String) {
        let leaves = (self.pull && purpose == Purpose::Pull) || self.is_direct(image);
        match &self.endpoint {
            Some(endpoint) if self.owns(image) || !leaves => (endpoint.clone(), image.context()),
            _ => (
                format!("{}://{}", scheme(image), image.registry),
                image.repository.clone(),
            ),
        }
    }

    /// Returns the address to call, and the one for messages, which is the registry's own.
    fn url(&self, image: &Reference, purpose: Purpose, rest: &str) -> (String, String) {
        let (base, repository) = self.place(image, purpose);
        let scheme = scheme(image);
        let shown = format!(
            "{scheme}://{}/v2/{}/{rest}",
            image.registry, image.repository
        );
        (format!("{base}/v2/{repository}/{rest}"), shown)
    }

    async fn call(
        &self,
        image: &Reference,
        purpose: Purpose,
        (url, shown): (&str, &str),
        method: Method,
        with: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response> {
        let authorization = self.authorize(image, purpose).await?;
        let mut request = with(self.http.request(method.clone(), url));
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        answer(request, &method, shown).await
    }
}

/// Returns the scheme of a registry's address (go-containerregistry, `name.Registry.Scheme`).
fn scheme(image: &Reference) -> &'static str {
    if is_this_machine(&image.registry) {
        "http"
    } else {
        "https"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pull_moves_no_push() {
        const SANDBOX: &str = "http://127.0.0.1:1";
        let variables = [
            ("SIDESTEP_ENDPOINT_REGISTRY", SANDBOX),
            ("SIDESTEP_SANDBOX_PROJECTS", "demo"),
        ];
        let environment = variables
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .collect();
        let identity = Identity::new(&environment).map_err(|_| "no identity");
        let identity = identity.expect("an identity");
        for (pull, image, pulled, pushed) in [
            (true, "evil.example/app:1", "https://evil.example", SANDBOX),
            (true, "gcr.io/other/app:1", "https://gcr.io", SANDBOX),
            (true, "gcr.io/demo/app:1", SANDBOX, SANDBOX),
            (false, "evil.example/app:1", SANDBOX, SANDBOX),
            (
                false,
                "127.0.0.1:2/app:1",
                "http://127.0.0.1:2",
                "http://127.0.0.1:2",
            ),
        ] {
            let registry = Registry::new(&environment, &identity, pull);
            let registry = registry.map_err(|_| "no registry").expect("a registry");
            let image = Reference::parse(image).expect("an image");
            let base = |purpose| registry.place(&image, purpose).0;
            assert_eq!(base(Purpose::Pull), pulled, "{}", image.given);
            assert_eq!(base(Purpose::Push), pushed, "{}", image.given);
        }
    }
}
