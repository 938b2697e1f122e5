use sidestep_evaluator::Reference;
use sidestep_events::codes;
use sidestep_events::{Place, Position};
use sidestep_policy::tree::{Node, NodeKind, Scalar};

use crate::expression::{self, Code, MAX_EXPRESSION};
use crate::file::{Expression, Parts, Written};
use crate::functions::{FUNCTIONS, STATUS_FUNCTIONS};
use crate::problems::Problems;
use crate::template::{Piece, split};

/// The names and functions that expressions may read at one place of the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vocabulary {
    /// The names of the variables.
    pub(crate) roots: &'static [&'static str],
    /// Whether expressions may call the status functions.
    pub(crate) statuses: bool,
    /// The name of the place in messages.
    pub(crate) what: &'static str,
}

pub(crate) const IN_STEP: Vocabulary = Vocabulary {
    roots: &["inputs", "steps", "matrix", "git", "run", "env"],
    statuses: false,
    what: "here",
};
pub(crate) const IN_CONDITION: Vocabulary = Vocabulary {
    statuses: true,
    what: "in `if`",
    ..IN_STEP
};
pub(crate) const IN_GRANTS: Vocabulary = Vocabulary {
    roots: &["inputs", "matrix", "git"],
    statuses: false,
    what: "in `grants`",
};
pub(crate) const IN_OUTPUTS: Vocabulary = Vocabulary {
    roots: &["inputs", "steps", "git", "run", "env"],
    statuses: false,
    what: "in `outputs`",
};
pub(crate) const IN_INPUTS: Vocabulary = Vocabulary {
    roots: &["git", "run", "env"],
    statuses: false,
    what: "in an input's default",
};
pub(crate) const IN_DEFAULTS: Vocabulary = Vocabulary {
    roots: &["inputs", "git", "run", "env"],
    statuses: false,
    what: "in `defaults`",
};

/// The names of CEL's own types.
const TYPES: &[&str] = &[
    "bool",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "list",
    "map",
    "null_type",
    "type",
];

/// Reads a bare expression. Returns `None` if it can't be parsed. An expression with other errors is
/// returned, so that later checks find its remaining errors; it must not be evaluated, as
/// [`Problems::has_within`] tells.
pub(crate) fn expression(
    problems: &mut Problems<'_>,
    vocabulary: Vocabulary,
    text: &str,
    at: Place,
) -> Option<Expression> {
    const SYNTAX: Code = Code::expression(codes::expression::SYNTAX);
    let analysis = match expression::parse(problems.evaluator(), text) {
        Ok(analysis) => analysis,
        Err(why) if text.len() > MAX_EXPRESSION => {
            let help = "let a step compute it, and read the step's output";
            problems.push(why.diagnostic(SYNTAX).with_help(help), at);
            return None;
        }
        Err(why) => {
            problems.unanswered(SYNTAX, at, &why);
            return None;
        }
    };
    for reference in &analysis.references {
        check_reference(problems, vocabulary, reference, at);
    }
    for function in &analysis.functions {
        if STATUS_FUNCTIONS.contains(&function.as_str()) && !vocabulary.statuses {
            problems.add_help(
                codes::expression::FUNCTION,
                at,
                format!("{function}() can be used only in `if`"),
                "use it in the step's `if`, or read `steps.X.status`",
            );
        } else if function == "hashFiles" {
            problems.add(
                codes::pipeline::UNSUPPORTED,
                at,
                "hashFiles() is not supported by this version",
            );
        } else if !known_function(function) {
            problems.unknown(
                codes::expression::FUNCTION,
                at,
                format!("there is no function `{function}`"),
                function,
                FUNCTIONS.iter().copied(),
            );
        }
    }
    Some(Expression {
        text: text.to_owned(),
        at,
        analysis,
    })
}

/// Returns whether a function or operator is one of CEL's own or one of Sidestep's.
fn known_function(name: &str) -> bool {
    const CEL: &[&str] = &[
        "size",
        "contains",
        "startsWith",
        "endsWith",
        "matches",
        "string",
        "int",
        "uint",
        "double",
        "bool",
        "bytes",
        "type",
        "dyn",
        "duration",
        "timestamp",
        "getFullYear",
        "getMonth",
        "getDate",
        "getDayOfMonth",
        "getDayOfWeek",
        "getDayOfYear",
        "getHours",
        "getMinutes",
        "getSeconds",
        "getMilliseconds",
        "max",
        "min",
        "in",
    ];
    FUNCTIONS.contains(&name)
        || CEL.contains(&name)
        || name.starts_with(|c: char| !c.is_ascii_alphabetic())
}

fn check_reference(
    problems: &mut Problems<'_>,
    vocabulary: Vocabulary,
    reference: &Reference,
    at: Place,
) {
    let root = reference.root.as_str();
    if root == "secrets" {
        problems.add_help(
            codes::expression::SECRET,
            at,
            "expressions can't read secrets: a plugin gets a handle, never the text",
            "list the name under the step's `secrets`",
        );
        return;
    }
    if vocabulary.roots.contains(&root) || TYPES.contains(&root) {
        if root == "steps" && reference.path.is_empty() {
            problems.add_help(
                codes::expression::STEPS,
                at,
                "`steps` needs the id of a step, because the id tells which step to wait for",
                "write `steps.ID.outputs.NAME` or `steps.ID.status`",
            );
        }
        return;
    }
    if IN_STEP.roots.contains(&root) {
        problems.add_help(
            codes::expression::NAME,
            at,
            format!("`{root}` is not available {}", vocabulary.what),
            format!(
                "available {}: {}",
                vocabulary.what,
                vocabulary.roots.join(", ")
            ),
        );
        return;
    }
    problems.unknown(
        codes::expression::NAME,
        at,
        format!("`{root}` is not known {}", vocabulary.what),
        root,
        vocabulary.roots.iter().copied(),
    );
}

/// Splits a scalar with `${{ … }}` and reads its expressions. Reports all errors of the scalar.
pub(crate) fn parts(
    problems: &mut Problems<'_>,
    vocabulary: Vocabulary,
    scalar: &Scalar,
    at: Place,
) -> Parts {
    let (pieces, unclosed) = split(&scalar.text);
    if let Some(offset) = unclosed {
        problems.add_help(
            codes::expression::SYNTAX,
            inside(scalar, at, offset, 3),
            "`${{` is never closed with `}}`",
            "close the expression with `}}`",
        );
    }
    let mut parts = Parts {
        pieces: Vec::new(),
        expressions: Vec::new(),
        whole: unclosed.is_none(),
    };
    for piece in pieces {
        if let Piece::Expression(text) = &piece.piece {
            let at = inside(scalar, at, piece.offset, text.chars().count());
            match expression(problems, vocabulary, text, at) {
                Some(expression) => parts.expressions.push(expression),
                None => parts.whole = false,
            }
        }
        parts.pieces.push(piece.piece);
    }
    parts
}

/// Returns the position of a part of a scalar. Returns the scalar's own position if the source
/// does not contain its text verbatim.
fn inside(scalar: &Scalar, at: Place, offset: usize, length: usize) -> Place {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    match scalar.verbatim {
        Some(start) => Place {
            at: Position {
                line: start.line,
                column: start.column.saturating_add(number(offset)),
                length: number(length),
            },
            used: at.used,
        },
        None => at,
    }
}

/// Reads all expressions of a value.
pub(crate) fn written(problems: &mut Problems<'_>, vocabulary: Vocabulary, node: &Node) -> Written {
    let mut expressions = Vec::new();
    collect(problems, vocabulary, node, &mut expressions);
    Written {
        node: node.clone(),
        expressions,
    }
}

pub(crate) fn collect(
    problems: &mut Problems<'_>,
    vocabulary: Vocabulary,
    node: &Node,
    found: &mut Vec<Expression>,
) {
    match &node.kind {
        NodeKind::Scalar(scalar) => {
            found.extend(parts(problems, vocabulary, scalar, node.at).expressions);
        }
        NodeKind::List(items) => {
            for item in items {
                collect(problems, vocabulary, item, found);
            }
        }
        NodeKind::Map(entries) => {
            for (key, value) in entries {
                if key.text.contains("${{") {
                    problems.add(
                        codes::expression::KEY,
                        key.at,
                        "keys can't contain expressions",
                    );
                }
                collect(problems, vocabulary, value, found);
            }
        }
    }
}
