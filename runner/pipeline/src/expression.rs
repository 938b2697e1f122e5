//! Asks the evaluator what an expression reads and what it yields.

mod unanswered;
mod values;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use serde_json::{Map, Value};
use sidestep_evaluator::{Analysis, Answer, Evaluator, Question, Reference};

pub use sidestep_evaluator::MAX_EXPRESSION;
pub(crate) use unanswered::{Code, Unanswered};
pub(crate) use values::Values;

/// The maximum number of cached analyses: more than most files have expressions. Each is read when
/// the file is parsed, and again when it is planned.
const REMEMBERED: usize = 20_000;

/// Caches analyses by the expression's text: an expression is analysed for its types, for the steps
/// that it waits for and for the names that it may read. The analysis depends on the text alone.
static KNOWN: LazyLock<Mutex<HashMap<String, Arc<Analysis>>>> = LazyLock::new(Mutex::default);

/// Reads an expression without evaluating it.
pub(crate) fn analyse(evaluator: &dyn Evaluator, text: &str) -> Result<Arc<Analysis>, Unanswered> {
    read(evaluator, text, false)
}

/// Reads an expression of the file, whose types are checked. It is parsed only once.
pub(crate) fn parse(evaluator: &dyn Evaluator, text: &str) -> Result<Arc<Analysis>, Unanswered> {
    read(evaluator, text, true)
}

/// Reads an expression, and returns its parsed form if `tree` is set.
fn read(evaluator: &dyn Evaluator, text: &str, tree: bool) -> Result<Arc<Analysis>, Unanswered> {
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let cached = known().get(text).cloned();
    let fits =
        |cached: &Arc<Analysis>| !tree || cached.tree.is_some() || name(text, cached).is_some();
    if let Some(analysis) = cached.filter(fits) {
        return Ok(analysis);
    }
    let question = Question::Analyse {
        text: Cow::Borrowed(text),
        tree,
    };
    let analysis = match evaluator.ask(&question)? {
        Answer::Analysis(analysis) => Arc::new(analysis),
        other => return Err(Unanswered::of(other)),
    };
    let mut known = known();
    if known.len() >= REMEMBERED {
        known.clear();
    }
    known.insert(text.to_owned(), Arc::clone(&analysis));
    Ok(analysis)
}

/// Returns the reference of an expression that is nothing else. It has no tree.
pub(crate) fn name<'a>(text: &str, analysis: &'a Analysis) -> Option<&'a Reference> {
    match analysis.references.as_slice() {
        [reference] if analysis.functions.is_empty() && reference.text() == text.trim() => {
            Some(reference)
        }
        _ => None,
    }
}

/// Returns whether an expression waits for other steps.
pub(crate) fn waits(evaluator: &dyn Evaluator, text: &str) -> bool {
    analyse(evaluator, text).is_ok_and(|analysis| analysis.reads("steps"))
}

/// Evaluates an expression.
pub(crate) fn evaluate(text: &str, values: &Values) -> Result<Value, Unanswered> {
    let evaluator = &*values.evaluator;
    let analysis = analyse(evaluator, text)?;
    let question = Question::Evaluate {
        text: Cow::Borrowed(text),
        variables: variables(&analysis, values),
        statuses: values.statuses,
    };
    match evaluator.ask(&question)? {
        Answer::Value(value) => Ok(value),
        other => Err(Unanswered::of(other)),
    }
}

/// Returns the variables that the expression reads, each reduced to the keys that it names.
/// Values that it cannot see are not copied.
fn variables<'v>(
    analysis: &'v Analysis,
    values: &'v Values,
) -> BTreeMap<Cow<'v, str>, Cow<'v, Value>> {
    let mut variables = BTreeMap::new();
    for (&name, value) in &values.roots {
        let mut read = analysis
            .references
            .iter()
            .filter(|reference| reference.root == name)
            .peekable();
        if read.peek().is_none() {
            continue;
        }
        let keys: Option<Vec<&String>> = read.map(|reference| reference.path.first()).collect();
        let seen = match (keys, &**value) {
            (Some(keys), Value::Object(map)) => {
                let mut part = Map::new();
                for key in keys {
                    if let (false, Some(inner)) = (part.contains_key(key), map.get(key)) {
                        part.insert(key.clone(), inner.clone());
                    }
                }
                Cow::Owned(Value::Object(part))
            }
            (_, value) => Cow::Borrowed(value),
        };
        variables.insert(Cow::Borrowed(name), seen);
    }
    variables
}

/// Returns whether a text matches a pattern.
pub(crate) fn matches(
    evaluator: &dyn Evaluator,
    pattern: &str,
    text: &str,
) -> Result<bool, Unanswered> {
    let question = Question::Match {
        pattern: Cow::Borrowed(pattern),
        text: Cow::Borrowed(text),
    };
    match evaluator.ask(&question)? {
        Answer::Matches(matches) => Ok(matches),
        other => Err(Unanswered::of(other)),
    }
}
