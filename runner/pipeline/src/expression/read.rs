//! Reading an expression, once.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use cel::common::ast::IdedExpr;
use cel::parser::Parser;

use super::walk::{Analysis, Walk};
use super::{limits, on_own_stack};

/// An expression that keeps the limits.
pub(super) struct Read {
    pub(super) tree: IdedExpr,
    /// Sorted, each name once.
    pub(super) analysis: Analysis,
    /// How many comprehensions it has.
    pub(super) comprehensions: usize,
}

/// How many expressions are remembered at once.
const REMEMBERED: usize = 1024;

/// What was read, by its text: an expression is looked at for its types, for what it waits for and
/// for what it may read, and is worked out at last. The parser is the dear part of each.
static KNOWN: LazyLock<Mutex<HashMap<String, Arc<Read>>>> = LazyLock::new(Mutex::default);

/// Reads an expression. An error is one sentence about what is wrong.
pub(super) fn read(text: &str) -> Result<Arc<Read>, String> {
    limits::before_parsing(text)?;
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(read) = known().get(text) {
        return Ok(Arc::clone(read));
    }
    let read = on_own_stack(|| {
        let tree = parse(text)?;
        let walk = Walk::over(&tree)?;
        let (comprehensions, mut analysis) = (walk.comprehensions, walk.analysis);
        analysis.references.sort();
        analysis.references.dedup();
        analysis.functions.sort();
        analysis.functions.dedup();
        Ok::<_, String>(Arc::new(Read {
            tree,
            analysis,
            comprehensions,
        }))
    })??;
    let mut known = known();
    if known.len() >= REMEMBERED {
        known.clear();
    }
    known.insert(text.to_owned(), Arc::clone(&read));
    Ok(read)
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
