//! The least that a plan needs from a cluster and from Google Cloud, derived from the scopes of its
//! steps: what the runner itself calls, and what the pods that it makes have to reach as their
//! service accounts. Where the operator does not own the machine, this is what binds.

mod iam;
mod rbac;

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

/// Inputs in which plugins are told what their pod pushes. That a pod pushes is no call of the
/// plugin, so no scope says it.
const PUSHED: [&str; 2] = ["destinations", "cacheRepo"];

/// The scopes of one capability, with the instance that has each.
fn scopes(plan: &Plan, capability: Capability) -> impl Iterator<Item = (&Instance, &Scope)> {
    plan.instances.iter().flat_map(move |instance| {
        let grant = instance.scopes.get(capability);
        let scopes = grant.into_iter().flat_map(StepGrant::scopes);
        scopes.map(move |scope| (instance, scope))
    })
}

/// Whether a scope allows an action.
fn may(scope: &Scope, action: &str) -> bool {
    let actions = scope.patterns("actions");
    actions.is_none_or(|all| all.iter().any(|pattern| pattern.matches(action)))
}

/// The service accounts that an instance's pods may run as.
fn accounts(instance: &Instance) -> BTreeSet<Account> {
    let mut accounts = BTreeSet::new();
    let grant = instance.scopes.get(Capability::Kubernetes);
    for scope in grant.into_iter().flat_map(StepGrant::scopes) {
        if !may(scope, "create") {
            continue;
        }
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

/// The buckets and prefixes that an instance's pods read: what the steps that it needs have put
/// there.
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

/// The repositories that an instance's pods push to, as far as they are known before the run.
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

/// An image's repository: without tag and digest.
fn repository(image: &str) -> String {
    let bare = image.split('@').next().unwrap_or(image);
    match bare.rsplit_once(':') {
        // A port is before the last `/`, a tag is not.
        Some((name, tag)) if !tag.contains('/') => name.to_owned(),
        _ => bare.to_owned(),
    }
}

/// The pipeline's name as a part of object names (RFC 1123).
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_known_by_its_repository() {
        for (image, expected) in [
            (
                "europe-docker.pkg.dev/p/r/app:1",
                "europe-docker.pkg.dev/p/r/app",
            ),
            ("localhost:5000/app", "localhost:5000/app"),
            ("localhost:5000/app:1@sha256:00", "localhost:5000/app"),
        ] {
            assert_eq!(repository(image), expected);
        }
        assert_eq!(label("My App (v2)"), "sidestep-my-app-v2");
    }
}
