//! The addresses of a call's objects.

use serde_json::{Value, json};
use sidestep_bindings::sidestep::host::types::OnExit;
use sidestep_bindings::sidestep::kubernetes::objects as wit;
use sidestep_events::{Failure, Location};
use sidestep_gate::{Gate, GateCall, NewIntent, Priced, convert};
use sidestep_policy::kubernetes::KubernetesCall;

use super::super::{Clusters, Objects, Owned, Target};
use super::invalid;

/// The maximum size of an object that is sent, in bytes: etcd accepts 1.5 MiB in one request (its
/// `--max-request-bytes`).
const LARGEST_OBJECT: usize = 2 << 20;

/// The kinds of objects that define permissions or network access, as in grants.
const ABOUT_RIGHTS: &[&str] = &[
    "serviceaccounts",
    "networkpolicies.networking.k8s.io",
    "roles.rbac.authorization.k8s.io",
    "rolebindings.rbac.authorization.k8s.io",
    "clusterroles.rbac.authorization.k8s.io",
    "clusterrolebindings.rbac.authorization.k8s.io",
];

/// A kind of object in one place of one cluster.
pub(super) struct Address {
    cluster: String,
    target: Target,
    /// The kind, as in grants.
    resource: String,
    /// The failure of an invalid address: a part of it would have another meaning in a URL.
    wrong: Option<Failure>,
}

impl Address {
    /// Returns the address of a call's object, and the object's name.
    pub(super) fn of(object: wit::ObjectRef) -> (Self, String) {
        let target = Target {
            api_version: object.api_version,
            resource: object.resource,
            namespace: object.namespace,
        };
        let mut at = Self::new(object.cluster, target);
        at.wrong = at.wrong.or_else(|| wrong_part("name", &object.name));
        (at, object.name)
    }

    /// Returns the address of the objects of a query.
    pub(super) fn of_query(query: &wit::ListQuery) -> Self {
        let target = Target {
            api_version: query.api_version.clone(),
            resource: query.resource.clone(),
            namespace: query.namespace.clone(),
        };
        Self::new(query.cluster.clone(), target)
    }

    /// Returns the address of the Secrets of a pod at this address.
    pub(super) fn secrets(&self) -> Self {
        let target = Target {
            api_version: "v1".to_owned(),
            resource: "secrets".to_owned(),
            namespace: self.target.namespace.clone(),
        };
        Self::new(self.cluster.clone(), target)
    }

    fn new(cluster: String, target: Target) -> Self {
        let wrong = target
            .parts()
            .find_map(|(what, part)| wrong_part(what, part));
        Self {
            resource: target.policy_resource(),
            cluster,
            target,
            wrong,
        }
    }

    /// Brings a call before the gate. The client pastes the parts of an address into a path
    /// unchecked, so the call matches the grant only if each of them is one part of the path.
    pub(super) fn call<'g>(
        &self,
        gate: &'g Gate,
        function: Priced,
        action: &'static str,
    ) -> GateCall<'g> {
        gate.call(function, &self.judged(action))
            .and_unless(self.wrong.clone())
    }

    /// Records that an answer shows a missing permission, if this kind of object can show one: only
    /// the plugin knows which principal it looks for.
    pub(super) fn note_rights<T>(
        &self,
        gate: &Gate,
        answer: Result<T, Failure>,
    ) -> Result<T, Failure> {
        if ABOUT_RIGHTS.contains(&self.resource.as_str()) {
            gate.shown().rights(answer, |_| true)
        } else {
            answer
        }
    }

    pub(super) fn namespace(&self) -> Option<&str> {
        self.target.namespace.as_deref()
    }

    pub(super) fn is_pods(&self) -> bool {
        self.resource == "pods"
    }

    /// Returns the call that the gate judges.
    pub(super) fn judged<'a>(&'a self, action: &'a str) -> KubernetesCall<'a> {
        KubernetesCall {
            cluster: &self.cluster,
            namespace: self.namespace().unwrap_or_default(),
            resource: &self.resource,
            action,
        }
    }

    /// Returns the objects at this address.
    pub(super) async fn objects(&self, clusters: &Clusters) -> Result<Objects, Failure> {
        let client = clusters.client(&self.cluster).await?;
        Ok(Objects::new(client, self.target.clone()))
    }

    /// Returns the intent that is journaled before `object` is written here under that name.
    pub(super) fn intent(
        &self,
        object: &Value,
        name: &str,
        on_exit: OnExit,
        owned: &Owned,
    ) -> NewIntent {
        let kind = object["kind"].as_str().unwrap_or(&self.resource);
        NewIntent {
            kind: self.target.journal_kind(kind),
            location: Location::Cluster {
                cluster: self.cluster.clone(),
                namespace: self.namespace().unwrap_or_default().to_owned(),
            },
            name: name.to_owned(),
            on_exit: convert::on_exit(on_exit),
            expiry: owned.expires.parse().ok(),
        }
    }

    /// Parses the object's JSON, and sets the name and the namespace of the call.
    pub(super) fn object(&self, text: &str, name: &str) -> Result<Value, Failure> {
        if text.len() > LARGEST_OBJECT {
            return Err(invalid(format!(
                "the object has {} bytes; a cluster stores at most {LARGEST_OBJECT}",
                text.len()
            )));
        }
        let mut object: Value = serde_json::from_str(text)
            .map_err(|error| invalid(format!("the object is not JSON: {error}")))?;
        let fields = object
            .as_object_mut()
            .ok_or_else(|| invalid("the object is not a JSON object"))?;
        let metadata = fields.entry("metadata").or_insert_with(|| json!({}));
        if metadata.is_null() {
            *metadata = json!({});
        } else if !metadata.is_object() {
            return Err(invalid("the object's metadata is not a JSON object"));
        }
        let expected = [("name", Some(name)), ("namespace", self.namespace())];
        for (key, expected) in expected {
            match (metadata[key].as_str(), expected) {
                (Some(found), Some(expected)) if found != expected => {
                    return Err(invalid(format!(
                        "the object's {key} is `{found}`, but the call's is `{expected}`"
                    )));
                }
                (Some(found), None) => {
                    return Err(invalid(format!(
                        "the object has a {key} (`{found}`), but the call has none"
                    )));
                }
                (None, Some(expected)) => metadata[key] = Value::String(expected.to_owned()),
                _ => {}
            }
        }
        Ok(object)
    }
}

/// Returns why a text cannot be part of an address: it is empty, or would not be one part of a
/// path. A slash begins another part, even if it is escaped; a question mark ends the path.
pub(super) fn wrong_part(what: &str, text: &str) -> Option<Failure> {
    let is_part = !matches!(text, "" | "." | "..")
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte));
    (!is_part).then(|| invalid(format!("`{}` is not a valid {what}", text.escape_debug())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(api_version: &str, resource: &str, namespace: &str, name: &str) -> (Address, String) {
        Address::of(wit::ObjectRef {
            cluster: "c".to_owned(),
            api_version: api_version.to_owned(),
            resource: resource.to_owned(),
            namespace: Some(namespace.to_owned()),
            name: name.to_owned(),
        })
    }

    #[test]
    fn an_address_is_of_what_it_says_or_of_nothing() {
        for (api_version, resource, namespace, name) in [
            ("v1", "pods", "builds", "b-1"),
            ("batch/v1", "jobs", "builds", "b.1"),
            (
                "rbac.authorization.k8s.io/v1",
                "roles",
                "builds",
                "system:x",
            ),
        ] {
            assert_eq!(at(api_version, resource, namespace, name).0.wrong, None);
        }
        for (api_version, resource, namespace, name) in [
            // The path of each differs from the grant's.
            ("v1", "pods", "builds", "b-1/log"),
            ("v1", "pods", "builds", "b-1%2Fproxy%2Fadmin"),
            ("v1", "pods", "builds", "../secrets/token"),
            // A subresource follows the name in a path, and no call here reads one.
            ("v1", "pods/log", "builds", "b-1"),
            ("v1", "pods", "builds", "b-1?x"),
            ("v1", "pods", "builds", ".."),
            ("v1", "pods", "builds", ""),
            ("v1", "pods", "builds%2Fsecrets%2Ftoken?", "x"),
            ("v1", "pods", "", "x"),
            ("v1", "pods?", "builds", "x"),
            (
                "v1%2Fnamespaces%2Fother%2Fsecrets%2Ftoken?",
                "pods",
                "builds",
                "x",
            ),
            ("batch/v1/x", "jobs", "builds", "x"),
            ("batch/", "jobs", "builds", "x"),
        ] {
            let (at, _) = at(api_version, resource, namespace, name);
            let failure = at.wrong.expect(name);
            assert_eq!(failure.code, "kubernetes.invalid");
        }
    }

    #[test]
    fn an_object_whose_metadata_is_none_is_refused() {
        let (at, name) = at("v1", "pods", "builds", "x");
        for metadata in ["7", "\"x\"", "[]"] {
            let failure = at
                .object(&format!("{{\"metadata\": {metadata}}}"), &name)
                .expect_err(metadata);
            assert_eq!(failure.code, "kubernetes.invalid");
        }
        let object = at.object("{\"metadata\": null}", &name).expect("one");
        assert_eq!(object["metadata"]["name"], "x");
    }
}
