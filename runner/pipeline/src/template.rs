use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::expression::{self, Unanswered, Values};

/// A value that may hold expressions that only the run can evaluate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Template {
    /// A known value.
    Literal(Value),
    /// One expression; its value keeps its type.
    Expression(String),
    /// A text with expressions in it.
    Text(Vec<Piece>),
    /// A list with expressions in it.
    List(Vec<Template>),
    /// A map with expressions in it.
    Map(IndexMap<String, Template>),
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Piece {
    /// A verbatim text.
    Text(String),
    /// An expression, whose value is inserted as text.
    Expression(String),
}

/// A piece of a scalar, and the offset of its text, in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PieceAt {
    pub(crate) piece: Piece,
    pub(crate) offset: usize,
}

/// Splits a text with `${{ … }}` into its pieces. If an expression is not closed, the pieces end
/// before it, and its offset in characters is returned too.
pub(crate) fn split(text: &str) -> (Vec<PieceAt>, Option<usize>) {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut offset = 0;
    while let Some(open) = rest.find("${{") {
        if open > 0 {
            pieces.push(PieceAt {
                piece: Piece::Text(rest[..open].to_owned()),
                offset,
            });
        }
        offset += rest[..open].chars().count();
        let inner = &rest[open + 3..];
        let Some(close) = closing(inner) else {
            return (pieces, Some(offset));
        };
        let leading = inner[..close]
            .chars()
            .take_while(|c| c.is_whitespace())
            .count();
        pieces.push(PieceAt {
            piece: Piece::Expression(inner[..close].trim().to_owned()),
            offset: offset + 3 + leading,
        });
        offset += 3 + inner[..close].chars().count() + 2;
        rest = &inner[close + 2..];
    }
    if !rest.is_empty() || pieces.is_empty() {
        pieces.push(PieceAt {
            piece: Piece::Text(rest.to_owned()),
            offset,
        });
    }
    (pieces, None)
}

/// Finds the `}}` that ends an expression, outside its texts and the braces of its maps.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0_usize, None);
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match (character, quote) {
            ('\\', Some(_)) => {
                characters.next();
            }
            (c, Some(open)) if c == open => quote = None,
            (_, Some(_)) => {}
            ('\'' | '"', None) => quote = Some(character),
            ('{', None) => depth += 1,
            ('}', None) if depth > 0 => depth -= 1,
            ('}', None) => return text[at + 1..].starts_with('}').then_some(at),
            _ => {}
        }
    }
    None
}

impl Template {
    /// Returns the value if no part of it waits for the run.
    pub fn literal(&self) -> Option<&Value> {
        match self {
            Self::Literal(value) => Some(value),
            _ => None,
        }
    }

    /// Returns whether it holds no expression.
    pub fn is_known(&self) -> bool {
        matches!(self, Self::Literal(_))
    }

    /// Returns its value as far as it does not wait for other steps, with null for each part that
    /// does, and the JSON pointers of those parts.
    pub(crate) fn known(&self, values: &Values) -> (Value, Vec<String>) {
        let mut unknown = Vec::new();
        let value = self.known_at("", values, &mut unknown);
        (value, unknown)
    }

    fn known_at(&self, at: &str, values: &Values, unknown: &mut Vec<String>) -> Value {
        match self {
            Self::Literal(value) => value.clone(),
            Self::Expression(_) | Self::Text(_) => {
                let mut texts = self.expressions().into_iter();
                let waits = texts.any(|text| expression::waits(&*values.evaluator, text));
                match (!waits).then(|| self.evaluate(values)) {
                    Some(Ok(value)) => value,
                    _ => {
                        unknown.push(at.to_owned());
                        Value::Null
                    }
                }
            }
            Self::List(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| item.known_at(&format!("{at}/{index}"), values, unknown))
                .collect(),
            Self::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(key, item)| {
                        let part = key.replace('~', "~0").replace('/', "~1");
                        let at = format!("{at}/{part}");
                        (key.clone(), item.known_at(&at, values, unknown))
                    })
                    .collect(),
            ),
        }
    }

    /// Returns the texts of all its expressions.
    pub fn expressions(&self) -> Vec<&str> {
        match self {
            Self::Literal(_) => Vec::new(),
            Self::Expression(text) => vec![text],
            Self::Text(pieces) => pieces
                .iter()
                .filter_map(|piece| match piece {
                    Piece::Expression(text) => Some(text.as_str()),
                    Piece::Text(_) => None,
                })
                .collect(),
            Self::List(items) => items.iter().flat_map(Self::expressions).collect(),
            Self::Map(entries) => entries.values().flat_map(Self::expressions).collect(),
        }
    }

    /// Evaluates it. An error names the expression that failed, and the reason.
    pub(crate) fn evaluate(&self, values: &Values) -> Result<Value, Unanswered> {
        Ok(match self {
            Self::Literal(value) => value.clone(),
            Self::Expression(text) => one(text, values)?,
            Self::Text(pieces) => Value::String(join(pieces, values)?),
            Self::List(items) => Value::Array(
                items
                    .iter()
                    .map(|item| item.evaluate(values))
                    .collect::<Result<_, _>>()?,
            ),
            Self::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(key, item)| Ok((key.clone(), item.evaluate(values)?)))
                    .collect::<Result<Map<_, _>, Unanswered>>()?,
            ),
        })
    }

    /// Turns parts without expressions into literals.
    pub(crate) fn simplify(self) -> Self {
        match self {
            Self::List(items) => {
                let items: Vec<Self> = items.into_iter().map(Self::simplify).collect();
                if items.iter().all(Self::is_known) {
                    Self::Literal(items.iter().filter_map(Self::literal).cloned().collect())
                } else {
                    Self::List(items)
                }
            }
            Self::Map(entries) => {
                let entries: IndexMap<String, Self> = entries
                    .into_iter()
                    .map(|(key, item)| (key, item.simplify()))
                    .collect();
                if entries.values().all(Self::is_known) {
                    Self::Literal(Value::Object(
                        entries
                            .into_iter()
                            .filter_map(|(key, item)| Some((key, item.literal()?.clone())))
                            .collect(),
                    ))
                } else {
                    Self::Map(entries)
                }
            }
            other => other,
        }
    }
}

fn one(text: &str, values: &Values) -> Result<Value, Unanswered> {
    expression::evaluate(text, values).map_err(|why| why.about(values.name(text)))
}

pub(crate) fn join(pieces: &[Piece], values: &Values) -> Result<String, Unanswered> {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(part) => text.push_str(part),
            Piece::Expression(expression) => match one(expression, values)? {
                Value::String(part) => text.push_str(&part),
                value @ (Value::Bool(_) | Value::Number(_)) => text.push_str(&value.to_string()),
                Value::Null => {
                    return Err(Unanswered::wrong(format!(
                        "{} is null, but it is part of a string; use default({expression}, \"…\")",
                        values.name(expression)
                    )));
                }
                _ => {
                    return Err(Unanswered::wrong(format!(
                        "{} is a list or a map, but it is part of a string",
                        values.name(expression)
                    )));
                }
            },
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<(Piece, usize)> {
        let (pieces, unclosed) = split(text);
        assert_eq!(unclosed, None, "{text}");
        pieces.into_iter().map(|p| (p.piece, p.offset)).collect()
    }

    #[test]
    fn texts_are_split_at_whole_expressions() {
        let (t, e) = (
            |s: &str| Piece::Text(s.into()),
            |s: &str| Piece::Expression(s.into()),
        );
        assert_eq!(texts("plain"), [(t("plain"), 0)]);
        assert_eq!(texts("${{ a }}"), [(e("a"), 4)]);
        assert_eq!(
            texts("é${{a}}:${{ b }}!"),
            [
                (t("é"), 0),
                (e("a"), 4),
                (t(":"), 7),
                (e("b"), 12),
                (t("!"), 16)
            ]
        );
        assert_eq!(
            texts("${{ {'a': {'b': '}}'}} }}"),
            [(e("{'a': {'b': '}}'}}"), 4)]
        );
        let (pieces, unclosed) = split("x ${{ a }} ${{ b");
        assert_eq!((pieces.len(), unclosed), (3, Some(11)));
        assert_eq!(split("${{ 'a }}"), (Vec::new(), Some(0)));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[a-c${}'\" \\\\é]{0,40}") {
            let _ = split(&text);
        }
    }
}
