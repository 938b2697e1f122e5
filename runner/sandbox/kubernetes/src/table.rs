//! `meta.k8s.io/v1` Tables, which `kubectl get` prints.

mod columns;
mod pod_status;

use jiff::Timestamp;
use serde_json::{Value, json};

use columns::{Row, columns};

/// The part of each object that a row contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Include {
    None,
    Metadata,
    Object,
}

impl Include {
    pub(crate) fn parse(text: Option<&str>) -> Self {
        match text {
            Some("None") => Self::None,
            Some("Object") => Self::Object,
            _ => Self::Metadata,
        }
    }
}

/// Returns a table of objects; `meta` is the list's own metadata.
pub(crate) fn table<'a>(
    plural: &str,
    objects: impl IntoIterator<Item = &'a Value>,
    meta: &Value,
    include: Include,
    headings: bool,
) -> Value {
    let now = Timestamp::now();
    let columns = columns(plural);
    let rows: Vec<Value> = objects
        .into_iter()
        .map(|object| {
            let about = Row { object, now };
            let cells: Vec<Value> = columns.iter().map(|c| (c.cell)(&about)).collect();
            let mut row = json!({ "cells": cells });
            match include {
                Include::None => {}
                Include::Object => row["object"] = object.clone(),
                Include::Metadata => {
                    row["object"] = json!({
                        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                        "metadata": object["metadata"],
                    });
                }
            }
            row
        })
        .collect();
    let columns: Vec<Value> = columns
        .iter()
        .filter(|_| headings)
        .map(|column| {
            let number = matches!(column.name, "Data" | "Secrets" | "Count");
            json!({
                "name": column.name,
                "type": if number { "integer" } else { "string" },
                "format": if column.name == "Name" { "name" } else { "" },
                "description": "",
                "priority": column.priority,
            })
        })
        .collect();
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": meta,
        "columnDefinitions": columns, "rows": rows,
    })
}
