//! The persistent state of identity.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::deny::DenyPolicy;
use crate::policy::Policy;
use crate::role::Role;

/// The whole state of identity, as the sandbox persists it (JSON). Tokens are stored only as
/// digests.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct State {
    /// Projects by id.
    pub projects: BTreeMap<String, Project>,
    /// Service accounts by unique id. A deleted account stays, so that it can be undeleted and so
    /// that a new account with the same address is a different one.
    pub accounts: BTreeMap<String, Account>,
    /// Policies by full resource name.
    pub policies: BTreeMap<String, Policy>,
    /// Custom roles by name, `projects/P/roles/R`.
    pub custom_roles: BTreeMap<String, Role>,
    /// Deny policies by the name of their resource (`projects/demo`) and their id.
    pub deny_policies: BTreeMap<String, BTreeMap<String, DenyPolicy>>,
    /// The display names of folders and organisations, by `folders/N` and `organizations/N`.
    pub folders: BTreeMap<String, String>,
    /// The folder or organisation above a project or a folder, by their names.
    pub parents: BTreeMap<String, String>,
    /// The project of each bucket.
    pub bucket_projects: BTreeMap<String, String>,
    /// The existing workload pools of GKE, `P.svc.id.goog`. A pool is created with the first
    /// cluster that turns Workload Identity on, and is never removed.
    pub workload_pools: BTreeSet<String>,
    /// The attributes of federated principals, by `principal://…`.
    pub federated: BTreeMap<String, Attributes>,
    /// The public keys of service accounts' user-managed keys, by id.
    pub keys: BTreeMap<String, AccountKey>,
    /// Tokens by the SHA-256 of their text, hexadecimal.
    pub tokens: BTreeMap<String, TokenRecord>,
    /// New service accounts that policies do not know yet.
    pub newcomers: crate::Newcomers,
    /// The number of policy writes, from which etags are made.
    pub policy_writes: u64,
}

/// A project's number and display name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Project {
    /// The number, decimal.
    pub number: String,
    /// The project's display name.
    #[serde(default)]
    pub display_name: String,
}

/// A service account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The project that owns it.
    pub project: String,
    /// The account's address.
    pub email: String,
    /// The account's 21-digit id, which is never reused.
    pub unique_id: String,
    /// The account's display name.
    #[serde(default)]
    pub display_name: String,
    /// The account's description.
    #[serde(default)]
    pub description: String,
    /// Whether the account is disabled; it then gets no tokens, and its existing ones are invalid.
    #[serde(default)]
    pub disabled: bool,
    /// Whether the account is deleted; it can be undeleted by its unique id.
    #[serde(default)]
    pub deleted: bool,
}

/// The public half of a service account's user-managed key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountKey {
    /// The unique id of the key's account.
    pub account: String,
    /// PEM, `BEGIN PUBLIC KEY`.
    pub public_key: String,
    /// Whether the key is disabled; its signatures are then invalid.
    #[serde(default)]
    pub disabled: bool,
}

/// The attributes of a federated principal, beyond its subject, from a token exchange.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Attributes {
    /// The paths under the pool that name the principal or a set that it belongs to, such as
    /// `namespace/builds`, `kubernetes.serviceaccount.uid/…`, `kubernetes.cluster/https://…` or
    /// `attribute.repository/acme/app`.
    pub paths: BTreeSet<String>,
}

/// The stored record of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenRecord {
    /// The token's IAM member.
    pub member: String,
    /// The expiry time.
    pub expires: Timestamp,
    /// The token's kind.
    pub kind: TokenKind,
}

/// The kind of a token, which says where it is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TokenKind {
    /// An OAuth access token, accepted by the APIs.
    Access,
    /// A subject token, accepted only by the token exchange.
    Subject,
}
