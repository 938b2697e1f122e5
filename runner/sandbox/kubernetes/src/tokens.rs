//! Service-account tokens: JWTs signed with the cluster's own key.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    jwk::{Jwk, JwkSet, KeyAlgorithm, PublicKeyUse},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sidestep_sandbox_base::disk;

use crate::key::Key;
use crate::names::unique_id;
use crate::store::Store;

/// The service account of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The account's namespace.
    pub namespace: String,
    /// The account's name.
    pub name: String,
    /// The account's uid when the token was issued, which is also its current uid.
    pub uid: String,
    /// The name of the pod that the token is bound to, if any.
    pub pod: Option<String>,
}

/// The reason why a service-account token is rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The token is not a JWT, not signed by this cluster, or from another issuer.
    #[error("the token was not issued by this cluster")]
    Foreign,
    /// The token has expired.
    #[error("the service account token has expired")]
    Expired,
    /// The token is for other audiences.
    #[error("the token's audiences {got:?} do not include {wanted:?}")]
    Audience {
        /// The required audience.
        wanted: String,
        /// The token's audiences.
        got: Vec<String>,
    },
    /// The service account, or the object it is bound to, was deleted or recreated.
    #[error("{0}")]
    Gone(String),
}

/// The claims of a requested token.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) audiences: Vec<String>,
    pub(crate) seconds: i64,
    /// `{kind, name, uid}` of the Pod or Secret that the token is bound to.
    pub(crate) bound: Option<Value>,
}

/// The signer and verifier of tokens.
pub(crate) struct Tokens {
    issuer: String,
    key: EncodingKey,
    public: DecodingKey,
    jwk: Jwk,
    store: Arc<Store>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

impl Tokens {
    /// Loads the key in `dir`, or creates one.
    pub(crate) fn open(dir: &Path, issuer: String, store: Arc<Store>) -> std::io::Result<Self> {
        let path = dir.join("service-account.key");
        let pem = match std::fs::read_to_string(&path) {
            Ok(pem) => pem,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let pem = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)
                    .map_err(std::io::Error::other)?
                    .serialize_pem();
                disk::write(&path, pem.as_bytes())?;
                pem
            }
            Err(error) => return Err(error),
        };
        let unreadable = |_| {
            std::io::Error::new(
                std::io::ErrorKind::InvalidData,
                format!("{} holds no P-256 key", path.display()),
            )
        };
        let key = EncodingKey::from_ec_pem(pem.as_bytes()).map_err(unreadable)?;
        let mut jwk = Jwk::from_encoding_key(&key, Algorithm::ES256).map_err(unreadable)?;
        let point = serde_json::to_vec(&jwk.algorithm)?;
        jwk.common.key_id = Some(hex::encode(&Sha256::digest(&point)[..16]));
        jwk.common.key_algorithm = Some(KeyAlgorithm::ES256);
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        let public = DecodingKey::from_jwk(&jwk).map_err(unreadable)?;
        Ok(Self {
            issuer,
            key,
            public,
            jwk,
            store,
        })
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(crate) fn jwks(&self) -> JwkSet {
        JwkSet {
            keys: vec![self.jwk.clone()],
        }
    }

    /// Signs a token, and returns it with its expiry.
    pub(crate) fn sign(&self, request: &Request) -> Result<(String, Timestamp), TokenError> {
        let now = Timestamp::now().as_second();
        let end = now + request.seconds;
        let mut kubernetes = json!({
            "namespace": request.namespace,
            "serviceaccount": { "name": request.name, "uid": request.uid },
        });
        if let Some(bound) = &request.bound {
            let kind = bound["kind"].as_str().unwrap_or_default().to_lowercase();
            kubernetes[kind] = json!({ "name": bound["name"], "uid": bound["uid"] });
        }
        let audiences = if request.audiences.is_empty() {
            vec![self.issuer.clone()]
        } else {
            request.audiences.clone()
        };
        let claims = json!({
            "aud": audiences,
            "exp": end,
            "iat": now,
            "iss": self.issuer,
            "jti": unique_id(),
            "kubernetes.io": kubernetes,
            "nbf": now,
            "sub": format!("system:serviceaccount:{}:{}", request.namespace, request.name),
        });
        let mut header = Header::new(Algorithm::ES256);
        header.kid.clone_from(&self.jwk.common.key_id);
        let token = jsonwebtoken::encode(&header, &claims, &self.key)
            .map_err(|error| TokenError::Gone(format!("the token cannot be signed: {error}")))?;
        Ok((token, Timestamp::from_second(end).unwrap_or(Timestamp::MAX)))
    }

    /// Verifies a token; an `audience` of `None` means the API server's own.
    pub(crate) fn verify(
        &self,
        token: &str,
        audience: Option<&str>,
    ) -> Result<Subject, TokenError> {
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_issuer(&[&self.issuer]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        validation.validate_aud = false;
        validation.validate_nbf = true;
        validation.leeway = 0;
        let claims = jsonwebtoken::decode::<Value>(token, &self.public, &validation)
            .map_err(|error| match error.kind() {
                jsonwebtoken::errors::ErrorKind::ExpiredSignature => TokenError::Expired,
                _ => TokenError::Foreign,
            })?
            .claims;
        let wanted = audience.unwrap_or(&self.issuer);
        let got: Vec<String> = match &claims["aud"] {
            Value::String(one) => vec![one.clone()],
            other => serde_json::from_value(other.clone()).unwrap_or_default(),
        };
        if !got.iter().any(|a| a == wanted) {
            return Err(TokenError::Audience {
                wanted: wanted.to_owned(),
                got,
            });
        }
        let own = &claims["kubernetes.io"];
        let namespace = own["namespace"].as_str().ok_or(TokenError::Foreign)?;
        let account = self.living(namespace, "serviceaccounts", &own["serviceaccount"])?;
        let mut pod = None;
        if !own["pod"].is_null() {
            pod = Some(self.living(namespace, "pods", &own["pod"])?.0);
        }
        if !own["secret"].is_null() {
            self.living(namespace, "secrets", &own["secret"])?;
        }
        Ok(Subject {
            namespace: namespace.to_owned(),
            name: account.0,
            uid: account.1,
            pod,
        })
    }

    fn living(
        &self,
        namespace: &str,
        resource: &str,
        reference: &Value,
    ) -> Result<(String, String), TokenError> {
        let name = reference["name"].as_str().ok_or(TokenError::Foreign)?;
        let uid = reference["uid"].as_str().ok_or(TokenError::Foreign)?;
        let found = self.store.get(&Key::new(resource, namespace, name));
        let what = resource.trim_end_matches('s');
        match found {
            None => Err(TokenError::Gone(format!(
                "{what} {namespace}/{name} has been deleted"
            ))),
            Some(object) if object["metadata"]["uid"] != uid => Err(TokenError::Gone(format!(
                "the UID of {what} {namespace}/{name} does not match the token's"
            ))),
            Some(_) => Ok((name.to_owned(), uid.to_owned())),
        }
    }
}
