//! Label and field selectors.

use serde_json::Value;

use crate::status::ApiError;

#[derive(Debug, Clone, PartialEq)]
enum Term {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
}

/// Both selectors of a request; the default selects everything.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Selector {
    labels: Vec<Term>,
    /// Path, expected value, and whether it must be equal.
    fields: Vec<(String, String, bool)>,
}

impl Selector {
    pub(crate) fn parse(
        plural: &str,
        labels: Option<&str>,
        fields: Option<&str>,
    ) -> Result<Self, ApiError> {
        let mut selector = Self::default();
        for term in split_terms(labels.unwrap_or_default()) {
            selector.labels.push(parse_label(term)?);
        }
        for term in fields
            .unwrap_or_default()
            .split(',')
            .filter(|t| !t.is_empty())
        {
            let (path, value, equal) = if let Some((p, v)) = term.split_once("!=") {
                (p, v, false)
            } else if let Some((p, v)) = term.split_once("==").or_else(|| term.split_once('=')) {
                (p, v, true)
            } else {
                return Err(ApiError::bad_request(format!(
                    "invalid selector: '{term}'; can't understand '{term}'"
                )));
            };
            if !known_field(plural, path) {
                return Err(unknown_field(plural, path));
            }
            selector
                .fields
                .push((path.to_owned(), value.to_owned(), equal));
        }
        Ok(selector)
    }

    /// Returns whether every object matches.
    pub(crate) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub(crate) fn matches(&self, object: &Value) -> bool {
        let labels = &object["metadata"]["labels"];
        self.labels.iter().all(|term| match term {
            Term::In(key, values) => labels[key]
                .as_str()
                .is_some_and(|v| values.iter().any(|w| w == v)),
            Term::NotIn(key, values) => labels[key]
                .as_str()
                .is_none_or(|v| !values.iter().any(|w| w == v)),
            Term::Exists(key) => labels[key].is_string(),
            Term::Absent(key) => !labels[key].is_string(),
        }) && self
            .fields
            .iter()
            .all(|(path, wanted, equal)| (field(object, path) == *wanted) == *equal)
    }
}

/// Splits at commas that are not inside parentheses.
fn split_terms(text: &str) -> Vec<&str> {
    let mut terms = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                terms.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    terms.push(&text[start..]);
    terms.retain(|t| !t.trim().is_empty());
    terms
}

fn parse_label(term: &str) -> Result<Term, ApiError> {
    let text = term.trim();
    let bad = || {
        ApiError::bad_request(format!(
            "unable to parse requirement: '{text}' is not a label selector requirement"
        ))
    };
    let key = |k: &str| -> Result<String, ApiError> {
        let k = k.trim();
        match crate::names::check_key("key", k) {
            None => Ok(k.to_owned()),
            Some(cause) => Err(ApiError::bad_request(format!(
                "unable to parse requirement: <nil>: {}",
                cause.message
            ))),
        }
    };
    if let Some((head, rest)) = text.split_once('(') {
        let values: Vec<String> = rest
            .trim_end()
            .strip_suffix(')')
            .ok_or_else(bad)?
            .split(',')
            .map(|v| v.trim().to_owned())
            .collect();
        let mut words = head.split_whitespace();
        return match (words.next(), words.next(), words.next()) {
            (Some(k), Some("in"), None) => Ok(Term::In(key(k)?, values)),
            (Some(k), Some("notin"), None) => Ok(Term::NotIn(key(k)?, values)),
            _ => Err(bad()),
        };
    }
    if let Some((k, v)) = text.split_once("!=") {
        return Ok(Term::NotIn(key(k)?, vec![v.trim().to_owned()]));
    }
    if let Some((k, v)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return Ok(Term::In(key(k)?, vec![v.trim().to_owned()]));
    }
    match text.strip_prefix('!') {
        Some(k) => Ok(Term::Absent(key(k)?)),
        None => Ok(Term::Exists(key(text)?)),
    }
}

/// Returns whether the API server can select by a field of this kind.
fn known_field(plural: &str, path: &str) -> bool {
    let own: &[&str] = match plural {
        "pods" => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        "events" => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        "namespaces" => &["status.phase"],
        "nodes" => &["spec.unschedulable"],
        "secrets" => &["type"],
        _ => &[],
    };
    matches!(path, "metadata.name" | "metadata.namespace") || own.contains(&path)
}

fn field(object: &Value, path: &str) -> String {
    let path = if path == "source" {
        "source.component"
    } else {
        path
    };
    let value = path.split('.').fold(object, |at, part| &at[part]);
    match value {
        Value::String(text) => text.clone(),
        // An unset flag is selected as false.
        Value::Null if matches!(path, "spec.hostNetwork" | "spec.unschedulable") => {
            "false".to_owned()
        }
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Returns the error of a field that cannot be selected. Kinds without selectable fields of their own
/// name those of all kinds.
fn unknown_field(plural: &str, path: &str) -> ApiError {
    let own = ["pods", "nodes", "events", "namespaces", "secrets"];
    ApiError::bad_request(if own.contains(&plural) {
        format!("field label not supported: {path}")
    } else {
        format!(
            "\"{path}\" is not a known field selector: only \"metadata.name\", \
             \"metadata.namespace\""
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn takes(labels: &str, fields: &str) -> bool {
        let pod = json!({
            "metadata": { "name": "a", "labels": { "app": "x", "tier": "web" } },
            "status": { "phase": "Running" },
        });
        Selector::parse("pods", Some(labels), Some(fields))
            .expect("parses")
            .matches(&pod)
    }

    #[test]
    fn every_form_of_term() {
        for yes in [
            "",
            "app=x",
            "app==x",
            "app in (x, y),tier",
            "app notin (z)",
            "!gone",
            "app!=y",
        ] {
            assert!(takes(yes, ""), "{yes}");
        }
        for no in [
            "app=y",
            "app in (y)",
            "gone",
            "!app",
            "app!=x",
            "app notin (x)",
        ] {
            assert!(!takes(no, ""), "{no}");
        }
        assert!(takes("", "status.phase=Running,metadata.name!=b"));
        assert!(!takes("", "status.phase!=Running"));
    }

    #[test]
    fn bad_selectors_are_refused() {
        let error = Selector::parse("pods", None, Some("spec.nodename=a")).expect_err("unknown");
        assert_eq!(
            error.to_string(),
            "field label not supported: spec.nodename"
        );
        assert!(Selector::parse("pods", Some("a in (b"), None).is_err());
        assert!(Selector::parse("pods", Some("=x"), None).is_err());
    }
}
