//! Reads values by a schema.

use indexmap::IndexMap;
use serde_json::Value;
use sidestep_contract::Image;
use sidestep_contract::units::{self, Misfit};
use sidestep_events::codes;
use sidestep_policy::tree::{Node, NodeKind};

use crate::context::{self, IN_STEP};
use crate::expression::{self, Code, Values};
use crate::file::Expression;
use crate::problems::Problems;
use crate::template::{Piece, Template, join};
use crate::{scalars, schema};

/// The JSON types that an expression within a text may have.
const TEXTUAL: [&str; 3] = ["string", "number", "boolean"];

/// Reads values by a schema, and evaluates expressions that are known at planning time.
pub(crate) struct Reader<'a> {
    values: &'a Values,
    root: &'a Value,
    /// Expressions whose values are not known yet, each with the JSON types that its place allows.
    pub(crate) wanted: Vec<(Expression, Vec<String>)>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(values: &'a Values, root: &'a Value) -> Self {
        Self {
            values,
            root,
            wanted: Vec::new(),
        }
    }

    pub(crate) fn read(
        &mut self,
        problems: &mut Problems<'_>,
        node: &Node,
        schemas: &[&Value],
    ) -> Template {
        match &node.kind {
            NodeKind::Scalar(_) => self.scalar(problems, node, schemas),
            NodeKind::List(list) => {
                let of = schema::items(self.root, schemas);
                Template::List(
                    list.iter()
                        .map(|item| self.read(problems, item, &of))
                        .collect(),
                )
            }
            NodeKind::Map(entries) => {
                let mut map = IndexMap::new();
                for (key, value) in entries {
                    let of = schema::property(self.root, schemas, &key.text);
                    map.insert(key.text.clone(), self.read(problems, value, &of));
                }
                Template::Map(map)
            }
        }
    }

    fn scalar(&mut self, problems: &mut Problems<'_>, node: &Node, schemas: &[&Value]) -> Template {
        let nothing = Template::Literal(Value::Null);
        let Some(scalar) = node.scalar() else {
            return nothing;
        };
        let types = schema::types(schemas);
        if !scalar.text.contains("${{") {
            return match scalars::value(scalar, &types) {
                Ok(value) => {
                    if let Some(text) = value.as_str()
                        && let Err((message, help)) = unit(schema::mark(schemas).as_deref(), text)
                    {
                        problems.add_help(codes::input::UNIT, node.at, message, help);
                    }
                    Template::Literal(value)
                }
                Err((message, help)) if help.is_empty() => {
                    problems.add(codes::input::TYPE, node.at, message);
                    nothing
                }
                Err((message, help)) => {
                    problems.add_help(codes::yaml::AMBIGUOUS, node.at, message, help);
                    nothing
                }
            };
        }
        if schema::mark(schemas).as_deref() == Some("code") {
            problems.add_help(
                codes::code::EXPRESSION,
                node.at,
                "code can't contain expressions: a value that is pasted into code can become code",
                "pass it as a variable: env: { TAG: \"${{ inputs.tag }}\" }, then $TAG in the code",
            );
            return nothing;
        }
        let before = problems.count();
        let parts = context::parts(problems, IN_STEP, scalar, node.at);
        if problems.count() > before {
            return nothing;
        }
        let known = parts.expressions.iter().filter(|expression| {
            let analysis = &expression.analysis;
            !analysis.reads("steps")
                && !analysis.reads("run")
                && !self.values.lacks(analysis)
                && !problems.has_within(expression.at)
        });
        let known: Vec<&str> = known.map(|expression| expression.text.as_str()).collect();
        let now = |text: &str| known.contains(&text);
        let at = parts
            .expressions
            .first()
            .map_or(node.at, |expression| expression.at);
        let result = match parts.pieces.as_slice() {
            [Piece::Expression(text)] => {
                let wanted = || types.iter().map(|&name| name.to_owned()).collect();
                let later = parts.expressions.iter().filter(|_| !now(text));
                self.wanted.extend(later.map(|one| (one.clone(), wanted())));
                if now(text) {
                    expression::evaluate(text, self.values).map(Template::Literal)
                } else {
                    Ok(Template::Expression(text.clone()))
                }
            }
            pieces => {
                // A list or a map cannot be part of a text.
                let wanted = || TEXTUAL.map(str::to_owned).to_vec();
                let later = parts.expressions.iter().filter(|one| !now(&one.text));
                self.wanted.extend(later.map(|one| (one.clone(), wanted())));
                let known = pieces.iter().all(|piece| match piece {
                    Piece::Text(_) => true,
                    Piece::Expression(text) => now(text),
                });
                if known {
                    join(pieces, self.values).map(|text| Template::Literal(Value::String(text)))
                } else {
                    Ok(Template::Text(pieces.to_vec()))
                }
            }
        };
        let result = result.unwrap_or_else(|why| {
            problems.unanswered(Code::expression(codes::expression::FAILED), at, &why);
            nothing
        });
        if let Some(text) = result.literal().and_then(Value::as_str)
            && let Err((message, help)) = unit(schema::mark(schemas).as_deref(), text)
        {
            problems.add_help(codes::input::UNIT, at, message, help);
        }
        result
    }
}

/// Checks that a text has the form that `x-sidestep` asks for. An error holds the reason and the
/// fix.
fn unit(mark: Option<&str>, text: &str) -> Result<(), (String, String)> {
    let wanted = |what: &str, misfit: &Misfit| {
        (
            format!("`{text}` is not a valid {what}"),
            format!("write {misfit}"),
        )
    };
    match mark {
        Some("duration") => match units::milliseconds(text) {
            Ok(_) => Ok(()),
            Err(misfit) => Err(wanted("time", &misfit)),
        },
        Some("byte-size") => match units::bytes(text) {
            Ok(_) => Ok(()),
            Err(misfit) => Err(wanted("size", &misfit)),
        },
        Some("image-ref") if Image::read(text).is_none() => Err((
            format!("`{text}` is not a valid image reference"),
            "write HOST/PATH:TAG, such as europe-docker.pkg.dev/PROJECT/REPOSITORY/IMAGE:TAG, in \
             lower case and without spaces; a digest is @sha256: with 64 digits of 0-9 and a-f"
                .to_owned(),
        )),
        _ => Ok(()),
    }
}
