use serde::{Deserialize, Serialize};

/// A name that an expression reads: `steps.build.outputs.image`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reference {
    /// The first name.
    pub root: String,
    /// The names after it, as far as they are constant.
    pub path: Vec<String>,
    /// Whether it stands within `default(…)` or `has(…)`.
    pub guarded: bool,
}

impl Reference {
    /// Returns the name as an author writes it.
    pub fn text(&self) -> String {
        let mut text = self.root.clone();
        for part in &self.path {
            text.push('.');
            text.push_str(part);
        }
        text
    }
}

/// What an expression reads and calls; sorted, each entry once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Analysis {
    /// The names that it reads.
    pub references: Vec<Reference>,
    /// The functions and operators that it calls.
    pub functions: Vec<String>,
}

impl Analysis {
    /// Returns whether the expression calls one of these functions.
    pub fn calls(&self, names: &[&str]) -> bool {
        self.functions.iter().any(|f| names.contains(&f.as_str()))
    }

    /// Returns whether the expression reads this variable or a part of it.
    pub fn reads(&self, root: &str) -> bool {
        self.references.iter().any(|r| r.root == root)
    }
}
