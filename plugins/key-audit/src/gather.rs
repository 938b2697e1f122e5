//! Asks the host for objects, and for the keys in them.

use sidestep::kubernetes::{self, ListQuery, ObjectRef};
use sidestep::serde_json::{Value, json};
use sidestep::workspace::{self, FileKey, Unsearched};
use sidestep::{Error, Result};

use crate::inputs::Inputs;
use crate::objects::Object;
use crate::outputs::{Finding, Rule};
use crate::workload::workloads;

/// The kinds to list: API version, plural, kind.
const KINDS: [(&str, &str, &str); 9] = [
    ("v1", "serviceaccounts", "ServiceAccount"),
    ("v1", "pods", "Pod"),
    ("apps/v1", "deployments", "Deployment"),
    ("apps/v1", "statefulsets", "StatefulSet"),
    ("apps/v1", "daemonsets", "DaemonSet"),
    ("apps/v1", "replicasets", "ReplicaSet"),
    ("batch/v1", "jobs", "Job"),
    ("batch/v1", "cronjobs", "CronJob"),
    ("v1", "secrets", "Secret"),
];
/// The resource that every namespace has objects of: the account `default`.
const FIRST: &str = "serviceaccounts";
/// The types of Secrets that hold no key of Google.
const OTHER_TYPES: [&str; 4] = [
    "kubernetes.io/service-account-token",
    "kubernetes.io/tls",
    "bootstrap.kubernetes.io/token",
    "helm.sh/release.v1",
];
/// The most objects of one kind in one namespace.
const MOST: u32 = 1_000;

/// The results of all reads, and the places that could not be searched.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(crate) objects: Vec<Object>,
    pub(crate) keys: Vec<FileKey>,
    pub(crate) files: u32,
    pub(crate) unknown: Vec<Finding>,
}

/// Asks for everything that the inputs name.
pub(crate) fn gather(inputs: &Inputs) -> Result<Gathered> {
    let mut all = Gathered::default();
    if !inputs.manifests.is_empty() {
        manifests(&mut all, &inputs.manifests)?;
    }
    if !inputs.files.is_empty() {
        let found = workspace::key_facts(&inputs.files)?;
        all.files = found.searched;
        all.keys = found.keys;
        all.unsearched(found.unsearched);
        if found.truncated {
            all.cut("the files");
        }
    }
    if let Some(cluster) = &inputs.cluster {
        for namespace in &inputs.namespaces {
            namespaced(&mut all, &cluster.to_string(), namespace)?;
        }
    }
    Ok(all)
}

fn manifests(all: &mut Gathered, patterns: &[String]) -> Result<()> {
    let found = workspace::manifests(patterns)?;
    if found.objects.is_empty() && found.unsearched.is_empty() {
        let message = format!("no object was found in {}", patterns.join(", "));
        let finding = unknown(patterns.join(", "), None, message);
        all.unknown.push(finding);
    }
    all.unsearched(found.unsearched);
    if found.truncated {
        all.cut("the manifests");
    }
    let objects = found.objects.into_iter().map(|one| Object {
        at: Some((one.path, one.line)),
        value: one.object,
        keys: Some(one.keys),
    });
    all.objects.extend(objects);
    Ok(())
}

/// Lists a namespace's objects, then asks for the keys in its Secrets.
fn namespaced(all: &mut Gathered, cluster: &str, namespace: &str) -> Result<()> {
    let query = |(api_version, resource, _): &(&str, &str, &str)| ListQuery {
        cluster: cluster.to_owned(),
        api_version: (*api_version).to_owned(),
        resource: (*resource).to_owned(),
        namespace: Some(namespace.to_owned()),
        label_selector: None,
        field_selector: None,
        max: MOST,
    };
    let queries: Vec<ListQuery> = KINDS.iter().map(query).collect();
    let first = all.objects.len();
    let mut secrets_listed = false;
    for ((_, resource, kind), listed) in KINDS.iter().zip(kubernetes::list_all(&queries)) {
        let listing = match listed {
            Ok(listing) => listing,
            // The API server does not serve this kind, but it serves the first.
            Err(error) if error.is_not_found() && *resource != FIRST => continue,
            Err(error) => {
                all.denied(error, &format!("{resource} in {namespace}"))?;
                continue;
            }
        };
        if listing.truncated {
            all.cut(&format!("{resource} in {namespace}"));
        }
        if *resource == FIRST && listing.items.is_empty() {
            let message = format!(
                "the namespace {namespace} has no service account, not even `default`: check its name"
            );
            let finding = unknown(format!("Namespace {namespace}"), None, message);
            all.unknown.push(finding);
        }
        secrets_listed |= *kind == "Secret";
        let objects = listing
            .items
            .into_iter()
            .filter(|item| !is_made_by_another(item));
        all.objects.extend(objects.map(|mut value| {
            // The items of a list do not say their kind.
            value["kind"] = (*kind).into();
            Object {
                at: None,
                value,
                keys: Some(Vec::new()),
            }
        }));
    }
    if !secrets_listed {
        let named = secrets_of_workloads(&all.objects[first..], namespace);
        all.objects.extend(named);
    }
    facts(&mut all.objects[first..], cluster, namespace)
}

/// Returns whether a controller made the object from a template that is listed itself.
fn is_made_by_another(item: &Value) -> bool {
    let owners = item["metadata"]["ownerReferences"].as_array();
    let known = |owner: &Value| {
        let kind = owner["kind"].as_str().unwrap_or_default();
        owner["controller"] == true && KINDS.iter().any(|(_, _, known)| *known == kind)
    };
    owners.is_some_and(|owners| owners.iter().any(known))
}

/// Returns the Secrets that workloads name, for a caller that may not list them.
fn secrets_of_workloads(objects: &[Object], namespace: &str) -> Vec<Object> {
    let all: Vec<_> = objects.iter().flat_map(workloads).collect();
    let mut names: Vec<&str> = all.iter().flat_map(|workload| workload.secrets()).collect();
    names.sort_unstable();
    names.dedup();
    let secret = |name: &&str| Object {
        at: None,
        value: json!({
            "kind": "Secret", "metadata": { "name": name, "namespace": namespace },
        }),
        keys: Some(Vec::new()),
    };
    names.iter().map(secret).collect()
}

/// Asks for the keys in the Secrets among the objects.
fn facts(objects: &mut [Object], cluster: &str, namespace: &str) -> Result<()> {
    let mut secrets: Vec<&mut Object> = objects
        .iter_mut()
        .filter(|object| {
            let kind = object.value["type"].as_str().unwrap_or_default();
            object.kind() == "Secret" && !OTHER_TYPES.contains(&kind)
        })
        .collect();
    let refs: Vec<ObjectRef> = secrets
        .iter()
        .map(|secret| ObjectRef::namespaced(cluster, "v1", "secrets", namespace, secret.name()))
        .collect();
    for (secret, keys) in secrets.iter_mut().zip(kubernetes::key_facts(&refs)) {
        secret.keys = match keys {
            Ok(keys) => Some(keys),
            // It was deleted in the meantime, or a workload names one that does not exist.
            Err(error) if error.is_not_found() => Some(Vec::new()),
            Err(error) if is_denied(&error) => None,
            Err(error) => return Err(error),
        };
    }
    Ok(())
}

/// Returns whether the cluster refused. A refusal by a grant is the pipeline's, and fails the step.
fn is_denied(error: &Error) -> bool {
    error.class == sidestep::Class::Denied
}

impl Gathered {
    fn denied(&mut self, error: Error, what: &str) -> Result<()> {
        if !is_denied(&error) {
            return Err(error);
        }
        let message = format!("{what} can't be listed: {}", error.message);
        self.unknown.push(unknown(what.to_owned(), None, message));
        Ok(())
    }

    fn unsearched(&mut self, all: Vec<Unsearched>) {
        self.unknown.extend(all.into_iter().map(|one| {
            let line = (one.line > 0).then_some(one.line);
            unknown(
                one.path,
                line,
                format!("it was not searched: {}", one.reason),
            )
        }));
    }

    fn cut(&mut self, what: &str) {
        let message = format!("only a part of {what} was searched: there are too many");
        self.unknown.push(unknown(what.to_owned(), None, message));
    }
}

fn unknown(place: String, line: Option<u32>, message: String) -> Finding {
    Finding {
        rule: Rule::CannotTell,
        place,
        line,
        message,
        account: None,
        key_id: None,
        used_by: Vec::new(),
        migration: Vec::new(),
    }
}
