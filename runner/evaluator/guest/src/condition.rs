//! Decides conditions of IAM policies.

use std::cell::RefCell;
use std::collections::HashMap;

use cel::{Context, Value as Cel};
use serde_json::json;
use sidestep_evaluator::{Attributes, Truth};

use crate::cel_value::to_cel;
use crate::expression::explain;
use crate::read;

thread_local! {
    /// CEL's own functions, declared once. Conditions have none of a pipeline's.
    static ROOT: RefCell<Context<'static, 'static>> = RefCell::new(Context::default());
}

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
    ROOT.with_borrow_mut(|root| {
        let time = time(root, &attributes.request_time)?;
        let request = HashMap::from([("time".to_owned(), time)]);
        let resource = json!({
            "name": attributes.resource_name,
            "service": attributes.resource_service,
            "type": attributes.resource_type,
        });
        // In the root, where a name with a dot in front (`.request.time`) is looked up.
        root.add_variable_from_value("request", request);
        root.add_variable_from_value("resource", to_cel(&resource));
        match Cel::resolve(&read.tree, root).map_err(|error| explain(&error))? {
            Cel::Bool(holds) => Ok(holds),
            other => Err(format!(
                "the condition yields a value of type {}",
                other.type_of()
            )),
        }
    })
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
                resource_name: "projects/_/buckets/contexts/objects/all/a".into(),
                resource_service: "storage.googleapis.com".into(),
                resource_type: "storage.googleapis.com/Object".into(),
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
