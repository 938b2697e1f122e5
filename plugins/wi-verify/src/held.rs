//! Whether the conditions of a grant hold, in three values.

use sidestep::gcp::iam::Condition;
use sidestep::google::Resource;
use sidestep::identity::{Decision, Truth};

use crate::reads;

/// Whether a grant that has conditions is in effect.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Held {
    /// One of its conditions holds.
    Yes,
    /// None of its conditions holds.
    No,
    /// It cannot be decided: the expression, and why.
    Unknown(String),
}

/// The resource of a request, as conditions see it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    /// The relative name; none if it is not known in the form that conditions see.
    pub(crate) name: Option<String>,
    pub(crate) service: &'static str,
    pub(crate) kind: &'static str,
}

impl Place {
    /// Returns a service account: conditions see its unique id, and not the address.
    pub(crate) fn account() -> Self {
        Self {
            name: None,
            service: "iam.googleapis.com",
            kind: "iam.googleapis.com/ServiceAccount",
        }
    }

    /// Returns a target; for a bucket, the request is about one of its objects.
    /// <https://cloud.google.com/iam/docs/conditions-resource-attributes>
    pub(crate) fn of(resource: &Resource, object: Option<&str>) -> Self {
        match resource {
            Resource::Objects { bucket, .. } => Self {
                name: object.map(|object| format!("projects/_/buckets/{bucket}/objects/{object}")),
                service: "storage.googleapis.com",
                kind: "storage.googleapis.com/Object",
            },
            Resource::Repository(repository) => Self {
                name: Some(repository.resource()),
                service: "artifactregistry.googleapis.com",
                kind: "artifactregistry.googleapis.com/Repository",
            },
            // The names of these have the project's number.
            Resource::Secret { .. } => Self {
                name: None,
                service: "secretmanager.googleapis.com",
                kind: "secretmanager.googleapis.com/Secret",
            },
            Resource::Project(_) => Self {
                name: None,
                service: "cloudresourcemanager.googleapis.com",
                kind: "cloudresourcemanager.googleapis.com/Project",
            },
        }
    }
}

/// Decides the conditions of a grant at a time.
pub(crate) fn held(time: u64, conditions: &[Condition], place: &Place) -> Held {
    match reads::truths(time, conditions, place) {
        Ok(decisions) => any(conditions, &decisions),
        Err(error) => Held::Unknown(error.message),
    }
}

/// Judges decisions about conditions, each of which is enough.
fn any(conditions: &[Condition], decisions: &[Decision]) -> Held {
    if decisions.iter().any(|one| one.truth == Truth::Yes) {
        return Held::Yes;
    }
    let mut pairs = conditions.iter().zip(decisions);
    let undecided = pairs.find(|(_, decision)| decision.truth == Truth::Unknown);
    match undecided {
        Some((condition, decision)) => Held::Unknown(format!(
            "`{}`: {}",
            condition.expression,
            decision.why.as_deref().unwrap_or("it cannot be decided")
        )),
        None => Held::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_condition_that_holds_is_enough_and_an_unknown_one_is_shown() {
        let condition = |text: &str| Condition {
            title: "t".to_owned(),
            description: None,
            expression: text.to_owned(),
        };
        let conditions = [condition("a"), condition("b")];
        let judge = |truths: [Truth; 2]| {
            let why = Some("there is no `a`".to_owned());
            let decisions = truths.map(|truth| Decision {
                truth,
                why: why.clone(),
            });
            any(&conditions, &decisions)
        };
        assert_eq!(judge([Truth::Unknown, Truth::Yes]), Held::Yes);
        assert_eq!(judge([Truth::No, Truth::No]), Held::No);
        let unknown = Held::Unknown("`b`: there is no `a`".to_owned());
        assert_eq!(judge([Truth::No, Truth::Unknown]), unknown);
    }

    #[test]
    fn names_are_known_only_in_the_form_that_conditions_see() {
        let objects = Resource::Objects {
            bucket: "b".to_owned(),
            prefix: String::new(),
        };
        let name = Place::of(&objects, Some("a/x")).name;
        assert_eq!(name.as_deref(), Some("projects/_/buckets/b/objects/a/x"));
        assert_eq!(Place::of(&objects, None).name, None);
        assert_eq!(
            Place::of(&Resource::Project("p".to_owned()), None).name,
            None
        );
    }
}
