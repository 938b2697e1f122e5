//! Who calls, and what they may do: the sandbox's principals, tokens, roles and policies.
//!
//! It knows nothing of HTTP, GKE or Kubernetes: servers ask it through [`Access`], and whoever
//! issues tokens ([`Identity::mint`] and its like) has judged the proof before.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod accounts;
mod check;
mod clock;
mod condition;
mod identity;
mod keys;
mod member;
mod policy;
mod resource;
mod role;
mod state;
mod tokens;

pub use accounts::AccountError;
pub use clock::Clock;
pub use identity::Identity;
pub use keys::{AccountKey, Assertion, AssertionError};
pub use member::{parse_workload, workload_principal};
pub use policy::{Binding, Condition, Policy};
pub use role::{Role, predefined};
pub use state::{Account, Attributes, Project, State, TokenKind, TokenRecord};
pub use tokens::{DEVELOPER_LIFETIME, LIFETIME, Token};

use serde::{Deserialize, Serialize};

/// Who sent a request, once its bearer token has been judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Caller {
    /// No credential was sent.
    Anonymous,
    /// An IAM member: `user:E`, `serviceAccount:E`, or `principal://…`.
    Member(String),
}

/// A thing that carries an IAM policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Resource {
    /// A project, by id.
    Project(String),
    /// A service account, by project id and e-mail address.
    ServiceAccount {
        /// The project that owns it.
        project: String,
        /// Its address.
        email: String,
    },
    /// A Cloud Storage bucket, by name.
    Bucket(String),
    /// An object in a bucket. It has the bucket's policy, whose conditions see the object
    /// (<https://cloud.google.com/iam/docs/conditions-resource-attributes>).
    Object {
        /// The bucket that it lies in.
        bucket: String,
        /// Its name.
        name: String,
    },
    /// An Artifact Registry repository.
    Repository {
        /// The project that owns it.
        project: String,
        /// Its location, such as `europe`.
        location: String,
        /// Its id.
        name: String,
    },
    /// A Secret Manager secret.
    Secret {
        /// The project that owns it.
        project: String,
        /// Its id.
        name: String,
    },
}

/// One policy's text, as Google's APIs carry it: `{version, etag, bindings: […]}`.
pub type PolicyJson = serde_json::Value;

/// What the servers ask of identity. Storage, registry and Kubernetes take an `Arc<dyn Access>`.
pub trait Access: Send + Sync + 'static {
    /// The caller that a bearer token stands for; `Err` when the token is unknown or expired.
    fn caller(&self, bearer: Option<&str>) -> Result<Caller, InvalidToken>;
    /// Whether the policies of the resource and its project give the permission.
    fn allows(&self, caller: &Caller, permission: &str, resource: &Resource) -> bool;
    /// The policy set on the resource itself.
    fn policy(&self, resource: &Resource) -> PolicyJson;
    /// Replaces the policy; `Err` when the etag is stale.
    fn set_policy(&self, resource: &Resource, policy: PolicyJson) -> Result<PolicyJson, StaleEtag>;

    /// Checks a policy before it is set; the error is Google's sentence, for a 400. What is not
    /// well formed is dropped by [`Access::set_policy`], so ask here first. Members and roles that
    /// the resource's policy has already are let be.
    fn check_policy(&self, resource: &Resource, policy: &PolicyJson) -> Result<(), String> {
        let _ = (resource, policy);
        Ok(())
    }
    /// Says that a bucket was made in a project, whose policy then counts for it as well.
    fn bucket_created(&self, bucket: &str, project: &str) {
        let _ = (bucket, project);
    }
    /// Says that a bucket is gone, and its policy with it.
    fn bucket_deleted(&self, bucket: &str) {
        let _ = bucket;
    }
}

/// A bearer token that the sandbox did not issue, or that has expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid authentication credentials")]
pub struct InvalidToken;

/// The policy changed since it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there were concurrent policy changes")]
pub struct StaleEtag;
