//! Whose an object is: written into what a step makes, and read from what is found.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sidestep_gate::StepContext;
use sidestep_names::run_label;

/// The label that tells whose an object is.
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// Selects what steps made.
pub const MADE_BY_STEPS: &str = "app.kubernetes.io/managed-by=sidestep";
/// The label that selects what one run made. The annotation below has the whole origin.
const RUN: &str = "sidestep.dev/run";
/// The annotation that says which attempt of which run made an object.
pub(super) const MADE_BY: &str = "sidestep.dev/made-by";
/// The annotation that says when an object may be swept.
const EXPIRES: &str = "sidestep.dev/expires";
/// How long an object is kept when nobody says.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// Who makes an object, written into it so that it is recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// The run, the step instance, the attempt and the plan, in one text.
    pub by: String,
    /// When it may be swept (RFC 3339).
    pub expires: String,
}

impl Owned {
    /// What a step makes, which may be swept then, or a day from now.
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

    /// Whether a mark is that of the same attempt of the same run, by another plan.
    pub(super) fn is_of_another_plan(&self, by: &str) -> bool {
        let parts = |by: &'_ str| {
            by.rsplit_once('/')
                .map(|(attempt, plan)| (attempt.to_owned(), plan.to_owned()))
        };
        matches!((parts(&self.by), parts(by)), (Some(own), Some(other)) if own.0 == other.0 && own.1 != other.1)
    }

    /// Writes into the object whose it is, beside what it says itself.
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

/// Returns which attempt of which run made the object, as `RUN/INSTANCE/ATTEMPT/PLAN`; none if no
/// step did.
pub fn made_by(object: &Value) -> Option<&str> {
    object["metadata"]["annotations"][MADE_BY].as_str()
}

/// When the object may be swept, whatever became of its run.
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
    }
}
