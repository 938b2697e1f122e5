//! The check of service-account tokens by the cluster's public keys, where the user may not have
//! tokens reviewed.
//!
//! A signature does not show whether the account still exists, so its uid, and that of a pod that
//! the token is bound to, are compared with the watched objects. This is possible only in the
//! namespaces that are watched.

use http::Request;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use kube::Client;
use serde::Deserialize;

use crate::connect::causes;
use crate::state::State;
use crate::tokens::{Rejected, Subject};

/// A token with a valid signature, whose account may be gone.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    subject: Subject,
    /// The uid of the pod that the token is bound to.
    pod: Option<String>,
}

impl Signed {
    /// Returns the token's account, if the watched state has it, and the pod that the token is bound
    /// to. A state that does not follow the cluster shows nothing.
    pub(crate) fn exists(&self, state: &State) -> Result<Subject, Rejected> {
        let reject = |why: &str| Err(Rejected(why.to_owned()));
        if !state.is_current() {
            return reject(
                "the cluster does not answer, so it is not known whether the token's service \
                 account still exists",
            );
        }
        let Subject {
            namespace,
            name,
            uid,
        } = &self.subject;
        let current = state.account(namespace, name);
        if current.is_none_or(|account| account.uid != *uid) {
            return reject(
                "the token's service account was deleted, or is in a namespace that the sandbox \
                 does not serve",
            );
        }
        if self.pod.as_ref().is_some_and(|pod| !state.has_pod(pod)) {
            return reject("the token is bound to a pod that does not exist");
        }
        Ok(self.subject.clone())
    }
}

/// The public keys of a cluster, and the issuer of its tokens.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    issuer: String,
    keys: JwkSet,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
}

#[derive(Deserialize)]
struct Claims {
    #[serde(rename = "kubernetes.io")]
    kubernetes: Kubernetes,
}

#[derive(Deserialize)]
struct Kubernetes {
    namespace: String,
    serviceaccount: Named,
    #[serde(default)]
    pod: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    uid: String,
}

impl Keys {
    /// Reads the keys of the API server.
    ///
    /// # Errors
    /// The message of a client or of the API server.
    pub(crate) async fn read(client: &Client) -> Result<Self, String> {
        let discovery: Discovery = get(client, "/.well-known/openid-configuration").await?;
        Ok(Self {
            issuer: discovery.issuer,
            keys: get(client, "/openid/v1/jwks").await?,
        })
    }

    /// Checks a token's signature, issuer, audience and lifetime.
    pub(crate) fn verify(&self, token: &str, audience: &str) -> Result<Signed, Rejected> {
        let foreign = || Rejected("the token was not issued by this cluster".to_owned());
        let header = decode_header(token).map_err(|_| foreign())?;
        let id = header.kid.ok_or_else(foreign)?;
        let jwk = self.keys.find(&id).ok_or_else(foreign)?;
        let key = DecodingKey::from_jwk(jwk).map_err(|_| foreign())?;
        let mut wanted = Validation::new(header.alg);
        wanted.set_audience(&[audience]);
        wanted.set_issuer(&[&self.issuer]);
        wanted.set_required_spec_claims(&["exp", "aud", "iss"]);
        let claims: Claims = decode(token, &key, &wanted)
            .map_err(|error| Rejected(format!("the token is not valid: {error}")))?
            .claims;
        let Kubernetes {
            namespace,
            serviceaccount,
            pod,
        } = claims.kubernetes;
        Ok(Signed {
            subject: Subject {
                namespace,
                name: serviceaccount.name,
                uid: serviceaccount.uid,
            },
            pod: pod.map(|pod| pod.uid),
        })
    }
}

async fn get<T: serde::de::DeserializeOwned>(client: &Client, path: &str) -> Result<T, String> {
    let request = Request::get(path).body(Vec::new());
    let request = request.map_err(|error| error.to_string())?;
    client.request(request).await.map_err(|error| match error {
        kube::Error::Api(status) => status.message.clone(),
        error => causes(&error),
    })
}
