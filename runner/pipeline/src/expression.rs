use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue};
use cel::parser::Parser;
use cel::{Context, Value as Cel};
use serde_json::Value;

use crate::cel_value::{to_cel, to_json};
use crate::functions::{self, Statuses};

/// The longest expression, in bytes.
pub const MAX_EXPRESSION: usize = 2048;
/// How deep comprehensions (`map`, `filter`, `all`, `exists`) may nest.
const MAX_COMPREHENSION_DEPTH: usize = 2;
/// How many comprehensions one expression may have, nested or one after the other.
const MAX_COMPREHENSIONS: usize = 4;
/// How many `+` an expression with comprehensions may have: a body that adds its variable to
/// itself multiplies what the next one walks over.
const MAX_ADDITIONS: usize = 32;
/// How deep brackets may nest.
const MAX_BRACKETS: usize = 32;
/// The longest list or map that a comprehension may meet.
const MAX_ITEMS: usize = 1000;
/// The parser and the interpreter recurse; this is what the longest expression needs with room to
/// spare.
const STACK: usize = 16 << 20;

/// A name that an expression reads: `steps.build.outputs.image`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reference {
    /// The first name.
    pub(crate) root: String,
    /// The names after it, as far as they are constant.
    pub(crate) path: Vec<String>,
    /// Whether it stands within `default(…)` or `has(…)`.
    pub(crate) guarded: bool,
}

impl Reference {
    pub(crate) fn text(&self) -> String {
        let mut text = self.root.clone();
        for part in &self.path {
            text.push('.');
            text.push_str(part);
        }
        text
    }
}

/// What an expression reads and calls.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Analysis {
    pub(crate) references: Vec<Reference>,
    pub(crate) functions: Vec<String>,
}

impl Analysis {
    pub(crate) fn calls(&self, names: &[&str]) -> bool {
        self.functions.iter().any(|f| names.contains(&f.as_str()))
    }

    pub(crate) fn reads(&self, root: &str) -> bool {
        self.references.iter().any(|r| r.root == root)
    }
}

/// What an expression can see.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    /// The variables.
    pub(crate) roots: BTreeMap<&'static str, Value>,
    /// What `success()` and its like answer.
    pub(crate) statuses: Statuses,
    /// Inputs that have no value since something is wrong with them.
    pub(crate) missing: BTreeSet<String>,
}

impl Values {
    /// Whether the expression reads something that has no value since something is wrong with it,
    /// which is said elsewhere.
    pub(crate) fn lacks(&self, analysis: &Analysis) -> bool {
        analysis.references.iter().any(|reference| {
            match (reference.root.as_str(), reference.path.first()) {
                ("inputs", Some(name)) => self.missing.contains(name),
                ("inputs", None) => !self.missing.is_empty(),
                ("matrix", _) => !self.roots.contains_key("matrix"),
                _ => false,
            }
        })
    }
}

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
    limits(text)?;
    on_own_stack(|| {
        let tree = parse(text)?;
        let mut walk = Walk::default();
        walk.visit(&tree, &mut Vec::new(), false, 0)?;
        walk.within_limits()?;
        walk.analysis.references.sort();
        walk.analysis.references.dedup();
        walk.analysis.functions.sort();
        walk.analysis.functions.dedup();
        Ok(walk.analysis)
    })?
}

/// Evaluates an expression.
pub(crate) fn evaluate(text: &str, values: &Values) -> Result<Value, String> {
    limits(text)?;
    on_own_stack(|| {
        let tree = parse(text)?;
        let mut walk = Walk::default();
        walk.visit(&tree, &mut Vec::new(), false, 0)?;
        walk.within_limits()?;
        let mut context = Context::default();
        functions::declare(&mut context, values.statuses);
        for (name, value) in &values.roots {
            if walk.comprehensions > 0 && walk.analysis.reads(name) {
                short(name, value)?;
            }
            context.add_variable_from_value(*name, to_cel(value));
        }
        let value = Cel::resolve(&tree, &context).map_err(|error| explain(&error))?;
        to_json(&value).map_err(|what| format!("the expression yields {what}"))
    })?
}

/// What can be refused before a parser sees it.
fn limits(text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("the expression is empty".to_owned());
    }
    if text.len() > MAX_EXPRESSION {
        return Err(format!(
            "the expression has {} bytes; at most {MAX_EXPRESSION} are allowed",
            text.len()
        ));
    }
    let (mut depth, mut quote) = (0_usize, None);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, quote) {
            ('\\', Some(_)) => {
                characters.next();
            }
            (c, Some(open)) if c == open => quote = None,
            (_, Some(_)) => {}
            ('\'' | '"', None) => quote = Some(character),
            ('(' | '[' | '{', None) => {
                depth += 1;
                if depth > MAX_BRACKETS {
                    return Err(format!("brackets nest more than {MAX_BRACKETS} deep"));
                }
            }
            (')' | ']' | '}', None) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
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

fn short(name: &str, value: &Value) -> Result<(), String> {
    let too_long = |len: usize| {
        format!("`{name}` has a list of {len}; an expression goes over at most {MAX_ITEMS}")
    };
    match value {
        Value::Array(items) if items.len() > MAX_ITEMS => Err(too_long(items.len())),
        Value::Array(items) => items.iter().try_for_each(|item| short(name, item)),
        Value::Object(map) if map.len() > MAX_ITEMS => Err(too_long(map.len())),
        Value::Object(map) => map.values().try_for_each(|item| short(name, item)),
        _ => Ok(()),
    }
}

#[derive(Default)]
struct Walk {
    analysis: Analysis,
    comprehensions: usize,
    additions: usize,
    /// The macro `default(…)`'s and `has(…)`'s arguments are guarded.
    bound: Vec<Arc<str>>,
}

impl Walk {
    fn within_limits(&self) -> Result<(), String> {
        if self.comprehensions > MAX_COMPREHENSIONS {
            return Err(format!(
                "an expression has at most {MAX_COMPREHENSIONS} of map, filter, all, exists"
            ));
        }
        if self.comprehensions > 0 && self.additions > MAX_ADDITIONS {
            return Err(format!(
                "an expression with map, filter, all or exists has at most {MAX_ADDITIONS} `+`"
            ));
        }
        Ok(())
    }

    /// `path` holds the names that were selected from this expression, innermost first.
    fn visit(
        &mut self,
        tree: &IdedExpr,
        path: &mut Vec<String>,
        guarded: bool,
        depth: usize,
    ) -> Result<(), String> {
        match &tree.expr {
            Expr::Ident(name) => {
                if !self.bound.iter().any(|bound| **bound == **name) {
                    self.analysis.references.push(Reference {
                        root: name.trim_start_matches('.').to_owned(),
                        path: path.iter().rev().cloned().collect(),
                        guarded,
                    });
                }
                Ok(())
            }
            Expr::Select(select) => {
                path.push(select.field.clone());
                self.visit(&select.operand, path, guarded || select.test, depth)?;
                path.pop();
                Ok(())
            }
            Expr::Call(call) if call.func_name == "_[_]" && call.target.is_none() => {
                let [operand, index] = call.args.as_slice() else {
                    return Ok(());
                };
                if let Expr::Literal(LiteralValue::String(key)) = &index.expr {
                    path.push(key.inner().to_owned());
                    self.visit(operand, path, guarded, depth)?;
                    path.pop();
                    return Ok(());
                }
                self.visit(operand, &mut Vec::new(), guarded, depth)?;
                self.visit(index, &mut Vec::new(), guarded, depth)
            }
            Expr::Call(call) => {
                self.additions += usize::from(call.func_name == "_+_");
                self.analysis.functions.push(call.func_name.clone());
                let guards = call.func_name == "default";
                if let Some(target) = &call.target {
                    self.visit(target, &mut Vec::new(), guarded, depth)?;
                }
                for (index, arg) in call.args.iter().enumerate() {
                    let guarded = guarded || (guards && index == 0);
                    self.visit(arg, &mut Vec::new(), guarded, depth)?;
                }
                Ok(())
            }
            Expr::Comprehension(comprehension) => {
                self.comprehensions += 1;
                self.visit(&comprehension.iter_range, &mut Vec::new(), guarded, depth)?;
                let depth = depth + 1;
                if depth > MAX_COMPREHENSION_DEPTH {
                    return Err(format!(
                        "map, filter, all and exists nest at most {MAX_COMPREHENSION_DEPTH} deep"
                    ));
                }
                self.visit(&comprehension.accu_init, &mut Vec::new(), guarded, depth)?;
                let bound = self.bound.len();
                self.bound.push(comprehension.iter_var.as_str().into());
                self.bound.push(comprehension.accu_var.as_str().into());
                self.bound
                    .extend(comprehension.iter_var2.as_deref().map(Into::into));
                // The macro's own additions are not the author's.
                let before = self.additions;
                self.visit(&comprehension.loop_cond, &mut Vec::new(), guarded, depth)?;
                self.visit(&comprehension.loop_step, &mut Vec::new(), guarded, depth)?;
                self.additions = self
                    .additions
                    .saturating_sub(usize::from(self.additions > before));
                self.visit(&comprehension.result, &mut Vec::new(), guarded, depth)?;
                self.bound.truncate(bound);
                Ok(())
            }
            Expr::List(list) => list
                .elements
                .iter()
                .try_for_each(|item| self.visit(item, &mut Vec::new(), guarded, depth)),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => {
                    self.visit(&entry.key, &mut Vec::new(), guarded, depth)?;
                    self.visit(&entry.value, &mut Vec::new(), guarded, depth)
                }
                EntryExpr::StructField(field) => {
                    self.visit(&field.value, &mut Vec::new(), guarded, depth)
                }
            }),
            Expr::Struct(value) => Err(format!(
                "`{}` is not a type that is known here",
                value.type_name
            )),
            Expr::Literal(_) | Expr::Unspecified => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn values() -> Values {
        let mut values = Values::default();
        values.roots.insert(
            "inputs",
            json!({"n": 2, "s": "x", "l": [1, 2, 3], "none": null}),
        );
        values
    }

    #[test]
    fn whole_numbers_add_to_literals_and_values_keep_their_type() {
        for (text, expected) in [
            ("inputs.n + 1", json!(3)),
            ("inputs.l.map(x, x * 2)", json!([2, 4, 6])),
            ("{'b': inputs.s, 'a': true}", json!({"a": true, "b": "x"})),
            ("default(inputs.none, 'd')", json!("d")),
            ("default(inputs.s, 'd')", json!("x")),
            ("inputs['s'].startsWith('x') ? 1.5 : 0.0", json!(1.5)),
        ] {
            assert_eq!(evaluate(text, &values()), Ok(expected), "{text}");
        }
    }

    #[test]
    fn references_are_found_with_their_guards() {
        let found = analyse(
            "default(steps.a.outputs.x, '') + steps['b'].status + [1].map(y, y + inputs.n)[0]",
        );
        let found: Vec<(String, bool)> = found
            .expect("reads")
            .references
            .iter()
            .map(|r| (r.text(), r.guarded))
            .collect();
        assert_eq!(
            found,
            [
                ("inputs.n".to_owned(), false),
                ("steps.a.outputs.x".to_owned(), true),
                ("steps.b.status".to_owned(), false)
            ]
        );
    }

    #[test]
    fn no_expression_ends_the_process_or_holds_it_up() {
        let deep =
            |open: &str, close: &str, n: usize| format!("{}1{}", open.repeat(n), close.repeat(n));
        for text in [
            vec!["1"; 1000].join("+"),
            vec!["1"; 20_000].join("+"),
            deep("(", ")", 1000),
            deep("[", "]", 1000),
            "!".repeat(2000) + "true",
            "-".repeat(2000) + "1",
            "true?1:".repeat(290) + "1",
            "a".to_owned() + &".b".repeat(1000),
            "inputs.l".to_owned() + &".map(x,x+x)".repeat(100),
            "inputs.l.map(a,inputs.l.map(b,inputs.l.map(c,inputs.l.map(d,1))))".to_owned(),
            "inputs.l".to_owned() + &"[0]".repeat(600),
            "'".to_owned() + &"x".repeat(3000),
            String::new(),
            "Foo{a: 1}".to_owned(),
        ] {
            let start = std::time::Instant::now();
            let _ = analyse(&text);
            let _ = evaluate(&text, &values());
            assert!(start.elapsed().as_secs() < 5, "{text}");
        }
        assert!(analyse(&deep("(", ")", 40)).is_err());
        assert!(analyse("inputs.l.map(a,inputs.l.map(b,inputs.l.map(c,1)))").is_err());
        assert!(analyse(&("['a']".to_owned() + &".map(x,x+x)".repeat(5))).is_err());
        let mut long = Values::default();
        long.roots.insert("inputs", json!({"l": vec![0; 1001]}));
        assert!(evaluate("inputs.l.map(x, x)", &long).is_err());
        assert_eq!(evaluate("size(inputs.l)", &long), Ok(json!(1001)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        #[test]
        fn no_text_panics(text in "[a-z0-9.()\\[\\]{}'\"+?:!&|<>= ${-]{0,60}") {
            let _ = analyse(&text);
            let _ = evaluate(&text, &values());
        }
    }
}
