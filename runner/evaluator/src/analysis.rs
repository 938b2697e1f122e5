use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Kind, Tree};

/// A name that an expression reads: `steps.build.outputs.image`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reference {
    /// The first name.
    pub root: String,
    /// The names after it, as far as they are constant.
    pub path: Vec<String>,
    /// Whether it is within `default(…)` or `has(…)`.
    pub guarded: bool,
}

impl Reference {
    /// Returns the name in the syntax of expressions.
    pub fn text(&self) -> String {
        let mut text = self.root.clone();
        for part in &self.path {
            text.push('.');
            text.push_str(part);
        }
        text
    }
}

/// A name and a literal that an expression compares with it, by `==`, `!=` or `in`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// The name.
    pub reference: Reference,
    /// The literal.
    pub literal: Value,
}

/// The names and functions of an expression; each list is sorted and without duplicates.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Analysis {
    /// The names that it reads.
    pub references: Vec<Reference>,
    /// The functions and operators that it calls.
    pub functions: Vec<String>,
    /// The kind of its value, if it does not depend on the values that it reads.
    pub yields: Option<Kind>,
    /// The names that it reads where only a boolean makes sense: operands of `&&`, `||` and `!`,
    /// and the condition before `?`.
    pub conditions: Vec<Reference>,
    /// The names that it compares with a literal.
    pub comparisons: Vec<Comparison>,
    /// The parsed expression, for those that are not a single name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<Tree>,
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
