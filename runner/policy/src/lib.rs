//! The permissions of a step: scopes, grants, policies, and their intersection.
//!
//! One module per capability defines the keys of its scope, and describes calls and scopes in
//! words. A step's scopes are the intersection of its plugin's requests, its pipeline's grants, and
//! every policy.
//!
//! This crate does no IO. It must not know how a capability is implemented, the format of a
//! pipeline, or where policies are found; it does not know wasmtime, or the APIs of Kubernetes and
//! Google.

mod admission;
pub mod artifact_registry;
pub mod artifacts;
mod call;
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
mod limits;
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

pub use call::Call;
pub use ceiling::{Ceiling, CeilingRule, Unlisted};
pub use field::{Reading, ScopeError, nearest};
pub use grants::{Grants, scopes, yaml};
pub use json_schema::{schema_grants, schema_policy};
pub use meet::{Granted, Requested, meet};
pub use operator::{Origin, PluginFacts, Policy, Signer, Trust, json, locate};
pub use pattern::{Kind, MAX_PATTERN, Pattern};
pub use pod::PodRefusal;
pub use refusal::Refusal;
pub use scope::Scope;
pub use scope_keys::{ScopeKey, scope_keys};
pub use sidestep_contract::Capability;
pub use step_grant::StepGrant;
pub use step_scopes::StepScopes;
