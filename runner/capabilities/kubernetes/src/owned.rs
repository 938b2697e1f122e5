//! The owner of an object: written into the objects of a step, and read from existing ones.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sidestep_gate::StepContext;
use sidestep_names::run_label;

/// The label that names the tool that manages an object.
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// Selects the objects that steps created.
pub const MADE_BY_STEPS: &str = "app.kubernetes.io/managed-by=sidestep";
/// The label that selects the objects of one run. The annotation below has the whole origin.
const RUN: &str = "sidestep.dev/run";
/// The annotation with the run and attempt that created an object.
pub(super) const MADE_BY: &str = "sidestep.dev/made-by";
/// The annotation with the time after which an object may be cleaned up.
const EXPIRES: &str = "sidestep.dev/expires";
/// The annotations that say whose an object is.
pub(super) const ANNOTATIONS: [&str; 2] = [MADE_BY, EXPIRES];
/// The default time for which an object is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// The owner of an object, written into it so that it is recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// The run, the step instance, the attempt and the plan, in one text.
    pub by: String,
    /// The time after which it may be cleaned up (RFC 3339).
    pub expires: String,
}

impl Owned {
    /// Returns the owner of a step's objects, which may be cleaned up at this time, or a day from
    /// now.
    pub(super) fn of(step: &StepContext, expires: Option<Timestamp>) -> Self {
        let expires = expires.unwrap_or_else(|| {
            Timestamp::now()
                .saturating_add(KEPT)
                .unwrap_or(Timestamp::MAX)
        });
        Self {
            by: step.made_by(),
            expires: expires.to_string(),
        }
    }

    /// Returns whether a mark is that of the same attempt of the same run, with another plan.
    pub(super) fn is_of_another_plan(&self, by: &str) -> bool {
        let parts = |by: &'_ str| {
            by.rsplit_once('/')
                .map(|(attempt, plan)| (attempt.to_owned(), plan.to_owned()))
        };
        matches!((parts(&self.by), parts(by)), (Some(own), Some(other)) if own.0 == other.0 && own.1 != other.1)
    }

    /// Writes the owner into the object, and keeps its other labels and annotations.
    pub(super) fn mark(&self, object: &mut Value) {
        let Some(fields) = object.as_object_mut() else {
            return;
        };
        let metadata = fields
            .entry("metadata")
            .or_insert_with(|| Value::Object(serde_json::Map::new()));
        let run = run_label(self.by.split('/').next().unwrap_or_default());
        for (kind, key, value) in [
            ("labels", MANAGED_BY, "sidestep"),
            ("labels", RUN, &run),
            ("annotations", MADE_BY, &self.by),
            ("annotations", EXPIRES, &self.expires),
        ] {
            if !metadata[kind].is_object() {
                metadata[kind] = Value::Object(serde_json::Map::new());
            }
            metadata[kind][key] = Value::String(value.to_owned());
        }
    }
}

/// Returns the selector of the objects that the steps of one run created.
pub fn made_by_run(run: &str) -> String {
    format!("{MADE_BY_STEPS},{RUN}={}", run_label(run))
}

/// Returns the attempt that created the object, as `RUN/INSTANCE/ATTEMPT/PLAN`; `None` if no step
/// did.
pub fn made_by(object: &Value) -> Option<&str> {
    object["metadata"]["annotations"][MADE_BY].as_str()
}

/// Returns the time after which the object may be cleaned up, whatever the state of its run.
pub fn expires(object: &Value) -> Option<Timestamp> {
    let text = object["metadata"]["annotations"][EXPIRES].as_str()?;
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_mark_stands_beside_the_objects_own_labels() {
        let mut object = json!({"metadata": {"labels": {"app": "x"}}});
        let owned = Owned {
            by: "run/build/1".into(),
            expires: "2026-01-01T00:00:00Z".into(),
        };
        owned.mark(&mut object);
        assert_eq!(
            object["metadata"]["labels"],
            json!({"app": "x", MANAGED_BY: "sidestep", RUN: "run"})
        );
        assert_eq!(object["metadata"]["annotations"][MADE_BY], "run/build/1");
        let selector = "app.kubernetes.io/managed-by=sidestep,sidestep.dev/run=run";
        assert_eq!(made_by_run("run"), selector);
    }
}
