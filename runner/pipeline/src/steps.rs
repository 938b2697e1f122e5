//! The steps of a file, by their ids.

use std::collections::HashMap;
use std::ops::Deref;

use crate::file::Step;

/// The steps of a file in order, with an index of their ids: a file may have thousands of steps,
/// and each may name others.
#[derive(Debug, Clone, Default)]
pub(crate) struct Steps {
    all: Vec<Step>,
    /// The place of the first step with each id.
    index: HashMap<String, usize>,
}

impl Steps {
    /// Returns the step with that id.
    pub(crate) fn get(&self, id: &str) -> Option<&Step> {
        self.index.get(id).and_then(|place| self.all.get(*place))
    }

    /// Returns whether the step with that id has a matrix.
    pub(crate) fn have_matrix(&self, id: &str) -> bool {
        self.get(id).is_some_and(|step| step.matrix.is_some())
    }
}

impl From<Vec<Step>> for Steps {
    fn from(all: Vec<Step>) -> Self {
        let mut index = HashMap::with_capacity(all.len());
        for (place, step) in all.iter().enumerate() {
            index.entry(step.id.clone()).or_insert(place);
        }
        Self { all, index }
    }
}

impl Deref for Steps {
    type Target = [Step];

    fn deref(&self) -> &[Step] {
        &self.all
    }
}
