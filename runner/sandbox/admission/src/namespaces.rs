use std::collections::BTreeSet;

/// Namespaces, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespaces(BTreeSet<String>);

impl Namespaces {
    /// Returns the namespaces of these names, or `None` if there are none.
    pub fn new<Name: Into<String>>(names: impl IntoIterator<Item = Name>) -> Option<Self> {
        let names: BTreeSet<String> = names.into_iter().map(Into::into).collect();
        (!names.is_empty()).then_some(Self(names))
    }

    /// Returns the names, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}
