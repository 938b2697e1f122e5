//! Finds many texts in one pass, a byte at a time (Aho and Corasick, "Efficient string matching: an
//! aid to bibliographic search", 1975).
//!
//! Unlike the `aho-corasick` crate, it reports after each byte how many of the last bytes may still
//! become a match: a stream holds back exactly those.

use std::collections::VecDeque;

const ROOT: u32 = 0;
/// No node: the root is not a child of any node.
const NONE: u32 = 0;

/// The state of the automaton after some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct State(u32);

#[derive(Clone, Copy)]
struct Node {
    first_child: u32,
    sibling: u32,
    fail: u32,
    depth: u32,
    longest: u32,
    unfinished: u32,
    byte: u8,
    is_end: bool,
}

/// The automaton of the texts that are searched for.
#[derive(Clone)]
pub(super) struct Automaton {
    nodes: Vec<Node>,
    from_root: [u32; 256],
    /// The next state for each byte after the first byte of a text, by that first byte: the most
    /// frequent case, so it needs no search.
    from_first: Vec<Option<Box<[u32; 256]>>>,
    deepest: u32,
}

impl Automaton {
    /// Returns an automaton without texts.
    pub(super) fn new() -> Self {
        Self {
            nodes: vec![Node::new(0, 0)],
            from_root: [NONE; 256],
            from_first: vec![None; 256],
            deepest: 0,
        }
    }

    /// Returns the number of states; each takes about 28 bytes of memory.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Returns the length of the longest text.
    pub(super) fn deepest(&self) -> usize {
        self.deepest as usize
    }

    /// Adds texts. The caller ensures that their bytes and [`len`](Self::len) together stay below
    /// 2^32.
    pub(super) fn extend<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) {
        self.from_first.fill(None);
        for text in texts {
            self.insert(text.as_bytes());
        }
        self.link();
        for first in self.from_root.iter().filter(|first| **first != NONE) {
            let mut row = Box::new([NONE; 256]);
            for (to, byte) in row.iter_mut().zip(0..=u8::MAX) {
                *to = self.next(State(*first), byte).0;
            }
            let byte = self.nodes[*first as usize].byte;
            self.from_first[usize::from(byte)] = Some(row);
        }
    }

    /// Returns the state after one more byte.
    pub(super) fn next(&self, State(mut at): State, byte: u8) -> State {
        loop {
            let Node {
                depth, byte: first, ..
            } = self.nodes[at as usize];
            if depth == 1
                && let Some(row) = &self.from_first[usize::from(first)]
            {
                return State(row[usize::from(byte)]);
            }
            let child = self.child(at, byte);
            if child != NONE || at == ROOT {
                return State(child);
            }
            at = self.nodes[at as usize].fail;
        }
    }

    /// Returns how many of the last bytes are the beginning of a longer text.
    pub(super) fn unfinished(&self, State(at): State) -> usize {
        self.nodes[at as usize].unfinished as usize
    }

    /// Returns how many of the last bytes are the beginning of a text, or all of one.
    pub(super) fn depth(&self, State(at): State) -> usize {
        self.nodes[at as usize].depth as usize
    }

    /// Returns the length of the longest text that ends here; 0 if none does.
    pub(super) fn longest_match(&self, State(at): State) -> usize {
        self.nodes[at as usize].longest as usize
    }

    fn child(&self, at: u32, byte: u8) -> u32 {
        if at == ROOT {
            return self.from_root[usize::from(byte)];
        }
        let mut child = self.nodes[at as usize].first_child;
        while child != NONE && self.nodes[child as usize].byte != byte {
            child = self.nodes[child as usize].sibling;
        }
        child
    }

    fn insert(&mut self, text: &[u8]) {
        let mut at = ROOT;
        for (depth, byte) in (1..).zip(text) {
            let child = self.child(at, *byte);
            at = if child == NONE {
                self.add_child(at, *byte, depth)
            } else {
                child
            };
        }
        self.nodes[at as usize].is_end = at != ROOT;
        self.deepest = self.deepest.max(self.nodes[at as usize].depth);
    }

    fn add_child(&mut self, parent: u32, byte: u8, depth: u32) -> u32 {
        let child = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let mut node = Node::new(byte, depth);
        node.sibling = self.nodes[parent as usize].first_child;
        self.nodes.push(node);
        self.nodes[parent as usize].first_child = child;
        if parent == ROOT {
            self.from_root[usize::from(byte)] = child;
        }
        child
    }

    /// Finds the fallback of each state, for a next byte that does not match: the state of the
    /// longest end of its text that is also the beginning of a text.
    fn link(&mut self) {
        let mut queue = VecDeque::from([ROOT]);
        while let Some(at) = queue.pop_front() {
            let Node {
                mut first_child,
                fail,
                ..
            } = self.nodes[at as usize];
            while first_child != NONE {
                let Node { byte, sibling, .. } = self.nodes[first_child as usize];
                let fail = if at == ROOT {
                    ROOT
                } else {
                    self.next(State(fail), byte).0
                };
                let Node {
                    longest,
                    unfinished,
                    ..
                } = self.nodes[fail as usize];
                let child = &mut self.nodes[first_child as usize];
                child.fail = fail;
                child.longest = if child.is_end { child.depth } else { longest };
                child.unfinished = if child.first_child == NONE {
                    unfinished
                } else {
                    child.depth
                };
                queue.push_back(first_child);
                first_child = sibling;
            }
        }
    }
}

impl Node {
    fn new(byte: u8, depth: u32) -> Self {
        Self {
            first_child: NONE,
            sibling: NONE,
            fail: ROOT,
            depth,
            longest: 0,
            unfinished: 0,
            byte,
            is_end: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Each state gives the same results as a search of all texts in all bytes so far.
        #[test]
        fn states_tell_what_a_plain_search_tells(
            first in prop::collection::vec("[abc]{1,6}", 0..5),
            second in prop::collection::vec("[abc]{1,6}", 1..5),
            text in "[abcd]{0,40}",
        ) {
            let mut automaton = Automaton::new();
            automaton.extend(first.iter().map(String::as_str));
            automaton.extend(second.iter().map(String::as_str));
            let texts: Vec<&String> = first.iter().chain(&second).collect();
            let mut state = State::default();
            for end in 1..=text.len() {
                state = automaton.next(state, text.as_bytes()[end - 1]);
                let past = &text[..end];
                let begun = (0..end).map(|from| &past[from..]);
                let begun = begun.filter(|tail| texts.iter().any(|text| text.starts_with(tail)));
                prop_assert_eq!(automaton.depth(state), begun.map(str::len).max().unwrap_or(0));
                let more = (0..end).map(|from| &past[from..]).filter(|tail| {
                    texts.iter().any(|text| text.starts_with(tail) && text.len() > tail.len())
                });
                let most = more.map(str::len).max().unwrap_or(0);
                prop_assert_eq!(automaton.unfinished(state), most);
                let ended = texts.iter().filter(|text| past.ends_with(text.as_str()));
                let longest = ended.map(|text| text.len()).max().unwrap_or(0);
                prop_assert_eq!(automaton.longest_match(state), longest);
            }
        }
    }
}
