//! The minimum permissions that a plan needs in a cluster and in Google Cloud, derived from the
//! scopes of its steps: for the calls of the runner itself, and for the access of its pods as their
//! service accounts. They are the effective limit if the operator does not own the machine.

mod iam;
mod rbac;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde_json::Value;
use sidestep_pipeline::{Instance, Plan};
use sidestep_policy::{Capability, Scope, StepGrant};

pub use iam::iam;
pub use rbac::rbac;

/// A Kubernetes service account that pods of the plan run as.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Account {
    cluster: String,
    namespace: String,
    name: String,
}

/// The inputs that tell plugins where their pod pushes. A pod's push is not a call of the plugin,
/// so no scope contains it.
const PUSHED: [&str; 2] = ["destinations", "cacheRepo"];

/// Returns the scopes of one capability, each with its instance.
fn scopes(plan: &Plan, capability: Capability) -> impl Iterator<Item = (&Instance, &Scope)> {
    plan.instances.iter().flat_map(move |instance| {
        let grant = instance.scopes.get(capability);
        let scopes = grant.into_iter().flat_map(StepGrant::scopes);
        scopes.map(move |scope| (instance, scope))
    })
}

/// Returns whether a scope allows an action.
fn may(scope: &Scope, action: &str) -> bool {
    let actions = scope.patterns("actions");
    actions.is_none_or(|all| all.iter().any(|pattern| pattern.matches(action)))
}

/// Returns the remark about the values of these keys that a scope allows by a pattern or without a
/// limit; `None` if it names all of them. Roles and bindings need exact names.
fn not_covered(scope: &Scope, keys: &[&str]) -> Option<String> {
    let keys = keys.iter().filter(|key| !scope.is_exact(key));
    let keys: Vec<String> = keys.map(|key| format!("`{key}`")).collect();
    (!keys.is_empty()).then(|| {
        format!(
            "the grant does not name each value of {} exactly: {}",
            keys.join(" and "),
            scope.explain()
        )
    })
}

/// Returns the scopes within which an instance may create pods.
fn pod_scopes(instance: &Instance) -> impl Iterator<Item = &Scope> {
    let grant = instance.scopes.get(Capability::Kubernetes);
    let scopes = grant.into_iter().flat_map(StepGrant::scopes);
    scopes.filter(|scope| may(scope, "create"))
}

/// Returns the service accounts that an instance's pods may run as, if they are named exactly.
fn accounts(instance: &Instance) -> BTreeSet<Account> {
    let mut accounts = BTreeSet::new();
    for scope in pod_scopes(instance) {
        for cluster in scope.exactly("cluster") {
            for namespace in scope.exactly("namespace") {
                for name in scope.exactly("serviceAccounts") {
                    accounts.insert(Account {
                        cluster: cluster.to_owned(),
                        namespace: namespace.to_owned(),
                        name: name.to_owned(),
                    });
                }
            }
        }
    }
    accounts
}

/// Returns the buckets and prefixes that an instance's pods read: those that the steps it needs
/// have written.
fn read_by_pods<'p>(plan: &'p Plan, instance: &'p Instance) -> Vec<(&'p Instance, &'p Scope)> {
    let needs = instance.needs.iter();
    needs
        .filter_map(|need| plan.instance(need))
        .flat_map(|need| {
            let grant = need.scopes.get(Capability::Storage);
            let scopes = grant.into_iter().flat_map(StepGrant::scopes);
            scopes
                .filter(|scope| may(scope, "create"))
                .map(move |scope| (need, scope))
        })
        .collect()
}

/// Returns the repositories that an instance's pods push to, as far as they are known before the
/// run.
fn pushed_by_pods(instance: &Instance) -> BTreeSet<String> {
    let sidestep_pipeline::Template::Map(with) = &instance.with else {
        let with = instance.with.literal().and_then(Value::as_object);
        let values = with.into_iter().flatten();
        let pushed = values.filter(|(name, _)| PUSHED.contains(&name.as_str()));
        return pushed.flat_map(|(_, value)| repositories(value)).collect();
    };
    let pushed = with
        .iter()
        .filter(|(name, _)| PUSHED.contains(&name.as_str()));
    pushed
        .filter_map(|(_, template)| template.literal())
        .flat_map(repositories)
        .collect()
}

fn repositories(value: &Value) -> Vec<String> {
    let texts: Vec<&str> = match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().into_iter().collect(),
    };
    texts.into_iter().map(repository).collect()
}

/// Returns an image's repository: without tag and digest.
fn repository(image: &str) -> String {
    let bare = image.split('@').next().unwrap_or(image);
    match bare.rsplit_once(':') {
        // A port is before the last `/`, a tag is not.
        Some((name, tag)) if !tag.contains('/') => name.to_owned(),
        _ => bare.to_owned(),
    }
}

/// Returns the pipeline's name as the title of a binding's condition.
fn label(name: &str) -> String {
    let mut label = String::from("sidestep-");
    for character in name.chars().take(40) {
        match character.to_ascii_lowercase() {
            c if c.is_ascii_alphanumeric() => label.push(c),
            _ if label.ends_with('-') => {}
            _ => label.push('-'),
        }
    }
    label.trim_end_matches('-').to_owned()
}
