//! Discovery: `/api` and `/apis`, aggregated and per group.

use serde_json::{Value, json};

use crate::kinds::{KINDS, Kind};

/// Returns the groups besides the core group.
fn groups() -> Vec<&'static str> {
    let mut groups: Vec<&str> = KINDS
        .iter()
        .map(|k| k.group)
        .filter(|g| !g.is_empty())
        .collect();
    groups.dedup();
    groups
}

fn of_group(group: &str) -> impl Iterator<Item = &'static Kind> {
    KINDS.iter().filter(move |k| k.group == group)
}

/// Returns the `APIVersions` of the core group.
pub(crate) fn versions(host: &str) -> Value {
    json!({
        "kind": "APIVersions", "versions": ["v1"],
        "serverAddressByClientCIDRs": [{ "clientCIDR": "0.0.0.0/0", "serverAddress": host }],
    })
}

/// Returns the `APIGroupList`.
pub(crate) fn group_list() -> Value {
    let groups: Vec<Value> = groups().into_iter().map(group_entry).collect();
    json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })
}

/// Returns the `APIGroup` of a served group.
pub(crate) fn group(name: &str) -> Option<Value> {
    groups().contains(&name).then(|| {
        let mut entry = group_entry(name);
        entry["kind"] = "APIGroup".into();
        entry["apiVersion"] = "v1".into();
        entry
    })
}

fn group_entry(name: &str) -> Value {
    let version = json!({ "groupVersion": format!("{name}/v1"), "version": "v1" });
    json!({ "name": name, "versions": [version], "preferredVersion": version })
}

/// Returns the `APIResourceList` of a group and version.
pub(crate) fn resources(group: &str, version: &str) -> Option<Value> {
    let mut list = Vec::new();
    let mut group_version = String::new();
    for kind in of_group(group).filter(|k| k.version == version) {
        group_version = kind.api_version();
        let mut entry = json!({
            "name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced,
            "kind": kind.kind, "verbs": kind.verbs,
        });
        if !kind.short.is_empty() {
            entry["shortNames"] = json!(kind.short);
        }
        if !kind.categories.is_empty() {
            entry["categories"] = json!(kind.categories);
        }
        list.push(entry);
        for (name, of, verbs) in kind.subresources {
            let mut entry = json!({
                "name": format!("{}/{name}", kind.plural), "singularName": "",
                "namespaced": kind.namespaced, "kind": of, "verbs": verbs,
            });
            if let Some((group, version)) = foreign(of) {
                entry["group"] = group.into();
                entry["version"] = version.into();
            }
            list.push(entry);
        }
    }
    (!list.is_empty()).then(|| {
        json!({
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version,
            "resources": list,
        })
    })
}

/// Returns the group of a sub-resource's kind, if it differs from that of the resource.
fn foreign(kind: &str) -> Option<(&'static str, &'static str)> {
    match kind {
        "TokenRequest" => Some(("authentication.k8s.io", "v1")),
        "Eviction" => Some(("policy", "v1")),
        _ => None,
    }
}

/// Returns the `APIGroupDiscoveryList` (aggregated discovery) of the core group or of all others.
pub(crate) fn aggregated(core: bool) -> Value {
    let names = if core { vec![""] } else { groups() };
    let items: Vec<Value> = names
        .into_iter()
        .map(|group| {
            let resources: Vec<Value> = of_group(group).map(aggregated_kind).collect();
            let metadata = if group.is_empty() {
                json!({})
            } else {
                json!({ "name": group })
            };
            json!({
                "metadata": metadata,
                "versions": [{ "version": "v1", "resources": resources, "freshness": "Current" }],
            })
        })
        .collect();
    json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {},
        "items": items,
    })
}

fn aggregated_kind(kind: &Kind) -> Value {
    let response = |group: &str, version: &str, kind: &str| json!({ "group": group, "version": version, "kind": kind });
    let mut entry = json!({
        "resource": kind.plural,
        "responseKind": response(kind.group, kind.version, kind.kind),
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": kind.singular,
        "verbs": kind.verbs,
    });
    if !kind.short.is_empty() {
        entry["shortNames"] = json!(kind.short);
    }
    if !kind.categories.is_empty() {
        entry["categories"] = json!(kind.categories);
    }
    let subresources: Vec<Value> = kind
        .subresources
        .iter()
        .map(|(name, of, verbs)| {
            let (group, version) = foreign(of).unwrap_or((kind.group, kind.version));
            json!({
                "subresource": name, "responseKind": response(group, version, of), "verbs": verbs,
            })
        })
        .collect();
    if !subresources.is_empty() {
        entry["subresources"] = subresources.into();
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_name_the_same_resources() {
        let list = resources("", "v1").expect("core is served");
        let plain = list["resources"].as_array().expect("a list");
        let main = plain
            .iter()
            .filter(|r| !r["name"].as_str().is_some_and(|n| n.contains('/')));
        let all = aggregated(true);
        let resources = all["items"][0]["versions"][0]["resources"]
            .as_array()
            .expect("a list");
        assert_eq!(main.count(), resources.len());
        assert!(group("apps").is_none());
        assert_eq!(groups(), ["authentication.k8s.io", "authorization.k8s.io"]);
    }
}
