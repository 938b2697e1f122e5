//! Server-side apply, and the record of the managers of each field.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::fields::{self, Fields};
use super::{is_set, merge_key};
use crate::clock::seconds;
use crate::status::ApiError;

/// A manager's entry in `metadata.managedFields`.
#[derive(Debug, Clone)]
struct Entry {
    manager: String,
    operation: String,
    subresource: String,
    time: String,
    fields: Fields,
}

fn read(object: &Value) -> Vec<Entry> {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    object["metadata"]["managedFields"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|e| Entry {
            manager: text(&e["manager"]),
            operation: text(&e["operation"]),
            subresource: text(&e["subresource"]),
            time: text(&e["time"]),
            fields: fields::from_json(&e["fieldsV1"]),
        })
        .collect()
}

fn write(object: &mut Value, entries: &[Entry]) {
    let version = object["apiVersion"].clone();
    let list: Vec<Value> = entries
        .iter()
        .filter(|e| !e.fields.is_empty())
        .map(|e| {
            let mut entry = json!({
                "manager": e.manager, "operation": e.operation, "apiVersion": version,
                "time": e.time, "fieldsType": "FieldsV1", "fieldsV1": fields::to_json(&e.fields),
            });
            if !e.subresource.is_empty() {
                entry["subresource"] = e.subresource.clone().into();
            }
            entry
        })
        .collect();
    let Some(metadata) = object["metadata"].as_object_mut() else {
        return;
    };
    if list.is_empty() {
        metadata.shift_remove("managedFields");
    } else {
        metadata.insert("managedFields".into(), list.into());
    }
}

/// A field manager, and the sub-resource of the write (empty for the object itself).
#[derive(Debug, Clone)]
pub(crate) struct Manager {
    pub(crate) name: String,
    pub(crate) subresource: String,
}

/// Records a plain write: the manager owns the fields that it changed.
pub(crate) fn record(old: &Value, new: &mut Value, manager: &Manager) {
    let before = fields::of_object(old);
    let after = fields::of_object(new);
    let changed: Fields = after
        .iter()
        .filter(|p| !before.contains(*p) || fields::value_at(old, p) != fields::value_at(new, p))
        .cloned()
        .collect();
    let mut entries = read(if new["metadata"]["managedFields"].is_array() {
        new
    } else {
        old
    });
    for entry in &mut entries {
        entry
            .fields
            .retain(|p| !changed.contains(p) && fields::value_at(new, p).is_some());
    }
    if !changed.is_empty() {
        let own = entries.iter_mut().find(|e| {
            e.manager == manager.name
                && e.operation == "Update"
                && e.subresource == manager.subresource
        });
        let time = seconds(Timestamp::now());
        if let Some(own) = own {
            own.fields.extend(changed);
            own.time = time;
        } else {
            entries.push(Entry {
                manager: manager.name.clone(),
                operation: "Update".to_owned(),
                subresource: manager.subresource.clone(),
                time,
                fields: changed,
            });
        }
    }
    write(new, &entries);
}

/// Applies a manager's configuration to the live object (`Null` if there is none).
pub(crate) fn apply(
    live: &Value,
    wish: &Value,
    manager: &Manager,
    force: bool,
) -> Result<Value, ApiError> {
    let wanted = fields::of_object(wish);
    let mut entries = read(live);
    let is_own = |e: &Entry| {
        e.manager == manager.name && e.operation == "Apply" && e.subresource == manager.subresource
    };
    let mut conflicts = Vec::new();
    for path in &wanted {
        let (have, want) = (fields::value_at(live, path), fields::value_at(wish, path));
        if have.is_none() || have == want || path.last().is_some_and(|s| s.starts_with("k:")) {
            continue;
        }
        for entry in entries
            .iter()
            .filter(|e| !is_own(e) && e.fields.contains(path))
        {
            let using = if entry.operation == "Apply" {
                format!("{:?}", entry.manager)
            } else {
                format!(
                    "{:?} using {}",
                    entry.manager,
                    live["apiVersion"].as_str().unwrap_or("v1")
                )
            };
            conflicts.push((using, fields::shown(path)));
        }
    }
    if !conflicts.is_empty() && !force {
        return Err(ApiError::apply_conflict(&conflicts));
    }
    let mut result = if live.is_null() {
        json!({})
    } else {
        live.clone()
    };
    // Fields that this manager applied before and now omits are removed, unless others own them
    // too.
    let previous: Fields = entries
        .iter()
        .filter(|e| is_own(e))
        .flat_map(|e| e.fields.iter().cloned())
        .collect();
    for path in previous.difference(&wanted) {
        let shared = entries
            .iter()
            .any(|e| !is_own(e) && e.fields.iter().any(|p| p.starts_with(path)));
        if !shared && !wanted.iter().any(|p| p.starts_with(path)) {
            fields::remove(&mut result, path);
        }
    }
    merge(&mut result, wish, "");
    for entry in &mut entries {
        entry.fields.retain(|p| {
            let taken = wanted.contains(p)
                && !p.last().is_some_and(|s| s.starts_with("k:"))
                && fields::value_at(live, p) != fields::value_at(wish, p);
            !taken && fields::value_at(&result, p).is_some()
        });
    }
    let same = entries.iter().any(|e| is_own(e) && e.fields == wanted);
    if !same {
        entries.retain(|e| !is_own(e));
        entries.push(Entry {
            manager: manager.name.clone(),
            operation: "Apply".to_owned(),
            subresource: manager.subresource.clone(),
            time: seconds(Timestamp::now()),
            fields: wanted,
        });
    }
    write(&mut result, &entries);
    Ok(result)
}

fn merge(target: &mut Value, wish: &Value, field: &str) {
    match wish {
        Value::Object(map) => {
            if !target.is_object() {
                *target = json!({});
            }
            for (key, value) in map {
                if !value.is_null() {
                    merge(&mut target[key], value, key);
                }
            }
        }
        Value::Array(items) => {
            let by = merge_key(field);
            match (target.as_array_mut(), by) {
                (Some(list), Some(by)) => {
                    for item in items {
                        let same = |have: &Value| {
                            have[by] == item[by]
                                && (field != "ports" || protocol(have) == protocol(item))
                        };
                        match list.iter().position(same) {
                            Some(at) => merge(&mut list[at], item, ""),
                            None => list.push(item.clone()),
                        }
                    }
                }
                (Some(list), None) if is_set(field) => {
                    for item in items {
                        if !list.contains(item) {
                            list.push(item.clone());
                        }
                    }
                }
                _ => *target = wish.clone(),
            }
        }
        scalar => *target = scalar.clone(),
    }
}

fn protocol(port: &Value) -> &str {
    port["protocol"].as_str().unwrap_or("TCP")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manager(name: &str) -> Manager {
        Manager {
            name: name.to_owned(),
            subresource: String::new(),
        }
    }

    fn map(data: &Value) -> Value {
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "m" }, "data": data })
    }

    #[test]
    fn another_managers_field_is_a_conflict_unless_forced() {
        let live = apply(
            &Value::Null,
            &map(&json!({ "a": "1" })),
            &manager("one"),
            false,
        )
        .expect("creates");
        let wish = map(&json!({ "a": "2", "b": "1" }));
        let error = apply(&live, &wish, &manager("two"), false).expect_err("conflicts");
        assert_eq!(
            error.to_string(),
            "Apply failed with 1 conflict: conflict with \"one\": .data.a"
        );
        let forced = apply(&live, &wish, &manager("two"), true).expect("forced");
        assert_eq!(forced["data"], json!({ "a": "2", "b": "1" }));
        let entries = read(&forced);
        assert!(
            entries.iter().all(|e| e.manager != "one"),
            "one owns nothing any more"
        );
    }

    #[test]
    fn what_is_no_longer_wished_goes() {
        let one = manager("one");
        let live = apply(
            &Value::Null,
            &map(&json!({ "a": "1", "b": "1" })),
            &one,
            false,
        )
        .expect("made");
        let live = apply(&live, &map(&json!({ "a": "1" })), &one, false).expect("applied");
        assert_eq!(live["data"], json!({ "a": "1" }));
    }

    #[test]
    fn a_plain_write_takes_what_it_changes() {
        let mut old = map(&json!({ "a": "1" }));
        record(&json!({}), &mut old, &manager("create"));
        let mut new = old.clone();
        new["data"]["a"] = "2".into();
        record(&old, &mut new, &manager("edit"));
        let error =
            apply(&new, &map(&json!({ "a": "3" })), &manager("x"), false).expect_err("conflicts");
        assert!(
            error
                .to_string()
                .contains("conflict with \"edit\" using v1: .data.a"),
            "{error}"
        );
    }
}
