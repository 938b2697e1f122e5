//! The other kinds.

use serde_json::json;

use super::row::{Fate, Row, row};

/// Returns all other kinds.
pub(super) fn others(namespace: &str) -> Vec<Row> {
    let backend = json!({ "service": { "name": "none", "port": { "number": 80 } } });
    let parent = json!({ "resource": "services", "namespace": namespace, "name": "none" });
    let event = json!({
        "eventTime": "2026-01-01T00:00:00.000000Z", "action": "a", "reason": "r", "type": "Normal",
        "reportingController": "example.com/none", "reportingInstance": "none",
        "regarding": { "namespace": namespace },
    });
    let slice = json!({
        "driver": "example.com", "nodeName": "none", "devices": [],
        "pool": { "name": "none", "generation": 1, "resourceSliceCount": 1 },
    });
    let attachment = json!({
        "attacher": "example.com", "nodeName": "none", "source": { "persistentVolumeName": "none" },
    });
    vec![
        row("coordination.k8s.io/v1", "Lease", "leases", json!({})),
        row(
            "discovery.k8s.io/v1",
            "EndpointSlice",
            "endpointslices",
            json!({ "addressType": "IPv4", "endpoints": [] }),
        ),
        row("events.k8s.io/v1", "Event", "events", event),
        row(
            "networking.k8s.io/v1",
            "IngressClass",
            "ingressclasses",
            json!({ "spec": { "controller": "example.com/none" } }),
        )
        .global(),
        row(
            "networking.k8s.io/v1",
            "Ingress",
            "ingresses",
            json!({ "spec": { "defaultBackend": backend } }),
        ),
        row(
            "networking.k8s.io/v1",
            "IPAddress",
            "ipaddresses",
            json!({ "spec": { "parentRef": parent } }),
        )
        .global()
        .named("198.51.100.7"),
        row(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            "networkpolicies",
            json!({ "spec": { "podSelector": {} } }),
        ),
        row(
            "networking.k8s.io/v1",
            "ServiceCIDR",
            "servicecidrs",
            json!({ "spec": { "cidrs": ["198.51.100.0/24"] } }),
        )
        .global(),
        row(
            "node.k8s.io/v1",
            "RuntimeClass",
            "runtimeclasses",
            json!({ "handler": "none" }),
        )
        .global(),
        row(
            "resource.k8s.io/v1",
            "DeviceClass",
            "deviceclasses",
            json!({ "spec": {} }),
        )
        .global(),
        row(
            "resource.k8s.io/v1",
            "ResourceClaim",
            "resourceclaims",
            json!({ "spec": {} }),
        ),
        row(
            "resource.k8s.io/v1",
            "ResourceClaimTemplate",
            "resourceclaimtemplates",
            json!({ "spec": { "spec": {} } }),
        ),
        row(
            "resource.k8s.io/v1",
            "ResourceSlice",
            "resourceslices",
            json!({ "spec": slice }),
        )
        .global(),
        row(
            "scheduling.k8s.io/v1",
            "PriorityClass",
            "priorityclasses",
            json!({ "value": 1 }),
        )
        .global(),
        row(
            "storage.k8s.io/v1",
            "CSIDriver",
            "csidrivers",
            json!({ "spec": {} }),
        )
        .global(),
        row(
            "storage.k8s.io/v1",
            "CSINode",
            "csinodes",
            json!({ "spec": { "drivers": [] } }),
        )
        .global(),
        row(
            "storage.k8s.io/v1",
            "CSIStorageCapacity",
            "csistoragecapacities",
            json!({ "storageClassName": "none" }),
        ),
        row(
            "storage.k8s.io/v1",
            "StorageClass",
            "storageclasses",
            json!({ "provisioner": "example.com/none" }),
        )
        .global(),
        row(
            "storage.k8s.io/v1",
            "VolumeAttachment",
            "volumeattachments",
            json!({ "spec": attachment }),
        )
        .global(),
        row(
            "storage.k8s.io/v1",
            "VolumeAttributesClass",
            "volumeattributesclasses",
            json!({ "driverName": "example.com/none", "parameters": { "a": "b" } }),
        )
        .global()
        .of(Fate::Going),
    ]
}
