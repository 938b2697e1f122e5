//! Finds secrets in the views of a text that arrives byte by byte.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::automaton::State;
use super::covers::Covers;
use super::needles::Needles;
use super::view::{Alike, Unit, View, alike};

/// The number of invisible bytes that a secret may contain at least. With more, the whole span may
/// count as one secret, because more bytes cannot be held back.
const MOST_UNSEEN: usize = 64 << 10;
/// The interval, in bytes, between checks whether too many bytes are held back.
const CHECKED_EVERY: u64 = 1 << 10;
/// The maximum number of bytes of a text for one byte of a view: two layers of `\u0000`, whose six
/// characters may be escapes of three bytes each.
const WIDEST: usize = 18;

/// Searches for secrets; the result does not depend on how the text is split into pieces.
#[derive(Debug)]
pub(super) struct Finder {
    needles: Arc<Needles>,
    watches: Vec<Watch>,
    /// Whether all views are currently the same, so that the first watch stands for all.
    together: bool,
    /// The number of bytes that have arrived.
    at: u64,
    covers: Covers,
}

/// One view, and the state of the automaton in it.
#[derive(Debug)]
struct Watch {
    view: View,
    cursor: Cursor,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Cursor {
    state: State,
    /// The positions in the text of the bytes that begin a secret, or are one.
    begun: VecDeque<u64>,
    /// The number of these, counted from the end, that may become more of a secret.
    unfinished: usize,
}

impl Finder {
    /// Creates a finder that starts at an offset of the text.
    pub(super) fn new(needles: Arc<Needles>, at: u64) -> Self {
        let views = View::all().into_iter();
        Self {
            needles,
            watches: views
                .map(|view| Watch {
                    view,
                    cursor: Cursor::default(),
                })
                .collect(),
            together: true,
            at,
            covers: Covers::default(),
        }
    }

    /// Returns the ranges of secrets in a whole text.
    pub(super) fn find(needles: &Arc<Needles>, text: &[u8]) -> Vec<Range<u64>> {
        if needles.is_empty() {
            return Vec::new();
        }
        let mut finder = Self::new(Arc::clone(needles), 0);
        for byte in text {
            finder.push(*byte);
        }
        finder.finish();
        finder.take_covers(u64::MAX)
    }

    /// Adopts the results of an earlier finder that were not taken yet.
    pub(super) fn adopt(&mut self, before: Option<Self>) {
        let found = before
            .into_iter()
            .flat_map(|mut old| old.take_covers(u64::MAX));
        for place in found {
            self.covers.add(place);
        }
    }

    /// Returns whether it searches for these.
    pub(super) fn looks_for(&self, needles: &Arc<Needles>) -> bool {
        Arc::ptr_eq(&self.needles, needles)
    }

    /// Accepts the text's next byte.
    pub(super) fn push(&mut self, byte: u8) {
        let unit = Unit {
            byte,
            from: self.at,
            to: self.at + 1,
        };
        self.at += 1;
        match alike(byte) {
            Alike::Shown if self.together => {
                let cursor = &mut self.watches[0].cursor;
                cursor.step(unit, &self.needles, &mut self.covers);
            }
            Alike::Dropped if self.together => {}
            _ => self.push_apart(unit),
        }
        // By the offset, so that it does not depend on how the text is split.
        if self.at.is_multiple_of(CHECKED_EVERY) {
            self.give_up_what_is_too_long();
        }
    }

    fn give_up_what_is_too_long(&mut self) {
        let begun = self.undecided();
        let most = self.needles.longest() * WIDEST + MOST_UNSEEN;
        if self.at - begun > most as u64 {
            self.covers.add(begun..self.at);
            self.watches = Self::new(Arc::clone(&self.needles), self.at).watches;
            self.together = true;
        }
    }

    fn push_apart(&mut self, unit: Unit) {
        if self.together
            && let Some((first, others)) = self.watches.split_first_mut()
        {
            for other in others {
                other.cursor.clone_from(&first.cursor);
            }
        }
        for Watch { view, cursor } in &mut self.watches {
            view.push(unit, &mut |unit| {
                cursor.step(unit, &self.needles, &mut self.covers);
            });
        }
        if let Some((first, others)) = self.watches.split_first() {
            self.together = first.view.is_idle()
                && others
                    .iter()
                    .all(|other| other.cursor == first.cursor && other.view.is_idle());
        }
    }

    /// Ends the text.
    pub(super) fn finish(&mut self) {
        if self.together {
            return;
        }
        for Watch { view, cursor } in &mut self.watches {
            view.finish(&mut |unit| cursor.step(unit, &self.needles, &mut self.covers));
        }
    }

    /// Returns the offset of the first byte that may still become part of a secret: those before
    /// are decided.
    pub(super) fn undecided(&self) -> u64 {
        let watches = if self.together {
            &self.watches[..1]
        } else {
            &self.watches[..]
        };
        let begun = watches.iter().filter_map(|watch| {
            let begun = watch.cursor.unfinished();
            begun.into_iter().chain(watch.view.undecided()).min()
        });
        begun.min().unwrap_or(self.at)
    }

    /// Removes and returns the covers before an offset.
    pub(super) fn take_covers(&mut self, before: u64) -> Vec<Range<u64>> {
        self.covers.take(before)
    }
}

impl Cursor {
    /// Returns the offset of the first byte that may become part of a secret.
    fn unfinished(&self) -> Option<u64> {
        self.begun.get(self.begun.len() - self.unfinished).copied()
    }

    fn step(&mut self, unit: Unit, needles: &Needles, covers: &mut Covers) {
        let automaton = needles.automaton();
        self.state = automaton.next(self.state, unit.byte);
        self.begun.push_back(unit.from);
        let depth = automaton.depth(self.state);
        while self.begun.len() > depth {
            self.begun.pop_front();
        }
        self.unfinished = automaton.unfinished(self.state);
        let found = automaton.longest_match(self.state);
        if found > 0 {
            covers.add(self.begun[depth - found]..unit.to);
        }
    }
}
