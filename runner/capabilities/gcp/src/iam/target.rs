//! The target of a query: its name, and its description in the words of the grant.

use sidestep_bindings::sidestep::gcp::iam::Query;
use sidestep_events::Failure;
use sidestep_google::{Name, Named, service_account};
use sidestep_resources as resource;

/// The form of a pool's name.
pub(crate) const POOL: &str = "projects/P/locations/global/workloadIdentityPools/POOL";
/// The form of a provider's name.
pub(crate) const PROVIDER: &str =
    "projects/P/locations/global/workloadIdentityPools/POOL/providers/PROVIDER";

/// The target of a query.
pub(super) struct Target {
    /// The grant's action.
    pub(super) action: &'static str,
    /// The resource's name; the project's name if all resources of a kind in it are read.
    named: Named,
    /// Whether the query is about a project and not about a resource in it.
    whole_project: bool,
}

impl Target {
    /// Returns the target of a query.
    pub(super) fn of(query: &Query) -> Self {
        let (action, given, name) = match query {
            Query::ServiceAccount(email) => ("get", email, service_account(email)),
            Query::Keys(email) => ("listKeys", email, service_account(email)),
            Query::ServiceAccounts(project) | Query::Pools(project) => {
                ("list", project, resource::project(project))
            }
            Query::Policy(resource) => (
                "getPolicy",
                resource::given(resource),
                resource::name(resource),
            ),
            // The policies that a project inherits apply to it like its own.
            Query::Hierarchy(project) => ("getPolicy", project, resource::project(project)),
            Query::Role(role) => ("get", role, read_role(role)),
            Query::Pool(pool) => ("get", pool, Name::read("pool", POOL, pool)),
            Query::Providers(pool) => ("list", pool, Name::read("pool", POOL, pool)),
            Query::Provider(provider) => {
                ("get", provider, Name::read("provider", PROVIDER, provider))
            }
        };
        Self {
            action,
            whole_project: name.is_ok()
                && matches!(query, Query::ServiceAccounts(_) | Query::Pools(_)),
            named: Named::new(given, name),
        }
    }

    /// Returns the name, if it is valid.
    pub(super) fn name(&self) -> Result<&Name, Failure> {
        self.named.name()
    }

    /// Returns the resource's project, if it is known.
    pub(super) fn project(&self) -> Option<&str> {
        self.named.project()
    }

    /// Returns the resource, if the query is about one.
    pub(super) fn resource(&self) -> Option<&str> {
        (!self.whole_project).then(|| self.named.as_str())
    }
}

/// Reads the name of a role: a predefined one, or one of an organisation or a project.
fn read_role(text: &str) -> Result<Name, Failure> {
    let shape = match text.split('/').next() {
        Some("projects") => "projects/P/roles/ROLE",
        Some("organizations") => "organizations/O/roles/ROLE",
        _ => "roles/ROLE",
    };
    Name::read("role", shape, text)
}
