//! YAML as it was written: every key and value with its place, every scalar as its text.
//!
//! The pipeline file and the policy file are both read into this tree once. Nothing in it is
//! converted: whether `1.10` is a number or a text is for whoever knows what is wanted there.

use std::collections::HashMap;

use serde_saphyr::granit_parser::{Event, Options, Parser, ScalarStyle, Span};
use sidestep_events::{Diagnostic, Position};

/// The largest file that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// The most nodes that a file may have once its aliases are expanded.
pub const MAX_NODES: usize = 200_000;
/// The most bytes of scalars that a file may have once its aliases are expanded.
pub const MAX_SCALAR_BYTES: usize = 4 << 20;
/// How deep lists and maps may nest, aliases expanded.
pub const MAX_DEPTH: usize = 64;

/// A value and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where it begins.
    pub at: Position,
    /// What it is.
    pub kind: NodeKind,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeKind {
    /// A text, as written.
    Scalar(Scalar),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the file's order, without duplicate keys.
    Map(Vec<(Key, Node)>),
}

/// A scalar's text and how it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The text after YAML's escapes.
    pub text: String,
    /// Whether it had neither quotes nor a block style, so that YAML may take it for a number, a
    /// boolean or null.
    pub plain: bool,
    /// Where the text's first character is, when the source has the text unchanged on one line.
    pub verbatim: Option<Position>,
}

/// A mapping's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its text.
    pub text: String,
    /// Where it is.
    pub at: Position,
}

impl Node {
    /// The value of a mapping's key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries()
            .iter()
            .find_map(|(known, value)| (known.text == key).then_some(value))
    }

    /// A mapping's entries; none for anything else.
    pub fn entries(&self) -> &[(Key, Node)] {
        match &self.kind {
            NodeKind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The scalar, if it is one.
    pub fn scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            NodeKind::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// Whether nothing is written here: an empty value, `~` or `null`.
    pub fn is_null(&self) -> bool {
        self.scalar()
            .is_some_and(|scalar| scalar.plain && is_null(&scalar.text))
    }

    /// `a text`, `a list` or `a map`, for messages.
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            _ if self.is_null() => "nothing",
            NodeKind::Scalar(_) => "a single value",
            NodeKind::List(_) => "a list",
            NodeKind::Map(_) => "a map",
        }
    }
}

/// Whether a plain scalar of this text is YAML's null.
pub fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// A file as a tree, and what is wrong with it as YAML.
#[derive(Debug, Default)]
pub struct Tree {
    /// The document's root; absent when it can't be read at all, or is empty.
    pub root: Option<Node>,
    /// Duplicate keys, syntax errors, limits.
    pub problems: Vec<Diagnostic>,
}

/// Reads a file's text. Never panics, and uses memory in proportion to the limits above.
pub fn read(file: &str, text: &str) -> Tree {
    if text.len() > MAX_BYTES {
        let message = format!(
            "the file has {} bytes; at most {MAX_BYTES} are read",
            text.len()
        );
        return Tree {
            root: None,
            problems: vec![error(file, "yaml.too-large", message, START)],
        };
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = Builder {
        file,
        text,
        lines: text.lines().collect(),
        open: Vec::new(),
        anchors: HashMap::new(),
        root: None,
        problems: Vec::new(),
        nodes: 0,
        bytes: 0,
    };
    if let Err(problem) = builder.run() {
        builder.problems.push(*problem);
        builder.root = None;
    }
    Tree {
        root: builder.root.map(|part| part.node),
        problems: builder.problems,
    }
}

const START: Position = Position {
    line: 1,
    column: 1,
    length: 0,
};

fn error(file: &str, code: &'static str, message: impl Into<String>, at: Position) -> Diagnostic {
    Diagnostic::error(code, message).at(file, at)
}

/// A finished node with what it costs to copy it.
#[derive(Clone)]
struct Part {
    node: Node,
    nodes: usize,
    bytes: usize,
    depth: usize,
}

struct Open {
    at: Position,
    anchor: usize,
    map: bool,
    items: Vec<Node>,
    entries: Vec<(Key, Node)>,
    key: Option<Key>,
    skip_value: bool,
    nodes: usize,
    bytes: usize,
    depth: usize,
}

struct Builder<'a> {
    file: &'a str,
    text: &'a str,
    lines: Vec<&'a str>,
    open: Vec<Open>,
    anchors: HashMap<usize, Part>,
    root: Option<Part>,
    problems: Vec<Diagnostic>,
    nodes: usize,
    bytes: usize,
}

type Step = Result<(), Box<Diagnostic>>;

impl Builder<'_> {
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
                    "yaml.syntax",
                    format!("this is not YAML: {}", problem.info()),
                    at,
                ))
            })?;
            match event {
                Event::DocumentStart(..) => {
                    documents += 1;
                    if documents > 1 {
                        return Err(self.refuse(
                            "yaml.documents",
                            "a second document begins here; one file is one document",
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
                    let bytes = value.len();
                    self.finish(
                        Part {
                            node,
                            nodes: 1,
                            bytes,
                            depth: 1,
                        },
                        anchor,
                    )?;
                }
                Event::SequenceStart(_, anchor, tag) | Event::MappingStart(_, anchor, tag)
                    if tag.is_some() =>
                {
                    let _ = anchor;
                    return Err(self.bad_tag(&span));
                }
                Event::SequenceStart(_, anchor, _) => self.start(false, anchor, &span),
                Event::MappingStart(_, anchor, _) => self.start(true, anchor, &span),
                Event::SequenceEnd | Event::MappingEnd => self.end()?,
                Event::Alias(id) => {
                    let Some(part) = self.anchors.get(&id) else {
                        return Err(self.refuse(
                            "yaml.alias",
                            "this alias stands inside the value that it names",
                            place(&span),
                        ));
                    };
                    self.room(part.nodes, part.bytes, &span)?;
                    let part = self.anchors[&id].clone();
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
        message: impl Into<String>,
        at: Position,
    ) -> Box<Diagnostic> {
        Box::new(error(self.file, code, message, at))
    }

    fn bad_tag(&self, span: &Span) -> Box<Diagnostic> {
        self.refuse(
            "yaml.tag",
            "YAML tags (`!…`) mean nothing here",
            place(span),
        )
    }

    /// Whether the tag `!!str` is there; any other tag is an error.
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
                "yaml.too-large",
                format!("with its aliases expanded the file has more than {MAX_NODES} values or {MAX_SCALAR_BYTES} bytes"),
                place(span),
            ));
        }
        Ok(())
    }

    fn scalar(&self, value: &str, style: ScalarStyle, quoted: bool, span: &Span) -> Node {
        let at = place(span);
        // The parser says `~` where nothing is written.
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
            let line = self.lines.get(at.line as usize - 1)?;
            let rest = line.char_indices().nth(at.column as usize - 1 + skip)?.0;
            line[rest..].starts_with(value).then(|| Position {
                column: at.column + u32::try_from(skip).unwrap_or(0),
                length: 0,
                ..at
            })
        });
        Node {
            at,
            kind: NodeKind::Scalar(Scalar {
                text: value.to_owned(),
                plain: style == ScalarStyle::Plain && !quoted,
                verbatim,
            }),
        }
    }

    fn start(&mut self, map: bool, anchor: usize, span: &Span) {
        self.open.push(Open {
            at: Position {
                length: 0,
                ..place(span)
            },
            anchor,
            map,
            items: Vec::new(),
            entries: Vec::new(),
            key: None,
            skip_value: false,
            nodes: 1,
            bytes: 0,
            depth: 1,
        });
    }

    fn end(&mut self) -> Step {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let kind = if open.map {
            NodeKind::Map(open.entries)
        } else {
            NodeKind::List(open.items)
        };
        let part = Part {
            node: Node { at: open.at, kind },
            nodes: open.nodes,
            bytes: open.bytes,
            depth: open.depth,
        };
        // Its children are counted already.
        self.nodes += 1;
        self.attach(part, open.anchor)
    }

    /// A new scalar.
    fn finish(&mut self, part: Part, anchor: usize) -> Step {
        if self.nodes + part.nodes > MAX_NODES {
            return Err(self.refuse(
                "yaml.too-large",
                format!("the file has more than {MAX_NODES} values"),
                part.node.at,
            ));
        }
        self.nodes += part.nodes;
        self.bytes += part.bytes;
        self.attach(part, anchor)
    }

    /// The copy that an alias stands for.
    fn finish_counted(&mut self, part: Part, anchor: usize, span: &Span) -> Step {
        if self.open.len() + part.depth > MAX_DEPTH {
            return Err(self.refuse(
                "yaml.too-deep",
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
        open.nodes += part.nodes;
        open.bytes += part.bytes;
        open.depth = open.depth.max(part.depth + 1);
        if !open.map {
            open.items.push(part.node);
            return Ok(());
        }
        match open.key.take() {
            Some(key) => {
                if open.skip_value {
                    open.skip_value = false;
                } else {
                    open.entries.push((key, part.node));
                }
            }
            None => {
                let NodeKind::Scalar(scalar) = part.node.kind else {
                    return Err(self.refuse(
                        "yaml.key",
                        "a key is a single text, not a list or a map",
                        part.node.at,
                    ));
                };
                let key = Key {
                    text: scalar.text,
                    at: part.node.at,
                };
                if let Some((first, _)) = open.entries.iter().find(|(k, _)| k.text == key.text) {
                    let message = format!(
                        "`{}` is here a second time; the first is at line {}",
                        key.text, first.at.line
                    );
                    open.skip_value = true;
                    self.problems.push(
                        error(self.file, "yaml.duplicate-key", message, key.at)
                            .with_help("remove one of the two"),
                    );
                }
                open.key = Some(key);
            }
        }
        Ok(())
    }
}

fn position(line: usize, column: usize, length: usize) -> Position {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Position {
        line: number(line.max(1)),
        column: number(column + 1),
        length: number(length),
    }
}

fn place(span: &Span) -> Position {
    let length = if span.start.line() == span.end.line() {
        span.len()
    } else {
        0
    };
    position(span.start.line(), span.start.col(), length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(tree: &Tree) -> Vec<&str> {
        tree.problems.iter().map(|p| p.code.as_ref()).collect()
    }

    #[test]
    fn places_and_texts_are_kept() {
        let tree = read("f", "a: 1.10\nb:\n  - 'x y'\n");
        let root = tree.root.expect("a map");
        let a = root.get("a").and_then(Node::scalar).expect("a scalar");
        assert_eq!((a.text.as_str(), a.plain), ("1.10", true));
        assert_eq!(
            root.get("a").map(|n| (n.at.line, n.at.column, n.at.length)),
            Some((1, 4, 4))
        );
        let NodeKind::List(items) = &root.get("b").expect("b").kind else {
            panic!("a list");
        };
        assert_eq!((items[0].at.line, items[0].at.column), (3, 5));
        assert_eq!(
            items[0].scalar().and_then(|s| s.verbatim).map(|p| p.column),
            Some(6)
        );
    }

    #[test]
    fn duplicates_are_all_reported_and_the_first_stays() {
        let tree = read("f", "a: 1\na: 2\nb: {c: 1, c: 2}\n");
        assert_eq!(codes(&tree), ["yaml.duplicate-key", "yaml.duplicate-key"]);
        let root = tree.root.expect("a map");
        assert_eq!(
            root.get("a")
                .and_then(Node::scalar)
                .map(|s| s.text.as_str()),
            Some("1")
        );
    }

    #[test]
    fn a_billion_laughs_ends_early() {
        let mut text = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
        for i in 1..30 {
            let refs = vec![format!("*a{}", i - 1); 9].join(", ");
            text.push_str(&format!("a{i}: &a{i} [{refs}]\n"));
        }
        assert_eq!(codes(&read("f", &text)), ["yaml.too-large"]);
        let mut deep = String::from("a0: &a0 [x]\n");
        for i in 1..5000 {
            deep.push_str(&format!("a{i}: &a{i} [*a{}]\n", i - 1));
        }
        assert_eq!(codes(&read("f", &deep)), ["yaml.too-deep"]);
    }

    #[test]
    fn what_is_not_one_plain_document_is_an_error() {
        for (text, code) in [
            ("a: [", "yaml.syntax"),
            ("a: 1\n---\nb: 2\n", "yaml.documents"),
            ("a: !thing x\n", "yaml.tag"),
            ("? [a]\n: b\n", "yaml.key"),
            ("a: &a [*a]\n", "yaml.alias"),
        ] {
            let tree = read("f", text);
            assert_eq!(codes(&tree), [code], "{text}");
            assert!(tree.root.is_none());
        }
        assert_eq!(codes(&read("f", &"[".repeat(10_000))), ["yaml.syntax"]);
        assert_eq!(
            codes(&read("f", &" ".repeat(MAX_BYTES + 1))),
            ["yaml.too-large"]
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}") {
            let _ = read("f", &text);
        }

        #[test]
        fn no_yaml_like_text_panics(text in "[a-c:&*\\[\\]{},'\"|>\n #!-]{0,120}") {
            let _ = read("f", &text);
        }
    }
}
