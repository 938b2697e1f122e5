//! The API server's validation of objects.

mod pod;
#[cfg(test)]
mod tests;

pub(crate) use pod::bad_quantity;
use serde_json::Value;

use crate::kinds::Kind;
use crate::names::{check_key, check_label_value, check_name};
use crate::status::{ApiError, Cause};

/// Validates a new object with its defaults set.
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
        "pods" => pod::check(&object["spec"], &mut causes),
        "secrets" => {
            data(object, &mut causes);
            secret(object, &mut causes);
        }
        "configmaps" => data(object, &mut causes),
        "events" => {
            let (own, of) = (
                &object["metadata"]["namespace"],
                &object["involvedObject"]["namespace"],
            );
            if of.is_string() && own != of {
                let why = "does not match event.namespace";
                causes.push(Cause::invalid("involvedObject.namespace", of, why));
            }
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

/// Validates the keys of a Secret or a config map.
fn data(object: &Value, causes: &mut Vec<Cause>) {
    for field in ["data", "binaryData"] {
        for key in object[field].as_object().into_iter().flatten() {
            check_data_key(field, key.0, causes);
        }
    }
}

/// Requires the keys of a Secret's type.
fn secret(object: &Value, causes: &mut Vec<Cause>) {
    let required: &[&str] = match object["type"].as_str() {
        Some("kubernetes.io/dockerconfigjson") => &[".dockerconfigjson"],
        Some("kubernetes.io/dockercfg") => &[".dockercfg"],
        Some("kubernetes.io/ssh-auth") => &["ssh-privatekey"],
        Some("kubernetes.io/tls") => &["tls.crt", "tls.key"],
        _ => &[],
    };
    for key in required {
        if object["data"][*key].is_null() {
            causes.push(Cause::required(format!("data[{key}]"), ""));
        }
    }
}

fn check_data_key(field: &str, key: &str, causes: &mut Vec<Cause>) {
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
            &key.into(),
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.' \
             (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is \
             '[-._a-zA-Z0-9]+')",
        ));
    }
}

/// Refuses new finalizers of an object that is being deleted.
fn new_finalizers(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let finalizers = |object: &Value| -> Vec<String> {
        let list = object["metadata"]["finalizers"].as_array();
        let texts = list.into_iter().flatten().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    };
    let known = finalizers(old);
    let mut added = finalizers(new);
    added.retain(|finalizer| !known.contains(finalizer));
    if !old["metadata"]["deletionTimestamp"].is_null() && !added.is_empty() {
        let added: Vec<String> = added.iter().map(|name| format!("{name:?}")).collect();
        causes.push(Cause::forbidden(
            "metadata.finalizers",
            &format!(
                "no new finalizers can be added if the object is being deleted, found new \
                 finalizers []string{{{}}}",
                added.join(", ")
            ),
        ));
    }
}

/// Validates a change; immutable fields are compared here.
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
    new_finalizers(old, new, &mut causes);
    match kind.plural {
        "pods" if pod::changed_length(&old["spec"], &new["spec"]).is_some() => {
            let list = pod::changed_length(&old["spec"], &new["spec"]).unwrap_or_default();
            let why = "pod updates may not add or remove containers";
            causes.push(Cause::forbidden(format!("spec.{list}"), why));
        }
        "pods" if !pod::is_same(&old["spec"], &new["spec"]) => causes.push(Cause::forbidden(
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
            data(new, &mut causes);
        }
        "configmaps" => data(new, &mut causes),
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
