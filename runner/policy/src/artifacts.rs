//! The scopes of the run's artifacts.

use crate::Capability;
use crate::call::Call;
use crate::field::{Absent, Field, Holds};
use crate::limits::Limits;
use crate::pattern::Kind;

pub(crate) const FIELDS: &[Field] = &[Field {
    name: "names",
    holds: Holds::Patterns(Kind::Name),
    absent: Absent::Any,
}];

/// A call that stores or opens one artifact.
#[derive(Debug, Clone, Copy)]
pub struct ArtifactsCall<'a> {
    /// The artifact's name.
    pub name: &'a str,
}

impl Call for ArtifactsCall<'_> {
    fn capability(&self) -> Capability {
        Capability::Artifacts
    }

    fn facts(&self) -> Vec<(&'static str, &str)> {
        vec![("names", self.name)]
    }

    fn describe(&self) -> String {
        format!("use the artifact {}", self.name)
    }
}

pub(crate) fn explain(limits: &Limits) -> String {
    format!(
        "store and open {}",
        limits
            .words("names")
            .unwrap_or_else(|| "any artifact".to_owned())
    )
}
