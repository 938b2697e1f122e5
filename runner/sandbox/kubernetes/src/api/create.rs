//! Creation of objects, with admission.

use std::sync::Arc;

use serde_json::{Value, json};

use super::quota;
use crate::defaults;
use crate::key::Key;
use crate::kinds::{Kind, core_kind};
use crate::names::suffix;
use crate::patch::apply::{self, Manager};
use crate::status::ApiError;
use crate::store::Transaction;
use crate::validate;

/// The data for the creation of an object, besides the object.
pub(crate) struct Creation<'a> {
    pub(crate) kind: &'static Kind,
    pub(crate) namespace: &'a str,
    /// `None`: the object has its own record of managers (server-side apply).
    pub(crate) manager: Option<&'a Manager>,
    /// The cluster's CA, in PEM, for `kube-root-ca.crt`.
    pub(crate) ca: &'a str,
}

/// Creates an object whose types have been checked.
pub(crate) fn create(
    tx: &mut Transaction<'_>,
    creation: &Creation<'_>,
    mut object: Value,
) -> Result<Arc<Value>, ApiError> {
    let Creation {
        kind, namespace, ..
    } = *creation;
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    place(kind, namespace, &mut object)?;
    let generated = object["metadata"]["name"]
        .as_str()
        .is_none_or(str::is_empty);
    if generated && let Some(prefix) = object["metadata"]["generateName"].as_str() {
        let prefix: String = prefix.chars().take(58).collect();
        object["metadata"]["name"] = format!("{prefix}{}", suffix()).into();
    }
    let name = object["metadata"]["name"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    if kind.namespaced {
        let home = tx
            .get(&Key::new("namespaces", "", namespace))
            .ok_or_else(|| ApiError::not_found(core_kind("namespaces"), namespace))?;
        if home["metadata"]["deletionTimestamp"].is_string() {
            return Err(ApiError::forbidden(
                kind,
                &name,
                &format!(
                    "unable to create new content in namespace {namespace} because it is being \
                     terminated"
                ),
            ));
        }
    }
    defaults::identity(&mut object);
    defaults::without_empty(&mut object["metadata"]);
    // A node sets its own status; the creators of other objects cannot set it.
    if kind.plural != "nodes"
        && let Some(map) = object.as_object_mut()
    {
        map.shift_remove("status");
    }
    defaults::fill(kind.plural, &mut object);
    if kind.plural == "pods" {
        if let Some(why) = validate::bad_quantity(&object["spec"]) {
            return Err(ApiError::bad_request(format!(
                "Pod in version \"v1\" cannot be handled as a Pod: {why}"
            )));
        }
        admit_pod(tx, kind, namespace, &name, &mut object)?;
        quota::admit(tx, kind, namespace, &name, &object)?;
    }
    validate::create(kind, &object)?;
    let key = Key::new(kind.plural, namespace, &name);
    if tx.get(&key).is_some() {
        return Err(ApiError::already_exists(kind, &name));
    }
    if let Some(manager) = creation.manager {
        object["metadata"]["managedFields"] = json!([]);
        apply::record(&json!({}), &mut object, manager);
    }
    let saved = tx.put(&key, object)?;
    if kind.plural == "namespaces" {
        furnish(tx, &name, creation.ca)?;
    }
    Ok(saved)
}

/// Sets the object's namespace to that of the request.
fn place(kind: &Kind, namespace: &str, object: &mut Value) -> Result<(), ApiError> {
    if !kind.namespaced {
        if let Some(map) = object["metadata"].as_object_mut() {
            map.shift_remove("namespace");
        }
        return Ok(());
    }
    match object["metadata"]["namespace"].as_str() {
        None | Some("") => object["metadata"]["namespace"] = namespace.into(),
        Some(own) if own != namespace => {
            return Err(ApiError::bad_request(
                "the namespace of the provided object does not match the namespace sent on the \
                 request",
            ));
        }
        Some(_) => {}
    }
    Ok(())
}

/// Applies the ServiceAccount admission plugin.
fn admit_pod(
    tx: &Transaction<'_>,
    kind: &Kind,
    namespace: &str,
    name: &str,
    pod: &mut Value,
) -> Result<(), ApiError> {
    let account = pod["spec"]["serviceAccountName"]
        .as_str()
        .unwrap_or("default")
        .to_owned();
    let found = tx
        .get(&Key::new("serviceaccounts", namespace, &account))
        .ok_or_else(|| {
            ApiError::forbidden(
                kind,
                name,
                &format!(
                    "error looking up service account {namespace}/{account}: serviceaccount \
                 \"{account}\" not found"
                ),
            )
        })?;
    defaults::mount_token(pod, &found);
    Ok(())
}

/// Creates the objects that controllers put into every namespace, and restore when they are
/// deleted.
pub(crate) fn furnish(tx: &mut Transaction<'_>, namespace: &str, ca: &str) -> Result<(), ApiError> {
    let manager = Manager {
        name: "kube-controller-manager".to_owned(),
        subresource: String::new(),
    };
    let mut put = |plural, object| {
        let creation = Creation {
            kind: core_kind(plural),
            namespace,
            manager: Some(&manager),
            ca,
        };
        match create(tx, &creation, object) {
            // A dry run does not store the namespace that these need.
            Err(error) if error.reason() != "AlreadyExists" && error.reason() != "NotFound" => {
                Err(error)
            }
            _ => Ok(()),
        }
    };
    put(
        "serviceaccounts",
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "default" } }),
    )?;
    put(
        "configmaps",
        json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "kube-root-ca.crt" },
            "data": { "ca.crt": ca },
        }),
    )
}
