//! Requests, parsed from their path, query and headers.

use std::collections::HashMap;

use http::{HeaderMap, Method, Uri, header};
use serde_json::Value;

use crate::auth::Action;
use crate::kinds::{Kind, by_plural};
use crate::patch::apply::Manager;
use crate::selectors::Selector;
use crate::status::{ApiError, Cause};
use crate::table::Include;

/// A request for a resource.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) verb: &'static str,
    pub(crate) kind: &'static Kind,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) subresource: String,
    pub(crate) query: Query,
}

impl Request {
    /// Reads a path below `/api/v1` or `/apis/GROUP/VERSION`.
    pub(crate) fn parse(method: &Method, uri: &Uri) -> Result<Self, ApiError> {
        let path: Vec<String> = uri
            .path()
            .split('/')
            .filter(|p| !p.is_empty())
            .map(|p| {
                percent_encoding::percent_decode_str(p)
                    .decode_utf8_lossy()
                    .into_owned()
            })
            .collect();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let (group, version, rest) = match path.as_slice() {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return Err(ApiError::no_such_page()),
        };
        let (namespace, plural, rest) = match rest {
            ["namespaces", namespace, plural, rest @ ..]
                if by_plural(group, plural).is_some_and(|k| k.namespaced) =>
            {
                (*namespace, *plural, rest)
            }
            [plural, rest @ ..] => ("", *plural, rest),
            [] => return Err(ApiError::no_such_page()),
        };
        let kind = by_plural(group, plural)
            .filter(|k| k.version == version)
            .ok_or_else(ApiError::no_such_page)?;
        let (name, subresource) = match rest {
            [] => ("", ""),
            [name] => (*name, ""),
            [name, sub] => (*name, *sub),
            _ => return Err(ApiError::no_such_page()),
        };
        if kind.namespaced && namespace.is_empty() && !name.is_empty() {
            return Err(ApiError::no_such_page());
        }
        let query = Query::parse(uri)?;
        let verb = match (method, name.is_empty()) {
            (&Method::GET | &Method::HEAD, true) if query.flag("watch") => "watch",
            (&Method::GET | &Method::HEAD, true) => "list",
            (&Method::GET | &Method::HEAD, false) => "get",
            (&Method::POST, _) => "create",
            (&Method::PUT, false) => "update",
            (&Method::PATCH, false) => "patch",
            (&Method::DELETE, false) => "delete",
            (&Method::DELETE, true) => "deletecollection",
            _ => return Err(ApiError::method_not_allowed()),
        };
        Ok(Self {
            verb,
            kind,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            subresource: subresource.to_owned(),
            query,
        })
    }

    pub(crate) fn action(&self) -> Action<'_> {
        Action {
            verb: self.verb,
            kind: self.kind,
            subresource: &self.subresource,
            // A namespace is its own scope.
            namespace: if self.kind.plural == "namespaces" {
                &self.name
            } else {
                &self.namespace
            },
            name: &self.name,
        }
    }

    pub(crate) fn selector(&self) -> Result<Selector, ApiError> {
        Selector::parse(
            self.kind.plural,
            self.query.get("labelSelector"),
            self.query.get("fieldSelector"),
        )
    }

    /// Returns whether a write is stored, that is, not a dry run.
    pub(crate) fn really(&self) -> Result<bool, ApiError> {
        match self.query.get("dryRun") {
            None | Some("") => Ok(true),
            Some("All") => Ok(false),
            Some(other) => {
                let kind = match self.verb {
                    "create" => "CreateOptions",
                    "update" => "UpdateOptions",
                    "patch" => "PatchOptions",
                    _ => "DeleteOptions",
                };
                let cause = Cause::unsupported("dryRun", &serde_json::json!([other]), &["All"]);
                Err(ApiError::invalid_options(kind, &cause))
            }
        }
    }

    /// Returns the field manager of a write: the parameter, or the client's name.
    pub(crate) fn manager(&self, headers: &HeaderMap) -> Manager {
        let agent = headers
            .get(header::USER_AGENT)
            .and_then(|v| v.to_str().ok())
            .and_then(|a| a.split('/').next())
            .filter(|a| !a.is_empty())
            .unwrap_or("unknown");
        Manager {
            name: self
                .query
                .get("fieldManager")
                .filter(|m| !m.is_empty())
                .unwrap_or(agent)
                .to_owned(),
            subresource: self.subresource.clone(),
        }
    }
}

/// The query's parameters; the last one of a repeated name applies.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query(HashMap<String, String>);

impl Query {
    fn parse(uri: &Uri) -> Result<Self, ApiError> {
        axum::extract::Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map(|q| Self(q.0.into_iter().collect()))
            .map_err(|error| ApiError::bad_request(error.body_text()))
    }

    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    pub(crate) fn flag(&self, key: &str) -> bool {
        matches!(self.get(key), Some("true" | "1" | ""))
    }

    /// Returns a parameter as a number; absent or empty is `None`.
    pub(crate) fn number<N: std::str::FromStr>(&self, key: &str) -> Result<Option<N>, ApiError> {
        match self.get(key) {
            None | Some("") => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| {
                ApiError::bad_request(format!(
                    "strconv.ParseInt: parsing {text:?}: invalid syntax"
                ))
            }),
        }
    }

    /// Returns the resource version; absent or empty is `None`.
    pub(crate) fn version(&self) -> Result<Option<u64>, ApiError> {
        match self.get("resourceVersion") {
            None | Some("") => Ok(None),
            Some(text) => text
                .parse()
                .map(Some)
                .map_err(|_| ApiError::invalid_version(text)),
        }
    }
}

/// The form of a response that a client requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Plain,
    Table(Include),
    Metadata,
}

impl Form {
    /// Returns the first acceptable form of the `Accept` header.
    pub(crate) fn accepted(headers: &HeaderMap, query: &Query) -> Result<Self, ApiError> {
        let Some(accept) = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()) else {
            return Ok(Self::Plain);
        };
        for item in accept.split(',') {
            let mut parts = item.split(';').map(str::trim);
            let media = parts.next().unwrap_or_default();
            if !matches!(media, "application/json" | "application/*" | "*/*" | "") {
                continue;
            }
            let parameters: HashMap<&str, &str> = parts.filter_map(|p| p.split_once('=')).collect();
            match parameters.get("as").copied() {
                None => return Ok(Self::Plain),
                Some("Table") if parameters.get("v") == Some(&"v1") => {
                    return Ok(Self::Table(Include::parse(query.get("includeObject"))));
                }
                Some("PartialObjectMetadata" | "PartialObjectMetadataList") => {
                    return Ok(Self::Metadata);
                }
                Some(_) => {}
            }
        }
        Err(ApiError::new(
            http::StatusCode::NOT_ACCEPTABLE,
            "NotAcceptable",
            "only the following media types are accepted: application/json",
        ))
    }
}

/// Returns only the metadata of an object.
pub(crate) fn metadata_of(object: &Value) -> Value {
    serde_json::json!({
        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
        "metadata": object["metadata"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(method: &Method, path: &str) -> Result<Request, ApiError> {
        Request::parse(method, &path.parse().expect("a uri"))
    }

    #[test]
    fn paths_and_verbs() {
        let r = parse(&Method::GET, "/api/v1/namespaces/a/pods/p/log?follow=true").expect("log");
        assert_eq!(
            (
                r.verb,
                r.kind.kind,
                &*r.namespace,
                &*r.name,
                &*r.subresource
            ),
            ("get", "Pod", "a", "p", "log")
        );
        assert!(r.query.flag("follow"));
        let r = parse(&Method::GET, "/api/v1/pods?watch=1").expect("watch");
        assert_eq!((r.verb, &*r.namespace), ("watch", ""));
        let r = parse(&Method::PATCH, "/api/v1/namespaces/a/status").expect("namespace");
        assert_eq!(
            (r.kind.kind, &*r.name, &*r.subresource),
            ("Namespace", "a", "status")
        );
        let r = parse(&Method::DELETE, "/api/v1/namespaces/a/pods").expect("collection");
        assert_eq!(r.verb, "deletecollection");
        for bad in [
            "/api/v2/pods",
            "/apis/apps/v1/deployments",
            "/api/v1/pods/p",
            "/api/v1",
        ] {
            assert!(parse(&Method::GET, bad).is_err(), "{bad}");
        }
        assert!(parse(&Method::PUT, "/api/v1/pods").is_err());
    }
}
