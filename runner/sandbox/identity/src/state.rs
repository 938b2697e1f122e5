//! What identity remembers between two starts of the sandbox.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::keys::AccountKey;
use crate::policy::Policy;
use crate::role::Role;

/// All of identity, as the sandbox persists it (JSON). Tokens are kept as digests only.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct State {
    /// Projects by id.
    pub projects: BTreeMap<String, Project>,
    /// Service accounts by unique id. A deleted one stays, so that it can be undeleted and so
    /// that a new one of the same address is another account.
    pub accounts: BTreeMap<String, Account>,
    /// Policies by full resource name.
    pub policies: BTreeMap<String, Policy>,
    /// Custom roles by name, `projects/P/roles/R`.
    pub custom_roles: BTreeMap<String, Role>,
    /// The project that each bucket lies in.
    pub bucket_projects: BTreeMap<String, String>,
    /// GKE's workload pools that exist, `P.svc.id.goog`. One appears with the first cluster that
    /// turns Workload Identity on, and stays.
    pub workload_pools: BTreeSet<String>,
    /// What is known of federated principals, by `principal://…`.
    pub federated: BTreeMap<String, Attributes>,
    /// User-managed keys of service accounts by id: their public halves.
    pub keys: BTreeMap<String, AccountKey>,
    /// Tokens by the SHA-256 of their text, hexadecimal.
    pub tokens: BTreeMap<String, TokenRecord>,
    /// Counts policy writes; etags are made from it.
    pub policy_writes: u64,
}

/// A project's two names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Project {
    /// The number, decimal.
    pub number: String,
    /// What people call it.
    #[serde(default)]
    pub display_name: String,
}

/// A service account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The project that owns it.
    pub project: String,
    /// Its address.
    pub email: String,
    /// Its 21-digit id, which no other account ever has.
    pub unique_id: String,
    /// What people call it.
    #[serde(default)]
    pub display_name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// A disabled account gets no tokens, and those that it has stop working.
    #[serde(default)]
    pub disabled: bool,
    /// A deleted account can be undeleted by its unique id.
    #[serde(default)]
    pub deleted: bool,
}

/// What a token exchange learnt about a federated principal beyond its subject.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Attributes {
    /// The paths under the pool that name a set or a principal it belongs to, such as
    /// `namespace/builds`, `kubernetes.serviceaccount.uid/…`, `kubernetes.cluster/https://…` or
    /// `attribute.repository/acme/app`.
    pub paths: BTreeSet<String>,
}

/// What a token stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenRecord {
    /// The IAM member that holds it.
    pub member: String,
    /// Until when it is good.
    pub expires: Timestamp,
    /// What it can be used for.
    pub kind: TokenKind,
}

/// What a token can be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TokenKind {
    /// An OAuth access token, accepted by the APIs.
    Access,
    /// A subject token, accepted by the token exchange only.
    Subject,
}
