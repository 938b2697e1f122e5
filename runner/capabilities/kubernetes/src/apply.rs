//! Applies objects (Kubernetes, "Server-Side Apply").

use kube::api::{DynamicObject, Patch, PatchParams};
use kube::core::Status;
use serde_json::Value;
use sidestep_gate::{NotCreated, Sends};

use super::objects::{MANAGER, Objects};
use super::owned::{self, Owned};
use super::tries::writing;

/// The maximum number of attempts to apply an object that other clients change meanwhile.
const TRIES: u32 = 5;
/// The beginning of a conflict with this field manager.
const OWN_CONFLICT: &str = "conflict with \"sidestep\"";

impl Objects {
    /// Applies an object that is deleted when its step ends: it is marked as `owned`, and must not
    /// exist with another owner.
    ///
    /// An apply alone would also take over an object that another client creates at the same time.
    /// So a new object is created, and an existing one is named by its uid and version.
    pub async fn apply_owned(
        &self,
        mut object: Value,
        name: &str,
        owned: &Owned,
        mut force: bool,
        dry_run: bool,
    ) -> Result<Value, NotCreated> {
        let sends = Sends::default();
        owned.mark(&mut object);
        let mut tried = 0;
        loop {
            let live = self.find(name).await;
            let Some(live) = live.map_err(|failure| sends.not_sent(failure))? else {
                let made = self.create(object, name, owned, dry_run).await;
                return made.map(|(made, _)| made);
            };
            let by = owned::made_by(&live).map(str::to_owned);
            if by.as_ref() != Some(&owned.by) {
                return Err(sends.not_sent(self.foreign("apply", name, owned, by.as_ref())));
            }
            for key in ["uid", "resourceVersion"] {
                object["metadata"][key] = live["metadata"][key].clone();
            }
            tried += 1;
            match self.patch(&sends, &object, name, force, dry_run).await {
                Ok(applied) => return self.shown(&applied).map_err(NotCreated::perhaps),
                Err(kube::Error::Api(status)) if status.code == 409 && tried < TRIES => {
                    match conflicts(&status) {
                        Conflicts::Version => {}
                        // The fields of the object's creation belong to this manager too.
                        Conflicts::Own => force = true,
                        Conflicts::Others => {
                            let error = kube::Error::Api(status);
                            return Err(sends.not_created(self.failure("apply", name, &error)));
                        }
                    }
                }
                Err(error) => {
                    return Err(sends.not_created(self.failure("apply", name, &error)));
                }
            }
        }
    }

    /// Applies an object.
    pub async fn apply(
        &self,
        object: &Value,
        name: &str,
        force: bool,
        dry_run: bool,
    ) -> Result<Value, NotCreated> {
        let sends = Sends::default();
        let applied = self.patch(&sends, object, name, force, dry_run).await;
        let applied =
            applied.map_err(|error| sends.not_created(self.failure("apply", name, &error)))?;
        self.shown(&applied).map_err(NotCreated::perhaps)
    }

    async fn patch(
        &self,
        sends: &Sends,
        object: &Value,
        name: &str,
        force: bool,
        dry_run: bool,
    ) -> Result<DynamicObject, kube::Error> {
        let parameters = PatchParams {
            dry_run,
            force,
            field_manager: Some(MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let patch = Patch::Apply(object);
        writing(sends, || self.api.patch(name, &parameters, &patch)).await
    }
}

/// The reason why an apply conflicts.
enum Conflicts {
    /// The object has changed since it was read, or is another one.
    Version,
    /// Only this manager owns the fields.
    Own,
    /// Other managers own fields.
    Others,
}

fn conflicts(status: &Status) -> Conflicts {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let mut fields = causes.filter(|cause| cause.reason == "FieldManagerConflict");
    let Some(first) = fields.next() else {
        return Conflicts::Version;
    };
    if std::iter::once(first)
        .chain(fields)
        .all(|cause| cause.message.starts_with(OWN_CONFLICT))
    {
        Conflicts::Own
    } else {
        Conflicts::Others
    }
}
