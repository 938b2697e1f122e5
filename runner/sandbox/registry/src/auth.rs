//! Authentication of callers, and their permissions on repositories.

use crate::{App, error::ApiError, name::Image};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use http::{HeaderMap, request::Parts};
use sidestep_contract::registry::is_container_registry;
use sidestep_sandbox_base::{Authorization, Origin};
use sidestep_sandbox_identity::{Caller, Resource};

/// The bearer token that the token service issues to callers without a credential.
pub(crate) const ANONYMOUS: &str = "anonymous";

/// User names under which an access token is a password
/// (<https://cloud.google.com/artifact-registry/docs/docker/authentication#token>).
const TOKEN_USERS: [&str; 3] = ["oauth2accesstoken", "_token", "_dcgcloud_token"];

/// The content of the `Authorization` header.
#[derive(PartialEq, Eq)]
pub(crate) enum Credential {
    /// No header.
    None,
    /// The anonymous bearer token.
    Anonymous,
    /// An access token.
    Token(String),
    /// A header in a form that Artifact Registry does not accept.
    Unknown,
}

pub(crate) fn credential(headers: &HeaderMap) -> Credential {
    let sent = Authorization::of(headers);
    if sent == Authorization::Absent {
        return Credential::None;
    }
    match sent.with_scheme("bearer") {
        Some(ANONYMOUS) => return Credential::Anonymous,
        Some(token) => return Credential::Token(token.to_owned()),
        None => {}
    }
    let pair = sent.with_scheme("basic");
    let pair = pair.and_then(|pair| BASE64_STANDARD.decode(pair).ok());
    let pair = pair.and_then(|pair| String::from_utf8(pair).ok());
    match pair.as_deref().and_then(|pair| pair.split_once(':')) {
        Some((user, token)) if TOKEN_USERS.contains(&user) => Credential::Token(token.to_owned()),
        _ => Credential::Unknown,
    }
}

/// The action of a request on a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Pull,
    Push,
    Delete,
}

impl Action {
    fn permission(self) -> &'static str {
        match self {
            Self::Pull => "artifactregistry.repositories.downloadArtifacts",
            Self::Push => "artifactregistry.repositories.uploadArtifacts",
            Self::Delete => "artifactregistry.repositories.deleteArtifacts",
        }
    }

    /// Returns the action's name in a token's scope.
    fn scope(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "pull,push",
            Self::Delete => "delete",
        }
    }
}

/// Returns the address to which a request was sent.
pub(crate) fn origin(parts: &Parts, app: &App) -> Origin {
    let port = app.http_port.get().copied();
    let host = port.map_or_else(
        || "localhost".to_owned(),
        |port| format!("localhost:{port}"),
    );
    Origin::of(parts, port, &host)
}

/// Returns the challenge (RFC 6750), in the form of the distribution token specification.
pub(crate) fn challenge(origin: &Origin, scope: Option<(&Image, Action)>) -> String {
    let scope = scope.map_or_else(String::new, |(image, action)| {
        format!(",scope=\"repository:{}:{}\"", image.written, action.scope())
    });
    let service = origin.host();
    format!("Bearer realm=\"{origin}/v2/token\",service=\"{service}\"{scope}")
}

impl App {
    /// Returns the sender of the request; `None` if it has no credential.
    pub(crate) fn caller(
        &self,
        headers: &HeaderMap,
        challenge: &dyn Fn() -> String,
    ) -> Result<Option<Caller>, ApiError> {
        let refused = || {
            ApiError::unauthorized(
                challenge(),
                "Request had invalid authentication credentials. Expected an OAuth 2 access token.",
            )
        };
        match credential(headers) {
            Credential::None => Ok(None),
            Credential::Anonymous => Ok(Some(Caller::Anonymous)),
            Credential::Token(token) => {
                let caller = self.access.caller(Some(&token));
                caller.map(Some).map_err(|_| refused())
            }
            Credential::Unknown => Err(refused()),
        }
    }

    /// Checks that the caller has the permission and that the repository exists.
    pub(crate) fn permit(
        &self,
        parts: &Parts,
        origin: &Origin,
        image: &Image,
        action: Action,
    ) -> Result<Caller, ApiError> {
        let challenge = || self::challenge(origin, Some((image, action)));
        let caller = self.caller(&parts.headers, &challenge)?;
        let resource = image.resource();
        let (permission, name) = (action.permission(), image.full_name());
        let asking = caller.clone().unwrap_or(Caller::Anonymous);
        if self.access.allows(&asking, permission, &resource) {
            self.exists(&asking, image, action)?;
            return Ok(asking);
        }
        match caller {
            // A client without a credential is first asked to authenticate.
            None => Err(ApiError::unauthorized(
                challenge(),
                unauthenticated(permission, &name),
            )),
            Some(Caller::Anonymous) => Err(ApiError::denied(unauthenticated(permission, &name))),
            Some(Caller::Member(_)) => Err(ApiError::denied(format!(
                "Permission \"{permission}\" denied on resource \"{name}\" (or it may not exist)"
            ))),
        }
    }

    fn exists(&self, caller: &Caller, image: &Image, action: Action) -> Result<(), ApiError> {
        let resource = image.resource();
        if self.repositories.exists(&resource) {
            return Ok(());
        }
        let gcr = is_container_registry(&image.repository);
        if gcr && action == Action::Push {
            let project = Resource::Project(image.project.clone());
            let permission = "artifactregistry.repositories.createOnPush";
            if !self.access.allows(caller, permission, &project) {
                return Err(ApiError::denied(
                    "gcr.io repo does not exist. Creating on push requires the \
                     artifactregistry.repositories.createOnPush permission",
                ));
            }
            if self.repositories.create(&resource) {
                return Ok(());
            }
        }
        Err(ApiError::name_unknown(format!(
            "Repository \"{}\" not found",
            image.repository
        )))
    }
}

fn unauthenticated(permission: &str, name: &str) -> String {
    format!(
        "Unauthenticated request. Unauthenticated requests do not have permission \
         \"{permission}\" on resource \"{name}\" (or it may not exist)"
    )
}
