//! Objects of one kind, as JSON.

use kube::api::{Api, DynamicObject, PostParams};
use kube::core::Status;
use kube::{Client, ResourceExt as _};
use serde_json::Value;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_gate::{NotCreated, Sends};

use super::failure::of_error;
use super::owned::{self, Owned};
use super::target::Target;
use super::tries::{tried, writing};

/// The field manager of everything that a step writes.
pub(super) const MANAGER: &str = "sidestep";
/// The fields of a Secret that a plugin gets.
const SECRET_FIELDS: [&str; 5] = ["apiVersion", "kind", "type", "immutable", "metadata"];

/// The objects of one kind in one place.
pub struct Objects {
    pub(super) api: Api<DynamicObject>,
    pub(super) target: Target,
}

impl Objects {
    /// Returns the objects of `target` in the client's cluster.
    pub fn new(client: Client, target: Target) -> Self {
        let resource = target.api_resource();
        let api = match &target.namespace {
            Some(namespace) => Api::namespaced_with(client, namespace, &resource),
            None => Api::all_with(client, &resource),
        };
        Self { api, target }
    }

    /// Gets one object, without managed fields; of a Secret only what does not hold its data.
    pub async fn get(&self, name: &str) -> Result<Value, Failure> {
        let object = tried(|| self.api.get(name)).await;
        object
            .map_err(|error| self.failure("get", name, &error))
            .and_then(|o| self.shown(&o))
    }

    /// Creates an object, marks it as `owned`, and returns whether it is new. An object of the same
    /// name with the same mark was created by an earlier incarnation, or by an attempt whose answer
    /// was lost, and is used.
    pub async fn create(
        &self,
        mut object: Value,
        name: &str,
        owned: &Owned,
        dry_run: bool,
    ) -> Result<(Value, bool), NotCreated> {
        owned.mark(&mut object);
        let object: DynamicObject = serde_json::from_value(object).map_err(|error| {
            NotCreated::certainly(Failure::new(
                Class::InvalidInput,
                codes::kubernetes::INVALID,
                Owner::Plugin,
                format!(
                    "cannot create {}: it is not a Kubernetes object: {error}",
                    self.named(name)
                ),
            ))
        })?;
        let parameters = PostParams {
            dry_run,
            field_manager: Some(MANAGER.to_owned()),
        };
        let sends = Sends::default();
        match writing(&sends, || self.api.create(&parameters, &object)).await {
            Ok(made) => {
                let made = self.shown(&made).map_err(NotCreated::perhaps)?;
                Ok((made, true))
            }
            Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => {
                let live = tried(|| self.api.get(name)).await.map_err(|error| {
                    sends.not_created(self.failure("get the existing", name, &error))
                })?;
                let by = live.annotations().get(owned::MADE_BY);
                if by == Some(&owned.by) {
                    let live = self.shown(&live).map_err(NotCreated::perhaps)?;
                    return Ok((live, false));
                }
                Err(sends.not_created(self.foreign("create", name, owned, by)))
            }
            Err(error) => Err(sends.not_created(self.failure("create", name, &error))),
        }
    }

    /// Returns the object, or `None` if there is none of that name.
    pub async fn find(&self, name: &str) -> Result<Option<Value>, Failure> {
        match tried(|| self.api.get(name)).await {
            Ok(object) => self.shown(&object).map(Some),
            Err(kube::Error::Api(status)) if is_absent(&status, name) => Ok(None),
            Err(error) => {
                // The answer is about the kind, or is another server's.
                let is_unclear = matches!(
                    &error,
                    kube::Error::Api(status) if matches!(status.code, 404 | 405)
                );
                if is_unclear && matches!(self.are_stored().await, Ok(false)) {
                    return Ok(None);
                }
                Err(self.failure("get", name, &error))
            }
        }
    }

    /// Returns the failure when an object does not belong to the attempt: `by` is its mark.
    pub(super) fn foreign(
        &self,
        verb: &str,
        name: &str,
        owned: &Owned,
        by: Option<&String>,
    ) -> Failure {
        let who = if by.is_some_and(|by| owned.is_of_another_plan(by)) {
            "it exists, and a run with the same id but a different plan created it"
        } else {
            "it exists, and this step did not create it"
        };
        let failure = Failure::new(
            Class::Conflict,
            codes::kubernetes::ALREADY_EXISTS,
            Owner::Cluster,
            format!("cannot {verb} {}: {who}", self.named(name)),
        );
        if by.is_some_and(|by| owned.is_of_another_plan(by)) {
            failure.with_help("in a matrix, give each job its own id: set `SIDESTEP_RUN_KEY` to a value that is unique to the job")
        } else {
            failure
                .with_help("if no other client uses the object, remove it and run the step again")
        }
    }

    pub(super) fn failure(&self, verb: &str, name: &str, error: &kube::Error) -> Failure {
        of_error(&format!("{verb} {}", self.named(name)), error)
    }

    pub(super) fn named(&self, name: &str) -> String {
        match &self.target.namespace {
            Some(namespace) => format!("{} {namespace}/{name}", self.target.resource),
            None => format!("{} {name}", self.target.resource),
        }
    }

    pub(super) fn shown(&self, object: &DynamicObject) -> Result<Value, Failure> {
        let mut value = serde_json::to_value(object)
            .map_err(|error| Failure::bug(format!("an object is not JSON: {error}")))?;
        if let Some(metadata) = value["metadata"].as_object_mut() {
            metadata.remove("managedFields");
        }
        if self.target.resource == "secrets" {
            without_data(&mut value);
        }
        Ok(value)
    }
}

/// Leaves of a Secret only the fields that hold none of its data. Annotations may hold all of it
/// (`kubectl.kubernetes.io/last-applied-configuration`), so only the runner's own stay.
fn without_data(secret: &mut Value) {
    if let Some(fields) = secret.as_object_mut() {
        fields.retain(|key, _| SECRET_FIELDS.contains(&key.as_str()));
    }
    let annotations = secret.pointer_mut("/metadata/annotations");
    if let Some(annotations) = annotations.and_then(Value::as_object_mut) {
        annotations.retain(|key, _| owned::ANNOTATIONS.contains(&key.as_str()));
    }
}

/// Returns whether the API server reports that there is no such object. A 404 that names no object
/// is about something else: a kind that is not served, or another server.
pub(super) fn is_absent(status: &Status, name: &str) -> bool {
    let named = status.details.as_ref().map(|details| details.name.as_str());
    status.code == 404 && named == Some(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_a_secret_only_what_holds_none_of_its_data_is_shown() {
        let applied = "kubectl.kubernetes.io/last-applied-configuration";
        let mut secret = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque", "immutable": true,
            "metadata": {
                "name": "words", "uid": "u1", "labels": { "app": "x" },
                "annotations": {
                    applied: "{\"data\":{\"a\":\"Yg==\"}}",
                    "example.com/copy": "Yg==",
                    "sidestep.dev/made-by": "run/build/1/plan",
                    "sidestep.dev/expires": "2099-01-01T00:00:00Z",
                },
            },
            "data": { "a": "Yg==" }, "stringData": { "a": "b" }, "later": "b",
        });
        without_data(&mut secret);
        let left = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque", "immutable": true,
            "metadata": {
                "name": "words", "uid": "u1", "labels": { "app": "x" },
                "annotations": {
                    "sidestep.dev/made-by": "run/build/1/plan",
                    "sidestep.dev/expires": "2099-01-01T00:00:00Z",
                },
            },
        });
        assert_eq!(secret, left);
        let mut bare = json!({"metadata": {"name": "words"}});
        without_data(&mut bare);
        assert_eq!(bare, json!({"metadata": {"name": "words"}}));
    }
}
