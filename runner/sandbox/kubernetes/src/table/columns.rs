//! The columns of each resource, and their values.
//!
//! After kubernetes/pkg/printers/internalversion.

use jiff::Timestamp;
use serde_json::Value;

use super::pod_status::pod_status;
use crate::clock::age;

/// A column of a table.
pub(super) struct Column {
    pub(super) name: &'static str,
    /// 0: always shown; 1: shown with `-o wide`.
    pub(super) priority: u8,
    pub(super) cell: fn(&Row<'_>) -> Value,
}

/// The object of a row.
pub(super) struct Row<'a> {
    pub(super) object: &'a Value,
    pub(super) now: Timestamp,
}

impl Row<'_> {
    fn text(&self, pointer: &str) -> Option<&str> {
        self.object.pointer(pointer)?.as_str()
    }

    fn text_or(&self, pointer: &str, absent: &str) -> Value {
        self.text(pointer).unwrap_or(absent).into()
    }

    fn value(&self, pointer: &str) -> Value {
        self.object.pointer(pointer).cloned().unwrap_or_default()
    }

    /// Returns the time since a timestamp.
    fn age(&self, pointer: &str) -> Value {
        age(self.text(pointer).unwrap_or_default(), self.now).into()
    }

    /// Returns the items of a list.
    fn items(&self, pointer: &str) -> &[Value] {
        let found = self.object.pointer(pointer).and_then(Value::as_array);
        found.map_or(&[], Vec::as_slice)
    }

    /// Returns the number of items or keys.
    fn count(&self, field: &str) -> usize {
        match &self.object[field] {
            Value::Object(map) => map.len(),
            Value::Array(list) => list.len(),
            _ => 0,
        }
    }
}

const fn shown(name: &'static str, cell: fn(&Row<'_>) -> Value) -> Column {
    Column {
        name,
        priority: 0,
        cell,
    }
}

const fn wide(name: &'static str, cell: fn(&Row<'_>) -> Value) -> Column {
    Column {
        name,
        priority: 1,
        cell,
    }
}

const NAME: Column = shown("Name", |row| row.value("/metadata/name"));
const AGE: Column = shown("Age", |row| row.age("/metadata/creationTimestamp"));

/// Returns the columns of a resource.
pub(super) fn columns(plural: &str) -> &'static [Column] {
    match plural {
        "pods" => PODS,
        "events" => EVENTS,
        "namespaces" => NAMESPACES,
        "nodes" => NODES,
        "secrets" => SECRETS,
        "configmaps" => CONFIG_MAPS,
        "serviceaccounts" => SERVICE_ACCOUNTS,
        _ => OTHERS,
    }
}

const OTHERS: &[Column] = &[NAME, AGE];

const NAMESPACES: &[Column] = &[NAME, shown("Status", |row| row.value("/status/phase")), AGE];

const SECRETS: &[Column] = &[
    NAME,
    shown("Type", |row| row.value("/type")),
    shown("Data", |row| row.count("data").into()),
    AGE,
];

const CONFIG_MAPS: &[Column] = &[
    NAME,
    shown("Data", |row| {
        (row.count("data") + row.count("binaryData")).into()
    }),
    AGE,
];

const SERVICE_ACCOUNTS: &[Column] = &[
    NAME,
    shown("Secrets", |row| row.count("secrets").into()),
    AGE,
];

const PODS: &[Column] = &[
    NAME,
    shown("Ready", |row| {
        let statuses = row.items("/status/containerStatuses").iter();
        let ready = statuses.filter(|status| status["ready"] == true).count();
        let total = row.items("/spec/containers").len();
        format!("{ready}/{total}").into()
    }),
    shown("Status", |row| pod_status(row.object).into()),
    shown("Restarts", |row| {
        let statuses = row.items("/status/containerStatuses").iter();
        let restarts: i64 = statuses.filter_map(|s| s["restartCount"].as_i64()).sum();
        restarts.to_string().into()
    }),
    AGE,
    wide("IP", |row| row.text_or("/status/podIP", NONE)),
    wide("Node", |row| row.text_or("/spec/nodeName", NONE)),
    wide("Nominated Node", |_| NONE.into()),
    wide("Readiness Gates", |_| NONE.into()),
];

const NONE: &str = "<none>";
const UNKNOWN: &str = "<unknown>";

const EVENTS: &[Column] = &[
    shown("Last Seen", |row| row.age("/lastTimestamp")),
    shown("Type", |row| row.value("/type")),
    shown("Reason", |row| row.value("/reason")),
    shown("Object", |row| {
        let text = |pointer| row.text(pointer).unwrap_or_default();
        let kind = text("/involvedObject/kind").to_lowercase();
        format!("{kind}/{}", text("/involvedObject/name")).into()
    }),
    wide("Subobject", |row| {
        row.text_or("/involvedObject/fieldPath", "")
    }),
    wide("Source", |row| {
        let source: Vec<&str> = ["/source/component", "/source/host"]
            .into_iter()
            .filter_map(|pointer| row.text(pointer).filter(|text| !text.is_empty()))
            .collect();
        source.join(", ").into()
    }),
    shown("Message", |row| {
        row.text("/message").unwrap_or_default().trim().into()
    }),
    wide("First Seen", |row| row.age("/firstTimestamp")),
    wide("Count", |row| {
        row.object["count"].as_i64().unwrap_or(1).into()
    }),
    wide("Name", |row| row.value("/metadata/name")),
];

const NODES: &[Column] = &[
    NAME,
    shown("Status", |row| {
        let mut conditions = row.items("/status/conditions").iter();
        let ready = match conditions.find(|condition| condition["type"] == "Ready") {
            Some(ready) if ready["status"] == "True" => "Ready",
            Some(_) => "NotReady",
            None => "Unknown",
        };
        if row.object["spec"]["unschedulable"] == true {
            format!("{ready},SchedulingDisabled").into()
        } else {
            ready.into()
        }
    }),
    shown("Roles", |_| NONE.into()),
    AGE,
    shown("Version", |row| {
        row.value("/status/nodeInfo/kubeletVersion")
    }),
    wide("Internal-IP", |row| node_address(row, "InternalIP")),
    wide("External-IP", |row| node_address(row, "ExternalIP")),
    wide("OS-Image", |row| {
        row.text_or("/status/nodeInfo/osImage", UNKNOWN)
    }),
    wide("Kernel-Version", |row| {
        row.text_or("/status/nodeInfo/kernelVersion", UNKNOWN)
    }),
    wide("Container-Runtime", |row| {
        row.text_or("/status/nodeInfo/containerRuntimeVersion", UNKNOWN)
    }),
];

fn node_address(row: &Row<'_>, kind: &str) -> Value {
    let mut addresses = row.items("/status/addresses").iter();
    let found = addresses.find(|address| address["type"] == kind);
    let address = found.and_then(|address| address["address"].as_str());
    address.unwrap_or(NONE).into()
}
