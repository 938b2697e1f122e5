//! The scopes of Secret Manager.

use crate::Capability;
use crate::call::Call;
use crate::field::{Absent, Field, Holds};
use crate::limits::Limits;
use crate::pattern::Kind;

pub(crate) const FIELDS: &[Field] = &[Field {
    name: "secret",
    holds: Holds::Patterns(Kind::Name),
    absent: Absent::Required,
}];

/// A request for a handle of a secret's version.
#[derive(Debug, Clone, Copy)]
pub struct SecretManagerCall<'a> {
    /// `projects/P/secrets/S`, without the version.
    pub secret: &'a str,
}

impl Call for SecretManagerCall<'_> {
    fn capability(&self) -> Capability {
        Capability::SecretManager
    }

    fn facts(&self) -> Vec<(&'static str, &str)> {
        vec![("secret", self.secret)]
    }

    fn describe(&self) -> String {
        format!("use secret {}", self.secret)
    }
}

pub(crate) fn explain(limits: &Limits) -> String {
    crate::words::lookup(limits, "secret", "secret")
}
