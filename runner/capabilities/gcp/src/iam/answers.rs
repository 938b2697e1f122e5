//! Answers of IAM, and the parts that a plugin gets.

use google_cloud_iam_admin_v1::model::list_service_account_keys_request::KeyType;
use google_cloud_iam_admin_v1::model::{Role, ServiceAccount, ServiceAccountKey};
use sidestep_bindings::sidestep::gcp::iam as wit;
use sidestep_bindings::sidestep::gcp::types;
use sidestep_bindings::sidestep::host::types::Failure as WitFailure;
use sidestep_control_plane::ControlPlane;
use sidestep_events::Failure;
use sidestep_gate::{Held, debug_length};
use sidestep_google::Service;
use sidestep_google::convert::{filled, wkt_milliseconds};
use sidestep_resources::policy;

use super::federation::{Pool, Provider};
use super::hierarchy::{self, Level};
use super::target::Target;

/// An answer before the plugin gets it.
#[derive(Debug)]
pub(super) enum Found {
    /// The whole answer.
    Answer(wit::Answer),
    /// The levels of a project, with failures in them.
    Levels(Vec<Level>),
}

impl Held for Found {
    fn held(&self) -> u64 {
        debug_length(self)
    }
}

impl Found {
    /// Converts it to the plugin's form. `failure` masks and records what leaves the host.
    pub(super) fn told(self, failure: impl Fn(Failure) -> WitFailure) -> wit::Answer {
        match self {
            Self::Answer(answer) => answer,
            Self::Levels(levels) => {
                let levels = levels.into_iter().map(|level| level.told(&failure));
                wit::Answer::Hierarchy(levels.collect())
            }
        }
    }
}

/// Returns whether an answer can show that a permission is missing. Only the plugin knows which
/// principal it looks for in a policy.
pub(super) fn shows_right(found: &Found) -> bool {
    use wit::Answer;
    let Found::Answer(answer) = found else {
        return true;
    };
    match answer {
        // The same is true of the tokens that a provider is compared with.
        Answer::Policy(_) | Answer::Role(_) | Answer::Provider(_) | Answer::Hierarchy(_) => true,
        Answer::ServiceAccount(account) => account.disabled,
        Answer::Pool(pool) => pool.disabled || pool.state != ACTIVE,
        Answer::ServiceAccounts(_) | Answer::Keys(_) | Answer::Pools(_) | Answer::Providers(_) => {
            false
        }
    }
}

/// The state of a pool that is not deleted.
const ACTIVE: &str = "ACTIVE";

/// Reads the answer to a query.
pub(super) async fn answer(
    google: &ControlPlane,
    query: &wit::Query,
    target: &Target,
) -> Result<Found, Failure> {
    use wit::{Answer, Query};
    let name = target.name()?;
    let whose = name.as_str();
    let what = format!("get {whose}");
    // Google has no generated types for pools.
    let rest = google.rest();
    let path = format!("/v1/{whose}");
    Ok(Found::Answer(match query {
        Query::ServiceAccount(_) => {
            let found = google.service_account(&what, name).await?;
            Answer::ServiceAccount(account(found))
        }
        Query::ServiceAccounts(_) => {
            let what = format!("list the service accounts of {whose}");
            let found = google.service_accounts(&what, name).await?;
            Answer::ServiceAccounts(found.into_iter().map(account).collect())
        }
        Query::Keys(_) => {
            let what = format!("list the keys of {whose}");
            let found = google.service_account_keys(&what, name).await?;
            Answer::Keys(found.into_iter().map(key).collect())
        }
        Query::Policy(resource) => Answer::Policy(policy::get(google, resource, name).await?),
        Query::Role(_) => Answer::Role(role(google.role(&what, name).await?)),
        Query::Pool(_) => {
            let pool: Pool = rest.get(&what, Service::Iam, &path).await?;
            Answer::Pool(pool.into())
        }
        Query::Pools(_) => {
            let what = format!("list the pools of {whose}");
            let path = format!("{path}/locations/global/workloadIdentityPools");
            let key = "workloadIdentityPools";
            let found: Vec<Pool> = rest.list(&what, Service::Iam, &path, key).await?;
            Answer::Pools(found.into_iter().map(Into::into).collect())
        }
        Query::Provider(_) => {
            let provider: Provider = rest.get(&what, Service::Iam, &path).await?;
            Answer::Provider(provider.into())
        }
        Query::Providers(_) => {
            let what = format!("list the providers of {whose}");
            let path = format!("{path}/providers");
            let key = "workloadIdentityPoolProviders";
            let found: Vec<Provider> = rest.list(&what, Service::Iam, &path, key).await?;
            Answer::Providers(found.into_iter().map(Into::into).collect())
        }
        Query::Hierarchy(_) => return hierarchy::read(google, name).await.map(Found::Levels),
    }))
}

/// Returns an account in the contract's form.
pub(crate) fn account(account: ServiceAccount) -> types::ServiceAccount {
    types::ServiceAccount {
        email: account.email,
        name: account.name,
        unique_id: account.unique_id,
        display_name: filled(account.display_name),
        description: filled(account.description),
        disabled: account.disabled,
    }
}

fn key(key: ServiceAccountKey) -> wit::Key {
    wit::Key {
        // A key's name ends with its id.
        id: key.name.rsplit('/').next().unwrap_or_default().to_owned(),
        user_managed: key.key_type == KeyType::UserManaged,
        valid_after: key.valid_after_time.map(wkt_milliseconds),
        valid_before: key.valid_before_time.map(wkt_milliseconds),
        disabled: key.disabled,
    }
}

fn role(role: Role) -> wit::Role {
    wit::Role {
        name: role.name,
        title: role.title,
        permissions: role.included_permissions,
    }
}
