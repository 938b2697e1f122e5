//! Google-signed id tokens of service accounts.
//!
//! Shape: <https://cloud.google.com/docs/authentication/token-types#id>. The signing key is the
//! sandbox's own and survives restarts; [`Cloud::certificates`] publishes its public half.

use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sidestep_sandbox_identity::{Account, LIFETIME};

use crate::cloud::Cloud;
use crate::error::ApiError;
use crate::state::{SigningKey, State};

const ISSUER: &str = "https://accounts.google.com";
const KEY_ID: &str = "sandbox";

/// Signs an account's id token for an audience.
pub(crate) fn issue(
    cloud: &Cloud,
    account: &Account,
    audience: &str,
    email: bool,
) -> Result<String, ApiError> {
    if audience.is_empty() {
        return Err(ApiError::invalid("Audience required."));
    }
    let now = cloud.identity().clock().now().as_second();
    let mut claims = json!({
        "iss": ISSUER, "aud": audience, "azp": account.unique_id, "sub": account.unique_id,
        "iat": now, "exp": now + LIFETIME.as_secs(),
    });
    if email {
        claims["email"] = json!(account.email);
        claims["email_verified"] = json!(true);
    }
    signed(&key(cloud)?, &claims)
}

impl Cloud {
    /// Returns the public keys of id tokens, in the shape of
    /// `https://www.googleapis.com/oauth2/v3/certs` (a JWK set).
    pub fn certificates(&self) -> Value {
        published(key(self))
    }
}

/// Returns the public half of a signing key, as a JWK set (RFC 7517, section 5).
pub(crate) fn published(key: Result<EncodingKey, ApiError>) -> Value {
    let jwk = key
        .ok()
        .and_then(|key| Jwk::from_encoding_key(&key, Algorithm::RS256).ok());
    let keys: Vec<Jwk> = jwk
        .into_iter()
        .map(|mut jwk| {
            jwk.common.key_id = Some(KEY_ID.to_owned());
            jwk.common.public_key_use = Some(PublicKeyUse::Signature);
            jwk
        })
        .collect();
    json!({ "keys": keys })
}

/// Signs claims.
pub(crate) fn signed(key: &EncodingKey, claims: &Value) -> Result<String, ApiError> {
    let header = Header {
        kid: Some(KEY_ID.to_owned()),
        ..Header::new(Algorithm::RS256)
    };
    jsonwebtoken::encode(&header, claims, key).map_err(|_| unusable())
}

/// Returns the signing key of Google's id tokens.
fn key(cloud: &Cloud) -> Result<EncodingKey, ApiError> {
    let known = cloud.read(|state| state.signing_key.clone());
    kept(cloud, known, |state| &mut state.signing_key)
}

/// Returns the known signing key of the state, or creates it in its place.
pub(crate) fn kept(
    cloud: &Cloud,
    known: Option<SigningKey>,
    place: impl FnOnce(&mut State) -> &mut Option<SigningKey>,
) -> Result<EncodingKey, ApiError> {
    let SigningKey(pem) = if let Some(key) = known {
        key
    } else {
        let rule = &rcgen::PKCS_RSA_SHA256;
        let made = rcgen::KeyPair::generate_rsa_for(rule, rcgen::RsaKeySize::_2048)
            .map_err(|_| unusable())?;
        let made = SigningKey(made.serialize_pem());
        // The first writer wins.
        cloud.write(|state| place(state).get_or_insert(made).clone())
    };
    EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| unusable())
}

fn unusable() -> ApiError {
    ApiError::internal(
        "the sandbox's key for id tokens cannot be used; `sidestep sandbox reset` creates a new \
         one",
    )
}
