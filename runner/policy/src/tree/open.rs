//! Lists and maps under construction.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use sidestep_events::Position;

use super::{Key, Node, NodeKind};

/// The key that merges other maps into its map (<https://yaml.org/type/merge.html>). In quotes, it
/// is a key like any other.
const MERGE_KEY: &str = "<<";

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
    /// The line of the merge key, if there is one.
    merge: Option<u32>,
    /// The entries that the merge key adds, unless the map has keys of its own for them.
    more: Vec<(Key, Node)>,
    next: Next,
}

/// The expected next node of a map.
#[derive(Default)]
enum Next {
    #[default]
    Key,
    ValueOf(Key),
    /// The value of the merge key.
    Merged,
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
    /// The value of a merge key is something else than maps; the text names it.
    NotMergeable(&'static str),
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
            SoFar::Map(entries) => NodeKind::Map(entries.merged()),
        };
        Part {
            node: Node {
                at: self.at.into(),
                kind,
            },
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
            Next::Merged => self.merge(node)?,
            Next::Key => {
                let NodeKind::Scalar(scalar) = node.kind else {
                    return Err(Misplaced::KeyIsNoText);
                };
                let merges = scalar.plain && scalar.text == MERGE_KEY;
                let key = Key {
                    text: scalar.text,
                    at: node.at,
                };
                if merges {
                    if let Some(first) = self.merge {
                        self.next = Next::Skipped;
                        let key = key.text;
                        return Err(Misplaced::KeyTwice { key, first });
                    }
                    self.merge = Some(key.at.line);
                    self.next = Next::Merged;
                    return Ok(());
                }
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

    /// Takes the value of the merge key: a map, or a list of maps of which the earlier ones win.
    fn merge(&mut self, node: Node) -> Result<(), Misplaced> {
        let what = node.describe();
        match node.kind {
            NodeKind::Map(entries) => self.more.extend(entries),
            NodeKind::List(maps) => {
                for map in maps {
                    let what = map.describe();
                    let NodeKind::Map(entries) = map.kind else {
                        return Err(Misplaced::NotMergeable(what));
                    };
                    self.more.extend(entries);
                }
            }
            NodeKind::Scalar(_) => return Err(Misplaced::NotMergeable(what)),
        }
        Ok(())
    }

    /// Returns all entries. A key of the map itself wins over a merged one.
    fn merged(mut self) -> Vec<(Key, Node)> {
        for (key, node) in self.more {
            if let Entry::Vacant(new) = self.lines.entry(key.text.clone()) {
                new.insert(key.at.line);
                self.all.push((key, node));
            }
        }
        self.all
    }
}
