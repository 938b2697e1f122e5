//! The secrets of the command: a Secret that the pod owns, and the references to it.

use std::collections::BTreeSet;

use sidestep::kubernetes::{SecretData, SecretEntry};
use sidestep::serde_json::{Value, json};
use sidestep::{Result, Secret, secrets};
use sidestep_pod::{Volume, mount};

use crate::inputs::Inputs;

/// The folder of the files in the container.
pub(crate) const FOLDER: &str = "/run/secrets/sidestep";
/// The volume of the files.
const VOLUME: &str = "sidestep-secrets";

/// The handles of the step's secrets, each once, with their keys in the pod's Secret.
#[derive(Debug)]
pub(crate) struct Handles(Vec<(String, Secret)>);

impl Handles {
    /// Gets the secrets that the inputs name.
    ///
    /// # Errors
    /// If the step does not list one of them under `secrets`.
    pub(crate) fn of(inputs: &Inputs) -> Result<Self> {
        let names = names(inputs).into_iter();
        let handle = |name: &str| Ok((name.to_owned(), secrets::get(name)?));
        names.map(handle).collect::<Result<_>>().map(Self)
    }

    /// Returns the Secret of that name; none if the step uses no secrets.
    pub(crate) fn data(&self, name: &str) -> Vec<SecretData<'_>> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let entries = self.0.iter();
        let entries = entries.map(|(key, value)| SecretEntry {
            key: key.clone(),
            value,
        });
        vec![SecretData {
            name: name.to_owned(),
            secret_type: "Opaque".to_owned(),
            entries: entries.collect(),
        }]
    }
}

/// Returns the names of the secrets that the inputs use.
fn names(inputs: &Inputs) -> BTreeSet<&str> {
    let variables = inputs.secret_env.values();
    variables
        .chain(inputs.secret_files.values())
        .map(String::as_str)
        .collect()
}

/// Adds the references to the Secret of that name to a pod's spec, whose first container is the
/// command's.
pub(crate) fn refer(spec: &mut Value, secret: &str, inputs: &Inputs) {
    let mut env: Vec<Value> = Vec::new();
    for (variable, key) in &inputs.secret_env {
        let from = json!({ "secretKeyRef": { "name": secret, "key": key } });
        env.push(json!({ "name": variable, "valueFrom": from }));
    }
    let container = &mut spec["containers"][0];
    if let Some(known) = container["env"].as_array_mut() {
        known.extend(env);
    }
    if inputs.secret_files.is_empty() {
        return;
    }
    let files = inputs.secret_files.iter();
    let items: Vec<Value> = files
        .map(|(file, key)| json!({ "key": key, "path": file }))
        .collect();
    // Readable for the image's user, whichever it is; the container is the step's own.
    let source = json!({ "secretName": secret, "items": items, "defaultMode": 0o444 });
    let volume = Volume {
        name: VOLUME,
        source: ("secret", source),
        folder: FOLDER,
        read_only: true,
    };
    mount(spec, volume);
}
