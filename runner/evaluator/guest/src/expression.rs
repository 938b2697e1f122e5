//! Evaluates expressions.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;

use cel::{Context, Value as Cel};
use serde_json::Value;
use sidestep_evaluator::Statuses;

use crate::cel_value::{to_cel, to_json};
use crate::read::Read;
use crate::{functions, limits, read};

/// Evaluates an expression. An error is one sentence about what is wrong.
pub(crate) fn evaluate(
    text: &str,
    variables: &BTreeMap<Cow<'_, str>, Cow<'_, Value>>,
    statuses: Statuses,
) -> Result<Value, String> {
    let read = read::expression(text)?;
    functions::answer(statuses);
    ROOT.with_borrow_mut(|root| {
        let value = evaluate_in(root, &read, variables);
        if let Context::Root { variables, .. } = root {
            variables.clear();
        }
        value
    })
}

thread_local! {
    /// All functions, declared once because that takes longer than evaluating most expressions. It
    /// also holds the variables of an evaluation, since a name with a leading dot (`.inputs.tag`)
    /// is looked up only in the root.
    static ROOT: RefCell<Context<'static, 'static>> = {
        let mut context = Context::default();
        functions::declare(&mut context);
        RefCell::new(context)
    };
}

fn evaluate_in(
    context: &mut Context<'_, 'static>,
    read: &Read,
    variables: &BTreeMap<Cow<'_, str>, Cow<'_, Value>>,
) -> Result<Value, String> {
    for (name, value) in variables {
        if read.comprehensions > 0 && read.analysis.reads(name) {
            limits::of_value(name, value)?;
        }
        context.add_variable_from_value(name.to_string(), to_cel(value));
    }
    let value = Cel::resolve(&read.tree, context).map_err(|error| explain(&error))?;
    to_json(&value).map_err(|what| format!("the expression yields {what}"))
}

/// Returns one sentence about an error, without the values.
pub(crate) fn explain(error: &cel::ExecutionError) -> String {
    use cel::ExecutionError as E;
    match error {
        E::NoSuchKey(key) => format!("there is no `{key}`"),
        E::UndeclaredReference(name) => format!("`{name}` is not known here"),
        E::FunctionError { function, message } => format!("{function}(): {message}"),
        E::NoSuchOverload(overload) => overload.to_string(),
        E::IndexOutOfBounds(_) => "a list has no item at this index".to_owned(),
        E::DivisionByZero(_) | E::RemainderByZero(_) => "division by zero".to_owned(),
        // The other errors print values, which may be long or confidential.
        E::UnexpectedType { want, .. } => format!("a value of type {want} is expected"),
        E::InvalidArgumentCount { expected, actual } => {
            format!("{expected} arguments are expected, not {actual}")
        }
        _ => "the expression can't be applied to values of these types".to_owned(),
    }
}
