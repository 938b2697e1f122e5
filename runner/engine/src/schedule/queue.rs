//! Tracks which instances may start: those whose needs are over.

use std::collections::BTreeSet;

use crate::Node;

/// The instances that have not started, by index.
pub(super) struct Queue {
    /// The number of needs of each instance that are not over.
    unmet: Vec<usize>,
    /// The instances that need each instance.
    dependents: Vec<Vec<usize>>,
    /// Instances whose needs are over and which have not started.
    ready: BTreeSet<usize>,
    /// The ready instances whose condition was true.
    passed: BTreeSet<usize>,
    /// The ready instances for which a wait was reported.
    told: BTreeSet<usize>,
}

impl Queue {
    pub(super) fn new(nodes: &[Node], is_over: impl Fn(usize) -> bool) -> Self {
        let mut dependents = vec![Vec::new(); nodes.len()];
        let mut unmet = vec![0; nodes.len()];
        for (index, node) in nodes.iter().enumerate() {
            for need in node.needs.iter().copied() {
                if !is_over(need) {
                    dependents[need].push(index);
                    unmet[index] += 1;
                }
            }
        }
        Self {
            unmet,
            dependents,
            ready: BTreeSet::new(),
            passed: BTreeSet::new(),
            told: BTreeSet::new(),
        }
    }

    /// Makes ready the wanted instances that wait for no other.
    pub(super) fn begin(&mut self, wanted: impl Iterator<Item = usize>) {
        self.ready = wanted.filter(|index| self.unmet[*index] == 0).collect();
    }

    /// Returns the first ready instance that is not in `looked_at`.
    pub(super) fn next(&self, looked_at: &BTreeSet<usize>) -> Option<usize> {
        self.ready.difference(looked_at).next().copied()
    }

    pub(super) fn pass(&mut self, index: usize) {
        self.passed.insert(index);
    }

    pub(super) fn has_passed(&self, index: usize) -> bool {
        self.passed.contains(&index)
    }

    /// Discards the results of all conditions.
    pub(super) fn ask_again(&mut self) {
        self.passed.clear();
    }

    /// Returns whether to report that the instance waits. It is `true` once per instance.
    pub(super) fn tell(&mut self, index: usize) -> bool {
        self.told.insert(index)
    }

    /// Removes an instance that starts, or that ends without a start.
    pub(super) fn take(&mut self, index: usize) {
        self.ready.remove(&index);
        self.passed.remove(&index);
        self.told.remove(&index);
    }

    /// Records that the instance is over. Dependents that wait for no other become ready, if
    /// `belongs` picks them.
    pub(super) fn over(&mut self, index: usize, belongs: impl Fn(usize) -> bool) {
        self.take(index);
        for dependent in std::mem::take(&mut self.dependents[index]) {
            self.unmet[dependent] -= 1;
            if self.unmet[dependent] == 0 && belongs(dependent) {
                self.ready.insert(dependent);
            }
        }
    }
}
