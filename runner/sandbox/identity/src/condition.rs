//! Conditions on bindings.

use jiff::Timestamp;
use sidestep_evaluator::{Answer, Attributes, Evaluator, Question, Stopped, Truth};

use crate::Resource;

/// Decides whether a condition holds for a request to the resource at this time.
pub(crate) fn decide(
    evaluator: &dyn Evaluator,
    expression: &str,
    now: Timestamp,
    resource: &Resource,
) -> Truth {
    let question = Question::Condition {
        text: expression.into(),
        attributes: Attributes {
            request_time: now.to_string().into(),
            resource_name: Some(resource.name().into()),
            resource_service: Some(resource.service().into()),
            resource_type: Some(resource.kind().into()),
        },
    };
    match evaluator.ask(&question) {
        Ok(Answer::Truth(truth)) => truth,
        Ok(Answer::Wrong(why)) => Truth::Unknown(why),
        Ok(other) => Truth::Unknown(format!(
            "the evaluator answered another question: {other:?}"
        )),
        Err(stopped) => {
            // A condition can exceed a budget, but only a broken build has no evaluator.
            if let Stopped::Broken(why) = &stopped {
                tracing::error!(%why, "conditions of policies can't be decided");
            }
            Truth::Unknown(stopped.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use sidestep_evaluator::{Absent, MAX_CONDITION};
    use sidestep_evaluator_guest::Native;

    use super::*;

    fn decide(evaluator: &dyn Evaluator, expression: &str) -> Truth {
        let now = "2026-06-01T12:00:00Z".parse().unwrap();
        let bucket = Resource::Bucket("contexts".into());
        super::decide(evaluator, expression, now, &bucket)
    }

    fn holds(expression: &str) -> Option<bool> {
        match decide(&Native, expression) {
            Truth::True => Some(true),
            Truth::False => Some(false),
            Truth::Unknown(_) => None,
        }
    }

    #[test]
    fn time_and_resource_are_known() {
        assert_eq!(
            holds("request.time < timestamp('2027-01-01T00:00:00Z')"),
            Some(true)
        );
        assert_eq!(
            holds("request.time < timestamp('2025-01-01T00:00:00Z')"),
            Some(false)
        );
        assert_eq!(
            holds("resource.name.startsWith('projects/_/buckets/con')"),
            Some(true)
        );
        assert_eq!(
            holds("resource.type == 'x' || resource.service == 'storage.googleapis.com'"),
            Some(true)
        );
    }

    #[test]
    fn what_cannot_be_decided_is_said_so() {
        for expression in [
            "",
            "resource.name",
            "request.nothing == 1",
            "api.getAttribute('x', [])",
            "1 +",
            "\u{0}",
        ] {
            assert_eq!(holds(expression), None, "{expression:?}");
        }
    }

    #[test]
    fn hostile_expressions_are_refused_before_they_run() {
        let terms = vec!["1"; 20_000].join("+");
        let deep = format!("{}true{}", "(".repeat(2000), ")".repeat(2000));
        let lists = "[1,2].map(a, [1,2].map(b, a))".to_owned();
        for expression in [terms, deep, lists] {
            assert_eq!(holds(&expression), None);
        }
        // The longest accepted expression must not crash the process.
        let longest = vec!["1"; MAX_CONDITION / 2].join("+");
        assert_eq!(holds(&longest), None);
        assert_ne!(
            holds(&format!("{}true", "!".repeat(MAX_CONDITION - 4))),
            Some(false)
        );
    }

    #[test]
    fn without_an_evaluator_no_condition_is_decided() {
        let Truth::Unknown(why) = decide(&Absent, "true") else {
            panic!("it is decided");
        };
        assert!(why.contains("the evaluator does not work"), "{why}");
    }
}
