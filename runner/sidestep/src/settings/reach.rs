//! Where credentials go: endpoints and clusters, which a project's file has no say in.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::file::{ClusterAccess, File};
use super::{ENDPOINTS, Places, Setting, Source};

/// Endpoints receive credentials: the project's file has no say in them.
pub(super) fn endpoints(
    user: &File,
    machine: &File,
    places: &Places,
    env: &dyn Fn(&str) -> Option<String>,
) -> BTreeMap<String, Setting<String>> {
    let mut all = BTreeMap::new();
    let mut take = |file: &File, path: &PathBuf| {
        for (name, value) in &file.endpoints {
            let found = Setting {
                value: value.clone(),
                source: Source::File(path.clone()),
            };
            all.insert(name.clone(), found);
        }
    };
    take(machine, &places.machine_config);
    let locked = |name: &str| {
        let whole = machine.lock.iter().any(|lock| lock == "endpoints");
        let one = format!("endpoints.{name}");
        whole || machine.lock.contains(&one)
    };
    let fixed = all.clone();
    let mut take = |name: &str, found: Setting<String>| {
        if !locked(name) {
            all.insert(name.to_owned(), found);
        }
    };
    for (name, value) in &user.endpoints {
        take(
            name,
            Setting {
                value: value.clone(),
                source: Source::File(places.user_config.clone()),
            },
        );
    }
    for name in ENDPOINTS {
        let variable = format!("SIDESTEP_ENDPOINT_{name}");
        if let Some(value) = env(&variable).filter(|value| !value.is_empty()) {
            take(
                name,
                Setting {
                    value,
                    source: Source::Env(variable),
                },
            );
        }
    }
    debug_assert!(fixed.keys().all(|name| all.contains_key(name)));
    all
}

/// Clusters are reached with the user's credentials: the project's file has no say in them either.
pub(super) fn clusters(
    user: &File,
    machine: &File,
    places: &Places,
) -> BTreeMap<String, Setting<ClusterAccess>> {
    let mut all = BTreeMap::new();
    let locked = machine.lock.iter().any(|lock| lock == "clusters");
    let user = (!locked).then_some((user, &places.user_config));
    let files = [Some((machine, &places.machine_config)), user];
    for (file, path) in files.into_iter().flatten() {
        for (name, value) in &file.clusters {
            let found = Setting {
                value: value.clone(),
                source: Source::File(path.clone()),
            };
            all.insert(name.clone(), found);
        }
    }
    all
}
