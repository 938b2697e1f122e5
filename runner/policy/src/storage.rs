//! The scopes of objects in Cloud Storage.

use crate::Capability;
use crate::call::Call;
use crate::field::{Absent, Field, Holds};
use crate::limits::Limits;
use crate::pattern::Kind;

/// The actions of a call.
pub const ACTIONS: &[&str] = &[
    "get",
    "list",
    "create",
    "update",
    "delete",
    "compose",
    "getBucket",
    "testPermissions",
];

pub(crate) const FIELDS: &[Field] = &[
    Field {
        name: "bucket",
        holds: Holds::Patterns(Kind::Name),
        absent: Absent::Required,
    },
    Field {
        name: "prefix",
        holds: Holds::Patterns(Kind::Prefix),
        absent: Absent::Any,
    },
    Field {
        name: "actions",
        holds: Holds::Words(ACTIONS),
        absent: Absent::Any,
    },
];

/// A call to one bucket.
#[derive(Debug, Clone, Copy)]
pub struct StorageCall<'a> {
    /// The bucket.
    pub bucket: &'a str,
    /// The object, or the listed prefix; `None` for the bucket itself.
    pub object: Option<&'a str>,
    /// One of the actions.
    pub action: &'a str,
}

impl Call for StorageCall<'_> {
    fn capability(&self) -> Capability {
        Capability::Storage
    }

    fn facts(&self) -> Vec<(&'static str, &str)> {
        let mut facts = vec![("bucket", self.bucket), ("actions", self.action)];
        facts.extend(self.object.map(|value| ("prefix", value)));
        facts
    }

    fn describe(&self) -> String {
        match self.object {
            Some(object) => format!("{} gs://{}/{object}", self.action, self.bucket),
            None => format!("{} gs://{}", self.action, self.bucket),
        }
    }
}

pub(crate) fn explain(limits: &Limits) -> String {
    let bucket = limits.words("bucket").unwrap_or_else(|| "**".to_owned());
    let prefix = limits.words("prefix").unwrap_or_default();
    let actions = limits.words("actions").unwrap_or_else(|| "use".to_owned());
    format!("{actions} objects in gs://{bucket}/{prefix}")
}
