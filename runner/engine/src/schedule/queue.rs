//! Which instances may start: those whose needs are over.

use std::collections::BTreeSet;

use crate::Node;

/// The instances by their indexes, from the need that holds them back to their start.
pub(super) struct Queue {
    /// How many needs of each instance are not over.
    unmet: Vec<usize>,
    /// Whose need each instance is.
    dependents: Vec<Vec<usize>>,
    /// Instances whose needs are over, and which have not started.
    ready: BTreeSet<usize>,
    /// Those of them whose condition was true.
    passed: BTreeSet<usize>,
    /// Those of them that have said that they wait.
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

    /// Makes ready those of the instances that wait for no other.
    pub(super) fn begin(&mut self, wanted: impl Iterator<Item = usize>) {
        self.ready = wanted.filter(|index| self.unmet[*index] == 0).collect();
    }

    /// The first that is ready and was not looked at.
    pub(super) fn next(&self, looked_at: &BTreeSet<usize>) -> Option<usize> {
        self.ready.difference(looked_at).next().copied()
    }

    pub(super) fn pass(&mut self, index: usize) {
        self.passed.insert(index);
    }

    pub(super) fn has_passed(&self, index: usize) -> bool {
        self.passed.contains(&index)
    }

    /// Forgets whose condition was true.
    pub(super) fn ask_again(&mut self) {
        self.passed.clear();
    }

    /// Whether it is to be told that the instance waits: once.
    pub(super) fn tell(&mut self, index: usize) -> bool {
        self.told.insert(index)
    }

    /// Takes out what starts, or ends without a start.
    pub(super) fn take(&mut self, index: usize) {
        self.ready.remove(&index);
        self.passed.remove(&index);
        self.told.remove(&index);
    }

    /// The instance is over: those of its dependents that wait for no other are ready, if they
    /// belong to what runs now.
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
