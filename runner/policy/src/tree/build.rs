//! Builds nodes from the YAML parser's events, within the limits.

use std::collections::HashMap;

use serde_saphyr::granit_parser::{Event, Options, Parser, ScalarStyle, Span};
use sidestep_events::{Diagnostic, Foreign, Place, Position, codes};

use super::lines::Lines;
use super::open::{Misplaced, Open, Part};
use super::place::{place, position};
use super::{MAX_DEPTH, MAX_NODES, MAX_SCALAR_BYTES, Node, NodeKind, Scalar, Tree, error};

/// Builds the tree of a file from the parser's events.
pub(super) struct Builder<'a> {
    file: &'a str,
    text: &'a str,
    lines: Lines<'a>,
    open: Vec<Open>,
    anchors: HashMap<usize, Part>,
    root: Option<Part>,
    problems: Vec<Diagnostic>,
    nodes: usize,
    bytes: usize,
}

type Step = Result<(), Box<Diagnostic>>;

impl<'a> Builder<'a> {
    /// Creates a builder for a file with that text.
    pub(super) fn new(file: &'a str, text: &'a str) -> Self {
        Self {
            file,
            text,
            lines: Lines::new(text),
            open: Vec::new(),
            anchors: HashMap::new(),
            root: None,
            problems: Vec::new(),
            nodes: 0,
            bytes: 0,
        }
    }

    /// Returns the tree and its errors.
    pub(super) fn tree(mut self) -> Tree {
        if let Err(problem) = self.run() {
            self.problems.push(*problem);
            self.root = None;
        }
        Tree {
            root: self.root.map(|part| part.node),
            problems: self.problems,
        }
    }

    fn run(&mut self) -> Step {
        let mut options = Options::default();
        options.set_emit_comments(false);
        options.flow_nesting_limit = MAX_DEPTH;
        options.block_nesting_limit = MAX_DEPTH;
        let text = self.text;
        let mut documents = 0;
        for event in Parser::new_from_str_with_options(text, options) {
            let (event, span) = event.map_err(|problem| {
                let marker = problem.marker();
                let at = position(marker.line(), marker.col(), 0);
                Box::new(error(
                    self.file,
                    codes::yaml::SYNTAX,
                    format!("this is not YAML: {}", problem.info()),
                    at,
                ))
            })?;
            match event {
                Event::DocumentStart(..) => {
                    documents += 1;
                    if documents > 1 {
                        return Err(self.refuse(
                            codes::yaml::DOCUMENTS,
                            "a second document begins here; a file must be a single document",
                            place(&span),
                        ));
                    }
                }
                Event::Scalar(value, style, anchor, tag) => {
                    let tag = self.tag(
                        tag.as_deref().and_then(|tag| tag.core_suffix()),
                        tag.is_some(),
                        &span,
                    )?;
                    let node = self.scalar(&value, style, tag, &span);
                    self.finish(Part::of_scalar(node, value.len()), anchor)?;
                }
                Event::SequenceStart(.., Some(_)) | Event::MappingStart(.., Some(_)) => {
                    return Err(self.bad_tag(&span));
                }
                Event::SequenceStart(_, anchor, _) => self.start(false, anchor, &span),
                Event::MappingStart(_, anchor, _) => self.start(true, anchor, &span),
                Event::SequenceEnd | Event::MappingEnd => self.end()?,
                Event::Alias(id) => {
                    let Some(part) = self.anchors.get(&id) else {
                        return Err(self.refuse(
                            codes::yaml::ALIAS,
                            "this alias is inside the value that it refers to",
                            place(&span),
                        ));
                    };
                    self.room(part.nodes, part.bytes, &span)?;
                    let mut part = self.anchors[&id].clone();
                    part.node.used_at(place(&span));
                    self.finish_counted(part, 0, &span)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn refuse(
        &self,
        code: &'static str,
        message: impl Into<Foreign>,
        at: impl Into<Place>,
    ) -> Box<Diagnostic> {
        Box::new(error(self.file, code, message, at))
    }

    fn bad_tag(&self, span: &Span) -> Box<Diagnostic> {
        self.refuse(
            codes::yaml::TAG,
            "YAML tags (`!…`) are not supported",
            place(span),
        )
    }

    /// Returns whether the tag is `!!str`; any other tag is an error.
    fn tag(&self, core: Option<&str>, any: bool, span: &Span) -> Result<bool, Box<Diagnostic>> {
        match core {
            Some("str") => Ok(true),
            None if !any => Ok(false),
            _ => Err(self.bad_tag(span)),
        }
    }

    fn room(&self, nodes: usize, bytes: usize, span: &Span) -> Step {
        if self.nodes + nodes > MAX_NODES || self.bytes + bytes > MAX_SCALAR_BYTES {
            return Err(self.refuse(
                codes::yaml::TOO_LARGE,
                format!("with its aliases expanded the file has more than {MAX_NODES} values or {MAX_SCALAR_BYTES} bytes"),
                place(span),
            ));
        }
        Ok(())
    }

    fn scalar(&mut self, value: &str, style: ScalarStyle, quoted: bool, span: &Span) -> Node {
        let at = place(span);
        // The parser reports an empty value as `~`.
        let value = if style == ScalarStyle::Plain && span.is_empty() {
            ""
        } else {
            value
        };
        let skip = match style {
            ScalarStyle::Plain => Some(0),
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Some(1),
            _ => None,
        };
        let verbatim = skip.and_then(|skip| {
            let (line, column) = (at.line as usize - 1, at.column as usize - 1 + skip);
            let rest = self.lines.rest(line, column)?;
            rest.starts_with(value).then(|| Position {
                column: at.column + u32::try_from(skip).unwrap_or(0),
                length: 0,
                ..at
            })
        });
        Node {
            at: at.into(),
            kind: NodeKind::Scalar(Scalar {
                text: value.to_owned(),
                plain: style == ScalarStyle::Plain && !quoted,
                verbatim,
            }),
        }
    }

    fn start(&mut self, map: bool, anchor: usize, span: &Span) {
        let at = Position {
            length: 0,
            ..place(span)
        };
        self.open.push(Open::new(map, anchor, at));
    }

    fn end(&mut self) -> Step {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        // Its children are already counted.
        self.nodes += 1;
        let anchor = open.anchor;
        self.attach(open.close(), anchor)
    }

    /// Counts and attaches a new scalar.
    fn finish(&mut self, part: Part, anchor: usize) -> Step {
        if self.nodes + part.nodes > MAX_NODES {
            return Err(self.refuse(
                codes::yaml::TOO_LARGE,
                format!("the file has more than {MAX_NODES} values"),
                part.node.at,
            ));
        }
        self.nodes += part.nodes;
        self.bytes += part.bytes;
        self.attach(part, anchor)
    }

    /// Counts and attaches the copy that an alias stands for.
    fn finish_counted(&mut self, part: Part, anchor: usize, span: &Span) -> Step {
        if self.open.len() + part.depth > MAX_DEPTH {
            return Err(self.refuse(
                codes::yaml::TOO_DEEP,
                format!("with this alias expanded the file nests more than {MAX_DEPTH} deep"),
                place(span),
            ));
        }
        self.finish(part, anchor)
    }

    fn attach(&mut self, part: Part, anchor: usize) -> Step {
        if anchor != 0 {
            self.anchors.insert(anchor, part.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(part);
            return Ok(());
        };
        let at = part.node.at;
        match open.take(part) {
            Ok(()) => {}
            Err(Misplaced::KeyIsNoText) => {
                let message = "a key must be a single string, not a list or a map";
                return Err(self.refuse(codes::yaml::KEY, message, at));
            }
            Err(Misplaced::KeyTwice { key, first }) => {
                let message =
                    format!("`{key}` appears a second time; the first is at line {first}");
                self.problems.push(
                    error(self.file, codes::yaml::DUPLICATE_KEY, message, at)
                        .with_help("remove one of the two"),
                );
            }
            Err(Misplaced::NotMergeable(what)) => {
                let message = format!("`<<` merges a map or a list of maps, not {what}");
                let help = "write `<<: *NAME` or `<<: [*NAME, *NAME]`; a key that is really called \
                            `<<` is written in quotes";
                let problem = error(self.file, codes::yaml::MERGE, message, at);
                self.problems.push(problem.with_help(help));
            }
        }
        Ok(())
    }
}
