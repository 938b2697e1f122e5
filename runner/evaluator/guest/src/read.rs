//! Reading an expression.

use std::cell::RefCell;
use std::rc::Rc;

use cel::common::ast::{IdedExpr, SourceInfo};
use cel::parser::Parser;
use sidestep_evaluator::{Analysis, MAX_CONDITION, MAX_EXPRESSION};

use crate::remembered::Remembered;
use crate::walk::Walk;
use crate::{limits, tree};

/// An expression within the limits.
pub(crate) struct Read {
    pub(crate) tree: IdedExpr,
    /// Sorted, each name once.
    pub(crate) analysis: Analysis,
    /// The number of its comprehensions.
    pub(crate) comprehensions: usize,
    info: SourceInfo,
}

impl Read {
    /// Returns the analysis, with the parsed expression if `tree` is set.
    pub(crate) fn answer(&self, tree: bool) -> Analysis {
        let mut analysis = self.analysis.clone();
        analysis.tree = tree.then(|| tree::of(&self.tree, &self.info, &self.info.source));
        analysis
    }
}

thread_local! {
    static EXPRESSIONS: RefCell<Remembered<String, Read>> = const { RefCell::new(Remembered::new(64)) };
}

/// Reads an expression of a pipeline. An error is one sentence about what is wrong.
pub(crate) fn expression(text: &str) -> Result<Rc<Read>, String> {
    read(text, MAX_EXPRESSION)
}

/// Reads a condition of an IAM policy. An error is one sentence about what is wrong.
pub(crate) fn condition(text: &str) -> Result<Rc<Read>, String> {
    read(text, MAX_CONDITION)
}

fn read(text: &str, longest: usize) -> Result<Rc<Read>, String> {
    limits::before_parsing(text, longest)?;
    EXPRESSIONS.with_borrow_mut(|expressions| expressions.get_or_make(text, read_anew))
}

fn read_anew(text: &str) -> Result<Read, String> {
    let (tree, info) = parse(text)?;
    let walk = Walk::over(&tree)?;
    let (comprehensions, mut analysis) = (walk.comprehensions, walk.analysis);
    analysis.references.sort();
    analysis.references.dedup();
    analysis.functions.sort();
    analysis.functions.dedup();
    Ok(Read {
        tree,
        analysis,
        comprehensions,
        info,
    })
}

fn parse(text: &str) -> Result<(IdedExpr, SourceInfo), String> {
    Parser::new()
        .parse_with_source_info(text)
        .map_err(|errors| match errors.errors.first() {
            Some(error) => {
                let message = error.msg.lines().next().unwrap_or("it can't be read");
                let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
                let message = match message.split_once(" expecting") {
                    _ if message.contains("'<EOF>'") => "it ends too early",
                    Some((message, _)) => message,
                    None => message,
                };
                // The lexer's message for a character that no expression can have.
                let message = match message.strip_prefix("token recognition error at: '") {
                    Some(rest) if rest.starts_with('=') => {
                        "`=` is not a comparison, write `==`".to_owned()
                    }
                    Some(rest) => {
                        format!("`{}` is not valid here", rest.trim_matches([' ', '\'']))
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
