//! The scopes of changes to IAM.

use crate::Capability;
use crate::call::Call;
use crate::field::{Absent, Field, Holds};
use crate::limits::Limits;
use crate::pattern::Kind;

pub(crate) const FIELDS: &[Field] = &[
    Field {
        name: "resource",
        holds: Holds::Patterns(Kind::Name),
        absent: Absent::Required,
    },
    Field {
        name: "roles",
        holds: Holds::Patterns(Kind::Name),
        absent: Absent::Nothing,
    },
    Field {
        name: "members",
        holds: Holds::Patterns(Kind::Name),
        absent: Absent::Nothing,
    },
];

/// A change of one binding, or the creation of an account, a pool or a provider.
#[derive(Debug, Clone, Copy)]
pub struct IamWriteCall<'a> {
    /// The full resource name.
    pub resource: &'a str,
    /// The role, if a binding changes.
    pub role: Option<&'a str>,
    /// The member, if a binding changes.
    pub member: Option<&'a str>,
}

impl Call for IamWriteCall<'_> {
    fn capability(&self) -> Capability {
        Capability::IamWrite
    }

    fn facts(&self) -> Vec<(&'static str, &str)> {
        let mut facts = vec![("resource", self.resource)];
        facts.extend(self.role.map(|value| ("roles", value)));
        facts.extend(self.member.map(|value| ("members", value)));
        facts
    }

    fn describe(&self) -> String {
        match (self.role, self.member) {
            (Some(role), Some(member)) => format!("grant {member} {role} on {}", self.resource),
            _ => format!("create {}", self.resource),
        }
    }
}

pub(crate) fn explain(limits: &Limits) -> String {
    let resource = limits
        .words("resource")
        .unwrap_or_else(|| "any resource".to_owned());
    let roles = limits
        .words("roles")
        .unwrap_or_else(|| "any role".to_owned());
    let members = limits
        .words("members")
        .unwrap_or_else(|| "anyone".to_owned());
    format!("set {roles} for {members} on {resource}")
}
