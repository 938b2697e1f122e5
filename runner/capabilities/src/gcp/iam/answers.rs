//! What IAM answers, and what of it a plugin gets.

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use sidestep_events::Failure;

use super::policy;
use super::target::Target;
use crate::bindings::sidestep::gcp::iam as wit;
use crate::bindings::sidestep::gcp::types;
use crate::convert::milliseconds;
use crate::google::{Rest, Service};

/// Reads what a query asks for.
pub(super) async fn answer(
    google: &Rest,
    query: &wit::Query,
    target: &Target,
) -> Result<wit::Answer, Failure> {
    use wit::{Answer, Query};
    let name = target.name()?;
    let path = format!("/v1/{}", name.as_str());
    let whose = name.as_str();
    let what = format!("look at {whose}");
    let iam = Service::Iam;
    Ok(match query {
        Query::ServiceAccount(_) => {
            let account: ServiceAccount = google.get(&what, iam, &path).await?;
            Answer::ServiceAccount(account.into())
        }
        Query::ServiceAccounts(_) => {
            let what = format!("list the service accounts of {whose}");
            let path = format!("{path}/serviceAccounts");
            let found: Vec<ServiceAccount> = google.list(&what, iam, &path, "accounts").await?;
            Answer::ServiceAccounts(found.into_iter().map(Into::into).collect())
        }
        Query::Keys(_) => {
            let what = format!("list the keys of {whose}");
            let found: Keys = google.get(&what, iam, &format!("{path}/keys")).await?;
            Answer::Keys(found.keys.into_iter().map(Into::into).collect())
        }
        Query::Policy(resource) => Answer::Policy(policy::get(google, resource, name).await?),
        Query::Role(_) => {
            let role: Role = google.get(&what, iam, &path).await?;
            Answer::Role(role.into())
        }
        Query::Pool(_) => {
            let pool: Pool = google.get(&what, iam, &path).await?;
            Answer::Pool(pool.into())
        }
        Query::Pools(_) => {
            let what = format!("list the pools of {whose}");
            let path = format!("{path}/locations/global/workloadIdentityPools");
            let key = "workloadIdentityPools";
            let found: Vec<Pool> = google.list(&what, iam, &path, key).await?;
            Answer::Pools(found.into_iter().map(Into::into).collect())
        }
        Query::Provider(_) => {
            let provider: Provider = google.get(&what, iam, &path).await?;
            Answer::Provider(provider.into())
        }
        Query::Providers(_) => {
            let what = format!("list the providers of {whose}");
            let path = format!("{path}/providers");
            let key = "workloadIdentityPoolProviders";
            let found: Vec<Provider> = google.list(&what, iam, &path, key).await?;
            Answer::Providers(found.into_iter().map(Into::into).collect())
        }
    })
}

/// A service account (IAM v1).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ServiceAccount {
    email: String,
    name: String,
    pub(crate) unique_id: String,
    pub(crate) display_name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) disabled: bool,
}

impl From<ServiceAccount> for types::ServiceAccount {
    fn from(account: ServiceAccount) -> Self {
        Self {
            email: account.email,
            name: account.name,
            unique_id: account.unique_id,
            display_name: account.display_name,
            description: account.description,
            disabled: account.disabled,
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Keys {
    keys: Vec<Key>,
}

/// A key (IAM v1); its name ends with its id.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Key {
    name: String,
    key_type: String,
    valid_after_time: Option<Timestamp>,
    valid_before_time: Option<Timestamp>,
    disabled: bool,
}

impl From<Key> for wit::Key {
    fn from(key: Key) -> Self {
        Self {
            id: key.name.rsplit('/').next().unwrap_or_default().to_owned(),
            user_managed: key.key_type == "USER_MANAGED",
            valid_after: key.valid_after_time.map(milliseconds),
            valid_before: key.valid_before_time.map(milliseconds),
            disabled: key.disabled,
        }
    }
}

/// A role (IAM v1).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Role {
    name: String,
    title: String,
    included_permissions: Vec<String>,
}

impl From<Role> for wit::Role {
    fn from(role: Role) -> Self {
        Self {
            name: role.name,
            title: role.title,
            permissions: role.included_permissions,
        }
    }
}

/// A workload identity pool (IAM v1).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Pool {
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) disabled: bool,
    pub(crate) display_name: Option<String>,
    pub(crate) description: Option<String>,
}

impl From<Pool> for types::Pool {
    fn from(pool: Pool) -> Self {
        Self {
            name: pool.name,
            state: pool.state,
            disabled: pool.disabled,
            display_name: pool.display_name,
            description: pool.description,
        }
    }
}

/// A provider of a pool (IAM v1): one of the four kinds is there.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Provider {
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) disabled: bool,
    pub(crate) oidc: Option<Oidc>,
    aws: Option<Value>,
    saml: Option<Value>,
    x509: Option<Value>,
    pub(crate) attribute_mapping: IndexMap<String, String>,
    pub(crate) attribute_condition: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Oidc {
    pub(crate) issuer_uri: String,
    pub(crate) allowed_audiences: Vec<String>,
}

impl From<Provider> for types::Provider {
    fn from(provider: Provider) -> Self {
        let kind = if provider.oidc.is_some() {
            "oidc"
        } else if provider.aws.is_some() {
            "aws"
        } else if provider.saml.is_some() {
            "saml"
        } else if provider.x509.is_some() {
            "x509"
        } else {
            ""
        };
        let mappings = provider.attribute_mapping.into_iter();
        let (issuer, allowed_audiences) = provider
            .oidc
            .map(|oidc| (Some(oidc.issuer_uri), oidc.allowed_audiences))
            .unwrap_or_default();
        Self {
            name: provider.name,
            state: provider.state,
            disabled: provider.disabled,
            kind: kind.to_owned(),
            issuer,
            allowed_audiences,
            mappings: mappings
                .map(|(attribute, expression)| types::Mapping {
                    attribute,
                    expression,
                })
                .collect(),
            condition: provider
                .attribute_condition
                .filter(|condition| !condition.is_empty()),
        }
    }
}
