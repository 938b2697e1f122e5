//! Workload identity pools and their providers, which Google has no generated types for (IAM v1).

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;
use sidestep_bindings::sidestep::gcp::types;

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

/// A provider of a pool (IAM v1): exactly one of the four kinds is set.
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
