//! The changes of a pod, as a MutatingAdmissionPolicy. `patch.rs` has the same rules in Rust.
//!
//! The policy makes a JSON patch. Its other form, an apply configuration, cannot touch the names of
//! host aliases, and fails on a container that sets a variable twice. Values are built of `dyn`:
//! CEL's lists and maps hold one type, and typed objects in a patch make kube-apiserver 1.36 panic.

use serde_json::{Value, json};
use sidestep_sandbox_tls::trust;

use crate::names::{FOLDER, Names, OBJECT, VOLUMES, bundle_path};

/// Returns the `spec` of the policy.
pub(crate) fn policy(names: &Names) -> Value {
    let variables = variables(names);
    let variables = variables
        .iter()
        .map(|(name, expression)| json!({ "name": name, "expression": expression }));
    json!({
        // A pod without the names fails later, and says so. The policy must not keep pods away.
        "failurePolicy": "Ignore",
        // Once more if another policy or webhook adds a container.
        "reinvocationPolicy": "IfNeeded",
        "matchConstraints": { "resourceRules": [rule()] },
        "variables": variables.collect::<Vec<_>>(),
        "mutations": [{
            "patchType": "JSONPatch",
            "jsonPatch": { "expression": expression(names) },
        }],
    })
}

/// Returns the requests that are changed.
pub(crate) fn rule() -> Value {
    json!({
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": ["pods"],
    })
}

/// Returns the names and the expressions of the policy's variables.
fn variables(names: &Names) -> Vec<(String, String)> {
    let own = format!(
        "has(v.configMap) && has(v.configMap.name) && v.configMap.name == {}",
        text(OBJECT)
    );
    let mut variables = vec![
        ("volumes".to_owned(), list("object.spec", "volumes")),
        (
            "volume".to_owned(),
            format!(
                "{}.filter(n, !variables.volumes.exists(v, v.name == n && !({own})))[0]",
                json!(VOLUMES)
            ),
        ),
        ("aliases".to_owned(), list("object.spec", "hostAliases")),
        (
            "known".to_owned(),
            format!(
                "variables.aliases.map(a, {}).flatten()",
                list("a", "hostnames")
            ),
        ),
    ];
    for (index, alias) in names.aliases().iter().enumerate() {
        let names = json!(alias.names);
        variables.push((
            lacking(index),
            format!("{names}.filter(n, !(n in variables.known))"),
        ));
    }
    variables
}

/// Returns the name of the variable with the names of an alias that a pod lacks.
fn lacking(alias: usize) -> String {
    format!("lacking{alias}")
}

/// Returns the expression of the patch: a sum of lists of operations.
fn expression(names: &Names) -> String {
    let volume = format!(
        r#"{{"name": dyn(variables.volume), "configMap": dyn({{"name": dyn({}), "optional": dyn(true)}})}}"#,
        text(OBJECT)
    );
    let aliases = names.aliases();
    let complete: Vec<String> = (0..aliases.len())
        .map(|index| format!("size(variables.{}) == 0", lacking(index)))
        .collect();
    let mut parts = vec![
        unless(
            "has(object.spec.volumes)",
            &add(&text("/spec/volumes"), "[]"),
        ),
        unless(
            "variables.volumes.exists(v, v.name == variables.volume)",
            &add(&text("/spec/volumes/-"), &volume),
        ),
        unless(
            &format!(
                "has(object.spec.hostAliases) || ({})",
                complete.join(" && ")
            ),
            &add(&text("/spec/hostAliases"), "[]"),
        ),
    ];
    for (index, alias) in aliases.iter().enumerate() {
        let value = format!(
            r#"{{"ip": dyn({}), "hostnames": dyn(variables.{})}}"#,
            text(&alias.address),
            lacking(index)
        );
        parts.push(unless(
            &complete[index],
            &add(&text("/spec/hostAliases/-"), &value),
        ));
    }
    parts.extend(containers("containers"));
    parts.extend(containers("initContainers"));
    parts.join(" +\n")
}

/// Returns the operations for the containers of a list.
fn containers(kind: &str) -> Vec<String> {
    let mounts = list("c", "volumeMounts");
    let folder = text(FOLDER);
    let mounted = format!("{mounts}.exists(m, m.mountPath == {folder})");
    let taken =
        format!("{mounts}.exists(m, m.mountPath == {folder} && m.name != variables.volume)");
    let each = |unless: &str, below: &str, value: &str| {
        let path = format!(
            "{} + string(i) + {}",
            text(&format!("/spec/{kind}/")),
            text(below)
        );
        let all = list("object.spec", kind);
        format!(
            "{all}.transformList(i, c, !({unless}), {})",
            add(&path, value)
        )
    };
    let mount = format!(
        r#"{{"name": dyn(variables.volume), "mountPath": dyn({folder}), "readOnly": dyn(true)}}"#
    );
    let set = |variable: &str| {
        format!(
            "{}.exists(e, e.name == {})",
            list("c", "env"),
            text(variable)
        )
    };
    let all_set: Vec<String> = trust::VARIABLES.into_iter().map(set).collect();
    let mut parts = vec![
        each(
            &format!("has(c.volumeMounts) || {mounted}"),
            "/volumeMounts",
            "[]",
        ),
        each(&mounted, "/volumeMounts/-", &mount),
        each(
            &format!("has(c.env) || {taken} || ({})", all_set.join(" && ")),
            "/env",
            "[]",
        ),
    ];
    for name in trust::VARIABLES {
        let value = format!(
            r#"{{"name": {}, "value": {}}}"#,
            text(name),
            text(&bundle_path())
        );
        parts.push(each(&format!("{} || {taken}", set(name)), "/env/-", &value));
    }
    parts
}

/// Returns the CEL of a string. Ours hold nothing that JSON and CEL escape differently.
fn text(text: &str) -> String {
    json!(text).to_string()
}

/// Returns the CEL of a list that may be absent.
fn list(of: &str, field: &str) -> String {
    format!("(has({of}.{field}) ? {of}.{field} : [])")
}

fn add(path: &str, value: &str) -> String {
    format!(r#"JSONPatch{{op: "add", path: {path}, value: {value}}}"#)
}

fn unless(condition: &str, operation: &str) -> String {
    format!("(({condition}) ? [] : [{operation}])")
}
