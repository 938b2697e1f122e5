//! What a query is about: its name, and what it is in the words of the grant.

use sidestep_bindings::sidestep::gcp::iam::Query;
use sidestep_events::Failure;
use sidestep_google::{Name, Named, service_account};
use sidestep_resources as resource;

/// The form of a pool's name.
pub(crate) const POOL: &str = "projects/P/locations/global/workloadIdentityPools/POOL";
/// The form of a provider's name.
pub(crate) const PROVIDER: &str =
    "projects/P/locations/global/workloadIdentityPools/POOL/providers/PROVIDER";

/// What a query reads.
pub(super) struct Target {
    /// The action of the grant.
    pub(super) action: &'static str,
    /// Its name; of the project where all of something in it is read.
    named: Named,
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
                ("list", project, resource::project(project))
            }
            Query::Policy(resource) => (
                "getPolicy",
                resource::given(resource),
                resource::name(resource),
            ),
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

    /// The name, if it is one.
    pub(super) fn name(&self) -> Result<&Name, Failure> {
        self.named.name()
    }

    /// The project that it belongs to, where that is known.
    pub(super) fn project(&self) -> Option<&str> {
        self.named.project()
    }

    /// The resource, where the query is about one.
    pub(super) fn resource(&self) -> Option<&str> {
        (!self.whole_project).then(|| self.named.as_str())
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
