//! The exchange of another issuer's token, such as that of a CI job, by a provider of a workload
//! identity pool. The checks are in Google's order, with Google's messages.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;
use sidestep_evaluator::{Federated, federate};
use sidestep_sandbox_identity::{Attributes, LIFETIME, Token};

use super::MISSING;
use crate::ci;
use crate::cloud::Cloud;
use crate::error::OAuthError;

/// The maximum length of the mapped subject, in bytes.
const LONGEST_SUBJECT: usize = 127;

/// The name of a provider in the audience of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Provider {
    /// `projects/NUMBER/locations/global/workloadIdentityPools/POOL`.
    pool: String,
    /// The pool's name and `/providers/PROVIDER`.
    name: String,
}

impl Provider {
    /// Reads `//iam.googleapis.com/projects/…/workloadIdentityPools/…/providers/…`. A project's id
    /// has the form of a name too, but no provider has that name.
    pub(super) fn read(audience: &str) -> Option<Self> {
        let name = audience.strip_prefix("//iam.googleapis.com/")?;
        let parts: Vec<&str> = name.split('/').collect();
        let [
            "projects",
            project,
            "locations",
            "global",
            "workloadIdentityPools",
            pool,
            "providers",
            provider,
        ] = parts[..]
        else {
            return None;
        };
        if [project, pool, provider].contains(&"") {
            return None;
        }
        Some(Self {
            pool: format!("projects/{project}/locations/global/workloadIdentityPools/{pool}"),
            name: name.to_owned(),
        })
    }

    /// Returns the provider, if it and its pool are neither deleted nor disabled.
    fn usable(&self, cloud: &Cloud) -> Result<Value, OAuthError> {
        let usable = |found: &&Value| found["state"] != "DELETED" && found["disabled"] != true;
        let found = cloud.read(|state| {
            state.pools.get(&self.pool).filter(usable)?;
            state.pools.get(&self.name).filter(usable).cloned()
        });
        found.ok_or_else(|| OAuthError::new("invalid_target", MISSING))
    }

    /// Returns whether a token for this audience is meant for the provider: one that it allows, or
    /// by default its own name, with or without the scheme.
    fn is_meant(&self, provider: &Value, audience: &str) -> bool {
        let allowed = provider["oidc"]["allowedAudiences"].as_array();
        match allowed.filter(|allowed| !allowed.is_empty()) {
            Some(allowed) => allowed.iter().any(|one| one == audience),
            None => {
                let audience = audience.strip_prefix("https:").unwrap_or(audience);
                audience.strip_prefix("//iam.googleapis.com/") == Some(&self.name)
            }
        }
    }
}

fn invalid_grant(description: impl Into<String>) -> OAuthError {
    OAuthError::new("invalid_grant", description)
}

/// Exchanges a token for one of the federated principal. It is valid for an hour, but not longer
/// than the token itself.
pub(super) fn exchange(cloud: &Cloud, name: &Provider, jwt: &str) -> Result<Token, OAuthError> {
    let provider = name.usable(cloud)?;
    let claims = verified(cloud, &provider, jwt)?;
    let audiences: Vec<&str> = match &claims["aud"] {
        Value::String(one) => vec![one],
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !audiences
        .iter()
        .any(|audience| name.is_meant(&provider, audience))
    {
        // The wording is not confirmed.
        return Err(invalid_grant(format!(
            "The audience in ID Token [{}] does not match the expected audience.",
            audiences.join(", ")
        )));
    }
    let now = cloud.identity().clock().now().as_second();
    let left = claims["exp"].as_i64().unwrap_or(0) - now;
    if left <= 0 {
        return Err(invalid_grant(format!(
            "ID Token issued at {} is stale to sign-in.",
            claims["iat"]
        )));
    }
    let found = decide(cloud, &provider, &claims)?;
    let lifetime = LIFETIME.min(SignedDuration::from_secs(left));
    let subject = found.text("google.subject").unwrap_or_default();
    let principal = format!(
        "principal://iam.googleapis.com/{}/subject/{subject}",
        name.pool
    );
    let paths = paths(&found);
    Ok(cloud
        .identity()
        .mint_federated(&principal, Attributes { paths }, lifetime))
}

/// Returns the claims of a token of the provider's issuer.
fn verified(cloud: &Cloud, provider: &Value, jwt: &str) -> Result<Value, OAuthError> {
    // The wording is not confirmed.
    let malformed = || invalid_grant("The ID Token is malformed.");
    let claims = jsonwebtoken::dangerous::insecure_decode::<Value>(jwt)
        .map_err(|_| malformed())?
        .claims;
    let issuer = claims["iss"].as_str().ok_or_else(malformed)?;
    let expected = provider["oidc"]["issuerUri"].as_str().unwrap_or_default();
    if issuer != expected {
        return Err(invalid_grant(format!(
            "The issuer in ID Token {issuer} does not match the expected ones: {expected}"
        )));
    }
    let keys = uploaded(provider)
        .or_else(|| ci::keys_of(cloud, issuer))
        .ok_or_else(|| invalid_grant("Error connecting to the given credential's issuer."))?;
    let keys: JwkSet = serde_json::from_value(keys).map_err(|_| malformed())?;
    let mut validation = Validation::new(Algorithm::RS256);
    // Checked with the sandbox's own clock, in Google's order.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let signed = keys.keys.iter().any(|key| {
        DecodingKey::from_jwk(key)
            .is_ok_and(|key| jsonwebtoken::decode::<Value>(jwt, &key, &validation).is_ok())
    });
    // The wording is not confirmed.
    signed
        .then_some(claims)
        .ok_or_else(|| invalid_grant("Invalid signature for the ID Token."))
}

/// Returns the keys that an administrator gave the provider, in place of the issuer's own.
fn uploaded(provider: &Value) -> Option<Value> {
    serde_json::from_str(provider["oidc"]["jwksJson"].as_str()?).ok()
}

/// Applies the provider's mapping and condition.
fn decide(cloud: &Cloud, provider: &Value, claims: &Value) -> Result<Federated, OAuthError> {
    let mapping = provider["attributeMapping"].as_object();
    let mapping = mapping
        .into_iter()
        .flatten()
        .filter_map(|(name, text)| Some((name.as_str(), text.as_str()?)));
    let condition = provider["attributeCondition"].as_str();
    let condition = condition.filter(|condition| !condition.trim().is_empty());
    let found = federate(cloud.identity().evaluator(), claims, mapping, condition);
    let Some(subject) = found.text("google.subject") else {
        // The wording is not confirmed.
        return Err(invalid_grant(
            "The mapping of google.subject has no value for the given credential.",
        ));
    };
    if subject.len() > LONGEST_SUBJECT {
        return Err(OAuthError::new(
            "invalid_request",
            "The size of mapped attribute exceeds the 127 bytes limit. Either modify your \
             attribute mapping or the incoming assertion to produce a mapped attribute that is \
             less than 127 bytes.",
        ));
    }
    if !found.holds() {
        return Err(OAuthError::new(
            "unauthorized_client",
            "The given credential is rejected by the attribute condition.",
        ));
    }
    Ok(found)
}

/// Returns the paths under the pool of the sets that a principal belongs to.
fn paths(found: &Federated) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for (name, value) in &found.attributes {
        match (name.as_str(), value) {
            ("google.groups", Value::Array(groups)) => {
                let groups = groups.iter().filter_map(Value::as_str);
                paths.extend(groups.map(|group| format!("group/{group}")));
            }
            (name, Value::String(value)) if name.starts_with("attribute.") => {
                paths.insert(format!("{name}/{value}"));
            }
            _ => {}
        }
    }
    paths
}
