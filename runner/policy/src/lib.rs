//! What a step may do: scopes, grants, the operator's policy, and their meeting.
//!
//! One module a capability says which keys its scope has, how a call is described in them and how
//! it reads in words. A step's scopes are the meeting of three: what its plugin requests, what its
//! pipeline grants, and what every policy allows.
//!
//! This crate does no IO. It must not know how a capability does its work, what a pipeline looks
//! like, or where policies are found; it knows nothing of wasmtime, Kubernetes' API or Google's.

mod admission;
pub mod artifact_registry;
pub mod artifacts;
mod capability;
mod ceiling;
mod field;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod gke;
mod grants;
pub mod http;
pub mod iam;
pub mod iam_write;
pub mod identity;
mod json_schema;
pub mod kubernetes;
mod lookup;
mod meet;
mod operator;
mod pattern;
mod pod;
pub mod project;
mod quantity;
mod refusal;
pub mod registry;
mod scope;
mod scope_keys;
pub mod secret_manager;
pub mod secrets;
mod step_grant;
mod step_scopes;
pub mod storage;
pub mod tree;
mod uncovered;
mod words;
pub mod workspace;

pub use ceiling::{Ceiling, CeilingRule, Unlisted};
pub use field::{Reading, ScopeError, nearest};
pub use grants::{Grants, scopes, yaml};
pub use json_schema::{schema_grants, schema_policy};
pub use meet::{Granted, Requested, meet};
pub use operator::{Origin, PluginFacts, Policy, Signer, Trust, json, locate};
pub use pattern::{Kind, MAX_PATTERN, Pattern};
pub use pod::PodRefusal;
pub use refusal::Refusal;
pub use scope::{Call, Scope};
pub use scope_keys::{ScopeKey, scope_keys};
pub use sidestep_contract::Capability;
pub use step_grant::StepGrant;
pub use step_scopes::StepScopes;
