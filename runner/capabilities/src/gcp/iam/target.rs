//! What a query is about: its name, and what it is in the words of the grant.

use sidestep_events::Failure;

use super::policy;
use crate::bindings::sidestep::gcp::iam::Query;
use crate::bindings::sidestep::gcp::types::PolicyResource;
use crate::google::{Name, service_account};

/// The form of a pool's name.
pub(crate) const POOL: &str = "projects/P/locations/global/workloadIdentityPools/POOL";
/// The form of a provider's name.
pub(crate) const PROVIDER: &str =
    "projects/P/locations/global/workloadIdentityPools/POOL/providers/PROVIDER";

/// What a query reads.
pub(super) struct Target {
    /// The action of the grant.
    pub(super) action: &'static str,
    /// The checked name, of the project where all of something in it is read.
    name: Result<Name, Failure>,
    /// What was given, which stands for the resource where it is no name.
    given: String,
    /// Whether it is about a project and no resource in it.
    whole_project: bool,
}

impl Target {
    /// Reads a query.
    pub(super) fn of(query: &Query) -> Self {
        let (action, given, name) = match query {
            Query::ServiceAccount(email) => ("get", email, service_account(email)),
            Query::Keys(email) => ("listKeys", email, service_account(email)),
            Query::ServiceAccounts(project) | Query::Pools(project) => {
                ("list", project, policy::project(project))
            }
            Query::Policy(resource) => ("getPolicy", given(resource), policy::name(resource)),
            Query::Role(role) => ("get", role, read_role(role)),
            Query::Pool(pool) => ("get", pool, Name::read("pool", POOL, pool)),
            Query::Providers(pool) => ("list", pool, Name::read("pool", POOL, pool)),
            Query::Provider(provider) => {
                ("get", provider, Name::read("provider", PROVIDER, provider))
            }
        };
        Self {
            action,
            given: given.clone(),
            name,
            whole_project: matches!(query, Query::ServiceAccounts(_) | Query::Pools(_)),
        }
    }

    /// The name, if it is one.
    pub(super) fn name(&self) -> Result<&Name, Failure> {
        self.name.as_ref().map_err(Clone::clone)
    }

    /// The project that it belongs to, where that is known.
    pub(super) fn project(&self) -> Option<&str> {
        self.name.as_ref().ok()?.project()
    }

    /// The resource, where the query is about one.
    pub(super) fn resource(&self) -> Option<&str> {
        match &self.name {
            Ok(_) if self.whole_project => None,
            Ok(name) => Some(name.as_str()),
            Err(_) => Some(&self.given),
        }
    }
}

fn given(resource: &PolicyResource) -> &String {
    match resource {
        PolicyResource::Project(text)
        | PolicyResource::ServiceAccount(text)
        | PolicyResource::Bucket(text)
        | PolicyResource::Repository(text)
        | PolicyResource::Secret(text) => text,
    }
}

/// A role: a predefined one, or an organisation's or project's own.
fn read_role(text: &str) -> Result<Name, Failure> {
    let shape = match text.split('/').next() {
        Some("projects") => "projects/P/roles/ROLE",
        Some("organizations") => "organizations/O/roles/ROLE",
        _ => "roles/ROLE",
    };
    Name::read("role", shape, text)
}
