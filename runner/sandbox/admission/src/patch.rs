//! The changes of a pod, as a JSON patch. `policy.rs` has the same rules in CEL.

use serde::Serialize;
use serde_json::{Value, json};
use sidestep_sandbox_tls::trust;

use crate::names::{FOLDER, Names, OBJECT, VOLUMES, bundle_path};

/// An operation `add` of a JSON patch (RFC 6902, section 4.1).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "op", rename = "add")]
pub struct Addition {
    path: String,
    value: Value,
}

/// Returns what a new pod lacks. A patched pod lacks nothing.
///
/// A pod of whose volumes three have the names of ours is not changed.
pub fn patch(pod: &Value, names: &Names) -> Vec<Addition> {
    let spec = &pod["spec"];
    let volumes = list(&spec["volumes"]);
    let Some(volume) = VOLUMES.into_iter().find(|name| !is_foreign(volumes, name)) else {
        return Vec::new();
    };
    let mut additions = Additions::default();
    if !volumes.iter().any(|known| known["name"] == volume) {
        let value = json!({ "name": volume, "configMap": { "name": OBJECT, "optional": true } });
        additions.append("/spec/volumes", &spec["volumes"], [value]);
    }
    additions.append(
        "/spec/hostAliases",
        &spec["hostAliases"],
        aliases(spec, names),
    );
    for kind in ["containers", "initContainers"] {
        for (index, container) in list(&spec[kind]).iter().enumerate() {
            additions.container(&format!("/spec/{kind}/{index}"), container, volume);
        }
    }
    additions.0
}

/// Returns the host aliases with the names to which the pod gives no address itself.
fn aliases(spec: &Value, names: &Names) -> Vec<Value> {
    let known = |name: &String| {
        let aliases = list(&spec["hostAliases"]).iter();
        aliases
            .flat_map(|alias| list(&alias["hostnames"]))
            .any(|known| known == name)
    };
    let lacking = names.aliases().into_iter().map(|mut alias| {
        alias.names.retain(|name| !known(name));
        alias
    });
    let lacking = lacking.filter(|alias| !alias.names.is_empty());
    lacking
        .map(|alias| json!({ "ip": alias.address, "hostnames": alias.names }))
        .collect()
}

/// Returns whether a name is that of a volume with other contents.
fn is_foreign(volumes: &[Value], name: &str) -> bool {
    let mut named = volumes.iter().filter(|volume| volume["name"] == name);
    named.any(|volume| volume["configMap"]["name"] != OBJECT)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[derive(Default)]
struct Additions(Vec<Addition>);

impl Additions {
    /// Appends items to a list of the pod, which may be absent.
    fn append(&mut self, path: &str, present: &Value, items: impl IntoIterator<Item = Value>) {
        let mut absent = !present.is_array();
        for value in items {
            if std::mem::take(&mut absent) {
                self.add(path.to_owned(), json!([]));
            }
            self.add(format!("{path}/-"), value);
        }
    }

    fn add(&mut self, path: String, value: Value) {
        self.0.push(Addition { path, value });
    }

    /// Mounts the volume in a container, and names the bundle. A container that has mounted
    /// something else there gets neither.
    fn container(&mut self, path: &str, container: &Value, volume: &str) {
        let mounts = list(&container["volumeMounts"]).iter();
        let mut here = mounts.filter(|mount| mount["mountPath"] == FOLDER);
        match here.next() {
            Some(mount) if mount["name"] != volume => return,
            Some(_) => {}
            None => {
                let mount = json!({ "name": volume, "mountPath": FOLDER, "readOnly": true });
                let path = format!("{path}/volumeMounts");
                self.append(&path, &container["volumeMounts"], [mount]);
            }
        }
        let set = list(&container["env"]);
        let lacking = trust::VARIABLES
            .into_iter()
            .filter(|name| !set.iter().any(|variable| variable["name"] == *name));
        let variables = lacking.map(|name| json!({ "name": name, "value": bundle_path() }));
        self.append(&format!("{path}/env"), &container["env"], variables);
    }
}
