//! Decides conditions of IAM policies.
//!
//! Attributes and functions: <https://cloud.google.com/iam/docs/conditions-attribute-reference>.

use std::cell::RefCell;
use std::collections::HashMap;

use cel::{Context, Value as Cel};
use serde_json::{Value, json};
use sidestep_evaluator::{Attributes, Truth};

use crate::cel_value::to_cel;
use crate::expression::explain;
use crate::{claims, read};

thread_local! {
    /// CEL's own functions and `extract`, declared once. Conditions have none of a pipeline's.
    static ROOT: RefCell<Context<'static, 'static>> = {
        let mut context = Context::default();
        claims::declare_extract(&mut context);
        RefCell::new(context)
    };
}

/// The functions whose results are known to be IAM's. CEL has more, and IAM has others for tags,
/// access levels and attributes of APIs.
const FUNCTIONS: [&str; 16] = [
    "duration",
    "endsWith",
    "extract",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getFullYear",
    "getHours",
    "getMilliseconds",
    "getMinutes",
    "getMonth",
    "getSeconds",
    "matches",
    "startsWith",
    "timestamp",
];

/// Decides whether a condition holds.
pub(crate) fn decide(text: &str, attributes: &Attributes<'_>) -> Truth {
    match evaluate(text, attributes) {
        Ok(true) => Truth::True,
        Ok(false) => Truth::False,
        Err(why) => Truth::Unknown(why),
    }
}

fn evaluate(text: &str, attributes: &Attributes<'_>) -> Result<bool, String> {
    let read = read::condition(text)?;
    if read.comprehensions > 0 {
        return Err("a condition has no map, filter, all or exists".to_owned());
    }
    let is_name = |name: &&String| name.starts_with(|first: char| first.is_ascii_alphabetic());
    let mut called = read.analysis.functions.iter().filter(is_name);
    // A function that CEL lacks has no value, so the result does not depend on it.
    let other = called.find(|name| !FUNCTIONS.contains(&name.as_str()) && is_cels(name));
    ROOT.with_borrow_mut(|root| {
        let time = time(root, &attributes.request_time)?;
        let request = HashMap::from([("time".to_owned(), time)]);
        let known = [
            ("name", &attributes.resource_name),
            ("service", &attributes.resource_service),
            ("type", &attributes.resource_type),
        ];
        let known = known
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), json!(value.as_ref()?))));
        let resource = Value::Object(known.collect());
        // In the root, where a name with a dot in front (`.request.time`) is looked up.
        root.add_variable_from_value("request", request);
        root.add_variable_from_value("resource", to_cel(&resource));
        match Cel::resolve(&read.tree, root).map_err(|error| explain(&error))? {
            Cel::Bool(holds) => match other {
                Some(name) => Err(format!(
                    "`{name}` is not known to be a function of conditions"
                )),
                None => Ok(holds),
            },
            other => Err(format!(
                "the condition yields a value of type {}",
                other.type_of()
            )),
        }
    })
}

/// Returns whether CEL itself declares a function.
fn is_cels(name: &str) -> bool {
    Context::default()
        .add_function(name, |value: i64| value)
        .is_err()
}

/// Reads a time in RFC 3339, as CEL does.
fn time(root: &Context<'_, '_>, text: &str) -> Result<Cel, String> {
    let read = read::condition("timestamp(text)")?;
    let mut scope = root.new_inner_scope();
    scope.add_variable_from_value("text", text.to_owned());
    Cel::resolve(&read.tree, &scope).map_err(|error| explain(&error))
}

#[cfg(test)]
mod tests {
    use sidestep_evaluator::{Answer, Evaluator as _, MAX_CONDITION, Question};

    use super::*;
    use crate::Native;

    fn decide(text: &str) -> Truth {
        let question = Question::Condition {
            text: text.into(),
            attributes: Attributes {
                request_time: "2026-06-01T12:00:00Z".into(),
                resource_name: Some("projects/_/buckets/contexts/objects/all/a".into()),
                resource_service: Some("storage.googleapis.com".into()),
                resource_type: Some("storage.googleapis.com/Object".into()),
            },
        };
        match Native.ask(&question) {
            Ok(Answer::Truth(truth)) => truth,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_condition_reads_the_attributes_of_the_request_and_the_resource() {
        for text in [
            "request.time < timestamp('2026-06-01T12:00:01Z')",
            "request.time.getHours('Europe/Berlin') == 14",
            "resource.name.startsWith('projects/_/buckets/contexts/objects/all')",
            "resource.name.endsWith('/all/a') && resource.name.matches('^projects/_/')",
            "resource.name.extract('/objects/{folder}/') == 'all'",
            "resource.service == 'storage.googleapis.com'",
            "resource.type == 'storage.googleapis.com/Object'",
            ".resource.type != '' && has(.request.time)",
        ] {
            assert_eq!(decide(text), Truth::True, "{text}");
            assert_eq!(decide(&format!("!({text})")), Truth::False, "{text}");
        }
    }

    #[test]
    fn an_unknown_part_matters_only_where_it_decides() {
        for (text, expected) in [
            ("api.getAttribute('x', []) == 1 || true", Truth::True),
            ("false && api.getAttribute('x', []) == 1", Truth::False),
            (
                "true && request.auth == 1",
                Truth::Unknown("there is no `auth`".to_owned()),
            ),
        ] {
            assert_eq!(decide(text), expected, "{text}");
        }
    }

    #[test]
    fn an_absent_attribute_is_unknown() {
        let decide = |text: &str| {
            let attributes = Attributes {
                request_time: "2026-06-01T12:00:00Z".into(),
                resource_name: None,
                resource_service: None,
                resource_type: None,
            };
            super::decide(text, &attributes)
        };
        let unknown = Truth::Unknown("there is no `name`".to_owned());
        assert_eq!(decide("resource.name == 'x'"), unknown);
        assert_eq!(decide("resource.name == 'x' || true"), Truth::True);
        assert_eq!(decide("request.time.getMonth() == 5"), Truth::True);
    }

    #[test]
    fn a_function_outside_of_the_table_is_unknown() {
        for (text, name) in [
            ("resource.name.contains('contexts')", "contains"),
            ("size(resource.name) > 3 && true", "size"),
        ] {
            let why = format!("`{name}` is not known to be a function of conditions");
            assert_eq!(decide(text), Truth::Unknown(why), "{text}");
        }
        for text in [
            "resource.matchTag('1/env', 'prod')",
            "'accessPolicies/1/accessLevels/office' in request.auth.access_levels",
            "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(['roles/viewer'])",
        ] {
            assert!(matches!(decide(text), Truth::Unknown(_)), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_decided_has_a_reason() {
        for (text, expected) in [
            ("", "the expression is empty"),
            (
                "resource.name",
                "the condition yields a value of type string",
            ),
            ("inputs.a == 1", "`inputs` is not known here"),
            // A function of pipelines.
            ("success()", "`success` is not known here"),
            (
                "1 +",
                "the expression can't be read at character 4: it ends too early",
            ),
            (
                "[1].all(x, x == 1)",
                "a condition has no map, filter, all or exists",
            ),
        ] {
            assert_eq!(decide(text), Truth::Unknown(expected.to_owned()), "{text}");
        }
        let long = format!("true{}", " ".repeat(MAX_CONDITION));
        assert!(matches!(decide(&long), Truth::Unknown(why) if why.contains("at most 4096")));
    }
}
