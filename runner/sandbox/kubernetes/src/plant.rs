//! The initial objects of a new cluster.

use serde_json::{Value, json};

use crate::api;
use crate::api::create::{Creation, create};
use crate::config::Config;
use crate::error::OpenError;
use crate::key::Key;
use crate::kinds::{KINDS, core_kind};
use crate::patch::apply::Manager;
use crate::status::ApiError;
use crate::store::{Store, Transaction};

/// The file that exists while the objects are created.
const UNFINISHED: &str = "planting";

/// Creates the seed's objects in a new cluster, or in one that was killed during their creation.
pub(crate) fn plant(config: &Config, store: &Store, ca: &str) -> Result<(), OpenError> {
    let unfinished = config.dir.join(UNFINISHED);
    if store.version() != 0 && !unfinished.exists() {
        return Ok(());
    }
    let state = |source| OpenError::State {
        dir: config.dir.display().to_string(),
        source,
    };
    std::fs::write(&unfinished, b"").map_err(state)?;
    for object in objects(&config.seed) {
        plant_one(store, object, ca)?;
    }
    std::fs::remove_file(&unfinished).map_err(state)
}

/// Returns the seed and the namespaces that every cluster has.
fn objects(seed: &[Value]) -> Vec<Value> {
    let mut objects: Vec<Value> = ["default", "kube-system"]
        .iter()
        .filter(|name| {
            !seed
                .iter()
                .any(|o| o["kind"] == "Namespace" && o["metadata"]["name"] == **name)
        })
        .map(
            |name| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } }),
        )
        .collect();
    objects.extend(seed.iter().cloned());
    objects
}

fn plant_one(store: &Store, mut object: Value, ca: &str) -> Result<(), OpenError> {
    let manager = Manager {
        name: "sandbox".to_owned(),
        subresource: String::new(),
    };
    let text = |field: &str| {
        object["metadata"][field]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let (namespace, name) = (text("namespace"), text("name"));
    let shown = format!(
        "{} {namespace}/{name}",
        object["kind"].as_str().unwrap_or("without kind")
    );
    let refused = |source| OpenError::Seed {
        object: shown.clone(),
        source,
    };
    let kind = KINDS
        .iter()
        .find(|k| k.stored() && object["kind"] == k.kind)
        .ok_or_else(|| refused(ApiError::no_such_page()))?;
    api::body::check(kind, &mut object, api::body::Strictness::Strict).map_err(refused)?;
    let creation = Creation {
        kind,
        namespace: &namespace,
        manager: Some(&manager),
        ca,
    };
    let key = Key::new(kind.plural, &namespace, &name);
    let planted = |tx: &mut Transaction<'_>| {
        // A namespace already has its default account; the seed's own replaces it.
        if kind == core_kind("serviceaccounts") && name == "default" {
            tx.remove(&key)?;
        }
        if tx.get(&key).is_none() {
            create(tx, &creation, object)?;
        }
        Ok(())
    };
    store.write(planted).map_err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_that_was_killed_while_it_was_planted_is_finished() {
        let dir = tempfile::tempdir().expect("folder");
        let mut config = Config::new(dir.path(), "demo", "europe-west1", "ci");
        config.seed.push(json!({ "kind": "Nothing" }));
        let store = Store::open(dir.path(), 10).expect("opens");
        plant(&config, &store, "").expect_err("there is no such kind");
        let node = Key::new("nodes", "", "sandbox-node-1");
        let before = store.get(&node).expect("it was made");
        drop(store);

        config.seed.pop();
        config.seed.push(json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "late" },
        }));
        let store = Store::open(dir.path(), 10).expect("opens");
        plant(&config, &store, "").expect("the rest is made");
        assert!(store.get(&Key::new("namespaces", "", "late")).is_some());
        assert_eq!(store.get(&node), Some(before), "what was made stays");

        store.write(|tx| tx.remove(&node)).expect("removed");
        plant(&config, &store, "").expect("nothing is to be made");
        assert_eq!(store.get(&node), None, "what was removed stays so");
    }
}
