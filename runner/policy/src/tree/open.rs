//! Lists and maps under construction.

use std::collections::HashMap;

use sidestep_events::Position;

use super::{Key, Node, NodeKind};

/// A finished node and the cost of copying it.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) node: Node,
    pub(super) nodes: usize,
    pub(super) bytes: usize,
    pub(super) depth: usize,
}

impl Part {
    pub(super) fn of_scalar(node: Node, bytes: usize) -> Self {
        Self {
            node,
            nodes: 1,
            bytes,
            depth: 1,
        }
    }
}

/// A list or a map whose end has not been reached.
pub(super) struct Open {
    at: Position,
    pub(super) anchor: usize,
    so_far: SoFar,
    nodes: usize,
    bytes: usize,
    depth: usize,
}

enum SoFar {
    List(Vec<Node>),
    Map(Entries),
}

#[derive(Default)]
struct Entries {
    all: Vec<(Key, Node)>,
    /// The line of each key.
    lines: HashMap<String, u32>,
    next: Next,
}

/// The expected next node of a map.
#[derive(Default)]
enum Next {
    #[default]
    Key,
    ValueOf(Key),
    /// The value of a duplicate key, which is dropped.
    Skipped,
}

/// The reason why a node is not allowed at its place.
pub(super) enum Misplaced {
    /// A list or a map is used as a key.
    KeyIsNoText,
    /// The key is a duplicate; its value is dropped.
    KeyTwice {
        /// The key.
        key: String,
        /// The line of the first occurrence.
        first: u32,
    },
}

impl Open {
    pub(super) fn new(map: bool, anchor: usize, at: Position) -> Self {
        Self {
            at,
            anchor,
            so_far: if map {
                SoFar::Map(Entries::default())
            } else {
                SoFar::List(Vec::new())
            },
            nodes: 1,
            bytes: 0,
            depth: 1,
        }
    }

    /// Adds the next node.
    pub(super) fn take(&mut self, part: Part) -> Result<(), Misplaced> {
        self.nodes += part.nodes;
        self.bytes += part.bytes;
        self.depth = self.depth.max(part.depth + 1);
        match &mut self.so_far {
            SoFar::List(items) => {
                items.push(part.node);
                Ok(())
            }
            SoFar::Map(entries) => entries.take(part.node),
        }
    }

    /// Returns the finished node.
    pub(super) fn close(self) -> Part {
        let kind = match self.so_far {
            SoFar::List(items) => NodeKind::List(items),
            SoFar::Map(entries) => NodeKind::Map(entries.all),
        };
        Part {
            node: Node { at: self.at, kind },
            nodes: self.nodes,
            bytes: self.bytes,
            depth: self.depth,
        }
    }
}

impl Entries {
    fn take(&mut self, node: Node) -> Result<(), Misplaced> {
        match std::mem::take(&mut self.next) {
            Next::ValueOf(key) => self.all.push((key, node)),
            Next::Skipped => {}
            Next::Key => {
                let NodeKind::Scalar(scalar) = node.kind else {
                    return Err(Misplaced::KeyIsNoText);
                };
                let key = Key {
                    text: scalar.text,
                    at: node.at,
                };
                if let Some(first) = self.lines.get(&key.text) {
                    self.next = Next::Skipped;
                    return Err(Misplaced::KeyTwice {
                        first: *first,
                        key: key.text,
                    });
                }
                self.lines.insert(key.text.clone(), key.at.line);
                self.next = Next::ValueOf(key);
            }
        }
        Ok(())
    }
}
