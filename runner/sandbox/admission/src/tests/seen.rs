//! A pod in a few lines: what we change, and what we must not change.

use serde_json::Value;
use sidestep_sandbox_base::names;
use sidestep_sandbox_tls::trust;

use crate::names::{FOLDER, bundle_path};

/// Returns a line for each volume, host alias and container.
pub(super) fn seen(pod: &Value) -> Vec<String> {
    let spec = &pod["spec"];
    let volumes = list(&spec["volumes"]).iter().map(volume);
    let aliases = aliases(spec);
    let containers = ["containers", "initContainers"]
        .into_iter()
        .flat_map(|kind| list(&spec[kind]))
        .map(container);
    volumes.chain(aliases).chain(containers).collect()
}

fn volume(volume: &Value) -> String {
    let name = text(&volume["name"]);
    match volume["configMap"]["name"].as_str() {
        Some(map) => {
            let optional = if volume["configMap"]["optional"] == true {
                "optional "
            } else {
                ""
            };
            format!("volume {name}: {optional}{map}")
        }
        None => format!("volume {name}: other"),
    }
}

/// Returns a line for each address, with the names of all its aliases.
fn aliases(spec: &Value) -> Vec<String> {
    let mut named: Vec<(String, Vec<String>)> = Vec::new();
    for alias in list(&spec["hostAliases"]) {
        let names = list(&alias["hostnames"]).iter().map(text);
        let address = text(&alias["ip"]);
        match named.iter_mut().find(|(known, _)| *known == address) {
            Some((_, known)) => known.extend(names),
            None => named.push((address, names.collect())),
        }
    }
    named
        .into_iter()
        .map(|(address, listed)| format!("{address} {}", shown(&listed)))
        .collect()
}

fn shown(listed: &[String]) -> String {
    let all = names::all();
    if listed == all {
        return "every name".to_owned();
    }
    if listed.len() <= 10 {
        return listed.join(" ");
    }
    let lacking = all.into_iter().filter(|name| !listed.contains(name));
    let lacking: Vec<String> = lacking.collect();
    format!("every name but {}", lacking.join(" "))
}

fn container(container: &Value) -> String {
    let mut parts = Vec::new();
    for mount in list(&container["volumeMounts"]) {
        let path = text(&mount["mountPath"]);
        let path = if path == FOLDER { "here" } else { &path };
        let only = if mount["readOnly"] == true {
            " read-only"
        } else {
            ""
        };
        parts.push(format!("{} {path}{only}", text(&mount["name"])));
    }
    let variables = list(&container["env"]);
    let is_ours = |variable: &&Value| variable["value"] == bundle_path();
    let own = variables.iter().filter(|variable| !is_ours(variable));
    parts.extend(own.map(|variable| format!("own {}", text(&variable["name"]))));
    let ours: Vec<String> = variables
        .iter()
        .filter(is_ours)
        .map(|variable| text(&variable["name"]))
        .collect();
    if ours == trust::VARIABLES {
        parts.push("every variable".to_owned());
    } else if !ours.is_empty() {
        let lacking = trust::VARIABLES
            .iter()
            .filter(|name| !ours.iter().any(|own| own == *name));
        let lacking: Vec<&str> = lacking.copied().collect();
        parts.push(format!("every variable but {}", lacking.join(" ")));
    }
    format!("{}: {}", text(&container["name"]), parts.join(", "))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
