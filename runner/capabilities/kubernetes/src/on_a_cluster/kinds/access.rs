//! The kinds of access.

use serde_json::json;

use super::row::{Fate, Row, row};

/// A certificate signing request, PEM in base64.
const REQUEST: &str = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlISk1IRUNBUUF3RHpFTk1Bc0dBMVVFQXd3RWRHVnpkREJaTUJNR0J5cUdTTTQ5QWdFR0NDcUdTTTQ5QXdFSApBMElBQkVidjFLbUNKVHJHOWRCaHZUS21sa09obHhNeGdQa1JybThsN3VNUHFTTW9TU0RUZFlKd2t2YjRYaTlhCmcxd3IzblFKVnpENEMybXgvTW0wRFBNbGQzV2dBREFLQmdncWhrak9QUVFEQWdOSUFEQkZBaUVBdFozY1V2K3IKbXZ6a3NtbHJsYVYzY2hZazhiSHFhLytOd09IUllxNjFBbThDSUYrRTdpR2lFakI4ajlST2NFUlpHUUR2anFLWQp2dWlkb0dVUzVtWWNLR1hGCi0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo=";

/// Returns the kinds that are about callers and their permissions.
pub(super) fn access() -> Vec<Row> {
    const RIGHTS: &str = "rbac.authorization.k8s.io/v1";
    const REVIEWS: &str = "authorization.k8s.io/v1";
    let of = |kind: &str| {
        json!({ "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": "none",
        } })
    };
    let attributes = json!({ "verb": "get", "resource": "pods" });
    let own = json!({ "spec": { "resourceAttributes": attributes } });
    let others = json!({ "spec": { "resourceAttributes": attributes, "user": "jane" } });
    let request = json!({
        "request": REQUEST, "signerName": "example.com/none", "usages": ["digital signature"],
    });
    vec![
        row(
            RIGHTS,
            "ClusterRoleBinding",
            "clusterrolebindings",
            of("ClusterRole"),
        )
        .global(),
        row(RIGHTS, "ClusterRole", "clusterroles", json!({})).global(),
        row(RIGHTS, "RoleBinding", "rolebindings", of("Role")),
        row(RIGHTS, "Role", "roles", json!({})),
        row(
            "certificates.k8s.io/v1",
            "CertificateSigningRequest",
            "certificatesigningrequests",
            json!({ "spec": request }),
        )
        .global(),
        row(
            "authentication.k8s.io/v1",
            "SelfSubjectReview",
            "selfsubjectreviews",
            json!({}),
        )
        .global()
        .of(Fate::Unstored),
        row(
            "authentication.k8s.io/v1",
            "TokenReview",
            "tokenreviews",
            json!({ "spec": { "token": "none" } }),
        )
        .global()
        .of(Fate::Unstored),
        row(
            REVIEWS,
            "LocalSubjectAccessReview",
            "localsubjectaccessreviews",
            others.clone(),
        )
        .of(Fate::Refused),
        row(
            REVIEWS,
            "SelfSubjectAccessReview",
            "selfsubjectaccessreviews",
            own,
        )
        .global()
        .of(Fate::Refused),
        row(
            REVIEWS,
            "SelfSubjectRulesReview",
            "selfsubjectrulesreviews",
            json!({ "spec": { "namespace": "default" } }),
        )
        .global()
        .of(Fate::Unstored),
        row(
            REVIEWS,
            "SubjectAccessReview",
            "subjectaccessreviews",
            others,
        )
        .global()
        .of(Fate::Refused),
    ]
}
