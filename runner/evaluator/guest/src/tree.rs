//! Copies a parsed expression into the form in which its types are checked.

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SourceInfo};
use sidestep_evaluator::{Fold, Literal, Node, Span, Tree};

/// The maximum depth of a tree. Nothing is known of what lies deeper.
const MAX_DEPTH: usize = 200;

/// Copies a parsed expression; `text` is its source.
pub(crate) fn of(parsed: &IdedExpr, info: &SourceInfo, text: &str) -> Tree {
    let mut characters = Vec::with_capacity(text.len() + 1);
    for (index, character) in text.chars().enumerate() {
        characters.extend(std::iter::repeat_n(index, character.len_utf8()));
    }
    let mut copy = Copying {
        info,
        text: text.chars().collect(),
        characters,
        tree: Tree::default(),
    };
    copy.node(parsed, 0);
    copy.tree
}

struct Copying<'a> {
    info: &'a SourceInfo,
    text: Vec<char>,
    /// The character at each byte of the text.
    characters: Vec<usize>,
    tree: Tree,
}

/// A part of the text, as the offsets of its first character and after its last one.
type Range = (usize, usize);

impl Copying<'_> {
    /// Adds a node after its operands. Returns its index.
    fn node(&mut self, parsed: &IdedExpr, depth: usize) -> u16 {
        let below = depth + 1;
        let own = self.token(parsed.id);
        let (node, range) = match &parsed.expr {
            _ if depth > MAX_DEPTH => (Node::Other, own),
            Expr::Literal(LiteralValue::String(text)) => (Node::Text(text.inner().into()), own),
            Expr::Literal(literal) => (Node::Literal(kind(literal)), own),
            Expr::Ident(name) => (Node::Name(name.clone()), own),
            Expr::Select(select) => {
                let operand = self.node(&select.operand, below);
                let range = if select.test {
                    self.call_range("has", own)
                } else {
                    let start = self.whole(operand).0;
                    (start, self.end_of_field(own.1, &select.field))
                };
                let field = select.field.clone();
                (Node::Select(operand, field, select.test), range)
            }
            Expr::Call(call) => self.call(call, own, below),
            Expr::List(list) => {
                let items = list.elements.iter();
                let items = items.map(|item| self.node(item, below)).collect();
                (Node::List(items), (own.0, self.closed(own.0)))
            }
            Expr::Map(map) => {
                let entries = map.entries.iter().filter_map(|entry| match &entry.expr {
                    EntryExpr::MapEntry(entry) => {
                        let key = self.node(&entry.key, below);
                        Some((key, self.node(&entry.value, below)))
                    }
                    EntryExpr::StructField(_) => None,
                });
                (Node::Map(entries.collect()), (own.0, self.closed(own.0)))
            }
            Expr::Comprehension(fold) => {
                let range = self.node(&fold.iter_range, below);
                let fold = Fold {
                    range,
                    items: std::iter::once(&fold.iter_var)
                        .chain(&fold.iter_var2)
                        .cloned()
                        .collect(),
                    accu: fold.accu_var.clone(),
                    init: self.node(&fold.accu_init, below),
                    goes_on: self.node(&fold.loop_cond, below),
                    step: self.node(&fold.loop_step, below),
                    result: self.node(&fold.result, below),
                };
                let whole = (self.whole(range).0, self.closed(own.0));
                (Node::Fold(Box::new(fold)), whole)
            }
            Expr::Struct(_) | Expr::Unspecified => (Node::Other, own),
        };
        self.add(node, range)
    }

    fn call(&mut self, call: &CallExpr, own: Range, depth: usize) -> (Node, Range) {
        let target = call.target.as_deref();
        let target = target.map(|target| self.node(target, depth));
        let args: Vec<u16> = call.args.iter().map(|arg| self.node(arg, depth)).collect();
        let is_name = call.func_name.starts_with(|c: char| c.is_alphabetic());
        let range = match (target, args.as_slice()) {
            (Some(target), _) => (self.whole(target).0, self.closed(own.0)),
            (None, [list, ..]) if call.func_name == "_[_]" => {
                (self.whole(*list).0, self.closed(own.0))
            }
            (None, _) if is_name => self.call_range(&call.func_name, own),
            (None, all) => {
                let parts = all.iter().map(|arg| self.whole(*arg));
                parts.fold(own, |a, b| (a.0.min(b.0), a.1.max(b.1)))
            }
        };
        (Node::Call(call.func_name.clone(), target, args), range)
    }

    fn add(&mut self, node: Node, (start, end): Range) -> u16 {
        let short = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
        let end = end.clamp(start, self.text.len().max(start));
        let index = self.tree.nodes.len();
        self.tree.nodes.push(node);
        self.tree.spans.push(Span(short(start), short(end - start)));
        short(index)
    }

    /// Returns the range of the token that the parser kept for an expression; the whole text if it
    /// kept none.
    fn token(&self, id: u64) -> Range {
        let end = self.text.len();
        let character = |byte: u32| self.characters.get(byte as usize).copied();
        match self.info.offset_for(id) {
            Some((start, stop)) => (
                character(start).unwrap_or(end),
                character(stop).map_or(end, |last| last + 1),
            ),
            None => (0, end),
        }
    }

    /// Returns the range of an operand with the parentheses around it.
    fn whole(&self, node: u16) -> Range {
        let Span(start, length) = self.tree.spans[usize::from(node)];
        let (mut start, mut end) = (usize::from(start), usize::from(start) + usize::from(length));
        let at = |index: usize| self.text.get(index).copied();
        loop {
            let before = (0..start).rev().find(|i| !self.text[*i].is_whitespace());
            let after = (end..self.text.len()).find(|i| !self.text[*i].is_whitespace());
            match (before, after) {
                (Some(open), Some(close)) if at(open) == Some('(') && at(close) == Some(')') => {
                    // The parenthesis of a call belongs to the call.
                    let called = open.checked_sub(1).and_then(at);
                    if called.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                        break;
                    }
                    (start, end) = (open, close + 1);
                }
                _ => break,
            }
        }
        (start, end)
    }

    /// Returns the range of a call of a function, whose opening parenthesis is at `open`.
    fn call_range(&self, name: &str, open: Range) -> Range {
        let mut start = open.0;
        while start > 0 && self.text[start - 1].is_whitespace() {
            start -= 1;
        }
        let start = start.saturating_sub(name.chars().count());
        (start, self.closed(open.0))
    }

    /// Returns the offset after the bracket that closes the one at `open`.
    fn closed(&self, open: usize) -> usize {
        let (mut depth, mut quote, mut escaped) = (0_usize, None, false);
        for (index, &character) in self.text.iter().enumerate().skip(open) {
            match (character, quote) {
                _ if escaped => escaped = false,
                ('\\', Some(_)) => escaped = true,
                (c, Some(q)) if c == q => quote = None,
                (_, Some(_)) => {}
                ('\'' | '"', None) => quote = Some(character),
                ('(' | '[' | '{', None) => depth += 1,
                (')' | ']' | '}', None) => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return index + 1;
                    }
                }
                _ => {}
            }
        }
        self.text.len()
    }

    /// Returns the offset after a field's name, which follows the dot that ends at `dot`.
    fn end_of_field(&self, dot: usize, field: &str) -> usize {
        let spaces = self.text.iter().skip(dot).take_while(|c| c.is_whitespace());
        dot + spaces.count() + field.chars().count()
    }
}

fn kind(literal: &LiteralValue) -> Literal {
    match literal {
        LiteralValue::Boolean(_) => Literal::Boolean,
        LiteralValue::Bytes(_) => Literal::Bytes,
        LiteralValue::Double(_) => Literal::Double,
        LiteralValue::Int(_) => Literal::Int,
        // A text has a node of its own.
        LiteralValue::Null | LiteralValue::String(_) => Literal::Null,
        LiteralValue::UInt(_) => Literal::Uint,
    }
}
