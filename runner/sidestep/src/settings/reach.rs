//! Settings for where credentials are sent: endpoints and clusters. A project's file can't set
//! them.

use std::collections::BTreeMap;
use std::path::Path;

use super::file::{ClusterAccess, File};
use super::{ENDPOINTS, Places, Setting, Source, known};

/// The prefix of variables that set an endpoint; the service's name follows.
pub(super) const VARIABLE: &str = "SIDESTEP_ENDPOINT_";

/// Resolves the endpoints, which receive credentials.
pub(super) fn endpoints(
    user: &File,
    user_config: &Path,
    machine: &File,
    places: &Places,
    env: &dyn Fn(&str) -> Option<String>,
) -> BTreeMap<String, Setting<String>> {
    let of_env = |name: &str| {
        let variable = format!("{VARIABLE}{name}");
        let value = env(&variable).filter(|value| !value.is_empty())?;
        let source = Source::Env(variable);
        Some((name.to_owned(), Setting { value, source }))
    };
    let locked = |name: &str| {
        let one = format!("endpoints.{name}");
        machine
            .lock
            .iter()
            .any(|lock| lock == known::ENDPOINTS.name || *lock == one)
    };
    let mut others = of_file(&user.endpoints, user_config);
    others.extend(ENDPOINTS.into_iter().filter_map(of_env));
    others.retain(|name, _| !locked(name));
    let mut all = of_file(&machine.endpoints, &places.machine_config);
    all.extend(others);
    all
}

/// Resolves the clusters, which are reached with the user's credentials.
pub(super) fn clusters(
    user: &File,
    user_config: &Path,
    machine: &File,
    places: &Places,
) -> BTreeMap<String, Setting<ClusterAccess>> {
    let mut all = of_file(&machine.clusters, &places.machine_config);
    if !machine.lock.iter().any(|lock| lock == known::CLUSTERS.name) {
        all.extend(of_file(&user.clusters, user_config));
    }
    all
}

fn of_file<T: Clone>(values: &BTreeMap<String, T>, path: &Path) -> BTreeMap<String, Setting<T>> {
    let with_source = |(name, value): (&String, &T)| {
        let source = Source::File(path.to_owned());
        (
            name.clone(),
            Setting {
                value: value.clone(),
                source,
            },
        )
    };
    values.iter().map(with_source).collect()
}
