//! The scopes of HTTP requests to other hosts.

use crate::Capability;
use crate::call::Call;
use crate::field::{Absent, Field, Holds};
use crate::limits::Limits;
use crate::pattern::Kind;

/// The methods of a request.
pub const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// The port of `https` (RFC 9110, section 4.2.2): the only allowed port if a scope names none.
const HTTPS: &str = "443";

pub(crate) const FIELDS: &[Field] = &[
    Field {
        name: "host",
        holds: Holds::Patterns(Kind::Host),
        absent: Absent::Required,
    },
    Field {
        name: "ports",
        holds: Holds::Ports,
        absent: Absent::Only(HTTPS),
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

/// One HTTP request.
#[derive(Debug, Clone, Copy)]
pub struct HttpCall<'a> {
    /// The host as sent: in lower case, without the port.
    pub host: &'a str,
    /// The port's number, as written in a URL.
    pub port: &'a str,
    /// The method, upper case.
    pub method: &'a str,
    /// The path as sent, beginning with `/`, without the query.
    pub path: &'a str,
}

impl Call for HttpCall<'_> {
    fn capability(&self) -> Capability {
        Capability::Http
    }

    fn facts(&self) -> Vec<(&'static str, &str)> {
        vec![
            ("host", self.host),
            ("ports", self.port),
            ("methods", self.method),
            ("paths", self.path),
        ]
    }

    fn describe(&self) -> String {
        let port = match self.port {
            HTTPS => String::new(),
            other => format!(":{other}"),
        };
        format!("{} https://{}{port}{}", self.method, self.host, self.path)
    }
}

pub(crate) fn explain(limits: &Limits) -> String {
    let requests = match limits.words("methods") {
        Some(methods) if methods != "*" => format!("send {methods} requests"),
        _ => "send any request".to_owned(),
    };
    let host = limits
        .words("host")
        .unwrap_or_else(|| "any host".to_owned());
    let paths = limits.words("paths").unwrap_or_default();
    let ports = match limits.get("ports") {
        Some(limit) if limit.is_only(HTTPS) => String::new(),
        _ => match limits.words("ports") {
            Some(ports) if ports != "*" => format!(" on port {ports}"),
            _ => " on any port".to_owned(),
        },
    };
    format!("{requests} to {host}{paths}{ports}")
}
