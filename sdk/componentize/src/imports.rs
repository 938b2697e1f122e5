//! What a component imports, and what it may.

use wasmparser::{Parser, Payload};

use crate::Error;

/// Each grant key with the interface that it links, without the version.
pub(crate) const KEYS: [(&str, &str); 14] = [
    ("workspace", "sidestep:workspace/files"),
    ("storage", "sidestep:storage/objects"),
    ("project", "sidestep:gcp/project"),
    ("iam", "sidestep:gcp/iam"),
    ("iamWrite", "sidestep:gcp/iam-write"),
    ("gke", "sidestep:gcp/gke"),
    ("artifactRegistry", "sidestep:gcp/artifact-registry"),
    ("secretManager", "sidestep:gcp/secret-manager"),
    ("identity", "sidestep:identity/prove"),
    ("kubernetes", "sidestep:kubernetes/objects"),
    ("registry", "sidestep:registry/images"),
    ("secrets", "sidestep:secrets/names"),
    ("artifacts", "sidestep:artifacts/store"),
    ("http", "sidestep:http/client"),
];

/// What confers nothing, or what every step has.
const ALWAYS: [&str; 3] = [
    "sidestep:host/types",
    "sidestep:step/runtime",
    "sidestep:gcp/types",
];

/// The grant key that an imported interface belongs to; its version may be
/// any.
pub fn grant_key(import: &str) -> Option<&'static str> {
    let name = unversioned(import);
    KEYS.iter()
        .find(|(_, interface)| *interface == name)
        .map(|(key, _)| *key)
}

/// Whether an interface is linked to every plugin.
pub fn is_always_linked(import: &str) -> bool {
    ALWAYS.contains(&unversioned(import))
}

fn unversioned(import: &str) -> &str {
    import.split_once('@').map_or(import, |(name, _)| name)
}

/// The names of a component's imports, in their order. What the components and
/// modules inside of it import is not among them.
pub(crate) fn of(component: &[u8]) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(Error::Component)? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    names.push(import.map_err(Error::Component)?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(names)
}

/// Checks imports against requested grant keys; answers with the keys that no
/// import needs.
pub(crate) fn check(imports: &[String], requests: &[String]) -> Result<Vec<String>, Error> {
    for import in imports.iter().filter(|import| !is_always_linked(import)) {
        let key = grant_key(import).ok_or_else(|| Error::Foreign(import.clone()))?;
        if !requests.iter().any(|requested| requested == key) {
            return Err(Error::NotRequested {
                import: import.clone(),
                key,
            });
        }
    }
    let used = |key: &str| imports.iter().any(|import| grant_key(import) == Some(key));
    Ok(requests.iter().filter(|key| !used(key)).cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_is_requested_or_always_there_may_be_imported() {
        let imports = strings(&["sidestep:host/types@0.1.0", "sidestep:gcp/iam-write@0.1.0"]);
        let unused = check(&imports, &strings(&["iamWrite", "http"])).expect("requested");
        assert_eq!(unused, ["http"]);
    }

    #[test]
    fn what_is_not_requested_is_named_with_its_key() {
        let error = check(
            &strings(&["sidestep:gcp/iam-write@0.1.0"]),
            &strings(&["iam"]),
        )
        .expect_err("not requested")
        .to_string();
        assert!(error.contains("`sidestep:gcp/iam-write@0.1.0`"), "{error}");
        assert!(error.contains("add `iamWrite = "), "{error}");
    }

    #[test]
    fn what_no_plugin_can_have_is_named() {
        let error = check(&strings(&["wasi:cli/environment@0.2.0"]), &[]).expect_err("foreign");
        assert!(error.to_string().contains("`wasi:cli/environment@0.2.0`"));
    }
}
