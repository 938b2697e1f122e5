//! Requests to other hosts.

use crate::capability::Capability;
use crate::field::{Absent, Field, Holds};
use crate::pattern::Kind;
use crate::scope::{Call, Scope};

/// The methods of a request.
pub const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

pub(crate) const FIELDS: &[Field] = &[
    Field {
        name: "host",
        holds: Holds::Patterns(Kind::Host),
        absent: Absent::Required,
    },
    Field {
        name: "methods",
        holds: Holds::Words(METHODS),
        absent: Absent::Any,
    },
    Field {
        name: "paths",
        holds: Holds::Patterns(Kind::Name),
        absent: Absent::Any,
    },
];

/// One request.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The host name, lower case, without port.
    pub host: &'a str,
    /// The method, upper case.
    pub method: &'a str,
    /// The path, beginning with `/`, without query.
    pub path: &'a str,
}

impl Call for Request<'_> {
    fn capability(&self) -> Capability {
        Capability::Http
    }

    fn facts(&self) -> Vec<(&'static str, &str)> {
        vec![
            ("host", self.host),
            ("methods", self.method),
            ("paths", self.path),
        ]
    }

    fn describe(&self) -> String {
        format!("{} https://{}{}", self.method, self.host, self.path)
    }
}

pub(crate) fn explain(scope: &Scope) -> String {
    let methods = scope
        .words("methods")
        .unwrap_or_else(|| "send any request".to_owned());
    let host = scope.words("host").unwrap_or_else(|| "any host".to_owned());
    let paths = scope.words("paths").unwrap_or_default();
    format!("{methods} to {host}{paths}")
}
