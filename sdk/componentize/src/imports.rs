//! The imports of a component, and the check of what it may import.

use sidestep_contract::{Capability, is_always_linked};
use wasmparser::{Parser, Payload};

use crate::Error;

/// Returns the names of a component's imports, in order. The imports of nested components and
/// modules are not included.
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

/// Checks imports against the requested grant keys. Returns the keys that no import needs.
pub(crate) fn check(imports: &[String], requests: &[String]) -> Result<Vec<String>, Error> {
    for import in imports.iter().filter(|import| !is_always_linked(import)) {
        let capability =
            Capability::of_import(import).ok_or_else(|| Error::Foreign(import.clone()))?;
        let key = capability.as_str();
        if !requests.iter().any(|requested| requested == key) {
            return Err(Error::NotRequested {
                import: import.clone(),
                key,
            });
        }
    }
    let used = |key: &str| {
        let mut keys = imports
            .iter()
            .filter_map(|import| Capability::of_import(import));
        keys.any(|capability| capability.as_str() == key)
    };
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
