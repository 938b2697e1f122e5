//! Failure codes: each is one row of one table, from which the types, the documentation and the
//! JSON Schemas come.
//!
//! The list is closed for the runner and its plugins: a code is written as one of these constants,
//! and a test finds codes that are written as texts. It is open for readers and for other people's
//! plugins: a code that is not listed here is also valid.

mod builds;
mod clusters;
mod dockerfiles;
mod folders;
mod grants;
mod identities;
mod page;
mod pipelines;
mod plugins;
mod pods;
mod runs;
mod services;
mod steps;
#[cfg(test)]
mod tests;

use crate::{Class, Owner};

pub use builds::kaniko;
pub use clusters::kubernetes;
pub use dockerfiles::dockerfile;
pub use folders::{context, workspace};
pub use grants::{command, grant, policy, secret, settings};
pub use identities::{identity, key};
pub use page::fill;
pub use pipelines::{
    code, env, evaluator, expression, input, inputs, matrix, pipeline, retry, schema, yaml,
};
pub use plugins::{plugin, uses};
pub use pods::pod;
pub use runs::{sandbox, sidestep, state};
pub use services::{google, http, iam, registry, storage};
pub use steps::{call, checkpoint, cleanup, journal, limit, log, name, output, run, step};

/// A failure code and what it means.
#[derive(Debug, Clone, Copy)]
pub struct Code {
    /// The code: `pod.evicted`.
    pub name: &'static str,
    /// The classes of failures with it. Empty for a code that only warnings have.
    pub classes: &'static [Class],
    /// The owners of failures with it. Empty for a code that only warnings have.
    pub owners: &'static [Owner],
    /// A clause that says what happened.
    pub means: &'static str,
    /// A clause that says what to do.
    pub todo: &'static str,
}

/// A part of the table.
#[derive(Debug, Clone, Copy)]
pub struct Topic {
    /// The name, by which a page of the documentation asks for it.
    pub name: &'static str,
    /// The rows, in the order of the page.
    pub codes: &'static [Code],
}

/// The whole table.
pub const TOPICS: [Topic; 12] = [
    Topic {
        name: "pipelines",
        codes: pipelines::ROWS,
    },
    Topic {
        name: "steps",
        codes: steps::ROWS,
    },
    Topic {
        name: "plugins",
        codes: plugins::ROWS,
    },
    Topic {
        name: "grants",
        codes: grants::ROWS,
    },
    Topic {
        name: "dockerfiles",
        codes: dockerfiles::ROWS,
    },
    Topic {
        name: "identities",
        codes: identities::ROWS,
    },
    Topic {
        name: "builds",
        codes: builds::ROWS,
    },
    Topic {
        name: "pods",
        codes: pods::ROWS,
    },
    Topic {
        name: "clusters",
        codes: clusters::ROWS,
    },
    Topic {
        name: "services",
        codes: services::ROWS,
    },
    Topic {
        name: "folders",
        codes: folders::ROWS,
    },
    Topic {
        name: "runs",
        codes: runs::ROWS,
    },
];

/// Returns every code.
pub fn all() -> impl Iterator<Item = &'static Code> {
    TOPICS.iter().flat_map(|topic| topic.codes)
}

impl Code {
    /// Returns the row of one of the constants of these modules.
    ///
    /// It is for constants: the texts of a row are part of a guest only if the guest uses them, but
    /// a search at run time would make the whole table part of it.
    ///
    /// # Panics
    /// If the name is not in the table.
    pub const fn named(name: &str) -> Self {
        let mut topic = 0;
        while topic < TOPICS.len() {
            let rows = TOPICS[topic].codes;
            let mut row = 0;
            while row < rows.len() {
                if is_equal(rows[row].name.as_bytes(), name.as_bytes()) {
                    return rows[row];
                }
                row += 1;
            }
            topic += 1;
        }
        panic!("this code is not in the table")
    }
}

/// Compares two texts, as `==` cannot in a constant.
const fn is_equal(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

/// Lists the codes and accepts any other, for JSON Schemas: an editor offers the codes, and other
/// people's plugins have their own.
#[cfg(feature = "json")]
impl schemars::JsonSchema for Code {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Code".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<&str> = all().map(|code| code.name).collect();
        schemars::json_schema!({
            "description": "A code of the runner or of its own plugins, or another plugin's own.",
            "anyOf": [{ "enum": names }, { "type": "string" }],
        })
    }
}

/// Makes a constant of each code, in a module for each family, and the rows of a topic.
macro_rules! codes {
    ($($family:ident { $($constant:ident = $name:literal, [$($class:ident)*] [$($owner:ident)*] $means:literal $todo:literal;)* })*) => {
        $(
            #[doc = concat!("The codes of the family `", stringify!($family), "`.")]
            pub mod $family {
                $(
                    #[doc = concat!("`", $name, "`: ", $means, ".")]
                    pub const $constant: &str = $name;
                )*
            }
        )*

        pub(super) const ROWS: &[Code] = &[
            $($(Code {
                name: $name,
                classes: &[$(Class::$class),*],
                owners: &[$(Owner::$owner),*],
                means: $means,
                todo: $todo,
            },)*)*
        ];
    };
}
use codes;
