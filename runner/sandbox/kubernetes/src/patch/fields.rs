//! Sets of fields, and their written form `FieldsV1` in `metadata.managedFields`.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{is_set, merge_key};

/// One step of a path: `f:name`, `k:{…}` or `v:…`, as FieldsV1 writes it.
pub(crate) type Path = Vec<String>;
/// The fields that a manager owns.
pub(crate) type Fields = BTreeSet<Path>;

/// Returns the merge key of a list item, for server-side apply.
fn item_key(field: &str, item: &Value) -> Option<String> {
    if field == "ports" {
        let protocol = item["protocol"].as_str().unwrap_or("TCP");
        let port = item.get("containerPort")?;
        return Some(format!(
            "k:{}",
            json!({ "containerPort": port, "protocol": protocol })
        ));
    }
    let by = merge_key(field)?;
    Some(format!("k:{}", json!({ by: item.get(by)? })))
}

/// Returns the fields of an object, except identifiers and fields that only the server writes.
pub(crate) fn of_object(object: &Value) -> Fields {
    let mut fields = Fields::new();
    let Some(map) = object.as_object() else {
        return fields;
    };
    for (key, value) in map {
        match key.as_str() {
            "apiVersion" | "kind" => {}
            "metadata" => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    if matches!(
                        name.as_str(),
                        "labels" | "annotations" | "finalizers" | "ownerReferences"
                    ) {
                        collect(&mut fields, &vec!["f:metadata".into()], name, value);
                    }
                }
            }
            _ => collect(&mut fields, &Vec::new(), key, value),
        }
    }
    fields
}

fn collect(fields: &mut Fields, at: &Path, name: &str, value: &Value) {
    let mut path = at.clone();
    path.push(format!("f:{name}"));
    inside(fields, path, name, value);
}

fn inside(fields: &mut Fields, path: Path, name: &str, value: &Value) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                collect(fields, &path, key, value);
            }
        }
        Value::Array(items) if !items.is_empty() && is_set(name) => {
            for item in items {
                let mut path = path.clone();
                path.push(format!("v:{item}"));
                fields.insert(path);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let keys: Option<Vec<String>> = items.iter().map(|i| item_key(name, i)).collect();
            let Some(keys) = keys else {
                fields.insert(path);
                return;
            };
            for (key, item) in keys.into_iter().zip(items) {
                let mut path = path.clone();
                path.push(key);
                // The item itself: its owner keeps it in the list.
                fields.insert(path.clone());
                for (name, value) in item.as_object().into_iter().flatten() {
                    collect(fields, &path, name, value);
                }
            }
        }
        _ => {
            fields.insert(path);
        }
    }
}

/// Returns the value at a path.
pub(crate) fn value_at<'a>(object: &'a Value, path: &[String]) -> Option<&'a Value> {
    let mut at = object;
    for step in path {
        at = if let Some(name) = step.strip_prefix("f:") {
            at.get(name)?
        } else {
            &at.as_array()?[position(at, step)?]
        };
    }
    Some(at)
}

fn position(list: &Value, step: &str) -> Option<usize> {
    let items = list.as_array()?;
    if let Some(value) = step.strip_prefix("v:") {
        let value: Value = serde_json::from_str(value).ok()?;
        return items.iter().position(|i| *i == value);
    }
    let keys: Map<String, Value> = serde_json::from_str(step.strip_prefix("k:")?).ok()?;
    items.iter().position(|item| {
        keys.iter()
            .all(|(k, v)| item[k] == *v || (k == "protocol" && item[k].is_null() && *v == "TCP"))
    })
}

/// Removes a field from an object, and the parents that become empty.
pub(crate) fn remove(object: &mut Value, path: &[String]) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    if rest.is_empty() {
        if let Some(name) = first.strip_prefix("f:") {
            if let Some(map) = object.as_object_mut() {
                map.shift_remove(name);
            }
        } else if let Some(at) = position(object, first)
            && let Some(list) = object.as_array_mut()
        {
            list.remove(at);
        }
        return;
    }
    let child = if let Some(name) = first.strip_prefix("f:") {
        object.get_mut(name)
    } else {
        position(object, first).and_then(|at| object.as_array_mut()?.get_mut(at))
    };
    let Some(child) = child else { return };
    remove(child, rest);
    let empty =
        child.as_object().is_some_and(Map::is_empty) || child.as_array().is_some_and(Vec::is_empty);
    if empty {
        remove(object, &path[..1]);
    }
}

/// Formats a path as in conflicts: `.spec.containers[name="a"].image`.
pub(crate) fn shown(path: &[String]) -> String {
    let mut text = String::new();
    for step in path {
        if let Some(name) = step.strip_prefix("f:") {
            text.push('.');
            text.push_str(name);
        } else if let Some(keys) = step.strip_prefix("k:") {
            let keys: Map<String, Value> = serde_json::from_str(keys).unwrap_or_default();
            let keys: Vec<String> = keys.iter().map(|(k, v)| format!("{k}={v}")).collect();
            text.extend(["[", &keys.join(","), "]"]);
        } else {
            text.extend(["[=", step.trim_start_matches("v:"), "]"]);
        }
    }
    text
}

/// Converts fields to `FieldsV1`.
pub(crate) fn to_json(fields: &Fields) -> Value {
    let mut root = Map::new();
    for path in fields {
        let mut at = &mut root;
        for (n, step) in path.iter().enumerate() {
            let next = at.entry(step.clone()).or_insert_with(|| json!({}));
            let Some(map) = next.as_object_mut() else {
                break;
            };
            if n + 1 == path.len() && step.starts_with("k:") {
                map.entry(".").or_insert_with(|| json!({}));
            }
            at = map;
        }
    }
    Value::Object(root)
}

/// Reads fields from `FieldsV1`.
pub(crate) fn from_json(value: &Value) -> Fields {
    fn walk(fields: &mut Fields, path: &Path, value: &Value) {
        let children = value.as_object();
        if children.is_none_or(Map::is_empty) {
            if !path.is_empty() {
                fields.insert(path.clone());
            }
            return;
        }
        for (key, child) in children.into_iter().flatten() {
            if key == "." {
                fields.insert(path.clone());
                continue;
            }
            let mut path = path.clone();
            path.push(key.clone());
            walk(fields, &path, child);
        }
    }
    let mut fields = Fields::new();
    walk(&mut fields, &Vec::new(), value);
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_round_trip() {
        let object = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": "a", "labels": { "x": "1" }, "finalizers": ["f/1"] },
            "spec": { "containers": [{ "name": "c", "image": "i", "ports": [{ "containerPort": 1 }] }] },
        });
        let fields = of_object(&object);
        assert_eq!(from_json(&to_json(&fields)), fields);
        let shown: Vec<String> = fields.iter().map(|p| shown(p)).collect();
        assert!(
            shown.contains(&".spec.containers[name=\"c\"].image".to_owned()),
            "{shown:?}"
        );
        assert!(
            !shown.iter().any(|p| p.contains("metadata.name")),
            "{shown:?}"
        );
        let mut copy = object.clone();
        for path in &fields {
            remove(&mut copy, path);
        }
        assert_eq!(
            copy,
            json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "a" } })
        );
    }
}
