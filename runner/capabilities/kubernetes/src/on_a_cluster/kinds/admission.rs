//! The kinds of admission and of extensions of the API.

use serde_json::json;

use super::row::{Row, row};

/// Returns the kinds that extend the API server or decide about its requests.
pub(super) fn admission(namespace: &str) -> Vec<Row> {
    const GROUP: &str = "admissionregistration.k8s.io/v1";
    let rule = json!({
        "apiGroups": ["example.com"], "apiVersions": ["v1"], "operations": ["CREATE"],
        "resources": ["widgets"],
    });
    let rules = json!({ "resourceRules": [rule] });
    let mutation = json!({ "patchType": "JSONPatch", "jsonPatch": { "expression": "[JSONPatch{op: \"test\", path: \"/spec\", value: 1}]" } });
    let mutating = json!({
        "matchConstraints": rules, "mutations": [mutation], "reinvocationPolicy": "Never",
    });
    let validating = json!({
        "matchConstraints": rules, "validations": [{ "expression": "true" }],
    });
    let binding = json!({ "policyName": "none" });
    let validated = json!({ "policyName": "none", "validationActions": ["Deny"] });
    let group = format!("{namespace}.example.com");
    let schema = json!({ "openAPIV3Schema": { "type": "object" } });
    let definition = json!({
        "group": group, "scope": "Namespaced",
        "names": { "kind": "Widget", "plural": "widgets" },
        "versions": [{ "name": "v1", "served": true, "storage": true, "schema": schema }],
    });
    let service = json!({
        "group": format!("api.{group}"), "version": "v1", "groupPriorityMinimum": 100,
        "versionPriority": 100,
    });
    vec![
        row(
            GROUP,
            "MutatingAdmissionPolicy",
            "mutatingadmissionpolicies",
            json!({ "spec": mutating }),
        )
        .global(),
        row(
            GROUP,
            "MutatingAdmissionPolicyBinding",
            "mutatingadmissionpolicybindings",
            json!({ "spec": binding }),
        )
        .global(),
        row(
            GROUP,
            "MutatingWebhookConfiguration",
            "mutatingwebhookconfigurations",
            json!({}),
        )
        .global(),
        row(
            GROUP,
            "ValidatingAdmissionPolicy",
            "validatingadmissionpolicies",
            json!({ "spec": validating }),
        )
        .global(),
        row(
            GROUP,
            "ValidatingAdmissionPolicyBinding",
            "validatingadmissionpolicybindings",
            json!({ "spec": validated }),
        )
        .global(),
        row(
            GROUP,
            "ValidatingWebhookConfiguration",
            "validatingwebhookconfigurations",
            json!({}),
        )
        .global(),
        row(
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            "customresourcedefinitions",
            json!({ "spec": definition }),
        )
        .global()
        .named(format!("widgets.{group}")),
        row(
            "apiregistration.k8s.io/v1",
            "APIService",
            "apiservices",
            json!({ "spec": service }),
        )
        .global()
        .named(format!("v1.api.{group}")),
        row(
            "flowcontrol.apiserver.k8s.io/v1",
            "FlowSchema",
            "flowschemas",
            json!({ "spec": { "priorityLevelConfiguration": { "name": "exempt" } } }),
        )
        .global(),
        row(
            "flowcontrol.apiserver.k8s.io/v1",
            "PriorityLevelConfiguration",
            "prioritylevelconfigurations",
            json!({ "spec": { "type": "Limited", "limited": {
                "nominalConcurrencyShares": 1, "limitResponse": { "type": "Reject" },
            } } }),
        )
        .global(),
    ]
}
