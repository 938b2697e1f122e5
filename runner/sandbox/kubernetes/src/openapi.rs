//! `/openapi/v3`, generated from the types of k8s-openapi.
//!
//! kubectl reads it to explain kinds, to detect that the server validates fields itself (the
//! `fieldValidation` parameter), and to find merge keys.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use k8s_openapi::api::{
    authentication::v1 as authentication, authorization::v1 as authorization, core::v1 as core,
};
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::kinds::{KINDS, Kind};
use crate::patch::merge_key;

const SCHEMAS: &str = "/components/schemas/";

/// The documents by their path: `api/v1`, `apis/GROUP/v1`.
static DOCUMENTS: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let mut groups: BTreeMap<String, Vec<&Kind>> = BTreeMap::new();
    for kind in KINDS {
        groups.entry(document_path(kind)).or_default().push(kind);
    }
    groups
        .into_iter()
        .map(|(path, kinds)| (path.clone(), document(&path, &kinds)))
        .collect()
});

fn document_path(kind: &Kind) -> String {
    if kind.group.is_empty() {
        format!("api/{}", kind.version)
    } else {
        format!("apis/{}/{}", kind.group, kind.version)
    }
}

/// Returns the list of documents.
pub(crate) fn index() -> Value {
    let paths: Map<String, Value> = DOCUMENTS
        .keys()
        .map(|path| {
            (
                path.clone(),
                json!({ "serverRelativeURL": format!("/openapi/v3/{path}") }),
            )
        })
        .collect();
    json!({ "paths": paths })
}

/// Returns one document.
pub(crate) fn find(path: &str) -> Option<&'static Value> {
    DOCUMENTS.get(path)
}

/// Returns the schema of a kind's type, with `$ref`s into [`definition`].
pub(crate) fn schema_of(kind: &Kind) -> Option<&'static Value> {
    DOCUMENTS.get(&document_path(kind))?["components"]["schemas"].get(type_name(kind))
}

/// Returns the schema that a `$ref` in this kind's document names.
pub(crate) fn definition(kind: &Kind, reference: &str) -> Option<&'static Value> {
    let name = reference.rsplit('/').next()?;
    DOCUMENTS.get(&document_path(kind))?["components"]["schemas"].get(name)
}

fn type_name(kind: &Kind) -> String {
    let group = match kind.group {
        "" => "core",
        other => other.split('.').next().unwrap_or(other),
    };
    format!("io.k8s.api.{group}.{}.{}", kind.version, kind.kind)
}

fn document(path: &str, kinds: &[&Kind]) -> Value {
    let mut settings = SchemaSettings::openapi3();
    settings.meta_schema = None;
    let mut generator = SchemaGenerator::new(settings);
    for kind in kinds {
        match kind.kind {
            "ConfigMap" => drop(generator.subschema_for::<core::ConfigMap>()),
            "Event" => drop(generator.subschema_for::<core::Event>()),
            "Namespace" => drop(generator.subschema_for::<core::Namespace>()),
            "Node" => drop(generator.subschema_for::<core::Node>()),
            "Pod" => drop(generator.subschema_for::<core::Pod>()),
            "ResourceQuota" => drop(generator.subschema_for::<core::ResourceQuota>()),
            "Secret" => drop(generator.subschema_for::<core::Secret>()),
            "ServiceAccount" => drop(generator.subschema_for::<core::ServiceAccount>()),
            "TokenReview" => drop(generator.subschema_for::<authentication::TokenReview>()),
            "SelfSubjectReview" => {
                drop(generator.subschema_for::<authentication::SelfSubjectReview>());
            }
            "SelfSubjectAccessReview" => {
                drop(generator.subschema_for::<authorization::SelfSubjectAccessReview>());
            }
            "SelfSubjectRulesReview" => {
                drop(generator.subschema_for::<authorization::SelfSubjectRulesReview>());
            }
            _ => {}
        }
    }
    let mut schemas = generator.take_definitions(true);
    for (_, schema) in &mut schemas {
        annotate(schema);
    }
    for kind in kinds {
        if let Some(schema) = schemas.get_mut(&type_name(kind)) {
            schema["x-kubernetes-group-version-kind"] = json!([group_version_kind(kind)]);
        }
    }
    let paths: Map<String, Value> = kinds.iter().flat_map(|k| paths(path, k)).collect();
    json!({
        "openapi": "3.0.0",
        "info": { "title": "Kubernetes", "version": "unversioned" },
        "paths": paths,
        "components": { "schemas": schemas },
    })
}

/// Adds the merge keys to the lists of a schema.
fn annotate(schema: &mut Value) {
    let Some(properties) = schema["properties"].as_object_mut() else {
        return;
    };
    for (name, property) in properties {
        if property["type"] != "array" {
            continue;
        }
        if let Some(key) = merge_key(name).filter(|_| property["items"]["type"] != "string") {
            property["x-kubernetes-patch-merge-key"] = key.into();
            property["x-kubernetes-patch-strategy"] = if name == "volumes" {
                "merge,retainKeys"
            } else {
                "merge"
            }
            .into();
        } else if name == "finalizers" {
            property["x-kubernetes-patch-strategy"] = "merge".into();
        }
    }
}

fn group_version_kind(kind: &Kind) -> Value {
    json!({ "group": kind.group, "version": kind.version, "kind": kind.kind })
}

fn paths(path: &str, kind: &Kind) -> Vec<(String, Value)> {
    let base = if kind.namespaced {
        format!("/{path}/namespaces/{{namespace}}/{}", kind.plural)
    } else {
        format!("/{path}/{}", kind.plural)
    };
    let reference = json!({ "$ref": format!("#{SCHEMAS}{}", type_name(kind)) });
    let operation = |action: &str, body: &[&str]| {
        let query = |name: &str, of: &str| json!({ "name": name, "in": "query", "schema": { "type": of, "uniqueItems": true } });
        let content = |types: &[&str]| -> Map<String, Value> {
            types
                .iter()
                .map(|t| ((*t).to_owned(), json!({ "schema": reference })))
                .collect()
        };
        let mut operation = json!({
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": group_version_kind(kind),
            "responses": { "200": { "description": "OK", "content": content(&["application/json"]) } },
        });
        if !body.is_empty() {
            operation["parameters"] = json!([
                query("dryRun", "string"),
                query("fieldManager", "string"),
                query("fieldValidation", "string"),
            ]);
            operation["requestBody"] = json!({ "content": content(body), "required": true });
        }
        operation
    };
    let json_only: &[&str] = &["application/json"];
    let mut all = vec![(
        base.clone(),
        json!({ "post": operation("post", json_only) }),
    )];
    if kind.stored() {
        all[0].1["get"] = operation("list", &[]);
        let mut change = operation(
            "patch",
            &[
                "application/json-patch+json",
                "application/merge-patch+json",
                "application/strategic-merge-patch+json",
                "application/apply-patch+yaml",
            ],
        );
        if let Some(list) = change["parameters"].as_array_mut() {
            list.push(json!({
                "name": "force", "in": "query", "schema": { "type": "boolean", "uniqueItems": true },
            }));
        }
        all.push((
            format!("{base}/{{name}}"),
            json!({
                "get": operation("get", &[]),
                "put": operation("put", json_only),
                "delete": operation("delete", &[]),
                "patch": change,
            }),
        ));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::core_kind;

    #[test]
    fn every_kind_has_its_schema_and_every_reference_a_target() {
        for kind in KINDS {
            assert!(schema_of(kind).is_some(), "{}", kind.kind);
        }
        for (path, document) in DOCUMENTS.iter() {
            let text = document.to_string();
            for part in text.split("\"$ref\":\"").skip(1) {
                let reference = part.split('"').next().unwrap_or_default();
                let pointer = reference.strip_prefix('#').expect("a local reference");
                assert!(document.pointer(pointer).is_some(), "{path}: {reference}");
            }
        }
    }

    #[test]
    fn lists_carry_their_merge_keys() {
        let spec = definition(core_kind("pods"), "x/io.k8s.api.core.v1.PodSpec").expect("there");
        assert_eq!(
            spec["properties"]["containers"]["x-kubernetes-patch-merge-key"],
            "name"
        );
        assert!(spec["properties"]["tolerations"]["x-kubernetes-patch-merge-key"].is_null());
    }
}
