//! Clean-up of every kind of object that a real API server lets a client create.

use std::collections::BTreeSet;
use std::time::Duration;

use kube::Client;
use serde_json::{Value, json};
use sidestep_cluster_testing::Namespace;
use sidestep_events::{Class, Failure};

use super::{attempt, on};
use crate::{Deletion, Objects, Target, made_by};

/// What becomes of an object that was created and is then removed as clean-up does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is gone.
    Gone,
    /// A controller, which the tests' API server does not have, ends its deletion.
    Going,
    /// It was never stored.
    Unstored,
    /// It is refused: it may not have the marks of a step.
    Refused,
}

/// A kind.
struct Row {
    api_version: &'static str,
    kind: &'static str,
    /// The plural.
    resource: &'static str,
    name: String,
    in_namespace: bool,
    /// The object without its name.
    object: Value,
    fate: Fate,
}

impl Row {
    fn target(&self, namespace: &str) -> Target {
        Target {
            api_version: self.api_version.to_owned(),
            resource: self.resource.to_owned(),
            namespace: self.in_namespace.then(|| namespace.to_owned()),
        }
    }

    fn of(self, fate: Fate) -> Self {
        Self { fate, ..self }
    }

    fn named(self, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..self
        }
    }

    fn global(self) -> Self {
        Self {
            in_namespace: false,
            ..self
        }
    }
}

/// Returns a row for an object of the namespace that is gone after a clean-up.
fn row(
    api_version: &'static str,
    kind: &'static str,
    resource: &'static str,
    object: Value,
) -> Row {
    Row {
        api_version,
        kind,
        resource,
        name: String::new(),
        in_namespace: true,
        object,
        fate: Fate::Gone,
    }
}

/// A certificate signing request, PEM in base64.
const REQUEST: &str = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlISk1IRUNBUUF3RHpFTk1Bc0dBMVVFQXd3RWRHVnpkREJaTUJNR0J5cUdTTTQ5QWdFR0NDcUdTTTQ5QXdFSApBMElBQkVidjFLbUNKVHJHOWRCaHZUS21sa09obHhNeGdQa1JybThsN3VNUHFTTW9TU0RUZFlKd2t2YjRYaTlhCmcxd3IzblFKVnpENEMybXgvTW0wRFBNbGQzV2dBREFLQmdncWhrak9QUVFEQWdOSUFEQkZBaUVBdFozY1V2K3IKbXZ6a3NtbHJsYVYzY2hZazhiSHFhLytOd09IUllxNjFBbThDSUYrRTdpR2lFakI4ajlST2NFUlpHUUR2anFLWQp2dWlkb0dVUzVtWWNLR1hGCi0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo=";

/// Returns the kinds of the core group.
fn core(namespace: &str) -> Vec<Row> {
    let pod = json!({ "containers": [{ "name": "main", "image": "none" }] });
    let labels = json!({ "app": "kinds" });
    let template = json!({ "metadata": { "labels": labels }, "spec": pod });
    let storage = json!({ "storage": "1Gi" });
    let claim = json!({ "accessModes": ["ReadWriteOnce"], "resources": { "requests": storage } });
    let volume = json!({
        "accessModes": ["ReadWriteOnce"], "capacity": storage, "hostPath": { "path": "/none" },
    });
    let controller = json!({ "selector": labels, "template": template });
    let about = json!({ "involvedObject": { "namespace": namespace } });
    vec![
        // The pod need not exist: the refusal is what is checked.
        row(
            "v1",
            "Binding",
            "bindings",
            json!({ "target": { "name": "none" } }),
        )
        .of(Fate::Refused),
        row("v1", "ConfigMap", "configmaps", json!({})),
        row("v1", "Endpoints", "endpoints", json!({})),
        row("v1", "Event", "events", about),
        row(
            "v1",
            "LimitRange",
            "limitranges",
            json!({ "spec": { "limits": [] } }),
        ),
        row("v1", "Namespace", "namespaces", json!({}))
            .global()
            .named(format!("{namespace}-other"))
            .of(Fate::Going),
        row("v1", "Node", "nodes", json!({})).global(),
        row(
            "v1",
            "PersistentVolumeClaim",
            "persistentvolumeclaims",
            json!({ "spec": claim }),
        )
        .of(Fate::Going),
        row(
            "v1",
            "PersistentVolume",
            "persistentvolumes",
            json!({ "spec": volume }),
        )
        .global()
        .of(Fate::Going),
        row("v1", "Pod", "pods", json!({ "spec": pod })),
        row(
            "v1",
            "PodTemplate",
            "podtemplates",
            json!({ "template": template }),
        ),
        row(
            "v1",
            "ReplicationController",
            "replicationcontrollers",
            json!({ "spec": controller }),
        ),
        row(
            "v1",
            "ResourceQuota",
            "resourcequotas",
            json!({ "spec": {} }),
        ),
        row("v1", "Secret", "secrets", json!({})),
        row("v1", "ServiceAccount", "serviceaccounts", json!({})),
        row(
            "v1",
            "Service",
            "services",
            json!({ "spec": { "ports": [{ "port": 80 }] } }),
        ),
    ]
}

/// Returns the kinds of workloads.
fn workloads() -> Vec<Row> {
    let pod = json!({ "containers": [{ "name": "main", "image": "none" }] });
    let labels = json!({ "app": "kinds" });
    let template = json!({ "metadata": { "labels": labels }, "spec": pod });
    let spec = json!({ "spec": { "selector": { "matchLabels": labels }, "template": template } });
    let mut once = template.clone();
    once["spec"]["restartPolicy"] = json!("Never");
    let job = json!({ "template": once });
    let cron = json!({ "schedule": "0 0 1 1 *", "jobTemplate": { "spec": job } });
    let scaled = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": "none" });
    vec![
        row(
            "apps/v1",
            "ControllerRevision",
            "controllerrevisions",
            json!({ "revision": 1, "data": {} }),
        ),
        row("apps/v1", "DaemonSet", "daemonsets", spec.clone()),
        row("apps/v1", "Deployment", "deployments", spec.clone()),
        row("apps/v1", "ReplicaSet", "replicasets", spec.clone()),
        row("apps/v1", "StatefulSet", "statefulsets", spec),
        row(
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            "horizontalpodautoscalers",
            json!({ "spec": { "maxReplicas": 1, "scaleTargetRef": scaled } }),
        ),
        row("batch/v1", "CronJob", "cronjobs", json!({ "spec": cron })),
        row("batch/v1", "Job", "jobs", json!({ "spec": job })),
        row(
            "policy/v1",
            "PodDisruptionBudget",
            "poddisruptionbudgets",
            json!({ "spec": {} }),
        ),
    ]
}

/// Returns the kinds that extend the API server or decide about its requests.
fn admission(namespace: &str) -> Vec<Row> {
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

/// Returns the kinds that are about callers and their permissions.
fn access() -> Vec<Row> {
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

/// Returns all other kinds.
fn others(namespace: &str) -> Vec<Row> {
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

/// Creates an object, and removes it as clean-up does, by what the journal has of it.
async fn fate(client: &Client, namespace: &Namespace<'_>, row: &Row) -> Result<Fate, Failure> {
    let target = row.target(namespace.name());
    let name = match row.name.as_str() {
        "" => namespace.name(),
        name => name,
    };
    let mut object = row.object.clone();
    object["apiVersion"] = json!(row.api_version);
    object["kind"] = json!(row.kind);
    object["metadata"] = json!({ "name": name });
    if let Some(namespace) = &target.namespace {
        object["metadata"]["namespace"] = json!(namespace);
    }
    let (owner, kind) = (attempt(1), target.journal_kind(row.kind));
    let objects = Objects::new(client.clone(), target);
    if let Err(not_created) = objects.create(object, name, &owner, false).await {
        let is_refused = row.fate == Fate::Refused && !not_created.may_exist();
        return is_refused
            .then_some(Fate::Refused)
            .ok_or(not_created.failure);
    }
    let place = if row.in_namespace {
        namespace.name()
    } else {
        ""
    };
    let objects = Objects::new(client.clone(), Target::of_journal(&kind, place));
    let Some(found) = objects.find(name).await? else {
        return Ok(Fate::Unstored);
    };
    assert_eq!(made_by(&found), Some(owner.by.as_str()), "{kind}");
    let uid = found["metadata"]["uid"].as_str();
    let patience = match row.fate {
        Fate::Going => Duration::ZERO,
        _ => Duration::from_secs(30),
    };
    match objects.delete(name, uid, None, Some(patience)).await? {
        Deletion::Gone => {
            assert_eq!(objects.find(name).await?, None, "{kind}");
            Ok(Fate::Gone)
        }
        Deletion::Going { .. } => Ok(Fate::Going),
    }
}

#[test]
fn an_object_of_every_kind_is_found_and_removed() {
    let Some(cluster) = sidestep_cluster_testing::pinned_api() else {
        return;
    };
    on(cluster, async |client, namespace| {
        let served = namespace.ok(&["api-resources", "--verbs=create", "--output=name"]);
        let name = namespace.name();
        let groups = [
            core(name),
            workloads(),
            admission(name),
            access(),
            others(name),
        ];
        let rows: Vec<Row> = groups.into_iter().flatten().collect();
        let known: BTreeSet<String> = rows
            .iter()
            .map(|row| row.target(name).policy_resource())
            .collect();
        // Those of another test are not the API server's own.
        let served = served
            .lines()
            .filter(|name| !name.ends_with(".example.com"));
        let served: BTreeSet<String> = served.map(str::to_owned).collect();
        let lacking: Vec<_> = served.difference(&known).collect();
        assert!(lacking.is_empty(), "kinds without a row: {lacking:?}");
        let mut others = Vec::new();
        for row in &rows {
            let fate = fate(&client, namespace, row).await;
            if fate != Ok(row.fate) {
                others.push(format!("{} {}: {fate:?}", row.api_version, row.kind));
            }
        }
        assert!(others.is_empty(), "{others:#?}");
    });
}

#[test]
fn an_object_whose_kind_was_removed_is_gone() {
    let Some(cluster) = sidestep_cluster_testing::pinned_api() else {
        return;
    };
    on(cluster, async |client, namespace| {
        let group = format!("removed.{}.example.com", namespace.name());
        let schema = json!({ "openAPIV3Schema": { "type": "object" } });
        let definition = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": { "name": format!("gadgets.{group}") },
            "spec": {
                "group": group, "scope": "Namespaced",
                "names": { "kind": "Gadget", "plural": "gadgets" },
                "versions": [{ "name": "v1", "served": true, "storage": true, "schema": schema }],
            },
        });
        let of = |api_version: &str, resource: &str, namespace: Option<&str>| {
            let target = Target {
                api_version: api_version.to_owned(),
                resource: resource.to_owned(),
                namespace: namespace.map(str::to_owned),
            };
            Objects::new(client.clone(), target)
        };
        let definitions = of("apiextensions.k8s.io/v1", "customresourcedefinitions", None);
        let named = format!("gadgets.{group}");
        let owner = attempt(1);
        let made = definitions.create(definition, &named, &owner, false).await;
        made.expect("created");
        let gadgets = of(&format!("{group}/v1"), "gadgets", Some(namespace.name()));
        let gadget = json!({
            "apiVersion": format!("{group}/v1"), "kind": "Gadget", "metadata": { "name": "one" },
        });
        // The API server serves a new kind some time after its creation.
        let create = async {
            while let Err(not_yet) = gadgets.create(gadget.clone(), "one", &owner, false).await {
                assert_eq!(not_yet.failure.class, Class::NotFound, "{not_yet:?}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let patience = Duration::from_mins(1);
        let created = tokio::time::timeout(patience, create).await;
        created.expect("the kind is served");
        assert!(gadgets.find("one").await.is_ok_and(|found| found.is_some()));
        let deleted = definitions.delete(&named, None, None, Some(patience)).await;
        assert_eq!(deleted, Ok(Deletion::Gone));
        // It serves a removed kind for some time.
        let gone = async {
            while gadgets.find("one").await != Ok(None) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let gone = tokio::time::timeout(patience, gone).await;
        gone.expect("the object is gone with its kind");
    });
}
