//! Strategic merge patches: merge patches that merge some lists by key.
//!
//! Rules: "Strategic Merge Patch" in kubernetes/community (sig-api-machinery).

use serde_json::{Map, Value};

use super::{is_set, merge_key};
use crate::status::ApiError;

const ORDER: &str = "$setElementOrder/";
const DELETE: &str = "$deleteFromPrimitiveList/";

/// Applies a patch to an object.
pub(crate) fn strategic(target: &mut Value, patch: &Value) -> Result<(), ApiError> {
    let Some(patch) = patch.as_object() else {
        return Err(ApiError::bad_request(
            "error decoding patch: it is not an object",
        ));
    };
    merge_maps(target, patch)
}

fn merge_maps(target: &mut Value, patch: &Map<String, Value>) -> Result<(), ApiError> {
    match patch.get("$patch").and_then(Value::as_str) {
        Some("replace") => {
            *target = Value::Object(without_directives(patch));
            return Ok(());
        }
        Some("delete") => {
            *target = Value::Null;
            return Ok(());
        }
        Some("merge") | None => {}
        Some(other) => {
            return Err(ApiError::bad_request(format!(
                "Unknown patch type {other} found in patch"
            )));
        }
    }
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(map) = target.as_object_mut() else {
        return Ok(());
    };
    if let Some(keep) = patch.get("$retainKeys").and_then(Value::as_array) {
        map.retain(|key, _| keep.iter().any(|k| k == key));
    }
    for (key, value) in patch {
        if let Some(field) = key.strip_prefix(DELETE) {
            if let (Some(Value::Array(list)), Some(gone)) = (map.get_mut(field), value.as_array()) {
                list.retain(|item| !gone.contains(item));
            }
        } else if key.starts_with('$') {
            // Order directives are kept below; the others were handled above.
        } else if value.is_null() {
            map.shift_remove(key);
        } else {
            merge_field(map, key, value)?;
        }
    }
    for (key, order) in patch {
        if let Some(field) = key.strip_prefix(ORDER)
            && let (Some(Value::Array(list)), Some(order)) = (map.get_mut(field), order.as_array())
        {
            reorder(field, list, order);
        }
    }
    Ok(())
}

fn merge_field(map: &mut Map<String, Value>, key: &str, value: &Value) -> Result<(), ApiError> {
    let slot = map.entry(key.to_owned()).or_insert(Value::Null);
    match value {
        Value::Object(patch) => {
            merge_maps(slot, patch)?;
            if slot.is_null() {
                map.shift_remove(key);
            }
        }
        Value::Array(items) => {
            if let Some(by) = merge_key(key).filter(|_| items.iter().all(Value::is_object)) {
                merge_list(slot, items, key, by)?;
            } else if let (true, Some(list)) = (is_set(key), slot.as_array_mut()) {
                for item in items {
                    if !list.contains(item) {
                        list.push(item.clone());
                    }
                }
            } else {
                *slot = value.clone();
            }
        }
        scalar => *slot = scalar.clone(),
    }
    Ok(())
}

fn merge_list(slot: &mut Value, items: &[Value], field: &str, by: &str) -> Result<(), ApiError> {
    if !slot.is_array() {
        *slot = Value::Array(Vec::new());
    }
    let Some(list) = slot.as_array_mut() else {
        return Ok(());
    };
    if items.iter().any(|i| i["$patch"] == "replace") {
        *list = items
            .iter()
            .filter_map(Value::as_object)
            .map(without_directives)
            .filter(|i| !i.is_empty())
            .map(Value::Object)
            .collect();
        return Ok(());
    }
    for item in items {
        let id = &item[by];
        if id.is_null() {
            return Err(ApiError::bad_request(format!(
                "map: {item} does not contain declared merge key: {by} (in {field})"
            )));
        }
        let at = list.iter().position(|have| have[by] == *id);
        match (at, item["$patch"].as_str(), item.as_object()) {
            (Some(at), Some("delete"), _) => {
                list.remove(at);
            }
            (None, Some("delete"), _) | (_, _, None) => {}
            (Some(at), _, Some(patch)) => merge_maps(&mut list[at], patch)?,
            (None, _, Some(patch)) => {
                let mut fresh = Value::Null;
                merge_maps(&mut fresh, patch)?;
                list.push(fresh);
            }
        }
    }
    Ok(())
}

fn reorder(field: &str, list: &mut [Value], order: &[Value]) {
    let place = |item: &Value| {
        order
            .iter()
            .position(|o| match merge_key(field) {
                Some(by) => o[by] == item[by],
                None => o == item,
            })
            .unwrap_or(usize::MAX)
    };
    list.sort_by_key(place);
}

fn without_directives(patch: &Map<String, Value>) -> Map<String, Value> {
    patch
        .iter()
        .filter(|(k, _)| !k.starts_with('$'))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn after(mut target: Value, patch: &Value) -> Value {
        strategic(&mut target, patch).expect("applies");
        target
    }

    #[test]
    fn lists_merge_by_their_key() {
        let pod = json!({ "containers": [
            { "name": "a", "image": "1", "env": [{ "name": "X", "value": "1" }] },
            { "name": "b", "image": "1" },
        ]});
        let patch = json!({ "containers": [
            { "name": "a", "env": [{ "name": "Y", "value": "2" }] },
            { "name": "b", "$patch": "delete" },
            { "name": "c", "image": "3" },
        ]});
        assert_eq!(
            after(pod, &patch),
            json!({ "containers": [
                { "name": "a", "image": "1",
                  "env": [{ "name": "X", "value": "1" }, { "name": "Y", "value": "2" }] },
                { "name": "c", "image": "3" },
            ]})
        );
    }

    #[test]
    fn directives() {
        let volumes = json!({ "volumes": [{ "name": "v", "emptyDir": {} }] });
        let patch = json!({ "volumes": [
            { "name": "v", "$retainKeys": ["name", "secret"], "secret": { "secretName": "s" } },
        ]});
        assert_eq!(
            after(volumes, &patch),
            json!({ "volumes": [{ "name": "v", "secret": { "secretName": "s" } }] })
        );
        assert_eq!(
            after(
                json!({ "a": { "b": 1 } }),
                &json!({ "a": { "$patch": "delete" } })
            ),
            json!({})
        );
        assert_eq!(
            after(
                json!({ "finalizers": ["a", "b"] }),
                &json!({ "$deleteFromPrimitiveList/finalizers": ["a"] })
            ),
            json!({ "finalizers": ["b"] })
        );
        assert_eq!(
            after(
                json!({ "env": [{ "name": "A" }, { "name": "B" }] }),
                &json!({ "$setElementOrder/env": [{ "name": "B" }, { "name": "A" }] })
            ),
            json!({ "env": [{ "name": "B" }, { "name": "A" }] })
        );
        assert_eq!(
            after(
                json!({ "a": { "b": 1, "c": 2 } }),
                &json!({ "a": { "b": null } })
            ),
            json!({ "a": { "c": 2 } })
        );
    }

    #[test]
    fn a_missing_merge_key_is_refused() {
        let mut target = json!({});
        assert!(strategic(&mut target, &json!({ "env": [{ "value": "x" }] })).is_err());
        assert!(strategic(&mut target, &json!([])).is_err());
    }
}
