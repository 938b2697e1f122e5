//! Evaluates expressions of workload identity providers: attribute mappings and conditions, over
//! the claims of a token.
//!
//! Functions besides CEL's own:
//! <https://cloud.google.com/iam/docs/workload-identity-federation#mapping>.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use cel::extractors::This;
use cel::{Context, ExecutionError, Value as Cel};
use serde_json::Value;

use crate::cel_value::{to_cel, to_json};
use crate::expression::explain;
use crate::{limits, read};

/// Evaluates an expression. An error is one sentence about what is wrong.
pub(crate) fn evaluate(
    text: &str,
    variables: &BTreeMap<Cow<'_, str>, Cow<'_, Value>>,
) -> Result<Value, String> {
    let read = read::condition(text)?;
    for (name, value) in variables {
        if read.comprehensions > 0 && read.analysis.reads(name) {
            limits::of_value(name, value)?;
        }
    }
    // From here on, nothing ends the question before its variables are removed.
    ROOT.with_borrow_mut(|root| {
        for (name, value) in variables {
            root.add_variable_from_value(name.to_string(), to_cel(value));
        }
        let value = Cel::resolve(&read.tree, root).map_err(|error| explain(&error));
        if let Context::Root { variables, .. } = root {
            variables.clear();
        }
        to_json(&value?).map_err(|what| format!("the expression yields {what}"))
    })
}

thread_local! {
    /// CEL's own functions and those of providers, declared once.
    static ROOT: RefCell<Context<'static, 'static>> = {
        let mut context = Context::default();
        declare(&mut context);
        RefCell::new(context)
    };
}

/// Declares `extract`, which conditions of IAM have as well.
pub(crate) fn declare_extract(context: &mut Context<'_, '_>) {
    let declared = context.add_function(
        "extract",
        |This(text): This<Arc<String>>, template: Arc<String>| extract(&text, &template),
    );
    debug_assert!(declared.is_ok(), "it is not CEL's own");
}

fn declare(context: &mut Context<'_, '_>) {
    declare_extract(context);
    let declared = [
        context.add_function(
            "split",
            |This(text): This<Arc<String>>, separator: Arc<String>| {
                let parts = text.split(separator.as_str());
                Cel::List(Arc::new(
                    parts
                        .map(|part| Cel::String(Arc::new(part.to_owned())))
                        .collect(),
                ))
            },
        ),
        context.add_function("join", |This(list): This<Cel>, between: Arc<String>| {
            join(list, &between)
        }),
        context.add_function("lowerAscii", |This(text): This<Arc<String>>| {
            text.to_ascii_lowercase()
        }),
        context.add_function("upperAscii", |This(text): This<Arc<String>>| {
            text.to_ascii_uppercase()
        }),
    ];
    debug_assert!(
        declared.iter().all(Result::is_ok),
        "none of these names is CEL's own"
    );
}

/// Returns the part of a text that a template names in braces; empty if the text does not fit
/// (<https://cloud.google.com/iam/docs/conditions-attribute-reference#extract>).
fn extract(text: &str, template: &str) -> Result<Cel, ExecutionError> {
    let wrong = || ExecutionError::function_error("extract", "the template must contain {name}");
    let (before, rest) = template.split_once('{').ok_or_else(wrong)?;
    let (_, after) = rest.split_once('}').ok_or_else(wrong)?;
    let found = || {
        let (_, rest) = text.split_once(before)?;
        if after.is_empty() {
            return Some(rest);
        }
        rest.split_once(after).map(|(part, _)| part)
    };
    Ok(Cel::String(Arc::new(
        found().unwrap_or_default().to_owned(),
    )))
}

fn join(list: Cel, between: &str) -> Result<Cel, ExecutionError> {
    let Cel::List(list) = list else {
        return Err(ExecutionError::function_error(
            "join",
            "only a list can be joined",
        ));
    };
    let texts: Option<Vec<&str>> = list
        .iter()
        .map(|item| match item {
            Cel::String(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    texts
        .map(|texts| Cel::String(Arc::new(texts.join(between))))
        .ok_or_else(|| {
            ExecutionError::function_error("join", "the list has items that are not strings")
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sidestep_evaluator::{Answer, Evaluator as _, Question};

    use super::*;
    use crate::Native;

    fn ask(text: &str) -> Result<Value, String> {
        let claims = json!({
            "sub": "repo:acme/app:ref:refs/heads/main",
            "repository": "acme/app",
            "groups": ["a", "b"],
            "run": 3,
        });
        let question = Question::Claims {
            text: text.into(),
            variables: BTreeMap::from([("assertion".into(), Cow::Borrowed(&claims))]),
        };
        match Native.ask(&question) {
            Ok(Answer::Value(value)) => Ok(value),
            Ok(Answer::Wrong(why)) => Err(why),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_mapping_reads_the_claims_with_the_functions_of_providers() {
        for (text, expected) in [
            ("assertion.sub", json!("repo:acme/app:ref:refs/heads/main")),
            ("assertion['repository']", json!("acme/app")),
            ("assertion.repository.extract('{owner}/')", json!("acme")),
            (
                "assertion.sub.extract('ref:refs/heads/{branch}')",
                json!("main"),
            ),
            ("assertion.sub.extract('tags/{tag}')", json!("")),
            ("assertion.sub.extract('{x}:environment')", json!("")),
            ("assertion.repository.split('/')[1]", json!("app")),
            ("assertion.groups.join('+')", json!("a+b")),
            ("assertion.repository.upperAscii()", json!("ACME/APP")),
            (
                "'b' in assertion.groups && assertion.groups.exists(g, g == 'a')",
                json!(true),
            ),
            (
                "string(assertion.run) + '/' + assertion.repository",
                json!("3/acme/app"),
            ),
        ] {
            assert_eq!(ask(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_has_no_value_has_a_reason() {
        for (text, expected) in [
            ("assertion.environment", "there is no `environment`"),
            ("inputs.a", "`inputs` is not known here"),
            // A function of pipelines.
            ("success()", "`success` is not known here"),
            (
                "assertion.sub.extract('x')",
                "extract(): the template must contain {name}",
            ),
        ] {
            assert_eq!(ask(text), Err(expected.to_owned()), "{text}");
        }
        let many = serde_json::json!({ "groups": vec!["a"; 2_000] });
        let refused = Question::Claims {
            text: "assertion.groups.exists(group, group == 'b')".into(),
            variables: [("assertion".into(), Cow::Borrowed(&many))].into(),
        };
        assert!(matches!(Native.ask(&refused), Ok(Answer::Wrong(_))));
        // The claims of one question are not those of the next.
        let nothing = Question::Claims {
            text: "assertion.sub".into(),
            variables: BTreeMap::new(),
        };
        let expected = Answer::Wrong("`assertion` is not known here".to_owned());
        assert_eq!(Native.ask(&nothing), Ok(expected));
    }
}
