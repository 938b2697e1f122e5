//! User-managed keys of service accounts, and the JWTs that are signed with them.
//!
//! The holder of a private key signs JWTs: one that the token endpoint exchanges for an access
//! token (RFC 7523), or one that is itself sent as a bearer token
//! (<https://google.aip.dev/auth/4111>). Identity stores only the public keys.

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;

use crate::identity::Identity;
use crate::state::{Account, AccountKey};

/// The maximum lifetime of such a JWT that Google accepts, in seconds.
const LONGEST: i64 = 3600;
/// The tolerated clock skew, in seconds.
const SKEW: i64 = 600;

/// A verified JWT: the account whose key signed it, and its claims.
#[derive(Debug, Clone, PartialEq)]
pub struct Assertion {
    /// The account.
    pub account: Account,
    /// The claims. Signature and lifetime are verified; the audience is not.
    pub claims: Value,
}

/// The reason why a signed JWT is rejected; the texts are Google's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AssertionError {
    /// The text is not a JWT, or lacks a required claim.
    #[error("Bad Request")]
    Malformed,
    /// The account in the JWT does not exist or is disabled.
    #[error("Invalid grant: account not found")]
    Account,
    /// No key of the account matches the signature.
    #[error("Invalid JWT Signature.")]
    Signature,
    /// The JWT is not valid now, or its lifetime is too long.
    #[error(
        "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim."
    )]
    Life,
}

impl Identity {
    /// Adds a key of an account, by its id.
    pub fn add_key(&self, id: &str, key: AccountKey) {
        self.write(|state| state.keys.insert(id.to_owned(), key));
    }

    /// Disables or enables a key.
    pub fn disable_key(&self, id: &str, disabled: bool) {
        self.write(|state| {
            if let Some(key) = state.keys.get_mut(id) {
                key.disabled = disabled;
            }
        });
    }

    /// Removes a key. JWTs that it signed are rejected from now on, at the APIs and in exchanges.
    pub fn remove_key(&self, id: &str) {
        self.write(|state| state.keys.remove(id));
    }

    /// Returns a key by its id.
    pub fn key(&self, id: &str) -> Option<AccountKey> {
        self.read(|state| state.keys.get(id).cloned())
    }

    /// Verifies a JWT that is signed with a service account's key: its issuer, its signature and
    /// its lifetime. The caller must check the audience.
    pub fn assertion(&self, jwt: &str) -> Result<Assertion, AssertionError> {
        let header = jsonwebtoken::decode_header(jwt).map_err(|_| AssertionError::Malformed)?;
        let unverified = jsonwebtoken::dangerous::insecure_decode::<Value>(jwt)
            .map_err(|_| AssertionError::Malformed)?
            .claims;
        let issuer = unverified["iss"]
            .as_str()
            .ok_or(AssertionError::Malformed)?;
        let account = self
            .account(issuer)
            .filter(|account| account.email == issuer && !account.disabled)
            .ok_or(AssertionError::Account)?;
        let key = header.kid.and_then(|id| self.key(&id));
        let key = key
            .filter(|key| key.account == account.unique_id && !key.disabled)
            .ok_or(AssertionError::Signature)?;
        let public = DecodingKey::from_rsa_pem(key.public_key.as_bytes())
            .map_err(|_| AssertionError::Signature)?;
        let mut validation = Validation::new(Algorithm::RS256);
        // The lifetime is checked below, with the sandbox's own clock.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        let claims = jsonwebtoken::decode::<Value>(jwt, &public, &validation)
            .map_err(|_| AssertionError::Signature)?
            .claims;
        let time = |name: &str| claims[name].as_i64().ok_or(AssertionError::Life);
        let (issued, expires) = (time("iat")?, time("exp")?);
        let now = self.clock().now().as_second();
        if issued > now + SKEW || expires <= now - SKEW || expires - issued > LONGEST + SKEW {
            return Err(AssertionError::Life);
        }
        Ok(Assertion { account, claims })
    }

    /// Returns the account of a JWT that was sent as a bearer token, if the JWT allows it: it names
    /// an API as its audience, or has scopes and no audience.
    pub(crate) fn signed_bearer(&self, jwt: &str) -> Option<Account> {
        let Assertion { account, claims } = self.assertion(jwt).ok()?;
        let now = self.clock().now();
        let expires = Timestamp::from_second(claims["exp"].as_i64()?).ok()?;
        let meant = match &claims["aud"] {
            Value::Null => claims["scope"].as_str().is_some_and(|s| !s.is_empty()),
            Value::String(audience) => is_api(audience),
            _ => false,
        };
        (meant && expires > now && claims["sub"] == account.email.as_str()).then_some(account)
    }
}

/// Returns whether an audience is one of Google's APIs: `https://SERVICE.googleapis.com/`, which
/// may be followed by the service's name. The token endpoint is not one.
fn is_api(audience: &str) -> bool {
    let Some(rest) = audience.strip_prefix("https://") else {
        return false;
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    host.ends_with(".googleapis.com") && path != "token" && !path.ends_with("/token")
}

#[cfg(test)]
mod tests {
    use super::is_api;

    #[test]
    fn a_token_endpoint_is_no_api() {
        assert!(is_api("https://storage.googleapis.com/"));
        assert!(is_api("https://iam.googleapis.com/google.iam.admin.v1.IAM"));
        for other in [
            "https://oauth2.googleapis.com/token",
            "https://www.googleapis.com/oauth2/v4/token",
            "http://127.0.0.1:8080/token",
            "https://googleapis.com.example.com/",
        ] {
            assert!(!is_api(other), "{other}");
        }
    }
}
