//! Authentication and authorization of the API server's callers.

use std::sync::Arc;

use http::HeaderMap;
use sidestep_sandbox_base::Authorization;
use sidestep_sandbox_identity::{Access, Caller, Resource};

use crate::kinds::Kind;
use crate::status::ApiError;
use crate::tokens::{Subject, TokenError, Tokens};

/// A caller, as Kubernetes names it.
#[derive(Debug, Clone)]
pub(crate) enum User {
    Anonymous,
    /// A Google identity, whose permissions come from IAM.
    Google(Caller),
    /// A service account of this cluster. It may only review itself, as on a cluster without role
    /// bindings.
    ServiceAccount(Subject),
}

impl User {
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Anonymous => "system:anonymous".to_owned(),
            Self::Google(caller) => caller.name().unwrap_or("system:anonymous").to_owned(),
            Self::ServiceAccount(s) => {
                format!("system:serviceaccount:{}:{}", s.namespace, s.name)
            }
        }
    }

    pub(crate) fn groups(&self) -> Vec<String> {
        match self {
            Self::Anonymous | Self::Google(Caller::Anonymous) => {
                vec!["system:unauthenticated".to_owned()]
            }
            Self::Google(_) => vec!["system:authenticated".to_owned()],
            Self::ServiceAccount(s) => vec![
                "system:serviceaccounts".to_owned(),
                format!("system:serviceaccounts:{}", s.namespace),
                "system:authenticated".to_owned(),
            ],
        }
    }

    pub(crate) fn is_anonymous(&self) -> bool {
        matches!(self, Self::Anonymous | Self::Google(Caller::Anonymous))
    }
}

/// The action of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Action<'a> {
    pub(crate) verb: &'a str,
    pub(crate) kind: &'a Kind,
    pub(crate) subresource: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
}

pub(crate) struct Gatekeeper {
    pub(crate) access: Arc<dyn Access>,
    pub(crate) tokens: Arc<Tokens>,
    /// The cluster's project, whose policy grants `container.*`.
    pub(crate) project: String,
}

impl std::fmt::Debug for Gatekeeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gatekeeper")
            .field("project", &self.project)
            .finish_non_exhaustive()
    }
}

impl Gatekeeper {
    /// Returns the sender of a request; an unknown token is a 401.
    pub(crate) fn user(&self, headers: &HeaderMap) -> Result<User, ApiError> {
        // Another scheme is not a credential for this server.
        match Authorization::of(headers).with_scheme("bearer") {
            None | Some("") => Ok(User::Anonymous),
            Some(token) => self.of_token(token),
        }
    }

    pub(crate) fn of_token(&self, bearer: &str) -> Result<User, ApiError> {
        match self.tokens.verify(bearer, None) {
            Ok(subject) => Ok(User::ServiceAccount(subject)),
            Err(TokenError::Foreign) => match self.access.caller(Some(bearer)) {
                Ok(caller) => Ok(User::Google(caller)),
                Err(_) => Err(ApiError::unauthorized()),
            },
            Err(_) => Err(ApiError::unauthorized()),
        }
    }

    /// Returns whether the caller may perform the action. Every authenticated caller may review
    /// itself.
    pub(crate) fn allows(&self, user: &User, action: Action<'_>) -> bool {
        if user.is_anonymous() {
            return false;
        }
        if action.kind.plural.starts_with("selfsubject") {
            return action.verb == "create";
        }
        match user {
            User::Google(caller) => self.access.allows(
                caller,
                &action.kind.permission(action.verb, action.subresource),
                &Resource::Project(self.project.clone()),
            ),
            User::Anonymous | User::ServiceAccount(_) => false,
        }
    }

    /// Returns `Ok`, or GKE's 403.
    pub(crate) fn require(&self, user: &User, action: Action<'_>) -> Result<(), ApiError> {
        if self.allows(user, action) {
            return Ok(());
        }
        let resource = if action.subresource.is_empty() {
            action.kind.plural.to_owned()
        } else {
            format!("{}/{}", action.kind.plural, action.subresource)
        };
        let scope = if action.namespace.is_empty() || !action.kind.namespaced {
            "at the cluster scope".to_owned()
        } else {
            format!("in the namespace \"{}\"", action.namespace)
        };
        let hint = match user {
            User::Google(Caller::Member(_)) => format!(
                ": requires one of [\"{}\"] permission(s).",
                action.kind.permission(action.verb, action.subresource)
            ),
            _ => String::new(),
        };
        Err(ApiError::forbidden(
            action.kind,
            action.name,
            &format!(
                "User \"{}\" cannot {} resource \"{resource}\" in API group \"{}\" {scope}{hint}",
                user.name(),
                action.verb,
                action.kind.group
            ),
        ))
    }
}
