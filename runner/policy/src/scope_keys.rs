//! The keys of each capability's scope in words, from the tables that the readers use.

use crate::Capability;
use crate::capability::Scoped;
use crate::field::{Absent, Field, Holds};
use crate::pattern::Kind;

/// One key of a scope, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeKey {
    /// The key as it appears in files.
    pub name: &'static str,
    /// The type of its values: the words of a closed list, or the kind of pattern.
    pub holds: String,
    /// The meaning of a grant that leaves it out.
    pub absent: String,
}

/// Returns the keys of a capability's scope, in the contract's order.
pub fn scope_keys(capability: Capability) -> Vec<ScopeKey> {
    capability.fields().iter().map(ScopeKey::of).collect()
}

impl ScopeKey {
    fn of(field: &Field) -> Self {
        Self {
            name: field.name,
            holds: match field.holds {
                Holds::Patterns(kind) => how(kind).to_owned(),
                Holds::Words(words) => format!("one of {}, or * for all", words.join(", ")),
                Holds::Ports => "port numbers, or * for all".to_owned(),
                Holds::Amounts => "maximum amounts: { memory: 16Gi }".to_owned(),
            },
            absent: match field.absent {
                Absent::Required => "required".to_owned(),
                Absent::Any => "not limited".to_owned(),
                Absent::Nothing | Absent::Never => "nothing".to_owned(),
                Absent::Only(value) => format!("only {value}"),
            },
        }
    }
}

fn how(kind: Kind) -> &'static str {
    match kind {
        Kind::Path => "patterns of paths in the workspace",
        Kind::Name => "patterns of names",
        Kind::Host => "patterns of host names",
        Kind::Image => "patterns of images or repositories",
        Kind::Prefix => "prefixes of object names, in whole parts",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_capability_has_keys_and_each_says_what_it_holds() {
        for capability in Capability::ALL.iter().copied() {
            let keys = scope_keys(capability);
            assert!(!keys.is_empty(), "{capability}");
            assert!(keys.iter().all(|key| !key.holds.is_empty()), "{keys:?}");
        }
        let storage = scope_keys(Capability::Storage);
        assert_eq!(storage[0].name, "bucket");
        assert_eq!(storage[0].absent, "required");
    }
}
