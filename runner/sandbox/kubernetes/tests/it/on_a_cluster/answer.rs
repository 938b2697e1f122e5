//! Answers, without what differs between any two servers.

use std::time::Duration;

use http_body_util::BodyExt as _;
use regex::Regex;
use serde_json::Value;

use super::table::Request;

/// A server under comparison.
pub(crate) struct Server {
    client: kube::Client,
    volatile: Vec<(Regex, &'static str)>,
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    code: u16,
    body: Value,
}

/// Texts that differ between any two servers, and their replacements.
const VOLATILE: [(&str, &str); 7] = [
    (
        r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "UID",
    ),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
    (r"eyJ[\w-]+\.[\w-]+\.[\w-]+", "TOKEN"),
    (r"\bkube-api-access-[a-z0-9]{5}\b", "kube-api-access-XXXXX"),
    (r"\bmade-[a-z0-9]{5}\b", "made-XXXXX"),
    (
        r"ResourceVersion in record \(\d+\)",
        "ResourceVersion in record (N)",
    ),
    (r"^eyJ[\w=-]+$", "CONTINUE"),
];

impl Server {
    pub(crate) fn new(client: kube::Client) -> Self {
        let volatile =
            VOLATILE.map(|(pattern, text)| (Regex::new(pattern).expect("a pattern"), text));
        Self {
            client,
            volatile: volatile.to_vec(),
        }
    }

    pub(crate) async fn send(&self, request: &Request) -> Answer {
        let made = http::Request::builder()
            .method(request.method.as_str())
            .uri(&request.path)
            .header("content-type", request.media)
            .header("accept", "application/json")
            .header("user-agent", "table")
            .body(kube::client::Body::from(request.body.clone().into_bytes()))
            .expect("a request");
        let answer = async {
            let response = self.client.send(made).await.expect("an answer");
            let code = response.status().as_u16();
            let body = response.into_body().collect().await.expect("a body");
            (code, body.to_bytes())
        };
        let patience = Duration::from_mins(1);
        let answered = tokio::time::timeout(patience, answer).await;
        let (code, bytes) = answered.unwrap_or_else(|_| panic!("no end: {}", request.line));
        let text = String::from_utf8_lossy(&bytes);
        // A watch has an object on each line.
        let lines: Result<Vec<Value>, _> = text.lines().map(serde_json::from_str).collect();
        let mut body = match lines {
            Ok(lines) if lines.len() == 1 => lines.into_iter().next().unwrap_or_default(),
            Ok(lines) => Value::Array(lines),
            Err(_) => Value::String(text.into_owned()),
        };
        self.settle(&mut body);
        Answer { code, body }
    }

    /// Replaces what differs between any two servers.
    fn settle(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                for (pattern, replacement) in &self.volatile {
                    if pattern.is_match(text) {
                        *text = pattern.replace_all(text, *replacement).into_owned();
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.settle(item)),
            Value::Object(fields) => {
                let updated = fields.get("operation").is_some_and(|by| by == "Update");
                for (name, field) in fields {
                    match name.as_str() {
                        "resourceVersion" => *field = "VERSION".into(),
                        // See `differences.txt`.
                        "fieldsV1" if updated => *field = "FIELDS".into(),
                        _ => self.settle(field),
                    }
                }
            }
            _ => {}
        }
    }
}

/// Returns how our answer differs from theirs, a line for each place.
pub(crate) fn differences(theirs: &Answer, ours: &Answer) -> Vec<String> {
    let mut found = Vec::new();
    if theirs.code != ours.code {
        found.push(format!("code: {} instead of {}", ours.code, theirs.code));
    }
    compare("", &theirs.body, &ours.body, &mut found);
    found
}

fn compare(path: &str, theirs: &Value, ours: &Value, found: &mut Vec<String>) {
    match (theirs, ours) {
        (Value::Object(a), Value::Object(b)) => {
            let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for name in names {
                let missing = Value::String("(missing)".to_owned());
                let of = |fields: &serde_json::Map<String, Value>| fields.get(name).cloned();
                let (x, y) = (of(a).unwrap_or(missing.clone()), of(b).unwrap_or(missing));
                compare(&format!("{path}.{name}"), &x, &y, found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (x, y)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}[{index}]"), x, y, found);
            }
        }
        (x, y) if x == y => {}
        (x, y) => found.push(format!("{path}: {y} instead of {x}")),
    }
}
