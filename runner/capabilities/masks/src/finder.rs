//! Finds secrets in the views of a text that comes byte by byte.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::automaton::State;
use super::covers::Covers;
use super::needles::Needles;
use super::view::{Alike, Unit, View, alike};

/// How many bytes that are not seen may lie among a secret's, at least, before all of it counts as
/// one secret: more can't be held back.
const MOST_UNSEEN: usize = 64 << 10;
/// After how many bytes it is looked whether too many are held back.
const CHECKED_EVERY: u64 = 1 << 10;
/// The most bytes of a text that stand for one byte of a view: two layers of `\u0000`, whose six
/// characters may be escapes of three bytes each.
const WIDEST: usize = 18;

/// Looks for secrets; what it finds does not depend on how the text is cut into pieces.
#[derive(Debug)]
pub(super) struct Finder {
    needles: Arc<Needles>,
    watches: Vec<Watch>,
    /// Whether all views are the same by now, so that the first watch stands for all.
    together: bool,
    /// How many bytes have come.
    at: u64,
    covers: Covers,
}

/// One view, and where the automaton stands in it.
#[derive(Debug)]
struct Watch {
    view: View,
    cursor: Cursor,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Cursor {
    state: State,
    /// Where in the text the bytes are that begin a secret, or are one.
    begun: VecDeque<u64>,
    /// How many of these, the last ones, may become more of a secret.
    unfinished: usize,
}

impl Finder {
    /// Looks for these from an offset of the text on.
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

    /// Returns what secrets cover in a whole text.
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

    /// Takes over what an earlier one found and nobody took.
    pub(super) fn adopt(&mut self, before: Option<Self>) {
        let found = before
            .into_iter()
            .flat_map(|mut old| old.take_covers(u64::MAX));
        for place in found {
            self.covers.add(place);
        }
    }

    /// Whether it looks for these.
    pub(super) fn looks_for(&self, needles: &Arc<Needles>) -> bool {
        Arc::ptr_eq(&self.needles, needles)
    }

    /// Takes the text's next byte.
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
        // By the offset, so that it does not depend on how the text is cut.
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

    /// Returns where the bytes begin that may still become a secret: those before are decided.
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

    /// Removes and returns what is covered before an offset.
    pub(super) fn take_covers(&mut self, before: u64) -> Vec<Range<u64>> {
        self.covers.take(before)
    }
}

impl Cursor {
    /// Returns where the first byte is that may become a part of a secret.
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
