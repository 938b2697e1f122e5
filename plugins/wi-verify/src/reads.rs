//! The reads of a diagnosis, each through a capability.

use sidestep::gcp::artifact_registry::{self, Repository};
use sidestep::gcp::iam::{
    self, Answer, Condition, Level, Policy, PolicyResource, Pool, Provider, Query, ServiceAccount,
};
use sidestep::google::Resource;
use sidestep::identity::{self, Attributes, Decision, Federation, Mapping, Subject};
use sidestep::kubernetes::{self, ListQuery, ObjectRef};
use sidestep::serde_json::{Map, Value};
use sidestep::{Error, Result};

use crate::caller::Itself;
use crate::held::Place;
use crate::identity::{Identity, Workload};
use crate::targets::{self, Target};

/// The most accounts whose policies are searched.
const MOST_ACCOUNTS: usize = 64;
/// The most objects of a list.
const MOST_OBJECTS: u32 = 500;

/// The name of an unknown caller in messages.
const SOMEBODY: &str = "the caller";

/// Returns the caller, if known.
pub(crate) fn known(caller: &str) -> Option<&str> {
    (caller != SOMEBODY).then_some(caller)
}

/// Returns the caller's name for messages, whether it uses a key, and the job that it may be.
pub(crate) fn caller() -> (String, bool, Itself) {
    match identity::who_am_i() {
        Ok(caller) => {
            let itself = Itself::of(&caller);
            let name = caller.principal.unwrap_or_else(|| SOMEBODY.to_owned());
            (name, caller.source == "service_account", itself)
        }
        // The first real read says what is wrong with it.
        Err(_) => (SOMEBODY.to_owned(), false, Itself::default()),
    }
}

pub(crate) fn pool(name: &str) -> Result<Pool> {
    match iam::read(Query::Pool(name.to_owned()))? {
        Answer::Pool(pool) => Ok(pool),
        _ => Err(other_answer()),
    }
}

pub(crate) fn provider(name: &str) -> Result<Provider> {
    match iam::read(Query::Provider(name.to_owned()))? {
        Answer::Provider(provider) => Ok(provider),
        _ => Err(other_answer()),
    }
}

/// Evaluates a provider's mapping and condition for a job's claims.
pub(crate) fn federation(
    claims: &Map<String, Value>,
    mappings: &[Mapping],
    condition: Option<&str>,
) -> Result<Federation> {
    let claims = Value::Object(claims.clone()).to_string();
    identity::federate(&claims, mappings, condition)
}

pub(crate) fn service_account(email: &str) -> Result<ServiceAccount> {
    match iam::read(Query::ServiceAccount(email.to_owned()))? {
        Answer::ServiceAccount(account) => Ok(account),
        _ => Err(other_answer()),
    }
}

pub(crate) fn policy(resource: PolicyResource) -> Result<Policy> {
    match iam::read(Query::Policy(resource))? {
        Answer::Policy(policy) => Ok(policy),
        _ => Err(other_answer()),
    }
}

/// Reads a project and what is above it, with their deny policies.
pub(crate) fn hierarchy(project: &str) -> Result<Vec<Level>> {
    match iam::read(Query::Hierarchy(project.to_owned()))? {
        Answer::Hierarchy(levels) => Ok(levels),
        _ => Err(other_answer()),
    }
}

/// Decides conditions for a request at a time, in milliseconds since 1970.
pub(crate) fn truths(time: u64, conditions: &[Condition], place: &Place) -> Result<Vec<Decision>> {
    let attributes = Attributes {
        time,
        name: place.name.clone(),
        service: Some(place.service.to_owned()),
        kind: Some(place.kind.to_owned()),
    };
    let texts: Vec<String> = conditions
        .iter()
        .map(|condition| condition.expression.clone())
        .collect();
    identity::decide(&texts, &attributes)
}

/// The policies of a project's service accounts, as far as they can be read.
pub(crate) struct Accounts {
    pub(crate) read: Vec<(String, Policy)>,
    /// Whether that is every account's.
    pub(crate) all: bool,
}

pub(crate) fn accounts_with_policies(project: &str) -> Result<Accounts> {
    let accounts = match iam::read(Query::ServiceAccounts(project.to_owned()))? {
        Answer::ServiceAccounts(accounts) => accounts,
        _ => return Err(other_answer()),
    };
    let count = accounts.len();
    let emails: Vec<String> = accounts
        .into_iter()
        .take(MOST_ACCOUNTS)
        .map(|account| account.email)
        .collect();
    let policies = policies(emails.iter().cloned().map(PolicyResource::ServiceAccount));
    let found = emails.into_iter().zip(policies);
    let read: Vec<(String, Policy)> = found
        .filter_map(|(email, policy)| Some((email, policy?)))
        .collect();
    Ok(Accounts {
        all: read.len() == count,
        read,
    })
}

/// Policies, none in the place of one that can't be read.
pub(crate) fn policies(resources: impl Iterator<Item = PolicyResource>) -> Vec<Option<Policy>> {
    let queries: Vec<Query> = resources.map(Query::Policy).collect();
    let answers = iam::read_all(&queries).into_iter();
    answers
        .map(|answer| match answer {
            Ok(Answer::Policy(policy)) => Some(policy),
            _ => None,
        })
        .collect()
}

/// Facts about the repositories among the targets, none in the place of what can't be read.
pub(crate) fn repositories(targets: &[Target]) -> Vec<Option<Repository>> {
    let resource = |target: &Target| match &target.resource {
        Resource::Repository(repository) => Some(repository.resource()),
        _ => None,
    };
    let names: Vec<String> = targets.iter().filter_map(resource).collect();
    let mut facts = artifact_registry::repositories(&names).into_iter();
    targets
        .iter()
        .map(|target| {
            resource(target)?;
            facts.next()?.ok()
        })
        .collect()
}

pub(crate) fn kubernetes_account(workload: &Workload) -> Result<Value> {
    kubernetes::get(ObjectRef::namespaced(
        workload.cluster_name(),
        "v1",
        "serviceaccounts",
        &workload.namespace,
        &workload.account,
    ))
}

/// Returns the names of the namespace's service accounts.
pub(crate) fn kubernetes_accounts(workload: &Workload) -> Result<Vec<String>> {
    let found = list(workload, "v1", "serviceaccounts", None)?;
    let names = found
        .iter()
        .filter_map(|account| account["metadata"]["name"].as_str());
    Ok(names.map(str::to_owned).collect())
}

/// Returns the pods of the service account.
pub(crate) fn pods(workload: &Workload) -> Result<Vec<Value>> {
    let field = format!("spec.serviceAccountName={}", workload.account);
    list(workload, "v1", "pods", Some(field))
}

pub(crate) fn network_policies(workload: &Workload) -> Result<Vec<Value>> {
    list(workload, "networking.k8s.io/v1", "networkpolicies", None)
}

fn list(
    workload: &Workload,
    api_version: &str,
    resource: &str,
    field_selector: Option<String>,
) -> Result<Vec<Value>> {
    let query = ListQuery {
        cluster: workload.cluster_name(),
        api_version: api_version.to_owned(),
        resource: resource.to_owned(),
        namespace: Some(workload.namespace.clone()),
        label_selector: None,
        field_selector,
        max: MOST_OBJECTS,
    };
    Ok(kubernetes::list(query)?.items)
}

/// Returns the subject of the proof.
pub(crate) fn subject(identity: &Identity, reached: &[Target]) -> Subject {
    let Workload {
        namespace, account, ..
    } = &identity.workload;
    Subject {
        cluster: identity.workload.cluster_name(),
        namespace: namespace.clone(),
        service_account: account.clone(),
        pool: identity.pool.clone(),
        provider: identity.workload.provider(),
        impersonate: identity.way.account().map(str::to_owned),
        targets: reached
            .iter()
            .map(|target| identity::Target {
                resource: targets::resource(&target.resource),
                permissions: target.permissions.clone(),
                object: target.object.clone(),
            })
            .collect(),
    }
}

fn other_answer() -> Error {
    Error::bug("the answer does not match the query")
}
