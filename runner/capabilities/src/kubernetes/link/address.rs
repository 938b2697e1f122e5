//! Where the objects of a call are.

use serde_json::{Value, json};
use sidestep_events::{Failure, Place};
use sidestep_policy::kubernetes::Request;

use super::super::{Clusters, Objects, Owned, Target};
use super::invalid;
use crate::NewIntent;
use crate::bindings::sidestep::host::types::OnExit;
use crate::bindings::sidestep::kubernetes::objects as wit;
use crate::convert;

/// A kind of object in one place of one cluster.
pub(super) struct Address {
    cluster: String,
    target: Target,
    /// The kind as grants name it.
    resource: String,
}

impl Address {
    /// Where the object of a call is, and its name there.
    pub(super) fn of(object: wit::ObjectRef) -> (Self, String) {
        let target = Target {
            api_version: object.api_version,
            resource: object.resource,
            namespace: object.namespace,
        };
        (Self::new(object.cluster, target), object.name)
    }

    /// Where the objects are that a query asks for.
    pub(super) fn of_query(query: &wit::ListQuery) -> Self {
        let target = Target {
            api_version: query.api_version.clone(),
            resource: query.resource.clone(),
            namespace: query.namespace.clone(),
        };
        Self::new(query.cluster.clone(), target)
    }

    /// Where the Secrets are that go with a pod that is here.
    pub(super) fn secrets(&self) -> Self {
        let target = Target {
            api_version: "v1".to_owned(),
            resource: "secrets".to_owned(),
            namespace: self.target.namespace.clone(),
        };
        Self::new(self.cluster.clone(), target)
    }

    fn new(cluster: String, target: Target) -> Self {
        Self {
            resource: target.policy_resource(),
            cluster,
            target,
        }
    }

    pub(super) fn namespace(&self) -> Option<&str> {
        self.target.namespace.as_deref()
    }

    pub(super) fn is_pods(&self) -> bool {
        self.resource == "pods"
    }

    /// What the gate is asked.
    pub(super) fn request<'a>(&'a self, action: &'a str) -> Request<'a> {
        Request {
            cluster: &self.cluster,
            namespace: self.namespace().unwrap_or_default(),
            resource: &self.resource,
            action,
        }
    }

    /// The objects themselves.
    pub(super) async fn objects(&self, clusters: &Clusters) -> Result<Objects, Failure> {
        let client = clusters.client(&self.cluster).await?;
        Ok(Objects::new(client, self.target.clone()))
    }

    /// What is journaled before `object` is written here under that name.
    pub(super) fn intent(
        &self,
        object: &Value,
        name: &str,
        on_exit: OnExit,
        owned: &Owned,
    ) -> NewIntent {
        let kind = object["kind"].as_str().unwrap_or(&self.resource);
        NewIntent {
            kind: kind.to_lowercase(),
            place: Place::Cluster {
                cluster: self.cluster.clone(),
                namespace: self.namespace().unwrap_or_default().to_owned(),
            },
            name: name.to_owned(),
            on_exit: convert::on_exit(on_exit),
            expiry: owned.expires.parse().ok(),
        }
    }

    /// The object as JSON, under the name and in the namespace that the call names.
    pub(super) fn object(&self, text: &str, name: &str) -> Result<Value, Failure> {
        let mut object: Value = serde_json::from_str(text)
            .map_err(|error| invalid(format!("the object is no JSON: {error}")))?;
        let fields = object
            .as_object_mut()
            .ok_or_else(|| invalid("the object is no JSON object"))?;
        let metadata = fields.entry("metadata").or_insert_with(|| json!({}));
        let expected = [("name", Some(name)), ("namespace", self.namespace())];
        for (key, expected) in expected {
            match (metadata[key].as_str(), expected) {
                (Some(found), Some(expected)) if found != expected => {
                    return Err(invalid(format!(
                        "the object's {key} is `{found}`, and the call's is `{expected}`"
                    )));
                }
                (Some(found), None) => {
                    return Err(invalid(format!(
                        "the object has a {key} (`{found}`), the call none"
                    )));
                }
                (None, Some(expected)) => metadata[key] = Value::String(expected.to_owned()),
                _ => {}
            }
        }
        Ok(object)
    }
}
