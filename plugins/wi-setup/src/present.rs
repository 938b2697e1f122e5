//! Reads the present state.

use sidestep::gcp::iam::{self, Answer, Policy, Query};
use sidestep::gcp::{gke, project};
use sidestep::google::{self, Account, Resource};
use sidestep::kubernetes::{self, ListQuery, ObjectRef};
use sidestep::serde_json::Value;
use sidestep::{Class, Command, Error, Owner, Result, codes, kubectl};

use crate::identity::{Identity, Workload};
use crate::mark::{self, Mark};
use crate::wanted::{Binding, On};

/// The state that a plan starts from.
#[derive(Debug, Clone)]
pub(crate) struct Present {
    /// The Kubernetes service account, if it exists.
    pub(crate) kubernetes: Option<KubernetesAccount>,
    /// Whether the Google service account exists.
    pub(crate) google: bool,
    /// The policies of the bindings' resources, in the bindings' order. That of an account that does
    /// not exist is empty.
    pub(crate) policies: Vec<Policy>,
}

/// A Kubernetes service account.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct KubernetesAccount {
    /// The annotation that names a Google service account.
    pub(crate) annotation: Option<String>,
    /// The record of earlier changes.
    pub(crate) mark: Mark,
}

/// Returns the workload with the names that only Google knows, and the node pools on which pods
/// would still get their node's account.
pub(crate) fn identity(workload: Workload) -> Result<(Identity, Vec<String>)> {
    let cluster = gke::cluster(workload.cluster_name())?;
    let Some(pool) = cluster.workload_pool else {
        return Err(Error::new(
            Class::Denied,
            codes::identity::NO_WORKLOAD_POOL,
            Owner::Cloud,
            format!(
                "Workload Identity is not enabled on the cluster {}",
                workload.cluster.name
            ),
        )
        .help("wi-setup does not change clusters. An administrator can enable it:")
        .helps(workload.cluster.make_pool()));
    };
    let nodes = if cluster.autopilot {
        Vec::new()
    } else {
        let pools = gke::node_pools(workload.cluster_name())?.into_iter();
        pools
            .filter(|pool| pool.metadata_mode.as_deref() != Some("GKE_METADATA"))
            .map(|pool| pool.name)
            .collect()
    };
    let number = match workload.google {
        Some(_) => None,
        None => Some(project::get(&workload.cluster.project)?.number),
    };
    let identity = Identity {
        workload,
        pool,
        number,
    };
    Ok((identity, nodes))
}

/// Reads the objects that the plan may change.
pub(crate) fn read(identity: &Identity, bindings: &[Binding]) -> Result<Present> {
    let workload = &identity.workload;
    let kubernetes = match kubernetes_account(workload) {
        Ok(account) => Some(account),
        Err(error) if is_missing(&error) => {
            namespace_exists(workload)?;
            None
        }
        Err(error) => return Err(error),
    };
    let google = match &workload.google {
        Some(account) => google_account(account)?,
        None => false,
    };
    let policies = policies(workload, bindings, google)?;
    if let Some(account) = workload.google.as_ref().filter(|_| !google) {
        deleted(account, &policies)?;
    }
    if workload.google.is_none() {
        uniform(bindings)?;
    }
    Ok(Present {
        kubernetes,
        google,
        policies,
    })
}

/// Reads the Kubernetes service account.
pub(crate) fn kubernetes_account(workload: &Workload) -> Result<KubernetesAccount> {
    let found = kubernetes::get(object(workload))?;
    let annotations = &found["metadata"]["annotations"];
    let text = |key: &str| annotations[key].as_str();
    Ok(KubernetesAccount {
        annotation: text(kubectl::GOOGLE_ACCOUNT)
            .filter(|text| !text.is_empty())
            .map(str::to_owned),
        mark: text(mark::ANNOTATION).map(Mark::read).unwrap_or_default(),
    })
}

/// Returns the reference to the Kubernetes service account.
pub(crate) fn object(workload: &Workload) -> ObjectRef {
    ObjectRef::namespaced(
        workload.cluster_name(),
        "v1",
        "serviceaccounts",
        &workload.namespace,
        &workload.account,
    )
}

/// Returns whether a failed read says that the cluster has no such object (and not that the cluster
/// does not exist).
pub(crate) fn is_missing(error: &Error) -> bool {
    error.is_not_found() && !error.code.starts_with("google.")
}

/// A namespace has at least the account `default`, so an empty list means that it does not exist.
fn namespace_exists(workload: &Workload) -> Result<()> {
    let query = ListQuery {
        cluster: workload.cluster_name(),
        api_version: "v1".to_owned(),
        resource: "serviceaccounts".to_owned(),
        namespace: Some(workload.namespace.clone()),
        label_selector: None,
        field_selector: None,
        max: 1,
    };
    let found: Vec<Value> = kubernetes::list(query)?.items;
    if !found.is_empty() {
        return Ok(());
    }
    Err(Error::new(
        Class::NotFound,
        codes::identity::NAMESPACE_MISSING,
        Owner::Cluster,
        format!(
            "the cluster {} has no namespace {}",
            workload.cluster.name, workload.namespace
        ),
    )
    .help(format!(
        "correct `namespace`, or create it with kubectl on cluster {}:",
        workload.cluster.name
    ))
    .helps(kubectl::create_namespace(&workload.namespace)))
}

/// Returns whether the account exists.
fn google_account(account: &Account) -> Result<bool> {
    match iam::read(Query::ServiceAccount(account.address().to_owned())) {
        Ok(Answer::ServiceAccount(found)) if found.disabled => Err(Error::new(
            Class::Denied,
            codes::identity::ACCOUNT_DISABLED,
            Owner::Cloud,
            format!(
                "{} is disabled: no workload can impersonate it",
                account.address()
            ),
        )
        .help("enable it, if it was not disabled on purpose:")
        .helps(account.enable())),
        Ok(_) => Ok(true),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}

/// A new account does not inherit what a deleted one of the same address was granted, and the
/// deleted one can't be restored once the address is in use again.
fn deleted(account: &Account, policies: &[Policy]) -> Result<()> {
    let bindings = policies.iter().flat_map(|policy| &policy.bindings);
    let members = bindings.flat_map(|binding| &binding.members);
    let Some(id) = Account::deleted(account.address(), members.map(String::as_str)) else {
        return Ok(());
    };
    Err(Error::new(
        Class::NotFound,
        codes::identity::ACCOUNT_MISSING,
        Owner::Cloud,
        format!(
            "the Google service account {} was deleted, and policies still name it",
            account.address()
        ),
    )
    .help("within 30 days of the deletion, it can be restored with everything it was granted:")
    .helps(account.undelete(id))
    .help("if another account is wanted, choose another name"))
}

fn policies(workload: &Workload, bindings: &[Binding], google: bool) -> Result<Vec<Policy>> {
    let is_there = |binding: &&Binding| google || !matches!(binding.on, On::Account(_));
    let there: Vec<&Binding> = bindings.iter().filter(is_there).collect();
    let queries: Vec<Query> = there
        .iter()
        .map(|binding| Query::Policy(binding.on.policed()))
        .collect();
    let mut found = iam::read_all(&queries).into_iter();
    let mut policies = Vec::new();
    for binding in bindings {
        if !is_there(&binding) {
            policies.push(Policy {
                etag: String::new(),
                version: 3,
                bindings: Vec::new(),
            });
            continue;
        }
        policies.push(match found.next() {
            Some(Ok(Answer::Policy(policy))) => policy,
            Some(Err(error)) if error.is_not_found() => return Err(absent(workload, binding)),
            Some(Err(error)) => return Err(error),
            _ => return Err(Error::bug("the answer does not match the query")),
        });
    }
    Ok(policies)
}

/// Reads the policy of a binding's resource.
pub(crate) fn policy(binding: &Binding) -> Result<Policy> {
    match iam::read(Query::Policy(binding.on.policed()))? {
        Answer::Policy(policy) => Ok(policy),
        _ => Err(Error::bug("the answer does not match the query")),
    }
}

fn absent(workload: &Workload, binding: &Binding) -> Error {
    let (name, create): (String, Option<Command>) = match &binding.on {
        On::Account(account) => (account.address().to_owned(), account.create()),
        On::Target(place) => {
            let cluster = &workload.cluster;
            let create = place.create(&cluster.project, &cluster.location);
            (place.carrier(), create)
        }
    };
    Error::new(
        Class::NotFound,
        codes::identity::TARGET_MISSING,
        Owner::Cloud,
        format!("there is no {name}"),
    )
    .help("correct its name, or create it:")
    .helps(create)
}

/// A workload with its own roles can use a bucket only under uniform access
/// (<https://cloud.google.com/iam/docs/federated-identity-supported-services>).
fn uniform(bindings: &[Binding]) -> Result<()> {
    let names: Vec<String> = bindings
        .iter()
        .filter_map(|binding| match &binding.on {
            On::Target(Resource::Objects { bucket, .. }) => Some(bucket.clone()),
            _ => None,
        })
        .collect();
    for (name, facts) in names.iter().zip(sidestep::storage::buckets(&names)) {
        if !facts?.uniform_access {
            return Err(Error::new(
                Class::Denied,
                codes::identity::NOT_UNIFORM,
                Owner::Cloud,
                format!("gs://{name} has no uniform bucket-level access, so a workload with its own roles can't use it"),
            )
            .help("enable it (the ACLs of single objects then no longer apply):")
            .helps(google::make_uniform(name)));
        }
    }
    Ok(())
}
