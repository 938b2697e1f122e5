//! Objects of one kind, as JSON.

use std::time::Duration;

use kube::api::{
    Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams, Preconditions,
};
use kube::runtime::wait::{self, await_condition, conditions};
use kube::{Client, ResourceExt as _};
use serde_json::Value;
use sidestep_events::{Class, Failure, Owner};

use super::failure::{of_error, of_status};
use super::owned::{self, Owned};
use super::target::Target;
use super::tries::tried;

/// The field manager of everything that a step writes.
const MANAGER: &str = "sidestep";
/// The pause before a lost watch is begun again.
const BETWEEN_WATCHES: Duration = Duration::from_millis(500);

/// The objects of one kind in one place.
pub struct Objects {
    api: Api<DynamicObject>,
    target: Target,
}

impl Objects {
    /// Works on the cluster that the client is for.
    pub fn new(client: Client, target: Target) -> Self {
        let resource = target.api_resource();
        let api = match &target.namespace {
            Some(namespace) => Api::namespaced_with(client, namespace, &resource),
            None => Api::all_with(client, &resource),
        };
        Self { api, target }
    }

    /// One object, without managed fields and without a Secret's data.
    pub async fn get(&self, name: &str) -> Result<Value, Failure> {
        let object = tried(|| self.api.get(name)).await;
        object
            .map_err(|error| self.failure("get", name, &error))
            .and_then(|o| self.shown(&o))
    }

    /// At most `max` objects, and whether there are more.
    pub async fn list(
        &self,
        labels: Option<&str>,
        fields: Option<&str>,
        max: u32,
    ) -> Result<(Vec<Value>, bool), Failure> {
        let parameters = ListParams {
            label_selector: labels.map(str::to_owned),
            field_selector: fields.map(str::to_owned),
            limit: Some(max),
            ..ListParams::default()
        };
        let list = tried(|| self.api.list(&parameters))
            .await
            .map_err(|error| self.failure("list", "", &error))?;
        let more = list
            .metadata
            .continue_
            .as_deref()
            .is_some_and(|token| !token.is_empty());
        let items = list
            .items
            .iter()
            .map(|object| self.shown(object))
            .collect::<Result<_, _>>()?;
        Ok((items, more))
    }

    /// Creates an object and marks it as `owned`. Whether it is new: one of the same name that
    /// carries the same mark was made by an earlier incarnation, or by a try whose answer was lost,
    /// and is ours to go on with.
    pub async fn create(
        &self,
        mut object: Value,
        name: &str,
        owned: &Owned,
        dry_run: bool,
    ) -> Result<(Value, bool), Failure> {
        owned.mark(&mut object);
        let object: DynamicObject = serde_json::from_value(object).map_err(|error| {
            Failure::new(
                Class::InvalidInput,
                "kubernetes.invalid",
                Owner::Plugin,
                format!(
                    "cannot create {}: it is no object: {error}",
                    self.named(name)
                ),
            )
        })?;
        let parameters = PostParams {
            dry_run,
            field_manager: Some(MANAGER.to_owned()),
        };
        match tried(|| self.api.create(&parameters, &object)).await {
            Ok(made) => Ok((self.shown(&made)?, true)),
            Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => {
                let live = tried(|| self.api.get(name))
                    .await
                    .map_err(|error| self.failure("look at the existing", name, &error))?;
                if live.annotations().get(owned::MADE_BY) == Some(&owned.by) {
                    return Ok((self.shown(&live)?, false));
                }
                Err(Failure::new(
                    Class::Conflict,
                    "kubernetes.already-exists",
                    Owner::Cluster,
                    format!("cannot create {}: somebody else made one", self.named(name)),
                ))
            }
            Err(error) => Err(self.failure("create", name, &error)),
        }
    }

    /// Applies an object on the server's side.
    pub async fn apply(
        &self,
        object: &Value,
        name: &str,
        force: bool,
        dry_run: bool,
    ) -> Result<Value, Failure> {
        let parameters = PatchParams {
            dry_run,
            force,
            field_manager: Some(MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let patch = Patch::Apply(object);
        let applied = tried(|| self.api.patch(name, &parameters, &patch)).await;
        applied
            .map_err(|error| self.failure("apply", name, &error))
            .and_then(|o| self.shown(&o))
    }

    /// Deletes an object, if it has this uid, and waits until it is gone, at most that long. One
    /// that is gone already is no failure; another one of its name is left alone.
    pub async fn delete(
        &self,
        name: &str,
        uid: Option<&str>,
        grace: Option<u32>,
        wait: Option<Duration>,
    ) -> Result<(), Failure> {
        let parameters = DeleteParams {
            grace_period_seconds: grace,
            preconditions: uid.map(|uid| Preconditions {
                uid: Some(uid.to_owned()),
                resource_version: None,
            }),
            ..DeleteParams::default()
        };
        let going = match tried(|| self.api.delete(name, &parameters)).await {
            Ok(going) => going,
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok(()),
            // The precondition failed: it is another one.
            Err(kube::Error::Api(status)) if status.code == 409 && uid.is_some() => return Ok(()),
            Err(error) => return Err(self.failure("delete", name, &error)),
        };
        let uid = going
            .left()
            .and_then(|object| object.uid())
            .or(uid.map(str::to_owned));
        let (Some(wait), Some(uid)) = (wait, uid) else {
            return Ok(());
        };
        match tokio::time::timeout(wait, self.gone(name, &uid)).await {
            Ok(result) => result,
            Err(_) => Err(Failure::new(
                Class::TimedOut,
                "kubernetes.delete-slow",
                Owner::Cluster,
                format!(
                    "{} was deleted and is still there after {} s",
                    self.named(name),
                    wait.as_secs()
                ),
            )),
        }
    }

    /// Waits until the object of that uid is gone, however often the watch is lost.
    async fn gone(&self, name: &str, uid: &str) -> Result<(), Failure> {
        loop {
            let gone = conditions::is_deleted(uid);
            let Err(error) = await_condition(self.api.clone(), name, gone).await else {
                return Ok(());
            };
            if let wait::Error::ProbeFailed(error) = &error
                && let Some(status) = super::failure::refused(error)
            {
                return Err(of_status(&format!("see {} go", self.named(name)), status));
            }
            tracing::debug!(%error, name, "waiting for an object to go: the watch was lost");
            tokio::time::sleep(BETWEEN_WATCHES).await;
        }
    }

    fn failure(&self, verb: &str, name: &str, error: &kube::Error) -> Failure {
        of_error(&format!("{verb} {}", self.named(name)), error)
    }

    fn named(&self, name: &str) -> String {
        match &self.target.namespace {
            Some(namespace) => format!("{} {namespace}/{name}", self.target.resource),
            None => format!("{} {name}", self.target.resource),
        }
    }

    fn shown(&self, object: &DynamicObject) -> Result<Value, Failure> {
        let mut value = serde_json::to_value(object)
            .map_err(|error| Failure::bug(format!("an object is no JSON: {error}")))?;
        if let Some(metadata) = value["metadata"].as_object_mut() {
            metadata.remove("managedFields");
        }
        if let (true, Some(fields)) = (self.target.resource == "secrets", value.as_object_mut()) {
            fields.remove("data");
            fields.remove("stringData");
        }
        Ok(value)
    }
}
