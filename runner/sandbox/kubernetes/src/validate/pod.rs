//! The validation of pods.

use serde_json::Value;

use crate::names::check_label;
use crate::pods::quantity::thousandths;
use crate::status::Cause;

pub(super) fn check(spec: &Value, causes: &mut Vec<Cause>) {
    let volumes: Vec<&str> = spec["volumes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|v| v["name"].as_str())
        .collect();
    for (n, name) in volumes.iter().enumerate() {
        let field = format!("spec.volumes[{n}].name");
        causes.extend(check_label(&field, name));
        if volumes[..n].contains(name) {
            causes.push(Cause::duplicate(field, &(*name).into()));
        }
    }
    if spec["containers"].as_array().is_none_or(Vec::is_empty) {
        causes.push(Cause::required("spec.containers", ""));
    }
    let mut names: Vec<String> = Vec::new();
    for list in ["initContainers", "containers"] {
        for (n, item) in spec[list].as_array().into_iter().flatten().enumerate() {
            let at = format!("spec.{list}[{n}]");
            let name = item["name"].as_str().unwrap_or_default();
            if name.is_empty() {
                causes.push(Cause::required(format!("{at}.name"), ""));
            } else {
                causes.extend(check_label(&format!("{at}.name"), name));
                if names.iter().any(|have| have == name) {
                    causes.push(Cause::duplicate(format!("{at}.name"), &name.into()));
                }
            }
            names.push(name.to_owned());
            if item["image"].as_str().is_none_or(|i| i.trim().is_empty()) {
                causes.push(Cause::required(format!("{at}.image"), ""));
            }
            container(item, &at, &volumes, causes);
        }
    }
    let policy = &spec["restartPolicy"];
    let known = ["Always", "OnFailure", "Never"];
    if !known.iter().any(|k| policy == k) {
        causes.push(Cause::unsupported("spec.restartPolicy", policy, &known));
    }
    if let Some(limit) = spec["activeDeadlineSeconds"].as_i64()
        && !(1..=i64::from(i32::MAX)).contains(&limit)
    {
        causes.push(Cause::invalid(
            "spec.activeDeadlineSeconds",
            &limit.into(),
            "must be between 1 and 2147483647, inclusive",
        ));
    }
}

fn container(item: &Value, at: &str, volumes: &[&str], causes: &mut Vec<Cause>) {
    let policy = &item["imagePullPolicy"];
    let known = ["Always", "IfNotPresent", "Never"];
    if policy.is_string() && !known.iter().any(|k| policy == k) {
        let field = format!("{at}.imagePullPolicy");
        causes.push(Cause::unsupported(field, policy, &known));
    }
    for (name, request) in item["resources"]["requests"]
        .as_object()
        .into_iter()
        .flatten()
    {
        let limit = &item["resources"]["limits"][name];
        let amount = |quantity: &Value| quantity.as_str().and_then(thousandths);
        if let (Some(wanted), Some(most)) = (amount(request), amount(limit))
            && wanted > most
        {
            let most = limit.as_str().unwrap_or_default();
            let why = format!("must be less than or equal to {name} limit of {most}");
            causes.push(Cause::invalid(
                format!("{at}.resources.requests"),
                request,
                &why,
            ));
        }
    }
    for (n, mount) in item["volumeMounts"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        let name = mount["name"].as_str().unwrap_or_default();
        if !volumes.contains(&name) {
            causes.push(Cause::not_found(
                format!("{at}.volumeMounts[{n}].name"),
                name,
            ));
        }
        if mount["mountPath"].as_str().is_none_or(str::is_empty) {
            causes.push(Cause::required(
                format!("{at}.volumeMounts[{n}].mountPath"),
                "",
            ));
        }
    }
    for (n, env) in item["env"].as_array().into_iter().flatten().enumerate() {
        if env["name"].as_str().is_none_or(str::is_empty) {
            causes.push(Cause::required(format!("{at}.env[{n}].name"), ""));
        }
        if env["value"].as_str().is_some_and(|v| !v.is_empty()) && env["valueFrom"].is_object() {
            causes.push(Cause::invalid(
                format!("{at}.env[{n}].valueFrom"),
                &"".into(),
                "may not be specified when `value` is not empty",
            ));
        }
    }
}

/// Returns the list of containers whose length changed.
pub(super) fn changed_length(old: &Value, new: &Value) -> Option<&'static str> {
    let length = |spec: &Value, list: &str| spec[list].as_array().map_or(0, Vec::len);
    ["initContainers", "containers"]
        .into_iter()
        .find(|list| length(old, list) != length(new, list))
}

/// Returns the error of a quantity that cannot be parsed, as the server's decoder reports it.
pub(crate) fn bad_quantity(spec: &Value) -> Option<&'static str> {
    let lists = ["initContainers", "containers"].into_iter();
    let mut containers = lists.flat_map(|list| spec[list].as_array().into_iter().flatten());
    let bad = containers.any(|item| {
        ["requests", "limits"].iter().any(|list| {
            let quantities = item["resources"][*list].as_object().into_iter().flatten();
            quantities
                .filter_map(|(_, quantity)| quantity.as_str())
                .any(|quantity| thousandths(quantity).is_none())
        })
    });
    bad.then_some(
        "quantities must match the regular expression \
         '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    )
}

/// Returns whether a pod's immutable fields are unchanged.
pub(super) fn is_same(old: &Value, new: &Value) -> bool {
    let bare = |spec: &Value| {
        let mut spec = spec.clone();
        if let Some(map) = spec.as_object_mut() {
            map.shift_remove("activeDeadlineSeconds");
            map.shift_remove("tolerations");
        }
        for list in ["initContainers", "containers"] {
            for item in crate::defaults::items(&mut spec, list) {
                if let Some(map) = item.as_object_mut() {
                    map.shift_remove("image");
                }
            }
        }
        spec
    };
    let kept = old["tolerations"]
        .as_array()
        .into_iter()
        .flatten()
        .all(|t| {
            new["tolerations"]
                .as_array()
                .is_some_and(|list| list.contains(t))
        });
    kept && bare(old) == bare(new)
}
