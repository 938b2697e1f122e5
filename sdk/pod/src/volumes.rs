//! Volumes of a pod.

use sidestep::serde_json::{Value, json};

/// A volume, and its place in a container.
#[derive(Debug)]
pub struct Volume<'a> {
    /// The volume's name.
    pub name: &'a str,
    /// Its source: a field of a pod's volume and its value.
    pub source: (&'a str, Value),
    /// The folder at which the container mounts it.
    pub folder: &'a str,
    /// Whether the container cannot write to it.
    pub read_only: bool,
}

/// Adds a volume to a pod's spec, mounted in its first container.
pub fn mount(spec: &mut Value, volume: Volume<'_>) {
    let Volume { name, source, .. } = volume;
    let mut added = json!({ "name": name });
    added[source.0] = source.1;
    add(&mut spec["volumes"], added);
    let mut mount = json!({ "name": name, "mountPath": volume.folder });
    if volume.read_only {
        mount["readOnly"] = true.into();
    }
    add(&mut spec["containers"][0]["volumeMounts"], mount);
}

/// Adds an entry to a list that may not exist yet.
pub fn add(list: &mut Value, entry: Value) {
    match list {
        Value::Array(entries) => entries.push(entry),
        list => *list = json!([entry]),
    }
}
