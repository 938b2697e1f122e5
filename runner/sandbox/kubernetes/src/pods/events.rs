//! Events of the scheduler and the kubelet; a repeated event is counted.

use serde_json::{Value, json};

use crate::clock;
use crate::key::Key;
use crate::names::unique_id;
use crate::status::ApiError;
use crate::store::Store;

/// The reporter of an event.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source<'a> {
    Scheduler,
    Kubelet(&'a str),
    Controller(&'static str),
}

/// The content of an event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Report<'a> {
    pub(crate) source: Source<'a>,
    pub(crate) warning: bool,
    pub(crate) reason: &'a str,
    pub(crate) message: &'a str,
    /// `spec.containers{NAME}`, or empty.
    pub(crate) field: &'a str,
}

/// Records an event on an object.
pub(crate) fn record(store: &Store, object: &Value, report: Report<'_>) -> Result<(), ApiError> {
    let meta = &object["metadata"];
    let namespace = meta["namespace"].as_str().unwrap_or("default");
    let (component, host) = match report.source {
        Source::Scheduler => ("default-scheduler", ""),
        Source::Kubelet(host) => ("kubelet", host),
        Source::Controller(name) => (name, ""),
    };
    let kind = if report.warning { "Warning" } else { "Normal" };
    let now = clock::now();
    store.write(|tx| {
        // Objects in a deleted namespace get no events.
        if tx.get(&Key::new("namespaces", "", namespace)).is_none() {
            return Ok(());
        }
        let same = tx.list("events", namespace).into_iter().find(|(_, event)| {
            event["involvedObject"]["uid"] == meta["uid"]
                && event["reason"] == report.reason
                && event["message"] == report.message
                && event["type"] == kind
                && event["involvedObject"]["fieldPath"]
                    .as_str()
                    .unwrap_or_default()
                    == report.field
        });
        if let Some((key, event)) = same {
            let mut event = (*event).clone();
            event["count"] = (event["count"].as_i64().unwrap_or(1) + 1).into();
            event["lastTimestamp"] = now.into();
            tx.put(&key, event)?;
            return Ok(());
        }
        let suffix: String = unique_id().chars().filter(|c| *c != '-').take(16).collect();
        let name = format!("{}.{suffix}", meta["name"].as_str().unwrap_or_default());
        let mut involved = json!({
            "kind": object["kind"], "namespace": meta["namespace"], "name": meta["name"],
            "uid": meta["uid"], "apiVersion": "v1", "resourceVersion": meta["resourceVersion"],
        });
        if !report.field.is_empty() {
            involved["fieldPath"] = report.field.into();
        }
        if let Some(map) = involved.as_object_mut() {
            map.retain(|_, value| !value.is_null());
        }
        let mut source = json!({ "component": component });
        if !host.is_empty() {
            source["host"] = host.into();
        }
        let event = json!({
            "kind": "Event", "apiVersion": "v1",
            "metadata": {
                "name": name, "namespace": namespace, "uid": unique_id(),
                "creationTimestamp": now,
            },
            "involvedObject": involved,
            "reason": report.reason, "message": report.message,
            "source": source,
            "firstTimestamp": now, "lastTimestamp": now, "count": 1, "type": kind,
            "eventTime": null,
            "reportingComponent": component, "reportingInstance": host,
        });
        tx.put(&Key::new("events", namespace, &name), event)?;
        Ok(())
    })
}
