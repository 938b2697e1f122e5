//! One expression: what it reads, and what it yields.

mod limits;
#[cfg(test)]
mod tests;
mod values;
mod walk;

use cel::common::ast::IdedExpr;
use cel::parser::Parser;
use cel::{Context, Value as Cel};
use serde_json::Value;

use crate::cel_value::{to_cel, to_json};
use crate::functions;

pub use limits::MAX_EXPRESSION;
pub(crate) use values::Values;
pub(crate) use walk::{Analysis, Reference};

use walk::Walk;

/// The parser and the interpreter recurse; this is what the longest expression needs with room to
/// spare.
const STACK: usize = 16 << 20;

/// Runs the work on a stack of its own.
fn on_own_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, String> {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name("expression".to_owned())
            .stack_size(STACK)
            .spawn_scoped(scope, work)
            .map_err(|error| format!("no thread for the expression could be started: {error}"))?
            .join()
            .map_err(|_| "the expression could not be worked out".to_owned())
    })
}

/// Reads an expression without evaluating it. An error is one sentence about what is wrong.
pub(crate) fn analyse(text: &str) -> Result<Analysis, String> {
    limits::before_parsing(text)?;
    on_own_stack(|| {
        let mut analysis = Walk::over(&parse(text)?)?.analysis;
        analysis.references.sort();
        analysis.references.dedup();
        analysis.functions.sort();
        analysis.functions.dedup();
        Ok(analysis)
    })?
}

/// Whether an expression waits for other steps.
pub(crate) fn waits(text: &str) -> bool {
    analyse(text).is_ok_and(|analysis| analysis.reads("steps"))
}

/// Evaluates an expression.
pub(crate) fn evaluate(text: &str, values: &Values) -> Result<Value, String> {
    limits::before_parsing(text)?;
    on_own_stack(|| {
        let tree = parse(text)?;
        let walk = Walk::over(&tree)?;
        let mut context = Context::default();
        functions::declare(&mut context, values.statuses);
        for (name, value) in &values.roots {
            if walk.comprehensions > 0 && walk.analysis.reads(name) {
                limits::of_value(name, value)?;
            }
            context.add_variable_from_value(*name, to_cel(value));
        }
        let value = Cel::resolve(&tree, &context).map_err(|error| explain(&error))?;
        to_json(&value).map_err(|what| format!("the expression yields {what}"))
    })?
}

fn parse(text: &str) -> Result<IdedExpr, String> {
    Parser::new()
        .parse(text)
        .map_err(|errors| match errors.errors.first() {
            Some(error) => {
                let message = error.msg.lines().next().unwrap_or("it can't be read");
                let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
                let message = match message.split_once(" expecting") {
                    _ if message.contains("'<EOF>'") => "it ends too early",
                    Some((message, _)) => message,
                    None => message,
                };
                // The lexer's words for a character that no expression has.
                let message = match message.strip_prefix("token recognition error at: '") {
                    Some(rest) if rest.starts_with('=') => {
                        "`=` compares nothing, write `==`".to_owned()
                    }
                    Some(rest) => {
                        format!("`{}` means nothing here", rest.trim_matches([' ', '\'']))
                    }
                    None => message.to_owned(),
                };
                format!(
                    "the expression can't be read at character {}: {message}",
                    error.pos.1
                )
            }
            None => "the expression can't be read".to_owned(),
        })
}

fn explain(error: &cel::ExecutionError) -> String {
    use cel::ExecutionError as E;
    match error {
        E::NoSuchKey(key) => format!("there is no `{key}`"),
        E::UndeclaredReference(name) => format!("`{name}` is not known here"),
        E::FunctionError { function, message } => format!("{function}(): {message}"),
        E::NoSuchOverload(overload) => overload.to_string(),
        E::IndexOutOfBounds(_) => "a list has no item at this index".to_owned(),
        E::DivisionByZero(_) | E::RemainderByZero(_) => "division by zero".to_owned(),
        // The others print values, which may be long or not for everybody's eyes.
        E::UnexpectedType { want, .. } => format!("a value of type {want} is wanted"),
        E::InvalidArgumentCount { expected, actual } => {
            format!("{expected} arguments are wanted, not {actual}")
        }
        _ => "the values have types that this expression can't work on".to_owned(),
    }
}
