//! Keys of service accounts that people hold, and what is signed with them.
//!
//! Whoever holds a private key signs JWTs: one that the token endpoint exchanges for an access
//! token (RFC 7523), or one that is itself sent as a bearer token
//! (<https://google.aip.dev/auth/4111>). Identity keeps the public halves only.

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Account;
use crate::identity::Identity;

/// The longest life that Google accepts of such a JWT, in seconds.
const LONGEST: i64 = 3600;
/// By how much clocks may differ, in seconds.
const SKEW: i64 = 600;

/// The public half of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountKey {
    /// The unique id of the account whose key it is.
    pub account: String,
    /// PEM, `BEGIN PUBLIC KEY`.
    pub public_key: String,
    /// A disabled key signs nothing that counts.
    #[serde(default)]
    pub disabled: bool,
}

/// What a key signed: whose key it is, and the JWT's claims.
#[derive(Debug, Clone, PartialEq)]
pub struct Assertion {
    /// The account.
    pub account: Account,
    /// The claims, whose signature and life have been judged and whose audience has not.
    pub claims: Value,
}

/// Why a signed JWT proves nothing; the texts are Google's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AssertionError {
    /// It is no JWT, or lacks what it must have.
    #[error("Bad Request")]
    Malformed,
    /// The account that it names does not exist, or is disabled.
    #[error("Invalid grant: account not found")]
    Account,
    /// No key of the account signed it.
    #[error("Invalid JWT Signature.")]
    Signature,
    /// It is not valid now, or for too long.
    #[error(
        "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim."
    )]
    Life,
}

impl Identity {
    /// Notes a key of an account, by its id.
    pub fn add_key(&self, id: &str, key: AccountKey) {
        self.write(|state| state.keys.insert(id.to_owned(), key));
    }

    /// Turns a key off or on again.
    pub fn disable_key(&self, id: &str, disabled: bool) {
        self.write(|state| {
            if let Some(key) = state.keys.get_mut(id) {
                key.disabled = disabled;
            }
        });
    }

    /// Forgets a key: what it signed, and what is exchanged for it from now on, is refused.
    pub fn remove_key(&self, id: &str) {
        self.write(|state| state.keys.remove(id));
    }

    /// A key by its id.
    pub fn key(&self, id: &str) -> Option<AccountKey> {
        self.read(|state| state.keys.get(id).cloned())
    }

    /// Judges a JWT that claims to be signed with a service account's key: its issuer, its
    /// signature and its life. For whom it is meant is left to the caller.
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
        // Life is judged below, by the sandbox's own clock.
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

    /// Whose a JWT is that was sent as a bearer token, if it was meant to be: it names an API, or
    /// scopes and no audience.
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

/// Whether an audience is an API of Google's: `https://SERVICE.googleapis.com/`, which may go on
/// with the service's name. The token endpoint's is none.
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
