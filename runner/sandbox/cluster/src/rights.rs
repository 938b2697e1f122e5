//! The permissions that the sandbox needs in a cluster.

use std::fmt;

use futures::future::try_join_all;
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::api::PostParams;
use kube::{Api, Client};

/// The namespaces whose pods the sandbox serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Namespaces {
    /// All of them.
    All,
    /// These.
    Only(Vec<String>),
}

impl Namespaces {
    /// Returns whether they include a namespace.
    pub(crate) fn include(&self, namespace: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.iter().any(|name| name == namespace),
        }
    }

    /// Returns the namespace of each watch; `None` is a watch of the whole cluster.
    pub(crate) fn scopes(&self) -> Vec<Option<&str>> {
        match self {
            Self::All => vec![None],
            Self::Only(names) => names.iter().map(|name| Some(name.as_str())).collect(),
        }
    }
}

/// A permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// The verb.
    pub verb: &'static str,
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The resource.
    pub resource: &'static str,
    /// The namespace; `None` for the whole cluster.
    pub namespace: Option<String>,
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        match &self.namespace {
            Some(namespace) => write!(f, " in namespace {namespace}"),
            None => Ok(()),
        }
    }
}

/// A user, as the API server knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum User {
    /// A user by name.
    Named(String),
    /// A service account.
    ServiceAccount {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// The API server does not report it.
    Unknown,
}

impl User {
    /// Reads the name of a user.
    fn read(name: &str) -> Self {
        let account = name.strip_prefix("system:serviceaccount:");
        match account.and_then(|account| account.split_once(':')) {
            Some((namespace, name)) => Self::ServiceAccount {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            },
            None if name.is_empty() => Self::Unknown,
            None => Self::Named(name.to_owned()),
        }
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => write!(f, "user {name}"),
            Self::ServiceAccount { namespace, name } => {
                write!(f, "service account {namespace}/{name}")
            }
            Self::Unknown => f.write_str("the user"),
        }
    }
}

/// Returns the right to have tokens reviewed.
pub(crate) fn reviews() -> Right {
    Right {
        verb: "create",
        group: "authentication.k8s.io",
        resource: "tokenreviews",
        namespace: None,
    }
}

/// Returns the rights to watch the objects.
pub(crate) fn watches(namespaces: &Namespaces) -> Vec<Right> {
    let both = |resource, namespace: Option<&str>| {
        ["list", "watch"].map(|verb| Right {
            verb,
            group: "",
            resource,
            namespace: namespace.map(str::to_owned),
        })
    };
    let scopes = namespaces.scopes();
    let in_scope = |scope: Option<&str>| [both("pods", scope), both("serviceaccounts", scope)];
    let mut rights: Vec<Right> = scopes.into_iter().flat_map(in_scope).flatten().collect();
    rights.extend(both("nodes", None));
    rights
}

/// Returns the rights that the client's user lacks.
pub(crate) async fn missing(client: &Client, rights: Vec<Right>) -> kube::Result<Vec<Right>> {
    let has = try_join_all(rights.iter().map(|right| has(client, right))).await?;
    let all = rights.into_iter().zip(has);
    Ok(all
        .filter_map(|(right, has)| (!has).then_some(right))
        .collect())
}

async fn has(client: &Client, right: &Right) -> kube::Result<bool> {
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                verb: Some(right.verb.to_owned()),
                group: Some(right.group.to_owned()),
                resource: Some(right.resource.to_owned()),
                namespace: right.namespace.clone(),
                ..ResourceAttributes::default()
            }),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let api: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let review = api.create(&PostParams::default(), &review).await?;
    Ok(review.status.is_some_and(|status| status.allowed))
}

/// Returns the client's user. API servers before 1.28 do not report it.
pub(crate) async fn user(client: &Client) -> User {
    let api: Api<SelfSubjectReview> = Api::all(client.clone());
    let review = api
        .create(&PostParams::default(), &SelfSubjectReview::default())
        .await;
    let info = review.ok().and_then(|review| review.status?.user_info);
    let name = info.and_then(|info| info.username);
    User::read(name.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_those_of_the_watches() {
        let lines = |namespaces| -> Vec<String> {
            watches(&namespaces)
                .iter()
                .map(ToString::to_string)
                .collect()
        };
        assert_eq!(
            lines(Namespaces::All),
            [
                "list pods",
                "watch pods",
                "list serviceaccounts",
                "watch serviceaccounts",
                "list nodes",
                "watch nodes"
            ]
        );
        let only = lines(Namespaces::Only(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(only.len(), 10);
        assert_eq!(only[0], "list pods in namespace a");
        assert_eq!(only[8], "list nodes");
    }

    #[test]
    fn a_service_account_is_known_by_its_name() {
        let account = User::read("system:serviceaccount:ci:runner");
        assert_eq!(account.to_string(), "service account ci/runner");
        assert_eq!(User::read("jane").to_string(), "user jane");
        assert_eq!(User::read("system:admin").to_string(), "user system:admin");
        assert_eq!(User::read(""), User::Unknown);
    }
}
