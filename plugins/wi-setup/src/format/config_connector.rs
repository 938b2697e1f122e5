//! Objects of Config Connector.
//!
//! Kinds and fields: <https://cloud.google.com/config-connector/docs/reference/overview>.

use sidestep::google::Resource;
use sidestep::kubectl::GOOGLE_ACCOUNT;
use sidestep::serde_json::{Map, Value, json};

use super::labels;
use crate::identity::Workload;
use crate::plan::{Change, Part};
use crate::wanted::{Binding, On};

/// The API of accounts and of members of policies.
const IAM: &str = "iam.cnrm.cloud.google.com/v1beta1";

/// Returns the lines of the manifest. The objects are in the workload's namespace, which Config
/// Connector must manage.
pub(crate) fn text(workload: &Workload, parts: &[Part]) -> Vec<String> {
    let names = labels::of(parts, '-');
    let mut lines = vec![format!(
        "# Config Connector must manage the namespace {}.",
        workload.namespace
    )];
    for (part, name) in parts.iter().zip(&names) {
        if let Some(object) = object(workload, part, name) {
            lines.push("---".to_owned());
            write(&object, 0, &mut lines);
        }
    }
    lines
}

/// Returns the object of a part. The annotation is a field of the Kubernetes account.
pub(super) fn object(workload: &Workload, part: &Part, name: &str) -> Option<Value> {
    match &part.change {
        Change::KubernetesAccount => {
            let mut object = json!({
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": { "name": workload.account, "namespace": workload.namespace },
            });
            if let Some(google) = &workload.google {
                object["metadata"]["annotations"][GOOGLE_ACCOUNT] = json!(google.address());
            }
            Some(object)
        }
        Change::GoogleAccount(account) => {
            let mut annotations = Map::new();
            let project = json!(account.project_id());
            annotations.insert("cnrm.cloud.google.com/project-id".to_owned(), project);
            if part.present {
                // Deleting the object must not delete an account that was there before it.
                let policy = "cnrm.cloud.google.com/deletion-policy".to_owned();
                annotations.insert(policy, json!("abandon"));
            }
            Some(json!({
                "apiVersion": IAM,
                "kind": "IAMServiceAccount",
                "metadata": {
                    "name": account.name(),
                    "namespace": workload.namespace,
                    "annotations": annotations,
                },
            }))
        }
        Change::Bind(binding) => Some(member(workload, binding, part.title.as_deref(), name)),
        Change::Annotate { .. } => None,
    }
}

fn member(workload: &Workload, binding: &Binding, title: Option<&str>, name: &str) -> Value {
    let (api, kind, external) = match &binding.on {
        On::Account(_) => (IAM, "IAMServiceAccount", binding.on.name()),
        On::Target(Resource::Objects { bucket, .. }) => (
            "storage.cnrm.cloud.google.com/v1beta1",
            "StorageBucket",
            bucket.clone(),
        ),
        On::Target(Resource::Repository(repository)) => (
            "artifactregistry.cnrm.cloud.google.com/v1beta1",
            "ArtifactRegistryRepository",
            repository.resource(),
        ),
        On::Target(Resource::Secret { .. }) => (
            "secretmanager.cnrm.cloud.google.com/v1beta1",
            "SecretManagerSecret",
            binding.on.name(),
        ),
        On::Target(Resource::Project(_)) => (
            "resourcemanager.cnrm.cloud.google.com/v1beta1",
            "Project",
            binding.on.name(),
        ),
    };
    let mut object = json!({
        "apiVersion": IAM,
        "kind": "IAMPolicyMember",
        "metadata": { "name": name, "namespace": workload.namespace },
        "spec": {
            "member": binding.member(),
            "role": binding.role,
            "resourceRef": { "apiVersion": api, "kind": kind, "external": external },
        },
    });
    if let Some(condition) = binding.condition() {
        object["spec"]["condition"] = json!({
            "title": title.unwrap_or(&condition.title),
            "expression": condition.expression,
        });
    }
    object
}

/// Writes an object as YAML; each text is quoted as in JSON, which YAML contains.
fn write(object: &Value, depth: usize, lines: &mut Vec<String>) {
    for (key, value) in object.as_object().into_iter().flatten() {
        let indent = "  ".repeat(depth);
        if value.is_object() {
            lines.push(format!("{indent}{key}:"));
            write(value, depth + 1, lines);
        } else {
            lines.push(format!("{indent}{key}: {value}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::parts;
    use crate::plan::tests::{acting, all, nothing};

    /// The fields of each kind, from its reference. `external` names a resource that Config
    /// Connector may or may not manage.
    const DOCUMENTED: &[(&str, &str, &[&str])] = &[
        (
            IAM,
            "IAMPolicyMember",
            &[
                "/spec/member",
                "/spec/role",
                "/spec/resourceRef/apiVersion",
                "/spec/resourceRef/kind",
                "/spec/resourceRef/external",
                "/spec/condition/title",
                "/spec/condition/expression",
            ],
        ),
        (IAM, "IAMServiceAccount", &[]),
        ("v1", "ServiceAccount", &[]),
    ];

    fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
        match value.as_object() {
            Some(map) => {
                for (key, value) in map {
                    leaves(value, &format!("{at}/{key}"), found);
                }
            }
            None => found.push(at.to_owned()),
        }
    }

    #[test]
    fn every_object_has_only_documented_fields() {
        let (identity, bindings) = all(&acting());
        let parts = parts(&identity, &bindings, &nothing(&bindings));
        let names = labels::of(&parts, '-');
        let workload = &identity.workload;
        let each = parts.iter().zip(&names);
        let objects: Vec<Value> = each
            .filter_map(|(part, name)| object(workload, part, name))
            .collect();
        assert_eq!(objects.len(), 2 + bindings.len());
        for object in &objects {
            let kind = |row: &&(&str, &str, &[&str])| {
                object["apiVersion"] == row.0 && object["kind"] == row.1
            };
            let (_, _, fields) = DOCUMENTED.iter().find(kind).expect("in the table");
            let mut found = Vec::new();
            leaves(&object["spec"], "/spec", &mut found);
            found.retain(|leaf| leaf != "/spec");
            for leaf in found {
                assert!(fields.contains(&leaf.as_str()), "{leaf}");
            }
            assert_eq!(object["metadata"]["namespace"], "builds");
        }
    }

    #[test]
    fn it_reads_like_a_manifest() {
        let (identity, bindings) = all(&acting());
        let parts = parts(&identity, &bindings, &nothing(&bindings));
        let text = text(&identity.workload, &parts).join("\n");
        assert!(text.contains("kind: \"IAMPolicyMember\""), "{text}");
        assert!(
            text.contains("    external: \"projects/demo/locations/europe/repositories/images\""),
            "{text}"
        );
    }
}
