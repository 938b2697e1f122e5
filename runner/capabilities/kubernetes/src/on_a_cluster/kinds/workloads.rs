//! The kinds of workloads.

use serde_json::json;

use super::row::{Row, row};

/// Returns the kinds of workloads.
pub(super) fn workloads() -> Vec<Row> {
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
