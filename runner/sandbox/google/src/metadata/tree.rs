//! The metadata tree, its paths and listings.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::account::Account;
use super::{Parameters, PodIdentity, Reply};
use crate::cloud::Cloud;

/// Returns the tree below `computeMetadata/v1`.
pub(super) fn build(cloud: &Cloud, pod: &PodIdentity, account: Option<&Account>) -> Value {
    let mut parts = pod.cluster.split('/').skip(1).step_by(2);
    let project = parts.next().unwrap_or_default();
    let location = parts.next().unwrap_or_default();
    let name = parts.next().unwrap_or_default();
    let (id, project) = cloud.project(project);
    // A regional cluster's nodes are in the region's zones; this node is in the first one.
    let zone = if location.split('-').count() > 2 {
        location.to_owned()
    } else {
        format!("{location}-b")
    };
    let mut accounts = Map::new();
    if let Some(account) = account {
        let shown =
            json!({"aliases": ["default"], "email": account.email, "scopes": account.scopes});
        accounts.insert(account.email.clone(), shown.clone());
        accounts.insert("default".to_owned(), shown);
    }
    json!({
        "instance": {
            "attributes": {"cluster-location": location, "cluster-name": name},
            "service-accounts": accounts,
            "zone": format!("projects/{}/zones/{zone}", project.number),
        },
        "project": {
            "numeric-project-id": project.number.parse::<u64>().unwrap_or_default(),
            "project-id": id,
        },
        "universe": {"universe-domain": "googleapis.com"},
    })
}

/// Returns the content of a path: a value, a listing, or with `recursive` the whole subtree.
pub(super) fn show(root: &Value, path: &[&str], query: &Parameters) -> Reply {
    let found = path
        .iter()
        .try_fold(root, |node, name| node.as_object()?.get(*name));
    match found {
        None => Reply::not_found(),
        Some(Value::Object(node)) if !query.recursive => {
            let line = |(name, value): (&String, &Value)| {
                // A service account also has a token, which is not listed as data.
                if value.is_object() {
                    format!("{name}/\n")
                } else {
                    format!("{name}\n")
                }
            };
            let mut lines: Vec<String> = node.iter().map(line).collect();
            if node.contains_key("aliases") {
                lines.push("token\n".to_owned());
            }
            lines.sort();
            Reply::Text(StatusCode::OK, lines.concat())
        }
        Some(node @ Value::Object(_)) if query.alt != "text" => Reply::Json(node.clone()),
        Some(node @ Value::Object(_)) => Reply::Text(StatusCode::OK, flat(node, "")),
        Some(value) if query.alt == "json" => Reply::Json(value.clone()),
        Some(value) => Reply::Text(StatusCode::OK, text(value)),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let mut lines: Vec<String> = items.iter().map(text).collect();
            lines.push(String::new());
            lines.join("\n")
        }
        other => other.to_string(),
    }
}

/// Formats a subtree for `recursive=true&alt=text`: one `path value` per line.
fn flat(node: &Value, at: &str) -> String {
    match node {
        Value::Object(children) => children
            .iter()
            .map(|(name, child)| flat(child, &format!("{at}{name}/")))
            .collect(),
        value => {
            let at = at.trim_end_matches('/');
            text(value)
                .lines()
                .flat_map(|line| [at, " ", line, "\n"])
                .collect()
        }
    }
}
