//! What the API server refuses in an object's own text.

use serde_json::Value;

use crate::kinds::Kind;
use crate::names::{check_key, check_label, check_label_value, check_name};
use crate::status::{ApiError, Cause};

/// Judges a new object, its defaults filled in.
pub(crate) fn create(kind: &Kind, object: &Value) -> Result<(), ApiError> {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let mut causes = Vec::new();
    if name.is_empty() {
        causes.push(Cause::required(
            "metadata.name",
            "name or generateName is required",
        ));
    } else {
        causes.extend(check_name(kind, name));
    }
    metadata(object, &mut causes);
    match kind.plural {
        "pods" => pod(&object["spec"], &mut causes),
        "secrets" => data(object, "data", &mut causes),
        "configmaps" => {
            data(object, "data", &mut causes);
            data(object, "binaryData", &mut causes);
        }
        _ => {}
    }
    refuse(kind, name, &causes)
}

fn refuse(kind: &Kind, name: &str, causes: &[Cause]) -> Result<(), ApiError> {
    if causes.is_empty() {
        Ok(())
    } else {
        Err(ApiError::invalid(kind, name, causes))
    }
}

fn metadata(object: &Value, causes: &mut Vec<Cause>) {
    let meta = &object["metadata"];
    for (key, value) in meta["labels"].as_object().into_iter().flatten() {
        causes.extend(check_key("metadata.labels", key));
        causes.extend(check_label_value(
            "metadata.labels",
            value.as_str().unwrap_or_default(),
        ));
    }
    let mut size = 0;
    for (key, value) in meta["annotations"].as_object().into_iter().flatten() {
        causes.extend(check_key("metadata.annotations", &key.to_lowercase()));
        size += key.len() + value.as_str().map_or(0, str::len);
    }
    if size > 256 << 10 {
        causes.push(Cause {
            reason: "FieldValueTooLong",
            field: "metadata.annotations".to_owned(),
            message: "Too long: may not be more than 262144 bytes".to_owned(),
        });
    }
    for (n, owner) in meta["ownerReferences"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        for key in ["apiVersion", "kind", "name", "uid"] {
            if owner[key].as_str().is_none_or(str::is_empty) {
                let field = format!("metadata.ownerReferences[{n}].{key}");
                causes.push(Cause::required(field, &format!("{key} must not be empty")));
            }
        }
    }
}

fn data(object: &Value, field: &str, causes: &mut Vec<Cause>) {
    for key in object[field]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(k, _)| k)
    {
        let fine = !key.is_empty()
            && key.len() <= 253
            && key != "."
            && !key.starts_with("..")
            && key
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        if !fine {
            causes.push(Cause::invalid(
                format!("{field}[{key}]"),
                &key.as_str().into(),
                "a valid config key must consist of alphanumeric characters, '-', '_' or '.' \
                 (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is \
                 '[-._a-zA-Z0-9]+')",
            ));
        }
    }
}

fn pod(spec: &Value, causes: &mut Vec<Cause>) {
    let volumes: Vec<&str> = spec["volumes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|v| v["name"].as_str())
        .collect();
    for (n, name) in volumes.iter().enumerate() {
        let field = format!("spec.volumes[{n}].name");
        causes.extend(check_label(&field, name));
        if volumes[..n].contains(name) {
            causes.push(Cause::duplicate(field, &(*name).into()));
        }
    }
    if spec["containers"].as_array().is_none_or(Vec::is_empty) {
        causes.push(Cause::required("spec.containers", ""));
    }
    let mut names: Vec<String> = Vec::new();
    for list in ["initContainers", "containers"] {
        for (n, item) in spec[list].as_array().into_iter().flatten().enumerate() {
            let at = format!("spec.{list}[{n}]");
            let name = item["name"].as_str().unwrap_or_default();
            if name.is_empty() {
                causes.push(Cause::required(format!("{at}.name"), ""));
            } else {
                causes.extend(check_label(&format!("{at}.name"), name));
                if names.iter().any(|have| have == name) {
                    causes.push(Cause::duplicate(format!("{at}.name"), &name.into()));
                }
            }
            names.push(name.to_owned());
            if item["image"].as_str().is_none_or(|i| i.trim().is_empty()) {
                causes.push(Cause::required(format!("{at}.image"), ""));
            }
            container(item, &at, &volumes, causes);
        }
    }
    let policy = &spec["restartPolicy"];
    let known = ["Always", "OnFailure", "Never"];
    if !known.iter().any(|k| policy == k) {
        causes.push(Cause::unsupported("spec.restartPolicy", policy, &known));
    }
    if let Some(limit) = spec["activeDeadlineSeconds"].as_i64()
        && !(1..=i64::from(i32::MAX)).contains(&limit)
    {
        causes.push(Cause::invalid(
            "spec.activeDeadlineSeconds",
            &limit.into(),
            "must be between 1 and 2147483647, inclusive",
        ));
    }
}

fn container(item: &Value, at: &str, volumes: &[&str], causes: &mut Vec<Cause>) {
    for (n, mount) in item["volumeMounts"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        let name = mount["name"].as_str().unwrap_or_default();
        if !volumes.contains(&name) {
            causes.push(Cause::not_found(
                format!("{at}.volumeMounts[{n}].name"),
                name,
            ));
        }
        if mount["mountPath"].as_str().is_none_or(str::is_empty) {
            causes.push(Cause::required(
                format!("{at}.volumeMounts[{n}].mountPath"),
                "",
            ));
        }
    }
    for (n, env) in item["env"].as_array().into_iter().flatten().enumerate() {
        if env["name"].as_str().is_none_or(str::is_empty) {
            causes.push(Cause::required(format!("{at}.env[{n}].name"), ""));
        }
        if env["value"].as_str().is_some_and(|v| !v.is_empty()) && env["valueFrom"].is_object() {
            causes.push(Cause::invalid(
                format!("{at}.env[{n}].valueFrom"),
                &"".into(),
                "may not be specified when `value` is not empty",
            ));
        }
    }
}

/// Judges a change; what may never change is compared here.
pub(crate) fn update(kind: &Kind, old: &Value, new: &Value) -> Result<(), ApiError> {
    let name = old["metadata"]["name"].as_str().unwrap_or_default();
    let mut causes = Vec::new();
    for field in ["name", "namespace", "uid"] {
        if new["metadata"][field] != old["metadata"][field] {
            causes.push(Cause::invalid(
                format!("metadata.{field}"),
                &new["metadata"][field],
                "field is immutable",
            ));
        }
    }
    metadata(new, &mut causes);
    match kind.plural {
        "pods" if !same_pod_spec(&old["spec"], &new["spec"]) => causes.push(Cause::forbidden(
            "spec",
            "pod updates may not change fields other than `spec.containers[*].image`,\
             `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only \
             additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to \
             be set to 1 if it was previously negative)",
        )),
        "secrets" => {
            if old["type"] != new["type"] {
                causes.push(Cause::invalid("type", &new["type"], "field is immutable"));
            }
            data(new, "data", &mut causes);
        }
        "configmaps" => data(new, "data", &mut causes),
        _ => {}
    }
    if matches!(kind.plural, "secrets" | "configmaps")
        && old["immutable"] == true
        && (new["immutable"] != true
            || new["data"] != old["data"]
            || new["binaryData"] != old["binaryData"])
    {
        causes.push(Cause::forbidden(
            "data",
            "field is immutable when `immutable` is set",
        ));
    }
    refuse(kind, name, &causes)
}

fn same_pod_spec(old: &Value, new: &Value) -> bool {
    let bare = |spec: &Value| {
        let mut spec = spec.clone();
        if let Some(map) = spec.as_object_mut() {
            map.shift_remove("activeDeadlineSeconds");
            map.shift_remove("tolerations");
        }
        for list in ["initContainers", "containers"] {
            for item in crate::defaults::items(&mut spec, list) {
                if let Some(map) = item.as_object_mut() {
                    map.shift_remove("image");
                }
            }
        }
        spec
    };
    let kept = old["tolerations"]
        .as_array()
        .into_iter()
        .flatten()
        .all(|t| {
            new["tolerations"]
                .as_array()
                .is_some_and(|list| list.contains(t))
        });
    kept && bare(old) == bare(new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::defaults;
    use crate::kinds::core_kind;
    use serde_json::json;

    fn judged(mut pod: Value) -> String {
        defaults::fill("pods", &mut pod);
        create(core_kind("pods"), &pod).map_or_else(|e| e.to_string(), |()| String::new())
    }

    #[test]
    fn pods_are_refused_in_the_servers_words() {
        let error = judged(json!({ "metadata": { "name": "Bad" }, "spec": { "containers": [] } }));
        assert!(error.starts_with(
            "Pod \"Bad\" is invalid: [metadata.name: Invalid value: \"Bad\": a lowercase RFC 1123 subdomain"
        ), "{error}");
        assert!(
            error.ends_with("spec.containers: Required value]"),
            "{error}"
        );
        let error = judged(json!({ "metadata": { "name": "a" }, "spec": {
            "restartPolicy": "Sometimes",
            "containers": [{ "name": "c", "image": "i", "volumeMounts": [{ "name": "v", "mountPath": "/v" }] }],
        }}));
        assert_eq!(
            error,
            "Pod \"a\" is invalid: [spec.containers[0].volumeMounts[0].name: Not found: \"v\", \
            spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"OnFailure\", \"Never\"]"
        );
        assert_eq!(
            judged(
                json!({ "metadata": { "name": "a" }, "spec": { "containers": [{ "name": "c", "image": "i" }] } })
            ),
            ""
        );
    }

    #[test]
    fn only_some_of_a_pod_may_change() {
        let pods = core_kind("pods");
        let old = json!({ "metadata": { "name": "a" }, "spec": { "containers": [{ "name": "c", "image": "1" }] } });
        let mut new = old.clone();
        new["spec"]["containers"][0]["image"] = "2".into();
        assert!(update(pods, &old, &new).is_ok());
        new["spec"]["containers"][0]["command"] = json!(["x"]);
        let error = update(pods, &old, &new).expect_err("immutable").to_string();
        assert!(error.starts_with("Pod \"a\" is invalid: spec: Forbidden: pod updates may not change fields other than"), "{error}");
    }
}
