//! The scopes of the pipeline's secrets.

use crate::Capability;
use crate::call::Call;
use crate::field::{Absent, Field, Holds};
use crate::limits::Limits;
use crate::pattern::Kind;

pub(crate) const FIELDS: &[Field] = &[Field {
    name: "names",
    holds: Holds::Patterns(Kind::Name),
    absent: Absent::Required,
}];

/// The use of one secret.
#[derive(Debug, Clone, Copy)]
pub struct SecretsCall<'a> {
    /// The secret's name in the pipeline.
    pub name: &'a str,
}

impl Call for SecretsCall<'_> {
    fn capability(&self) -> Capability {
        Capability::Secrets
    }

    fn facts(&self) -> Vec<(&'static str, &str)> {
        vec![("names", self.name)]
    }

    fn describe(&self) -> String {
        format!("use the secret {}", self.name)
    }
}

pub(crate) fn explain(limits: &Limits) -> String {
    format!(
        "use {}",
        limits
            .words("names")
            .unwrap_or_else(|| "every secret".to_owned())
    )
}
