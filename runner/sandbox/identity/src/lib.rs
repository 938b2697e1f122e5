//! The sandbox's principals, tokens, roles and policies.
//!
//! It does not depend on HTTP, GKE or Kubernetes: servers use it through [`Access`], and issuers of
//! tokens ([`Identity::mint`] and the like) verify the proof before.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod accounts;
mod check;
mod clock;
mod condition;
mod deny;
mod identity;
mod keys;
mod member;
mod newcomers;
mod policy;
mod resource;
mod role;
mod state;
mod tokens;

pub use accounts::AccountError;
pub use clock::Clock;
pub use deny::{DenyPolicy, DenyRule, Rule};
pub use identity::Identity;
pub use keys::{Assertion, AssertionError};
pub use member::{parse_workload, workload_principal};
pub use newcomers::Newcomers;
pub use policy::{Binding, Condition, Policy};
pub use role::{Role, predefined};
pub use state::{Account, AccountKey, Attributes, Project, State, TokenKind, TokenRecord};
pub use tokens::{DEVELOPER_LIFETIME, LIFETIME, Token};

use serde::{Deserialize, Serialize};

/// The sender of a request, once its bearer token is verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Caller {
    /// No credential was sent.
    Anonymous,
    /// An IAM member: `user:E`, `serviceAccount:E`, or `principal://…`.
    Member(String),
}

impl Caller {
    /// Returns the caller's name in messages: the address of a user or a service account, else the
    /// member. An anonymous caller has none.
    pub fn name(&self) -> Option<&str> {
        let Self::Member(member) = self else {
            return None;
        };
        let address = member
            .strip_prefix("user:")
            .or_else(|| member.strip_prefix("serviceAccount:"));
        Some(address.unwrap_or(member))
    }
}

/// A resource that has an IAM policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Resource {
    /// An organisation, by id.
    Organization(String),
    /// A folder, by id.
    Folder(String),
    /// A project, by id.
    Project(String),
    /// A service account, by project id and e-mail address.
    ServiceAccount {
        /// The project that owns it.
        project: String,
        /// The account's address.
        email: String,
    },
    /// A Cloud Storage bucket, by name.
    Bucket(String),
    /// An object in a bucket. It has the bucket's policy, whose conditions can refer to the object
    /// (<https://cloud.google.com/iam/docs/conditions-resource-attributes>).
    Object {
        /// The bucket of the object.
        bucket: String,
        /// The object's name.
        name: String,
    },
    /// An Artifact Registry repository.
    Repository {
        /// The project that owns it.
        project: String,
        /// The repository's location, such as `europe`.
        location: String,
        /// The repository's id.
        name: String,
    },
    /// A Secret Manager secret.
    Secret {
        /// The project that owns it.
        project: String,
        /// The secret's id.
        name: String,
    },
}

/// A policy in the form of Google's APIs: `{version, etag, bindings: […]}`.
pub type PolicyJson = serde_json::Value;

/// The interface of identity for the servers. Storage, registry and Kubernetes take an
/// `Arc<dyn Access>`.
pub trait Access: Send + Sync + 'static {
    /// Returns the caller of a bearer token; `Err` if the token is unknown or expired.
    fn caller(&self, bearer: Option<&str>) -> Result<Caller, InvalidToken>;
    /// Returns whether the policies of the resource, its project and what is above it grant the
    /// permission, and no deny policy denies it.
    fn allows(&self, caller: &Caller, permission: &str, resource: &Resource) -> bool;
    /// Returns the policy that is set on the resource itself.
    fn policy(&self, resource: &Resource) -> PolicyJson;
    /// Replaces the policy; `Err` if the etag is stale.
    fn set_policy(&self, resource: &Resource, policy: PolicyJson) -> Result<PolicyJson, StaleEtag>;

    /// Checks a policy before it is set; the error is Google's message for a 400. Call it first,
    /// since [`Access::set_policy`] drops malformed parts. Members and roles that the resource's
    /// policy already has are accepted.
    fn check_policy(&self, resource: &Resource, policy: &PolicyJson) -> Result<(), String> {
        let _ = (resource, policy);
        Ok(())
    }
    /// Records that a bucket was created in a project, whose policy then also applies to it.
    fn bucket_created(&self, bucket: &str, project: &str) {
        let _ = (bucket, project);
    }
    /// Records that a bucket was deleted, and removes its policy.
    fn bucket_deleted(&self, bucket: &str) {
        let _ = bucket;
    }
}

/// The error for a bearer token that the sandbox did not issue, or that has expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid authentication credentials")]
pub struct InvalidToken;

/// The error for a policy that changed since it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there were concurrent policy changes")]
pub struct StaleEtag;
